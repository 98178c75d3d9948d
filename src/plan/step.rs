//! One step of a plan: what is done, what it needs, how it is taken back, how it is checked.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::plan::digest::Digest;
use crate::plan::image::{ImageTag, ReleaseImage};

/// A step's name, unique in its plan: `build:core`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct StepId(pub String);

impl std::fmt::Display for StepId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

/// One effect on the world.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Step {
    pub id: StepId,
    /// The package's short name; null for a step of the whole release.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub package: Option<String>,
    pub action: Action,
    /// Steps that must be done before.
    pub needs: Vec<StepId>,
    pub reversal: Reversal,
    /// What is observed to know that it is done.
    pub check: String,
}

/// What a step does.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Action {
    /// Write the release commit (the plan's edits on its base) as an object, with no branch moved.
    Commit { message: String },
    /// Take a commit that a release pull request brought onto the branch as the release commit; `plan` is the digest
    /// of the plan that wrote it.
    Merged { commit: String, plan: Digest },
    /// Write an annotated tag as an object, with no ref moved.
    Tag { tag: String, message: String },
    /// Build sdist and wheel from a clean checkout of the release commit.
    Build { path: String, distribution: String, version: String, frontend: String },
    /// Build the container image with the wheels of this ship, and keep it as an OCI layout.
    Image {
        /// The package's folder.
        path: String,
        distribution: String,
        version: String,
        image: ReleaseImage,
        /// Packages of this ship whose wheels it gets beside its own.
        with: Vec<String>,
    },
    /// Record names, sizes and digests of all files; from here on only these bytes exist.
    Seal,
    /// Move the branch and create the tags, all or none.
    Claim { branch: String, tags: Vec<String> },
    /// Keep the sealed files in a draft release at GitHub, with the notes: any later run takes them from there.
    Stash { tag: String, title: String },
    /// Put the files of one package on an index.
    Publish { index: String, distribution: String, version: String },
    /// Put the image into its registry: by digest, then under its version, then under the tags that move.
    Push { repository: String, version: String, tags: Vec<ImageTag> },
    /// Tell the pull requests and issues of the releases' commits which versions they came out in; it never fails.
    Tell { comment: bool, labels: Vec<String> },
    /// Install from the index by hash into a clean environment, import, run the entry points.
    Smoke { index: String, distribution: String, version: String },
    /// Publish the draft release at GitHub.
    Announce {
        tag: String,
        version: String,
        prerelease: bool,
        /// Whether GitHub shall call it the repository's latest, unless a higher one is.
        latest: bool,
    },
}

/// How a step is taken back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Reversal {
    /// It leaves nothing behind that matters.
    Nothing,
    /// The files it made are deleted.
    DeleteFiles,
    /// The refs go back to where they were.
    RestoreRefs,
    /// The draft release is deleted.
    DeleteDraft,
    /// It can not be taken back.
    Irreversible,
}

/// All changes of one file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct FileEdit {
    /// Path in the repository, as git writes it.
    pub path: String,
    /// Digest of the bytes before; null where the file is made.
    pub before: Option<Digest>,
    /// Digest of the bytes after; null where the file is deleted.
    pub after: Option<Digest>,
    /// In order of `at`, not overlapping.
    pub splices: Vec<Splice>,
}

/// One stretch of bytes replaced by a text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Splice {
    /// Byte offset in the file before.
    pub at: usize,
    /// How many bytes go.
    pub delete: usize,
    /// What comes in their place.
    pub insert: String,
}
