//! Carries out a plan's steps: each between two ledger events, independent ones side by side.

mod awaited;
mod standing;
mod waiting;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{mpsc, watch};
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::{Instant, sleep_until, timeout};

use crate::apply::book::{Book, BookError};
use crate::apply::claim::Claim;
use crate::apply::claiming::{self, Unclaimed};
use crate::apply::effect::{self, Evidence, StepError};
use crate::apply::fence::{Fence, Fenced};
use crate::apply::lane::Lane;
use crate::apply::lease;
use crate::apply::notes::{Note, Notes};
use crate::apply::part::Part;
use crate::apply::ship::awaited::awaited;
use crate::apply::ship::waiting::settle;
use crate::apply::stage::Stage;
use crate::apply::take_back::{forget, take_back};
use crate::apply::workshop::Workshop;
use crate::ledger::event::{Begin, Event, Holder, What};
use crate::ledger::state::Ship;
use crate::plan::Plan;
use crate::plan::step::{Action, Step};

/// How long the effects in hand may take once somebody asked to stop; then they are left where they are.
const GRACE: Duration = Duration::from_millis(1_900);
/// How long telling others may take then.
pub const FAREWELL: Duration = Duration::from_millis(1_500);

/// How a ship ended.
#[derive(Debug)]
pub enum Outcome {
    /// Every step is done.
    Finished,
    /// It stopped where it was told to; another run goes on.
    Stopped,
    /// The part that was ours is done; the rest is done too, or left to the other jobs.
    Part { finished: bool },
    /// A step failed before the claim; everything is taken back.
    TakenBack(Vec<(String, StepError)>),
    /// A step failed after the claim; another run finishes.
    Incomplete(Vec<(String, StepError)>),
    /// A signal came; another run goes on.
    Interrupted(&'static str),
}

/// What a ship tells while it goes on.
#[derive(Debug, Clone, Copy)]
pub enum Told<'t> {
    /// After it is stored.
    Event(&'t Event),
    /// A file on its way, in bytes.
    Bytes { step: &'t str, sent: u64, total: u64 },
    /// Something that people may want to know, and that changes nothing.
    Remark(&'t str),
}

/// Under what a ship is carried out.
pub struct Orders {
    pub until: Option<Stage>,
    /// Who we are, for the lease of a shared ledger.
    pub holder: Holder,
    /// Which steps are ours, and whether other jobs of our run do the others meanwhile.
    pub part: Part,
    /// The signal that asks to stop, where one came.
    pub interrupt: watch::Receiver<Option<&'static str>>,
}

/// Begins (or takes up again) the ship of a plan and carries it as far as it goes.
///
/// # Errors
/// Where the ledger can not be written.
pub async fn ship(
    book: &mut Book,
    plan: &Plan,
    workshop: Arc<Workshop>,
    orders: Orders,
    tell: &mut dyn FnMut(Told<'_>),
) -> Result<Outcome, BookError> {
    begin(book, plan, &orders, tell).await?;
    let plan = &Arc::new(plan.clone());
    let (notes, heard) = Notes::line();
    let fence = fence(book, plan);
    let engine = Engine {
        book,
        plan,
        workshop,
        tell,
        notes,
        heard,
        fence,
        running: JoinSet::new(),
        failed: Vec::new(),
        interrupt: orders.interrupt,
        until: orders.until,
        part: orders.part.clone(),
        told_published: false,
        following: None,
    };
    match engine.go(orders.until).await {
        Err(BookError::Overtaken { reason }) if orders.part.together => settle(book, plan, reason).await,
        ended => ended,
    }
}

/// Writes that the ship is begun and that we have it in hand.
async fn begin(
    book: &mut Book,
    plan: &Plan,
    orders: &Orders,
    tell: &mut dyn FnMut(Told<'_>),
) -> Result<(), BookError> {
    if book.ship(&plan.digest).is_none() {
        book.keep_plan(plan)?;
        let releases = plan.releases.iter().map(|release| {
            let begin =
                Begin { version: release.to.clone(), tag: release.tag.clone(), index: release.index.clone() };
            (release.package.clone(), begin)
        });
        let begun = book.write(&plan.digest, What::Begun { releases: releases.collect() }).await?;
        tell(Told::Event(&begun));
    }
    if orders.part.together {
        if let Some(leased) = lease::join(book, &plan.digest, &orders.holder).await? {
            tell(Told::Event(&leased));
        }
    } else if book.is_shared() {
        let leased = lease::take(book, &plan.digest, &orders.holder).await?;
        tell(Told::Event(&leased));
        if book.is_seen(&plan.digest) {
            book.flush().await?;
        }
    }
    Ok(())
}

/// What stops the ship where others take it over, or somebody halts it.
fn fence(book: &Book, plan: &Plan) -> Option<Arc<Fence>> {
    let (epoch, _) = book.state().lease(&plan.digest)?;
    let guards = plan.releases.iter().map(|release| (None, release.package.clone())).collect();
    Some(Arc::new(Fence::new(book, &plan.digest, epoch, guards)))
}

struct Engine<'a> {
    book: &'a mut Book,
    plan: &'a Arc<Plan>,
    workshop: Arc<Workshop>,
    tell: &'a mut dyn FnMut(Told<'_>),
    notes: Notes,
    heard: mpsc::Receiver<Note>,
    fence: Option<Arc<Fence>>,
    running: JoinSet<(String, Result<Evidence, StepError>)>,
    failed: Vec<(String, StepError)>,
    interrupt: watch::Receiver<Option<&'static str>>,
    until: Option<Stage>,
    part: Part,
    told_published: bool,
    /// This checkout on its way to the claim.
    following: Option<JoinHandle<Result<(), StepError>>>,
}

impl Engine<'_> {
    async fn go(mut self, until: Option<Stage>) -> Result<Outcome, BookError> {
        let ran = self.run(until).await;
        self.has_followed().await;
        ran?;
        let signal = *self.interrupt.borrow();
        match signal {
            Some(signal) => self.leave(signal).await,
            None => self.end().await,
        }
    }

    async fn run(&mut self, until: Option<Stage>) -> Result<(), BookError> {
        let mut under_way: BTreeSet<String> = BTreeSet::new();
        let mut stop_at: Option<Instant> = None;
        loop {
            if stop_at.is_none() && self.interrupt.borrow().is_some() {
                stop_at = Some(Instant::now() + GRACE);
            }
            if stop_at.is_none() {
                self.start_ready(until, &mut under_way).await?;
                self.tell_published().await?;
            }
            if self.running.is_empty() {
                if stop_at.is_none() && self.wait_for_others(until).await? {
                    continue;
                }
                return Ok(());
            }
            let deadline = stop_at.unwrap_or_else(|| Instant::now() + Duration::from_secs(3600));
            tokio::select! {
                biased;
                Some(note) = self.heard.recv() => self.take_note(note).await?,
                Some(joined) = self.running.join_next() => {
                    let (id, result) = joined.unwrap_or_else(|panic| std::panic::resume_unwind(panic.into_panic()));
                    under_way.remove(&id);
                    self.record(id, result).await?;
                }
                Ok(()) = self.interrupt.changed(), if stop_at.is_none() => {}
                () = sleep_until(deadline), if stop_at.is_some() => {
                    return self.let_go(&mut under_way).await;
                }
            }
        }
    }

    /// Starts what can be started, as many of each lane as go on at once.
    async fn start_ready(
        &mut self,
        until: Option<Stage>,
        under_way: &mut BTreeSet<String>,
    ) -> Result<(), BookError> {
        let at_work = self.plan.steps.iter().filter(|step| under_way.contains(&step.id.0));
        let mut lanes: Vec<Lane> = at_work.map(|step| Lane::of(&step.action)).collect();
        for step in self.ready(until, under_way) {
            if self.is_shared_claim(&step) {
                // Nothing else is at work then: it needs the seal, and everything after needs it.
                self.claim_on_remote(&step).await?;
                return Box::pin(self.start_ready(until, under_way)).await;
            }
            let lane = Lane::of(&step.action);
            let same = lanes.iter().filter(|other| **other == lane).count();
            if same < lane.width(self.workshop.jobs) && self.start(&step).await? {
                lanes.push(lane);
                under_way.insert(step.id.0.clone());
            }
        }
        Ok(())
    }

    /// The steps whose needs are done, in the plan's order.
    fn ready(&self, until: Option<Stage>, under_way: &BTreeSet<String>) -> Vec<Step> {
        let ship = self.ship();
        let before_claim = !ship.has_done("claim");
        if before_claim && !self.failed.is_empty() {
            return Vec::new();
        }
        let failed = |id: &str| self.failed.iter().any(|(step, _)| step == id);
        self.plan
            .steps
            .iter()
            .filter(|step| until.is_none_or(|until| Stage::of(&step.action) <= until))
            .filter(|step| {
                !ship.has_done(&step.id.0) && !under_way.contains(&step.id.0) && !failed(&step.id.0)
            })
            .filter(|step| step.needs.iter().all(|need| ship.has_done(&need.0)))
            .filter(|step| self.part.owns(self.plan, ship, step))
            .cloned()
            .collect()
    }

    /// Whether the step is at work now: what a halt stops has failed already.
    async fn start(&mut self, step: &Step) -> Result<bool, BookError> {
        let is_seen_failed = self.part.together && self.has_failed(&step.id.0);
        self.write(What::Started { step: step.id.0.clone() }).await?;
        if is_seen_failed {
            // Other jobs see that it is tried again.
            self.flush().await?;
        }
        if let Some(error) = self.halted(step) {
            self.record(step.id.0.clone(), Err(error)).await?;
            return Ok(false);
        }
        let job = effect::Job {
            step: step.clone(),
            plan: Arc::clone(self.plan),
            ship: self.ship().clone(),
            notes: self.notes.clone(),
            until: self.until,
            fence: self.fence.clone(),
        };
        let workshop = Arc::clone(&self.workshop);
        self.running.spawn(async move {
            let id = job.step.id.0.clone();
            (id, effect::carry_out(job, workshop).await)
        });
        Ok(true)
    }

    /// A halt stops what others would see.
    fn halted(&self, step: &Step) -> Option<StepError> {
        if Stage::of(&step.action) < Stage::Claim || matches!(step.action, Action::Smoke { .. }) {
            return None;
        }
        let packages = self.plan.releases.iter().map(|release| Some(release.package.as_str()));
        let halt = packages.filter(|package| step.package.is_none() || step.package.as_deref() == *package);
        let halt = halt.into_iter().find_map(|package| self.book.state().halted(None, package))?;
        Some(StepError::Fenced(Fenced::Halted { reason: halt.reason.clone() }))
    }

    async fn take_note(&mut self, note: Note) -> Result<(), BookError> {
        match note {
            Note::Keep { what, kept } => {
                self.write(what).await?;
                // A step that was stopped meanwhile does not wait any more.
                let _ = kept.send(());
            }
            Note::Bytes { step, sent, total } => (self.tell)(Told::Bytes { step: &step, sent, total }),
            Note::Remark { text } => (self.tell)(Told::Remark(&text)),
        }
        Ok(())
    }

    async fn record(&mut self, id: String, result: Result<Evidence, StepError>) -> Result<(), BookError> {
        if result.is_ok() && id == "seal" {
            self.workshop.workbench.retire();
        }
        let is_published = result.is_ok() && (id.starts_with("publish:") || id.starts_with("push:"));
        let what = match result {
            Ok(evidence) => What::Succeeded { step: id, evidence },
            Err(error) => {
                let what =
                    What::Failed { step: id.clone(), failure: error.failure(), evidence: Evidence::new() };
                self.failed.push((id, error));
                what
            }
        };
        self.write(what).await?;
        // Other jobs may wait for it.
        if is_published && self.part.together { self.flush().await } else { Ok(()) }
    }

    /// Gives up the effects that did not end in time: what they did is observed by whoever goes on.
    async fn let_go(&mut self, under_way: &mut BTreeSet<String>) -> Result<(), BookError> {
        self.running.abort_all();
        let signal = self.interrupt.borrow().unwrap_or("a signal").to_owned();
        for id in std::mem::take(under_way) {
            self.record(id, Err(StepError::Stopped { signal: signal.clone() })).await?;
        }
        Ok(())
    }

    fn is_shared_claim(&self, step: &Step) -> bool {
        matches!(step.action, Action::Claim { .. }) && self.workshop.remote.is_some()
    }

    /// Branch, tags and ledger in one atomic push. A ledger that is kept elsewhere hears of it before and after.
    async fn claim_on_remote(&mut self, step: &Step) -> Result<(), BookError> {
        let (followed, branch) =
            tokio::join!(self.book.follow(), claiming::branch_on_remote(self.plan, &self.workshop));
        followed?;
        self.write(What::Started { step: step.id.0.clone() }).await?;
        if let Some(error) = self.halted(step) {
            return self.record(step.id.0.clone(), Err(error)).await;
        }
        match claiming::claim(self.book, self.plan, &self.workshop, &step.id.0, branch).await {
            Ok(event) => {
                (self.tell)(Told::Event(&event));
                self.moved().await;
                self.follow_here();
                Ok(())
            }
            Err(Unclaimed::Step(error)) => self.record(step.id.0.clone(), Err(error)).await,
            Err(Unclaimed::Book(error)) => Err(error),
        }
    }

    /// Brings this checkout to the claim, beside what comes next.
    fn follow_here(&mut self) {
        let (plan, ship) = (Arc::clone(self.plan), self.ship().clone());
        let repository = self.workshop.repository.clone();
        let follow = move || Claim::of(&plan, &ship)?.follow_here(&repository);
        self.following = Some(tokio::task::spawn_blocking(follow));
    }

    /// Waits until this checkout has followed. The claim stands all the same where it could not.
    async fn has_followed(&mut self) {
        let Some(following) = self.following.take() else { return };
        let followed = following.await.unwrap_or_else(|panic| std::panic::resume_unwind(panic.into_panic()));
        if let Err(error) = followed {
            let remark = format!("the claim is made, but this checkout could not follow it: {error}");
            (self.tell)(Told::Remark(&remark));
        }
    }

    /// Others learn that everything is on its index while the trials go on.
    async fn tell_published(&mut self) -> Result<(), BookError> {
        let ship = self.ship();
        let is_upload = |step: &&Step| matches!(step.action, Action::Publish { .. } | Action::Push { .. });
        let mut uploads = self.plan.steps.iter().filter(is_upload).peekable();
        let published = uploads.peek().is_some() && uploads.all(|step| ship.has_done(&step.id.0));
        if self.told_published || !published || !self.book.is_shared() {
            return Ok(());
        }
        self.told_published = true;
        self.flush().await
    }

    async fn end(mut self) -> Result<Outcome, BookError> {
        if self.part.together {
            return self.end_together().await;
        }
        let ship = self.ship();
        let done = self.plan.steps.iter().all(|step| ship.has_done(&step.id.0));
        let claimed = ship.has_done("claim");
        let claim_failed = self.failed.iter().any(|(step, _)| step == "claim");
        if done {
            self.finish().await?;
            return Ok(Outcome::Finished);
        }
        if !claimed && self.is_overtaken() {
            // Somebody else's now, by the ledger: nothing of theirs is touched.
            forget(self.book, self.plan, &self.workshop).await?;
            return Ok(Outcome::TakenBack(self.failed));
        }
        let unknown = claim_failed && self.is_unknown_claim();
        if !claimed && !self.failed.is_empty() && !unknown && !self.is_claimed_here() {
            let reason = format!("{} failed", self.failed[0].0);
            let (plan, workshop) = (self.plan, Arc::clone(&self.workshop));
            take_back(self.book, plan, &workshop, reason, self.tell).await?;
            return Ok(Outcome::TakenBack(self.failed));
        }
        if self.lost_the_ship() {
            return Ok(Outcome::Incomplete(self.failed));
        }
        self.put_down().await?;
        if claimed || self.book.is_seen(&self.plan.digest) {
            self.flush().await?;
        }
        self.excuse_stash();
        match self.failed.is_empty() {
            true if self.part.is_whole() => Ok(Outcome::Stopped),
            true => Ok(Outcome::Part { finished: false }),
            false => Ok(Outcome::Incomplete(self.failed)),
        }
    }

    async fn finish(&mut self) -> Result<(), BookError> {
        // First the workshop: killed in between, the next run finds all steps done and comes here again.
        self.workshop.clear(&self.plan.digest, self.ship().began);
        self.put_down().await?;
        self.write(What::Finished { awaited: awaited(self.plan, self.ship()) }).await?;
        self.flush().await
    }

    /// After a signal: what happened is kept, others learn that nobody has the ship in hand.
    async fn leave(mut self, signal: &'static str) -> Result<Outcome, BookError> {
        let ship = self.ship();
        if self.plan.steps.iter().all(|step| ship.has_done(&step.id.0)) {
            return self.end().await;
        }
        let is_seen = self.book.is_seen(&self.plan.digest);
        if !self.part.together {
            self.put_down().await?;
        }
        if is_seen {
            // Without an answer in time the lease stays, and its holder is proven dead by then.
            let told = timeout(FAREWELL, self.book.flush()).await;
            told.unwrap_or(Ok(()))?;
        }
        Ok(Outcome::Interrupted(signal))
    }

    async fn put_down(&mut self) -> Result<(), BookError> {
        if let Some(event) = lease::put_down(self.book, &self.plan.digest).await? {
            (self.tell)(Told::Event(&event));
        }
        Ok(())
    }

    async fn write(&mut self, what: What) -> Result<(), BookError> {
        let event = self.book.write(&self.plan.digest, what).await?;
        (self.tell)(Told::Event(&event));
        Ok(())
    }

    async fn flush(&mut self) -> Result<(), BookError> {
        self.book.flush().await?;
        self.moved().await;
        Ok(())
    }

    async fn moved(&self) {
        if let Some(fence) = &self.fence {
            fence.moved_to(self.book.version().cloned()).await;
        }
    }

    fn ship(&self) -> &Ship {
        self.book.ship(&self.plan.digest).expect("the ship was begun")
    }
}
