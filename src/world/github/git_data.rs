//! Commits that GitHub makes, and so signs: blobs, a tree, a commit, a branch that moves to it.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::world::github::error::GitHubError;
use crate::world::github::{GitHub, encoded};

/// A file of a commit to be made; without bytes it goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MadeFile {
    pub path: String,
    /// As git writes it: `100644`, `100755`.
    pub mode: &'static str,
    pub bytes: Option<Vec<u8>>,
}

/// A commit that GitHub made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Made {
    pub commit: String,
    pub tree: String,
}

#[derive(Deserialize)]
struct Object {
    sha: String,
}

#[derive(Deserialize)]
struct Commit {
    sha: String,
    tree: Object,
}

#[derive(Deserialize)]
struct Reference {
    object: Object,
}

impl GitHub {
    /// Makes a commit on another: its files, some replaced. No author is named, so that GitHub signs it.
    ///
    /// # Errors
    /// Where GitHub says no, or does not answer as documented.
    pub async fn make_commit(
        &self,
        base: &str,
        files: &[MadeFile],
        message: &str,
    ) -> Result<Made, GitHubError> {
        let mut entries = Vec::new();
        for file in files {
            let sha = match &file.bytes {
                Some(bytes) => {
                    let blob = json!({ "content": STANDARD.encode(bytes), "encoding": "base64" });
                    let made: Object = self.post(&self.path("git/blobs"), &blob).await?;
                    Value::String(made.sha)
                }
                None => Value::Null,
            };
            entries.push(json!({ "path": file.path, "mode": file.mode, "type": "blob", "sha": sha }));
        }
        let below: Commit = self.get(&self.path(&format!("git/commits/{}", encoded(base)))).await?;
        let tree = json!({ "base_tree": below.tree.sha, "tree": entries });
        let tree: Object = self.post(&self.path("git/trees"), &tree).await?;
        let commit = json!({ "message": message, "tree": tree.sha, "parents": [base] });
        let made: Commit = self.post(&self.path("git/commits"), &commit).await?;
        Ok(Made { commit: made.sha, tree: made.tree.sha })
    }

    /// Where a branch stands; `None` where there is none.
    ///
    /// # Errors
    /// As `make_commit`.
    pub async fn branch_at(&self, branch: &str) -> Result<Option<String>, GitHubError> {
        let found: Option<Reference> =
            self.find(&self.path(&format!("git/ref/heads/{}", slashed(branch)))).await?;
        Ok(found.map(|reference| reference.object.sha))
    }

    /// Makes a branch, or moves it, to a commit that GitHub has.
    ///
    /// # Errors
    /// As `make_commit`.
    pub async fn set_branch(&self, branch: &str, commit: &str, is_there: bool) -> Result<(), GitHubError> {
        if is_there {
            let path = self.path(&format!("git/refs/heads/{}", slashed(branch)));
            return self.patch::<Value>(&path, &json!({ "sha": commit, "force": true })).await.map(drop);
        }
        let made = json!({ "ref": format!("refs/heads/{branch}"), "sha": commit });
        self.post::<Value>(&self.path("git/refs"), &made).await.map(drop)
    }
}

/// A branch as the end of a path: its slashes stay.
fn slashed(branch: &str) -> String {
    branch.split('/').map(encoded).collect::<Vec<String>>().join("/")
}
