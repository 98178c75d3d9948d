//! Which running packages can not live with a release that an environment goes back to.

use crate::ledger::state::State;
use crate::plan::deployment::Placed;
use crate::survey::environments::EnvironmentSettings;
use crate::survey::facts::Survey;
use crate::version::number::Version;
use crate::workspace::manifest::{Manifest, Place, Style};
use crate::workspace::name::PackageName;
use crate::workspace::requirement::Requirement;
use crate::workspace::specifier::{admits, admits_poetry};

/// A package whose running release asks for another version than the one gone back to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pinned {
    pub package: String,
    pub version: String,
    /// What its requirement says: `acme-core==2.1.0`.
    pub requirement: String,
}

/// The packages of an environment that do not fit together with releases gone back to. What can not be read fits.
pub fn pinned(
    survey: &Survey,
    state: &State,
    environment: &EnvironmentSettings,
    going_back: &[Placed],
) -> Vec<Pinned> {
    let here = state.environments.get(&environment.name);
    let mut found = Vec::new();
    for (package, _) in &environment.packages {
        if going_back.iter().any(|placed| placed.package == *package) {
            continue;
        }
        let Some(running) = here.and_then(|known| known.slot(package)?.current.as_ref()) else { continue };
        let running = &running.release;
        let refuses = going_back.iter().find_map(|placed| refusal(survey, running, placed));
        if let Some(requirement) = refuses {
            found.push(Pinned { package: package.clone(), version: running.version.clone(), requirement });
        }
    }
    found
}

/// The requirement of a running release that does not admit a version.
fn refusal(survey: &Survey, running: &Placed, placed: &Placed) -> Option<String> {
    let name = distribution(survey, &placed.package)?;
    let version = Version::parse(&placed.version).ok()?;
    let manifest = manifest_at(survey, running)?;
    let needed = manifest
        .dependencies
        .iter()
        .filter(|dependency| matches!(dependency.place, Place::Project | Place::PoetryMain));
    let refuses = |dependency: &&crate::workspace::manifest::Dependency| {
        dependency.name == name && !fits(&dependency.text, dependency.style, &version)
    };
    needed.into_iter().find(refuses).map(|dependency| dependency.text.clone())
}

fn fits(text: &str, style: Style, version: &Version) -> bool {
    match style {
        Style::Pep508 => {
            let specifier = Requirement::parse(text).ok().and_then(|requirement| requirement.specifier);
            specifier.is_none_or(|specifier| admits(&specifier, version).unwrap_or(true))
        }
        Style::Poetry => admits_poetry(text, version).unwrap_or(true),
    }
}

fn manifest_at(survey: &Survey, running: &Placed) -> Option<Manifest> {
    let package = survey.facts.packages.iter().find(|package| package.short == running.package)?;
    let path = &package.manifest.path;
    let bytes = survey.repository.objects().blob(&running.commit, path).ok()??;
    Manifest::read(std::str::from_utf8(&bytes).ok()?, path).ok()
}

fn distribution(survey: &Survey, short: &str) -> Option<PackageName> {
    survey.facts.packages.iter().find(|package| package.short == short).map(|package| package.name.clone())
}
