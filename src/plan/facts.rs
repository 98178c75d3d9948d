//! All that a plan is made from, gathered by `survey`.

use std::collections::{BTreeMap, BTreeSet};

use crate::history::History;
use crate::history::fragment::Fragment;
use crate::history::overrides::Override;
use crate::plan::digest::Digest;
use crate::plan::{Assumed, Deploy};
use crate::version::number::Version;
use crate::workspace::config::settings::{GroupMode, PackageSettings};
use crate::workspace::graph::Graph;
use crate::workspace::package::Package;

/// What is true of the repository and its indexes at one moment.
#[derive(Debug)]
pub struct Facts {
    pub history: History,
    /// The packages, by folder; every other list of packages keeps this order.
    pub packages: Vec<Package>,
    /// The settings of each package.
    pub settings: Vec<PackageSettings>,
    pub graph: Graph,
    pub groups: BTreeMap<String, GroupMode>,
    /// The contents, on the planned commit, of every file that a release may edit; by git path.
    pub files: BTreeMap<String, Vec<u8>>,
    pub overrides: Vec<Override>,
    pub fragments: Vec<Fragment>,
    /// For each package the versions that its index holds.
    pub published: Vec<BTreeSet<Version>>,
    /// For each package the files that an index holds of it, and their digests; only for staleness.
    pub index_digest: Digest,
    pub config_digest: Digest,
    pub tags_digest: Digest,
    /// The branch checked out; none for a detached HEAD.
    pub branch: Option<String>,
    /// The remote's URL without credentials, for links.
    pub remote: Option<String>,
    /// The planned commit's date, `2026-11-24`.
    pub date: String,
    /// A user's own templates, by package: notes and changelog.
    pub templates: Vec<Templates>,
    /// The build front end: `uv` or `build`.
    pub frontend: String,
    /// What is done with releases at GitHub; none where nothing is.
    pub github: Option<GitHubReleases>,
    /// How pull requests and issues are told of releases; none where they are not.
    pub telling: Option<Telling>,
    /// The environment that a ship ends in.
    pub first: Option<Deploy>,
    pub warnings: Vec<String>,
    /// Commits of the history that do not exist, the lowest first.
    pub assumed: Vec<Assumed>,
    /// Versions already claimed or abandoned by an earlier ship: (short name, version).
    pub spent: BTreeSet<(String, String)>,
}

/// Releases at GitHub.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct GitHubReleases {
    /// The package whose highest stable release GitHub calls "latest"; none where no package's is.
    pub latest: Option<usize>,
    /// The highest stable version that any tag of that package names, on whatever line.
    pub highest: Option<Version>,
}

/// What pull requests and issues get after a release.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Telling {
    pub comment: bool,
    pub labels: Vec<String>,
}

/// A package's own templates.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Templates {
    pub notes: Option<OwnTemplate>,
    pub changelog: Option<OwnTemplate>,
}

/// A user's template: the file and its text.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct OwnTemplate {
    pub name: String,
    pub text: String,
}

/// What was asked for on the command line.
#[derive(Debug, Clone, Default)]
pub struct Request {
    /// Only these packages; none means all.
    pub only: Option<BTreeSet<usize>>,
    /// Make pre-releases with this label.
    pub pre: Option<crate::version::label::PreLabel>,
    /// Graduate pre-releases to their final version.
    pub graduate: bool,
    /// Steps to X.0.0 are allowed.
    pub allow_major: bool,
    /// Whom to believe where manifest and tag disagree.
    pub trust: Option<Trust>,
    /// Notes that people wrote in place of the rendered ones, by the package's short name.
    pub notes: BTreeMap<String, String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trust {
    Tag,
    Manifest,
}
