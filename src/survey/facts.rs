//! Gathers everything a plan is made from.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::time::Duration;

use globset::{GlobBuilder, GlobSet, GlobSetBuilder};

use crate::history::History;
use crate::history::commit::VersionTag;
use crate::plan::assume::Assumption;
use crate::plan::digest::Digest;
use crate::plan::facts::{Facts, GitHubReleases, Telling};
use crate::render::index_page::Page;
use crate::survey::assumed::assume;
use crate::survey::closed::ClosedReleases;
use crate::survey::config_file::{ConfigFile, config_of_commit, find_config};
use crate::survey::environments::{EnvironmentSettings, environments, first};
use crate::survey::error::SurveyError;
use crate::survey::inside::index_folders;
use crate::survey::inventory::{Inventory, Rest, read_rest, take_inventory};
use crate::survey::merging::Merging;
use crate::survey::packages::Files;
use crate::survey::walk::{Shared, Walk, WalkPackage, walk};
use crate::survey::walk_ahead::{Ahead, Listed};
use crate::survey::withdrawn::{Withdrawn, withdrawn};
use crate::version::number::Version;
use crate::workspace::config::hook::HookTable;
use crate::workspace::config::pull_request::PullRequestTable;
use crate::workspace::config::settings::PackageSettings;
use crate::workspace::config::workflows::WorkflowsTable;
use crate::workspace::config::{Config, Index};
use crate::workspace::file_name::FileName;
use crate::workspace::name::normalize;
use crate::workspace::package::Package;
use crate::workspace::source::VersionSource;
use crate::world::beside::{apart, beside};
use crate::world::clock;
use crate::world::git::{Head, Repository};

/// What a survey is asked for.
#[derive(Debug, Clone, Default)]
pub struct Options {
    pub directory: PathBuf,
    pub config: Option<PathBuf>,
    /// Publish to this index instead of the configured ones.
    pub index: Option<String>,
    /// What was given up for good, from the ledger itself; without it, as this repository last saw it.
    pub closed: Option<ClosedReleases>,
    /// Commits to plan with as if they stood on top, the first one lowest.
    pub assumed: Vec<Assumption>,
    /// The commit to plan on in place of HEAD, with the configuration that it holds.
    pub at: Option<String>,
    /// HEAD is the trial merge of a pull request, which will be merged like this.
    pub merging: Option<Merging>,
}

/// The repository as it was found.
pub struct Survey {
    pub repository: Repository,
    pub facts: Facts,
    /// The folder of each directory index, by name.
    pub indexes: BTreeMap<String, PathBuf>,
    /// The indexes that take uploads, by name.
    pub uploads: BTreeMap<String, Index>,
    /// Whether packages may share what they are built in.
    pub shared_builds: bool,
    /// How long one build may take, where the configuration says it.
    pub build_timeout: Option<Duration>,
    /// The folder for built files, where the configuration names one.
    pub stash: Option<PathBuf>,
    /// Where releases run, by name.
    pub environments: BTreeMap<String, EnvironmentSettings>,
    /// Who is told how deployments go.
    pub hooks: Vec<HookTable>,
    /// How releases become pull requests, where they do.
    pub pull_request: Option<PullRequestTable>,
    /// Which workflows are written, and how.
    pub workflows: WorkflowsTable,
    branch_wanted: Option<String>,
}

/// Reads the repository, its configuration, history, tags and indexes.
///
/// # Errors
/// Where something can not be read or understood; nothing is changed.
pub fn survey(options: &Options) -> Result<Survey, SurveyError> {
    let repository = Repository::open(&options.directory)?;
    let mut head = repository.head()?;
    if let Some(at) = &options.at {
        head.commit.clone_from(at);
    }
    let from = walked_from(options, &head.commit).to_owned();
    Ahead::beside(&repository, &from, |tags, ahead| {
        gather(options, repository.clone(), head, &from, tags, ahead)
    })
}

