//! `release halt`, `resume`, `approve`: a person's word, written into the ledger.

use crate::apply::book::{Book, BookError};
use crate::cli::args::{Global, Wish};
use crate::cli::args_deploy::{self, ScopeWords};
use crate::cli::deploy::release;
use crate::cli::deploying::environment;
use crate::cli::failure::{Failure, Kind};
use crate::cli::ledger::{self, book_failure};
use crate::cli::listeners::tell_order;
use crate::cli::open;
use crate::ledger::event::{Scope, What};
use crate::plan::digest::Digest;
use crate::report::deployment_words::scope_named;
use crate::report::plain::line;
use crate::report::streams::Streams;
use crate::survey::environments::EnvironmentSettings;
use crate::survey::facts::Survey;

pub fn halt(global: &Global, verb: &args_deploy::Halt, streams: &mut Streams) -> Result<u8, Failure> {
    order(global, streams, |survey, _| {
        let scope = scope(survey, &verb.scope)?;
        let text = format!("halted {}; rollbacks stay allowed", scope_named(&scope));
        Ok((What::Halted { scope, reason: verb.reason.clone() }, text))
    })
}

pub fn resume(global: &Global, verb: &args_deploy::Resume, streams: &mut Streams) -> Result<u8, Failure> {
    order(global, streams, |survey, _| {
        let scope = scope(survey, &verb.scope)?;
        let text = format!("resumed {}", scope_named(&scope));
        Ok((What::Resumed { scope, reason: verb.reason.clone() }, text))
    })
}

pub fn approve(global: &Global, verb: &args_deploy::Approve, streams: &mut Streams) -> Result<u8, Failure> {
    order(global, streams, |survey, book| {
        let settings = environment(survey, &verb.environment)?;
        let wanted = release(survey, &verb.release)?;
        let (version, digest) = approved(book, &settings, &wanted.package, wanted.version.as_deref())?;
        let (package, environment) = (wanted.package, verb.environment.clone());
        let named = line(&format!("{package} {version} for {environment} ({})", digest.short()));
        let digest = digest.as_str().to_owned();
        if verb.withdraw {
            let text = format!("took the approval of {named} back");
            return Ok((What::Disapproved { environment, package, digest }, text));
        }
        Ok((What::Approved { environment, package, version, digest }, format!("approved {named}")))
    })
}

/// The release that an approval is about: what the environment before runs, or the ledger's last release.
fn approved(
    book: &Book,
    settings: &EnvironmentSettings,
    package: &str,
    version: Option<&str>,
) -> Result<(String, Digest), Failure> {
    let state = book.state();
    let before = settings.table.after.as_ref().and_then(|before| state.environments.get(before));
    let running =
        before.and_then(|known| known.slot(package)?.current.as_ref()).map(|current| &current.release);
    let here = state.environments.get(&settings.name).and_then(|known| known.slot(package));
    let awaited = here.and_then(|slot| slot.awaited.as_ref()).map(|awaited| &awaited.release);
    let found = running
        .into_iter()
        .chain(awaited)
        .find(|placed| version.is_none_or(|wanted| placed.version == wanted));
    match found {
        Some(placed) => Ok((placed.version.clone(), placed.digest())),
        None => Err(Failure::user(format!(
            "{package}{} runs in no environment before {}",
            version.map(|version| format!(" {version}")).unwrap_or_default(),
            settings.name
        ))
        .hint("an approval is bound to bytes that run somewhere: deploy it there first")),
    }
}

fn scope(survey: &Survey, words: &ScopeWords) -> Result<Scope, Failure> {
    match (&words.environment, &words.only) {
        (Some(name), _) => environment(survey, name).map(|settings| Scope::Environment(settings.name)),
        (_, Some(word)) => {
            let package = open::package(survey, word)?;
            Ok(Scope::Package(survey.facts.packages[package].short.clone()))
        }
        _ => Ok(Scope::All),
    }
}

/// Writes one event, told to others at once. It waits for no ship and no deployment: that is its purpose.
fn order(
    global: &Global,
    streams: &mut Streams,
    what: impl FnOnce(&Survey, &Book) -> Result<(What, String), Failure>,
) -> Result<u8, Failure> {
    let home = ledger::home(global)?;
    ledger::runtime()?.block_on(async {
        let mut book = ledger::order_book(&home).await?;
        let survey = open::survey_knowing(global, &Wish::to_look(), Some(book.state()))?;
        let (what, text) = what(&survey, &book)?;
        let written = book.write(&Digest::none(), what.clone()).await;
        written.map_err(order_failure)?;
        streams.print(&format!("{text}\n"));
        for remark in tell_order(&survey.hooks, &what).await {
            streams.tell(&format!("{remark}\n"));
        }
        Ok(0)
    })
}

/// An order that can not follow changes nothing: it stands already, or never stood.
pub fn order_failure(error: BookError) -> Failure {
    match error {
        BookError::Order(error) => Failure::new(Kind::User, error).hint("`release status` shows what holds"),
        BookError::Overtaken { reason } => {
            Failure::new(Kind::Stale, reason).hint("`release status` shows what holds")
        }
        other => book_failure(other),
    }
}
