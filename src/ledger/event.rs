//! The events of a ship, one before and one after every effect.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::plan::deployment::{Deployment, Placed};
use crate::plan::digest::Digest;

/// One line of the ledger.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Event {
    /// Place in the chain, from 1.
    pub number: u64,
    /// When, seconds since 1970 (UTC).
    pub time: i64,
    /// Who: the git identity or the CI's.
    pub who: String,
    /// The plan it belongs to.
    pub plan: Digest,
    pub what: What,
}

/// What happened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "kebab-case")]
pub enum What {
    /// A ship of a plan began; from here its commit's time and author are fixed.
    Begun { releases: BTreeMap<String, Begin> },
    /// Somebody has the ship in hand: nobody else does an effect of it while this epoch holds.
    Leased { epoch: u64, holder: Holder },
    /// The holder of this epoch has put the ship down; whoever comes next takes it up.
    Unleased { epoch: u64 },
    /// A step is about to be done.
    Started { step: String },
    /// A step is done; `evidence` says what was found or made (names, digests).
    Succeeded {
        step: String,
        #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
        evidence: BTreeMap<String, String>,
    },
    /// A step failed; `evidence` says what was seen.
    Failed {
        step: String,
        failure: StepFailure,
        #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
        evidence: BTreeMap<String, String>,
    },
    /// All steps are done. The releases are awaited in an environment, where one is named.
    Finished {
        #[serde(default, skip_serializing_if = "Option::is_none")]
        awaited: Option<AwaitedIn>,
    },
    /// The ship was given up before anything irreversible; its steps are taken back.
    Abandoned { reason: String },
    /// A claimed ship that shall never be finished; its numbers stay used.
    Closed { reason: String },
    /// A deployment began; the event's plan is its digest.
    Deploying { deployment: Box<Deployment> },
    /// A deployment ended.
    Deployed { ending: Ending, reason: String },
    /// GitHub shows a deployment, under this number and with this status.
    Mirrored { deployment: String, id: u64, told: String },
    /// Releases shall come into an environment once they may.
    Awaited { environment: String, from: Option<String>, releases: Vec<Placed> },
    /// What soaks in an environment was looked at.
    Looked { environment: String, trial: Trial },
    /// Somebody stopped what moves in a scope.
    Halted { scope: Scope, reason: String },
    /// Somebody lets it go on; also what is held or locked in the scope.
    Resumed { scope: Scope, reason: String },
    /// Somebody approves a release for an environment.
    Approved { environment: String, package: String, version: String, digest: String },
    /// Somebody takes an approval back.
    Disapproved { environment: String, package: String, digest: String },
    /// A published release that shall run nowhere.
    Withdrawn { package: String, version: String, tag: String, reason: String },
    /// The index says that a withdrawn release is yanked (PEP 592).
    Yanked { package: String, version: String },
    /// A line for mending what runs somewhere.
    HotfixOpened { package: String, branch: String, from: String, commit: String },
    /// What was mended there is on the main line too.
    HotfixPorted { branch: String, commit: String },
}

/// Where releases are awaited.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AwaitedIn {
    pub environment: String,
    pub releases: Vec<Placed>,
}

/// What a halt stops.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(tag = "of", content = "name", rename_all = "kebab-case")]
pub enum Scope {
    All,
    Environment(String),
    Package(String),
}

/// How a deployment ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Ending {
    /// Everything runs and is proven.
    Verified,
    /// A release failed and the environment runs what worked before.
    RolledBack,
    /// A release failed, and so did the way back: a person is needed.
    RollbackFailed,
    /// A release failed and there was nothing to go back to.
    Failed,
    /// It was given up for a rollback, or by a person.
    Superseded,
}

/// One look at what soaks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Trial {
    pub package: String,
    pub digest: String,
    /// Why it is bad, where it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failed: Option<String>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub evidence: BTreeMap<String, String>,
}

/// Who has a ship in hand: enough to prove later that it is dead.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Holder {
    /// The machine's name, for people.
    pub host: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub process: Option<Process>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub run: Option<Run>,
}

/// A process, told apart from every other that ever had its number.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Process {
    /// The boot of the machine (`/proc/sys/kernel/random/boot_id`).
    pub boot: String,
    /// The namespace that the number belongs to (`/proc/self/ns/pid`).
    pub namespace: String,
    pub pid: u32,
    /// Ticks from the boot to its start (`/proc/PID/stat`, field 22).
    pub started: u64,
}

/// A run of a CI.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Run {
    /// The address that its interface answers at.
    pub api: String,
    pub repository: String,
    pub id: String,
    pub attempt: u64,
}

/// What a ship sets out to release of one package.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Begin {
    pub version: String,
    pub tag: String,
    pub index: String,
}

/// Why a step failed, fit for the record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StepFailure {
    pub kind: FailureKind,
    pub message: String,
}

/// Whether trying again can help.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum FailureKind {
    Transient,
    Permanent,
    Unknown,
}
