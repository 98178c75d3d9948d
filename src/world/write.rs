//! Writes commits and annotated tags as objects, with no ref moved.
//!
//! Nothing runs meanwhile: no hook, no editor, no signing program. `commit.gpgSign` and `tag.gpgSign`
//! play no part: what is written here is unsigned.

use gix::ObjectId;
use gix::objs::Kind;
use gix::objs::tree::EntryKind;

use crate::world::git::{Person, Repository};
use crate::world::git_error::GitError;
use crate::world::objects::parse_id;
use crate::world::snapshot::Snapshot;
use crate::world::tree::Mode;

/// A file's new bytes, or that it goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileWrite {
    /// From the repository's root, as git writes it.
    pub path: String,
    /// `None` deletes the file; one that is not there is no error.
    pub bytes: Option<Vec<u8>>,
}

/// Who writes, and when.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stamp {
    pub who: Person,
    /// Seconds since 1970 (UTC).
    pub time: i64,
}

impl Repository {
    /// Writes a commit on top of another: the base's files with some replaced, added or deleted. A file
    /// keeps its mode; a new one is no executable. The same input gives the same id.
    ///
    /// # Errors
    /// `NotAFile` where a link, folder or submodule stands at a path or above it.
    pub fn write_commit(
        &self,
        base: &str,
        files: &[FileWrite],
        message: &str,
        author: &Stamp,
        committer: &Stamp,
    ) -> Result<String, GitError> {
        let objects = self.objects();
        let snapshot = Snapshot::of(&objects, base);
        let kinds =
            files.iter().map(|file| kind_for(&snapshot, &file.path)).collect::<Result<Vec<_>, _>>()?;
        let local = self.local();
        let mut editor =
            local.edit_tree(objects.tree_of(base)?).map_err(|source| write_error("a tree", source))?;
        for (file, kind) in files.iter().zip(kinds) {
            let failed = |source| write_error(&file.path, source);
            match &file.bytes {
                Some(bytes) => {
                    let blob = local.write_blob(bytes).map_err(failed)?;
                    editor.upsert(file.path.as_str(), kind, blob).map_err(failed)?;
                }
                None => {
                    editor.remove(file.path.as_str()).map_err(failed)?;
                }
            }
        }
        let tree = editor.write().map_err(|source| write_error("a tree", source))?.detach();
        self.write_commit_object(&local, tree, &[parse_id(base)?], message, author, committer)
    }

    /// Writes an annotated tag's object, naming a commit; no ref is made.
    ///
    /// # Errors
    /// A name or an id git does not allow; no such commit.
    pub fn write_tag_object(
        &self,
        name: &str,
        target: &str,
        message: &str,
        tagger: &Stamp,
    ) -> Result<String, GitError> {
        gix::validate::tag::name(name.into()).map_err(|_| GitError::BadName { name: name.to_owned() })?;
        let target = parse_id(target)?;
        self.objects().expect(&target, Kind::Commit, &mut Vec::new())?;
        let tag = gix::objs::Tag {
            target,
            target_kind: Kind::Commit,
            name: name.into(),
            tagger: Some(signature(tagger)),
            message: with_newline(message).into(),
            signature: None,
        };
        let id = self.local().write_object(&tag).map_err(|source| write_error(name, source))?.detach();
        Ok(id.to_string())
    }

    pub(in crate::world) fn write_commit_object(
        &self,
        local: &gix::Repository,
        tree: ObjectId,
        parents: &[ObjectId],
        message: &str,
        author: &Stamp,
        committer: &Stamp,
    ) -> Result<String, GitError> {
        let commit = gix::objs::Commit {
            tree,
            parents: parents.iter().copied().collect(),
            author: signature(author),
            committer: signature(committer),
            encoding: None,
            message: with_newline(message).into(),
            extra_headers: Vec::new(),
        };
        let id = local.write_object(&commit).map_err(|source| write_error("a commit", source))?;
        Ok(id.to_string())
    }
}

pub(in crate::world) fn write_error(what: &str, source: gix::Error) -> GitError {
    GitError::Write { what: what.to_owned(), source: Box::new(source) }
}

pub(in crate::world) fn signature(stamp: &Stamp) -> gix::actor::Signature {
    gix::actor::Signature {
        name: plain(&stamp.who.name).into(),
        email: plain(&stamp.who.email).into(),
        time: gix::date::Time { seconds: stamp.time, offset: 0 },
    }
}

/// Drops what git itself drops from names: angle brackets and line ends (git-commit-tree, "Commit information").
fn plain(text: &str) -> String {
    text.chars().filter(|character| !matches!(character, '<' | '>' | '\n' | '\r' | '\0')).collect()
}

fn with_newline(message: &str) -> String {
    format!("{}\n", message.trim_end_matches('\n').replace('\0', ""))
}

fn kind_for(base: &Snapshot<'_>, path: &str) -> Result<EntryKind, GitError> {
    for (slash, _) in path.match_indices('/') {
        match base.mode(&path[..slash])? {
            None | Some(Mode::Folder) => {}
            Some(mode) => return Err(not_a_file(&path[..slash], mode)),
        }
    }
    match base.mode(path)? {
        None | Some(Mode::File) => Ok(EntryKind::Blob),
        Some(Mode::Executable) => Ok(EntryKind::BlobExecutable),
        Some(mode) => Err(not_a_file(path, mode)),
    }
}

fn not_a_file(path: &str, mode: Mode) -> GitError {
    GitError::NotAFile { path: path.to_owned(), kind: mode.describe() }
}
