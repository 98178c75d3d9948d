//! The target `command`: programs of the user's bring a release to where it runs, and one says what runs there.
//!
//! An exit code alone proves nothing: whatever `apply` says, `status` must show the digest in the end.

use std::path::PathBuf;
use std::time::Duration;

use serde::Deserialize;
use tokio::time::{Instant, sleep};

use crate::apply::release_variables::{Context, set};
use crate::apply::target::error::TargetError;
use crate::apply::target::{Answer, Mark, Observed, Remark, is_running};
use crate::check::plain::shortened;
use crate::plan::deployment::Placed;
use crate::plan::digest::Digest;
use crate::workspace::config::environment::CommandTable;
use crate::world::command::{Command, CommandError, Output, run};

/// How long each program may take where nothing else is said.
const TIMEOUT: Duration = Duration::from_secs(15 * 60);
/// How long `status` may take: it only looks.
const LOOK: Duration = Duration::from_secs(60);
/// Between two looks while the target converges.
const POLL: Duration = Duration::from_secs(2);
/// How many lines of a failed program's output are told.
const TAIL: usize = 10;

/// An environment that programs of the user's look after.
#[derive(Debug, Clone)]
pub struct CommandTarget {
    pub environment: String,
    /// The folder that the programs run in: the repository's root.
    pub root: PathBuf,
    pub programs: Programs,
    /// Between two looks at `status`.
    pub poll: Duration,
}

/// The programs, each with its arguments.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Programs {
    pub apply: Vec<String>,
    pub status: Vec<String>,
    pub rollback: Option<Vec<String>>,
    pub possible: Option<Vec<String>>,
    /// How long each may take, and how long after its end the target may take to converge.
    pub timeout: Duration,
}

/// What `status` prints.
#[derive(Debug, Deserialize)]
struct Status {
    #[serde(default)]
    digest: Option<String>,
    #[serde(default)]
    version: Option<String>,
    #[serde(default)]
    deployment: Option<String>,
    #[serde(default)]
    healthy: Option<bool>,
    #[serde(default)]
    restarts: Option<u64>,
}

impl CommandTarget {
    /// The target of an environment whose table was read.
    pub fn new(environment: &str, root: PathBuf, table: &CommandTable) -> CommandTarget {
        CommandTarget {
            environment: environment.to_owned(),
            root,
            programs: Programs {
                apply: table.apply.clone(),
                status: table.status.clone(),
                rollback: table.rollback.clone(),
                possible: table.possible.clone(),
                timeout: table.timeout.map_or(TIMEOUT, |span| Duration::from_secs(span.seconds)),
            },
            poll: POLL,
        }
    }

    /// Asks `possible`, by its exit code, whether the release could be brought there. Without that program nothing is
    /// known against it.
    ///
    /// # Errors
    /// `Impossible` with what it printed.
    pub async fn possible(&self, wanted: &Placed) -> Answer<()> {
        let Some(argv) = &self.programs.possible else { return Ok(()) };
        let output = self.start(argv, "possible", self.programs.timeout, Some(wanted), None).await?;
        if output.success() {
            return Ok(());
        }
        let (package, version) = (wanted.package.clone(), wanted.version.clone());
        Err(TargetError::Impossible { package, version, reason: how("possible", &output) })
    }

    /// Runs `apply` unless `status` shows the release already, and waits until it does.
    ///
    /// # Errors
    /// `Broken` where the program fails, or `status` does not show the digest in time.
    pub async fn apply(&self, wanted: &Placed, mark: &Mark, remark: Remark<'_>) -> Answer<Observed> {
        self.bring("apply", &self.programs.apply, wanted, mark, remark).await
    }

    /// The same with `rollback`, for an earlier release; where there is no such program, with `apply`.
    ///
    /// # Errors
    /// As `apply`.
    pub async fn back(&self, wanted: &Placed, mark: &Mark, remark: Remark<'_>) -> Answer<Observed> {
        match &self.programs.rollback {
            Some(argv) => self.bring("rollback", argv, wanted, mark, remark).await,
            None => self.apply(wanted, mark, remark).await,
        }
    }

    /// What `status` says runs for a package; `{}` is nothing.
    ///
    /// # Errors
    /// `Outside` where it fails, `Settings` where what it prints does not read.
    pub async fn observe(&self, package: &str) -> Answer<Option<Observed>> {
        self.look(package, None).await
    }

    /// Nothing is kept here that could be deleted: the programs look after their own.
    ///
    /// # Errors
    /// None.
    pub async fn prune(&self, _package: &str, _keep: &[Placed]) -> Answer<()> {
        Ok(())
    }

