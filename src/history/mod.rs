//! What happened in the repository: commits, what they say, which packages they touched, tags.
//!
//! Knows messages and commits as plain data. Does not know how git is read, nor what a package is:
//! packages are numbers here, places in the workspace's list.

pub mod commit;
pub mod condensed;
pub mod entry;
pub mod footer;
pub mod fragment;
pub mod header;
pub mod known;
pub mod lines;
pub mod overrides;
pub mod problem;
pub mod reader;
pub mod reference;
pub mod revert;
pub mod squash;
pub mod text;

use crate::history::commit::{Commit, CommitId, VersionTag};

/// The part of a repository's history that a plan reads.
#[derive(Debug, Clone)]
pub struct History {
    /// The commit that is planned on.
    pub head: CommitId,
    /// Commits not yet in the last final release of at least one package, newest first
    /// (children before parents).
    pub commits: Vec<Commit>,
    /// For each package of the workspace its version tags reachable from `head`, highest first: all from the last final
    /// release up, and older ones that were met on the way.
    pub tags: Vec<Vec<VersionTag>>,
    /// Its version tags that were not met, highest first: below the last final release, reachable or not.
    pub older_tags: Vec<Vec<VersionTag>>,
    /// Tags in the form of a package whose version does not parse: (tag, package).
    pub unreadable_tags: Vec<(String, usize)>,
    /// Version tags of packages that stand on commits not reachable from `head`: (tag, package).
    pub unreachable_tags: Vec<(String, usize)>,
}

impl History {
    /// All version tags of a package, whether they are known to be reachable or not.
    pub fn version_tags(&self, package: usize) -> impl Iterator<Item = &VersionTag> {
        self.tags[package].iter().chain(&self.older_tags[package])
    }
}
