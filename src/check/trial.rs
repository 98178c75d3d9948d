//! Folds the tries of a check into an outcome, and the outcomes of checks into a verdict.

use std::fmt;

use crate::workspace::config::environment::CheckMode;
use crate::workspace::config::schedule::Schedule;

/// What one try showed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Try {
    Pass,
    /// The service is not as it should be, or is not reached.
    Fail,
    /// There was an answer, and nothing in it: never a pass.
    NoData,
    /// The judge is not reached, or can not judge.
    Error,
}

/// What a check, or all of them, came to. Later ones outrank earlier ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Outcome {
    Pass,
    /// Time is over and nothing is proven.
    Inconclusive,
    /// It could not be judged.
    Error,
    /// The release does not work. Only this one takes a deployment back.
    Fail,
}

/// The tries of one check so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Trial {
    schedule: Schedule,
    pub tries: u32,
    pub failures: u32,
    pub errors: u32,
    /// Tries that met nothing.
    pub empty: u32,
    passed_in_a_row: u32,
    erred_in_a_row: u32,
}

impl Trial {
    pub fn new(schedule: Schedule) -> Trial {
        Trial { schedule, tries: 0, failures: 0, errors: 0, empty: 0, passed_in_a_row: 0, erred_in_a_row: 0 }
    }

    /// Takes one more try in. An outcome ends the check: more failures than are borne, more errors in a row than are
    /// borne, or as many successes in a row as are needed.
    pub fn take(&mut self, shown: Try) -> Option<Outcome> {
        self.tries = self.tries.saturating_add(1);
        let count = |number: &mut u32| *number = number.saturating_add(1);
        match shown {
            Try::Pass => count(&mut self.passed_in_a_row),
            Try::Fail => count(&mut self.failures),
            Try::NoData => count(&mut self.empty),
            Try::Error => {
                count(&mut self.errors);
                count(&mut self.erred_in_a_row);
            }
        }
        if shown != Try::Pass {
            self.passed_in_a_row = 0;
        }
        if shown != Try::Error {
            self.erred_in_a_row = 0;
        }
        self.decided()
    }

    /// The outcome where time is over. Failures that are borne do not decide: what flaps is proven neither way.
    pub fn at_deadline(&self) -> Outcome {
        Outcome::Inconclusive
    }

    fn decided(&self) -> Option<Outcome> {
        if self.failures > self.schedule.failure_limit {
            return Some(Outcome::Fail);
        }
        if self.erred_in_a_row > self.schedule.error_limit {
            return Some(Outcome::Error);
        }
        (self.passed_in_a_row >= self.schedule.consecutive_success.max(1)).then_some(Outcome::Pass)
    }
}

/// What several checks come to together: the worst outcome of those that decide. None that decide: a pass, of nothing.
pub fn together(outcomes: impl IntoIterator<Item = (CheckMode, Outcome)>) -> Outcome {
    let deciding = outcomes.into_iter().filter(|(mode, _)| *mode == CheckMode::Enforce);
    deciding.map(|(_, outcome)| outcome).max().unwrap_or(Outcome::Pass)
}

impl Outcome {
    /// The word of reports and of the ledger.
    pub fn word(self) -> &'static str {
        match self {
            Outcome::Pass => "pass",
            Outcome::Inconclusive => "inconclusive",
            Outcome::Error => "error",
            Outcome::Fail => "fail",
        }
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

impl Try {
    /// The word of reports.
    pub fn word(self) -> &'static str {
        match self {
            Try::Pass => "pass",
            Try::Fail => "fail",
            Try::NoData => "no data",
            Try::Error => "error",
        }
    }
}

#[cfg(test)]
#[path = "trial_tests.rs"]
mod tests;
