//! The events of a ship, one before and one after every effect.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

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
    /// A step failed.
    Failed { step: String, failure: StepFailure },
    /// All steps are done.
    Finished,
    /// The ship was given up before anything irreversible; its steps are taken back.
    Abandoned { reason: String },
    /// A claimed ship that shall never be finished; its numbers stay used.
    Closed { reason: String },
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
