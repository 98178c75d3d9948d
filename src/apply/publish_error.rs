//! Why a file is not published, and what to do about it.

use std::path::PathBuf;
use std::time::Duration;

use crate::apply::gate::GateClosed;
use crate::ledger::event::FailureKind;
use crate::plan::digest::Digest;
use crate::world::attest::AttestError;
use crate::world::simple_index::PageError;

/// Why a file is not published.
#[derive(Debug, thiserror::Error)]
pub enum PublishError {
    #[error("`{file}` stands on `{index}` with other bytes: there {}, ours {}", there.short(), ours.short())]
    Conflict { index: String, file: String, there: Digest, ours: Digest },
    /// Credentials are missing, wrong or not enough; a person has to act.
    #[error("`{index}` does not let us publish `{what}`: {reason}")]
    NotAllowed { index: String, what: String, reason: String, hints: Vec<String> },
    /// The file itself is not taken.
    #[error("`{index}` refuses `{file}` ({status}): {said}")]
    Refused { index: String, file: String, status: u16, said: String, hints: Vec<String> },
    /// Refused, perhaps because it is there; nothing tells whether with our bytes.
    #[error("`{index}` refuses `{file}` ({status}: {said}), and can not be read to see what stands there")]
    Unreadable { index: String, file: String, status: u16, said: String },
    /// Not now, and not within this run.
    #[error("`{index}` takes `{file}` later: {said}")]
    Parked { index: String, file: String, said: String, hints: Vec<String> },
    /// The outside failed, again and again.
    #[error("`{index}` could not {what}, tried {} times: {last}", retries + 1)]
    Transient { index: String, what: String, retries: usize, last: String },
    #[error("`{file}` changed after it was sealed: sealed {}, now {}", sealed.short(), now.short())]
    Changed { file: String, sealed: Digest, now: Digest },
    /// Published, but its page does not show it yet.
    #[error("`{index}` took {} but does not list them after {} seconds", files.join(", "), waited.as_secs())]
    NotVisible { index: String, files: Vec<String>, waited: Duration },
    #[error(transparent)]
    Gate(#[from] GateClosed),
    #[error("`{file}` is no file that an index takes: {reason}")]
    Unfit { file: String, reason: String },
    #[error("`{}` can not be read", path.display())]
    File { path: PathBuf, source: std::io::Error },
    #[error("`{index}` can not be used: {reason}")]
    Setup { index: String, reason: String, hints: Vec<String> },
    #[error("`{index}` can not be read: {source}")]
    Page { index: String, source: PageError },
    #[error("`{index}` does not list `{file}`")]
    NotListed { index: String, file: String },
    #[error(transparent)]
    Attest(#[from] AttestError),
}

impl PublishError {
    /// Whether running again can help.
    pub fn kind(&self) -> FailureKind {
        match self {
            PublishError::Transient { .. }
            | PublishError::Parked { .. }
            | PublishError::NotVisible { .. }
            | PublishError::Gate(_)
            | PublishError::Attest(AttestError::Sign { .. }) => FailureKind::Transient,
            PublishError::Unreadable { .. } | PublishError::File { .. } => FailureKind::Unknown,
            PublishError::Page { source, .. } if source.is_transient() => FailureKind::Transient,
            _ => FailureKind::Permanent,
        }
    }

    /// The ways out, most likely first.
    pub fn hints(&self) -> Vec<String> {
        match self {
            PublishError::NotAllowed { hints, .. }
            | PublishError::Refused { hints, .. }
            | PublishError::Parked { hints, .. }
            | PublishError::Setup { hints, .. } => hints.clone(),
            PublishError::Conflict { index, .. } => vec![
                format!("find out who published to `{index}` and from what"),
                "before the claim, `Release-As: VERSION` in a commit takes another number; after it, \
                 `release abandon --reason TEXT` gives this one up and the next plan takes the next"
                    .to_owned(),
            ],
            PublishError::Unreadable { index, .. } => {
                vec![format!("set `simple` in `[index.{index}]`, so that digests can be compared")]
            }
            PublishError::Transient { .. } => vec!["run it again: the same bytes are sent".to_owned()],
            PublishError::NotVisible { .. } => vec![
                "run it again to go on waiting; nothing is uploaded twice".to_owned(),
                "`visible-within` in the index's table says how long to wait".to_owned(),
            ],
            PublishError::Page { index, source } if source.is_locked() => {
                vec![format!("reading `{index}` needs a credential: `auth = \"token\"`, at the same host")]
            }
            PublishError::Attest(AttestError::Sign { .. }) => {
                vec!["run it again, or set `attestations = false` for this index".to_owned()]
            }
            _ => Vec::new(),
        }
    }
}
