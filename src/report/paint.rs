//! Colors for terminals; nothing is said by color alone.

/// How a stretch of text is painted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Paint {
    #[default]
    Plain,
    Bold,
    Dim,
    Red,
    Yellow,
    Green,
    Cyan,
}

impl Paint {
    /// The text in this paint where color is wanted, else the text.
    pub fn on(self, text: &str, color: bool) -> String {
        match self.code() {
            Some(code) if color && !text.is_empty() => format!("\u{1b}[{code}m{text}\u{1b}[0m"),
            _ => text.to_owned(),
        }
    }

    /// The parameter of SGR (ECMA-48, section 8.3.117).
    fn code(self) -> Option<&'static str> {
        match self {
            Paint::Plain => None,
            Paint::Bold => Some("1"),
            Paint::Dim => Some("2"),
            Paint::Red => Some("1;31"),
            Paint::Yellow => Some("33"),
            Paint::Green => Some("32"),
            Paint::Cyan => Some("36"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_color_the_text_is_the_text() {
        assert_eq!(Paint::Red.on("x", false), "x");
        assert_eq!(Paint::Red.on("x", true), "\u{1b}[1;31mx\u{1b}[0m");
        assert_eq!(Paint::Plain.on("x", true), "x");
        assert_eq!(Paint::Red.on("", true), "");
    }
}
