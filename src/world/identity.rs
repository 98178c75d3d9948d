//! The identity that a CI vouches for: an OpenID Connect token, fetched for one audience.
//!
//! GitHub Actions hands out as many as are asked for; GitLab, and any CI through `RELEASE_ID_TOKEN`, hands a job one.

use std::ffi::OsString;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use reqwest::Url;
use secrecy::{ExposeSecret, SecretString};
use serde_json::Value;

use crate::world::http::{Credential, Get, Http, HttpError, JSON_LIMIT, said};

/// Holds a token that the CI made for us (CircleCI, Buildkite and others).
pub const HANDED: &str = "RELEASE_ID_TOKEN";
const REQUEST_URL: &str = "ACTIONS_ID_TOKEN_REQUEST_URL";
const REQUEST_TOKEN: &str = "ACTIONS_ID_TOKEN_REQUEST_TOKEN";

/// Reads a variable of the environment.
pub type Variable<'v> = &'v (dyn Fn(&str) -> Option<OsString> + Send + Sync);

/// Where identity tokens come from.
#[derive(Debug, Clone)]
pub enum Source {
    /// GitHub Actions: its own address, and what to show there.
    GitHub { url: String, bearer: SecretString },
    /// GitLab: a variable of the job for each audience.
    GitLab,
    /// A token in `RELEASE_ID_TOKEN`.
    Handed(SecretString),
}

/// A signed token of the CI. Prints as `***`.
#[derive(Clone)]
pub struct IdToken(SecretString);

/// What a token says, not verified: for messages only.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Claims {
    /// `owner/name`.
    pub repository: Option<String>,
    pub owner_id: Option<String>,
    /// The workflow's file, from the claim that the index compares: `release.yml`, `.gitlab-ci.yml`.
    pub workflow: Option<String>,
    /// The workflow that was started, where it is another one: then the job's is a reusable workflow.
    pub caller: Option<String>,
    pub reference: Option<String>,
    pub environment: Option<String>,
    pub event: Option<String>,
}

