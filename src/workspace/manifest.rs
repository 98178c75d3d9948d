//! A package's `pyproject.toml`: name, version and dependencies, each with its place in the text.

use std::collections::BTreeMap;
use std::fmt;
use std::ops::Range;

use toml_edit::Table;

use crate::version::number::Version;
use crate::workspace::manifest_tables::Tables;
use crate::workspace::manifest_toml::{TomlProblem, TomlReader};
use crate::workspace::name::{PackageName, is_valid};

/// What a release needs to know of a `pyproject.toml` (PEP 621, Poetry's own tables, or both).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Manifest {
    /// The file, as named by the caller.
    pub path: String,
    /// The distribution's name, as written.
    pub name: String,
    /// The versions written here: none, one, or one in each of the two tables, which then agree.
    pub declared: Vec<Declared>,
    /// Whether `[project] dynamic` holds "version".
    pub dynamic_version: bool,
    pub dependencies: Vec<Dependency>,
    pub build_backend: Option<String>,
    /// Names and entry points: `[project]` scripts and gui-scripts, or Poetry's scripts.
    pub scripts: Vec<(String, String)>,
    /// As written; Poetry's `python` constraint where `[project]` has none.
    pub requires_python: Option<String>,
    /// Whether nothing is built from it: uv's `package = false`, Poetry's `package-mode = false`.
    pub is_virtual: bool,
    /// Where uv takes dependencies from; only sources of the workspace or a folder.
    pub uv_sources: BTreeMap<PackageName, UvSource>,
    /// Dependency groups that include another one: (group, included).
    pub include_groups: Vec<(String, String)>,
}

/// A version as written in a manifest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Declared {
    pub value: String,
    /// The bytes inside the quotes.
    pub span: Range<usize>,
    pub place: VersionPlace,
    /// Whether the string holds escapes or is multi-line.
    pub escaped: bool,
}

/// The table that holds a version.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum VersionPlace {
    /// `[project]`
    Project,
    /// `[tool.poetry]`
    Poetry,
}

/// One requirement of the manifest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dependency {
    pub place: Place,
    pub name: PackageName,
    /// The requirement (PEP 508), or Poetry's constraint; empty where Poetry's entry holds none.
    pub text: String,
    /// The bytes inside the quotes; an empty range where there is no constraint.
    pub span: Range<usize>,
    pub style: Style,
    /// The folder it is taken from: Poetry's `path`, or the path of a uv source.
    pub path: Option<String>,
    /// Whether the string holds escapes or is multi-line: an edit must quote it anew.
    pub escaped: bool,
}

/// The list that holds a requirement.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Place {
    /// `[project] dependencies`
    Project,
    /// An extra, by its name; empty for an optional Poetry dependency that no extra names.
    Optional(String),
    /// A dependency group (PEP 735), or uv's and PDM's older development lists.
    Group(String),
    /// `[build-system] requires`
    BuildRequires,
    /// `[tool.poetry.dependencies]`
    PoetryMain,
    /// `[tool.poetry.group.NAME.dependencies]`
    PoetryGroup(String),
}

impl Place {
    /// Whether the package can not be built or run without it.
    pub fn is_needed(&self) -> bool {
        matches!(self, Place::Project | Place::BuildRequires | Place::PoetryMain)
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Place::Project => f.write_str("dependencies"),
            Place::Optional(extra) => write!(f, "extra `{extra}`"),
            Place::Group(group) | Place::PoetryGroup(group) => write!(f, "group `{group}`"),
            Place::BuildRequires => f.write_str("build requirements"),
            Place::PoetryMain => f.write_str("poetry dependencies"),
        }
    }
}

/// How a requirement is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Style {
    Pep508,
    Poetry,
}

/// A source in `[tool.uv.sources]`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct UvSource {
    pub workspace: bool,
    pub path: Option<String>,
}

