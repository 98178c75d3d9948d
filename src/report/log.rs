//! What happened, from the ledger.

use std::collections::BTreeMap;

use crate::ledger::event::{Ending, Event, What};
use crate::plan::digest::Digest;
use crate::report::deployment_words::deployment_in_words;
use crate::report::json::pretty;
use crate::report::markdown::{cell, head, row};
use crate::report::moment::moment;
use crate::report::paint::Paint;
use crate::report::plain::{line, terminal};
use crate::report::step_words::{doing, done, failed, parts};
use crate::report::table::paragraph;
use crate::report::words::{held_by, named};

/// Lines of a failure's message that are shown.
const MESSAGE_LINES: usize = 40;

/// The events from one on, a line each, under the plan and the person they belong to. Those before tell what plans were
/// about.
pub fn log_text(events: &[Event], first: usize, width: usize, color: bool) -> String {
    if events.is_empty() {
        return "the ledger is empty: `release ship` writes it\n".to_owned();
    }
    let versions = Versions::of(events);
    let mut text = String::new();
    let mut owner = None;
    for event in events.iter().skip(first) {
        let next = (&event.plan, &event.who);
        if owner != Some(next) {
            let gap = if owner.is_some() { "\n" } else { "" };
            let title = paragraph(&format!("{}by {}", plan_named(&event.plan), line(&event.who)), width, 2);
            text.push_str(&format!("{gap}{title}"));
            owner = Some(next);
        }
        text.push_str(&event_lines(event, &versions, width, color));
    }
    text
}

/// The events as they are.
pub fn log_json(events: &[Event]) -> String {
    pretty(&events)
}

/// The events as a table.
pub fn log_markdown(events: &[Event], first: usize) -> String {
    let versions = Versions::of(events);
    let mut text = head(&["number", "time (UTC)", "who", "plan", "what"]);
    for event in events.iter().skip(first) {
        text.push_str(&row(&[
            event.number.to_string(),
            moment(event.time),
            cell(&event.who),
            cell(event.plan.short()),
            cell(&in_words(event, &versions)),
        ]));
    }
    text
}

fn event_lines(event: &Event, versions: &Versions<'_>, width: usize, color: bool) -> String {
    let head = format!("{:>5}  {}", event.number, moment(event.time));
    let indent = head.chars().count() + 2;
    let said = in_words(event, versions);
    let mut text = paragraph(&format!("- {said}"), width.saturating_sub(indent - 2).max(20), 2);
    let message = match &event.what {
        What::Failed { failure, .. } => message_lines(&failure.message, MESSAGE_LINES),
        _ => Vec::new(),
    };
    text = text
        .lines()
        .enumerate()
        .map(|(number, line)| match number {
            0 => format!("{}  {}\n", Paint::Dim.on(&head, color), paint(event).on(&line[2..], color)),
            _ => format!("{}{}\n", " ".repeat(indent - 2), line),
        })
        .collect();
    text.extend(message.iter().map(|line| format!("{}{line}", " ".repeat(9)).trim_end().to_owned() + "\n"));
    text
}

/// The plan or deployment that events belong to; orders of persons belong to none.
fn plan_named(plan: &Digest) -> String {
    if plan.as_str().is_empty() { String::new() } else { format!("plan {} ", line(plan.short())) }
}

fn paint(event: &Event) -> Paint {
    match event.what {
        What::Failed { .. } => Paint::Red,
        What::Abandoned { .. } | What::Closed { .. } => Paint::Yellow,
        What::Finished { .. } | What::Deployed { ending: Ending::Verified, .. } => Paint::Green,
        What::Deployed { ending: Ending::Superseded, .. } | What::Halted { .. } => Paint::Yellow,
        What::Deployed { .. } => Paint::Red,
        _ => Paint::Plain,
    }
}

/// One event in one line.
fn in_words(event: &Event, versions: &Versions<'_>) -> String {
    let version = |step: &str| versions.of_step(event, step);
    match &event.what {
        What::Begun { releases } => format!("began: {}", named(releases)),
        What::Started { step } => {
            let (verb, package) = doing(step);
            format!("{verb} {}", package.unwrap_or_default()).trim_end().to_owned()
        }
        What::Succeeded { step, evidence } => done(step, version(step), evidence),
        What::Failed { step, failure, .. } => {
            let kind = format!("{:?}", failure.kind).to_lowercase();
            format!("{} ({kind}):", failed(step, version(step)))
        }
        What::Finished { awaited: None } => "finished".to_owned(),
        What::Finished { awaited: Some(awaited) } => {
            format!("finished; awaited in {}", line(&awaited.environment))
        }
        What::Abandoned { reason } => format!("given up: {}", line(reason)),
        What::Closed { reason } => format!("closed, never to be finished: {}", line(reason)),
        What::Leased { epoch, holder } => format!("in hand of {} (epoch {epoch})", held_by(holder)),
        What::Unleased { epoch } => format!("put down (epoch {epoch})"),
        other => deployment_in_words(other),
    }
}

/// The lines of a message, without what a terminal would obey; the last ones where there are too many.
pub fn message_lines(message: &str, most: usize) -> Vec<String> {
    let shown = terminal(message);
    let lines: Vec<String> =
        shown.trim().lines().map(|line| line.trim_end().chars().take(500).collect()).collect();
    let Some(more) = lines.len().checked_sub(most).filter(|more| *more > 0) else { return lines };
    let mut kept = lines[..1].to_vec();
    kept.push(format!("… {more} lines more"));
    kept.extend_from_slice(&lines[lines.len() - most + 1..]);
    kept
}

/// What each ship set out to release, to name versions beside steps.
struct Versions<'e>(BTreeMap<&'e str, BTreeMap<&'e str, &'e str>>);

impl<'e> Versions<'e> {
    fn of(events: &'e [Event]) -> Versions<'e> {
        let mut versions = BTreeMap::new();
        for event in events {
            let named: BTreeMap<&str, &str> = match &event.what {
                What::Begun { releases } => {
                    releases.iter().map(|(name, begin)| (name.as_str(), begin.version.as_str())).collect()
                }
                What::Deploying { deployment } => deployment
                    .items
                    .iter()
                    .map(|item| (item.release.package.as_str(), item.release.version.as_str()))
                    .collect(),
                _ => continue,
            };
            versions.insert(event.plan.as_str(), named);
        }
        Versions(versions)
    }

    fn of_step(&self, event: &Event, step: &str) -> Option<&'e str> {
        let package = parts(step).1?;
        self.0.get(event.plan.as_str())?.get(package).copied()
    }
}

#[cfg(test)]
#[path = "log_tests.rs"]
mod tests;
