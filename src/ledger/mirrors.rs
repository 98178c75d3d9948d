//! Deployments that GitHub is to show, until it shows how they ended.

use serde::{Deserialize, Serialize};

use crate::ledger::event::Ending;
use crate::ledger::state::State;
use crate::plan::deployment::Deployment;

/// One deployment on its way to GitHub's page.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mirror {
    pub deployment: Deployment,
    /// How it ended; none while it is under way.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ending: Option<Ending>,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub reason: String,
    /// Its number at GitHub, once it is there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<u64>,
    /// The last status that was told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub told: Option<String>,
}

impl Mirror {
    /// How GitHub calls where the deployment stands.
    pub fn state(&self) -> &'static str {
        match self.ending {
            None => "in_progress",
            Some(Ending::Verified) => "success",
            Some(Ending::RolledBack | Ending::Failed) => "failure",
            Some(Ending::RollbackFailed) => "error",
            Some(Ending::Superseded) => "inactive",
        }
    }

    /// Whether GitHub shows something else.
    pub fn is_owed(&self) -> bool {
        self.told.as_deref() != Some(self.state())
    }
}

impl State {
    /// What GitHub is still to be told, the oldest decision first.
    pub fn owed(&self) -> Vec<Mirror> {
        let mut owed: Vec<Mirror> =
            self.mirrors.values().filter(|mirror| mirror.is_owed()).cloned().collect();
        owed.sort_by_key(|mirror| mirror.deployment.ledger);
        owed
    }

    pub(in crate::ledger) fn mirror_begun(&mut self, deployment: &Deployment) {
        if deployment.mirror.is_some() {
            let mirror = Mirror {
                deployment: deployment.clone(),
                ending: None,
                reason: String::new(),
                id: None,
                told: None,
            };
            self.mirrors.insert(deployment.digest.as_str().to_owned(), mirror);
        }
    }

    pub(in crate::ledger) fn mirror_ended(&mut self, deployment: &str, ending: Ending, reason: &str) {
        if let Some(mirror) = self.mirrors.get_mut(deployment) {
            mirror.ending = Some(ending);
            reason.clone_into(&mut mirror.reason);
        }
    }

    /// Takes note of what GitHub shows; of a deployment that is over and told there is nothing more to remember. Runs
    /// that tell GitHub the same do not stand in each other's way.
    pub(in crate::ledger) fn mirrored(&mut self, deployment: &str, id: u64, told: &str) {
        let Some(mirror) = self.mirrors.get_mut(deployment) else { return };
        mirror.id = Some(id);
        mirror.told = Some(told.to_owned());
        let is_over = mirror.ending.is_some() && !mirror.is_owed();
        let environment = mirror.deployment.environment.clone();
        if told == "success" {
            self.environments.entry(environment).or_default().shown = Some(id);
        }
        if is_over {
            self.mirrors.remove(deployment);
        }
    }
}
