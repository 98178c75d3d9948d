//! What stands in the planned commit, and which tags name releases of it.

use std::collections::HashMap;

use rayon::iter::{IndexedParallelIterator, IntoParallelIterator, ParallelIterator};

use crate::history::fragment::{Fragment, parse_fragment};
use crate::history::overrides::{Override, parse_override};
use crate::plan::facts::{OwnTemplate, Templates};
use crate::survey::closed::{ClosedReleases, closed_here};
use crate::survey::config_file::ConfigFile;
use crate::survey::error::SurveyError;
use crate::survey::facts::{Options, globs};
use crate::survey::manifests::{read_manifests, refuse_unreadable};
use crate::survey::older_tags::recognise_older_formats;
use crate::survey::packages::{Files, Found, NamedPackage, read_editable, read_package};
use crate::survey::tags::Tag;
use crate::survey::version_tags::{VersionTags, version_tags};
use crate::survey::walk_ahead::Listed;
use crate::workspace::config::settings::PackageSettings;
use crate::workspace::discover::discover;
use crate::workspace::discover::reach::Reach;
use crate::workspace::graph::Graph;
use crate::workspace::package::Package;
use crate::world::git::Repository;
use crate::world::git_error::GitError;

/// What was found.
pub struct Inventory {
    pub packages: Vec<Package>,
    /// The settings of each package.
    pub settings: Vec<PackageSettings>,
    /// The tags of releases that count.
    pub version_tags: VersionTags,
    /// What was given up for good.
    pub closed: ClosedReleases,
    /// A sentence for each tag format that is read though nobody named it.
    pub warnings: Vec<String>,
    /// A sentence for each place where a package could stand and none is read.
    pub passed_by: Vec<String>,
    tags: Vec<Tag>,
}

/// Finds the packages of a commit, and their tags: all that is asked for where history is read. `tags` is waited for where
/// it is needed.
///
/// # Errors
/// Where something can not be read or understood.
pub fn take_inventory(
    repository: &Repository,
    commit: &str,
    config_file: &ConfigFile,
    files: &mut Files<'_>,
    tags: Listed,
    options: &Options,
) -> Result<Inventory, SurveyError> {
    let (found, passed_by) = find_packages(repository, commit, config_file, files, options)?;
    let (packages, settings): (Vec<Package>, Vec<_>) =
        found.into_iter().map(|found| (found.package, found.settings)).unzip();
    let Counted { tags, version_tags, closed } = count(repository, tags, &packages, options)?;
    let mut inventory =
        Inventory { packages, settings, version_tags, closed, warnings: Vec::new(), passed_by, tags };
    let Inventory { tags, packages, version_tags, .. } = &mut inventory;
    inventory.warnings = recognise_older_formats(tags, packages, &version_tags.found);
    if !inventory.warnings.is_empty() || !inventory.closed.tags.is_empty() {
        inventory.version_tags = inventory.count_tags();
    }
    Ok(inventory)
}

/// What else stands in the commit, and is not asked for where history is read.
pub struct Rest {
    pub graph: Graph,
    pub overrides: Vec<Override>,
    pub fragments: Vec<Fragment>,
    /// A user's own templates, by package.
    pub templates: Vec<Templates>,
}

/// Reads the files that a release may edit, and what else a plan is made from.
///
/// # Errors
/// Where something can not be read or understood.
pub fn read_rest(
    repository: &Repository,
    files: &mut Files<'_>,
    packages: &[Package],
    settings: &[PackageSettings],
) -> Result<Rest, SurveyError> {
    read_editable(files, repository, packages.iter().zip(settings))?;
    files.bytes("uv.lock")?;
    Ok(Rest {
        graph: graph(packages)?,
        overrides: read_overrides(files)?,
        fragments: read_fragments(files)?,
        templates: read_templates(files, settings)?,
    })
}

/// All tags, those that name releases, and what was given up.
struct Counted {
    tags: Vec<Tag>,
    version_tags: VersionTags,
    closed: ClosedReleases,
}

/// Waits for the tags and reads them as those of packages.
fn count(
    repository: &Repository,
    tags: Listed,
    packages: &[Package],
    options: &Options,
) -> Result<Counted, SurveyError> {
    let tags = tags.recv().expect("whoever lists the tags sends them")?;
    let closed = match &options.closed {
        Some(closed) => closed.clone(),
        None => closed_here(repository)?,
    };
    Ok(Counted { version_tags: version_tags(&tags, packages), tags, closed })
}

impl Inventory {
    /// The version tags of each package, but those of releases that were given up.
    pub fn count_tags(&self) -> VersionTags {
        let mut tags = version_tags(&self.tags, &self.packages);
        for of_package in &mut tags.found {
            of_package.retain(|tag| !self.closed.tags.contains(&tag.tag));
        }
        tags
    }
}

/// How many packages one thread names at least: fewer are named before another begins.
const TOGETHER: usize = 64;

