//! `release withdraw`: a published release that is bad comes into no environment any more.

use std::time::Duration;

use tokio::time::{Instant, sleep};

use crate::apply::book::Book;
use crate::apply::index::{Listed, listing};
use crate::apply::workshop::{Outlet, Workshop};
use crate::cli::args::{Global, Output, Wish};
use crate::cli::args_deploy;
use crate::cli::deploy::release;
use crate::cli::failure::{Failure, Kind};
use crate::cli::ledger::{self, book_failure};
use crate::cli::open;
use crate::cli::orders::order_failure;
use crate::cli::workshop::workshop;
use crate::history::commit::VersionTag;
use crate::ledger::event::What;
use crate::ledger::state::State;
use crate::plan::digest::Digest;
use crate::render::index_page::Yanked;
use crate::report::json;
use crate::report::streams::Streams;
use crate::report::withdraw_text::{Withdrawal, withdrawal_text};
use crate::survey::facts::Survey;
use crate::version::number::Version;
use crate::workspace::config::addresses::page_of_release;
use crate::workspace::config::text::Span;
use crate::workspace::file_name::FileName;

/// How often the index is asked.
const INTERVAL: Duration = Duration::from_secs(5);

pub fn run(global: &Global, verb: &args_deploy::Withdraw, streams: &mut Streams) -> Result<u8, Failure> {
    let wait = match &verb.wait {
        None => None,
        Some(text) => Some(Span::read(text).ok_or_else(|| {
            Failure::user(format!("`{text}` is no span of time")).hint("for example 90s or 10m")
        })?),
    };
    let home = ledger::home(global)?;
    ledger::runtime()?.block_on(async {
        let mut book = ledger::order_book(&home).await?;
        let survey = open::survey_knowing(global, &Wish::to_look(), Some(book.state()))?;
        let wanted = release(&survey, &verb.release)?;
        let version = wanted.version.ok_or_else(|| {
            Failure::user("say which version is bad").hint(format!("`{}@VERSION`", wanted.package))
        })?;
        let index = position(&survey, &wanted.package);
        let number = Version::parse(&version).map_err(Failure::user)?;
        let tag = survey.facts.packages[index].tag_for(&number);
        if survey.repository.commit_of_tag(&tag).map_err(Failure::user)?.is_none() {
            return Err(Failure::user(format!(
                "there is no release {version} of {}: no tag `{tag}`",
                wanted.package
            ))
            .hint("`git fetch --tags`, or `release log`"));
        }
        if book.state().withdrawal(&wanted.package, &version).is_none() {
            let what = What::Withdrawn {
                package: wanted.package.clone(),
                version: version.clone(),
                tag: tag.clone(),
                reason: verb.reason.clone(),
            };
            book.write(&Digest::none(), what).await.map_err(order_failure)?;
        }
        let withdrawal = withdrawal(global, &survey, &book, index, (&version, tag, &verb.reason))?;
        match verb.output {
            Output::Json => streams.print(&json::pretty(&withdrawal)),
            _ => streams.print(&withdrawal_text(&withdrawal, streams.width())),
        }
        let Some(wait) = wait else { return Ok(0) };
        let workshop = workshop(&survey, &home)?;
        await_yank(
            &survey,
            &workshop,
            &mut book,
            &wanted.package,
            &version,
            Duration::from_secs(wait.seconds),
            streams,
        )
        .await
    })
}

fn position(survey: &Survey, package: &str) -> usize {
    let found = survey.facts.packages.iter().position(|known| known.short == package);
    found.expect("the name was looked up in the same list")
}

