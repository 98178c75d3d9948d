//! Makes up the history of a monorepo: commits to its packages, releases, and what a plan must say in the end.

use std::collections::{BTreeMap, VecDeque};
use std::io::{self, Write};

use crate::random::Random;
use crate::shape::Shape;
use crate::stream::{File, Stream};
use crate::text::{Message, Size, file_name, message, module, words};

/// What is known of a repository because it was made so.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Known {
    /// The packages' folders by their names.
    pub packages: BTreeMap<String, String>,
    /// The last release of each.
    pub last: BTreeMap<String, String>,
    /// Those to be released, each with its next version.
    pub next: BTreeMap<String, String>,
    /// The oldest of the last releases: what follows is what a plan has to look at.
    pub oldest: String,
}

struct Package {
    name: String,
    path: String,
    module: String,
    /// Earlier packages that it requires.
    needs: Vec<usize>,
    version: [usize; 3],
    log: VecDeque<String>,
    /// Commits since its last release, and the largest step one of them asks for.
    since: usize,
    size: Size,
    /// The number of commits after which its last release is due; gone when it was made.
    due: Option<usize>,
}

struct Author<W> {
    stream: Stream<W>,
    random: Random,
    shape: Shape,
    packages: Vec<Package>,
    known: Known,
}

/// Writes the whole history and answers what is known of it.
pub fn write(shape: Shape, seed: u64, out: impl Write) -> io::Result<Known> {
    let mut random = Random::new(seed);
    let packages = packages(shape, &mut random);
    let mut author = Author { stream: Stream::new(out), random, shape, packages, known: Known::default() };
    author.first()?;
    let mut dues = author.dues();
    while author.stream.commits() < shape.commits || !dues.is_empty() {
        match dues.front() {
            Some((at, package)) if *at <= author.stream.commits() => {
                let package = *package;
                dues.pop_front();
                author.release(package, true)?;
            }
            _ => author.work()?,
        }
    }
    author.finish()
}

fn packages(shape: Shape, random: &mut Random) -> Vec<Package> {
    let mut packages = Vec::new();
    for number in 0..shape.packages {
        let name = format!("pkg-{number:03}");
        let mut needs: Vec<usize> = Vec::new();
        for _ in 0..random.below(4).min(number) {
            needs.push(random.below(number));
        }
        needs.sort_unstable();
        needs.dedup();
        packages.push(Package {
            path: format!("{}/{name}", shape.above),
            module: name.replace('-', "_"),
            name,
            needs,
            version: [0, 1, 0],
            log: VecDeque::new(),
            since: 0,
            size: Size::Nothing,
            due: None,
        });
    }
    packages
}

impl<W: Write> Author<W> {
    fn first(&mut self) -> io::Result<()> {
        let members = format!("[tool.uv.workspace]\nmembers = [\"{}/*\"]\n", self.shape.above);
        let config = format!("[workspace]\npackages = [\"{}/*\"]\n", self.shape.above);
        let mut files: Vec<File> = vec![
            ("pyproject.toml".to_owned(), members),
            ("release.toml".to_owned(), config),
            ("README.md".to_owned(), "# A workspace\n".to_owned()),
        ];
        for package in &self.packages {
            let file = |path: &str, text: String| (format!("{}/{path}", package.path), text);
            files.push(file("pyproject.toml", self.manifest(package)));
            files.push(file("README.md", format!("# {}\n", package.name)));
            files.push(file("CHANGELOG.md", changelog(package)));
            let code = format!("src/{}{}", self.shape.inside, package.module);
            files.push(file(&format!("{code}/__init__.py"), String::new()));
            for number in 0..self.shape.modules {
                let name = file_name(&mut self.random);
                files.push(file(&format!("{code}/{name}.py"), format!("# {number}\n")));
            }
        }
        let mark = self.stream.commit("chore: begin\n", &files)?;
        for package in 0..self.packages.len() {
            self.tag(package, mark)?;
        }
        Ok(())
    }

    /// When each package has its last release: spread over the window.
    fn dues(&mut self) -> VecDeque<(usize, usize)> {
        let mut order: Vec<usize> = (0..self.packages.len()).collect();
        self.random.shuffle(&mut order);
        let start = self.shape.commits - self.shape.window;
        let mut dues = VecDeque::new();
        for (index, package) in order.into_iter().enumerate() {
            let at = start + index * self.shape.window / self.packages.len();
            self.packages[package].due = Some(at);
            dues.push_back((at, package));
        }
        dues
    }

