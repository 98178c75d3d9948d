//! The environments of the configuration, with the packages that each runs.

use std::collections::BTreeMap;

use crate::plan::Deploy;
use crate::plan::deployment::ArtifactKind;
use crate::survey::error::SurveyError;
use crate::workspace::config::Config;
use crate::workspace::config::environment::{EnvironmentTable, Target};
use crate::workspace::config::nearest::nearest;
use crate::workspace::config::settings::PackageSettings;
use crate::workspace::graph::Graph;
use crate::workspace::name::normalize;
use crate::workspace::package::Package;

/// One environment, complete.
#[derive(Debug, Clone, PartialEq)]
pub struct EnvironmentSettings {
    pub name: String,
    pub target: Target,
    /// As written.
    pub table: EnvironmentTable,
    /// What it runs, dependencies first, and which bytes of each.
    pub packages: Vec<(String, ArtifactKind)>,
    /// The environment at GitHub that shows its deployments.
    pub mirror: Option<String>,
}

impl EnvironmentSettings {
    /// Which bytes of a package it runs; none of a package that is not deployed here.
    pub fn kind_of(&self, package: &str) -> Option<ArtifactKind> {
        self.packages.iter().find(|(name, _)| name == package).map(|(_, kind)| *kind)
    }

    /// Its place in the order of dependencies.
    pub fn rank_of(&self, package: &str) -> usize {
        self.packages.iter().position(|(name, _)| name == package).unwrap_or(usize::MAX)
    }
}

/// Every environment by name.
///
/// # Errors
/// Where one names a package that there is not.
pub fn environments(
    config: &Config,
    packages: &[Package],
    settings: &[PackageSettings],
    graph: &Graph,
) -> Result<BTreeMap<String, EnvironmentSettings>, SurveyError> {
    let tables = &config.tables.environment;
    let shows = config.github().is_some_and(|github| github.deployments);
    let complete = |(name, table): (&String, &EnvironmentTable)| {
        let target = table.target.unwrap_or(Target::Python);
        refuse_unknown(name, table, packages)?;
        let mut runs = Vec::new();
        for index in graph.order() {
            let kind = kind(target, settings[index].image.is_some());
            let named =
                table.packages.as_ref().map(|words| words.iter().any(|word| is(&packages[index], word)));
            if let (true, Some(kind)) = (named.unwrap_or(true), kind) {
                runs.push((packages[index].short.clone(), kind));
            }
        }
        let mirror = table.github.clone().or_else(|| shows.then(|| name.clone()));
        let settings =
            EnvironmentSettings { name: name.clone(), target, table: table.clone(), packages: runs, mirror };
        Ok((name.clone(), settings))
    };
    tables.iter().map(complete).collect()
}

/// The environment that a ship ends in, and what it runs of each package: the one that says so, else the only one that
/// comes after no other.
pub fn first(environments: &BTreeMap<String, EnvironmentSettings>) -> Option<Deploy> {
    let says = |settings: &&EnvironmentSettings| settings.table.with_ship;
    let chosen = environments.values().find(|settings| says(settings) == Some(true)).or_else(|| {
        let mut roots = environments.values().filter(|settings| settings.table.after.is_none());
        let only = roots.next()?;
        (roots.next().is_none() && only.table.with_ship.is_none()).then_some(only)
    })?;
    Some(Deploy { environment: chosen.name.clone(), packages: chosen.packages.iter().cloned().collect() })
}

fn kind(target: Target, has_image: bool) -> Option<ArtifactKind> {
    match target {
        Target::Container | Target::Swarm => has_image.then_some(ArtifactKind::Image),
        Target::Python => Some(ArtifactKind::Files),
        Target::Command => Some(if has_image { ArtifactKind::Image } else { ArtifactKind::Files }),
    }
}

fn refuse_unknown(
    environment: &str,
    table: &EnvironmentTable,
    packages: &[Package],
) -> Result<(), SurveyError> {
    let of_checks = table.validate.iter().flat_map(|check| check.packages.iter().flatten());
    let words =
        table.packages.iter().flatten().chain(table.service.keys()).chain(table.rollback_floor.keys());
    for word in words.chain(of_checks) {
        if !packages.iter().any(|package| is(package, word)) {
            let known = packages.iter().map(|package| package.short.as_str());
            return Err(SurveyError::UnknownPackage {
                environment: environment.to_owned(),
                word: word.clone(),
                nearest: nearest(word, known).map(str::to_owned),
            });
        }
    }
    Ok(())
}

/// Whether a word names a package: its short name or its distribution's.
fn is(package: &Package, word: &str) -> bool {
    let wanted = normalize(word);
    normalize(&package.short) == wanted || package.name.as_str() == wanted
}
