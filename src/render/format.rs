//! The markup languages that changelogs are written in.

/// A markup language.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    Markdown,
    ReStructuredText,
}

impl Format {
    /// The language of a file, by its name: `.rst` and `.txt` as Python projects use them, else Markdown.
    pub fn of(path: &str) -> Format {
        let name = path.to_ascii_lowercase();
        if name.ends_with(".rst") || name.ends_with(".txt") {
            Format::ReStructuredText
        } else {
            Format::Markdown
        }
    }
}
