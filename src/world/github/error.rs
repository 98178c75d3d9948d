//! Why GitHub did not do what it was asked, and the way out.

use std::time::Duration;

use reqwest::Url;

use crate::world::answer::Answer;
use crate::world::http::{HttpError, said, shown};

/// Why there is no answer that helps.
#[derive(Debug, thiserror::Error)]
pub enum GitHubError {
    #[error(transparent)]
    Http(#[from] HttpError),
    /// A status that says no.
    #[error("GitHub refuses {method} {url}: {status} {message}")]
    Refused {
        method: String,
        url: String,
        status: u16,
        /// GitHub's words, one line of them.
        message: String,
        /// The permissions that would be enough (`x-accepted-github-permissions`), or the scopes a classic token lacks.
        needs: Option<String>,
        /// Whether the request had a token.
        with_token: bool,
    },
    /// A rate limit that ends too late to wait for.
    #[error("GitHub's rate limit is reached; it asks to wait {} more", minutes(*.wait))]
    Limited { wait: Duration },
    #[error("the answer of {url} is not what GitHub documents: {reason}")]
    Unreadable { url: String, reason: String },
    #[error("GitHub names {to}, where our token must not be shown")]
    Away { to: String },
    #[error("no token for GitHub at {host} was found")]
    NoToken { host: String },
    #[error("{repository} is archived at GitHub and takes no changes")]
    Archived { repository: String },
    #[error("{name} changed while it was sent")]
    Changed { name: String },
    #[error("{name} can not be read")]
    File {
        name: String,
        #[source]
        source: std::io::Error,
    },
}

impl GitHubError {
    /// An answer that says no.
    pub(in crate::world::github) fn refused(method: &str, answer: &Answer, with_token: bool) -> GitHubError {
        GitHubError::Refused {
            method: method.to_owned(),
            url: shown(&answer.url),
            status: answer.status,
            message: words(answer),
            needs: needs(answer),
            with_token,
        }
    }

    pub(in crate::world::github) fn unreadable(url: &Url, reason: &str) -> GitHubError {
        GitHubError::Unreadable { url: shown(url), reason: said(reason) }
    }

    /// The status that said no.
    pub fn status(&self) -> Option<u16> {
        match self {
            GitHubError::Refused { status, .. } => Some(*status),
            _ => None,
        }
    }

    /// Whether there is no such thing, or none that the token may see.
    pub fn is_missing(&self) -> bool {
        matches!(self.status(), Some(404 | 410))
    }

    /// Whether GitHub does not know us, or does not allow it.
    pub fn is_forbidden(&self) -> bool {
        matches!(self, GitHubError::NoToken { .. } | GitHubError::Archived { .. })
            || matches!(self.status(), Some(401 | 403))
    }

    /// Whether the same request may succeed later.
    pub fn is_transient(&self) -> bool {
        match self {
            GitHubError::Http(error) => error.is_transient(),
            GitHubError::Refused { status, .. } => is_passing(*status),
            GitHubError::Limited { .. } => true,
            _ => false,
        }
    }

    /// Whether GitHub may have done it all the same.
    pub fn may_have_acted(&self) -> bool {
        match self {
            GitHubError::Http(error) => error.may_have_acted(),
            GitHubError::Refused { status, .. } => *status >= 500 || *status == 408,
            GitHubError::Unreadable { .. } => true,
            _ => false,
        }
    }

