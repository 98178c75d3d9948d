//! Shows a deployment at GitHub: made once, its status brought up to date. What the ledger owes is told by any later run.

use serde_json::{Value, json};

use crate::apply::crash;
use crate::plan::deployment::{Deployment, DeploymentKind};
use crate::world::github::GitHub;
use crate::world::github::deployments::{NewDeployment, NewStatus};
use crate::world::github::error::GitHubError;

/// The key of the payload that names our deployment.
const KEY: &str = "deployment";
/// How often a new deployment is looked for, where the answer was lost.
const LOOKS: usize = 3;

/// Why GitHub does not show a deployment.
#[derive(Debug, thiserror::Error)]
pub enum MirrorError {
    #[error(transparent)]
    GitHub(#[from] GitHubError),
    /// GitHub would make it, without any rule.
    #[error("environment `{name}` does not exist at GitHub")]
    NoEnvironment { name: String },
}

impl MirrorError {
    /// What to do about it, where that is known.
    pub fn way_out(&self) -> Option<String> {
        match self {
            MirrorError::GitHub(error) => error.way_out(),
            MirrorError::NoEnvironment { .. } => Some("make it in the repository's settings".to_owned()),
        }
    }
}

/// What GitHub shall show.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shown {
    pub digest: String,
    /// The environment's name at GitHub.
    pub environment: String,
    /// A tag or a commit.
    pub at: String,
    pub task: String,
    pub description: String,
    pub packages: Vec<(String, String)>,
    /// Where people find what runs.
    pub url: Option<String>,
    /// The run that does it.
    pub log: Option<String>,
}

impl Shown {
    /// How a deployment looks at GitHub; `None` where it is not shown there.
    pub fn of(deployment: &Deployment, url: Option<&str>, log: Option<&str>) -> Option<Shown> {
        let environment = deployment.mirror.clone()?;
        let first = deployment.items.first()?;
        let at = match deployment.items.as_slice() {
            [only] if !only.release.tag.is_empty() => &only.release.tag,
            _ => &first.release.commit,
        };
        let task = match deployment.kind {
            DeploymentKind::Deploy | DeploymentKind::Promote => "deploy",
            DeploymentKind::Rollback => "deploy:rollback",
        };
        let packages: Vec<(String, String)> = deployment
            .items
            .iter()
            .map(|item| (item.release.package.clone(), item.release.version.clone()))
            .collect();
        let named: Vec<String> = packages.iter().map(|(name, version)| format!("{name} {version}")).collect();
        let verb = if deployment.kind == DeploymentKind::Rollback { "back to " } else { "" };
        Some(Shown {
            digest: deployment.digest.as_str().to_owned(),
            environment,
            at: at.clone(),
            task: task.to_owned(),
            description: format!("{verb}{}", named.join(", ")),
            packages,
            url: url.map(str::to_owned),
            log: log.map(str::to_owned),
        })
    }

    fn payload(&self) -> Value {
        let packages: serde_json::Map<String, Value> =
            self.packages.iter().map(|(name, version)| (name.clone(), version.clone().into())).collect();
        json!({ KEY: self.digest, "packages": packages })
    }
}

/// The deployment at GitHub, found by its payload or made.
///
/// # Errors
/// Where GitHub says no, or does not answer.
pub async fn place(github: &GitHub, shown: &Shown) -> Result<u64, MirrorError> {
    if github.environment(&shown.environment).await?.is_none() {
        return Err(MirrorError::NoEnvironment { name: shown.environment.clone() });
    }
    for look in 1..=LOOKS {
        let all = github.deployments(&shown.environment, &shown.task).await?;
        let is_ours =
            |payload: Value| payload.get(KEY).and_then(Value::as_str) == Some(shown.digest.as_str());
        // The oldest, should two runs ever have made one each.
        if let Some(found) = all.iter().rev().find(|one| is_ours(one.payload())) {
            return Ok(found.id);
        }
        crash::point();
        let new = NewDeployment {
            at: &shown.at,
            environment: &shown.environment,
            task: &shown.task,
            description: &shown.description,
            payload: shown.payload(),
        };
        match github.add_deployment(&new).await {
            Ok(made) => {
                crash::point();
                return Ok(made.id);
            }
            // It may be there all the same: the next look tells.
            Err(error) if error.may_have_acted() && look < LOOKS => {}
            Err(error) => return Err(error.into()),
        }
    }
    unreachable!("the last look returns")
}

/// Gives a deployment its status, where that is not its newest already.
///
/// # Errors
/// As `place`.
pub async fn tell(
    github: &GitHub,
    id: u64,
    state: &str,
    shown: &Shown,
    reason: &str,
) -> Result<(), MirrorError> {
    for look in 1..=LOOKS {
        if github.deployment_state(id).await?.as_deref() == Some(state) {
            return Ok(());
        }
        let description = if reason.is_empty() { &shown.description } else { reason };
        let status = NewStatus {
            state,
            description,
            environment_url: shown.url.as_deref(),
            log_url: shown.log.as_deref(),
        };
        crash::point();
        match github.add_deployment_status(id, &status).await {
            Ok(()) => {
                crash::point();
                return Ok(());
            }
            Err(error) if error.may_have_acted() && look < LOOKS => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(())
}
