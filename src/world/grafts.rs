//! Other parents than a commit itself names: git's old `info/grafts` (gitrepository-layout).

use std::path::Path;

use gix::ObjectId;
use gix::hashtable::HashMap;

use crate::world::git::read_or_empty;
use crate::world::git_error::GitError;
use crate::world::hex::id_of;

/// The parents that stand in for a commit's own.
pub type Grafts = HashMap<ObjectId, Vec<ObjectId>>;

/// Reads `info/grafts` below the git folder that worktrees share: a commit and its parents in each line. Lines that
/// are neither that nor a comment are passed over, as git does.
///
/// # Errors
/// An unreadable file.
pub fn read_grafts(folder: &Path) -> Result<Grafts, GitError> {
    let bytes = read_or_empty(&folder.join("info/grafts"))?;
    let text = String::from_utf8_lossy(&bytes);
    let ids = |line: &str| -> Option<Vec<ObjectId>> {
        line.split(' ').map(|word| id_of(word.as_bytes())).collect()
    };
    let mut grafts = Grafts::default();
    for mut line in text.lines().filter_map(|line| ids(line.trim_end())) {
        let parents = line.split_off(1);
        // The first line of a commit counts.
        grafts.entry(line[0]).or_insert(parents);
    }
    Ok(grafts)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_line_is_a_commit_and_its_parents() {
        let folder = tempfile::tempdir().unwrap();
        assert!(read_grafts(folder.path()).unwrap().is_empty());
        let [one, two, three] = ["1", "2", "3"].map(|digit| digit.repeat(40));
        std::fs::create_dir(folder.path().join("info")).unwrap();
        let text = format!("# a comment\n{one} {two} {three}\n\n{two}\n{one} {two}\n{three} short\n");
        std::fs::write(folder.path().join("info/grafts"), text).unwrap();
        let id = |hex: &String| ObjectId::from_hex(hex.as_bytes()).unwrap();
        let grafts = read_grafts(folder.path()).unwrap();
        assert_eq!(grafts.len(), 2);
        assert_eq!(grafts[&id(&one)], [id(&two), id(&three)]);
        assert!(grafts[&id(&two)].is_empty());
    }
}
