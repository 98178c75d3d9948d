//! Trusted publishing (docs.pypi.org, "Trusted Publishers"): an identity is exchanged for a token that lives minutes.

use std::time::{Duration, Instant, UNIX_EPOCH};

use reqwest::Url;
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Value, json};

use crate::world::answer::Answer;
use crate::world::http::{Get, Http, HttpError, JSON_LIMIT, said, shown};
use crate::world::identity::IdToken;

/// How long a token lives where the index does not say: PyPI's 15 minutes.
const LIFETIME: Duration = Duration::from_secs(900);

/// A minted token, with its age measured on a clock that nobody sets.
#[derive(Debug, Clone)]
pub struct Minted {
    pub token: SecretString,
    minted: Instant,
    lifetime: Duration,
}

/// Why the index gave no audience or no token.
#[derive(Debug, thiserror::Error)]
pub enum TrustedError {
    #[error("{url} knows no trusted publishing")]
    Unsupported { url: String },
    #[error("{url} has trusted publishing switched off: {said}")]
    Disabled { url: String, said: String },
    #[error("the index refuses the identity ({code}): {said}")]
    Refused { code: String, said: String },
    #[error("{url} answered {status}: {said}")]
    Status { url: String, status: u16, said: String, retry_after: Option<Duration> },
    #[error("{url} answered with something else than was asked for")]
    Garbled { url: String },
    #[error(transparent)]
    Http(#[from] HttpError),
}

impl TrustedError {
    /// Whether asking again may help; an identity that was sent along may be spent.
    pub fn is_transient(&self) -> bool {
        match self {
            TrustedError::Status { status, .. } => matches!(status, 408 | 425 | 429 | 500..),
            TrustedError::Http(error) => error.is_transient(),
            TrustedError::Garbled { .. } => true,
            _ => false,
        }
    }

    pub fn retry_after(&self) -> Option<Duration> {
        match self {
            TrustedError::Status { retry_after, .. } => *retry_after,
            _ => None,
        }
    }
}

impl Minted {
    /// How much of its life is left.
    pub fn left(&self) -> Duration {
        self.lifetime.saturating_sub(self.minted.elapsed())
    }

    pub fn lifetime(&self) -> Duration {
        self.lifetime
    }
}

/// Whom the identity has to be made for.
///
/// # Errors
/// `Unsupported`, `Disabled`, or where there is no answer.
pub async fn audience(http: &Http, upload: &Url) -> Result<String, TrustedError> {
    let url = beside(upload, "audience");
    let get = Get { url: &url, accept: "application/json", credential: None, limit: JSON_LIMIT, away: false };
    let answer = http.get(&get).await?;
    let at = shown(&url);
    match answer.status {
        200 => {
            let audience = answer.json().and_then(|body| Some(body.get("audience")?.as_str()?.to_owned()));
            audience.filter(|text| said(text) == *text).ok_or(TrustedError::Garbled { url: at })
        }
        403 => Err(TrustedError::Disabled { url: at, said: answer.words() }),
        404 | 405 | 410 => Err(TrustedError::Unsupported { url: at }),
        _ => Err(status(&answer)),
    }
}

/// Exchanges an identity for a token. The identity is spent, also where the answer is lost.
///
/// # Errors
/// `Refused` with the index's code, or where there is no answer.
pub async fn mint(http: &Http, upload: &Url, identity: &IdToken) -> Result<Minted, TrustedError> {
    let url = beside(upload, "mint-token");
    // From before the request: a token is never thought younger than it is.
    let minted = Instant::now();
    let answer = http.post_json(&url, &json!({ "token": identity.expose() })).await?;
    let body = answer.json();
    if let Some(refused) = body.as_ref().and_then(refusal) {
        return Err(refused);
    }
    match answer.status {
        200 => {
            let token = body.as_ref().and_then(|body| body.get("token")?.as_str());
            let token = token.ok_or_else(|| TrustedError::Garbled { url: shown(&url) })?.to_owned();
            let lifetime = body.as_ref().and_then(|body| lifetime(body, &answer)).unwrap_or(LIFETIME);
            Ok(Minted { token: token.into(), minted, lifetime })
        }
        404 | 405 | 410 => Err(TrustedError::Unsupported { url: shown(&url) }),
        _ => Err(status(&answer)),
    }
}

/// Revokes a minted token. The index does not say whether there was one.
///
/// # Errors
/// Where there is no answer.
pub async fn burn(http: &Http, upload: &Url, token: &SecretString) -> Result<(), TrustedError> {
    let url = beside(upload, "burn-token");
    let answer = http.post_json(&url, &json!({ "token": token.expose_secret() })).await?;
    if answer.is_success() { Ok(()) } else { Err(status(&answer)) }
}

/// `/_/oidc/…` at the host that takes uploads.
fn beside(upload: &Url, verb: &str) -> Url {
    let mut url = upload.clone();
    url.set_path(&format!("/_/oidc/{verb}"));
    url.set_query(None);
    url.set_fragment(None);
    let _ = url.set_username("");
    let _ = url.set_password(None);
    url
}

fn status(answer: &Answer) -> TrustedError {
    let (url, said) = (shown(&answer.url), answer.words());
    TrustedError::Status { url, status: answer.status, said, retry_after: answer.retry_after() }
}

/// The first of `errors`.
fn refusal(body: &Value) -> Option<TrustedError> {
    let error = body.get("errors")?.as_array()?.first()?;
    let text = |name: &str| said(error[name].as_str().unwrap_or_default());
    Some(TrustedError::Refused { code: text("code"), said: text("description") })
}

/// From the answer's own clock to the end of the token, whatever the time is here.
fn lifetime(body: &Value, answer: &Answer) -> Option<Duration> {
    let expires = UNIX_EPOCH + Duration::from_secs(body.get("expires")?.as_u64()?);
    Some(expires.duration_since(answer.date()?).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_doors_stand_at_the_upload_host() {
        let at = |url| beside(&Url::parse(url).unwrap(), "audience").to_string();
        assert_eq!(at("https://upload.example/legacy/"), "https://upload.example/_/oidc/audience");
        assert_eq!(at("http://u:p@127.0.0.1:81/a/b?c#d"), "http://127.0.0.1:81/_/oidc/audience");
    }

    #[test]
    fn a_refusal_is_told_by_its_code() {
        let body =
            json!({ "message": "m", "errors": [{ "code": "invalid-publisher", "description": "a\u{7}b" }] });
        let Some(TrustedError::Refused { code, said }) = refusal(&body) else { panic!("refused") };
        assert_eq!((code.as_str(), said.as_str()), ("invalid-publisher", "ab"));
        assert!(refusal(&json!({ "errors": [] })).is_none());
    }

    #[test]
    fn the_life_of_a_token_is_measured_by_the_indexs_clock() {
        let url = Url::parse("https://index.example/").unwrap();
        let date = "Thu, 01 Jan 1970 00:01:40 GMT".parse().unwrap();
        let headers = [(reqwest::header::DATE, date)].into_iter().collect();
        let answer = Answer { status: 200, url, headers, body: Vec::new() };
        assert_eq!(lifetime(&json!({ "expires": 1000 }), &answer), Some(Duration::from_secs(900)));
        assert_eq!(lifetime(&json!({ "expires": 50 }), &answer), Some(Duration::ZERO));
        assert_eq!(lifetime(&json!({}), &answer), None);
    }
}
