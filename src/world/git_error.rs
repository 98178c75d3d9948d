//! What can go wrong with a git repository, and what mends it.

use std::path::PathBuf;

use crate::world::command::CommandError;

/// Why git could not answer or do something.
#[derive(Debug, thiserror::Error)]
pub enum GitError {
    #[error("`{directory}` is in no git repository; `git init` makes one")]
    NotARepository { directory: PathBuf },
    #[error(
        "`{directory}` belongs to another user; `git config --global --add safe.directory {directory}` trusts it"
    )]
    Untrusted { directory: PathBuf },
    #[error("`{directory}` names its objects by {format}, which is not supported; sha1 is")]
    ObjectFormat { directory: PathBuf, format: String },
    #[error(
        "`{directory}` keeps its refs as {format}; `git refs migrate --ref-format=files` makes them readable"
    )]
    RefFormat { directory: PathBuf, format: String },
    #[error("can not open the git repository of `{directory}`")]
    Open {
        directory: PathBuf,
        #[source]
        source: Box<gix::Error>,
    },
    #[error("`{directory}` has no commit yet; make one with `git commit`")]
    Unborn { directory: PathBuf },
    #[error(
        "`{directory}` is a shallow clone whose history ends too early; `git fetch --unshallow --tags` completes it"
    )]
    Shallow { directory: PathBuf },
    #[error(
        "object {id} was left out of this partial clone; `git fetch --refetch --no-filter` brings all objects"
    )]
    Promised { id: String },
    #[error("object {id} is missing from the repository; `git fsck` tells more")]
    Missing { id: String },
    #[error("object {id} is damaged: {what}; `git fsck` tells more")]
    Damaged { id: String, what: &'static str },
    #[error("can not read {what}")]
    Read {
        what: String,
        #[source]
        source: Box<gix::Error>,
    },
    #[error("can not write {what}")]
    Write {
        what: String,
        #[source]
        source: Box<gix::Error>,
    },
    #[error("`{path}` is {kind} in the repository, not a file")]
    NotAFile { path: String, kind: &'static str },
    #[error("`{name}` is not a full object id or a name git allows")]
    BadName { name: String },
    #[error(
        "git knows no name and email to commit with; `git config user.name` and `git config user.email` set them"
    )]
    NoIdentity,
    #[error("`{name}` was moved by somebody else: expected {expected}, found {found}")]
    LostRace { name: String, expected: String, found: String },
    #[error("`git {command}` failed: {complaint}")]
    Failed { command: String, complaint: String },
    #[error("`git {command}` did not end within its time")]
    TimedOut { command: String },
    #[error(transparent)]
    Command(#[from] CommandError),
    #[error("can not use `{path}`")]
    File {
        path: PathBuf,
        #[source]
        source: std::io::Error,
    },
}
