//! Talks to a container engine (Docker's, or one that speaks as it does): connects, builds, exports.
//!
//! Does not know what a release is: names, labels and digests come from the caller.

pub mod build;
pub mod connect;
pub mod containers;
pub mod context;
pub mod files;
pub mod ignore;
pub mod network;
pub mod pull;
pub mod registry_login;
pub mod save;
pub mod services;

use bollard::Docker;
use bollard::errors::Error;

use crate::world::http::said;
use crate::world::oci::LayoutError;

/// An engine that has answered.
#[derive(Debug, Clone)]
pub struct Engine {
    /// The client; its version is negotiated.
    pub docker: Docker,
    /// Its address, for people.
    pub place: String,
    pub about: About,
}

/// What the engine says of itself.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct About {
    /// The engine's version: `20.10.24`.
    pub version: String,
    /// The version of its interface: major, minor.
    pub api: (usize, usize),
    /// `linux`.
    pub os: String,
    /// As Go names it: `amd64`.
    pub architecture: String,
}

impl About {
    /// Its own platform: `linux/amd64`.
    pub fn platform(&self) -> String {
        format!("{}/{}", self.os, self.architecture)
    }

    /// Whether it has `BuildKit` built in (interface 1.39 of a Linux engine).
    pub fn has_buildkit(&self) -> bool {
        self.os == "linux" && self.api >= (1, 39)
    }
}

/// Why the engine did not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum EngineError {
    /// Nothing answers, or it stopped answering.
    #[error("the container engine at {place} does not answer: {reason}")]
    Unreachable { place: String, reason: String },
    /// It answered, and said no.
    #[error("the container engine does not {what} ({status}): {said}")]
    Refused { what: String, status: u16, said: String },
    /// Something failed in the middle, as the engine tells it.
    #[error("the container engine failed to {what}: {said}")]
    Failed { what: String, said: String },
    /// The Dockerfile does not come to its end; `tail` is what the build said last.
    #[error("the image does not build: {said}{}", after(tail))]
    Build { said: String, tail: String },
    /// It answered something that can not be.
    #[error("the container engine does not make sense: {reason}")]
    Strange { reason: String },
    /// How to reach it is not to be understood.
    #[error("{what}: {reason}")]
    Settings { what: String, reason: String },
    #[error(transparent)]
    Layout(#[from] LayoutError),
    #[error("failed to use `{path}`: {source}")]
    File {
        path: String,
        #[source]
        source: std::io::Error,
    },
}

impl EngineError {
    /// What an error of the client means; `what` completes "does not …".
    pub fn of(error: &Error, place: &str, what: &str) -> EngineError {
        let what = what.to_owned();
        match error {
            Error::DockerResponseServerError { status_code, message } => {
                EngineError::Refused { what, status: *status_code, said: said(message) }
            }
            Error::DockerStreamError { error } | Error::DockerContainerWaitError { error, .. } => {
                EngineError::Failed { what, said: said(error) }
            }
            Error::JsonDataError { .. } | Error::JsonSerdeError { .. } | Error::StrParseError { .. } => {
                EngineError::Strange { reason: said(&error.to_string()) }
            }
            _ => EngineError::Unreachable { place: place.to_owned(), reason: root(error) },
        }
    }

    /// Whether the same may succeed later.
    pub fn is_transient(&self) -> bool {
        match self {
            EngineError::Unreachable { .. } => true,
            EngineError::Refused { status, .. } => *status == 429 || *status >= 500,
            _ => false,
        }
    }

    /// Whether the engine says that there is no such thing.
    pub fn is_absent(&self) -> bool {
        matches!(self, EngineError::Refused { status: 404, .. })
    }

    /// The ways out, most likely first.
    pub fn hints(&self) -> Vec<String> {
        match self {
            EngineError::Unreachable { .. } => vec![
                "start it, or say where it is with `DOCKER_HOST` or a Docker context; `docker info` asks the same"
                    .to_owned(),
                "its socket may be for root and the group `docker` only".to_owned(),
            ],
            EngineError::Refused { status: 500.., .. } => vec!["run it again".to_owned()],
            _ => Vec::new(),
        }
    }
}

impl Engine {
    /// What an error of the client means; `what` completes "does not …".
    pub fn error(&self, error: &Error, what: &str) -> EngineError {
        EngineError::of(error, &self.place, what)
    }
}

fn after(tail: &str) -> String {
    if tail.is_empty() { String::new() } else { format!("\n{tail}") }
}

/// The innermost cause in words.
fn root(error: &Error) -> String {
    let mut cause: &dyn std::error::Error = error;
    while let Some(inner) = cause.source() {
        cause = inner;
    }
    said(&cause.to_string())
}
