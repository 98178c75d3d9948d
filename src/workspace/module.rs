//! Versions in Python modules and in other files that repeat them.

use std::ops::Range;

use crate::version::number::Version;

/// Why a file gives no version.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum VersionTextError {
    #[error("`{path}` assigns no {names} at its top level")]
    NotAssigned { path: String, names: String },
    #[error("`{path}` assigns `{name}` more than once")]
    AssignedTwice { path: String, name: String },
    #[error("`{path}`: `{name}` is {what}, only a plain string can be edited")]
    NotALiteral { path: String, name: String, what: &'static str },
    #[error("`{path}` holds no version: {reason}")]
    NoVersion { path: String, reason: String },
    #[error("`{path}` does not hold the version {version}")]
    NotRepeated { path: String, version: String },
}

/// An assignment at the top level of a Python module.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Assignment<'t> {
    pub name: &'t str,
    /// The text inside the quotes and its place, or what stands there instead.
    pub value: Result<(&'t str, Range<usize>), &'static str>,
}

/// The module files that may hold `module` (dotted), in the folder `root` (empty for the package's own).
pub fn module_files(root: &str, module: &str) -> [String; 2] {
    let parts = root.split('/').chain(module.split('.')).filter(|part| !matches!(*part, "" | "."));
    let below = parts.collect::<Vec<_>>().join("/");
    [format!("{below}/__init__.py"), format!("{below}.py")]
}

/// The version that a module assigns to the first of the names that it assigns, and the place of its text.
///
/// # Errors
/// Where none is assigned, or one twice, or something else than a plain string.
pub fn python_version(
    path: &str,
    text: &str,
    names: &[String],
) -> Result<(String, Range<usize>), VersionTextError> {
    let path = || path.to_owned();
    let found: Vec<Assignment<'_>> =
        assignments(text).into_iter().filter(|one| names.iter().any(|name| name == one.name)).collect();
    let Some(first) = found.first() else {
        let quoted: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
        return Err(VersionTextError::NotAssigned { path: path(), names: quoted.join(" or ") });
    };
    let name = first.name.to_owned();
    if found.iter().filter(|one| one.name == name).count() > 1 {
        return Err(VersionTextError::AssignedTwice { path: path(), name });
    }
    match &first.value {
        Ok((value, span)) => Ok(((*value).to_owned(), span.clone())),
        Err(what) => Err(VersionTextError::NotALiteral { path: path(), name, what }),
    }
}

/// The places of the old version in a file that repeats it.
///
/// In a Python module the strings assigned to names with `version` in them, in TOML and INI files the values of
/// `version` keys outside tables of dependencies; elsewhere, and where there are none, each whole occurrence.
///
/// # Errors
/// Where there is none at all.
pub fn find_in_version_file(
    path: &str,
    text: &str,
    old: &str,
) -> Result<Vec<Range<usize>>, VersionTextError> {
    let extension = path.rsplit('/').next().and_then(|name| name.rsplit_once('.')).map_or("", |(_, end)| end);
    let mut found = match extension {
        "py" | "pyi" => in_python(text, old),
        "toml" | "cfg" | "ini" => in_keys(text, old),
        _ => Vec::new(),
    };
    if found.is_empty() {
        found = whole_occurrences(text, old);
    }
    if found.is_empty() {
        return Err(VersionTextError::NotRepeated { path: path.to_owned(), version: old.to_owned() });
    }
    Ok(found)
}

/// Every assignment at the top level of a module, in order.
///
/// Strings, comments, indented lines and lines inside brackets are passed over.
pub fn assignments(text: &str) -> Vec<Assignment<'_>> {
    let mut found = Vec::new();
    let mut at = if text.starts_with('\u{feff}') { 3 } else { 0 };
    while at < text.len() {
        assigned(text, at, &mut found);
        at = end_of_statement(text, at);
    }
    found
}

fn in_python(text: &str, old: &str) -> Vec<Range<usize>> {
    let named = assignments(text).into_iter().filter(|one| one.name.to_lowercase().contains("version"));
    let strings = named.filter_map(|one| one.value.ok());
    strings.filter(|(value, _)| is_same(value, old)).map(|(_, span)| span).collect()
}

