//! What is released, unreleased, under way and where.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use crate::report::json::pretty;
use crate::report::markdown::{cell, head, row};
use crate::report::moment::moment;
use crate::report::paint::Paint;
use crate::report::plain::line;
use crate::report::table::{Cell, indented, paragraph, table};
use crate::report::words::count;

/// The whole answer of `release status`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct StatusReport {
    pub packages: Vec<PackageStatus>,
    pub halts: Vec<Halt>,
    pub in_flight: Vec<InFlight>,
    /// What waits for its time or for persons, a sentence each.
    pub waiting: Vec<String>,
    /// The environments in the order in which releases pass them.
    #[serde(skip)]
    pub order: Vec<String>,
}

/// Where one package stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PackageStatus {
    pub package: String,
    /// Its last release; null where it has none.
    pub released: Option<String>,
    /// What waits to be released; null where nothing does.
    pub unreleased: Option<Unreleased>,
    pub environments: BTreeMap<String, EnvironmentStatus>,
}

/// Changes that no release holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Unreleased {
    pub changes: usize,
    /// The version that would be released.
    pub next: String,
}

/// What runs in one environment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct EnvironmentStatus {
    pub version: String,
    pub digest: String,
    pub verified: bool,
    pub held: bool,
    /// Since when, seconds since 1970 (UTC).
    pub since: i64,
    /// Releases that do not come back by themselves, and why.
    pub holds: Vec<String>,
    /// What really runs, where it was asked for and is another thing; null where it is not.
    pub found: Option<String>,
}

/// A ship or a deployment that was begun and not ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct InFlight {
    /// The plan's digest.
    pub plan: String,
    pub who: String,
    /// Seconds since 1970 (UTC).
    pub began: i64,
    /// `core 2.1.0`
    pub releases: Vec<String>,
    /// Where a deployment goes; null for a ship.
    pub environment: Option<String>,
    /// Whether branch and tags are moved, so that it can only be finished.
    pub claimed: bool,
    /// How many steps are done.
    pub done: usize,
    /// What it waits for, in words.
    pub waiting: Vec<String>,
}

/// A stop that somebody ordered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Halt {
    pub scope: String,
    pub reason: String,
    pub who: String,
    /// Seconds since 1970 (UTC).
    pub since: i64,
}

/// Halts first, then a line for each package, then what is under way.
pub fn status_text(report: &StatusReport, width: usize, color: bool) -> String {
    let mut parts = vec![halts(report, width, color)];
    parts.push(match report.packages.is_empty() {
        true => "no packages\n".to_owned(),
        false => packages(report, width, color),
    });
    parts.push(environment_lines(report, width));
    parts.extend(report.in_flight.iter().map(|ship| in_flight(ship, width)));
    parts.push(
        report.waiting.iter().map(|told| paragraph(&format!("waits: {}", line(told)), width, 2)).collect(),
    );
    parts.retain(|part| !part.is_empty());
    parts.join("\n")
}

pub fn status_json(report: &StatusReport) -> String {
    pretty(report)
}

/// The same as a table for a page.
pub fn status_markdown(report: &StatusReport) -> String {
    let environments = environments(report);
    let mut text = String::new();
    for halt in &report.halts {
        text.push_str(&format!("- **halted**: {}\n", cell(&halt_in_words(halt))));
    }
    for ship in &report.in_flight {
        text.push_str(&format!(
            "- **under way**: {}; {}\n",
            cell(&ship.releases.join(", ")),
            cell(&progress(ship))
        ));
    }
    if !text.is_empty() {
        text.push('\n');
    }
    let mut titles = vec!["package".to_owned(), "released".to_owned(), "unreleased".to_owned()];
    titles.extend(environments.iter().map(|name| cell(name)));
    text.push_str(&head(&titles.iter().map(String::as_str).collect::<Vec<&str>>()));
    for package in &report.packages {
        let words = words(package, &environments);
        text.push_str(&row(&words.iter().map(|word| cell(word)).collect::<Vec<String>>()));
    }
    text
}

fn packages(report: &StatusReport, width: usize, color: bool) -> String {
    let environments = environments(report);
    let mut titles = vec!["package", "released", "unreleased"];
    titles.extend(environments.iter().copied());
    let mut rows = vec![titles.into_iter().map(|title| Cell::new(title).paint(Paint::Dim)).collect()];
    rows.extend(report.packages.iter().map(|package| {
        words(package, &environments).iter().map(|word| Cell::new(word)).collect::<Vec<Cell>>()
    }));
    table(&rows, width, color)
}

