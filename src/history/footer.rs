//! The body of a change: which paragraphs are prose and which are footers.

use crate::history::entry::{Footer, Separator};
use crate::history::header::read_header;
use crate::history::lines::{Line, joined, paragraphs};

/// What stands under the first line of a change.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Body {
    pub prose: Option<String>,
    pub footers: Vec<Footer>,
}

/// Reads the lines under the first line.
///
/// A footer block is a paragraph that begins with a token (Conventional Commits 1.0.0, items 8 to 10).
/// At the end of the message any block counts; further up only one that begins with a token which is no word
/// of prose (`BREAKING CHANGE`, `Signed-off-by`, `Fixes #1`), so that a paragraph `Note: …` stays prose and
/// swallows nothing. Only a breaking note goes on over blank lines, up to the next footer.
pub fn read_body(lines: &[Line<'_>]) -> Body {
    let paragraphs: Vec<&[Line<'_>]> = paragraphs(lines).collect();
    let is_block = |paragraph: &&[Line<'_>]| read_token(&paragraph[0]).is_some();
    let trailing = paragraphs.iter().rev().take_while(|paragraph| is_block(paragraph)).count();
    let first_trailing = paragraphs.len() - trailing;
    let mut reader = Reader::default();
    for (index, paragraph) in paragraphs.into_iter().enumerate() {
        let block_from = if index >= first_trailing { Some(0) } else { strong_line(paragraph) };
        let (above, block) = paragraph.split_at(block_from.unwrap_or(paragraph.len()));
        reader.read_prose(above);
        reader.read_block(block);
    }
    reader.finish()
}

/// A footer that a line begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Token<'a> {
    pub name: &'a str,
    pub separator: Separator,
    pub value: &'a str,
}

/// Reads the footer that begins in this line: a token, `: ` or ` #`, and a value.
pub fn read_token<'a>(line: &Line<'a>) -> Option<Token<'a>> {
    if line.quoted {
        return None;
    }
    let spoken = SPOKEN.iter().find(|token| line.text.starts_with(**token));
    let length = spoken.map_or_else(|| word_length(line.text), |token| token.len());
    let (name, rest) = line.text.split_at(length);
    if !name.starts_with(|c: char| c.is_ascii_alphabetic()) {
        return None;
    }
    let (separator, value) = match rest.strip_prefix(" #") {
        Some(value) => (Separator::Hash, value),
        None => (Separator::Colon, rest.strip_prefix(':')?),
    };
    let is_value = if value.trim().is_empty() {
        separator == Separator::Colon && may_begin_empty(name)
    } else {
        !value.starts_with(['/', '\\', ':'])
    };
    is_value.then_some(Token { name, separator, value: value.trim() })
}

/// The tokens with a space in them.
const SPOKEN: [&str; 2] = ["BREAKING CHANGE", "INITIAL STABLE RELEASE"];

fn word_length(text: &str) -> usize {
    text.find(|c: char| !(c.is_ascii_alphanumeric() || matches!(c, '-' | '_'))).unwrap_or(text.len())
}

/// Whether the value of this token may begin on the next line.
fn may_begin_empty(token: &str) -> bool {
    matches!(
        token,
        "BREAKING CHANGE" | "BREAKING-CHANGE" | "INITIAL STABLE RELEASE" | "INITIAL-STABLE-RELEASE"
    )
}

