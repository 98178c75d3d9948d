//! Brings a checkout level with the remote's branch, where all that it lacks are releases that the ledger knows.

use std::collections::BTreeMap;

use crate::apply::effect::StepError;
use crate::ledger::state::State;
use crate::plan::merged::TRAILER;
use crate::world::git::Repository;
use crate::world::remote_refs::{fetch, remote_refs};

/// How a checkout stands to the remote's branch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Standing {
    /// The same commit, commits that the remote lacks, or a branch that the remote does not have. So many tags came
    /// from there.
    Level { new_tags: usize },
    /// It was brought forward over release commits, this many.
    CaughtUp(usize),
    /// The remote has another commit that is no release of the ledger's.
    Behind { commit: String },
    /// Each has commits that the other lacks.
    Diverged { commit: String },
}

/// Looks where the remote's branch is, and follows it over releases that others made meanwhile. Their tags come along.
///
/// # Errors
/// Where the remote can not be reached, or the checkout can not be brought forward.
pub async fn catch_up(
    repository: &Repository,
    remote: &str,
    branch: &str,
    state: &State,
) -> Result<Standing, StepError> {
    let name = format!("refs/heads/{branch}");
    let mut found = remote_refs(repository, remote, &[&name, "refs/tags/*"]).await?;
    let at = found.remove(&name);
    let new_tags = fetch_tags(repository, remote, &found).await?;
    let head = repository.head()?.commit;
    let Some(at) = at.filter(|at| *at != head) else { return Ok(Standing::Level { new_tags }) };
    if !repository.has_object(&at) {
        fetch(repository, remote, &[name]).await?;
    }
    if repository.is_ancestor(&at, &head)? {
        return Ok(Standing::Level { new_tags });
    }
    if !repository.is_ancestor(&head, &at)? {
        return Ok(Standing::Diverged { commit: at });
    }
    let between = repository.messages_between(&head, &at)?;
    if let Some((commit, _)) = between.iter().find(|(_, message)| !is_release(message, state)) {
        return Ok(Standing::Behind { commit: commit.clone() });
    }
    repository.fast_forward(&at)?;
    Ok(Standing::CaughtUp(between.len()))
}

/// The plan that a release commit names in its last lines.
pub fn plan_of(message: &str) -> Option<&str> {
    message
        .trim_end()
        .lines()
        .rev()
        .take_while(|line| !line.is_empty())
        .find_map(|line| line.strip_prefix(TRAILER))
        .map(str::trim)
}

fn is_release(message: &str, state: &State) -> bool {
    plan_of(message).is_some_and(|plan| knows(state, plan))
}

/// Whether the ledger knows of a plan's ship.
pub fn knows(state: &State, plan: &str) -> bool {
    state.finished.contains_key(plan) || state.in_flight.contains_key(plan) || state.closed.contains_key(plan)
}

/// Fetches tags that only the remote has, and says how many. One that stands elsewhere here is left: it is compared where it matters.
async fn fetch_tags(
    repository: &Repository,
    remote: &str,
    found: &BTreeMap<String, String>,
) -> Result<usize, StepError> {
    let mut missing = Vec::new();
    for name in found.keys() {
        if repository.ref_target(name)?.is_none() {
            missing.push(format!("{name}:{name}"));
        }
    }
    // An argument list has its limits; a thousand names are far below them.
    for some in missing.chunks(1000) {
        fetch(repository, remote, some).await?;
    }
    Ok(missing.len())
}

#[cfg(test)]
mod tests {
    use super::plan_of;

    #[test]
    fn a_release_commit_names_its_plan_in_its_last_lines() {
        assert_eq!(plan_of("chore(release): core 1.0.0\n\nRelease-Plan: sha256:ab\n"), Some("sha256:ab"));
        assert_eq!(plan_of("say Release-Plan: sha256:ab\n\nin a sentence\n"), None);
        assert_eq!(plan_of("Release-Plan: sha256:ab\n\nbut not at the end\n"), None);
    }
}
