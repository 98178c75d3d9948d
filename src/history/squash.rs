//! The commits that a squashed message holds in its body.

use crate::history::footer::read_token;
use crate::history::header::{Header, read_header};
use crate::history::lines::{Line, first_and_rest, mark};

/// One commit of a squashed message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part<'a> {
    pub header: Header,
    pub lines: Vec<Line<'a>>,
}

/// Where in a body commits may begin.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Splitting {
    /// At a paragraph that begins with a common type.
    pub paragraphs: bool,
    /// At each further line of such a paragraph, or of a footer block, that does.
    pub neighbours: bool,
    /// At `* feat: …` and `- feat: …`.
    pub bullets: bool,
    /// At any line that begins with a common type.
    pub lines: bool,
    /// Between `BEGIN_NESTED_COMMIT` and `END_NESTED_COMMIT`.
    pub nested: bool,
    /// Under git's own `commit SHA` and `Author:` lines.
    pub git: bool,
    /// Whether a description must hold more than one word, unlike the footer `fix: typo`.
    pub many_words: bool,
}

/// What a body was split into.
#[derive(Debug, Default)]
pub struct Split<'a> {
    /// The lines above the first part.
    pub above: Vec<Line<'a>>,
    pub parts: Vec<Part<'a>>,
}

/// Splits the lines under the first line. `in_commit` says whether the first line is itself a commit, which the
/// lines above the first part then belong to.
pub fn split<'a>(lines: &[Line<'a>], how: Splitting, in_commit: bool) -> Split<'a> {
    if how == Splitting::default() {
        return Split { above: lines.to_vec(), parts: Vec::new() };
    }
    let (lines, nested) = if how.nested { take_nested(lines) } else { (lines.to_vec(), Vec::new()) };
    let commits = if how.git { git_commits(&lines) } else { None };
    let mut split = match commits {
        Some((above, commits)) => Split { above, parts: commits.into_iter().filter_map(as_part).collect() },
        None => Splitter::new(how, in_commit).split(&lines),
    };
    split.parts.extend(nested.into_iter().filter_map(as_part));
    split
}

/// The lines under the first line as the messages they come from, conventional or not: the message itself, the
/// commits of a git squash, nested commits.
pub fn messages_in<'a>(lines: &[Line<'a>]) -> Vec<Vec<Line<'a>>> {
    let (outside, nested) = take_nested(lines);
    let (above, commits) = git_commits(&outside).unwrap_or((outside, Vec::new()));
    std::iter::once(above).chain(commits).chain(nested).collect()
}

/// The message between `BEGIN_COMMIT_OVERRIDE` and `END_COMMIT_OVERRIDE`, each alone on its line, where one is.
pub fn overridden(message: &str) -> Option<&str> {
    const BEGIN: &str = "BEGIN_COMMIT_OVERRIDE";
    const END: &str = "END_COMMIT_OVERRIDE";
    // Nearly every message ends here.
    if !message.contains(BEGIN) {
        return None;
    }
    let mut begin = None;
    let mut offset = 0;
    for line in message.split_inclusive('\n') {
        match (begin, line.trim()) {
            (None, BEGIN) => begin = Some(offset + line.len()),
            (Some(begin), END) => return Some(message[begin..offset].trim()).filter(|text| !text.is_empty()),
            _ => {}
        }
        offset += line.len();
    }
    None
}

/// Takes the nested commits out of the lines.
fn take_nested<'a>(lines: &[Line<'a>]) -> (Vec<Line<'a>>, Vec<Vec<Line<'a>>>) {
    let last_end = lines.iter().rposition(|line| line.text.trim() == "END_NESTED_COMMIT").unwrap_or(0);
    let mut outside = Vec::new();
    let mut nested: Vec<Vec<Line<'a>>> = Vec::new();
    let mut inside = false;
    for (index, line) in lines.iter().enumerate() {
        match line.text.trim() {
            "BEGIN_NESTED_COMMIT" if index < last_end => {
                inside = true;
                nested.push(Vec::new());
            }
            "END_NESTED_COMMIT" if inside => inside = false,
            _ => match nested.last_mut() {
                Some(commit) if inside => commit.push(*line),
                _ => outside.push(*line),
            },
        }
    }
    (outside, nested)
}

/// The messages under git's `commit SHA` lines (`git merge --squash`), without their four spaces.
fn git_commits<'a>(lines: &[Line<'a>]) -> Option<(Vec<Line<'a>>, Vec<Vec<Line<'a>>>)> {
    let is_head = |index: usize| {
        let next = lines.get(index + 1).map_or("", |line| line.text);
        !lines[index].quoted
            && is_commit_line(lines[index].text)
            && (next.starts_with("Author:") || next.starts_with("Merge:"))
    };
    let heads: Vec<usize> = (0..lines.len()).filter(|index| is_head(*index)).collect();
    let (first, ends) = heads.split_first()?;
    let above = lines[..*first].to_vec();
    let ends = ends.iter().copied().chain([lines.len()]);
    let messages = heads.iter().zip(ends).map(|(head, end)| {
        let commit = &lines[*head..end];
        let headers = commit.iter().take_while(|line| !line.is_blank()).count();
        mark(commit[headers..].iter().map(|line| line.dedented(4).text))
    });
    Some((above, messages.collect()))
}

