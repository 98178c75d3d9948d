//! What is wrong with a file that people write for the next release.

/// One mistake, and where it stands.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{path}:{line}: {what}")]
pub struct Problem {
    /// The file, as seen from the repository's root.
    pub path: String,
    /// Counted from one.
    pub line: usize,
    /// What is wrong, and the way out.
    pub what: String,
}

/// The line in which a byte of a text stands, counted from one.
pub fn line_at(text: &str, byte: usize) -> usize {
    let before = text.as_bytes().iter().take(byte);
    before.filter(|byte| **byte == b'\n').count() + 1
}
