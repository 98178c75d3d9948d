//! A warm Python interpreter: it runs where a front end put it, and forks for each hook of a build back end.

use std::collections::HashMap;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::ExitStatus;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines};
use tokio::net::UnixListener;
use tokio::net::unix::{OwnedReadHalf, OwnedWriteHalf};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::task::JoinHandle;
use tokio::time::timeout;

use crate::world::command::group::Group;
use crate::world::command::{Command, CommandError, LEAVE, Output, run};

/// The module that stands in for a back end; it answers at the socket beside it.
pub const MODULE: &str = include_str!("interpreter.py");
/// The socket's name.
const SOCKET: &str = "socket";
/// How long it may run: as good as for ever, as its end is the end of the connection.
const LIFE: Duration = Duration::from_secs(30 * 24 * 60 * 60);
/// How long the front end may take to clear up behind it.
const CLEARING: Duration = Duration::from_secs(3);
/// How long a call that was killed may take to be told of.
const TOLD: Duration = Duration::from_secs(5);
/// How `wait` tells of a process that was killed.
const KILLED: i32 = 9;

/// One interpreter. It ends with this value, and all it forked with it.
pub struct Interpreter {
    to: tokio::sync::Mutex<OwnedWriteHalf>,
    waiting: Arc<Waiting>,
    number: AtomicU64,
    installed: Option<Vec<String>>,
    running: JoinHandle<Result<Output, CommandError>>,
    reading: JoinHandle<()>,
}

/// Hooks to call in one process.
#[derive(Debug, Clone)]
pub struct Call<'c> {
    /// The tree that is built: the folder it runs in.
    pub folder: &'c Path,
    /// As `build-backend` names it.
    pub backend: &'c str,
    /// The hooks by name, one behind the other; those behind a question that asks for something are not called.
    pub hooks: &'c [&'static str],
    /// Where a hook puts what it builds.
    pub out: Option<&'c Path>,
    /// The file that gets what the last of them returns, an `Answer` as JSON; nothing is in it where one does not return.
    pub answer: &'c Path,
    pub environment: &'c [(String, String)],
}

/// What a hook returns.
#[derive(Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Answer {
    /// What it needs besides.
    Requires(Vec<String>),
    /// The name of the file it built.
    Made(String),
}

/// Why a call has no end that is known.
#[derive(Debug, thiserror::Error)]
pub enum InterpreterError {
    #[error("no environment could be made:\n{tail}")]
    NotStarted { tail: String },
    #[error("no socket can be made in `{}`", folder.display())]
    Socket { folder: PathBuf, source: std::io::Error },
    #[error("the interpreter has ended")]
    Gone,
    #[error(transparent)]
    Run(#[from] CommandError),
}

#[derive(Serialize)]
struct Request<'c> {
    id: u64,
    folder: String,
    backend: &'c str,
    hooks: &'c [&'static str],
    out: Option<String>,
    answer: String,
    environment: HashMap<&'c str, &'c str>,
}

/// What it tells first: this Python and what is installed for it, where that is known.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Greeting {
    installed: Option<Vec<String>>,
}

/// What it tells of a call: that it began, or how it ended.
#[derive(Debug, Default, Deserialize)]
struct Event {
    id: u64,
    process: Option<u32>,
    status: Option<i32>,
    #[serde(default)]
    output: String,
    #[serde(default)]
    cut: bool,
}

/// What the one that waits for a call is told of it.
enum News {
    /// Its processes, which are killed where this is dropped: also unread.
    Began(Group),
    Ended(Event),
}

/// Those who wait for calls; none once the interpreter is gone.
#[derive(Default)]
struct Waiting(Mutex<Option<HashMap<u64, UnboundedSender<News>>>>);

impl Interpreter {
    /// Starts the command that runs `MODULE` in a folder, and waits until it is there.
    ///
    /// # Errors
    /// Where the command ends before; its words are in the error.
    pub async fn start(command: Command, folder: &Path) -> Result<Interpreter, InterpreterError> {
        let socket = |source| InterpreterError::Socket { folder: folder.to_owned(), source };
        let listener = UnixListener::bind(folder.join(SOCKET)).map_err(socket)?;
        // Where nobody waits any more before it has greeted, it is killed.
        let mut running = Box::pin(run(command.timeout(LIFE)));
        let stream = tokio::select! {
            accepted = listener.accept() => accepted.map_err(socket)?.0,
            ended = &mut running => return Err(not_started(ended)),
        };
        let (from, to) = stream.into_split();
        let mut lines = BufReader::new(from).lines();
        let greeting = lines.next_line().await.ok().flatten().ok_or(InterpreterError::Gone)?;
        let Greeting { installed } = serde_json::from_str(&greeting).map_err(|_| InterpreterError::Gone)?;
        let waiting = Arc::new(Waiting(Mutex::new(Some(HashMap::new()))));
        let reading = tokio::spawn(listen(lines, Arc::clone(&waiting)));
        let running = tokio::spawn(running);
        Ok(Interpreter { to: to.into(), waiting, number: AtomicU64::new(0), installed, running, reading })
    }

