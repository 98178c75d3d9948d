//! Deployments as GitHub shows them: a mirror, which never stops or fails what it shows.

use std::time::Duration;

use tokio::task::JoinHandle;
use tokio::time::timeout;

use crate::apply::book::{Book, BookError};
use crate::apply::hub_deployment::{MirrorError, Shown, place, tell};
use crate::cli::failure::{Failure, Kind};
use crate::cli::github::github;
use crate::ledger::event::What;
use crate::ledger::mirrors::Mirror;
use crate::plan::deployment::Deployment;
use crate::plan::digest::Digest;
use crate::report::plain::line;
use crate::survey::environments::EnvironmentSettings;
use crate::survey::facts::Survey;
use crate::survey::home::Home;
use crate::world::github::GitHub;

/// How long a deployment waits for its mirror at most.
const PATIENCE: Duration = Duration::from_secs(60);

/// One thing that is wrong with an environment at GitHub, and the way out.
pub struct Unfit {
    pub kind: Kind,
    pub text: String,
    pub hints: Vec<String>,
}

/// The environment must be there with the rules that are expected of it: GitHub makes a missing one without any.
/// A remark where that could not be told.
///
/// # Errors
/// Where it is certainly not fit.
pub async fn refuse_unfit(home: &Home, environment: &EnvironmentSettings) -> Result<Option<String>, Failure> {
    match look(home, environment).await? {
        Fitness::Fit => Ok(None),
        Fitness::Unknown(reason) => Ok(Some(reason)),
        Fitness::Unfit(unfit) => {
            let failure = Failure::new(unfit.kind, unfit.text);
            Err(unfit.hints.into_iter().fold(failure, Failure::hint))
        }
    }
}

/// What is known of an environment at GitHub.
pub enum Fitness {
    /// It is there and guarded as expected, or GitHub does not show it.
    Fit,
    Unknown(String),
    Unfit(Unfit),
}

/// Looks at an environment at GitHub.
///
/// # Errors
/// Where it is not known which repository of GitHub's this is.
pub async fn look(home: &Home, environment: &EnvironmentSettings) -> Result<Fitness, Failure> {
    let (Some(name), Some(github)) = (&environment.mirror, github(home).await?) else {
        return Ok(Fitness::Fit);
    };
    let found = match timeout(PATIENCE, github.environment(name)).await {
        Ok(Ok(found)) => found,
        Ok(Err(error)) => return Ok(Fitness::Unknown(not_looked(name, &error.to_string()))),
        Err(_) => return Ok(Fitness::Unknown(not_looked(name, "GitHub takes too long"))),
    };
    let (slug, page) = (github.slug(), settings_page(&github));
    let Some(found) = found else {
        return Ok(Fitness::Unfit(Unfit {
            kind: Kind::User,
            text: format!(
                "environment `{name}` does not exist at GitHub; a deployment would make it, without rules"
            ),
            hints: vec![
                format!("make it at {page}, or: gh api --method PUT repos/{slug}/environments/{name}"),
                format!("or name another with `github` of `[environment.{}]`", environment.name),
            ],
        }));
    };
    if environment.table.approvals.unwrap_or(0) > 0 && !found.is_protected() {
        return Ok(Fitness::Unfit(Unfit {
            kind: Kind::NotAllowed,
            text: format!(
                "environment `{name}` at GitHub has no rule, though `{}` asks for approvals",
                environment.name
            ),
            hints: vec![
                format!("add required reviewers, a wait timer or a branch policy at {page}"),
                format!(
                    "or: gh api --method PUT repos/{slug}/environments/{name} \
                     -F 'deployment_branch_policy[protected_branches]=true' \
                     -F 'deployment_branch_policy[custom_branch_policies]=false'"
                ),
            ],
        }));
    }
    Ok(Fitness::Fit)
}

fn not_looked(name: &str, reason: &str) -> String {
    format!("whether environment `{name}` at GitHub is guarded could not be told: {}", line(reason))
}

fn settings_page(github: &GitHub) -> String {
    format!("https://{}/{}/settings/environments", github.host(), github.slug())
}

/// A deployment that is shown at GitHub while it goes on.
pub struct Showing {
    github: GitHub,
    shown: Shown,
    begun: Option<JoinHandle<Result<u64, MirrorError>>>,
}

impl Showing {
    /// None where the deployment is not shown.
    ///
    /// # Errors
    /// Where it is not known which repository of GitHub's this is.
    pub async fn of(
        home: &Home,
        survey: &Survey,
        deployment: &Deployment,
    ) -> Result<Option<Showing>, Failure> {
        let Some(shown) = shown(survey, deployment) else { return Ok(None) };
        let Some(github) = github(home).await? else { return Ok(None) };
        Ok(Some(Showing { github, shown, begun: None }))
    }

