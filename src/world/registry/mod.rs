//! Talks to an image registry (OCI distribution): what it has, blobs, manifests, tags.
//!
//! The registry's word on a digest is the only proof; a word that can not be true is an error.

pub mod access;
pub mod login;

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use oci_spec::distribution::Reference;
use reqwest::header::{ACCEPT, CONTENT_LENGTH, CONTENT_TYPE};
use reqwest::{Body, Method, RequestBuilder, Url};
use tokio::sync::Mutex;

use crate::world::answer::Answer;
use crate::world::http::{Http, HttpError, Limits, said};
use crate::world::loopback::leads_to_loopback;
use crate::world::oci::{Descriptor, INDEX, MANIFEST};
use crate::world::registry::access::{Need, Pass};
use crate::world::registry::login::Login;
use crate::world::sha256;
use crate::world::upload::{Measure, Sent, content, watched};
use crate::world::variable::Env;

/// The most bytes of an answer: 4 MiB, as registries limit manifests.
const LIMIT: u64 = 4 << 20;
/// How many pages of tags are read.
const PAGES: usize = 200;
/// Manifests that are asked for, Docker's own kinds too.
const MANIFESTS: &str = "application/vnd.oci.image.index.v1+json, application/vnd.oci.image.manifest.v1+json, \
                         application/vnd.docker.distribution.manifest.list.v2+json, \
                         application/vnd.docker.distribution.manifest.v2+json";

/// One repository of a registry.
pub struct Registry {
    /// As the configuration names it: `ghcr.io/acme/mlops`.
    pub name: String,
    /// The registry's host, for people and for credentials.
    pub host: String,
    path: String,
    root: Url,
    http: Http,
    login: Login,
    pass: Mutex<Option<(Pass, Need)>>,
}

/// Why the registry did not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum RegistryError {
    #[error("`{name}` is no repository of images: {reason}")]
    Name { name: String, reason: String },
    #[error(transparent)]
    Http(#[from] HttpError),
    #[error("`{registry}` does not {what} ({status}): {said}")]
    Answer { registry: String, what: String, status: u16, said: String, retry_after: Option<Duration> },
    /// It wants to know who we are, or knows and does not allow it.
    #[error("`{registry}` does not let us {what}: {reason}")]
    Unauthorized { registry: String, what: String, reason: String, looked: String },
    /// It says it has other bytes than their digest says.
    #[error("`{registry}` answers {answered} where {asked} was asked for")]
    Lie { registry: String, asked: String, answered: String },
    #[error("failed to read `{path}`: {reason}")]
    File { path: String, reason: String },
}

impl RegistryError {
    /// Whether the same may succeed later.
    pub fn is_transient(&self) -> bool {
        match self {
            RegistryError::Http(error) => error.is_transient(),
            // A 401 comes here only where a pass has run out in the middle of a layer.
            RegistryError::Answer { status, .. } => matches!(status, 401 | 408 | 425 | 429 | 500..),
            _ => false,
        }
    }

    /// How long the registry asks to wait.
    pub fn retry_after(&self) -> Option<Duration> {
        match self {
            RegistryError::Answer { retry_after, .. } => *retry_after,
            _ => None,
        }
    }
}

impl std::fmt::Debug for Registry {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Registry").field("name", &self.name).finish_non_exhaustive()
    }
}

impl Registry {
    /// A repository by its name, as the `docker` program reads it. Plain HTTP is spoken to loopback only; credentials
    /// come from Docker's own configuration. Opens no connection.
    ///
    /// # Errors
    /// `Name`, or where TLS can not be set up.
    pub fn open(name: &str, limits: Limits, variable: Env) -> Result<Registry, RegistryError> {
        let wrong = |reason: String| RegistryError::Name { name: said(name), reason };
        let reference = Reference::try_from(name).map_err(|error| wrong(error.to_string()))?;
        let (host, server) = (reference.registry().to_owned(), reference.resolve_registry().to_owned());
        let scheme = if leads_to_loopback(&server) { "http" } else { "https" };
        let root =
            Url::parse(&format!("{scheme}://{server}/v2/")).map_err(|error| wrong(error.to_string()))?;
        Ok(Registry {
            name: name.to_owned(),
            login: Login::new(&host, variable),
            host,
            path: reference.repository().to_owned(),
            root,
            http: Http::new(false, limits)?,
            pass: Mutex::new(None),
        })
    }

