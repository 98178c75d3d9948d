//! `release status`: what is released, unreleased and under way.

use std::collections::BTreeMap;

use crate::apply::target::Observed;
use crate::cli::args::{self, Global, Output, Wish};
use crate::cli::failure::Failure;
use crate::cli::ground::ground;
use crate::cli::ledger;
use crate::cli::open;
use crate::history::commit::CommitId;

use crate::ledger::environments::{Environment, Rollout};
use crate::ledger::orders;
use crate::ledger::state::{Ship, State, StepState};
use crate::plan::Plan;
use crate::report::deployment_words::scope_named;
use crate::report::status::{
    EnvironmentStatus, Halt, InFlight, PackageStatus, StatusReport, Unreleased, status_json, status_markdown,
    status_text,
};
use crate::report::streams::Streams;
use crate::report::words::each_named;
use crate::survey::facts::Survey;
use crate::survey::home::Home;

pub fn run(global: &Global, verb: &args::Status, streams: &mut Streams) -> Result<u8, Failure> {
    let wish = Wish::to_look();
    let survey = open::survey(global, &wish)?;
    let plan = open::plan(&survey, global, &wish)?;
    let home = ledger::home(global)?;
    let (book, remark) = ledger::runtime()?.block_on(ledger::read_book(&home))?;
    if let Some(remark) = remark {
        streams.tell(&format!("{remark}\n"));
    }
    let mut report = report(&survey, &plan, book.state());
    if verb.live {
        ledger::runtime()?.block_on(look(&survey, &home, book.state(), &mut report))?;
    }
    let text = match verb.output {
        Output::Text => status_text(&report, streams.width(), streams.color()),
        Output::Json => status_json(&report),
        Output::Markdown => status_markdown(&report),
    };
    streams.print(&text);
    Ok(0)
}

/// Asks every environment what really runs there.
async fn look(survey: &Survey, home: &Home, state: &State, report: &mut StatusReport) -> Result<(), Failure> {
    for settings in survey.environments.values() {
        let ground = match ground(survey, home, state, settings).await {
            Ok(ground) => ground,
            Err(failure) => {
                report.waiting.push(format!("{} could not be asked: {}", settings.name, failure.error));
                continue;
            }
        };
        for package in &mut report.packages {
            if settings.kind_of(&package.package).is_none() {
                continue;
            }
            match ground.observe(&package.package).await {
                Ok(observed) => note(package, &settings.name, observed.as_ref()),
                Err(error) => report.waiting.push(format!("{} could not be asked: {error}", settings.name)),
            }
        }
    }
    Ok(())
}

/// Writes down what runs, where it is another thing than the ledger says.
fn note(package: &mut PackageStatus, environment: &str, observed: Option<&Observed>) {
    let known = package.environments.get_mut(environment);
    match (known, observed) {
        (Some(known), Some(observed)) if known.digest == observed.digest.as_str() => {
            if observed.healthy == Some(false) {
                known.found = Some("is not well".to_owned());
            }
        }
        (Some(known), Some(observed)) => {
            let version = observed.version.as_deref().unwrap_or("another");
            known.found = Some(format!("{version} ({}) runs, changed by hand", observed.digest.short()));
        }
        (Some(known), None) => known.found = Some("nothing runs".to_owned()),
        (None, Some(observed)) => {
            let status = EnvironmentStatus {
                version: observed.version.clone().unwrap_or_default(),
                digest: observed.digest.as_str().to_owned(),
                verified: false,
                held: false,
                since: 0,
                holds: Vec::new(),
                found: Some("runs, and nobody deployed it".to_owned()),
            };
            package.environments.insert(environment.to_owned(), status);
        }
        (None, None) => {}
    }
}

fn report(survey: &Survey, plan: &Plan, state: &State) -> StatusReport {
    StatusReport {
        packages: survey
            .facts
            .packages
            .iter()
            .enumerate()
            .map(|(index, package)| PackageStatus {
                package: package.short.clone(),
                released: survey.facts.history.tags[index].first().map(|tag| tag.version.to_string()),
                unreleased: unreleased(plan, &package.short),
                environments: environments(state, &package.short),
            })
            .collect(),
        halts: state.halts.iter().map(halt).chain(locks(state)).collect(),
        in_flight: state
            .in_flight
            .iter()
            .map(|(digest, ship)| in_flight(digest, ship))
            .chain(state.rollouts.values().map(rolling))
            .collect(),
        waiting: waiting(state),
        order: order(survey),
    }
}

