//! `release status`: what is released, unreleased and under way.

use std::collections::BTreeMap;

use crate::cli::args::{self, Global, Output, Wish};
use crate::cli::failure::Failure;
use crate::cli::ledger;
use crate::cli::open;

use crate::ledger::state::{Ship, State, StepState};
use crate::plan::Plan;
use crate::report::status::{
    InFlight, PackageStatus, StatusReport, Unreleased, status_json, status_markdown, status_text,
};
use crate::report::streams::Streams;
use crate::report::words::each_named;
use crate::survey::facts::Survey;

pub fn run(global: &Global, verb: &args::Status, streams: &mut Streams) -> Result<u8, Failure> {
    let wish = Wish::to_look();
    let survey = open::survey(global, &wish)?;
    let plan = open::plan(&survey, global, &wish)?;
    let home = ledger::home(global)?;
    let (book, remark) = ledger::runtime()?.block_on(ledger::read_book(&home))?;
    if let Some(remark) = remark {
        streams.tell(&format!("{remark}\n"));
    }
    let report = report(&survey, &plan, book.state());
    let text = match verb.output {
        Output::Text => status_text(&report, streams.width(), streams.color()),
        Output::Json => status_json(&report),
        Output::Markdown => status_markdown(&report),
    };
    streams.print(&text);
    Ok(0)
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
                environments: BTreeMap::new(),
            })
            .collect(),
        halts: Vec::new(),
        in_flight: state.in_flight.iter().map(|(digest, ship)| in_flight(digest, ship)).collect(),
    }
}

fn unreleased(plan: &Plan, short: &str) -> Option<Unreleased> {
    let release = plan.releases.iter().find(|release| release.package == short)?;
    let mut commits: Vec<&str> =
        release.because.iter().filter_map(|because| because.commit.as_deref()).collect();
    commits.sort_unstable();
    commits.dedup();
    Some(Unreleased { changes: commits.len(), next: release.to.clone() })
}

fn in_flight(digest: &str, ship: &Ship) -> InFlight {
    let waiting: Vec<String> = ship
        .steps
        .iter()
        .filter(|(_, state)| !matches!(state, StepState::Succeeded { .. }))
        .map(|(step, state)| match state {
            StepState::Failed { failure } => format!("{step} failed: {}", failure.message),
            _ => format!("{step} was begun"),
        })
        .collect();
    InFlight {
        plan: digest.to_owned(),
        who: ship.who.clone(),
        began: ship.began,
        releases: each_named(&ship.releases),
        claimed: ship.has_done("claim"),
        done: ship.steps.values().filter(|state| matches!(state, StepState::Succeeded { .. })).count(),
        waiting,
    }
}