/// The packages, and a sentence for each place where one could stand and none is read.
pub fn find_packages(
    repository: &Repository,
    commit: &str,
    config_file: &ConfigFile,
    files: &mut Files<'_>,
    options: &Options,
) -> Result<(Vec<Found>, Vec<String>), SurveyError> {
    let config = &config_file.config;
    let patterns = globs(config.tables.workspace.packages.as_deref().unwrap_or_default());
    let reach = Reach::of(config, root_manifest(files)?);
    let manifests = read_manifests(repository, &patterns, &reach, files)?;
    let discovery = discover(config, &manifests.files).map_err(|problems| config_file.problems(problems))?;
    refuse_unreadable(&discovery, files)?;
    if discovery.packages.is_empty() {
        manifests.refuse_links(files)?;
        return Err(SurveyError::NoPackages { commit: commit.get(..8).unwrap_or(commit).to_owned() });
    }
    let misfits = config.misfits(&discovery.known(config));
    if !misfits.is_empty() {
        return Err(config_file.problems(misfits));
    }
    let is_single = discovery.is_single_root();
    let candidates = discovery.packages.into_par_iter().with_min_len(TOGETHER);
    let named: Vec<_> = candidates.map(|candidate| NamedPackage::of(config, is_single, candidate)).collect();
    let mut found = Vec::with_capacity(named.len());
    for package in named {
        found.push(read_package(files, package)?);
    }
    refuse_same_names(&found)?;
    if let Some(index) = &options.index {
        if config.index(index).is_none() {
            let known = config.index_names().into_iter().map(str::to_owned).collect();
            return Err(SurveyError::NoIndex { name: index.clone(), known });
        }
        for one in &mut found {
            one.settings.index = index.clone();
        }
    }
    Ok((found, manifests.passed_by))
}

/// No two packages may have one name.
fn refuse_same_names(found: &[Found]) -> Result<(), SurveyError> {
    let (mut names, mut shorts) = (HashMap::new(), HashMap::new());
    for (place, Found { package, .. }) in found.iter().enumerate() {
        let by_name = *names.entry(&package.name).or_insert(place);
        let first = by_name.min(*shorts.entry(&package.short).or_insert(place));
        if first < place {
            return Err(SurveyError::SameName {
                name: package.short.clone(),
                first: found[first].package.path.to_string(),
                second: package.path.to_string(),
            });
        }
    }
    Ok(())
}

pub fn graph(packages: &[Package]) -> Result<Graph, SurveyError> {
    let nodes: Vec<_> = packages
        .iter()
        .map(|package| (package.name.clone(), &package.manifest, package.path.clone()))
        .collect();
    Ok(Graph::build(&nodes)?)
}

/// The root's `pyproject.toml`, where it can be read.
fn root_manifest<'f>(files: &'f mut Files<'_>) -> Result<Option<&'f str>, GitError> {
    match files.bytes("pyproject.toml") {
        Ok(bytes) => Ok(bytes.and_then(|bytes| std::str::from_utf8(bytes).ok())),
        // A link: whoever needs it says so.
        Err(GitError::NotAFile { .. }) => Ok(None),
        Err(error) => Err(error),
    }
}

fn read_overrides(files: &mut Files<'_>) -> Result<Vec<Override>, SurveyError> {
    let mut overrides = Vec::new();
    for path in paths_in(files, ".release/overrides", ".toml")? {
        overrides.push(
            parse_override(&path, files.text(&path)?)
                .map_err(|problems| SurveyError::Correction { problems })?,
        );
    }
    Ok(overrides)
}

fn read_fragments(files: &mut Files<'_>) -> Result<Vec<Fragment>, SurveyError> {
    let mut fragments = Vec::new();
    for path in paths_in(files, ".release/changes", ".md")? {
        if !path.ends_with("/README.md") {
            let fragment = parse_fragment(&path, files.text(&path)?);
            fragments.push(fragment.map_err(|problems| SurveyError::Correction { problems })?);
        }
    }
    Ok(fragments)
}

fn paths_in(files: &Files<'_>, folder: &str, ending: &str) -> Result<Vec<String>, SurveyError> {
    let found = files.find(folder, &|_| true, &|path| path.ends_with(ending.as_bytes()))?;
    Ok(found.into_iter().filter_map(|file| String::from_utf8(file.path).ok()).collect())
}

fn read_templates(
    files: &mut Files<'_>,
    settings: &[PackageSettings],
) -> Result<Vec<Templates>, SurveyError> {
    let mut templates = Vec::new();
    for one in settings {
        let mut read = |path: &Option<String>| -> Result<Option<OwnTemplate>, SurveyError> {
            let Some(path) = path else { return Ok(None) };
            Ok(Some(OwnTemplate { name: path.clone(), text: files.text(path)?.to_owned() }))
        };
        let (notes, changelog) = (read(&one.notes.template)?, read(&one.notes.changelog_template)?);
        templates.push(Templates { notes, changelog });
    }
    Ok(templates)
}
