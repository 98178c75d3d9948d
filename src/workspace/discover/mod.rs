//! Which folders of the repository are packages.

mod manifest;
mod neighbours;
pub mod parsed;
mod patterns;
pub mod proposal;
pub mod reach;
mod tag_forms;

use std::collections::BTreeMap;

use globset::{GlobBuilder, GlobMatcher};
use rayon::iter::{IndexedParallelIterator, IntoParallelRefIterator, ParallelIterator};

use crate::workspace::config::Config;
use crate::workspace::config::fit::Known;
use crate::workspace::config::problem::Problem;
use crate::workspace::config::spanned::{Place, SyntaxError};
use crate::workspace::discover::manifest::UvWorkspace;
use crate::workspace::discover::parsed::{Parsed, ParsedManifest};
use crate::workspace::manifest::ManifestError;
use crate::workspace::name::PackageName;
use crate::workspace::path::RepoPath;

/// Folders whose projects are not released, where nothing says which ones are.
const NOT_RELEASED: [&str; 14] = [
    "node_modules",
    "venv",
    "env",
    "build",
    "dist",
    "tests",
    "test",
    "testdata",
    "fixtures",
    "examples",
    "docs",
    "templates",
    "vendor",
    "third_party",
];

/// A file of the planned commit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RepoFile {
    /// The path, as git writes it.
    pub path: String,
    pub text: String,
}

/// The packages, by folder, and what was not taken as one.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Discovery {
    pub packages: Vec<Candidate>,
    pub left_out: Vec<LeftOut>,
    /// Folders that should be packages, but whose `pyproject.toml` is no TOML or names no project.
    pub unreadable: Vec<RepoPath>,
}

/// A folder that holds a package.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Candidate {
    pub name: PackageName,
    /// The name as its manifest writes it.
    pub distribution: String,
    pub folder: RepoPath,
    /// Its manifest.
    pub parsed: Result<ParsedManifest, ManifestError>,
}

/// A folder that looks like a package and is none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LeftOut {
    pub folder: RepoPath,
    pub reason: String,
}

impl Discovery {
    /// Whether the repository is one package, at its root.
    pub fn is_single_root(&self) -> bool {
        matches!(self.packages.as_slice(), [only] if only.folder.is_root())
    }

    /// The packages as the configuration knows them, for [`Config::misfits`].
    pub fn known(&self, config: &Config) -> Vec<Known> {
        let known = |package: &Candidate| {
            (package.name.clone(), config.short_name(&package.name, &package.folder), package.folder.clone())
        };
        self.packages.iter().map(known).collect()
    }
}

/// Whether discovery or a proposal reads a file of this path.
pub fn is_read(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or(path);
    matches!(name, "pyproject.toml" | "setup.py" | "setup.cfg") || neighbours::is_read(path)
}

/// Decides the packages: those that `workspace.packages` names, else the members of the root's uv workspace, else every
/// project outside folders that are seldom released.
///
/// # Errors
/// Patterns that match nothing, names used twice.
pub fn discover(config: &Config, files: &[RepoFile]) -> Result<Discovery, Vec<Problem>> {
    let mut search = Search::new(files);
    match &config.tables.workspace.packages {
        Some(patterns) => search.by_configuration(config, patterns),
        None => match search.uv_workspace() {
            Some(workspace) => search.by_uv_workspace(&workspace),
            None => search.everywhere(),
        },
    }
    search.finish()
}

/// How many files one thread reads at least: fewer are read before another begins.
const TOGETHER: usize = 16;

struct Search<'f> {
    /// What each folder's `pyproject.toml` says.
    manifests: BTreeMap<RepoPath, Result<Parsed, SyntaxError>>,
    files: &'f [RepoFile],
    found: Discovery,
    problems: Vec<Problem>,
}

