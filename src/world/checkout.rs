//! Brings files of a commit to disk: single paths into the worktree, a whole commit into a folder.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::Path;

use crate::world::git::Repository;
use crate::world::git_command::{answer, git};
use crate::world::git_error::GitError;

impl Repository {
    /// Puts some paths into index and worktree as a commit holds them. Whatever stood there goes. A path is a name,
    /// never a pattern.
    ///
    /// # Errors
    /// Where the commit does not hold a path, or git fails.
    pub fn checkout_paths(&self, commit: &str, paths: &[&str]) -> Result<(), GitError> {
        if paths.is_empty() {
            return Ok(());
        }
        let list = paths.join("\0");
        let arguments = ["checkout", "--quiet", commit, "--pathspec-from-file=-", "--pathspec-file-nul"];
        answer(git(self.root(), arguments).reading(list)).map(drop)
    }

    /// Deletes some files, changed or not, from index and worktree, and folders that are empty then. A path that
    /// git does not know is passed by: an untracked file stays. A path is a name, never a pattern.
    ///
    /// # Errors
    /// Where a path is a folder, or git fails.
    pub fn remove_paths(&self, paths: &[&str]) -> Result<(), GitError> {
        if paths.is_empty() {
            return Ok(());
        }
        let list = paths.join("\0");
        let arguments =
            ["rm", "--quiet", "--force", "--ignore-unmatch", "--pathspec-from-file=-", "--pathspec-file-nul"];
        answer(git(self.root(), arguments).reading(list)).map(drop)
    }

    /// Checks a commit out, clean, into a folder that is empty or not there yet.
    ///
    /// The folder becomes a small repository that borrows our objects, so that build back ends which ask
    /// git for versions or file lists find commit and tags: all our tags, and besides them `tags` (name
    /// and object id), which need no ref here. Nothing of ours changes. No hook runs, line ends stay as
    /// they are committed, modes do not depend on the umask. Large files (LFS) come from our own store if
    /// that holds them; nothing is fetched unless `GIT_LFS_SKIP_SMUDGE` is set to 0 in our environment.
    ///
    /// # Errors
    /// A folder with something in it; no such commit; whatever stops git.
    pub fn export(&self, commit: &str, into: &Path, tags: &[(String, String)]) -> Result<(), GitError> {
        require_empty(into)?;
        let name = into.as_os_str();
        let init = ["init", "--quiet", "--template=", "--object-format=sha1", "--initial-branch=release"];
        let mut command = git(self.root(), init);
        command.args.push(name.to_owned());
        answer(command)?;
        self.lend_objects(into, tags)?;
        let skip = std::env::var("GIT_LFS_SKIP_SMUDGE").unwrap_or_else(|_| "1".to_owned());
        let checkout = ["-c", "core.autocrlf=false", "checkout", "--quiet", "--detach", commit];
        answer(git(into, checkout).set("GIT_LFS_SKIP_SMUDGE", skip))?;
        set_modes(into).map_err(|source| GitError::File { path: into.to_owned(), source })
    }

    fn lend_objects(&self, into: &Path, tags: &[(String, String)]) -> Result<(), GitError> {
        let (ours, theirs) = (self.common_dir(), into.join(".git"));
        let ours = ours.canonicalize().map_err(|source| GitError::File { path: ours, source })?;
        write(&theirs.join("objects/info/alternates"), quoted(&ours.join("objects")))?;
        if let Ok(shallow) = fs::read(ours.join("shallow")) {
            write(&theirs.join("shallow"), shallow)?;
        }
        let large = ours.join("lfs");
        if large.is_dir() {
            let mut command = git(into, ["config", "lfs.storage"]);
            command.args.push(large.into_os_string());
            answer(command)?;
        }
        write(&theirs.join("packed-refs"), self.packed_tags(tags)?)
    }

    /// Our tags and some more, as a `packed-refs` file holds them.
    fn packed_tags(&self, more: &[(String, String)]) -> Result<Vec<u8>, GitError> {
        let list =
            answer(git(self.root(), ["for-each-ref", "--format=%(objectname) %(refname)", "refs/tags"]))?;
        let mut refs: BTreeMap<Vec<u8>, Vec<u8>> = BTreeMap::new();
        for line in list.split(|byte| *byte == b'\n').filter(|line| line.len() > 41) {
            refs.insert(line[41..].to_vec(), line[..40].to_vec());
        }
        for (name, id) in more {
            refs.insert(format!("refs/tags/{name}").into_bytes(), id.clone().into_bytes());
        }
        let mut file = b"# pack-refs with: sorted \n".to_vec();
        for (name, id) in refs {
            file.extend([id.as_slice(), b" ", name.as_slice(), b"\n"].concat());
        }
        Ok(file)
    }
}

fn require_empty(folder: &Path) -> Result<(), GitError> {
    let problem = |source| GitError::File { path: folder.to_owned(), source };
    match fs::read_dir(folder) {
        Ok(mut entries) => match entries.next() {
            None => Ok(()),
            Some(_) => Err(problem(io::ErrorKind::DirectoryNotEmpty.into())),
        },
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(problem(error)),
    }
}

fn write(path: &Path, bytes: impl AsRef<[u8]>) -> Result<(), GitError> {
    let problem = |source| GitError::File { path: path.to_owned(), source };
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder).map_err(problem)?;
    }
    fs::write(path, bytes).map_err(problem)
}

/// A path as `objects/info/alternates` takes it: in double quotes, as in C (gitrepository-layout).
fn quoted(path: &Path) -> Vec<u8> {
    let mut line = vec![b'"'];
    for byte in path.as_os_str().as_encoded_bytes() {
        match byte {
            b'\n' => line.extend(b"\\n"),
            b'"' | b'\\' => line.extend([b'\\', *byte]),
            _ => line.push(*byte),
        }
    }
    line.extend(b"\"\n");
    line
}

/// Gives files 0644 or 0755 and folders 0755, whatever the umask was. Links are left alone.
#[cfg(unix)]
fn set_modes(folder: &Path) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    fs::set_permissions(folder, fs::Permissions::from_mode(0o755))?;
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let kind = entry.file_type()?;
        if kind.is_dir() && entry.file_name() != ".git" {
            set_modes(&entry.path())?;
        } else if kind.is_file() {
            let executable = entry.metadata()?.permissions().mode() & 0o100 != 0;
            let mode = if executable { 0o755 } else { 0o644 };
            fs::set_permissions(entry.path(), fs::Permissions::from_mode(mode))?;
        }
    }
    Ok(())
}

#[cfg(not(unix))]
fn set_modes(_folder: &Path) -> io::Result<()> {
    Ok(())
}

#[cfg(test)]
mod tests;
