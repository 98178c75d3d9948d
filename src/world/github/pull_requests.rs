//! What a pull request says of itself, and how its repository merges.

use serde::Deserialize;

use crate::world::github::comments::Author;
use crate::world::github::error::GitHubError;
use crate::world::github::{GitHub, encoded};

/// A pull request, as far as a preview and what is told afterwards need it.
#[derive(Debug, Clone, Deserialize)]
pub struct PullView {
    pub number: u64,
    pub title: String,
    #[serde(default)]
    pub body: Option<String>,
    /// `open` or `closed`.
    pub state: String,
    /// When it was merged; none where it was not.
    #[serde(default)]
    pub merged_at: Option<String>,
    pub head: PullEnd,
}

/// One end of a pull request.
#[derive(Debug, Clone, Deserialize)]
pub struct PullEnd {
    /// `owner:branch`.
    #[serde(default)]
    pub label: Option<String>,
    #[serde(rename = "ref")]
    pub branch: String,
    pub sha: String,
    #[serde(default)]
    pub user: Option<Author>,
}

/// How a repository words what its merges write; a token without the right to push is not told.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct MergeWording {
    pub squash_merge_commit_title: Option<String>,
    pub squash_merge_commit_message: Option<String>,
    pub merge_commit_title: Option<String>,
    pub merge_commit_message: Option<String>,
}

#[derive(Deserialize)]
struct Listed {
    commit: Words,
}

#[derive(Deserialize)]
struct Words {
    message: String,
}

impl GitHub {
    /// One pull request.
    ///
    /// # Errors
    /// Where GitHub says no, or does not answer.
    pub async fn pull_view(&self, number: u64) -> Result<PullView, GitHubError> {
        self.get(&self.path(&format!("pulls/{number}"))).await
    }

    /// The messages of a pull request's commits, the oldest first; GitHub lists 250 at most.
    ///
    /// # Errors
    /// As `pull_view`.
    pub async fn messages_of_pull(&self, number: u64) -> Result<Vec<String>, GitHubError> {
        let listed: Vec<Listed> = self.all(&self.path(&format!("pulls/{number}/commits"))).await?;
        Ok(listed.into_iter().map(|one| one.commit.message).collect())
    }

    /// The pull requests that a commit came with.
    ///
    /// # Errors
    /// As `pull_view`.
    pub async fn pulls_of_commit(&self, commit: &str) -> Result<Vec<PullView>, GitHubError> {
        self.all(&self.path(&format!("commits/{}/pulls", encoded(commit)))).await
    }

    /// How this repository words its merges.
    ///
    /// # Errors
    /// As `pull_view`.
    pub async fn merge_wording(&self) -> Result<MergeWording, GitHubError> {
        self.get(&self.path("")).await
    }
}
