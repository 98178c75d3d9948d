//! How far a ship is, told as its events come.

use std::collections::{BTreeMap, BTreeSet};

use crate::ledger::environments::{deploy_step, validate_step};
use crate::ledger::event::{Event, What};
use crate::plan::Plan;
use crate::plan::deployment::Deployment;
use crate::report::log::message_lines;
use crate::report::paint::Paint;
use crate::report::plain::line;
use crate::report::step_words::{doing, done, failed, parts};
use crate::report::streams::{Streams, tell_always};
use crate::report::table::{fit, indented};

/// Lines of a failure's message that are told; `release log` has more.
const MESSAGE_LINES: usize = 8;
/// Back to the line's beginning, and erase it (ECMA-48, section 8.3.41).
const ERASE: &str = "\r\u{1b}[K";

/// Tells a plain line for each step that ends, and on a terminal one live line below.
#[derive(Debug)]
pub struct Progress {
    quiet: bool,
    live: bool,
    /// Whether a live line stands on the terminal.
    shown: bool,
    color: bool,
    width: usize,
    /// What each step needs.
    needs: BTreeMap<String, Vec<String>>,
    /// The version of each package.
    versions: BTreeMap<String, String>,
    done: BTreeSet<String>,
    /// Steps going on, in the order in which they were started.
    running: Vec<String>,
    /// How much of each file is on the index, in percent.
    sent: BTreeMap<String, u64>,
}

impl Progress {
    pub fn new(plan: &Plan, quiet: bool, streams: &mut Streams) -> Progress {
        let mut progress = Progress::of(plan);
        progress.quiet = quiet;
        progress.live = !quiet && streams.is_rewritable();
        progress.color = streams.color_of_telling();
        progress.width = streams.width();
        progress
    }

    /// For a deployment: its steps come one after another.
    pub fn of_deployment(deployment: &Deployment, quiet: bool, streams: &mut Streams) -> Progress {
        let mut progress = Progress::empty();
        progress.quiet = quiet;
        progress.live = !quiet && streams.is_rewritable();
        progress.color = streams.color_of_telling();
        progress.width = streams.width();
        let mut before: Vec<String> = Vec::new();
        for item in &deployment.items {
            let package = &item.release.package;
            progress.versions.insert(package.clone(), item.release.version.clone());
            for step in [deploy_step(package), validate_step(package)] {
                progress.needs.insert(step.clone(), before.clone());
                before = vec![step];
            }
        }
        progress
    }

    fn empty() -> Progress {
        Progress {
            quiet: false,
            live: false,
            shown: false,
            color: false,
            width: 80,
            needs: BTreeMap::new(),
            versions: BTreeMap::new(),
            done: BTreeSet::new(),
            running: Vec::new(),
            sent: BTreeMap::new(),
        }
    }

    fn of(plan: &Plan) -> Progress {
        let ids = |step: &crate::plan::step::Step| step.needs.iter().map(|need| need.0.clone()).collect();
        let mut progress = Progress::empty();
        progress.needs = plan.steps.iter().map(|step| (step.id.0.clone(), ids(step))).collect();
        let version = |release: &crate::plan::Release| (release.package.clone(), release.to.clone());
        progress.versions = plan.releases.iter().map(version).collect();
        progress
    }

    /// Takes one event and tells it.
    pub fn tell(&mut self, event: &Event) {
        let text = self.text(event);
        if !text.is_empty() {
            tell_always(&text);
        }
    }

    /// Tells a remark.
    pub fn remark(&mut self, text: &str) {
        if self.quiet {
            return;
        }
        let erase = if std::mem::take(&mut self.shown) { ERASE } else { "" };
        tell_always(&format!("{erase}{}\n", line(text)));
    }

    /// Takes note of how far a file is; shown on a terminal only.
    pub fn bytes(&mut self, step: &str, sent: u64, total: u64) {
        let percent = sent.saturating_mul(100).checked_div(total).unwrap_or(100);
        self.sent.insert(step.to_owned(), percent);
        if self.live {
            let erase = if self.shown { ERASE } else { "" };
            let live = self.live_line();
            self.shown = !live.is_empty();
            tell_always(&format!("{erase}{live}"));
        }
    }

