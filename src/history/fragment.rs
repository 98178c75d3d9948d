//! Fragments: files `.release/changes/*.md` that announce a change beside the commits.

use crate::history::problem::Problem;
use crate::version::bump::Bump;

/// One announced change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fragment {
    /// The file, as seen from the repository's root.
    pub path: String,
    /// The packages it releases, as written, each with the size; at least one.
    pub packages: Vec<(String, Bump)>,
    /// The note, in Markdown; never empty.
    pub text: String,
}

/// Reads one fragment: lines `package: minor` between two lines `---` (as changesets writes them; names and sizes may
/// stand in quotation marks, `#` begins a comment), then the note.
///
/// # Errors
/// All that is wrong with the file, in the order of its lines.
pub fn parse_fragment(path: &str, text: &str) -> Result<Fragment, Vec<Problem>> {
    let problem = |(line, what): (usize, String)| Problem { path: path.to_owned(), line, what };
    let lines: Vec<&str> = text.strip_prefix('\u{feff}').unwrap_or(text).lines().map(str::trim_end).collect();
    let (begin, end) = front_matter(path, &lines).map_err(|found| vec![problem(found)])?;
    let (packages, mut problems) = read_packages(&lines[begin + 1..end], begin + 2);
    if packages.is_empty() && problems.is_empty() {
        problems.push((begin + 1, "names no package: write a line such as `core: minor`".to_owned()));
    }
    let note = lines[end + 1..].join("\n").trim().to_owned();
    if note.is_empty() {
        problems.push((end + 1, "holds no note: say below the second `---` what changed".to_owned()));
    }
    if problems.is_empty() {
        Ok(Fragment { path: path.to_owned(), packages, text: note })
    } else {
        Err(problems.into_iter().map(problem).collect())
    }
}

/// A line, counted from one, and what is wrong in it.
type Found = (usize, String);

/// The places of the two lines `---`.
fn front_matter(path: &str, lines: &[&str]) -> Result<(usize, usize), Found> {
    let begin = lines.iter().position(|line| !line.is_empty()).unwrap_or(0);
    if lines.get(begin) != Some(&"---") {
        return Err((begin + 1, without_front_matter(path)));
    }
    let length = lines[begin + 1..].iter().position(|line| *line == "---");
    let length =
        length.ok_or_else(|| (begin + 1, "no second line `---` ends the list of packages".to_owned()))?;
    Ok((begin, begin + 1 + length))
}

/// Reads the lines between, the first of which has this number.
fn read_packages(lines: &[&str], first: usize) -> (Vec<(String, Bump)>, Vec<Found>) {
    let mut packages: Vec<(String, Bump)> = Vec::new();
    let mut problems = Vec::new();
    for (index, line) in lines.iter().enumerate() {
        match read_line(line) {
            Ok(Some((name, _))) if packages.iter().any(|(other, _)| *other == name) => {
                problems.push((first + index, format!("`{name}` is named twice")));
            }
            Ok(found) => packages.extend(found),
            Err(what) => problems.push((first + index, what)),
        }
    }
    (packages, problems)
}

/// Reads `package: minor`; nothing in a line that is blank or a comment.
fn read_line(line: &str) -> Result<Option<(String, Bump)>, String> {
    let line = line.split_once(" #").map_or(line, |(before, _)| before).trim();
    if line.is_empty() || line.starts_with('#') {
        return Ok(None);
    }
    let (name, size) = line.rsplit_once(':').ok_or_else(|| malformed(line))?;
    let name = unquoted(name.trim()).ok_or_else(|| malformed(line))?;
    if !is_name(name) {
        return Err(malformed(line));
    }
    let bump = match unquoted(size.trim()) {
        Some("patch") => Bump::Patch,
        Some("minor") => Bump::Minor,
        Some("major") => Bump::Major,
        _ => return Err(format!("the size of `{name}` must be `major`, `minor` or `patch`")),
    };
    Ok(Some((name.to_owned(), bump)))
}

fn malformed(line: &str) -> String {
    let shown: String = line.chars().filter(|c| !c.is_control()).take(60).collect();
    format!("`{shown}` is not of the form `package: minor`")
}