impl<'f> Search<'f> {
    fn new(files: &'f [RepoFile]) -> Search<'f> {
        let manifests: Vec<_> = files
            .par_iter()
            .with_min_len(TOGETHER)
            .filter_map(|file| {
                Some((folder_of(&file.path, "pyproject.toml")?, Parsed::read(&file.text, &file.path)))
            })
            .collect();
        let manifests = manifests.into_iter().collect();
        Search { manifests, files, found: Discovery::default(), problems: Vec::new() }
    }

    fn by_configuration(&mut self, config: &Config, patterns: &[String]) {
        let mut wanted: BTreeMap<RepoPath, (bool, Place)> = BTreeMap::new();
        for (index, pattern) in patterns.iter().enumerate() {
            let place = config.place_of_item(&["workspace", "packages"], index);
            let matched: Vec<RepoPath> = self.matching(pattern);
            if matched.is_empty() {
                self.problems.push(
                    Problem::new(place, format!("`{pattern}` matches no folder with a `pyproject.toml`"))
                        .with_help(self.setup_only_hint(pattern)),
                );
                continue;
            }
            let is_exact = !is_pattern(pattern);
            for folder in matched {
                let entry = wanted.entry(folder).or_insert((false, place.clone()));
                if is_exact {
                    *entry = (true, place.clone());
                }
            }
        }
        for (folder, (is_exact, place)) in wanted {
            self.take_configured(&folder, is_exact, place);
        }
    }

    /// A folder named exactly must be a package; one that a pattern merely covers may be none.
    fn take_configured(&mut self, folder: &RepoPath, is_exact: bool, place: Place) {
        let refusal = match self.manifests.get(folder) {
            Some(Ok(Parsed { facts, .. }))
                if facts.name.is_some() && (is_exact || facts.is_released(folder)) =>
            {
                return self.take(folder);
            }
            Some(Ok(Parsed { facts, .. })) if !facts.is_nameless() => facts.why_not(folder),
            Some(_) => return self.found.unreadable.push(folder.clone()),
            None => return,
        };
        if is_exact {
            self.problems.push(
                Problem::new(place, format!("`{folder}` is no package: {refusal}"))
                    .with_help("give it a name in `[project]`, or take it out of `packages`"),
            );
        } else {
            self.leave_out(folder, refusal);
        }
    }

    fn uv_workspace(&self) -> Option<UvWorkspace> {
        self.manifests.get(&RepoPath::root())?.as_ref().ok()?.facts.workspace.clone()
    }

    fn by_uv_workspace(&mut self, workspace: &UvWorkspace) {
        let of = |search: &Search<'_>, patterns: &[String]| -> Vec<RepoPath> {
            patterns.iter().flat_map(|pattern| search.matching(pattern)).collect()
        };
        let excluded = of(self, &workspace.exclude);
        let mut members = of(self, &workspace.members);
        members.push(RepoPath::root());
        members.sort();
        members.dedup();
        for folder in members.iter().filter(|folder| !excluded.contains(folder)) {
            self.take_if_released(folder);
        }
    }

    fn everywhere(&mut self) {
        let folders: Vec<RepoPath> = self.manifests.keys().cloned().collect();
        for folder in &folders {
            match folder.as_git().split('/').find(|part| is_seldom_released(part)) {
                Some(part) => self.leave_out(folder, format!("it stands in a folder `{part}`")),
                None => self.take_if_released(folder),
            }
        }
        for file in self.files {
            let setup = folder_of(&file.path, "setup.py").or_else(|| folder_of(&file.path, "setup.cfg"));
            let Some(folder) = setup.filter(|folder| !self.manifests.contains_key(folder)) else { continue };
            let is_told = self.found.left_out.iter().any(|left| left.folder == folder);
            if !is_told && !folder.as_git().split('/').any(is_seldom_released) {
                self.leave_out(&folder, "it has no `pyproject.toml`".to_owned());
            }
        }
    }

