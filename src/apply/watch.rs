//! Follows a claimed ship that others finish: by the events that they write, until it has come to an end.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use crate::apply::book::{self, BookError};
use crate::apply::pace::Pace;
use crate::ledger::event::{Event, What};
use crate::ledger::state::State;
use crate::plan::digest::Digest;
use crate::world::store::{Store, Version};

/// What became of a ship.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fate {
    /// Every step is done.
    Finished,
    /// Somebody closed it for good.
    Closed { reason: String },
    /// Whoever had it in hand has put it down with steps that failed: each with its reason. A halt stands behind it,
    /// where there is one.
    PutDown { failed: BTreeMap<String, String>, halted: Option<String> },
}

/// A ship as it was last seen.
pub struct Watched {
    store: Arc<dyn Store>,
    plan: Digest,
    packages: Vec<String>,
    version: Option<Version>,
    /// How many events were read.
    events: u64,
    /// The steps that have failed since it was last taken in hand.
    failed: BTreeMap<String, String>,
}

impl Watched {
    /// A ship of these packages, from its first event on.
    pub fn new(store: Arc<dyn Store>, plan: &Digest, packages: Vec<String>) -> Watched {
        Watched { store, plan: plan.clone(), packages, version: None, events: 0, failed: BTreeMap::new() }
    }

    /// What has happened so far. What failed earlier is no end of it: somebody may take it up again.
    ///
    /// # Errors
    /// Where the ledger can not be read.
    pub async fn begin(&mut self) -> Result<(Vec<Event>, Option<Fate>), BookError> {
        let (events, fate) = self.look().await?;
        Ok((events, fate.filter(|fate| !matches!(fate, Fate::PutDown { .. }))))
    }

    /// What has happened to it since the last look, and its end where it has come.
    ///
    /// # Errors
    /// Where the ledger can not be read.
    pub async fn look(&mut self) -> Result<(Vec<Event>, Option<Fate>), BookError> {
        let head = self.store.head().await?;
        if head.is_none() || head == self.version {
            return Ok((Vec::new(), None));
        }
        let all = book::events(&*self.store).await?;
        let seen = usize::try_from(self.events).unwrap_or(usize::MAX);
        let state = State::replay(&all)?;
        let new: Vec<Event> = all.into_iter().skip(seen).filter(|event| event.plan == self.plan).collect();
        (self.version, self.events) = (head, state.events);
        let fates: Vec<Fate> = new.iter().filter_map(|event| self.take(&event.what, &state)).collect();
        // Taken up again after it was put down, all within one look: the last word counts.
        let is_held = state.lease(&self.plan).is_some_and(|(_, holder)| holder.is_some());
        let fate = fates.into_iter().next_back();
        Ok((new, fate.filter(|fate| !(is_held && matches!(fate, Fate::PutDown { .. })))))
    }

    fn take(&mut self, what: &What, state: &State) -> Option<Fate> {
        match what {
            What::Finished { .. } => return Some(Fate::Finished),
            What::Closed { reason } | What::Abandoned { reason } => {
                return Some(Fate::Closed { reason: reason.clone() });
            }
            What::Leased { .. } => self.failed.clear(),
            What::Succeeded { step, .. } => {
                self.failed.remove(step);
            }
            What::Failed { step, failure, .. } => {
                self.failed.insert(step.clone(), failure.message.clone());
            }
            What::Unleased { .. } if !self.failed.is_empty() => {
                let halt = self.packages.iter().find_map(|package| state.halted(None, Some(package)));
                let halted = halt.map(|halt| halt.reason.clone());
                return Some(Fate::PutDown { failed: self.failed.clone(), halted });
            }
            _ => {}
        }
        None
    }
}

/// How long to wait before the next look: longer and longer while nothing happens.
#[derive(Debug, Clone, Copy)]
pub struct Rhythm {
    least: Duration,
    most: Duration,
    next: Duration,
}

impl Rhythm {
    pub fn new(pace: &Pace) -> Rhythm {
        let least = pace.poll / 2;
        Rhythm { least, most: pace.poll * 6, next: least }
    }

    /// The next wait, where nothing has happened since the last.
    pub fn quiet(&mut self) -> Duration {
        let wait = self.next;
        self.next = (self.next * 3 / 2).min(self.most);
        wait
    }

    /// Something has happened, and more may follow soon.
    pub fn again(&mut self) {
        self.next = self.least;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_to_a_limit_and_begin_anew() {
        let pace = Pace::default();
        let mut rhythm = Rhythm::new(&pace);
        let waits: Vec<Duration> = (0..12).map(|_| rhythm.quiet()).collect();
        assert!(waits.windows(2).all(|pair| pair[0] <= pair[1]), "{waits:?}");
        assert_eq!((waits[0], waits[11]), (pace.poll / 2, pace.poll * 6));
        rhythm.again();
        assert_eq!(rhythm.quiet(), pace.poll / 2);
    }
}
