//! Runs of a workflow: started by a dispatch, found by the commit they run on, followed to their end.

use serde::Deserialize;
use serde_json::{Value, json};

use crate::world::github::error::GitHubError;
use crate::world::github::{GitHub, encoded};

/// One run, as far as it matters here.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Run {
    pub id: u64,
    /// `queued`, `in_progress`, `waiting`, `completed` and others.
    pub status: Option<String>,
    /// How it ended: `success`, `failure`, `cancelled` and others.
    pub conclusion: Option<String>,
    /// The branch or tag that it runs on.
    pub head_branch: Option<String>,
    pub html_url: String,
}

/// A job of a run.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Job {
    pub name: String,
    pub status: String,
    pub conclusion: Option<String>,
    pub html_url: Option<String>,
    #[serde(default)]
    pub steps: Vec<JobStep>,
}

/// A step of a job.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct JobStep {
    pub name: String,
    pub conclusion: Option<String>,
}

impl Run {
    /// Whether it has come to its end.
    pub fn is_over(&self) -> bool {
        self.status.as_deref() == Some("completed")
    }

    /// Whether somebody must let it go on: an approval, a rule of an environment.
    pub fn waits_for_people(&self) -> bool {
        matches!(self.status.as_deref(), Some("waiting" | "action_required"))
            || self.conclusion.as_deref() == Some("action_required")
    }

    pub fn succeeded(&self) -> bool {
        self.conclusion.as_deref() == Some("success")
    }
}

/// The runs of a workflow's file on a commit, the newest first.
///
/// # Errors
/// Where GitHub says no; it knows no such file before the file is on the default branch.
pub async fn of_commit(github: &GitHub, file: &str, commit: &str) -> Result<Vec<Run>, GitHubError> {
    let path = format!("actions/workflows/{}/runs?head_sha={}", encoded(file), encoded(commit));
    github.all_under(&github.path(&path), "workflow_runs").await
}

/// A run as it is now.
///
/// # Errors
/// Where GitHub says no.
pub async fn run(github: &GitHub, id: u64) -> Result<Run, GitHubError> {
    github.get(&github.path(&format!("actions/runs/{id}"))).await
}

/// The jobs of a run's latest attempt.
///
/// # Errors
/// Where GitHub says no.
pub async fn jobs(github: &GitHub, id: u64) -> Result<Vec<Job>, GitHubError> {
    github.all_under(&github.path(&format!("actions/runs/{id}/jobs")), "jobs").await
}

/// Starts a workflow on a tag, with inputs. GitHub starts another run each time it hears this.
///
/// # Errors
/// Where GitHub says no; `may_have_acted` where nobody knows.
pub async fn dispatch(
    github: &GitHub,
    file: &str,
    tag: &str,
    inputs: &[(&str, &str)],
) -> Result<(), GitHubError> {
    github.must_have_token()?;
    let inputs: serde_json::Map<String, Value> =
        inputs.iter().map(|(name, value)| ((*name).to_owned(), json!(value))).collect();
    let path = github.path(&format!("actions/workflows/{}/dispatches", encoded(file)));
    github.post::<Value>(&path, &json!({ "ref": tag, "inputs": inputs })).await.map(drop)
}
