//! The first line of a change: `type(scope)!: description`, in the spellings people use.

use git_conventional::Commit;

/// What the first line of a conventional change says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Header {
    /// The type as written.
    pub kind: String,
    pub scope: Option<String>,
    pub mark: Mark,
    pub description: String,
}

/// What stands before the colon.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Mark {
    None,
    /// `!`
    Breaking,
    /// `!!`
    Stable,
}

/// Why a line is not the first line of a conventional change.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum HeaderError {
    #[error("its first line is not of the form `type: description`")]
    NoType,
    #[error("no colon follows the type `{kind}`")]
    NoColon { kind: String },
    #[error("the scope of `{kind}` is not closed")]
    OpenScope { kind: String },
    #[error("nothing follows the colon of `{kind}:`")]
    NoDescription { kind: String },
    #[error("`{token}:` is a footer and stands where the type belongs")]
    FooterFirst { token: String },
}

/// The types that need no explanation (Conventional Commits 1.0.0 and the Angular convention).
const COMMON: [&str; 11] =
    ["feat", "fix", "docs", "style", "refactor", "perf", "test", "build", "ci", "chore", "revert"];

impl Header {
    /// Whether its type is one that everyone uses.
    pub fn is_common(&self) -> bool {
        COMMON.iter().any(|kind| self.kind.eq_ignore_ascii_case(kind))
    }
}

/// Reads one line.
///
/// `git-conventional` reads what the specification allows. Beside it these spellings count: an emoji or a
/// `:shortcode:` before the type, a space before the scope or the colon, an empty scope, parentheses in the
/// scope, the mark before the scope, and `!!`. A type is one word of ASCII letters, digits, `-` and `_`.
///
/// # Errors
/// Where the line is nothing of the kind, and what it lacks.
pub fn read_header(line: &str) -> Result<Header, HeaderError> {
    let line = undecorated(line.trim());
    match Commit::parse(line) {
        Ok(commit) if is_word(commit.type_().as_str()) => strict(line, &commit),
        _ => tolerant(line),
    }
}

/// The line without the emoji and shortcodes at its start.
fn undecorated(line: &str) -> &str {
    let mut line = line;
    loop {
        let rest = line.trim_start_matches(is_emoji).trim_start();
        let rest = after_shortcode(rest).unwrap_or(rest).trim_start();
        if rest.len() == line.len() {
            return rest;
        }
        line = rest;
    }
}

/// What follows a `:sparkles:`.
fn after_shortcode(line: &str) -> Option<&str> {
    let (name, rest) = line.strip_prefix(':')?.split_once(':')?;
    let named =
        !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '+'));
    named.then_some(rest)
}

/// The blocks of Unicode that emoji come from, with what joins and varies them.
fn is_emoji(c: char) -> bool {
    matches!(c,
        '\u{a9}' | '\u{ae}' | '\u{200d}' | '\u{203c}' | '\u{2049}' | '\u{20e3}' | '\u{2122}' | '\u{2139}'
        | '\u{2190}'..='\u{2bff}' | '\u{3030}' | '\u{303d}' | '\u{3297}' | '\u{3299}' | '\u{fe0f}'
        | '\u{1f000}'..='\u{1faff}' | '\u{e0020}'..='\u{e007f}')
}

fn is_word(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_alphabetic()) && text.chars().all(is_word_char)
}

fn is_word_char(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '-' | '_')
}

fn strict(line: &str, commit: &Commit<'_>) -> Result<Header, HeaderError> {
    let mark = if commit.breaking() { Mark::Breaking } else { Mark::None };
    let scope = commit.scope().map(|scope| scope.as_str().to_owned());
    let before = line.strip_suffix(commit.description()).unwrap_or_default();
    header(commit.type_().as_str(), scope.as_deref(), mark, &line[before.trim_end().len()..])
}

fn tolerant(line: &str) -> Result<Header, HeaderError> {
    let end = line.find(|c| !is_word_char(c)).unwrap_or(line.len());
    let (kind, rest) = line.split_at(end);
    if !is_word(kind) {
        return Err(HeaderError::NoType);
    }
    let (before, rest) = split_mark(rest.trim_start());
    let (scope, rest) =
        split_scope(rest.trim_start()).ok_or_else(|| HeaderError::OpenScope { kind: kind.to_owned() })?;
    let (after, rest) = split_mark(rest.trim_start());
    match rest.trim_start().strip_prefix(':') {
        Some(description) => header(kind, scope, before.max(after), description),
        None if line.starts_with("BREAKING CHANGE:") => {
            Err(HeaderError::FooterFirst { token: "BREAKING CHANGE".to_owned() })
        }
        None if COMMON.iter().any(|common| kind.eq_ignore_ascii_case(common)) => {
            Err(HeaderError::NoColon { kind: kind.to_owned() })
        }
        None => Err(HeaderError::NoType),
    }
}

fn split_mark(text: &str) -> (Mark, &str) {
    let rest = text.trim_start_matches('!');
    let mark = match text.len() - rest.len() {
        0 => Mark::None,
        2 => Mark::Stable,
        _ => Mark::Breaking,
    };
    (mark, rest)
}

