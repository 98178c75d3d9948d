//! Reads the history since the last releases: one walk over all commits for all packages.

use std::collections::HashMap;
use std::sync::Arc;

use globset::GlobSet;
use rayon::iter::{IndexedParallelIterator, IntoParallelRefIterator, ParallelExtend, ParallelIterator};

use crate::history::History;
use crate::history::commit::{Commit, PackageSet, VersionTag};
use crate::history::text::Text;
use crate::survey::tags::commit_of;
use crate::survey::walk_ahead::Ahead;
use crate::survey::walk_batches::{Job, compare_all};
use crate::survey::walk_compare::Comparison;
use crate::survey::walk_early::Early;
use crate::survey::walk_graph::Graph;
use crate::survey::walk_releases::Releases;
use crate::survey::walk_sets::{SetId, Sets};
use crate::world::commit_text::Words;
use crate::world::git::Repository;
use crate::world::git_error::GitError;
use crate::world::objects::parse_id;

/// What the walk has to know.
#[derive(Debug, Default)]
pub struct Walk {
    /// The commit that is planned on, in full.
    pub head: String,
    /// In the workspace's order.
    pub packages: Vec<WalkPackage>,
    /// Files that belong to several packages.
    pub shared: Vec<Shared>,
    /// Commits that are read already.
    pub ahead: Ahead,
}

/// What the walk has to know of a package.
#[derive(Debug, Clone, Default)]
pub struct WalkPackage {
    /// Its folder as git writes it; empty for the root. The longest folder owns a file.
    pub path: String,
    /// The distribution's name, normalised (PEP 503): by it a package is found again where it stood before
    /// it moved.
    pub name: String,
    /// All tags that name a release of it, in any order.
    pub version_tags: Vec<VersionTag>,
    /// Files in the folder whose changes release nothing; paths from the folder.
    pub ignore: GlobSet,
    /// Files besides `pyproject.toml` that hold the version; paths from the folder.
    pub version_files: Vec<String>,
    /// The changelog; path from the folder.
    pub changelog: Option<String>,
}

/// Patterns for files, from the repository's root, that belong to these packages besides their owner.
#[derive(Debug, Clone)]
pub struct Shared {
    pub patterns: GlobSet,
    pub packages: Vec<usize>,
}

/// Walks from a commit back to the last final release of each package.
///
/// A package's last release is its highest version tag on an ancestor of the commit; its last final
/// release is the highest that is no pre-release. What either holds is released. `tags` holds each
/// reachable tag from the last final release up; older ones only where the walk met them on its way, else
/// they stand in `older_tags`. `unreachable_tags` is filled where all of history had to be read;
/// `unreadable_tags` is left to the caller, who reads tag names.
///
/// # Errors
/// Unreadable objects; a clone too shallow or too partial for the question.
pub fn walk(repository: &Repository, walk: Walk) -> Result<History, GitError> {
    let objects = repository.objects();
    let Walk { head, mut packages, shared, ahead } = walk;
    let mut sets = Sets::new(packages.len());
    let tags = packages.iter_mut().map(|package| std::mem::take(&mut package.version_tags));
    let mut releases = Releases::new(tags)?;
    let head_id = parse_id(&head)?;
    let ((mut graph, exhausted), mut early) = Early::beside(repository, &packages, &shared, |early| {
        Graph::walk(&objects, ahead, early, head_id, &mut releases, &mut sets)
    })?;
    releases.meet_older(|commit| graph.holds(commit))?;
    let mut unreachable_tags = Vec::new();
    if exhausted {
        unreachable_tags = releases.forget_unreachable()?;
        if !unreachable_tags.is_empty() {
            graph.spread_again(&mut releases, &mut sets);
            early.clear();
        }
    }
    let (tags, older_tags) = releases.into_met();
    Ok(History {
        commits: read_commits(repository, graph, early, &sets, &packages, &shared)?,
        head: commit_of(&head_id),
        tags,
        older_tags,
        unreadable_tags: Vec::new(),
        unreachable_tags,
    })
}

fn read_commits(
    repository: &Repository,
    mut graph: Graph,
    mut early: Vec<Option<Comparison>>,
    sets: &Sets,
    packages: &[WalkPackage],
    shared: &[Shared],
) -> Result<Vec<Commit>, GitError> {
    graph.meet_no_more();
    let order = graph.unreleased();
    let mut members = Members::new();
    for number in &order {
        let set = graph.nodes[*number as usize].set;
        members.entry(set).or_insert_with(|| (sets.unreleased(set), sets.since_final(set)));
    }
    let job = |number: &u32| Job {
        early: early.get_mut(*number as usize).and_then(Option::take),
        ..graph.job(*number, members[&graph.nodes[*number as usize].set].1.clone())
    };
    let comparisons = compare_all(repository, packages, shared, order.iter().map(job))?;
    drop(early);
    Ok(put_together(graph, &order, comparisons, &members))
}

/// The packages that do not hold the commits of a set: by their last release, and by their last final one.
type Members = HashMap<SetId, (Arc<PackageSet>, Arc<PackageSet>)>;

/// The commits, of all that was found out about each.
fn put_together(
    mut graph: Graph,
    order: &[u32],
    comparisons: Vec<Comparison>,
    members: &Members,
) -> Vec<Commit> {
    let mainline = graph.mainline();
    let mut comparisons = comparisons.into_iter();
    let mut commits = Vec::with_capacity(order.len());
    for part in order.chunks(PART) {
        let words = part.iter().map(|number| std::mem::take(&mut graph.nodes[*number as usize].words));
        let words: Vec<Words<Text>> = words.collect();
        let comparisons: Vec<Comparison> = comparisons.by_ref().take(part.len()).collect();
        let graph = &graph;
        let read = part.par_iter().with_min_len(TOGETHER).zip(comparisons).zip(words);
        commits.par_extend(read.map(|((number, comparison), words)| {
            let node = &graph.nodes[*number as usize];
            let parents = graph.parents(*number).iter();
            let (unreleased, since_final) = members[&node.set].clone();
            Commit {
                id: commit_of(&node.id),
                parents: parents.map(|one| commit_of(&graph.nodes[*one as usize].id)).collect(),
                author: words.author,
                time: node.time,
                message: words.message,
                lossy: words.lossy,
                mainline: mainline[*number as usize],
                empty: comparison.empty,
                outside: comparison.outside,
                touches: comparison.touches,
                unreleased,
                since_final,
            }
        }));
    }
    commits
}

/// How many commits are put together at once: what they are made from goes meanwhile.
const PART: usize = if cfg!(test) { 8 } else { 8192 };
/// How many commits one thread puts together at least: fewer are made before another begins.
const TOGETHER: usize = 256;

#[cfg(test)]
mod random_tests;
#[cfg(test)]
mod tests;
