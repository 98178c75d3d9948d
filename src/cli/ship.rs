//! `release ship`: carries out a plan, or finishes what an earlier run began.

use std::io::IsTerminal;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::apply::book::{Book, BookError, LEDGER};
use crate::apply::effect::StepError;
use crate::apply::index::IndexError;
use crate::apply::ship::{self, Outcome, take_back};
use crate::apply::workshop::Workshop;
use crate::cli::args::{self, Global, Output, Stage};
use crate::cli::failure::{Failure, Kind};
use crate::cli::open;
use crate::ledger::event::{Event, What};
use crate::plan::digest::Digest;
use crate::plan::make::base;
use crate::plan::stale::StaleError;
use crate::plan::{FORMAT, Plan};
use crate::report::progress::Progress;
use crate::report::streams::Streams;
use crate::report::{json, plan_text, ship_text};
use crate::survey::facts::Survey;
use crate::world::files::Lock;
use crate::world::git_error::GitError;
use crate::world::tools::ToolCache;

pub fn run(global: &Global, verb: &args::Ship, streams: &mut Streams) -> Result<u8, Failure> {
    let survey = open::survey(global, &verb.wish)?;
    let _alone = alone(&survey)?;
    let who = survey.repository.identity().map_err(Failure::user)?;
    let mut book = Book::open(&survey.repository, who).map_err(book_failure)?;
    let workshop = Arc::new(workshop(&survey)?);
    let mut shipping = Shipping { global, verb, streams, book: &mut book, workshop };
    if let Some(plan) = shipping.under_way(&survey)? {
        return shipping.finish(&plan, &survey);
    }
    if let Some(tag) = &verb.tag {
        return shipping.answer_for_tag(tag, &survey);
    }
    let plan = shipping.new_plan(&survey)?;
    shipping.begin(&plan, &survey)
}

/// One ship a repository: the lock goes with the process, however it ends.
fn alone(survey: &Survey) -> Result<Lock, Failure> {
    let path = survey.repository.common_dir().join("release").join("ship.lock");
    let taken = Lock::try_take(&path).map_err(|error| {
        Failure::user(error)
            .hint("`release ship` writes into the repository: make it writable, or ship from a clone")
    })?;
    taken.ok_or_else(|| {
        Failure::new(Kind::Stale, "another `release ship` is at work in this repository")
            .hint("wait for it to end; `release status` shows how far it is")
    })
}

fn workshop(survey: &Survey) -> Result<Workshop, Failure> {
    let tools =
        ToolCache::open(|name| std::env::var_os(name)).map_err(|error| Failure::new(Kind::Outside, error))?;
    let mut workshop = Workshop::new(survey.repository.clone(), survey.indexes.clone(), tools);
    if let Some(limit) = survey.build_timeout {
        workshop.build_limit = limit;
    }
    Ok(workshop)
}

struct Shipping<'a, 'r> {
    global: &'a Global,
    verb: &'a args::Ship,
    streams: &'a mut Streams,
    book: &'a mut Book<'r>,
    workshop: Arc<Workshop>,
}

impl Shipping<'_, '_> {
    /// The plan that an earlier run left unfinished, where it can still be finished.
    /// One that claimed nothing and whose base is gone is given up.
    fn under_way(&mut self, survey: &Survey) -> Result<Option<Plan>, Failure> {
        let digests: Vec<String> = self.book.state().in_flight.keys().cloned().collect();
        for digest in digests {
            let plan = self.book.plan(&digest).map_err(book_failure)?.ok_or_else(|| {
                Failure::new(Kind::Bug, format!("the ledger names plan {digest} and does not hold it"))
            })?;
            if self.is_claimed(&plan) {
                return Ok(Some(plan));
            }
            match plan.check(&base(&survey.facts)) {
                Ok(()) => {
                    self.refuse_other_plan(&plan)?;
                    return Ok(Some(plan));
                }
                Err(stale) => self.give_up(&plan, &stale)?,
            }
        }
        Ok(None)
    }

    fn is_claimed(&self, plan: &Plan) -> bool {
        let ship = self.book.ship(&plan.digest);
        ship.is_some_and(|ship| ship.has_done("claim") || self.workshop.is_claimed(plan, ship))
    }

