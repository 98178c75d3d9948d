//! The little of a `pyproject.toml` that tells whether it is a package.

use crate::workspace::config::spanned::{Node, SyntaxError};
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
        let document = Node::read(text)?;
        let text_at = |keys: &[&str]| document.at(keys).and_then(Node::as_text).map(str::to_owned);
        let is_false = |keys: &[&str]| document.at(keys).and_then(Node::as_truth) == Some(false);
        let list = |table: &Node, key: &str| -> Vec<String> {
            let items = table.at(&[key]).map(Node::items).unwrap_or_default();
            items.iter().filter_map(Node::as_text).map(str::to_owned).collect()
        };
        Ok(ManifestFacts {
            name: text_at(&["project", "name"]).or_else(|| text_at(&["tool", "poetry", "name"])),
            workspace: document.at(&["tool", "uv", "workspace"]).map(|table| UvWorkspace {
                members: list(table, "members"),
                exclude: list(table, "exclude"),
            }),
            says_no_package: is_false(&["tool", "uv", "package"])
                || is_false(&["tool", "poetry", "package-mode"]),
            has_build_system: document.at(&["build-system"]).is_some(),
            has_project: document.at(&["project"]).is_some(),
            version: text_at(&["project", "version"]),
        })
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
            "it only holds the workspace together (no build system, version 0.0.0)"
        } else {
            "it is a package"
        };
        reason.to_owned()
    }

    fn is_only_a_workspace(&self, folder: &RepoPath) -> bool {
        folder.is_root()
            && self.workspace.is_some()
            && !self.has_build_system
            && self.version.as_deref() == Some("0.0.0")
    }
}
