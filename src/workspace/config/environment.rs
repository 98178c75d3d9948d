//! The keys of `[environment.NAME]`.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;

use crate::workspace::config::text::{self, Span};

/// One environment: how releases run there, what comes before it, what proves that they work.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct EnvironmentTable {
    /// How releases run here: container, swarm, python (default) or command.
    pub target: Option<Target>,
    /// The environment that a release must have passed before.
    pub after: Option<String>,
    /// How long a release must have stood verified in the environment before: "10m".
    pub soak: Option<Span>,
    /// What proves that a deployment works, in this order.
    pub validate: Vec<CheckTable>,
    /// How many persons must approve a release.
    pub approvals: Option<u32>,
    /// When deployments are allowed; always where there is none.
    pub windows: Vec<WindowTable>,
    /// The oldest version of each package that a rollback may return to: { core = "2.0.0" }.
    #[schemars(with = "BTreeMap<String, text::VersionText>")]
    pub rollback_floor: BTreeMap<String, String>,
}

/// What runs a release.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Target {
    /// One container on a Docker host.
    Container,
    /// A service of a Docker swarm.
    Swarm,
    /// A virtual environment for each release.
    Python,
    /// The user's own programs.
    Command,
}

/// A time of the week.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct WindowTable {
    /// Days and hours: "Mon-Thu 09:00-16:00".
    #[schemars(with = "text::Window")]
    pub allow: String,
    /// The time zone of the hours: "Europe/Berlin" (default: UTC).
    pub zone: Option<String>,
}

/// One check of a deployment.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct CheckTable {
    /// What is asked: http, command, container, install, metrics or version.
    pub kind: CheckKind,
    /// The address of http and metrics checks.
    #[schemars(with = "Option<text::Url>")]
    pub url: Option<String>,
    /// The program of a command check and its arguments.
    pub command: Option<Vec<String>>,
    /// The query of a metrics check, in PromQL.
    pub query: Option<String>,
    /// What the answer must be.
    pub expect: Option<ExpectTable>,
    /// The time between two tries.
    pub interval: Option<Span>,
    /// The time before the first try.
    pub initial_delay: Option<Span>,
    /// How many tries in a row must succeed.
    pub consecutive_success: Option<u32>,
    /// How many failed tries are borne.
    pub failure_limit: Option<u32>,
    /// How many tries without an answer from the judge are borne.
    pub error_limit: Option<u32>,
    /// The time after which the check must have passed.
    pub deadline: Option<Span>,
    /// Whether the check decides: enforce (default) or dry-run.
    pub mode: Option<CheckMode>,
}

impl CheckTable {
    /// Keys that mean something only for some kinds of check.
    pub const OF_SOME_KINDS: [&'static str; 4] = ["url", "command", "query", "expect"];
}

/// What a check asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum CheckKind {
    /// An answer over HTTP.
    Http,
    /// A program's exit code.
    Command,
    /// The container: health, restarts, running digest.
    Container,
    /// Whether the release can be installed from the index.
    Install,
    /// A number from Prometheus.
    Metrics,
    /// The version that the deployment says it has.
    Version,
}

/// Whether a check decides.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum CheckMode {
    /// Its result counts.
    Enforce,
    /// Its result is only shown.
    DryRun,
}

/// What an answer must be.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct ExpectTable {
    /// The HTTP status.
    #[schemars(range(min = 100, max = 599))]
    pub status: Option<u16>,
    /// Values in the JSON answer, by key; {version} is the version that was deployed.
    pub json: BTreeMap<String, serde_json::Value>,
    /// A text that the answer holds.
    pub text: Option<String>,
    /// The least number that a metrics query may give.
    pub min: Option<f64>,
    /// The largest number that a metrics query may give.
    pub max: Option<f64>,
}
