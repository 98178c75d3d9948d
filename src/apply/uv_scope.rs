//! Where uv takes the settings and the Python of a build from, read as uv reads it (uv, "Configuration files",
//! "Python versions", "Workspaces"). What is not sure to be read alike is refused.

use std::path::{Path, PathBuf};

use globset::{GlobBuilder, GlobMatcher};

use crate::apply::recipe::{Recipe, Unfit, name_of, read_toml};
use crate::workspace::config::spanned::Node;
use crate::workspace::name::PackageName;

/// What an environment depends on besides the requirements; packages with the same share one.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Scope {
    /// The folder whose settings hold; none where nothing is set.
    pub settings: Option<PathBuf>,
    pub python: PythonWish,
}

/// Which Python is asked for.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum PythonWish {
    /// The nearest version files, by name.
    Files(Vec<(&'static str, String)>),
    /// `requires-python` of the package, or of its whole workspace.
    Range(Option<String>),
}

/// Settings that are the same for all packages, or mean nothing to a build. Each other one may be about the build of one
/// package.
const KNOWN: [&str; 65] = [
    "add-bounds",
    "allow-insecure-host",
    "build-backend",
    "cache-dir",
    "cache-keys",
    "check-url",
    "compile-bytecode",
    "concurrent-builds",
    "concurrent-downloads",
    "concurrent-installs",
    "config-settings",
    "conflicts",
    "constraint-dependencies",
    "default-groups",
    "dependency-groups",
    "dependency-metadata",
    "dev-dependencies",
    "environments",
    "exclude-dependencies",
    "exclude-newer",
    "exclude-newer-package",
    "extra-index-url",
    "find-links",
    "fork-strategy",
    "http-proxy",
    "https-proxy",
    "index",
    "index-strategy",
    "index-url",
    "keyring-provider",
    "link-mode",
    "native-tls",
    "no-binary",
    "no-binary-package",
    "no-build",
    "no-build-isolation",
    "no-build-package",
    "no-cache",
    "no-index",
    "no-proxy",
    "no-sources",
    "offline",
    "override-dependencies",
    "package",
    "pip",
    "prerelease",
    "preview",
    "publish-url",
    "pypy-install-mirror",
    "python-downloads",
    "python-downloads-json-url",
    "python-install-mirror",
    "python-preference",
    "reinstall",
    "reinstall-package",
    "required-environments",
    "required-version",
    "resolution",
    "sources",
    "system-certs",
    "torch-backend",
    "trusted-publishing",
    "upgrade",
    "upgrade-package",
    "workspace",
];

const VERSION_FILES: [&str; 2] = [".python-version", ".python-versions"];

/// A `pyproject.toml` and its folder.
struct Manifest {
    folder: PathBuf,
    node: Node,
}

impl Scope {
    /// Reads the scope of a package's folder, an absolute path without links.
    ///
    /// # Errors
    /// Where its settings may be its own, or uv may read them otherwise.
    pub fn of(project: &Path, recipe: &Recipe) -> Result<Scope, Unfit> {
        let manifests = manifests_above(project)?;
        if let Some(folder) = project.ancestors().find(|folder| folder.join(".venv").exists()) {
            return Err(Unfit::Environment { folder: folder.to_owned() });
        }
        for manifest in &manifests {
            manifest.check(recipe)?;
        }
        let files = project.ancestors().map(|folder| folder.join("uv.toml")).chain(files_of_this_machine());
        for path in files.filter(|path| path.is_file()) {
            refuse_unknown(&read_toml(&path)?)?;
        }
        let root = root_of(project, &manifests)?;
        Ok(Scope {
            settings: settings_folder(root.map_or(project, |root| &root.folder), &manifests),
            python: python_wish(project, root, &manifests)?,
        })
    }
}

/// The nearest version files of a folder.
pub fn version_files(folder: &Path) -> Vec<(&'static str, String)> {
    let read = |folder: &Path| -> Vec<(&'static str, String)> {
        let files = VERSION_FILES.into_iter();
        files.filter_map(|name| Some((name, std::fs::read_to_string(folder.join(name)).ok()?))).collect()
    };
    folder.ancestors().map(read).find(|files| !files.is_empty()).unwrap_or_default()
}

impl Manifest {
    fn check(&self, recipe: &Recipe) -> Result<(), Unfit> {
        let Some(settings) = self.uv() else { return Ok(()) };
        refuse_unknown(settings)?;
        let sources = settings.at(&["sources"]).map(Node::entries).unwrap_or_default();
        for source in sources.iter().map(|entry| PackageName::new(&entry.key)) {
            if recipe.requires.iter().any(|text| name_of(text) == source.as_str()) {
                return Err(Unfit::Source { name: source.to_string() });
            }
        }
        Ok(())
    }

    fn uv(&self) -> Option<&Node> {
        self.node.at(&["tool", "uv"])
    }

    fn workspace(&self) -> Option<&Node> {
        self.node.at(&["tool", "uv", "workspace"])
    }

    fn requires_python(&self) -> Option<&str> {
        self.node.at(&["project", "requires-python"]).and_then(Node::as_text)
    }

    /// Whether one of the workspace's patterns covers a folder; uv's `*` covers several levels here.
    fn lists(&self, key: &str, folder: &Path) -> Result<bool, Unfit> {
        let below = folder.strip_prefix(&self.folder).map_err(|_| self.not_simple())?;
        let mut covers = false;
        for pattern in self.patterns(key) {
            covers |= glob(pattern).ok_or_else(|| self.not_simple())?.is_match(below);
        }
        Ok(covers)
    }

    fn patterns(&self, key: &str) -> impl Iterator<Item = &str> {
        let items = self.workspace().and_then(|table| table.at(&[key])).map(Node::items).unwrap_or_default();
        items.iter().filter_map(Node::as_text).map(|text| text.trim_start_matches("./").trim_end_matches('/'))
    }

    fn not_simple(&self) -> Unfit {
        Unfit::Workspace { root: self.folder.clone() }
    }

    /// The ranges of all members, as one.
    fn members_range(&self) -> Result<Option<String>, Unfit> {
        let mut ranges = Vec::new();
        ranges.extend(self.requires_python().map(str::to_owned));
        for pattern in self.patterns("members") {
            for folder in expand(&self.folder, pattern).ok_or_else(|| self.not_simple())? {
                if folder == self.folder || self.lists("exclude", &folder)? {
                    continue;
                }
                let node = read_toml(&folder.join("pyproject.toml"))?;
                let member = Manifest { folder, node };
                if member.node.at(&["project"]).is_none()
                    || member.uv().is_some_and(|uv| uv.at(&["managed"]).is_some())
                {
                    return Err(self.not_simple());
                }
                ranges.extend(member.requires_python().map(str::to_owned));
            }
        }
        ranges.sort();
        ranges.dedup();
        Ok(if ranges.is_empty() { None } else { Some(ranges.join(",")) })
    }
}

/// The manifests of a folder and those above, the nearest first.
fn manifests_above(project: &Path) -> Result<Vec<Manifest>, Unfit> {
    let has_one = |folder: &&Path| folder.join("pyproject.toml").is_file();
    let read = |folder: &Path| {
        let node = read_toml(&folder.join("pyproject.toml"))?;
        Ok(Manifest { folder: folder.to_owned(), node })
    };
    project.ancestors().filter(has_one).map(read).collect()
}

/// The root of the workspace that a package belongs to: the nearest manifest above decides.
fn root_of<'m>(project: &Path, manifests: &'m [Manifest]) -> Result<Option<&'m Manifest>, Unfit> {
    let Some(own) = manifests.first().filter(|own| own.folder == project) else { return Ok(None) };
    if own.node.at(&["project"]).is_none() || own.workspace().is_some() {
        return Ok(own.workspace().map(|_| own));
    }
    let Some(above) = manifests.get(1).filter(|above| above.workspace().is_some()) else { return Ok(None) };
    let belongs = above.lists("members", project)? && !above.lists("exclude", project)?;
    Ok(Some(above).filter(|_| belongs))
}