/// Where in a paragraph that begins with a token, or with a commit of a squash, the first token stands that is no
/// word of prose.
fn strong_line(paragraph: &[Line<'_>]) -> Option<usize> {
    let first = &paragraph[0];
    if read_token(first).is_none() && !begins_commit(first) {
        return None;
    }
    paragraph.iter().position(|line| read_token(line).is_some_and(|token| is_strong(&token)))
}

/// Whether a token is a footer wherever it stands.
fn is_strong(token: &Token<'_>) -> bool {
    let name = token.name.to_ascii_lowercase();
    may_begin_empty(token.name)
        || matches!(name.as_str(), "release-as" | "packages" | "change-id")
        || name.ends_with("-by")
        || (is_reference_word(&name) && names_issue(token))
}

fn is_reference_word(name: &str) -> bool {
    is_closing(name)
        || matches!(name, "ref" | "refs" | "reference" | "references" | "see" | "issue" | "issues")
}

/// Whether a value names issues and says nothing else: `#1, #2 and #3`, an address with a number.
fn names_issue(token: &Token<'_>) -> bool {
    let mut words =
        token.value.split(|c: char| c == ',' || c.is_whitespace()).filter(|word| !word.is_empty());
    words.all(|word| word == "and" || word.bytes().any(|byte| byte.is_ascii_digit()))
}

/// Whether this token closes what its value names (the words GitHub and GitLab act on).
pub fn is_closing(token: &str) -> bool {
    const WORDS: [&str; 13] = [
        "close",
        "closes",
        "closed",
        "closing",
        "fix",
        "fixes",
        "fixed",
        "fixing",
        "resolve",
        "resolves",
        "resolved",
        "resolving",
        "implements",
    ];
    WORDS.iter().any(|word| token.eq_ignore_ascii_case(word))
}

#[derive(Default)]
struct Reader {
    prose: Vec<String>,
    footers: Vec<Footer>,
    /// Whether the next paragraph of prose still belongs to the last footer.
    note_open: bool,
}

impl Reader {
    fn read_prose(&mut self, paragraph: &[Line<'_>]) {
        let Some(first) = paragraph.first() else { return };
        self.note_open = self.note_open && !ends_note(first);
        match self.footers.last_mut() {
            Some(note) if self.note_open => append(note, "\n\n", &joined(paragraph)),
            _ => self.prose.push(joined(paragraph)),
        }
    }

    fn read_block(&mut self, block: &[Line<'_>]) {
        let mut open = false;
        for line in block {
            if let Some(token) = read_token(line) {
                let Token { name, separator, value } = token;
                self.footers.push(Footer { token: name.to_owned(), separator, value: value.to_owned() });
                open = true;
            } else if line.text.starts_with("(cherry picked from commit ") {
                open = false;
            } else if let Some(footer) = self.footers.last_mut().filter(|_| open) {
                append(footer, "\n", line.text);
            }
        }
        if !block.is_empty() {
            self.note_open = open && self.footers.last().is_some_and(Footer::is_breaking);
        }
    }

    fn finish(mut self) -> Body {
        while self.prose.last().is_some_and(|last| is_rule(last)) {
            self.prose.pop();
        }
        let prose = self.prose.join("\n\n").trim().to_owned();
        Body { prose: Some(prose).filter(|prose| !prose.is_empty()), footers: self.footers }
    }
}

fn append(footer: &mut Footer, between: &str, text: &str) {
    if footer.value.is_empty() {
        text.trim().clone_into(&mut footer.value);
    } else {
        footer.value.push_str(between);
        footer.value.push_str(text);
    }
}

/// Whether a paragraph that begins with this line cannot belong to the breaking note above it:
/// a heading, a rule, or the next commit of a squash.
fn ends_note(line: &Line<'_>) -> bool {
    let heading = line.text.starts_with('#')
        || line.text.strip_suffix(':').is_some_and(|word| word_length(word) == word.len());
    let bulleted = line.text.starts_with(['*', '-']);
    !line.quoted && (heading || is_rule(line.text) || (bulleted && begins_commit(line)))
}

/// Whether a line is the first of a commit, with a bullet before it or none.
fn begins_commit(line: &Line<'_>) -> bool {
    let text = line.text.strip_prefix("* ").or_else(|| line.text.strip_prefix("- ")).unwrap_or(line.text);
    !line.quoted && text.contains(':') && read_header(text).is_ok_and(|header| header.is_common())
}

/// A line such as GitHub's `---------`.
fn is_rule(text: &str) -> bool {
    text.len() >= 3 && text.bytes().all(|byte| byte == b'-')
}

#[cfg(test)]
mod tests;
