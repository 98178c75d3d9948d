//! Speaks with GitHub's REST interface: patient, within its rate limits, its token never shown elsewhere.
//!
//! Requests and answers are octocrab's where it has them; each goes over our own client, so that its proxies, roots,
//! limits and rules hold.

pub mod action_tags;
pub mod address;
pub mod checks;
pub mod comments;
pub mod deployments;
pub mod error;
pub mod git_data;
pub mod labels;
pub mod limits;
pub mod pull_requests;
pub mod pulls;
pub mod releases;
pub mod runs;
pub mod service;
pub mod token;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use backon::{BackoffBuilder, ExponentialBuilder};
use octocrab::Octocrab;
use reqwest::header::{ACCEPT, CONTENT_TYPE, HeaderValue};
use reqwest::{Method, RequestBuilder, Url};
use secrecy::SecretString;
use serde::de::DeserializeOwned;
use serde_json::Value;
use tokio::sync::Mutex;
use tokio::time::{Instant, sleep_until};

use crate::world::answer::Answer;
use crate::world::github::address::{Place, Slug, belongs_to, host_of};
use crate::world::github::error::GitHubError;
use crate::world::github::limits::{Tempo, asked, exhausted};
use crate::world::http::{Credential, Http, HttpError, PAGE_LIMIT, shown};

/// The version of the interface that we speak.
const VERSION: &str = "2022-11-28";
/// The media type of its answers.
const JSON: &str = "application/vnd.github+json";
/// How many redirects are followed: a renamed repository answers with one.
const REDIRECTS: usize = 3;
/// How many pages of a list are read; GitHub ends its lists of releases after 10,000 entries.
const PAGES: usize = 200;

/// One repository at GitHub.
#[derive(Clone)]
pub struct GitHub {
    place: Place,
    http: Http,
    token: Option<SecretString>,
    tempo: Tempo,
    gate: Arc<Gate>,
}

/// What all requests of one client share.
#[derive(Debug, Default)]
struct Gate {
    /// Nothing is asked before this moment.
    opens: std::sync::Mutex<Option<Instant>>,
    /// Held by the one that changes something: GitHub wants changes one after the other.
    writing: Mutex<()>,
}

/// A request, ready to be sent as often as needed.
#[derive(Debug)]
pub(in crate::world::github) struct Ask<'a> {
    pub method: Method,
    pub url: Url,
    pub body: Option<&'a [u8]>,
    pub accept: HeaderValue,
    pub content_type: HeaderValue,
}

impl fmt::Debug for GitHub {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} at {}", self.place.slug, shown(&self.place.api))
    }
}

impl GitHub {
    /// A client for one repository. Opens no connection.
    ///
    /// # Errors
    /// Where the client can not be set up, or the interface is plain http to another machine.
    pub fn new(place: Place, token: Option<SecretString>, tempo: Tempo) -> Result<GitHub, GitHubError> {
        let http = Http::new(false, tempo.limits)?;
        http.address(place.api.as_str())?;
        Ok(GitHub { place, http, token, tempo, gate: Arc::default() })
    }

    pub fn slug(&self) -> &Slug {
        &self.place.slug
    }

    /// The interface's address.
    pub fn api(&self) -> &Url {
        &self.place.api
    }

    /// The host whose people this is for: `github.com`.
    pub fn host(&self) -> String {
        host_of(&self.place.api)
    }

    pub fn has_token(&self) -> bool {
        self.token.is_some()
    }

    /// The token must be there: for everything but reading what is public.
    ///
    /// # Errors
    /// `NoToken`.
    pub fn must_have_token(&self) -> Result<(), GitHubError> {
        if self.has_token() { Ok(()) } else { Err(GitHubError::NoToken { host: self.host() }) }
    }

    /// A path below this repository: `path("releases")` is `/repos/OWNER/NAME/releases`.
    pub fn path(&self, rest: &str) -> String {
        let Slug { owner, name } = &self.place.slug;
        let rest = rest.trim_start_matches('/');
        let slash = if rest.is_empty() || rest.starts_with('?') { "" } else { "/" };
        format!("/repos/{owner}/{name}{slash}{rest}")
    }

    /// octocrab over this client, for the requests that it has builders for. Must be called within a runtime.
    pub fn octocrab(&self) -> Octocrab {
        service::octocrab(self)
    }

    /// # Errors
    /// Where GitHub says no, or does not answer as documented.
    pub async fn get<T: DeserializeOwned>(&self, path: &str) -> Result<T, GitHubError> {
        parsed(&self.ask(Method::GET, path, None).await?)
    }

