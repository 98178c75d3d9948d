//! Asks by a program of the user's: its exit code and what it prints. It goes through no shell.

use std::time::Duration;

use crate::apply::release_variables::{Context, set};
use crate::apply::validate::Subject;
use crate::apply::validate::ask::{Asked, Names, Watch, compare_version};
use crate::apply::validate::http::version_in;
use crate::check::expression::Answered;
use crate::check::plain::shortened;
use crate::check::proof::Check;
use crate::world::command::{Command, CommandError, Output, run};
use crate::world::http::JSON_LIMIT;

/// One run, judged by the check's criterion. What can not be started judges nothing.
pub(in crate::apply::validate) async fn ask(argv: &[String], check: &Check, subject: &Subject<'_>) -> Asked {
    let (names, watch) = (Names::of(subject), Watch::start());
    let output = match start(argv, check.schedule.timeout, subject).await {
        Ok(output) => output,
        Err(error) => return Asked::error(error.to_string()),
    };
    let Some(code) = output.status.code() else { return ended(&output) };
    if output.timed_out {
        return ended(&output);
    }
    let answered = Answered {
        status: Some(i64::from(code)),
        body: Some(String::from_utf8_lossy(&output.stdout).into_owned()),
        json: serde_json::from_slice(&output.stdout).ok(),
        seconds: watch.seconds(),
        ..Answered::default()
    };
    let asked = Asked::judged(
        check.criterion.of_program(&answered, &names.filling(subject)),
        format!("exit code {code}"),
    );
    with_tail(asked, &output)
}

/// One run that prints the version.
pub(in crate::apply::validate) async fn version(
    argv: &[String],
    limit: Duration,
    subject: &Subject<'_>,
) -> Asked {
    let output = match start(argv, limit, subject).await {
        Ok(output) => output,
        Err(error) => return Asked::error(error.to_string()),
    };
    if !output.success() {
        return with_tail(ended(&output), &output);
    }
    match version_in(&output.stdout) {
        Some(said) => compare_version(&said, subject),
        None => with_tail(Asked::fail("it prints no version"), &output),
    }
}

async fn start(argv: &[String], limit: Duration, subject: &Subject<'_>) -> Result<Output, CommandError> {
    let command = Command::of_words(argv, subject.root).timeout(limit);
    let context =
        Context { environment: subject.environment, deployment: Some(subject.deployment), epoch: None };
    let mut command = set(command, &context, Some(subject.placed));
    command.limit = usize::try_from(JSON_LIMIT).unwrap_or(usize::MAX);
    run(command).await
}

/// A program that did not end by itself, or not well.
fn ended(output: &Output) -> Asked {
    Asked::fail(format!("it {}", output.ending()))
}

/// A complaint with the last line that the program printed.
fn with_tail(asked: Asked, output: &Output) -> Asked {
    use crate::check::trial::Try;
    let tail = output.tail(1);
    if asked.shown == Try::Pass || tail.is_empty() {
        return asked;
    }
    Asked { words: format!("{} ({})", asked.words, shortened(&tail, 120)), ..asked }
}
