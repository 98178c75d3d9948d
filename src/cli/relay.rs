//! From the claim on, a ship belongs to the CI: what this run does to hand it over.

use crate::apply::workflow::{Start, TAGS_AT_ONCE, Workflow};
use crate::cli::failure::{Failure, Kind};
use crate::cli::github::github;
use crate::cli::ledger::book_failure;
use crate::cli::ship::Shipping;
use crate::cli::watch::Watch;
use crate::cli::workshop::pace;
use crate::ledger::state::Ship;
use crate::plan::Plan;
use crate::report::plain::line;
use crate::report::ship_text::quoted;
use crate::report::words::planned;
use crate::survey::home::Home;
use crate::world::files::Lock;
use crate::world::github::error::GitHubError;

impl Shipping<'_> {
    /// Leaves a claimed ship to the CI: starts its workflow where nothing else does, and follows what becomes of it where that
    /// was asked for. This repository is free for other work meanwhile.
    pub(in crate::cli) async fn hand_over(
        &mut self,
        plan: &Plan,
        lock: Lock,
        code: u8,
    ) -> Result<u8, Failure> {
        if let Err(failure) = self.start_workflow(plan).await {
            self.print_answer(None);
            return Err(failure);
        }
        let Some(limit) = self.verb.relay.watch else {
            self.print_answer(None);
            return Ok(code);
        };
        drop(lock);
        let workflow = match self.book.ship(&plan.digest) {
            Some(ship) => workflow(self.home, plan, ship).await?,
            None => None,
        };
        let mut watch = Watch {
            global: self.global,
            streams: self.streams,
            home: self.home,
            plan,
            workflow,
            limit,
            output: self.verb.output,
            interrupt: self.interrupt.clone(),
        };
        watch.follow().await
    }

    /// Starts the workflow of the tag, where the push of the claim does not: in a job, whose own token starts nothing, and
    /// where it had too many tags. A ship that somebody has in hand, or that is over, needs no start.
    async fn start_workflow(&mut self, plan: &Plan) -> Result<(), Failure> {
        let is_job = std::env::var_os("GITHUB_ACTIONS").is_some_and(|text| text == "true");
        if !is_job && plan.releases.len() <= TAGS_AT_ONCE {
            return Ok(());
        }
        if self.home.github.is_none() {
            if is_job {
                self.streams.tell(
                    "tags that a job pushes with its own token start no workflow; with `[github]` in the configuration this \
                     run would start it\n",
                );
            }
            return Ok(());
        }
        if is_job && is_of_this_job(self.home) {
            // Further jobs of this very run go on.
            return Ok(());
        }
        self.book.follow().await.map_err(book_failure)?;
        let ship = self.book.ship(&plan.digest).filter(|ship| ship.holder.is_none());
        let Some(workflow) = (match ship {
            Some(ship) => workflow(self.home, plan, ship).await?,
            None => None,
        }) else {
            return Ok(());
        };
        let file = line(&workflow.file);
        let said = match workflow.ensure_started(&pace()).await {
            Ok(Start::Itself(run)) => format!("`{file}` is at work on it: {}", line(&run.html_url)),
            Ok(Start::Asked(run)) => format!("started `{file}` for it: {}", line(&run.html_url)),
            Ok(Start::Unseen) => format!("started `{file}` for it; GitHub does not show the run yet"),
            // Whoever claims at a desk may finish it anywhere; a job that claims relies on that workflow.
            Err(error) if !is_job && error.is_missing() => format!(
                "nothing finishes it by itself: GitHub knows no workflow `{file}` (`workflow` of `[github]` names another file)"
            ),
            Err(error) => return Err(not_started(plan, &workflow, error)),
        };
        self.streams.tell(&format!("{said}\n"));
        Ok(())
    }
}

/// The workflow that finishes a claimed ship, where the configuration has `[github]`.
pub async fn workflow(home: &Home, plan: &Plan, ship: &Ship) -> Result<Option<Workflow>, Failure> {
    let (Some(table), Some(claim)) = (&home.github, ship.evidence("claim")) else { return Ok(None) };
    let commit = claim.get("commit").map(String::as_str).unwrap_or_default();
    let github = github(home).await?;
    Ok(github.map(|github| Workflow::new(github, table.workflow(), commit, plan)))
}

/// Whether this is a job of the workflow that finishes releases.
fn is_of_this_job(home: &Home) -> bool {
    let file = home.github.as_ref().map(|table| format!("/.github/workflows/{}@", table.workflow()));
    let ours = std::env::var("GITHUB_WORKFLOW_REF").unwrap_or_default();
    file.is_some_and(|file| ours.contains(&file))
}

/// The command that starts the workflow of a tag by hand.
pub fn by_hand(file: &str, tag: &str) -> String {
    let (file, input, tag) = (quoted(file), quoted(&format!("tag={tag}")), quoted(tag));
    format!("gh workflow run {file} --ref {tag} -f {input}")
}

fn not_started(plan: &Plan, workflow: &Workflow, error: GitHubError) -> Failure {
    let way_out = match error.status() {
        Some(403) => Some("the token lacks `actions: write`: a job gets it with `permissions:`".to_owned()),
        Some(404) => Some(format!(
            "`{}` must be on the default branch (`workflow` of `[github]` names another file), and the token needs \
             `actions: write`",
            workflow.file
        )),
        _ => error.way_out(),
    };
    let text = format!(
        "the claim of {} stands, but its workflow `{}` could not be started: {error}",
        planned(plan),
        workflow.file
    );
    let failure = Failure::new(Kind::Outside, text);
    let failure = way_out.into_iter().fold(failure, Failure::hint);
    failure.hint(format!("start it by hand: {}", by_hand(&workflow.file, workflow.tag())))
}
