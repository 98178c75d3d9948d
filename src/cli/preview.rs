//! `release plan --comment`: tells a pull request what merging it would release.

use serde::Serialize;

use crate::apply::one_comment::{Done, Wanted, ensure};
use crate::cli::args::{self, Global};
use crate::cli::args_preview::pull_number;
use crate::cli::args_relay::PlanShape;
use crate::cli::failure::{Failure, Kind};
use crate::cli::github::{failure, github};
use crate::cli::github_output::file;
use crate::cli::preview_mark::{Mark, PREVIEW};
use crate::cli::{ledger, open};
use crate::plan::Plan;
use crate::plan::preview::{Preview, preview};
use crate::render::merge_message::{MergeWords, merge_message, squash_message};
use crate::report::json;
use crate::report::plain::line;
use crate::report::preview::{Made, preview_markdown};
use crate::report::streams::Streams;
use crate::report::words::short;
use crate::survey::facts::Options;
use crate::survey::home::Home;
use crate::survey::merging::Merging;
use crate::workspace::config::merge_method::MergeMethod;
use crate::world::files;
use crate::world::git::Repository;
use crate::world::github::GitHub;
use crate::world::github::error::GitHubError;
use crate::world::github::pull_requests::PullView;

/// What `--output json` says.
#[derive(Serialize)]
struct Answer<'a> {
    pull_request: u64,
    /// `added`, `changed`, `same`, `newer`, `outdated`, `closed`, `not-allowed`.
    comment: &'a str,
    url: Option<&'a str>,
    markdown: &'a str,
}

/// The trial merge that is checked out.
struct Trial {
    /// The tip of the branch that is merged into.
    base: String,
    /// The pull request's last commit.
    tip: String,
}

/// How the comment stands now.
enum Standing {
    Done(Done),
    NotAllowed(String),
}

pub fn run(global: &Global, verb: &args::Plan, word: &str, streams: &mut Streams) -> Result<u8, Failure> {
    if verb.output == PlanShape::Github {
        return Err(Failure::user("a comment is no output of a workflow's step")
            .hint("take `--output github` out; `--output json` tells what became of the comment"));
    }
    let number = pull_number(word, &|name| std::env::var_os(name))?;
    let home = ledger::home(global)?;
    ledger::runtime()?.block_on(comment(global, verb, number, &home, streams))
}

async fn comment(
    global: &Global,
    verb: &args::Plan,
    number: u64,
    home: &Home,
    streams: &mut Streams,
) -> Result<u8, Failure> {
    let (Some(github), Some(table)) = (github(home).await?, &home.github) else {
        return Err(Failure::user("the configuration does not say that this repository is at GitHub")
            .hint("add `[github]` to the configuration; an empty table is enough"));
    };
    github.must_have_token().map_err(failure)?;
    let pull = github.pull_view(number).await.map_err(failure)?;
    if pull.state != "open" {
        return leave(verb, number, "closed", &format!("#{number} is {}", line(&pull.state)), streams);
    }
    let trial = trial(&home.repository, number)?;
    if trial.tip != pull.head.sha {
        return outdated(verb, &pull, &trial, streams);
    }
    let how = table.merge;
    let message = message(&github, &pull, how).await.map_err(failure)?;
    let (with, without) = plans(global, verb, &trial, how, message, streams)?;
    let found = preview(&with, without.as_ref());
    let text =
        preview_markdown(&found, Made { head: &trial.tip, base: &trial.base, how: how.done() }, Mark::ROOM);
    let mark = Mark::new(&trial.tip, &|name| std::env::var_os(name));
    let body = format!("{}\n{text}", mark.line());
    let standing = stand(&github, &home.repository, number, &mark, &body).await?;
    tell(verb, number, &standing, &text, streams)?;
    code(verb, &found)
}

/// HEAD as the merge that GitHub made to try the pull request.
fn trial(repository: &Repository, number: u64) -> Result<Trial, Failure> {
    let head = repository.head().map_err(Failure::user)?.commit;
    let parents = repository.objects().commit(&head).map_err(Failure::user)?.parents;
    match <[String; 2]>::try_from(parents) {
        Ok([base, tip]) => Ok(Trial { base, tip }),
        Err(_) => Err(Failure::user(format!("HEAD is not the merge of #{number} into its branch")).hint(format!(
            "`git fetch origin refs/pull/{number}/merge && git switch --detach FETCH_HEAD`; a workflow on \
             `pull_request` has it checked out, with `fetch-depth: 0`"
        ))),
    }
}

/// The plan of the branch as it will be, and as it is.
fn plans(
    global: &Global,
    verb: &args::Plan,
    trial: &Trial,
    how: MergeMethod,
    message: String,
    streams: &mut Streams,
) -> Result<(Plan, Option<Plan>), Failure> {
    let merging = Merging { how, base: trial.base.clone(), message };
    let of = |options: Options| -> Result<Plan, Failure> {
        let survey = open::survey_with(global, &verb.wish, options)?;
        open::plan(&survey, global, &verb.wish)
    };
    let with = of(Options { merging: Some(merging), ..Options::default() })?;
    let without = match of(Options { at: Some(trial.base.clone()), ..Options::default() }) {
        Ok(plan) => Some(plan),
        Err(failure) => {
            let text = format!("the branch as it is can not be planned, so all is shown: {}", failure.error);
            streams.tell(&format!("{}\n", line(&text)));
            None
        }
    };
    Ok((with, without))
}