    /// What to do about it, where that is known.
    pub fn way_out(&self) -> Option<String> {
        match self {
            GitHubError::NoToken { host } => Some(format!(
                "set `RELEASE_GITHUB_TOKEN`, or run `gh auth login --hostname {host}`; in a workflow: \
                 `env: {{ GITHUB_TOKEN: ${{{{ github.token }}}} }}`"
            )),
            GitHubError::Limited { .. } => Some("run it again then: it goes on from here".to_owned()),
            GitHubError::Refused { status: 401, .. } => {
                Some("the token is wrong, revoked or expired: make a new one".to_owned())
            }
            GitHubError::Refused { status: 403, needs: Some(needs), .. } => {
                Some(format!("the token lacks `{needs}`"))
            }
            GitHubError::Refused { status: 403, .. } => Some(
                "the token may not do this: in a workflow see `permissions:`; else give the token the permission"
                    .to_owned(),
            ),
            GitHubError::Refused { status: 404, with_token: false, .. } => {
                Some("set `RELEASE_GITHUB_TOKEN`: without a token, what is private looks missing".to_owned())
            }
            GitHubError::Refused { status: 404, needs, .. } => Some(match needs {
                Some(needs) => format!(
                    "it does not exist, or the token may not see it: it needs `{needs}` for this repository"
                ),
                None => "it does not exist, or the token may not see it".to_owned(),
            }),
            GitHubError::Away { .. } => {
                Some("see `api` in `[github]`: it must be the interface itself".to_owned())
            }
            error if error.is_transient() => Some("run it again: it goes on from here".to_owned()),
            _ => None,
        }
    }
}

impl From<octocrab::Error> for GitHubError {
    /// What our own service says comes through as it was said.
    fn from(error: octocrab::Error) -> GitHubError {
        let reason = said(&error.to_string());
        let unreadable = |reason| GitHubError::Unreadable { url: "GitHub".to_owned(), reason };
        match error {
            octocrab::Error::Service { source, .. } => match source.downcast::<GitHubError>() {
                Ok(error) => *error,
                Err(other) => unreadable(said(&other.to_string())),
            },
            _ => unreadable(reason),
        }
    }
}

/// Whether a status may be another one next time.
fn is_passing(status: u16) -> bool {
    matches!(status, 408 | 425 | 429 | 500 | 502 | 503 | 504)
}

/// GitHub's message, with what it says of single fields.
fn words(answer: &Answer) -> String {
    let json = answer.json().unwrap_or_default();
    let listed = json.get("errors").and_then(serde_json::Value::as_array);
    let fields = listed.into_iter().flatten().filter_map(|error| {
        let text = |key: &str| error.get(key)?.as_str().map(str::to_owned);
        let of_field = || Some(format!("{} {}", text("field")?, text("code")?.replace('_', " ")));
        error.as_str().map(str::to_owned).or_else(|| text("message")).or_else(of_field)
    });
    let fields: Vec<String> = fields.collect();
    let message = answer.words();
    if fields.is_empty() { message } else { said(&format!("{message} ({})", fields.join(", "))) }
}

/// What a token would need: GitHub's `contents=write; metadata=read` as people write it in a workflow.
fn needs(answer: &Answer) -> Option<String> {
    if let Some(accepted) = answer.header("x-accepted-github-permissions").filter(|text| !text.is_empty()) {
        // Several sets, one of which is enough, stand apart by `;`; the first is the usual one.
        let first = accepted.split(';').next().unwrap_or_default();
        let permissions: Vec<String> =
            first.split(',').map(|one| one.trim().replacen('=', ": ", 1)).collect();
        return Some(said(&permissions.join(", ")));
    }
    let list = |name: &str| -> Vec<String> {
        let text = answer.header(name).unwrap_or_default();
        text.split(',').map(|one| one.trim().to_owned()).filter(|one| !one.is_empty()).collect()
    };
    let (wanted, held) = (list("x-accepted-oauth-scopes"), list("x-oauth-scopes"));
    let lacks = !wanted.is_empty() && !wanted.iter().any(|scope| held.contains(scope));
    (lacks && answer.header("x-oauth-scopes").is_some()).then(|| said(&wanted.join("` or `")))
}

fn minutes(wait: Duration) -> String {
    match wait.as_secs() {
        seconds @ 0..120 => format!("{seconds} seconds"),
        seconds => format!("{} minutes", seconds.div_ceil(60)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(status: u16, headers: &[(&'static str, &str)], body: &str) -> GitHubError {
        let headers = headers
            .iter()
            .map(|(name, value)| (reqwest::header::HeaderName::from_static(name), value.parse().unwrap()));
        let url = Url::parse("https://ghe.example/api/v3/repos/a/b?secret=1").unwrap();
        let answer = Answer { status, url, headers: headers.collect(), body: body.as_bytes().to_vec() };
        GitHubError::refused("GET", &answer, true)
    }

    #[test]
    fn a_refusal_names_the_permission_that_is_missing() {
        let error = error(
            403,
            &[("x-accepted-github-permissions", "contents=write; contents=write,workflows=write")],
            r#"{"message": "Resource not accessible by integration"}"#,
        );
        assert_eq!(
            error.to_string(),
            "GitHub refuses GET https://ghe.example/api/v3/repos/a/b: 403 Resource not accessible by integration"
        );
        assert_eq!(error.way_out().unwrap(), "the token lacks `contents: write`");
        assert!(error.is_forbidden() && !error.is_transient());
    }

    #[test]
    fn what_is_missing_may_be_hidden() {
        let error = error(404, &[("x-oauth-scopes", "read:org"), ("x-accepted-oauth-scopes", "repo")], "{}");
        assert!(error.is_missing());
        assert_eq!(
            error.way_out().unwrap(),
            "it does not exist, or the token may not see it: it needs `repo` for this repository"
        );
    }

    #[test]
    fn fields_that_are_wrong_are_named() {
        let body = r#"{"message": "Validation Failed", "errors": [{"field": "tag_name", "code": "already_exists"}, "b\u001b[2J"]}"#;
        let message = error(422, &[], body).to_string();
        assert!(message.ends_with("422 Validation Failed (tag_name already exists, b)"), "{message}");
    }

    #[test]
    fn a_servers_fault_may_have_acted_and_may_pass() {
        assert!(error(502, &[], "").is_transient() && error(502, &[], "").may_have_acted());
        assert!(!error(429, &[], "").may_have_acted());
        assert!(!error(422, &[], "").is_transient());
    }
}
