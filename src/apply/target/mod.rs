//! Where releases run: each kind of target can be asked what is possible and what runs, and be brought to a release.
//!
//! Everything is "ensure": what runs already stays, what an interrupted run left behind is taken up or cleared away.

pub mod command;
pub mod container;
pub mod error;
mod handover;
pub mod image;
pub mod place;
pub mod python;
pub mod ready;
pub mod scene;
pub mod service;
pub mod site;
pub mod swarm;
pub mod switch;

use crate::apply::target::error::TargetError;
use crate::plan::deployment::Placed;
use crate::plan::digest::Digest;

/// The deployment that an effect belongs to; it is written on what is made, so that whoever comes next knows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mark {
    pub environment: String,
    pub deployment: Digest,
    /// The lease's number: what a later one made is not touched by an earlier one.
    pub epoch: u64,
}

/// What runs for one package.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Observed {
    /// As `Placed::digest` says it.
    pub digest: Digest,
    pub version: Option<String>,
    /// The deployment that brought it, as its mark says; none where a person did.
    pub deployment: Option<String>,
    /// The target's own word on its health; none where it has none.
    pub healthy: Option<bool>,
    /// How often it was started again by itself.
    pub restarts: Option<u64>,
    /// What it is called there: a container's id, a folder.
    pub place: String,
}

/// What an observation adds up to, against what should run.
pub fn is_running(observed: Option<&Observed>, wanted: &Placed) -> bool {
    observed.is_some_and(|observed| observed.digest == wanted.digest())
}

/// Hears what people may want to know while it goes on.
pub type Remark<'r> = &'r (dyn Fn(&str) + Sync);

/// What every target can do.
pub type Answer<T> = Result<T, TargetError>;