/// The text without the quotation marks around it, where both are there or none.
fn unquoted(text: &str) -> Option<&str> {
    match text.chars().next().filter(|mark| matches!(mark, '"' | '\'')) {
        Some(mark) => text[1..].strip_suffix(mark),
        None => Some(text),
    }
}

/// Whether a word can name a package, or the folder of one.
fn is_name(name: &str) -> bool {
    !name.is_empty()
        && name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-' | '/' | '@'))
}

/// What to write instead of a file that leaves all to its name, as towncrier's `123.feature.md` does.
fn without_front_matter(path: &str) -> String {
    let name = path.rsplit('/').next().unwrap_or_default();
    let mut parts = name.split('.').filter(|part| !part.is_empty());
    let package =
        parts.next().filter(|part| is_name(part) && !part.bytes().all(|byte| byte.is_ascii_digit()));
    let size = match parts.next() {
        Some("breaking" | "major" | "removal") => "major",
        Some("feature" | "feat" | "added" | "minor") => "minor",
        _ => "patch",
    };
    let named = if name.split('.').count() > 2 { "its name is not read; " } else { "" };
    let package = package.filter(|_| !named.is_empty()).unwrap_or("core");
    format!("{named}begin it with the lines `---`, `{package}: {size}`, `---`, then the note")
}

#[cfg(test)]
mod tests {
    use super::{Fragment, parse_fragment};
    use crate::version::bump::Bump;

    const PATH: &str = ".release/changes/brave-cats.md";

    fn problems(path: &str, text: &str) -> Vec<String> {
        let problems = parse_fragment(path, text).unwrap_err();
        problems.into_iter().map(|problem| format!("{}: {}", problem.line, problem.what)).collect()
    }

    #[test]
    fn packages_and_note_are_read() {
        let text = "\u{feff}---\r\n\"core\": minor\r\n# why\r\n'mlops' : 'patch' # small\r\n\r\nsrc/packages/ai/x: major\r\n---\r\n\r\n\
                    Series know their **unit**.\r\n\r\n---\r\n\r\nMore.\r\n";
        let packages = [("core", Bump::Minor), ("mlops", Bump::Patch), ("src/packages/ai/x", Bump::Major)];
        assert_eq!(
            parse_fragment(PATH, text).unwrap(),
            Fragment {
                path: PATH.to_owned(),
                packages: packages.map(|(name, bump)| (name.to_owned(), bump)).to_vec(),
                text: "Series know their **unit**.\n\n---\n\nMore.".to_owned(),
            }
        );
    }

    #[test]
    fn all_mistakes_are_told_with_their_lines() {
        assert_eq!(
            problems(
                PATH,
                "\n---\ncore minor\ncore: huge\n\"core: minor\nmlops: none\ncore: patch\ncore: minor\na b: minor\n---\n \n"
            ),
            [
                "3: `core minor` is not of the form `package: minor`",
                "4: the size of `core` must be `major`, `minor` or `patch`",
                "5: `\"core: minor` is not of the form `package: minor`",
                "6: the size of `mlops` must be `major`, `minor` or `patch`",
                "8: `core` is named twice",
                "9: `a b: minor` is not of the form `package: minor`",
                "10: holds no note: say below the second `---` what changed",
            ]
        );
        assert_eq!(
            problems(PATH, "---\n---\nx"),
            ["1: names no package: write a line such as `core: minor`"]
        );
        assert_eq!(
            problems(PATH, "---\ncore: minor\nx"),
            ["1: no second line `---` ends the list of packages"]
        );
    }

    #[test]
    fn files_without_packages_are_told_what_to_write() {
        let told = |name: &str, text: &str| problems(&format!(".release/changes/{name}"), text).remove(0);
        assert_eq!(
            told("mlops.feature.md", "A thing."),
            "1: its name is not read; begin it with the lines `---`, `mlops: minor`, `---`, then the note"
        );
        assert_eq!(
            told("123.bugfix.md", "\n\nA thing."),
            "3: its name is not read; begin it with the lines `---`, `core: patch`, `---`, then the note"
        );
        assert_eq!(
            told("note.md", ""),
            "1: begin it with the lines `---`, `core: patch`, `---`, then the note"
        );
    }
}
