//! One line of foreign text as Markdown that shows it and does nothing else.
//!
//! What would act is written so that CommonMark, GitHub, GitLab and Python-Markdown all show it plainly:
//! HTML as `&lt;`, mentions as code (nobody is notified, and decorators look right), brackets, emphasis
//! and block starts behind a backslash. Balanced code spans stay, and so do bare web addresses.

use std::collections::BTreeMap;

/// How much Markdown a text may use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dialect {
    /// None but code spans: text of commits.
    Plain,
    /// Emphasis and links to the web too: text that its repository reviews as Markdown.
    Markdown,
}

/// Writes one line, its first character seen as the start of a block.
pub fn line(text: &str, dialect: Dialect) -> String {
    let mut writer = Writer::new(text, dialect);
    writer.start();
    writer.run()
}

struct Writer<'a> {
    text: &'a str,
    at: usize,
    dialect: Dialect,
    spans: BTreeMap<usize, usize>,
    out: String,
}

impl<'a> Writer<'a> {
    fn new(text: &'a str, dialect: Dialect) -> Writer<'a> {
        Writer { text, at: 0, dialect, spans: code_spans(text), out: String::with_capacity(text.len() + 16) }
    }

    /// Puts a backslash where the text would begin a heading, list, quotation, rule or fence.
    fn start(&mut self) {
        let Some(at) = block_start(self.text) else { return };
        self.out.push_str(&self.text[..at]);
        self.out.push('\\');
        self.at = at;
        self.keep(1);
    }

    fn run(mut self) -> String {
        loop {
            self.keep(self.plain());
            let Some(character) = self.text[self.at..].chars().next() else { return self.out };
            match character {
                '`' => self.backticks(),
                '\\' => self.backslash(),
                '<' => self.less_than(),
                '&' => self.replace(1, if self.entity() { "&amp;" } else { "&" }),
                '@' => self.mention(),
                '[' => self.bracket(),
                ']' => self.replace(1, "\\]"),
                '!' if self.dialect == Dialect::Markdown && self.next() == Some('[') => {
                    self.replace(1, "\\!");
                }
                '*' | '_' | '~' if self.dialect == Dialect::Plain && self.emphasis(character) => {
                    self.escape();
                }
                'h' | 'H' if self.address() => {}
                other => self.keep(other.len_utf8()),
            }
        }
    }

    /// How many of the bytes from here on are words that nothing makes act.
    fn plain(&self) -> usize {
        let rest = &self.text.as_bytes()[self.at..];
        rest.iter().position(|byte| !matches!(byte, b'a'..=b'g' | b'i'..=b'z' | b' ')).unwrap_or(rest.len())
    }

    fn keep(&mut self, length: usize) {
        self.out.push_str(&self.text[self.at..self.at + length]);
        self.at += length;
    }

    fn replace(&mut self, length: usize, with: &str) {
        self.out.push_str(with);
        self.at += length;
    }

    fn escape(&mut self) {
        self.out.push('\\');
        self.keep(1);
    }

    fn next(&self) -> Option<char> {
        self.text[self.at..].chars().nth(1)
    }

    fn previous(&self) -> Option<char> {
        self.text[..self.at].chars().next_back()
    }

    /// A code span stays as it is; backticks without a partner are escaped.
    fn backticks(&mut self) {
        if let Some(end) = self.spans.get(&self.at) {
            return self.keep(end - self.at);
        }
        while self.text[self.at..].starts_with('`') {
            self.escape();
        }
    }

    /// A backslash before punctuation would escape it.
    fn backslash(&mut self) {
        match self.next() {
            Some(next) if self.dialect == Dialect::Markdown && "*_~[]#+-.!\\>|".contains(next) => {
                self.keep(2);
            }
            Some(next) if !next.is_ascii_punctuation() => self.keep(1),
            _ => self.replace(1, "\\\\"),
        }
    }

    fn less_than(&mut self) {
        let compares = self.next().is_some_and(|next| next == ' ' || next == '=');
        self.replace(1, if compares { "<" } else { "&lt;" });
    }

    /// Whether a character reference stands here (CommonMark 0.31, section 2.5).
    fn entity(&self) -> bool {
        let name = &self.text[self.at + 1..];
        let length = name.bytes().take(40).take_while(|b| b.is_ascii_alphanumeric() || *b == b'#').count();
        length > 0 && name[length..].starts_with(';')
    }

    fn mention(&mut self) {
        let name = &self.text[self.at + 1..];
        let inside = self.previous().is_some_and(|before| before.is_ascii_alphanumeric());
        if inside || !name.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '_') {
            return self.keep(1);
        }
        let length =
            name.find(|c: char| !(c.is_ascii_alphanumeric() || "_-./".contains(c))).unwrap_or(name.len());
        let emphasis = self.dialect == Dialect::Markdown;
        let name = name[..length].trim_end_matches(|c: char| ".-/".contains(c) || (emphasis && c == '_'));
        if name.is_empty() {
            return self.keep(1);
        }
        if self.out.ends_with('`') {
            self.out.push(' ');
        }
        self.out.push_str(&format!("`@{name}`"));
        self.at += 1 + name.len();
        if self.text[self.at..].starts_with('`') {
            self.out.push(' ');
        }
    }

