//! The files of one commit. A folder that was looked into is kept, so that the next look costs no object.

use std::cell::RefCell;
use std::collections::HashMap;

use gix::ObjectId;
use gix::objs::Kind;

use crate::world::beside::beside;
use crate::world::git_error::GitError;
use crate::world::objects::Objects;
use crate::world::tree::{Entry, Mode, entries};

/// The files of one commit, for one thread.
pub struct Snapshot<'o> {
    objects: &'o Objects,
    commit: &'o str,
    /// Folders by path.
    folders: RefCell<HashMap<Vec<u8>, Folder>>,
}

/// The bytes of a tree; `None` where no folder stands.
type Folder = Option<Box<[u8]>>;

/// An entry of a commit's files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct File {
    /// From the repository's root, as git stores it.
    pub path: Vec<u8>,
    pub mode: Mode,
    /// The object's full id.
    pub id: String,
}

/// What `Snapshot::find` comes upon.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// From the repository's root, as git stores it.
    pub path: Vec<u8>,
    pub mode: Mode,
}

impl<'o> Snapshot<'o> {
    pub fn of(objects: &'o Objects, commit: &'o str) -> Snapshot<'o> {
        Snapshot { objects, commit, folders: RefCell::default() }
    }

    /// The bytes of a file; `None` where the path does not exist.
    ///
    /// # Errors
    /// `NotAFile` for links, folders and submodules; unreadable objects.
    pub fn blob(&self, path: &str) -> Result<Option<Vec<u8>>, GitError> {
        let Some(id) = self.file(path)? else { return Ok(None) };
        let mut bytes = Vec::new();
        self.objects.expect(&id, Kind::Blob, &mut bytes)?;
        Ok(Some(bytes))
    }

    /// The id of a file's bytes; `None` where the path does not exist.
    ///
    /// # Errors
    /// `NotAFile` for links, folders and submodules; unreadable objects.
    pub fn file(&self, path: &str) -> Result<Option<ObjectId>, GitError> {
        match self.lookup(path.as_bytes())? {
            Some((mode, _)) if !mode.is_file() => {
                Err(GitError::NotAFile { path: path.to_owned(), kind: mode.describe() })
            }
            found => Ok(found.map(|(_, id)| id)),
        }
    }

    /// What stands at a path: links show as links.
    ///
    /// # Errors
    /// Unreadable objects.
    pub fn entry(&self, path: &str) -> Result<Option<File>, GitError> {
        let found = self.lookup(path.as_bytes())?;
        Ok(found.map(|(mode, id)| File { path: path.as_bytes().to_vec(), mode, id: id.to_string() }))
    }

    /// What kind of thing that is.
    ///
    /// # Errors
    /// Unreadable objects.
    pub fn mode(&self, path: &str) -> Result<Option<Mode>, GitError> {
        Ok(self.lookup(path.as_bytes())?.map(|(mode, _)| mode))
    }

    /// All entries but folders whose whole path is wanted, in git's order, below a folder (empty for the root).
    /// Only folders that `enters` allows are looked into. Reads no file. Where many folders stand in one, two threads look
    /// into them.
    ///
    /// # Errors
    /// Unreadable objects.
    pub fn find(
        &self,
        below: &str,
        enters: &(dyn Fn(&[u8]) -> bool + Sync),
        wanted: &(dyn Fn(&[u8]) -> bool + Sync),
    ) -> Result<Vec<Found>, GitError> {
        let halves = rayon::current_num_threads() > 1;
        let mut search = Search { objects: self.objects, enters, wanted, halves, came_by: CameBy::default() };
        if let Some(tree) = self.tree(below.as_bytes())? {
            search.folder(&mut below.as_bytes().to_vec(), &tree)?;
        }
        let CameBy { found, folders } = search.came_by;
        self.folders.borrow_mut().extend(folders.into_iter().map(|(path, bytes)| (path, Some(bytes))));
        Ok(found)
    }

    fn lookup(&self, path: &[u8]) -> Result<Option<(Mode, ObjectId)>, GitError> {
        let path = path.strip_suffix(b"/").unwrap_or(path);
        if path.is_empty() {
            return Ok(Some((Mode::Folder, self.objects.tree_of(self.commit)?)));
        }
        let (folder, name) = split(path);
        if !self.folders.borrow().contains_key(folder) {
            let entries = self.read_folder(folder)?;
            self.folders.borrow_mut().insert(folder.to_vec(), entries);
        }
        let folders = self.folders.borrow();
        let Some(Some(bytes)) = folders.get(folder) else { return Ok(None) };
        let found = entries(bytes).find(|entry| entry.name == name);
        Ok(found.map(|entry| (entry.mode, entry.id.to_owned())))
    }

    fn read_folder(&self, folder: &[u8]) -> Result<Folder, GitError> {
        let Some(tree) = self.tree(folder)? else { return Ok(None) };
        let mut bytes = Vec::new();
        self.objects.expect(&tree, Kind::Tree, &mut bytes)?;
        Ok(Some(bytes.into()))
    }

    /// The tree of a folder; `None` where no folder stands.
    fn tree(&self, folder: &[u8]) -> Result<Option<ObjectId>, GitError> {
        let found = self.lookup(folder)?;
        Ok(found.filter(|(mode, _)| *mode == Mode::Folder).map(|(_, tree)| tree))
    }
}

