use std::time::Instant;

use super::*;
use crate::world::command::environment::is_credential;

fn shell(script: &str) -> Command {
    Command::new("sh").args(["-c", script])
}

#[tokio::test]
async fn both_streams_and_the_exit_code_are_kept() {
    let output = run(shell("echo out; echo err >&2; exit 3")).await.unwrap();
    assert_eq!(output.status.code(), Some(3));
    assert_eq!((output.stdout.as_slice(), output.stderr.as_slice()), (&b"out\n"[..], &b"err\n"[..]));
    assert!(!output.success());
}

#[tokio::test]
async fn a_missing_program_is_its_own_error() {
    let error = run(Command::new("no-such-program-here")).await.unwrap_err();
    assert!(matches!(error, CommandError::Missing { ref program } if program == "no-such-program-here"));
    assert_eq!(error.to_string(), "`no-such-program-here` is not installed, or not on PATH");
    let error = run(Command::new("true").cwd("/no/such/folder")).await.unwrap_err();
    assert!(matches!(error, CommandError::Folder { .. }));
}

#[test]
fn a_blocking_run_tells_the_same() {
    let output = run_blocking(shell("cat; echo told >&2; exit 3").reading("data")).unwrap();
    assert_eq!((output.status.code(), output.stdout.as_slice()), (Some(3), b"data".as_slice()));
    assert_eq!(output.complaint(), "told");
    let error = run_blocking(Command::new("no-such-program-here")).unwrap_err();
    assert!(matches!(error, CommandError::Missing { .. }));
    let output = run_blocking(shell("sleep 600; true").timeout(Duration::from_millis(300))).unwrap();
    assert!(output.timed_out && !output.success());
}

#[tokio::test]
async fn a_blocking_run_may_stand_beneath_async_code() {
    assert_eq!(run_blocking(shell("cat").reading("data")).unwrap().stdout, b"data");
}

#[tokio::test]
async fn the_whole_group_dies_at_the_deadline() {
    let began = Instant::now();
    let command = shell("sleep 600 & echo $!; wait").timeout(Duration::from_millis(300));
    let output = run(command).await.unwrap();
    assert!(output.timed_out && !output.success());
    assert!(began.elapsed() < Duration::from_secs(5));
    assert_dies(&String::from_utf8(output.stdout).unwrap()).await;
}

#[tokio::test]
async fn a_descendant_that_keeps_the_streams_open_does_not_hold_us() {
    let began = Instant::now();
    let output = run(shell("sleep 600 & echo $!")).await.unwrap();
    assert!(output.success());
    assert!(began.elapsed() < Duration::from_secs(5));
    assert_dies(&String::from_utf8(output.stdout).unwrap()).await;
}

#[tokio::test]
async fn a_run_that_nobody_waits_for_is_killed() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("pid");
    let command = shell("echo $$ > \"$0\"; sleep 600").arg(&file);
    let waiting = tokio::spawn(run(command));
    let pid = loop {
        match std::fs::read_to_string(&file) {
            Ok(pid) if pid.ends_with('\n') => break pid,
            _ => tokio::task::yield_now().await,
        }
    };
    waiting.abort();
    assert!(waiting.await.unwrap_err().is_cancelled());
    assert_dies(&pid).await;
}

#[tokio::test]
async fn input_is_fed_and_a_program_that_ignores_it_is_fine() {
    assert_eq!(run(Command::new("cat").reading("hello")).await.unwrap().stdout, b"hello");
    assert!(run(Command::new("true").reading(vec![b'x'; 1 << 20])).await.unwrap().success());
}

#[tokio::test]
async fn only_the_end_of_a_flood_is_kept() {
    let output = run(shell("yes 0123456 | head -c 20000000; echo the end")).await.unwrap();
    assert!(output.stdout.len() <= KEPT);
    assert!(output.truncated && output.stdout.ends_with(b"the end\n"));
    assert_eq!(output.tail(1), "the end");
}

#[tokio::test]
async fn a_run_says_how_much_is_kept() {
    let mut command = shell("i=0; while [ $i -lt 2000 ]; do echo line $i; i=$((i+1)); done");
    command.limit = 100;
    let output = run(command.clone()).await.unwrap();
    assert!(output.truncated && output.stdout.len() == 100);
    assert!(output.stdout.ends_with(b"line 1999\n"));
    command.limit = usize::MAX;
    let output = run(command).await.unwrap();
    assert!(!output.truncated && output.stdout.starts_with(b"line 0\n"));
}

#[tokio::test]
async fn what_is_set_arrives_and_what_is_removed_does_not() {
    let command =
        shell("echo \"${PATH:+path} $ADDED ${HOME:-none}\"").set("ADDED", "a b; c").remove(["HOME"]);
    assert_eq!(run(command).await.unwrap().stdout, b"path a b; c none\n");
}

#[test]
fn credentials_pass_only_where_they_are_named() {
    let inherited = || {
        [("PATH", "/bin"), ("A_TOKEN", "1"), ("B_TOKEN", "2"), ("HOME", "/h")]
            .into_iter()
            .map(|(name, value)| (OsString::from(name), OsString::from(value)))
    };
    let wanted = Environment {
        set: vec![("C_TOKEN".into(), "3".into())],
        remove: vec!["HOME".into()],
        keep: vec!["B_TOKEN".into()],
    };
    let seen: Vec<OsString> = wanted.applied_to(inherited()).into_iter().map(|(name, _)| name).collect();
    assert_eq!(seen, ["PATH", "B_TOKEN", "C_TOKEN"]);
}

#[test]
fn credentials_are_known_by_their_names() {
    for name in [
        "GITHUB_TOKEN",
        "ACTIONS_ID_TOKEN_REQUEST_URL",
        "TWINE_USERNAME",
        "UV_PUBLISH_URL",
        "PYPI_ID_TOKEN",
        "AWS_SECRET_ACCESS_KEY",
        "db_password",
        "OPENAI_API_KEY",
        "GOOGLE_APPLICATION_CREDENTIALS",
        "UV_PUBLISH_TOKEN",
        "TWINE_PASSWORD",
        "AWS_ACCESS_KEY_ID",
        "pypi_x",
        "GH_HOST",
        "SSH_AUTH_SOCK",
    ] {
        assert!(is_credential(OsStr::new(name)), "{name}");
    }
    for name in [
        "PATH",
        "HOME",
        "PIP_INDEX_URL",
        "UV_CACHE_DIR",
        "SSL_CERT_FILE",
        "SOURCE_DATE_EPOCH",
        "TOKENIZERS_PARALLELISM",
        "GITHUB_SHA",
    ] {
        assert!(!is_credential(OsStr::new(name)), "{name}");
    }
}

#[test]
fn a_tail_shows_no_escape_sequences() {
    assert_eq!(plain_line("\u{1b}[31mred\u{1b}[0m\u{7} end\r"), "red end");
}

/// A killed process may take a moment to go.
async fn assert_dies(pid: &str) {
    let began = Instant::now();
    while is_running(pid.trim()) && began.elapsed() < Duration::from_secs(10) {
        tokio::task::yield_now().await;
    }
    assert!(!is_running(pid.trim()));
}

/// Whether a process is alive and not merely unburied.
fn is_running(pid: &str) -> bool {
    match std::fs::read_to_string(format!("/proc/{pid}/stat")) {
        Ok(stat) => !stat.rsplit(')').next().unwrap_or("").trim_start().starts_with('Z'),
        Err(_) => false,
    }
}
