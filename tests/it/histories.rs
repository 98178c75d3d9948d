//! Plans of odd and random histories against the slow, obvious way: git asked package by package.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::io::Write as _;
use std::path::Path;
use std::process::Stdio;

use crate::world::World;

/// Folders of packages; a file belongs to the longest that holds it.
const PACKAGES: [&str; 6] = [
    "packages/one",
    "packages/one/nested",
    "packages/one-more",
    "deep/b/c/d/e/f/g/h/i/j",
    "libs/x",
    "libs/y",
];
const FILES: [&str; 9] = [
    "packages/one/a.py",
    "packages/one/nested/a.py",
    "packages/one/nested/b/c.py",
    "packages/one-more/a.py",
    "deep/b/c/d/e/f/g/h/i/j/k/l.py",
    "deep/b/c/other.py",
    "libs/x/a.py",
    "libs/y/a.py",
    "README.md",
];
const TITLES: [&str; 6] = ["feat: x", "fix: x", "docs: x", "fix!: x", "chore: x", "not conventional"];
const VERSIONS: [&str; 5] = ["1.0.0", "1.0.1", "1.1.0", "1.2.0", "2.0.0"];

/// What is released of each package: the version, and the commits that ask for it.
type Wanted = BTreeMap<String, (String, BTreeSet<String>)>;

#[test]
fn random_histories_plan_as_the_slow_way_does() {
    for seed in 1..=10u64 {
        let world = World::new();
        let mut random = Random(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15));
        grow(&world, &mut random, 25);
        match seed % 3 {
            0 => drop(world.git(["repack", "-adfq"])),
            1 => drop(world.git(["pack-refs", "--all"])),
            _ => {}
        }
        check(&world, &format!("seed {seed}"));
    }
}

#[test]
fn the_plan_is_the_same_however_the_objects_are_kept() {
    let world = World::new();
    let mut random = Random(77);
    grow(&world, &mut random, 40);
    let wanted = check(&world, "loose objects");
    for back in (0..5).rev() {
        pack_to(&world, back);
    }
    assert_eq!(check(&world, "many packs"), wanted);
    world.git(["multi-pack-index", "write"]);
    assert_eq!(check(&world, "a multi-pack index"), wanted);
    world.git(["repack", "-adfq", "--depth=50"]);
    world.git(["pack-refs", "--all"]);
    assert_eq!(check(&world, "one pack"), wanted);
    world.git(["commit-graph", "write", "--reachable", "--changed-paths"]);
    assert_eq!(check(&world, "a commit graph"), wanted);
    let clone = |words: &[&str]| {
        let clone = World::without_repository();
        let (from, to) = (world.repository(), clone.repository());
        let url = format!("file://{}", from.display());
        let from = if words.contains(&"--shared") { from.display().to_string() } else { url };
        let mut command = clone.command("git");
        command.args(["clone", "-q"]).args(words).arg(from).arg(to);
        assert!(command.status().unwrap().success());
        clone
    };
    assert_eq!(check(&clone(&["--shared"]), "alternates"), wanted);
    world.git(["config", "uploadpack.allowFilter", "true"]);
    let partial = clone(&["--filter=blob:none"]);
    // Whoever asks the remote now gets no answer.
    partial.git(["remote", "set-url", "origin", "file:///nowhere"]);
    assert_eq!(check(&partial, "a partial clone"), wanted);
}

/// Puts all that HEAD has but for its last commits into a pack of its own, as far as no other pack holds it.
fn pack_to(world: &World, back: usize) {
    let mut command = world.command("git");
    command.current_dir(world.repository()).stdin(Stdio::piped());
    command.args(["pack-objects", "-q", "--revs", "--unpacked", ".git/objects/pack/pack"]);
    let mut running = command.stdout(Stdio::null()).spawn().unwrap();
    writeln!(running.stdin.take().unwrap(), "HEAD~{back}").unwrap();
    assert!(running.wait().unwrap().success());
    world.git(["prune-packed", "-q"]);
}

