//! How often and how long something is tried again.

use std::time::Duration;

use backon::{BackoffBuilder, ExponentialBackoff, ExponentialBuilder};
use tokio::time::{Instant, sleep};

use crate::world::http::Limits;

/// How long the first wait for a file to become visible is, at most.
const FIRST_POLL: Duration = Duration::from_millis(250);

/// The pace of retries and of looking again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pace {
    /// The first wait; each further one is twice as long, with up to as much again at random.
    pub base: Duration,
    /// The longest wait, before the random part.
    pub cap: Duration,
    /// The longest wait that a server may ask for with `Retry-After`.
    pub asked_cap: Duration,
    /// The wait where a server asks for one and names no time.
    pub unnamed: Duration,
    /// How many times something is done again.
    pub retries: usize,
    /// How long all of it may take.
    pub budget: Duration,
    /// How often the index is looked at while a file is not visible yet, after the first looks.
    pub poll: Duration,
    /// After how long that is called a lag.
    pub lag: Duration,
    pub limits: Limits,
}

impl Default for Pace {
    fn default() -> Pace {
        Pace {
            base: Duration::from_secs(1),
            cap: Duration::from_secs(60),
            asked_cap: Duration::from_secs(300),
            unnamed: Duration::from_secs(60),
            retries: 7,
            budget: Duration::from_secs(1800),
            poll: Duration::from_secs(5),
            lag: Duration::from_secs(120),
            limits: Limits::default(),
        }
    }
}

impl Pace {
    /// The waits between two looks for what is not visible yet: short at first, as most is visible soon.
    pub fn polls(&self) -> impl Iterator<Item = Duration> + use<> {
        let poll = self.poll;
        std::iter::successors(Some(FIRST_POLL.min(poll)), move |wait| Some((*wait * 2).min(poll)))
    }

    /// A pace of milliseconds, for an index on this machine.
    pub fn quick() -> Pace {
        Pace {
            base: Duration::from_millis(5),
            cap: Duration::from_millis(50),
            asked_cap: Duration::from_secs(2),
            unnamed: Duration::from_millis(5),
            retries: 4,
            budget: Duration::from_secs(60),
            poll: Duration::from_millis(20),
            lag: Duration::ZERO,
            limits: Limits {
                connect: Duration::from_secs(10),
                idle: Duration::from_secs(20),
                answer: Duration::from_secs(20),
            },
        }
    }
}

/// What is left of a pace for one piece of work.
#[derive(Debug)]
pub struct Patience {
    waits: ExponentialBackoff,
    ends: Instant,
    asked_cap: Duration,
    /// How many times it was tried again.
    pub retries: usize,
}

impl Patience {
    pub fn new(pace: &Pace) -> Patience {
        Patience::until(Instant::now() + pace.budget, pace)
    }

    /// For a part of the work: it may be tried as often, but all of it ends no later.
    pub fn part(&self, pace: &Pace) -> Patience {
        Patience::until(self.ends, pace)
    }

    fn until(ends: Instant, pace: &Pace) -> Patience {
        let waits = ExponentialBuilder::new()
            .with_min_delay(pace.base)
            .with_max_delay(pace.cap)
            .with_max_times(pace.retries)
            .with_jitter()
            .build();
        Patience { waits, ends, asked_cap: pace.asked_cap, retries: 0 }
    }

    /// Waits before the next attempt, at least as long as the server asked for; false where there is to be none.
    pub async fn wait(&mut self, asked: Option<Duration>) -> bool {
        let Some(wait) = self.next(asked) else { return false };
        sleep(wait).await;
        true
    }

    fn next(&mut self, asked: Option<Duration>) -> Option<Duration> {
        let wait = self.waits.next()?.max(asked.unwrap_or_default().min(self.asked_cap));
        if Instant::now() + wait > self.ends {
            return None;
        }
        self.retries += 1;
        Some(wait)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn waits(pace: &Pace, asked: Option<Duration>) -> Vec<Duration> {
        let mut patience = Patience::new(pace);
        std::iter::from_fn(|| patience.next(asked)).collect()
    }

    #[test]
    fn waits_grow_to_a_cap_and_end() {
        let pace = Pace::default();
        let waits = waits(&pace, None);
        assert_eq!(waits.len(), pace.retries);
        for (at, wait) in (0..).zip(&waits) {
            let least = (pace.base * 2_u32.pow(at)).min(pace.cap);
            assert!(*wait >= least && *wait <= least * 2, "{at}: {wait:?}");
        }
    }

    #[test]
    fn looks_come_quickly_at_first_and_then_at_the_pace() {
        let polls = |pace: Pace| pace.polls().take(7).map(|wait| wait.as_millis()).collect::<Vec<_>>();
        assert_eq!(polls(Pace::default()), [250, 500, 1000, 2000, 4000, 5000, 5000]);
        assert_eq!(polls(Pace::quick()), [20; 7]);
    }

    #[test]
    fn a_server_may_ask_for_more_but_not_for_ever() {
        let pace = Pace::default();
        let asked = Duration::from_secs(100);
        assert!(waits(&pace, Some(asked)).iter().all(|wait| *wait >= asked));
        assert_eq!(waits(&pace, Some(Duration::from_secs(86_400)))[0], pace.asked_cap);
        let short = Pace { budget: Duration::from_secs(50), ..pace };
        assert_eq!(waits(&short, Some(asked)), []);
    }
}
