//! What deploy, promote, rollback, tick and the end of a ship share: choose, look, ask the gates, carry out, tell.

use std::collections::BTreeMap;
use std::io::IsTerminal;

use serde::Serialize;
use tokio::sync::watch;

use crate::apply::book::{Book, BookError, events};
use crate::apply::ground::Ground;
use crate::apply::lease;
use crate::apply::rollout::{self, Orders, Outcome};
use crate::apply::ship::Told;
use crate::check::gate::{Closed, Gate};
use crate::cli::args::{Global, Output};
use crate::cli::args_deploy::Moving;
use crate::cli::deploy_ending::{begin_failure, closed_hints, ended, lock_hint, overrides, word};
use crate::cli::failure::{Failure, Kind};
use crate::cli::ground::ground;
use crate::cli::in_flight::may_take;
use crate::cli::ledger::book_failure;
use crate::cli::listeners::tell_outcome;
use crate::cli::mirroring::{Showing, catch_up, refuse_unfit};
use crate::ledger::environments::Last;
use crate::ledger::event::{Ending, What};
use crate::ledger::state::State;
use crate::plan::deployment::{Deployment, DeploymentKind, FORMAT, Item, Placed};
use crate::plan::digest::Digest;
use crate::report::deploy_text::{closed_text, deployment_text};
use crate::report::deployment_words::{deployment_named, items_named};
use crate::report::json;
use crate::report::progress::Progress;
use crate::report::streams::Streams;
use crate::survey::choice::{self, ChoiceError, Known, Sources, Wanted};
use crate::survey::environments::EnvironmentSettings;
use crate::survey::facts::Survey;
use crate::survey::home::Home;
use crate::survey::pins::pinned;
use crate::world::interrupt;

/// Everything that a deployment is made in.
pub struct Deploying<'a> {
    pub global: &'a Global,
    pub streams: &'a mut Streams,
    pub home: &'a Home,
    pub survey: &'a Survey,
    pub book: &'a mut Book,
    pub interrupt: watch::Receiver<Option<&'static str>>,
    pub moving: &'a Moving,
    /// What `--output json` says, where somebody else prints it.
    pub answer: Option<serde_json::Value>,
    pub keeps_answer: bool,
}

/// What was asked for.
pub struct Request {
    pub environment: String,
    pub kind: DeploymentKind,
    pub from: Option<String>,
    pub wanted: Vec<Wanted>,
    /// Remember it where a gate is closed.
    pub when_allowed: bool,
    /// The releases themselves, where they were chosen before.
    pub chosen: Option<Vec<Placed>>,
}

/// What `--output json` says of one package.
#[derive(Serialize)]
struct Moved<'i> {
    package: &'i str,
    version: &'i str,
    digest: String,
    from: Option<&'i str>,
    back_to: Option<&'i str>,
}

#[derive(Serialize)]
struct Answer<'i> {
    deployment: &'i str,
    environment: &'i str,
    kind: DeploymentKind,
    outcome: &'i str,
    reason: &'i str,
    items: Vec<Moved<'i>>,
}

