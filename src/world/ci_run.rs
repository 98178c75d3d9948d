//! What a CI says of one of its runs: over, or going on.

use std::ffi::OsString;
use std::time::Duration;

use secrecy::SecretString;

use crate::world::holder::RunIdentity;
use crate::world::http::{Credential, Get, Http, Limits};

/// How long the CI may take to answer.
const PATIENCE: Duration = Duration::from_secs(15);
/// How much of an answer is read, in bytes.
const LIMIT: u64 = 1024 * 1024;

/// What is known of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RunState {
    Over,
    GoingOn,
    /// The CI could not be asked, or knows no such run.
    Unknown,
}

/// Reads a variable of the environment.
pub type Variable<'v> = &'v (dyn Fn(&str) -> Option<OsString> + Sync);

/// Asks GitHub for the state of a run's attempt (REST API, "Get a workflow run attempt"; needs `actions: read`), with
/// `GITHUB_TOKEN` or `GH_TOKEN` where one is set. The token goes to the run's own interface alone, where that is this
/// machine's too (`GITHUB_API_URL`): what a ledger names is no reason to show it.
pub async fn run_state(run: &RunIdentity, variable: Variable<'_>) -> RunState {
    ask(run, variable).await.unwrap_or(RunState::Unknown)
}

async fn ask(run: &RunIdentity, variable: Variable<'_>) -> Option<RunState> {
    let http = Http::new(false, Limits { connect: PATIENCE, idle: PATIENCE, answer: PATIENCE }).ok()?;
    let url = http.address(&address(run)?).ok()?;
    let ours = variable("GITHUB_API_URL").is_some_and(|ours| ours == run.api.as_str());
    let token = ["GITHUB_TOKEN", "GH_TOKEN"].into_iter().find_map(|name| variable(name)?.into_string().ok());
    let token = token.filter(|token| ours && !token.is_empty());
    let credential = token.map(|token| Credential::Bearer(SecretString::from(token)));
    let accept = "application/vnd.github+json";
    let get = Get { url: &url, accept, credential: credential.as_ref(), limit: LIMIT, away: false };
    let answer = http.get(&get).await.ok().filter(|answer| answer.is_success())?;
    let status = answer.json()?.get("status")?.as_str()?.to_owned();
    // "completed" is the one status that a run does not leave.
    Some(if status == "completed" { RunState::Over } else { RunState::GoingOn })
}

/// The address of a run's attempt; `None` for names that GitHub does not give.
fn address(run: &RunIdentity) -> Option<String> {
    let is_plain = |part: &str| {
        !part.is_empty() && part.chars().all(|one| one.is_ascii_alphanumeric() || "-_.".contains(one))
    };
    let (owner, name) = run.repository.split_once('/')?;
    let id: u64 = run.id.parse().ok()?;
    let base = run.api.trim_end_matches('/');
    (is_plain(owner) && is_plain(name))
        .then(|| format!("{base}/repos/{owner}/{name}/actions/runs/{id}/attempts/{}", run.attempt))
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Write};
    use std::net::TcpListener;

    use super::*;

    fn run(api: &str) -> RunIdentity {
        RunIdentity {
            api: api.to_owned(),
            repository: "acme/mono.repo".to_owned(),
            id: "71".to_owned(),
            attempt: 2,
        }
    }

    /// A CI on loopback that gives one answer, and what it was asked.
    fn ci(answer: &'static str) -> (String, std::thread::JoinHandle<String>) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let api = format!("http://{}", listener.local_addr().unwrap());
        let served = std::thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let mut asked = Vec::new();
            let mut bytes = [0; 4096];
            while !asked.ends_with(b"\r\n\r\n") {
                let read = stream.read(&mut bytes).unwrap();
                asked.extend_from_slice(&bytes[..read]);
            }
            let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{answer}", answer.len());
            stream.write_all(head.as_bytes()).unwrap();
            String::from_utf8(asked).unwrap()
        });
        (api, served)
    }

    #[tokio::test]
    async fn a_run_is_over_when_its_ci_says_so() {
        for (answer, state) in [
            (r#"{"status": "completed", "conclusion": "cancelled"}"#, RunState::Over),
            (r#"{"status": "in_progress"}"#, RunState::GoingOn),
            (r#"{"message": "no such thing"}"#, RunState::Unknown),
            ("not json", RunState::Unknown),
        ] {
            let (api, served) = ci(answer);
            assert_eq!(run_state(&run(&api), &|_| None).await, state, "{answer}");
            let asked = served.join().unwrap();
            assert!(asked.starts_with("GET /repos/acme/mono.repo/actions/runs/71/attempts/2 "), "{asked}");
        }
    }

    #[tokio::test]
    async fn the_token_is_shown_to_our_own_interface_alone() {
        for ours in [true, false] {
            let (api, served) = ci(r#"{"status": "completed"}"#);
            let known = if ours { api.clone() } else { "https://api.example".to_owned() };
            let variable = move |name: &str| match name {
                "GITHUB_API_URL" => Some(OsString::from(known.clone())),
                "GITHUB_TOKEN" => Some(OsString::from("ghs_secret")),
                _ => None,
            };
            run_state(&run(&api), &variable).await;
            assert_eq!(served.join().unwrap().contains("ghs_secret"), ours);
        }
    }

    #[test]
    fn a_ledger_names_no_other_place_of_an_interface() {
        let check = |repository: &str, id: &str| {
            address(&RunIdentity { repository: repository.to_owned(), id: id.to_owned(), ..run("https://x") })
        };
        assert!(check("acme/monorepo", "7").is_some());
        assert_eq!(check("acme/../user", "7"), None);
        assert_eq!(check("acme/monorepo", "7/../.."), None);
        assert_eq!(check("acme", "7"), None);
    }
}
