//! Which workflow files are to be written or deleted: those that are wanted against those that are there.

use std::collections::BTreeMap;

use similar::TextDiff;

use crate::render::workflows::HEADER;

/// The folder that GitHub reads workflows from.
pub const FOLDER: &str = ".github/workflows";

/// One file that is not as it should be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileChange {
    /// From the repository's root.
    pub path: String,
    /// What is there; none where nothing is.
    pub old: Option<String>,
    /// What should be there; none where nothing should.
    pub new: Option<String>,
}

/// Files of somebody's own under the names of ours.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not made by `release generate`, and not overwritten: {}", paths.join(", "))]
pub struct Foreign {
    pub paths: Vec<String>,
}

/// The changes that bring the folder up to date, by path. `present` holds the files of the folder, by name.
///
/// # Errors
/// Where a file that is wanted is somebody's own.
pub fn changes(
    wanted: &BTreeMap<&'static str, String>,
    present: &BTreeMap<String, String>,
) -> Result<Vec<FileChange>, Foreign> {
    let path = |name: &str| format!("{FOLDER}/{name}");
    let is_ours = |text: &str| text.replace("\r\n", "\n").starts_with(HEADER);
    let foreign: Vec<String> = wanted
        .keys()
        .filter(|name| present.get(**name).is_some_and(|text| !is_ours(text)))
        .map(|name| path(name))
        .collect();
    if !foreign.is_empty() {
        return Err(Foreign { paths: foreign });
    }
    let mut changes = Vec::new();
    for (name, text) in wanted {
        let old = present.get(*name);
        if old != Some(text) {
            changes.push(FileChange { path: path(name), old: old.cloned(), new: Some(text.clone()) });
        }
    }
    for (name, text) in
        present.iter().filter(|(name, text)| !wanted.contains_key(name.as_str()) && is_ours(text))
    {
        changes.push(FileChange { path: path(name), old: Some(text.clone()), new: None });
    }
    changes.sort_by(|one, other| one.path.cmp(&other.path));
    Ok(changes)
}

impl FileChange {
    /// What is wrong, in a word.
    pub fn word(&self) -> &'static str {
        match (&self.old, &self.new) {
            (None, _) => "missing",
            (_, None) => "left over",
            _ => "stale",
        }
    }

    /// From what is there to what should be, as `diff -u` writes it.
    pub fn diff(&self) -> String {
        let side = |text: &Option<String>, letter: char| match text {
            Some(_) => format!("{letter}/{}", self.path),
            None => "/dev/null".to_owned(),
        };
        let [old, new] = [&self.old, &self.new].map(|text| text.as_deref().unwrap_or_default());
        let diff = TextDiff::from_lines(old, new);
        diff.unified_diff().header(&side(&self.old, 'a'), &side(&self.new, 'b')).to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ours(body: &str) -> String {
        format!("{HEADER}{body}\n")
    }

    fn present(files: &[(&str, &str)]) -> BTreeMap<String, String> {
        files.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())).collect()
    }

    #[test]
    fn what_is_missing_stale_and_left_over_is_told_with_a_diff() {
        let wanted = BTreeMap::from([("release.yml", ours("one")), ("release-plan.yml", ours("two"))]);
        let there = present(&[
            ("release.yml", &ours("old")),
            ("release-tick.yml", &ours("gone")),
            ("ci.yml", "name: ci\n"),
        ]);
        let found = changes(&wanted, &there).unwrap();
        let words: Vec<(&str, &str)> =
            found.iter().map(|change| (change.path.as_str(), change.word())).collect();
        assert_eq!(
            words,
            [
                (".github/workflows/release-plan.yml", "missing"),
                (".github/workflows/release-tick.yml", "left over"),
                (".github/workflows/release.yml", "stale"),
            ]
        );
        assert!(found[0].diff().starts_with("--- /dev/null\n+++ b/.github/workflows/release-plan.yml\n@@"));
        assert!(found[1].diff().contains("\n-gone\n"), "{}", found[1].diff());
        assert!(found[2].diff().contains("\n-old\n+one\n"), "{}", found[2].diff());
        let done = present(&[("release.yml", &ours("one")), ("release-plan.yml", &ours("two"))]);
        assert_eq!(changes(&wanted, &done), Ok(Vec::new()));
    }

    #[test]
    fn a_file_of_somebodys_own_is_not_overwritten() {
        let wanted = BTreeMap::from([("release.yml", ours("one"))]);
        let refused = changes(&wanted, &present(&[("release.yml", "name: mine\n")])).unwrap_err();
        assert_eq!(refused.paths, [".github/workflows/release.yml"]);
        let old = ours("x").replace('\n', "\r\n");
        assert_eq!(
            changes(&wanted, &present(&[("release.yml", &old)])).unwrap().len(),
            1,
            "line ends do not make it theirs"
        );
    }
}
