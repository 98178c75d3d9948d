//! Carries a deployment out: each release is brought to its environment and proven; what does not hold goes back.
//!
//! Every effect stands between two ledger events, so whoever comes next goes on from there. A failure goes back once:
//! to what was verified before, which is proven too. What fails then is left to a person.

use tokio::sync::watch;
use tokio::time::timeout;

use crate::apply::book::{Book, BookError};
use crate::apply::effect::Evidence;
use crate::apply::fence::{Fence, Fenced};
use crate::apply::ground::{Ground, Proof, Proven};
use crate::apply::lease;
use crate::apply::ship::{FAREWELL, Told};
use crate::apply::target::error::TargetError;
use crate::apply::target::{Mark, Observed};
use crate::ledger::environments::{Rollout, deploy_step, prove_step, return_step, validate_step};
use crate::ledger::event::{Ending, FailureKind, Holder, StepFailure, What};
use crate::plan::deployment::{Deployment, DeploymentKind, Item, Placed};
use crate::world::interrupt;

/// How a run of a deployment ended.
#[derive(Debug)]
pub enum Outcome {
    /// The deployment is over.
    Ended { ending: Ending, reason: String },
    /// A check could not be decided; `release tick` or the same command looks again.
    Undecided { reason: String },
    /// Somebody halted it; it goes on after `release resume`.
    Halted { reason: String },
    /// The outside failed; another run goes on.
    Incomplete { error: TargetError },
    /// The ledger did not answer, or somebody else has it in hand now.
    Fenced(Fenced),
    /// A signal came; another run goes on.
    Interrupted(&'static str),
}

/// Under what a deployment is carried out.
pub struct Orders {
    pub holder: Holder,
    /// The signal that asks to stop, where one came.
    pub interrupt: watch::Receiver<Option<&'static str>>,
}

/// Begins a deployment, or takes it up again, and carries it as far as it goes.
///
/// # Errors
/// Where the ledger can not be written, or leaves no room for it.
pub async fn carry_out(
    book: &mut Book,
    deployment: &Deployment,
    ground: &Ground,
    orders: Orders,
    tell: &mut (dyn FnMut(Told<'_>) + Send),
) -> Result<Outcome, BookError> {
    let digest = &deployment.digest;
    if !book.state().rollouts.contains_key(digest.as_str()) {
        let begun = book.write(digest, What::Deploying { deployment: Box::new(deployment.clone()) }).await?;
        tell(Told::Event(&begun));
    }
    let leased = lease::take(book, digest, &orders.holder).await?;
    tell(Told::Event(&leased));
    match book.flush().await {
        Err(error @ BookError::Overtaken { .. }) => {
            // Nobody has seen that it was to begin, and nobody shall.
            book.forget_pending().await?;
            return Err(error);
        }
        done => done?,
    }
    let mut hand = Hand { book, deployment, ground, tell, fence: None, interrupt: orders.interrupt };
    hand.renew_fence(true);
    let done = hand.go().await?;
    hand.leave(done).await
}

/// Where one package's way leads.
enum Way {
    /// It runs and is proven.
    On,
    /// It failed; the environment goes back.
    Back(String),
    /// This run ends here.
    Leave(Outcome),
}

struct Hand<'a> {
    book: &'a mut Book,
    deployment: &'a Deployment,
    ground: &'a Ground,
    tell: &'a mut (dyn FnMut(Told<'_>) + Send),
    fence: Option<Fence>,
    interrupt: watch::Receiver<Option<&'static str>>,
}

