//! Around a ship: what others left is finished, and what was shipped goes to its first environment.

use std::time::Instant;

use tokio::sync::watch;

use crate::apply::book::Book;
use crate::apply::part::Part;
use crate::cli::args::{self, Global, Output, Stage, Wish};
use crate::cli::args_deploy::Moving;
use crate::cli::args_relay::Relay;
use crate::cli::deploying::{Deploying, Request, environment};
use crate::cli::failure::{Failure, Kind};
use crate::cli::mirroring::refuse_unfit;
use crate::cli::open;
use crate::cli::ship::Shipping;
use crate::ledger::environments::{Environment, Slot};
use crate::plan::Plan;
use crate::plan::deployment::{DeploymentKind, Placed};
use crate::report::json;
use crate::report::streams::Streams;
use crate::survey::facts::Survey;
use crate::survey::home::Home;

/// Finishes ships that nobody has in hand any more and whose claim stands; tells what it did.
///
/// # Errors
/// As a ship's.
pub async fn finish_left(
    global: &Global,
    streams: &mut Streams,
    home: &Home,
    book: &mut Book,
    interrupt: watch::Receiver<Option<&'static str>>,
) -> Result<(), Failure> {
    let claimed = book.state().in_flight.values().any(|ship| ship.has_done("claim"));
    if !claimed {
        return Ok(());
    }
    let verb = args::Ship {
        plan: None,
        wish: Wish::to_look(),
        until: None,
        tag: None,
        direct: false,
        relay: Relay::default(),
        take_over: false,
        yes: true,
        output: Output::Text,
        detailed_exitcode: false,
    };
    let mut shipping = Shipping {
        global,
        verb: &verb,
        streams,
        home,
        book,
        interrupt,
        began: Instant::now(),
        saved: None,
        answer: None,
        claimed: None,
        part: Part::default(),
    };
    let survey = shipping.survey()?;
    match shipping.under_way(&survey).await {
        Ok(Some(plan)) => shipping.finish(&plan, &survey).await.map(drop),
        Ok(None) => Ok(()),
        // Somebody lives and is at work on it.
        Err(failure) if failure.kind == Kind::Stale => {
            shipping.streams.tell(&format!("{}\n", failure.error));
            Ok(())
        }
        Err(failure) => Err(failure),
    }
}

impl Shipping<'_> {
    /// What was shipped goes to its first environment, by this run or by one after a kill.
    pub(in crate::cli) async fn go_on_to_deploy(&mut self, code: u8) -> Result<u8, Failure> {
        let stops_before = self.verb.until.is_some_and(|until| until != Stage::Deploy);
        let awaited = if stops_before { None } else { self.awaited()? };
        let Some((survey, environment, releases)) = awaited else {
            self.print_answer(None);
            return Ok(code);
        };
        let moving = Moving {
            reason: None,
            overrides: Vec::new(),
            take_over: self.verb.take_over,
            yes: true,
            output: self.verb.output,
            detailed_exitcode: false,
        };
        let request = Request {
            environment,
            kind: DeploymentKind::Deploy,
            from: None,
            wanted: Vec::new(),
            when_allowed: false,
            chosen: Some(releases),
        };
        let mut deploying = Deploying {
            global: self.global,
            streams: self.streams,
            home: self.home,
            survey: &survey,
            book: self.book,
            interrupt: self.interrupt.clone(),
            moving: &moving,
            answer: None,
            keeps_answer: true,
        };
        let deployed = deploying.run(&request).await;
        let answer = deploying.answer.take();
        self.print_answer(answer);
        deployed
    }

    /// Releases of ships that are done and wait for the first environment.
    pub(in crate::cli) fn awaited(&self) -> Result<Option<(Survey, String, Vec<Placed>)>, Failure> {
        let waits = |slot: &Slot| slot.awaited.as_ref().is_some_and(|awaited| awaited.from.is_none());
        let somewhere = |known: &Environment| known.packages.values().any(waits);
        if !self.book.state().environments.values().any(somewhere) {
            return Ok(None);
        }
        let survey = self.survey()?;
        let Some(first) = survey.facts.first.as_ref().map(|first| first.environment.clone()) else {
            return Ok(None);
        };
        let only = open::names(&survey, self.global)?;
        let known = self.book.state().environments.get(&first);
        let awaited = known.into_iter().flat_map(|known| &known.packages).filter(|(package, slot)| {
            waits(slot) && only.as_ref().is_none_or(|only| only.contains(*package))
        });
        let mut releases: Vec<Placed> =
            awaited.filter_map(|(_, slot)| Some(slot.awaited.as_ref()?.release.clone())).collect();
        let settings = environment(&survey, &first)?;
        releases.sort_by_key(|placed| settings.rank_of(&placed.package));
        Ok((!releases.is_empty()).then_some((survey, first, releases)))
    }

    /// The environment that the ship ends in must be there at GitHub too, where it is shown there.
    pub(in crate::cli) async fn probe_environment(
        &mut self,
        plan: &Plan,
        survey: &Survey,
    ) -> Result<(), Failure> {
        let stops_before = self.verb.until.is_some_and(|until| until != Stage::Deploy);
        let Some(deploy) = plan.deploy.as_ref().filter(|_| !stops_before) else { return Ok(()) };
        let settings = environment(survey, &deploy.environment)?;
        if let Some(remark) = refuse_unfit(self.home, &settings).await? {
            self.streams.tell(&format!("{remark}\n"));
        }
        Ok(())
    }

    pub(in crate::cli) fn print_answer(&mut self, deployment: Option<serde_json::Value>) {
        let Some(mut answer) = self.answer.take() else { return };
        if let (Some(deployment), Some(fields)) = (deployment, answer.as_object_mut()) {
            fields.insert("deployment".to_owned(), deployment);
        }
        self.streams.print(&json::pretty(&answer));
    }
}