    fn refuse_other_plan(&self, plan: &Plan) -> Result<(), Failure> {
        let Some(path) = &self.verb.plan else { return Ok(()) };
        if read_plan(path)?.digest == plan.digest {
            return Ok(());
        }
        let text = format!("plan {} is under way, {} is another", plan.digest.short(), path.display());
        Err(Failure::new(Kind::Stale, text).hint("finish it first with `release ship`, without a file"))
    }

    fn give_up(&mut self, plan: &Plan, stale: &StaleError) -> Result<(), Failure> {
        self.streams.tell(&format!(
            "an earlier ship, plan {}, had claimed nothing and is given up: {stale}\n",
            plan.digest.short()
        ));
        take_back(self.book, plan, &self.workshop, stale.to_string(), &mut |_| {}).map_err(book_failure)
    }

    fn finish(&mut self, plan: &Plan, survey: &Survey) -> Result<u8, Failure> {
        if let Some(tag) = &self.verb.tag
            && !plan.releases.iter().any(|release| release.tag == *tag)
        {
            return Err(Failure::user(format!("tag `{tag}` is not part of the release under way"))
                .hint("finish that one first with `release ship`"));
        }
        let names: Vec<String> =
            plan.releases.iter().map(|release| format!("{} {}", release.package, release.to)).collect();
        self.streams.tell(&format!("finishing what was begun: {}\n", names.join(", ")));
        if !self.is_claimed(plan) {
            refuse_dirty(survey)?;
            self.consent(plan)?;
        }
        self.carry_out(plan)
    }

    fn answer_for_tag(&mut self, tag: &str, survey: &Survey) -> Result<u8, Failure> {
        if self.book.state().released.values().any(|released| released.tag == tag) {
            return self.nothing(&format!("the release of `{tag}` is done; nothing to do"));
        }
        let found = survey.repository.ref_target(&format!("refs/tags/{tag}")).map_err(Failure::user)?;
        Err(match found {
            Some(_) => Failure::user(format!(
                "tag `{tag}` was not made by `release ship`; the ledger does not know it"
            ))
            .hint("`release log` shows what it knows"),
            None => Failure::user(format!("there is no tag `{tag}`")).hint("`git tag` lists them"),
        })
    }

