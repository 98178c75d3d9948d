//! The keys of `[environment.NAME]`.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;

use crate::workspace::config::text::{self, Span};

/// One environment: how releases run there, what comes before it, what proves that they work.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct EnvironmentTable {
    /// The environment at GitHub that shows its deployments (default: none, or with `deployments` of `[github]` the one
    /// of the same name).
    pub github: Option<String>,
    /// Where people find what runs here: shown at GitHub.
    #[schemars(with = "Option<text::Url>")]
    pub url: Option<String>,
    /// How releases run here: container, swarm, python (default) or command.
    pub target: Option<Target>,
    /// The packages that are deployed here, by name (default: for container and swarm those with an image, else all).
    pub packages: Option<Vec<String>>,
    /// The Docker host of container and swarm: "ssh://deploy@host", "tcp://host:2376" (default: DOCKER_HOST, else this machine).
    pub host: Option<String>,
    /// The folder with ca.pem, cert.pem and key.pem for a host over TLS (default: DOCKER_CERT_PATH).
    pub tls: Option<String>,
    /// How each package runs here, by its name.
    pub service: BTreeMap<String, ServiceTable>,
    /// Where the python target keeps its environments: an absolute path, or one from the root (default:
    /// ".release/environments/NAME").
    pub directory: Option<String>,
    /// The programs of the command target.
    pub command: Option<CommandTable>,
    /// Whether the release is deployed here at the end of `release ship`: the first environment by default.
    pub with_ship: Option<bool>,
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

/// How one package runs in an environment.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct ServiceTable {
    /// Ports of container and swarm, as Docker writes them: "127.0.0.1:8080:8000" is ADDRESS:PORT:PORT-INSIDE.
    pub publish: Vec<String>,
    /// Variables of its process.
    pub env: BTreeMap<String, String>,
    /// Names of variables that are handed on from this run; their values are never written down.
    pub env_from: Vec<String>,
    /// Volumes and folders, as Docker writes them: "data:/var/lib/app".
    pub volumes: Vec<String>,
    /// The Docker network it joins beside its own.
    pub network: Option<String>,
    /// The arguments in place of the image's own.
    pub command: Option<Vec<String>>,
    /// How long the old one still answers what it has begun (default: "10s").
    pub drain: Option<Span>,
    /// How long a candidate may take until it is healthy (default: "2m").
    pub ready_within: Option<Span>,
    /// How container changes over: auto (default), switch or direct.
    pub handover: Option<Handover>,
    /// The image with `python3` that the switch runs in (default: the package's own).
    pub switch_image: Option<String>,
    /// How many tasks a swarm service has (default: 1).
    pub replicas: Option<u32>,
    /// The program that the python target runs after the link has moved, and its arguments.
    pub restart: Option<Vec<String>>,
}

/// How the container target changes from one release to the next.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Handover {
    /// A switch where its image can run one, else direct.
    Auto,
    /// The port belongs to a switch, which leads to the one that is healthy: no request is lost.
    Switch,
    /// The new one takes the port over: for a moment nobody answers.
    Direct,
}

/// The user's own programs. They see RELEASE_ENVIRONMENT, RELEASE_PACKAGE, RELEASE_VERSION, RELEASE_DIGEST,
/// RELEASE_IMAGE, RELEASE_COMMIT, RELEASE_DEPLOYMENT and RELEASE_EPOCH.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct CommandTable {
    /// Brings the release to where it runs.
    pub apply: Vec<String>,
    /// Prints what runs, as JSON: {"digest": "sha256:…", "version": "1.2.3"}; {} where nothing does.
    pub status: Vec<String>,
    /// Brings an earlier release back (default: `apply`).
    pub rollback: Option<Vec<String>>,
    /// Says by its exit code whether the release could be brought there.
    pub possible: Option<Vec<String>>,
    /// How long each may take (default: "15m").
    pub timeout: Option<Span>,
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
    /// Days and hours in which deployments are allowed: "Mon-Thu 09:00-16:00".
    #[schemars(with = "Option<text::Window>")]
    pub allow: Option<String>,
    /// Days and hours in which they are not, whatever else allows them.
    #[schemars(with = "Option<text::Window>")]
    pub deny: Option<String>,
    /// The time zone of the hours: "Europe/Berlin" (default: UTC).
    pub zone: Option<String>,
    /// Whether a `deny` stops rollbacks too (default: no).
    pub rollback: Option<bool>,
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
    /// What must hold of the answer, as an expression over `status`, `headers`, `body`, `json`, `value`, `samples`,
    /// `seconds`, `version`, `digest` and `package`: "status == 200 and json.version == version".
    pub success: Option<String>,
    /// The packages that it is made for (default: all of the environment).
    pub packages: Option<Vec<String>>,
    /// The least number of samples that a metrics query must rest on, and the query that counts them.
    pub samples: Option<SamplesTable>,
    /// How long one try may take (default: "5s"; command and install "5m").
    pub timeout: Option<Span>,
    /// The time between two tries (default: "5s").
    pub interval: Option<Span>,
    /// The time before the first try (default: none).
    pub initial_delay: Option<Span>,
    /// How many tries in a row must succeed (default: 1).
    pub consecutive_success: Option<u32>,
    /// How many failed tries are borne (default: none).
    pub failure_limit: Option<u32>,
    /// How many tries in a row without an answer from the judge are borne (default: 4).
    pub error_limit: Option<u32>,
    /// The time after which the check must have passed (default: "3m"; command and install "10m").
    pub deadline: Option<Span>,
    /// Whether the check decides: enforce (default) or dry-run.
    pub mode: Option<CheckMode>,
}

impl CheckTable {
    /// Keys that mean something only for some kinds of check.
    pub const OF_SOME_KINDS: [&'static str; 6] = ["url", "command", "query", "expect", "success", "samples"];
}

/// How much a metrics check must rest on.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct SamplesTable {
    /// The query that counts, in PromQL.
    pub query: String,
    /// The least number that it must give.
    pub min: f64,
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
    /// Values in the JSON answer, by key; {version}, {digest} and {package} are those deployed.
    pub json: BTreeMap<String, serde_json::Value>,
    /// A text that the answer holds.
    pub text: Option<String>,
    /// A regular expression that matches in the answer.
    pub matches: Option<String>,
    /// Headers of the answer and their values.
    pub headers: BTreeMap<String, String>,
    /// The least number that a metrics query may give.
    pub min: Option<f64>,
    /// The largest number that a metrics query may give.
    pub max: Option<f64>,
}
