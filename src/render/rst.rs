//! One line of foreign text as reStructuredText that shows it and does nothing else.

use crate::render::neutral;

/// A text on one line: `code` becomes ``code``, all other markup is escaped.
pub fn one_line(text: &str) -> String {
    let text = neutral::terminal_line(text);
    let mut out = String::with_capacity(text.len() + 8);
    if begins_a_body_element(&text) {
        out.push('\\');
    }
    let mut rest = text.as_str();
    while let Some(at) = rest.find('`') {
        escape(&mut out, &rest[..at]);
        rest = match literal(&rest[at..], &out) {
            Some((code, length)) => {
                out.push_str(&format!("``{code}``"));
                &rest[at + length..]
            }
            None => {
                out.push_str("\\`");
                &rest[at + 1..]
            }
        };
    }
    escape(&mut out, rest);
    out
}

/// The text underlined, as a title is (docutils: an underline is as long as its title).
pub fn underline(text: &str, sign: char) -> String {
    sign.to_string().repeat(unicode_width::UnicodeWidthStr::width(text).max(3))
}

/// The code and its length with backticks, where docutils would read it as a literal: no space inside its
/// marks, and space or punctuation around.
fn literal<'a>(text: &'a str, before: &str) -> Option<(&'a str, usize)> {
    let marks = text.bytes().take_while(|byte| *byte == b'`').count();
    let inner = &text[marks..];
    let code = &inner[..inner.find('`')?];
    let closing = inner[code.len()..].bytes().take_while(|byte| *byte == b'`').count();
    let after = inner[code.len() + closing..].chars().next();
    let stands =
        |character: Option<char>, signs: &str| character.is_none_or(|c| c == ' ' || signs.contains(c));
    let fits = marks == closing
        && !code.is_empty()
        && code.trim() == code
        && !code.ends_with('\\')
        && stands(before.chars().next_back(), "'\"([{<-/:")
        && stands(after, "'\")]}>-/\\:.,;!?");
    fits.then_some((code, code.len() + 2 * marks))
}

fn escape(out: &mut String, text: &str) {
    let mut characters = text.chars().peekable();
    while let Some(character) = characters.next() {
        let next = characters.peek().copied();
        let acts = match character {
            '\\' | '*' | '|' => true,
            '_' => !next.is_some_and(char::is_alphanumeric),
            ':' => next.is_none() || next == Some(':'),
            _ => false,
        };
        if acts {
            out.push('\\');
        }
        out.push(character);
    }
}

/// Whether docutils could read the line's start as a list, directive, field, table or adornment.
fn begins_a_body_element(text: &str) -> bool {
    let Some(first) = text.chars().next() else { return false };
    if first.is_ascii_punctuation() {
        return !matches!(first, '`' | '\\' | '*' | '|' | '_');
    }
    let word = text.split(' ').next().unwrap_or(text);
    let number = word.trim_end_matches(['.', ')']);
    number.len() < word.len()
        && (number.bytes().all(|byte| byte.is_ascii_digit())
            || number.chars().count() == 1
            || number.chars().all(|c| "ivxlcdmIVXLCDM".contains(c)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: &str) {
        assert_eq!(one_line(text), expected);
    }

    #[test]
    fn code_becomes_a_literal() {
        check("read `a_b` and ``c``", "read ``a_b`` and ``c``");
        check("a`b`c `open", "a\\`b\\`c \\`open");
        check("(`b`), `c`<", "\\(``b``), \\`c\\`<");
    }

    #[test]
    fn markup_is_escaped() {
        check("*args |sub| ref_ snake_case a\\b", "\\*args \\|sub\\| ref\\_ snake_case a\\\\b");
        check("literal follows::", "literal follows\\:\\:");
    }

    #[test]
    fn the_start_opens_no_directive_or_list() {
        check(".. raw:: html", "\\.. raw\\:: html");
        check("- item", "\\- item");
        check("1. item", "\\1. item");
        check(":field: x", "\\:field: x");
        check("plain", "plain");
    }

    #[test]
    fn an_underline_is_as_wide_as_its_title() {
        assert_eq!(underline("日本", '-'), "----");
        assert_eq!(underline("1", '='), "===");
    }
}
