//! Releases that were claimed and given up for good: not counted as releases, their numbers never used again.

use std::collections::BTreeSet;
use std::path::PathBuf;

use crate::ledger::state::State;
use crate::survey::error::SurveyError;
use crate::world::files::{FileError, write_changed};
use crate::world::git::Repository;
use crate::world::git_error::GitError;
use crate::world::store::git_ref::LEDGER;

/// What was given up.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ClosedReleases {
    /// Tags that stand and name no release.
    pub tags: BTreeSet<String>,
    /// Short names and versions.
    pub numbers: BTreeSet<(String, String)>,
}

/// What a ledger says was given up.
pub fn closed_in(state: &State) -> ClosedReleases {
    let mut found = ClosedReleases::default();
    for (package, begin) in state.closed.values().flat_map(|closed| &closed.releases) {
        found.tags.insert(begin.tag.clone());
        found.numbers.insert((package.clone(), begin.version.clone()));
    }
    found
}

/// Keeps what a ledger outside of git says, for `closed_here`.
///
/// # Errors
/// A full or read-only disk.
pub fn keep_closed(repository: &Repository, state: &State) -> Result<(), FileError> {
    let bytes = serde_json::to_vec_pretty(&state.closed)
        .expect("these types have string keys only, so they serialise");
    write_changed(&kept(repository), &bytes).map(|_| ())
}

fn kept(repository: &Repository) -> PathBuf {
    repository.common_dir().join("release").join("closed.json")
}

/// What the ledger says as this repository last saw it; nothing where it has none, or one that does not read here: who
/// needs the ledger itself is told so.
///
/// # Errors
/// Unreadable objects.
pub fn closed_here(repository: &Repository) -> Result<ClosedReleases, SurveyError> {
    if let Ok(bytes) = std::fs::read(kept(repository)) {
        let closed = serde_json::from_slice(&bytes).unwrap_or_default();
        return Ok(closed_in(&State { closed, ..State::default() }));
    }
    let head = match repository.ledger_head(LEDGER) {
        Ok(head) => head,
        Err(GitError::Missing { .. } | GitError::Damaged { .. } | GitError::Read { .. }) => None,
        Err(error) => return Err(error.into()),
    };
    let state = head.and_then(|head| State::read(head.files.get("state.json")?).ok());
    Ok(state.as_ref().map(closed_in).unwrap_or_default())
}
