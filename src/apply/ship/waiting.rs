//! A ship that the jobs of one run do together: waiting for what the others do, and the end of a part.

use tokio::time::{Instant, sleep};

use crate::apply::book::{Book, BookError};
use crate::apply::effect::StepError;
use crate::apply::part::is_stuck;
use crate::apply::ship::{Engine, Outcome};
use crate::apply::stage::Stage;
use crate::apply::watch::Rhythm;
use crate::ledger::state::StepState;
use crate::plan::Plan;
use crate::plan::step::Step;
use crate::world::interrupt::heard;

impl Engine<'_> {
    /// Waits until something that our steps need is done by another job. False where nothing of ours waits any more: it is
    /// done, it failed, it took too long, somebody asked to stop.
    pub(in crate::apply::ship) async fn wait_for_others(
        &mut self,
        until: Option<Stage>,
    ) -> Result<bool, BookError> {
        let awaited = self.awaited(until);
        if awaited.is_empty() {
            return Ok(false);
        }
        if !self.part.together {
            // Nobody else is at work on it.
            self.give_up(awaited);
            return Ok(false);
        }
        let pace = self.workshop.images.pace;
        let ends = Instant::now() + pace.budget;
        let mut rhythm = Rhythm::new(&pace);
        let had_failed: Vec<String> = awaited.iter().filter(|id| self.has_failed(id)).cloned().collect();
        loop {
            tokio::select! {
                _ = heard(&mut self.interrupt) => return Ok(false),
                () = sleep(rhythm.quiet()) => {}
            }
            if self.book.store().head().await? != self.book.version().cloned() {
                self.book.follow().await?;
                self.moved().await;
                rhythm.again();
            }
            if awaited.iter().any(|id| self.ship().has_done(id)) {
                return Ok(true);
            }
            // What had failed before we came may be tried again; what fails now is told.
            let fails = |id: &&String| self.has_failed(id) && !had_failed.contains(id);
            let failed: Vec<String> = awaited.iter().filter(fails).cloned().collect();
            let is_late = Instant::now() >= ends;
            if !failed.is_empty() || is_late {
                self.give_up(if failed.is_empty() { awaited } else { failed });
                return Ok(false);
            }
        }
    }

    fn awaited(&self, until: Option<Stage>) -> Vec<String> {
        let failed = |id: &str| self.failed.iter().any(|(step, _)| step == id);
        let is_asked = |step: &Step| until.is_none_or(|until| Stage::of(&step.action) <= until);
        let awaited = self.part.awaited(self.plan, self.ship(), &failed, &is_asked);
        awaited.into_iter().map(str::to_owned).collect()
    }

    pub(in crate::apply::ship) fn has_failed(&self, step: &str) -> bool {
        matches!(self.ship().steps.get(step), Some(StepState::Failed { .. }))
    }

    /// Leaves the steps that wait for these: they were never begun, so the ledger hears nothing of it.
    fn give_up(&mut self, needs: Vec<String>) {
        let waits = |step: &&Step| step.needs.iter().any(|need| needs.contains(&need.0));
        let ship = self.ship();
        let mut ours = self.plan.steps.iter().filter(|step| self.part.owns(self.plan, ship, step));
        let step = ours.find(waits).map(|step| step.id.0.clone()).unwrap_or_default();
        self.failed.push((step, StepError::Waited { needs }));
    }

    /// The end of our part. Whoever writes its last event on top of all others' finds the whole ship done, and finishes it.
    pub(in crate::apply::ship) async fn end_together(mut self) -> Result<Outcome, BookError> {
        if self.lost_the_ship() {
            return Ok(Outcome::Incomplete(self.failed));
        }
        if self.try_end_together().await? {
            return Ok(match self.part.is_whole() {
                true => Outcome::Finished,
                false => Outcome::Part { finished: true },
            });
        }
        match self.failed.is_empty() {
            true => Ok(Outcome::Part { finished: false }),
            false => Ok(Outcome::Incomplete(self.failed)),
        }
    }

    /// Whether the ship is finished now.
    async fn try_end_together(&mut self) -> Result<bool, BookError> {
        self.flush().await?;
        let ship = self.ship();
        if self.plan.steps.iter().all(|step| ship.has_done(&step.id.0)) {
            self.finish().await?;
            return Ok(true);
        }
        let done: Vec<String> =
            self.failed.iter().map(|(step, _)| step.clone()).filter(|step| ship.has_done(step)).collect();
        let is_stuck = is_stuck(self.plan, ship);
        // What failed here was done by another job meanwhile.
        self.failed.retain(|(step, _)| !done.contains(step));
        if is_stuck {
            self.put_down().await?;
            self.flush().await?;
        }
        Ok(false)
    }
}

/// Where nothing of ours finds a place in the ledger any more: another job has finished the ship, or somebody took it over.
///
/// # Errors
/// `Overtaken` where it is not finished; where the ledger can not be read.
pub async fn settle(book: &mut Book, plan: &Plan, reason: String) -> Result<Outcome, BookError> {
    book.forget_pending().await?;
    match book.state().finished.contains_key(plan.digest.as_str()) {
        true => Ok(Outcome::Part { finished: true }),
        false => Err(BookError::Overtaken { reason }),
    }
}
