//! What became of checks: one record each, and the verdict over all, fit for the ledger.

use std::collections::BTreeMap;

use crate::apply::validate::ask::Asked;
use crate::check::plain::shortened;
use crate::check::proof::Check;
use crate::check::trial::{Outcome, Trial, Try, together};
use crate::workspace::config::environment::CheckMode;

/// The most characters of a check's words that are kept.
const WORDS: usize = 200;

/// One check, as far as it has come.
#[derive(Debug, Clone, PartialEq)]
pub struct Record {
    pub check: String,
    pub mode: CheckMode,
    /// None where it was stopped because another had failed.
    pub outcome: Option<Outcome>,
    pub tries: u32,
    pub failures: u32,
    pub errors: u32,
    pub empty: u32,
    /// What the last try said that was no pass.
    pub complaint: Option<String>,
    /// What the last try said.
    pub last: String,
    /// The first and the last number that were measured.
    pub numbers: Option<(f64, f64)>,
}

/// What a deployment's checks come to.
#[derive(Debug, Clone, PartialEq)]
pub struct Verdict {
    pub outcome: Outcome,
    /// The check that decided and what it says, in one line.
    pub reason: String,
    pub records: Vec<Record>,
    /// The records for the ledger: `http-1/outcome`, `http-1/tries`, `http-1/last` and so on.
    pub evidence: BTreeMap<String, String>,
}

impl Record {
    pub(in crate::apply::validate) fn new(check: &Check) -> Record {
        Record {
            check: check.name.clone(),
            mode: check.schedule.mode,
            outcome: None,
            tries: 0,
            failures: 0,
            errors: 0,
            empty: 0,
            complaint: None,
            last: String::new(),
            numbers: None,
        }
    }

    pub(in crate::apply::validate) fn take(&mut self, trial: &Trial, asked: &Asked) {
        (self.tries, self.failures, self.errors, self.empty) =
            (trial.tries, trial.failures, trial.errors, trial.empty);
        self.last = shortened(&asked.words, WORDS);
        if asked.shown != Try::Pass {
            self.complaint = Some(self.last.clone());
        }
        if let Some(number) = asked.number {
            self.numbers = Some((self.numbers.map_or(number, |(first, _)| first), number));
        }
    }

    /// The deadline came in the middle of a try.
    pub(in crate::apply::validate) fn interrupted(&mut self) {
        "the deadline came before the answer".clone_into(&mut self.last);
        self.complaint.get_or_insert_with(|| self.last.clone());
    }

    /// The outcome's word; `stopped` where there is none.
    pub fn word(&self) -> &'static str {
        self.outcome.map_or("stopped", Outcome::word)
    }

    fn evidence(&self) -> Vec<(String, String)> {
        let mut kept = vec![("outcome", self.word().to_owned()), ("tries", self.tries.to_string())];
        for (key, number) in [("failures", self.failures), ("errors", self.errors), ("no-data", self.empty)] {
            if number > 0 {
                kept.push((key, number.to_string()));
            }
        }
        if self.mode == CheckMode::DryRun {
            kept.push(("mode", "dry-run".to_owned()));
        }
        kept.extend(self.complaint.iter().map(|words| ("complaint", words.clone())));
        if !self.last.is_empty() && self.complaint.as_ref() != Some(&self.last) {
            kept.push(("last", self.last.clone()));
        }
        if let Some((first, last)) = self.numbers {
            kept.push(("first-value", first.to_string()));
            kept.push(("last-value", last.to_string()));
        }
        kept.into_iter().map(|(key, value)| (format!("{}/{key}", self.check), value)).collect()
    }
}

impl Verdict {
    /// The verdict over records; those that were stopped decide nothing.
    pub fn of(records: Vec<Record>) -> Verdict {
        let ended = records.iter().filter_map(|record| Some((record.mode, record.outcome?)));
        let outcome = together(ended);
        let decides = |record: &&Record| record.mode == CheckMode::Enforce && record.outcome == Some(outcome);
        let reason = match records.iter().find(decides) {
            None => "no check decides".to_owned(),
            Some(_) if outcome == Outcome::Pass => {
                format!(
                    "{} passed",
                    records
                        .iter()
                        .filter(decides)
                        .map(|record| record.check.as_str())
                        .collect::<Vec<_>>()
                        .join(", ")
                )
            }
            Some(record) => match record.complaint.as_deref().filter(|words| !words.is_empty()) {
                Some(words) => format!("{}: {words}", record.check),
                None => format!("{}: {} tries, and not enough in a row passed", record.check, record.tries),
            },
        };
        let mut evidence: BTreeMap<String, String> = records.iter().flat_map(Record::evidence).collect();
        if evidence.is_empty() {
            evidence.insert("checks".to_owned(), "none".to_owned());
        }
        Verdict { outcome, reason, records, evidence }
    }
}
