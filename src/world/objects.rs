//! Reads commits, folders and files of a repository, in-process.

use std::borrow::Cow;
use std::cell::RefCell;
use std::path::PathBuf;

use gix::objs::{Find, Kind, TagRef};
use gix::odb::HeaderExt;
use gix::odb::find::Header;
use gix::odb::pack::cache::lru::MemoryCappedHashmap;
use gix::{ObjectId, oid};

use crate::world::commit_text::{Authors, CommitText, Words};
use crate::world::git_error::GitError;
use crate::world::grafts::{Grafts, read_grafts};
use crate::world::held::Held;
use crate::world::hex::id_of;
use crate::world::packs::{PackReader, Packs};
use crate::world::refs::target_of;
use crate::world::snapshot::Snapshot;

/// A reader of objects, for one thread.
pub struct Objects {
    local: gix::Repository,
    root: PathBuf,
    /// The quick way to objects in packs.
    packs: Option<RefCell<PackReader>>,
}

/// A commit's own data.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CommitRecord {
    pub parents: Vec<String>,
    /// The committer's time, seconds since 1970 (UTC).
    pub time: i64,
    pub words: Words,
}

/// What gix caches of a pack: as much as helps, not so much that clearing it costs.
const CACHE_BYTES: usize = 16 << 20;

impl Objects {
    pub(in crate::world) fn new(mut local: gix::Repository, root: PathBuf, packs: &Packs) -> Objects {
        local.objects.set_pack_cache(|| Box::new(MemoryCappedHashmap::new(CACHE_BYTES)));
        // gix knows which objects stand in for others.
        let is_plain = local.objects.store_ref().replacements().next().is_none();
        let packs = is_plain.then(|| RefCell::new(packs.reader()));
        Objects { local, root, packs }
    }

    /// Another reader of the same objects, for another thread.
    pub fn another(&self) -> Objects {
        let packs = self.packs.as_ref().map(|packs| RefCell::new(packs.borrow().another()));
        Objects { local: self.local.clone(), root: self.root.clone(), packs }
    }

    /// The bytes of one file in a commit; whoever reads several has a `Snapshot`.
    ///
    /// # Errors
    /// As `Snapshot::blob`.
    pub fn blob(&self, commit: &str, path: &str) -> Result<Option<Vec<u8>>, GitError> {
        Snapshot::of(self, commit).blob(path)
    }

    /// A commit's parents, time and words.
    ///
    /// # Errors
    /// No such commit.
    pub fn commit(&self, commit: &str) -> Result<CommitRecord, GitError> {
        let mut bytes = Vec::new();
        self.expect(&parse_id(commit)?, Kind::Commit, &mut bytes)?;
        let text = CommitText(&bytes);
        let (time, words) = text.time_and_words(&mut Authors::default(), Cow::into_owned);
        Ok(CommitRecord { parents: text.parents().map(|id| id.to_string()).collect(), time, words })
    }

    /// The committer's time of a commit, seconds since 1970 (UTC).
    ///
    /// # Errors
    /// No such commit.
    pub fn commit_time(&self, commit: &str) -> Result<i64, GitError> {
        let mut bytes = Vec::new();
        self.expect(&parse_id(commit)?, Kind::Commit, &mut bytes)?;
        Ok(CommitText(&bytes).time())
    }

    /// The tree of a commit.
    ///
    /// # Errors
    /// No such commit.
    pub fn tree_of(&self, commit: &str) -> Result<ObjectId, GitError> {
        let id = parse_id(commit)?;
        let mut bytes = Vec::new();
        self.expect(&id, Kind::Commit, &mut bytes)?;
        CommitText(&bytes).tree().ok_or_else(|| GitError::Damaged { id: commit.to_owned(), what: "no tree" })
    }

    /// Reads an object of a known kind into a buffer.
    ///
    /// # Errors
    /// Missing, left out of a partial clone, of another kind, unreadable.
    pub fn expect(&self, id: &oid, kind: Kind, buffer: &mut Vec<u8>) -> Result<(), GitError> {
        match self.read(id, buffer)? {
            found if found == kind => Ok(()),
            _ => Err(another_kind(id)),
        }
    }

    /// A tree, which is kept for those that stand on it.
    ///
    /// # Errors
    /// As `expect`.
    pub fn tree(&self, id: &oid) -> Result<Held, GitError> {
        let (kind, held) = match self.packs.as_ref().and_then(|packs| packs.borrow_mut().read_again(id)) {
            Some(found) => found,
            None => {
                let mut bytes = Vec::new();
                (self.read_by_gix(id, &mut bytes)?, Held::Whole(bytes.into()))
            }
        };
        if kind == Kind::Tree { Ok(held) } else { Err(another_kind(id)) }
    }

