//! Compares many commits with their first parents: in batches, in the order in which their trees are packed,
//! on several threads where the history is long.

use std::sync::Arc;

use gix::ObjectId;
use rayon::iter::ParallelIterator;
use rayon::slice::ParallelSlice;

use crate::history::commit::PackageSet;
use crate::survey::walk::{Shared, WalkPackage};
use crate::survey::walk_compare::{Comparer, Comparison};
use crate::survey::walk_folders::Folders;
use crate::survey::walk_moves::vanished_folder;
use crate::world::git::Repository;
use crate::world::git_error::GitError;
use crate::world::objects::Objects;

/// A commit to compare with its first parent.
pub struct Job {
    /// The tree of the first parent.
    pub old: Option<ObjectId>,
    pub new: ObjectId,
    /// Of a merge it is only asked whether it changes anything.
    pub is_merge: bool,
    /// The packages that are asked about.
    pub open: Arc<PackageSet>,
    /// What was found already, where no package is taken to have moved; for these packages, and perhaps for more.
    pub early: Option<Comparison>,
}

/// Compares all commits, given newest first. Where a package appears, the folder that it left in the same
/// commit counts as its own for that commit and all older ones.
///
/// # Errors
/// Unreadable objects.
pub fn compare_all(
    repository: &Repository,
    packages: &[WalkPackage],
    shared: &[Shared],
    mut jobs: impl ExactSizeIterator<Item = Job>,
) -> Result<Vec<Comparison>, GitError> {
    let threads = if jobs.len() > LONG { rayon::current_num_threads().min(MOST_THREADS) } else { 1 };
    let folders = Folders::new(packages.iter().map(|package| package.path.as_str()));
    let objects = repository.objects();
    let mut batches = Batches { repository, objects, packages, shared, folders, threads, have_moved: false };
    let mut comparisons = Vec::with_capacity(jobs.len());
    while jobs.len() > 0 {
        let mut batch: Vec<Job> = jobs.by_ref().take(BATCH * threads).collect();
        comparisons.extend(batches.compare_and_follow(&mut batch)?);
    }
    Ok(comparisons)
}

/// Of more commits than these each thread takes a part: of fewer it costs more than it gains.
const LONG: usize = if cfg!(test) { 8 } else { 32 };
/// How many commits one thread takes at a time: each begins with nothing in its cache.
const BATCH: usize = if cfg!(test) { 16 } else { 2048 };
const MOST_THREADS: usize = 8;
/// How many neighbours are asked which of the two is packed closer to its base.
const SAMPLES: usize = 16;

struct Batches<'a> {
    repository: &'a Repository,
    objects: Objects,
    packages: &'a [WalkPackage],
    shared: &'a [Shared],
    folders: Folders,
    threads: usize,
    have_moved: bool,
}

impl Batches<'_> {
    /// Compares a batch, and what is older again wherever a package turns out to have moved.
    fn compare_and_follow(&mut self, batch: &mut [Job]) -> Result<Vec<Comparison>, GitError> {
        let early = batch.iter_mut().map(|job| job.early.take().filter(|_| !self.have_moved)).collect();
        let mut comparisons = self.complete(early, batch)?;
        let mut at = 0;
        while at < batch.len() {
            let appeared = std::mem::take(&mut comparisons[at].appeared);
            if self.follow_moves(&batch[at], &appeared)? {
                self.have_moved = true;
                comparisons.truncate(at);
                let rest: Vec<&Job> = batch[at..].iter().collect();
                comparisons.extend(self.compare_batch(&rest)?);
            }
            at += 1;
        }
        Ok(comparisons)
    }

    /// Compares what was not compared early.
    fn complete(&self, early: Vec<Option<Comparison>>, batch: &[Job]) -> Result<Vec<Comparison>, GitError> {
        let left: Vec<&Job> =
            batch.iter().zip(&early).filter(|(_, early)| early.is_none()).map(|(job, _)| job).collect();
        let mut compared = self.compare_batch(&left)?.into_iter();
        let complete = early.into_iter().zip(batch).map(|(early, job)| match early {
            Some(early) => early.within(&job.open),
            None => compared.next().unwrap_or_default(),
        });
        Ok(complete.collect())
    }

    /// Gives packages that appear in a commit the folders that they left in it; tells whether any did.
    fn follow_moves(&mut self, job: &Job, appeared: &[usize]) -> Result<bool, GitError> {
        let Some(old) = job.old else { return Ok(false) };
        let mut moved = false;
        for package in appeared {
            let name = &self.packages[*package].name;
            if let Some(folder) = vanished_folder(&self.objects, old, job.new, name)? {
                self.folders.give(&folder, *package);
                moved = true;
            }
        }
        Ok(moved)
    }

    fn compare_batch(&self, batch: &[&Job]) -> Result<Vec<Comparison>, GitError> {
        if self.threads == 1 || batch.len() <= LONG {
            return self.compare_in_turn(&self.objects, batch);
        }
        let (repository, layout) = (self.repository, Layout::of(self));
        // A reader is for one thread; each part makes its own.
        let parts = batch.par_chunks(batch.len().div_ceil(self.threads));
        let compared: Vec<Vec<Comparison>> = parts
            .map(|part| layout.compare_in_turn(&repository.objects(), part))
            .collect::<Result<_, GitError>>()?;
        Ok(compared.into_iter().flatten().collect())
    }

    fn compare_in_turn(&self, objects: &Objects, jobs: &[&Job]) -> Result<Vec<Comparison>, GitError> {
        Layout::of(self).compare_in_turn(objects, jobs)
    }
}

/// What threads share.
#[derive(Clone, Copy)]
struct Layout<'a> {
    packages: &'a [WalkPackage],
    shared: &'a [Shared],
    folders: &'a Folders,
}

impl<'a> Layout<'a> {
    fn of(batches: &'a Batches<'a>) -> Layout<'a> {
        Layout { packages: batches.packages, shared: batches.shared, folders: &batches.folders }
    }

    fn compare_in_turn(&self, objects: &Objects, jobs: &[&Job]) -> Result<Vec<Comparison>, GitError> {
        let Layout { packages, shared, folders } = *self;
        let mut comparer = Comparer { objects, packages, shared, folders };
        let mut compare = |job: &&Job| compare_one(&mut comparer, job);
        if oldest_first(objects, jobs.iter().copied()) {
            let mut comparisons: Vec<Comparison> =
                jobs.iter().rev().map(compare).collect::<Result<_, _>>()?;
            comparisons.reverse();
            return Ok(comparisons);
        }
        jobs.iter().map(&mut compare).collect()
    }
}

/// What one commit changes.
///
/// # Errors
/// Unreadable objects.
pub fn compare_one(comparer: &mut Comparer<'_>, job: &Job) -> Result<Comparison, GitError> {
    if job.is_merge {
        let empty = job.old == Some(job.new);
        return Ok(Comparison { empty, ..Comparison::default() });
    }
    comparer.compare(job.old, job.new, &job.open)
}

/// Whether older trees are nearer to the whole objects in the pack than newer ones. Then they are read
/// first, so that a newer one finds its base in the cache: packs of hosting servers are the other way round.
pub fn oldest_first<'j>(objects: &Objects, jobs: impl ExactSizeIterator<Item = &'j Job>) -> bool {
    let step = (jobs.len() / SAMPLES).max(1);
    let deeper = jobs.step_by(step).map(|job| {
        let old = job.old.map_or(0, |old| objects.delta_depth(&old));
        i32::from(objects.delta_depth(&job.new) > old) - i32::from(objects.delta_depth(&job.new) < old)
    });
    deeper.sum::<i32>() > 0
}
