//! The refs of a remote repository: where they stand, and what they name brought here.

use std::collections::BTreeMap;
use std::time::Duration;

use backon::{ExponentialBuilder, Retryable};

use crate::world::command::{Command, Output, run};
use crate::world::git::Repository;
use crate::world::git_command::git_remote;
use crate::world::remote::without_credentials;
use crate::world::store::error::{StoreError, words};

/// Where the refs of a remote stand: ids by full names. An annotated tag shows as its own object.
///
/// A pattern is a full name or ends in `*`. A connection that fails is tried again, four times in all.
///
/// # Errors
/// `Unreachable` with git's words; `Unusable` for a remote no command may name.
pub async fn remote_refs(
    repository: &Repository,
    remote: &str,
    patterns: &[&str],
) -> Result<BTreeMap<String, String>, StoreError> {
    let list = || list_refs(repository, remote, patterns);
    list.retry(backoff()).sleep(tokio::time::sleep).when(is_worth_another_try).await
}

/// Fetches by refspecs: objects, and the refs that the refspecs name. No other tags, no `FETCH_HEAD`, nothing pruned.
///
/// # Errors
/// As `remote_refs`; a ref that the remote does not have is among git's words.
pub async fn fetch(repository: &Repository, remote: &str, refspecs: &[String]) -> Result<(), StoreError> {
    let fetch = || fetch_once(repository, remote, refspecs, &[]);
    fetch.retry(backoff()).sleep(tokio::time::sleep).when(is_worth_another_try).await
}

/// As `fetch`, with all objects also in a partial clone.
pub(in crate::world) async fn fetch_whole(
    repository: &Repository,
    remote: &str,
    refspecs: &[String],
) -> Result<(), StoreError> {
    let fetch = || fetch_once(repository, remote, refspecs, &["--no-filter"]);
    fetch.retry(backoff()).sleep(tokio::time::sleep).when(is_worth_another_try).await
}

/// One `git ls-remote`, never repeated.
pub(in crate::world) async fn list_refs(
    repository: &Repository,
    remote: &str,
    patterns: &[&str],
) -> Result<BTreeMap<String, String>, StoreError> {
    let mut args = vec!["ls-remote", "--refs", "--quiet", "--", checked(remote)?];
    args.extend(patterns);
    let mut command = git_remote(repository.root(), args);
    command.timeout = LISTED_WITHIN;
    let output = run(command).await?;
    if !output.success() {
        return Err(unreachable(remote, &output));
    }
    let text = String::from_utf8_lossy(&output.stdout);
    let refs = text.lines().filter_map(|line| line.split_once('\t'));
    let wanted =
        refs.filter(|(_, name)| patterns.is_empty() || patterns.iter().any(|pattern| names(pattern, name)));
    Ok(wanted.map(|(id, name)| (name.to_owned(), id.to_owned())).collect())
}

/// Waits of about a quarter, a half and one second between four attempts.
pub(in crate::world) fn backoff() -> ExponentialBuilder {
    ExponentialBuilder::default().with_min_delay(Duration::from_millis(250)).with_max_times(3).with_jitter()
}

/// What a command that speaks with a remote says when it could not.
pub(in crate::world) fn unreachable(remote: &str, output: &Output) -> StoreError {
    let said =
        if output.timed_out { "no answer within its time".to_owned() } else { words(&output.complaint()) };
    let said = if said.is_empty() { "git failed without a word".to_owned() } else { said };
    StoreError::Unreachable { store: without_credentials(remote), words: said }
}

/// A remote as git may be given it: never an option.
pub(in crate::world) fn checked(remote: &str) -> Result<&str, StoreError> {
    let option = remote.is_empty() || remote.starts_with('-') || remote.contains("::");
    if !option {
        return Ok(remote);
    }
    let said = "a remote is a name such as `origin`, an address or a folder".to_owned();
    Err(StoreError::Unusable { store: words(remote), words: said })
}

/// Whether a failure may be one of the connection. The words only spare attempts; they decide nothing else.
pub(in crate::world) fn is_worth_another_try(error: &StoreError) -> bool {
    const LASTING: [&str; 8] = [
        "Authentication failed",
        "Permission denied",
        "could not read Username",
        "could not read Password",
        "does not appear to be a git repository",
        "couldn't find remote ref",
        "not found",
        "not installed",
    ];
    match error {
        StoreError::Unreachable { words, .. } => !LASTING.iter().any(|lasting| words.contains(lasting)),
        _ => false,
    }
}

const LISTED_WITHIN: Duration = Duration::from_secs(120);

async fn fetch_once(
    repository: &Repository,
    remote: &str,
    refspecs: &[String],
    extra: &[&str],
) -> Result<(), StoreError> {
    let fixed = [
        "fetch",
        "--quiet",
        "--no-tags",
        "--no-write-fetch-head",
        "--refmap=",
        "--no-prune",
        "--no-prune-tags",
        "--no-recurse-submodules",
        "--no-auto-maintenance",
        "--no-show-forced-updates",
    ];
    let mut args: Vec<&str> = fixed.into_iter().chain(extra.iter().copied()).collect();
    args.extend(["--", checked(remote)?]);
    args.extend(refspecs.iter().map(String::as_str));
    let command: Command = git_remote(repository.root(), args);
    let output = run(command).await?;
    if output.success() { Ok(()) } else { Err(unreachable(remote, &output)) }
}

/// Whether a name is meant by a pattern: git itself would also match the end of a longer name.
fn names(pattern: &str, name: &str) -> bool {
    match pattern.split_once('*') {
        Some((start, _)) => name.starts_with(start),
        None => name == pattern,
    }
}
