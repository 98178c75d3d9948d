//! What should happen, step by step, and how each step is taken back: Facts in, Plan out.
//!
//! Pure: no I/O, no clock, no environment. The same Facts give the same Plan, byte for byte.

pub mod assume;
pub mod chain;
pub mod decide;
pub mod deployment;
pub mod digest;
pub mod edits;
pub mod facts;
pub mod image;
pub mod locks;
pub mod make;
pub mod merged;
pub mod merges;
pub mod notes;
pub mod number;
pub mod owners;
pub mod preview;
#[cfg(test)]
mod properties;
pub mod requirement;
pub mod scope;
pub mod shares;
pub mod stale;
pub mod standing;
pub mod step;
pub mod steps;
pub mod tally;
#[cfg(test)]
pub mod testing;
pub mod told;
pub mod unconventional;
pub mod waves;
pub mod workflow_files;

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::history::commit::CommitId;
use crate::plan::deployment::ArtifactKind;
use crate::plan::digest::Digest;
use crate::plan::image::ReleaseImage;
use crate::plan::step::{FileEdit, Step};
use crate::version::bump::Bump;

/// The format number this program writes and reads.
pub const FORMAT: u32 = 1;

/// A release of some packages, wholly decided.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Plan {
    /// The format's number.
    pub format: u32,
    /// SHA-256 over the plan's canonical JSON without this field.
    pub digest: Digest,
    /// What the plan was made from.
    pub base: Base,
    /// Commits that do not exist and that the plan counts; such a plan can not be shipped.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub assumed: Vec<Assumed>,
    /// The packages that are released, dependencies first.
    pub releases: Vec<Release>,
    /// What is done, in an order that keeps every need before its user.
    pub steps: Vec<Step>,
    /// Every splice of the release commit.
    pub edits: Vec<FileEdit>,
    /// The packages that stay as they are.
    pub unchanged: Vec<Unchanged>,
    /// Packages that can not be planned until somebody decides.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub refused: Vec<Refusal>,
    /// What was left out, and why.
    pub left_out: Vec<LeftOut>,
    /// Where the releases go first, once they are published.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deploy: Option<Deploy>,
    /// Remarks that change nothing.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub warnings: Vec<String>,
}

/// Where releases are deployed at the end of a ship.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Deploy {
    pub environment: String,
    /// What runs there of each released package: its image, or its files.
    pub packages: BTreeMap<String, ArtifactKind>,
}

/// What a plan was made from; a plan whose base is no longer true is stale.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Base {
    /// The commit planned on, in full.
    pub commit: String,
    /// The branch checked out there; null for a detached HEAD.
    pub branch: Option<String>,
    /// Digest over the version tags of all packages and the commits they name.
    pub tags: Digest,
    /// Digest over the configuration file, overrides, fragments and templates.
    pub config: Digest,
    /// Digest over what the indexes hold of these packages.
    pub index: Digest,
}

/// A commit that was planned as if it stood on top of the base.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Assumed {
    /// What stands in place of a commit's id elsewhere in the plan.
    pub commit: String,
    /// Its first line.
    pub subject: String,
    /// The files or folders that it is taken to change.
    pub paths: Vec<String>,
}

/// One package's release.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Release {
    /// The short name, as in tags and reports.
    pub package: String,
    /// The distribution's name, normalised (PEP 503).
    pub distribution: String,
    /// The package's folder; `.` for the root.
    pub path: String,
    /// The last release; null for a first one.
    pub from: Option<String>,
    /// The version released (PEP 440).
    pub to: String,
    /// The tag that names it.
    pub tag: String,
    pub bump: ReleaseBump,
    /// Why it is released.
    pub because: Vec<Because>,
    /// The release notes, Markdown.
    pub notes: String,
    /// Files of the repository that the release edits.
    pub files: Vec<String>,
    /// What is made: `sdist`, `wheel`, `image`.
    pub artifacts: Vec<String>,
    /// Its container image, where it has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub image: Option<ReleaseImage>,
    /// The name of the index that takes it.
    pub index: String,
    /// How the number was derived, line by line.
    pub explain: Vec<String>,
    /// Internal requirements that the release commit rewrites in this package.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub requirements: Vec<RequirementChange>,
    /// Consents that `ship` asks for: `allow-major`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub needs: Vec<String>,
}

/// An internal requirement before and after.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RequirementChange {
    /// The package it names, short.
    pub package: String,
    /// As written before.
    pub from: String,
    /// As written after.
    pub to: String,
}

/// The size of a release's step.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum ReleaseBump {
    Major,
    Minor,
    Patch,
    Pre,
}

/// One reason for a release.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Because {
    pub kind: BecauseKind,
    /// The commit, in full, where one is the reason.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    pub commit: Option<CommitId>,
    /// The other package, where a dependency or a group is the reason.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub package: Option<Box<str>>,
    /// The fragment's file, where one is the reason.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fragment: Option<Box<str>>,
    /// The size it asks for before any zero-version rule; null where it only adds notes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub size: Option<Bump>,
    /// The entry's first line or the reason in words.
    pub text: Box<str>,
    /// The rule that gave it to this package.
    pub rule: Arc<str>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum BecauseKind {
    Commit,
    Fragment,
    Dependency,
    Group,
    Forced,
}

/// A package that stays at its version.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Unchanged {
    /// The short name.
    pub package: String,
    /// The distribution's name, normalised (PEP 503).
    pub distribution: String,
    /// Its last version; null where it has none.
    pub version: Option<String>,
}

/// A package that can not be planned until somebody decides.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Refusal {
    pub package: String,
    pub reason: String,
    /// What to do next.
    pub way_out: String,
}

/// Something seen and not counted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct LeftOut {
    /// The commit, in full.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    pub commit: Option<CommitId>,
    /// The package that is not released, where the row is about one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub package: Option<Box<str>>,
    /// The packages that the commit touches.
    #[serde(default, skip_serializing_if = "<[_]>::is_empty")]
    pub packages: Box<[Arc<str>]>,
    /// The commit's first line, control characters stripped.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject: Option<Box<str>>,
    /// A word that programs can match: merge, revert-pair, type, unparseable, …
    pub kind: Cow<'static, str>,
    pub reason: Cow<'static, str>,
}
