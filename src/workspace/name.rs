//! Package names as PEP 503 compares them.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A distribution's name in PEP 503's normal form: lower case, runs of `-`, `_`, `.` as one `-`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct PackageName(String);

impl PackageName {
    /// Normalises a name; any text is taken (`is_valid` tells whether PEP 508 allows it).
    pub fn new(text: &str) -> PackageName {
        PackageName(normalize(text))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The name as PEP 427 and PEP 625 write it in file names.
    pub fn in_file_names(&self) -> String {
        self.0.replace('-', "_")
    }
}

impl fmt::Display for PackageName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// PEP 503's normal form of a name.
pub fn normalize(text: &str) -> String {
    let mut normal = String::with_capacity(text.len());
    let mut separated = false;
    for character in text.chars() {
        if matches!(character, '-' | '_' | '.') {
            separated = true;
            continue;
        }
        if std::mem::take(&mut separated) {
            normal.push('-');
        }
        match character.is_ascii() {
            true => normal.push(character.to_ascii_lowercase()),
            false => normal.extend(character.to_lowercase()),
        }
    }
    if separated {
        normal.push('-');
    }
    normal
}

/// Whether PEP 508 allows the text as a name: ASCII letters and digits, `-`, `_`, `.` only inside.
pub fn is_valid(text: &str) -> bool {
    let bytes = text.as_bytes();
    let edge = |byte: Option<&u8>| byte.is_some_and(u8::is_ascii_alphanumeric);
    edge(bytes.first())
        && edge(bytes.last())
        && bytes.iter().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runs_of_separators_become_one_dash() {
        assert_eq!(PackageName::new("Foo._-Bar").as_str(), "foo-bar");
        assert_eq!(PackageName::new("a--b").in_file_names(), "a_b");
        assert!(!is_valid("_no"));
        assert!(is_valid("a.b"));
    }
}
