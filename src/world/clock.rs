//! The time of day. Debug builds take it from `RELEASE_CLOCK` (seconds since 1970) where that is set, so that a test can
//! tell two runs apart by what they did alone.

use std::time::{SystemTime, UNIX_EPOCH};

/// Seconds since 1970 (UTC); negative on a clock that stands before.
pub fn now() -> i64 {
    if let Some(time) = set() {
        return time;
    }
    match SystemTime::now().duration_since(UNIX_EPOCH) {
        Ok(since) => i64::try_from(since.as_secs()).unwrap_or(i64::MAX),
        Err(before) => i64::try_from(before.duration().as_secs()).map_or(i64::MIN, |seconds| -seconds),
    }
}

#[cfg(debug_assertions)]
fn set() -> Option<i64> {
    std::env::var("RELEASE_CLOCK").ok()?.parse().ok()
}

#[cfg(not(debug_assertions))]
fn set() -> Option<i64> {
    None
}

/// The day of a time in UTC: `2026-11-24`. A time beyond the year 9999 stays a number of seconds.
pub fn day(time: i64) -> String {
    gix::date::Time::new(time, 0).format_or_unix(gix::date::time::format::SHORT)
}

#[cfg(test)]
mod tests {
    use super::{day, now};

    #[test]
    fn a_day_is_told_in_utc() {
        assert_eq!(day(0), "1970-01-01");
        assert_eq!(day(-1), "1969-12-31");
        assert_eq!(day(1_795_478_400), "2026-11-24");
        assert_eq!(day(1_795_478_400 + 86_399), "2026-11-24");
        assert_eq!(day(i64::MAX), i64::MAX.to_string());
    }

    #[test]
    fn the_clock_stands_after_2020() {
        assert!(now() > 1_577_836_800);
    }
}
