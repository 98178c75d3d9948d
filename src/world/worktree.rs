//! What in the worktree differs from a commit.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use crate::world::git::Repository;
use crate::world::git_command::{answer, git};
use crate::world::git_error::GitError;
use crate::world::snapshot::{File, Snapshot};
use crate::world::tree::Mode;

/// Files that no commit holds as they are. Paths from the repository's root, as bytes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DirtyFiles {
    /// Known to git and changed, staged or not; both names of a rename.
    pub changed: Vec<Vec<u8>>,
    /// Unknown to git and not ignored; a folder of only such files once, with a `/` at its end.
    pub untracked: Vec<Vec<u8>>,
}

impl DirtyFiles {
    pub fn is_empty(&self) -> bool {
        self.changed.is_empty() && self.untracked.is_empty()
    }
}

impl Repository {
    /// The files that differ from the last commit. Empty for a bare repository.
    ///
    /// # Errors
    /// Where `git status` fails.
    pub fn dirty_files(&self) -> Result<DirtyFiles, GitError> {
        if self.is_bare() {
            return Ok(DirtyFiles::default());
        }
        let arguments = ["status", "--porcelain=v2", "-z", "--untracked-files=normal", "--no-ahead-behind"];
        Ok(parse(&answer(git(self.root(), arguments))?))
    }

    /// Those of some paths whose file in the worktree is not the one that a commit holds: changed, gone, or there
    /// where the commit has none. What the index says plays no part. In the order given.
    ///
    /// # Errors
    /// `NotAFile` where the commit holds a folder at a path; whatever stops git.
    pub fn differing(&self, commit: &str, paths: &[&str]) -> Result<Vec<String>, GitError> {
        let objects = self.objects();
        let snapshot = Snapshot::of(&objects, commit);
        let mut held = Vec::new();
        let mut differing = BTreeSet::new();
        for path in paths {
            match snapshot.entry(path)? {
                Some(file) => held.push(file),
                None if is_there(&self.root().join(path)) => {
                    differing.insert(path.as_bytes().to_vec());
                }
                None => {}
            }
        }
        if !held.is_empty() {
            differing.extend(self.differing_files(&held)?);
        }
        let differs = |path: &&&str| differing.contains(path.as_bytes());
        Ok(paths.iter().filter(differs).map(|path| (*path).to_owned()).collect())
    }

    /// Compares files with the worktree through an index of their own, so that git's filters apply.
    fn differing_files(&self, files: &[File]) -> Result<Vec<Vec<u8>>, GitError> {
        let folder =
            tempfile::tempdir().map_err(|source| GitError::File { path: std::env::temp_dir(), source })?;
        let index = folder.path().join("index");
        let list = files.iter().map(index_line).collect::<Result<Vec<_>, _>>()?.concat();
        let fill = ["-c", "core.splitIndex=false", "update-index", "-z", "--index-info"];
        answer(git(self.root(), fill).set("GIT_INDEX_FILE", &index).reading(list))?;
        let compare = [
            "-c",
            "diff.autoRefreshIndex=true",
            "diff",
            "--name-only",
            "-z",
            "--no-renames",
            "--no-ext-diff",
        ];
        let names = answer(git(self.root(), compare).set("GIT_INDEX_FILE", &index))?;
        Ok(names.split(|byte| *byte == 0).map(<[u8]>::to_vec).collect())
    }
}

fn is_there(path: &Path) -> bool {
    fs::symlink_metadata(path).is_ok()
}

/// One line of `git update-index -z --index-info`.
fn index_line(file: &File) -> Result<Vec<u8>, GitError> {
    let mode = match file.mode {
        Mode::File => "100644",
        Mode::Executable => "100755",
        Mode::Symlink => "120000",
        Mode::Submodule => "160000",
        Mode::Folder => {
            let path = String::from_utf8_lossy(&file.path).into_owned();
            return Err(GitError::NotAFile { path, kind: file.mode.describe() });
        }
    };
    Ok([format!("{mode} {}\t", file.id).as_bytes(), &file.path, b"\0"].concat())
}

/// Reads `git status --porcelain=v2 -z` (git-status, "Porcelain Format Version 2").
fn parse(status: &[u8]) -> DirtyFiles {
    let mut dirty = DirtyFiles::default();
    let mut records = status.split(|byte| *byte == 0);
    while let Some(record) = records.next() {
        match record.first() {
            Some(b'1') => dirty.changed.extend(field(record, 8)),
            Some(b'2') => {
                dirty.changed.extend(field(record, 9));
                dirty.changed.extend(records.next().map(<[u8]>::to_vec));
            }
            Some(b'u') => dirty.changed.extend(field(record, 10)),
            Some(b'?') => dirty.untracked.extend(field(record, 1)),
            _ => {}
        }
    }
    dirty
}

/// All after a number of blanks: a path may hold blanks itself.
fn field(record: &[u8], blanks: usize) -> Option<Vec<u8>> {
    record.splitn(blanks + 1, |byte| *byte == b' ').nth(blanks).map(<[u8]>::to_vec)
}

#[cfg(test)]
mod tests;
