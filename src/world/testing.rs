//! Real repositories in temporary folders, for tests of every room that reads git.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use tokio::task::JoinHandle;

use crate::world::command;
use crate::world::git::{Person, Repository};
use crate::world::write::Stamp;

/// A repository that goes when it is dropped.
pub struct TestRepository {
    folder: tempfile::TempDir,
}

impl TestRepository {
    /// An empty repository with the branch `main`.
    pub fn init() -> TestRepository {
        let repository = TestRepository { folder: tempfile::tempdir().unwrap() };
        std::fs::create_dir(repository.path()).unwrap();
        repository.git(&["init", "-q", "-b", "main"]);
        repository
    }

    pub fn path(&self) -> PathBuf {
        self.folder.path().join("repository")
    }

    /// A path beside the repository, gone with it.
    pub fn beside(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// The first file of a pack with this ending: `pack`, `idx`.
    pub fn pack(&self, ending: &str) -> PathBuf {
        let files = self.path().join(".git/objects/pack").read_dir().unwrap().flatten();
        let mut paths = files.map(|file| file.path());
        paths.find(|path| path.extension().is_some_and(|end| end == ending)).unwrap()
    }

    pub fn open(&self) -> Repository {
        Repository::open(&self.path()).unwrap()
    }

    /// Runs git here; its trimmed answer. Panics where it fails.
    pub fn git(&self, arguments: &[&str]) -> String {
        self.git_with(arguments, &[], b"")
    }

    pub fn git_with(&self, arguments: &[&str], variables: &[(&str, &str)], input: &[u8]) -> String {
        let output = run_git(&self.path(), arguments, variables, input);
        assert!(output.status.success(), "git {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8_lossy(&output.stdout).trim_end().to_owned()
    }

    pub fn write(&self, path: &str, text: &str) {
        let path = self.path().join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }

    /// Commits all that is there; the new commit's id.
    pub fn commit(&self, message: &str) -> String {
        self.commit_at(message, 1_700_000_000)
    }

    pub fn commit_at(&self, message: &str, time: i64) -> String {
        let date = format!("@{time} +0000");
        let dates = [("GIT_AUTHOR_DATE", date.as_str()), ("GIT_COMMITTER_DATE", date.as_str())];
        self.git(&["add", "-A"]);
        self.git_with(
            &["commit", "-q", "--allow-empty", "--allow-empty-message", "-m", message],
            &dates,
            b"",
        );
        self.git(&["rev-parse", "HEAD"])
    }

    /// Writes one file and commits it.
    pub fn change(&self, path: &str, text: &str, message: &str) -> String {
        self.write(path, text);
        self.commit(message)
    }

    /// The same at a time, seconds since 1970 (UTC).
    pub fn change_at(&self, path: &str, text: &str, message: &str, time: i64) -> String {
        self.write(path, text);
        self.commit_at(message, time)
    }
}

/// Runs git with nothing of this machine's settings.
pub fn run_git(
    directory: &Path,
    arguments: &[&str],
    variables: &[(&str, &str)],
    input: &[u8],
) -> std::process::Output {
    let mut command = Command::new("git");
    command.current_dir(directory).args(arguments).env_clear();
    command.env("PATH", std::env::var_os("PATH").unwrap_or_default()).env("HOME", directory);
    let settings = [
        ("GIT_CONFIG_GLOBAL", "/dev/null"),
        ("GIT_CONFIG_NOSYSTEM", "1"),
        ("GIT_AUTHOR_NAME", "Ada Example"),
        ("GIT_AUTHOR_EMAIL", "ada@example.invalid"),
        ("GIT_COMMITTER_NAME", "Ada Example"),
        ("GIT_COMMITTER_EMAIL", "ada@example.invalid"),
    ];
    command.envs(settings).envs(variables.iter().copied());
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    std::io::Write::write_all(&mut child.stdin.take().unwrap(), input).unwrap();
    child.wait_with_output().unwrap()
}

/// The hand that writes in tests.
pub fn stamp(time: i64) -> Stamp {
    Stamp { who: Person { name: "Ada Example".to_owned(), email: "ada@example.invalid".to_owned() }, time }
}

/// A port of this machine that nobody listens at.
pub fn free_port() -> u16 {
    std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// Starts a server, and waits until it answers at its port. It goes when the task is aborted.
pub async fn serving(server: command::Command, port: u16) -> JoinHandle<()> {
    let serving = tokio::spawn(async move { drop(command::run(server).await) });
    let began = Instant::now();
    while std::net::TcpStream::connect(("127.0.0.1", port)).is_err() {
        assert!(began.elapsed() < Duration::from_secs(30), "the server does not answer");
        tokio::task::yield_now().await;
    }
    serving
}
