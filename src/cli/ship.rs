//! `release ship`: carries out a plan, or finishes what an earlier run began.

use std::io::IsTerminal;
use std::sync::Arc;
use std::time::Instant;

use tokio::sync::watch;

use crate::apply::book::Book;
use crate::apply::catch_up::{Standing, catch_up};
use crate::apply::claim::Claim;
use crate::apply::claiming::adopt;
use crate::apply::effect::StepError;
use crate::apply::lease;
use crate::apply::part::Part;
use crate::apply::preflight;
use crate::apply::ship::{self, Orders, Outcome, Told};
use crate::apply::stage::Stage as Until;
use crate::apply::take_back::take_back;
use crate::apply::workshop::{Outlet, Workshop};
use crate::cli::args::{self, Global, Output, Stage};
use crate::cli::failure::{Failure, Kind};
use crate::cli::in_flight::{Concern, may_be_joined, may_be_taken};
use crate::cli::known::{over, refuse_forgotten};
use crate::cli::ledger::{self, alone, book_failure};
use crate::cli::open;
use crate::cli::plan_file::{read_plan, refuse_another};
use crate::cli::ship_answer::{Answer, releases, step_failure, unclaimed_failure};
use crate::cli::ship_reach::{refuse_dirty, refuse_major, stage, until_with};
use crate::cli::ship_timing::Heard;
use crate::cli::stopping::{stoppable, stopped_by};
use crate::cli::watch::instead;
use crate::cli::workshop::shipping_workshop;
use crate::plan::Plan;
use crate::plan::digest::Digest;
use crate::plan::make::base;
use crate::plan::stale::StaleError;
use crate::report::part_text::part_text;
use crate::report::progress::Progress;
use crate::report::streams::Streams;
use crate::report::words::planned;
use crate::report::{plan_text, ship_text};
use crate::survey::facts::Survey;
use crate::survey::home::Home;
use crate::world::interrupt;

/// How often a plan is made anew because others released something else meanwhile.
const TRIES: usize = 10;

pub fn run(global: &Global, verb: &args::Ship, streams: &mut Streams) -> Result<u8, Failure> {
    let home = ledger::home(global)?;
    if let Some(watched) = instead(global, verb, &home, streams) {
        return watched;
    }
    let lock = alone(&home.repository)?;
    stoppable(async |interrupt| {
        let mut book = ledger::book(&home).await?;
        let mut shipping = Shipping {
            global,
            verb,
            streams,
            home: &home,
            book: &mut book,
            interrupt,
            began: Instant::now(),
            saved: None,
            answer: None,
            claimed: None,
            part: Part::default(),
        };
        match shipping.run().await {
            Ok(code) => match shipping.claimed.take() {
                Some(plan) => shipping.hand_over(&plan, lock, code).await,
                None if shipping.is_part() => {
                    shipping.print_answer(None);
                    Ok(code)
                }
                None => shipping.go_on_to_deploy(code).await,
            },
            Err(failure) => {
                shipping.print_answer(None);
                Err(failure)
            }
        }
    })
}

pub(in crate::cli) struct Shipping<'a> {
    pub global: &'a Global,
    pub verb: &'a args::Ship,
    pub streams: &'a mut Streams,
    pub home: &'a Home,
    pub book: &'a mut Book,
    pub interrupt: watch::Receiver<Option<&'static str>>,
    pub began: Instant,
    /// The plan of the file that was named, where one was.
    pub saved: Option<Arc<Plan>>,
    /// What `--output json` says, printed at the end.
    pub answer: Option<serde_json::Value>,
    /// The plan whose claim stands and whose rest is left to others, as it was asked for.
    pub claimed: Option<Plan>,
    /// Which steps of the ship are this job's.
    pub part: Part,
}

/// What is left to do after a ship: leave, or plan again since others were faster with something else.
enum Next {
    Leave(u8),
    Again(Box<Plan>),
}

