//! What one commit says, after a reviewed override has had its word.

use std::cell::OnceCell;

use crate::history::commit::Commit;
use crate::history::lines::holds;
use crate::history::overrides::Override;
use crate::history::reader::{Entries, Reading, may_hold_scopes, message_footers, read};
use crate::history::revert::{Revert, revert_of};
use crate::plan::facts::Facts;
use crate::workspace::config::settings::EntriesRule;

/// What of a commit's message is known throughout: little, as histories are long.
#[derive(Debug)]
pub struct Told<'f> {
    /// The first line, for people.
    pub subject: &'f str,
    /// The value of its last `Release-As` footer, as written.
    pub release_as: Option<String>,
    /// The names in its `Packages` footers.
    pub packages: Vec<String>,
    pub revert: Option<Revert>,
    pub correction: Option<&'f Override>,
    message: &'f str,
}

impl<'f> Told<'f> {
    pub fn read(commit: &'f Commit, facts: &'f Facts) -> Told<'f> {
        let correction = facts.overrides.iter().find(|candidate| commit.id.begins_with(&candidate.commit));
        let message = correction.and_then(|found| found.message.as_deref()).unwrap_or(&commit.message);
        let mut told = Told {
            subject: subject(message),
            release_as: None,
            packages: Vec::new(),
            revert: revert_of(message),
            correction,
            message,
        };
        // Few messages have these footers.
        if holds(message, "release-as") || holds(message, "packages") {
            let footers = message_footers(message);
            (told.release_as, told.packages) = (footers.release_as, footers.packages);
        }
        told
    }

    /// The message as a package with this rule reads it.
    pub fn read_as(&self, rule: EntriesRule) -> Reading {
        read(self.message, entries(rule))
    }

    /// The message under every `entries` rule that a package has; each is read where it is asked for.
    pub fn readings(&self, rules: &[EntriesRule]) -> Readings<'f> {
        Readings {
            message: self.message,
            by_rule: rules.iter().map(|rule| (*rule, OnceCell::new())).collect(),
        }
    }

    /// Whether entries of its body may name packages by their scopes.
    pub fn may_name_packages(&self) -> bool {
        may_hold_scopes(self.message)
    }
}

/// One message, read under each rule that is asked for.
#[derive(Debug)]
pub struct Readings<'f> {
    message: &'f str,
    by_rule: Vec<(EntriesRule, OnceCell<Reading>)>,
}

impl Readings<'_> {
    /// As a package with this rule reads it.
    pub fn by(&self, rule: EntriesRule) -> &Reading {
        let found = self.by_rule.iter().find(|(known, _)| *known == rule);
        let (_, reading) = found.expect("every rule of a package is known");
        reading.get_or_init(|| read(self.message, entries(rule)))
    }

    /// Reads it under every rule.
    pub fn read_all(&self) {
        for (rule, _) in &self.by_rule {
            self.by(*rule);
        }
    }
}

/// The first line that is not blank.
fn subject(message: &str) -> &str {
    message.lines().map(str::trim).find(|line| !line.is_empty()).unwrap_or("")
}

fn entries(rule: EntriesRule) -> Entries {
    match rule {
        EntriesRule::Auto => Entries::Auto,
        EntriesRule::Subject => Entries::Subject,
        EntriesRule::Paragraphs => Entries::Paragraphs,
        EntriesRule::Bullets => Entries::Bullets,
        EntriesRule::Lines => Entries::Lines,
    }
}