    /// The digest that a tag leads to, or of a manifest that is asked for by digest; none where there is none.
    ///
    /// # Errors
    /// `Lie` where another digest is answered than was asked for.
    pub async fn digest(&self, reference: &str) -> Result<Option<String>, RegistryError> {
        let url = self.url(&format!("manifests/{reference}"))?;
        let what = format!("tell of `{reference}`");
        let head = self.ask(Method::HEAD, &url, Need::Pull, &what, accepting).await?;
        if head.status == 404 {
            return Ok(None);
        }
        self.expect(&head, &[200], &what)?;
        let told = match head.header("docker-content-digest") {
            Some(digest) => said(digest),
            None => match self.manifest(reference).await? {
                Some(bytes) => format!("sha256:{}", sha256::of(&bytes)),
                None => return Ok(None),
            },
        };
        self.agree(reference, &told)?;
        Ok(Some(told))
    }

    /// A manifest's bytes; none where there is none.
    ///
    /// # Errors
    /// `Lie` where they are not those of the digest asked for.
    pub async fn manifest(&self, reference: &str) -> Result<Option<Vec<u8>>, RegistryError> {
        let url = self.url(&format!("manifests/{reference}"))?;
        let what = format!("give `{reference}`");
        let answer = self.ask(Method::GET, &url, Need::Pull, &what, accepting).await?;
        if answer.status == 404 {
            return Ok(None);
        }
        self.expect(&answer, &[200], &what)?;
        self.agree(reference, &format!("sha256:{}", sha256::of(&answer.body)))?;
        Ok(Some(answer.body))
    }

    /// Whether it has a blob.
    ///
    /// # Errors
    /// Where it can not say.
    pub async fn has_blob(&self, digest: &str) -> Result<bool, RegistryError> {
        let url = self.url(&format!("blobs/{digest}"))?;
        let what = format!("tell of blob {digest}");
        let head = self.ask(Method::HEAD, &url, Need::Pull, &what, |request| request).await?;
        match head.status {
            404 => Ok(false),
            // Where blobs stand elsewhere, the way there is the answer.
            301 | 302 | 303 | 307 | 308 => Ok(true),
            _ => self.expect(&head, &[200], &what).map(|()| true),
        }
    }

    /// Sees to it that it has a blob; false where it was there. `progress` is told the bytes sent and their number.
    ///
    /// # Errors
    /// Where it does not take it, or the file is not what its digest says.
    pub async fn push_blob(
        &self,
        blob: &Descriptor,
        file: &Path,
        progress: &(dyn Fn(u64, u64) + Send + Sync),
    ) -> Result<bool, RegistryError> {
        if self.has_blob(&blob.digest).await? {
            return Ok(false);
        }
        let mut url = self.begin_upload().await?;
        url.query_pairs_mut().append_pair("digest", &blob.digest);
        let unread = |reason: String| RegistryError::File { path: file.display().to_string(), reason };
        let opened = tokio::fs::File::open(file).await.map_err(|error| unread(error.to_string()))?;
        let sum = blob.digest.trim_start_matches("sha256:").to_owned();
        let measure = Measure { size: blob.size, sha256: sum, blake2_256: String::new() };
        let sent = Arc::new(Sent::default());
        let request = self.http.request(Method::PUT, &url)?;
        let request = self.showing_pass(request, &url).await;
        let request = request
            .header(CONTENT_TYPE, "application/octet-stream")
            .header(CONTENT_LENGTH, blob.size)
            .body(Body::wrap_stream(content(opened, measure, Arc::clone(&sent))));
        let response = watched(&self.http, request, &url, &sent, (blob.size, progress)).await;
        if sent.changed.load(Ordering::SeqCst) {
            return Err(unread(format!("it is not {}", blob.digest)));
        }
        let answer = self.http.read(response?, LIMIT).await?;
        if answer.status == 401 {
            *self.pass.lock().await = None;
        }
        self.expect(&answer, &[201], "take a layer")?;
        if let Some(told) = answer.header("docker-content-digest") {
            self.agree(&blob.digest, &said(told))?;
        }
        Ok(true)
    }

    /// Puts a manifest under its digest or a tag, and answers its digest.
    ///
    /// # Errors
    /// `Lie` where the registry stored something else.
    pub async fn put_manifest(
        &self,
        reference: &str,
        media_type: &str,
        bytes: &[u8],
    ) -> Result<String, RegistryError> {
        let ours = format!("sha256:{}", sha256::of(bytes));
        let url = self.url(&format!("manifests/{reference}"))?;
        let what = format!("take manifest `{reference}`");
        let body = |request: RequestBuilder| request.header(CONTENT_TYPE, media_type).body(bytes.to_vec());
        let answer = self.ask(Method::PUT, &url, Need::Push, &what, body).await?;
        self.expect(&answer, &[200, 201], &what)?;
        if let Some(told) = answer.header("docker-content-digest") {
            self.agree(&ours, &said(told))?;
        }
        Ok(ours)
    }