/// Values of keys called `version` or `current_version`, one a line, quoted or not.
fn in_keys(text: &str, old: &str) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    let mut is_dependency = false;
    let mut start = 0;
    for line in text.split_inclusive('\n') {
        let begin = start;
        start += line.len();
        let trimmed = line.trim();
        if trimmed.starts_with('[') {
            is_dependency = trimmed.contains("dependenc");
        }
        let Some((key, value)) = line.split_once('=').filter(|_| !is_dependency) else { continue };
        if !matches!(key.trim(), "version" | "current_version") {
            continue;
        }
        let before = value.len() - value.trim_start_matches([' ', '\t', '"', '\'']).len();
        let inside = &value[before..];
        let length = inside.find(['"', '\'', ' ', '\t', '\r', '\n', '#']).unwrap_or(inside.len());
        if is_same(&inside[..length], old) {
            let at = begin + key.len() + 1 + before;
            found.push(at..at + length);
        }
    }
    found
}

fn is_same(text: &str, old: &str) -> bool {
    text == old || matches!((Version::parse(text), Version::parse(old)), (Ok(one), Ok(other)) if one == other)
}

/// The occurrences of a version that are no part of a longer one.
fn whole_occurrences(text: &str, old: &str) -> Vec<Range<usize>> {
    if old.is_empty() {
        return Vec::new();
    }
    let spans = text.match_indices(old).map(|(at, _)| at..at + old.len());
    spans.filter(|span| begins(&text[..span.start]) && ends(&text[span.end..])).collect()
}

fn begins(before: &str) -> bool {
    let bare = before.strip_suffix(['v', 'V']).unwrap_or(before);
    let mut backward = bare.chars().rev();
    match backward.next() {
        None => true,
        Some('.') => !backward.next().is_some_and(char::is_alphanumeric),
        Some(c) => !(c.is_alphanumeric() || c == '!'),
    }
}

/// Whether a version ends where this text begins: no number, no PEP 440 suffix goes on.
fn ends(after: &str) -> bool {
    let Some(first) = after.chars().next() else { return true };
    if first.is_alphanumeric() {
        return false;
    }
    let Some(rest) = after.strip_prefix(['.', '-', '_', '+']) else { return true };
    let word: &str = &rest[..rest.find(|c: char| !c.is_alphanumeric()).unwrap_or(rest.len())];
    let label = word.trim_end_matches(|c: char| c.is_ascii_digit());
    if first == '+' || label.is_empty() {
        return word.is_empty();
    }
    let labels = ["a", "alpha", "b", "beta", "c", "rc", "pre", "preview", "post", "rev", "r", "dev"];
    !labels.contains(&label)
}

/// Reads `a = "…"`, `a: str = "…"` and `a = b = "…"` where a statement begins.
fn assigned<'t>(text: &'t str, start: usize, found: &mut Vec<Assignment<'t>>) {
    let first = found.len();
    let mut at = start;
    loop {
        let name = identifier(&text[at..]);
        let after = skip_blanks(text, at + name.len());
        let equals = if found.len() == first { after_annotation(text, after) } else { Some(after) };
        let Some(equals) = equals.filter(|&equals| !name.is_empty() && is_assignment(&text[equals..])) else {
            break;
        };
        found.push(Assignment { name, value: Err("no plain value") });
        at = skip_blanks(text, equals + 1);
    }
    if found.len() > first {
        let value = literal(text, at);
        found[first..].iter_mut().for_each(|one| one.value.clone_from(&value));
    }
}

/// The place after `: annotation`, or the same place where there is none.
fn after_annotation(text: &str, at: usize) -> Option<usize> {
    let Some(annotation) = text[at..].strip_prefix(':') else { return Some(at) };
    let line = annotation.find(['\n', '#']).unwrap_or(annotation.len());
    annotation[..line].find('=').map(|equals| at + 1 + equals)
}

fn is_assignment(rest: &str) -> bool {
    rest.starts_with('=') && !rest.starts_with("==")
}

