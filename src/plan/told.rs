//! What one commit says, after a reviewed override has had its word.

use std::collections::BTreeMap;

use crate::history::commit::Commit;
use crate::history::overrides::Override;
use crate::history::reader::{Entries, MessageFooters, Reading, message_footers, read};
use crate::history::revert::{Revert, revert_of};
use crate::plan::facts::Facts;
use crate::workspace::config::settings::EntriesRule;

/// A commit's message, read.
#[derive(Debug)]
pub struct Told<'f> {
    /// The first line, for people.
    pub subject: String,
    pub footers: MessageFooters,
    pub revert: Option<Revert>,
    pub correction: Option<&'f Override>,
    readings: BTreeMap<EntriesRule, Reading>,
}

impl<'f> Told<'f> {
    /// Reads one commit under every `entries` rule that a package has.
    pub fn read(commit: &Commit, facts: &'f Facts, rules: &[EntriesRule]) -> Told<'f> {
        let correction = facts.overrides.iter().find(|candidate| commit.id.0.starts_with(&candidate.commit));
        let message = correction.and_then(|found| found.message.as_deref()).unwrap_or(&commit.message);
        Told {
            subject: subject(message),
            footers: message_footers(message),
            revert: revert_of(message),
            correction,
            readings: rules.iter().map(|rule| (*rule, read(message, entries(*rule)))).collect(),
        }
    }

    /// The message as a package with this rule reads it.
    pub fn reading(&self, rule: EntriesRule) -> &Reading {
        &self.readings[&rule]
    }
}

/// The first line that is not blank.
fn subject(message: &str) -> String {
    message.lines().map(str::trim).find(|line| !line.is_empty()).unwrap_or("").to_owned()
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