impl Deploying<'_> {
    /// Carries a request out. The exit code where it went well.
    ///
    /// # Errors
    /// With the exit code of what happened.
    pub async fn run(&mut self, request: &Request) -> Result<u8, Failure> {
        let environment = environment(self.survey, &request.environment)?;
        let overrides = overrides(&self.moving.overrides)?;
        let ground = ground(self.survey, self.home, self.book.state(), &environment).await?;
        self.refuse_locked(&environment.name)?;
        if let Some(deployment) = self.under_way(&environment.name, request.kind).await? {
            self.streams.tell(&format!("finishing what was begun: {}\n", deployment_named(&deployment)));
            let outcome = self.carry_out(&deployment, &ground).await?;
            let over = matches!(outcome, Outcome::Ended { ending: Ending::Verified, .. });
            let code = self.report(&deployment, outcome).await?;
            let is_all = request.wanted.is_empty() && request.chosen.is_none();
            if !over || is_all || request.kind == DeploymentKind::Rollback {
                return Ok(code);
            }
        }
        if request.kind == DeploymentKind::Rollback && request.chosen.is_none() && request.wanted.is_empty() {
            self.refuse_twice(&environment.name)?;
        }
        let releases = match &request.chosen {
            Some(chosen) => chosen.clone(),
            None => self.choose(request, &environment).await?,
        };
        let items = match request.kind {
            DeploymentKind::Rollback => self.items_back(&environment, releases)?,
            _ => {
                let missing = self.missing(&environment, &ground, releases).await?;
                choice::items(&environment, self.book.state(), missing)
            }
        };
        if items.is_empty() {
            return self.nothing(&environment.name, request);
        }
        let is_return = request.kind == DeploymentKind::Rollback;
        if !is_return && let Some(remark) = refuse_unfit(self.home, &environment).await? {
            self.streams.tell(&format!("{remark}\n"));
        }
        let seen = self.look(&environment, &ground, &items, is_return).await?;
        let closed = self.ask_gates(&environment, request, &items, &seen, &overrides);
        if !closed.is_empty() {
            return self.refuse(&environment, request, &items, &closed).await;
        }
        let deployment = self.decide(&environment, request, items, &overrides);
        self.show(&deployment);
        self.consent(&deployment)?;
        let outcome = self.carry_out(&deployment, &ground).await?;
        self.report(&deployment, outcome).await
    }

    /// Whoever wants back what was there before means one step: an environment that went back by itself stays.
    fn refuse_twice(&self, name: &str) -> Result<(), Failure> {
        let state = self.book.state();
        let last = state.environments.get(name).and_then(|known| known.last.as_ref());
        let went_back = |last: &&Last| last.ending == Ending::RolledBack;
        let Some(last) = last.filter(|_| state.rollout_in(name).is_none()).filter(went_back) else {
            return Ok(());
        };
        Err(Failure::new(Kind::NotAllowed, format!("{name} went back by itself already: {}", last.reason))
            .hint("`release status` shows what runs; further back is `-p PKG --to VERSION`"))
    }

    /// Nothing moves in an environment that waits for a person.
    fn refuse_locked(&self, environment: &str) -> Result<(), Failure> {
        let locked = self.book.state().environments.get(environment).and_then(|known| known.locked.as_ref());
        let Some(stop) = locked else { return Ok(()) };
        let text = format!("not allowed into {environment} now: {}: {}", Gate::Lock, stop.reason);
        Err(Failure::new(Kind::NotAllowed, text).hint(lock_hint(environment)))
    }

    /// The deployment under way in an environment, where this run may take it up. A rollback takes up another rollback
    /// only; it comes before everything else.
    async fn under_way(
        &mut self,
        environment: &str,
        kind: DeploymentKind,
    ) -> Result<Option<Deployment>, Failure> {
        let Some((_, rollout)) = self.book.state().rollout_in(environment) else { return Ok(None) };
        if kind == DeploymentKind::Rollback && rollout.deployment.kind != kind {
            return Ok(None);
        }
        let (deployment, holder) = (rollout.deployment.clone(), rollout.holder.clone());
        let what = deployment_named(&deployment);
        match holder {
            Some(holder) if !may_take(&holder, &what, self.moving.take_over).await? => Ok(None),
            _ => Ok(Some(deployment)),
        }
    }

    async fn choose(
        &mut self,
        request: &Request,
        environment: &EnvironmentSettings,
    ) -> Result<Vec<Placed>, Failure> {
        let known = self.known(request, environment).await?;
        let repository = &self.survey.repository;
        let commits = |tag: &str| repository.commit_of_tag(tag).ok().flatten();
        let names = self.survey.facts.packages.iter();
        let distributions: BTreeMap<String, String> =
            names.map(|package| (package.short.clone(), package.name.to_string())).collect();
        let state = self.book.state();
        let sources = Sources { state, known: &known, commits: &commits, distributions: &distributions };
        let chosen = match request.kind {
            DeploymentKind::Deploy => choice::to_deploy(environment, &sources, &request.wanted),
            DeploymentKind::Promote => {
                let only: Vec<String> = request.wanted.iter().map(|wanted| wanted.package.clone()).collect();
                let only = (!only.is_empty()).then_some(only.as_slice());
                choice::to_promote(request.from.as_deref().unwrap_or_default(), environment, &sources, only)
            }
            DeploymentKind::Rollback => choice::to_roll_back(environment, state, &request.wanted),
        };
        chosen.map_err(|error| {
            let kind = match error {
                // A version that was named and never verified there is a slip of the tongue.
                ChoiceError::NoWayBack { .. } if request.wanted.iter().all(|one| one.version.is_none()) => {
                    Kind::NotAllowed
                }
                _ => Kind::User,
            };
            Failure::new(kind, error)
                .hint("`release status` shows what runs where, `release log` what was released")
        })
    }

    /// All releases that the ledger knows, where the request needs more than the last ones.
    async fn known(&self, request: &Request, environment: &EnvironmentSettings) -> Result<Known, Failure> {
        let names_one = request.wanted.iter().any(|wanted| wanted.version.is_some());
        let other_kind = request.from.as_ref().is_some_and(|from| {
            let before = self.survey.environments.get(from);
            before.is_none_or(|before| before.packages != environment.packages)
        });
        if request.kind == DeploymentKind::Rollback || !(names_one || other_kind) {
            return Ok(Known::new());
        }
        let all = events(self.book.store().as_ref()).await.map_err(book_failure)?;
        State::releases(&all).map_err(|error| book_failure(BookError::Order(error)))
    }

    /// A way back has no way back of its own; who depends on what goes back by an exact pin goes back before it.
    fn items_back(
        &mut self,
        environment: &EnvironmentSettings,
        mut releases: Vec<Placed>,
    ) -> Result<Vec<Item>, Failure> {
        while let Some(pinned) = pinned(self.survey, self.book.state(), environment, &releases).first() {
            let (name, version) = (&pinned.package, &pinned.version);
            let state = self.book.state();
            let standing = state.standing(&environment.name, name);
            let back = standing.and_then(|placed| state.way_back(&environment.name, placed)).cloned();
            let Some(back) = back else {
                let text = format!(
                    "{name} {version} runs there and needs `{}`, and nothing verified is left to take it back to",
                    pinned.requirement
                );
                return Err(Failure::new(Kind::NotAllowed, text)
                    .hint(format!("deploy a {name} that fits, or name the packages with `-p`")));
            };
            self.streams
                .tell(&format!("{name} {version} needs `{}`, so it goes back too\n", pinned.requirement));
            releases.push(back);
        }
        releases.sort_by_key(|placed| std::cmp::Reverse(environment.rank_of(&placed.package)));
        let state = self.book.state();
        let item = |release: Placed| {
            let before = state.standing(&environment.name, &release.package).cloned();
            Item { release, before, back_to: None }
        };
        Ok(releases.into_iter().map(item).collect())
    }

    /// Says which gates are closed; remembers the wish where that was asked for.
    async fn refuse(
        &mut self,
        environment: &EnvironmentSettings,
        request: &Request,
        items: &[Item],
        closed: &[(Item, Closed)],
    ) -> Result<u8, Failure> {
        let told: Vec<(String, Closed)> = closed
            .iter()
            .map(|(item, closed)| {
                (format!("{} {}", item.release.package, item.release.version), closed.clone())
            })
            .collect();
        let text = closed_text(&environment.name, &told, self.streams.width());
        let waits = |closed: &Closed| {
            matches!(closed.gate, Gate::After | Gate::Soak | Gate::Approvals | Gate::Window | Gate::Halt)
        };
        if request.when_allowed && closed.iter().all(|(_, closed)| waits(closed)) {
            let releases: Vec<Placed> = items.iter().map(|item| item.release.clone()).collect();
            let what =
                What::Awaited { environment: environment.name.clone(), from: request.from.clone(), releases };
            self.book.write(&Digest::none(), what).await.map_err(book_failure)?;
            self.book.flush().await.map_err(book_failure)?;
            self.streams.print(&format!("{text}remembered: `release tick` does it once they are open\n"));
            return Ok(0);
        }
        let failure = Failure::new(Kind::NotAllowed, text.trim_end().to_owned());
        Err(closed_hints(environment, closed).into_iter().fold(failure, Failure::hint))
    }

    fn decide(
        &self,
        environment: &EnvironmentSettings,
        request: &Request,
        items: Vec<Item>,
        overrides: &[Gate],
    ) -> Deployment {
        Deployment {
            format: FORMAT,
            digest: Digest::none(),
            environment: request.environment.clone(),
            kind: request.kind,
            from: request.from.clone(),
            reason: self.moving.reason.clone(),
            overrides: overrides.iter().map(|gate| gate.name().to_owned()).collect(),
            ledger: self.book.state().events,
            mirror: environment.mirror.clone(),
            items,
        }
        .sealed()
    }

    fn show(&mut self, deployment: &Deployment) {
        if self.moving.output == Output::Text {
            let text = deployment_text(deployment, self.streams.width());
            self.streams.tell(&text);
        }
    }

    fn consent(&mut self, deployment: &Deployment) -> Result<(), Failure> {
        if self.moving.yes {
            return Ok(());
        }
        if !std::io::stdin().is_terminal() {
            let text = "this changes what runs, and there is no terminal to ask on";
            return Err(Failure::user(text).hint("say `--yes`"));
        }
        let question =
            format!("move {} in {}? [y/N] ", items_named(&deployment.items), deployment.environment);
        if interrupt::while_asking(|| self.streams.ask(&question)) {
            return Ok(());
        }
        Err(Failure::new(Kind::NotAllowed, "nothing was moved: the answer was not `y`"))
    }

    /// Carries a deployment out, or goes on with it.
    ///
    /// # Errors
    /// Where the ledger leaves no room for it.
    pub async fn carry_out(&mut self, deployment: &Deployment, ground: &Ground) -> Result<Outcome, Failure> {
        let mut showing = Showing::of(self.home, self.survey, deployment).await?;
        let mut progress = Progress::of_deployment(deployment, self.global.quiet, self.streams);
        let mut tell = |told: Told<'_>| match told {
            Told::Event(event) => {
                if let (What::Started { .. }, Some(showing)) = (&event.what, &mut showing) {
                    showing.begin();
                }
                progress.tell(event);
            }
            Told::Bytes { step, sent, total } => progress.bytes(step, sent, total),
            Told::Remark(text) => progress.remark(text),
        };
        let orders = Orders {
            holder: lease::ourselves(&|name| std::env::var_os(name)),
            interrupt: self.interrupt.clone(),
        };
        let done = rollout::carry_out(self.book, deployment, ground, orders, &mut tell).await;
        progress.end();
        let outcome = done.map_err(begin_failure)?;
        self.mirror(showing, &outcome).await?;
        Ok(outcome)
    }

    /// GitHub shows how it went; that it does not is a remark.
    async fn mirror(&mut self, showing: Option<Showing>, outcome: &Outcome) -> Result<(), Failure> {
        let Some(mut showing) = showing else { return Ok(()) };
        // Whoever was taken over or stopped does nothing more; the next run tells.
        if matches!(outcome, Outcome::Fenced(_) | Outcome::Interrupted(_)) {
            return Ok(());
        }
        let begun = showing.note_begun(self.book).await;
        let (_, behind) = catch_up(self.home, self.survey, self.book).await?;
        if let Some(remark) = behind.or(begun) {
            self.streams.tell(&format!("{remark}\n"));
        }
        Ok(())
    }

    /// Tells how it ended; listeners first.
    ///
    /// # Errors
    /// With the exit code of what happened.
    pub async fn report(&mut self, deployment: &Deployment, outcome: Outcome) -> Result<u8, Failure> {
        let remarks = tell_outcome(&self.survey.hooks, deployment, &outcome).await;
        for remark in remarks {
            self.streams.tell(&format!("{remark}\n"));
        }
        let (word, reason) = word(&outcome);
        if self.moving.output == Output::Json {
            let answer = Answer {
                deployment: deployment.digest.as_str(),
                environment: &deployment.environment,
                kind: deployment.kind,
                outcome: word,
                reason: &reason,
                items: deployment.items.iter().map(moved).collect(),
            };
            self.answer(&answer);
        }
        let text = matches!(self.moving.output, Output::Text | Output::Markdown);
        if let (true, Outcome::Ended { ending: Ending::Verified, .. }) = (text, &outcome) {
            let named = items_named(&deployment.items);
            self.streams.print(&format!("{} runs {named}, verified\n", deployment.environment));
        }
        ended(deployment, outcome, self.book.state())
    }

    fn answer(&mut self, answer: &impl Serialize) {
        if self.keeps_answer {
            self.answer = serde_json::to_value(answer).ok();
        } else {
            self.streams.print(&json::pretty(answer));
        }
    }

    fn nothing(&mut self, environment: &str, request: &Request) -> Result<u8, Failure> {
        let kind = request.kind;
        if kind == DeploymentKind::Rollback {
            return Err(Failure::new(
                Kind::NotAllowed,
                format!("there is nothing that {environment} could go back to"),
            )
            .hint(
                "`release status` shows what runs; `--to VERSION` with `-p PKG` names a verified release",
            ));
        }
        match self.moving.output {
            Output::Json => self.answer(&serde_json::json!({
                "environment": environment, "kind": kind, "outcome": "nothing", "items": [],
            })),
            _ => self.streams.print(&match &request.from {
                Some(from) => format!("nothing to promote: {from} runs nothing that {environment} lacks\n"),
                None => format!("nothing to deploy: {environment} runs it all, verified\n"),
            }),
        }
        Ok(if self.moving.detailed_exitcode { 3 } else { 0 })
    }
}

fn moved(item: &Item) -> Moved<'_> {
    Moved {
        package: &item.release.package,
        version: &item.release.version,
        digest: item.release.digest().to_string(),
        from: item.before.as_ref().map(|before| before.version.as_str()),
        back_to: item.back_to.as_ref().map(|back_to| back_to.version.as_str()),
    }
}

/// The environment of this name.
///
/// # Errors
/// Where none is configured.
pub fn environment(survey: &Survey, name: &str) -> Result<EnvironmentSettings, Failure> {
    survey.environments.get(name).cloned().ok_or_else(|| {
        let known: Vec<&str> = survey.environments.keys().map(String::as_str).collect();
        let failure = Failure::user(format!("no environment is called `{name}`"));
        match known.is_empty() {
            true => failure.hint("describe it in release.toml: `[environment.NAME]`"),
            false => failure.hint(format!("the environments are: {}", known.join(", "))),
        }
    })
}
