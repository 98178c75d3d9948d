//! Why a release at GitHub can not be made, and the way out.

use crate::ledger::event::FailureKind;
use crate::world::github::error::GitHubError;

#[derive(Debug, thiserror::Error)]
pub enum ReleaseError {
    #[error(transparent)]
    GitHub(#[from] GitHubError),
    #[error("the plan makes releases at GitHub, and the configuration has no `[github]` for them")]
    NotConfigured,
    #[error("there is no git remote to claim on, so GitHub would have no tag to make a release of")]
    NoRemote,
    #[error("GitHub has a release of tag `{tag}` that is not this one: {page}")]
    Foreign { tag: String, page: String },
    #[error(
        "`{file}` is in the release of `{tag}` with other bytes: there {there}, sealed {ours}; see {page}"
    )]
    Other { file: String, tag: String, there: String, ours: String, page: String },
    #[error(
        "the release of `{tag}` is published and can not be changed any more, and `{file}` is not in it: {page}"
    )]
    Incomplete { tag: String, file: String, page: String },
    #[error("tag `{tag}` is {found} at {repository}, and this release made it {ours}")]
    Tag { tag: String, found: String, repository: String, ours: String },
    #[error("`{file}` was sent to the release of `{tag}` again and again, and is not there")]
    Lost { tag: String, file: String },
    #[error("the draft of `{tag}` goes away again and again")]
    Gone { tag: String },
    #[error("the release of `{tag}` was published again and again, and is a draft still")]
    Unpublished { tag: String },
}

impl ReleaseError {
    /// How the ledger keeps it.
    pub fn kind(&self) -> FailureKind {
        match self {
            ReleaseError::GitHub(error) if error.is_transient() => FailureKind::Transient,
            ReleaseError::GitHub(_)
            | ReleaseError::Lost { .. }
            | ReleaseError::Gone { .. }
            | ReleaseError::Unpublished { .. } => FailureKind::Unknown,
            _ => FailureKind::Permanent,
        }
    }

    /// Whether other things stand under our name.
    pub fn is_conflict(&self) -> bool {
        matches!(
            self,
            ReleaseError::Foreign { .. }
                | ReleaseError::Other { .. }
                | ReleaseError::Incomplete { .. }
                | ReleaseError::Tag { .. }
        )
    }

    /// Whether the repository or its configuration is at fault.
    pub fn is_setting(&self) -> bool {
        matches!(self, ReleaseError::NotConfigured | ReleaseError::NoRemote)
    }

    /// Whether the token may not do it.
    pub fn is_forbidden(&self) -> bool {
        matches!(self, ReleaseError::GitHub(error) if error.is_forbidden() || error.is_missing())
    }

    /// What to do about it.
    pub fn hints(&self) -> Vec<String> {
        let give_up = || "or give the release up with `release abandon --reason TEXT`".to_owned();
        match self {
            ReleaseError::GitHub(error) => error.way_out().into_iter().collect(),
            ReleaseError::NotConfigured => {
                vec!["put `[github]` back into the configuration, then `release ship` again".to_owned()]
            }
            ReleaseError::NoRemote => {
                vec!["`git remote add origin URL`, or `releases = false` in `[github]`".to_owned()]
            }
            ReleaseError::Foreign { tag, .. } => vec![
                format!(
                    "look whose it is; delete it with `gh release delete {tag}`, then `release ship` again"
                ),
                give_up(),
            ],
            ReleaseError::Other { .. } => {
                vec!["delete that file there by hand, then `release ship` again".to_owned(), give_up()]
            }
            ReleaseError::Incomplete { .. } => vec![
                "what was published without it stays so: release the next version after `release abandon`"
                    .to_owned(),
            ],
            ReleaseError::Tag { found, ours, tag, .. } if found == MISSING => vec![format!(
                "push it with `git push REMOTE {ours}:refs/tags/{tag}`; see `repository` in `[github]` where it is \
                 another repository than the remote"
            )],
            ReleaseError::Tag { .. } => {
                vec!["put the tag back where this release made it".to_owned(), give_up()]
            }
            ReleaseError::Lost { .. } | ReleaseError::Gone { .. } | ReleaseError::Unpublished { .. } => {
                vec!["`release ship` again goes on from here".to_owned()]
            }
        }
    }
}

/// What is said of a tag that is not there.
pub const MISSING: &str = "missing";