#[test]
fn grafts_and_replaced_commits_are_followed_as_git_follows_them() {
    let world = World::new();
    let mut random = Random(5);
    grow(&world, &mut random, 30);
    world.git(["repack", "-adfq"]);
    let before = check(&world, "as it is");
    let line: Vec<String> =
        world.git(["rev-list", "--first-parent", "HEAD"]).lines().map(str::to_owned).collect();
    let info = world.repository().join(".git/info");
    std::fs::create_dir_all(&info).unwrap();
    std::fs::write(info.join("grafts"), format!("{} {}\n", line[1], line[4])).unwrap();
    let grafted = check(&world, "a graft");
    assert_ne!(grafted, before, "the graft hides commits");
    std::fs::remove_file(info.join("grafts")).unwrap();
    world.git(["replace", "--graft", &line[1], &line[4]]);
    assert_eq!(check(&world, "a replaced commit"), grafted);
}

#[test]
fn large_commits_and_long_messages_change_nothing() {
    let world = World::new();
    let mut random = Random(9);
    grow(&world, &mut random, 12);
    let files: String = (0..5000).fold(String::new(), |mut text, number| {
        let folder = FILES[number % FILES.len()].rsplit_once('/').map_or("top", |(folder, _)| folder);
        write!(text, "M 100644 inline {folder}/many/{number}.py\ndata 1\nx\n").unwrap();
        text
    });
    let message = format!("feat: many\n\n{}\n", "word and word\n".repeat(80_000));
    import(
        &world,
        &format!(
            "commit refs/heads/main\ncommitter Ada <ada@example.org> 1800000000 +0000\ndata {}\n{message}\nfrom refs/heads/main^0\n{files}\n",
            message.len()
        ),
    );
    let head = world.git(["rev-parse", "HEAD"]);
    for number in 0..1500 {
        let path = world.repository().join(format!(".git/refs/tags/other-v0.{number}.0"));
        std::fs::write(path, format!("{head}\n")).unwrap();
    }
    check(&world, "5000 files, a megabyte, loose tags");
}

struct Random(u64);

impl Random {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % limit as u64).unwrap()
    }

    fn chance(&mut self, percent: usize) -> bool {
        self.below(100) < percent
    }
}

/// Packages, then commits on a few lines that branch off and merge, up to four at once; tags on some of them.
fn grow(world: &World, random: &mut Random, count: usize) {
    let mut stream = String::new();
    let mut commit =
        |mark: usize, time: usize, message: &str, parents: &[usize], files: &[(String, String)]| {
            writeln!(stream, "commit refs/heads/line{mark}\nmark :{mark}").unwrap();
            writeln!(stream, "committer Ada <ada@example.org> {} +0000", 1_700_000_000 + time).unwrap();
            writeln!(stream, "data {}\n{message}", message.len()).unwrap();
            for (place, parent) in parents.iter().enumerate() {
                writeln!(stream, "{} :{parent}", if place == 0 { "from" } else { "merge" }).unwrap();
            }
            for (path, text) in files {
                writeln!(stream, "M 100644 inline {path}\ndata {}\n{text}", text.len()).unwrap();
            }
            stream.push('\n');
        };
    let manifests: Vec<(String, String)> = PACKAGES
        .iter()
        .enumerate()
        .map(|(number, folder)| {
            let text = format!("[project]\nname = \"p{number}\"\nversion = \"0.0.1\"\n");
            (format!("{folder}/pyproject.toml"), text)
        })
        .collect();
    commit(1, 0, "chore: begin", &[], &manifests);
    for mark in 2..=count {
        let skew = if random.chance(20) { random.below(4000) } else { 0 };
        let recent = |random: &mut Random, far: usize| mark - 1 - random.below((mark - 1).min(far));
        let mut parents = vec![if random.chance(75) { mark - 1 } else { recent(random, 12) }];
        if random.chance(25) {
            parents.extend((0..1 + random.below(3)).map(|_| recent(random, 8)));
            parents.dedup();
        }
        let is_merge = parents.len() > 1;
        let title = if is_merge { "Merge branch" } else { TITLES[random.below(TITLES.len())] };
        let touched = if is_merge { 0 } else { 1 + random.below(3) };
        let files: Vec<(String, String)> = (0..touched)
            .map(|place| (FILES[random.below(FILES.len())].to_owned(), format!("{mark} {place}\n")))
            .collect();
        let files: BTreeMap<_, _> = files.into_iter().collect();
        let files: Vec<(String, String)> = files.into_iter().collect();
        commit(mark, (mark * 1000).saturating_sub(skew), &format!("{title} {mark}\n"), &parents, &files);
    }
    writeln!(stream, "reset refs/heads/main\nfrom :{count}\n").unwrap();
    import(world, &stream);
    world.git(["reset", "-q", "--hard"]);
    let reachable: Vec<String> = world.git(["rev-list", "HEAD"]).lines().map(str::to_owned).collect();
    for package in 0..PACKAGES.len() {
        for version in VERSIONS {
            if random.chance(30) {
                let commit = &reachable[random.below(reachable.len())];
                world.git(["tag", &format!("p{package}-v{version}"), commit]);
            }
        }
    }
}

