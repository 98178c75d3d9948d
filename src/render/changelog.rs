//! Puts a new section into a changelog that people and other tools wrote, and touches nothing else.

use crate::render::format::Format;
use crate::render::headings::{self, Heading, Hidden, Line, Names, Spelling};

/// A text to put at a byte offset.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Insertion {
    pub at: usize,
    pub text: String,
}

/// Why a section was not put in.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ChangelogError {
    #[error("version {version} has a section already, in line {line}")]
    AlreadyThere { version: String, line: usize },
}

/// Lines below which a new section goes: ours, python-semantic-release's, towncrier's.
const MARKERS: [&str; 5] = [
    "<!-- release: insert here -->",
    ".. release: insert here",
    "<!-- version list -->",
    "<!-- towncrier release notes start -->",
    ".. towncrier release notes start",
];

/// Where a section goes, and its text with the file's own line breaks and heading level.
///
/// Below a marker line if there is one; else above the first heading that names a version; else below the
/// `Unreleased` section, whose hand-written entries stay; else at the end, above link definitions. An empty
/// text gets a title too.
///
/// # Errors
/// Where a heading names the version already.
pub fn insert(
    existing: &str,
    section: &str,
    version: &str,
    format: Format,
) -> Result<Insertion, ChangelogError> {
    let lines = headings::lines(existing);
    let headings = headings::headings(&lines, format);
    refuse_twice(&headings, &lines, version)?;
    let place = place(&lines, &headings, format);
    let section = leveled(section.trim_matches('\n'), model(&headings), format);
    Ok(Insertion { at: at(&lines, place, existing), text: spaced(existing, &lines, place, &section, format) })
}

fn refuse_twice(headings: &[Heading<'_>], lines: &[Line<'_>], version: &str) -> Result<(), ChangelogError> {
    let ours = Spelling::of(version);
    for heading in headings {
        if let Names::Version(named) = heading.names
            && ours.is(named)
        {
            let below = lines[heading.line..].iter().position(|line| line.text.contains(named)).unwrap_or(0);
            let line = heading.line + below + 1;
            return Err(ChangelogError::AlreadyThere { version: version.to_owned(), line });
        }
    }
    Ok(())
}

/// The line above which the section goes; the number of lines for the end.
fn place(lines: &[Line<'_>], headings: &[Heading<'_>], format: Format) -> usize {
    if let Some(marker) = lines.iter().position(|line| is_marker(line.text.trim())) {
        return marker + 1;
    }
    if let Some(first) = headings.iter().find(|heading| matches!(heading.names, Names::Version(_))) {
        return first.line;
    }
    let unreleased = headings.iter().position(|heading| heading.names == Names::Unreleased);
    let after =
        unreleased.and_then(|at| headings[at + 1..].iter().find(|next| next.level <= headings[at].level));
    after.map_or_else(|| end(lines, format), |heading| heading.line)
}

fn is_marker(text: &str) -> bool {
    text.starts_with(['<', '.']) && MARKERS.contains(&text)
}

/// The line after the last one that is neither blank nor a link definition.
fn end(lines: &[Line<'_>], format: Format) -> usize {
    let definition = |text: &str| match format {
        Format::Markdown => text.starts_with('[') && text.contains("]:"),
        Format::ReStructuredText => text.starts_with(".. _"),
    };
    lines.iter().rposition(|line| !line.is_blank() && !definition(line.text)).map_or(0, |last| last + 1)
}

fn at(lines: &[Line<'_>], place: usize, existing: &str) -> usize {
    match lines.get(place) {
        Some(line) => existing.len() - existing[line.start..].trim_start_matches('\u{feff}').len(),
        None => existing.len(),
    }
}

/// The section with a blank line above and below, in the file's line breaks.
fn spaced(existing: &str, lines: &[Line<'_>], place: usize, section: &str, format: Format) -> String {
    let mut text = String::new();
    match place.checked_sub(1).map(|above| (lines[above], existing[..lines[above].next].ends_with('\n'))) {
        None if lines.iter().all(Line::is_blank) => text.push_str(title(format)),
        None => {}
        Some((above, true)) => text.push_str(if above.is_blank() { "" } else { "\n" }),
        Some((_, false)) => text.push_str("\n\n"),
    }
    text.push_str(section);
    text.push('\n');
    if lines.get(place).is_some_and(|below| !below.is_blank()) {
        text.push('\n');
    }
    let crlf = existing.find('\n').is_some_and(|at| existing[..at].ends_with('\r'));
    if crlf { text.replace('\n', "\r\n") } else { text }
}

fn title(format: Format) -> &'static str {
    match format {
        Format::Markdown => "# Changelog\n\n",
        Format::ReStructuredText => "Changelog\n=========\n\n",
    }
}

/// The heading whose level a new section takes.
fn model<'h, 'a>(headings: &'h [Heading<'a>]) -> Option<&'h Heading<'a>> {
    let versions = headings.iter().find(|heading| matches!(heading.names, Names::Version(_)));
    versions.or_else(|| headings.iter().find(|heading| heading.names == Names::Unreleased))
}

fn leveled(section: &str, model: Option<&Heading<'_>>, format: Format) -> String {
    match (model, format) {
        (None, _) => section.to_owned(),
        (Some(model), Format::Markdown) => shifted(section, model.level),
        (Some(model), Format::ReStructuredText) => readorned(section, model.sign),
    }
}

/// The section with its first heading at this level and the others as far below it as before.
fn shifted(section: &str, level: usize) -> String {
    let signs = |line: &str| line.len() - line.trim_start_matches('#').len();
    let own = signs(section);
    if own == 0 || own == level {
        return section.to_owned();
    }
    let mut hidden = Hidden::default();
    let shift = |line: &str, hashes: usize| {
        let hashes_after = (hashes + level).saturating_sub(own).clamp(1, 6);
        format!("{}{}", "#".repeat(hashes_after), &line[hashes..])
    };
    let mut out = Vec::new();
    for line in section.split('\n') {
        let hashes = signs(line);
        let heading = !hidden.takes(line) && (1..=6).contains(&hashes) && line[hashes..].starts_with(' ');
        out.push(if heading { shift(line, hashes) } else { line.to_owned() });
    }
    out.join("\n")
}

/// The section with the file's underline sign for its title, and another one below.
fn readorned(section: &str, sign: Option<char>) -> String {
    let own = section.lines().nth(1).and_then(headings::adornment);
    let (Some(own), Some(sign)) = (own, sign) else { return section.to_owned() };
    let swap = |line: &str| match headings::adornment(line) {
        Some(found) if found == own => line.replace(own, &sign.to_string()),
        Some(found) if found == sign => line.replace(found, &own.to_string()),
        _ => line.to_owned(),
    };
    section.split('\n').map(swap).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
#[path = "changelog_tests.rs"]
mod tests;
