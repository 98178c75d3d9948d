//! `release tick`: goes on with what waits.

use tokio::sync::watch;

use crate::apply::book::Book;
use crate::apply::ground::Proven;
use crate::apply::lease::liveness;
use crate::cli::args::{Global, Wish};
use crate::cli::args_deploy::{self, Moving};
use crate::cli::deploying::{Deploying, Request, environment};
use crate::cli::failure::{Failure, Kind};
use crate::cli::ground::ground;
use crate::cli::ledger::{self, alone, book_failure};
use crate::cli::mirroring::catch_up;
use crate::cli::open;
use crate::cli::ship_deploy::finish_left;
use crate::cli::stopping::stoppable;
use crate::cli::withdraw::is_yanked;
use crate::cli::workshop::workshop;
use crate::ledger::environments::{Awaited, Running};
use crate::ledger::event::{Trial, What};
use crate::plan::deployment::{Deployment, DeploymentKind, Placed};
use crate::plan::digest::Digest;
use crate::report::deployment_words::deployment_named;
use crate::report::plain::line;
use crate::report::streams::Streams;
use crate::survey::facts::Survey;
use crate::survey::home::Home;
use crate::world::clock;
use crate::world::holder::Liveness;

pub fn run(global: &Global, verb: &args_deploy::Tick, streams: &mut Streams) -> Result<u8, Failure> {
    let home = ledger::home(global)?;
    let Ok(_alone) = alone(&home.repository) else {
        streams.print("another `release` is at work in this repository; nothing was done\n");
        return Ok(0);
    };
    stoppable(async |interrupt| {
        let mut book = ledger::book(&home).await?;
        finish_left(global, streams, &home, &mut book, interrupt.clone()).await?;
        let survey = open::survey_knowing(global, &Wish::to_look(), Some(book.state()))?;
        let moving = Moving {
            reason: None,
            overrides: Vec::new(),
            take_over: false,
            yes: true,
            output: verb.output,
            detailed_exitcode: false,
        };
        let mut tick = Tick {
            global,
            streams,
            home: &home,
            survey: &survey,
            book: &mut book,
            interrupt,
            moving: &moving,
            worst: None,
            did: 0,
        };
        tick.run().await
    })
}

struct Tick<'a> {
    global: &'a Global,
    streams: &'a mut Streams,
    home: &'a Home,
    survey: &'a Survey,
    book: &'a mut Book,
    interrupt: watch::Receiver<Option<&'static str>>,
    moving: &'a Moving,
    /// The gravest failure so far; the others are told as they come.
    worst: Option<Failure>,
    did: usize,
}

