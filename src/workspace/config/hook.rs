//! The keys of `[[hook]]`: who is told how deployments go.

use schemars::JsonSchema;
use serde::Deserialize;

use crate::workspace::config::text;

/// One listener: an address or a program. A listener that fails is told of and changes nothing.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct HookTable {
    /// What it hears of.
    pub on: Vec<Occasion>,
    /// The address that is sent the event as JSON; its secret, where it has one, is read from `secret-from`.
    #[serde(default)]
    #[schemars(with = "Option<text::Url>")]
    pub url: Option<String>,
    /// The variable with the secret that signs what is sent (HMAC-SHA-256, header `X-Release-Signature-256`).
    #[serde(default)]
    pub secret_from: Option<String>,
    /// The program that is given the event as JSON on its standard input, and its arguments.
    #[serde(default)]
    pub command: Option<Vec<String>>,
    /// The environments that it hears of (default: all).
    #[serde(default)]
    pub environments: Option<Vec<String>>,
}

/// What a listener hears of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Occasion {
    /// A release is deployed and verified.
    Verified,
    /// A deployment failed and the environment went back.
    RolledBack,
    /// A deployment failed and could not go back: a person is needed.
    RollbackFailed,
    /// A check could not be made; the deployment waits.
    Paused,
    /// Deployments were stopped by a person.
    Halted,
    /// They may go on.
    Resumed,
}
