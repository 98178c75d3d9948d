//! What release pull requests leave behind: closed ones, their branches, plans that wait for no merge any more.

use crate::apply::crash;
use crate::apply::proposal::Found;
use crate::cli::failure::{Failure, Kind};
use crate::cli::ledger::store_failure;
use crate::cli::proposing::{Answer, Proposing, pull_failure};
use crate::plan::digest::Digest;
use crate::world::plan_ref::{plan_ref, waiting_plans};
use crate::world::remote_refs::{fetch, remote_refs};
use crate::world::store::error::StoreError;
use crate::world::unpush::delete_refs;

impl Proposing<'_> {
    /// The branches of the remote that are, or were, for release pull requests.
    pub(in crate::cli) async fn branches(&self) -> Result<Vec<String>, Failure> {
        let whole = format!("refs/heads/{}", self.table.branch_for(None));
        let below = format!("{whole}/*");
        let found = remote_refs(&self.survey.repository, self.remote, &[&whole, &below]).await;
        let names = found.map_err(store_failure)?.into_keys();
        Ok(names.filter_map(|name| name.strip_prefix("refs/heads/").map(str::to_owned)).collect())
    }

    /// Closes the pull request of a branch that has nothing to release, says why, and deletes the branch. What others
    /// put there stays.
    pub(in crate::cli) async fn close(&mut self, branch: &str) -> Result<(), Failure> {
        let standing = match self.standing(branch).await {
            Ok(standing) => standing,
            // One that is not ours is left alone.
            Err(failure) if failure.kind == Kind::NotAllowed => return Ok(()),
            Err(failure) => return Err(failure),
        };
        if let (Found::Others(_), false) = (&standing.found, self.verb.overwrite) {
            if standing.pull.is_some() {
                self.streams
                    .tell(&format!("`{branch}` has commits of others and stays, with nothing to release\n"));
            }
            return Ok(());
        }
        if let (Some(github), Some(pull)) = (self.github, &standing.pull) {
            crash::point();
            let why = "Nothing of this is left to release, so `release pr` closes it. It opens another one when there is.";
            github.say_once(pull.number, why).await.map_err(pull_failure)?;
            crash::point();
            github.close_pull(pull.number).await.map_err(pull_failure)?;
            crash::point();
        }
        let Some(at) = standing.at else { return Ok(()) };
        let branch_ref = [(format!("refs/heads/{branch}"), at)].into();
        delete_refs(&self.survey.repository, self.remote, &branch_ref).await.map_err(store_failure)?;
        crash::point();
        self.answers.push(Answer {
            action: "closed",
            number: standing.pull.as_ref().map(|pull| pull.number),
            url: standing.pull.map(|pull| pull.html_url),
            branch: branch.to_owned(),
            digest: None,
            releases: Vec::new(),
            text: String::new(),
        });
        Ok(())
    }

    /// Deletes the plans that wait for no merge any more: no release branch names them, and the main branch, which is
    /// where it was, holds no merge of them. What can not be deleted is only wasted space.
    pub(in crate::cli) async fn sweep(&self) {
        let _ = self.swept().await;
    }

    async fn swept(&self) -> Result<(), StoreError> {
        let repository = &self.survey.repository;
        let mut waiting = waiting_plans(repository, self.remote).await?;
        if waiting.len() <= self.answers.iter().filter(|answer| answer.digest.is_some()).count() {
            return Ok(());
        }
        let Ok(branches) = self.branches().await else { return Ok(()) };
        for branch in branches {
            match self.standing_plan(&branch).await {
                Some(digest) => waiting.remove(digest.hex()),
                None => return Ok(()),
            };
        }
        let main = format!("refs/heads/{}", self.main());
        let at = remote_refs(repository, self.remote, &[&main]).await?.remove(&main);
        if at != Some(self.survey.facts.history.head.to_string()) {
            return Ok(());
        }
        let refs = waiting.into_iter().map(|(digits, at)| (plan_ref(&digits), at)).collect();
        delete_refs(repository, self.remote, &refs).await
    }

    async fn standing_plan(&self, branch: &str) -> Option<Digest> {
        let name = format!("refs/heads/{branch}");
        let repository = &self.survey.repository;
        let at = remote_refs(repository, self.remote, &[&name]).await.ok()?.remove(&name)?;
        if !repository.has_object(&at) {
            fetch(repository, self.remote, &[name]).await.ok()?;
        }
        self.named_on(&at).ok()?
    }
}
