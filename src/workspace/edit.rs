//! Edits of manifests and version files: splices that change a value and nothing around it.

use std::ops::Range;

use toml_edit::Value;

use crate::workspace::manifest::{Dependency, Manifest, ManifestError, Style, leading_name};
use crate::workspace::manifest_toml::quote_length;
use crate::workspace::module::{VersionTextError, find_in_version_file};
use crate::workspace::source::{FileKind, read_version};

/// One stretch of bytes replaced by a text.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Change {
    /// Byte offset in the text before.
    pub at: usize,
    /// How many bytes go.
    pub delete: usize,
    /// What comes in their place.
    pub insert: String,
}

impl Change {
    pub fn replace(span: Range<usize>, insert: &str) -> Change {
        Change { at: span.start, delete: span.len(), insert: insert.to_owned() }
    }
}

/// Why an edit can not be made.
#[derive(Debug, thiserror::Error)]
pub enum EditError {
    #[error("`{path}` holds no version to edit")]
    NoVersion { path: String },
    #[error("`{path}`: `{name}` in {place} has no constraint to edit")]
    NoConstraint { path: String, name: String, place: String },
    #[error("changes overlap or leave the text at byte {at}")]
    Overlap { at: usize },
    #[error("the edit would break `{path}`")]
    Broken {
        path: String,
        #[source]
        cause: Option<ManifestError>,
    },
    #[error(transparent)]
    VersionText(#[from] VersionTextError),
}

/// The text with all changes made. Their order does not matter.
///
/// # Errors
/// Where changes overlap or stand outside the text.
pub fn apply(text: &[u8], changes: &[Change]) -> Result<Vec<u8>, EditError> {
    let mut ordered: Vec<&Change> = changes.iter().collect();
    ordered.sort();
    let mut edited = Vec::with_capacity(text.len());
    let mut done = 0;
    for change in ordered {
        let overlap = || EditError::Overlap { at: change.at };
        edited.extend_from_slice(text.get(done..change.at).ok_or_else(overlap)?);
        edited.extend_from_slice(change.insert.as_bytes());
        done = change.at.checked_add(change.delete).filter(|&end| end <= text.len()).ok_or_else(overlap)?;
    }
    edited.extend_from_slice(&text[done..]);
    Ok(edited)
}

/// The changes that give a manifest another version, in each table that holds one.
///
/// # Errors
/// Where it holds none, or the result would not read as the same manifest with the new version.
pub fn set_version(text: &str, manifest: &Manifest, new: &str) -> Result<Vec<Change>, EditError> {
    if manifest.declared.is_empty() {
        return Err(EditError::NoVersion { path: manifest.path.clone() });
    }
    let plain = is_plain(new) && manifest.declared.iter().all(|declared| !declared.escaped);
    let mut wanted = manifest.clone();
    let mut changes = Vec::new();
    for declared in wanted.declared.iter_mut().filter(|declared| declared.value != new) {
        changes.push(literal(text, &declared.span, declared.escaped, new));
        new.clone_into(&mut declared.value);
    }
    if plain { Ok(changes) } else { checked(text, wanted, changes) }
}

/// The changes that write another requirement (or Poetry constraint) in a dependency's place.
///
/// # Errors
/// Where the entry holds no constraint, or the result would not read as the same manifest with the new text.
pub fn set_requirement(
    text: &str,
    manifest: &Manifest,
    dependency: &Dependency,
    new: &str,
) -> Result<Vec<Change>, EditError> {
    let mut wanted = manifest.clone();
    let entry = wanted.dependencies.iter_mut().find(|one| *one == dependency && !one.span.is_empty());
    let Some(entry) = entry else {
        let (name, place) = (dependency.name.to_string(), dependency.place.to_string());
        return Err(EditError::NoConstraint { path: manifest.path.clone(), name, place });
    };
    if entry.text == new {
        return Ok(Vec::new());
    }
    new.clone_into(&mut entry.text);
    let changes = vec![literal(text, &dependency.span, dependency.escaped, new)];
    let stays = dependency.style == Style::Poetry || leading_name(new).as_ref() == Some(&dependency.name);
    if stays && !dependency.escaped && is_plain(new) { Ok(changes) } else { checked(text, wanted, changes) }
}

/// The changes that give a file of a dynamic version another one.
///
/// # Errors
/// Where the file holds no version of that kind.
pub fn set_file_version(
    path: &str,
    text: &str,
    kind: &FileKind,
    new: &str,
) -> Result<Vec<Change>, EditError> {
    let (old, span) = read_version(path, text, kind)?;
    Ok(if old == new { Vec::new() } else { vec![Change::replace(span, new)] })
}

/// The changes that replace the old version in a file that repeats it.
///
/// # Errors
/// Where the file does not hold the old version.
pub fn set_version_file(path: &str, text: &str, old: &str, new: &str) -> Result<Vec<Change>, EditError> {
    let found = find_in_version_file(path, text, old)?;
    let differing = found.into_iter().filter(|span| text[span.clone()] != *new);
    Ok(differing.map(|span| Change::replace(span, new)).collect())
}

/// Replaces a string: its inside where the quotes can stay, else the whole literal.
fn literal(text: &str, span: &Range<usize>, escaped: bool, new: &str) -> Change {
    if !escaped && (is_plain(new) || fits_quotes(text, span, new)) {
        return Change::replace(span.clone(), new);
    }
    let quotes = match span.start.checked_sub(3) {
        Some(start) => quote_length(text.get(start..).unwrap_or("")),
        None => 1,
    };
    let whole = span.start.saturating_sub(quotes)..span.end + quotes;
    Change::replace(whole, Value::from(new).to_string().trim())
}

/// Whether a text can stand between any quotes of TOML as it is. In place of a string without escapes it changes that
/// value and nothing else, which needs no second reading.
fn is_plain(new: &str) -> bool {
    !new.contains(['"', '\'', '\\']) && !new.contains(char::is_control)
}

/// Whether a text with quotes can stand between the quotes that are there.
fn fits_quotes(text: &str, span: &Range<usize>, new: &str) -> bool {
    let quote = text[..span.start].chars().next_back();
    let is_allowed = |c: char| !c.is_control() && Some(c) != quote && (quote == Some('\'') || c != '\\');
    new.chars().all(is_allowed)
}

/// Gives the changes back when the edited text reads as what is wanted.
fn checked(text: &str, wanted: Manifest, changes: Vec<Change>) -> Result<Vec<Change>, EditError> {
    let broken = |cause| EditError::Broken { path: wanted.path.clone(), cause };
    let edited = String::from_utf8(apply(text.as_bytes(), &changes)?).map_err(|_| broken(None))?;
    let found = Manifest::read(&edited, &wanted.path).map_err(|cause| broken(Some(cause)))?;
    if without_places(found) == without_places(wanted.clone()) { Ok(changes) } else { Err(broken(None)) }
}

/// The manifest with nothing in it that depends on where its values stand.
fn without_places(mut manifest: Manifest) -> Manifest {
    for declared in &mut manifest.declared {
        (declared.span, declared.escaped) = (0..0, false);
    }
    for dependency in &mut manifest.dependencies {
        (dependency.span, dependency.escaped) = (0..0, false);
    }
    manifest
}

#[cfg(test)]
mod tests;
