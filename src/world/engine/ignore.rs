//! Which files a build does not get: the rules of `.dockerignore`, as Docker reads them.

use regex::Regex;

/// The rules of one file, in order: the last that fits decides.
#[derive(Debug, Default)]
pub struct Ignore {
    rules: Vec<Rule>,
}

#[derive(Debug)]
struct Rule {
    /// `!`: what fits stays.
    keeps: bool,
    pattern: Regex,
}

impl Ignore {
    /// Reads the text of a `.dockerignore`.
    ///
    /// # Errors
    /// The first line that is no pattern, and why.
    pub fn read(text: &str) -> Result<Ignore, String> {
        let mut rules = Vec::new();
        for line in text.trim_start_matches('\u{feff}').lines() {
            if line.starts_with('#') || line.trim().is_empty() {
                continue;
            }
            let (keeps, pattern) = match line.trim().strip_prefix('!') {
                Some(rest) => (true, cleaned(rest.trim())),
                None => (false, cleaned(line.trim())),
            };
            let pattern = Regex::new(&expression(&pattern)).map_err(|_| format!("`{line}` is no pattern"))?;
            rules.push(Rule { keeps, pattern });
        }
        Ok(Ignore { rules })
    }

    /// Whether a file, by its path with `/`, is left out.
    pub fn leaves_out(&self, path: &str) -> bool {
        let ends = path.match_indices('/').map(|(end, _)| end).chain([path.len()]);
        let above: Vec<&str> = ends.map(|end| &path[..end]).collect();
        let fits = |rule: &&Rule| above.iter().any(|path| rule.pattern.is_match(path));
        self.rules.iter().rev().find(fits).is_some_and(|rule| !rule.keeps)
    }
}

/// Go's `filepath.Clean`, without a leading slash.
fn cleaned(pattern: &str) -> String {
    let mut parts: Vec<&str> = Vec::new();
    for part in pattern.split('/') {
        match part {
            "" | "." => {}
            ".." if parts.last().is_some_and(|last| *last != "..") => {
                parts.pop();
            }
            ".." if pattern.starts_with('/') => {}
            part => parts.push(part),
        }
    }
    if parts.is_empty() { ".".to_owned() } else { parts.join("/") }
}

/// Go's `filepath.Match`, and `**` across folders, as an expression.
fn expression(pattern: &str) -> String {
    let mut text = "^".to_owned();
    let mut rest = pattern.chars().peekable();
    while let Some(one) = rest.next() {
        match one {
            '*' if rest.peek() == Some(&'*') => {
                rest.next();
                if rest.peek() == Some(&'/') {
                    rest.next();
                }
                text.push_str(if rest.peek().is_none() { ".*" } else { "(.*/)?" });
            }
            '*' => text.push_str("[^/]*"),
            '?' => text.push_str("[^/]"),
            '\\' => text.push_str(&regex::escape(&rest.next().unwrap_or('\\').to_string())),
            '[' | ']' | '^' | '-' => text.push(one),
            one => text.push_str(&regex::escape(&one.to_string())),
        }
    }
    text.push('$');
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, out: &[&str], stays: &[&str]) {
        let ignore = Ignore::read(text).unwrap();
        for path in out {
            assert!(ignore.leaves_out(path), "{path} stays by {text:?}");
        }
        for path in stays {
            assert!(!ignore.leaves_out(path), "{path} is left out by {text:?}");
        }
    }

    #[test]
    fn patterns_are_rooted_and_take_what_is_below() {
        check("tests", &["tests", "tests/a/b.py"], &["src/tests", "tests.py"]);
        check("/tests/", &["tests/a"], &["src/tests"]);
        check("*.md\n", &["README.md"], &["docs/a.md"]);
        check("*/*.md", &["docs/a.md"], &["README.md", "docs/x/a.md"]);
        check("a?c", &["abc"], &["ac", "a/c"]);
        check("[a-c].py", &["b.py"], &["d.py"]);
    }

    #[test]
    fn two_stars_cross_folders() {
        check("**/*.pyc", &["a.pyc", "x/y/a.pyc"], &["a.py"]);
        check("**/__pycache__", &["__pycache__/a", "x/__pycache__/a"], &["x/pycache"]);
        check("docs/**", &["docs/a", "docs/x/b"], &["docs.md"]);
    }

    #[test]
    fn the_last_rule_that_fits_decides() {
        check(
            "*\n!src\n!pyproject.toml\nsrc/secret",
            &["a", "src/secret/x"],
            &["src/a.py", "pyproject.toml"],
        );
        check("!a\n*", &["a"], &[]);
        check("docs\n!docs/keep.md", &["docs/a.md"], &["docs/keep.md"]);
    }

    #[test]
    fn comments_and_signs_are_no_patterns() {
        check("# a\n\n  b  \n", &["b"], &["a", "# a"]);
        check("a.c\nx+y\n(z)", &["a.c", "x+y", "(z)"], &["abc", "xxy", "z"]);
        check("./a/../b", &["b"], &["a"]);
        assert!(Ignore::read("[").is_err());
    }
}
