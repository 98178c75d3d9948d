//! What holds for one package once the configuration's layers and defaults are merged.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;

use crate::version::bump::Bump;
use crate::workspace::config::Config;
use crate::workspace::config::package::{ImageTable, PackageTable};
use crate::workspace::config::tables::{NotesTable, SectionTable};
use crate::workspace::config::versioning::VersioningTable;
use crate::workspace::name::{PackageName, normalize};
use crate::workspace::path::RepoPath;

/// The index of packages that name none: a folder in the repository.
pub const LOCAL_INDEX: &str = "local";

/// The settings of one package.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PackageSettings {
    /// The format of its tags, with `{version}` and perhaps `{name}` (the short name) in it.
    pub tag: String,
    /// Older formats, still read: the package's own, then the workspace's.
    pub tag_aliases: Vec<String>,
    pub versioning: Versioning,
    pub notes: Notes,
    /// The name of the index that takes its files.
    pub index: String,
    pub group: Option<String>,
    /// Files in its folder that repeat the version.
    pub version_files: Vec<String>,
    /// Patterns of commit scopes that name it.
    pub scopes: Vec<String>,
    /// Whether every commit counts for it.
    pub owns_all: bool,
    /// Its name in tags, commands and reports.
    pub short: String,
    pub image: Option<Image>,
}

/// How commits become a version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Versioning {
    /// The size of each type of commit, types in lower case.
    pub types: BTreeMap<String, Size>,
    /// The size of every other commit of the package.
    pub other: Size,
    pub zero: ZeroRule,
    pub entries: EntriesRule,
    pub empty_commits: EmptyCommits,
    pub release_as: ReleaseAs,
    pub dependents: Dependents,
    pub floor: FloorRule,
    /// Patterns of paths, relative to the package's folder.
    pub ignore: Vec<String>,
    pub allow_major: bool,
}

impl Default for Versioning {
    fn default() -> Versioning {
        let sizes =
            [("feat", Size::Minor), ("fix", Size::Patch), ("perf", Size::Patch), ("revert", Size::Patch)];
        Versioning {
            types: sizes.into_iter().map(|(kind, size)| (kind.to_owned(), size)).collect(),
            other: Size::None,
            zero: ZeroRule { major: Some(Size::Minor), minor: None },
            entries: EntriesRule::Auto,
            empty_commits: EmptyCommits::Named,
            release_as: ReleaseAs::Footers(true),
            dependents: Dependents::OutOfRange,
            floor: FloorRule::Minor,
            ignore: Vec::new(),
            allow_major: false,
        }
    }
}

/// What is written about a release, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notes {
    /// The changelog in the package's folder.
    pub changelog: Option<String>,
    /// The user's own template, a path in the repository.
    pub template: Option<String>,
    /// The user's own template of a changelog's section, a path in the repository.
    pub changelog_template: Option<String>,
    pub sections: Vec<Section>,
}

impl Default for Notes {
    fn default() -> Notes {
        let section = |title: &str, types: &[&str]| Section {
            title: title.to_owned(),
            breaking: types.is_empty(),
            types: types.iter().map(|kind| (*kind).to_owned()).collect(),
        };
        Notes {
            changelog: Some("CHANGELOG.md".to_owned()),
            template: None,
            changelog_template: None,
            sections: vec![
                section("Breaking changes", &[]),
                section("Features", &["feat"]),
                section("Bug fixes", &["fix"]),
                section("Performance", &["perf"]),
                section("Reverts", &["revert"]),
                section("Dependencies", &["deps"]),
            ],
        }
    }
}

/// One section of the notes: the breaking changes, or the entries of some types.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Section {
    pub title: String,
    pub breaking: bool,
    pub types: Vec<String>,
}

/// A container image, complete.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Image {
    /// The folder that the build sees, in the package's folder; empty for all of it.
    pub context: String,
    /// Path in the context.
    pub dockerfile: String,
    /// `ghcr.io/acme/mlops`, without a tag.
    pub repository: String,
    pub platforms: Vec<String>,
    /// Build arguments of the user's.
    pub args: BTreeMap<String, String>,
    /// Forms of its tags: `{version}`, `{major}.{minor}`, `latest`.
    pub tags: Vec<String>,
}

