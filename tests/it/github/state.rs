//! What the double remembers, in the forms of the API.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

use serde_json::Value;

use crate::github::tokens::Kind;

#[derive(Clone, Default)]
pub struct State {
    pub private: bool,
    pub archived: bool,
    /// What it was called before: `owner/name`.
    pub old: Vec<String>,
    pub default_branch: String,
    ids: u64,
    numbers: u64,
    /// As `release`, without its assets.
    pub releases: Vec<Value>,
    pub assets: Vec<Asset>,
    /// Whether releases become immutable when they are published.
    pub immutable: bool,
    /// Tags of immutable releases; they are never free again.
    pub burnt: BTreeSet<String>,
    /// Refs that nobody may push to, with what is said.
    pub refused: BTreeMap<String, String>,
    /// As `issue`; those of pulls too.
    pub issues: Vec<Value>,
    pub pulls: Vec<Pull>,
    /// As `issue-comment`, with the issue's number.
    pub comments: Vec<(u64, Value)>,
    /// As `label`.
    pub labels: Vec<Value>,
    pub workflows: Vec<Workflow>,
    pub runs: Vec<Run>,
    /// How runs to come go.
    pub course: Vec<Stage>,
    /// How many lists do not have a new run yet.
    pub lag: usize,
    /// The jobs of runs to come: name and conclusion.
    pub jobs: Vec<(String, String)>,
    /// As `deployment`.
    pub deployments: Vec<Value>,
    /// As `deployment-status`, with the deployment's number.
    pub statuses: Vec<(u64, Value)>,
    /// As `environment`.
    pub environments: Vec<Value>,
    /// As `branch-protection`, by branch.
    pub protections: BTreeMap<String, Value>,
    /// As `repository-rule-detailed`, by branch.
    pub rules: BTreeMap<String, Vec<Value>>,
    /// As `check-run`.
    pub checks: Vec<Value>,
    /// As `status`, with its commit.
    pub commit_statuses: Vec<(String, Value)>,
    pub pushes: Vec<Push>,
    /// Git's refs as they were last seen.
    pub refs: BTreeMap<String, String>,
    /// Commits that GitHub signed.
    pub verified: BTreeSet<String>,
    /// The setting that keeps jobs from opening pulls.
    pub jobs_open_no_pulls: bool,
    /// Ways to merge that the repository allows.
    pub merges: BTreeSet<String>,
}

#[derive(Clone)]
pub struct Asset {
    pub release: u64,
    /// As `release-asset`.
    pub value: Value,
    pub bytes: Arc<Vec<u8>>,
}

#[derive(Clone)]
pub struct Pull {
    pub number: u64,
    pub id: u64,
    /// Whose fork the head is in.
    pub fork: Option<String>,
    pub head: String,
    pub base: String,
    pub head_sha: String,
    pub base_sha: String,
    pub draft: bool,
    pub author: Value,
    /// The commit that it became, who merged it and when.
    pub merged: Option<(String, Value, String)>,
}

/// A change of a ref, and whose token made it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Push {
    pub token: String,
    pub kind: Kind,
    pub reference: String,
    pub before: String,
    pub after: String,
    /// Whether it came over git's own protocol.
    pub git: bool,
}

#[derive(Clone)]
pub struct Workflow {
    pub id: u64,
    /// `release.yml`.
    pub file: String,
    pub events: Vec<String>,
    /// The run's title, where `{input}` stands for an input's value.
    pub title: String,
}

#[derive(Clone)]
pub struct Run {
    pub id: u64,
    pub workflow: u64,
    pub event: String,
    pub branch: String,
    pub sha: String,
    pub title: String,
    pub inputs: Value,
    pub attempt: u64,
    pub actor: Value,
    pub created: String,
    /// What is still to come; the last stage stays.
    pub course: VecDeque<Stage>,
    pub hidden: usize,
    pub jobs: Vec<(String, String)>,
    /// Jobs as a test gave them, as `job`.
    pub given: Option<Vec<Value>>,
}

/// A run stays in a stage for so many reads.
#[derive(Debug, Clone)]
pub struct Stage {
    pub status: String,
    pub conclusion: Option<String>,
    pub reads: usize,
}

impl State {
    pub fn id(&mut self) -> u64 {
        self.ids += 1;
        1000 + self.ids
    }

    /// The next number of an issue or a pull.
    pub fn number(&mut self) -> u64 {
        self.numbers += 1;
        self.numbers
    }
}
