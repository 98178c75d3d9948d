//! Opens the world for a verb: surveys, and turns words of the command line into a request.

use std::collections::{BTreeMap, BTreeSet};

use crate::cli::args::{Global, Trust, Wish};
use crate::cli::failure::Failure;
use crate::ledger::state::State;
use crate::plan::Plan;
use crate::plan::assume::Assumption;
use crate::plan::facts::{self, Request};
use crate::plan::make::{self, Draft, make};
use crate::survey::closed::closed_in;
use crate::survey::error::SurveyError;
use crate::survey::facts::{Options, Survey, survey as gather};
use crate::version::label::PreLabel;
use crate::workspace::name::normalize;
use crate::workspace::path::RepoPath;

/// Surveys the repository that the command line names.
pub fn survey(global: &Global, wish: &Wish) -> Result<Survey, Failure> {
    survey_knowing(global, wish, None)
}

/// Surveys it as if these commits stood on top.
pub fn survey_assuming(global: &Global, wish: &Wish, assumed: Vec<Assumption>) -> Result<Survey, Failure> {
    survey_with(global, wish, Options { assumed, ..Options::default() })
}

/// Surveys it in another way than it stands.
pub fn survey_with(global: &Global, wish: &Wish, wanted: Options) -> Result<Survey, Failure> {
    let Options { directory, config, index, .. } = options(global, wish);
    gather(&Options { directory, config, index, ..wanted }).map_err(failure)
}

/// The same by what the ledger itself says now.
pub fn survey_knowing(global: &Global, wish: &Wish, state: Option<&State>) -> Result<Survey, Failure> {
    gather(&Options { closed: state.map(closed_in), ..options(global, wish) }).map_err(failure)
}

fn options(global: &Global, wish: &Wish) -> Options {
    Options {
        directory: global.directory.clone(),
        config: global.config.clone(),
        index: wish.index.clone(),
        ..Options::default()
    }
}

/// Makes the plan of this moment.
pub fn plan(survey: &Survey, global: &Global, wish: &Wish) -> Result<Plan, Failure> {
    let request = request(survey, global, wish)?;
    make(&survey.facts, &request).map_err(Failure::user)
}

/// The same plan without its digest. The survey loses its commits' messages.
pub fn draft(survey: &mut Survey, global: &Global, wish: &Wish) -> Result<Draft, Failure> {
    let request = request(survey, global, wish)?;
    make::draft(&mut survey.facts, &request).map_err(Failure::user)
}

/// The package that a word names: its name, its distribution's, or its folder.
pub fn package(survey: &Survey, word: &str) -> Result<usize, Failure> {
    let packages = &survey.facts.packages;
    let wanted = normalize(word);
    let named = packages
        .iter()
        .position(|package| normalize(&package.short) == wanted || package.name.as_str() == wanted);
    if let Some(found) = named {
        return Ok(found);
    }
    let folder = RepoPath::new(word);
    let ending = format!("/{}", word.trim_matches('/'));
    let by_folder: Vec<usize> = (0..packages.len())
        .filter(|index| {
            let path = &packages[*index].path;
            Some(path) == folder.as_ref() || path.as_git().ends_with(&ending)
        })
        .collect();
    match by_folder[..] {
        [found] => Ok(found),
        [] => {
            let known: Vec<&str> = packages.iter().map(|package| package.short.as_str()).collect();
            let failure = Failure::user(format!("no package is called `{word}`"));
            Err(match nearest(&known, &wanted) {
                Some(name) => failure.hint(format!("did you mean `{name}`?")),
                None => failure.hint(format!("the packages are: {}", known.join(", "))),
            })
        }
        _ => Err(Failure::user(format!("`{word}` names several packages")).hint("give the whole folder")),
    }
}

/// The short names of the packages that the command line names; none where it names none.
pub fn names(survey: &Survey, global: &Global) -> Result<Option<BTreeSet<String>>, Failure> {
    if global.packages.is_empty() {
        return Ok(None);
    }
    let short = |word: &String| Ok(survey.facts.packages[package(survey, word)?].short.clone());
    global.packages.iter().map(short).collect::<Result<_, _>>().map(Some)
}

/// What the command line asks for.
pub fn request(survey: &Survey, global: &Global, wish: &Wish) -> Result<Request, Failure> {
    let mut only = BTreeSet::new();
    for word in &global.packages {
        only.insert(package(survey, word)?);
    }
    let pre = wish.pre.as_deref().map(|word| word.parse::<PreLabel>().map_err(Failure::user)).transpose()?;
    Ok(Request {
        only: if global.packages.is_empty() { None } else { Some(only) },
        pre,
        graduate: wish.graduate,
        allow_major: wish.allow_major,
        trust: wish.trust.map(|trust| match trust {
            Trust::Tag => facts::Trust::Tag,
            Trust::Manifest => facts::Trust::Manifest,
        }),
        notes: BTreeMap::new(),
    })
}

fn nearest<'k>(known: &[&'k str], word: &str) -> Option<&'k str> {
    known
        .iter()
        .map(|name| (strsim::osa_distance(name, word), *name))
        .min()
        .filter(|(distance, name)| *distance <= 1 + name.len() / 4)
        .map(|(_, name)| name)
}

/// A survey's error with what to do about it.
pub fn failure(error: SurveyError) -> Failure {
    let hints = error.hints();
    let mut failure = Failure::user(error);
    failure.hints = hints;
    failure
}