/// Why a manifest can not be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ManifestError {
    #[error("{0}")]
    Toml(#[from] TomlProblem),
    #[error("`{path}` describes no package: it has neither `[project]` nor `[tool.poetry]`")]
    NotAPackage { path: String },
    #[error("`{path}` names no package: `name` is missing in `[project]`")]
    NoName { path: String },
    #[error("`{path}`: `{name}` is not a package name (PEP 508)")]
    InvalidName { path: String, name: String },
    #[error(
        "`{path}` holds two versions: {project} in `[project]`, {poetry} in `[tool.poetry]`; make them agree"
    )]
    VersionsDisagree { path: String, project: String, poetry: String },
    #[error("`{path}`: `[project]` has a version and also lists it as dynamic; remove one (PEP 621)")]
    StaticAndDynamic { path: String },
    #[error("`{path}`: `{text}` in {place} names no package")]
    UnnamedRequirement { path: String, text: String, place: String },
}

impl Manifest {
    /// Reads a manifest; `path` names it in messages.
    ///
    /// # Errors
    /// Where the text is no TOML, describes no package, or contradicts itself.
    pub fn read(text: &str, path: &str) -> Result<Manifest, ManifestError> {
        let toml = TomlReader { path, text };
        Manifest::of(toml, toml.parse()?.as_table())
    }

    /// The same of a text that was just parsed.
    ///
    /// # Errors
    /// Where it describes no package, or contradicts itself.
    pub fn of(toml: TomlReader<'_>, root: &Table) -> Result<Manifest, ManifestError> {
        let empty = Table::new();
        let tables = Tables::find(toml, root, &empty)?;
        let mut manifest = Manifest {
            path: toml.path.to_owned(),
            name: tables.name()?,
            declared: tables.declared()?,
            dynamic_version: tables.has_dynamic_version()?,
            dependencies: tables.dependencies()?,
            build_backend: tables.build_backend()?,
            scripts: tables.scripts()?,
            requires_python: tables.requires_python()?,
            is_virtual: tables.is_virtual()?,
            uv_sources: tables.uv_sources()?,
            include_groups: tables.include_groups()?,
        };
        manifest.check_versions()?;
        manifest.find_paths();
        Ok(manifest)
    }

    /// The version written here; `[project]` first.
    pub fn version(&self) -> Option<&str> {
        self.declared.first().map(|declared| declared.value.as_str())
    }

    fn check_versions(&self) -> Result<(), ManifestError> {
        let path = || self.path.clone();
        if self.dynamic_version && self.declared.iter().any(|one| one.place == VersionPlace::Project) {
            return Err(ManifestError::StaticAndDynamic { path: path() });
        }
        match self.declared.as_slice() {
            [project, poetry] if !is_same(&project.value, &poetry.value) => {
                let (project, poetry) = (project.value.clone(), poetry.value.clone());
                Err(ManifestError::VersionsDisagree { path: path(), project, poetry })
            }
            _ => Ok(()),
        }
    }

    /// Gives requirements the folder that another table names for them.
    fn find_paths(&mut self) {
        let by_poetry: BTreeMap<PackageName, String> = self
            .dependencies
            .iter()
            .filter(|one| one.style == Style::Poetry)
            .filter_map(|one| Some((one.name.clone(), one.path.clone()?)))
            .collect();
        for one in self.dependencies.iter_mut().filter(|one| one.path.is_none()) {
            let by_uv = self.uv_sources.get(&one.name).and_then(|source| source.path.as_ref());
            one.path = by_uv.or_else(|| by_poetry.get(&one.name)).cloned();
        }
    }
}

/// The name at the beginning of a requirement (PEP 508); none where no name stands there.
pub fn leading_name(requirement: &str) -> Option<PackageName> {
    let trimmed = requirement.trim_start();
    let end = trimmed
        .find(|c: char| !(c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.')))
        .unwrap_or(trimmed.len());
    let name = &trimmed[..end];
    is_valid(name).then(|| PackageName::new(name))
}

fn is_same(one: &str, other: &str) -> bool {
    match (Version::parse(one), Version::parse(other)) {
        (Ok(one), Ok(other)) => one == other,
        _ => one == other,
    }
}

#[cfg(test)]
mod tests;
