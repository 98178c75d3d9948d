//! The keys of `[ledger]`, and the place that they and `workspace.remote` name.

use schemars::JsonSchema;
use serde::Deserialize;

use crate::workspace::config::Config;
use crate::workspace::config::problem::Problem;
use crate::workspace::config::spanned::{Node, Place};
use crate::workspace::config::tables::Tables;
use crate::workspace::config::text;

/// Where the ledger is kept.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct LedgerTable {
    /// ref (default: a git ref of the remote), branch, s3://bucket/prefix or postgres://user@host/database.
    pub store: Option<String>,
    /// The branch of `store = "branch"` (default: "release-ledger").
    pub branch: Option<String>,
    /// The host of a bucket that is not at AWS.
    #[schemars(with = "Option<text::Url>")]
    pub endpoint: Option<String>,
    /// The region of a bucket.
    pub region: Option<String>,
}

/// Where the ledger is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LedgerPlace {
    /// A ref of a git remote; of this repository alone without one.
    Ref { remote: Option<String> },
    /// A branch of a git remote.
    Branch { remote: String, branch: String },
    /// `s3://bucket/prefix`, at AWS or at another endpoint.
    Bucket { url: String, endpoint: Option<String>, region: Option<String> },
    /// `postgres://user@host/database`.
    Postgres { url: String },
}

impl Config {
    /// The git remote that claims are pushed to; `None` where everything stays in this repository.
    pub fn remote(&self) -> Option<&str> {
        let remote = self.tables.workspace.remote.as_deref().unwrap_or(ORIGIN);
        (!remote.is_empty()).then_some(remote)
    }

    /// Where the ledger is kept. `has_remote` says whether the repository knows the remote: without it, a ledger in
    /// git stays in this repository.
    pub fn ledger_place(&self, has_remote: bool) -> LedgerPlace {
        let table = &self.tables.ledger;
        let remote = self.remote().filter(|_| has_remote).map(str::to_owned);
        match (table.store.as_deref().unwrap_or(REF), remote) {
            (BRANCH, Some(remote)) => {
                let branch = table.branch.clone().unwrap_or_else(|| LEDGER_BRANCH.to_owned());
                LedgerPlace::Branch { remote, branch }
            }
            (REF | BRANCH, remote) => LedgerPlace::Ref { remote },
            (url, _) if url.starts_with(S3) => LedgerPlace::Bucket {
                url: url.to_owned(),
                endpoint: table.endpoint.clone(),
                region: table.region.clone(),
            },
            (url, _) => LedgerPlace::Postgres { url: url.to_owned() },
        }
    }
}

/// What is wrong between the keys of `[ledger]` and `workspace.remote`.
pub(in crate::workspace::config) fn check(tables: &Tables, document: &Node) -> Vec<Problem> {
    let mut problems = Vec::new();
    problems.extend(tables.workspace.remote.as_deref().and_then(|remote| remote_problem(remote, document)));
    let table = &tables.ledger;
    let store = table.store.as_deref().unwrap_or(REF);
    problems.extend(store_problem(store, document));
    let place = |key: &str| document.place_of(&["ledger", key]);
    if store == BRANCH && tables.workspace.remote.as_deref() == Some("") {
        let problem =
            Problem::new(place("store"), "a branch keeps the ledger in a remote, and there is none");
        problems.push(problem.with_help("name the `remote` of `[workspace]`, or take `store` out"));
    }
    for (key, value, belongs_to, fits) in [
        ("branch", &table.branch, "\"branch\"", store == BRANCH),
        ("endpoint", &table.endpoint, "\"s3://bucket/prefix\"", store.starts_with(S3)),
        ("region", &table.region, "\"s3://bucket/prefix\"", store.starts_with(S3)),
    ] {
        if value.is_some() && !fits {
            let problem = Problem::new(place(key), format!("`{key}` means nothing for this ledger"));
            problems.push(problem.with_help(format!("it goes with `store = {belongs_to}`")));
        }
    }
    if let Some(branch) = &table.branch {
        problems.extend(branch_problem(branch, tables.workspace.branch.as_deref(), document));
    }
    problems
}