fn identifier(rest: &str) -> &str {
    let end = rest.find(|c: char| !(c.is_alphanumeric() || c == '_')).unwrap_or(rest.len());
    if rest.starts_with(|c: char| c.is_ascii_digit()) { "" } else { &rest[..end] }
}

fn skip_blanks(text: &str, at: usize) -> usize {
    at + text[at..].len() - text[at..].trim_start_matches([' ', '\t']).len()
}

/// One plain string that is the whole value; a leading `v` is not part of the version.
fn literal(text: &str, at: usize) -> Result<(&str, Range<usize>), &'static str> {
    let rest = &text[at..];
    let prefix = rest
        .find(['"', '\''])
        .filter(|&length| matches!(rest[..length].to_ascii_lowercase().as_str(), "" | "r" | "u"));
    let Some(prefix) = prefix else { return Err(other_value(rest)) };
    let start = at + prefix;
    let end = end_of_string(text, start);
    let quotes = string_quotes(&text[start..]);
    let span = start + quotes.len()..end.saturating_sub(quotes.len()).max(start + quotes.len());
    let inside = text.get(span.clone()).filter(|_| text[span.end..end] == *quotes);
    let Some(inside) = inside else { return Err("a string without an end") };
    let after = text[end..].trim_start_matches([' ', '\t']);
    if !(after.is_empty() || after.starts_with(['\n', '\r', '#', ';'])) {
        return Err("computed");
    }
    if inside.contains(['\\', '\n']) {
        return Err("a string with escapes or several lines");
    }
    let version = inside.strip_prefix('v').filter(|rest| rest.starts_with(|c: char| c.is_ascii_digit()));
    let version = version.unwrap_or(inside);
    Ok((version, span.end - version.len()..span.end))
}

fn other_value(rest: &str) -> &'static str {
    match rest.chars().next() {
        Some('(') => "a tuple or an expression",
        Some('[') => "a list",
        Some('0'..='9') => "a number",
        _ => "computed",
    }
}

/// The place after a statement's line end, with brackets, strings and continued and indented lines.
fn end_of_statement(text: &str, start: usize) -> usize {
    let mut depth = 0_usize;
    let mut at = start;
    while let Some(c) = text[at..].chars().next() {
        let next = at + c.len_utf8();
        at = match c {
            '"' | '\'' => end_of_string(text, at),
            '#' => text[at..].find('\n').map_or(text.len(), |length| at + length),
            '\\' if text[next..].starts_with("\r\n") => next + 2,
            '\\' => text[next..].chars().next().map_or(next, |escaped| next + escaped.len_utf8()),
            _ => next,
        };
        match c {
            '(' | '[' | '{' => depth += 1,
            ')' | ']' | '}' => depth = depth.saturating_sub(1),
            '\n' if depth == 0 && !text[at..].starts_with([' ', '\t']) => return at,
            ';' if depth == 0 && is_top_level(text, start) => return skip_blanks(text, at),
            _ => {}
        }
    }
    text.len()
}

/// Whether the statement is simple, so that what follows its `;` stands at the top level too.
fn is_top_level(text: &str, start: usize) -> bool {
    let head = identifier(&text[start..]);
    !matches!(head, "if" | "for" | "while" | "with" | "try" | "class" | "def" | "else" | "elif" | "except")
}

fn string_quotes(rest: &str) -> &'static str {
    ["\"\"\"", "'''", "\"", "'"].into_iter().find(|quotes| rest.starts_with(quotes)).unwrap_or("\"")
}

/// The place after the string that begins at `start`; an unclosed one ends with its line or the text.
fn end_of_string(text: &str, start: usize) -> usize {
    let quotes = string_quotes(&text[start..]);
    let mut at = start + quotes.len();
    while let Some(c) = text[at..].chars().next() {
        if text[at..].starts_with(quotes) {
            return at + quotes.len();
        }
        if c == '\n' && quotes.len() == 1 {
            return at;
        }
        at += c.len_utf8();
        if c == '\\' {
            at += text[at..].chars().next().map_or(0, char::len_utf8);
        }
    }
    text.len()
}

#[cfg(test)]
mod tests;