/// Reads all but the list of tags, which comes from elsewhere, as do the commits that are read ahead back from `from`.
fn gather(
    options: &Options,
    repository: Repository,
    head: Head,
    from: &str,
    tags: Listed,
    ahead: Ahead,
) -> Result<Survey, SurveyError> {
    let (objects, config_file) = repository.objects_beside(|| match (&options.at, &options.config) {
        (Some(_), None) => None,
        (_, named) => Some(find_config(repository.root(), named.as_deref())),
    });
    let mut files = Files::of(&objects, &head.commit);
    let config_file = config_file.unwrap_or_else(|| config_of_commit(&mut files))?;
    let config = &config_file.config;
    let walking = |inventory: &Inventory, tags, ahead| Walk {
        head: from.to_owned(),
        packages: walk_packages(&inventory.packages, &inventory.settings, tags),
        shared: shared(config, &inventory.packages),
        ahead,
    };
    let mut inventory = take_inventory(&repository, &head.commit, &config_file, &mut files, tags, options)?;
    let github = github_releases(config, &inventory);
    let counted = std::mem::take(&mut inventory.version_tags.found);
    let first_walk = walking(&inventory, counted, ahead);
    let (packages, settings) = (&inventory.packages, &inventory.settings);
    // What else the commit holds is read while history is.
    let here = || {
        let rest = read_rest(&repository, &mut files, packages, settings)?;
        Ok::<_, SurveyError>((config_digest(&config_file, &rest), rest))
    };
    // Where history is read to its beginning, much memory is given back only as the thread that used it ends.
    let is_long = first_walk.packages.iter().any(|package| package.version_tags.is_empty());
    let there = || walk(&repository, first_walk);
    let (rest, walked) = if is_long { apart(here, there) } else { beside(here, there) };
    let ((config_digest, rest), mut walked) = (rest?, walked?);
    let mut warnings = std::mem::take(&mut inventory.warnings);
    let taken_back = withdrawn(&objects, &walked)?;
    if !taken_back.is_empty() {
        let mut counted = inventory.count_tags().found;
        for one in &taken_back {
            counted[one.package].retain(|tag| tag.tag != one.tag);
            let short = &inventory.packages[one.package].short;
            let Withdrawn { tag, by, .. } = one;
            warnings
                .push(format!("commit {by} reverts the release `{tag}` of {short}: the tag is not counted"));
        }
        walked = walk(&repository, walking(&inventory, counted, Ahead::default()))?;
        // Its number stays used.
        walked.unreachable_tags.extend(taken_back.into_iter().map(|one| (one.tag, one.package)));
    }
    walked.unreadable_tags = std::mem::take(&mut inventory.version_tags.unreadable);
    let (packages, settings) = (&inventory.packages, &inventory.settings);
    let indexes = index_folders(config, repository.root())?;
    let (published, index_digest) = published(packages, settings, &indexes)?;
    let date = clock::day(objects.commit_time(&head.commit)?);
    for (tag, package) in &walked.unreadable_tags {
        warnings.push(format!(
            "tag `{tag}` looks like one of {}, but its version does not read",
            packages[*package].short
        ));
    }
    warnings.append(&mut inventory.passed_by);
    let environments = environments(config, packages, settings, &rest.graph)?;
    let mut facts = Facts {
        first: first(&environments),
        github,
        telling: telling(config),
        tags_digest: tags_digest(packages, &walked),
        history: walked,
        graph: rest.graph,
        groups: config.groups(),
        files: files.into_read(),
        overrides: rest.overrides,
        fragments: rest.fragments,
        published,
        index_digest,
        config_digest,
        branch: head.branch,
        remote: repository.remote_url("origin"),
        date,
        templates: rest.templates,
        frontend: config.frontend().as_str().to_owned(),
        warnings,
        assumed: Vec::new(),
        spent: inventory.closed.numbers,
        packages: inventory.packages,
        settings: inventory.settings,
    };
    if options.merging.is_some() || !options.assumed.is_empty() {
        let untagged = vec![Vec::new(); facts.packages.len()];
        let packages = walk_packages(&facts.packages, &facts.settings, untagged);
        let shared = shared(config, &facts.packages);
        if let Some(merging) = &options.merging {
            merging.shape(&head.commit, &mut facts, &repository, &packages, &shared)?;
        }
        assume(&mut facts, &options.assumed, &packages, &shared)?;
    }
    Ok(Survey {
        pull_request: config.pull_request().cloned(),
        branch_wanted: config.branch().map(str::to_owned),
        shared_builds: config.has_shared_builds(),
        build_timeout: config.build_timeout(),
        stash: config.tables.build.stash.as_ref().map(|folder| repository.root().join(folder)),
        uploads: uploads(config),
        environments,
        hooks: config.tables.hook.clone(),
        workflows: config.tables.workflows.clone(),
        indexes,
        facts,
        repository,
    })
}

