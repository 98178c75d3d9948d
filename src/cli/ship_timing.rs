//! What `release ship` hears of its steps while it goes on: how long each took, and why something is undecided.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use serde::Serialize;

use crate::cli::ship_answer::reason_undecided;
use crate::ledger::event::{Event, What};
use crate::plan::Plan;
use crate::plan::chain::longest_chain;

/// What was heard since a run began.
pub struct Heard {
    began: Instant,
    steps: BTreeMap<String, Span>,
    undecided: Option<String>,
}

#[derive(Clone, Copy)]
struct Span {
    began: Duration,
    ended: Option<Duration>,
}

/// Where the time of a run went, in seconds.
#[derive(Serialize)]
pub struct Timing {
    /// From the beginning to this answer.
    seconds: f64,
    /// Until the first step began.
    before: f64,
    /// Since the last step ended.
    after: f64,
    chain: Chain,
    steps: BTreeMap<String, Took>,
}

/// The longest chain of steps, each needing the one before. With what is before and after it no run can be quicker, but
/// for what its builds waited for a core.
#[derive(Serialize)]
struct Chain {
    seconds: f64,
    steps: Vec<String>,
}

#[derive(Serialize)]
struct Took {
    began: f64,
    seconds: f64,
}

impl Heard {
    pub fn since(began: Instant) -> Heard {
        Heard { began, steps: BTreeMap::new(), undecided: None }
    }

    pub fn hear(&mut self, event: &Event) {
        self.undecided = self.undecided.take().or_else(|| reason_undecided(event));
        let now = self.began.elapsed();
        match &event.what {
            What::Started { step } => {
                self.steps.insert(step.clone(), Span { began: now, ended: None });
            }
            What::Succeeded { step, .. } | What::Failed { step, .. } => {
                // A claim that is found made was never begun here.
                let span = self.steps.entry(step.clone()).or_insert(Span { began: now, ended: None });
                span.ended = Some(now);
            }
            _ => {}
        }
    }

    /// Why the first step that is done could not tell what it should.
    pub fn undecided(&self) -> Option<&str> {
        self.undecided.as_deref()
    }

    pub fn timing(&self, plan: &Plan) -> Timing {
        let now = self.began.elapsed();
        let took: BTreeMap<String, Duration> =
            self.steps.iter().filter_map(|(id, span)| Some((id.clone(), span.ended? - span.began))).collect();
        let (length, chain) = longest_chain(&plan.steps, &took);
        let first = self.steps.values().map(|span| span.began).min();
        let last = self.steps.values().filter_map(|span| span.ended).max();
        let steps = took.iter().map(|(id, took)| {
            let began = rounded(self.steps[id].began);
            (id.clone(), Took { began, seconds: rounded(*took) })
        });
        Timing {
            seconds: rounded(now),
            before: rounded(first.unwrap_or(now)),
            after: rounded(now - last.unwrap_or(now)),
            chain: Chain { seconds: rounded(length), steps: chain.into_iter().map(str::to_owned).collect() },
            steps: steps.collect(),
        }
    }
}

/// Seconds, to the millisecond.
fn rounded(duration: Duration) -> f64 {
    (duration.as_secs_f64() * 1000.0).round() / 1000.0
}
