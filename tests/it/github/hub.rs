//! The double at work: state, repository, tokens and faults behind one address, and what happens to each request.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::{Value, json};

use crate::github::answer::Answer;
use crate::github::call::Call;
use crate::github::faults::{Fault, Harm, take};
use crate::github::git::Git;
use crate::github::schema::{Api, Operation};
use crate::github::state::State;
use crate::github::text::{pairs, secret};
use crate::github::tokens::{Token, Who, needed};
use crate::github::{events, files, pack, routes};
use crate::web::Request;

pub const API: &str = "/api/v3";
pub const UPLOADS: &str = "/api/uploads";
/// Repositories by their numbers, as redirects and the pages of lists name them.
pub const NUMBERED: &str = "/repositories/";

pub struct Hub {
    pub api: Api,
    pub root: PathBuf,
    pub git: Git,
    pub number: u64,
    pub owner: String,
    pub name: String,
    pub address: SocketAddr,
    /// Where the bytes of assets lie: another host, as with GitHub.
    pub storage: SocketAddr,
    pub state: Mutex<State>,
    /// The other repositories behind the same door; what follows is shared with them.
    pub others: Mutex<Vec<Arc<Hub>>>,
    pub faults: Arc<Mutex<Vec<Fault>>>,
    /// By their secrets.
    pub tokens: Arc<Mutex<Vec<(String, Token)>>>,
    pub seen: Arc<Mutex<Vec<Seen>>>,
    pub violations: Arc<Mutex<Vec<String>>>,
    pub remaining: Arc<AtomicI64>,
    pub ended: Arc<AtomicBool>,
}

/// A request as it is remembered; no secret is in it.
#[derive(Debug, Clone)]
pub struct Seen {
    pub method: String,
    /// From `/repos/` on; git's own are at `/OWNER/NAME.git/…`.
    pub path: String,
    pub query: String,
    /// The name of its token; nothing where it had none, `?` for an unknown one.
    pub token: String,
    /// Null where it is no JSON.
    pub body: Value,
}

impl Hub {
    /// Everything that is written back to a request; nothing ends the connection.
    pub fn serve(&self, request: &Request) -> Vec<u8> {
        let path = request.path.strip_prefix(API).or(request.path.strip_prefix(UPLOADS));
        let path = path.unwrap_or(&request.path);
        let others = self.others.lock().unwrap().clone();
        let by_number = path.strip_prefix(NUMBERED).and_then(|rest| {
            let (number, rest) = rest.split_once('/').unwrap_or((rest, ""));
            let fits = |hub: &&Hub| hub.number.to_string() == number;
            let hub = others.iter().map(AsRef::as_ref).chain([self]).find(fits)?;
            Some(format!("/repos/{}/{rest}", hub.slug()).trim_end_matches('/').to_owned())
        });
        let path = by_number.as_deref().unwrap_or(path);
        self.remember(request, path);
        let here = others.iter().find(|other| path.trim_start_matches("/repos").starts_with(&other.start()));
        here.map_or(self, |other| other).faulty(request, path)
    }

    /// An address of the API below the repository's number.
    pub fn numbered(&self, rest: &str) -> String {
        format!("http://{}{API}{NUMBERED}{}{rest}", self.address, self.number)
    }

    pub fn slug(&self) -> String {
        format!("{}/{}", self.owner, self.name)
    }

    /// How the paths of the repository begin, but for what stands before in those of the API.
    fn start(&self) -> String {
        format!("/{}", self.slug())
    }