    fn bracket(&mut self) {
        match self.link() {
            Some((label, target, length)) if self.dialect == Dialect::Markdown => {
                let label = Writer::new(label, self.dialect).run();
                self.out.push_str(&format!("[{label}]({target})"));
                self.at += length;
            }
            _ => self.escape(),
        }
    }

    /// An inline link to the web: its label, its target, its length.
    fn link(&self) -> Option<(&'a str, &'a str, usize)> {
        let inner = &self.text[self.at + 1..];
        let label = &inner[..inner.find(['[', ']'])?];
        let target = inner[label.len()..].strip_prefix("](")?;
        let target = &target[..target.find(|c: char| !is_address(c))?];
        let web = ["https://", "http://", "mailto:"].iter().any(|scheme| target.starts_with(scheme));
        let closed = inner[label.len() + 2 + target.len()..].starts_with(')');
        (web && closed && !label.contains('`')).then_some((label, target, label.len() + target.len() + 4))
    }

    /// Whether the character could begin or end emphasis: not between spaces, and `_` not inside a word.
    fn emphasis(&self, character: char) -> bool {
        let (before, after) = (self.previous(), self.next());
        let word = |c: Option<char>| c.is_some_and(char::is_alphanumeric);
        let space = |c: Option<char>| c.is_none_or(char::is_whitespace);
        match character {
            '_' if word(before) && word(after) => false,
            '~' => word(before) || before == Some('~') || after == Some('~'),
            _ => !(space(before) && space(after)),
        }
    }

    /// Keeps a bare web address. Signs in it that could act are percent-encoded, which means the same.
    fn address(&mut self) -> bool {
        let rest = &self.text[self.at..];
        let after = if rest.starts_with("https://") { 8 } else { 7 };
        if !(rest.starts_with("https://") || rest.starts_with("http://"))
            || self.previous().is_some_and(char::is_alphanumeric)
        {
            return false;
        }
        let length = rest[after..].find(|c: char| !is_address(c)).unwrap_or(rest.len() - after);
        let address = &rest[..after + length];
        for (at, sign) in address.char_indices() {
            let word = |c: Option<char>| c.is_some_and(char::is_alphanumeric);
            let inside = word(address[..at].chars().next_back()) && word(address[at + 1..].chars().next());
            match sign {
                '@' => self.out.push_str("%40"),
                '_' if !inside => self.out.push_str("%5F"),
                '~' if address[at + 1..].starts_with('~') => self.out.push_str("%7E"),
                other => self.out.push(other),
            }
        }
        self.at += after + length;
        true
    }
}

/// Characters of a web address that mean nothing in Markdown.
fn is_address(character: char) -> bool {
    character.is_ascii_alphanumeric() || "-._~:/?#@$&'+,;=%".contains(character)
}

/// Where code spans begin and end: each run of backticks with the next run of the same length.
fn code_spans(text: &str) -> BTreeMap<usize, usize> {
    let mut runs: Vec<(usize, usize)> = Vec::new();
    for (at, _) in text.match_indices('`') {
        match runs.last_mut() {
            Some((start, length)) if *start + *length == at => *length += 1,
            _ => runs.push((at, 1)),
        }
    }
    let mut later: BTreeMap<usize, usize> = BTreeMap::new();
    let mut spans = BTreeMap::new();
    for (start, length) in runs.into_iter().rev() {
        if let Some(end) = later.insert(length, start + length) {
            spans.insert(start, end);
        }
    }
    spans
}

/// Where a backslash keeps the line from beginning a block; a list's number takes it before its dot.
fn block_start(text: &str) -> Option<usize> {
    let first = text.chars().next()?;
    let spaced = |rest: &str| rest.is_empty() || rest.starts_with(' ');
    let rule = |c: char| text.chars().all(|other| other == c || other == ' ');
    match first {
        '#' | '>' => Some(0),
        '-' | '+' | '*' | '_' | '=' if rule(first) || ("-+*".contains(first) && spaced(&text[1..])) => {
            Some(0)
        }
        '~' if text.starts_with("~~~") => Some(0),
        '0'..='9' => {
            let digits = text.bytes().take_while(u8::is_ascii_digit).count();
            let dotted = text[digits..].starts_with(['.', ')']) && spaced(&text[digits + 1..]);
            dotted.then_some(digits)
        }
        _ => None,
    }
}
