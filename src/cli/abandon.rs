//! `release abandon`: closes a release that shall never be finished; its numbers are never used again.

use std::collections::BTreeMap;
use std::io::IsTerminal;

use crate::apply::book::Book;
use crate::apply::catch_up::{knows, plan_of};
use crate::apply::claiming::{adopt, write_claimed};
use crate::apply::examine::{Seen, examine};
use crate::apply::github::draft::PAGE;
use crate::apply::lease;
use crate::apply::take_back::take_back;
use crate::cli::args::{self, Global, Output, Wish};
use crate::cli::failure::{Failure, Kind};
use crate::cli::in_flight::{Concern, may_be_taken, may_take};
use crate::cli::ledger::{self, alone, book_failure};
use crate::cli::open;
use crate::cli::ship_answer::unclaimed_failure;
use crate::cli::workshop::shipping_workshop;
use crate::ledger::event::{Begin, Ending, What};
use crate::ledger::state::Ship;
use crate::plan::Plan;
use crate::plan::digest::Digest;
use crate::report::deployment_words::deployment_named;
use crate::report::json;
use crate::report::streams::Streams;
use crate::report::words::{named, planned};
use crate::survey::facts::Survey;
use crate::survey::home::Home;

/// What `--output json` says.
#[derive(serde::Serialize)]
struct Answer {
    plan: String,
    closed: Vec<Closed>,
    /// Files that are on an index and stay there.
    published: Vec<String>,
    /// Pages of releases at GitHub that stay as they are.
    releases: Vec<String>,
}

#[derive(serde::Serialize)]
struct Closed {
    package: String,
    version: String,
    tag: String,
}

pub fn run(global: &Global, verb: &args::Abandon, streams: &mut Streams) -> Result<u8, Failure> {
    let home = ledger::home(global)?;
    let _alone = alone(&home.repository)?;
    ledger::runtime()?.block_on(async {
        let mut book = ledger::book(&home).await?;
        abandon(global, verb, streams, &home, &mut book).await
    })
}

async fn abandon(
    global: &Global,
    verb: &args::Abandon,
    streams: &mut Streams,
    home: &Home,
    book: &mut Book,
) -> Result<u8, Failure> {
    if let Some(environment) = &verb.environment {
        return abandon_deployment(verb, environment, streams, book).await;
    }
    let wish = Wish::to_look();
    let survey = open::survey_knowing(global, &wish, Some(book.state()))?;
    if let Some(forgotten) = forgotten(verb, book, &survey)? {
        return bury(verb, streams, book, forgotten).await;
    }
    let plan = chosen(verb, book).await?;
    consent(verb, &planned(&plan), streams)?;
    let workshop = shipping_workshop(&survey, home).await?;
    adopt(book, &plan, &workshop).await.map_err(unclaimed_failure)?;
    let seen = examine(book, &plan, &workshop).await;
    let published: Vec<String> = seen
        .into_iter()
        .filter_map(|seen| match seen {
            Seen::Agrees(fact) if fact.contains(" is on ") => Some(fact),
            _ => None,
        })
        .collect();
    let ship = book.ship(&plan.digest).cloned();
    let left = ship.as_ref().map(|ship| Left { published, ..Left::of(&plan, ship) }).unwrap_or_default();
    let here = |ship: &Ship| home.remote.is_none() && workshop.is_claimed(&plan, ship);
    let claimed = ship.as_ref().is_some_and(|ship| ship.has_done("claim") || here(ship));
    if let Some(ship) = ship.filter(|_| claimed) {
        close(book, &plan, &ship, verb.reason.clone()).await?;
        workshop.clear(&plan.digest, ship.began);
    } else {
        take_back(book, &plan, &workshop, verb.reason.clone(), &mut |_| {}).await.map_err(book_failure)?;
    }
    answer(verb, streams, &plan, claimed, left);
    Ok(0)
}

/// What is outside and stays there.
#[derive(Default)]
struct Left {
    published: Vec<String>,
    /// Drafts at GitHub, by their pages.
    drafts: Vec<String>,
    /// Releases that are published there.
    announced: Vec<String>,
}

