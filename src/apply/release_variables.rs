//! The `RELEASE_*` variables that programs of the user's see.

use crate::plan::deployment::{Artifact, Placed};
use crate::world::command::Command;

/// What a program is run for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Context<'c> {
    pub environment: &'c str,
    /// The deployment's digest.
    pub deployment: Option<&'c str>,
    /// The lease's number: a later one is larger.
    pub epoch: Option<u64>,
}

/// Sets `RELEASE_ENVIRONMENT`, and as far as it is known `RELEASE_DEPLOYMENT`, `RELEASE_EPOCH` and, of the release,
/// `RELEASE_PACKAGE`, `RELEASE_VERSION`, `RELEASE_DIGEST`, `RELEASE_TAG`, `RELEASE_COMMIT` and `RELEASE_IMAGE`
/// (`repository@digest`, for images).
pub fn set(command: Command, context: &Context<'_>, placed: Option<&Placed>) -> Command {
    let mut command = command.set("RELEASE_ENVIRONMENT", context.environment);
    if let Some(deployment) = context.deployment {
        command = command.set("RELEASE_DEPLOYMENT", deployment);
    }
    if let Some(epoch) = context.epoch {
        command = command.set("RELEASE_EPOCH", epoch.to_string());
    }
    let Some(placed) = placed else { return command };
    command = command
        .set("RELEASE_PACKAGE", &placed.package)
        .set("RELEASE_VERSION", &placed.version)
        .set("RELEASE_DIGEST", placed.digest().as_str())
        .set("RELEASE_TAG", &placed.tag)
        .set("RELEASE_COMMIT", &placed.commit);
    match &placed.artifact {
        Artifact::Image { repository, digest } => {
            command.set("RELEASE_IMAGE", format!("{repository}@{digest}"))
        }
        Artifact::Files { .. } => command,
    }
}
