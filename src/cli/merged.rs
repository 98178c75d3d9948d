//! The merged release pull requests that wait to be shipped.

use std::collections::BTreeSet;

use crate::apply::crash;
use crate::cli::failure::{Failure, Kind};
use crate::cli::ledger::store_failure;
use crate::cli::open;
use crate::cli::ship::Shipping;
use crate::plan::Plan;
use crate::plan::digest::Digest;
use crate::plan::step::Action;
use crate::report::words::planned;
use crate::survey::error::SurveyError;
use crate::survey::facts::Survey;
use crate::survey::merged::{Waiting, named, waiting};
use crate::world::plan_ref::{fetch_waiting_plans, plan_ref};
use crate::world::refs::Expected;
use crate::world::remote_refs::remote_refs;
use crate::world::unpush::delete_refs;

/// The merged releases of this branch that nobody shipped yet, oldest first. Asks the remote only where a commit names
/// a plan that is not known here.
///
/// # Errors
/// Where one can not be shipped as it was planned, or the remote can not be reached.
pub async fn merged(survey: &Survey, remote: Option<&str>) -> Result<Vec<Waiting>, Failure> {
    let plans = named(survey);
    if let Some(remote) = remote {
        let mut unknown = Vec::new();
        for plan in &plans {
            if survey.repository.waiting_plan(plan.hex()).map_err(Failure::user)?.is_none() {
                unknown.push(plan.hex().to_owned());
            }
        }
        if !unknown.is_empty() {
            fetch_waiting_plans(&survey.repository, remote, &unknown).await.map_err(store_failure)?;
        }
    }
    waiting(survey, &plans).map_err(|error| match error {
        SurveyError::Merged { .. } => {
            let hints = error.hints();
            Failure { hints, ..Failure::new(Kind::Stale, error) }
        }
        error => open::failure(error),
    })
}

/// The oldest of those that are about the packages that were asked for.
pub fn concerning(waiting: Vec<Waiting>, packages: Option<&BTreeSet<String>>) -> Option<Waiting> {
    waiting.into_iter().find(|one| is_about(&one.plan, packages))
}

fn is_about(plan: &Plan, packages: Option<&BTreeSet<String>>) -> bool {
    packages.is_none_or(|wanted| plan.releases.iter().all(|release| wanted.contains(&release.package)))
}

impl Shipping<'_> {
    /// What is to be shipped: a saved plan, else what was merged, else what the branch holds. Nothing where the
    /// configuration asks for a pull request and none is merged.
    pub async fn plan_to_ship(&mut self, survey: &Survey) -> Result<Option<Plan>, Failure> {
        if self.saved.is_some() || self.verb.direct {
            return self.new_plan(survey).map(Some);
        }
        let packages = open::names(survey, self.global)?;
        let mut found = merged(survey, self.home.remote.as_deref()).await?;
        found.retain(|one| is_about(&one.plan, packages.as_ref()));
        if found.len() > 1 {
            let more = found.len() - 1;
            self.streams
                .tell(&format!("{more} more merged release pull requests wait; `release ship` again\n"));
        }
        if let Some(first) = found.into_iter().next() {
            self.streams.tell(&format!("a release pull request is merged: {}\n", planned(&first.plan)));
            return Ok(Some(first.plan));
        }
        if survey.pull_request.is_some() && !self.is_mending(survey) {
            return Ok(None);
        }
        self.new_plan(survey).map(Some)
    }

    /// Whether the branch is one for mending what runs.
    pub fn is_mending(&self, survey: &Survey) -> bool {
        let branch = survey.facts.branch.as_ref();
        self.book.state().hotfixes.iter().any(|hotfix| Some(&hotfix.branch) == branch)
    }

    /// Whether the claim is made; a ship that ended is claimed too.
    fn has_claimed(&self, plan: &Plan) -> bool {
        let under_way = self.book.ship(&plan.digest).is_some_and(|ship| ship.has_done("claim"));
        under_way || self.book.state().finished.contains_key(plan.digest.as_str())
    }

    /// Deletes the ref under which a plan waited for its merge, once it is claimed. What stays is wasted space only.
    pub async fn forget_proposal(&self, plan: &Plan) {
        let Some(proposed) = proposal_of(plan).filter(|_| self.has_claimed(plan)) else { return };
        let name = plan_ref(proposed.hex());
        let repository = &self.home.repository;
        if let Some(remote) = &self.home.remote
            && let Ok(found) = remote_refs(repository, remote, &[&name]).await
        {
            crash::point();
            let _ = delete_refs(repository, remote, &found).await;
            crash::point();
        }
        let _ = repository.delete_ref(&name, Expected::Any);
    }
}

/// The plan that a pull request proposed, of which this one is the rest.
fn proposal_of(plan: &Plan) -> Option<&Digest> {
    plan.steps.iter().find_map(|step| match &step.action {
        Action::Merged { plan, .. } => Some(plan),
        _ => None,
    })
}
