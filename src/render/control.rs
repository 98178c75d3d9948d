//! Takes out what acts on a terminal or turns text around: control, direction and invisible characters.

/// The text without escape sequences, control, direction and invisible characters. Line feeds stay,
/// `\r\n` and `\r` become `\n`, a tab becomes four spaces.
pub fn strip(text: &str) -> String {
    if text.bytes().all(|byte| matches!(byte, b' '..=b'~' | b'\n')) {
        return text.to_owned();
    }
    let mut clean = String::with_capacity(text.len());
    let mut characters = text.chars().peekable();
    while let Some(character) = characters.next() {
        match character {
            '\u{1b}' => skip_escape(&mut characters),
            '\u{9b}' => skip_until(&mut characters, is_final),
            '\r' => {
                if characters.peek() == Some(&'\n') {
                    characters.next();
                }
                clean.push('\n');
            }
            '\u{85}' | '\u{2028}' | '\u{2029}' => clean.push('\n'),
            '\t' => clean.push_str("    "),
            '\n' => clean.push('\n'),
            other if is_hidden(other) => {}
            other => clean.push(other),
        }
    }
    clean
}

type Characters<'a> = std::iter::Peekable<std::str::Chars<'a>>;

/// Skips what follows an ESC, as ECMA-48 shapes it: a control sequence, a string, or one character.
fn skip_escape(characters: &mut Characters<'_>) {
    match characters.peek() {
        Some('[') => {
            characters.next();
            skip_until(characters, is_final);
        }
        Some(']' | 'P' | 'X' | '^' | '_') => skip_string(characters),
        _ => {
            while characters.next_if(|character| matches!(character, ' '..='/')).is_some() {}
            characters.next_if(|character| matches!(character, '0'..='~'));
        }
    }
}

/// Skips the parameters of a control sequence and the character that ends it; a line's end stops it.
fn skip_until(characters: &mut Characters<'_>, ends: fn(char) -> bool) {
    while let Some(&character) = characters.peek() {
        if character.is_control() || !character.is_ascii() {
            return;
        }
        characters.next();
        if ends(character) {
            return;
        }
    }
}

/// Skips a string that BEL or ESC ends; a line's end stops it, so an open one takes no more than its line.
fn skip_string(characters: &mut Characters<'_>) {
    while let Some(&character) = characters.peek() {
        match character {
            '\n' | '\r' => return,
            '\u{7}' | '\u{9c}' => {
                characters.next();
                return;
            }
            '\u{1b}' => {
                characters.next();
                if characters.peek() == Some(&'\\') {
                    characters.next();
                }
                return;
            }
            _ => {
                characters.next();
            }
        }
    }
}

fn is_final(character: char) -> bool {
    matches!(character, '@'..='~')
}

/// Characters that print nothing or turn the order of those around them. Joiners stay: scripts and
/// emoji need them.
fn is_hidden(character: char) -> bool {
    character.is_control()
        || matches!(character,
            '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}' | '\u{200e}' | '\u{200f}'
            | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}'
            | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e0fff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: &str) {
        assert_eq!(strip(text), expected);
    }

    #[test]
    fn escape_sequences_go_whole() {
        check("\u{1b}[31mred\u{1b}[0m", "red");
        check("\u{1b}]0;title\u{7}after", "after");
        check("\u{1b}]8;;http://x\u{1b}\\link\u{1b}]8;;\u{1b}\\", "link");
        check("\u{9b}2Jcleared", "cleared");
        check("\u{1b}cgone", "gone");
        check("\u{1b}(Bplain", "plain");
        check("end\u{1b}", "end");
    }

    #[test]
    fn an_open_sequence_takes_no_more_than_its_line() {
        check("\u{1b}]0;never ends\nnext", "\nnext");
        check("\u{1b}[12\nnext", "\nnext");
    }

    #[test]
    fn direction_and_invisible_characters_go() {
        check("a\u{202e}b\u{2066}c\u{200b}d\u{feff}e\u{e0041}f", "abcdef");
    }

    #[test]
    fn joined_emoji_and_umlauts_stay() {
        check("👩\u{200d}💻 größer", "👩\u{200d}💻 größer");
    }

    #[test]
    fn every_line_end_becomes_one_line_feed() {
        check("a\r\nb\rc\u{2028}d\u{85}e", "a\nb\nc\nd\ne");
        check("a\tb\u{8}\u{0}", "a    b");
    }
}