    fn take_if_released(&mut self, folder: &RepoPath) {
        match self.manifests.get(folder) {
            Some(Ok(Parsed { facts, .. })) if facts.is_released(folder) => self.take(folder),
            Some(Ok(Parsed { facts, .. })) if !facts.is_nameless() => {
                let reason = facts.why_not(folder);
                self.leave_out(folder, reason);
            }
            Some(_) => self.found.unreadable.push(folder.clone()),
            None => {}
        }
    }

    fn take(&mut self, folder: &RepoPath) {
        let Some(Ok(parsed)) = self.manifests.get_mut(folder) else { return };
        let Some(distribution) = &parsed.facts.name else { return };
        let Some(package) = parsed.package.take() else { return };
        self.found.packages.push(Candidate {
            name: PackageName::new(distribution),
            distribution: distribution.clone(),
            folder: folder.clone(),
            parsed: package,
        });
    }

    fn leave_out(&mut self, folder: &RepoPath, reason: String) {
        self.found.left_out.push(LeftOut { folder: folder.clone(), reason });
    }

    /// The folders with a manifest that a pattern covers. Only `.` covers the root.
    fn matching(&self, pattern: &str) -> Vec<RepoPath> {
        let Some(covers) = Pattern::new(pattern) else { return Vec::new() };
        self.manifests.keys().filter(|folder| covers.covers(folder)).cloned().collect()
    }

    fn setup_only_hint(&self, pattern: &str) -> String {
        let Some(covers) = Pattern::new(pattern) else { return String::new() };
        let old = self
            .files
            .iter()
            .filter_map(|file| {
                folder_of(&file.path, "setup.py").or_else(|| folder_of(&file.path, "setup.cfg"))
            })
            .find(|folder| covers.covers(folder));
        match old {
            Some(folder) => {
                format!("`{folder}` has a `setup.py` or `setup.cfg` only; give it a `pyproject.toml`")
            }
            None => "patterns are of folders, seen from the repository's root; `*` stands for one folder"
                .to_owned(),
        }
    }

    fn finish(mut self) -> Result<Discovery, Vec<Problem>> {
        self.found.packages.sort_by(|one, other| one.folder.cmp(&other.folder));
        self.found.left_out.sort_by(|one, other| one.folder.cmp(&other.folder));
        let mut seen: BTreeMap<&PackageName, &RepoPath> = BTreeMap::new();
        for package in &self.found.packages {
            if let Some(other) = seen.insert(&package.name, &package.folder) {
                self.problems.push(
                    Problem::new(
                        None,
                        format!("`{other}` and `{}` are both named `{}`", package.folder, package.name),
                    )
                    .with_help("rename one of them, or leave one out with `packages` in `[workspace]`"),
                );
            }
        }
        if self.problems.is_empty() { Ok(self.found) } else { Err(self.problems) }
    }
}

/// A pattern of folders, as `packages` and uv's `members` hold them.
struct Pattern {
    is_root: bool,
    glob: GlobMatcher,
}

impl Pattern {
    fn new(text: &str) -> Option<Pattern> {
        let plain = RepoPath::new(text)?;
        let glob = GlobBuilder::new(plain.as_git()).literal_separator(true).build().ok()?;
        Some(Pattern { is_root: plain.is_root(), glob: glob.compile_matcher() })
    }

    fn covers(&self, folder: &RepoPath) -> bool {
        if folder.is_root() { self.is_root } else { self.glob.is_match(folder.as_git()) }
    }
}

/// The folder of a file of this name.
fn folder_of(path: &str, name: &str) -> Option<RepoPath> {
    let folder = path.strip_suffix(name)?;
    if folder.is_empty() || folder.ends_with('/') { RepoPath::new(folder) } else { None }
}

fn is_pattern(text: &str) -> bool {
    text.contains(['*', '?', '[', '{'])
}

fn is_seldom_released(part: &str) -> bool {
    part.starts_with('.') || NOT_RELEASED.contains(&part)
}

#[cfg(test)]
mod tests;
