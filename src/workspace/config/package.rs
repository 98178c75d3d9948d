//! The keys of `[package.NAME]`.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;

use crate::workspace::config::settings::Size;
use crate::workspace::config::tables::NotesTable;
use crate::workspace::config::text;
use crate::workspace::config::versioning::VersioningTable;

/// What differs for one package. NAME is its full name, its short name or its folder.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct PackageTable {
    /// Its short name in tags, commands and reports.
    #[schemars(with = "Option<text::Name>")]
    pub name: Option<String>,
    /// The form of its tags, with {version} and perhaps {name}.
    #[schemars(with = "Option<text::TagFormat>")]
    pub tag: Option<String>,
    /// Older forms of its tags that are still read.
    #[schemars(with = "Vec<text::TagFormat>")]
    pub tag_aliases: Vec<String>,
    /// Scopes that name it in commits, as patterns: ["mlops-*"].
    #[schemars(with = "Vec<text::Glob>")]
    pub scopes: Vec<String>,
    /// "all": a root package that takes every commit.
    pub owns: Option<Owns>,
    /// The index that takes its files: a name of [index.NAME], or "local".
    pub index: Option<String>,
    /// Its container image.
    pub image: Option<ImageTable>,
    /// The group it moves with: a name of [group.NAME].
    pub group: Option<String>,
    /// Files in its folder that repeat the version and are kept in step.
    #[schemars(with = "Vec<text::InsidePath>")]
    pub version_files: Vec<String>,
    /// Short for `versioning.types`.
    pub types: Option<BTreeMap<String, Size>>,
    /// Its own rules for versions, over the workspace's.
    pub versioning: VersioningTable,
    /// Its own rules for notes, over the workspace's.
    pub notes: NotesTable,
}

/// Which commits a package takes beside its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Owns {
    /// Every commit of the repository.
    All,
}

/// A container image.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct ImageTable {
    /// The folder that the build sees, in the package's folder (default: all of it).
    #[schemars(with = "Option<text::InsidePath>")]
    pub context: Option<String>,
    /// The Dockerfile in the package's folder, inside the context (default: Dockerfile, at the context's root).
    #[schemars(with = "Option<text::InsidePath>")]
    pub dockerfile: Option<String>,
    /// Where the image is pushed, without a tag: "ghcr.io/acme/mlops".
    #[schemars(with = "Option<text::ImageRepository>")]
    pub repository: Option<String>,
    /// In place of `repository`: a name of [registry.NAME]; the short name is added to its repository.
    pub registry: Option<String>,
    /// The platforms it is built for (default: ["linux/amd64"]).
    #[schemars(with = "Option<Vec<text::Platform>>")]
    pub platforms: Option<Vec<String>>,
    /// Build arguments beside SOURCE_DATE_EPOCH, VERSION and WHEEL: { PORT = "8000" }.
    pub args: BTreeMap<String, String>,
    /// The tags it gets, with {version}, {major}, {minor} and {patch} (default: ["{version}", "latest"]). The one of the
    /// version always comes and never moves; others lead to the highest stable version of their line.
    #[schemars(with = "Option<Vec<text::ImageTag>>")]
    pub tags: Option<Vec<String>>,
}
