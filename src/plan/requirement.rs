//! Internal dependencies: whether they hold a version, and what they become.

use crate::version::number::Version;
use crate::workspace::manifest::{Dependency, Place, Style};
use crate::workspace::package::Package;
use crate::workspace::requirement::Requirement;
use crate::workspace::specifier::{self, Floor, Rewrite};

/// Whether a requirement of this list is written into the wheel, so that it binds who installs it.
pub fn is_in_wheel(place: &Place) -> bool {
    matches!(place, Place::Project | Place::Optional(_) | Place::PoetryMain)
}

/// The range a dependency asks for, in words.
pub fn range_of(dependency: &Dependency) -> String {
    match dependency.style {
        Style::Poetry => dependency.text.clone(),
        Style::Pep508 => Requirement::parse(&dependency.text)
            .ok()
            .and_then(|requirement| requirement.specifier)
            .unwrap_or_else(|| "(any)".to_owned()),
    }
}

/// Whether a dependency's range holds a version. A pre-release counts as its final version here:
/// nobody is released again just because a dependency has a release candidate.
pub fn holds(dependency: &Dependency, version: &Version) -> bool {
    let version = if version.is_prerelease() { version.base() } else { version.clone() };
    match dependency.style {
        Style::Poetry => specifier::admits_poetry(&dependency.text, &version).unwrap_or(true),
        Style::Pep508 => match Requirement::parse(&dependency.text) {
            Ok(Requirement { specifier: Some(specifier), url: None, .. }) => {
                specifier::admits(&specifier, &version).unwrap_or(true)
            }
            _ => true,
        },
    }
}

/// The floor rule for one step: `minor` moves floors only where the dependency's major or minor number moves, and
/// away from a pre-release that the requirement names once its final version is out.
fn floor_for(dependency: &Dependency, old: &Version, new: &Version, floor: Floor) -> Floor {
    let same_minor = (old.triple().0, old.triple().1) == (new.triple().0, new.triple().1);
    let opens_a_minor = old.is_prerelease() && old.triple().2 == 0;
    let names_old = old.is_prerelease() && dependency.text.contains(&old.to_string());
    let graduates = !new.is_prerelease() && (opens_a_minor || names_old);
    if floor == Floor::Minor && same_minor && !graduates { Floor::Never } else { floor }
}

/// Whether a wheel would ask for a folder, since Poetry's entry names one and nothing names a version.
pub fn is_only_a_folder(dependency: &Dependency, package: &Package) -> bool {
    let is_bound = |other: &&Dependency| {
        other.name == dependency.name && other.style == Style::Pep508 && is_in_wheel(&other.place)
    };
    dependency.style == Style::Poetry
        && dependency.path.is_some()
        && dependency.span.is_empty()
        && is_in_wheel(&dependency.place)
        && !package.manifest.is_virtual
        && !package.manifest.dependencies.iter().any(|other| is_bound(&other))
}

/// Whether a wheel of this package would ask for any version of an internal dependency.
/// A range that only tools of the workspace read (groups, build requirements) may stay open.
pub fn is_unbounded(dependency: &Dependency, package: &Package) -> bool {
    dependency.style == Style::Pep508
        && is_in_wheel(&dependency.place)
        && !package.manifest.is_virtual
        && Requirement::parse(&dependency.text)
            .is_ok_and(|requirement| requirement.specifier.is_none() && requirement.url.is_none())
}

/// The dependency's text after a release of what it names; none where nothing changes.
///
/// # Errors
/// In words, where the text can not be rewritten.
pub fn rewritten(
    dependency: &Dependency,
    package: &Package,
    old: &Version,
    new: &Version,
    floor: Floor,
) -> Result<Option<String>, String> {
    let floor = floor_for(dependency, old, new, floor);
    if dependency.style == Style::Poetry {
        return match specifier::rewrite_poetry(&dependency.text, old, new, floor) {
            Ok(Rewrite::Replace(text)) => Ok(Some(text)),
            Ok(Rewrite::Keep) => Ok(None),
            Err(error) => Err(error.to_string()),
        };
    }
    let requirement = Requirement::parse(&dependency.text).map_err(|error| error.to_string())?;
    if requirement.url.is_some() {
        return Ok(None);
    }
    let replacement = match &requirement.specifier {
        None if !is_unbounded(dependency, package) => return Ok(None),
        None => specifier::bound(new),
        Some(text) => match specifier::rewrite(text, old, new, floor).map_err(|error| error.to_string())? {
            Rewrite::Keep => return Ok(None),
            Rewrite::Replace(text) => text,
        },
    };
    let mut text = dependency.text.clone();
    text.replace_range(requirement.specifier_span, &replacement);
    Ok(Some(text))
}
