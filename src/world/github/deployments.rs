//! Deployments at GitHub: what a repository's page shows of its environments.

use serde::Deserialize;
use serde_json::{Value, json};

use crate::world::github::error::GitHubError;
use crate::world::github::{GitHub, encoded};

/// What GitHub keeps of a description, in characters.
const DESCRIPTION: usize = 140;

/// What is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewDeployment<'n> {
    /// A tag or a commit.
    pub at: &'n str,
    pub environment: &'n str,
    pub task: &'n str,
    pub description: &'n str,
    /// By it the deployment is found again.
    pub payload: Value,
}

/// One deployment.
#[derive(Debug, Clone, Deserialize)]
pub struct HubDeployment {
    pub id: u64,
    #[serde(default)]
    payload: Value,
}

impl HubDeployment {
    /// What it was made with; GitHub gives back an object, or its text.
    pub fn payload(&self) -> Value {
        match &self.payload {
            Value::String(text) => serde_json::from_str(text).unwrap_or_default(),
            other => other.clone(),
        }
    }
}

/// How a deployment stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewStatus<'n> {
    /// `in_progress`, `success`, `failure`, `error`, `inactive`.
    pub state: &'n str,
    pub description: &'n str,
    /// Where people find what runs.
    pub environment_url: Option<&'n str>,
    /// The run that does it.
    pub log_url: Option<&'n str>,
}

#[derive(Deserialize)]
struct Status {
    state: String,
}

/// What guards an environment.
#[derive(Debug, Clone, Default, Deserialize)]
pub struct HubEnvironment {
    #[serde(default)]
    protection_rules: Vec<Rule>,
    #[serde(default)]
    deployment_branch_policy: Option<Value>,
}

#[derive(Debug, Clone, Deserialize)]
struct Rule {
    #[serde(rename = "type", default)]
    kind: String,
}

impl HubEnvironment {
    /// Whether anything stands between a job and this environment.
    pub fn is_protected(&self) -> bool {
        !self.protection_rules.is_empty() || self.deployment_branch_policy.is_some()
    }

    /// Whether persons must approve.
    pub fn asks_persons(&self) -> bool {
        self.protection_rules.iter().any(|rule| rule.kind == "required_reviewers")
    }
}

impl GitHub {
    /// An environment; `None` where there is none of this name.
    ///
    /// # Errors
    /// Where GitHub says no, or does not answer.
    pub async fn environment(&self, name: &str) -> Result<Option<HubEnvironment>, GitHubError> {
        let found = self.find(&self.path(&format!("environments/{}", encoded(name)))).await?;
        if found.is_none() {
            // A repository that the token may not see looks the same.
            self.get::<Value>(&self.path("")).await?;
        }
        Ok(found)
    }

    /// The deployments of an environment, the newest first.
    ///
    /// # Errors
    /// As `environment`.
    pub async fn deployments(
        &self,
        environment: &str,
        task: &str,
    ) -> Result<Vec<HubDeployment>, GitHubError> {
        let query = format!("deployments?environment={}&task={}", encoded(environment), encoded(task));
        self.all(&self.path(&query)).await
    }

    /// Makes a deployment of exactly this commit or tag: nothing is merged, no check is waited for.
    ///
    /// # Errors
    /// As `environment`.
    pub async fn add_deployment(&self, new: &NewDeployment<'_>) -> Result<HubDeployment, GitHubError> {
        let body = json!({
            "ref": new.at,
            "environment": new.environment,
            "task": new.task,
            "description": cut(new.description),
            "payload": new.payload,
            "auto_merge": false,
            "required_contexts": [],
        });
        self.post(&self.path("deployments"), &body).await
    }

    /// The newest status of a deployment; `None` where it has none.
    ///
    /// # Errors
    /// As `environment`.
    pub async fn deployment_state(&self, id: u64) -> Result<Option<String>, GitHubError> {
        let newest: Vec<Status> =
            self.get(&self.path(&format!("deployments/{id}/statuses?per_page=1"))).await?;
        Ok(newest.into_iter().next().map(|status| status.state))
    }

    /// # Errors
    /// As `environment`.
    pub async fn add_deployment_status(&self, id: u64, new: &NewStatus<'_>) -> Result<(), GitHubError> {
        let mut body =
            json!({ "state": new.state, "description": cut(new.description), "auto_inactive": true });
        for (key, value) in [("environment_url", new.environment_url), ("log_url", new.log_url)] {
            if let (Some(value), Some(fields)) = (value, body.as_object_mut()) {
                fields.insert(key.to_owned(), value.into());
            }
        }
        self.post::<Value>(&self.path(&format!("deployments/{id}/statuses")), &body).await.map(drop)
    }
}

fn cut(text: &str) -> String {
    if text.chars().count() <= DESCRIPTION {
        return text.to_owned();
    }
    text.chars().take(DESCRIPTION - 1).chain(['…']).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_description_is_as_long_as_github_takes_it() {
        assert_eq!(cut("short"), "short");
        assert_eq!(cut(&"ü".repeat(200)).chars().count(), DESCRIPTION);
    }

    #[test]
    fn a_payload_comes_back_as_an_object_or_as_its_text() {
        let read = |text: &str| serde_json::from_str::<HubDeployment>(text).unwrap().payload();
        let expected = json!({ "deployment": "x" });
        assert_eq!(read(r#"{"id": 1, "payload": {"deployment": "x"}}"#), expected);
        assert_eq!(read(r#"{"id": 1, "payload": "{\"deployment\": \"x\"}"}"#), expected);
        assert_eq!(read(r#"{"id": 1, "payload": "free text"}"#), Value::Null);
        assert_eq!(read(r#"{"id": 1}"#), Value::Null);
    }

    #[test]
    fn any_rule_protects_an_environment() {
        let read = |text: &str| serde_json::from_str::<HubEnvironment>(text).unwrap();
        assert!(!read(r#"{"protection_rules": [], "deployment_branch_policy": null}"#).is_protected());
        assert!(read(r#"{"protection_rules": [{"type": "wait_timer", "id": 1}]}"#).is_protected());
        let policy = r#"{"deployment_branch_policy": {"protected_branches": true}}"#;
        assert!(read(policy).is_protected() && !read(policy).asks_persons());
        assert!(read(r#"{"protection_rules": [{"type": "required_reviewers"}]}"#).asks_persons());
    }
}
