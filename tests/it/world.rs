//! A temporary world for one test: a home, a repository, git and the built binary, nothing of the machine's own settings.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::atomic::{AtomicU64, Ordering};

use tempfile::TempDir;

/// The time of the first commit, 2025-01-06 08:00 UTC; each further one comes an hour later.
const START: u64 = 1_736_150_400;

/// The machine's variables that a run may see: how to reach programs and package registries.
const PASSED_ON: [&str; 7] =
    ["PATH", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE"];
const PASSED_ON_PREFIXES: [&str; 3] = ["PIP_", "UV_", "LLVM_PROFILE_"];

pub struct World {
    folder: TempDir,
    commits: AtomicU64,
}

/// What a program said and how it ended.
#[derive(Debug)]
pub struct Answer {
    /// None where a signal ended it.
    pub code: Option<i32>,
    pub out: String,
    pub err: String,
}

impl World {
    /// A world with an empty repository on branch `main`.
    pub fn new() -> World {
        let world = World::without_repository();
        std::fs::create_dir(world.repository()).unwrap();
        world.git(["init", "--quiet", "--initial-branch", "main", "."]);
        world
    }

    /// A world whose repository folder does not exist yet.
    pub fn without_repository() -> World {
        let folder = tempfile::Builder::new().prefix("release-test-").tempdir().unwrap();
        for name in ["home", "tmp"] {
            std::fs::create_dir(folder.path().join(name)).unwrap();
        }
        World { folder, commits: AtomicU64::new(0) }
    }

    /// Another world with a byte-for-byte copy of this one's repository.
    pub fn twin(&self) -> World {
        let twin = World::without_repository();
        let status =
            Command::new("cp").arg("-a").arg(self.repository()).arg(twin.repository()).status().unwrap();
        assert!(status.success(), "the repository was copied");
        twin
    }

    pub fn repository(&self) -> PathBuf {
        self.folder.path().join("repository")
    }

    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// A program in this world: only what it needs of the machine's environment, a fixed identity, no git settings.
    pub fn command(&self, program: impl AsRef<OsStr>) -> Command {
        let mut command = Command::new(program);
        command.env_clear().current_dir(self.folder.path());
        for (name, value) in std::env::vars_os() {
            let text = name.to_string_lossy();
            if PASSED_ON.contains(&text.as_ref())
                || PASSED_ON_PREFIXES.iter().any(|prefix| text.starts_with(prefix))
            {
                command.env(&name, value);
            }
        }
        let kept = Path::new(env!("CARGO_TARGET_TMPDIR"));
        command
            .env("HOME", self.folder.path().join("home"))
            .env("TMPDIR", self.folder.path().join("tmp"))
            .env("RELEASE_CACHE", kept.join("tools"))
            .env("UV_CACHE_DIR", kept.join("uv"))
            .env("PIP_CACHE_DIR", kept.join("pip"))
            .env("GIT_CONFIG_GLOBAL", "/dev/null")
            .env("GIT_CONFIG_SYSTEM", "/dev/null")
            .env("GIT_AUTHOR_NAME", "Ada Example")
            .env("GIT_AUTHOR_EMAIL", "ada@example.org")
            .env("GIT_COMMITTER_NAME", "Ada Example")
            .env("GIT_COMMITTER_EMAIL", "ada@example.org")
            .env("LC_ALL", "C.UTF-8")
            .env("TZ", "UTC")
            .env("COLUMNS", "80");
        command
    }

    /// Runs the built binary in the repository.
    pub fn release<I: IntoIterator<Item = S>, S: AsRef<OsStr>>(&self, words: I) -> Answer {
        self.release_with(words, &[])
    }

    /// Runs the built binary in the repository, with more variables.
    pub fn release_with<I: IntoIterator<Item = S>, S: AsRef<OsStr>>(
        &self,
        words: I,
        more: &[(&str, &str)],
    ) -> Answer {
        let mut command = self.command(env!("CARGO_BIN_EXE_release"));
        command.current_dir(self.repository()).args(words).envs(more.iter().copied());
        Answer::of(command.output().unwrap())
    }

    /// Runs git in the repository; answers what it prints, without the last line's end.
    pub fn git<I: IntoIterator<Item = S>, S: AsRef<OsStr>>(&self, words: I) -> String {
        let mut command = self.command("git");
        command.current_dir(self.repository()).args(words);
        self.finish_git(&mut command)
    }

    /// Commits the work tree as it is, at the next hour.
    pub fn commit_all(&self, message: &str) -> String {
        self.git(["add", "--all", "--force", "."]);
        let time = format!("{} +0000", START + 3600 * self.commits.fetch_add(1, Ordering::SeqCst));
        let mut command = self.command("git");
        command.current_dir(self.repository());
        command.env("GIT_AUTHOR_DATE", &time).env("GIT_COMMITTER_DATE", &time);
        command.args([
            "commit",
            "--quiet",
            "--no-verify",
            "--allow-empty",
            "--cleanup=verbatim",
            "-m",
            message,
        ]);
        self.finish_git(&mut command);
        self.git(["rev-parse", "HEAD"])
    }

    /// An annotated tag on the present commit, at its time.
    pub fn tag(&self, name: &str, message: &str) {
        let time = self.git(["show", "-s", "--format=%ct +0000", "HEAD"]);
        let mut command = self.command("git");
        command.current_dir(self.repository()).env("GIT_COMMITTER_DATE", time);
        self.finish_git(command.args(["tag", "--annotate", "-m", message, name]));
    }

    fn finish_git(&self, command: &mut Command) -> String {
        let answer = Answer::of(command.output().unwrap());
        assert_eq!(answer.code, Some(0), "{command:?}\n{}", answer.err);
        answer.out.trim_end_matches('\n').to_owned()
    }
}

impl Answer {
    pub fn of(output: Output) -> Answer {
        Answer {
            code: output.status.code(),
            out: String::from_utf8_lossy(&output.stdout).into_owned(),
            err: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }

    /// The answer, where the program ended well.
    #[track_caller]
    pub fn well(self) -> Answer {
        assert_eq!(self.code, Some(0), "stdout:\n{}\nstderr:\n{}", self.out, self.err);
        self
    }

    /// What it printed, as JSON.
    #[track_caller]
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.out).unwrap_or_else(|error| panic!("{error}:\n{}\n{}", self.out, self.err))
    }
}