impl Left {
    /// As far as the ledger tells.
    fn of(plan: &Plan, ship: &Ship) -> Left {
        let mut left = Left::default();
        for release in &plan.releases {
            let page = |kind: &str| ship.evidence(&format!("{kind}:{}", release.package))?.get(PAGE).cloned();
            match (page("announce"), page("stash")) {
                (Some(page), _) => left.announced.push(page),
                (None, page) => left.drafts.extend(page),
            }
        }
        left
    }
}

/// Ends the deployment under way in an environment; what runs there is left as it is, unverified.
async fn abandon_deployment(
    verb: &args::Abandon,
    environment: &str,
    streams: &mut Streams,
    book: &mut Book,
) -> Result<u8, Failure> {
    let Some((_, rollout)) = book.state().rollout_in(environment) else {
        return Err(Failure::user(format!("no deployment is under way in {environment}"))
            .hint("`release status` shows what is under way"));
    };
    let (deployment, holder) = (rollout.deployment.clone(), rollout.holder.clone());
    let what = deployment_named(&deployment);
    if let Some(holder) = holder {
        may_take(&holder, &what, verb.take_over).await?;
    }
    consent(verb, &what, streams)?;
    // Whoever still works on it is fenced off first.
    let holder = lease::ourselves(&|name| std::env::var_os(name));
    lease::take(book, &deployment.digest, &holder).await.map_err(book_failure)?;
    let ended = What::Deployed { ending: Ending::Superseded, reason: verb.reason.clone() };
    book.write(&deployment.digest, ended).await.map_err(book_failure)?;
    book.flush().await.map_err(book_failure)?;
    let packages: Vec<&str> = deployment.items.iter().map(|item| item.release.package.as_str()).collect();
    match verb.output {
        Output::Json => streams.print(&json::pretty(&serde_json::json!({
            "deployment": deployment.digest.as_str(), "environment": environment, "packages": packages,
        }))),
        _ => streams.print(&format!("given up: {what}\nwhat runs in {environment} stays as it is\n")),
    }
    Ok(0)
}

/// A release that the ledger does not know, as its tags tell of it.
struct Forgotten {
    plan: Digest,
    commit: String,
    releases: BTreeMap<String, Begin>,
}

/// The release of the tag, where a release commit made it and the ledger does not know its plan.
fn forgotten(verb: &args::Abandon, book: &Book, survey: &Survey) -> Result<Option<Forgotten>, Failure> {
    let Some(tag) = &verb.tag else { return Ok(None) };
    let facts = &survey.facts;
    let mut found = (0..facts.packages.len()).flat_map(|one| survey.released(one, |known| known.tag == *tag));
    let Some(commit) = found.next().map(|tag| &tag.commit) else { return Ok(None) };
    let message =
        survey.repository.objects().commit(&commit.to_string()).map_err(Failure::user)?.words.message;
    let plan = plan_of(&message).filter(|plan| !knows(book.state(), plan)).and_then(Digest::parse);
    let Some(plan) = plan else { return Ok(None) };
    let mut releases = BTreeMap::new();
    for package in 0..facts.packages.len() {
        // The commit is on this line, and so are all tags of it.
        if let Some(tag) = facts.history.version_tags(package).find(|tag| tag.commit == *commit) {
            let begin = Begin {
                version: tag.version.to_string(),
                tag: tag.tag.clone(),
                index: facts.settings[package].index.clone(),
            };
            releases.insert(facts.packages[package].short.clone(), begin);
        }
    }
    Ok(Some(Forgotten { plan, commit: commit.to_string(), releases }))
}

/// Writes into the ledger that the release was begun, claimed and given up, so that it is known.
async fn bury(
    verb: &args::Abandon,
    streams: &mut Streams,
    book: &mut Book,
    forgotten: Forgotten,
) -> Result<u8, Failure> {
    let Forgotten { plan, commit, releases } = forgotten;
    let names = named(&releases);
    consent(verb, &names, streams)?;
    book.write(&plan, What::Begun { releases }).await.map_err(book_failure)?;
    let evidence = BTreeMap::from([("commit".to_owned(), commit)]);
    write_claimed(book, &plan, evidence).await.map_err(book_failure)?;
    book.write(&plan, What::Closed { reason: verb.reason.clone() }).await.map_err(book_failure)?;
    book.flush().await.map_err(book_failure)?;
    streams.print(&format!(
        "given up: {names}\ntheir numbers are not used again; `release plan` says what comes in their place\n"
    ));
    Ok(0)
}