const ORIGIN: &str = "origin";
const LEDGER_BRANCH: &str = "release-ledger";
const REF: &str = "ref";
const BRANCH: &str = "branch";
const S3: &str = "s3://";
const POSTGRES: [&str; 2] = ["postgres://", "postgresql://"];

fn store_problem(store: &str, document: &Node) -> Option<Problem> {
    let address = store.starts_with(S3) || POSTGRES.iter().any(|scheme| store.starts_with(scheme));
    if !address && ![REF, BRANCH].contains(&store) {
        // No line is shown: what was written there may be an address with a password.
        let shown = store.split("://").next().unwrap_or_default();
        let problem = Problem::new(None, format!("`ledger.store` can not be \"{shown}\""));
        return Some(
            problem
                .with_help("ref, branch, s3://bucket/prefix or postgres://user@host/database keep a ledger"),
        );
    }
    if address && holds_password(store) {
        let problem = Problem::new(None, "the address of `ledger.store` holds credentials");
        let help = "take them out of the file: `AWS_*` variables open a bucket, `RELEASE_LEDGER_PASSWORD` or `PGPASSWORD` a database";
        return Some(problem.with_help(help));
    }
    let names_nothing =
        store.split_once("://").is_some_and(|(_, rest)| rest.is_empty() || rest.starts_with('/'));
    names_nothing.then(|| {
        Problem::new(document.place_of(&["ledger", "store"]), "the address of the ledger names no place")
            .with_help("write it as s3://bucket/prefix or postgres://user@host/database")
    })
}

/// Whether an address has a password, or of a bucket any user at all.
fn holds_password(url: &str) -> bool {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let (place, parameters) = rest.split_once('?').unwrap_or((rest, ""));
    let user = place.rsplit_once('@').map(|(user, _)| user);
    user.is_some_and(|user| user.contains(':') || url.starts_with(S3))
        || parameters.split('&').any(|parameter| parameter.starts_with("password"))
}

fn remote_problem(remote: &str, document: &Node) -> Option<Problem> {
    let user = remote.split_once("://").and_then(|(_, rest)| rest.split('/').next()?.rsplit_once('@'));
    if user.is_some_and(|(user, _)| user.contains(':') || remote.starts_with("http")) {
        let problem = Problem::new(None, "the address of `workspace.remote` holds credentials");
        return Some(
            problem.with_help("write a remote's name such as \"origin\"; git's helpers know its password"),
        );
    }
    let odd = |character: char| character.is_whitespace() || character.is_control();
    (remote.starts_with('-') || remote.contains("::") || remote.contains(odd)).then(|| {
        Problem::new(document.place_of(&["workspace", "remote"]), "that is no name of a remote")
            .with_help("write a remote's name such as \"origin\", or \"\" to keep everything here")
    })
}

fn branch_problem(branch: &str, releases: Option<&str>, document: &Node) -> Option<Problem> {
    let place = document.place_of(&["ledger", "branch"]);
    if releases == Some(branch) {
        let problem = Problem::new(place, format!("releases are made from branch `{branch}`"));
        return Some(problem.with_help("the ledger needs a branch of its own"));
    }
    branch_fault(branch, place)
}

/// What git allows in the name of a branch (git-check-ref-format).
pub(in crate::workspace::config) fn branch_fault(branch: &str, place: Place) -> Option<Problem> {
    let forbidden = |character: char| {
        character.is_whitespace() || character.is_control() || "~^:?*[\\".contains(character)
    };
    let part = |part: &str| !part.is_empty() && !part.starts_with('.') && !part.ends_with(".lock");
    let fits = branch.split('/').all(part)
        && !branch.contains(forbidden)
        && !["..", "@{"].iter().any(|pair| branch.contains(pair))
        && !branch.starts_with('-')
        && !branch.ends_with('.')
        && branch != "@";
    (!fits).then(|| {
        Problem::new(place, "git does not allow that name for a branch")
            .with_help("letters, digits, `-`, and `/` between parts")
    })
}

#[cfg(test)]
mod tests;
