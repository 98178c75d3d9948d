//! Why a target could not be brought to a release.

use crate::ledger::event::{FailureKind, StepFailure};

/// What went wrong, by what follows from it.
#[derive(Debug, thiserror::Error)]
pub enum TargetError {
    /// The release itself does not run there: never healthy, ended, started again and again. The environment goes back.
    #[error("{package} {version} does not run: {reason}")]
    Broken { package: String, version: String, reason: String },
    /// It can not be brought there at all: the image is gone, the files are withdrawn. Nothing was touched.
    #[error("{package} {version} can not be brought there: {reason}")]
    Impossible { package: String, version: String, reason: String },
    /// Other bytes stand where ours should.
    #[error("{what} is {found}, and should be {wanted}")]
    Conflict { what: String, found: String, wanted: String },
    /// The host, the engine, the registry or a program of the user's does not answer.
    #[error("{what} does not answer: {reason}")]
    Outside { what: String, reason: String },
    /// Somebody else changed the target at the same time.
    #[error("somebody else changed {what} at the same time")]
    Raced { what: String },
    /// What the configuration says does not fit the target.
    #[error("{what}: {reason}")]
    Settings { what: String, reason: String },
}

impl TargetError {
    /// The failure as the ledger keeps it.
    pub fn failure(&self) -> StepFailure {
        let kind = match self {
            TargetError::Broken { .. } => FailureKind::Permanent,
            TargetError::Outside { .. } | TargetError::Raced { .. } => FailureKind::Transient,
            _ => FailureKind::Unknown,
        };
        StepFailure { kind, message: self.to_string() }
    }
}