    fn faulty(&self, request: &Request, path: &str) -> Vec<u8> {
        let ordered = take(&mut self.faults.lock().unwrap(), &request.method, path);
        let Some((harm, past)) = ordered else { return self.act(request, path, None) };
        match harm {
            Harm::Drop => Vec::new(),
            Harm::Hang(seconds) => {
                self.wait(Duration::from_secs(seconds));
                Vec::new()
            }
            Harm::Lose => {
                self.act(request, path, None);
                Vec::new()
            }
            Harm::Truncate => {
                let mut whole = self.act(request, path, None);
                let body = whole.windows(4).position(|four| four == b"\r\n\r\n").map_or(0, |at| at + 4);
                whole.truncate(body + (whole.len() - body) / 2);
                whole
            }
            Harm::Corrupt => {
                let mut whole = self.act(request, path, None);
                if let Some(last) = whole.last_mut() {
                    *last ^= 1;
                }
                whole
            }
            Harm::Slow(milliseconds) => {
                let whole = self.act(request, path, None);
                self.wait(Duration::from_millis(milliseconds));
                whole
            }
            Harm::Late(status) => {
                self.act(request, path, None);
                whole(&failure(status))
            }
            Harm::Stale => self.act(request, path, past.map(|past| *past)),
            Harm::Status(status) => whole(&failure(status)),
            Harm::TooMany(seconds) => {
                whole(&Answer::refusal(429, "Too many requests").with("retry-after", &seconds.to_string()))
            }
            Harm::Secondary(seconds) => whole(
                &Answer::refusal(
                    403,
                    "You have exceeded a secondary rate limit. Please wait a few minutes before you try again.",
                )
                .with("retry-after", &seconds.to_string()),
            ),
            Harm::Primary(seconds) => {
                let reset = jiff::Timestamp::now().as_second() + seconds;
                let answer = Answer::refusal(403, "API rate limit exceeded for installation ID 1.");
                whole(&limits(answer, 0, reset))
            }
        }
    }

    pub fn violation(&self, what: String) {
        self.violations.lock().unwrap().push(what);
    }

    pub fn who(&self, request: &Request) -> Who {
        let header = request.header("authorization");
        if header.is_empty() {
            return Who::Nobody;
        }
        let given = secret(header).unwrap_or_default();
        let tokens = self.tokens.lock().unwrap();
        let found = tokens.iter().find(|(secret, _)| *secret == given);
        found.map_or(Who::Unknown, |(_, token)| Who::Known(token.clone()))
    }

    fn remember(&self, request: &Request, path: &str) {
        let token = match self.who(request) {
            Who::Nobody => String::new(),
            Who::Known(token) => token.name,
            Who::Unknown => "?".to_owned(),
        };
        let body = serde_json::from_slice(&request.body).unwrap_or(Value::Null);
        let (method, query) = (request.method.clone(), request.query.clone());
        self.seen.lock().unwrap().push(Seen { method, path: path.to_owned(), query, token, body });
    }

    fn act(&self, request: &Request, path: &str, past: Option<State>) -> Vec<u8> {
        if request.path.starts_with(API) || request.path.starts_with(UPLOADS) {
            let remaining = self.remaining.fetch_sub(1, Ordering::SeqCst);
            let answer = match request.header("user-agent") {
                "" => Answer::refusal(403, "Request forbidden by administrative rules: no User-Agent header"),
                _ => self.operation(request, path, past),
            };
            let reset = jiff::Timestamp::now().as_second() + 3000;
            return whole(&limits(answer, remaining, reset));
        }
        if let Some(answer) = pack::answer(self, request) {
            return answer;
        }
        whole(&files::answer(self, request))
    }

