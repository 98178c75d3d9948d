//! What runs where, by the events of deployments: verified or not, held or not, and where a failure goes back to.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::ledger::event::{Ending, Holder, StepFailure, Trial};
use crate::ledger::state::StepState;
use crate::plan::deployment::{Deployment, DeploymentKind, Placed};

/// How many verified releases an environment remembers of each package, the newest last.
const REMEMBERED: usize = 8;

/// One environment.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Environment {
    /// The number of the last lease of one of its deployments.
    #[serde(default)]
    pub epoch: u64,
    /// The event at which a deployment last began or ended here: what was decided before it is stale.
    #[serde(default)]
    pub moved: u64,
    /// By the package's short name.
    #[serde(default)]
    pub packages: BTreeMap<String, Slot>,
    /// Its last deployment that ended, and what it moved.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last: Option<Last>,
    /// The number at GitHub of the deployment that is shown as active.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shown: Option<u64>,
    /// Why nothing moves until a person has looked: a return that failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub locked: Option<Stop>,
}

/// The place of one package in an environment.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Slot {
    /// What runs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub current: Option<Running>,
    /// What was verified here, the newest last.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub verified: Vec<Placed>,
    /// Releases that do not come back by themselves, by digest.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub held: BTreeMap<String, Hold>,
    /// A release that shall come here once it may.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub awaited: Option<Awaited>,
}

/// A release at work.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Running {
    pub release: Placed,
    /// When it came, seconds since 1970 (UTC).
    pub since: i64,
    /// The deployment that brought it.
    pub deployment: String,
    /// When it was proven to work; none before, and after a check has failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub verified: Option<i64>,
    /// When it was last looked at while it soaked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub looked: Option<i64>,
    /// Why it is not trusted any more, where a check has failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failed: Option<String>,
}

/// Why a release does not come back by itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hold {
    pub version: String,
    pub reason: String,
    /// Seconds since 1970 (UTC).
    pub since: i64,
}

/// A release that waits for its turn.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Awaited {
    pub release: Placed,
    /// The environment that it is promoted from; none for one that was just released.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
    pub who: String,
    /// Seconds since 1970 (UTC).
    pub since: i64,
}

/// A deployment that ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Last {
    pub deployment: String,
    pub kind: DeploymentKind,
    pub ending: Ending,
    pub reason: String,
    /// Seconds since 1970 (UTC).
    pub time: i64,
    pub packages: Vec<String>,
}

/// Something that a person ordered, or that waits for one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stop {
    pub reason: String,
    pub who: String,
    /// Seconds since 1970 (UTC).
    pub since: i64,
}

/// A deployment under way.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rollout {
    pub deployment: Deployment,
    /// Seconds since 1970 (UTC).
    pub began: i64,
    pub who: String,
    pub steps: BTreeMap<String, StepState>,
    /// The number of the lease that it is in hand under.
    #[serde(default)]
    pub epoch: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub holder: Option<Holder>,
}

impl Rollout {
    pub fn has_done(&self, step: &str) -> bool {
        matches!(self.steps.get(step), Some(StepState::Succeeded { .. }))
    }

    /// Why a step failed, where it did.
    pub fn failure(&self, step: &str) -> Option<&StepFailure> {
        match self.steps.get(step) {
            Some(StepState::Failed { failure }) => Some(failure),
            _ => None,
        }
    }

    /// The release of a package that this deployment brings.
    pub fn release(&self, package: &str) -> Option<&Placed> {
        self.item(package).map(|item| &item.release)
    }

    /// The release of a package that a failure goes back to.
    pub fn back_to(&self, package: &str) -> Option<&Placed> {
        self.item(package)?.back_to.as_ref()
    }

    fn item(&self, package: &str) -> Option<&crate::plan::deployment::Item> {
        self.deployment.items.iter().find(|item| item.release.package == package)
    }
}

/// The steps of a deployment, one name each.
pub fn deploy_step(package: &str) -> String {
    format!("deploy:{package}")
}

pub fn validate_step(package: &str) -> String {
    format!("validate:{package}")
}

pub fn return_step(package: &str) -> String {
    format!("return:{package}")
}

pub fn prove_step(package: &str) -> String {
    format!("prove:{package}")
}

impl Environment {
    pub fn slot(&self, package: &str) -> Option<&Slot> {
        self.packages.get(package)
    }

    /// Takes note of a step that is done.
    pub fn step_done(&mut self, rollout: &Rollout, step: &str, time: i64) {
        let Some((kind, package)) = step.split_once(':') else { return };
        let digest = rollout.deployment.digest.as_str();
        match kind {
            "deploy" => {
                let Some(release) = rollout.release(package) else { return };
                self.runs(release, digest, time);
            }
            "return" => {
                let Some(release) = rollout.back_to(package) else { return };
                self.runs(release, digest, time);
            }
            "validate" | "prove" => self.packages.entry(package.to_owned()).or_default().verify(time),
            _ => {}
        }
    }

    /// Takes note of a step that failed: what a check found bad is trusted no more, and held.
    pub fn step_failed(&mut self, rollout: &Rollout, step: &str, failure: &StepFailure, time: i64) {
        let Some((kind, package)) = step.split_once(':') else { return };
        let is_final = failure.kind == crate::ledger::event::FailureKind::Permanent;
        let Some(release) = rollout.release(package) else { return };
        if !is_final || !matches!(kind, "deploy" | "validate") {
            return;
        }
        let slot = self.packages.entry(package.to_owned()).or_default();
        slot.distrust(release, &failure.message, time);
    }

    fn runs(&mut self, release: &Placed, deployment: &str, time: i64) {
        let slot = self.packages.entry(release.package.clone()).or_default();
        slot.current = Some(Running {
            release: release.clone(),
            since: time,
            deployment: deployment.to_owned(),
            verified: None,
            looked: None,
            failed: None,
        });
        slot.awaited = None;
    }
}

impl Slot {
    fn verify(&mut self, time: i64) {
        let Some(current) = &mut self.current else { return };
        current.verified = Some(time);
        current.failed = None;
        let release = current.release.clone();
        self.verified.retain(|known| known.digest() != release.digest());
        self.verified.push(release);
        if self.verified.len() > REMEMBERED {
            self.verified.remove(0);
        }
    }

    /// A release that a check found bad: no rollback goes to it, and no automation brings it back.
    pub fn distrust(&mut self, release: &Placed, reason: &str, time: i64) {
        let digest = release.digest();
        self.verified.retain(|known| known.digest() != digest);
        if let Some(current) = self.current.as_mut().filter(|current| current.release.digest() == digest) {
            current.verified = None;
            current.failed = Some(reason.to_owned());
        }
        let hold = Hold { version: release.version.clone(), reason: reason.to_owned(), since: time };
        self.held.insert(digest.as_str().to_owned(), hold);
        if self.awaited.as_ref().is_some_and(|awaited| awaited.release.digest() == digest) {
            self.awaited = None;
        }
    }

    /// Takes note of a look at what soaks.
    pub fn looked(&mut self, trial: &Trial, time: i64) -> Result<(), String> {
        let current =
            self.current.as_mut().filter(|current| current.release.digest().as_str() == trial.digest);
        let Some(current) = current else {
            return Err(format!("{} does not run {}", trial.package, trial.digest));
        };
        current.looked = Some(time);
        if let Some(reason) = &trial.failed {
            let release = current.release.clone();
            self.distrust(&release, reason, time);
        }
        Ok(())
    }
}
