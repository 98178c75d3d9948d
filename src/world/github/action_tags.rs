//! What the repository of an action says of its releases, and the commit that a tag leads to.

use serde::Deserialize;

use crate::world::github::GitHub;
use crate::world::github::error::GitHubError;

/// A release that is out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Published {
    pub tag: String,
    /// When GitHub published it, as `2026-01-09T19:42:56Z`: not what a commit says of itself.
    pub at: String,
}

/// How many tags may stand between a ref and its commit.
const DEPTH: usize = 5;

#[derive(Deserialize)]
struct Release {
    tag_name: String,
    draft: bool,
    prerelease: bool,
    published_at: Option<String>,
}

#[derive(Deserialize)]
struct Pointer {
    object: Object,
}

#[derive(Deserialize)]
struct Object {
    sha: String,
    #[serde(rename = "type")]
    kind: String,
}

impl GitHub {
    /// The final releases of this client's repository ("List releases").
    ///
    /// # Errors
    /// Where GitHub says no, or does not answer as documented.
    pub async fn final_releases(&self) -> Result<Vec<Published>, GitHubError> {
        let releases: Vec<Release> = self.all(&self.path("releases")).await?;
        let is_final = releases.into_iter().filter(|release| !release.draft && !release.prerelease);
        Ok(is_final
            .filter_map(|release| Some(Published { tag: release.tag_name, at: release.published_at? }))
            .collect())
    }

    /// The commit that a tag leads to, through annotated tags ("Get a reference", "Get a tag"); none where there is no
    /// such tag.
    ///
    /// # Errors
    /// As `final_releases`.
    pub async fn commit_of_tag(&self, tag: &str) -> Result<Option<String>, GitHubError> {
        let Some(pointer) = self.find::<Pointer>(&self.path(&format!("git/ref/tags/{tag}"))).await? else {
            return Ok(None);
        };
        let mut object = pointer.object;
        for _ in 0..DEPTH {
            match object.kind.as_str() {
                "commit" => return Ok(Some(object.sha)),
                "tag" => {
                    object =
                        self.get::<Pointer>(&self.path(&format!("git/tags/{}", object.sha))).await?.object
                }
                _ => break,
            }
        }
        Ok(None)
    }
}