fn walked_from<'o>(options: &'o Options, head: &'o str) -> &'o str {
    options.merging.as_ref().map_or(head, |merging| merging.walked(head))
}

impl Survey {
    /// Files that no commit holds: changed ones anywhere, unknown ones inside packages or beside the configuration.
    ///
    /// # Errors
    /// Where git can not tell.
    pub fn dirty_files(&self) -> Result<Vec<String>, SurveyError> {
        let dirty = self.repository.dirty_files()?;
        let mut names: Vec<String> = dirty.changed.iter().map(|path| shown(path)).collect();
        names.extend(dirty.untracked.iter().map(|path| shown(path)));
        names.sort();
        names.dedup();
        Ok(names)
    }

    /// The releases of a package on this line that are wanted, highest version first. Whether an older one is on it is
    /// found out as it comes.
    pub fn released(
        &self,
        package: usize,
        wanted: impl Fn(&VersionTag) -> bool,
    ) -> impl Iterator<Item = &VersionTag> {
        let History { head, tags, older_tags, .. } = &self.facts.history;
        let met = tags[package].iter().map(|tag| (tag, true));
        let all = met.chain(older_tags[package].iter().map(|tag| (tag, false)));
        let mut wanted: Vec<(&VersionTag, bool)> = all.filter(|(tag, _)| wanted(tag)).collect();
        wanted.sort_by(|(one, _), (other, _)| other.version.cmp(&one.version));
        let is_here = move |tag: &VersionTag| {
            // Where nobody can tell, it is on no line that is known here.
            self.repository.is_ancestor(&tag.commit.to_string(), &head.to_string()).unwrap_or(false)
        };
        wanted.into_iter().filter(move |(tag, met)| *met || is_here(tag)).map(|(tag, _)| tag)
    }

    /// The branch that releases are made from, as far as anything says it.
    pub fn main_branch(&self) -> String {
        self.branch_wanted.clone().unwrap_or_else(|| "main".to_owned())
    }

    /// # Errors
    /// Where another branch is checked out than the one that releases are made on.
    pub fn refuse_other_branch(&self) -> Result<(), SurveyError> {
        match (&self.branch_wanted, &self.facts.branch) {
            (Some(wanted), Some(found)) if wanted != found => {
                Err(SurveyError::Branch { wanted: wanted.clone(), found: found.clone() })
            }
            _ => Ok(()),
        }
    }
}

/// What is done with releases at GitHub.
fn github_releases(config: &Config, inventory: &Inventory) -> Option<GitHubReleases> {
    config.github().filter(|github| github.releases())?;
    let packages = inventory.packages.iter();
    let known = packages.map(|one| (one.name.clone(), one.short.clone(), one.path.clone()));
    let latest = config.latest_of(&known.collect::<Vec<_>>());
    let tags = latest.into_iter().flat_map(|package| &inventory.version_tags.found[package]);
    let finals = tags.map(|tag| &tag.version).filter(|version| !version.is_prerelease());
    Some(GitHubReleases { latest, highest: finals.max().cloned() })
}

/// How pull requests and issues are told of releases.
fn telling(config: &Config) -> Option<Telling> {
    let github = config.github()?;
    let telling = Telling { comment: github.comment, labels: github.labels.clone() };
    (telling != Telling::default()).then_some(telling)
}

/// The indexes that take uploads.
fn uploads(config: &Config) -> BTreeMap<String, Index> {
    let names = config.index_names().into_iter();
    let found = names.filter_map(|name| Some((name.to_owned(), config.index(name)?)));
    found.filter(|(_, index)| matches!(index, Index::Remote { .. })).collect()
}

