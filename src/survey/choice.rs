//! Which releases a deployment is about, by what was asked for and what the ledger knows.

use std::collections::BTreeMap;

use crate::ledger::state::{Released, State};
use crate::plan::deployment::{Artifact, ArtifactKind, Item, Placed};
use crate::plan::digest::Digest;
use crate::survey::environments::EnvironmentSettings;
use crate::version::number::Version;

/// Every release that the ledger knows, by package and version.
pub type Known = BTreeMap<String, BTreeMap<String, Released>>;

/// What can not be chosen.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ChoiceError {
    #[error("{package} is not deployed to {environment}")]
    NotHere { package: String, environment: String },
    #[error("the ledger knows no release {version} of {package}")]
    NoRelease { package: String, version: String },
    #[error("the ledger knows no release of {package}")]
    NeverReleased { package: String },
    #[error("release {version} of {package} has no image")]
    NoImage { package: String, version: String },
    #[error("{package} runs nowhere in {environment}")]
    NotRunning { package: String, environment: String },
    #[error("nothing that was verified in {environment} is left to take {package} back to")]
    NoWayBack { package: String, environment: String },
}

/// What releases are looked up in.
pub struct Sources<'s> {
    pub state: &'s State,
    pub known: &'s Known,
    /// The commit of a tag.
    pub commits: &'s dyn Fn(&str) -> Option<String>,
    /// The distribution's name by the package's short name.
    pub distributions: &'s BTreeMap<String, String>,
}

/// A package, and the version that was asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wanted {
    pub package: String,
    pub version: Option<String>,
}

/// The releases to deploy: those asked for, else the last one of every package that the environment does not run yet.
///
/// # Errors
/// Where the ledger knows no such release.
pub fn to_deploy(
    environment: &EnvironmentSettings,
    sources: &Sources<'_>,
    wanted: &[Wanted],
) -> Result<Vec<Placed>, ChoiceError> {
    let (state, known) = (sources.state, sources.known);
    let find = Finder { environment, sources };
    if wanted.is_empty() {
        let released = environment
            .packages
            .iter()
            .filter_map(|(package, _)| Some((package, state.released.get(package)?)));
        return released.map(|(package, released)| find.placed(package, released)).collect();
    }
    let one = |wanted: &Wanted| {
        let package = wanted.package.as_str();
        let released = match &wanted.version {
            Some(version) => known.get(package).and_then(|all| all.get(version)).ok_or_else(|| {
                ChoiceError::NoRelease { package: package.to_owned(), version: version.clone() }
            })?,
            None => state
                .released
                .get(package)
                .ok_or_else(|| ChoiceError::NeverReleased { package: package.to_owned() })?,
        };
        find.placed(package, released)
    };
    wanted.iter().map(one).collect()
}

/// What one environment runs and the next does not.
///
/// # Errors
/// Where a package that was asked for runs nowhere there.
pub fn to_promote(
    from: &str,
    environment: &EnvironmentSettings,
    sources: &Sources<'_>,
    only: Option<&[String]>,
) -> Result<Vec<Placed>, ChoiceError> {
    let (state, known) = (sources.state, sources.known);
    let find = Finder { environment, sources };
    let mut found = Vec::new();
    for (package, kind) in &environment.packages {
        if only.is_some_and(|only| !only.contains(package)) {
            continue;
        }
        let running = state.environments.get(from).and_then(|known| known.slot(package)?.current.as_ref());
        match running {
            Some(running) if running.release.artifact.kind() == *kind => found.push(running.release.clone()),
            Some(running) => {
                let version = &running.release.version;
                let released = known.get(package).and_then(|all| all.get(version));
                let missing =
                    || ChoiceError::NoRelease { package: package.clone(), version: version.clone() };
                found.push(find.placed(package, released.ok_or_else(missing)?)?);
            }
            None if only.is_some() => {
                return Err(ChoiceError::NotRunning {
                    package: package.clone(),
                    environment: from.to_owned(),
                });
            }
            None => {}
        }
    }
    Ok(found)
}

