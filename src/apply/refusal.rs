//! What an index's answers mean for what to do next, and in words.
//!
//! A text never decides whether a file is there: only digests do. Texts tell what is over for today, and the way out.

use crate::workspace::name::PackageName;
use crate::world::identity::Claims;

/// What an answer to an upload means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Meaning {
    /// The index has the file.
    Stored,
    /// It may have it or not: look, then send the same bytes again.
    Doubtful,
    /// It says no. Compare what stands there: indexes refuse with these also what they have.
    Compare,
    /// Not before tomorrow, or before the index is back.
    Parked,
    /// It says no, whatever stands there.
    Fatal,
}

/// The meaning of an answer. 400, 403 and 409 are what indexes say to a file that exists (PyPI and GitLab 400,
/// Artifactory 403, pypiserver, devpi and Azure 409); 401 is devpi's word for a wrong password.
pub fn meaning(status: u16, said: &str) -> Meaning {
    match status {
        200..=299 => Meaning::Stored,
        403 | 429 if is_any_of(said, &PARKED) => Meaning::Parked,
        408 | 425 | 429 | 500.. => Meaning::Doubtful,
        400 | 401 | 403 | 409 => Meaning::Compare,
        _ => Meaning::Fatal,
    }
}

const PARKED: [&str; 3] = ["too many new projects", "read-only mode", "temporarily disabled"];

/// Whether the bytes were damaged on the way.
pub fn is_damaged(said: &str) -> bool {
    is_any_of(said, &["digest supplied does not match"])
}

/// The way out of a refused upload.
pub fn hints(index: &str, package: &PackageName, status: u16, said: &str) -> Vec<String> {
    let (token, _) = crate::world::credential::variables(index);
    let hint = match () {
        () if is_any_of(said, &["too many new projects"]) => {
            "an account may create few projects a day: run it again tomorrow; projects that exist go on"
                .to_owned()
        }
        () if is_any_of(said, &["read-only mode", "temporarily disabled"]) => {
            "the index is under maintenance: run it again later".to_owned()
        }
        () if is_any_of(said, &["since been deleted", "older than", "only one sdist"]) => {
            "this version can not be completed any more: release the next one".to_owned()
        }
        () if is_any_of(said, &["non-user identities"]) => format!(
            "the project `{package}` does not exist: register a pending publisher under exactly this name"
        ),
        () if is_any_of(said, &["oidc scoped token is not valid for project"]) => {
            format!(
                "add this workflow as a trusted publisher of `{package}` too, in its settings on the index"
            )
        }
        () if is_any_of(said, &["username/password"]) => {
            format!("put an API token into `{token}`, or use `auth = \"trusted\"`")
        }
        () if is_any_of(said, &["token is not valid for project", "allowed to upload"]) => {
            format!(
                "the token's owner needs a role in `{package}`, and the token must not be for other projects"
            )
        }
        () if matches!(status, 401 | 403) => format!("check the token in `{token}` or the keyring"),
        () if status == 413 => "a gateway before the index limits the size of uploads".to_owned(),
        () if matches!(status, 404 | 405 | 410) => {
            format!("check `upload` in `[index.{index}]`: PyPI's ends in `/legacy/`")
        }
        () if is_any_of(said, &["already exists", "already been taken"]) => {
            "the index has these bytes under another name, or does not list what it has".to_owned()
        }
        () => return Vec::new(),
    };
    vec![hint]
}

/// Whether a fresh identity may be taken where this one was not.
pub fn is_stale_identity(code: &str) -> bool {
    matches!(code, "invalid-reuse-token" | "invalid-token")
}

