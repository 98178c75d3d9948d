//! Where a package's version stands: in its manifest, in another file, or only in tags.

use std::ops::Range;

use regex::RegexBuilder;
use toml_edit::{Item, TableLike};

use crate::workspace::manifest::{Manifest, VersionPlace};
use crate::workspace::manifest_toml::{TomlProblem, TomlReader};
use crate::workspace::module::{VersionTextError, python_version};
use crate::workspace::source_backend::Search;

/// Where the version is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum VersionSource {
    /// In the manifest itself: `[project]`, `[tool.poetry]`, or both.
    Static { in_project: bool, in_poetry: bool },
    /// In another file; the path is relative to the package's folder.
    File { path: String, kind: FileKind },
    /// Nowhere: the build backend derives it from tags, so that the tag is the release.
    Vcs { backend: String },
    /// Somewhere it can not be edited, and why: such a package is planned and not shipped.
    Unknown { reason: String },
}

/// How a file holds the version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FileKind {
    /// A Python module assigns it to one of these names.
    PythonAttribute { names: Vec<String> },
    /// The file is the version.
    PlainText,
    /// A regular expression with a group called `version` (Hatch) or `value` (scikit-build) finds it.
    Pattern { pattern: String },
    /// A Cargo manifest: `[package] version`.
    CargoToml,
}

/// Why the place of a version can not be told.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SourceError {
    #[error("{0}")]
    Toml(#[from] TomlProblem),
    #[error("`{manifest}` has no version: write one in `[project]`")]
    NoVersion { manifest: String },
    #[error("`{manifest}` takes the version from {whence}, which can not be edited: {reason}")]
    NotEditable { manifest: String, whence: String, reason: String },
    #[error("`{manifest}` takes the version from {whence}, but there is none of {files}")]
    NoFile { manifest: String, whence: String, files: String },
    #[error("`{manifest}` takes the version from {whence}, which may be any of {files}")]
    SeveralFiles { manifest: String, whence: String, files: String },
}

/// Finds where the version stands; `exists` tells whether a path of the package's folder is a file.
///
/// # Errors
/// Where it stands nowhere, or where it can not be edited.
pub fn locate(
    text: &str,
    manifest: &Manifest,
    exists: &dyn Fn(&str) -> bool,
) -> Result<VersionSource, SourceError> {
    let toml = TomlReader { path: &manifest.path, text };
    let document = toml.parse()?;
    let search = Search { toml, root: document.as_table(), manifest, exists };
    match told_by_manifest(&search)? {
        Some(source) => Ok(source),
        None => search.file(),
    }
}

/// The same for a manifest that was just parsed; `None` where other files have to be looked for.
///
/// # Errors
/// As `locate`.
pub fn locate_in_manifest(
    toml: TomlReader<'_>,
    root: &dyn TableLike,
    manifest: &Manifest,
) -> Result<Option<VersionSource>, SourceError> {
    told_by_manifest(&Search { toml, root, manifest, exists: &|_| false })
}

fn told_by_manifest(search: &Search<'_>) -> Result<Option<VersionSource>, SourceError> {
    let manifest = search.manifest;
    if let Some(backend) = search.vcs_backend()? {
        return Ok(Some(VersionSource::Vcs { backend }));
    }
    if !manifest.declared.is_empty() {
        let holds = |place| manifest.declared.iter().any(|declared| declared.place == place);
        let (in_project, in_poetry) = (holds(VersionPlace::Project), holds(VersionPlace::Poetry));
        return Ok(Some(VersionSource::Static { in_project, in_poetry }));
    }
    if !manifest.dynamic_version && search.tool(&["flit", "metadata"])?.is_none() {
        return Err(SourceError::NoVersion { manifest: manifest.path.clone() });
    }
    Ok(None)
}

/// The version in a file's text and its place.
///
/// # Errors
/// Where the text holds none of that kind, or more than one.
pub fn read_version(
    path: &str,
    text: &str,
    kind: &FileKind,
) -> Result<(String, Range<usize>), VersionTextError> {
    match kind {
        FileKind::PythonAttribute { names } => python_version(path, text, names),
        FileKind::PlainText => plain_version(path, text),
        FileKind::Pattern { pattern } => pattern_version(path, text, pattern),
        FileKind::CargoToml => cargo_version(path, text),
    }
}

fn plain_version(path: &str, text: &str) -> Result<(String, Range<usize>), VersionTextError> {
    let bare = text.trim_start_matches('\u{feff}').trim();
    if bare.is_empty() || bare.contains(char::is_whitespace) {
        let reason = "it must hold the version and nothing else".to_owned();
        return Err(VersionTextError::NoVersion { path: path.to_owned(), reason });
    }
    let start = text.find(bare).unwrap_or(0);
    Ok((bare.to_owned(), start..start + bare.len()))
}

/// The first match, as Hatch and scikit-build read it: `^` and `$` are line ends.
fn pattern_version(
    path: &str,
    text: &str,
    pattern: &str,
) -> Result<(String, Range<usize>), VersionTextError> {
    let no_version = |reason: String| VersionTextError::NoVersion { path: path.to_owned(), reason };
    let built = RegexBuilder::new(pattern).multi_line(true).size_limit(1 << 20).build();
    let regex = built.map_err(|_| no_version(format!("the pattern `{pattern}` is not understood")))?;
    let found =
        regex.captures(text).and_then(|captures| captures.name("version").or_else(|| captures.name("value")));
    let found = found.ok_or_else(|| no_version(format!("the pattern `{pattern}` finds none")))?;
    Ok((found.as_str().to_owned(), found.range()))
}

fn cargo_version(path: &str, text: &str) -> Result<(String, Range<usize>), VersionTextError> {
    let no_version = |reason: String| VersionTextError::NoVersion { path: path.to_owned(), reason };
    let toml = TomlReader { path, text };
    let document = toml.parse().map_err(|problem| no_version(problem.to_string()))?;
    let package = document.get("package").and_then(Item::as_table_like);
    let version = package.and_then(|package| package.get("version")).and_then(Item::as_value);
    let Some(found) = version.and_then(|version| toml.text_of(version)).filter(|found| !found.escaped) else {
        return Err(no_version("`[package]` has no `version` of its own".to_owned()));
    };
    Ok((found.value, found.span))
}

#[cfg(test)]
mod tests;