/// The folder of data that some tests compare with: `RELEASE_SHARED`, or `../shared` beside the repository.
/// `None` where it is not there, having said so; a run of CI that names one must have it.
pub fn shared(part: &str) -> Option<PathBuf> {
    let named = std::env::var_os("RELEASE_SHARED").map(PathBuf::from);
    let must = named.is_some() && std::env::var_os("CI").is_some();
    let folder = named.unwrap_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared")).join(part);
    if folder.exists() {
        return Some(folder);
    }
    assert!(!must, "RELEASE_SHARED has no {part}");
    eprintln!("skipped: no {part} in ../shared (or RELEASE_SHARED)");
    None
}

/// A program on the path, or else in the cache of tools that tests share.
pub fn program(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    let on_path = std::env::split_paths(&path).map(|folder| folder.join(name)).find(|file| file.is_file());
    on_path.or_else(|| below(&Path::new(env!("CARGO_TARGET_TMPDIR")).join("tools"), name))
}

fn below(folder: &Path, name: &str) -> Option<PathBuf> {
    let direct = folder.join("bin").join(name);
    if direct.is_file() {
        return Some(direct);
    }
    let entries = std::fs::read_dir(folder).ok()?.flatten();
    entries.map(|entry| entry.path()).filter(|path| path.is_dir()).find_map(|path| below(&path, name))
}
