//! After a release: pull requests and issues are told in which versions they came out. Nothing of it can fail a ship.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use tokio::time::{sleep, timeout};

use crate::apply::effect::{Evidence, Job};
use crate::apply::one_comment::{Wanted, ensure};
use crate::apply::workshop::Workshop;
use crate::history::footer::is_closing;
use crate::history::reader::message_footers;
use crate::history::reference::numbers;
use crate::plan::{BecauseKind, Plan};
use crate::render::told::{MARK, told_body};
use crate::world::git::Repository;
use crate::world::github::GitHub;
use crate::world::github::comments::Speaker;
use crate::world::github::error::GitHubError;

/// How many pull requests and issues one ship tells.
const MOST: usize = 100;
/// How many commits are looked up.
const COMMITS: usize = 300;
/// How many failures in a row end it.
const FAILURES: usize = 3;
/// How long all of it may take.
const BUDGET: Duration = Duration::from_secs(600);

/// What each pull request and issue came out in: places in the plan's releases.
type Told = BTreeMap<u64, BTreeSet<usize>>;

/// Tells them all. What could not be told is a remark, and stands in the evidence.
pub async fn tell(job: &Job, workshop: &Workshop, comment: bool, labels: &[String]) -> Evidence {
    let mut telling = Telling { job, comment, labels, told: 0, untold: Vec::new() };
    match &workshop.github {
        None => telling.untold.push("the configuration has no `[github]` any more".to_owned()),
        Some(github) => {
            let pause = workshop.images.pace.base;
            let done = timeout(BUDGET, telling.run(github, &workshop.repository, pause)).await;
            match done {
                Ok(Ok(())) => {}
                Ok(Err(error)) => telling.untold.push(reason(&error)),
                Err(_) => telling.untold.push("it takes too long".to_owned()),
            }
        }
    }
    let mut evidence = Evidence::from([("told".to_owned(), telling.told.to_string())]);
    if let Some(first) = telling.untold.first() {
        job.notes.remark(format!("not all pull requests and issues were told of the release: {first}"));
        evidence.insert("untold".to_owned(), telling.untold.join("; "));
    }
    evidence
}

struct Telling<'t> {
    job: &'t Job,
    comment: bool,
    labels: &'t [String],
    told: usize,
    untold: Vec<String>,
}

impl Telling<'_> {
    async fn run(
        &mut self,
        github: &GitHub,
        repository: &Repository,
        pause: Duration,
    ) -> Result<(), GitHubError> {
        github.must_have_token()?;
        let plan = &self.job.plan;
        let found = self.find(github, repository).await?;
        let speaker = github.speaker().await?;
        let more = found.len().saturating_sub(MOST);
        let mut failures = 0;
        for (number, releases) in found.into_iter().take(MOST) {
            match self.tell_one(github, &speaker, plan, number, &releases, pause).await {
                Ok(()) => (self.told, failures) = (self.told + 1, 0),
                // A number that names nothing here, or a closed conversation.
                Err(error) if error.is_missing() => self.untold.push(format!("#{number} is not there")),
                Err(error) if error.status() == Some(401) => return Err(error),
                Err(error) => {
                    self.untold.push(format!("#{number}: {}", reason(&error)));
                    failures += 1;
                    if failures >= FAILURES {
                        return Ok(());
                    }
                }
            }
            // GitHub asks for a second between two things that people are told of.
            sleep(pause).await;
        }
        if more > 0 {
            self.untold.push(format!("{more} more than the {MOST} that one ship tells"));
        }
        Ok(())
    }

    async fn tell_one(
        &self,
        github: &GitHub,
        speaker: &Speaker,
        plan: &Plan,
        number: u64,
        releases: &BTreeSet<usize>,
        pause: Duration,
    ) -> Result<(), GitHubError> {
        if self.comment {
            let mark = format!("{MARK}{} -->", plan.digest);
            let released: Vec<(String, String)> = releases
                .iter()
                .map(|at| &plan.releases[*at])
                .map(|release| {
                    (format!("{} {}", release.package, release.to), github.release_page(&release.tag))
                })
                .collect();
            let body = told_body(&mark, &released);
            ensure(github, speaker, &Wanted { number, mark: &mark, body: &body, is_newer: &|_| false })
                .await?;
        }
        if self.comment && !self.labels.is_empty() {
            sleep(pause).await;
        }
        if !self.labels.is_empty() {
            github.add_labels(number, self.labels).await?;
        }
        Ok(())
    }

    /// The pull requests of the commits that are reasons of the releases, and the issues that either closes.
    async fn find(&self, github: &GitHub, repository: &Repository) -> Result<Told, GitHubError> {
        let mut told = Told::new();
        let commits = commits(&self.job.plan);
        for (commit, releases) in commits.iter().take(COMMITS) {
            let objects = repository.objects();
            let message = objects.commit(commit).map(|record| record.words.message).unwrap_or_default();
            let mut closed = closed_by(&message);
            let pulls = match github.pulls_of_commit(commit).await {
                // GitHub does not know the commit: it was never pushed there.
                Err(error) if error.is_missing() || error.status() == Some(422) => Vec::new(),
                found => found?,
            };
            for pull in pulls {
                if pull.merged_at.is_some() {
                    closed.extend(closed_by(&format!("{}\n\n{}", pull.title, pull.body.unwrap_or_default())));
                    closed.push(pull.number);
                }
            }
            for number in closed {
                told.entry(number).or_default().extend(releases);
            }
        }
        if commits.len() > COMMITS {
            let more = commits.len() - COMMITS;
            self.job.notes.remark(format!("{more} commits were not looked up: one ship looks up {COMMITS}"));
        }
        Ok(told)
    }
}

/// The commits that are reasons, and for which releases.
fn commits(plan: &Plan) -> BTreeMap<String, BTreeSet<usize>> {
    let mut found: BTreeMap<String, BTreeSet<usize>> = BTreeMap::new();
    for (at, release) in plan.releases.iter().enumerate() {
        let reasons = release.because.iter().filter(|because| because.kind == BecauseKind::Commit);
        for commit in reasons.filter_map(|because| because.commit.as_ref()) {
            found.entry(commit.to_string()).or_default().insert(at);
        }
    }
    found
}

/// The numbers that a message's footers close.
fn closed_by(message: &str) -> Vec<u64> {
    let footers = message_footers(message).footers;
    let closing = footers.iter().filter(|footer| is_closing(&footer.token));
    closing
        .flat_map(|footer| {
            let value = footer.value.trim();
            // `Closes #12` keeps the number behind the separator.
            let hash = if value.starts_with(|one: char| one.is_ascii_digit()) { "#" } else { "" };
            numbers(&format!("{hash}{value}"))
        })
        .collect()
}

fn reason(error: &GitHubError) -> String {
    match error.status() {
        Some(403) => format!("{error}; the token lacks `issues: write` or `pull-requests: write`"),
        _ => match error.way_out() {
            Some(way_out) => format!("{error}; {way_out}"),
            None => error.to_string(),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn footers_close_issues_of_this_repository() {
        assert_eq!(closed_by("fix: x\n\nCloses #12\nFixes: #13, #14"), [12, 13, 14]);
        assert_eq!(closed_by("fix: x\n\nCloses: other/repository#12"), Vec::<u64>::new());
        assert_eq!(closed_by("fix: x (#3)\n\nRefs: #12\n\nsome #5 words"), Vec::<u64>::new());
    }
}