/// Why there is no identity.
#[derive(Debug, thiserror::Error)]
pub enum IdentityError {
    #[error(
        "this is no CI that vouches for what runs in it: trusted publishing needs GitHub Actions, GitLab, or `{HANDED}`"
    )]
    NoCi,
    #[error("the job may not ask for an identity: `{variable}` is not set")]
    NotPermitted { variable: &'static str },
    #[error("the job has no identity for the audience `{audience}`: `{variable}` is not set")]
    NotDeclared { audience: String, variable: String },
    #[error("the identity in `{HANDED}` is not made for the audience `{audience}`")]
    OtherAudience { audience: String },
    #[error("the CI answered {status} when asked for an identity: {said}")]
    Refused { status: u16, said: String, retry_after: Option<Duration> },
    #[error("the CI's answer holds no identity")]
    Garbled,
    #[error(transparent)]
    Http(#[from] HttpError),
}

impl IdentityError {
    /// Whether asking again may help.
    pub fn is_transient(&self) -> bool {
        match self {
            IdentityError::Refused { status, .. } => matches!(status, 408 | 425 | 429 | 500..),
            IdentityError::Http(error) => error.is_transient(),
            _ => false,
        }
    }

    /// The ways out.
    pub fn hints(&self) -> Vec<String> {
        let hint = match self {
            IdentityError::NoCi => "publish from CI, or set `auth = \"token\"` for this index",
            IdentityError::NotPermitted { .. } => {
                "give the job `permissions: id-token: write`; a pull request from a fork never gets it"
            }
            IdentityError::NotDeclared { variable, audience } => {
                return vec![format!(
                    "declare it in the job: `id_tokens: {{ {variable}: {{ aud: {audience} }} }}`"
                )];
            }
            _ => return Vec::new(),
        };
        vec![hint.to_owned()]
    }
}

impl Source {
    /// Finds out which CI this is.
    ///
    /// # Errors
    /// Where it is none, or the job may not have an identity.
    pub fn find(variable: Variable<'_>) -> Result<Source, IdentityError> {
        let text = |name: &str| variable(name)?.into_string().ok().filter(|value| !value.is_empty());
        if let Some(token) = text(HANDED) {
            return Ok(Source::Handed(token.trim().to_owned().into()));
        }
        if text("GITHUB_ACTIONS").as_deref() == Some("true") {
            let url = text(REQUEST_URL).ok_or(IdentityError::NotPermitted { variable: REQUEST_URL })?;
            let bearer =
                text(REQUEST_TOKEN).ok_or(IdentityError::NotPermitted { variable: REQUEST_TOKEN })?;
            return Ok(Source::GitHub { url, bearer: bearer.into() });
        }
        if text("GITLAB_CI").is_some() {
            return Ok(Source::GitLab);
        }
        Err(IdentityError::NoCi)
    }

    /// Whether a second call gives another token. An index takes each token once.
    pub fn is_renewable(&self) -> bool {
        matches!(self, Source::GitHub { .. })
    }

    /// A token for an audience.
    ///
    /// # Errors
    /// Where the CI gives none.
    pub async fn token(
        &self,
        http: &Http,
        audience: &str,
        variable: Variable<'_>,
    ) -> Result<IdToken, IdentityError> {
        match self {
            Source::GitHub { url, bearer } => ask_github(http, url, bearer, audience).await,
            Source::GitLab => {
                let name = format!("{}_ID_TOKEN", shouted(audience));
                let token = variable(&name).and_then(|value| value.into_string().ok());
                let token = token.filter(|token| !token.is_empty()).ok_or_else(|| {
                    IdentityError::NotDeclared { audience: said(audience), variable: said(&name) }
                })?;
                Ok(IdToken(token.trim().to_owned().into()))
            }
            Source::Handed(token) => {
                let token = IdToken(token.clone());
                match token.payload() {
                    Some(payload) if !is_for(&payload, audience) => {
                        Err(IdentityError::OtherAudience { audience: said(audience) })
                    }
                    _ => Ok(token),
                }
            }
        }
    }
}

/// Whether a token names the audience (RFC 7519, section 4.1.3: one, or a list).
fn is_for(payload: &Value, audience: &str) -> bool {
    match &payload["aud"] {
        Value::Array(audiences) => audiences.iter().any(|one| one == audience),
        one => one == audience,
    }
}

/// docs.github.com, "OpenID Connect reference": the address has a query already.
async fn ask_github(
    http: &Http,
    url: &str,
    bearer: &SecretString,
    audience: &str,
) -> Result<IdToken, IdentityError> {
    let mut url: Url = http.address(url)?;
    url.query_pairs_mut().append_pair("audience", audience);
    let credential = Credential::Bearer(bearer.clone());
    let get = Get {
        url: &url,
        accept: "application/json",
        credential: Some(&credential),
        limit: JSON_LIMIT,
        away: false,
    };
    let answer = http.get(&get).await?;
    if !answer.is_success() {
        let (said, retry_after) = (answer.words(), answer.retry_after());
        return Err(IdentityError::Refused { status: answer.status, said, retry_after });
    }
    let token = answer.json().and_then(|body| Some(body.get("value")?.as_str()?.to_owned()));
    token.map(|token| IdToken(token.into())).ok_or(IdentityError::Garbled)
}

impl IdToken {
    pub(in crate::world) fn expose(&self) -> &str {
        self.0.expose_secret()
    }

    /// What it says, not verified; empty where it is no JSON Web Token.
    pub fn claims(&self) -> Claims {
        self.payload().map(|claims| Claims::read(&claims)).unwrap_or_default()
    }

    fn payload(&self) -> Option<Value> {
        let payload = self.expose().split('.').nth(1)?;
        let payload = URL_SAFE_NO_PAD.decode(payload.trim_end_matches('=')).ok()?;
        serde_json::from_slice(&payload).ok()
    }
}

impl std::fmt::Debug for IdToken {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("***")
    }
}

impl Claims {
    fn read(claims: &Value) -> Claims {
        let text = |name: &str| claims.get(name)?.as_str().filter(|text| !text.is_empty()).map(said);
        let workflow = text("job_workflow_ref").or_else(|| text("ci_config_ref_uri"));
        let caller = text("workflow_ref").filter(|caller| Some(caller) != workflow.as_ref());
        Claims {
            repository: text("repository").or_else(|| text("project_path")),
            owner_id: text("repository_owner_id").or_else(|| text("namespace_id")),
            workflow: workflow.as_deref().and_then(file_of),
            caller: caller.as_deref().and_then(file_of),
            reference: text("ref"),
            environment: text("environment"),
            event: text("event_name"),
        }
    }

