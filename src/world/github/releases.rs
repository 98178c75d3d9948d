//! Releases at GitHub: listed, drafted, filled with files, published.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use reqwest::header::{CONTENT_LENGTH, CONTENT_TYPE};
use reqwest::{Body, Method, Url};
use serde::{Deserialize, Deserializer};
use serde_json::{Value, json};
use tokio::fs::File;

use crate::world::answer::Answer;
use crate::world::github::error::GitHubError;
use crate::world::github::limits::asked;
use crate::world::github::{GitHub, encoded, parsed};
use crate::world::http::{Credential, Get, JSON_LIMIT};
use crate::world::upload::{Measure, Sent, UploadError, content, measure, watched};

/// How often a transfer is begun anew because a rate limit was reached.
const LIMITED: usize = 5;

/// A release, as far as we read it: one odd field of another release in a list must not keep ours from being made.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Release {
    pub id: u64,
    pub tag_name: String,
    pub draft: bool,
    /// Whether nothing of it can be changed; older servers do not say it.
    #[serde(default)]
    pub immutable: bool,
    #[serde(default, deserialize_with = "text")]
    pub body: String,
    /// The page that people see.
    #[serde(rename = "html_url")]
    pub page: String,
    /// Where files go, with a template of a query at its end.
    pub upload_url: String,
    pub assets: Vec<Asset>,
}

/// A file of a release.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Asset {
    pub id: u64,
    pub name: String,
    /// `uploaded`; anything else is no whole file.
    pub state: String,
    pub size: u64,
    /// `sha256:…`; older servers do not say it.
    #[serde(default)]
    pub digest: Option<String>,
}

/// No text is an empty one.
fn text<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    Ok(Option::<String>::deserialize(deserializer)?.unwrap_or_default())
}

impl GitHub {
    /// All releases, drafts among them where the token may write.
    ///
    /// # Errors
    /// Where GitHub says no, or does not answer as documented.
    pub async fn releases(&self) -> Result<Vec<Release>, GitHubError> {
        self.all(&self.path("releases")).await
    }

    /// # Errors
    /// As `releases`.
    pub async fn release(&self, id: u64) -> Result<Option<Release>, GitHubError> {
        self.find(&self.path(&format!("releases/{id}"))).await
    }

    /// The release that GitHub calls the latest.
    ///
    /// # Errors
    /// As `releases`.
    pub async fn latest_release(&self) -> Result<Option<Release>, GitHubError> {
        self.find(&self.path("releases/latest")).await
    }

    /// Makes a draft. It may be there though the answer says otherwise: see `may_have_acted`.
    ///
    /// # Errors
    /// As `releases`.
    pub async fn create_draft(&self, tag: &str, title: &str, body: &str) -> Result<Release, GitHubError> {
        let body = json!({ "tag_name": tag, "name": title, "body": body, "draft": true });
        Ok(self.octocrab().post(self.path("releases"), Some(&body)).await?)
    }

    /// Publishes a draft as it is: its body and files stay.
    ///
    /// # Errors
    /// As `releases`.
    pub async fn publish_release(
        &self,
        id: u64,
        tag: &str,
        prerelease: bool,
        latest: bool,
    ) -> Result<Release, GitHubError> {
        let body = json!({
            "tag_name": tag, "draft": false, "prerelease": prerelease, "make_latest": latest.to_string(),
        });
        Ok(self.octocrab().patch(self.path(&format!("releases/{id}")), Some(&body)).await?)
    }

    /// Deletes a release; one that is gone is success.
    ///
    /// # Errors
    /// As `releases`.
    pub async fn delete_release(&self, id: u64) -> Result<(), GitHubError> {
        self.delete(&self.path(&format!("releases/{id}"))).await
    }

    /// Deletes a file of a release; one that is gone is success.
    ///
    /// # Errors
    /// As `releases`.
    pub async fn delete_asset(&self, id: u64) -> Result<(), GitHubError> {
        self.delete(&self.path(&format!("releases/assets/{id}"))).await
    }

    /// Sends a file, as it is read; `progress` is told the bytes sent and their whole number. It may be there though
    /// the answer says otherwise.
    ///
    /// # Errors
    /// As `releases`; `Changed` where the file is not the one that was measured any more.
    pub async fn upload_asset(
        &self,
        release: &Release,
        name: &str,
        path: &Path,
        progress: &(dyn Fn(u64, u64) + Send + Sync),
    ) -> Result<Asset, GitHubError> {
        let measured = measure(path).await.map_err(|error| of_upload(error, name))?;
        let place = release.upload_url.split('{').next().unwrap_or_default();
        let url = self.named(&format!("{place}?name={}", encoded(name)))?;
        let _alone = self.gate.writing.lock().await;
        for _ in 0..LIMITED {
            let answer = self.send_file(&url, name, path, &measured, progress).await?;
            match asked(&answer, self.tempo.unnamed) {
                Some(wait) => self.close_for(wait)?,
                None if answer.is_success() => return parsed(&answer),
                None => return Err(GitHubError::refused("POST", &answer, self.has_token())),
            }
        }
        Err(GitHubError::Limited { wait: self.tempo.unnamed })
    }

