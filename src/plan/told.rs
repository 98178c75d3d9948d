//! What one commit says, after a reviewed override has had its word.

use std::cell::OnceCell;

use rayon::iter::{IndexedParallelIterator, IntoParallelIterator, ParallelIterator};

use crate::history::commit::Commit;
use crate::history::lines::holds;
use crate::history::overrides::Override;
use crate::history::reader::{Entries, Reading, may_hold_scopes, message_footers, read};
use crate::history::revert::{Revert, revert_of};
use crate::history::text::Text;
use crate::plan::facts::Facts;
use crate::workspace::config::settings::EntriesRule;

/// How many messages one thread reads at least: fewer are read before another begins.
pub const TOGETHER: usize = 64;

/// What of a commit's message is known throughout: little, as histories are long.
#[derive(Debug)]
pub struct Told<'f> {
    pub revert: Option<Box<Revert>>,
    pub correction: Option<&'f Override>,
    /// Few messages have them.
    footers: Option<Box<Footers>>,
}

#[derive(Debug)]
struct Footers {
    release_as: Option<String>,
    packages: Vec<String>,
}

impl<'f> Told<'f> {
    /// Reads a commit's message, which an override may reword first.
    pub fn read(commit: &Commit, message: &mut Text, facts: &'f Facts) -> Told<'f> {
        let correction = facts.overrides.iter().find(|candidate| commit.id.begins_with(&candidate.commit));
        if let Some(reworded) = correction.and_then(|found| found.message.as_deref()) {
            *message = reworded.into();
        }
        let mut told = Told { revert: revert_of(message).map(Box::new), correction, footers: None };
        if holds(message, "release-as") || holds(message, "packages") {
            let footers = message_footers(message);
            told.footers =
                Some(Box::new(Footers { release_as: footers.release_as, packages: footers.packages }));
        }
        told
    }

    /// Whether it is a merge that no override speaks of: the commits that it brings count themselves.
    pub fn is_mere_merge(&self, commit: &Commit) -> bool {
        commit.parents.len() > 1 && self.correction.is_none()
    }

    /// The value of its last `Release-As` footer, as written.
    pub fn release_as(&self) -> Option<&str> {
        self.footers.as_ref()?.release_as.as_deref()
    }

    /// The names in its `Packages` footers.
    pub fn packages(&self) -> &[String] {
        self.footers.as_ref().map_or(&[], |footers| &footers.packages)
    }
}

/// One message, read under each rule that is asked for. It goes with what was read of it.
#[derive(Debug)]
pub struct Readings {
    message: Text,
    by_rule: Vec<(EntriesRule, OnceCell<Reading>)>,
}

impl Readings {
    /// A message under these rules, of which none is read yet.
    pub fn of(message: Text, rules: &[EntriesRule]) -> Readings {
        Readings { message, by_rule: rules.iter().map(|rule| (*rule, OnceCell::new())).collect() }
    }

    /// As a package with this rule reads it.
    pub fn by(&self, rule: EntriesRule) -> &Reading {
        let found = self.by_rule.iter().find(|(known, _)| *known == rule);
        let (_, reading) = found.expect("every rule of a package is known");
        reading.get_or_init(|| read_as(&self.message, rule))
    }

    /// Reads it under every rule.
    pub fn read_all(&self) {
        for (rule, _) in &self.by_rule {
            self.by(*rule);
        }
    }

    /// The first line, for people.
    pub fn subject(&self) -> &str {
        subject(&self.message)
    }

    /// Whether entries of its body may name packages by their scopes.
    pub fn may_name_packages(&self) -> bool {
        may_hold_scopes(&self.message)
    }
}

/// Takes the messages of some commits; those that are likely to be asked for their entries are read at once.
pub fn read_part(
    (told, commits): (&[Told<'_>], &[Commit]),
    messages: Vec<Text>,
    rules: &[EntriesRule],
    takes_all: bool,
) -> Vec<Readings> {
    let read = |((message, told), commit)| {
        let readings = Readings::of(message, rules);
        if takes_all || is_asked(commit, told, &readings) {
            readings.read_all();
        }
        readings
    };
    messages.into_par_iter().zip(told).zip(commits).with_min_len(TOGETHER).map(read).collect()
}

/// The first line that is not blank.
pub fn subject(message: &str) -> &str {
    message.lines().map(str::trim).find(|line| !line.is_empty()).unwrap_or("")
}

/// A message as a package with this rule reads it.
pub fn read_as(message: &str, rule: EntriesRule) -> Reading {
    let entries = match rule {
        EntriesRule::Auto => Entries::Auto,
        EntriesRule::Subject => Entries::Subject,
        EntriesRule::Paragraphs => Entries::Paragraphs,
        EntriesRule::Bullets => Entries::Bullets,
        EntriesRule::Lines => Entries::Lines,
    };
    read(message, entries)
}

/// Whether a commit's message is likely to be asked for its entries. Of most commits it is not: what they touch is
/// released.
fn is_asked(commit: &Commit, told: &Told<'_>, readings: &Readings) -> bool {
    let mut touches = commit.touches.iter();
    !told.is_mere_merge(commit)
        && (touches.any(|touch| touch.what.counts() && commit.since_final.contains(touch.package))
            || commit.empty
            || told.correction.is_some()
            || !told.packages().is_empty()
            || readings.may_name_packages())
}
