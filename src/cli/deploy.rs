//! `release deploy`, `release promote`, `release rollback`: releases into environments, onward and back.

use crate::cli::args::{Global, Wish};
use crate::cli::args_deploy::{self, Moving};
use crate::cli::deploying::{Deploying, Request, environment};
use crate::cli::failure::Failure;
use crate::cli::ledger::{self, alone};
use crate::cli::open;
use crate::cli::stopping::stoppable;
use crate::plan::deployment::DeploymentKind;
use crate::report::streams::Streams;
use crate::survey::choice::Wanted;
use crate::survey::facts::Survey;
use crate::version::number::Version;

pub fn run(global: &Global, verb: &args_deploy::Deploy, streams: &mut Streams) -> Result<u8, Failure> {
    moving(global, streams, &verb.moving, |survey| {
        environment(survey, &verb.environment)?;
        let mut wanted =
            verb.releases.iter().map(|word| release(survey, word)).collect::<Result<Vec<_>, _>>()?;
        wanted.extend(named(survey, global)?);
        Ok(Request {
            environment: verb.environment.clone(),
            kind: DeploymentKind::Deploy,
            from: None,
            wanted,
            when_allowed: false,
            chosen: None,
        })
    })
}

pub fn promote(global: &Global, verb: &args_deploy::Promote, streams: &mut Streams) -> Result<u8, Failure> {
    moving(global, streams, &verb.moving, |survey| {
        let to = environment(survey, &verb.to)?;
        let from = match verb.from.clone().or(to.table.after) {
            Some(from) => from,
            None => {
                return Err(Failure::user(format!("{} comes after no environment", verb.to))
                    .hint("say `--from`, or set its `after`"));
            }
        };
        environment(survey, &from)?;
        Ok(Request {
            environment: verb.to.clone(),
            kind: DeploymentKind::Promote,
            from: Some(from),
            wanted: named(survey, global)?,
            when_allowed: verb.when_allowed,
            chosen: None,
        })
    })
}

pub fn rollback(global: &Global, verb: &args_deploy::Rollback, streams: &mut Streams) -> Result<u8, Failure> {
    moving(global, streams, &verb.moving, |survey| {
        environment(survey, &verb.environment)?;
        let mut wanted = named(survey, global)?;
        match (&verb.to, &mut wanted[..]) {
            (None, _) => {}
            (Some(version), [one]) => one.version = Some(read_version(version)?),
            (Some(_), _) => {
                return Err(
                    Failure::user("`--to` names a version of one package").hint("say which with `-p PKG`")
                );
            }
        }
        Ok(Request {
            environment: verb.environment.clone(),
            kind: DeploymentKind::Rollback,
            from: None,
            wanted,
            when_allowed: false,
            chosen: None,
        })
    })
}

/// Opens everything that a deployment is made in, and carries a request out.
fn moving(
    global: &Global,
    streams: &mut Streams,
    moving: &Moving,
    request: impl FnOnce(&Survey) -> Result<Request, Failure>,
) -> Result<u8, Failure> {
    let home = ledger::home(global)?;
    let _alone = alone(&home.repository)?;
    stoppable(async |interrupt| {
        let mut book = ledger::book(&home).await?;
        let survey = open::survey_knowing(global, &Wish::to_look(), Some(book.state()))?;
        let request = request(&survey)?;
        let mut deploying = Deploying {
            global,
            streams,
            home: &home,
            survey: &survey,
            book: &mut book,
            interrupt,
            moving,
            answer: None,
            keeps_answer: false,
        };
        deploying.run(&request).await
    })
}

/// The packages that `-p` names.
fn named(survey: &Survey, global: &Global) -> Result<Vec<Wanted>, Failure> {
    let names = open::names(survey, global)?.unwrap_or_default();
    Ok(names.into_iter().map(|package| Wanted { package, version: None }).collect())
}

/// Reads `mlops` or `mlops@2.1.0`.
///
/// # Errors
/// No such package; no version as PEP 440 writes it.
pub fn release(survey: &Survey, word: &str) -> Result<Wanted, Failure> {
    let (name, version) = match word.split_once('@') {
        Some((name, version)) => (name, Some(read_version(version)?)),
        None => (word, None),
    };
    let package = survey.facts.packages[open::package(survey, name)?].short.clone();
    Ok(Wanted { package, version })
}

fn read_version(text: &str) -> Result<String, Failure> {
    Version::parse(text).map(|version| version.to_string()).map_err(Failure::user)
}
