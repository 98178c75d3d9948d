//! What persons ordered: halts, approvals, withdrawals, lines for mending.

use serde::{Deserialize, Serialize};

use crate::ledger::event::{Event, Scope, What};
use crate::ledger::state::State;

/// A stop that holds until somebody takes it back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Halt {
    pub scope: Scope,
    pub reason: String,
    pub who: String,
    /// Seconds since 1970 (UTC).
    pub since: i64,
}

impl Halt {
    /// Whether it stops a package in an environment; a ship has no environment.
    pub fn stops(&self, environment: Option<&str>, package: Option<&str>) -> bool {
        match &self.scope {
            Scope::All => true,
            Scope::Environment(name) => environment == Some(name),
            Scope::Package(name) => package == Some(name),
        }
    }
}

/// One person's word for a release in an environment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Approval {
    pub environment: String,
    pub package: String,
    pub version: String,
    /// The bytes that it is bound to.
    pub digest: String,
    pub who: String,
    /// Seconds since 1970 (UTC).
    pub time: i64,
}

/// A published release that shall run nowhere.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Withdrawn {
    pub package: String,
    pub version: String,
    pub tag: String,
    pub reason: String,
    pub who: String,
    /// Seconds since 1970 (UTC).
    pub time: i64,
    /// When the index said that it is yanked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub yanked: Option<i64>,
}

/// A line for mending what runs somewhere.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hotfix {
    pub package: String,
    pub branch: String,
    /// The tag that it began at.
    pub from: String,
    /// The commit of that tag.
    pub commit: String,
    pub who: String,
    /// Seconds since 1970 (UTC).
    pub time: i64,
}

impl State {
    /// The halts that stop a package in an environment.
    pub fn halted(&self, environment: Option<&str>, package: Option<&str>) -> Option<&Halt> {
        self.halts.iter().find(|halt| halt.stops(environment, package))
    }

    /// Whether a release was withdrawn, and why.
    pub fn withdrawal(&self, package: &str, version: &str) -> Option<&Withdrawn> {
        self.withdrawn.iter().find(|known| known.package == package && known.version == version)
    }

    /// Who approves these bytes for an environment, each person once.
    pub fn approvers(&self, environment: &str, package: &str, digest: &str) -> Vec<&str> {
        let fits = |known: &&Approval| {
            known.environment == environment && known.package == package && known.digest == digest
        };
        self.approvals.iter().filter(fits).map(|approval| approval.who.as_str()).collect()
    }

    pub(in crate::ledger) fn take_order(&mut self, event: &Event) -> Result<(), String> {
        let (who, time) = (event.who.clone(), event.time);
        match &event.what {
            What::Awaited { environment, from, releases } => {
                self.awaits(event, from.as_deref(), environment, releases);
                Ok(())
            }
            What::Looked { environment, trial } => {
                let known = self.environments.get_mut(environment);
                let slot = known.and_then(|known| known.packages.get_mut(&trial.package));
                slot.ok_or("nothing runs there")?.looked(trial, time)
            }
            What::Halted { scope, reason } => self.halt(event, scope, reason),
            What::Resumed { scope, .. } => self.resume(scope),
            What::Approved { environment, package, version, digest } => {
                if self.approvers(environment, package, digest).contains(&who.as_str()) {
                    return Err(format!("{who} has approved it already"));
                }
                let (environment, package) = (environment.clone(), package.clone());
                let (version, digest) = (version.clone(), digest.clone());
                self.approvals.push(Approval { environment, package, version, digest, who, time });
                Ok(())
            }
            What::Disapproved { environment, package, digest } => {
                let before = self.approvals.len();
                self.approvals.retain(|known| {
                    known.environment != *environment
                        || known.package != *package
                        || known.digest != *digest
                        || known.who != who
                });
                match self.approvals.len() < before {
                    true => Ok(()),
                    false => Err(format!("{who} has not approved it")),
                }
            }
            What::Withdrawn { package, version, tag, reason } => {
                if self.withdrawal(package, version).is_some() {
                    return Err(format!("{package} {version} is withdrawn already"));
                }
                let (package, version) = (package.clone(), version.clone());
                let (tag, reason) = (tag.clone(), reason.clone());
                self.withdrawn.push(Withdrawn { package, version, tag, reason, who, time, yanked: None });
                Ok(())
            }
            What::Yanked { package, version } => {
                let known = self.withdrawn.iter_mut();
                let found =
                    known.into_iter().find(|known| known.package == *package && known.version == *version);
                found.ok_or("it was never withdrawn")?.yanked = Some(time);
                Ok(())
            }
            What::HotfixOpened { package, branch, from, commit } => {
                let (package, branch) = (package.clone(), branch.clone());
                let (from, commit) = (from.clone(), commit.clone());
                if self.hotfixes.iter().any(|known| known.branch == branch) {
                    return Err(format!("{branch} is open already"));
                }
                self.hotfixes.push(Hotfix { package, branch, from, commit, who, time });
                Ok(())
            }
            What::HotfixPorted { branch, .. } => {
                let before = self.hotfixes.len();
                self.hotfixes.retain(|known| known.branch != *branch);
                if self.hotfixes.len() < before { Ok(()) } else { Err(format!("{branch} is not open")) }
            }
            What::Mirrored { deployment, id, told } => {
                self.mirrored(deployment, *id, told);
                Ok(())
            }
            other => Err(format!("{other:?} is no order")),
        }
    }

    fn halt(&mut self, event: &Event, scope: &Scope, reason: &str) -> Result<(), String> {
        if self.halts.iter().any(|halt| halt.scope == *scope) {
            return Err("it is halted already".to_owned());
        }
        let (reason, who, since) = (reason.to_owned(), event.who.clone(), event.time);
        self.halts.push(Halt { scope: scope.clone(), reason, who, since });
        Ok(())
    }

    /// Takes back the halt of exactly this scope, and what is locked or held in it.
    fn resume(&mut self, scope: &Scope) -> Result<(), String> {
        let before = self.halts.len();
        self.halts.retain(|halt| halt.scope != *scope);
        let mut changed = self.halts.len() < before;
        for (name, environment) in &mut self.environments {
            match scope {
                Scope::Environment(wanted) if wanted == name => changed |= environment.release(None),
                Scope::Package(package) => changed |= environment.release(Some(package)),
                _ => {}
            }
        }
        if changed { Ok(()) } else { Err("nothing is halted, held or locked there".to_owned()) }
    }
}
