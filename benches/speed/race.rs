//! Lets contestants run side by side: in each round every one once, so that what slows the machine slows all alike.

use std::fs::File;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process_group};

use crate::problem::Problem;
use crate::repository::quiet;
use crate::table::number;

/// After a run of a peer as long as this there is no second one.
const LONG: Duration = Duration::from_secs(5);

pub struct Contestant {
    pub label: String,
    pub folder: PathBuf,
    /// Run one after the other, as a shell loop would.
    pub commands: Vec<Vec<String>>,
    /// What the time is multiplied with, where a loop ran over a sample only.
    pub scale: f64,
    /// Where a run takes long, the one that warms up is its figure.
    pub is_peer: bool,
}

impl Contestant {
    pub fn new(label: impl Into<String>, folder: &Path, words: &[&str]) -> Contestant {
        let command = words.iter().map(|word| (*word).to_owned()).collect();
        let (label, folder) = (label.into(), folder.to_owned());
        Contestant { label, folder, commands: vec![command], scale: 1.0, is_peer: false }
    }

    /// What git takes to tell the same commits and the files that they change.
    pub fn git_log(folder: &Path, range: &str) -> Contestant {
        let words = ["git", "log", "-z", "--no-renames", "--no-merges", "--name-only", range];
        Contestant::new("git log", folder, &words)
    }
}

/// How long a contestant took, in seconds, round by round.
#[derive(Debug, Clone, Default)]
pub struct Times {
    seconds: Vec<f64>,
    /// It was stopped: it takes longer than this.
    pub over: Option<f64>,
    /// It failed, and said this last.
    pub failed: Option<String>,
    /// What it printed at last.
    pub answer: Vec<u8>,
    /// There is no further round for it.
    is_out: bool,
}

impl Times {
    pub fn of(seconds: Vec<f64>) -> Times {
        Times { seconds, ..Times::default() }
    }

    /// Where it ran to no good end, why.
    pub fn trouble(&self) -> Option<String> {
        match (&self.failed, self.over) {
            (Some(said), _) => Some(format!("failed: {said}")),
            (None, Some(seconds)) => Some(format!("stopped after {} s", number(seconds))),
            (None, None) => None,
        }
    }

    pub fn median(&self) -> f64 {
        self.over.unwrap_or_else(|| median(self.seconds.clone()))
    }

    /// The median of the ratios to another's times, round by round where both ran in all.
    pub fn ratio(&self, other: &Times) -> f64 {
        if self.seconds.len() != other.seconds.len() {
            return self.median() / other.median();
        }
        median(self.seconds.iter().zip(&other.seconds).map(|(own, other)| own / other).collect())
    }
}

#[derive(Debug, Clone)]
pub struct Rules {
    pub rounds: usize,
    /// A run that takes longer is stopped.
    pub limit: Duration,
    /// For what is printed.
    pub scratch: PathBuf,
}

/// Runs all contestants; the first round only warms the caches up, but for those who take long it is the only one.
pub fn race(contestants: &[Contestant], rules: &Rules) -> Result<Vec<Times>, Problem> {
    let mut all: Vec<Times> = contestants.iter().map(|_| Times::default()).collect();
    for round in 0..=rules.rounds {
        for (contestant, times) in contestants.iter().zip(&mut all) {
            if !times.is_out {
                once(contestant, rules, round == 0, times)?;
            }
        }
    }
    Ok(all)
}

pub fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    let middle = values.len() / 2;
    match values.len() {
        0 => f64::NAN,
        length if length % 2 == 1 => values[middle],
        _ => f64::midpoint(values[middle - 1], values[middle]),
    }
}

/// One more run of a contestant.
pub fn once(
    contestant: &Contestant,
    rules: &Rules,
    is_warming: bool,
    times: &mut Times,
) -> Result<(), Problem> {
    let (out, said) = (rules.scratch.join("out"), rules.scratch.join("said"));
    let streams = || Ok::<_, Problem>((File::create(&out)?, File::create(&said)?));
    let (mut took, mut ended) = (Duration::ZERO, End::Well);
    for words in &contestant.commands {
        let (out, said) = streams()?;
        let left = rules.limit.saturating_sub(took);
        let (longer, end) = run(&contestant.folder, words, left, (out, said))?;
        took += longer;
        ended = end;
        if ended != End::Well {
            break;
        }
    }
    times.answer = std::fs::read(&out)?;
    let seconds = took.as_secs_f64() * contestant.scale;
    match ended {
        End::Stopped => times.over = Some(seconds),
        End::Failed => {
            let said = std::fs::read(&said)?;
            let said = String::from_utf8_lossy(&said);
            times.failed = Some(said.lines().next_back().unwrap_or("said nothing").to_owned());
        }
        End::Well if !is_warming => times.seconds.push(seconds),
        End::Well if contestant.is_peer && took > LONG => times.seconds.push(seconds),
        End::Well => return Ok(()),
    }
    times.is_out = ended != End::Well || is_warming;
    Ok(())
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    Well,
    Failed,
    Stopped,
}

fn run(
    folder: &Path,
    words: &[String],
    limit: Duration,
    (out, said): (File, File),
) -> Result<(Duration, End), Problem> {
    let mut command = Command::new(&words[0]);
    command.args(&words[1..]).current_dir(folder).process_group(0);
    quiet(&mut command).stdin(Stdio::null()).stdout(out).stderr(said);
    let began = Instant::now();
    let spawned = command.spawn();
    let mut child = spawned.map_err(|error| Problem::new(format!("{}: {error}", words[0])))?;
    let (done, waiting) = mpsc::channel::<()>();
    let group = Pid::from_child(&child);
    let watch = thread::spawn(move || {
        let is_over = waiting.recv_timeout(limit) == Err(mpsc::RecvTimeoutError::Timeout);
        if is_over {
            let _ = kill_process_group(group, Signal::KILL);
        }
        is_over
    });
    let status = child.wait()?;
    let took = began.elapsed();
    drop(done);
    let is_over = watch.join().unwrap_or(false);
    let end = match (is_over, status.success()) {
        (true, _) => End::Stopped,
        (false, true) => End::Well,
        (false, false) => End::Failed,
    };
    Ok((took, end))
}
