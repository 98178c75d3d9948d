//! One PEP 508 requirement with the places of its parts, so that it can be edited where it stands.

use std::convert::Infallible;
use std::fmt;
use std::ops::Range;
use std::path::Path;
use std::str::FromStr;

use pep508_rs::Pep508Url;

use crate::workspace::marker;
use crate::workspace::name::{PackageName, is_valid};

/// A requirement as PEP 508 reads it: `acme-core[fast] (>=1.0,<3) ; python_version < "3.12"`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Requirement {
    pub name: PackageName,
    /// The name as written.
    pub name_text: String,
    /// The extras as written, in order.
    pub extras: Vec<String>,
    /// The specifiers as written, without parentheses and the space around them.
    pub specifier: Option<String>,
    /// The bytes of `specifier`; empty, where specifiers would be written, if there are none. Means nothing
    /// beside a `url`.
    pub specifier_span: Range<usize>,
    /// Whether the specifiers stand in parentheses.
    pub parenthesised: bool,
    /// The marker as written, without its semicolon.
    pub marker: Option<String>,
    /// What stands after `@`.
    pub url: Option<String>,
}

/// Why a text is no requirement.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not a PEP 508 requirement: {reason}")]
pub struct RequirementError {
    pub text: String,
    pub reason: String,
}

impl Requirement {
    /// Reads one requirement.
    ///
    /// # Errors
    /// Where PEP 508 gives the text no meaning; the reason says where it stopped.
    pub fn parse(text: &str) -> Result<Requirement, RequirementError> {
        let error = |reason: String| RequirementError { text: text.to_owned(), reason };
        let (requirement, length) = read(text).map_err(error)?;
        validate(&text[..length]).map_err(error)?;
        requirement.marker.as_deref().map_or(Ok(()), marker::check).map_err(error)?;
        Ok(requirement)
    }
}

/// A requirement as a value whose specifiers and marker can be evaluated; no places are kept. To print one is not
/// safe while it has its marker: that takes a time exponential in the marker's depth.
pub type Evaluable = pep508_rs::Requirement<UrlText>;

/// Reads one requirement as a value that can be evaluated.
///
/// # Errors
/// As `Requirement::parse`; besides, where the text is not ASCII, or the marker too long or too deep to be evaluated.
pub fn evaluable(text: &str) -> Result<Evaluable, RequirementError> {
    let error = |reason: String| RequirementError { text: text.to_owned(), reason };
    let read = Requirement::parse(text)?;
    require_evaluable(text, read.marker.as_deref().unwrap_or("")).map_err(error)?;
    ask(text.trim()).map_err(error)
}

/// pep508_rs panics on some characters beyond ASCII, recurses into parentheses, and takes a time that grows with the
/// cube of a marker's length.
fn require_evaluable(text: &str, marker: &str) -> Result<(), String> {
    if !text.is_ascii() {
        return Err("characters beyond ASCII can not be evaluated".to_owned());
    }
    if marker.len() > LONGEST_MARKER {
        return Err(format!("a marker longer than {LONGEST_MARKER} characters can not be evaluated"));
    }
    if marker.matches('(').count() > MOST_PARENTHESES {
        return Err(format!("a marker with more than {MOST_PARENTHESES} parentheses can not be evaluated"));
    }
    Ok(())
}

const LONGEST_MARKER: usize = 2000;
const MOST_PARENTHESES: usize = 100;

/// Asks pep508_rs about all before the marker. It panics on some texts; these never reach it: `read` refuses names
/// and extras that end in a separator, markers are checked apart, and a character outside ASCII, which may stand
/// in a URL alone, goes as `?`, which may stand there alone too.
fn validate(text: &str) -> Result<(), String> {
    ask(&text.replace(|character: char| !character.is_ascii(), "?")).map(drop)
}

fn ask(text: &str) -> Result<Evaluable, String> {
    Evaluable::from_str(text).map_err(|problem| first_line(&problem.message.to_string()))
}

/// A URL kept as written. Its environment variables are not looked up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UrlText(String);

impl fmt::Display for UrlText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Pep508Url for UrlText {
    type Err = Infallible;

    fn parse_url(url: &str, _folder: Option<&Path>) -> Result<UrlText, Infallible> {
        Ok(UrlText(url.to_owned()))
    }
}

