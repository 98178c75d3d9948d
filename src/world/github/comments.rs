//! Comments on pull requests and issues.

use serde::Deserialize;
use serde_json::json;

use crate::world::github::GitHub;
use crate::world::github::error::GitHubError;

/// One comment.
#[derive(Debug, Clone, Deserialize)]
pub struct Comment {
    pub id: u64,
    /// Its page.
    pub html_url: String,
    #[serde(default)]
    pub body: Option<String>,
    /// None where the account is gone.
    #[serde(default)]
    pub user: Option<Author>,
}

/// Who wrote something.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Author {
    pub login: String,
    /// `User`, `Bot`, `Organization`.
    #[serde(rename = "type", default)]
    pub kind: String,
}

/// Whom a token speaks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Speaker {
    /// An account.
    Account(String),
    /// An application, which can not ask for its own name: a workflow's token.
    Application,
}

impl Speaker {
    /// Whether something may be this speaker's.
    pub fn wrote(&self, comment: &Comment) -> bool {
        let Some(author) = &comment.user else { return false };
        match self {
            Speaker::Account(login) => author.login.eq_ignore_ascii_case(login),
            Speaker::Application => author.kind == "Bot",
        }
    }
}

impl GitHub {
    /// Whom the token speaks for.
    ///
    /// # Errors
    /// Where GitHub does not answer.
    pub async fn speaker(&self) -> Result<Speaker, GitHubError> {
        match self.get::<Author>("/user").await {
            Ok(account) => Ok(Speaker::Account(account.login)),
            // An installation's token may not ask.
            Err(error) if error.is_forbidden() || error.is_missing() => Ok(Speaker::Application),
            Err(error) => Err(error),
        }
    }

    /// All comments on a pull request or an issue, the oldest first.
    ///
    /// # Errors
    /// Where GitHub says no, or does not answer.
    pub async fn comments(&self, number: u64) -> Result<Vec<Comment>, GitHubError> {
        self.all(&self.path(&format!("issues/{number}/comments"))).await
    }

    /// # Errors
    /// As `comments`.
    pub async fn add_comment(&self, number: u64, body: &str) -> Result<Comment, GitHubError> {
        self.post(&self.path(&format!("issues/{number}/comments")), &json!({ "body": body })).await
    }

    /// # Errors
    /// As `comments`.
    pub async fn edit_comment(&self, id: u64, body: &str) -> Result<Comment, GitHubError> {
        self.patch(&self.path(&format!("issues/comments/{id}")), &json!({ "body": body })).await
    }

    /// Deletes; what is gone already is success.
    ///
    /// # Errors
    /// As `comments`.
    pub async fn delete_comment(&self, id: u64) -> Result<(), GitHubError> {
        self.delete(&self.path(&format!("issues/comments/{id}"))).await
    }
}