impl Tick<'_> {
    async fn run(&mut self) -> Result<u8, Failure> {
        self.go_on().await?;
        self.look_at_what_soaks().await?;
        self.bring_what_is_awaited().await?;
        self.ask_about_yanks().await?;
        self.look_for_ports().await?;
        self.bring_mirrors_up_to_date().await?;
        match self.worst.take() {
            Some(failure) => Err(failure),
            None if self.did == 0 => {
                self.streams.print("nothing waits\n");
                Ok(0)
            }
            None => Ok(0),
        }
    }

    /// Deployments that nobody has in hand any more.
    async fn go_on(&mut self) -> Result<(), Failure> {
        let left: Vec<Deployment> =
            self.book.state().rollouts.values().map(|rollout| rollout.deployment.clone()).collect();
        for deployment in left {
            let rollout = self.book.state().rollouts.get(deployment.digest.as_str());
            let holder = rollout.and_then(|rollout| rollout.holder.clone());
            let lives = match &holder {
                None => Liveness::Dead,
                Some(holder) => liveness(holder, &|name| std::env::var_os(name)).await,
            };
            if lives != Liveness::Dead {
                self.say(&format!("{} is in somebody's hand", deployment_named(&deployment)));
                continue;
            }
            if let Some(reason) = self.halted(&deployment) {
                self.say(&format!("{} waits: halted: {reason}", deployment_named(&deployment)));
                continue;
            }
            self.say(&format!("going on with {}", deployment_named(&deployment)));
            let carried = self.carry_out(&deployment).await;
            self.keep_worst(carried);
        }
        Ok(())
    }

    /// Why a deployment that was begun may not go on, where it may not. Ways back go on.
    fn halted(&self, deployment: &Deployment) -> Option<String> {
        let environment = Some(deployment.environment.as_str());
        let mut items = deployment.items.iter().filter(|_| deployment.kind != DeploymentKind::Rollback);
        let halt = items.find_map(|item| self.book.state().halted(environment, Some(&item.release.package)));
        halt.map(|halt| halt.reason.clone())
    }

    /// Everything verified whose next environment asks for a soak that is not over, and what an earlier look found bad.
    async fn look_at_what_soaks(&mut self) -> Result<(), Failure> {
        for (name, package, running) in self.soaking() {
            let failed = match &running.failed {
                Some(reason) => Some(reason.clone()),
                None => self.look(&name, &package, &running).await?,
            };
            if let Some(reason) = failed {
                let taken = self.take_back(&name, &package, &running, reason).await;
                self.keep_worst(taken);
            }
        }
        Ok(())
    }

    fn soaking(&self) -> Vec<(String, String, Running)> {
        let now = clock::now();
        let state = self.book.state();
        let mut found = Vec::new();
        for (name, known) in &state.environments {
            if !self.survey.environments.contains_key(name)
                || state.rollout_in(name).is_some()
                || known.locked.is_some()
            {
                continue;
            }
            let soak = self.soak_of(name);
            for (package, slot) in &known.packages {
                let Some(running) = &slot.current else { continue };
                let soaks = running.verified.is_some_and(|since| now < since.saturating_add(soak));
                let is_bad = running.failed.is_some() && !slot.verified.is_empty();
                if soaks || is_bad {
                    found.push((name.clone(), package.clone(), running.clone()));
                }
            }
        }
        found
    }

    /// The longest soak that an environment's followers ask for, in seconds.
    fn soak_of(&self, name: &str) -> i64 {
        let followers =
            self.survey.environments.values().filter(|next| next.table.after.as_deref() == Some(name));
        let soaks = followers
            .filter_map(|next| next.table.soak)
            .map(|soak| i64::try_from(soak.seconds).unwrap_or(i64::MAX));
        soaks.max().unwrap_or(0)
    }

    /// One look at a release that soaks. Why it is bad, where it is.
    async fn look(
        &mut self,
        name: &str,
        package: &str,
        running: &Running,
    ) -> Result<Option<String>, Failure> {
        let settings = environment(self.survey, name)?;
        let ground = ground(self.survey, self.home, self.book.state(), &settings).await?;
        let deployment = Digest::parse(&running.deployment).unwrap_or_else(Digest::none);
        let proof = ground.look(&running.release, &deployment).await;
        let failed = match &proof.proven {
            Proven::Holds => None,
            Proven::Fails(reason) => Some(format!("while it soaked: {reason}")),
            Proven::Undecided(reason) => {
                let text = format!("{name}: whether {package} still holds could not be told: {reason}");
                self.keep_worst(Err(Failure::new(Kind::Undecided, text)));
                return Ok(None);
            }
        };
        let digest = running.release.digest().as_str().to_owned();
        let trial =
            Trial { package: package.to_owned(), digest, failed: failed.clone(), evidence: proof.evidence };
        let what = What::Looked { environment: name.to_owned(), trial };
        self.book.write(&Digest::none(), what).await.map_err(book_failure)?;
        self.book.flush().await.map_err(book_failure)?;
        let said = if failed.is_some() { "does not hold" } else { "holds" };
        self.say(&format!("looked at {package} {} in {name}: it {said}", running.release.version));
        Ok(failed)
    }

    async fn take_back(
        &mut self,
        name: &str,
        package: &str,
        running: &Running,
        reason: String,
    ) -> Result<u8, Failure> {
        let Some(back_to) = self.book.state().way_back(name, &running.release).cloned() else {
            return Err(Failure::new(
                Kind::NeedsPerson,
                format!(
                    "{package} {} in {name} does not hold, and nothing verified is left to go back to: {reason}",
                    running.release.version
                ),
            ));
        };
        let request = Request {
            environment: name.to_owned(),
            kind: DeploymentKind::Rollback,
            from: None,
            wanted: Vec::new(),
            when_allowed: false,
            chosen: Some(vec![back_to]),
        };
        let why = Moving { reason: Some(reason.clone()), ..self.moving.clone() };
        let mut deploying = self.deploying(&why);
        deploying.run(&request).await?;
        Err(Failure::new(
            Kind::RolledBack,
            format!("{name} went back from {package} {}: {reason}", running.release.version),
        ))
    }

    /// Releases that shall come somewhere and may now.
    async fn bring_what_is_awaited(&mut self) -> Result<(), Failure> {
        for (name, from, releases) in self.awaited() {
            let request = Request {
                environment: name.clone(),
                kind: if from.is_some() { DeploymentKind::Promote } else { DeploymentKind::Deploy },
                from,
                wanted: Vec::new(),
                when_allowed: false,
                chosen: Some(releases),
            };
            let moving = self.moving.clone();
            let brought = self.deploying(&moving).run(&request).await;
            match brought {
                Err(failure) if failure.kind == Kind::NotAllowed => {
                    self.say(failure.error.to_string().trim_end())
                }
                other => {
                    self.did += 1;
                    self.keep_worst(other);
                }
            }
        }
        Ok(())
    }

    fn awaited(&self) -> Vec<(String, Option<String>, Vec<Placed>)> {
        let mut found: Vec<(String, Option<String>, Vec<Placed>)> = Vec::new();
        for (name, known) in &self.book.state().environments {
            let Some(settings) = self.survey.environments.get(name) else { continue };
            let mut awaited: Vec<&Awaited> =
                known.packages.values().filter_map(|slot| slot.awaited.as_ref()).collect();
            awaited.sort_by_key(|awaited| settings.rank_of(&awaited.release.package));
            for one in awaited {
                let release = one.release.clone();
                match found.iter_mut().find(|(environment, from, _)| environment == name && *from == one.from)
                {
                    Some((_, _, releases)) => releases.push(release),
                    None => found.push((name.clone(), one.from.clone(), vec![release])),
                }
            }
        }
        found
    }

    async fn ask_about_yanks(&mut self) -> Result<(), Failure> {
        let open: Vec<(String, String)> = self
            .book
            .state()
            .withdrawn
            .iter()
            .filter(|known| known.yanked.is_none())
            .map(|known| (known.package.clone(), known.version.clone()))
            .collect();
        if open.is_empty() {
            return Ok(());
        }
        let workshop = workshop(self.survey, self.home)?;
        for (package, version) in open {
            match is_yanked(self.survey, &workshop, &package, &version).await {
                Ok(Some(true)) => {
                    self.say(&format!("the index says that {package} {version} is yanked"));
                    self.write(What::Yanked { package, version }).await?;
                }
                Ok(_) => {}
                Err(failure) => self.keep_worst(Err(failure)),
            }
        }
        Ok(())
    }

    /// Lines for mending whose fixes the main line has taken up.
    async fn look_for_ports(&mut self) -> Result<(), Failure> {
        let main = self.survey.main_branch();
        for hotfix in self.book.state().hotfixes.clone() {
            let Some(commit) = self
                .survey
                .repository
                .ported(&main, &hotfix.branch, &hotfix.commit)
                .map_err(Failure::user)?
            else {
                continue;
            };
            self.say(&format!("what {} mended is on {main} too", hotfix.branch));
            self.write(What::HotfixPorted { branch: hotfix.branch, commit }).await?;
        }
        Ok(())
    }

    /// Deployments that GitHub does not show as they are.
    async fn bring_mirrors_up_to_date(&mut self) -> Result<(), Failure> {
        let (told, behind) = catch_up(self.home, self.survey, self.book).await?;
        for mirror in told {
            let what = deployment_named(&mirror.deployment);
            self.say(&format!("GitHub shows {what}: {}", mirror.state().replace('_', " ")));
        }
        if let Some(remark) = behind {
            self.keep_worst(Err(Failure::new(Kind::Outside, remark)));
        }
        Ok(())
    }

    async fn write(&mut self, what: What) -> Result<(), Failure> {
        self.book.write(&Digest::none(), what).await.map_err(book_failure)?;
        self.book.flush().await.map_err(book_failure)
    }

    async fn carry_out(&mut self, deployment: &Deployment) -> Result<u8, Failure> {
        let settings = environment(self.survey, &deployment.environment)?;
        let ground = ground(self.survey, self.home, self.book.state(), &settings).await?;
        let moving = self.moving.clone();
        let mut deploying = self.deploying(&moving);
        let outcome = deploying.carry_out(deployment, &ground).await?;
        deploying.report(deployment, outcome).await
    }

    fn deploying<'d>(&'d mut self, moving: &'d Moving) -> Deploying<'d> {
        Deploying {
            global: self.global,
            streams: self.streams,
            home: self.home,
            survey: self.survey,
            book: self.book,
            interrupt: self.interrupt.clone(),
            moving,
            answer: None,
            keeps_answer: false,
        }
    }

    fn say(&mut self, text: &str) {
        self.did += 1;
        self.streams.tell(&format!("{}\n", text.lines().map(line).collect::<Vec<String>>().join("\n")));
    }

    /// Goes on after a failure; the gravest one decides the exit code.
    fn keep_worst(&mut self, done: Result<u8, Failure>) {
        let Err(failure) = done else { return };
        let rank = |failure: &Failure| match failure.kind {
            Kind::NeedsPerson => 3,
            Kind::RolledBack => 2,
            _ => 1,
        };
        match &self.worst {
            Some(known) if rank(known) >= rank(&failure) => {
                let text = failure.render(self.streams.color_of_telling());
                self.streams.tell(&text);
            }
            _ => {
                if let Some(known) = self.worst.replace(failure) {
                    let text = known.render(self.streams.color_of_telling());
                    self.streams.tell(&text);
                }
            }
        }
    }
}
