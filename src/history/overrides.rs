//! Overrides: files `.release/overrides/<sha>.toml` that reword, reassign or skip one commit.

use std::ops::Range;

use toml_edit::{Document, Item, Key, Value};

use crate::history::problem::{Problem, line_at};
use crate::version::bump::Bump;

/// What a file says about one commit.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Override {
    /// The commit's id, or its first digits (at least seven), in lower case: the name of the file.
    pub commit: String,
    /// Why the commit is left out, where it is.
    pub skip: Option<String>,
    /// The message that is read instead of the commit's own.
    pub message: Option<String>,
    /// The packages it belongs to, instead of those its paths name.
    pub packages: Option<Vec<String>>,
    /// The size it has, instead of what its type says.
    pub bump: Option<Size>,
}

/// The size an override gives a commit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Size {
    /// It releases nothing.
    None,
    Bump(Bump),
}

/// Reads one override: keys `skip` (true, with a `reason`), `message`, `packages` and `bump`
/// (`major`, `minor`, `patch` or `none`).
///
/// # Errors
/// All that is wrong with the file, in the order of its lines.
pub fn parse_override(path: &str, text: &str) -> Result<Override, Vec<Problem>> {
    let mut reader = Reader { path, text, problems: Vec::new() };
    let read = reader.read();
    reader.problems.sort_by_key(|problem| problem.line);
    if reader.problems.is_empty() { Ok(read) } else { Err(reader.problems) }
}

struct Reader<'a> {
    path: &'a str,
    text: &'a str,
    problems: Vec<Problem>,
}

impl Reader<'_> {
    fn read(&mut self) -> Override {
        let mut read = Override { commit: self.commit(), ..Override::default() };
        let document = match Document::parse(self.text) {
            Ok(document) => document,
            Err(error) => {
                self.problem(error.span(), format!("is not TOML: {}", error.message()));
                return read;
            }
        };
        let mut skip = None;
        let mut reason = None;
        for (name, item) in document.iter() {
            let key = document.key(name);
            match name {
                "skip" => skip = self.truth(name, item).map(|skip| (skip, span(key, item))),
                "reason" => reason = self.text(name, item).map(|reason| (reason, span(key, item))),
                "message" => read.message = self.text(name, item),
                "packages" => read.packages = self.names(name, item),
                "bump" => read.bump = self.size(name, item),
                _ => self.problem(span(key, item), unknown(name)),
            }
        }
        self.decide_skip(&mut read, skip, reason);
        if document.is_empty() {
            self.problem(
                None,
                "says nothing: give `skip`, `message`, `packages` or `bump`, or delete it".to_owned(),
            );
        }
        read
    }

    /// The commit that the file's name names.
    fn commit(&mut self) -> String {
        let name = self.path.rsplit('/').next().unwrap_or_default();
        let stem = name.strip_suffix(".toml").unwrap_or(name);
        if !(7..=64).contains(&stem.len()) || !stem.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            let what = "names no commit: call it by the commit's id or its first seven digits or more, as in `3e4edf1.toml`";
            self.problem(None, what.to_owned());
        }
        stem.to_ascii_lowercase()
    }

    fn decide_skip(
        &mut self,
        read: &mut Override,
        skip: Option<(bool, Span)>,
        reason: Option<(String, Span)>,
    ) {
        match (skip, reason) {
            (Some((true, span)), None) => {
                self.problem(span, "`skip` needs a reason: add `reason = \"…\"`".to_owned());
            }
            (Some((true, span)), Some((reason, _))) => {
                if read.message.is_some() || read.packages.is_some() || read.bump.is_some() {
                    let what =
                        "a skipped commit has no `message`, `packages` or `bump`: remove those, or `skip`";
                    self.problem(span, what.to_owned());
                }
                read.skip = Some(reason);
            }
            (Some((false, span)), _) => {
                self.problem(span, "`skip = false` says nothing: remove it".to_owned())
            }
            (None, Some(_) | None) => {}
        }
    }

    fn truth(&mut self, name: &str, item: &Item) -> Option<bool> {
        let found = item.as_bool();
        self.expect(found, name, "`true`", item)
    }

    fn text(&mut self, name: &str, item: &Item) -> Option<String> {
        let found = item.as_str().map(str::trim).filter(|text| !text.is_empty()).map(str::to_owned);
        self.expect(found, name, "a text", item)
    }

    fn names(&mut self, name: &str, item: &Item) -> Option<Vec<String>> {
        let values = item.as_array().filter(|values| !values.is_empty());
        let names = values.and_then(|values| values.iter().map(name_in).collect());
        self.expect(names, name, "a list of package names, as in `[\"core\"]`", item)
    }

    fn size(&mut self, name: &str, item: &Item) -> Option<Size> {
        let size = item.as_str().and_then(|word| match word {
            "none" => Some(Size::None),
            "patch" => Some(Size::Bump(Bump::Patch)),
            "minor" => Some(Size::Bump(Bump::Minor)),
            "major" => Some(Size::Bump(Bump::Major)),
            _ => None,
        });
        self.expect(size, name, "\"major\", \"minor\", \"patch\" or \"none\"", item)
    }

    /// What was found; a problem where that is nothing.
    fn expect<T>(&mut self, found: Option<T>, name: &str, wanted: &str, item: &Item) -> Option<T> {
        if found.is_none() {
            self.problem(item.span(), format!("`{name}` must be {wanted}"));
        }
        found
    }

    fn problem(&mut self, span: Span, what: String) {
        let line = span.map_or(1, |span| line_at(self.text, span.start));
        let what = what.chars().filter(|c| !c.is_control()).collect();
        self.problems.push(Problem { path: self.path.to_owned(), line, what });
    }
}

