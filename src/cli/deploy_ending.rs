//! How deployments end, and which gates kept them from beginning: words, exit codes, ways out.

use crate::apply::book::BookError;
use crate::apply::rollout::Outcome;
use crate::check::gate::{Closed, Gate};
use crate::cli::failure::{Failure, Kind};
use crate::cli::ground::target_failure;
use crate::cli::ledger::book_failure;
use crate::cli::stopping::stopped_by;
use crate::ledger::event::Ending;
use crate::ledger::state::State;
use crate::plan::deployment::{Deployment, Item, Placed};
use crate::survey::environments::EnvironmentSettings;

/// Reads the gates that a person goes past.
///
/// # Errors
/// No such gate, or one that nobody goes past.
pub fn overrides(words: &[String]) -> Result<Vec<Gate>, Failure> {
    let read = |word: &String| {
        let gate = Gate::ALL.into_iter().find(|gate| gate.name() == word);
        match gate {
            Some(gate) if gate.can_be_passed() => Ok(gate),
            Some(gate) => Err(Failure::user(format!("nobody goes past `{gate}`"))
                .hint("`release resume` takes halts, locks and holds back")),
            None => {
                let known = Gate::ALL.into_iter().filter(|gate| gate.can_be_passed()).map(Gate::name);
                Err(Failure::user(format!("no gate is called `{word}`"))
                    .hint(format!("the gates are: {}", known.collect::<Vec<&str>>().join(", "))))
            }
        }
    };
    words.iter().map(read).collect()
}

/// What opens each closed gate, once each.
pub fn closed_hints(environment: &EnvironmentSettings, closed: &[(Item, Closed)]) -> Vec<String> {
    let mut hints: Vec<String> =
        closed.iter().map(|(item, closed)| hint(environment, item, closed.gate)).collect();
    hints.dedup();
    hints
}

fn hint(environment: &EnvironmentSettings, item: &Item, gate: Gate) -> String {
    let (name, release) = (&environment.name, &item.release);
    match gate {
        Gate::Halt => "`release status` says who halted it; `release resume` lets it go on".to_owned(),
        Gate::Lock => lock_hint(name),
        Gate::Hold => {
            format!("release a better one; or `release resume --only {} --reason TEXT`", release.package)
        }
        Gate::Withdrawn => "release a better one".to_owned(),
        Gate::After => format!(
            "`release deploy {} {}@{}` first",
            environment.table.after.as_deref().unwrap_or_default(),
            release.package,
            release.version
        ),
        Gate::Approvals => {
            format!(
                "`release approve {}@{} --environment {name}`, by somebody else",
                release.package, release.version
            )
        }
        Gate::Soak | Gate::Window => "`--when-allowed` with `release promote` remembers it".to_owned(),
        Gate::Order => format!("`release rollback {name}` goes back"),
        Gate::Return | Gate::Drift => format!("`--override {gate} --reason TEXT` goes on all the same"),
    }
}

/// What opens a locked environment.
pub fn lock_hint(environment: &str) -> String {
    format!("look at {environment}, then `release resume --environment {environment} --reason TEXT`")
}

/// The outcome in one word, and why.
pub fn word(outcome: &Outcome) -> (&'static str, String) {
    match outcome {
        Outcome::Ended { ending, reason } => {
            let word = match ending {
                Ending::Verified => "verified",
                Ending::RolledBack => "rolled-back",
                Ending::RollbackFailed => "rollback-failed",
                Ending::Failed => "failed",
                Ending::Superseded => "superseded",
            };
            (word, reason.clone())
        }
        Outcome::Undecided { reason } => ("undecided", reason.clone()),
        Outcome::Halted { reason } => ("halted", reason.clone()),
        Outcome::Incomplete { error } => ("incomplete", error.to_string()),
        Outcome::Fenced(fenced) => ("incomplete", fenced.to_string()),
        Outcome::Interrupted(signal) => ("interrupted", (*signal).to_owned()),
    }
}

/// The exit code of what happened.
pub fn ended(deployment: &Deployment, outcome: Outcome, state: &State) -> Result<u8, Failure> {
    let name = &deployment.environment;
    match outcome {
        Outcome::Ended { ending: Ending::Verified | Ending::Superseded, .. } => Ok(0),
        Outcome::Ended { ending: Ending::RolledBack, reason } => {
            // What was proven before the failure stays.
            let here = state.environments.get(name);
            let runs = |placed: &&Placed| {
                let current = here.and_then(|known| known.slot(&placed.package)?.current.as_ref());
                current.is_some_and(|current| current.release == **placed && current.deployment == deployment.digest.as_str())
            };
            let back: Vec<String> = deployment
                .items
                .iter()
                .filter_map(|item| item.back_to.as_ref())
                .filter(runs)
                .map(|placed| format!("{} {}", placed.package, placed.version))
                .collect();
            let text = format!("rolled back: {reason}");
            Err(Failure::new(Kind::RolledBack, text).hint(format!(
                "{name} runs what worked before ({}); the bad release is held and does not come back by itself",
                back.join(", ")
            )))
        }
        Outcome::Ended { ending: Ending::RollbackFailed, reason } => {
            Err(Failure::new(Kind::NeedsPerson, format!("the way back failed: {reason}"))
                .hint(format!("{name} is locked: nothing moves there until a person has looked"))
                .hint(format!("`release log` has both sides; then `release resume --environment {name} --reason TEXT`")))
        }
        Outcome::Ended { ending: Ending::Failed, reason } => {
            Err(Failure::new(Kind::NeedsPerson, format!("failed, with nothing verified to go back to: {reason}"))
                .hint(format!("{name} is left as it is, for you to look at; release a better one and deploy that")))
        }
        Outcome::Undecided { reason } => Err(Failure::new(Kind::Undecided, format!("undecided: {reason}"))
            .hint("the release stays where it is; `release tick` or the same command asks again, `release rollback` goes back")),
        Outcome::Halted { reason } => Err(Failure::new(Kind::NotAllowed, format!("halted: {reason}"))
            .hint("it goes on where it stopped with `release resume`, then the same command")),
        Outcome::Incomplete { error } => Err(target_failure(error)),
        Outcome::Fenced(fenced) if fenced.is_final() => {
            Err(Failure::new(Kind::Stale, fenced).hint("`release status` shows what the other one does"))
        }
        Outcome::Fenced(fenced) => Err(Failure::new(Kind::Outside, fenced).hint("run it again")),
        Outcome::Interrupted(signal) => Err(stopped_by(signal)),
    }
}

/// Why a deployment could not begin: somebody else's came first, or a halt.
pub fn begin_failure(error: BookError) -> Failure {
    match error {
        BookError::Order(error) => {
            Failure::new(Kind::Stale, error).hint("`release status` shows what is under way")
        }
        other => book_failure(other),
    }
}
