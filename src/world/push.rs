//! Moves refs of a remote all together or not at all, and looks where they stand afterwards.

use std::collections::BTreeMap;

use backon::Retryable;

use crate::world::command::{Output, run};
use crate::world::git::Repository;
use crate::world::git_command::git_remote;
use crate::world::remote::without_credentials;
use crate::world::remote_refs::{backoff, checked, is_worth_another_try, list_refs, unreachable};
use crate::world::store::error::{StoreError, words};

/// One ref of an atomic push, with its lease.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RefMove {
    /// In full: `refs/tags/core-v1.0.0`.
    pub name: String,
    /// The object's full id; it must be in this repository.
    pub new: String,
    /// Where the remote's ref must stand; `None`: there must be none.
    pub expected_old: Option<String>,
}

/// Moves refs of a remote by one atomic push, each from where it is expected. No hook runs here.
///
/// What git says decides nothing: after a failure the refs are looked at. Where all stand at their new places, the
/// push happened and its answer was lost. Lost connections and locks are tried again, four times in all; the
/// same objects make that free.
///
/// # Errors
/// `Lost` names the first ref that stands elsewhere, `Refused` says that a rule or hook of the remote said no:
/// nothing moved. `Unreachable` says that nothing is known.
pub async fn push_refs(repository: &Repository, remote: &str, moves: &[RefMove]) -> Result<(), StoreError> {
    let push = || push_once(repository, remote, moves);
    push.retry(backoff())
        .sleep(tokio::time::sleep)
        .when(|failure: &Failure| failure.again)
        .await
        .map_err(|failure| failure.error)
}

/// A push that did not happen, and whether another may.
struct Failure {
    error: StoreError,
    again: bool,
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Failure {
        Failure { again: is_worth_another_try(&error), error }
    }
}

async fn push_once(repository: &Repository, remote: &str, moves: &[RefMove]) -> Result<(), Failure> {
    let command = git_remote(repository.root(), arguments(checked(remote)?, moves));
    let output = run(command).await.map_err(StoreError::from)?;
    if output.success() {
        return Ok(());
    }
    let names: Vec<&str> = moves.iter().map(|each| each.name.as_str()).collect();
    let found = list_refs(repository, remote, &names).await?;
    if moves.iter().all(|each| found.get(&each.name) == Some(&each.new)) {
        return Ok(());
    }
    if let Some(lost) = moves.iter().find_map(|each| lost(remote, each, &found)) {
        return Err(lost.into());
    }
    Err(unmoved(remote, &output))
}

fn arguments(remote: &str, moves: &[RefMove]) -> Vec<String> {
    let fixed = [
        "push",
        "--atomic",
        "--porcelain",
        "--no-verify",
        "--no-follow-tags",
        "--no-signed",
        "--recurse-submodules=no",
    ];
    let lease = |each: &RefMove| {
        format!("--force-with-lease={}:{}", each.name, each.expected_old.as_deref().unwrap_or(""))
    };
    let mut arguments: Vec<String> = fixed.map(str::to_owned).to_vec();
    arguments.extend(moves.iter().map(lease));
    arguments.extend(["--".to_owned(), remote.to_owned()]);
    arguments.extend(moves.iter().map(|each| format!("{}:{}", each.new, each.name)));
    arguments
}

/// The error for a ref that stands neither where it was nor where it should go.
fn lost(remote: &str, each: &RefMove, found: &BTreeMap<String, String>) -> Option<StoreError> {
    let found = found.get(&each.name);
    if found == Some(&each.new) || found == each.expected_old.as_ref() {
        return None;
    }
    let say = |id: Option<&String>| id.cloned().unwrap_or_else(|| "nothing".to_owned());
    Some(StoreError::Lost {
        store: without_credentials(remote),
        name: each.name.clone(),
        expected: say(each.expected_old.as_ref()),
        found: say(found),
    })
}

/// Nothing moved: the remote said no, or nobody answered.
fn unmoved(remote: &str, output: &Output) -> Failure {
    let stdout = String::from_utf8_lossy(&output.stdout);
    let complaint = output.complaint();
    let mut said: Vec<&str> = stdout.lines().filter_map(rejection).collect();
    if said.is_empty() {
        // The refs could be listed: who may read and not write is told so before the push begins.
        said.extend(complaint.lines().filter(|line| FORBIDDEN.iter().any(|sign| line.contains(sign))));
    }
    if said.is_empty() || output.timed_out {
        return unreachable(remote, output).into();
    }
    said.extend(complaint.lines().filter(|line| line.starts_with("remote:")));
    said.dedup();
    let said = words(&said.join("\n"));
    let again = CONTENTION.iter().any(|sign| said.contains(sign));
    Failure { error: StoreError::Refused { store: without_credentials(remote), words: said }, again }
}

/// What a porcelain line says of a ref that the remote or git refused: `!`, the refs, the reason, tab by tab.
fn rejection(line: &str) -> Option<&str> {
    let reason = line.strip_prefix("!\t")?.split_once('\t')?.1;
    // The remote went away before it said what became of the ref, or another ref was the reason.
    let silent = reason.starts_with("[remote failure]") || reason.contains("atomic push failed");
    (!silent).then_some(reason)
}

/// Signs that we may not write there.
const FORBIDDEN: [&str; 2] = ["error: 403", "denied"];

/// Signs of somebody who works on the same refs at this moment; they only allow another attempt.
const CONTENTION: [&str; 6] = [
    "lock",
    "failed to update ref",
    "stale info",
    "transaction failed",
    "already exists",
    "incorrect old value",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_was_refused_is_a_rejection() {
        let check = |line, expected| assert_eq!(rejection(line), expected);
        check("To https://host/a", None);
        check("=\ta:b\t[up to date]", None);
        check(
            "!\ta:b\t[remote rejected] (pre-receive hook declined)",
            Some("[remote rejected] (pre-receive hook declined)"),
        );
        check("!\ta:b\t[rejected] (atomic push failed)", None);
        check("!\ta:b\t[remote failure] (remote failed to report status)", None);
    }

    #[test]
    fn every_ref_has_its_lease() {
        let each = |name: &str, old: Option<&str>| RefMove {
            name: name.to_owned(),
            new: "1".to_owned(),
            expected_old: old.map(str::to_owned),
        };
        let arguments = arguments("origin", &[each("refs/a", Some("0")), each("refs/b", None)]);
        let end = [
            "--force-with-lease=refs/a:0",
            "--force-with-lease=refs/b:",
            "--",
            "origin",
            "1:refs/a",
            "1:refs/b",
        ];
        assert_eq!(arguments[arguments.len() - end.len()..], end);
    }
}
