//! The release commit on a branch of its own: whose commits stand there, and how ours comes there.

use std::collections::BTreeMap;

use crate::apply::crash;
use crate::apply::effect::{StepError, edited_files, release_message, write_release_commit};
use crate::plan::Plan;
use crate::plan::merged::{differ_in_section_alone, message_of, notes_of_changelog};
use crate::world::git::{Person, Repository};
use crate::world::github::GitHub;
use crate::world::github::error::GitHubError;
use crate::world::github::git_data::MadeFile;
use crate::world::ledger_ref::Files;
use crate::world::plan_ref::{plan_ref, waiting_plans};
use crate::world::push::{RefMove, push_refs};
use crate::world::refs::{Expected, RefUpdate};
use crate::world::snapshot::Snapshot;
use crate::world::store::error::StoreError;
use crate::world::tree::Mode;
use crate::world::write::Stamp;

/// What stands on a release branch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Found {
    /// There is no such branch.
    Nothing,
    /// What the main branch has, or had, already.
    Merged,
    /// The release commit of the plan that it names, and perhaps merges of the main branch.
    Ours,
    /// That, and words of people in its changelogs: the notes with them, by package.
    Edited(BTreeMap<String, String>),
    /// Commits of others: the files that they change.
    Others(Vec<String>),
}

/// Looks whose commits stand on a release branch, by the plan that one of them names.
///
/// # Errors
/// Unreadable objects.
pub fn look(
    repository: &Repository,
    plan: &Plan,
    at: &str,
    changelogs: &BTreeMap<String, String>,
) -> Result<Found, StepError> {
    let head = repository.head()?.commit;
    let at = without_merges_of(repository, at, &head)?;
    let stamp = Stamp { who: Person::default(), time: 0 };
    let Ok(ours) = write_release_commit(plan, &stamp, repository, message_of(plan)) else {
        return Ok(Found::Others(Vec::new()));
    };
    let differing = repository.paths_between(&ours, &at)?;
    let mut edited = BTreeMap::new();
    let objects = repository.objects();
    for path in &differing {
        let package = changelogs.get(path);
        let release = plan.releases.iter().find(|release| Some(&release.package) == package);
        let text = |commit: &str| -> Result<String, StepError> {
            let bytes = objects.blob(commit, path)?.unwrap_or_default();
            Ok(String::from_utf8_lossy(&bytes).into_owned())
        };
        let Some(release) = release else { return Ok(Found::Others(differing)) };
        let (planned, found) = (text(&ours)?, text(&at)?);
        if !differ_in_section_alone(&release.to, path, &planned, &found) {
            return Ok(Found::Others(differing));
        }
        if let Some(notes) = notes_of_changelog(release, path, &planned, &found) {
            edited.insert(release.package.clone(), notes);
        }
    }
    Ok(if edited.is_empty() { Found::Ours } else { Found::Edited(edited) })
}

/// The newest commit that is no merge of what the main branch has anyway.
fn without_merges_of(repository: &Repository, at: &str, main: &str) -> Result<String, StepError> {
    let objects = repository.objects();
    let mut at = at.to_owned();
    loop {
        let parents = objects.commit(&at)?.parents;
        match &parents[..] {
            [first, second] if repository.is_ancestor(second, main).unwrap_or(false) => at.clone_from(first),
            _ => return Ok(at),
        }
    }
}

/// A release commit on its way to its branch.
pub struct Proposal<'p> {
    pub repository: &'p Repository,
    pub remote: &'p str,
    pub plan: &'p Plan,
    /// What is kept of the plan until it is merged.
    pub files: &'p Files,
    pub branch: &'p str,
    /// Where the branch stood; it must stand there still.
    pub from: Option<String>,
    pub who: &'p Person,
}

