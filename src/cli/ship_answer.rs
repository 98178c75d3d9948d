//! What `release ship` answers: per package what is done, what remains and why; and its failures with a way out.

use serde::Serialize;

use crate::apply::book::Book;
use crate::apply::claiming::Unclaimed;
use crate::apply::effect::StepError;
use crate::apply::fence::Fenced;
use crate::apply::image_error::Meaning;
use crate::apply::index::IndexError;
use crate::apply::publish_error::PublishError;
use crate::cli::failure::{Failure, Kind};
use crate::cli::ledger::{book_failure, store_failure};
use crate::cli::ship_timing::Timing;
use crate::ledger::event::{Event, What};
use crate::ledger::state::Ship;
use crate::plan::Plan;
use crate::plan::digest::Digest;
use crate::world::git_error::GitError;
use crate::world::store::error::StoreError;

/// Why a step that is done could not tell what it should.
pub fn reason_undecided(event: &Event) -> Option<String> {
    match &event.what {
        What::Succeeded { evidence, .. } => evidence.get("undecided").cloned(),
        _ => None,
    }
}

/// What `--output json` says of a ship.
#[derive(Serialize)]
pub struct Answer<'p> {
    pub plan: &'p Digest,
    pub outcome: &'static str,
    pub releases: Vec<Shipped>,
    /// Where the time went; none where there was nothing to do.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub timing: Option<Timing>,
}

#[derive(Serialize)]
pub struct Shipped {
    package: String,
    version: String,
    tag: String,
    index: String,
    /// Steps that are done.
    done: Vec<String>,
    /// Steps that are not done.
    remaining: Vec<String>,
    /// Why they are not, where one of them failed.
    why: Option<String>,
}

/// How far each release of a plan is. A ship that is not under way any more is finished, or nothing of it was kept.
pub fn releases(plan: &Plan, book: &Book, failed: &[(String, StepError)]) -> Vec<Shipped> {
    let ship = book.ship(&plan.digest);
    let finished = book.state().finished.contains_key(plan.digest.as_str());
    let shipped = |release: &crate::plan::Release| {
        let (done, remaining) = steps(plan, ship, finished, &release.package);
        let why = failed.iter().find(|(step, _)| remaining.contains(step)).or_else(|| {
            let blocked = |step: &str| needs(plan, &remaining, step);
            failed.iter().find(|(step, _)| blocked(step))
        });
        Shipped {
            package: release.package.clone(),
            version: release.to.clone(),
            tag: release.tag.clone(),
            index: release.index.clone(),
            done,
            remaining,
            why: why.map(|(step, error)| format!("{step} failed: {error}")),
        }
    };
    plan.releases.iter().map(shipped).collect()
}

/// The steps of a package, and those of the whole release: done, and not done.
fn steps(plan: &Plan, ship: Option<&Ship>, finished: bool, package: &str) -> (Vec<String>, Vec<String>) {
    let own = plan.steps.iter().filter(|step| step.package.as_deref().is_none_or(|owner| owner == package));
    let is_done = |id: &str| ship.map_or(finished, |ship| ship.has_done(id));
    own.map(|step| step.id.0.clone()).partition(|id| is_done(id))
}

/// Whether one of these steps can not begin before another is done.
fn needs(plan: &Plan, steps: &[String], wanted: &str) -> bool {
    let mut open: Vec<&str> = steps.iter().map(String::as_str).collect();
    let mut seen: Vec<&str> = Vec::new();
    while let Some(id) = open.pop() {
        if id == wanted {
            return true;
        }
        if seen.contains(&id) {
            continue;
        }
        seen.push(id);
        let step = plan.steps.iter().find(|step| step.id.0 == id);
        open.extend(step.into_iter().flat_map(|step| step.needs.iter().map(|need| need.0.as_str())));
    }
    false
}

