//! The tables of `release.toml`, as written.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{Error, Unexpected, Visitor};
use serde::{Deserialize, Deserializer};

use crate::workspace::config::environment::EnvironmentTable;
use crate::workspace::config::github::GitHubTable;
use crate::workspace::config::hook::HookTable;
use crate::workspace::config::ledger::LedgerTable;
use crate::workspace::config::package::PackageTable;
use crate::workspace::config::pull_request::PullRequestTable;
use crate::workspace::config::settings::GroupMode;
use crate::workspace::config::text;
use crate::workspace::config::versioning::VersioningTable;
use crate::workspace::config::workflows::WorkflowsTable;

/// The configuration of `release`: release.toml, .config/release.toml, or [tool.release] in pyproject.toml.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct Tables {
    /// The packages and what they have in common.
    pub workspace: WorkspaceTable,
    /// How commits become versions.
    pub versioning: VersioningTable,
    /// What is written about a release.
    pub notes: NotesTable,
    /// How packages are built.
    pub build: BuildTable,
    /// Package indexes by name; "local" is there without being named.
    pub index: BTreeMap<String, IndexTable>,
    /// Image registries by name.
    pub registry: BTreeMap<String, RegistryTable>,
    /// What differs for one package, by full name, short name or folder.
    pub package: BTreeMap<String, PackageTable>,
    /// Packages that move together, by the group's name.
    pub group: BTreeMap<String, GroupTable>,
    /// Where the ledger is kept.
    pub ledger: LedgerTable,
    /// What is done at GitHub, where the repository is; an empty table is enough.
    pub github: Option<GitHubTable>,
    /// Releases by merging a pull request.
    pub pull_request: Option<PullRequestTable>,
    /// Where releases run, by the environment's name.
    pub environment: BTreeMap<String, EnvironmentTable>,
    /// Who is told how deployments go.
    pub hook: Vec<HookTable>,
    /// The workflows that `release generate` writes.
    pub workflows: WorkflowsTable,
}

/// The packages and what they have in common.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct WorkspaceTable {
    /// Folders with a pyproject.toml, as patterns; "." is the root. Without it packages are looked for.
    #[schemars(with = "Option<Vec<text::Glob>>")]
    pub packages: Option<Vec<String>>,
    /// The form of tags (default: "{name}-v{version}", or "v{version}" for a single package at the root).
    #[schemars(with = "Option<text::TagFormat>")]
    pub tag: Option<String>,
    /// Older forms of tags that are still read.
    #[schemars(with = "Vec<text::TagFormat>")]
    pub aliases: Vec<String>,
    /// The start of names that short names leave out: with "acme-", acme-core is `core`.
    pub strip: Option<String>,
    /// The branch that releases are made from.
    pub branch: Option<String>,
    /// The git remote that claims and the ledger are pushed to (default: "origin"); "" keeps everything here.
    pub remote: Option<String>,
    /// Files that belong to several packages: { "libs/schema/**" = ["mlops", "interfaces"] }.
    pub shared: BTreeMap<String, Vec<String>>,
}

/// What is written about a release. Each key also stands per package: `[package.NAME.notes]`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct NotesTable {
    /// The changelog in each package's folder (default: "CHANGELOG.md"); false for none.
    pub changelog: Option<Changelog>,
    /// A template of one's own, a path in the repository.
    #[schemars(with = "Option<text::InsidePath>")]
    pub template: Option<String>,
    /// The same for the section of a changelog.
    #[schemars(with = "Option<text::InsidePath>")]
    pub changelog_template: Option<String>,
    /// The sections of the notes, in this order.
    pub sections: Option<Vec<SectionTable>>,
}

/// One section of the notes: the breaking changes, or the entries of some types.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct SectionTable {
    /// Its heading.
    pub title: String,
    /// Whether it holds the breaking changes.
    #[serde(default)]
    pub breaking: bool,
    /// The types of commit that it holds.
    #[serde(default)]
    pub types: Vec<String>,
}

/// How packages are built.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct BuildTable {
    /// The PEP 517 front end: uv (default) or build.
    pub frontend: Option<Frontend>,
    /// Whether packages with the same build requirements share an environment and a warm interpreter, where that gives
    /// the same files as `uv build` (default: true); false calls the front end for each package.
    pub shared: Option<bool>,
    /// How long the build of one package may take (default: "15m").
    pub timeout: Option<text::Span>,
    /// The folder that keeps built files until their release is done, shared by all clones that may finish it; an
    /// absolute path, or one from the root (default: inside .git).
    pub stash: Option<String>,
}

/// A PEP 517 front end.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Frontend {
    /// `uv build`.
    #[default]
    Uv,
    /// `python -m build`.
    Build,
}

impl Frontend {
    pub fn as_str(self) -> &'static str {
        match self {
            Frontend::Uv => "uv",
            Frontend::Build => "build",
        }
    }
}

/// A package index: a folder, or an address that takes uploads.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct IndexTable {
    /// A folder that pip and uv can install from (PEP 503 and PEP 691 files).
    pub directory: Option<String>,
    /// The address that takes uploads; `release init` writes PyPI's as a comment.
    #[schemars(with = "Option<text::Url>")]
    pub upload: Option<String>,
    /// The address that lists packages; known for PyPI and its test twin.
    #[schemars(with = "Option<text::Url>")]
    pub simple: Option<String>,
    /// How uploads are allowed: trusted (default), token or none.
    pub auth: Option<Auth>,
    /// Whether files are signed with the CI's identity (PEP 740); it goes with trusted uploads (default: false).
    pub attestations: Option<bool>,
    /// Whether plain http may go to another machine (default: false).
    pub insecure: Option<bool>,
    /// How long a file may take until it is listed (default: "30m").
    pub visible_within: Option<text::Span>,
}

/// How uploads are allowed; one never falls back to another.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Auth {
    /// By the CI's identity (trusted publishing).
    #[default]
    Trusted,
    /// By a token from the environment.
    Token,
    /// Without credentials.
    None,
}

/// An image registry.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct RegistryTable {
    /// Where images are pushed: "ghcr.io/acme".
    pub repository: Option<String>,
}

/// Packages that move together.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct GroupTable {
    /// linked: those that changed share one version; fixed: all are released with one version.
    pub mode: GroupMode,
}

/// The changelog's file, or none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Changelog {
    File(String),
    None,
}

impl Changelog {
    pub fn file(self) -> Option<String> {
        match self {
            Changelog::File(name) => Some(name),
            Changelog::None => None,
        }
    }
}

impl<'de> Deserialize<'de> for Changelog {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Changelog, D::Error> {
        deserializer.deserialize_any(ChangelogVisitor)
    }
}

struct ChangelogVisitor;

impl Visitor<'_> for ChangelogVisitor {
    type Value = Changelog;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a file name or false")
    }

    fn visit_bool<E: Error>(self, wanted: bool) -> Result<Changelog, E> {
        if wanted { Err(E::invalid_value(Unexpected::Bool(true), &self)) } else { Ok(Changelog::None) }
    }

    fn visit_str<E: Error>(self, name: &str) -> Result<Changelog, E> {
        Ok(Changelog::File(name.to_owned()))
    }
}

impl JsonSchema for Changelog {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Changelog".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let file = generator.subschema_for::<text::InsidePath>();
        json_schema!({ "anyOf": [file, { "const": false }] })
    }
}
