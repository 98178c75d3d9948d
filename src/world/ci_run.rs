//! What a CI says of one of its runs: over, or going on.

use std::ffi::OsString;
use std::time::Duration;

use serde::Deserialize;

use crate::world::holder::RunIdentity;

/// How long the CI may take to answer.
const PATIENCE: Duration = Duration::from_secs(15);
/// How much of an answer is read, in bytes.
const LIMIT: usize = 1024 * 1024;

/// What is known of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RunState {
    Over,
    GoingOn,
    /// The CI could not be asked, or knows no such run.
    Unknown,
}

#[derive(Deserialize)]
struct Answer {
    status: String,
}

/// Asks GitHub for the state of a run's attempt (REST API, "Get a workflow run attempt"; needs `actions: read`), with
/// `GITHUB_TOKEN` or `GH_TOKEN` where one is set. The token goes to the run's own interface alone, over TLS or loopback.
pub async fn run_state(run: &RunIdentity, variable: &(dyn Fn(&str) -> Option<OsString> + Sync)) -> RunState {
    ask(run, variable).await.unwrap_or(RunState::Unknown)
}

async fn ask(run: &RunIdentity, variable: &(dyn Fn(&str) -> Option<OsString> + Sync)) -> Option<RunState> {
    let api = reqwest::Url::parse(&run.api).ok()?;
    let is_loopback = matches!(api.host_str(), Some("127.0.0.1" | "localhost" | "[::1]"));
    if api.scheme() != "https" && !is_loopback {
        return None;
    }
    let id: u64 = run.id.parse().ok()?;
    let is_plain =
        |part: &str| !part.is_empty() && part.chars().all(|c| c.is_ascii_alphanumeric() || "-_.".contains(c));
    let (owner, name) =
        run.repository.split_once('/').filter(|(owner, name)| is_plain(owner) && is_plain(name))?;
    let base = run.api.trim_end_matches('/');
    let address = format!("{base}/repos/{owner}/{name}/actions/runs/{id}/attempts/{}", run.attempt);
    let client = reqwest::Client::builder()
        .timeout(PATIENCE)
        .redirect(reqwest::redirect::Policy::none())
        .user_agent(concat!("release/", env!("CARGO_PKG_VERSION")))
        .build()
        .ok()?;
    let mut request = client.get(address).header("Accept", "application/vnd.github+json");
    // A token for one interface is not for another that a ledger names.
    let ours = variable("GITHUB_API_URL").is_some_and(|ours| ours == run.api.as_str());
    let token = ["GITHUB_TOKEN", "GH_TOKEN"].into_iter().find_map(|name| variable(name)?.into_string().ok());
    if let Some(token) = token.filter(|token| ours && !token.is_empty()) {
        request = request.bearer_auth(token);
    }
    let response = request.send().await.ok().filter(|response| response.status().is_success())?;
    if response.content_length().is_some_and(|length| length > LIMIT as u64) {
        return None;
    }
    let bytes = response.bytes().await.ok().filter(|bytes| bytes.len() <= LIMIT)?;
    let answer: Answer = serde_json::from_slice(&bytes).ok()?;
    // "completed" is the one status that a run does not leave.
    Some(if answer.status == "completed" { RunState::Over } else { RunState::GoingOn })
}
