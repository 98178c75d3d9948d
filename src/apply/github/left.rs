//! Drafts at GitHub that no ship under way will publish any more.

use crate::ledger::state::State;
use crate::render::release_body::Mark;
use crate::world::github::GitHub;
use crate::world::github::error::GitHubError;

/// A draft of ours without a ship.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Left {
    pub tag: String,
    pub page: String,
    pub id: u64,
}

/// The drafts that bear the mark of a plan which is not under way.
///
/// # Errors
/// Where GitHub does not list its releases.
pub async fn left_behind(github: &GitHub, state: &State) -> Result<Vec<Left>, GitHubError> {
    let releases = github.releases().await?;
    let drafts = releases.into_iter().filter(|release| release.draft);
    let left = drafts.filter(|draft| {
        let mark = Mark::read(&draft.body);
        mark.is_some_and(|mark| !state.in_flight.contains_key(&mark.plan))
    });
    Ok(left.map(|draft| Left { id: draft.id, page: draft.page.clone(), tag: draft.tag_name }).collect())
}
