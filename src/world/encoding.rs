//! Turns the bytes of a commit into text, by the encoding that its header names.

use std::borrow::Cow;

/// Decodes bytes; the second value tells whether some had to be replaced.
///
/// Without a name git's default holds: UTF-8 (git-commit, "I18N"). Known besides: ISO-8859-1,
/// ISO-8859-15 and Windows-1252. Under other names only ASCII and valid UTF-8 are understood.
pub fn decode<'b>(bytes: &'b [u8], encoding: Option<&[u8]>) -> (Cow<'b, str>, bool) {
    match known(encoding) {
        Known::Utf8 => match std::str::from_utf8(bytes) {
            Ok(text) => (text.into(), false),
            Err(_) => (String::from_utf8_lossy(bytes), true),
        },
        Known::Table(table) => (bytes.iter().map(|byte| table(*byte)).collect(), false),
        Known::Other => (String::from_utf8_lossy(bytes), !bytes.is_ascii()),
    }
}

enum Known {
    Utf8,
    Table(fn(u8) -> char),
    Other,
}

fn known(encoding: Option<&[u8]>) -> Known {
    let Some(name) = encoding else { return Known::Utf8 };
    let plain: Vec<u8> =
        name.iter().filter(|byte| byte.is_ascii_alphanumeric()).map(u8::to_ascii_lowercase).collect();
    match plain.as_slice() {
        b"utf8" | b"usascii" | b"ascii" => Known::Utf8,
        b"iso88591" | b"latin1" | b"l1" => Known::Table(char::from),
        b"iso885915" | b"latin9" => Known::Table(latin9),
        b"windows1252" | b"cp1252" => Known::Table(windows1252),
        _ => Known::Other,
    }
}

fn latin9(byte: u8) -> char {
    match byte {
        0xa4 => '€',
        0xa6 => 'Š',
        0xa8 => 'š',
        0xb4 => 'Ž',
        0xb8 => 'ž',
        0xbc => 'Œ',
        0xbd => 'œ',
        0xbe => 'Ÿ',
        _ => char::from(byte),
    }
}

fn windows1252(byte: u8) -> char {
    /// 0x80 to 0x9f; the five places without a character stay control characters.
    const HIGH: [char; 32] = [
        '€', '\u{81}', '‚', 'ƒ', '„', '…', '†', '‡', 'ˆ', '‰', 'Š', '‹', 'Œ', '\u{8d}', 'Ž', '\u{8f}',
        '\u{90}', '‘', '’', '“', '”', '•', '–', '—', '˜', '™', 'š', '›', 'œ', '\u{9d}', 'ž', 'Ÿ',
    ];
    match byte {
        0x80..=0x9f => HIGH[usize::from(byte) - 0x80],
        _ => char::from(byte),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(bytes: &[u8], encoding: Option<&str>, expected: &str, lossy: bool) {
        let encoding = encoding.map(str::as_bytes);
        assert_eq!(decode(bytes, encoding), (expected.into(), lossy));
    }

    #[test]
    fn the_header_decides() {
        check("über".as_bytes(), None, "über", false);
        check(b"\xfcber", Some("ISO-8859-1"), "über", false);
        check(b"\xa4 5", Some("ISO-8859-15"), "€ 5", false);
        check(b"\x80 5 \x97", Some("windows-1252"), "€ 5 —", false);
    }

    #[test]
    fn what_is_not_understood_is_replaced_and_said() {
        check(b"\xfcber", None, "\u{fffd}ber", true);
        check(b"\x83\x65", Some("SHIFT_JIS"), "\u{fffd}e", true);
        check(b"plain", Some("SHIFT_JIS"), "plain", false);
    }
}
