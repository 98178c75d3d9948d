//! A git repository on this machine: where it stands, what is checked out, who works in it.

use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use gix::sec::trust::DefaultForLevel;

use crate::world::beside::beside;
use crate::world::git_command::git;
use crate::world::git_error::GitError;
use crate::world::objects::Objects;
use crate::world::packs::Packs;
use crate::world::remote::without_credentials;

/// An opened repository; may be shared between threads.
#[derive(Clone)]
pub struct Repository {
    inner: gix::ThreadSafeRepository,
    root: PathBuf,
    packs: Arc<OnceLock<Packs>>,
}

/// What is checked out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Head {
    /// The commit's full id.
    pub commit: String,
    /// The branch's short name; `None` for a detached HEAD.
    pub branch: Option<String>,
}

/// A name and an email address.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Person {
    pub name: String,
    pub email: String,
}

impl Repository {
    /// Opens the repository that holds a folder: its own, one above, a linked worktree's or a bare one.
    ///
    /// Variables such as `GIT_DIR` play no part. Shallow and partial clones open; what they lack is an
    /// error where it is needed.
    ///
    /// # Errors
    /// No repository, one of another user (`safe.directory`), a format we do not read.
    pub fn open(directory: &Path) -> Result<Repository, GitError> {
        directory.metadata().map_err(|source| GitError::File { path: directory.to_owned(), source })?;
        let trust = gix::sec::trust::Mapping {
            full: options(gix::sec::Trust::Full),
            reduced: options(gix::sec::Trust::Reduced),
        };
        let inner = gix::ThreadSafeRepository::discover_opts(directory, Default::default(), trust)
            .map_err(|error| open_error(directory, error))?;
        let root = inner.work_dir().unwrap_or(inner.git_dir());
        let root = root.canonicalize().map_err(|source| GitError::File { path: root.to_owned(), source })?;
        let repository = Repository { inner, root, packs: Arc::default() };
        repository.check_refs()?;
        Ok(repository)
    }

    /// The top folder of the worktree; a bare repository's own folder.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// This worktree's own git folder.
    pub fn git_dir(&self) -> &Path {
        self.inner.git_dir()
    }

    /// The git folder that all worktrees share: objects, refs, configuration.
    pub fn common_dir(&self) -> PathBuf {
        self.local().common_dir().to_owned()
    }

    pub fn is_bare(&self) -> bool {
        self.inner.work_dir().is_none()
    }

    /// Whether history was cut off when it was cloned.
    pub fn is_shallow(&self) -> bool {
        self.local().is_shallow().unwrap_or(false)
    }

    /// What is checked out.
    ///
    /// # Errors
    /// `Unborn` where there is no commit yet.
    pub fn head(&self) -> Result<Head, GitError> {
        let local = self.local();
        let head = local.head().map_err(|error| read_error("HEAD", error))?;
        if head.is_unborn() {
            return Err(GitError::Unborn { directory: self.root.clone() });
        }
        let branch = head.referent_name().map(|name| {
            let name = name.as_bstr().to_string();
            name.strip_prefix("refs/heads/").map_or(name.clone(), str::to_owned)
        });
        let commit = match head.id() {
            // A branch names a commit: no object has to be read for that.
            Some(commit) => commit,
            None => local.head_id().map_err(|error| read_error("HEAD", error))?,
        };
        Ok(Head { commit: commit.to_string(), branch })
    }

    /// Where a remote is fetched from, after git's `insteadOf` rules, without user and password.
    pub fn remote_url(&self, remote: &str) -> Option<String> {
        let local = self.local();
        let remote = local.try_find_remote(remote.as_bytes())?.ok()?;
        let url = remote.url(gix::remote::Direction::Fetch)?;
        Some(without_credentials(&url.to_bstring().to_string()))
    }

    /// Whom git would name as committer: variables, then configuration.
    ///
    /// # Errors
    /// `NoIdentity` where git knows none.
    pub fn identity(&self) -> Result<Person, GitError> {
        let mut command = git(&self.root, ["-c", "user.useConfigOnly=true", "var", "GIT_COMMITTER_IDENT"]);
        command.env.set.push(("GIT_COMMITTER_DATE".into(), "@0 +0000".into()));
        let output = crate::world::command::run_blocking(command)?;
        let text = String::from_utf8_lossy(&output.stdout);
        let person = text.trim_end().rsplit_once("> ").and_then(|(person, _)| person.split_once(" <"));
        match person {
            Some((name, email)) if output.success() => {
                Ok(Person { name: name.to_owned(), email: email.to_owned() })
            }
            _ => Err(GitError::NoIdentity),
        }
    }

    /// A reader of objects, for one thread, with a cache of its own.
    pub fn objects(&self) -> Objects {
        Objects::new(self.local(), self.root.clone(), self.packs.get_or_init(|| self.open_packs()))
    }

    /// The same, made beside some work: packs with many objects take a while to open.
    pub fn objects_beside<T>(&self, work: impl FnOnce() -> T) -> (Objects, T) {
        let (done, objects) = beside(work, || self.objects());
        (objects, done)
    }

    fn open_packs(&self) -> Packs {
        Packs::open(&self.common_dir().join("objects"))
    }

    /// The git library's own handle, for one thread.
    pub(in crate::world) fn local(&self) -> gix::Repository {
        self.inner.to_thread_local()
    }

    fn check_refs(&self) -> Result<(), GitError> {
        match self.local().config_snapshot().string("extensions.refStorage") {
            Some(format) if format.as_slice() != b"files" => {
                Err(GitError::RefFormat { directory: self.root.clone(), format: format.to_string() })
            }
            _ => Ok(()),
        }
    }
}

impl std::fmt::Debug for Repository {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Repository").field("root", &self.root).finish_non_exhaustive()
    }
}

/// A file of git's own; empty where there is none.
///
/// # Errors
/// Where it can not be read.
pub fn read_or_empty(path: &Path) -> Result<Vec<u8>, GitError> {
    match std::fs::read(path) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Vec::new()),
        result => result.map_err(|source| GitError::File { path: path.to_owned(), source }),
    }
}

pub(in crate::world) fn read_error(what: &str, source: gix::Error) -> GitError {
    GitError::Read { what: what.to_owned(), source: Box::new(source) }
}

/// Variables by which git itself would look at another worktree than the one that was asked for.
const ELSEWHERE: [&str; 4] = ["GIT_WORK_TREE", "GIT_NAMESPACE", "GIT_SHALLOW_FILE", "GIT_INDEX_FILE"];

fn options(trust: gix::sec::Trust) -> gix::open::Options {
    let mut permissions = gix::open::Permissions::default_for_level(trust);
    if ELSEWHERE.iter().any(|name| std::env::var_os(name).is_some()) {
        permissions.env.git_prefix = gix::sec::Permission::Deny;
    }
    gix::open::Options::default_for_level(trust).permissions(permissions).bail_if_untrusted(true)
}

fn open_error(directory: &Path, error: gix::Error) -> GitError {
    let directory = directory.to_owned();
    if error.downcast_any_ref::<gix::discover::upwards::Error>().is_some() {
        return GitError::NotARepository { directory };
    }
    if error.is_permission_denied() {
        return GitError::Untrusted { directory };
    }
    match object_format(&directory) {
        Some(format) if format != "sha1" => GitError::ObjectFormat { directory, format },
        _ => GitError::Open { directory, source: Box::new(error) },
    }
}

fn object_format(directory: &Path) -> Option<String> {
    let output =
        crate::world::command::run_blocking(git(directory, ["rev-parse", "--show-object-format"])).ok()?;
    output.success().then(|| String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

#[cfg(test)]
mod tests;