/// Why an index does not take an identity, and the ways out. `renewable` is whether the CI gives more than one.
pub fn identity_refused(
    code: &str,
    said: &str,
    claims: &Claims,
    package: &PackageName,
    renewable: bool,
) -> (String, Vec<String>) {
    match code {
        "invalid-publisher" => {
            (format!("no trusted publisher fits this job ({said})"), form(claims, package))
        }
        "invalid-pending-publisher" => {
            let mut hints =
                vec![format!("`{package}` exists: a pending publisher is for projects that do not")];
            hints.extend(form(claims, package));
            ("its pending publisher does not fit a project that exists".to_owned(), hints)
        }
        "invalid-reuse-token" if renewable => (
            "the CI gives the same identity again and again, and the index takes it once".to_owned(),
            vec!["run the job again".to_owned()],
        ),
        "invalid-reuse-token" => (
            "the job's only identity is spent: an answer was lost, or it was used before".to_owned(),
            vec!["run the job again: each job has one identity".to_owned()],
        ),
        "invalid-token" => (
            format!("the identity does not hold: signature, audience or time ({said})"),
            vec!["check that the identity is made for this index, and has not waited long".to_owned()],
        ),
        "invalid-payload" => (
            format!("the index does not know this CI as a source of identities ({said})"),
            vec![
                "PyPI trusts GitHub Actions, GitLab, Google Cloud and ActiveState; elsewhere use a token"
                    .to_owned(),
            ],
        ),
        "not-enabled" => (
            format!("trusted publishing is switched off ({said})"),
            vec!["run it again later, or set `auth = \"token\"`".to_owned()],
        ),
        _ => (format!("{code}: {said}"), Vec::new()),
    }
}

/// The form to fill in on the index, with what this job is.
fn form(claims: &Claims, package: &PackageName) -> Vec<String> {
    let mut hints = Vec::new();
    if let (Some((owner, name)), Some(workflow)) = (claims.owner_and_name(), &claims.workflow) {
        let environment = match &claims.environment {
            Some(environment) => format!("environment `{environment}`, or none"),
            None => "no environment (this job runs in none)".to_owned(),
        };
        let id = claims.owner_id.as_ref().map(|id| format!(" (id {id})")).unwrap_or_default();
        hints.push(format!(
            "register in the settings of `{package}`: owner `{owner}`{id}, repository `{name}`, workflow `{workflow}`, \
             {environment}"
        ));
    }
    if let (Some(caller), Some(workflow)) = (&claims.caller, &claims.workflow) {
        hints.push(format!(
            "the job is in `{workflow}`, called by `{caller}`: publish from a job in `{caller}` itself"
        ));
    }
    if claims.event.as_deref() == Some("pull_request_target") {
        hints.push(
            "`pull_request_target` may not publish: use `push` of a tag or `workflow_dispatch`".to_owned(),
        );
    }
    hints
}

fn is_any_of(said: &str, texts: &[&str]) -> bool {
    let said = said.to_lowercase();
    texts.iter().any(|text| said.contains(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_means_what_its_status_says() {
        for (status, expected) in [
            (200, Meaning::Stored),
            (201, Meaning::Stored),
            (400, Meaning::Compare),
            (401, Meaning::Compare),
            (403, Meaning::Compare),
            (409, Meaning::Compare),
            (404, Meaning::Fatal),
            (413, Meaning::Fatal),
            (302, Meaning::Fatal),
            (408, Meaning::Doubtful),
            (425, Meaning::Doubtful),
            (429, Meaning::Doubtful),
            (500, Meaning::Doubtful),
            (503, Meaning::Doubtful),
            (599, Meaning::Doubtful),
        ] {
            assert_eq!(meaning(status, ""), expected, "{status}");
        }
        assert_eq!(meaning(429, "429 Too many new projects created"), Meaning::Parked);
        assert_eq!(meaning(403, "Read-only mode: Uploads are…"), Meaning::Parked);
        // Whatever the text says of existing, the digests are compared.
        assert_eq!(meaning(400, "File already exists"), Meaning::Compare);
    }

    #[test]
    fn a_publisher_that_does_not_fit_is_told_field_by_field() {
        let claims = Claims {
            repository: Some("acme/mono".to_owned()),
            owner_id: Some("1001".to_owned()),
            workflow: Some("publish.yml".to_owned()),
            caller: Some("release.yml".to_owned()),
            environment: Some("production".to_owned()),
            ..Claims::default()
        };
        let name = PackageName::new("acme-core");
        let (reason, hints) = identity_refused("invalid-publisher", "none found", &claims, &name, true);
        assert_eq!(reason, "no trusted publisher fits this job (none found)");
        assert_eq!(
            hints[0],
            "register in the settings of `acme-core`: owner `acme` (id 1001), repository `mono`, workflow \
             `publish.yml`, environment `production`, or none"
        );
        assert!(hints[1].contains("called by `release.yml`"));
        let (_, hints) = identity_refused("invalid-reuse-token", "", &claims, &name, false);
        assert_eq!(hints, ["run the job again: each job has one identity"]);
    }
}