fn words(package: &PackageStatus, environments: &[&str]) -> Vec<String> {
    let mut words = vec![
        package.package.clone(),
        package.released.clone().unwrap_or_else(|| "never".to_owned()),
        match &package.unreleased {
            Some(unreleased) if unreleased.changes == 0 => format!("→ {}", unreleased.next),
            Some(unreleased) => format!("{} → {}", count(unreleased.changes, "change"), unreleased.next),
            None => "-".to_owned(),
        },
    ];
    words.extend(environments.iter().map(|name| environment(package.environments.get(*name))));
    words
}

fn environment(status: Option<&EnvironmentStatus>) -> String {
    let Some(status) = status else { return "-".to_owned() };
    let mut text = status.version.clone();
    if !status.verified {
        text.push_str(" unverified");
    }
    if status.held {
        text.push_str(" held");
    }
    text
}

/// The environments that run something, in the order in which releases pass them.
fn environments(report: &StatusReport) -> Vec<&str> {
    let named: BTreeSet<&str> =
        report.packages.iter().flat_map(|package| package.environments.keys().map(String::as_str)).collect();
    let known = report.order.iter().map(String::as_str).filter(|name| named.contains(name));
    let mut ordered: Vec<&str> = known.collect();
    ordered.extend(named.iter().filter(|name| !report.order.iter().any(|known| known == *name)).copied());
    ordered
}

/// What a table has no room for: since when, digests, holds, what differs.
fn environment_lines(report: &StatusReport, width: usize) -> String {
    let mut text = String::new();
    for name in environments(report) {
        for package in &report.packages {
            let Some(status) = package.environments.get(name) else { continue };
            let (name, digest) = (line(name), short_digest(&status.digest));
            let since =
                if status.since == 0 { String::new() } else { format!(" since {}", moment(status.since)) };
            let told =
                format!("{name}: {} {} ({digest}){since}", line(&package.package), line(&status.version));
            text.push_str(&paragraph(&told, width, 2));
            for hold in &status.holds {
                text.push_str(&indented(
                    &paragraph(&format!("held: {}", line(hold)), width.saturating_sub(2), 2),
                    2,
                ));
            }
            if let Some(found) = &status.found {
                text.push_str(&indented(
                    &paragraph(&format!("differs: {}", line(found)), width.saturating_sub(2), 2),
                    2,
                ));
            }
        }
    }
    text
}

fn short_digest(digest: &str) -> String {
    line(digest.strip_prefix("sha256:").unwrap_or(digest)).chars().take(12).collect()
}

fn halts(report: &StatusReport, width: usize, color: bool) -> String {
    let one = |halt: &Halt| {
        let text = paragraph(&format!("halted: {}", line(&halt_in_words(halt))), width, 2);
        text.replacen("halted:", &Paint::Red.on("halted:", color), 1)
    };
    report.halts.iter().map(one).collect()
}

fn halt_in_words(halt: &Halt) -> String {
    format!("{}: {} ({}, since {})", halt.scope, halt.reason, halt.who, moment(halt.since))
}

fn in_flight(ship: &InFlight, width: usize) -> String {
    let to = ship.environment.as_ref().map(|name| format!(" to {name}")).unwrap_or_default();
    let told = format!("under way: {}{to}", ship.releases.join(", "));
    let mut text = paragraph(&line(&told), width, 2);
    let lines: String = std::iter::once(progress(ship))
        .chain(ship.waiting.iter().cloned())
        .map(|told| line(&told).chars().take(400).collect::<String>())
        .map(|told| paragraph(&told, width.saturating_sub(2), 2))
        .collect();
    text.push_str(&indented(&lines, 2));
    if ship.environment.is_some() {
        text.push_str("  `release tick` goes on with it where nobody has it in hand\n");
        return text;
    }
    text.push_str(match ship.claimed {
        true => "  `release ship` finishes it\n",
        false => "  `release ship` goes on with it; nothing is claimed yet\n",
    });
    text
}

fn progress(ship: &InFlight) -> String {
    let digest = ship.plan.strip_prefix("sha256:").unwrap_or(&ship.plan);
    let plan: String = digest.chars().take(12).collect();
    let steps = count(ship.done, "step");
    format!("plan {plan}, begun {} by {}, {steps} done", moment(ship.began), ship.who)
}

#[cfg(test)]
#[path = "status_tests.rs"]
mod tests;
