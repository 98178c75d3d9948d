//! How far a ship is to go, and what must hold before it begins.

use crate::apply::stage::Stage as Until;
use crate::apply::workshop::Workshop;
use crate::cli::args::Stage;
use crate::cli::failure::{Failure, Kind};
use crate::plan::Plan;
use crate::survey::facts::Survey;
use crate::world::github::GitHub;

/// Refuses a work tree with changes: a release is made of commits.
pub fn refuse_dirty(survey: &Survey) -> Result<(), Failure> {
    let dirty = survey.dirty_files().map_err(Failure::user)?;
    if dirty.is_empty() {
        return Ok(());
    }
    let mut named = dirty.iter().take(10).cloned().collect::<Vec<String>>().join(", ");
    if dirty.len() > 10 {
        named.push_str(&format!(" and {} more", dirty.len() - 10));
    }
    Err(Failure::user(format!("the work tree is not clean: {named}"))
        .hint("commit them, or put them aside with `git stash -u`"))
}

/// Refuses major steps that nobody consented to.
pub fn refuse_major(plan: &Plan, allowed: bool) -> Result<(), Failure> {
    let asking: Vec<String> = plan
        .releases
        .iter()
        .filter(|release| release.needs.iter().any(|need| need == "allow-major"))
        .map(|release| format!("{} {}", release.package, release.to))
        .collect();
    if asking.is_empty() || allowed {
        return Ok(());
    }
    Err(Failure::new(Kind::NotAllowed, format!("a major step needs consent: {}", asking.join(", ")))
        .hint("say `--allow-major`, or set `allow-major = true` for the package"))
}

/// The claim takes the stash with it, where this run can keep one: then the next run needs to build nothing.
pub fn until_with(until: Stage, workshop: &Workshop) -> Until {
    match until {
        Stage::Claim if workshop.github.as_ref().is_some_and(GitHub::has_token) => Until::Stash,
        until => stage(until),
    }
}

pub fn stage(stage: Stage) -> Until {
    match stage {
        Stage::Build => Until::Build,
        Stage::Seal => Until::Seal,
        Stage::Claim => Until::Claim,
        Stage::Publish => Until::Publish,
        Stage::Smoke => Until::Smoke,
        Stage::Announce | Stage::Deploy => Until::Tell,
    }
}
