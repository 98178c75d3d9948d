//! `release pr`: opens or updates the release pull request.

use std::collections::BTreeSet;

use serde::Serialize;

use crate::apply::catch_up::{Standing, catch_up};
use crate::cli::args::{Global, Output};
use crate::cli::args_pr;
use crate::cli::failure::{Failure, Kind};
use crate::cli::github::{failure as github_failure, github};
use crate::cli::ledger::{self, alone, store_failure};
use crate::cli::merged::merged;
use crate::cli::open;
use crate::cli::proposing::{Answer, Proposing};
use crate::cli::ship_answer::step_failure;
use crate::plan::shares::{Share, shares};
use crate::report::json;
use crate::report::plain::line;
use crate::report::streams::Streams;
use crate::report::words::planned;
use crate::survey::facts::Survey;
use crate::survey::home::Home;
use crate::world::remote_refs::remote_refs;

#[derive(Serialize)]
struct Answers<'a> {
    pull_requests: &'a [Answer],
}

pub fn run(global: &Global, verb: &args_pr::Pr, streams: &mut Streams) -> Result<u8, Failure> {
    let home = ledger::home(global)?;
    let _alone = alone(&home.repository)?;
    ledger::runtime()?.block_on(async {
        let github = github(&home).await?;
        if let Some(github) = &github {
            github.must_have_token().map_err(github_failure)?;
        }
        let remote = home.remote.clone().ok_or_else(|| {
            Failure::user("a release pull request needs a git remote, and there is none")
                .hint("`git remote add origin URL`, or name the `remote` of `[workspace]`")
        })?;
        let survey = level(global, verb, &home, &remote, streams).await?;
        refuse_waiting(&survey, &remote).await?;
        let who = ledger::who(&home)?;
        let request = open::request(&survey, global, &verb.wish)?;
        let table = survey.pull_request.clone().unwrap_or_default();
        let all = shares(&survey.facts, table.per.unwrap_or_default(), request.only.as_ref());
        let mut proposing = Proposing {
            survey: &survey,
            verb,
            streams,
            github: github.as_ref(),
            remote: &remote,
            table: &table,
            who: &who,
            request,
            answers: Vec::new(),
        };
        let failed = proposing.all(&all, global.packages.is_empty()).await?;
        let answers = proposing.answers;
        let code = print(&answers, github.is_some(), &all, verb, streams);
        match failed {
            None => Ok(code),
            Some(failure) => Err(failure),
        }
    })
}

/// The repository as it is on the remote's branch: only what stands there can be proposed.
async fn level(
    global: &Global,
    verb: &args_pr::Pr,
    home: &Home,
    remote: &str,
    streams: &mut Streams,
) -> Result<Survey, Failure> {
    let (book, remark) = ledger::read_book(home).await?;
    if let Some(remark) = remark {
        streams.tell(&format!("{remark}\n"));
    }
    let survey = || open::survey_knowing(global, &verb.wish, Some(book.state()));
    let found = survey()?;
    found.refuse_other_branch().map_err(open::failure)?;
    let Some(branch) = found.facts.branch.clone() else {
        return Err(Failure::user("HEAD is detached, so there is no branch to propose a release for")
            .hint("check a branch out first: `git switch main`"));
    };
    let standing = catch_up(&home.repository, remote, &branch, book.state()).await;
    match standing.map_err(|error| step_failure(vec![("catching up".to_owned(), error)]))? {
        Standing::Level { .. } | Standing::CaughtUp(_) => {}
        Standing::Behind { commit } | Standing::Diverged { commit } => {
            let short = commit.get(..7).unwrap_or(&commit);
            let text = format!("`{branch}` of `{remote}` has commits that are not here: {short}");
            return Err(Failure::new(Kind::Stale, text)
                .hint(format!("`git pull {remote} {branch}`; a run for those commits proposes them too")));
        }
    }
    let name = format!("refs/heads/{branch}");
    let at = remote_refs(&home.repository, remote, &[&name]).await.map_err(store_failure)?.remove(&name);
    let survey = survey()?;
    if at != Some(survey.facts.history.head.to_string()) {
        let text = format!("`{branch}` has commits that `{remote}` does not have");
        return Err(Failure::user(text).hint(format!("`git push {remote} {branch}`, then `release pr`")));
    }
    Ok(survey)
}

/// What is merged is shipped first: its numbers are taken, and its changes are in no tag yet.
async fn refuse_waiting(survey: &Survey, remote: &str) -> Result<(), Failure> {
    match merged(survey, Some(remote)).await?.first() {
        None => Ok(()),
        Some(waiting) => {
            let text =
                format!("a merged release pull request waits to be shipped: {}", planned(&waiting.plan));
            Err(Failure::new(Kind::NotAllowed, text).hint("`release ship` ships it; then `release pr` again"))
        }
    }
}

fn print(
    answers: &[Answer],
    has_github: bool,
    shares: &[Share],
    verb: &args_pr::Pr,
    streams: &mut Streams,
) -> u8 {
    match verb.output {
        Output::Json => streams.print(&json::pretty(&Answers { pull_requests: answers })),
        Output::Markdown => {
            let texts: Vec<&str> = answers.iter().map(|answer| answer.text.as_str()).collect();
            streams.print(&texts.join("\n"));
        }
        Output::Text => {
            for answer in answers {
                streams.print(&in_words(answer, has_github));
            }
        }
    }
    let proposes: BTreeSet<&str> = answers
        .iter()
        .filter(|answer| answer.action != "closed")
        .map(|answer| answer.branch.as_str())
        .collect();
    if proposes.is_empty() && !shares.is_empty() {
        if verb.output == Output::Text {
            streams.print("nothing to release\n");
        }
        return if verb.detailed_exitcode { 3 } else { 0 };
    }
    0
}

fn in_words(answer: &Answer, has_github: bool) -> String {
    let releases: Vec<String> =
        answer.releases.iter().map(|one| format!("{} {}", one.package, one.to)).collect();
    let what = match answer.number {
        Some(number) => format!("#{number}"),
        None => line(&answer.branch),
    };
    let mut text = format!("{} {what}", answer.action);
    if !releases.is_empty() {
        text.push_str(&format!(": {}", line(&releases.join(", "))));
    }
    if let Some(url) = &answer.url {
        text.push_str(&format!("\n  {}", line(url)));
    }
    text.push('\n');
    if !has_github && answer.action == "pushed" {
        text.push_str("  open a pull request from it; `release pr --output markdown` prints its text\n");
    }
    text
}