pub fn import(world: &World, stream: &str) {
    let mut command = world.command("git");
    command.current_dir(world.repository()).args(["fast-import", "--quiet", "--force"]).stdin(Stdio::piped());
    let mut running = command.spawn().unwrap();
    running.stdin.take().unwrap().write_all(stream.as_bytes()).unwrap();
    assert!(running.wait().unwrap().success());
}

/// The plan, which must be the slow one's.
fn check(world: &World, what: &str) -> Wanted {
    let answer = world.release(["plan", "--trust", "tag", "--output", "json"]).well().json();
    let mut planned = Wanted::new();
    for release in answer["releases"].as_array().unwrap() {
        let because = release["because"].as_array().unwrap().iter();
        let commits = because.map(|one| one["commit"].as_str().unwrap().to_owned()).collect();
        let text = |key: &str| release[key].as_str().unwrap().to_owned();
        planned.insert(text("package"), (text("to"), commits));
    }
    let slow = slow(world);
    assert_eq!(planned, slow, "{what}");
    slow
}

/// What git itself says, one question after the other.
fn slow(world: &World) -> Wanted {
    let mut commits: BTreeMap<String, (String, Vec<String>)> = BTreeMap::new();
    let log =
        world.git(["log", "--no-merges", "--no-renames", "--name-only", "--format=commit %H%n%s", "HEAD"]);
    for text in log.split("commit ").filter(|text| !text.is_empty()) {
        let mut lines = text.lines().filter(|line| !line.is_empty()).map(str::to_owned);
        let (id, subject) = (lines.next().unwrap(), lines.next().unwrap());
        commits.insert(id, (subject, lines.collect()));
    }
    let mut wanted = Wanted::new();
    for (number, folder) in PACKAGES.iter().enumerate() {
        let tags = world.git(["tag", "--merged", "HEAD", "--list", &format!("p{number}-v*")]);
        let last = VERSIONS
            .iter()
            .rev()
            .find(|version| tags.lines().any(|tag| tag.ends_with(&format!("-v{version}"))));
        let range = match last {
            Some(version) => vec!["rev-list".to_owned(), "HEAD".to_owned(), format!("^p{number}-v{version}")],
            None => vec!["rev-list".to_owned(), "HEAD".to_owned()],
        };
        let mut because = BTreeSet::new();
        let mut largest = 0;
        for id in world.git(range).lines() {
            let Some((subject, files)) = commits.get(id) else { continue };
            let size = size_of(subject);
            if size > 0 && files.iter().any(|file| owner(file) == Some(*folder)) {
                because.insert(id.to_owned());
                largest = largest.max(size);
            }
        }
        if largest > 0 {
            // What was never released gets the version that its manifest declares.
            let to = last.map_or("0.0.1".to_owned(), |last| raised(last, largest));
            wanted.insert(format!("p{number}"), (to, because));
        }
    }
    wanted
}

fn owner(file: &str) -> Option<&'static str> {
    let holds = |folder: &&&str| Path::new(file).starts_with(folder);
    PACKAGES.iter().filter(holds).max_by_key(|folder| folder.len()).copied()
}

fn size_of(subject: &str) -> usize {
    match subject.split(':').next().unwrap() {
        "fix!" => 3,
        "feat" => 2,
        "fix" => 1,
        _ => 0,
    }
}

fn raised(version: &str, size: usize) -> String {
    let numbers: Vec<u64> = version.split('.').map(|number| number.parse().unwrap()).collect();
    match size {
        3 => format!("{}.0.0", numbers[0] + 1),
        2 => format!("{}.{}.0", numbers[0], numbers[1] + 1),
        _ => format!("{}.{}.{}", numbers[0], numbers[1], numbers[2] + 1),
    }
}
