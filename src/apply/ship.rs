//! Carries out a plan's steps: each between two ledger events, independent ones side by side.

use std::collections::BTreeSet;
use std::sync::Arc;

use tokio::task::JoinSet;

use crate::apply::book::{Book, BookError};
use crate::apply::effect::{self, Evidence, StepError};
use crate::apply::workshop::Workshop;
use crate::ledger::event::{Begin, Event, What};
use crate::plan::Plan;
use crate::plan::step::{Action, Step};

/// How far a ship goes before it stops of its own will.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Stage {
    Build,
    Seal,
    Claim,
    Publish,
    Smoke,
}

/// How a ship ended.
#[derive(Debug)]
pub enum Outcome {
    /// Every step is done.
    Finished,
    /// It stopped where it was told to; another run goes on.
    Stopped,
    /// A step failed before the claim; everything is taken back.
    TakenBack(Vec<(String, StepError)>),
    /// A step failed after the claim; another run finishes.
    Incomplete(Vec<(String, StepError)>),
}

/// Begins (or takes up again) the ship of a plan and carries it as far as it goes.
/// `tell` hears every event after it is stored.
///
/// # Errors
/// Where the ledger can not be written.
pub async fn ship(
    book: &mut Book<'_>,
    plan: &Plan,
    workshop: Arc<Workshop>,
    until: Option<Stage>,
    tell: &mut dyn FnMut(&Event),
) -> Result<Outcome, BookError> {
    if book.ship(&plan.digest).is_none() {
        book.keep_plan(plan)?;
        let releases = plan.releases.iter().map(|release| {
            let begin =
                Begin { version: release.to.clone(), tag: release.tag.clone(), index: release.index.clone() };
            (release.package.clone(), begin)
        });
        tell(&book.write(&plan.digest, What::Begun { releases: releases.collect() })?);
    }
    let mut engine = Engine { book, plan, workshop, tell, running: JoinSet::new(), failed: Vec::new() };
    engine.run(until).await?;
    engine.end()
}

struct Engine<'a, 'r> {
    book: &'a mut Book<'r>,
    plan: &'a Plan,
    workshop: Arc<Workshop>,
    tell: &'a mut dyn FnMut(&Event),
    running: JoinSet<(String, Result<Evidence, StepError>)>,
    failed: Vec<(String, StepError)>,
}

impl Engine<'_, '_> {
    async fn run(&mut self, until: Option<Stage>) -> Result<(), BookError> {
        let mut under_way: BTreeSet<String> = BTreeSet::new();
        loop {
            for step in self.ready(until, &under_way) {
                if under_way.len() >= self.workshop.jobs {
                    break;
                }
                self.start(&step)?;
                under_way.insert(step.id.0.clone());
            }
            let Some(joined) = self.running.join_next().await else { return Ok(()) };
            let (id, result) = joined.unwrap_or_else(|panic| std::panic::resume_unwind(panic.into_panic()));
            under_way.remove(&id);
            self.record(id, result)?;
        }
    }

    /// The steps whose needs are done, in the plan's order.
    fn ready(&self, until: Option<Stage>, under_way: &BTreeSet<String>) -> Vec<Step> {
        let ship = self.book.ship(&self.plan.digest).expect("the ship was begun");
        let before_claim = !ship.has_done("claim");
        if before_claim && !self.failed.is_empty() {
            return Vec::new();
        }
        let failed = |id: &str| self.failed.iter().any(|(step, _)| step == id);
        self.plan
            .steps
            .iter()
            .filter(|step| until.is_none_or(|until| stage(&step.action) <= until))
            .filter(|step| {
                !ship.has_done(&step.id.0) && !under_way.contains(&step.id.0) && !failed(&step.id.0)
            })
            .filter(|step| step.needs.iter().all(|need| ship.has_done(&need.0)))
            .cloned()
            .collect()
    }

    fn start(&mut self, step: &Step) -> Result<(), BookError> {
        let event = self.book.write(&self.plan.digest, What::Started { step: step.id.0.clone() })?;
        (self.tell)(&event);
        let ship = self.book.ship(&self.plan.digest).expect("the ship was begun").clone();
        let job = effect::Job { step: step.clone(), plan: Arc::new(self.plan.clone()), ship };
        let workshop = Arc::clone(&self.workshop);
        self.running.spawn(async move {
            let id = job.step.id.0.clone();
            (id, effect::carry_out(job, workshop).await)
        });
        Ok(())
    }

    fn record(&mut self, id: String, result: Result<Evidence, StepError>) -> Result<(), BookError> {
        let what = match result {
            Ok(evidence) => What::Succeeded { step: id, evidence },
            Err(error) => {
                let what = What::Failed { step: id.clone(), failure: error.failure() };
                self.failed.push((id, error));
                what
            }
        };
        let event = self.book.write(&self.plan.digest, what)?;
        (self.tell)(&event);
        Ok(())
    }

    fn end(self) -> Result<Outcome, BookError> {
        let ship = self.book.ship(&self.plan.digest).expect("the ship was begun");
        let done = self.plan.steps.iter().all(|step| ship.has_done(&step.id.0));
        let claimed = ship.has_done("claim");
        let claim_failed = self.failed.iter().any(|(step, _)| step == "claim");
        if done {
            // First the workshop: killed in between, the next run finds all steps done and comes here again.
            self.workshop.clear(&self.plan.digest);
            (self.tell)(&self.book.write(&self.plan.digest, What::Finished)?);
            return Ok(Outcome::Finished);
        }
        if self.failed.is_empty() {
            return Ok(Outcome::Stopped);
        }
        if claimed || (claim_failed && self.workshop.is_claimed(self.plan, ship)) {
            return Ok(Outcome::Incomplete(self.failed));
        }
        let reason = format!("{} failed", self.failed[0].0);
        take_back(self.book, self.plan, &self.workshop, reason, self.tell)?;
        Ok(Outcome::TakenBack(self.failed))
    }
}

/// Takes back all that a ship did before its claim, and says so in the ledger.
///
/// # Errors
/// Where the ledger can not be written.
pub fn take_back(
    book: &mut Book<'_>,
    plan: &Plan,
    workshop: &Workshop,
    reason: String,
    tell: &mut dyn FnMut(&Event),
) -> Result<(), BookError> {
    workshop.clear(&plan.digest);
    let event = book.write(&plan.digest, What::Abandoned { reason })?;
    tell(&event);
    Ok(())
}

fn stage(action: &Action) -> Stage {
    match action {
        Action::Commit { .. } | Action::Tag { .. } | Action::Build { .. } => Stage::Build,
        Action::Seal => Stage::Seal,
        Action::Claim { .. } => Stage::Claim,
        Action::Publish { .. } => Stage::Publish,
        Action::Smoke { .. } => Stage::Smoke,
    }
}
