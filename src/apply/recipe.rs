//! What a source tree asks of the place it is built in, or why only the front end itself can build it.

use std::path::{Path, PathBuf};

use crate::workspace::config::spanned::Node;
use crate::workspace::requirement::Requirement;

/// A build back end and what it runs with.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Recipe {
    /// In the order they are written: a resolver may mind it.
    pub requires: Vec<String>,
    pub backend: String,
}

/// Why the front end has to do it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unfit {
    #[error("its back end is older than `[build-system]`")]
    NoBuildSystem,
    #[error("its back end stands in its own tree")]
    InTree,
    #[error("the front end is its own back end")]
    FrontEnd,
    #[error("a build requirement does not read: {text}")]
    Requirement { text: String },
    #[error("`{key}` of uv's settings may change builds of one package alone")]
    Setting { key: String },
    #[error("the build requirement `{name}` comes from `[tool.uv.sources]`")]
    Source { name: String },
    #[error("there is a virtual environment in `{}`", folder.display())]
    Environment { folder: PathBuf },
    #[error("the uv workspace in `{}` is not as simple as it is read here", root.display())]
    Workspace { root: PathBuf },
    #[error("`{}` does not read", path.display())]
    Unreadable { path: PathBuf },
}

impl Recipe {
    /// Reads the recipe of a tree.
    ///
    /// # Errors
    /// Where its back end can not be called from a shared environment.
    pub fn of(tree: &Path) -> Result<Recipe, Unfit> {
        let path = tree.join("pyproject.toml");
        if !path.is_file() {
            return Err(Unfit::NoBuildSystem);
        }
        let manifest = read_toml(&path)?;
        let system = manifest.at(&["build-system"]).ok_or(Unfit::NoBuildSystem)?;
        if system.at(&["backend-path"]).is_some() {
            return Err(Unfit::InTree);
        }
        let backend = system.at(&["build-backend"]).and_then(Node::as_text).ok_or(Unfit::NoBuildSystem)?;
        if backend.split(['.', ':']).next() == Some("uv_build") {
            return Err(Unfit::FrontEnd);
        }
        let requires = system.at(&["requires"]).ok_or(Unfit::NoBuildSystem)?;
        let texts = requires.items().iter().map(|item| item.as_text().unwrap_or_default());
        let requires = texts.map(normal).collect::<Result<_, _>>()?;
        Ok(Recipe { requires, backend: backend.to_owned() })
    }

    /// The same with what the back end asks for besides; itself where all of that is there.
    ///
    /// # Errors
    /// Where one does not read.
    pub fn with(&self, more: &[String]) -> Result<Recipe, Unfit> {
        let mut recipe = self.clone();
        let more = more.iter().map(|text| normal(text)).collect::<Result<Vec<_>, _>>()?;
        if more.iter().any(|text| !self.requires.contains(text)) {
            recipe.requires.extend(more);
        }
        Ok(recipe)
    }

    /// Modules that may be imported ahead of all calls: those of back ends that look at nothing when they are imported.
    /// Others may read the tree they are imported in, and are imported in each call.
    pub fn modules(&self) -> &'static [&'static str] {
        match self.backend.as_str() {
            "hatchling.build" => &HATCHLING,
            "flit_core.buildapi" => &["flit_core.buildapi", "flit_core.sdist", "flit_core.wheel"],
            "setuptools.build_meta" => &SETUPTOOLS,
            "poetry.core.masonry.api" => &POETRY,
            "pdm.backend" => &["pdm.backend", "pdm.backend.sdist", "pdm.backend.wheel"],
            _ => &[],
        }
    }

    /// Whether its back end builds in the process it was asked in: those do whose own commands build several files in one.
    /// Of others a question may leave what the build must not see.
    pub fn builds_as_it_answers(&self) -> bool {
        let own = ["hatchling.build", "flit_core.buildapi", "poetry.core.masonry.api", "pdm.backend"];
        own.contains(&self.backend.as_str())
    }
}

const HATCHLING: [&str; 16] = [
    "hatchling.build",
    "hatchling.bridge.app",
    "hatchling.builders.hooks.custom",
    "hatchling.builders.sdist",
    "hatchling.builders.wheel",
    "hatchling.metadata.core",
    "hatchling.metadata.spec",
    "hatchling.plugin.manager",
    "hatchling.utils.context",
    "hatchling.version.core",
    "email.headerregistry",
    "email.utils",
    "glob",
    "packaging.requirements",
    "packaging.tags",
    "trove_classifiers",
];
const SETUPTOOLS: [&str; 7] = [
    "setuptools.build_meta",
    "setuptools.command.bdist_wheel",
    "setuptools.command.build_py",
    "setuptools.command.install_lib",
    "setuptools.command.sdist",
    "setuptools.config._validate_pyproject",
    "setuptools.config.pyprojecttoml",
];
const POETRY: [&str; 10] = [
    "poetry.core.masonry.api",
    "poetry.core.factory",
    "poetry.core.json",
    "poetry.core.masonry.builders.sdist",
    "poetry.core.masonry.builders.wheel",
    "poetry.core.packages.project_package",
    "poetry.core.pyproject.toml",
    "poetry.core.version.pep440.parser",
    "fastjsonschema",
    "lark",
];