    /// As `get`; `None` where there is no such thing.
    ///
    /// # Errors
    /// As `get`.
    pub async fn find<T: DeserializeOwned>(&self, path: &str) -> Result<Option<T>, GitHubError> {
        match self.get(path).await {
            Ok(found) => Ok(Some(found)),
            Err(error) if error.is_missing() => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Posts, and sends again only what GitHub certainly did not act upon: the caller looks whether it
    /// `may_have_acted` and asks what is there now.
    ///
    /// # Errors
    /// As `get`.
    pub async fn post<T: DeserializeOwned>(&self, path: &str, body: &Value) -> Result<T, GitHubError> {
        parsed(&self.ask(Method::POST, path, Some(body)).await?)
    }

    /// # Errors
    /// As `get`.
    pub async fn patch<T: DeserializeOwned>(&self, path: &str, body: &Value) -> Result<T, GitHubError> {
        parsed(&self.ask(Method::PATCH, path, Some(body)).await?)
    }

    /// # Errors
    /// As `get`.
    pub async fn put<T: DeserializeOwned>(&self, path: &str, body: &Value) -> Result<T, GitHubError> {
        parsed(&self.ask(Method::PUT, path, Some(body)).await?)
    }

    /// Deletes; what is gone already is success.
    ///
    /// # Errors
    /// As `get`.
    pub async fn delete(&self, path: &str) -> Result<(), GitHubError> {
        match self.ask(Method::DELETE, path, None).await {
            Err(error) if !error.is_missing() => Err(error),
            _ => Ok(()),
        }
    }

    /// All entries of a list, page by page.
    ///
    /// # Errors
    /// As `get`.
    pub async fn all<T: DeserializeOwned>(&self, path: &str) -> Result<Vec<T>, GitHubError> {
        self.all_below(path, parsed).await
    }

    /// All entries of a list that stands under a key of each page: `{"total_count": 2, "jobs": […]}`.
    ///
    /// # Errors
    /// As `get`.
    pub async fn all_under<T: DeserializeOwned>(&self, path: &str, key: &str) -> Result<Vec<T>, GitHubError> {
        let list = |page: &Answer| {
            let mut object: Value = parsed(page)?;
            let list = object.get_mut(key).map(Value::take).unwrap_or_default();
            serde_json::from_value(list)
                .map_err(|error| GitHubError::unreadable(&page.url, &error.to_string()))
        };
        self.all_below(path, list).await
    }

    async fn all_below<T>(
        &self,
        path: &str,
        read: impl Fn(&Answer) -> Result<Vec<T>, GitHubError>,
    ) -> Result<Vec<T>, GitHubError> {
        let joint = if path.contains('?') { '&' } else { '?' };
        let mut url = self.url(&format!("{path}{joint}per_page=100"))?;
        let mut all = Vec::new();
        for _ in 0..PAGES {
            let page = self.exchange(&Ask::get(url.clone())).await?;
            all.extend(read(&page)?);
            match page.header("link").and_then(next_page) {
                None => return Ok(all),
                Some(next) => url = self.named(&next)?,
            }
        }
        Err(GitHubError::unreadable(&url, "the list has no end"))
    }

    /// A request of any kind and its answer, which is a success.
    ///
    /// # Errors
    /// As `get`.
    pub async fn ask(&self, method: Method, path: &str, body: Option<&Value>) -> Result<Answer, GitHubError> {
        let bytes = body.map(|body| body.to_string().into_bytes());
        let ask = Ask { method, body: bytes.as_deref(), ..Ask::get(self.url(path)?) };
        self.exchange(&ask).await
    }

    /// The address of a path of the interface.
    pub(in crate::world::github) fn url(&self, path: &str) -> Result<Url, GitHubError> {
        let text =
            format!("{}/{}", self.place.api.as_str().trim_end_matches('/'), path.trim_start_matches('/'));
        Url::parse(&text).map_err(|_| HttpError::Address { url: text }.into())
    }

    /// An address that GitHub named, where our token may go there.
    pub(in crate::world::github) fn named(&self, text: &str) -> Result<Url, GitHubError> {
        let url = Url::parse(text).map_err(|_| HttpError::Address { url: text.to_owned() })?;
        if belongs_to(&self.place.api, &url) { Ok(url) } else { Err(GitHubError::Away { to: shown(&url) }) }
    }

    /// Sends until there is an answer that helps, follows redirects, waits where it is asked to.
    pub(in crate::world::github) async fn exchange(&self, ask: &Ask<'_>) -> Result<Answer, GitHubError> {
        let changes = ask.method != Method::GET && ask.method != Method::HEAD;
        let _alone = if changes { Some(self.gate.writing.lock().await) } else { None };
        let mut waits = ExponentialBuilder::default()
            .with_min_delay(self.tempo.base)
            .with_max_delay(self.tempo.cap)
            .with_max_times(self.tempo.retries)
            .with_jitter()
            .build();
        loop {
            let failed = match self.attempt(ask).await {
                Ok(answer) if answer.is_success() => return Ok(answer),
                Ok(answer) => match asked(&answer, self.tempo.unnamed) {
                    Some(wait) => {
                        // A limit is no failure, but a server that never lifts it ends somewhere too.
                        self.close_for(wait)?;
                        if waits.next().is_none() {
                            return Err(GitHubError::Limited { wait });
                        }
                        continue;
                    }
                    None => GitHubError::refused(ask.method.as_str(), &answer, self.has_token()),
                },
                Err(error) => error,
            };
            let again = failed.is_transient() && (ask.may_be_repeated() || !failed.may_have_acted());
            match waits.next().filter(|_| again) {
                Some(wait) => tokio::time::sleep(wait).await,
                None => return Err(failed),
            }
        }
    }

    /// Sends once, and again where GitHub says that the place has moved within its interface.
    async fn attempt(&self, ask: &Ask<'_>) -> Result<Answer, GitHubError> {
        let mut url = ask.url.clone();
        for _ in 0..=REDIRECTS {
            self.opened().await;
            let mut request = self.request(ask.method.clone(), &url)?.header(ACCEPT, ask.accept.clone());
            if let Some(body) = ask.body {
                request = request.header(CONTENT_TYPE, ask.content_type.clone()).body(body.to_vec());
            }
            let response = self.http.send(request, &url).await?;
            let answer = self.http.read(response, PAGE_LIMIT).await?;
            if let Some(wait) = exhausted(&answer) {
                self.close(wait);
            }
            let follows = match answer.status {
                301 | 302 => ask.method == Method::GET,
                307 | 308 => true,
                _ => false,
            };
            match answer.header("location").filter(|_| follows) {
                None => return Ok(answer),
                Some(to) => {
                    let to = url.join(to).map_err(|_| GitHubError::unreadable(&url, "it leads nowhere"))?;
                    url = self.named(to.as_str())?;
                }
            }
        }
        Err(HttpError::Redirect { url: shown(&ask.url), to: "ever further addresses".to_owned() }.into())
    }

    /// A request with our token, to an address of the interface alone.
    pub(in crate::world::github) fn request(
        &self,
        method: Method,
        url: &Url,
    ) -> Result<RequestBuilder, GitHubError> {
        let url = self.named(url.as_str())?;
        let request = self.http.request(method, &url)?.header("x-github-api-version", VERSION);
        Ok(match &self.token {
            Some(token) => Credential::Bearer(token.clone()).on(request),
            None => request,
        })
    }

    /// Waits until requests are allowed again.
    pub(in crate::world::github) async fn opened(&self) {
        loop {
            let opens = *self.gate.opens.lock().expect("nothing panics while it is held");
            match opens.filter(|opens| *opens > Instant::now()) {
                Some(opens) => sleep_until(opens).await,
                None => return,
            }
        }
    }

    /// Asks nothing for a time, unless that is longer than we wait.
    pub(in crate::world::github) fn close_for(&self, wait: Duration) -> Result<(), GitHubError> {
        if wait > self.tempo.limited {
            return Err(GitHubError::Limited { wait });
        }
        self.close(wait);
        Ok(())
    }

    fn close(&self, wait: Duration) {
        let mut opens = self.gate.opens.lock().expect("nothing panics while it is held");
        let until = Instant::now() + wait.min(self.tempo.limited);
        *opens = Some(opens.map_or(until, |before| before.max(until)));
    }
}

impl Ask<'_> {
    pub(in crate::world::github) fn get(url: Url) -> Ask<'static> {
        Ask {
            method: Method::GET,
            url,
            body: None,
            accept: HeaderValue::from_static(JSON),
            content_type: HeaderValue::from_static("application/json"),
        }
    }