/// The size of a change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Size {
    /// Releases nothing.
    None,
    /// A fix: 1.2.3 to 1.2.4.
    Patch,
    /// A feature: 1.2.3 to 1.3.0.
    Minor,
    /// A break: 1.2.3 to 2.0.0.
    Major,
}

impl Size {
    /// The step of this size; `None` where it releases nothing.
    pub fn bump(self) -> Option<Bump> {
        match self {
            Size::None => None,
            Size::Patch => Some(Bump::Patch),
            Size::Minor => Some(Bump::Minor),
            Size::Major => Some(Bump::Major),
        }
    }
}

/// What a size becomes on 0.y.z; `None` leaves it as it is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ZeroRule {
    pub major: Option<Size>,
    pub minor: Option<Size>,
}

/// How many entries a commit's message holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum EntriesRule {
    /// One where the first line is conventional, else what its body lists.
    Auto,
    /// Only the first line.
    Subject,
    /// Each paragraph, nested block and commit-shaped footer, as release-please reads.
    Paragraphs,
    /// Each bullet, as a squashed pull request lists its commits.
    Bullets,
    /// Each line.
    Lines,
}

/// What commits without files count for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum EmptyCommits {
    /// The packages that scope or footer name, else the root package; with `Release-As` and no name: all.
    Named,
    /// All packages.
    All,
    /// No package.
    None,
}

/// Who is released with a dependency.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Dependents {
    /// Nobody.
    Never,
    /// Those whose range the new version leaves.
    OutOfRange,
    /// All that depend on it.
    Always,
}

/// When `>=` floors of internal dependencies rise.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum FloorRule {
    /// Never.
    Never,
    /// With a new major or minor version.
    Minor,
    /// With every release.
    Always,
}

/// How the packages of a group move together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum GroupMode {
    /// Those that changed are released, with one common version.
    Linked,
    /// All are released whenever one is, with one common version.
    Fixed,
}

/// Whether `Release-As:` footers are followed, or which version the configuration sets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ReleaseAs {
    Footers(bool),
    Version(String),
}

impl Config {
    /// The settings of one package: its `[package.NAME]` over the workspace's over the defaults.
    ///
    /// `single_root` says that the repository holds one package, at its root: its tags carry no name then.
    pub fn package(&self, name: &PackageName, folder: &RepoPath, single_root: bool) -> PackageSettings {
        let own = self.package_table(name, folder).map(|(_, table)| table.clone()).unwrap_or_default();
        let short = self.short_name(name, folder);
        let workspace = &self.tables.workspace;
        let mut versioning = layered(Versioning::default(), &self.tables.versioning);
        if let Some(types) = &own.types {
            merge_types(&mut versioning, types);
        }
        PackageSettings {
            tag: self.tag_of(Some(&own), single_root).to_owned(),
            tag_aliases: own.tag_aliases.iter().chain(&workspace.aliases).cloned().collect(),
            versioning: layered(versioning, &own.versioning),
            notes: noted(noted(Notes::default(), &self.tables.notes), &own.notes),
            index: own.index.clone().unwrap_or_else(|| LOCAL_INDEX.to_owned()),
            group: own.group.clone(),
            version_files: own.version_files.clone(),
            scopes: own.scopes.clone(),
            owns_all: own.owns.is_some(),
            image: own.image.as_ref().and_then(|image| self.image(image, &short)),
            short,
        }
    }

