//! What a build leaves in its source tree: back ends write there, and a second try must not see it.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

/// How many files a tree may hold to be watched.
const MOST: usize = 50_000;

/// A tree as it was.
#[derive(Debug)]
pub struct Traces {
    root: PathBuf,
    /// Each path with size and time; of a folder neither. None where the tree is too large.
    before: Option<BTreeMap<PathBuf, Seen>>,
}

type Seen = Option<(u64, SystemTime)>;

impl Traces {
    /// Looks at a tree before a build.
    pub fn of(root: &Path) -> Traces {
        Traces { root: root.to_owned(), before: look(root).ok().flatten() }
    }

    /// All that is there, from the root.
    #[cfg(test)]
    pub fn paths(&self) -> Vec<PathBuf> {
        let all = self.before.as_ref().unwrap().keys();
        all.map(|path| path.strip_prefix(&self.root).unwrap().to_owned()).collect()
    }

    /// Takes away what is new since. False where that does not make the tree what it was.
    pub fn undo(&self) -> bool {
        let Some(before) = &self.before else { return false };
        let Ok(Some(now)) = look(&self.root) else { return false };
        for path in now.keys().filter(|path| !before.contains_key(*path)) {
            // Beneath a folder that is gone already, nothing is left.
            let _ =
                if now[path].is_none() { std::fs::remove_dir_all(path) } else { std::fs::remove_file(path) };
        }
        look(&self.root).ok().flatten().as_ref() == Some(before)
    }
}

fn look(root: &Path) -> io::Result<Option<BTreeMap<PathBuf, Seen>>> {
    let (mut seen, mut folders) = (BTreeMap::new(), vec![root.to_owned()]);
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder)? {
            let path = entry?.path();
            if path.file_name().is_some_and(|name| name == ".git") {
                continue;
            }
            let facts = path.symlink_metadata()?;
            if facts.is_dir() {
                seen.insert(path.clone(), None);
                // A package in a package may be built at the same time.
                if !path.join("pyproject.toml").exists() {
                    folders.push(path);
                }
            } else {
                seen.insert(path, Some((facts.len(), facts.modified()?)));
            }
            if seen.len() > MOST {
                return Ok(None);
            }
        }
    }
    Ok(Some(seen))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_new_is_taken_away_again() {
        let folder = tempfile::tempdir().unwrap();
        let at = |path: &str| folder.path().join(path);
        std::fs::create_dir(at("src")).unwrap();
        std::fs::create_dir(at("other")).unwrap();
        std::fs::write(at("other/pyproject.toml"), "").unwrap();
        std::fs::write(at("src/a.py"), "a").unwrap();
        let traces = Traces::of(folder.path());
        assert!(traces.undo(), "nothing happened");
        std::fs::create_dir_all(at("build/lib/deep")).unwrap();
        std::fs::write(at("build/lib/deep/a.py"), "a").unwrap();
        std::fs::write(at("src/a.pyc"), "a").unwrap();
        std::fs::write(at("other/new"), "").unwrap();
        assert!(traces.undo());
        assert!(at("other/new").exists(), "another package's folder is left alone");
        assert!(!at("build").exists() && !at("src/a.pyc").exists() && at("src/a.py").exists());
    }

    #[test]
    fn what_was_changed_can_not_be_taken_back() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("a.py"), "a").unwrap();
        let traces = Traces::of(folder.path());
        std::fs::write(folder.path().join("a.py"), "other").unwrap();
        assert!(!traces.undo());
        std::fs::remove_file(folder.path().join("a.py")).unwrap();
        assert!(!traces.undo());
    }
}