/// The environments in the order in which releases pass them.
fn order(survey: &Survey) -> Vec<String> {
    let depth = |name: &String| {
        let mut depth = 0;
        let mut at = name;
        while let Some(before) = survey.environments.get(at).and_then(|known| known.table.after.as_ref()) {
            depth += 1;
            at = before;
        }
        depth
    };
    let mut names: Vec<String> = survey.environments.keys().cloned().collect();
    names.sort_by_key(depth);
    names
}

/// What runs of a package, by environment.
fn environments(state: &State, package: &str) -> BTreeMap<String, EnvironmentStatus> {
    let status = |(name, known): (&String, &Environment)| {
        let slot = known.slot(package)?;
        let current = slot.current.as_ref()?;
        let digest = current.release.digest();
        let status = EnvironmentStatus {
            version: current.release.version.clone(),
            held: slot.held.contains_key(digest.as_str()),
            digest: digest.as_str().to_owned(),
            verified: current.verified.is_some(),
            since: current.since,
            holds: slot.held.values().map(|hold| format!("{}: {}", hold.version, hold.reason)).collect(),
            found: None,
        };
        Some((name.clone(), status))
    };
    state.environments.iter().filter_map(status).collect()
}

fn halt(halt: &orders::Halt) -> Halt {
    Halt {
        scope: scope_named(&halt.scope),
        reason: halt.reason.clone(),
        who: halt.who.clone(),
        since: halt.since,
    }
}

/// Environments that wait for a person stand with the halts.
fn locks(state: &State) -> Vec<Halt> {
    let lock = |(name, known): (&String, &Environment)| {
        let stop = known.locked.as_ref()?;
        let (reason, who, since) = (stop.reason.clone(), stop.who.clone(), stop.since);
        Some(Halt { scope: format!("environment {name} is locked"), reason, who, since })
    };
    state.environments.iter().filter_map(lock).collect()
}

fn rolling(rollout: &Rollout) -> InFlight {
    let deployment = &rollout.deployment;
    InFlight {
        plan: deployment.digest.as_str().to_owned(),
        who: rollout.who.clone(),
        began: rollout.began,
        releases: deployment
            .items
            .iter()
            .map(|item| format!("{} {}", item.release.package, item.release.version))
            .collect(),
        environment: Some(deployment.environment.clone()),
        claimed: true,
        done: rollout.steps.values().filter(|state| matches!(state, StepState::Succeeded { .. })).count(),
        waiting: steps_waiting(&rollout.steps),
    }
}

/// What waits for its time or for persons, a sentence each.
fn waiting(state: &State) -> Vec<String> {
    let mut lines = Vec::new();
    for (name, known) in &state.environments {
        for slot in known.packages.values() {
            let Some(awaited) = &slot.awaited else { continue };
            let release = &awaited.release;
            lines.push(format!(
                "{} {} shall come to {name}: `release tick`",
                release.package, release.version
            ));
        }
    }
    for known in state.withdrawn.iter().filter(|known| known.yanked.is_none()) {
        lines.push(format!(
            "{} {} is withdrawn and not yanked yet: {}",
            known.package, known.version, known.reason
        ));
    }
    for hotfix in &state.hotfixes {
        lines.push(format!(
            "{} mends {} as of {}, and is not on the main branch yet",
            hotfix.branch, hotfix.package, hotfix.from
        ));
    }
    lines
}

fn unreleased(plan: &Plan, short: &str) -> Option<Unreleased> {
    let release = plan.releases.iter().find(|release| release.package == short)?;
    let mut commits: Vec<&CommitId> =
        release.because.iter().filter_map(|because| because.commit.as_ref()).collect();
    commits.sort_unstable();
    commits.dedup();
    Some(Unreleased { changes: commits.len(), next: release.to.clone() })
}

fn in_flight(digest: &str, ship: &Ship) -> InFlight {
    InFlight {
        plan: digest.to_owned(),
        who: ship.who.clone(),
        began: ship.began,
        releases: each_named(&ship.releases),
        environment: None,
        claimed: ship.has_done("claim"),
        done: ship.steps.values().filter(|state| matches!(state, StepState::Succeeded { .. })).count(),
        waiting: steps_waiting(&ship.steps),
    }
}

fn steps_waiting(steps: &BTreeMap<String, StepState>) -> Vec<String> {
    let open = steps.iter().filter(|(_, state)| !matches!(state, StepState::Succeeded { .. }));
    open.map(|(step, state)| match state {
        StepState::Failed { failure } => format!("{step} failed: {}", failure.message),
        _ => format!("{step} was begun"),
    })
    .collect()
}
