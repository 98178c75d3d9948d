//! Words of others as one plain line that fits into a sentence.

/// One line without control characters and what turns text around, at most eighty characters.
pub fn short(text: &str) -> String {
    shortened(text, 80)
}

/// The same with at most so many characters.
pub fn shortened(text: &str, most: usize) -> String {
    let mut line = String::new();
    let mut characters = text.chars().take(most.saturating_mul(8)).peekable();
    while let Some(character) = characters.next() {
        match character {
            '\u{1b}' if characters.next_if_eq(&'[').is_some() => {
                while characters.next().is_some_and(|inside| !('@'..='~').contains(&inside)) {}
            }
            _ if character.is_whitespace() => line.push(' '),
            _ if is_hidden(character) => {}
            _ => line.push(character),
        }
    }
    let line = line.split_whitespace().collect::<Vec<_>>().join(" ");
    match line.char_indices().nth(most) {
        Some((end, _)) => format!("{}…", &line[..end]),
        None => line,
    }
}

/// Characters that print nothing, act on a terminal, or turn the order of others around.
fn is_hidden(character: char) -> bool {
    character.is_control()
        || matches!(character, '\u{ad}' | '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{e0000}'..='\u{e0fff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn foreign_text_is_one_short_plain_line() {
        assert_eq!(short("a\u{1b}[31m\n b\u{202e}\u{7}\tc\u{1b}"), "a b c");
        assert_eq!(short(&"x".repeat(500)).chars().count(), 81);
        assert_eq!(shortened("äöü", 2), "äö…");
        assert_eq!(short(""), "");
    }
}
