//! Runs the `git` program: no hooks, no editor, no questions, no variables of another repository.

use std::ffi::OsString;
use std::path::Path;
use std::time::Duration;

use crate::world::command::{Command, Output, run_blocking};
use crate::world::git_error::GitError;

/// A git command in a folder, in plain words of the C locale.
pub fn git<A: Into<OsString>>(directory: &Path, args: impl IntoIterator<Item = A>) -> Command {
    let mut command = Command::new("git").args(FIXED).cwd(directory);
    command.args.extend(args.into_iter().map(Into::into));
    command.env.remove = std::env::vars_os()
        .map(|(name, _)| name)
        .filter(|name| name.to_string_lossy().starts_with("GIT_") && !is_kept(&name.to_string_lossy()))
        .collect();
    for (name, value) in SET {
        command.env.set.push((name.into(), value.into()));
    }
    // Without it no remote behind SSH is reached.
    command.env.keep.push("SSH_AUTH_SOCK".into());
    command.timeout = TEN_MINUTES;
    command.limit = usize::MAX;
    command
}

/// A git command that speaks with a remote: credential helpers, agents and askpass programs find the variables
/// they read; nothing asks on the terminal; a silent HTTP connection ends after a minute.
pub fn git_remote<A: Into<OsString>>(directory: &Path, args: impl IntoIterator<Item = A>) -> Command {
    let quiet = ["-c", "http.lowSpeedLimit=1", "-c", "http.lowSpeedTime=60"].map(OsString::from);
    let mut command = git(directory, quiet.into_iter().chain(args.into_iter().map(Into::into)));
    let names = std::env::vars_os().map(|(name, _)| name);
    command.env.keep = names.filter(|name| reads_credential(&name.to_string_lossy())).collect();
    if std::env::var_os("SSH_ASKPASS_REQUIRE").is_none() {
        command.env.set.push(("SSH_ASKPASS_REQUIRE".into(), "force".into()));
    }
    command
}

/// Runs a git command and takes its answer.
///
/// # Errors
/// Where it fails, or does not end.
pub fn answer(command: Command) -> Result<Vec<u8>, GitError> {
    let name = name_of(&command);
    let output = run_blocking(command)?;
    succeed(&name, &output)?;
    Ok(output.stdout)
}

/// # Errors
/// Where the command failed, with its own words.
pub(in crate::world) fn succeed(name: &str, output: &Output) -> Result<(), GitError> {
    if output.timed_out {
        return Err(GitError::TimedOut { command: name.to_owned() });
    }
    if !output.success() {
        return Err(GitError::Failed { command: name.to_owned(), complaint: output.complaint() });
    }
    Ok(())
}

/// The subcommand, for messages.
pub(in crate::world) fn name_of(command: &Command) -> String {
    let own = command.args.iter().skip(FIXED.len()).map(|arg| arg.to_string_lossy());
    own.take_while(|arg| !arg.starts_with('-')).take(2).collect::<Vec<_>>().join(" ")
}

/// Whether helpers of git may read a variable, though it may be a credential.
fn reads_credential(name: &str) -> bool {
    !OTHERS.iter().any(|other| name.starts_with(other))
}

/// The beginnings of variables with credentials that no way to a repository needs.
const OTHERS: [&str; 8] =
    ["ACTIONS_", "PG", "PYPI_", "RELEASE_", "SIGSTORE_", "TWINE_", "UV_PUBLISH_", "VAULT_"];

const TEN_MINUTES: Duration = Duration::from_secs(600);

const FIXED: [&str; 11] = [
    "--no-optional-locks",
    "-c",
    "core.hooksPath=/dev/null",
    "-c",
    "core.fsmonitor=false",
    "-c",
    "gc.auto=0",
    "-c",
    "maintenance.auto=false",
    "-c",
    "core.pager=cat",
];

const SET: [(&str, &str); 5] = [
    ("LC_ALL", "C"),
    ("GIT_TERMINAL_PROMPT", "0"),
    ("GIT_EDITOR", "false"),
    ("GIT_PAGER", "cat"),
    ("GIT_LITERAL_PATHSPECS", "1"),
];

/// `GIT_*` variables that say how git works here, not which repository is meant.
fn is_kept(name: &str) -> bool {
    const NAMES: [&str; 10] = [
        "GIT_ALLOW_PROTOCOL",
        "GIT_PROXY_COMMAND",
        "GIT_CONFIG_GLOBAL",
        "GIT_CONFIG_SYSTEM",
        "GIT_CONFIG_NOSYSTEM",
        "GIT_CONFIG_COUNT",
        "GIT_EXEC_PATH",
        "GIT_CEILING_DIRECTORIES",
        "GIT_LFS_SKIP_SMUDGE",
        "GIT_ASKPASS",
    ];
    const PREFIXES: [&str; 7] = [
        "GIT_CONFIG_KEY_",
        "GIT_CONFIG_VALUE_",
        "GIT_AUTHOR_",
        "GIT_COMMITTER_",
        "GIT_SSH",
        "GIT_SSL_",
        "GIT_HTTP_",
    ];
    NAMES.contains(&name) || PREFIXES.iter().any(|prefix| name.starts_with(prefix))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn git_keeps_the_agent_and_loses_other_repositories() {
        let command = git(Path::new("."), ["status"]);
        let inherited = ["SSH_AUTH_SOCK", "GH_TOKEN", "PATH"].map(|name| (name.into(), "x".into()));
        let seen: Vec<OsString> =
            command.env.applied_to(inherited.into_iter()).into_iter().map(|(name, _)| name).collect();
        assert_eq!(seen[..2], ["SSH_AUTH_SOCK", "PATH"]);
        assert!(seen.contains(&"GIT_LITERAL_PATHSPECS".into()));
        assert_eq!(name_of(&command), "status");
        let keeps = |command: &Command, name: &str| command.env.keep.contains(&name.into());
        assert!(std::env::var_os("PATH").is_some() && keeps(&git_remote(Path::new("."), ["fetch"]), "PATH"));
        assert!(reads_credential("GH_TOKEN") && reads_credential("SSH_AUTH_SOCK"));
        assert!(!reads_credential("PGPASSWORD") && !reads_credential("UV_PUBLISH_TOKEN"));
        assert!(is_kept("GIT_SSH_COMMAND") && !is_kept("GIT_DIR") && !is_kept("GIT_INDEX_FILE"));
    }
}
