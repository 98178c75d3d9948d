//! TOML with places: where a value stands in the text, and what is wrong where.

use std::fmt;
use std::ops::Range;

use toml_edit::{Array, Document, Item, TableLike, Value};

/// What is wrong in a TOML text, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TomlProblem {
    /// The file, as named by the caller.
    pub path: String,
    /// From 1.
    pub line: usize,
    /// From 1, in characters.
    pub column: usize,
    pub message: String,
    /// The line of the text, control characters stripped.
    pub excerpt: String,
}

impl fmt::Display for TomlProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let TomlProblem { path, line, column, message, excerpt } = self;
        let gutter = " ".repeat(line.to_string().len());
        let indent = " ".repeat(column.saturating_sub(1));
        write!(f, "{path}:{line}:{column}: {message}\n{line} | {excerpt}\n{gutter} | {indent}^")
    }
}

impl std::error::Error for TomlProblem {}

/// A string of the text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Text {
    pub value: String,
    /// The bytes inside the quotes.
    pub span: Range<usize>,
    /// Whether it is multi-line or holds escapes, so that its bytes are not its value.
    pub escaped: bool,
}

/// A TOML text while it is read: gives values of the asked type, or the problem with its place.
#[derive(Debug, Clone, Copy)]
pub struct TomlReader<'t> {
    pub path: &'t str,
    pub text: &'t str,
}

impl<'t> TomlReader<'t> {
    /// # Errors
    /// Where the text is no TOML.
    pub fn parse(self) -> Result<Document<&'t str>, TomlProblem> {
        Document::parse(self.text).map_err(|error| {
            let message = error.message().lines().collect::<Vec<_>>().join("; ");
            self.problem(error.span().unwrap_or(0..0), &message)
        })
    }

    /// The table under `key`; none where the key is missing.
    ///
    /// # Errors
    /// Where something else than a table stands there.
    pub fn table<'a>(
        self,
        table: &'a dyn TableLike,
        key: &str,
    ) -> Result<Option<&'a dyn TableLike>, TomlProblem> {
        let Some(item) = table.get(key) else { return Ok(None) };
        item.as_table_like().map(Some).ok_or_else(|| self.wrong_type(item, key, "a table"))
    }

    /// The table at the end of a chain of keys.
    ///
    /// # Errors
    /// Where something else than a table stands on the way.
    pub fn table_at<'a>(
        self,
        root: &'a dyn TableLike,
        keys: &[&str],
    ) -> Result<Option<&'a dyn TableLike>, TomlProblem> {
        let mut table = root;
        for key in keys {
            match self.table(table, key)? {
                Some(next) => table = next,
                None => return Ok(None),
            }
        }
        Ok(Some(table))
    }

    /// # Errors
    /// Where something else than a string stands there.
    pub fn string(self, table: &dyn TableLike, key: &str) -> Result<Option<Text>, TomlProblem> {
        let Some(item) = table.get(key) else { return Ok(None) };
        let text = item.as_value().and_then(|value| self.text_of(value));
        text.map(Some).ok_or_else(|| self.wrong_type(item, key, "a string"))
    }

    /// # Errors
    /// Where something else than an array stands there.
    pub fn array<'a>(self, table: &'a dyn TableLike, key: &str) -> Result<Option<&'a Array>, TomlProblem> {
        let Some(item) = table.get(key) else { return Ok(None) };
        item.as_array().map(Some).ok_or_else(|| self.wrong_type(item, key, "an array"))
    }

    /// The strings of the array under `key`; empty where the key is missing.
    ///
    /// # Errors
    /// Where something else than an array of strings stands there.
    pub fn strings(self, table: &dyn TableLike, key: &str) -> Result<Vec<Text>, TomlProblem> {
        let Some(array) = self.array(table, key)? else { return Ok(Vec::new()) };
        let read = |value: &Value| {
            self.text_of(value).ok_or_else(|| self.problem(span_of(value), &expected(key, "strings")))
        };
        array.iter().map(read).collect()
    }

    /// # Errors
    /// Where something else than true or false stands there.
    pub fn boolean(self, table: &dyn TableLike, key: &str) -> Result<Option<bool>, TomlProblem> {
        let Some(item) = table.get(key) else { return Ok(None) };
        item.as_bool().map(Some).ok_or_else(|| self.wrong_type(item, key, "true or false"))
    }

    /// A string value with its place.
    pub fn text_of(self, value: &Value) -> Option<Text> {
        let content = value.as_str()?.to_owned();
        let literal = value.span()?;
        let raw = self.text.get(literal.clone())?;
        let quotes = quote_length(raw);
        let span = literal.start + quotes..literal.end.checked_sub(quotes)?;
        let escaped = quotes > 1 || self.text.get(span.clone()) != Some(content.as_str());
        Some(Text { value: content, span, escaped })
    }

    pub fn wrong_type(self, item: &Item, key: &str, wanted: &str) -> TomlProblem {
        self.problem(item.span().unwrap_or(0..0), &expected(key, wanted))
    }

    pub fn problem(self, span: Range<usize>, message: &str) -> TomlProblem {
        let (line, column) = position(self.text, span.start);
        let excerpt = self.text.lines().nth(line - 1).unwrap_or("").trim_start_matches('\u{feff}');
        TomlProblem {
            path: self.path.to_owned(),
            line,
            column,
            message: message.to_owned(),
            excerpt: excerpt.chars().map(|c| if c.is_control() { ' ' } else { c }).collect(),
        }
    }
}

