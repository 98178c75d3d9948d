//! One release pull request: what people wrote in it is kept, its branch and its text are brought up to date.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use crate::apply::crash;
use crate::apply::proposal::{Found, Proposal, ProposalError, look};
use crate::cli::args_pr;
use crate::cli::failure::{Failure, Kind};
use crate::cli::github::failure as github_failure;
use crate::cli::ledger::store_failure;
use crate::cli::ship_answer::step_failure;
use crate::plan::digest::Digest;
use crate::plan::facts::Request;
use crate::plan::make::make;
use crate::plan::merged::{message_of, plans_named};
use crate::plan::shares::Share;
use crate::plan::{Plan, Release};
use crate::render::notes_merge;
use crate::report::pull_request::{body, notes_of_body, plan_of_body, shown, title};
use crate::report::streams::Streams;
use crate::survey::facts::Survey;
use crate::survey::merged::{Proposed, proposed};
use crate::survey::merged_check::changelogs;
use crate::workspace::config::pull_request::{Commits, PullRequestTable};
use crate::world::git::Person;
use crate::world::github::GitHub;
use crate::world::github::error::GitHubError;
use crate::world::github::pulls::Pull;
use crate::world::plan_ref::fetch_waiting_plans;
use crate::world::remote_refs::{fetch, remote_refs};

/// How often a pull request is looked at anew that somebody edits at this moment.
const TRIES: usize = 5;

/// What became of one pull request.
#[derive(Debug, Clone, Serialize)]
pub struct Answer {
    pub action: &'static str,
    pub number: Option<u64>,
    pub url: Option<String>,
    pub branch: String,
    /// The plan's digest; none for one that is closed.
    pub digest: Option<Digest>,
    pub releases: Vec<Named>,
    /// The text of the pull request.
    #[serde(skip)]
    pub text: String,
}

/// A release by its name and number.
#[derive(Debug, Clone, Serialize)]
pub struct Named {
    pub package: String,
    pub to: String,
}

pub struct Proposing<'a> {
    pub survey: &'a Survey,
    pub verb: &'a args_pr::Pr,
    pub streams: &'a mut Streams,
    pub github: Option<&'a GitHub>,
    pub remote: &'a str,
    pub table: &'a PullRequestTable,
    pub who: &'a Person,
    pub request: Request,
    pub answers: Vec<Answer>,
}

/// A release branch and its pull request as they are found.
pub(in crate::cli) struct Standing {
    /// Where the branch is on the remote.
    pub at: Option<String>,
    pub found: Found,
    /// The plan that its commit names.
    on_branch: Option<Proposed>,
    pub pull: Option<Pull>,
    /// The plan that the pull request's text was written for.
    in_text: Option<Proposed>,
}

/// Whether a pull request is done, or somebody edited it meanwhile.
enum Attempt {
    Done(Answer),
    Again,
}