/// Finds the parts and the length of all before the marker; whether each is well formed is asked afterwards.
fn read(text: &str) -> Result<(Requirement, usize), String> {
    let mut cursor = Cursor { text, at: 0 };
    cursor.skip_space();
    let name_text = name(&mut cursor)?;
    let name_end = cursor.at;
    cursor.skip_space();
    let extras = extras(&mut cursor)?;
    let insertion = extras.as_ref().map_or(name_end, |_| cursor.at);
    cursor.skip_space();
    let mut requirement = Requirement {
        name: PackageName::new(&name_text),
        name_text,
        extras: extras.unwrap_or_default(),
        specifier: None,
        specifier_span: insertion..insertion,
        parenthesised: false,
        marker: None,
        url: None,
    };
    let rest = cursor.rest();
    match rest.chars().next() {
        Some('@') => requirement.url = Some(url(&mut cursor)?),
        Some('(') => requirement.set_specifier(text, parenthesised(&mut cursor)?, true),
        Some('<' | '>' | '=' | '!' | '~') => {
            let length = rest.find(';').unwrap_or(rest.len());
            requirement.set_specifier(text, cursor.at..cursor.at + length, false);
            cursor.at += length;
        }
        Some(';') | None => {}
        Some(other) => {
            return Err(format!("expected a specifier, `@` or `;`, found `{}`", other.escape_debug()));
        }
    }
    let length = cursor.at;
    requirement.marker = marker_text(&mut cursor)?;
    Ok((requirement, length))
}

impl Requirement {
    fn set_specifier(&mut self, text: &str, span: Range<usize>, parenthesised: bool) {
        let (start, written) = (span.start, &text[span]);
        let start = start + (written.len() - written.trim_start().len());
        self.specifier_span = start..start + written.trim().len();
        self.specifier = Some(written.trim().to_owned());
        self.parenthesised = parenthesised;
    }
}

fn name(cursor: &mut Cursor<'_>) -> Result<String, String> {
    let name = cursor.take_while(is_name_character);
    if is_valid(name) {
        return Ok(name.to_owned());
    }
    Err(match name {
        "" => "it begins with no name".to_owned(),
        _ => format!("`{name}` is no name: letters, digits and `-`, `_`, `.` between them"),
    })
}

fn extras(cursor: &mut Cursor<'_>) -> Result<Option<Vec<String>>, String> {
    let Some(inside) = cursor.rest().strip_prefix('[') else { return Ok(None) };
    let length = inside.find(']').ok_or("`[` is never closed")?;
    cursor.at += length + 2;
    let inside = inside[..length].trim();
    if inside.is_empty() {
        return Ok(Some(Vec::new()));
    }
    let read = |extra: &str| match extra.trim() {
        extra if is_valid(extra) => Ok(extra.to_owned()),
        extra => Err(format!("`{}` is no name of an extra", extra.escape_debug())),
    };
    inside.split(',').map(read).collect::<Result<_, _>>().map(Some)
}

/// Moves past `( … )` and gives the bytes inside.
fn parenthesised(cursor: &mut Cursor<'_>) -> Result<Range<usize>, String> {
    let start = cursor.at + 1;
    let length = cursor.text[start..].find(')').ok_or("`(` is never closed")?;
    cursor.at = start + length + 1;
    Ok(start..start + length)
}

/// Moves past `@ …`. A URL ends before the space before `;`, since it may hold a semicolon itself.
fn url(cursor: &mut Cursor<'_>) -> Result<String, String> {
    cursor.at += 1;
    cursor.skip_space();
    let rest = cursor.rest();
    let ends = |(index, _): &(usize, &str)| rest[..*index].ends_with(char::is_whitespace);
    let length = rest.match_indices(';').find(ends).map_or(rest.len(), |(index, _)| index);
    cursor.at += length;
    match rest[..length].trim_end() {
        "" => Err("no URL stands after `@`".to_owned()),
        url => Ok(url.to_owned()),
    }
}

fn marker_text(cursor: &mut Cursor<'_>) -> Result<Option<String>, String> {
    cursor.skip_space();
    match cursor.rest() {
        "" => Ok(None),
        rest => match rest.strip_prefix(';').map(str::trim) {
            Some("") => Err("no marker stands after `;`".to_owned()),
            Some(marker) => Ok(Some(marker.to_owned())),
            None => Err(format!("expected `;` or the end, found `{}`", rest.trim_end().escape_debug())),
        },
    }
}

fn is_name_character(character: char) -> bool {
    character.is_ascii_alphanumeric() || matches!(character, '-' | '_' | '.')
}

/// Another library's message as one of ours: its first line, beginning small.
fn first_line(message: &str) -> String {
    let line = message.lines().next().unwrap_or("").trim_end_matches(':');
    let mut characters = line.chars();
    let first = characters.next().map(|first| first.to_ascii_lowercase());
    first.into_iter().chain(characters).collect()
}

/// A place in a text, always between two characters.
struct Cursor<'t> {
    text: &'t str,
    at: usize,
}

impl<'t> Cursor<'t> {
    fn rest(&self) -> &'t str {
        &self.text[self.at..]
    }

    fn take_while(&mut self, accepted: impl Fn(char) -> bool) -> &'t str {
        let rest = self.rest();
        let length = rest.find(|character| !accepted(character)).unwrap_or(rest.len());
        self.at += length;
        &rest[..length]
    }

    fn skip_space(&mut self) {
        self.take_while(char::is_whitespace);
    }
}

#[cfg(test)]
mod tests;