/// The failure of a ship: that of a step which met a conflict, else of the one which failed first.
pub fn step_failure(mut failed: Vec<(String, StepError)>) -> Failure {
    let gravest = failed.iter().position(|(_, error)| kind(error) == Kind::Conflict).unwrap_or(0);
    let (step, error) = failed.swap_remove(gravest);
    if let StepError::Remote(error) = error {
        let refused = step == "claim" && matches!(error, StoreError::Refused { .. });
        let mut failure = store_failure(error);
        if refused {
            failure = failure.hint(
                "a protected branch takes no push: set `[pull-request]`, and `release pr` proposes the release as a \
                 pull request, whose merge is the claim",
            );
        }
        return Failure { error: format!("{step} failed: {}", failure.error).into(), ..failure };
    }
    let failure = Failure::new(kind(&error), format!("{step} failed: {error}"));
    hints(&error).into_iter().fold(failure, Failure::hint)
}

/// Why nobody knows whether a claim stands.
pub fn unclaimed_failure(error: Unclaimed) -> Failure {
    match error {
        Unclaimed::Step(error) => step_failure(vec![("claim".to_owned(), error)]),
        Unclaimed::Book(error) => book_failure(error),
    }
}

fn kind(error: &StepError) -> Kind {
    match error {
        StepError::Build(_) | StepError::Artifact { .. } | StepError::Broken { .. } => Kind::Gate,
        StepError::Sealed { .. }
        | StepError::Index(IndexError::Conflict { .. })
        | StepError::Publish(PublishError::Conflict { .. })
        | StepError::TagMoved { .. }
        | StepError::BranchRewound { .. } => Kind::Conflict,
        StepError::Image(error) => match error.meaning() {
            Meaning::Broken => Kind::Gate,
            Meaning::Conflict => Kind::Conflict,
            Meaning::NotAllowed => Kind::NotAllowed,
            Meaning::Settings => Kind::User,
            Meaning::Outside => Kind::Outside,
        },
        StepError::Release(error) if error.is_conflict() => Kind::Conflict,
        StepError::Release(error) if error.is_forbidden() => Kind::NotAllowed,
        StepError::Release(error) if error.is_setting() => Kind::User,
        StepError::Publish(PublishError::NotAllowed { .. }) => Kind::NotAllowed,
        StepError::Publish(PublishError::Setup { .. }) => Kind::User,
        StepError::Moved { .. }
        | StepError::Git(GitError::LostRace { .. })
        | StepError::Outrun { .. }
        | StepError::Overtaken { .. } => Kind::Stale,
        StepError::Fenced(fenced) if fenced.is_final() => Kind::Stale,
        StepError::Fenced(Fenced::Halted { .. }) => Kind::NotAllowed,
        StepError::NoIndex { .. } | StepError::Index(IndexError::Link { .. }) => Kind::User,
        _ => Kind::Outside,
    }
}

fn hints(error: &StepError) -> Vec<String> {
    let one = |text: &str| vec![text.to_owned()];
    match error {
        StepError::Index(IndexError::Conflict { .. }) => {
            one("find out whose file it is and move it away, or take a higher number with `Release-As:`")
        }
        StepError::Index(IndexError::Link { .. }) => one("put a folder there, or nothing"),
        StepError::Publish(error) => error.hints(),
        StepError::Image(error) => error.hints(),
        StepError::Release(error) => error.hints(),
        StepError::Outrun { .. } | StepError::Overtaken { .. } => {
            one("`git pull`, then `release plan` says what is left to release")
        }
        StepError::TagMoved { tag, remote, ours, .. } => vec![
            format!(
                "put it back with `git push --force {remote} {ours}:refs/tags/{tag}`, then `release ship` again"
            ),
            "or give the release up for good with `release abandon --reason TEXT`".to_owned(),
        ],
        StepError::BranchRewound { branch, commit, remote } => {
            vec![format!("bring {commit} back onto `{branch}` of `{remote}`, then `release ship` again")]
        }
        StepError::Fenced(Fenced::Halted { .. }) => {
            one("`release status` says who halted it; `release resume` lets it go on")
        }
        StepError::Waited { .. } => one(
            "other jobs do that: see there, then run this job again, or `release ship --tag TAG --yes` for all of it",
        ),
        StepError::Broken { .. } => one(
            "what is published stays; mend it and release the next version after `release abandon`, or try again",
        ),
        StepError::Sealed { .. } => vec![
            "take the sealed files from where they were built, or give the release up with `release abandon \
             --reason TEXT`"
                .to_owned(),
        ],
        _ => Vec::new(),
    }
}
