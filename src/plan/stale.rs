//! Whether a plan still speaks of the world as it is.

use crate::plan::digest::Digest;
use crate::plan::{Base, FORMAT, Plan};

/// Why a plan can not be carried out.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StaleError {
    #[error("the plan has format {found}; this program reads format {FORMAT}")]
    Format { found: u32 },
    #[error("the plan was changed after it was made: its digest is {found}, not {stated}")]
    Changed { stated: Digest, found: Digest },
    #[error("the plan is stale: {}", reasons.join("; "))]
    Stale { reasons: Vec<String> },
}

impl Plan {
    /// SHA-256 over the plan's JSON, its own digest left empty.
    pub fn compute_digest(&self) -> Digest {
        if self.digest != Digest::none() {
            return Plan { digest: Digest::none(), ..self.clone() }.compute_digest();
        }
        Digest::of_json(self)
    }

    /// Whether the plan is as it was made, and its base as it was.
    ///
    /// # Errors
    /// With every reason why not.
    pub fn check(&self, now: &Base) -> Result<(), StaleError> {
        if self.format != FORMAT {
            return Err(StaleError::Format { found: self.format });
        }
        let found = self.compute_digest();
        if found != self.digest {
            return Err(StaleError::Changed { stated: self.digest.clone(), found });
        }
        let reasons = differences(&self.base, now);
        if reasons.is_empty() { Ok(()) } else { Err(StaleError::Stale { reasons }) }
    }
}

/// What moved between two moments, in words.
pub fn differences(planned: &Base, now: &Base) -> Vec<String> {
    let mut reasons = Vec::new();
    if planned.commit != now.commit {
        reasons.push(format!(
            "it was made on commit {}, the branch is at {}",
            short(&planned.commit),
            short(&now.commit)
        ));
    }
    if planned.branch != now.branch {
        let name = |branch: &Option<String>| branch.clone().unwrap_or_else(|| "a detached HEAD".to_owned());
        reasons.push(format!("it was made on {}, this is {}", name(&planned.branch), name(&now.branch)));
    }
    if planned.tags != now.tags {
        reasons.push("version tags were added, moved or deleted".to_owned());
    }
    if planned.config != now.config {
        reasons.push("the configuration changed".to_owned());
    }
    if planned.index != now.index {
        reasons.push("an index changed".to_owned());
    }
    reasons
}

/// The first eight digits of a commit.
pub fn short(commit: &str) -> &str {
    commit.get(..8).unwrap_or(commit)
}
