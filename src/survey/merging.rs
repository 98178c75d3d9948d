//! The history that a branch will have once a pull request is merged, from the merge that a forge makes to try it.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use crate::history::commit::{CommitId, PackageSet};
use crate::plan::assume::stand_on_top;
use crate::plan::facts::Facts;
use crate::plan::merges::brought_by_merges;
use crate::survey::error::SurveyError;
use crate::survey::walk::{Shared, WalkPackage};
use crate::survey::walk_batches::{Job, compare_all};
use crate::workspace::config::merge_method::MergeMethod;
use crate::world::git::Repository;
use crate::world::git_error::GitError;

/// How the pull request will be merged, and what the commit that does it will say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Merging {
    pub how: MergeMethod,
    /// The tip of the branch that is merged into, in full.
    pub base: String,
    /// The message of the merge, or of the squashed commit.
    pub message: String,
}

impl Merging {
    /// The commit whose history is read: all of a squashed branch is one commit that does not exist yet.
    pub fn walked<'m>(&'m self, head: &'m str) -> &'m str {
        match self.how {
            MergeMethod::Squash => &self.base,
            MergeMethod::Merge | MergeMethod::Rebase => head,
        }
    }

    /// Turns the history of the trial merge into the one that will be.
    ///
    /// # Errors
    /// Unreadable objects.
    pub fn shape(
        &self,
        head: &str,
        facts: &mut Facts,
        repository: &Repository,
        packages: &[WalkPackage],
        shared: &[Shared],
    ) -> Result<(), SurveyError> {
        match self.how {
            MergeMethod::Merge => self.name(head, facts),
            MergeMethod::Rebase => line_up(head, facts),
            MergeMethod::Squash => self.squash(head, facts, repository, packages, shared)?,
        }
        Ok(())
    }

    fn name(&self, head: &str, facts: &mut Facts) {
        let head = CommitId::of(head);
        if let Some(merge) = facts.history.commits.iter_mut().find(|commit| commit.id == head) {
            merge.message = self.message.as_str().into();
        }
    }

    fn squash(
        &self,
        head: &str,
        facts: &mut Facts,
        repository: &Repository,
        packages: &[WalkPackage],
        shared: &[Shared],
    ) -> Result<(), GitError> {
        let objects = repository.objects();
        let open: Arc<PackageSet> = Arc::new((0..packages.len()).collect());
        let (old, new) = (objects.tree_of(&self.base)?, objects.tree_of(head)?);
        let job = Job { old: Some(old), new, is_merge: false, open, early: None };
        let compared =
            compare_all(repository, packages, shared, [job].into_iter())?.pop().unwrap_or_default();
        stand_on_top(facts, &self.message, &[], compared.touches, &[]);
        if let Some(commit) = facts.history.commits.first_mut() {
            (commit.empty, commit.outside) = (compared.empty, compared.outside);
        }
        Ok(())
    }
}

/// A rebased branch is a line of its commits, without merges.
fn line_up(head: &str, facts: &mut Facts) {
    let (commits, head) = (&mut facts.history.commits, CommitId::of(head));
    let Some(merge) = commits.iter().position(|commit| commit.id == head) else { return };
    let places: HashMap<&CommitId, usize> =
        (0..).zip(commits.iter()).map(|(place, commit)| (&commit.id, place)).collect();
    let merges = brought_by_merges(commits, &places).into_iter();
    let brought: BTreeSet<usize> =
        merges.filter(|(place, _)| *place == merge).flat_map(|(_, brought)| brought).collect();
    let mut place = 0;
    commits.retain_mut(|commit| {
        let is_brought = brought.contains(&place);
        let is_merge = commit.parents.len() > 1;
        commit.mainline |= is_brought;
        place += 1;
        !(is_merge && (is_brought || place == merge + 1))
    });
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::testing::Repo;

    fn branch() -> Facts {
        let side =
            |message: &str, repo: Repo| repo.commit_with(message, &["core"], |one| one.mainline = false);
        let repo = Repo::default().package("core", "1.0.0").commit("feat: begin", &["core"]).released();
        let repo = side("feat: two\n\nRelease-As: 3.0.0", side("fix: one", repo));
        repo.commit_with("Merge 3 into 1", &[], |merge| {
            merge.parents = [CommitId::of("abcd0001"), merge.parents[0].clone()].into();
        })
        .facts()
    }

    #[test]
    fn a_rebased_branch_is_a_line_without_its_merge() {
        let mut facts = branch();
        let head = facts.history.head.to_string();
        line_up(&head, &mut facts);
        let told: Vec<(&str, bool)> =
            facts.history.commits.iter().map(|one| (one.message.as_str(), one.mainline)).collect();
        assert_eq!(told, [("feat: two\n\nRelease-As: 3.0.0", true), ("fix: one", true)]);
    }

    #[test]
    fn what_a_branch_brought_before_is_not_lined_up_again() {
        let repo = Repo::default().package("core", "1.0.0").commit("feat: begin", &["core"]).released();
        let before = repo.side("fix: one", "core", 1).merge("Merge x", [1, 2]);
        let mut facts = before.side("fix: two", "core", 2).merge("Merge x", [3, 4]).facts();
        let head = facts.history.head.to_string();
        line_up(&head, &mut facts);
        let told: Vec<(&str, bool)> =
            facts.history.commits.iter().map(|one| (one.message.as_str(), one.mainline)).collect();
        assert_eq!(told, [("fix: two", true), ("Merge x", true), ("fix: one", false)]);
    }

    #[test]
    fn a_merge_says_what_it_will_say() {
        let mut facts = branch();
        let head = facts.history.head.to_string();
        let message = "Merge pull request #3 from a/b\n\nfeat: all".to_owned();
        Merging { how: MergeMethod::Merge, base: String::new(), message: message.clone() }
            .name(&head, &mut facts);
        assert_eq!(*facts.history.commits[0].message, message);
        assert!(!facts.history.commits[1].mainline);
    }
}
