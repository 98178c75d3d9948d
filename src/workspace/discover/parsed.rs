//! A `pyproject.toml` parsed once for all that is asked of it.

use crate::workspace::config::spanned::{SyntaxError, parse};
use crate::workspace::discover::manifest::ManifestFacts;
use crate::workspace::manifest::{Manifest, ManifestError};
use crate::workspace::manifest_toml::TomlReader;
use crate::workspace::source::{SourceError, VersionSource, locate_in_manifest};

/// A manifest and the place of its version, as far as the manifest alone tells it: `None` where other files have to
/// be looked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ParsedManifest {
    pub manifest: Manifest,
    pub source: Result<Option<VersionSource>, SourceError>,
}

/// What a `pyproject.toml` says about being a package, and the package it describes.
#[derive(Debug, Clone)]
pub struct Parsed {
    pub facts: ManifestFacts,
    /// Until it is taken.
    pub package: Option<Result<ParsedManifest, ManifestError>>,
}

impl Parsed {
    /// # Errors
    /// Where the text is no TOML.
    pub fn read(text: &str, path: &str) -> Result<Parsed, SyntaxError> {
        let toml = TomlReader { path, text };
        let document = parse(text)?;
        let facts = ManifestFacts::of(document.as_table());
        let package = Manifest::of(toml, document.as_table()).map(|manifest| {
            let source = locate_in_manifest(toml, document.as_table(), &manifest);
            ParsedManifest { manifest, source }
        });
        Ok(Parsed { facts, package: Some(package) })
    }
}
