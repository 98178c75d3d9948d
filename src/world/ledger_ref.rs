//! An append-only chain of commits under a ref, each holding a few files.
//!
//! Knows names and bytes; what they mean is the ledger's matter. Objects are written in-process and the
//! ref is moved by compare-and-swap, so an append costs milliseconds and never overwrites another's.

use std::collections::BTreeMap;
use std::time::Duration;

use gix::ObjectId;
use gix::objs::Kind;
use gix::objs::tree::EntryKind;
use gix::refs::Target;
use gix::refs::transaction::{PreviousValue, RefEdit};

use crate::world::commit_text::CommitText;
use crate::world::files::Lock;
use crate::world::git::Repository;
use crate::world::git_error::GitError;
use crate::world::objects::{Objects, parse_id};
use crate::world::refs::lost_race;
use crate::world::tree::{Mode, entries};
use crate::world::write::{Stamp, signature, write_error};

/// How often, and how far apart, a lock that somebody may have left is looked at before it is taken away.
const LEFT_TRIES: u32 = 10;
const LEFT_PAUSE: Duration = Duration::from_millis(200);
/// How often a ref that others move at the same time is looked at again.
const FOLLOWED: u32 = 5;

/// Files by name; names may hold `/`.
pub type Files = BTreeMap<String, Vec<u8>>;

/// One link of the chain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LedgerHead {
    /// The commit's full id.
    pub commit: String,
    pub files: Files,
}

impl Repository {
    /// The newest link of the chain under a ref; `None` where nothing was ever appended.
    ///
    /// # Errors
    /// Unreadable objects.
    pub fn ledger_head(&self, name: &str) -> Result<Option<LedgerHead>, GitError> {
        let Some(commit) = self.ref_target(name)? else { return Ok(None) };
        let files = files_of(&self.objects(), &commit)?;
        Ok(Some(LedgerHead { commit, files }))
    }

    /// Moves a chain's ref from where it was last seen to a link on top of that.
    ///
    /// # Errors
    /// `LostRace` where the chain grew meanwhile; nothing is changed then.
    pub(in crate::world) fn move_link(
        &self,
        name: &str,
        expected: Option<&str>,
        link: &str,
        by: &Stamp,
    ) -> Result<(), GitError> {
        let moved = self.move_link_ref(name, expected, link, by);
        moved.map_err(|error| self.append_error(name, expected, error))
    }

    /// Writes a link's objects and moves no ref. The same input gives the same commit.
    ///
    /// # Errors
    /// An id git does not allow; objects that can not be written.
    pub(in crate::world) fn write_link(
        &self,
        parent: Option<&str>,
        files: &Files,
        message: &str,
        by: &Stamp,
    ) -> Result<String, GitError> {
        let local = self.local();
        let parents: Vec<ObjectId> = parent.map(parse_id).transpose()?.into_iter().collect();
        let tree = write_tree(&local, files)?;
        self.write_commit_object(&local, tree, &parents, message, by, by)
    }

    /// Moves a chain's ref forward to a link; where it stands there or further already, it stays.
    ///
    /// # Errors
    /// A ref that can not be moved; `LostRace` where it stands on another chain.
    pub(in crate::world) fn follow_link(&self, name: &str, link: &str, by: &Stamp) -> Result<(), GitError> {
        let mut attempts = 0;
        loop {
            let found = self.ref_target(name)?;
            if let Some(found) = &found {
                if self.chain_holds(found, link)? {
                    return Ok(());
                }
                if !self.chain_holds(link, found)? {
                    return Err(lost_race(name, Some(link.to_owned()), Some(found.clone())));
                }
            }
            attempts += 1;
            match self.move_link_ref(name, found.as_deref(), link, by) {
                Ok(()) => return Ok(()),
                Err(error) if attempts == FOLLOWED => return Err(error),
                Err(_) => {}
            }
        }
    }

    /// Whether a link stands in the chain that ends with `head`.
    ///
    /// # Errors
    /// Unreadable objects; `Shallow` where a shallow clone cut the chain off.
    pub(in crate::world) fn chain_holds(&self, head: &str, link: &str) -> Result<bool, GitError> {
        let objects = self.objects();
        let mut next = Some(head.to_owned());
        while let Some(commit) = next {
            if commit == link {
                return Ok(true);
            }
            next = parent_of(&objects, &commit).map_err(|error| match error {
                GitError::Missing { .. } if self.is_shallow() => objects.shallow_error(),
                error => error,
            })?;
        }
        Ok(false)
    }

    /// The files of one link.
    ///
    /// # Errors
    /// Unreadable objects.
    pub(in crate::world) fn link_files(&self, commit: &str) -> Result<Files, GitError> {
        files_of(&self.objects(), commit)
    }

