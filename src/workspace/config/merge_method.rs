//! How pull requests are merged into the branch that releases are made from.

use schemars::JsonSchema;
use serde::Deserialize;

/// What merging a pull request makes of its commits.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum MergeMethod {
    /// A merge commit: the commits count themselves.
    #[default]
    Merge,
    /// One commit with the pull request's title.
    Squash,
    /// The same commits on top of the branch.
    Rebase,
}

impl MergeMethod {
    /// What has happened to the pull request then.
    pub fn done(self) -> &'static str {
        match self {
            MergeMethod::Merge => "merged",
            MergeMethod::Squash => "squashed",
            MergeMethod::Rebase => "rebased",
        }
    }
}
