//! The workflow that finishes a claimed release: found where it runs, started where nothing starts it.

use std::time::Duration;

use tokio::time::sleep;

use crate::apply::crash;
use crate::apply::pace::Pace;
use crate::plan::Plan;
use crate::world::github::GitHub;
use crate::world::github::error::GitHubError;
use crate::world::github::runs::{self, Run};

/// GitHub starts nothing where more tags than these are pushed at once (docs.github.com, "Events that trigger workflows").
pub const TAGS_AT_ONCE: usize = 3;
/// How often a run is looked for before it is called missing; each wait is twice as long.
const LOOKS: u32 = 5;

/// A workflow's file, and the release that it shall finish.
pub struct Workflow {
    pub github: GitHub,
    /// `release.yml`
    pub file: String,
    /// The release commit.
    pub commit: String,
    /// The tags of the release, the first of them to name it by.
    pub tags: Vec<String>,
}

/// How it came that a run is at work.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Start {
    /// It had begun without us.
    Itself(Run),
    /// We asked for it, and it is there.
    Asked(Run),
    /// We asked for it, and GitHub does not show it yet.
    Unseen,
}

impl Workflow {
    /// The workflow for the release of a plan with its commit.
    pub fn new(github: GitHub, file: &str, commit: &str, plan: &Plan) -> Workflow {
        let tags = plan.releases.iter().map(|release| release.tag.clone()).collect();
        Workflow { github, file: file.to_owned(), commit: commit.to_owned(), tags }
    }

    /// The tag that the release is named by.
    pub fn tag(&self) -> &str {
        self.tags.first().map_or("", String::as_str)
    }

    /// The run to look at: one that goes on, else the newest.
    ///
    /// # Errors
    /// Where GitHub says no.
    pub async fn find(&self) -> Result<Option<Run>, GitHubError> {
        let runs = self.runs().await?;
        let going = runs.iter().find(|run| !run.is_over());
        Ok(going.or(runs.first()).cloned())
    }

    /// The runs on the tags of this release, the newest first.
    async fn runs(&self) -> Result<Vec<Run>, GitHubError> {
        let mut runs = runs::of_commit(&self.github, &self.file, &self.commit).await?;
        runs.retain(|run| run.head_branch.as_ref().is_some_and(|branch| self.tags.contains(branch)));
        runs.sort_by_key(|run| std::cmp::Reverse(run.id));
        Ok(runs)
    }

    /// Sees to it that a run is at work: one that goes on is enough; else one may begin by itself where the tags were pushed
    /// by somebody whose pushes start workflows; else it is asked for. Two would be harmless: the ledger lets one at work.
    ///
    /// # Errors
    /// Where GitHub says no.
    pub async fn ensure_started(&self, pace: &Pace) -> Result<Start, GitHubError> {
        self.github.must_have_token()?;
        let before = self.runs().await?;
        if let Some(run) = before.iter().find(|run| !run.is_over()) {
            return Ok(Start::Itself(run.clone()));
        }
        let known: Vec<u64> = before.iter().map(|run| run.id).collect();
        if self.tags.len() <= TAGS_AT_ONCE
            && known.is_empty()
            && let Some(run) = self.appears(&known, pace).await?
        {
            return Ok(Start::Itself(run));
        }
        if let Err(error) = self.ask().await {
            if !error.may_have_acted() {
                return Err(error);
            }
            // Nobody knows what became of it: a run that is there now is ours.
            if let Some(run) = self.appears(&known, pace).await? {
                return Ok(Start::Asked(run));
            }
            self.ask().await?;
        }
        Ok(self.appears(&known, pace).await?.map_or(Start::Unseen, Start::Asked))
    }

    async fn ask(&self) -> Result<(), GitHubError> {
        crash::point();
        let asked = runs::dispatch(&self.github, &self.file, self.tag(), &[("tag", self.tag())]).await;
        crash::point();
        asked
    }

    /// Looks a bounded number of times for a run that was not known before.
    async fn appears(&self, known: &[u64], pace: &Pace) -> Result<Option<Run>, GitHubError> {
        for look in 0..LOOKS {
            let found = self.runs().await?.into_iter().find(|run| !known.contains(&run.id));
            if found.is_some() {
                return Ok(found);
            }
            sleep(pace.base * 2_u32.pow(look)).await;
        }
        Ok(self.runs().await?.into_iter().find(|run| !known.contains(&run.id)))
    }

    /// The run as it is now.
    ///
    /// # Errors
    /// Where GitHub says no.
    pub async fn look(&self, run: &Run) -> Result<Run, GitHubError> {
        runs::run(&self.github, run.id).await
    }

    /// Where a run failed: its job, the step, and the job's page.
    ///
    /// # Errors
    /// Where GitHub says no.
    pub async fn trouble(&self, run: &Run) -> Result<Option<Trouble>, GitHubError> {
        let jobs = runs::jobs(&self.github, run.id).await?;
        let is_bad = |conclusion: Option<&str>| {
            matches!(conclusion, Some("failure" | "timed_out" | "cancelled" | "startup_failure"))
        };
        let bad = |job: &&runs::Job| is_bad(job.conclusion.as_deref());
        // What was cancelled because another failed is not the reason.
        let failed = jobs.iter().find(|job| job.conclusion.as_deref() == Some("failure"));
        let Some(job) = failed.or_else(|| jobs.iter().find(bad)) else { return Ok(None) };
        let step = job.steps.iter().find(|step| is_bad(step.conclusion.as_deref()));
        Ok(Some(Trouble {
            job: job.name.clone(),
            step: step.map(|step| step.name.clone()),
            url: job.html_url.clone(),
        }))
    }
}

/// What went wrong in a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trouble {
    pub job: String,
    pub step: Option<String>,
    pub url: Option<String>,
}

/// How long nothing may be seen of a run before people are told.
pub fn missing_after(pace: &Pace) -> Duration {
    pace.poll * 12
}
