//! What must be installed to try a package: the repository's own packages pinned by hash, the others by requirement.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use pep508_rs::{ExtraName, MarkerEnvironment, MarkerTree};

use crate::apply::index::{self, IndexError, Listed};
use crate::check::requires;
use crate::check::wheel::{self, Wheel};
use crate::plan::digest::Digest;
use crate::render::index_page::Yanked;
use crate::version::number::Version;
use crate::workspace::file_name::FileName;
use crate::workspace::name::PackageName;
use crate::workspace::requirement::Evaluable;

/// All that a package needs in an environment.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct InstallSet {
    /// The package and those of its dependencies that stand in the index, by name.
    pub pins: Vec<Pin>,
    /// Requirements on packages from elsewhere, sorted, their markers already decided.
    pub external: Vec<String>,
}

/// One package at one version, with the digests of its wheels.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pin {
    pub name: PackageName,
    pub version: Version,
    pub wheels: Vec<(String, Digest)>,
}

/// Why the set can not be told.
#[derive(Debug, thiserror::Error)]
pub enum SetError {
    #[error("`{name}` {version} has no wheel in the index `{}`", index.display())]
    NotListed { name: PackageName, version: Version, index: PathBuf },
    #[error("`{needed_by}` requires `{name}` of this repository, which is not in the index `{}`", index.display())]
    Absent { name: PackageName, needed_by: PackageName, index: PathBuf },
    #[error("`{needed_by}` requires `{requirement}`, and the index has only {}", there.join(", "))]
    Unsatisfied { requirement: String, needed_by: PackageName, there: Vec<String> },
    #[error("`{file}`: {reason}")]
    Unreadable { file: String, reason: String },
    #[error(transparent)]
    Index(#[from] IndexError),
}

/// The wheel of a package's version, as the index has it.
///
/// # Errors
/// `NotListed` where it has none.
pub fn published_wheel(index: &Path, name: &PackageName, version: &Version) -> Result<Wheel, SetError> {
    let pin = pin(index, name, version)?;
    read_wheel(index, &pin)
}

/// Follows the requirements of a package through the repository's own packages. `internal` holds these with the
/// versions they have once all is published; `environment` decides the markers.
///
/// # Errors
/// `Absent` where a package of the repository is not in the index at all: what would be installed is not known then.
pub fn install_set(
    index: &Path,
    name: &PackageName,
    version: &Version,
    internal: &BTreeMap<PackageName, Version>,
    environment: &MarkerEnvironment,
) -> Result<InstallSet, SetError> {
    let mut found = Found { index, internal, environment, pins: BTreeMap::new(), external: BTreeSet::new() };
    let mut open = vec![(pin(index, name, version)?, BTreeSet::new())];
    while let Some((pin, extras)) = open.pop() {
        open.extend(found.follow(pin, extras)?);
    }
    let pins = found.pins.into_values().map(|(pin, _)| pin).collect();
    Ok(InstallSet { pins, external: found.external.into_iter().collect() })
}

type Extras = BTreeSet<ExtraName>;

struct Found<'a> {
    index: &'a Path,
    internal: &'a BTreeMap<PackageName, Version>,
    environment: &'a MarkerEnvironment,
    pins: BTreeMap<PackageName, (Pin, Extras)>,
    external: BTreeSet<String>,
}

impl Found<'_> {
    /// Takes a pin in, and returns the pins that it needs, unless it was followed before with these extras.
    fn follow(&mut self, pin: Pin, mut extras: Extras) -> Result<Vec<(Pin, Extras)>, SetError> {
        if let Some((_, known)) = self.pins.get(&pin.name) {
            if extras.is_subset(known) {
                return Ok(Vec::new());
            }
            extras.extend(known.iter().cloned());
        }
        let wheel = read_wheel(self.index, &pin)?;
        let chosen: Vec<ExtraName> = extras.iter().cloned().collect();
        let mut needed = Vec::new();
        for text in wheel.metadata.requires_dist() {
            let mut requirement = requires::parse(text).map_err(|error| SetError::Unreadable {
                file: format!("{} {}", pin.name, pin.version),
                reason: format!("`Requires-Dist: {text}`: {error}"),
            })?;
            if !requirement.evaluate_markers(self.environment, &chosen) {
                continue;
            }
            requirement.marker = MarkerTree::TRUE;
            let name = PackageName::new(requirement.name.as_ref());
            if name == pin.name {
                needed.push((pin.clone(), requirement.extras.into_iter().collect()));
            } else if let Some(version) = self.internal.get(&name) {
                let extras = requirement.extras.iter().cloned().collect();
                needed.push((choose(self.index, &name, version, &requirement, &pin.name)?, extras));
            } else {
                self.external.insert(requirement.to_string());
            }
        }
        self.pins.insert(pin.name.clone(), (pin, extras));
        Ok(needed)
    }
}

/// The version of the published set where it is there and fits, else the highest that fits, as installers choose.
fn choose(
    index: &Path,
    name: &PackageName,
    planned: &Version,
    requirement: &Evaluable,
    needed_by: &PackageName,
) -> Result<Pin, SetError> {
    let wheels = wheels(index, name)?;
    if wheels.is_empty() {
        let (name, needed_by) = (name.clone(), needed_by.clone());
        return Err(SetError::Absent { name, needed_by, index: index.to_owned() });
    }
    let specifiers = requires::specifiers(requirement);
    let fitting = || wheels.keys().rev().filter(|version| specifiers.contains(version.as_pep440()));
    let version = fitting()
        .find(|version| *version == planned)
        .or_else(|| fitting().find(|version| !version.is_prerelease()))
        .or_else(|| fitting().next());
    match version {
        Some(version) => {
            Ok(Pin { name: name.clone(), version: version.clone(), wheels: wheels[version].clone() })
        }
        None => Err(SetError::Unsatisfied {
            requirement: requirement.to_string(),
            needed_by: needed_by.clone(),
            there: wheels.keys().map(Version::to_string).collect(),
        }),
    }
}

fn pin(index: &Path, name: &PackageName, version: &Version) -> Result<Pin, SetError> {
    let (name, version) = (name.clone(), version.clone());
    match wheels(index, &name)?.remove(&version) {
        Some(wheels) => Ok(Pin { name, version, wheels }),
        None => Err(SetError::NotListed { name, version, index: index.to_owned() }),
    }
}

type Wheels = BTreeMap<Version, Vec<(String, Digest)>>;

/// The wheels that the index lists and that are not yanked, by version.
fn wheels(index: &Path, name: &PackageName) -> Result<Wheels, SetError> {
    let mut wheels = Wheels::new();
    for Listed { filename, sha256, yanked, .. } in index::listing(index, name)? {
        if let (Ok(FileName::Wheel(wheel)), Yanked::No) = (FileName::parse(&filename), yanked) {
            wheels.entry(wheel.version).or_default().push((filename, sha256));
        }
    }
    Ok(wheels)
}

fn read_wheel(index: &Path, pin: &Pin) -> Result<Wheel, SetError> {
    let Some((file, _)) = pin.wheels.first() else {
        let (name, version) = (pin.name.clone(), pin.version.clone());
        return Err(SetError::NotListed { name, version, index: index.to_owned() });
    };
    let bytes = index::fetch(index, &pin.name, file)?;
    wheel::read(&bytes)
        .map_err(|error| SetError::Unreadable { file: file.clone(), reason: error.to_string() })
}

#[cfg(test)]
#[path = "install_set_tests.rs"]
mod tests;