type Span = Option<Range<usize>>;

fn span(key: Option<&Key>, item: &Item) -> Span {
    key.and_then(Key::span).or_else(|| item.span())
}

fn name_in(value: &Value) -> Option<String> {
    value.as_str().map(str::trim).filter(|name| !name.is_empty()).map(str::to_owned)
}

fn unknown(name: &str) -> String {
    const KEYS: [&str; 5] = ["skip", "reason", "message", "packages", "bump"];
    let near = KEYS.iter().map(|key| (strsim::osa_distance(name, key), key)).min();
    match near {
        Some((distance, key)) if distance <= 2 => format!("unknown key `{name}`: did you mean `{key}`?"),
        _ => format!("unknown key `{name}`: there are `skip`, `reason`, `message`, `packages` and `bump`"),
    }
}

#[cfg(test)]
mod tests {
    use super::{Override, Size, parse_override};
    use crate::version::bump::Bump;

    const PATH: &str = ".release/overrides/3E4EDF1.toml";

    fn problems(path: &str, text: &str) -> Vec<String> {
        let problems = parse_override(path, text).unwrap_err();
        problems.into_iter().map(|problem| format!("{}: {}", problem.line, problem.what)).collect()
    }

    #[test]
    fn a_commit_is_skipped_with_a_reason() {
        let read = parse_override(PATH, "skip = true\nreason = \"taken back by hand\"\n").unwrap();
        let skip = Some("taken back by hand".to_owned());
        assert_eq!(read, Override { commit: "3e4edf1".to_owned(), skip, ..Override::default() });
    }

    #[test]
    fn a_commit_is_reworded_reassigned_and_sized() {
        let text = "# why\nmessage = \"\"\"\nfeat(core): x\n\nBREAKING CHANGE: y\n\"\"\"\npackages = [\"core\", \"mlops\"]\nbump = \"none\"\n\
                    reason = \"noted\"";
        let read = parse_override(PATH, text).unwrap();
        assert_eq!(read.message.as_deref(), Some("feat(core): x\n\nBREAKING CHANGE: y"));
        assert_eq!(read.packages, Some(vec!["core".to_owned(), "mlops".to_owned()]));
        assert_eq!((read.bump, read.skip), (Some(Size::None), None));
        assert_eq!(parse_override(PATH, "bump = \"minor\"").unwrap().bump, Some(Size::Bump(Bump::Minor)));
    }

    #[test]
    fn all_mistakes_are_told_with_their_lines() {
        assert_eq!(
            problems(
                PATH,
                "\nskip = \"yes\"\nmesage = \"x\"\n\npackages = [\"core\", 1]\nbump = \"huge\"\n[other]\nx = 1\n"
            ),
            [
                "2: `skip` must be `true`",
                "3: unknown key `mesage`: did you mean `message`?",
                "5: `packages` must be a list of package names, as in `[\"core\"]`",
                "6: `bump` must be \"major\", \"minor\", \"patch\" or \"none\"",
                "7: unknown key `other`: there are `skip`, `reason`, `message`, `packages` and `bump`",
            ]
        );
        assert_eq!(
            problems(PATH, "message = \" \"\npackages = []"),
            [
                "1: `message` must be a text",
                "2: `packages` must be a list of package names, as in `[\"core\"]`"
            ]
        );
    }

    #[test]
    fn a_skip_says_why_and_nothing_else() {
        assert_eq!(problems(PATH, "\nskip = true"), ["2: `skip` needs a reason: add `reason = \"…\"`"]);
        assert_eq!(problems(PATH, "skip = false"), ["1: `skip = false` says nothing: remove it"]);
        assert_eq!(
            problems(PATH, "bump = \"minor\"\nskip = true\nreason = \"x\""),
            ["2: a skipped commit has no `message`, `packages` or `bump`: remove those, or `skip`"]
        );
    }

    #[test]
    fn files_that_say_nothing_are_refused() {
        assert_eq!(
            problems(PATH, "# only\n"),
            ["1: says nothing: give `skip`, `message`, `packages` or `bump`, or delete it"]
        );
        assert!(problems(PATH, "bump = \"minor\"\nbump = \"major\"")[0].starts_with("2: is not TOML: "));
        assert!(problems(PATH, "\n\nskip = ").iter().all(|problem| problem.starts_with("3: is not TOML: ")));
        for name in ["x.toml", "3e4e.toml", "3e4edf1.tml", ".toml"] {
            assert!(problems(name, "bump = \"minor\"")[0].starts_with("1: names no commit"), "{name}");
        }
    }

    #[test]
    fn a_problem_reads_as_a_line() {
        let problem = parse_override(PATH, "skip = true").unwrap_err().remove(0);
        assert_eq!(
            problem.to_string(),
            ".release/overrides/3E4EDF1.toml:1: `skip` needs a reason: add `reason = \"…\"`"
        );
    }
}
