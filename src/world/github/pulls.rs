//! Pull requests of a repository: found by their branch, opened, edited, closed, spoken to.

use serde::Deserialize;
use serde_json::{Value, json};

use crate::world::github::error::GitHubError;
use crate::world::github::{GitHub, encoded};

/// A pull request, as far as we read it.
#[derive(Debug, Clone, Deserialize)]
pub struct Pull {
    pub number: u64,
    pub html_url: String,
    pub title: String,
    pub body: Option<String>,
    pub head: Side,
    #[serde(default)]
    pub labels: Vec<Label>,
}

/// One side of a pull request.
#[derive(Debug, Clone, Deserialize)]
pub struct Side {
    #[serde(rename = "ref")]
    pub branch: String,
    pub sha: String,
    /// None where the fork is gone.
    pub repo: Option<Named>,
}

/// A repository, by its full name.
#[derive(Debug, Clone, Deserialize)]
pub struct Named {
    pub full_name: String,
}

#[derive(Debug, Clone, Deserialize)]
pub struct Label {
    pub name: String,
}

#[derive(Debug, Deserialize)]
struct Comment {
    body: Option<String>,
}

/// What a squash of a pull request says, as far as the token may see it.
#[derive(Debug, Deserialize)]
struct Squashes {
    allow_squash_merge: Option<bool>,
    squash_merge_commit_message: Option<String>,
}

impl GitHub {
    /// Whether a squash keeps nothing but the title.
    ///
    /// # Errors
    /// Where GitHub says no, or does not answer as documented.
    pub async fn squashes_to_titles(&self) -> Result<bool, GitHubError> {
        let found: Squashes = self.get(&self.path("")).await?;
        Ok(found.allow_squash_merge != Some(false)
            && found.squash_merge_commit_message.as_deref() == Some("BLANK"))
    }

    /// The open pull requests from a branch of this repository itself into another; those of forks are none of them.
    ///
    /// # Errors
    /// Where GitHub says no, or does not answer as documented.
    pub async fn open_pulls(&self, branch: &str, into: &str) -> Result<Vec<Pull>, GitHubError> {
        let head = encoded(&format!("{}:{branch}", self.slug().owner));
        let found: Vec<Pull> =
            self.all(&self.path(&format!("pulls?state=open&head={head}&base={}", encoded(into)))).await?;
        let slug = self.slug().to_string();
        let is_ours = |pull: &Pull| {
            let repository = pull.head.repo.as_ref().map(|repo| repo.full_name.as_str());
            pull.head.branch == branch && repository.is_some_and(|name| name.eq_ignore_ascii_case(&slug))
        };
        Ok(found.into_iter().filter(is_ours).collect())
    }

    /// # Errors
    /// As `open_pulls`.
    pub async fn pull(&self, number: u64) -> Result<Pull, GitHubError> {
        self.get(&self.path(&format!("pulls/{number}"))).await
    }

    /// # Errors
    /// As `open_pulls`.
    pub async fn open_pull(
        &self,
        branch: &str,
        into: &str,
        title: &str,
        body: &str,
    ) -> Result<Pull, GitHubError> {
        let asked = json!({ "title": title, "head": branch, "base": into, "body": body });
        self.post(&self.path("pulls"), &asked).await
    }

    /// # Errors
    /// As `open_pulls`.
    pub async fn edit_pull(&self, number: u64, title: &str, body: &str) -> Result<Pull, GitHubError> {
        self.patch(&self.path(&format!("pulls/{number}")), &json!({ "title": title, "body": body })).await
    }

    /// # Errors
    /// As `open_pulls`.
    pub async fn close_pull(&self, number: u64) -> Result<Pull, GitHubError> {
        self.patch(&self.path(&format!("pulls/{number}")), &json!({ "state": "closed" })).await
    }

    /// Says something below a pull request, unless it was said there already.
    ///
    /// # Errors
    /// As `open_pulls`.
    pub async fn say_once(&self, number: u64, text: &str) -> Result<(), GitHubError> {
        let path = self.path(&format!("issues/{number}/comments"));
        let said: Vec<Comment> = self.all(&path).await?;
        if said.iter().any(|comment| comment.body.as_deref() == Some(text)) {
            return Ok(());
        }
        self.post::<Value>(&path, &json!({ "body": text })).await.map(drop)
    }

    /// # Errors
    /// As `open_pulls`.
    pub async fn label_pull(&self, number: u64, labels: &[String]) -> Result<(), GitHubError> {
        let path = self.path(&format!("issues/{number}/labels"));
        self.post::<Value>(&path, &json!({ "labels": labels })).await.map(drop)
    }
}