pub fn walk_packages(
    packages: &[Package],
    settings: &[PackageSettings],
    tags: Vec<Vec<VersionTag>>,
) -> Vec<WalkPackage> {
    let all = packages.iter().zip(settings).zip(tags);
    all.map(|((package, settings), version_tags)| {
        let mut version_files = settings.version_files.clone();
        if let VersionSource::File { path, .. } = &package.source {
            version_files.push(path.clone());
        }
        WalkPackage {
            path: package.path.as_git().to_owned(),
            name: package.name.to_string(),
            version_tags,
            ignore: globs(&settings.versioning.ignore),
            version_files,
            changelog: settings.notes.changelog.clone(),
        }
    })
    .collect()
}

pub fn shared(config: &Config, packages: &[Package]) -> Vec<Shared> {
    let named = |package: &Package, names: &[String]| {
        names.iter().any(|name| {
            normalize(name) == normalize(&package.short) || normalize(name) == package.name.as_str()
        })
    };
    config
        .tables
        .workspace
        .shared
        .iter()
        .map(|(pattern, names)| Shared {
            patterns: globs(std::slice::from_ref(pattern)),
            packages: (0..packages.len()).filter(|index| named(&packages[*index], names)).collect(),
        })
        .collect()
}

/// Patterns that the configuration has checked already.
pub fn globs(patterns: &[String]) -> GlobSet {
    let mut set = GlobSetBuilder::new();
    for pattern in patterns {
        if let Ok(glob) = GlobBuilder::new(pattern).literal_separator(true).build() {
            set.add(glob);
        }
    }
    set.build().unwrap_or_default()
}

/// What the directory indexes hold of each package, and a digest over it.
fn published(
    packages: &[Package],
    settings: &[PackageSettings],
    indexes: &BTreeMap<String, PathBuf>,
) -> Result<(Vec<BTreeSet<Version>>, Digest), SurveyError> {
    let mut all = Vec::new();
    let mut text = String::new();
    // Most often none was published to yet, here: no package is looked for in it.
    let begun: BTreeSet<&PathBuf> =
        indexes.values().filter(|folder| folder.join("simple").exists()).collect();
    for (package, settings) in packages.iter().zip(settings) {
        let mut versions = BTreeSet::new();
        let known = indexes.get(&settings.index).filter(|folder| begun.contains(*folder));
        if let Some(page) = known.and_then(|folder| page(folder, package).transpose()) {
            for file in page?.files {
                text.push_str(&format!("{} {}\n", file.filename, file.sha256));
                versions.extend(FileName::parse(&file.filename).map(|name| name.version().clone()));
            }
        }
        all.push(versions);
    }
    Ok((all, Digest::of(text.as_bytes())))
}

/// The page of a package in a directory index; none where the index does not know it.
fn page(index: &Path, package: &Package) -> Result<Option<Page>, SurveyError> {
    let path = index.join("simple").join(package.name.as_str()).join("index.json");
    let failed = |reason: String| SurveyError::Index { package: package.short.clone(), reason };
    match std::fs::read(&path) {
        Ok(bytes) => {
            Page::parse(&bytes).map(Some).map_err(|error| failed(format!("{}: {error}", path.display())))
        }
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(failed(format!("{}: {error}", path.display()))),
    }
}

fn config_digest(config_file: &ConfigFile, rest: &Rest) -> Digest {
    let Rest { overrides, fragments, templates, .. } = rest;
    Digest::of(format!("{}\n{overrides:?}\n{fragments:?}\n{templates:?}", config_file.text).as_bytes())
}

fn tags_digest(packages: &[Package], history: &History) -> Digest {
    let mut text = String::new();
    for (package, tags) in packages.iter().zip(&history.tags) {
        for tag in tags {
            for part in [&package.short, " ", &tag.tag, " "] {
                text.push_str(part);
            }
            tag.commit.push_to(&mut text);
            text.push('\n');
        }
    }
    Digest::of(text.as_bytes())
}

/// A path for people: what is not UTF-8 is replaced.
fn shown(path: &[u8]) -> String {
    String::from_utf8_lossy(path).into_owned()
}