/// What the commit will say that merges the pull request.
async fn message(github: &GitHub, pull: &PullView, how: MergeMethod) -> Result<String, GitHubError> {
    if how == MergeMethod::Rebase {
        return Ok(String::new());
    }
    let wording = github.merge_wording().await?;
    let (title_rule, message_rule) = match how {
        MergeMethod::Squash => (&wording.squash_merge_commit_title, &wording.squash_merge_commit_message),
        _ => (&wording.merge_commit_title, &wording.merge_commit_message),
    };
    let asks = |rule: &Option<String>, name: &str| rule.as_deref() == Some(name);
    let needs_messages = asks(title_rule, "COMMIT_OR_PR_TITLE") || asks(message_rule, "COMMIT_MESSAGES");
    let messages = match how == MergeMethod::Squash && needs_messages {
        true => github.messages_of_pull(pull.number).await?,
        false => Vec::new(),
    };
    let words = MergeWords {
        number: pull.number,
        title: &pull.title,
        body: pull.body.as_deref().unwrap_or_default(),
        label: pull.head.label.as_deref().unwrap_or(&pull.head.branch),
        messages: &messages,
        title_rule: title_rule.as_deref(),
        message_rule: message_rule.as_deref(),
    };
    Ok(if how == MergeMethod::Squash { squash_message(&words) } else { merge_message(&words) })
}

async fn stand(
    github: &GitHub,
    repository: &Repository,
    number: u64,
    mark: &Mark,
    body: &str,
) -> Result<Standing, Failure> {
    let is_ancestor = |older: &str, newer: &str| repository.is_ancestor(older, newer).unwrap_or(false);
    let is_newer = |line: &str| Mark::read(line).is_some_and(|other| other.is_newer_than(mark, &is_ancestor));
    let wanted = Wanted { number, mark: PREVIEW, body, is_newer: &is_newer };
    let done = async {
        let speaker = github.speaker().await?;
        ensure(github, &speaker, &wanted).await
    };
    match done.await {
        Ok(done) => Ok(Standing::Done(done)),
        // A run for a pull request from a fork may read alone.
        Err(error) if error.status() == Some(403) => Ok(Standing::NotAllowed(error.to_string())),
        Err(error) => Err(failure(error)),
    }
}

fn tell(
    verb: &args::Plan,
    number: u64,
    standing: &Standing,
    text: &str,
    streams: &mut Streams,
) -> Result<(), Failure> {
    let (word, said) = match standing {
        Standing::Done(Done::Added(page)) => ("added", format!("commented on #{number}: {page}")),
        Standing::Done(Done::Changed(page)) => {
            ("changed", format!("changed the comment on #{number}: {page}"))
        }
        Standing::Done(Done::Same(page)) => {
            ("same", format!("the comment on #{number} says it already: {page}"))
        }
        Standing::Done(Done::Newer(page)) => {
            ("newer", format!("the comment on #{number} is newer than this run, and stays: {page}"))
        }
        Standing::NotAllowed(reason) => ("not-allowed", not_allowed(number, reason, text)?),
    };
    let page = match standing {
        Standing::Done(done) => Some(done.page()),
        Standing::NotAllowed(_) => None,
    };
    match verb.output {
        PlanShape::Json => {
            let answer = Answer { pull_request: number, comment: word, url: page, markdown: text };
            streams.print(&json::pretty(&answer));
        }
        PlanShape::Markdown => streams.print(text),
        PlanShape::Text | PlanShape::Github => {}
    }
    streams.tell(&format!("{}\n", line(&said)));
    Ok(())
}

/// Without the right to comment the job's own page shows it.
fn not_allowed(number: u64, reason: &str, text: &str) -> Result<String, Failure> {
    let shown = match file("GITHUB_STEP_SUMMARY") {
        None => "",
        Some(path) => {
            files::append(&path, text.as_bytes())
                .map_err(|error| Failure::new(Kind::Outside, error).hint("`GITHUB_STEP_SUMMARY` names it"))?;
            ", and is on the page of this run"
        }
    };
    Ok(format!(
        "the preview can not be written to #{number}{shown}: this run's token lacks `pull-requests: write` \
         (`pull_requests: write` of an app), which a run for a fork never has: {reason}"
    ))
}

fn outdated(verb: &args::Plan, pull: &PullView, trial: &Trial, streams: &mut Streams) -> Result<u8, Failure> {
    let (number, ours, theirs) = (pull.number, short(&trial.tip), short(&pull.head.sha));
    let text =
        format!("#{number} is at {theirs}, and this is {ours} merged: the comment is left to that one's run");
    leave(verb, number, "outdated", &text, streams)
}

fn leave(
    verb: &args::Plan,
    number: u64,
    word: &str,
    text: &str,
    streams: &mut Streams,
) -> Result<u8, Failure> {
    if verb.output == PlanShape::Json {
        streams.print(&json::pretty(&Answer {
            pull_request: number,
            comment: word,
            url: None,
            markdown: "",
        }));
    }
    streams.tell(&format!("{text}; nothing was written\n"));
    Ok(0)
}

/// As `plan` ends, but for what the pull request itself does.
fn code(verb: &args::Plan, found: &Preview<'_>) -> Result<u8, Failure> {
    if let Some(refused) = found.refused.first() {
        let text = format!("with this, {} can not be planned: {}", refused.package, refused.reason);
        return Err(Failure::user(text).hint(refused.way_out.clone()));
    }
    let unread = found.left_out.iter().filter(|row| row.kind == "unparseable").count();
    if verb.strict && unread > 0 {
        let text = format!("{unread} commits of the pull request can not be read");
        return Err(Failure::new(Kind::Gate, text).hint("reword them; the comment lists them"));
    }
    Ok(if verb.detailed_exitcode && found.is_nothing() { 3 } else { 0 })
}