    /// A commit as people make them, and the releases that follow from it.
    fn work(&mut self) -> io::Result<()> {
        let number = self.stream.commits();
        let touched = self.touched();
        let mut files = Vec::new();
        for index in &touched {
            self.change(*index, number, &mut files);
        }
        if touched.is_empty() {
            files.push(("README.md".to_owned(), format!("# A workspace\n{}\n", words(&mut self.random, 20))));
        }
        let names: Vec<&str> = touched.iter().map(|index| self.packages[*index].name.as_str()).collect();
        let quiet = self.shape.idle && touched.iter().any(|index| self.packages[*index].due.is_none());
        let Message { text, size } = message(&mut self.random, &names, number, self.shape.body, quiet);
        self.stream.commit(&text, &files)?;
        for index in touched {
            let package = &mut self.packages[index];
            package.since += 1;
            package.size = package.size.max(size);
            // Close to the last release there is no other.
            let far = package.due.is_some_and(|due| number + 2 * self.shape.packages < due);
            if package.since >= self.shape.release_every && far {
                self.release(index, false)?;
            }
        }
        Ok(())
    }

    /// Which packages a commit touches: mostly one, seldom two or three, now and then none.
    fn touched(&mut self) -> Vec<usize> {
        let count = match self.random.below(100) {
            0..3 => 0,
            3..92 => 1,
            _ => self.random.between(2, 3),
        };
        let mut touched = Vec::new();
        for _ in 0..count {
            touched.push(self.random.below(self.packages.len()));
        }
        touched.sort_unstable();
        touched.dedup();
        touched
    }

    fn change(&mut self, index: usize, number: usize, files: &mut Vec<File>) {
        let (fewest, most) = self.shape.changed;
        for _ in 0..self.random.between(fewest, most) {
            let name = file_name(&mut self.random);
            let (package, inside) = (&self.packages[index], self.shape.inside);
            let path = if self.random.chance(750) {
                format!("{}/src/{inside}{}/{name}.py", package.path, package.module)
            } else {
                format!("{}/tests/{inside}test_{name}.py", package.path)
            };
            files.push((path, module(&mut self.random, number)));
        }
    }

    fn release(&mut self, index: usize, is_last: bool) -> io::Result<()> {
        let line = format!("- {}\n- {}\n", words(&mut self.random, 8), words(&mut self.random, 6));
        let package = &mut self.packages[index];
        package.version = next(package.version, package.size.max(Size::Patch));
        package.since = 0;
        package.size = Size::Nothing;
        if is_last {
            package.due = None;
        }
        let version = text(package.version);
        package.log.push_front(format!("## {version}\n\n{line}"));
        package.log.truncate(20);
        let package = &self.packages[index];
        let files = [
            (format!("{}/pyproject.toml", package.path), self.manifest(package)),
            (format!("{}/CHANGELOG.md", package.path), changelog(package)),
        ];
        let title = format!("chore({}): release {version}\n", package.name);
        let mark = self.stream.commit(&title, &files)?;
        self.tag(index, mark)?;
        if is_last && self.known.oldest.is_empty() {
            self.known.oldest.clone_from(&self.known.last[&self.packages[index].name]);
        }
        Ok(())
    }

    fn tag(&mut self, index: usize, mark: usize) -> io::Result<()> {
        let package = &self.packages[index];
        let name = format!("{}-v{}", package.name, text(package.version));
        self.stream.tag(&name, mark)?;
        self.known.last.insert(package.name.clone(), name);
        Ok(())
    }

    fn finish(mut self) -> io::Result<Known> {
        for package in &self.packages {
            self.known.packages.insert(package.name.clone(), package.path.clone());
            if package.size > Size::Nothing {
                let version = text(next(package.version, package.size));
                self.known.next.insert(package.name.clone(), version);
            }
        }
        self.stream.end()?;
        Ok(self.known)
    }

    fn manifest(&self, package: &Package) -> String {
        let needs: Vec<String> = package
            .needs
            .iter()
            .map(|need| &self.packages[*need])
            .map(|need| format!("\"{}>={}\"", need.name, text(need.version)))
            .collect();
        format!(
            "[project]\nname = \"{name}\"\nversion = \"{version}\"\ndescription = \"{name}\"\n\
             readme = \"README.md\"\nrequires-python = \">=3.9\"\ndependencies = [{needs}]\n\n\
             [build-system]\nrequires = [\"hatchling\"]\nbuild-backend = \"hatchling.build\"\n",
            name = package.name,
            version = text(package.version),
            needs = needs.join(", "),
        )
    }
}

fn changelog(package: &Package) -> String {
    let mut text = format!("# {}\n", package.name);
    for entry in &package.log {
        text += &format!("\n{entry}");
    }
    text
}

/// The next version; below 1.0 what breaks is a minor step.
fn next([major, minor, patch]: [usize; 3], size: Size) -> [usize; 3] {
    match size {
        Size::Major if major > 0 => [major + 1, 0, 0],
        Size::Major | Size::Minor => [major, minor + 1, 0],
        Size::Patch | Size::Nothing => [major, minor, patch + 1],
    }
}

fn text([major, minor, patch]: [usize; 3]) -> String {
    format!("{major}.{minor}.{patch}")
}