    /// Whether it does no more when it is done twice.
    fn may_be_repeated(&self) -> bool {
        self.method != Method::POST
    }
}

/// The body of an answer.
pub(in crate::world::github) fn parsed<T: DeserializeOwned>(answer: &Answer) -> Result<T, GitHubError> {
    // An answer without a body is read as `null`.
    let body: &[u8] = if answer.body.is_empty() { b"null" } else { &answer.body };
    serde_json::from_slice(body).map_err(|error| GitHubError::unreadable(&answer.url, &error.to_string()))
}

/// Text as one part of a path, or as a value of a query.
pub fn encoded(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => {
                encoded.push(char::from(byte))
            }
            _ => encoded.push_str(&format!("%{byte:02X}")),
        }
    }
    encoded
}

/// The next page that a `Link` header names (RFC 8288).
fn next_page(link: &str) -> Option<String> {
    link.split(',').find_map(|one| {
        let (address, parameters) = one.trim().strip_prefix('<')?.split_once('>')?;
        let is_next = parameters.split(';').any(|parameter| {
            let (name, value) = parameter.trim().split_once('=').unwrap_or_default();
            name.eq_ignore_ascii_case("rel") && value.trim_matches('"').split(' ').any(|rel| rel == "next")
        });
        is_next.then(|| address.to_owned())
    })
}

#[cfg(test)]
mod tests;