impl Proposing<'_> {
    /// Brings all pull requests up to date. One that can not be is the failure in the end; the others are done.
    pub async fn all(&mut self, shares: &[Share], close_others: bool) -> Result<Option<Failure>, Failure> {
        let mut failed = None;
        let mut wanted = BTreeMap::new();
        let mut obsolete: BTreeSet<String> = BTreeSet::new();
        for share in shares {
            let branch = self.table.branch_for(share.name.as_deref());
            let plan = self.plan(share, BTreeMap::new())?;
            match plan.refused.first() {
                Some(refused) => {
                    let text = format!("{} can not be released: {}", refused.package, refused.reason);
                    failed = failed.or(Some(Failure::user(text).hint(refused.way_out.clone())));
                    // What stands there for it stays until somebody decides.
                    wanted.insert(branch, None);
                }
                None if plan.releases.is_empty() => {
                    obsolete.insert(branch);
                }
                None => {
                    wanted.insert(branch, Some((share, plan)));
                }
            }
        }
        if close_others {
            obsolete.extend(self.branches().await?.into_iter().filter(|name| !wanted.contains_key(name)));
        }
        // First: a branch may stand where a folder of branches shall come.
        for branch in obsolete {
            if let Err(failure) = self.close(&branch).await {
                failed = failed.or(Some(failure));
            }
        }
        for (branch, one) in wanted {
            let Some((share, plan)) = one else { continue };
            match self.propose(share, &branch, &plan).await {
                Ok(answer) => self.answers.push(answer),
                Err(failure) => failed = failed.or(Some(failure)),
            }
        }
        self.sweep().await;
        Ok(failed)
    }

    fn plan(&self, share: &Share, notes: BTreeMap<String, String>) -> Result<Plan, Failure> {
        let request = Request { only: share.only.clone(), notes, ..self.request.clone() };
        make(&self.survey.facts, &request).map_err(Failure::user)
    }

    pub(in crate::cli) fn main(&self) -> &str {
        self.survey.facts.branch.as_deref().unwrap_or_default()
    }

    async fn propose(&mut self, share: &Share, branch: &str, rendered: &Plan) -> Result<Answer, Failure> {
        for _ in 0..TRIES {
            if let Attempt::Done(answer) = self.attempt(share, branch, rendered).await? {
                return Ok(answer);
            }
        }
        Err(Failure::new(
            Kind::Stale,
            format!("somebody changes the pull request of `{branch}` all the time"),
        )
        .hint("`release pr` again, at a calmer moment"))
    }

    async fn attempt(&mut self, share: &Share, branch: &str, rendered: &Plan) -> Result<Attempt, Failure> {
        let standing = self.standing(branch).await?;
        if let (Found::Others(paths), false) = (&standing.found, self.verb.overwrite) {
            return Err(others(branch, paths));
        }
        let plan = self.plan(share, edited_notes(&standing, rendered))?;
        let notes = rendered.releases.iter().map(|one| (one.package.clone(), one.notes.clone())).collect();
        let proposed = Proposed { plan, rendered: notes };
        let plan = &proposed.plan;
        let is_there = standing.found == Found::Ours
            && standing.on_branch.as_ref().is_some_and(|old| old.plan.digest == plan.digest);
        let commit = match &standing.at {
            Some(at) if is_there => at.clone(),
            from => self.bring(&proposed, branch, from.clone()).await?,
        };
        let Some(github) = self.github else {
            let action = if is_there { "unchanged" } else { "pushed" };
            return Ok(Attempt::Done(answer(action, None, branch, plan)));
        };
        let (action, pull) = match self.text(github, &standing, branch, plan).await? {
            Some(done) => done,
            None => return Ok(Attempt::Again),
        };
        if action == "opened" && github.squashes_to_titles().await.unwrap_or(false) {
            self.streams.tell(
                "warning: this repository squashes pull requests into their title alone, and the plan's name is lost; \
                 set \"Default commit message\" of squash merging to \"Pull request title and commit details\"\n",
            );
        }
        self.label(github, &pull).await?;
        self.check(github, branch, &commit).await?;
        let action = if action == "unchanged" && !is_there { "updated" } else { action };
        Ok(Attempt::Done(answer(action, Some(&pull), branch, plan)))
    }

    pub(in crate::cli) async fn standing(&self, branch: &str) -> Result<Standing, Failure> {
        let repository = &self.survey.repository;
        let name = format!("refs/heads/{branch}");
        let found = remote_refs(repository, self.remote, &[&name]).await.map_err(store_failure)?;
        let at = found.get(&name).cloned();
        if let Some(at) = &at
            && !repository.has_object(at)
        {
            fetch(repository, self.remote, &[name]).await.map_err(store_failure)?;
        }
        let pull = match self.github {
            Some(github) => self.pull(github, branch).await?,
            None => None,
        };
        let named = match &at {
            Some(at) => self.named_on(at)?,
            None => None,
        };
        let in_text = pull.as_ref().and_then(|pull| plan_of_body(pull.body.as_deref().unwrap_or_default()));
        let on_branch = self.known(named.as_ref()).await?;
        let in_text = self.known(in_text.as_ref()).await?;
        let found = match (&at, &on_branch) {
            (None, _) => Found::Nothing,
            (Some(at), _) if self.is_merged(at, named.as_ref())? => Found::Merged,
            (Some(_), None) => Found::Others(Vec::new()),
            (Some(at), Some(old)) => look(repository, &old.plan, at, &changelogs(self.survey))
                .map_err(|error| step_failure(vec![(format!("looking at `{branch}`"), error)]))?,
        };
        Ok(Standing { at, found, on_branch, pull, in_text })
    }

    /// The plan that a commit of a release branch, and none of the main branch, names.
    pub(in crate::cli) fn named_on(&self, at: &str) -> Result<Option<Digest>, Failure> {
        let head = self.survey.facts.history.head.to_string();
        let messages = self.survey.repository.messages_between(&head, at).map_err(Failure::user)?;
        Ok(messages.iter().find_map(|(_, message)| plans_named(message).into_iter().next()))
    }

    /// Whether a release branch is in the main branch already: itself, or what a squash or a rebase made of it.
    fn is_merged(&self, at: &str, named: Option<&Digest>) -> Result<bool, Failure> {
        let (repository, head) = (&self.survey.repository, &self.survey.facts.history.head.to_string());
        if repository.is_ancestor(at, head).map_err(Failure::user)? {
            return Ok(true);
        }
        let fork = repository.merge_base(at, head).map_err(Failure::user)?;
        let (Some(named), Some(fork)) = (named, fork) else { return Ok(false) };
        let since = repository.messages_between(&fork, head).map_err(Failure::user)?;
        Ok(since.iter().any(|(_, message)| plans_named(message).contains(named)))
    }

    /// A waiting plan, from here or from the remote.
    async fn known(&self, digest: Option<&Digest>) -> Result<Option<Proposed>, Failure> {
        let Some(digest) = digest else { return Ok(None) };
        let repository = &self.survey.repository;
        let here = proposed(repository, digest).map_err(Failure::user)?;
        if here.is_some() {
            return Ok(here);
        }
        let wanted = [digest.hex().to_owned()];
        fetch_waiting_plans(repository, self.remote, &wanted).await.map_err(store_failure)?;
        proposed(repository, digest).map_err(Failure::user)
    }

    /// The open pull request of a branch. It is ours by the mark in its text, whatever its title and labels are.
    async fn pull(&self, github: &GitHub, branch: &str) -> Result<Option<Pull>, Failure> {
        let pulls = github.open_pulls(branch, self.main()).await.map_err(pull_failure)?;
        match pulls.into_iter().next() {
            Some(pull) if plan_of_body(pull.body.as_deref().unwrap_or_default()).is_none() => {
                let text = format!(
                    "pull request #{} of `{branch}` is none of ours: its text names no plan",
                    pull.number
                );
                Err(Failure::new(Kind::NotAllowed, text)
                    .hint("close it, and `release pr` opens one of its own; or set another `branch` in `[pull-request]`"))
            }
            pull => Ok(pull),
        }
    }

    /// Brings the release commit onto its branch.
    async fn bring(
        &self,
        proposed: &Proposed,
        branch: &str,
        from: Option<String>,
    ) -> Result<String, Failure> {
        let proposal = Proposal {
            repository: &self.survey.repository,
            remote: self.remote,
            plan: &proposed.plan,
            files: &proposed.files(),
            branch,
            from,
            who: self.who,
        };
        let brought = match (self.table.commits.unwrap_or_default(), self.github) {
            (Commits::Git, _) => proposal.push().await.map_err(ProposalError::from),
            (Commits::Api, Some(github)) => proposal.make(github).await,
            (Commits::Api, None) => {
                return Err(Failure::user("`commits = \"api\"` of `[pull-request]` needs a forge's API")
                    .hint("add `[github]` to the configuration, or set `commits = \"git\"`"));
            }
        };
        brought.map_err(|error| match error {
            ProposalError::GitHub(error) => {
                let is_forbidden = error.is_forbidden();
                let failure = github_failure(error);
                if is_forbidden { failure.hint("the job needs `contents: write`") } else { failure }
            }
            ProposalError::Step(error) => {
                let failure = step_failure(vec![(format!("pushing `{branch}`"), error)]);
                match failure.kind {
                    Kind::NotAllowed => {
                        failure.hint("the job needs `contents: write`, and rules that let it push there")
                    }
                    _ => failure,
                }
            }
            error @ ProposalError::OtherTree { .. } => Failure::new(Kind::Conflict, error)
                .hint("set `commits = \"git\"` in `[pull-request]`, and report this"),
        })
    }

    /// Opens the pull request or edits its text, unless somebody edited it since it was read.
    async fn text(
        &self,
        github: &GitHub,
        standing: &Standing,
        branch: &str,
        plan: &Plan,
    ) -> Result<Option<(&'static str, Pull)>, Failure> {
        let text = body(plan);
        let wanted = self.title(plan);
        let Some(pull) = &standing.pull else {
            crash::point();
            let opened = github.open_pull(branch, self.main(), &wanted, &text).await;
            crash::point();
            return match opened {
                Ok(pull) => Ok(Some(("opened", pull))),
                // Somebody opened it at the same moment, or the answer was lost: it is found the next time.
                Err(error) if error.may_have_acted() || error.status() == Some(422) => {
                    match self.pull(github, branch).await? {
                        Some(_) => Ok(None),
                        None => Err(pull_failure(error)),
                    }
                }
                Err(error) => Err(pull_failure(error)),
            };
        };
        let now = github.pull(pull.number).await.map_err(pull_failure)?;
        if now.body != pull.body {
            return Ok(None);
        }
        // A title that a person gave stays.
        let before = standing.in_text.as_ref().map(|old| self.title(&old.plan));
        let title = if before.as_ref() == Some(&now.title) { wanted } else { now.title.clone() };
        if same(now.body.as_deref().unwrap_or_default(), &text) && title == now.title {
            return Ok(Some(("unchanged", now)));
        }
        crash::point();
        let edited = github.edit_pull(now.number, &title, &text).await.map_err(pull_failure)?;
        crash::point();
        Ok(Some(("updated", edited)))
    }

    fn title(&self, plan: &Plan) -> String {
        title(plan, self.table.title.as_deref(), message_of(plan))
    }

    async fn label(&self, github: &GitHub, pull: &Pull) -> Result<(), Failure> {
        let has = |label: &&String| pull.labels.iter().any(|known| known.name.eq_ignore_ascii_case(label));
        let missing: Vec<String> = self.table.labels.iter().filter(|label| !has(label)).cloned().collect();
        if missing.is_empty() {
            return Ok(());
        }
        crash::point();
        github.label_pull(pull.number, &missing).await.map_err(pull_failure)?;
        crash::point();
        Ok(())
    }

    /// Starts the workflows that must pass on the branch, where none ran on its commit: a push with a job's own token
    /// starts none.
    async fn check(&self, github: &GitHub, branch: &str, commit: &str) -> Result<(), Failure> {
        for workflow in &self.table.checks {
            if github.has_run(workflow, commit).await.map_err(check_failure)? {
                continue;
            }
            crash::point();
            github.start_check(workflow, branch).await.map_err(check_failure)?;
            crash::point();
        }
        Ok(())
    }
}

