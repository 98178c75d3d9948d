//! Workflows that are started by dispatch, where a push of the job's own token starts none.

use serde_json::{Value, json};

use crate::world::github::error::GitHubError;
use crate::world::github::{GitHub, encoded};

impl GitHub {
    /// Whether a workflow has run, or runs, on a commit.
    ///
    /// # Errors
    /// Where GitHub says no, or does not answer as documented.
    pub async fn has_run(&self, workflow: &str, commit: &str) -> Result<bool, GitHubError> {
        let query = format!("actions/workflows/{}/runs?head_sha={}", encoded(workflow), encoded(commit));
        let found: Value = self.get(&self.path(&query)).await?;
        Ok(found.get("total_count").and_then(Value::as_u64).unwrap_or(0) > 0)
    }

    /// Starts a workflow on a branch.
    ///
    /// # Errors
    /// As `has_run`.
    pub async fn start_check(&self, workflow: &str, branch: &str) -> Result<(), GitHubError> {
        let path = self.path(&format!("actions/workflows/{}/dispatches", encoded(workflow)));
        self.ask(reqwest::Method::POST, &path, Some(&json!({ "ref": branch }))).await.map(drop)
    }
}
