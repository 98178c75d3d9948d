//! The token for GitHub: from the environment, or from the `gh` program.

use std::ffi::OsString;
use std::time::Duration;

use reqwest::Url;
use secrecy::SecretString;

use crate::world::command::{Command, run};
use crate::world::github::address::{host_of, is_cloud};
use crate::world::http::is_loopback;

/// The variable that is read first, and for any host.
pub const OWN: &str = "RELEASE_GITHUB_TOKEN";
/// The variables of `gh` and of GitHub Actions, for GitHub's own service or the server that the job runs at.
const CLOUD: [&str; 2] = ["GH_TOKEN", "GITHUB_TOKEN"];
/// The variables of `gh` for any other server.
const SERVER: [&str; 2] = ["GH_ENTERPRISE_TOKEN", "GITHUB_ENTERPRISE_TOKEN"];
/// How long `gh` may take: a keyring may have to be unlocked.
const PATIENCE: Duration = Duration::from_secs(60);

/// Reads a variable of the environment.
pub type Variable<'v> = &'v (dyn Fn(&str) -> Option<OsString> + Send + Sync);

/// The token for an interface; `None` where nobody knows one.
///
/// A token for one host is never shown to another: the variables that other programs use are read for the hosts they
/// are meant for.
pub async fn find(api: &Url, variable: Variable<'_>) -> Option<SecretString> {
    let text = |name: &str| {
        let value = variable(name)?.into_string().ok()?;
        Some(value.trim().to_owned()).filter(|value| !value.is_empty())
    };
    let of_job = || text("GITHUB_API_URL").is_some_and(|job| job.trim_end_matches('/') == address(api));
    let host = host_of(api);
    let names = if is_cloud(&host) || is_loopback(api) || of_job() { CLOUD } else { SERVER };
    let token = text(OWN).or_else(|| names.into_iter().find_map(text));
    match token {
        Some(token) => Some(token.into()),
        None => of_gh(&host).await,
    }
}

fn address(api: &Url) -> &str {
    api.as_str().trim_end_matches('/')
}

/// What `gh` keeps for a host; `None` where it is not installed or knows none.
async fn of_gh(host: &str) -> Option<SecretString> {
    let command = Command::new("gh").args(["auth", "token", "--hostname", host]).timeout(PATIENCE);
    let output = run(command).await.ok().filter(|output| output.success() && !output.truncated)?;
    let text = String::from_utf8(output.stdout).ok()?;
    let token = text.trim();
    (!token.is_empty() && !token.contains(char::is_whitespace)).then(|| token.to_owned().into())
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret;

    use super::*;

    async fn found(api: &str, known: &[(&'static str, &'static str)]) -> Option<String> {
        let known = known.to_vec();
        let variable = move |name: &str| {
            known.iter().find(|(known, _)| *known == name).map(|(_, value)| OsString::from(value))
        };
        let api = Url::parse(api).unwrap();
        find(&api, &variable).await.map(|token| token.expose_secret().to_owned())
    }

    #[tokio::test]
    async fn a_token_goes_to_the_host_it_is_meant_for() {
        let cloud = "https://api.github.com";
        let server = "https://ghe.example/api/v3";
        let all = [
            ("GITHUB_TOKEN", "actions"),
            ("GH_TOKEN", " cli\n"),
            ("GH_ENTERPRISE_TOKEN", "server"),
            ("RELEASE_GITHUB_TOKEN", "own"),
        ];
        let some = |token: &str| Some(token.to_owned());
        assert_eq!(found(cloud, &all).await, some("own"));
        assert_eq!(found(cloud, &all[..3]).await, some("cli"));
        assert_eq!(found(cloud, &all[..1]).await, some("actions"));
        assert_eq!(found(server, &all[..3]).await, some("server"));
        let job = [("GITHUB_TOKEN", "actions"), ("GITHUB_API_URL", "https://ghe.example/api/v3/")];
        assert_eq!(found(server, &job).await, some("actions"));
        assert_eq!(found("http://127.0.0.1:1/api/v3", &all[..1]).await, some("actions"));
    }
}