    /// Takes the live line away.
    pub fn end(&mut self) {
        self.running.clear();
        if std::mem::take(&mut self.shown) {
            tell_always(ERASE);
        }
    }

    /// What is written for one event: the line that stays, and the live one anew.
    fn text(&mut self, event: &Event) -> String {
        let told = self.take(event);
        let stays = match &event.what {
            What::Failed { .. } => true,
            _ => !self.quiet,
        };
        let told = if stays { told } else { String::new() };
        if !self.live {
            return told;
        }
        let erase = if self.shown { ERASE } else { "" };
        let live = self.live_line();
        self.shown = !live.is_empty();
        format!("{erase}{told}{live}")
    }

    fn take(&mut self, event: &Event) -> String {
        match &event.what {
            What::Started { step } => {
                self.count_needs(step);
                self.running.retain(|running| running != step);
                self.running.push(step.clone());
                String::new()
            }
            What::Succeeded { step, evidence } => {
                self.running.retain(|running| running != step);
                if self.needs.contains_key(step) {
                    self.done.insert(step.clone());
                }
                done(step, self.version(step), evidence) + "\n"
            }
            What::Failed { step, failure, .. } => {
                self.running.retain(|running| running != step);
                let words = failed(step, self.version(step));
                let message = message_lines(&failure.message, MESSAGE_LINES).join("\n");
                format!("{}\n{}", Paint::Red.on(&words, self.color), indented(&message, 2))
            }
            What::Abandoned { reason } => format!("taken back: {}\n", line(reason)),
            What::Closed { reason } => format!("closed: {}\n", line(reason)),
            _ => String::new(),
        }
    }

    /// A step that starts has all its needs behind it, also those that an earlier run has done.
    fn count_needs(&mut self, step: &str) {
        let mut waiting = self.needs.get(step).cloned().unwrap_or_default();
        while let Some(need) = waiting.pop() {
            if self.done.insert(need.clone()) {
                waiting.extend(self.needs.get(&need).cloned().unwrap_or_default());
            }
        }
    }

    fn version(&self, step: &str) -> Option<&str> {
        self.versions.get(parts(step).1?).map(String::as_str)
    }

    /// `[ 7/27] building core, mlops`, never as wide as the terminal; nothing where nothing goes on.
    fn live_line(&self) -> String {
        if self.running.is_empty() {
            return String::new();
        }
        let total = self.needs.len().to_string();
        let mut groups: Vec<(String, Vec<String>)> = Vec::new();
        for step in self.running.iter().filter(|step| !self.is_uploading(step)) {
            let (verb, package) = doing(step);
            let package = package.map(|name| self.with_percent(step, name));
            match groups.iter_mut().find(|(known, _)| *known == verb) {
                Some((_, packages)) => packages.extend(package),
                None => groups.push((verb, package.into_iter().collect())),
            }
        }
        let told: Vec<String> = groups
            .into_iter()
            .map(|(verb, packages)| format!("{verb} {}", packages.join(", ")).trim_end().to_owned())
            .collect();
        let text = format!("[{:>wide$}/{total}] {}", self.done.len(), told.join("; "), wide = total.len());
        fit(&text, self.width.saturating_sub(1))
    }

    /// Whether a step is the publishing of a package of which a file is on its way: that is told instead.
    fn is_uploading(&self, step: &str) -> bool {
        let file = |package: &str| format!("upload:{package}/");
        step.strip_prefix("publish:")
            .is_some_and(|package| self.running.iter().any(|running| running.starts_with(&file(package))))
    }

    /// The package, and how much of its file is over.
    fn with_percent(&self, step: &str, name: String) -> String {
        let Some((package, _)) = name.split_once('/') else { return name };
        match self.sent.get(step).filter(|percent| **percent < 100) {
            Some(percent) => format!("{package} {percent} %"),
            None => package.to_owned(),
        }
    }
}

/// However a ship ends, no live line stays behind.
impl Drop for Progress {
    fn drop(&mut self) {
        self.end();
    }
}

#[cfg(test)]
#[path = "progress_tests.rs"]
mod tests;