    fn operation(&self, request: &Request, path: &str, past: Option<State>) -> Answer {
        let token = match self.who(request) {
            Who::Nobody => None,
            Who::Known(token) => Some(token),
            Who::Unknown => return Answer::refusal(401, "Bad credentials"),
        };
        let Some(operation) = self.api.find(&request.method, path) else {
            return self.wrong(format!("{} {path}: GitHub has no such operation", request.method));
        };
        let wrong = self.api.request(&operation, request);
        if !wrong.is_empty() {
            return self.wrong(format!("{} {path}: {}", request.method, wrong.join("; ")));
        }
        let Some(handler) = routes::handler(&operation.id) else {
            return self.wrong(format!("{}: the double does not serve it", operation.id));
        };
        let mut state = self.state.lock().unwrap();
        if let Some(refusal) = self.refusal(&state, token.as_ref(), &operation, (&request.method, path)) {
            return refusal;
        }
        events::notice(self, &mut state, None);
        let mut past = past.filter(|_| request.method == "GET");
        let mut call = Call {
            hub: self,
            state: past.as_mut().unwrap_or(&mut state),
            operation: &operation,
            query: pairs(&request.query),
            body: serde_json::from_slice(&request.body).unwrap_or(Value::Null),
            request,
            path,
            token: token.as_ref(),
        };
        let answer = handler(&mut call);
        events::notice(self, &mut state, token.as_ref().map(|token| (token, false)));
        let wrong = self.api.answer(&operation, &answer);
        if !wrong.is_empty() {
            return self.wrong(format!("the double's own answer: {}", wrong.join("; ")));
        }
        answer
    }

    /// Why GitHub would not even look at it.
    fn refusal(
        &self,
        state: &State,
        token: Option<&Token>,
        operation: &Operation,
        (method, path): (&str, &str),
    ) -> Option<Answer> {
        let same = |name: &str, own: &str| {
            operation.parameters.get(name).is_none_or(|given| given.eq_ignore_ascii_case(own))
        };
        let here = same("owner", &self.owner) && same("repo", &self.name);
        if let Some(rest) = state.old.iter().find_map(|old| path.strip_prefix(&format!("/repos/{old}"))) {
            let place = self.numbered(rest);
            let status = if method == "GET" { 301 } else { 307 };
            return Some(Answer::refusal(status, "Moved Permanently").with("location", &place));
        }
        if !here || (state.private && token.is_none_or(|token| !token.access)) {
            return Some(Answer::not_found());
        }
        let needed = needed(&operation.id, method);
        let open = method == "GET" && !state.private && !needed.always;
        if open || needed.any.is_empty() {
            return None;
        }
        let Some(token) = token else { return Some(Answer::refusal(401, "Requires authentication")) };
        if needed.any.iter().any(|permission| token.may(permission, needed.level)) {
            let said = "Repository was archived so is read-only.";
            return (state.archived && method != "GET").then(|| Answer::refusal(403, said));
        }
        let answer = Answer::refusal(403, token.message());
        Some(answer.with("x-accepted-github-permissions", &needed.header()))
    }

    fn wrong(&self, what: String) -> Answer {
        let answer = Answer::json(500, json!({ "message": format!("the double of GitHub: {what}") }));
        self.violation(what);
        answer
    }

    fn wait(&self, long: Duration) {
        let until = std::time::Instant::now() + long;
        while std::time::Instant::now() < until && !self.ended.load(Ordering::SeqCst) {
            std::thread::sleep(Duration::from_millis(10));
        }
    }
}

pub fn whole(answer: &Answer) -> Vec<u8> {
    let (head, body) = answer.wire();
    [head.as_bytes(), &body].concat()
}

fn failure(status: u16) -> Answer {
    match status {
        401 => Answer::refusal(401, "Bad credentials"),
        500 => Answer::refusal(500, "Server Error"),
        502..=504 => {
            let page = "<html><head><title>Unicorn! &middot; GitHub</title></head></html>";
            Answer { status, ..Answer::bytes("text/html", page.as_bytes().to_vec()) }
        }
        other => Answer::refusal(other, "refused"),
    }
}

fn limits(answer: Answer, remaining: i64, reset: i64) -> Answer {
    answer
        .with("x-ratelimit-limit", "5000")
        .with("x-ratelimit-remaining", &remaining.to_string())
        .with("x-ratelimit-used", &(5000 - remaining).to_string())
        .with("x-ratelimit-reset", &reset.to_string())
        .with("x-ratelimit-resource", "core")
        .with("x-github-request-id", "0000:0000:0000:0000:00000000")
}