/// A path's folder, empty for the root, and the last name.
fn split(path: &[u8]) -> (&[u8], &[u8]) {
    match path.iter().rposition(|byte| *byte == b'/') {
        Some(slash) => (&path[..slash], &path[slash + 1..]),
        None => (b"", path),
    }
}

struct Search<'s> {
    objects: &'s Objects,
    enters: &'s (dyn Fn(&[u8]) -> bool + Sync),
    wanted: &'s (dyn Fn(&[u8]) -> bool + Sync),
    /// Whether another thread may take half of it.
    halves: bool,
    came_by: CameBy,
}

#[derive(Default)]
struct CameBy {
    found: Vec<Found>,
    /// The folders of what was found: most often it is read next.
    folders: Vec<(Vec<u8>, Box<[u8]>)>,
}

/// From how many folders in one on another thread gains more than it costs.
const MANY: usize = 128;

impl Search<'_> {
    fn folder(&mut self, path: &mut Vec<u8>, tree: &ObjectId) -> Result<(), GitError> {
        let mut bytes = Vec::new();
        self.objects.expect(tree, Kind::Tree, &mut bytes)?;
        let listed: Vec<Entry<'_>> = entries(&bytes).collect();
        let folders = listed.iter().filter(|entry| entry.mode == Mode::Folder).count();
        let holds = if self.halves && folders >= MANY {
            self.in_halves(path, &listed)?
        } else {
            self.entries(path, &listed)?
        };
        if holds {
            self.came_by.folders.push((path.clone(), bytes.into()));
        }
        Ok(())
    }

    /// Looks at the entries of a folder; tells whether it holds a wanted one itself.
    fn entries(&mut self, path: &mut Vec<u8>, listed: &[Entry<'_>]) -> Result<bool, GitError> {
        let length = path.len();
        let mut holds = false;
        for entry in listed {
            if length > 0 {
                path.push(b'/');
            }
            path.extend_from_slice(entry.name);
            if entry.mode != Mode::Folder {
                if (self.wanted)(path) {
                    holds = true;
                    self.came_by.found.push(Found { path: path.clone(), mode: entry.mode });
                }
            } else if (self.enters)(path) {
                self.folder(path, &entry.id.to_owned())?;
            }
            path.truncate(length);
        }
        Ok(holds)
    }

    /// The same with the second half beside the first.
    fn in_halves(&mut self, path: &mut Vec<u8>, listed: &[Entry<'_>]) -> Result<bool, GitError> {
        let (first, second) = listed.split_at(listed.len() / 2);
        let (objects, enters, wanted) = (self.objects.another(), self.enters, self.wanted);
        let mut below = path.clone();
        self.halves = false;
        let there = move || {
            let came_by = CameBy::default();
            let mut search = Search { objects: &objects, enters, wanted, halves: false, came_by };
            let holds = search.entries(&mut below, second)?;
            Ok::<_, GitError>((holds, search.came_by))
        };
        let (first, second) = beside(|| self.entries(path, first), there);
        self.halves = true;
        let (holds, (also, CameBy { found, folders })) = (first?, second?);
        self.came_by.found.extend(found);
        self.came_by.folders.extend(folders);
        Ok(holds || also)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::world::testing::TestRepository;

    fn paths(found: Vec<Found>) -> Vec<String> {
        found.into_iter().map(|one| String::from_utf8(one.path).unwrap()).collect()
    }

    #[test]
    fn files_are_found_and_read_wherever_they_stand() {
        let repository = TestRepository::init();
        repository.write("a/b/pyproject.toml", "deep");
        repository.write("a/pyproject.toml", "a");
        repository.write("c/pyproject.toml", "c");
        repository.write("pyproject.toml", "root");
        let commit = repository.commit("x");
        let opened = repository.open();
        let objects = opened.objects();
        let snapshot = Snapshot::of(&objects, &commit);
        let manifest = |path: &[u8]| path.ends_with(b"pyproject.toml");
        let all = snapshot.find("", &|_| true, &manifest).unwrap();
        assert_eq!(
            paths(all),
            ["a/b/pyproject.toml", "a/pyproject.toml", "c/pyproject.toml", "pyproject.toml"]
        );
        let shallow = snapshot.find("", &|folder| folder != b"a/b", &manifest).unwrap();
        assert_eq!(paths(shallow), ["a/pyproject.toml", "c/pyproject.toml", "pyproject.toml"]);
        assert_eq!(paths(snapshot.find("a/b", &|_| true, &manifest).unwrap()), ["a/b/pyproject.toml"]);
        assert!(snapshot.find("a/none", &|_| true, &manifest).unwrap().is_empty());
        assert!(snapshot.find("pyproject.toml", &|_| true, &|_| true).unwrap().is_empty());
        for (path, text) in [("a/b/pyproject.toml", "deep"), ("pyproject.toml", "root")] {
            assert_eq!(snapshot.blob(path).unwrap().as_deref(), Some(text.as_bytes()), "{path}");
        }
        for path in ["none", "a/none", "none/pyproject.toml", "pyproject.toml/x"] {
            assert_eq!(snapshot.blob(path).unwrap(), None, "{path}");
        }
        assert_eq!(snapshot.mode("a").unwrap(), Some(Mode::Folder));
        assert_eq!(snapshot.mode("a/").unwrap(), Some(Mode::Folder));
        assert!(matches!(snapshot.blob("a"), Err(GitError::NotAFile { .. })));
    }

    #[test]
    fn many_folders_are_listed_in_order_and_damage_in_any_is_told() {
        let repository = TestRepository::init();
        let expected: Vec<String> =
            (0..2 * MANY).map(|number| format!("p/{number:04}/x/pyproject.toml")).collect();
        for path in &expected {
            repository.write(path, path);
        }
        let commit = repository.commit("x");
        let opened = repository.open();
        let objects = opened.objects();
        let snapshot = Snapshot::of(&objects, &commit);
        let found = snapshot.find("", &|folder| folder != b"p/0003", &|_| true).unwrap();
        let but = |path: &&String| !path.starts_with("p/0003/");
        assert_eq!(paths(found), expected.iter().filter(but).cloned().collect::<Vec<_>>());
        for path in [&expected[0], &expected[2 * MANY - 1]] {
            assert_eq!(snapshot.blob(path).unwrap().as_deref(), Some(path.as_bytes()));
            let tree = repository.git(&["rev-parse", &format!("{commit}:{}", &path[..6])]);
            let object = repository.path().join(".git/objects").join(&tree[..2]).join(&tree[2..]);
            let bytes = std::fs::read(&object).unwrap();
            std::fs::remove_file(&object).unwrap();
            let fresh = opened.objects();
            let damaged = Snapshot::of(&fresh, &commit).find("", &|_| true, &|_| true);
            assert!(damaged.is_err_and(|error| error.to_string().contains(&tree)), "{path}");
            std::fs::write(&object, bytes).unwrap();
        }
    }
}
