//! Paths inside the repository.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A path relative to the repository's root, with `/` between its parts; the root itself prints as `.`.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RepoPath(String);

impl RepoPath {
    /// Takes a path as written: `./a/b/`, `a/b` and `.` for the root. `None` where it is absolute or holds `..`.
    pub fn new(text: &str) -> Option<RepoPath> {
        if text.starts_with('/') {
            return None;
        }
        let parts: Vec<&str> = text.split('/').filter(|part| !part.is_empty() && *part != ".").collect();
        if parts.contains(&"..") {
            return None;
        }
        Some(RepoPath(parts.join("/")))
    }

    pub fn root() -> RepoPath {
        RepoPath::default()
    }

    pub fn is_root(&self) -> bool {
        self.0.is_empty()
    }

    /// The path as git writes it; empty for the root.
    pub fn as_git(&self) -> &str {
        &self.0
    }

    pub fn join(&self, below: &str) -> RepoPath {
        match (self.is_root(), below.is_empty()) {
            (true, _) => RepoPath(below.to_owned()),
            (_, true) => self.clone(),
            _ => RepoPath(format!("{}/{below}", self.0)),
        }
    }

    /// The part of `path` below this folder; `None` where it stands elsewhere.
    pub fn strip<'a>(&self, path: &'a str) -> Option<&'a str> {
        if self.is_root() {
            return Some(path);
        }
        path.strip_prefix(self.0.as_str())?.strip_prefix('/')
    }

    pub fn file_name(&self) -> &str {
        self.0.rsplit('/').next().unwrap_or("")
    }
}

impl fmt::Display for RepoPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.is_root() { "." } else { &self.0 })
    }
}

impl Serialize for RepoPath {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for RepoPath {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<RepoPath, D::Error> {
        let text = String::deserialize(deserializer)?;
        RepoPath::new(&text)
            .ok_or_else(|| serde::de::Error::custom(format!("`{text}` leads out of the repository")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_never_leads_out() {
        assert_eq!(RepoPath::new("../x"), None);
        assert_eq!(RepoPath::new("/x"), None);
        assert_eq!(RepoPath::new("./a//b/").map(|path| path.to_string()).as_deref(), Some("a/b"));
        assert_eq!(RepoPath::new(".").map(|path| path.to_string()).as_deref(), Some("."));
    }

    #[test]
    fn a_folder_strips_only_its_own_files() {
        let core = RepoPath::new("pkg/core").unwrap();
        assert_eq!(core.strip("pkg/core/a.py"), Some("a.py"));
        assert_eq!(core.strip("pkg/core-utils/a.py"), None);
    }
}
