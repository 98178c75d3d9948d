//! Runs another program: an argument list, a cleaned environment, a deadline, the end of what it said.

pub mod environment;
pub(in crate::world) mod group;
mod tail;

use std::ffi::{OsStr, OsString};
use std::io;
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use tokio::io::AsyncWriteExt;
use tokio::process::Child;
use tokio::task::JoinHandle;
use tokio::time::timeout;

use crate::world::command::environment::Environment;
use crate::world::command::group::Group;
use crate::world::command::tail::Tail;

/// How much of each stream is kept unless a run says otherwise: its end.
const KEPT: usize = 4 * 1024 * 1024;
/// How long a process may take to leave after it was asked to.
pub(in crate::world) const LEAVE: Duration = Duration::from_secs(3);
/// How long descendants may keep the streams open after the program itself has ended.
const LINGER: Duration = Duration::from_secs(1);

/// One run of a program. Nothing in it passes through a shell.
#[derive(Debug, Clone)]
pub struct Command {
    /// A name looked up on `PATH`, or an absolute path.
    pub program: OsString,
    pub args: Vec<OsString>,
    pub cwd: Option<PathBuf>,
    pub env: Environment,
    /// What the program reads; without it, nothing.
    pub stdin: Option<Vec<u8>>,
    pub timeout: Duration,
    /// How many bytes of each stream are kept: the last ones.
    pub limit: usize,
}

/// What became of a run.
#[derive(Debug, Clone)]
pub struct Output {
    pub status: ExitStatus,
    /// The end of what was written, as much as the run's limit allows.
    pub stdout: Vec<u8>,
    /// The end of what was written, as much as the run's limit allows.
    pub stderr: Vec<u8>,
    /// Whether it was killed because its time was over.
    pub timed_out: bool,
    /// Whether a stream held more than the limit and lost its beginning.
    pub truncated: bool,
}

/// Why a program could not be run at all.
#[derive(Debug, thiserror::Error)]
pub enum CommandError {
    #[error("`{program}` is not installed, or not on PATH")]
    Missing { program: String },
    #[error("the folder `{}` to run `{program}` in does not exist", folder.display())]
    Folder { program: String, folder: PathBuf },
    #[error("`{program}` could not be started")]
    Start { program: String, source: io::Error },
    #[error("`{program}` could not be waited for")]
    Wait { program: String, source: io::Error },
}

impl Command {
    /// A run of `program` with a deadline of ten minutes and a limit of four mebibytes of each stream.
    pub fn new(program: impl AsRef<OsStr>) -> Command {
        Command {
            program: program.as_ref().to_owned(),
            args: Vec::new(),
            cwd: None,
            env: Environment::default(),
            stdin: None,
            timeout: Duration::from_secs(600),
            limit: KEPT,
        }
    }

    pub fn arg(mut self, arg: impl AsRef<OsStr>) -> Command {
        self.args.push(arg.as_ref().to_owned());
        self
    }

    pub fn args<S: AsRef<OsStr>>(mut self, args: impl IntoIterator<Item = S>) -> Command {
        self.args.extend(args.into_iter().map(|arg| arg.as_ref().to_owned()));
        self
    }

    /// A program and its arguments, as a user wrote them, started in a folder. A program that is named by a path is meant
    /// from there, wherever this run was started.
    pub fn of_words(words: &[String], folder: &Path) -> Command {
        let (program, arguments) =
            words.split_first().map_or(("", words), |(first, rest)| (first.as_str(), rest));
        let program = if program.contains('/') { folder.join(program) } else { PathBuf::from(program) };
        Command::new(program).args(arguments).cwd(folder)
    }

    pub fn cwd(mut self, folder: impl Into<PathBuf>) -> Command {
        self.cwd = Some(folder.into());
        self
    }

    pub fn set(mut self, name: impl AsRef<OsStr>, value: impl AsRef<OsStr>) -> Command {
        self.env.set.push((name.as_ref().to_owned(), value.as_ref().to_owned()));
        self
    }

    pub fn remove<S: AsRef<OsStr>>(mut self, names: impl IntoIterator<Item = S>) -> Command {
        self.env.remove.extend(names.into_iter().map(|name| name.as_ref().to_owned()));
        self
    }

    pub fn reading(mut self, bytes: impl Into<Vec<u8>>) -> Command {
        self.stdin = Some(bytes.into());
        self
    }

    pub fn timeout(mut self, timeout: Duration) -> Command {
        self.timeout = timeout;
        self
    }

    fn name(&self) -> String {
        self.program.to_string_lossy().into_owned()
    }
}

impl Output {
    pub fn success(&self) -> bool {
        self.status.success() && !self.timed_out
    }

    /// How it ended, to go behind its name: `took too long`, `ended with exit status: 1`.
    pub fn ending(&self) -> String {
        if self.timed_out { "took too long".to_owned() } else { format!("ended with {}", self.status) }
    }

    /// The last `lines` non-empty lines of both streams, control characters stripped, for people.
    pub fn tail(&self, lines: usize) -> String {
        let text =
            format!("{}\n{}", String::from_utf8_lossy(&self.stdout), String::from_utf8_lossy(&self.stderr));
        let plain: Vec<String> =
            text.lines().map(plain_line).filter(|line| !line.trim().is_empty()).collect();
        plain[plain.len().saturating_sub(lines)..].join("\n")
    }