/// How many bytes of quote begin (and end) a string's literal: 3 for multi-line strings.
pub fn quote_length(literal: &str) -> usize {
    if literal.len() >= 6 && (literal.starts_with("\"\"\"") || literal.starts_with("'''")) { 3 } else { 1 }
}

fn expected(key: &str, wanted: &str) -> String {
    format!("`{key}` must be {wanted}")
}

fn span_of(value: &Value) -> Range<usize> {
    value.span().unwrap_or(0..0)
}

/// Line and column of a byte, both from 1.
fn position(text: &str, offset: usize) -> (usize, usize) {
    let before = text.get(..offset).unwrap_or(text).trim_start_matches('\u{feff}');
    let line_start = before.rfind('\n').map_or(0, |at| at + 1);
    (before.matches('\n').count() + 1, before[line_start..].chars().count() + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read<'t>(text: &'t str) -> TomlReader<'t> {
        TomlReader { path: "pyproject.toml", text }
    }

    fn check_text(text: &str, inside: &str, escaped: bool) {
        let reader = read(text);
        let document = reader.parse().unwrap();
        let found = reader.string(document.as_table(), "a").unwrap().unwrap();
        assert_eq!((&text[found.span], found.escaped), (inside, escaped), "{text:?}");
    }

    #[test]
    fn a_string_knows_the_bytes_inside_its_quotes() {
        check_text("a = \"1.0\" # x\n", "1.0", false);
        check_text("a='1.0'\r\nb = 2\r\n", "1.0", false);
        check_text("\u{feff}a = \"é1\"\n", "é1", false);
        check_text("a = \"1\\u002e0\"\n", "1\\u002e0", true);
        check_text("a = \"\"\"\n1.0\"\"\"\n", "\n1.0", true);
        check_text("a = ''\n", "", false);
    }

    #[test]
    fn a_problem_shows_its_line_and_column() {
        let text = "\u{feff}[project]\r\nname = \"a\"\r\nversion = 1.0.0\r\n";
        let problem = read(text).parse().unwrap_err();
        assert_eq!((problem.line, problem.column), (3, 14), "{problem}");
        assert!(problem.to_string().contains("3 | version = 1.0.0\n  |              ^"), "{problem}");
    }

    #[test]
    fn a_wrong_type_is_named_with_its_place() {
        let reader = read("[a]\nb = 3\n");
        let document = reader.parse().unwrap();
        let table = reader.table(document.as_table(), "a").unwrap().unwrap();
        let problem = reader.string(table, "b").unwrap_err();
        assert_eq!((problem.line, problem.column, problem.message.as_str()), (2, 5, "`b` must be a string"));
        assert!(reader.table(table, "b").err().unwrap().to_string().starts_with("pyproject.toml:2:5: "));
    }
}
