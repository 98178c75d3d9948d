//! Takes out of foreign text what a terminal would obey instead of show.

/// The text without control characters, escape sequences and marks that turn the reading direction.
///
/// Newlines stay, a lone carriage return becomes one, a tab becomes a space.
pub fn terminal(text: &str) -> String {
    let characters: Vec<char> = text.chars().collect();
    let mut shown = String::with_capacity(text.len());
    let mut closed = Closings::default();
    let mut at = 0;
    while let Some(&character) = characters.get(at) {
        match character {
            '\u{1b}' | '\u{9b}' => {
                at = closed.behind_escape(&characters, at);
                continue;
            }
            '\r' if characters.get(at + 1) == Some(&'\n') => {}
            '\n' | '\r' => shown.push('\n'),
            '\t' => shown.push(' '),
            character if is_hostile(character) => {}
            character => shown.push(character),
        }
        at += 1;
    }
    shown
}

/// The same on one line: every stretch of white space is one space.
pub fn line(text: &str) -> String {
    terminal(text).split_whitespace().collect::<Vec<&str>>().join(" ")
}

/// Controls, and marks without a shape that change how their neighbours are read.
pub fn is_hostile(character: char) -> bool {
    character.is_control()
        || matches!(
            character,
            '\u{61c}'
                | '\u{200b}'
                | '\u{200e}'
                | '\u{200f}'
                | '\u{2028}'..='\u{202e}'
                | '\u{2060}'..='\u{206f}'
                | '\u{feff}'
                | '\u{fff9}'..='\u{fffb}'
                | '\u{e0000}'..='\u{e007f}'
        )
}

/// Whether strings inside escape sequences still find their end further on.
#[derive(Default)]
struct Closings {
    none_left: bool,
}

impl Closings {
    /// The place behind the escape sequence that begins at `at` (ECMA-48, sections 5.4 and 5.6).
    fn behind_escape(&mut self, characters: &[char], at: usize) -> usize {
        if characters[at] == '\u{9b}' {
            return behind_parameters(characters, at + 1);
        }
        match characters.get(at + 1) {
            Some('[') => behind_parameters(characters, at + 2),
            Some(']' | 'P' | 'X' | '^' | '_') => self.behind_string(characters, at + 2),
            Some(' '..='/') => behind_intermediates(characters, at + 1),
            Some('0'..='~') => at + 2,
            _ => at + 1,
        }
    }

    /// A string without an end hides nothing: only its beginning goes.
    fn behind_string(&mut self, characters: &[char], from: usize) -> usize {
        if self.none_left {
            return from;
        }
        let rest = characters.get(from..).unwrap_or_default();
        let end = rest.iter().position(|one| matches!(one, '\u{7}' | '\u{9c}' | '\u{1b}'));
        match end.map(|end| from + end) {
            Some(end) if characters[end] != '\u{1b}' => end + 1,
            Some(end) if characters.get(end + 1) == Some(&'\\') => end + 2,
            Some(_) => from,
            None => {
                self.none_left = true;
                from
            }
        }
    }
}

/// Behind `0;31m` and the like; where the final letter is missing, behind what was read.
fn behind_parameters(characters: &[char], from: usize) -> usize {
    let rest = characters.get(from..).unwrap_or_default();
    let length = rest.iter().take_while(|one| matches!(one, ' '..='?')).count();
    match characters.get(from + length) {
        Some('@'..='~') => from + length + 1,
        _ => from + length,
    }
}

/// Behind `(B` and the like.
fn behind_intermediates(characters: &[char], from: usize) -> usize {
    let rest = characters.get(from..).unwrap_or_default();
    let length = rest.iter().take_while(|one| matches!(one, ' '..='/')).count();
    match characters.get(from + length) {
        Some('0'..='~') => from + length + 1,
        _ => from + length,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, shown: &str) {
        assert_eq!(terminal(text), shown);
    }

    #[test]
    fn plain_text_stays_as_it_is() {
        check("fix: größer → ok 🦀\nnext", "fix: größer → ok 🦀\nnext");
    }

    #[test]
    fn escape_sequences_go_whole() {
        check("a\u{1b}[1;31mred\u{1b}[0mb", "aredb");
        check("\u{1b}]0;title\u{7}x\u{1b}]8;;http://e\u{1b}\\link", "xlink");
        check("\u{1b}(Bx\u{1b}cy\u{9b}2Jz", "xyz");
        check("\u{1b}P q\u{1b}\\sixel", "sixel");
    }

    #[test]
    fn an_escape_without_an_end_hides_nothing() {
        check("\u{1b}]0;the rest stays", "0;the rest stays");
        check("x\u{1b}", "x");
        check("x\u{1b}[", "x");
        check("\u{1b}]a\u{1b}]b", "ab");
    }

    #[test]
    fn controls_and_turning_marks_go() {
        check("a\u{0}\u{8}\u{7f}\u{85}b\u{202e}c\u{2066}d\u{feff}", "abcd");
        check("a\r\nb\rc\td", "a\nb\nc d");
    }

    #[test]
    fn a_line_is_one_line() {
        assert_eq!(line(" a\n\n b\tc\u{1b}[K "), "a b c");
    }

    #[test]
    fn ten_thousand_open_strings_are_read_once() {
        assert_eq!(terminal(&"\u{1b}]".repeat(10_000)), "");
    }
}