    /// The last part of what was said on stderr, control characters stripped, for people.
    pub fn complaint(&self) -> String {
        let end = &self.stderr[self.stderr.len().saturating_sub(4096)..];
        let lines: Vec<String> = String::from_utf8_lossy(end).lines().map(plain_line).collect();
        lines.join("\n").trim().to_owned()
    }
}

/// Runs a program to its end or its deadline.
///
/// It gets a process group of its own; the whole group is killed at the deadline, when the caller goes away, and
/// when descendants outlive the program with its streams still open.
///
/// # Errors
/// Only where it could not be run; that it failed is in `Output::status`.
pub async fn run(mut command: Command) -> Result<Output, CommandError> {
    let mut child = start(&command)?;
    let group = Group::led_by(child.id());
    let writer = feed(&mut child, command.stdin.take());
    let stdout = Tail::follow(child.stdout.take(), command.limit);
    let stderr = Tail::follow(child.stderr.take(), command.limit);

    let waited = timeout(command.timeout, child.wait()).await;
    let timed_out = waited.is_err();
    let status = match waited {
        Ok(status) => status,
        Err(_) => end(&group, &mut child).await,
    };
    let status = status.map_err(|source| CommandError::Wait { program: command.name(), source })?;
    if let Some(writer) = writer {
        writer.abort();
    }
    let [(stdout, lost), (stderr, lost_too)] = collect(&group, stdout, stderr).await;
    group.forget();
    Ok(Output { status, stdout, stderr, timed_out, truncated: lost || lost_too })
}

/// `run` for callers that have nothing else to do meanwhile; it may be called anywhere, also beneath async code.
///
/// # Errors
/// As `run`.
pub fn run_blocking(command: Command) -> Result<Output, CommandError> {
    let program = command.name();
    let failed = |source| CommandError::Start { program: program.clone(), source };
    // A runtime can not be entered from within another one's thread.
    std::thread::scope(|scope| {
        let work = || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            runtime.map_err(failed)?.block_on(run(command))
        };
        let watcher = std::thread::Builder::new().spawn_scoped(scope, work).map_err(failed)?;
        watcher.join().unwrap_or_else(|_| {
            let source = io::Error::other("the thread that watched it ended early");
            Err(CommandError::Wait { program: program.clone(), source })
        })
    })
}

fn start(command: &Command) -> Result<Child, CommandError> {
    let mut process = tokio::process::Command::new(&command.program);
    process.args(&command.args).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
    process.stdin(if command.stdin.is_some() { Stdio::piped() } else { Stdio::null() });
    #[cfg(unix)]
    process.process_group(0);
    if let Some(folder) = &command.cwd {
        if !folder.is_dir() {
            return Err(CommandError::Folder { program: command.name(), folder: folder.clone() });
        }
        process.current_dir(folder);
    }
    process.env_clear().envs(command.env.applied_to(std::env::vars_os()));
    process.spawn().map_err(|source| start_error(command, source))
}

fn start_error(command: &Command, source: io::Error) -> CommandError {
    let program = command.name();
    let stands = PathBuf::from(&command.program).is_absolute() && PathBuf::from(&command.program).exists();
    if source.kind() == io::ErrorKind::NotFound && !stands {
        return CommandError::Missing { program };
    }
    CommandError::Start { program, source }
}

/// Writes the input beside everything else; a program that does not read it is not an error.
fn feed(child: &mut Child, input: Option<Vec<u8>>) -> Option<JoinHandle<()>> {
    let (mut pipe, input) = (child.stdin.take()?, input?);
    Some(tokio::spawn(async move {
        if pipe.write_all(&input).await.is_ok() {
            let _ = pipe.shutdown().await;
        }
    }))
}

/// Asks the group to leave, then makes it.
async fn end(group: &Group, child: &mut Child) -> io::Result<ExitStatus> {
    group.terminate();
    let left = timeout(LEAVE, child.wait()).await;
    group.kill();
    match left {
        Ok(status) => status,
        Err(_) => {
            child.start_kill()?;
            child.wait().await
        }
    }
}

/// Reads both streams to their end, which descendants can not put off for long.
async fn collect(group: &Group, mut stdout: Tail, mut stderr: Tail) -> [(Vec<u8>, bool); 2] {
    let ended = timeout(LINGER, async { tokio::join!(stdout.ended(), stderr.ended()) }).await;
    if ended.is_err() {
        group.kill();
        let _ = timeout(LINGER, async { tokio::join!(stdout.ended(), stderr.ended()) }).await;
    }
    [stdout.take(), stderr.take()]
}

/// A line without escape sequences and other control characters.
pub(in crate::world) fn plain_line(line: &str) -> String {
    let mut plain = String::with_capacity(line.len());
    let mut characters = line.chars().peekable();
    while let Some(character) = characters.next() {
        match character {
            '\u{1b}' if characters.peek() == Some(&'[') => {
                characters.next();
                while characters.next().is_some_and(|inside| !('@'..='~').contains(&inside)) {}
            }
            '\t' => plain.push(' '),
            _ if character.is_control() => {}
            _ => plain.push(character),
        }
    }
    plain
}

#[cfg(test)]
mod tests;
