//! Proves that a deployment works: asks all checks of an environment at once, each in its own rhythm.

pub mod ask;
pub mod http;
pub mod install;
pub mod metrics;
pub mod program;
pub mod record;
pub mod running;

use std::sync::{Mutex, PoisonError};

use futures_util::future::BoxFuture;
use futures_util::stream::{FuturesUnordered, StreamExt};
use tokio::time::{Instant, sleep_until, timeout_at};

use crate::apply::supply::Supply;
use crate::apply::target::Observed;
use crate::apply::target::error::TargetError;
use crate::apply::validate::ask::Asked;
use crate::apply::validate::record::{Record, Verdict};
use crate::check::proof::Check;
use crate::check::trial::{Outcome, Trial, Try};
use crate::plan::deployment::Placed;
use crate::workspace::config::environment::CheckMode;
use crate::world::variable::Env;

/// What is asked about: one package in one environment.
pub struct Subject<'s> {
    pub environment: &'s str,
    /// What should run.
    pub placed: &'s Placed,
    /// What ran before, to recognise that nothing was deployed.
    pub before: Option<&'s Placed>,
    /// The deployment's digest, for programs.
    pub deployment: &'s str,
    /// Asks the target what runs for the package.
    pub observe: Observe<'s>,
    /// Where releases are installed from, for the checks that install.
    pub supply: &'s Supply<'s>,
    /// The folder that programs are started in: the repository's root.
    pub root: &'s std::path::Path,
    /// Reads a variable of this run's environment: the token of the judge.
    pub variable: &'s Env,
}

/// Asks a target what runs; asked anew at each try.
pub type Observe<'s> = &'s (dyn Fn() -> BoxFuture<'s, Result<Option<Observed>, TargetError>> + Sync);

/// One try as it is told while checks run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Measured<'m> {
    /// The check's name: `http-1`.
    pub check: &'m str,
    /// From 1.
    pub number: u32,
    pub shown: Try,
    /// Why, in one plain line; may be empty.
    pub words: &'m str,
    /// What the check has come to with this try, where it ended it.
    pub outcome: Option<Outcome>,
}

type Tell<'t> = Mutex<&'t mut (dyn FnMut(Measured<'_>) + Send)>;

/// Makes all checks that are for the subject's package, until each has its outcome or one that decides has failed: the
/// others are stopped then. Every try is told of.
///
/// Without a check there is nothing to prove: the verdict is a pass and says so.
pub async fn validate(
    checks: &[Check],
    subject: &Subject<'_>,
    tell: &mut (dyn FnMut(Measured<'_>) + Send),
) -> Verdict {
    let tell = Mutex::new(tell);
    let began = Instant::now();
    let checks: Vec<&Check> = checks.iter().filter(|check| check.is_for(&subject.placed.package)).collect();
    let mut records: Vec<Mutex<Record>> = checks.iter().map(|check| Mutex::new(Record::new(check))).collect();
    {
        let runs =
            checks.iter().zip(&records).map(|(check, record)| run(check, subject, began, record, &tell));
        let mut runs: FuturesUnordered<_> = runs.collect();
        while let Some((mode, outcome)) = runs.next().await {
            if mode == CheckMode::Enforce && outcome == Outcome::Fail {
                break;
            }
        }
    }
    let records = records.drain(..).map(|record| record.into_inner().unwrap_or_else(PoisonError::into_inner));
    Verdict::of(records.collect())
}

/// One check from its first try to its outcome, in its rhythm. What has been learned stands in the record at any time.
async fn run(
    check: &Check,
    subject: &Subject<'_>,
    began: Instant,
    record: &Mutex<Record>,
    tell: &Tell<'_>,
) -> (CheckMode, Outcome) {
    let schedule = check.schedule;
    let deadline = began + schedule.deadline;
    let mut trial = Trial::new(schedule);
    let mut next = began + schedule.initial_delay;
    // What an earlier try saw of the target, for counters that must not grow.
    let mut first_look = None;
    let outcome = loop {
        if next >= deadline {
            break trial.at_deadline();
        }
        sleep_until(next).await;
        let Ok(asked) = timeout_at(deadline, ask::ask(check, subject, &mut first_look)).await else {
            lock(record).interrupted();
            break trial.at_deadline();
        };
        let decided = note(&mut trial, check, record, tell, &asked);
        if let Some(outcome) = decided {
            break outcome;
        }
        next = Instant::now() + schedule.interval;
    };
    lock(record).outcome = Some(outcome);
    (schedule.mode, outcome)
}

/// Takes a try into the trial and the record, and tells of it.
fn note(
    trial: &mut Trial,
    check: &Check,
    record: &Mutex<Record>,
    tell: &Tell<'_>,
    asked: &Asked,
) -> Option<Outcome> {
    let outcome = trial.take(asked.shown);
    lock(record).take(trial, asked);
    let measured = Measured {
        check: &check.name,
        number: trial.tries,
        shown: asked.shown,
        words: &asked.words,
        outcome,
    };
    let mut tell = tell.lock().unwrap_or_else(PoisonError::into_inner);
    (*tell)(measured);
    outcome
}

fn lock(record: &Mutex<Record>) -> std::sync::MutexGuard<'_, Record> {
    record.lock().unwrap_or_else(PoisonError::into_inner)
}
