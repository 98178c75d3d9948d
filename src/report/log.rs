//! What happened, from the ledger.

use std::collections::BTreeMap;

use crate::ledger::event::{Begin, Event, What};
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

/// The events, a line each, under the plan and the person they belong to.
pub fn log_text(events: &[Event], width: usize, color: bool) -> String {
    if events.is_empty() {
        return "the ledger is empty: `release ship` writes it\n".to_owned();
    }
    let versions = Versions::of(events);
    let mut text = String::new();
    let mut owner = None;
    for event in events {
        let next = (&event.plan, &event.who);
        if owner != Some(next) {
            let gap = if owner.is_some() { "\n" } else { "" };
            let title =
                paragraph(&format!("plan {} by {}", line(event.plan.short()), line(&event.who)), width, 2);
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
pub fn log_markdown(events: &[Event]) -> String {
    let versions = Versions::of(events);
    let mut text = head(&["number", "time (UTC)", "who", "plan", "what"]);
    for event in events {
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

fn paint(event: &Event) -> Paint {
    match event.what {
        What::Failed { .. } => Paint::Red,
        What::Abandoned { .. } | What::Closed { .. } => Paint::Yellow,
        What::Finished => Paint::Green,
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
        What::Failed { step, failure } => {
            let kind = format!("{:?}", failure.kind).to_lowercase();
            format!("{} ({kind}):", failed(step, version(step)))
        }
        What::Finished => "finished".to_owned(),
        What::Abandoned { reason } => format!("given up: {}", line(reason)),
        What::Closed { reason } => format!("closed, never to be finished: {}", line(reason)),
        What::Leased { epoch, holder } => format!("in hand of {} (epoch {epoch})", held_by(holder)),
        What::Unleased { epoch } => format!("put down (epoch {epoch})"),
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
struct Versions<'e>(BTreeMap<&'e str, &'e BTreeMap<String, Begin>>);

impl<'e> Versions<'e> {
    fn of(events: &'e [Event]) -> Versions<'e> {
        let begun = events.iter().filter_map(|event| match &event.what {
            What::Begun { releases } => Some((event.plan.as_str(), releases)),
            _ => None,
        });
        Versions(begun.collect())
    }

    fn of_step(&self, event: &Event, step: &str) -> Option<&'e str> {
        let package = parts(step).1?;
        self.0.get(event.plan.as_str())?.get(package).map(|begin| begin.version.as_str())
    }
}

#[cfg(test)]
#[path = "log_tests.rs"]
mod tests;
