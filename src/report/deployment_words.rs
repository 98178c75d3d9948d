//! Deployments and orders in words.

use crate::ledger::event::{Ending, Scope, What};
use crate::plan::deployment::{Deployment, DeploymentKind, Item};
use crate::report::plain::line;

/// `promoting mlops 2.1.0, interfaces 1.4.0 from staging to production`.
pub fn deployment_named(deployment: &Deployment) -> String {
    let environment = &deployment.environment;
    let text = match (deployment.kind, &deployment.from) {
        (DeploymentKind::Promote, Some(from)) => {
            format!("promoting {} from {from} to {environment}", items_named(&deployment.items))
        }
        (DeploymentKind::Rollback, _) => {
            format!("taking {environment} back to {}", items_named(&deployment.items))
        }
        _ => format!("deploying {} to {environment}", items_named(&deployment.items)),
    };
    line(&text)
}

/// `mlops 2.1.0, interfaces 1.4.0`.
pub fn items_named(items: &[Item]) -> String {
    let named = items.iter().map(|item| format!("{} {}", item.release.package, item.release.version));
    line(&named.collect::<Vec<String>>().join(", "))
}

/// What a halt stops: `everything`, `environment production`, `package mlops`.
pub fn scope_named(scope: &Scope) -> String {
    match scope {
        Scope::All => "everything".to_owned(),
        Scope::Environment(name) => line(&format!("environment {name}")),
        Scope::Package(name) => line(&format!("package {name}")),
    }
}

/// How a deployment ended.
pub fn ending_named(ending: Ending) -> &'static str {
    match ending {
        Ending::Verified => "verified",
        Ending::RolledBack => "rolled back",
        Ending::RollbackFailed => "rollback failed",
        Ending::Failed => "failed, nothing to go back to",
        Ending::Superseded => "superseded",
    }
}

/// An event that belongs to a deployment or is somebody's order.
pub fn deployment_in_words(what: &What) -> String {
    let text = match what {
        What::Deploying { deployment } => {
            let mut text = format!("began {}", deployment_named(deployment));
            if let Some(reason) = &deployment.reason {
                text.push_str(&format!(": {reason}"));
            }
            if !deployment.overrides.is_empty() {
                text.push_str(&format!(" (past {})", deployment.overrides.join(", ")));
            }
            text
        }
        What::Deployed { ending, reason } if reason.is_empty() => ending_named(*ending).to_owned(),
        What::Deployed { ending, reason } => format!("{}: {reason}", ending_named(*ending)),
        What::Mirrored { id, told, .. } => {
            format!("GitHub shows it as deployment {id}: {}", told.replace('_', " "))
        }
        What::Awaited { environment, releases, .. } => {
            let named = releases.iter().map(|release| format!("{} {}", release.package, release.version));
            format!("{} shall come to {environment}", named.collect::<Vec<String>>().join(", "))
        }
        What::Looked { environment, trial } => match &trial.failed {
            None => format!("looked at {} in {environment}: it works", trial.package),
            Some(reason) => format!("looked at {} in {environment}: {reason}", trial.package),
        },
        What::Halted { scope, reason } => format!("halted {}: {reason}", scope_named(scope)),
        What::Resumed { scope, reason } => format!("resumed {}: {reason}", scope_named(scope)),
        What::Approved { environment, package, version, .. } => {
            format!("approved {package} {version} for {environment}")
        }
        What::Disapproved { environment, package, .. } => {
            format!("took the approval of {package} for {environment} back")
        }
        What::Withdrawn { package, version, reason, .. } => format!("withdrew {package} {version}: {reason}"),
        What::Yanked { package, version } => format!("the index says that {package} {version} is yanked"),
        What::HotfixOpened { package, branch, from, .. } => {
            format!("opened {branch} to mend {package} as of {from}")
        }
        What::HotfixPorted { branch, .. } => format!("{branch} is on the main line too"),
        _ => String::new(),
    };
    line(&text)
}