    async fn bring(
        &self,
        verb: &'static str,
        argv: &[String],
        wanted: &Placed,
        mark: &Mark,
        remark: Remark<'_>,
    ) -> Answer<Observed> {
        if let Some(observed) =
            self.look(&wanted.package, Some(mark)).await?.filter(|seen| is_running(Some(seen), wanted))
        {
            return Ok(observed);
        }
        let output = self.start(argv, verb, self.programs.timeout, Some(wanted), Some(mark)).await?;
        if output.timed_out {
            // It may have done its work and not come to its end: what runs has the last word.
            return match self.look(&wanted.package, Some(mark)).await? {
                Some(observed) if is_running(Some(&observed), wanted) => {
                    remark(&format!(
                        "`{verb}` took too long and was ended; `status` shows the release all the same"
                    ));
                    Ok(observed)
                }
                _ => Err(broken(wanted, how(verb, &output))),
            };
        }
        if !output.success() {
            return Err(broken(wanted, how(verb, &output)));
        }
        self.converge(wanted, mark, verb, remark).await
    }

    /// Looks until `status` shows the digest. A look that fails is tried again as long as there is time.
    async fn converge(
        &self,
        wanted: &Placed,
        mark: &Mark,
        verb: &str,
        remark: Remark<'_>,
    ) -> Answer<Observed> {
        let deadline = Instant::now() + self.programs.timeout;
        let mut told = false;
        loop {
            let seen = match self.look(&wanted.package, Some(mark)).await {
                Ok(Some(observed)) if is_running(Some(&observed), wanted) => return Ok(observed),
                Err(error @ TargetError::Settings { .. }) => return Err(error),
                other => other,
            };
            if Instant::now() + self.poll >= deadline {
                let found = match seen? {
                    Some(observed) => format!("{} runs", observed.digest.short()),
                    None => "nothing runs".to_owned(),
                };
                let reason = format!("`{verb}` ended well, and `status` says that {found}");
                return Err(broken(wanted, reason));
            }
            if !std::mem::replace(&mut told, true) {
                remark(&format!("`{verb}` ended; `status` does not show {} yet", wanted.version));
            }
            sleep(self.poll).await;
        }
    }

    async fn look(&self, package: &str, mark: Option<&Mark>) -> Answer<Option<Observed>> {
        let what = || "`status`".to_owned();
        let limit = LOOK.min(self.programs.timeout);
        let command = self.command(&self.programs.status, limit).set("RELEASE_PACKAGE", package);
        let output = execute(set(command, &self.context(mark), None), "status").await?;
        if !output.success() {
            return Err(TargetError::Outside { what: what(), reason: how("status", &output) });
        }
        let unread = |reason: String| TargetError::Settings { what: what(), reason };
        let printed = || shortened(&String::from_utf8_lossy(&output.stdout), 200);
        // A list would read as a status too, its items in order.
        let table = serde_json::from_slice::<serde_json::Map<String, serde_json::Value>>(&output.stdout);
        let status = table.and_then(|table| serde_json::from_value::<Status>(table.into()));
        let status = status.map_err(|error| {
            unread(format!(
                "it must print JSON, as {{\"digest\": \"sha256:…\"}}, and printed `{}` ({error})",
                printed()
            ))
        })?;
        let Some(digest) = status.digest.filter(|digest| !digest.is_empty()) else { return Ok(None) };
        let digest = Digest::parse(&digest).ok_or_else(|| {
            unread(format!("`{}` is no digest: `sha256:` and 64 digits", shortened(&digest, 100)))
        })?;
        let plain = |text: String| shortened(&text, 200);
        Ok(Some(Observed {
            digest,
            version: status.version.map(plain),
            deployment: status.deployment.map(plain),
            healthy: status.healthy,
            restarts: status.restarts,
            place: self.environment.clone(),
        }))
    }

    async fn start(
        &self,
        argv: &[String],
        verb: &'static str,
        limit: Duration,
        wanted: Option<&Placed>,
        mark: Option<&Mark>,
    ) -> Answer<Output> {
        execute(set(self.command(argv, limit), &self.context(mark), wanted), verb).await
    }

    fn command(&self, argv: &[String], limit: Duration) -> Command {
        Command::of_words(argv, &self.root).timeout(limit)
    }

    fn context<'c>(&'c self, mark: Option<&'c Mark>) -> Context<'c> {
        Context {
            environment: &self.environment,
            deployment: mark.map(|mark| mark.deployment.as_str()),
            epoch: mark.map(|mark| mark.epoch),
        }
    }
}

async fn execute(command: Command, verb: &'static str) -> Answer<Output> {
    run(command).await.map_err(|error: CommandError| TargetError::Settings {
        what: format!("`{verb}`"),
        reason: error.to_string(),
    })
}

fn broken(wanted: &Placed, reason: String) -> TargetError {
    TargetError::Broken { package: wanted.package.clone(), version: wanted.version.clone(), reason }
}

/// How a program ended, and the last that it said.
fn how(verb: &str, output: &Output) -> String {
    let end = output.ending();
    let tail = output.tail(TAIL);
    if tail.is_empty() { format!("`{verb}` {end}") } else { format!("`{verb}` {end}:\n{tail}") }
}

#[cfg(test)]
#[path = "command_tests.rs"]
mod tests;