    /// All tags.
    ///
    /// # Errors
    /// Where they can not be read.
    pub async fn tags(&self) -> Result<Vec<String>, RegistryError> {
        let mut url = self.url("tags/list?n=1000")?;
        let mut tags = Vec::new();
        for _ in 0..PAGES {
            let answer = self.ask(Method::GET, &url, Need::Pull, "list tags", |request| request).await?;
            if answer.status == 404 {
                return Ok(tags);
            }
            self.expect(&answer, &[200], "list tags")?;
            let json = answer.json().unwrap_or_default();
            let list = json.get("tags").and_then(|tags| tags.as_array()).into_iter().flatten();
            tags.extend(list.filter_map(|tag| tag.as_str()).map(str::to_owned));
            match next_page(&answer).and_then(|next| url.join(&next).ok()) {
                Some(next) if next.origin() == url.origin() && next != url => url = next,
                _ => return Ok(tags),
            }
        }
        Ok(tags)
    }

    /// Whether we may push here, as far as can be told: an upload is begun and taken back.
    ///
    /// # Errors
    /// `Unauthorized`, or where it does not answer.
    pub async fn probe(&self) -> Result<(), RegistryError> {
        let url = self.begin_upload().await?;
        // An upload that stays open is forgotten by the registry in time.
        let _ = self.ask(Method::DELETE, &url, Need::Push, "take an upload back", |request| request).await;
        Ok(())
    }

    async fn begin_upload(&self) -> Result<Url, RegistryError> {
        let url = self.url("blobs/uploads/")?;
        let empty = |request: RequestBuilder| request.header(CONTENT_LENGTH, 0);
        let answer = self.ask(Method::POST, &url, Need::Push, "take uploads", empty).await?;
        self.expect(&answer, &[202], "take uploads")?;
        let place = answer.header("location").and_then(|place| url.join(place).ok());
        place.ok_or_else(|| self.refused(&answer, "say where uploads go"))
    }

    fn url(&self, rest: &str) -> Result<Url, RegistryError> {
        let joined = self.root.join(&format!("{}/{rest}", self.path));
        joined.map_err(|error| RegistryError::Name { name: self.name.clone(), reason: error.to_string() })
    }

    fn agree(&self, asked: &str, answered: &str) -> Result<(), RegistryError> {
        if !asked.starts_with("sha256:") || asked == answered {
            return Ok(());
        }
        let (asked, answered) = (asked.to_owned(), answered.to_owned());
        Err(RegistryError::Lie { registry: self.host.clone(), asked, answered })
    }

    fn expect(&self, answer: &Answer, wanted: &[u16], what: &str) -> Result<(), RegistryError> {
        if wanted.contains(&answer.status) { Ok(()) } else { Err(self.refused(answer, what)) }
    }

    fn refused(&self, answer: &Answer, what: &str) -> RegistryError {
        RegistryError::Answer {
            registry: self.host.clone(),
            what: what.to_owned(),
            status: answer.status,
            said: words(answer),
            retry_after: answer.retry_after(),
        }
    }
}

fn accepting(request: RequestBuilder) -> RequestBuilder {
    debug_assert!(MANIFESTS.contains(MANIFEST) && MANIFESTS.contains(INDEX));
    request.header(ACCEPT, MANIFESTS)
}

/// What the registry says for people: the message of its first error.
fn words(answer: &Answer) -> String {
    let json = answer.json();
    let first = json.as_ref().and_then(|json| json.get("errors")?.get(0));
    let text = |key: &str| first.and_then(|error| error.get(key)?.as_str()).map(said);
    match (text("code"), text("message")) {
        (Some(code), Some(message)) => format!("{message} ({code})"),
        (one, other) => one.or(other).unwrap_or_else(|| answer.words()),
    }
}

/// The address of the next page: `Link: </v2/…>; rel="next"`.
fn next_page(answer: &Answer) -> Option<String> {
    let link = answer.header("link")?;
    let (address, rest) = link.trim().strip_prefix('<')?.split_once('>')?;
    rest.contains("next").then(|| address.to_owned())
}
