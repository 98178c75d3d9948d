//! The claim: branch and tags in one transaction, all or none; on a remote in one atomic push with the ledger.

use std::collections::BTreeMap;

use crate::apply::crash;
use crate::apply::effect::{Evidence, Job, StepError};
use crate::apply::workshop::Workshop;
use crate::ledger::state::Ship;
use crate::plan::Plan;
use crate::plan::step::{Action, FileEdit};
use crate::world::git::{Person, Repository};
use crate::world::git_error::GitError;
use crate::world::push::{RefMove, push_refs};
use crate::world::refs::{Expected as At, RefUpdate};
use crate::world::remote_refs::{fetch, remote_refs};
use crate::world::write::Stamp;

/// Moves the branch and creates the tags of this repository, then brings the work tree along.
///
/// # Errors
/// `LostRace` where a ref stands elsewhere; nothing is moved then.
pub fn claim_here(job: &Job, workshop: &Workshop, branch: &str) -> Result<Evidence, StepError> {
    let claim = Claim::of(&job.plan, &job.ship)?;
    if !claim.has_tags_in(&workshop.repository)? {
        claim.move_refs(&workshop.repository)?;
        crash::point();
    }
    claim.follow_in_work_tree(&workshop.repository)?;
    Ok(evidence(&claim.commit, branch))
}

/// What a claim leaves in the ledger.
pub fn evidence(commit: &str, branch: &str) -> Evidence {
    Evidence::from([("commit".to_owned(), commit.to_owned()), ("branch".to_owned(), branch.to_owned())])
}

/// The refs of one ship: where its release commit and tags go.
pub struct Claim<'p> {
    plan: &'p Plan,
    pub commit: String,
    pub branch: String,
    /// Whether a pull request brought the commit onto the branch: then only tags are made.
    merged: bool,
    /// Full names and tag objects.
    tags: BTreeMap<String, String>,
    stamp: Stamp,
}

