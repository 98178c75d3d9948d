//! Compares commits while the walk goes on: what a commit is compared with is known as soon as its parents are read.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};

use crate::history::commit::PackageSet;
use crate::survey::walk::{Shared, WalkPackage};
use crate::survey::walk_batches::{Job, compare_one, oldest_first};
use crate::survey::walk_compare::{Comparer, Comparison};
use crate::survey::walk_folders::Folders;
use crate::survey::walk_sets::{SetId, Sets};
use crate::world::beside::apart;
use crate::world::git::Repository;
use crate::world::git_error::GitError;

/// Takes commits to compare, by their number.
#[derive(Default)]
pub struct Early {
    asked: Option<Sender<Batch>>,
    batch: Batch,
    open: HashMap<SetId, Arc<PackageSet>>,
}

type Batch = Vec<(u32, Job)>;

/// How many commits are handed over at once.
const BATCH: usize = 16;

impl Early {
    /// Compares beside some work what that work asks for, as far as it comes until the work is done; by the commits'
    /// numbers. On one processor nothing.
    ///
    /// # Errors
    /// Those of the work; what can not be compared is left to whoever needs it.
    pub fn beside<T>(
        repository: &Repository,
        packages: &[WalkPackage],
        shared: &[Shared],
        work: impl FnOnce(&mut Early) -> Result<T, GitError>,
    ) -> Result<(T, Vec<Option<Comparison>>), GitError> {
        if rayon::current_num_threads() == 1 {
            return Ok((work(&mut Early::default())?, Vec::new()));
        }
        let (sender, asked) = channel();
        let is_over = AtomicBool::new(false);
        let here = || {
            let mut early = Early { asked: Some(sender), ..Early::default() };
            let worked = work(&mut early);
            is_over.store(true, Ordering::Relaxed);
            worked
        };
        let (worked, compared) = apart(here, || compare(repository, packages, shared, asked, &is_over));
        Ok((worked?, compared))
    }

    /// Asks for a commit, given what it is compared with for the packages that are in question. These may be more than
    /// in the end, never fewer.
    pub fn ask(&mut self, number: u32, set: SetId, sets: &Sets, job: impl FnOnce(Arc<PackageSet>) -> Job) {
        let Some(asked) = &self.asked else { return };
        let open = self.open.entry(set).or_insert_with(|| sets.since_final(set));
        self.batch.push((number, job(open.clone())));
        if self.batch.len() == BATCH && asked.send(std::mem::take(&mut self.batch)).is_err() {
            self.asked = None;
        }
    }
}

