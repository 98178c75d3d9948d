//! Labels of pull requests and issues, and the pages of releases.

use serde_json::{Value, json};

use crate::world::github::error::GitHubError;
use crate::world::github::{GitHub, encoded};

impl GitHub {
    /// Adds labels; those that are there stay, and one that the repository lacks is made.
    ///
    /// # Errors
    /// Where GitHub says no, or does not answer.
    pub async fn add_labels(&self, number: u64, labels: &[String]) -> Result<(), GitHubError> {
        let path = self.path(&format!("issues/{number}/labels"));
        // Doing it twice is doing it once, so a lost answer is no reason to stop.
        let add = || async { self.post::<Value>(&path, &json!({ "labels": labels })).await.map(drop) };
        match add().await {
            Err(error) if error.may_have_acted() => add().await,
            done => done,
        }
    }

    /// The page of the release of a tag.
    pub fn release_page(&self, tag: &str) -> String {
        format!("https://{}/{}/releases/tag/{}", self.host(), self.slug(), encoded(tag))
    }
}