/// What an environment goes back to: the version that was asked for, else the last verified one that is another than
/// what runs. Without packages, those that its last deployment moved. Dependents come before what they depend on.
///
/// # Errors
/// Where there is nothing to go back to.
pub fn to_roll_back(
    environment: &EnvironmentSettings,
    state: &State,
    wanted: &[Wanted],
) -> Result<Vec<Placed>, ChoiceError> {
    let name = &environment.name;
    let here = state.environments.get(name);
    let moved = || -> Vec<Wanted> {
        let under_way = state.rollout_in(name).map(|(_, rollout)| {
            rollout.deployment.items.iter().map(|item| item.release.package.clone()).collect::<Vec<String>>()
        });
        let last = || Some(here?.last.as_ref()?.packages.clone());
        let packages = under_way.or_else(last).unwrap_or_default();
        packages.into_iter().map(|package| Wanted { package, version: None }).collect()
    };
    let asked = !wanted.is_empty();
    let wanted = if asked { wanted.to_vec() } else { moved() };
    let mut found = Vec::new();
    for one in wanted {
        let lost = || ChoiceError::NoWayBack { package: one.package.clone(), environment: name.clone() };
        match target_of(state, name, &one) {
            Some(placed) => found.push(placed.clone()),
            // The first deployment of a package has nothing before it; the others go back all the same.
            None if !asked => {}
            None => return Err(lost()),
        }
    }
    found.sort_by_key(|placed| std::cmp::Reverse(environment.rank_of(&placed.package)));
    Ok(found)
}

/// One step back from what runs, or from what a deployment under way brings: its events may not be told yet.
fn target_of<'s>(state: &'s State, environment: &str, wanted: &Wanted) -> Option<&'s Placed> {
    let slot = state.environments.get(environment)?.slot(&wanted.package)?;
    match &wanted.version {
        Some(version) => slot.verified.iter().rev().find(|placed| placed.version == *version),
        None => state.way_back(environment, state.standing(environment, &wanted.package)?),
    }
}

/// Whether the ledger says that a release runs in an environment, verified.
pub fn stands(environment: &EnvironmentSettings, state: &State, release: &Placed) -> bool {
    let slot = state.environments.get(&environment.name).and_then(|known| known.slot(&release.package));
    let current = slot.and_then(|slot| slot.current.as_ref());
    current.is_some_and(|current| current.release.digest() == release.digest() && current.verified.is_some())
}

/// The items of a deployment of these releases.
pub fn items(environment: &EnvironmentSettings, state: &State, releases: Vec<Placed>) -> Vec<Item> {
    let here = state.environments.get(&environment.name);
    let item = |release: Placed| {
        let slot = here.and_then(|known| known.slot(&release.package));
        let back_to = state.way_back(&environment.name, &release).cloned();
        let before = slot.and_then(|slot| slot.current.as_ref()).map(|current| current.release.clone());
        Item { release, before, back_to }
    };
    releases.into_iter().map(item).collect()
}

/// Why a failure could not go back to a release, by the configuration's floor alone.
pub fn below_floor(environment: &EnvironmentSettings, back_to: &Placed) -> Option<String> {
    let floor = environment.table.rollback_floor.get(&back_to.package)?;
    let (wanted, least) = (Version::parse(&back_to.version).ok()?, Version::parse(floor).ok()?);
    (wanted < least)
        .then(|| format!("{} {} is below the rollback floor {floor}", back_to.package, back_to.version))
}

struct Finder<'f> {
    environment: &'f EnvironmentSettings,
    sources: &'f Sources<'f>,
}

impl Finder<'_> {
    fn placed(&self, package: &str, released: &Released) -> Result<Placed, ChoiceError> {
        let kind = self.environment.kind_of(package).ok_or_else(|| ChoiceError::NotHere {
            package: package.to_owned(),
            environment: self.environment.name.clone(),
        })?;
        let artifact = match kind {
            ArtifactKind::Files => Artifact::Files {
                distribution: self
                    .sources
                    .distributions
                    .get(package)
                    .cloned()
                    .unwrap_or_else(|| package.to_owned()),
                index: released.index.clone(),
                files: released.files.clone(),
            },
            ArtifactKind::Image => image_of(package, released)?,
        };
        let commit =
            released.commit.clone().or_else(|| (self.sources.commits)(&released.tag)).unwrap_or_default();
        Ok(Placed {
            package: package.to_owned(),
            version: released.version.clone(),
            tag: released.tag.clone(),
            commit,
            artifact,
        })
    }
}

fn image_of(package: &str, released: &Released) -> Result<Artifact, ChoiceError> {
    let missing = || ChoiceError::NoImage { package: package.to_owned(), version: released.version.clone() };
    let image = released.image.as_ref().ok_or_else(missing)?;
    let digest = Digest::parse(&image.digest).ok_or_else(missing)?;
    Ok(Artifact::Image { repository: image.repository.clone(), digest })
}