impl<'p> Claim<'p> {
    /// # Errors
    /// `Forgotten` where commit and tags are not written yet.
    pub fn of(plan: &'p Plan, ship: &Ship) -> Result<Claim<'p>, StepError> {
        let left = |step: &str, key: &str| {
            let found = ship.evidence(step).and_then(|left| left.get(key)).cloned();
            found.ok_or_else(|| StepError::Forgotten { step: step.to_owned() })
        };
        let mut tags = BTreeMap::new();
        let branch = branch_of(plan).to_owned();
        let mut merged = false;
        for step in &plan.steps {
            match &step.action {
                Action::Tag { tag, .. } => {
                    tags.insert(format!("refs/tags/{tag}"), left(&step.id.0, "object")?);
                }
                Action::Merged { .. } => merged = true,
                _ => {}
            }
        }
        Ok(Claim { plan, commit: left("commit", "commit")?, branch, merged, tags, stamp: stamp_of(ship) })
    }

    pub fn branch_ref(&self) -> String {
        format!("refs/heads/{}", self.branch)
    }

    /// The moves on a remote, each with its lease; `found` is where its branch stands. Commits that only this repository
    /// has go along with the branch.
    ///
    /// # Errors
    /// `Moved` where the remote's branch holds commits that the plan was made without, `BranchRewound` where a merged
    /// commit is not there any more.
    pub async fn moves(
        &self,
        repository: &Repository,
        remote: &str,
        found: Option<String>,
    ) -> Result<Vec<RefMove>, StepError> {
        let branch = self.branch_ref();
        let tags = self.tags.iter().map(|(name, object)| RefMove {
            name: name.clone(),
            new: object.clone(),
            expected_old: None,
        });
        if self.merged {
            self.refuse_rewound_branch(repository, remote, found.as_ref()).await?;
            return Ok(tags.collect());
        }
        if let Some(at) = &found
            && !is_below(repository, at, &self.plan.base.commit)
        {
            return Err(StepError::Moved {
                what: format!("`{}` of `{remote}`", self.branch),
                path: at.clone(),
            });
        }
        let mut moves = vec![RefMove { name: branch, new: self.commit.clone(), expected_old: found }];
        moves.extend(tags);
        Ok(moves)
    }

    /// Brings this repository to a claim that stands on the remote: tags that are missing, and the branch where it
    /// still is where the plan was made. What has moved on is left alone.
    ///
    /// # Errors
    /// Where refs or files can not be written.
    pub fn follow_here(&self, repository: &Repository) -> Result<(), StepError> {
        if !repository.has_object(&self.commit) {
            return Ok(());
        }
        let branch = self.branch_ref();
        let is_at_base = repository.ref_target(&branch)?.as_deref() == Some(&self.plan.base.commit);
        let mut updates = Vec::new();
        if is_at_base && !self.merged {
            updates.push(RefUpdate {
                name: branch,
                new: Some(self.commit.clone()),
                expected_old: At::At(self.plan.base.commit.clone()),
            });
        }
        for (name, object) in &self.tags {
            if repository.ref_target(name)?.is_none() && repository.has_object(object) {
                let new = Some(object.clone());
                updates.push(RefUpdate { name: name.clone(), new, expected_old: At::Missing });
            }
        }
        if !updates.is_empty() {
            repository.update_refs(&updates, "release: follow the claim")?;
            crash::point();
        }
        let head = repository.head()?;
        if head.commit == self.commit && head.branch.as_deref() == Some(&self.branch) {
            self.follow_in_work_tree(repository)?;
        }
        Ok(())
    }

    /// The tags by full name, and the objects that this ship made for them.
    pub fn tags(&self) -> &BTreeMap<String, String> {
        &self.tags
    }

    /// The objects that the remote has under the tags' names.
    ///
    /// # Errors
    /// Where the remote can not be reached.
    pub async fn tags_on(
        &self,
        repository: &Repository,
        remote: &str,
    ) -> Result<BTreeMap<String, String>, StepError> {
        let names: Vec<&str> = self.tags.keys().map(String::as_str).collect();
        Ok(remote_refs(repository, remote, &names).await?)
    }

    /// Looks whether the claim stands on the remote. A tag that somebody deleted is put back: the same object, where
    /// nobody else's is. Nothing is ever moved.
    ///
    /// # Errors
    /// `TagMoved` and `BranchRewound` where somebody else's object is there.
    pub async fn stands(&self, repository: &Repository, remote: &str) -> Result<(), StepError> {
        let branch = self.branch_ref();
        let mut names: Vec<&str> = self.tags.keys().map(String::as_str).collect();
        names.push(&branch);
        let found = remote_refs(repository, remote, &names).await?;
        let mut missing = Vec::new();
        for (name, object) in &self.tags {
            match found.get(name) {
                Some(at) if at == object => {}
                Some(at) => {
                    // The way out is a push of ours, which a fresh clone does not have.
                    self.write_tags(repository)?;
                    let tag = name.trim_start_matches("refs/tags/").to_owned();
                    let (found, ours) = (at.clone(), object.clone());
                    return Err(StepError::TagMoved { tag, remote: remote.to_owned(), found, ours });
                }
                None => missing.push(RefMove { name: name.clone(), new: object.clone(), expected_old: None }),
            }
        }
        self.refuse_rewound_branch(repository, remote, found.get(&branch)).await?;
        if !missing.is_empty() {
            self.write_tags(repository)?;
            crash::point();
            push_refs(repository, remote, &missing).await?;
        }
        Ok(())
    }

    async fn refuse_rewound_branch(
        &self,
        repository: &Repository,
        remote: &str,
        found: Option<&String>,
    ) -> Result<(), StepError> {
        if let Some(at) = found {
            if !repository.has_object(at) {
                fetch(repository, remote, &[self.branch_ref()]).await?;
            }
            if is_below(repository, &self.commit, at) {
                return Ok(());
            }
        }
        let (branch, commit) = (self.branch.clone(), self.commit.clone());
        Err(StepError::BranchRewound { branch, remote: remote.to_owned(), commit })
    }

    /// Writes the tag objects anew; the same words and stamp give the same objects.
    ///
    /// # Errors
    /// Where they come out as others.
    pub fn write_tags(&self, repository: &Repository) -> Result<(), StepError> {
        for step in &self.plan.steps {
            if let Action::Tag { tag, message } = &step.action {
                let object = repository.write_tag_object(tag, &self.commit, message, &self.stamp)?;
                if self.tags.get(&format!("refs/tags/{tag}")) != Some(&object) {
                    return Err(StepError::Moved { what: "a tag's object".to_owned(), path: tag.clone() });
                }
            }
        }
        Ok(())
    }

    /// Whether all tags of this repository are this ship's own objects.
    ///
    /// # Errors
    /// Unreadable refs.
    pub fn has_tags_in(&self, repository: &Repository) -> Result<bool, GitError> {
        self.tags.iter().try_fold(true, |made, (name, object)| {
            Ok(made && repository.ref_target(name)?.as_deref() == Some(object.as_str()))
        })
    }

    fn move_refs(&self, repository: &Repository) -> Result<(), GitError> {
        let branch = RefUpdate {
            name: self.branch_ref(),
            new: Some(self.commit.clone()),
            expected_old: At::At(self.plan.base.commit.clone()),
        };
        let mut updates = if self.merged { Vec::new() } else { vec![branch] };
        updates.extend(self.tags.iter().map(|(name, object)| RefUpdate {
            name: name.clone(),
            new: Some(object.clone()),
            expected_old: At::Missing,
        }));
        repository.update_refs(&updates, "release: claim")
    }

    /// Brings the edited files of the work tree to the release commit; a file somebody changed meanwhile is left.
    fn follow_in_work_tree(&self, repository: &Repository) -> Result<(), StepError> {
        let edits = &self.plan.edits;
        let paths: Vec<&str> = edits.iter().map(|edit| edit.path.as_str()).collect();
        if paths.is_empty() {
            return Ok(());
        }
        let changed_since_base = repository.differing(&self.plan.base.commit, &paths)?;
        let changed_since_release = repository.differing(&self.commit, &paths)?;
        if let Some(path) = changed_since_base.iter().find(|path| changed_since_release.contains(path)) {
            return Err(StepError::Moved { what: "a file of the work tree".to_owned(), path: path.clone() });
        }
        let (kept, gone): (Vec<&FileEdit>, Vec<&FileEdit>) =
            edits.iter().partition(|edit| edit.after.is_some());
        repository.checkout_paths(&self.commit, &paths_of(&kept))?;
        crash::point();
        repository.remove_paths(&paths_of(&gone))?;
        Ok(())
    }
}

/// The branch that a plan's claim moves.
pub fn branch_of(plan: &Plan) -> &str {
    let claimed = plan.steps.iter().find_map(|step| match &step.action {
        Action::Claim { branch, .. } => Some(branch.as_str()),
        _ => None,
    });
    claimed.or(plan.base.branch.as_deref()).unwrap_or_default()
}

/// Who and when, the same however often the ship is taken up.
pub fn stamp_of(ship: &Ship) -> Stamp {
    let (name, email) = ship.who.rsplit_once(" <").unwrap_or((&ship.who, ""));
    let who = Person { name: name.to_owned(), email: email.trim_end_matches('>').to_owned() };
    Stamp { who, time: ship.began }
}

/// Whether a commit is another one or stands below it; one that is not here does not.
fn is_below(repository: &Repository, older: &str, newer: &str) -> bool {
    older == newer || (repository.has_object(older) && repository.is_ancestor(older, newer).unwrap_or(false))
}

fn paths_of<'e>(edits: &[&'e FileEdit]) -> Vec<&'e str> {
    edits.iter().map(|edit| edit.path.as_str()).collect()
}
