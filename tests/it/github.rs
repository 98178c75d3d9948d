//! The tests' own double of GitHub on loopback: an API that keeps to GitHub's description of it, before a real git
//! repository.

mod actions;
mod answer;
mod assets;
mod call;
mod checks;
pub mod client;
mod comments;
mod commits;
mod deployments;
mod description;
pub mod environments;
mod events;
pub mod faults;
mod files;
mod git;
mod git_data;
mod hub;
mod issues;
mod merging;
mod objects;
mod pack;
mod people;
mod pulls;
mod releases;
mod repository;
mod routes;
mod schema;
mod setup;
pub mod state;
mod text;
pub mod tokens;
mod walk_deployments;
mod walk_git;
mod walk_pulls;
mod walk_releases;
mod walk_runs;
mod walk_wire;

use std::collections::BTreeSet;
use std::io::{BufReader, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use tempfile::TempDir;

use crate::github::faults::Fault;
use crate::github::git::Git;
use crate::github::hub::{API, Hub, Seen};
use crate::github::schema::Api;
use crate::github::state::{Push, State};
use crate::github::tokens::{Kind, Level, Token};
use crate::web;

/// A GitHub with one repository, `ada/shop`. It ends with the value, and fails its test where a request or an answer was
/// not as GitHub describes it.
pub struct GitHub {
    hub: Arc<Hub>,
    /// The door closes with it; another repository behind the same door has none.
    folder: Option<TempDir>,
}

impl GitHub {
    /// A public repository without a commit; `None` where GitHub's description can not be had, having said so.
    pub fn start() -> Option<GitHub> {
        let api = Api::new(description::description()?);
        let folder = tempfile::Builder::new().prefix("release-github-").tempdir().unwrap();
        let listen = || TcpListener::bind("127.0.0.1:0").unwrap();
        let (door, storage) = (listen(), listen());
        let hub = Arc::new(Hub {
            api,
            root: folder.path().to_owned(),
            git: Git::bare(folder.path(), "ada", "shop"),
            number: 1,
            owner: "ada".to_owned(),
            name: "shop".to_owned(),
            address: door.local_addr().unwrap(),
            storage: storage.local_addr().unwrap(),
            state: begun().into(),
            others: Vec::new().into(),
            faults: Arc::default(),
            tokens: Arc::default(),
            seen: Arc::default(),
            violations: Arc::default(),
            remaining: Arc::new(AtomicI64::new(4999)),
            ended: Arc::default(),
        });
        for listener in [door, storage] {
            let hub = Arc::clone(&hub);
            std::thread::spawn(move || listen_on(&listener, &hub));
        }
        Some(GitHub { hub, folder: Some(folder) })
    }

    /// Another empty repository behind the same door, with the same tokens, faults and memory of requests.
    pub fn another(&self, owner: &str, name: &str) -> GitHub {
        let own = &self.hub;
        let hub = Arc::new(Hub {
            root: own.root.clone(),
            git: Git::bare(&own.root, owner, name),
            number: 2 + own.others.lock().unwrap().len() as u64,
            owner: owner.to_owned(),
            name: name.to_owned(),
            state: begun().into(),
            others: Vec::new().into(),
            faults: Arc::clone(&own.faults),
            tokens: Arc::clone(&own.tokens),
            seen: Arc::clone(&own.seen),
            violations: Arc::clone(&own.violations),
            remaining: Arc::clone(&own.remaining),
            ended: Arc::clone(&own.ended),
            ..**own
        });
        own.others.lock().unwrap().push(Arc::clone(&hub));
        GitHub { hub, folder: None }
    }

    /// Where the host is, as `GITHUB_SERVER_URL` names it.
    pub fn server(&self) -> String {
        format!("http://{}", self.hub.address)
    }

    /// Where the API is, as `GITHUB_API_URL` names it.
    pub fn api(&self) -> String {
        format!("{}{API}", self.server())
    }

    /// As `GITHUB_REPOSITORY` names it.
    pub fn slug(&self) -> String {
        self.hub.slug()
    }

    /// What git fetches and pushes to.
    pub fn remote(&self) -> String {
        format!("{}/{}.git", self.server(), self.slug())
    }

    /// The same with a token as its password.
    pub fn remote_of(&self, token: &str) -> String {
        self.remote().replace("http://", &format!("http://x-access-token:{token}@"))
    }

    /// A new token: its name in the tests, whose it is, and permissions such as `("contents", Level::Write)`.
    pub fn token(&self, name: &str, kind: Kind, permissions: &[(&str, Level)]) -> String {
        let start = if kind == Kind::Personal { "github_pat_" } else { "ghs_" };
        let mut tokens = self.hub.tokens.lock().unwrap();
        let secret = format!("{start}{:08}{:08x}{:016x}", tokens.len(), self.hub.address.port(), hash(name));
        let permissions = permissions.iter().map(|(name, level)| ((*name).to_owned(), *level)).collect();
        tokens.push((secret.clone(), Token { name: name.to_owned(), kind, permissions, access: true }));
        secret
    }

    /// A token as a job has it that may write contents, issues, pulls, actions, deployments, checks and statuses.
    pub fn job(&self) -> String {
        self.token("job", Kind::Job, &every())
    }

    /// The same, of a person: what it does starts workflows.
    pub fn person(&self) -> String {
        self.token("ada", Kind::Personal, &every())
    }

    /// A token that a private repository hides from.
    pub fn stranger(&self) -> String {
        let secret = self.token("stranger", Kind::Personal, &every());
        self.hub.tokens.lock().unwrap().last_mut().unwrap().1.access = false;
        secret
    }

    /// From now on GitHub does not know it.
    pub fn revoke(&self, secret: &str) {
        self.hub.tokens.lock().unwrap().retain(|(known, _)| known != secret);
    }

    pub fn order(&self, mut fault: Fault) {
        if fault.is_stale() {
            fault.past = Some(Box::new(self.hub.state.lock().unwrap().clone()));
        }
        self.hub.faults.lock().unwrap().push(fault);
    }

    pub fn clear_faults(&self) {
        self.hub.faults.lock().unwrap().clear();
    }

    /// The requests so far, in their order, git's and those for assets among them.
    pub fn requests(&self) -> Vec<Seen> {
        self.hub.seen.lock().unwrap().clone()
    }

    /// The requests with this method and a path that starts so, from `/repos/` on.
    pub fn requests_to(&self, method: &str, path: &str) -> Vec<Seen> {
        let fits = |seen: &Seen| seen.method == method && seen.path.starts_with(path);
        self.requests().into_iter().filter(fits).collect()
    }

    pub fn clear_requests(&self) {
        self.hub.seen.lock().unwrap().clear();
    }

    /// The changes of refs so far, by git and by the API, with whose they were.
    pub fn pushes(&self) -> Vec<Push> {
        self.state(|state| state.pushes.clone())
    }

    /// The repository behind it; what a test does there by hand, nobody hears of.
    pub fn git(&self) -> &Git {
        &self.hub.git
    }

    /// Reads or changes what it remembers.
    pub fn state<T>(&self, with: impl FnOnce(&mut State) -> T) -> T {
        with(&mut self.hub.state.lock().unwrap())
    }

    /// What was not as GitHub describes it, so far; taken, it does not fail the test.
    pub fn take_violations(&self) -> Vec<String> {
        std::mem::take(&mut self.hub.violations.lock().unwrap())
    }

    /// Fails where a request or an answer was not as GitHub describes it.
    #[track_caller]
    pub fn check(&self) {
        let violations = self.take_violations();
        assert!(violations.is_empty(), "not as GitHub describes it:\n{}", violations.join("\n"));
    }
}

impl Drop for GitHub {
    fn drop(&mut self) {
        if self.folder.is_none() {
            return;
        }
        self.hub.ended.store(true, Ordering::SeqCst);
        for address in [self.hub.address, self.hub.storage] {
            // The listener is woken to see that it should stop.
            let _ = TcpStream::connect::<SocketAddr>(address);
        }
        if !std::thread::panicking() {
            self.check();
        }
    }
}

fn listen_on(listener: &TcpListener, hub: &Arc<Hub>) {
    for client in listener.incoming().flatten() {
        if hub.ended.load(Ordering::SeqCst) {
            break;
        }
        let hub = Arc::clone(hub);
        std::thread::spawn(move || answer(&hub, client));
    }
}

/// Answers one request and closes.
fn answer(hub: &Hub, mut client: TcpStream) -> Option<()> {
    let request = web::read(&mut BufReader::new(client.try_clone().ok()?))?;
    let served = std::panic::catch_unwind(AssertUnwindSafe(|| hub.serve(&request)));
    let whole = served.unwrap_or_else(|_| {
        hub.violation(format!("the double panicked at {} {}", request.method, request.path));
        Vec::new()
    });
    client.write_all(&whole).ok()
}

fn begun() -> State {
    let mut state = State::default();
    state.default_branch.push_str("main");
    state.merges = BTreeSet::from(["merge", "squash", "rebase"].map(str::to_owned));
    state
}

fn every() -> Vec<(&'static str, Level)> {
    ["contents", "issues", "pull_requests", "actions", "deployments", "checks", "statuses"]
        .map(|name| (name, Level::Write))
        .to_vec()
}

fn hash(name: &str) -> u64 {
    name.bytes()
        .fold(0xcbf2_9ce4_8422_2325, |sum, byte| (sum ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}