/// The ship that the tag belongs to, or the only one.
async fn chosen(verb: &args::Abandon, book: &Book) -> Result<Plan, Failure> {
    let concern = Concern { tag: verb.tag.as_deref(), plan: None, packages: None };
    let mut found = Vec::new();
    for (digest, ship) in &book.state().in_flight {
        if may_be_taken(digest, ship, &concern, verb.take_over).await? {
            found.extend(book.plan(digest).map_err(book_failure)?);
        }
    }
    match (found.len(), &verb.tag) {
        (1, _) => Ok(found.remove(0)),
        (0, Some(tag)) => Err(Failure::user(format!("no release under way makes the tag `{tag}`"))
            .hint("`release status` shows what is under way")),
        (0, None) => Err(Failure::user("no release is under way").hint("`release log` shows what happened")),
        _ => {
            let tags: Vec<&str> =
                found.iter().filter_map(|plan| Some(plan.releases.first()?.tag.as_str())).collect();
            Err(Failure::user("several releases are under way")
                .hint(format!("name a tag of the one you mean: {}", tags.join(", "))))
        }
    }
}

fn consent(verb: &args::Abandon, names: &str, streams: &mut Streams) -> Result<(), Failure> {
    if verb.yes {
        return Ok(());
    }
    if !std::io::stdin().is_terminal() {
        return Err(Failure::user("`release abandon` asks first, and there is no terminal to ask on")
            .hint("say `--yes`"));
    }
    if streams.ask(&format!("never finish {names}? [y/N] ")) {
        return Ok(());
    }
    Err(Failure::new(Kind::NotAllowed, "not abandoned: the answer was not `y`"))
}

async fn close(book: &mut Book, plan: &Plan, ship: &Ship, reason: String) -> Result<(), Failure> {
    if !ship.has_done("claim") {
        // Killed between the move of the refs and the word of it, in a repository alone.
        write_claimed(book, &plan.digest, BTreeMap::new()).await.map_err(book_failure)?;
    }
    if book.is_shared() {
        // Whoever still works on it is fenced off first.
        let holder = lease::ourselves(&|name| std::env::var_os(name));
        lease::take(book, &plan.digest, &holder).await.map_err(book_failure)?;
    }
    book.write(&plan.digest, What::Closed { reason }).await.map_err(book_failure)?;
    book.flush().await.map_err(book_failure)
}

fn answer(verb: &args::Abandon, streams: &mut Streams, plan: &Plan, claimed: bool, left: Left) {
    let Left { published, drafts, announced } = left;
    if verb.output == Output::Json {
        let closed = plan.releases.iter().map(|release| Closed {
            package: release.package.clone(),
            version: release.to.clone(),
            tag: release.tag.clone(),
        });
        let releases = drafts.into_iter().chain(announced).collect();
        let answer = Answer { plan: plan.digest.to_string(), closed: closed.collect(), published, releases };
        streams.print(&json::pretty(&answer));
        return;
    }
    let mut text = format!("given up: {}\n", planned(plan));
    if claimed {
        text.push_str("their numbers are not used again; tags and the release commit stay\n");
        for fact in &published {
            text.push_str(&format!("  {fact} and stays there: yank it by hand\n"));
        }
        for page in &drafts {
            text.push_str(&format!("  a draft with its files stays at {page}: delete it there\n"));
        }
        for page in &announced {
            text.push_str(&format!("  its release stays published at {page}: say there what became of it\n"));
        }
        text.push_str("`release plan` says what is released in their place\n");
    } else {
        text.push_str("nothing of it was claimed: the numbers are free\n");
    }
    streams.print(&text);
}