/// `commit 63ec09b9e844e616dcaa7bae35a0b66671b59fbb`
fn is_commit_line(text: &str) -> bool {
    text.strip_prefix("commit ").is_some_and(|rest| {
        let id = rest.split(' ').next().unwrap_or_default();
        (7..=64).contains(&id.len()) && id.bytes().all(|byte| byte.is_ascii_hexdigit())
    })
}

/// A whole message as a part, where its first line is conventional.
fn as_part(lines: Vec<Line<'_>>) -> Option<Part<'_>> {
    let (first, rest) = first_and_rest(&lines)?;
    let header = read_header(first.text).ok()?;
    Some(Part { header, lines: rest.to_vec() })
}

struct Splitter<'a> {
    how: Splitting,
    split: Split<'a>,
    /// Whether the lines of now belong to the last part (or, without parts, stand above).
    open: bool,
    /// The bullet of the last part.
    bullet: Option<char>,
    /// Whether the paragraph of now began with a commit or a footer.
    beside: bool,
}

impl<'a> Splitter<'a> {
    fn new(how: Splitting, in_commit: bool) -> Splitter<'a> {
        Splitter { how, split: Split::default(), open: true, bullet: None, beside: in_commit }
    }

    fn split(mut self, lines: &[Line<'a>]) -> Split<'a> {
        let mut starts_paragraph = false;
        for line in lines {
            if line.separates() {
                self.beside = false;
                self.keep(line);
            } else {
                self.read(line, starts_paragraph);
            }
            starts_paragraph = line.separates();
        }
        for part in &mut self.split.parts {
            dedent(&mut part.lines);
        }
        self.split
    }

    fn read(&mut self, line: &Line<'a>, starts_paragraph: bool) {
        let bullet = bullet_of(line);
        match self.header_in(line, bullet, starts_paragraph) {
            Some(header) => {
                self.split.parts.push(Part { header, lines: Vec::new() });
                self.bullet = bullet.map(|(mark, _)| mark);
                self.beside = bullet.is_none();
                self.open = true;
            }
            None => {
                self.beside = if starts_paragraph { read_token(line).is_some() } else { self.beside };
                let other_commit =
                    starts_paragraph && bullet.is_some_and(|(mark, _)| Some(mark) == self.bullet);
                self.open = self.open && !other_commit;
                self.keep(line);
            }
        }
    }

    fn keep(&mut self, line: &Line<'a>) {
        match self.split.parts.last_mut() {
            Some(part) if self.open => part.lines.push(*line),
            Some(_) => {}
            None => self.split.above.push(*line),
        }
    }

    /// The header of a commit that begins in this line.
    fn header_in(
        &self,
        line: &Line<'a>,
        bullet: Option<(char, &str)>,
        starts_paragraph: bool,
    ) -> Option<Header> {
        let how = self.how;
        if line.quoted || line.indent() > 3 {
            return None;
        }
        let flush = line.indent() == 0;
        let may_begin = match bullet {
            Some(_) => how.bullets,
            None => {
                (how.paragraphs && starts_paragraph)
                    || (how.neighbours && self.beside && flush)
                    || (how.lines && flush)
            }
        };
        if !may_begin {
            return None;
        }
        let header = read_header(bullet.map_or(line.text, |(_, text)| text)).ok()?;
        let known = header.is_common() || (bullet.is_some() && is_type(&header.kind));
        let words = header.description.split_whitespace().take(2).count();
        let enough = words > 1 || !(how.many_words || is_mere_reference(&header.description));
        (known && enough).then_some(header)
    }
}

/// The bullet a line begins with, and what follows it.
fn bullet_of<'a>(line: &Line<'a>) -> Option<(char, &'a str)> {
    let text = line.text.trim_start_matches(' ');
    let mark = text.chars().next().filter(|mark| matches!(mark, '*' | '-'))?;
    text[1..].strip_prefix(' ').map(|rest| (mark, rest))
}

/// Whether a word that is no common type looks like one nevertheless.
fn is_type(kind: &str) -> bool {
    kind.bytes().all(|byte| byte.is_ascii_lowercase())
}

/// Whether a description is what a footer such as `fix: #12` holds.
fn is_mere_reference(description: &str) -> bool {
    let reference = description.trim_start_matches("GH-").trim_start_matches('#');
    description.contains("://")
        || description.contains('#')
        || reference.bytes().all(|byte| byte.is_ascii_digit())
}

/// Takes the indentation off paragraphs that are indented as a whole, as lists and release-please's examples are.
fn dedent(lines: &mut [Line<'_>]) {
    for paragraph in lines.split_mut(Line::separates) {
        let indent = paragraph.iter().filter(|line| !line.is_blank()).map(Line::indent).min().unwrap_or(0);
        if indent <= 3 {
            for line in paragraph {
                *line = line.dedented(indent);
            }
        }
    }
}

#[cfg(test)]
mod tests;
