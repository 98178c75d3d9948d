//! The little of a `pyproject.toml` that tells whether it is a package.

use toml_edit::{Item, Table, TableLike, Value};

use crate::version::number::Version;
use crate::workspace::config::spanned::{SyntaxError, parse};
use crate::workspace::path::RepoPath;

/// What a `pyproject.toml` says about being a package.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ManifestFacts {
    /// The name in `[project]`, else in `[tool.poetry]`.
    pub name: Option<String>,
    /// The members of the uv workspace that it is the root of.
    pub workspace: Option<UvWorkspace>,
    /// `[tool.uv] package = false`, or Poetry's `package-mode = false`.
    says_no_package: bool,
    has_build_system: bool,
    has_project: bool,
    version: Option<String>,
}

/// `[tool.uv.workspace]`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct UvWorkspace {
    pub members: Vec<String>,
    pub exclude: Vec<String>,
}

impl ManifestFacts {
    /// # Errors
    /// Where the text is no TOML.
    pub fn read(text: &str) -> Result<ManifestFacts, SyntaxError> {
        Ok(ManifestFacts::of(parse(text)?.as_table()))
    }

    /// The same of a text that was just parsed.
    pub fn of(root: &Table) -> ManifestFacts {
        let at = |keys: &[&str]| {
            let root: &dyn TableLike = root;
            let (last, above) = keys.split_last()?;
            above.iter().try_fold(root, |table, key| table.get(key)?.as_table_like())?.get(last)
        };
        let text_at = |keys: &[&str]| at(keys).and_then(Item::as_str).map(str::to_owned);
        let is_false = |keys: &[&str]| at(keys).and_then(Item::as_bool) == Some(false);
        let list = |table: &dyn TableLike, key: &str| -> Vec<String> {
            let items = table.get(key).and_then(Item::as_array).into_iter().flatten();
            items.filter_map(Value::as_str).map(str::to_owned).collect()
        };
        ManifestFacts {
            name: text_at(&["project", "name"]).or_else(|| text_at(&["tool", "poetry", "name"])),
            workspace: at(&["tool", "uv", "workspace"]).and_then(Item::as_table_like).map(|table| {
                UvWorkspace { members: list(table, "members"), exclude: list(table, "exclude") }
            }),
            says_no_package: is_false(&["tool", "uv", "package"])
                || is_false(&["tool", "poetry", "package-mode"]),
            has_build_system: at(&["build-system"]).is_some(),
            has_project: at(&["project"]).is_some(),
            version: text_at(&["project", "version"]),
        }
    }

    /// Whether the folder is taken as a package where nobody named it.
    pub fn is_released(&self, folder: &RepoPath) -> bool {
        self.name.is_some() && !self.says_no_package && !self.is_only_a_workspace(folder)
    }

    /// Whether it is meant to be a package and does not say which: `[project]` without a name (PEP 621).
    pub fn is_nameless(&self) -> bool {
        self.name.is_none() && self.has_project && !self.says_no_package
    }

    /// Why the folder is no package.
    pub fn why_not(&self, folder: &RepoPath) -> String {
        let reason = if self.name.is_none() {
            "its `pyproject.toml` names no project"
        } else if self.says_no_package {
            "its `pyproject.toml` says that it is no package"
        } else if self.is_only_a_workspace(folder) {
            "it only holds the workspace together (no build system, version 0)"
        } else {
            "it is a package"
        };
        reason.to_owned()
    }

    fn is_only_a_workspace(&self, folder: &RepoPath) -> bool {
        folder.is_root()
            && self.workspace.is_some()
            && !self.has_build_system
            && self.version.as_deref().is_some_and(is_zero)
    }
}

/// Whether a version is 0, however many zeros it is written with (PEP 440).
fn is_zero(text: &str) -> bool {
    Version::parse(text).is_ok_and(|version| version == version.with_release(0, &[0]))
}
