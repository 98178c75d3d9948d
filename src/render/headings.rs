//! The headings of a changelog, and which versions they name.

use crate::render::format::Format;
use crate::version::number::Version;

/// A line of a text, by its byte offsets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Line<'a> {
    pub start: usize,
    /// Where the next line begins.
    pub next: usize,
    /// Without its line break.
    pub text: &'a str,
}

impl Line<'_> {
    pub fn is_blank(&self) -> bool {
        self.text.trim().is_empty()
    }
}

/// A heading of a changelog.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Heading<'a> {
    /// The line where it begins, with an anchor or overline above it.
    pub line: usize,
    /// From 1 for the highest.
    pub level: usize,
    /// The sign of its underline in reStructuredText.
    pub sign: Option<char>,
    pub names: Names<'a>,
}

/// What a heading names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Names<'a> {
    /// A version, as written.
    Version(&'a str),
    /// What is not released yet.
    Unreleased,
    Other,
}

/// The lines of a text.
pub fn lines(text: &str) -> Vec<Line<'_>> {
    let ends = memchr::memchr_iter(b'\n', text.as_bytes()).map(|end| end + 1);
    let ends = ends.chain((!text.is_empty() && !text.ends_with('\n')).then_some(text.len()));
    let mut start = 0;
    ends.map(|next| {
        let line = &text[start..next];
        let shown = if start == 0 { line.trim_start_matches('\u{feff}') } else { line };
        let start = std::mem::replace(&mut start, next);
        Line { start, next, text: shown.trim_end_matches(['\n', '\r']) }
    })
    .collect()
}

/// The headings of a changelog in order; code and comments hold none.
pub fn headings<'a>(lines: &[Line<'a>], format: Format) -> Vec<Heading<'a>> {
    match format {
        Format::Markdown => markdown(lines),
        Format::ReStructuredText => restructured_text(lines),
    }
}

fn markdown<'a>(lines: &[Line<'a>]) -> Vec<Heading<'a>> {
    let mut found = Vec::new();
    let mut hidden = Hidden::default();
    for (index, line) in lines.iter().enumerate() {
        if hidden.takes(line.text) {
            continue;
        }
        let Some((level, text)) = atx(line.text).or_else(|| setext(lines, index)) else { continue };
        let anchored = index > 0 && lines[index - 1].text.trim_start().starts_with("<a ");
        found.push(Heading {
            line: if anchored { index - 1 } else { index },
            level,
            sign: None,
            names: names(text, level),
        });
    }
    found
}

/// Follows fenced code and comments of Markdown.
#[derive(Default)]
pub struct Hidden<'a> {
    fence: Option<&'a str>,
    comment: bool,
}

impl<'a> Hidden<'a> {
    /// Whether the line, read after all before it, is code or comment.
    pub fn takes(&mut self, line: &'a str) -> bool {
        let text = line.trim_start();
        if let Some(marks) = self.fence {
            if text.starts_with(marks) && text.trim_start_matches(&marks[..1]).trim().is_empty() {
                self.fence = None;
            }
            return true;
        }
        if self.comment {
            self.comment = !text.contains("-->");
            return true;
        }
        if !text.starts_with(['`', '~', '<']) {
            return false;
        }
        for sign in ["`", "~"] {
            let marks = text.len() - text.trim_start_matches(sign).len();
            if marks >= 3 && !text[marks..].contains('`') && line.len() - text.len() < 4 {
                self.fence = Some(&text[..marks]);
                return true;
            }
        }
        self.comment = text.starts_with("<!--") && !text.contains("-->");
        text.starts_with("<!--")
    }
}

/// `## text` (CommonMark 0.31, section 4.2).
fn atx(line: &str) -> Option<(usize, &str)> {
    let text = line.trim_start_matches(' ');
    if !text.starts_with('#') {
        return None;
    }
    let rest = text.trim_start_matches('#');
    let level = text.len() - rest.len();
    let fits = line.len() - text.len() < 4
        && (1..=6).contains(&level)
        && (rest.is_empty() || rest.starts_with([' ', '\t']));
    fits.then(|| (level, rest.trim().trim_end_matches('#').trim_end()))
}

/// A line underlined with `=` or `-` (CommonMark 0.31, section 4.3), alone in its paragraph.
fn setext<'a>(lines: &[Line<'a>], index: usize) -> Option<(usize, &'a str)> {
    let under = lines.get(index + 1)?.text.trim();
    let sign = under.chars().next().filter(|sign| ['=', '-'].contains(sign))?;
    if under.len() < 2 || !under.chars().all(|c| c == sign) {
        return None;
    }
    let text = lines[index].text.trim();
    let level = if sign == '=' { 1 } else { 2 };
    let alone =
        index == 0 || lines[index - 1].is_blank() || lines[index - 1].text.trim_start().starts_with("<a ");
    let plain = !text.is_empty() && !text.starts_with(['-', '*', '+', '>', '<', '|', '=']);
    (alone && plain).then_some((level, text))
}