    /// Reads an object into a buffer.
    ///
    /// # Errors
    /// Missing, left out of a partial clone, unreadable.
    pub fn read(&self, id: &oid, buffer: &mut Vec<u8>) -> Result<Kind, GitError> {
        match self.packs.as_ref().and_then(|packs| packs.borrow_mut().read_into(id, buffer)) {
            Some(kind) => Ok(kind),
            None => self.read_by_gix(id, buffer),
        }
    }

    fn read_by_gix(&self, id: &oid, buffer: &mut Vec<u8>) -> Result<Kind, GitError> {
        if id.is_empty_tree() {
            buffer.clear();
            return Ok(Kind::Tree);
        }
        match self.local.objects.try_find(id, buffer) {
            Ok(Some(data)) => Ok(data.kind),
            Ok(None) => Err(self.missing(id)),
            Err(source) => Err(GitError::Read { what: format!("object {id}"), source: Box::new(source) }),
        }
    }

    /// How many deltas the pack puts between an object and its bytes; 0 where it is stored whole.
    pub fn delta_depth(&self, id: &oid) -> u32 {
        if let Some(depth) = self.packs.as_ref().and_then(|packs| packs.borrow_mut().depth(id)) {
            return depth;
        }
        match self.local.objects.header(id) {
            Ok(Header::Packed(place)) => place.num_deltas,
            _ => 0,
        }
    }

    /// What an annotated tag says, without a signature and the line ends at its end. `None` for a lightweight tag
    /// and where there is no tag of that name.
    ///
    /// # Errors
    /// A name git does not allow; an unreadable tag.
    pub fn tag_message(&self, tag: &str) -> Result<Option<String>, GitError> {
        let Some(id) = target_of(&self.local, &format!("refs/tags/{tag}"))? else { return Ok(None) };
        let mut bytes = Vec::new();
        if self.read(&id, &mut bytes)? != Kind::Tag {
            return Ok(None);
        }
        let damaged = |_| GitError::Damaged { id: id.to_string(), what: "it reads as no tag" };
        let read = TagRef::from_bytes(&bytes, id.kind()).map_err(damaged)?;
        Ok(Some(String::from_utf8_lossy(read.message).trim_end_matches(['\n', '\r']).to_owned()))
    }

    /// The commits whose parents a shallow clone does not have, sorted.
    ///
    /// # Errors
    /// An unreadable list.
    pub fn shallow_commits(&self) -> Result<Vec<ObjectId>, GitError> {
        let list = self.local.shallow_commits().map_err(|source| GitError::Read {
            what: "the list of shallow commits".to_owned(),
            source: Box::new(source),
        })?;
        let mut commits: Vec<ObjectId> = list.map(|list| list.iter().copied().collect()).unwrap_or_default();
        commits.sort_unstable();
        Ok(commits)
    }

    /// The parents that stand in for commits' own.
    ///
    /// # Errors
    /// An unreadable list.
    pub fn grafts(&self) -> Result<Grafts, GitError> {
        read_grafts(self.local.common_dir())
    }

    /// The error for a history that a shallow clone cut off.
    pub fn shallow_error(&self) -> GitError {
        GitError::Shallow { directory: self.root.clone() }
    }

    fn missing(&self, id: &oid) -> GitError {
        let id = id.to_string();
        if self.is_partial() { GitError::Promised { id } } else { GitError::Missing { id } }
    }

    fn is_partial(&self) -> bool {
        let config = self.local.config_snapshot();
        let promisor = |remote: &gix::bstr::BStr| {
            config.boolean(format!("remote.{remote}.promisor").as_str()).unwrap_or(false)
        };
        config.string("extensions.partialClone").is_some()
            || self.local.remote_names().iter().any(|name| promisor(name.as_ref()))
    }
}

fn another_kind(id: &oid) -> GitError {
    GitError::Damaged { id: id.to_string(), what: "an object of another kind was expected" }
}

/// A full object id.
///
/// # Errors
/// `BadName` for anything but forty hexadecimal digits.
pub fn parse_id(text: &str) -> Result<ObjectId, GitError> {
    id_of(text.as_bytes()).ok_or_else(|| GitError::BadName { name: text.to_owned() })
}