    fn new_plan(&mut self, survey: &Survey) -> Result<Plan, Failure> {
        let plan = match &self.verb.plan {
            None => open::plan(survey, self.global, &self.verb.wish)?,
            Some(path) => {
                let saved = read_plan(path)?;
                saved.check(&base(&survey.facts)).map_err(|error| {
                    Failure::new(Kind::Stale, error)
                        .hint("make it anew with `release plan -o FILE` and read it again")
                })?;
                saved
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

    fn begin(&mut self, plan: &Plan, survey: &Survey) -> Result<u8, Failure> {
        if plan.releases.is_empty() {
            return self.nothing("nothing to release");
        }
        if plan.base.branch.is_none() {
            return Err(Failure::user(
                "HEAD is detached, so there is no branch to put the release commit on",
            )
            .hint("check a branch out first: `git switch main`"));
        }
        survey.refuse_other_branch().map_err(open::failure)?;
        survey.refuse_unpublishable(plan).map_err(open::failure)?;
        refuse_dirty(survey)?;
        self.refuse_major(plan)?;
        if self.verb.output == Output::Text {
            let color = self.streams.color_of_telling();
            let text = plan_text::plan_text(plan, self.streams.width(), color, false);
            self.streams.tell(&text);
        }
        self.consent(plan)?;
        self.carry_out(plan)
    }

    fn refuse_major(&self, plan: &Plan) -> Result<(), Failure> {
        let asking: Vec<String> = plan
            .releases
            .iter()
            .filter(|release| release.needs.iter().any(|need| need == "allow-major"))
            .map(|release| format!("{} {}", release.package, release.to))
            .collect();
        if asking.is_empty() || self.verb.wish.allow_major {
            return Ok(());
        }
        Err(Failure::new(Kind::NotAllowed, format!("a major step needs consent: {}", asking.join(", ")))
            .hint("say `--allow-major`, or set `allow-major = true` for the package"))
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
        if self.streams.ask(&format!("ship {} releases? [y/N] ", plan.releases.len())) {
            return Ok(());
        }
        Err(Failure::new(Kind::NotAllowed, "not shipped: the answer was not `y`"))
    }

    fn carry_out(&mut self, plan: &Plan) -> Result<u8, Failure> {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(self.workshop.jobs.max(2))
            .enable_all()
            .build()
            .map_err(|error| Failure::new(Kind::Outside, error))?;
        let mut progress = Progress::new(plan, self.global.quiet, self.streams);
        let until = self.verb.until.map(stage);
        let workshop = Arc::clone(&self.workshop);
        let mut undecided = Vec::new();
        let mut tell = |event: &Event| {
            progress.tell(event);
            undecided.extend(reason_undecided(event));
        };
        let outcome = runtime
            .block_on(ship::ship(self.book, plan, workshop, until, &mut tell))
            .map_err(book_failure)?;
        progress.end();
        let code = self.report(plan, outcome)?;
        match undecided.first() {
            None => Ok(code),
            Some(reason) => Err(Failure::new(Kind::Undecided, format!("published, but not tried: {reason}"))
                .hint("ship what it needs to the same index too, then try it with pip")),
        }
    }

    fn report(&mut self, plan: &Plan, outcome: Outcome) -> Result<u8, Failure> {
        let word = match &outcome {
            Outcome::Finished => "finished",
            Outcome::Stopped => "stopped",
            Outcome::TakenBack(_) => "taken-back",
            Outcome::Incomplete(_) => "incomplete",
        };
        if self.verb.output == Output::Json {
            let answer = Answer { plan: &plan.digest, outcome: word, releases: releases(plan, self.book) };
            self.streams.print(&json::pretty(&answer));
        } else if matches!(outcome, Outcome::Finished | Outcome::Stopped) {
            let text = ship_text::ship_text(plan, word, &self.workshop.indexes, self.streams.width());
            self.streams.print(&text);
        }
        match outcome {
            Outcome::Finished | Outcome::Stopped => Ok(0),
            Outcome::TakenBack(failed) => Err(step_failure(failed).hint(
                "nothing was released: branch, tags and index are as they were; mend it and ship again",
            )),
            Outcome::Incomplete(failed) => {
                Err(step_failure(failed).hint("the claim is made; `release ship` again finishes the rest"))
            }
        }
    }

    fn nothing(&mut self, text: &str) -> Result<u8, Failure> {
        if self.verb.output == Output::Json {
            let answer = Answer { plan: &Digest::none(), outcome: "nothing", releases: Vec::new() };
            self.streams.print(&json::pretty(&answer));
        } else {
            self.streams.print(&format!("{text}\n"));
        }
        Ok(if self.verb.detailed_exitcode { 3 } else { 0 })
    }
}

/// Why a step that is done could not tell what it should.
fn reason_undecided(event: &Event) -> Option<String> {
    match &event.what {
        What::Succeeded { evidence, .. } => evidence.get("undecided").cloned(),
        _ => None,
    }
}

/// What `--output json` says of a ship.
#[derive(Serialize)]
struct Answer<'p> {
    plan: &'p Digest,
    outcome: &'static str,
    releases: Vec<Shipped>,
}

#[derive(Serialize)]
struct Shipped {
    package: String,
    version: String,
    tag: String,
    index: String,
    /// Steps that are not done.
    remaining: Vec<String>,
}

fn releases(plan: &Plan, book: &Book<'_>) -> Vec<Shipped> {
    let ship = book.ship(&plan.digest);
    let remaining = |package: &str| match ship {
        // A ship that is not under way any more is finished, or nothing of it was kept.
        None => Vec::new(),
        Some(ship) => plan
            .steps
            .iter()
            .filter(|step| step.package.as_deref().is_none_or(|owner| owner == package))
            .filter(|step| !ship.has_done(&step.id.0))
            .map(|step| step.id.0.clone())
            .collect(),
    };
    plan.releases
        .iter()
        .map(|release| Shipped {
            package: release.package.clone(),
            version: release.to.clone(),
            tag: release.tag.clone(),
            index: release.index.clone(),
            remaining: remaining(&release.package),
        })
        .collect()
}

/// The one field that every format of a plan has.
#[derive(Deserialize)]
struct Format {
    format: u32,
}

fn read_plan(path: &std::path::Path) -> Result<Plan, Failure> {
    let name = path.display().to_string();
    let bytes = std::fs::read(path).map_err(|error| {
        Failure::user(format!("failed to read {name}: {error}")).hint("make one with `release plan -o FILE`")
    })?;
    if let Ok(Format { format }) = serde_json::from_slice(&bytes)
        && format != FORMAT
    {
        return Err(Failure::new(Kind::Stale, StaleError::Format { found: format })
            .hint("make one with `release plan -o FILE`"));
    }
    serde_json::from_slice(&bytes).map_err(|error| {
        Failure::user(format!("{name} is not a plan: {error}")).hint("make one with `release plan -o FILE`")
    })
}

fn refuse_dirty(survey: &Survey) -> Result<(), Failure> {
    let dirty = survey.dirty_files().map_err(Failure::user)?;
    if dirty.is_empty() {
        return Ok(());
    }
    let mut named = dirty.iter().take(10).cloned().collect::<Vec<String>>().join(", ");
    if dirty.len() > 10 {
        named.push_str(&format!(" and {} more", dirty.len() - 10));
    }
    Err(Failure::user(format!("the work tree is not clean: {named}"))
        .hint("commit them, or put them aside with `git stash -u`"))
}

fn step_failure(failed: Vec<(String, StepError)>) -> Failure {
    let (step, error) = failed.into_iter().next().expect("a failed ship names the step");
    let kind = match &error {
        StepError::Build(_) | StepError::Artifact { .. } | StepError::Broken { .. } => Kind::Gate,
        StepError::Sealed { .. } | StepError::Index(IndexError::Conflict { .. }) => Kind::Conflict,
        StepError::Moved { .. } | StepError::Git(GitError::LostRace { .. }) => Kind::Stale,
        StepError::NoIndex { .. } | StepError::Index(IndexError::Link { .. }) => Kind::User,
        _ => Kind::Outside,
    };
    let failure = Failure::new(kind, format!("{step} failed: {error}"));
    match &error {
        StepError::Index(IndexError::Conflict { .. }) => failure
            .hint("find out whose file it is and move it away, or take a higher number with `Release-As:`"),
        StepError::Index(IndexError::Link { .. }) => failure.hint("put a folder there, or nothing"),
        _ => failure,
    }
}

pub fn book_failure(error: BookError) -> Failure {
    match error {
        BookError::Foreign { .. } => Failure::user(error).hint(format!(
            "if it came there by mistake, `git update-ref -d {LEDGER}` forgets it; releases and tags stay"
        )),
        BookError::Damaged { .. } | BookError::Order(_) => Failure::user(error).hint(
            "`git log refs/release/ledger` shows its commits; an older one can be set with `git update-ref`",
        ),
        BookError::Git(GitError::Missing { .. } | GitError::Damaged { .. } | GitError::Read { .. }) => {
            Failure::user(error).hint(format!(
                "`git fsck` tells more; `git update-ref {LEDGER} COMMIT` sets an older ledger, \
                 `git update-ref -d {LEDGER}` forgets it; releases and tags stay"
            ))
        }
        BookError::Git(GitError::Write { .. }) => Failure::new(Kind::Outside, error)
            .hint("make room or the folder writable, then `release ship` again: it goes on from here"),
        BookError::Lost => {
            Failure::new(Kind::Stale, error).hint("`release status` shows what the other one does")
        }
        other => Failure::new(Kind::Outside, other),
    }
}

fn stage(stage: Stage) -> ship::Stage {
    match stage {
        Stage::Build => ship::Stage::Build,
        Stage::Seal => ship::Stage::Seal,
        Stage::Claim => ship::Stage::Claim,
        Stage::Publish => ship::Stage::Publish,
        Stage::Smoke => ship::Stage::Smoke,
    }
}