/// The notes that people wrote, brought up to what is rendered now; by package.
fn edited_notes(standing: &Standing, rendered: &Plan) -> BTreeMap<String, String> {
    let text = standing.pull.as_ref().and_then(|pull| pull.body.as_deref()).unwrap_or_default();
    let in_text = notes_of_body(text);
    let old = standing.in_text.as_ref().or(standing.on_branch.as_ref());
    let mut edited = BTreeMap::new();
    for release in &rendered.releases {
        let package = &release.package;
        let of_branch = match &standing.found {
            Found::Edited(notes) => notes.get(package),
            _ => None,
        };
        let planned = old.and_then(|old| notes_in(&old.plan, package));
        let of_text = in_text.get(package);
        let both = of_branch.zip(of_text).zip(planned);
        // Edited in both places: what the branch says beyond the plan comes into what the text says.
        let both = both.map(|((branch, text), planned)| notes_merge::merge(&shown(planned), branch, text));
        let Some(theirs) = both.as_ref().or(of_branch).or(of_text).or(planned) else { continue };
        let base = old.and_then(|old| old.rendered.get(package)).map(String::as_str).unwrap_or_default();
        if same(theirs, &shown(base)) || same(theirs, &shown(&release.notes)) {
            continue;
        }
        let merged = notes_merge::merge(&shown(base), &shown(&release.notes), &theirs.replace("\r\n", "\n"));
        if !same(&merged, &shown(&release.notes)) {
            edited.insert(package.clone(), merged);
        }
    }
    edited
}