    /// The format of a package's tags, by its own table where it has one.
    pub(in crate::workspace::config) fn tag_of<'c>(
        &'c self,
        own: Option<&'c PackageTable>,
        single_root: bool,
    ) -> &'c str {
        let default = if single_root { "v{version}" } else { "{name}-v{version}" };
        let named = own.and_then(|own| own.tag.as_deref()).or(self.tables.workspace.tag.as_deref());
        named.unwrap_or(default)
    }

    /// A package's name in tags, commands and reports: its own `name`, or the full name without `strip`.
    pub fn short_name(&self, name: &PackageName, folder: &RepoPath) -> String {
        if let Some(own) = self.package_table(name, folder).and_then(|(_, table)| table.name.clone()) {
            return own;
        }
        self.stripped(name)
    }

    /// The table of one package and the key it stands under: by full name, then short name, then folder.
    pub fn package_table(&self, name: &PackageName, folder: &RepoPath) -> Option<(&str, &PackageTable)> {
        let by_name = |wanted: &str| {
            self.tables.package.iter().find(|(key, _)| !names_a_folder(key) && normalize(key) == wanted)
        };
        let by_folder = || {
            self.tables.package.iter().find(|(key, _)| RepoPath::new(key).is_some_and(|path| path == *folder))
        };
        let by_own_name = || {
            let short = normalize(&self.stripped(name));
            by_name(&short)
        };
        by_name(name.as_str())
            .or_else(by_own_name)
            .or_else(by_folder)
            .map(|(key, table)| (key.as_str(), table))
    }

    fn stripped(&self, name: &PackageName) -> String {
        let prefix = self.tables.workspace.strip.as_deref().map(normalize).unwrap_or_default();
        match name.as_str().strip_prefix(&prefix) {
            Some(rest) if !rest.trim_matches('-').is_empty() => rest.trim_start_matches('-').to_owned(),
            _ => name.as_str().to_owned(),
        }
    }

    fn image(&self, image: &ImageTable, short: &str) -> Option<Image> {
        let from_registry = || {
            let registry = self.tables.registry.get(image.registry.as_deref()?)?;
            Some(format!("{}/{short}", registry.repository.as_deref()?.trim_end_matches('/')))
        };
        let context = image.context.as_deref().unwrap_or_default().trim_matches('/').to_owned();
        let inside = |file: &String| match context.is_empty() {
            true => file.clone(),
            false => file.strip_prefix(&format!("{context}/")).unwrap_or(file).to_owned(),
        };
        Some(Image {
            dockerfile: image.dockerfile.as_ref().map_or_else(|| "Dockerfile".to_owned(), inside),
            context,
            repository: image.repository.clone().or_else(from_registry)?,
            platforms: image.platforms.clone().unwrap_or_else(|| vec!["linux/amd64".to_owned()]),
            args: image.args.clone(),
            tags: image.tags.clone().unwrap_or_else(|| vec!["{version}".to_owned(), "latest".to_owned()]),
        })
    }
}

fn names_a_folder(key: &str) -> bool {
    key.contains('/') || key == "."
}

fn merge_types(versioning: &mut Versioning, types: &BTreeMap<String, Size>) {
    versioning.types.extend(types.iter().map(|(kind, size)| (kind.to_lowercase(), *size)));
}

/// One layer of versioning rules over another: types are merged, everything else is replaced.
fn layered(below: Versioning, table: &VersioningTable) -> Versioning {
    let mut merged = Versioning {
        types: below.types,
        other: table.other.map_or(below.other, |other| other.size()),
        zero: table.zero.map_or(below.zero, |zero| zero.rule()),
        entries: table.entries.unwrap_or(below.entries),
        empty_commits: table.empty_commits.unwrap_or(below.empty_commits),
        release_as: table.release_as.clone().unwrap_or(below.release_as),
        dependents: table.dependents.unwrap_or(below.dependents),
        floor: table.floor.unwrap_or(below.floor),
        ignore: table.ignore.clone().unwrap_or(below.ignore),
        allow_major: table.allow_major.unwrap_or(below.allow_major),
    };
    if let Some(types) = &table.types {
        merge_types(&mut merged, types);
    }
    merged
}

fn noted(below: Notes, table: &NotesTable) -> Notes {
    Notes {
        changelog: table.changelog.clone().map_or(below.changelog, |changelog| changelog.file()),
        template: table.template.clone().or(below.template),
        changelog_template: table.changelog_template.clone().or(below.changelog_template),
        sections: table.sections.as_ref().map_or(below.sections, |list| list.iter().map(section).collect()),
    }
}

fn section(table: &SectionTable) -> Section {
    Section {
        title: table.title.clone(),
        breaking: table.breaking,
        types: table.types.iter().map(|kind| kind.to_lowercase()).collect(),
    }
}

#[cfg(test)]
#[path = "settings_tests.rs"]
mod tests;
