//! When a check is tried, and how many tries decide: the keys of a check, with their defaults, as durations.

use std::time::Duration;

use crate::workspace::config::environment::{CheckKind, CheckMode, CheckTable};
use crate::workspace::config::text::Span;

/// The rhythm and the limits of one check.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Schedule {
    /// How long one try may take.
    pub timeout: Duration,
    /// From the end of one try to the next.
    pub interval: Duration,
    /// Before the first try.
    pub initial_delay: Duration,
    /// How many tries in a row must succeed; at least one.
    pub consecutive_success: u32,
    /// How many failed tries are borne.
    pub failure_limit: u32,
    /// How many errors in a row are borne.
    pub error_limit: u32,
    /// From the beginning, the delay included.
    pub deadline: Duration,
    pub mode: CheckMode,
}

const INTERVAL: Duration = Duration::from_secs(5);
const ERROR_LIMIT: u32 = 4;
const DEADLINE: Duration = Duration::from_secs(3 * 60);
const SHORT_TRY: Duration = Duration::from_secs(5);
const LONG_TRY: Duration = Duration::from_secs(5 * 60);
/// A check that takes long gets a deadline that holds one try of it.
const LONG_DEADLINE: Duration = Duration::from_secs(10 * 60);

impl Schedule {
    /// What a check without further keys has.
    pub fn of_kind(kind: CheckKind) -> Schedule {
        let is_long = matches!(kind, CheckKind::Command | CheckKind::Install);
        Schedule {
            timeout: if is_long { LONG_TRY } else { SHORT_TRY },
            interval: INTERVAL,
            initial_delay: Duration::ZERO,
            consecutive_success: 1,
            failure_limit: 0,
            error_limit: ERROR_LIMIT,
            deadline: if is_long { LONG_DEADLINE } else { DEADLINE },
            mode: CheckMode::Enforce,
        }
    }

    /// The least time in which the check can pass.
    pub fn shortest(&self) -> Duration {
        self.initial_delay + self.interval.saturating_mul(self.consecutive_success.saturating_sub(1))
    }
}

impl CheckTable {
    /// The check's rhythm and limits, with the defaults of its kind.
    pub fn schedule(&self) -> Schedule {
        let otherwise = Schedule::of_kind(self.kind);
        let time =
            |span: Option<Span>, otherwise| span.map_or(otherwise, |span| Duration::from_secs(span.seconds));
        Schedule {
            timeout: time(self.timeout, otherwise.timeout),
            interval: time(self.interval, otherwise.interval),
            initial_delay: time(self.initial_delay, otherwise.initial_delay),
            consecutive_success: self.consecutive_success.unwrap_or(otherwise.consecutive_success),
            failure_limit: self.failure_limit.unwrap_or(otherwise.failure_limit),
            error_limit: self.error_limit.unwrap_or(otherwise.error_limit),
            deadline: time(self.deadline, otherwise.deadline),
            mode: self.mode.unwrap_or(otherwise.mode),
        }
    }
}