    async fn send_file(
        &self,
        url: &Url,
        name: &str,
        path: &Path,
        measured: &Measure,
        progress: &(dyn Fn(u64, u64) + Send + Sync),
    ) -> Result<Answer, GitHubError> {
        self.opened().await;
        let failed = |source| GitHubError::File { name: name.to_owned(), source };
        let file = File::open(path).await.map_err(failed)?;
        let sent = Arc::new(Sent::default());
        let body = Body::wrap_stream(content(file, measured.clone(), Arc::clone(&sent)));
        let request = self
            .request(Method::POST, url)?
            .header(CONTENT_TYPE, "application/octet-stream")
            .header(CONTENT_LENGTH, measured.size)
            .body(body);
        match watched(&self.http, request, url, &sent, (measured.size, progress)).await {
            Ok(response) => Ok(self.http.read(response, JSON_LIMIT).await?),
            Err(_) if sent.changed.load(Ordering::SeqCst) => {
                Err(GitHubError::Changed { name: name.to_owned() })
            }
            Err(error) => Err(error.into()),
        }
    }

    /// The bytes of a file of a release. GitHub sends us on to where it keeps them, and our token stays behind.
    ///
    /// # Errors
    /// As `releases`; where it is longer than GitHub says.
    pub async fn download_asset(&self, asset: &Asset) -> Result<Vec<u8>, GitHubError> {
        let url = self.url(&self.path(&format!("releases/assets/{}", asset.id)))?;
        let credential = self.token.clone().map(Credential::Bearer);
        let get = Get {
            url: &url,
            accept: "application/octet-stream",
            credential: credential.as_ref(),
            limit: asset.size,
            away: true,
        };
        let mut failures = 0;
        for _ in 0..LIMITED {
            self.opened().await;
            match self.http.get(&get).await {
                Ok(answer) if answer.is_success() => return Ok(answer.body),
                Ok(answer) => match asked(&answer, self.tempo.unnamed) {
                    Some(wait) => self.close_for(wait)?,
                    None => {
                        let error = GitHubError::refused("GET", &answer, self.has_token());
                        self.once_more(error, &mut failures).await?;
                    }
                },
                Err(error) => self.once_more(error.into(), &mut failures).await?,
            }
        }
        Err(GitHubError::Limited { wait: self.tempo.unnamed })
    }

    async fn once_more(&self, error: GitHubError, failures: &mut u32) -> Result<(), GitHubError> {
        *failures += 1;
        if !error.is_transient() || *failures > 3 {
            return Err(error);
        }
        tokio::time::sleep(self.tempo.base * 2_u32.pow(*failures)).await;
        Ok(())
    }

    /// The object that a tag names: of an annotated tag the tag's own. None where GitHub has no such tag.
    ///
    /// # Errors
    /// As `releases`.
    pub async fn tag_object(&self, tag: &str) -> Result<Option<String>, GitHubError> {
        let parts: Vec<String> = tag.split('/').map(encoded).collect();
        let found: Option<Value> =
            self.find(&self.path(&format!("git/ref/tags/{}", parts.join("/")))).await?;
        Ok(found.and_then(|found| Some(found.pointer("/object/sha")?.as_str()?.to_owned())))
    }

    /// Whether the token may write releases here, tried by a request that changes nothing ("Generate release notes
    /// content for a release" asks for the same permission).
    ///
    /// # Errors
    /// Where it may not, or the repository is not there or takes no changes.
    pub async fn probe_releases(&self, tag: &str) -> Result<(), GitHubError> {
        self.must_have_token()?;
        let about: Value = self.get(&self.path("")).await?;
        if about.get("archived") == Some(&Value::Bool(true)) {
            return Err(GitHubError::Archived { repository: self.slug().to_string() });
        }
        let path = self.path("releases/generate-notes");
        match self.post::<Value>(&path, &json!({ "tag_name": tag })).await {
            // That the notes could not be made is of no interest: nobody was kept from trying.
            Err(error) if matches!(error.status(), Some(409 | 422)) => Ok(()),
            other => other.map(drop),
        }
    }
}

fn of_upload(error: UploadError, name: &str) -> GitHubError {
    match error {
        UploadError::File { source, .. } => GitHubError::File { name: name.to_owned(), source },
        UploadError::Changed { name } => GitHubError::Changed { name },
        UploadError::Http(error) => error.into(),
    }
}