/// Sections are told apart by their adornment, levels by the order in which adornments come (docutils).
fn restructured_text<'a>(lines: &[Line<'a>]) -> Vec<Heading<'a>> {
    let mut found: Vec<Heading<'a>> = Vec::new();
    let mut adornments: Vec<(char, bool)> = Vec::new();
    for index in 1..lines.len() {
        let title = lines[index - 1];
        let Some(sign) = adornment(lines[index].text) else { continue };
        let long =
            lines[index].text.trim_end().chars().count() + 1 >= title.text.trim().chars().count().min(4);
        if title.is_blank() || adornment(title.text).is_some() || !long {
            continue;
        }
        let over = index >= 2 && adornment(lines[index - 2].text) == Some(sign);
        let alone = index < 2 || over || lines[index - 2].is_blank();
        if !alone || (title.text.starts_with(' ') && !over) {
            continue;
        }
        let level = adornments.iter().position(|known| *known == (sign, over)).unwrap_or_else(|| {
            adornments.push((sign, over));
            adornments.len() - 1
        }) + 1;
        let first = labelled(lines, if over { index - 2 } else { index - 1 });
        found.push(Heading { line: first, level, sign: Some(sign), names: names(title.text.trim(), level) });
    }
    found
}

/// The sign of a line that is nothing but three or more of one sign.
pub fn adornment(text: &str) -> Option<char> {
    let text = text.trim_end();
    let sign = text.chars().next().filter(char::is_ascii_punctuation)?;
    (text.len() >= 3 && text.chars().all(|c| c == sign)).then_some(sign)
}

/// The line of the label (`.. _name:`) above a title, or the title's own.
fn labelled(lines: &[Line<'_>], title: usize) -> usize {
    let above = lines[..title].iter().rposition(|line| !line.is_blank());
    above.filter(|line| lines[*line].text.starts_with(".. _")).unwrap_or(title)
}

fn names(text: &str, level: usize) -> Names<'_> {
    let word = text.trim_start_matches(['[', '*', '_']);
    let is = |other: &str| word.eq_ignore_ascii_case(other);
    let begins = |start: &str| word.get(..start.len()).is_some_and(|found| found.eq_ignore_ascii_case(start));
    if begins("unreleased") || ["next", "upcoming", "next]", "upcoming]"].into_iter().any(is) {
        return Names::Unreleased;
    }
    version(text, level).map_or(Names::Other, Names::Version)
}

/// The version that a heading begins with, or that follows its first word (`Version 1.2`, `core 1.2`).
fn version(text: &str, level: usize) -> Option<&str> {
    let mut words = text.split_whitespace();
    let first = words.next()?;
    if let Some(version) = version_of_word(first) {
        return (level < 3 || is_dated(words.next())).then_some(version);
    }
    let version = version_of_word(words.next()?)?;
    is_dated(words.next()).then_some(version)
}

/// Whether what follows a version is a date, a mark, or nothing.
fn is_dated(word: Option<&str>) -> bool {
    word.is_none_or(|word| !word.starts_with(char::is_alphabetic))
}

/// The version in `1.2.3`, `v1.2.3`, `[1.2.3](…)`, `core-v1.2.3`, `core@1.2.3`.
fn version_of_word(word: &str) -> Option<&str> {
    let word = word.trim_start_matches(['[', '(', '*', '`', '_']);
    let word = &word[..word.find([']', '(', ')', '*', '`', ',', ':']).unwrap_or(word.len())];
    let digit = |text: &str| text.starts_with(|c: char| c.is_ascii_digit());
    let bare = word.strip_prefix(['v', 'V']).unwrap_or(word);
    let number = if digit(bare) {
        bare
    } else {
        let after = |mark: &str| {
            word.match_indices(mark).map(|(at, _)| &word[at + mark.len()..]).find(|rest| digit(rest))
        };
        ["-v", "/v", "@v", "@", "==", "-", "/"].iter().find_map(|mark| after(mark))?
    };
    let numbered = number.split('.').take(2).filter(|part| digit(part)).count() == 2;
    numbered.then_some(number)
}

/// A spelling of a version, and what PEP 440 reads in it.
pub struct Spelling<'a> {
    text: &'a str,
    version: Option<Version>,
}

impl<'a> Spelling<'a> {
    pub fn of(text: &'a str) -> Spelling<'a> {
        Spelling { text, version: Version::parse(text).ok() }
    }

    /// Whether another one names the same version.
    pub fn is(&self, other: &str) -> bool {
        let Some(version) = &self.version else { return self.text == other };
        self.text == other || Version::parse(other).is_ok_and(|other| other == *version)
    }
}