impl Hand<'_> {
    async fn go(&mut self) -> Result<Outcome, BookError> {
        let deployment = self.deployment;
        for item in &deployment.items {
            match self.bring(item).await? {
                Way::On => {}
                Way::Back(reason) => return self.go_back(item, reason).await,
                Way::Leave(outcome) => return Ok(outcome),
            }
        }
        self.settle().await;
        Ok(Outcome::Ended { ending: Ending::Verified, reason: String::new() })
    }

    /// Brings one release to its place and proves it.
    async fn bring(&mut self, item: &Item) -> Result<Way, BookError> {
        let package = item.release.package.as_str();
        let back = self.deployment.kind == DeploymentKind::Rollback;
        self.run_proven([deploy_step(package), validate_step(package)], &item.release, back).await
    }

    /// One attempt; whatever does not hold then is left to a person.
    async fn go_back(&mut self, item: &Item, reason: String) -> Result<Outcome, BookError> {
        // Others see why before anything goes back: whoever comes after a kill does not bring the bad one again.
        self.book.flush().await?;
        self.renew_fence(false);
        let package = item.release.package.as_str();
        let rollback = self.deployment.kind == DeploymentKind::Rollback;
        let Some(back_to) = item.back_to.as_ref().filter(|_| !rollback) else {
            let ending = if rollback { Ending::RollbackFailed } else { Ending::Failed };
            return Ok(Outcome::Ended { ending, reason });
        };
        match self.run_proven([return_step(package), prove_step(package)], back_to, true).await? {
            Way::On => Ok(Outcome::Ended { ending: Ending::RolledBack, reason }),
            Way::Leave(outcome) => Ok(outcome),
            Way::Back(why) => {
                let version = &back_to.version;
                let reason = format!("{reason}; and {package} {version} did not work either: {why}");
                Ok(Outcome::Ended { ending: Ending::RollbackFailed, reason })
            }
        }
    }

    /// A release is placed, then proven; what an earlier run did of it is not done again.
    async fn run_proven(
        &mut self,
        [place, prove]: [String; 2],
        release: &Placed,
        back: bool,
    ) -> Result<Way, BookError> {
        for step in [&place, &prove] {
            let failure = self.rollout().failure(step);
            // An earlier run saw it fail and ended before the way back.
            if let Some(failure) = failure.filter(|failure| failure.kind == FailureKind::Permanent) {
                return Ok(Way::Back(failure.message.clone()));
            }
        }
        if !self.rollout().has_done(&place) {
            match self.place(&place, release, back).await? {
                Way::On => {}
                other => return Ok(other),
            }
        }
        if self.rollout().has_done(&prove) {
            return Ok(Way::On);
        }
        self.prove(&prove, release).await
    }

    /// The effect on the target, between two events.
    async fn place(&mut self, step: &str, release: &Placed, back: bool) -> Result<Way, BookError> {
        if let Some(outcome) = self.stopped().await {
            return Ok(Way::Leave(outcome));
        }
        self.write(What::Started { step: step.to_owned() }).await?;
        let mark = self.mark();
        let ground = self.ground;
        let (remarks, mut heard) = tokio::sync::mpsc::unbounded_channel::<String>();
        let remark = move |text: &str| {
            // Nobody listens any more only where the run is over.
            let _ = remarks.send(text.to_owned());
        };
        let mut interrupt = self.interrupt.clone();
        let work = async {
            match back {
                true => ground.back(release, &mark, &remark).await,
                false => ground.apply(release, &mark, &remark).await,
            }
        };
        tokio::pin!(work);
        let placed = loop {
            tokio::select! {
                biased;
                Some(text) = heard.recv() => (self.tell)(Told::Remark(&text)),
                placed = &mut work => break placed,
                signal = interrupt::heard(&mut interrupt) => return self.interrupted(step, signal).await,
            }
        };
        self.placed(step, release, placed).await
    }

    async fn placed(
        &mut self,
        step: &str,
        release: &Placed,
        placed: Result<Observed, TargetError>,
    ) -> Result<Way, BookError> {
        match placed {
            Ok(observed) => {
                let evidence = Evidence::from([
                    ("digest".to_owned(), observed.digest.as_str().to_owned()),
                    ("version".to_owned(), release.version.clone()),
                    ("place".to_owned(), observed.place),
                ]);
                self.write(What::Succeeded { step: step.to_owned(), evidence }).await?;
                Ok(Way::On)
            }
            Err(error) => {
                let failure = error.failure();
                let is_final = failure.kind == FailureKind::Permanent;
                self.fail(step, failure, Evidence::new()).await?;
                match is_final {
                    true => Ok(Way::Back(error.to_string())),
                    false => Ok(Way::Leave(Outcome::Incomplete { error })),
                }
            }
        }
    }

    /// Asks the environment's checks about what runs.
    async fn prove(&mut self, step: &str, release: &Placed) -> Result<Way, BookError> {
        if let Some(outcome) = self.stopped().await {
            return Ok(Way::Leave(outcome));
        }
        self.write(What::Started { step: step.to_owned() }).await?;
        let mut interrupt = self.interrupt.clone();
        let before = self.deployment.items.iter().find(|item| item.release.package == release.package);
        let before = before.and_then(|item| item.before.as_ref());
        let tell = &mut *self.tell;
        let mut remark = |text: &str| tell(Told::Remark(text));
        let proof = tokio::select! {
            biased;
            proof = self.ground.prove(release, before, &self.deployment.digest, &mut remark) => proof,
            signal = interrupt::heard(&mut interrupt) => return self.interrupted(step, signal).await,
        };
        let Proof { proven, mut evidence } = proof;
        match proven {
            Proven::Holds => {
                evidence.insert("version".to_owned(), release.version.clone());
                self.write(What::Succeeded { step: step.to_owned(), evidence }).await?;
                Ok(Way::On)
            }
            Proven::Fails(reason) => {
                let failure = StepFailure { kind: FailureKind::Permanent, message: reason.clone() };
                self.fail(step, failure, evidence).await?;
                Ok(Way::Back(reason))
            }
            Proven::Undecided(reason) => {
                let failure = StepFailure { kind: FailureKind::Unknown, message: reason.clone() };
                self.fail(step, failure, evidence).await?;
                Ok(Way::Leave(Outcome::Undecided { reason }))
            }
        }
    }

    /// Lets the target forget what no return needs any more. That it can not changes nothing.
    async fn settle(&mut self) {
        let environment = &self.deployment.environment;
        for item in &self.deployment.items {
            let package = &item.release.package;
            let way_back = self.book.state().way_back(environment, &item.release);
            let keep: Vec<Placed> = [&item.release].into_iter().chain(way_back).cloned().collect();
            if let Err(error) = self.ground.prune(package, &keep).await {
                (self.tell)(Told::Remark(&format!("what is not needed any more stays: {error}")));
            }
        }
    }

    /// Why the next effect may not be done.
    async fn stopped(&mut self) -> Option<Outcome> {
        if let Some(signal) = *self.interrupt.borrow() {
            return Some(Outcome::Interrupted(signal));
        }
        let fence = self.fence.as_ref()?;
        fence.moved_to(self.book.version().cloned()).await;
        match fence.look().await {
            Ok(()) => None,
            Err(Fenced::Halted { reason }) => Some(Outcome::Halted { reason }),
            Err(fenced) => Some(Outcome::Fenced(fenced)),
        }
    }

    async fn interrupted(&mut self, step: &str, signal: &'static str) -> Result<Way, BookError> {
        let failure = StepFailure { kind: FailureKind::Transient, message: format!("stopped by {signal}") };
        self.fail(step, failure, Evidence::new()).await?;
        Ok(Way::Leave(Outcome::Interrupted(signal)))
    }

    /// Ends the deployment where it is over, and gives others to see how it stands.
    async fn leave(mut self, outcome: Outcome) -> Result<Outcome, BookError> {
        if let Outcome::Fenced(Fenced::TakenOver) = outcome {
            // Somebody else's now: nothing of ours is written.
            self.book.forget_pending().await?;
            return Ok(outcome);
        }
        if let Some(event) = lease::put_down(self.book, &self.deployment.digest).await? {
            (self.tell)(Told::Event(&event));
        }
        if let Outcome::Ended { ending, reason } = &outcome {
            self.write(What::Deployed { ending: *ending, reason: reason.clone() }).await?;
        }
        match outcome {
            Outcome::Interrupted(_) => {
                // Without an answer in time the lease stays, and its holder is proven dead by then.
                timeout(FAREWELL, self.book.flush()).await.unwrap_or(Ok(()))?;
            }
            _ => self.book.flush().await?,
        }
        Ok(outcome)
    }

    /// What stops this run: others who take it over; and halts, unless the way leads back.
    fn renew_fence(&mut self, halts: bool) {
        let is_return = self.deployment.kind == DeploymentKind::Rollback;
        let environment = &self.deployment.environment;
        let guard = |item: &Item| (Some(environment.clone()), item.release.package.clone());
        let guards = match halts && !is_return {
            true => self.deployment.items.iter().map(guard).collect(),
            false => Vec::new(),
        };
        self.fence = Some(Fence::new(self.book, &self.deployment.digest, self.rollout().epoch, guards));
    }

    fn mark(&self) -> Mark {
        Mark {
            environment: self.deployment.environment.clone(),
            deployment: self.deployment.digest.clone(),
            epoch: self.rollout().epoch,
        }
    }

    async fn fail(&mut self, step: &str, failure: StepFailure, evidence: Evidence) -> Result<(), BookError> {
        self.write(What::Failed { step: step.to_owned(), failure, evidence }).await
    }

    async fn write(&mut self, what: What) -> Result<(), BookError> {
        let event = self.book.write(&self.deployment.digest, what).await?;
        (self.tell)(Told::Event(&event));
        Ok(())
    }

    fn rollout(&self) -> &Rollout {
        let rollouts = &self.book.state().rollouts;
        rollouts.get(self.deployment.digest.as_str()).expect("it is under way until this run ends it")
    }
}