    /// Has modules imported ahead, and what they compile to kept in a file that begins with a name, for the next one. What
    /// is called after it waits for its end.
    ///
    /// # Errors
    /// `Gone` where the interpreter ended meanwhile.
    pub async fn import(&self, modules: &[&str], compiled: &Path) -> Result<(), InterpreterError> {
        self.say(&serde_json::json!({ "import": modules, "compiled": compiled }).to_string()).await
    }

    /// Whether the same Python has the same files installed here and there. Not where one of them does not know.
    pub fn is_same_as(&self, other: &Interpreter) -> bool {
        self.installed.is_some() && self.installed == other.installed
    }

    /// Calls hooks in a process of their own and waits for its end; at the deadline it is killed, and whatever it started.
    ///
    /// # Errors
    /// `Gone` where the interpreter ended meanwhile; that a hook failed is in the output.
    pub async fn call(&self, call: &Call<'_>, limit: Duration) -> Result<Output, InterpreterError> {
        let id = self.number.fetch_add(1, Ordering::Relaxed);
        let mut events = self.waiting.enter(id).ok_or(InterpreterError::Gone)?;
        let line = serde_json::to_string(&call.request(id)).map_err(|_| InterpreterError::Gone)?;
        self.say(&line).await?;
        let mut group = None;
        match timeout(limit, end_of(&mut events, &mut group)).await {
            Ok(ended) => Ok(ended.ok_or(InterpreterError::Gone)?.output(false)),
            Err(_) => Ok(stop(&mut events, group).await.output(true)),
        }
    }

    /// Ends it and waits until the environment is cleared away.
    pub async fn close(self) {
        let Interpreter { to, mut running, reading, .. } = self;
        drop(to);
        if timeout(CLEARING, &mut running).await.is_err() {
            running.abort();
        }
        reading.abort();
    }

    async fn say(&self, line: &str) -> Result<(), InterpreterError> {
        let mut to = self.to.lock().await;
        let written = to.write_all(format!("{line}\n").as_bytes()).await;
        written.map_err(|_| InterpreterError::Gone)
    }
}

impl<'c> Call<'c> {
    fn request(&self, id: u64) -> Request<'c> {
        let text = |path: &Path| path.to_string_lossy().into_owned();
        let environment = self.environment.iter().map(|(name, value)| (name.as_str(), value.as_str()));
        Request {
            id,
            folder: text(self.folder),
            backend: self.backend,
            hooks: self.hooks,
            out: self.out.map(text),
            answer: text(self.answer),
            environment: environment.collect(),
        }
    }
}

impl Event {
    fn output(self, timed_out: bool) -> Output {
        Output {
            status: ExitStatus::from_raw(self.status.unwrap_or(KILLED)),
            stdout: self.output.into_bytes(),
            stderr: Vec::new(),
            timed_out,
            truncated: self.cut,
        }
    }
}

impl Waiting {
    fn enter(&self, id: u64) -> Option<UnboundedReceiver<News>> {
        let (sender, receiver) = unbounded_channel();
        self.0.lock().ok()?.as_mut()?.insert(id, sender);
        Some(receiver)
    }

    /// Hands an event to the one that waits for it. A call that nobody waits for any more is killed as it begins.
    fn tell(&self, event: Event) {
        let Ok(mut waiting) = self.0.lock() else { return };
        let Some(waiting) = waiting.as_mut() else { return };
        let id = event.id;
        let is_end = event.status.is_some();
        let news = if is_end { News::Ended(event) } else { News::Began(Group::led_by(event.process)) };
        // What nobody takes is dropped.
        let _ = waiting.get(&id).map(|sender| sender.send(news));
        if is_end {
            waiting.remove(&id);
        }
    }

    fn all_gone(&self) {
        if let Ok(mut waiting) = self.0.lock() {
            *waiting = None;
        }
    }
}

/// Reads what the interpreter tells, to its end; what it should not say ends it too.
async fn listen(mut lines: Lines<BufReader<OwnedReadHalf>>, waiting: Arc<Waiting>) {
    while let Ok(Some(line)) = lines.next_line().await {
        let Ok(event) = serde_json::from_str(&line) else { break };
        waiting.tell(event);
    }
    waiting.all_gone();
}

/// Waits for the end of a call; none where the interpreter is gone. The group is set while the call runs.
async fn end_of(events: &mut UnboundedReceiver<News>, group: &mut Option<Group>) -> Option<Event> {
    while let Some(news) = events.recv().await {
        match news {
            News::Began(began) => *group = Some(began),
            News::Ended(event) => {
                if let Some(group) = group.take() {
                    group.forget();
                }
                return Some(event);
            }
        }
    }
    None
}

/// Asks a call to leave, then makes it.
async fn stop(events: &mut UnboundedReceiver<News>, mut group: Option<Group>) -> Event {
    group.iter().for_each(Group::terminate);
    let left = timeout(LEAVE, end_of(events, &mut group)).await.ok().flatten();
    group.iter().for_each(Group::kill);
    match left {
        Some(event) => event,
        None => timeout(TOLD, end_of(events, &mut group)).await.ok().flatten().unwrap_or_default(),
    }
}

fn not_started(ended: Result<Output, CommandError>) -> InterpreterError {
    match ended {
        Ok(output) => InterpreterError::NotStarted { tail: output.tail(20) },
        Err(error) => error.into(),
    }
}

#[cfg(test)]
#[path = "interpreter_tests.rs"]
mod tests;