/// A requirement in one spelling. One from an address is not taken: it may be meant from where it is written.
fn normal(text: &str) -> Result<String, Unfit> {
    let unfit = || Unfit::Requirement { text: text.to_owned() };
    let read = Requirement::parse(text).map_err(|_| unfit())?;
    if read.url.is_some() {
        return Err(unfit());
    }
    let extras = if read.extras.is_empty() { String::new() } else { format!("[{}]", read.extras.join(",")) };
    let specifier: String =
        read.specifier.unwrap_or_default().chars().filter(|character| !character.is_whitespace()).collect();
    let marker = read.marker.map(|marker| format!(" ; {marker}")).unwrap_or_default();
    Ok(format!("{}{extras}{specifier}{marker}", read.name))
}

/// The name in a requirement as `normal` spells it.
pub fn name_of(requirement: &str) -> &str {
    let end = requirement.find(|character: char| !character.is_ascii_alphanumeric() && character != '-');
    &requirement[..end.unwrap_or(requirement.len())]
}

/// # Errors
/// Where the file is no TOML.
pub fn read_toml(path: &Path) -> Result<Node, Unfit> {
    let unreadable = || Unfit::Unreadable { path: path.to_owned() };
    let text = std::fs::read_to_string(path).map_err(|_| unreadable())?;
    Node::read(&text).map_err(|_| unreadable())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn recipe(manifest: &str) -> Result<Recipe, Unfit> {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("pyproject.toml"), manifest).unwrap();
        Recipe::of(folder.path())
    }

    #[test]
    fn a_recipe_names_what_is_needed_in_one_spelling() {
        let manifest = "[build-system]\nrequires = [\"Hatch_VCS\", \"hatchling (>= 1.0, <2); python_version < '4'\"]\n\
                        build-backend = \"hatchling.build\"\n";
        let read = recipe(manifest).unwrap();
        assert_eq!(read.requires, ["hatch-vcs", "hatchling>=1.0,<2 ; python_version < '4'"]);
        assert_eq!(
            read.requires.iter().map(|text| name_of(text)).collect::<Vec<_>>(),
            ["hatch-vcs", "hatchling"]
        );
        assert_eq!(read.with(&["hatch.vcs".to_owned()]).unwrap(), read);
        let more = read.with(&["wheel".to_owned()]).unwrap();
        assert_eq!(more.requires.last().map(String::as_str), Some("wheel"));
    }

    #[test]
    fn what_only_the_front_end_can_build_is_told_apart() {
        let check =
            |manifest: &str, expected: Unfit| assert_eq!(recipe(manifest), Err(expected), "{manifest}");
        check("[project]\nname = \"a\"\n", Unfit::NoBuildSystem);
        check("[build-system]\nrequires = [\"setuptools\"]\n", Unfit::NoBuildSystem);
        let backend = |more: &str| format!("[build-system]\nbuild-backend = \"backend\"\n{more}\n");
        check(&backend(""), Unfit::NoBuildSystem);
        check(&backend("requires = []\nbackend-path = [\".\"]"), Unfit::InTree);
        let text = "a @ file:../a".to_owned();
        check(&backend("requires = [\"a @ file:../a\"]"), Unfit::Requirement { text });
        check(&backend("requires = [1]"), Unfit::Requirement { text: String::new() });
        check("[build-system]\nrequires = [\"uv_build\"]\nbuild-backend = \"uv_build\"\n", Unfit::FrontEnd);
        assert!(matches!(recipe("[build-system"), Err(Unfit::Unreadable { .. })));
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(Recipe::of(folder.path()), Err(Unfit::NoBuildSystem));
    }

    #[test]
    fn only_back_ends_that_look_at_nothing_are_imported_ahead() {
        let modules = |backend: &str| Recipe { requires: Vec::new(), backend: backend.to_owned() }.modules();
        assert!(modules("hatchling.build").contains(&"hatchling.build"));
        assert!(modules("poetry_dynamic_versioning.backend").is_empty());
        assert!(modules("setuptools.build_meta:__legacy__").is_empty());
    }

    #[test]
    fn only_back_ends_that_build_several_files_in_a_process_do_so_here() {
        let builds = |backend: &str| {
            Recipe { requires: Vec::new(), backend: backend.to_owned() }.builds_as_it_answers()
        };
        assert!(builds("hatchling.build") && builds("pdm.backend"));
        assert!(!builds("setuptools.build_meta") && !builds("hatchling.build:other") && !builds("own"));
    }
}