fn notes_in<'p>(plan: &'p Plan, package: &str) -> Option<&'p String> {
    let is_it = |release: &&Release| release.package == package;
    plan.releases.iter().find(is_it).map(|release| &release.notes)
}

/// Whether two texts are the same but for line ends and what surrounds them.
fn same(one: &str, other: &str) -> bool {
    one.replace("\r\n", "\n").trim() == other.replace("\r\n", "\n").trim()
}

fn answer(action: &'static str, pull: Option<&Pull>, branch: &str, plan: &Plan) -> Answer {
    let named = |release: &Release| Named { package: release.package.clone(), to: release.to.clone() };
    Answer {
        action,
        number: pull.map(|pull| pull.number),
        url: pull.map(|pull| pull.html_url.clone()),
        branch: branch.to_owned(),
        digest: Some(plan.digest.clone()),
        releases: plan.releases.iter().map(named).collect(),
        text: body(plan),
    }
}

fn others(branch: &str, paths: &[String]) -> Failure {
    let what = match paths.first() {
        Some(path) => format!(": {path} is changed there"),
        None => String::new(),
    };
    Failure::new(Kind::NotAllowed, format!("branch `{branch}` has commits of others{what}"))
        .hint("merge its pull request as it is, or bring those commits onto the main branch")
        .hint("`release pr --overwrite` drops them")
}

/// What GitHub says about a pull request, with the permission that a job needs.
pub(in crate::cli) fn pull_failure(error: GitHubError) -> Failure {
    let is_forbidden = error.is_forbidden();
    let failure = github_failure(error);
    if !is_forbidden {
        return failure;
    }
    failure.hint(
        "a job needs `pull-requests: write`, and the repository's setting \"Allow GitHub Actions to create and approve \
         pull requests\"",
    )
}

fn check_failure(error: GitHubError) -> Failure {
    let is_forbidden = error.is_forbidden();
    let is_unknown = matches!(error.status(), Some(404 | 422));
    let failure = github_failure(error);
    if is_forbidden {
        return failure
            .hint("the pull request is up to date; to start its checks a job needs `actions: write`");
    }
    if is_unknown {
        return failure.hint(
            "`checks` of `[pull-request]` names workflows on the main branch with `on: workflow_dispatch`",
        );
    }
    failure
}