    /// The deployment has begun: tells GitHub beside it, once.
    pub fn begin(&mut self) {
        if self.begun.is_some() {
            return;
        }
        let (github, shown) = (self.github.clone(), self.shown.clone());
        self.begun = Some(tokio::spawn(async move {
            let id = place(&github, &shown).await?;
            tell(&github, id, "in_progress", &shown, "").await?;
            Ok(id)
        }));
    }

    /// Waits for what was begun, and writes down that it is there. A remark where it is not.
    pub async fn note_begun(&mut self, book: &mut Book) -> Option<String> {
        let begun = self.begun.take()?;
        let stop = begun.abort_handle();
        match timeout(PATIENCE, begun).await {
            Ok(Ok(Ok(id))) => note(book, &self.shown.digest, id, "in_progress")
                .await
                .err()
                .map(|error| owed(&error.to_string())),
            Ok(Ok(Err(error))) => Some(owed(&with_way_out(&error))),
            Ok(Err(error)) => Some(owed(&error.to_string())),
            Err(_) => {
                stop.abort();
                Some(owed("it takes too long"))
            }
        }
    }
}

/// Tells GitHub all that it is still to be told. What was told, and a remark where something could not be.
///
/// # Errors
/// Where it is not known which repository of GitHub's this is.
pub async fn catch_up(
    home: &Home,
    survey: &Survey,
    book: &mut Book,
) -> Result<(Vec<Mirror>, Option<String>), Failure> {
    let owed_now = book.state().owed();
    if owed_now.is_empty() {
        return Ok((Vec::new(), None));
    }
    let Some(github) = github(home).await? else { return Ok((Vec::new(), None)) };
    let mut told = Vec::new();
    for mirror in owed_now {
        match timeout(PATIENCE, bring(&github, survey, book, &mirror)).await {
            Ok(Ok(())) => told.push(mirror),
            Ok(Err(reason)) => return Ok((told, Some(owed(&reason)))),
            Err(_) => return Ok((told, Some(owed("it takes too long")))),
        }
    }
    match book.flush().await {
        Ok(()) => Ok((told, None)),
        Err(error) => {
            let forgotten = book.forget_pending().await;
            let reason = forgotten.err().unwrap_or(error).to_string();
            Ok((told, Some(owed(&reason))))
        }
    }
}

async fn bring(github: &GitHub, survey: &Survey, book: &mut Book, mirror: &Mirror) -> Result<(), String> {
    let Some(shown) = shown(survey, &mirror.deployment) else { return Ok(()) };
    let state = mirror.state();
    let before = book.state().environments.get(&mirror.deployment.environment).and_then(|known| known.shown);
    let work = async {
        let id = match mirror.id {
            Some(id) => id,
            None => place(github, &shown).await?,
        };
        tell(github, id, state, &shown, &mirror.reason).await?;
        // GitHub does so by itself, but not in environments for production.
        if let Some(before) = before.filter(|before| state == "success" && *before != id) {
            tell(github, before, "inactive", &shown, "").await?;
        }
        Ok(id)
    };
    let id = work.await.map_err(|error: MirrorError| with_way_out(&error))?;
    note(book, &shown.digest, id, state).await.map_err(|error| error.to_string())
}

async fn note(book: &mut Book, deployment: &str, id: u64, told: &str) -> Result<(), BookError> {
    let what = What::Mirrored { deployment: deployment.to_owned(), id, told: told.to_owned() };
    book.write(&Digest::none(), what).await.map(drop)
}

fn shown(survey: &Survey, deployment: &Deployment) -> Option<Shown> {
    let environment = survey.environments.get(&deployment.environment);
    let url = environment.and_then(|environment| environment.table.url.as_deref());
    Shown::of(deployment, url, run_page().as_deref())
}

/// The page of the run that this is.
fn run_page() -> Option<String> {
    let text = |name: &str| std::env::var(name).ok().filter(|text| !text.is_empty());
    let (server, repository) = (text("GITHUB_SERVER_URL")?, text("GITHUB_REPOSITORY")?);
    Some(format!("{}/{repository}/actions/runs/{}", server.trim_end_matches('/'), text("GITHUB_RUN_ID")?))
}

fn owed(reason: &str) -> String {
    format!(
        "GitHub does not show this deployment as it is; `release tick` brings it up to date: {}",
        line(reason)
    )
}

fn with_way_out(error: &MirrorError) -> String {
    match error.way_out() {
        Some(way_out) => format!("{error}; {way_out}"),
        None => error.to_string(),
    }
}
