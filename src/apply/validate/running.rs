//! Asks the target itself what runs.

use crate::apply::target::error::TargetError;
use crate::apply::target::{Observed, is_running};
use crate::apply::validate::Subject;
use crate::apply::validate::ask::{Asked, compare_version};

/// The digest that runs is the wanted one, it is not unhealthy, and it was not started again since the first look.
pub(in crate::apply::validate) async fn container(
    subject: &Subject<'_>,
    first_look: &mut Option<Observed>,
) -> Asked {
    let observed = match look(subject).await {
        Ok(observed) => observed,
        Err(asked) => return asked,
    };
    if !is_running(Some(&observed), subject.placed) {
        return Asked::fail(format!(
            "{} runs, not {}",
            observed.digest.short(),
            subject.placed.digest().short()
        ));
    }
    if observed.healthy == Some(false) {
        return Asked::fail(format!("{} is not healthy", observed.place));
    }
    let first = first_look.get_or_insert_with(|| observed.clone());
    if first.place != observed.place {
        return Asked::fail(format!("{} took the place of {}", observed.place, first.place));
    }
    match (first.restarts, observed.restarts) {
        (Some(before), Some(now)) if now > before => {
            Asked::fail(format!("it was started again {} times since the first look", now - before))
        }
        _ => Asked::pass(format!("{} runs", observed.digest.short())),
    }
}

/// The version that the target says it runs; where it names none, its digest.
pub(in crate::apply::validate) async fn version(subject: &Subject<'_>) -> Asked {
    let observed = match look(subject).await {
        Ok(observed) => observed,
        Err(asked) => return asked,
    };
    match &observed.version {
        Some(version) => compare_version(version, subject),
        None if is_running(Some(&observed), subject.placed) => {
            Asked::pass(format!("{} runs", observed.digest.short()))
        }
        None => {
            let is_old = subject.before.is_some_and(|before| is_running(Some(&observed), before));
            let why = if is_old { ": nothing was deployed, the old one still runs" } else { "" };
            Asked::fail(format!("{} runs{why}", observed.digest.short()))
        }
    }
}

/// What runs; that nothing does is the release's failure, that nobody says so an error of the judge.
async fn look(subject: &Subject<'_>) -> Result<Observed, Asked> {
    match (subject.observe)().await {
        Ok(Some(observed)) => Ok(observed),
        Ok(None) => Err(Asked::fail("nothing runs")),
        Err(TargetError::Broken { reason, .. }) => Err(Asked::fail(reason)),
        Err(error) => Err(Asked::error(error.to_string())),
    }
}