/// Splits `(a(b)) rest` after the parenthesis that closes the first; nothing where none does.
fn split_scope(text: &str) -> Option<(Option<&str>, &str)> {
    let Some(inside) = text.strip_prefix('(') else { return Some((None, text)) };
    let mut depth = 1_usize;
    for (index, c) in inside.char_indices() {
        match c {
            '(' => depth += 1,
            ')' => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return Some((Some(&inside[..index]), &inside[index + 1..]));
        }
    }
    None
}

fn header(kind: &str, scope: Option<&str>, mark: Mark, description: &str) -> Result<Header, HeaderError> {
    let scope = scope.map(str::trim).filter(|scope| !scope.is_empty()).map(str::to_owned);
    if kind == "BREAKING-CHANGE" {
        return Err(HeaderError::FooterFirst { token: kind.to_owned() });
    }
    if scope.is_none() && is_address(description) {
        return Err(HeaderError::NoType);
    }
    let description = description.trim();
    if description.is_empty() {
        return Err(HeaderError::NoDescription { kind: kind.to_owned() });
    }
    Ok(Header { kind: kind.to_owned(), scope, mark, description: description.to_owned() })
}

/// Whether what follows the colon makes the whole an address, a path or a qualified name.
fn is_address(after_colon: &str) -> bool {
    after_colon.starts_with("//") || after_colon.starts_with(['\\', ':'])
}

#[cfg(test)]
mod tests {
    use super::{Header, HeaderError, Mark, read_header};

    fn read(line: &str) -> String {
        match read_header(line) {
            Ok(Header { kind, scope, mark, description }) => {
                let mark = match mark {
                    Mark::None => "",
                    Mark::Breaking => "!",
                    Mark::Stable => "!!",
                };
                format!("{kind}|{}|{mark}|{description}", scope.unwrap_or_default())
            }
            Err(error) => format!("- {error}"),
        }
    }

    #[test]
    fn spellings_of_the_specification_are_read() {
        assert_eq!(read("feat: a"), "feat|||a");
        assert_eq!(read("feat(core): a"), "feat|core||a");
        assert_eq!(read("feat(core)!:  a "), "feat|core|!|a");
        assert_eq!(read("Feat(Core): a"), "Feat|Core||a");
        assert_eq!(read("fix( my scope ): a: b"), "fix|my scope||a: b");
        assert_eq!(read("feat(a,b/c): x"), "feat|a,b/c||x");
        assert_eq!(read("build-deps: x"), "build-deps|||x");
        assert_eq!(read("feat: règles 🎉"), "feat|||règles 🎉");
        assert_eq!(read("fix: ::before and //comments"), "fix|||::before and //comments");
    }

    #[test]
    fn tolerated_spellings_are_read() {
        assert_eq!(read("fix(core):no space"), "fix|core||no space");
        assert_eq!(read("feat (core): a"), "feat|core||a");
        assert_eq!(read("feat : a"), "feat|||a");
        assert_eq!(read("feat(core) : a"), "feat|core||a");
        assert_eq!(read("feat(): a"), "feat|||a");
        assert_eq!(read("feat(a(b)): x"), "feat|a(b)||x");
        assert_eq!(read("feat!(api): x"), "feat|api|!|x");
        assert_eq!(read("feat!!: x"), "feat||!!|x");
        assert_eq!(read("feat(x)!!: y"), "feat|x|!!|y");
        assert_eq!(read("feat!!!: x"), "feat||!|x");
        assert_eq!(read(":sparkles: feat(interfaces): a"), "feat|interfaces||a");
        assert_eq!(read("✨ feat: a"), "feat|||a");
        assert_eq!(read("⬆️👩‍💻 :arrow_up: chore(deps): a"), "chore|deps||a");
        assert_eq!(read(":+1:feat: a"), "feat|||a");
    }

    #[test]
    fn other_lines_say_what_they_lack() {
        for line in
            ["", "feature/x: a", "Just words", "Just: ", "12: a", "a b: c", "http://x", "std::vec", "C:\\x"]
        {
            assert!(read_header(line).is_err(), "{line}");
        }
        assert_eq!(read_header("feat add x"), Err(HeaderError::NoColon { kind: "feat".into() }));
        assert_eq!(read("feat(foo: x"), "- the scope of `feat` is not closed");
        assert_eq!(read("fix(core):  "), "- nothing follows the colon of `fix:`");
        assert_eq!(read("fix(bar)! add x"), "- no colon follows the type `fix`");
        assert_eq!(
            read("BREAKING CHANGE: x"),
            "- `BREAKING CHANGE:` is a footer and stands where the type belongs"
        );
        assert_eq!(
            read("BREAKING-CHANGE: x"),
            "- `BREAKING-CHANGE:` is a footer and stands where the type belongs"
        );
        assert_eq!(
            read("Note that (some) things: x"),
            "- its first line is not of the form `type: description`"
        );
    }
}
