//! Text of commits, tags and people as data: shown, never acting.

use crate::render::control;
use crate::render::inline::{self, Dialect};

/// A text on one line of Markdown: line breaks become spaces, and what would act is escaped.
pub fn one_line(text: &str) -> String {
    inline::line(&squeezed(text), Dialect::Plain)
}

/// A text of several lines as Markdown: paragraphs, lists, quotations and fenced code stay, headings,
/// HTML, links, emphasis and mentions do not act. Ends without a line break; an open fence is closed.
///
/// Python-Markdown knows no fences inside lists, so fenced code that would act there (tags, links) becomes a
/// list of code spans.
///
/// A text that opens with a fence begins with a line break: wherever a template puts it, the fence's
/// lines stand in one column.
pub fn block(text: &str) -> String {
    lines(text, Dialect::Plain)
}

/// Like `block`, for text that is written as Markdown and reviewed: emphasis and web links stay too, and so
/// does all fenced code.
pub fn markdown(text: &str) -> String {
    lines(text, Dialect::Markdown)
}

/// A text fit for a terminal or a log: no escape sequences, control, direction or invisible characters.
/// Line feeds stay.
pub fn terminal(text: &str) -> String {
    control::strip(text)
}

/// `terminal` on one line.
pub fn terminal_line(text: &str) -> String {
    squeezed(text)
}

fn squeezed(text: &str) -> String {
    let text = control::strip(text);
    let is_squeezed = text.bytes().all(|byte| (b' '..=b'~').contains(&byte)) && !text.contains("  ");
    if is_squeezed && !text.starts_with(' ') && !text.ends_with(' ') {
        return text;
    }
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn lines(text: &str, dialect: Dialect) -> String {
    let text = control::strip(text);
    let mut block = Block { dialect, out: Vec::new(), fence: None };
    for line in text.lines() {
        block.take(line.trim_end());
    }
    block.finish()
}

struct Block {
    dialect: Dialect,
    out: Vec<String>,
    fence: Option<Fence>,
}

/// An open code fence: its marks and language, the indentation that its lines lose, its lines.
struct Fence {
    marks: String,
    language: String,
    indent: usize,
    code: Vec<String>,
}

impl Fence {
    fn acts(&self) -> bool {
        let tag = |line: &str| line.match_indices('<').any(|(at, _)| !line[at + 1..].starts_with([' ', '=']));
        self.code.iter().any(|line| line.contains("](") || line.contains("]:") || tag(line))
    }
}

impl Block {
    fn take(&mut self, line: &str) {
        let text = line.trim_start();
        let indent = line.len() - text.len();
        if let Some(fence) = &mut self.fence {
            if closes(text, &fence.marks) {
                return self.close();
            }
            fence.code.push(line[indent.min(fence.indent)..].to_owned());
        } else if let Some((marks, language)) = opens(text) {
            let (marks, language) = (marks.to_owned(), language.to_owned());
            self.fence = Some(Fence { marks, language, indent, code: Vec::new() });
        } else if !text.is_empty() {
            self.out.push(format!("{}{}", " ".repeat(indent.min(12)), self.marked(text)));
        } else if self.out.last().is_some_and(|last| !last.is_empty()) {
            self.out.push(String::new());
        }
    }

    fn close(&mut self) {
        let Some(fence) = self.fence.take() else { return };
        if self.dialect == Dialect::Plain && fence.acts() {
            let lines = fence.code.iter().filter(|line| !line.is_empty());
            self.out.extend(lines.map(|line| format!("- {}", code_span(line))));
            return;
        }
        self.out.push(format!("{}{}", fence.marks, fence.language));
        self.out.extend(fence.code);
        self.out.push(fence.marks);
    }

    /// The line with the list and quotation marks it begins with kept, the rest neutral.
    fn marked(&self, text: &str) -> String {
        let mut marks = 0;
        while let Some(length) = mark(&text[marks..]) {
            marks += length;
        }
        format!("{}{}", &text[..marks], inline::line(&text[marks..], self.dialect))
    }

    fn finish(mut self) -> String {
        self.close();
        while self.out.last().is_some_and(String::is_empty) {
            self.out.pop();
        }
        if self.out.first().is_some_and(|first| opens(first).is_some()) {
            self.out.insert(0, String::new());
        }
        self.out.join("\n")
    }
}

/// The text as a code span, in more backticks than it holds itself.
fn code_span(text: &str) -> String {
    let longest = text.split(|c| c != '`').map(str::len).max().unwrap_or(0);
    let marks = "`".repeat(longest + 1);
    if longest == 0 { format!("`{text}`") } else { format!("{marks} {text} {marks}") }
}

/// The length of a list or quotation mark with its space, where something follows it on the line.
fn mark(text: &str) -> Option<usize> {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let sign = text[digits..].chars().next()?;
    let fits = match sign {
        '.' | ')' => (1..=9).contains(&digits),
        '-' | '*' | '+' | '>' => digits == 0,
        _ => false,
    };
    let rest = &text[digits..].get(1..)?;
    let rule = text.chars().all(|character| "-*_ ".contains(character));
    let spaces = rest.len() - rest.trim_start().len();
    (fits && !rule && spaces > 0 && spaces < rest.len()).then_some(digits + 1 + spaces)
}

/// The marks and the language where the line opens a code fence (CommonMark 0.31, section 4.5).
fn opens(text: &str) -> Option<(&str, &str)> {
    let sign = text.chars().next().filter(|sign| "`~".contains(*sign))?;
    let info = text.trim_start_matches(sign);
    let marks = &text[..text.len() - info.len()];
    if marks.len() < 3 || (sign == '`' && info.contains('`')) {
        return None;
    }
    let language = info.trim();
    let end =
        language.find(|c: char| !(c.is_ascii_alphanumeric() || "+-_.".contains(c))).unwrap_or(language.len());
    Some((marks, &language[..end]))
}

fn closes(text: &str, marks: &str) -> bool {
    text.starts_with(marks) && marks.chars().next().is_some_and(|sign| text.chars().all(|c| c == sign))
}

#[cfg(test)]
#[path = "neutral_tests.rs"]
mod tests;