    /// The owner and the name of the repository.
    pub fn owner_and_name(&self) -> Option<(&str, &str)> {
        self.repository.as_deref()?.rsplit_once('/')
    }
}

/// The file of a workflow reference: `release.yml` in `acme/mono/.github/workflows/release.yml@refs/heads/main`,
/// `ci/publish.yml` in `gitlab.com/acme/mono//ci/publish.yml@refs/heads/main`.
fn file_of(reference: &str) -> Option<String> {
    let (path, _) = reference.split_once('@')?;
    let file = path.split_once("//").map(|(_, file)| file).or_else(|| path.rsplit('/').next());
    file.filter(|file| !file.is_empty()).map(str::to_owned)
}

/// `PYPI` for `pypi`: letters and digits in upper case, all else `_`.
pub fn shouted(text: &str) -> String {
    let shout = |character: char| match character {
        'a'..='z' => character.to_ascii_uppercase(),
        'A'..='Z' | '0'..='9' => character,
        _ => '_',
    };
    text.chars().map(shout).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn find(variables: &[(&str, &str)]) -> Result<Source, IdentityError> {
        let owned: Vec<(String, String)> =
            variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        Source::find(&move |name| {
            owned.iter().find(|(known, _)| known == name).map(|(_, value)| OsString::from(value))
        })
    }

    #[test]
    fn the_ci_is_known_by_its_variables() {
        let github =
            [("GITHUB_ACTIONS", "true"), (REQUEST_URL, "https://h/?a=b"), (REQUEST_TOKEN, "hunter2")];
        let found = find(&github).unwrap();
        assert!(matches!(found, Source::GitHub { .. }) && found.is_renewable());
        assert!(!format!("{found:?}").contains("hunter2"));
        assert!(matches!(find(&[("GITLAB_CI", "true")]), Ok(Source::GitLab)));
        assert!(matches!(find(&[(HANDED, "a.b.c"), github[0]]), Ok(Source::Handed(_))));
        assert!(matches!(find(&[]), Err(IdentityError::NoCi)));
    }

    #[test]
    fn a_job_without_the_permission_is_told_so() {
        let error = find(&[("GITHUB_ACTIONS", "true")]).unwrap_err();
        assert!(matches!(error, IdentityError::NotPermitted { variable: REQUEST_URL }));
        assert!(error.hints()[0].contains("id-token: write") && error.hints()[0].contains("fork"));
        let error = find(&[("GITHUB_ACTIONS", "true"), (REQUEST_URL, "https://h/")]).unwrap_err();
        assert!(matches!(error, IdentityError::NotPermitted { variable: REQUEST_TOKEN }));
    }

    #[test]
    fn claims_are_read_for_messages() {
        let claims = |value: &Value| {
            let payload = URL_SAFE_NO_PAD.encode(value.to_string());
            IdToken(format!("head.{payload}.signature").into()).claims()
        };
        let github = claims(&serde_json::json!({
            "repository": "acme/mono", "repository_owner_id": "1001", "ref": "refs/heads/main",
            "job_workflow_ref": "acme/shared/.github/workflows/publish.yml@refs/heads/main",
            "workflow_ref": "acme/mono/.github/workflows/release.yml@refs/heads/main", "environment": "pro\u{1b}d",
        }));
        assert_eq!(github.workflow.as_deref(), Some("publish.yml"));
        assert_eq!(github.caller.as_deref(), Some("release.yml"));
        assert_eq!(github.environment.as_deref(), Some("prod"));
        assert_eq!(github.owner_and_name(), Some(("acme", "mono")));
        let gitlab = claims(&serde_json::json!({
            "project_path": "acme/sub/mono", "ci_config_ref_uri": "gitlab.com/acme/sub/mono//ci/a.yml@refs/heads/main",
        }));
        assert_eq!(gitlab.workflow.as_deref(), Some("ci/a.yml"));
        assert_eq!(gitlab.owner_and_name(), Some(("acme/sub", "mono")));
        assert_eq!(IdToken("no token".to_owned().into()).claims(), Claims::default());
        assert_eq!(format!("{:?}", IdToken("hunter2".to_owned().into())), "***");
    }

    #[test]
    fn names_are_shouted_as_variables() {
        assert_eq!(shouted("pypi"), "PYPI");
        assert_eq!(shouted("my-index.2"), "MY_INDEX_2");
    }
}