fn compare(
    repository: &Repository,
    packages: &[WalkPackage],
    shared: &[Shared],
    asked: Receiver<Batch>,
    is_over: &AtomicBool,
) -> Vec<Option<Comparison>> {
    let folders = Folders::new(packages.iter().map(|package| package.path.as_str()));
    let objects = repository.objects();
    let mut comparer = Comparer { objects: &objects, packages, shared, folders: &folders };
    let mut compared = Vec::new();
    for (number, batch) in asked.iter().enumerate() {
        // In the walk's order each tree would be resolved from its far end again and again.
        if number == 0 && oldest_first(&objects, batch.iter().map(|(_, job)| job)) {
            break;
        }
        for (number, job) in batch {
            let number = number as usize;
            if is_over.load(Ordering::Relaxed) {
                return compared;
            }
            let Ok(comparison) = compare_one(&mut comparer, &job) else { return compared };
            if compared.len() <= number {
                compared.resize_with(number + 1, || None);
            }
            compared[number] = Some(comparison);
        }
    }
    compared
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::survey::walk_batches::compare_all;
    use crate::world::objects::parse_id;
    use crate::world::testing::TestRepository;

    fn package(path: &str) -> WalkPackage {
        WalkPackage { path: path.to_owned(), name: path.to_owned(), ..WalkPackage::default() }
    }

    /// Jobs for these commits, newest first, each compared with the one after it.
    fn jobs(repository: &Repository, commits: &[String]) -> Vec<Job> {
        let objects = repository.objects();
        let trees: Vec<_> = commits.iter().map(|commit| objects.tree_of(commit).unwrap()).collect();
        let open: Arc<PackageSet> = Arc::new([0, 1].into_iter().collect());
        let pairs = trees.iter().zip(trees.iter().skip(1).map(Some).chain([None]));
        pairs
            .map(|(new, old)| {
                let open = open.clone();
                Job { old: old.copied(), new: *new, is_merge: false, open, early: None }
            })
            .collect()
    }

    fn commits() -> (TestRepository, Vec<String>) {
        let repository = TestRepository::init();
        let paths = ["a/1", "b/1", "c", "a/2", "b/2"];
        let mut commits: Vec<String> =
            paths.iter().map(|path| repository.change(path, "1", "feat: x")).collect();
        commits.reverse();
        (repository, commits)
    }

    fn touched(comparison: &Comparison) -> (bool, Vec<usize>) {
        (comparison.outside, comparison.touches.iter().map(|touch| touch.package).collect())
    }

    #[test]
    fn what_is_compared_early_is_what_is_compared_late() {
        let (repository, commits) = commits();
        let opened = repository.open();
        let packages = ["a", "b"].map(package);
        let compared = |is_over: bool| {
            let (sender, asked) = channel();
            for (number, job) in (0..).zip(jobs(&opened, &commits)) {
                sender.send(vec![(2 * number, job)]).unwrap();
            }
            drop(sender);
            compare(&opened, &packages, &[], asked, &AtomicBool::new(is_over))
        };
        assert!(compared(true).is_empty());
        let early = compared(false);
        assert_eq!(early.iter().map(Option::is_some).collect::<Vec<_>>(), [true, false].repeat(5)[..9]);
        let late = compare_all(&opened, &packages, &[], jobs(&opened, &commits).into_iter()).unwrap();
        assert_eq!(
            early.iter().flatten().map(touched).collect::<Vec<_>>(),
            late.iter().map(touched).collect::<Vec<_>>()
        );
        assert_eq!(touched(&late[0]), (false, vec![1]));
        assert_eq!(touched(&late[2]), (true, vec![]));
    }

    #[test]
    fn fewer_packages_are_asked_about_in_the_end() {
        let (repository, commits) = commits();
        let opened = repository.open();
        let packages = ["a", "b"].map(package);
        let all = jobs(&opened, &[commits[0].clone()]).into_iter();
        let comparison = compare_all(&opened, &packages, &[], all).unwrap().pop().unwrap();
        assert_eq!(touched(&comparison), (true, vec![0, 1]));
        let mut job = jobs(&opened, &[commits[0].clone()]).pop().unwrap();
        job.open = Arc::new([1].into_iter().collect());
        job.early = Some(comparison);
        let within = compare_all(&opened, &packages, &[], [job].into_iter()).unwrap().pop().unwrap();
        assert_eq!(touched(&within), (true, vec![1]));
    }

    #[test]
    fn what_can_not_be_compared_is_left() {
        let (repository, commits) = commits();
        let opened = repository.open();
        let lost = parse_id(&"1".repeat(40)).unwrap();
        let (sender, asked) = channel();
        let mut all = jobs(&opened, &commits);
        all[1].old = Some(lost);
        for (number, job) in (0..).zip(all) {
            sender.send(vec![(number, job)]).unwrap();
        }
        drop(sender);
        let compared = compare(&opened, &["a", "b"].map(package), &[], asked, &AtomicBool::new(false));
        assert_eq!(compared.len(), 1);
        let failed =
            Early::beside(&opened, &[], &[], |_| Err::<(), _>(opened.objects().tree(&lost).unwrap_err()));
        assert!(failed.is_err());
    }
}