impl Proposal<'_> {
    /// Brings the plan and its release commit to the remote in one push. The same plan gives the same commit: it bears
    /// the time of the commit that was planned on.
    ///
    /// # Errors
    /// Where somebody moved the branch meanwhile, or the remote says no.
    pub async fn push(&self) -> Result<String, StepError> {
        let commit = self.write()?;
        let keep = self.keep().await?;
        let name = format!("refs/heads/{}", self.branch);
        let moved = RefMove { name, new: commit.clone(), expected_old: self.from.clone() };
        crash::point();
        push_refs(self.repository, self.remote, &[keep, moved]).await?;
        crash::point();
        Ok(commit)
    }

    /// The same with a commit that GitHub makes and signs. Its tree must come out as ours.
    ///
    /// # Errors
    /// As `push`; where the tree is another.
    pub async fn make(&self, github: &GitHub) -> Result<String, ProposalError> {
        let ours = self.write()?;
        let tree = self.repository.objects().tree_of(&ours).map_err(StepError::from)?.to_string();
        let keep = self.keep().await?;
        crash::point();
        push_refs(self.repository, self.remote, &[keep]).await.map_err(StepError::from)?;
        crash::point();
        let message = release_message(self.plan, message_of(self.plan));
        let made = github.make_commit(&self.plan.base.commit, &self.made_files()?, &message).await?;
        if made.tree != tree {
            return Err(ProposalError::OtherTree { made: made.tree, ours: tree });
        }
        let found = github.branch_at(self.branch).await?;
        if found != self.from {
            let name = format!("refs/heads/{}", self.branch);
            let found = found.unwrap_or_else(|| "nothing".to_owned());
            return Err(StepError::Outrun { name, found }.into());
        }
        crash::point();
        if let Err(error) = github.set_branch(self.branch, &made.commit, found.is_some()).await
            && github.branch_at(self.branch).await?.as_ref() != Some(&made.commit)
        {
            return Err(error.into());
        }
        crash::point();
        Ok(made.commit)
    }

    fn write(&self) -> Result<String, StepError> {
        let time = self.repository.objects().commit_time(&self.plan.base.commit)?;
        let stamp = Stamp { who: self.who.clone(), time };
        write_release_commit(self.plan, &stamp, self.repository, message_of(self.plan))
    }

    /// Writes the plan's own objects, keeps them here, and answers the move that brings them to the remote.
    async fn keep(&self) -> Result<RefMove, StepError> {
        let digits = self.plan.digest.hex();
        let new = self.repository.write_waiting_plan(self.files)?;
        let name = plan_ref(digits);
        let here = RefUpdate { name: name.clone(), new: Some(new.clone()), expected_old: Expected::Any };
        self.repository.update_refs(&[here], "release: keep a plan until it is merged")?;
        let expected_old = waiting_plans(self.repository, self.remote).await?.remove(digits);
        Ok(RefMove { name, new, expected_old })
    }

    fn made_files(&self) -> Result<Vec<MadeFile>, StepError> {
        let objects = self.repository.objects();
        let base = Snapshot::of(&objects, &self.plan.base.commit);
        let mut files = Vec::new();
        for file in edited_files(self.plan, self.repository)? {
            let before = base.mode(&file.path)?;
            if before.is_none() && file.bytes.is_none() {
                continue;
            }
            let is_program = before == Some(Mode::Executable);
            let mode = if is_program { "100755" } else { "100644" };
            files.push(MadeFile { path: file.path, mode, bytes: file.bytes });
        }
        Ok(files)
    }
}

/// Why a commit of GitHub's did not come onto the branch.
#[derive(Debug, thiserror::Error)]
pub enum ProposalError {
    #[error(transparent)]
    Step(#[from] StepError),
    #[error(transparent)]
    GitHub(#[from] GitHubError),
    #[error("GitHub made another tree, {made}, of the release commit's files; ours is {ours}")]
    OtherTree { made: String, ours: String },
}

impl From<StoreError> for ProposalError {
    fn from(error: StoreError) -> ProposalError {
        ProposalError::Step(error.into())
    }
}
