//! What a deployment sets out to do: a value, read before anything is touched.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::plan::digest::Digest;

/// The format number this program writes and reads.
pub const FORMAT: u32 = 1;

/// Releases on their way into one environment, wholly decided.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Deployment {
    /// The format's number.
    pub format: u32,
    /// SHA-256 over the deployment's canonical JSON without this field.
    pub digest: Digest,
    pub environment: String,
    pub kind: DeploymentKind,
    /// The environment that a promotion takes its releases from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
    /// Why, in words, where somebody gave a reason.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Gates that a person went past, by name; the reason says why.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub overrides: Vec<String>,
    /// How many events the ledger had when it was decided; it is stale where the environment moved since.
    pub ledger: u64,
    /// The environment at GitHub that shows it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mirror: Option<String>,
    /// What is deployed, dependencies first; a rollback goes the other way round.
    pub items: Vec<Item>,
}

/// Why releases move.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum DeploymentKind {
    /// A release into an environment.
    Deploy,
    /// What one environment has proven, into the next.
    Promote,
    /// Back to what worked.
    Rollback,
}

/// One package of a deployment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Item {
    /// What shall run.
    pub release: Placed,
    /// What the ledger says runs there now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<Placed>,
    /// Where a failure goes back to: the environment's last verified release.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub back_to: Option<Placed>,
}

/// One release of one package, as an environment runs it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Placed {
    /// The package's short name.
    pub package: String,
    /// PEP 440.
    pub version: String,
    pub tag: String,
    /// The release commit, in full.
    pub commit: String,
    pub artifact: Artifact,
}

/// The bytes that run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Artifact {
    /// An image in a registry, by the digest of its manifest or index.
    Image { repository: String, digest: Digest },
    /// Files on an index, by name.
    Files { distribution: String, index: String, files: BTreeMap<String, String> },
}

/// Which bytes of a release an environment runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ArtifactKind {
    Image,
    Files,
}

impl Artifact {
    pub fn kind(&self) -> ArtifactKind {
        match self {
            Artifact::Image { .. } => ArtifactKind::Image,
            Artifact::Files { .. } => ArtifactKind::Files,
        }
    }
}

impl Deployment {
    /// Computes the digest over everything else.
    pub fn sealed(mut self) -> Deployment {
        self.digest = Digest::none();
        let bytes = serde_json::to_vec(&self).expect("a deployment holds only what JSON can say");
        self.digest = Digest::of(&bytes);
        self
    }
}

impl Placed {
    /// The digest that tells what runs: the image's, or one over the wheels' digests.
    pub fn digest(&self) -> Digest {
        match &self.artifact {
            Artifact::Image { digest, .. } => digest.clone(),
            Artifact::Files { files, .. } => {
                let lines: String =
                    files.iter().map(|(name, digest)| format!("{digest}  {name}\n")).collect();
                Digest::of(lines.as_bytes())
            }
        }
    }
}