impl Shipping<'_> {
    async fn run(&mut self) -> Result<u8, Failure> {
        let mut survey = self.survey()?;
        self.saved = self.verb.plan.as_deref().map(read_plan).transpose()?.map(Arc::new);
        if let Some(plan) = self.under_way(&survey).await? {
            return self.finish(&plan, &survey).await;
        }
        if let Some(tag) = &self.verb.tag {
            let over = over(self.book.state(), &survey, tag)?;
            return self.nothing(&over);
        }
        let mut consented: Option<Plan> = None;
        for _ in 0..TRIES {
            if self.catch_up().await? {
                survey = self.survey()?;
            }
            refuse_forgotten(self.book, &survey)?;
            let Some(plan) = self.plan_to_ship(&survey).await? else {
                return self.nothing("no release pull request is merged; `release pr` opens or updates one");
            };
            if let Some(before) = &consented {
                refuse_another(before, &plan)?;
            }
            match self.begin(&plan, &survey, consented.is_some()).await? {
                Next::Leave(code) => return Ok(code),
                Next::Again(plan) => consented = Some(*plan),
            }
        }
        Err(Failure::new(Kind::Stale, "others release faster than this ship can follow")
            .hint("`release ship` again, at a calmer moment"))
    }

    pub fn survey(&self) -> Result<Survey, Failure> {
        open::survey_knowing(self.global, &self.verb.wish, Some(self.book.state()))
    }

    /// Follows releases that others made, where the plan is still to be made. Whether anything here has changed.
    async fn catch_up(&mut self) -> Result<bool, Failure> {
        let (Some(remote), None) = (&self.home.remote, &self.verb.plan) else { return Ok(false) };
        let repository = &self.home.repository;
        let Some(branch) = repository.head().map_err(Failure::user)?.branch else { return Ok(false) };
        let standing = catch_up(repository, remote, &branch, self.book.state()).await;
        match standing.map_err(|error| step_failure(vec![("catching up".to_owned(), error)]))? {
            Standing::Level { new_tags } => Ok(new_tags > 0),
            Standing::CaughtUp(commits) => {
                self.streams
                    .tell(&format!("brought {branch} forward over {commits} release commits of others\n"));
                Ok(true)
            }
            Standing::Behind { commit } | Standing::Diverged { commit } => {
                let short = commit.get(..7).unwrap_or(&commit);
                Err(Failure::new(
                    Kind::Stale,
                    format!("`{branch}` of `{remote}` has commits that are not here: {short}"),
                )
                .hint(format!("`git pull {remote} {branch}`, then `release plan`")))
            }
        }
    }

    /// The plan that an earlier run left unfinished, where it can still be finished and nobody is at work on it.
    /// One that claimed nothing and whose base is gone is given up.
    pub async fn under_way(&mut self, survey: &Survey) -> Result<Option<Plan>, Failure> {
        let digests: Vec<String> = self.book.state().in_flight.keys().cloned().collect();
        let saved = self.saved.clone();
        let concern = Concern {
            tag: self.verb.tag.as_deref(),
            plan: saved.as_deref(),
            packages: open::names(survey, self.global)?,
        };
        for digest in digests {
            // What was under way a moment ago may have ended, by whoever had it in hand.
            let Some(ship) = self.book.state().in_flight.get(&digest).cloned() else { continue };
            let is_ours = may_be_joined(&digest, &ship, &concern);
            if self.book.is_shared()
                && !is_ours
                && !may_be_taken(&digest, &ship, &concern, self.verb.take_over).await?
            {
                continue;
            }
            let plan = self.book.plan(&digest).map_err(book_failure)?.ok_or_else(|| {
                Failure::new(Kind::Bug, format!("the ledger names plan {digest} and does not hold it"))
            })?;
            let workshop = shipping_workshop(survey, self.home).await?;
            adopt(self.book, &plan, &workshop).await.map_err(unclaimed_failure)?;
            if self.is_claimed(&plan, &workshop) {
                self.refuse_other_plan(&plan)?;
                return Ok(Some(plan));
            }
            match plan.check(&base(&survey.facts)) {
                Ok(()) => {
                    self.refuse_other_plan(&plan)?;
                    return Ok(Some(plan));
                }
                Err(stale) => self.give_up(&plan, &workshop, &stale).await?,
            }
        }
        Ok(None)
    }

    fn is_claimed(&self, plan: &Plan, workshop: &Workshop) -> bool {
        let ship = self.book.ship(&plan.digest);
        let here = |ship| self.home.remote.is_none() && workshop.is_claimed(plan, ship);
        ship.is_some_and(|ship| ship.has_done("claim") || here(ship))
    }

    fn refuse_other_plan(&self, plan: &Plan) -> Result<(), Failure> {
        let (Some(path), Some(saved)) = (&self.verb.plan, &self.saved) else { return Ok(()) };
        if saved.digest == plan.digest {
            return Ok(());
        }
        let text = format!("plan {} is under way, {} is another", plan.digest.short(), path.display());
        Err(Failure::new(Kind::Stale, text).hint("finish it first with `release ship`, without a file"))
    }

    async fn give_up(&mut self, plan: &Plan, workshop: &Workshop, stale: &StaleError) -> Result<(), Failure> {
        self.streams.tell(&format!(
            "an earlier ship, plan {}, had claimed nothing and is given up: {stale}\n",
            plan.digest.short()
        ));
        let taken = take_back(self.book, plan, workshop, stale.to_string(), &mut |_| {}).await;
        taken.map_err(book_failure)
    }

    pub async fn finish(&mut self, plan: &Plan, survey: &Survey) -> Result<u8, Failure> {
        if let Some(tag) = &self.verb.tag
            && !plan.releases.iter().any(|release| release.tag == *tag)
        {
            return Err(Failure::user(format!("tag `{tag}` is not part of the release under way"))
                .hint("finish that one first with `release ship`"));
        }
        let workshop = shipping_workshop(survey, self.home).await?;
        let is_claimed = self.is_claimed(plan, &workshop);
        self.part = self.part(plan, survey, is_claimed)?;
        self.streams.tell(&format!("finishing what was begun: {}\n", planned(plan)));
        if is_claimed {
            self.stand_on_claim(plan).await?;
        } else {
            refuse_dirty(survey)?;
            self.consent(plan)?;
        }
        match self.carry_out(plan, workshop).await? {
            Next::Leave(code) => Ok(code),
            Next::Again(_) => Err(Failure::new(
                Kind::Stale,
                "somebody was faster with other releases; nothing was released",
            )
            .hint("`release ship` again plans anew")),
        }
    }

    /// The claim that the ledger knows must stand on the remote; then this checkout follows it.
    async fn stand_on_claim(&mut self, plan: &Plan) -> Result<(), Failure> {
        let (Some(remote), Some(ship)) = (&self.home.remote, self.book.ship(&plan.digest)) else {
            return Ok(());
        };
        let failed = |error: StepError| step_failure(vec![("claim".to_owned(), error)]);
        let claim = Claim::of(plan, ship).map_err(failed)?;
        claim.stands(&self.home.repository, remote).await.map_err(failed)?;
        claim.follow_here(&self.home.repository).map_err(failed)
    }

    pub fn new_plan(&self, survey: &Survey) -> Result<Plan, Failure> {
        let plan = match &self.saved {
            None => open::plan(survey, self.global, &self.verb.wish)?,
            Some(saved) => {
                saved.check(&base(&survey.facts)).map_err(|error| {
                    Failure::new(Kind::Stale, error)
                        .hint("make it anew with `release plan -o FILE` and read it again; `release status` before it \
                               brings what the ledger knows")
                })?;
                Plan::clone(saved)
            }
        };
        match plan.refused.first() {
            None => Ok(plan),
            Some(refused) => {
                let text = format!("{} can not be released: {}", refused.package, refused.reason);
                Err(Failure::user(text).hint(refused.way_out.clone()))
            }
        }
    }

    async fn begin(&mut self, plan: &Plan, survey: &Survey, consented: bool) -> Result<Next, Failure> {
        if plan.releases.is_empty() {
            return self.nothing("nothing to release").map(Next::Leave);
        }
        if plan.base.branch.is_none() {
            return Err(Failure::user(
                "HEAD is detached, so there is no branch to put the release commit on",
            )
            .hint("check a branch out first: `git switch main`"));
        }
        if !self.is_mending(survey) {
            survey.refuse_other_branch().map_err(open::failure)?;
        }
        refuse_dirty(survey)?;
        refuse_major(plan, self.verb.wish.allow_major)?;
        let mut workshop = shipping_workshop(survey, self.home).await?;
        self.probe(plan, &mut workshop).await?;
        self.probe_environment(plan, survey).await?;
        if !consented {
            if self.verb.output == Output::Text {
                let color = self.streams.color_of_telling();
                let text = plan_text::plan_text(plan, self.streams.width(), color, false);
                self.streams.tell(&text);
            }
            self.consent(plan)?;
        }
        self.carry_out(plan, workshop).await
    }

    /// Credentials are tried before anything is done, where this run is to publish at all.
    async fn probe(&mut self, plan: &Plan, workshop: &mut Workshop) -> Result<(), Failure> {
        let pushes = self.verb.until.is_none_or(|until| stage(until) >= Until::Publish);
        preflight::images(plan, workshop, pushes).await.map_err(|error| {
            let failure = step_failure(vec![("looking ahead".to_owned(), error.into())]);
            failure.hint("nothing was begun; `release ship` again starts afresh")
        })?;
        self.probe_github(plan, workshop).await?;
        if self.verb.until.is_some_and(|until| stage(until) < Until::Publish) {
            return Ok(());
        }
        for (name, outlet) in &workshop.outlets {
            let is_used = plan.releases.iter().any(|release| release.index == *name);
            if let (true, Outlet::Remote(publisher)) = (is_used, outlet) {
                let probed = publisher.probe().await;
                probed.map_err(|error| {
                    step_failure(vec![(format!("looking at `{name}`"), error.into())])
                        .hint("or `release ship --until claim` here, and `release ship --tag TAG` in the CI")
                })?;
            }
        }
        Ok(())
    }

    /// Without GitHub a run that ends with the claim goes on: who publishes builds the files again.
    async fn probe_github(&mut self, plan: &Plan, workshop: &mut Workshop) -> Result<(), Failure> {
        if self.verb.until.is_some_and(|until| stage(until) < Until::Claim) {
            return Ok(());
        }
        let Err(error) = preflight::github(plan, workshop).await else { return Ok(()) };
        if self.verb.until == Some(Stage::Claim) {
            workshop.github = None;
            self.streams.tell(&format!("the sealed files are not kept at GitHub: {error}\n"));
            return Ok(());
        }
        let failure = step_failure(vec![("looking at GitHub".to_owned(), error.into())]);
        Err(failure.hint("nothing was begun; `release ship` again starts afresh"))
    }

    /// Asks once on a terminal; elsewhere `--yes` must have been said.
    fn consent(&mut self, plan: &Plan) -> Result<(), Failure> {
        if self.verb.yes {
            return Ok(());
        }
        if !std::io::stdin().is_terminal() {
            let text =
                "`release ship` asks before it moves branch and tags, and there is no terminal to ask on";
            return Err(Failure::user(text).hint("say `--yes`"));
        }
        let question = format!("ship {} releases? [y/N] ", plan.releases.len());
        if interrupt::while_asking(|| self.streams.ask(&question)) {
            return Ok(());
        }
        Err(Failure::new(Kind::NotAllowed, "not shipped: the answer was not `y`"))
    }

    async fn carry_out(&mut self, plan: &Plan, workshop: Workshop) -> Result<Next, Failure> {
        let mut progress = Progress::new(plan, self.global.quiet, self.streams);
        let workshop = Arc::new(workshop);
        self.bring_artifacts(plan, &workshop)?;
        let mut heard = Heard::since(self.began);
        let mut tell = |told: Told<'_>| match told {
            Told::Event(event) => {
                progress.tell(event);
                heard.hear(event);
            }
            Told::Bytes { step, sent, total } => progress.bytes(step, sent, total),
            Told::Remark(text) => progress.remark(text),
        };
        let variable = |name: &str| std::env::var_os(name);
        let run = lease::our_run(&variable).filter(|_| self.part.together);
        let orders = Orders {
            until: self.verb.until.map(|until| until_with(until, &workshop)),
            holder: run.unwrap_or_else(|| lease::ourselves(&variable)),
            part: self.part.clone(),
            interrupt: self.interrupt.clone(),
        };
        let shipped = ship::ship(self.book, plan, Arc::clone(&workshop), orders, &mut tell).await;
        self.forget_proposal(plan).await;
        let left = self.leave_artifacts(plan, &workshop, &shipped).await;
        workshop.close().await;
        progress.end();
        let outcome = shipped.map_err(book_failure)?;
        left?;
        if self.is_outrun(&outcome) {
            return Ok(Next::Again(Box::new(plan.clone())));
        }
        let code = self.report(plan, &workshop, outcome, &heard)?;
        match heard.undecided() {
            None => Ok(Next::Leave(code)),
            Some(reason) => Err(Failure::new(Kind::Undecided, format!("published, but not tried: {reason}"))
                .hint("ship what it needs to the same index too, then try it with pip")),
        }
    }

    /// Whether others moved the branch before our claim. A plan of this moment is made anew; a saved one is stale.
    fn is_outrun(&self, outcome: &Outcome) -> bool {
        let moved = |error: &StepError| matches!(error, StepError::Outrun { .. } | StepError::Moved { .. });
        self.verb.plan.is_none()
            && self.home.remote.is_some()
            && matches!(outcome, Outcome::TakenBack(failed) if failed.iter().any(|(step, error)| step == "claim" && moved(error)))
    }

    fn report(
        &mut self,
        plan: &Plan,
        workshop: &Workshop,
        outcome: Outcome,
        heard: &Heard,
    ) -> Result<u8, Failure> {
        let (word, failed): (&'static str, &[(String, StepError)]) = match &outcome {
            Outcome::Finished => ("finished", &[]),
            Outcome::Stopped => ("stopped", &[]),
            Outcome::Part { finished: true } => ("finished", &[]),
            Outcome::Part { finished: false } => ("part", &[]),
            Outcome::Interrupted(_) => ("interrupted", &[]),
            Outcome::TakenBack(failed) => ("taken-back", failed),
            Outcome::Incomplete(failed) => ("incomplete", failed),
        };
        if self.verb.output == Output::Json {
            let releases = releases(plan, self.book, failed);
            let timing = Some(heard.timing(plan));
            let answer = Answer { plan: &plan.digest, outcome: word, releases, timing };
            self.answer = serde_json::to_value(answer).ok();
        } else if matches!(outcome, Outcome::Part { .. }) {
            self.streams.print(&part_text(plan, self.part.packages.as_ref(), word == "finished"));
        } else if matches!(outcome, Outcome::Finished)
            || matches!(outcome, Outcome::Stopped) && self.verb.relay.watch.is_none()
        {
            let pushed = self.home.remote.as_deref();
            let text = ship_text::ship_text(plan, word, &workshop.folders(), pushed, self.streams.width());
            self.streams.print(&text);
        }
        if matches!(outcome, Outcome::Stopped)
            && self.verb.until == Some(Stage::Claim)
            && self.home.remote.is_some()
            && self.claims(plan)
        {
            self.claimed = Some(plan.clone());
        }
        match outcome {
            Outcome::Finished | Outcome::Stopped | Outcome::Part { .. } => Ok(0),
            Outcome::Interrupted(signal) => Err(stopped_by(signal)),
            Outcome::TakenBack(failed) => Err(step_failure(failed).hint(
                "nothing was released: branch, tags and index are as they were; mend it and ship again",
            )),
            Outcome::Incomplete(failed) => Err(step_failure(failed).hint(match self.claims(plan) {
                true => "the claim is made; `release ship` again finishes the rest",
                false => {
                    "whether the claim was made is not known; `release ship` again finds out and goes on"
                }
            })),
        }
    }

    fn claims(&self, plan: &Plan) -> bool {
        self.book.ship(&plan.digest).is_some_and(|ship| ship.has_done("claim"))
    }

    fn nothing(&mut self, text: &str) -> Result<u8, Failure> {
        if self.verb.output == Output::Json {
            let (plan, releases) = (&Digest::none(), Vec::new());
            let answer = Answer { plan, outcome: "nothing", releases, timing: None };
            self.answer = serde_json::to_value(&answer).ok();
        } else {
            self.streams.print(&format!("{text}\n"));
        }
        Ok(if self.verb.detailed_exitcode { 3 } else { 0 })
    }
}