    /// Who moves a ref of ours does it under a lock that the system takes back from the dead. So a `.lock` of the ref
    /// that is there all the same was left by one of us who was killed, and is no reason to wait for a person.
    fn move_link_ref(
        &self,
        name: &str,
        expected: Option<&str>,
        link: &str,
        by: &Stamp,
    ) -> Result<(), GitError> {
        let lock = self.common_dir().join("release").join("refs.lock");
        // Where it can not be made, the edit tells why.
        let alone = Lock::take(&lock);
        match self.edit_link_ref(name, expected, link, by) {
            Err(_) if alone.is_ok() && self.clear_left_lock(name) => {
                self.edit_link_ref(name, expected, link, by)
            }
            done => done,
        }
    }

    /// Whether there was a lock of a ref of ours, and is none any more. A git of the user's has it for a moment only.
    fn clear_left_lock(&self, name: &str) -> bool {
        let path = self.common_dir().join(format!("{name}.lock"));
        if !name.starts_with("refs/release/") || !path.exists() {
            return false;
        }
        for _ in 0..LEFT_TRIES {
            std::thread::sleep(LEFT_PAUSE);
            if !path.exists() {
                return true;
            }
        }
        std::fs::remove_file(&path).is_ok()
    }

    fn edit_link_ref(
        &self,
        name: &str,
        expected: Option<&str>,
        link: &str,
        by: &Stamp,
    ) -> Result<(), GitError> {
        let previous = match expected {
            Some(id) => PreviousValue::MustExistAndMatch(Target::Object(parse_id(id)?)),
            None => PreviousValue::MustNotExist,
        };
        let full = name.try_into().map_err(|_| GitError::BadName { name: name.to_owned() })?;
        let edit = RefEdit::update(full, parse_id(link)?, previous, "release: append");
        let mut time = gix::date::parse::TimeBuf::default();
        let signature = signature(by);
        match self.local().edit_references_as([edit], Some(signature.to_ref(&mut time))) {
            Ok(_) => Ok(()),
            Err(source) => Err(write_error(name, source)),
        }
    }

    /// The chain from its newest link to its first.
    ///
    /// # Errors
    /// An unreadable ref; each link may be an error of its own, and is the last one then.
    pub fn ledger_history(
        &self,
        name: &str,
    ) -> Result<impl Iterator<Item = Result<LedgerHead, GitError>>, GitError> {
        let objects = self.objects();
        let mut next = self.ref_target(name)?;
        Ok(std::iter::from_fn(move || {
            let commit = next.take()?;
            let link = files_of(&objects, &commit).and_then(|files| {
                next = parent_of(&objects, &commit)?;
                Ok(LedgerHead { commit, files })
            });
            Some(link)
        }))
    }

    fn append_error(&self, name: &str, expected: Option<&str>, error: GitError) -> GitError {
        match self.ref_target(name) {
            Ok(found) if found.as_deref() != expected => lost_race(name, expected.map(str::to_owned), found),
            _ => error,
        }
    }
}

fn write_tree(local: &gix::Repository, files: &Files) -> Result<ObjectId, GitError> {
    let empty = ObjectId::empty_tree(local.object_hash());
    let mut editor = local.edit_tree(empty).map_err(|source| write_error("a tree", source))?;
    for (name, bytes) in files {
        let failed = |source| write_error(name, source);
        let blob = local.write_blob(bytes).map_err(failed)?;
        editor.upsert(name.as_str(), EntryKind::Blob, blob).map_err(failed)?;
    }
    Ok(editor.write().map_err(|source| write_error("a tree", source))?.detach())
}

fn files_of(objects: &Objects, commit: &str) -> Result<Files, GitError> {
    let mut files = Files::new();
    read_below(objects, objects.tree_of(commit)?, "", &mut files)?;
    Ok(files)
}

fn read_below(objects: &Objects, tree: ObjectId, prefix: &str, files: &mut Files) -> Result<(), GitError> {
    let mut bytes = Vec::new();
    objects.expect(&tree, Kind::Tree, &mut bytes)?;
    for entry in entries(&bytes) {
        let name = format!("{prefix}{}", String::from_utf8_lossy(entry.name));
        match entry.mode {
            Mode::Folder => read_below(objects, entry.id.to_owned(), &format!("{name}/"), files)?,
            Mode::File | Mode::Executable => {
                let mut content = Vec::new();
                objects.expect(entry.id, Kind::Blob, &mut content)?;
                files.insert(name, content);
            }
            Mode::Symlink | Mode::Submodule => {
                return Err(GitError::NotAFile { path: name, kind: entry.mode.describe() });
            }
        }
    }
    Ok(())
}

fn parent_of(objects: &Objects, commit: &str) -> Result<Option<String>, GitError> {
    let mut bytes = Vec::new();
    objects.expect(&parse_id(commit)?, Kind::Commit, &mut bytes)?;
    Ok(CommitText(&bytes).parents().next().map(|id| id.to_string()))
}

#[cfg(test)]
mod tests;