/// The nearest folder, from this one up, that has settings of uv's.
fn settings_folder(from: &Path, manifests: &[Manifest]) -> Option<PathBuf> {
    let sets = |folder: &&Path| {
        let manifest = manifests.iter().find(|manifest| manifest.folder == **folder);
        folder.join("uv.toml").is_file() || manifest.is_some_and(|manifest| manifest.uv().is_some())
    };
    from.ancestors().find(sets).map(Path::to_owned)
}

fn python_wish(project: &Path, root: Option<&Manifest>, manifests: &[Manifest]) -> Result<PythonWish, Unfit> {
    let files = version_files(project);
    if !files.is_empty() {
        return Ok(PythonWish::Files(files));
    }
    let range = match root {
        Some(root) => root.members_range()?,
        None => manifests.first().and_then(Manifest::requires_python).map(str::to_owned),
    };
    Ok(PythonWish::Range(range))
}

fn refuse_unknown(settings: &Node) -> Result<(), Unfit> {
    match settings.entries().iter().find(|entry| !KNOWN.contains(&entry.key.as_str())) {
        Some(entry) => Err(Unfit::Setting { key: entry.key.clone() }),
        None => Ok(()),
    }
}

/// Files with settings that stand outside of any project.
fn files_of_this_machine() -> impl Iterator<Item = PathBuf> {
    let folder = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    let user = folder("XDG_CONFIG_HOME").or_else(|| folder("HOME").map(|home| home.join(".config")));
    let shared = std::env::var_os("XDG_CONFIG_DIRS").unwrap_or_else(|| "/etc/xdg".into());
    let shared: Vec<PathBuf> = std::env::split_paths(&shared).chain([PathBuf::from("/etc")]).collect();
    let folders = user.into_iter().chain(shared).map(|folder| folder.join("uv/uv.toml"));
    folder("UV_CONFIG_FILE").into_iter().chain(folders)
}

/// The folders that a pattern names below another, level by level; none where a pattern spans several levels.
fn expand(root: &Path, pattern: &str) -> Option<Vec<PathBuf>> {
    let mut folders = vec![root.to_owned()];
    for part in pattern.split('/') {
        if part == "**" || part == ".." {
            return None;
        }
        if !part.contains(['*', '?', '[']) {
            folders = folders
                .into_iter()
                .map(|folder| folder.join(part))
                .filter(|folder| folder.is_dir())
                .collect();
            continue;
        }
        let glob = glob(part)?;
        let below = |folder: &PathBuf| -> Vec<PathBuf> {
            let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
            let fits = entries.filter(|entry| glob.is_match(entry.file_name()));
            fits.map(|entry| entry.path()).filter(|path| path.is_dir()).collect()
        };
        folders = folders.iter().flat_map(below).collect();
    }
    Some(folders)
}

fn glob(pattern: &str) -> Option<GlobMatcher> {
    Some(GlobBuilder::new(pattern).literal_separator(false).build().ok()?.compile_matcher())
}

#[cfg(test)]
#[path = "uv_scope_tests.rs"]
mod tests;