/// Where the bad release runs, who is bound to it, and what to do by hand.
fn withdrawal(
    global: &Global,
    survey: &Survey,
    book: &Book,
    index: usize,
    (version, bad_tag, reason): (&str, String, &str),
) -> Result<Withdrawal, Failure> {
    let facts = &survey.facts;
    let settings = &facts.settings[index];
    let package = facts.packages[index].short.as_str();
    let state = book.state();
    let is_good = |tag: &VersionTag| {
        let known = tag.version.to_string();
        known != version && state.withdrawal(package, &known).is_none()
    };
    let last_good =
        survey.released(index, is_good).next().map(|tag| (tag.version.to_string(), tag.tag.clone()));
    let plan = open::plan(survey, global, &Wish::to_look())?;
    let next =
        plan.releases.iter().find(|release| release.package == package).map(|release| release.to.clone());
    let dependents = facts.graph.dependents_of(index);
    let dependents = dependents.iter().map(|edge| facts.packages[edge.dependent].short.clone()).collect();
    let upload = survey.uploads.get(&settings.index).and_then(|index| index.upload_address());
    let page =
        upload.and_then(|upload| page_of_release(upload, facts.packages[index].name.as_str(), version));
    Ok(Withdrawal {
        package: package.to_owned(),
        version: version.to_owned(),
        reason: reason.to_owned(),
        index: settings.index.clone(),
        folder: survey.indexes.contains_key(&settings.index),
        page,
        running: running(state, package, version),
        dependents,
        last_good: last_good.as_ref().map(|(version, _)| version.clone()),
        last_good_tag: last_good.map(|(_, tag)| tag),
        bad_tag,
        path: facts.packages[index].path.to_string(),
        next,
    })
}

fn running(state: &State, package: &str, version: &str) -> Vec<String> {
    let runs = |environment: &crate::ledger::environments::Environment| {
        let current = environment.slot(package).and_then(|slot| slot.current.as_ref());
        current.is_some_and(|current| current.release.version == version)
    };
    state
        .environments
        .iter()
        .filter(|(_, environment)| runs(environment))
        .map(|(name, _)| name.clone())
        .collect()
}

/// Waits until every file of the release is marked on the index, and writes that down.
async fn await_yank(
    survey: &Survey,
    workshop: &Workshop,
    book: &mut Book,
    package: &str,
    version: &str,
    wait: Duration,
    streams: &mut Streams,
) -> Result<u8, Failure> {
    let until = Instant::now() + wait;
    loop {
        if is_yanked(survey, workshop, package, version).await? == Some(true) {
            let what = What::Yanked { package: package.to_owned(), version: version.to_owned() };
            book.write(&Digest::none(), what).await.map_err(book_failure)?;
            streams.print(&format!("the index says that {package} {version} is yanked\n"));
            return Ok(0);
        }
        if Instant::now() + INTERVAL > until {
            return Err(Failure::new(
                Kind::Undecided,
                format!("the index does not say yet that {package} {version} is yanked"),
            )
            .hint("yank it by hand as shown; `release tick` asks again"));
        }
        sleep(INTERVAL).await;
    }
}

/// Whether the index marks every file of a release as yanked; none where the package has no index here.
///
/// # Errors
/// Where the index does not answer.
pub async fn is_yanked(
    survey: &Survey,
    workshop: &Workshop,
    package: &str,
    version: &str,
) -> Result<Option<bool>, Failure> {
    let facts = &survey.facts;
    let Some(index) = facts.packages.iter().position(|known| known.short == package) else { return Ok(None) };
    let name = &facts.packages[index].name;
    let version = Version::parse(version).map_err(Failure::user)?;
    let marks: Vec<bool> = match workshop.outlets.get(&facts.settings[index].index) {
        None => return Ok(None),
        Some(Outlet::Folder(folder)) => {
            let listed = listing(folder, name).map_err(|error| Failure::new(Kind::Outside, error))?;
            let of_release =
                |file: &&Listed| FileName::parse(&file.filename).is_ok_and(|name| *name.version() == version);
            listed.iter().filter(of_release).map(|file| file.yanked != Yanked::No).collect()
        }
        Some(Outlet::Remote(publisher)) => {
            let listed = publisher.listed(name, Some(&version)).await;
            let listed = listed.map_err(|error| Failure::new(Kind::Outside, error))?;
            listed.iter().map(|file| file.yanked.is_some()).collect()
        }
    };
    Ok(Some(!marks.is_empty() && marks.iter().all(|marked| *marked)))
}
