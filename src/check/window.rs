//! Whether an environment may be deployed to at a moment, and when it may next.

use jiff::Timestamp;
use jiff::civil::{Date, Time, Weekday};
use jiff::tz::TimeZone;

use crate::workspace::config::environment::WindowTable;
use crate::workspace::config::week::Weekly;
use crate::workspace::config::zone::zone;

/// The windows of an environment, complete.
#[derive(Debug, Clone)]
pub struct Windows {
    list: Vec<Window>,
}

#[derive(Debug, Clone)]
struct Window {
    /// As it is written, for people: `Mon-Thu 09:00-16:00 Europe/Berlin`.
    text: String,
    week: Weekly,
    zone: TimeZone,
    allows: bool,
    /// Whether a deny stops rollbacks too.
    stops_rollbacks: bool,
}

/// What is to be done at a moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Deed {
    Deploy,
    /// Going back is stopped by no window but a deny that says so.
    Rollback,
}

/// How an environment stands at a moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Standing {
    Open,
    /// Why, and when it opens next, in seconds since 1970; none within a fortnight.
    Closed {
        because: String,
        opens: Option<i64>,
    },
}

/// How many days are looked ahead for the next opening: a week, and one more for what a clock change hides.
const AHEAD: i64 = 15;
const DAY: i64 = 86_400;

impl Windows {
    /// The windows of a configuration that was read: their texts and zones are right, and what is not is left out.
    pub fn of(tables: &[WindowTable]) -> Windows {
        Windows { list: tables.iter().filter_map(Window::of).collect() }
    }

    /// Whether this may be done at a moment, in seconds since 1970. A deny stands over every allow; without an allow
    /// all is allowed.
    pub fn standing(&self, now: i64, deed: Deed) -> Standing {
        match self.closed_by(now, deed) {
            None => Standing::Open,
            Some(because) => Standing::Closed { because, opens: self.next_opening(now, deed) },
        }
    }

    fn closed_by(&self, now: i64, deed: Deed) -> Option<String> {
        let denies = |window: &&Window| !window.allows && (deed == Deed::Deploy || window.stops_rollbacks);
        if let Some(deny) = self.list.iter().filter(denies).find(|window| window.holds(now)) {
            return Some(format!("closed by deny \"{}\"", deny.text));
        }
        let allows: Vec<&Window> = self.list.iter().filter(|window| window.allows).collect();
        let is_open =
            deed == Deed::Rollback || allows.is_empty() || allows.iter().any(|window| window.holds(now));
        let texts =
            || allows.iter().map(|window| format!("\"{}\"", window.text)).collect::<Vec<_>>().join(", ");
        (!is_open).then(|| format!("open only in {}", texts()))
    }

    /// The first moment after `now` that is open. Windows change only where a wall clock shows one of their times, or
    /// jumps.
    fn next_opening(&self, now: i64, deed: Deed) -> Option<i64> {
        let mut edges: Vec<i64> = self.list.iter().flat_map(|window| window.edges(now)).collect();
        edges.sort_unstable();
        edges.into_iter().filter(|edge| *edge > now).find(|edge| self.closed_by(*edge, deed).is_none())
    }
}

impl Window {
    fn of(table: &WindowTable) -> Option<Window> {
        let text = table.allow.as_ref().or(table.deny.as_ref())?;
        let name = table.zone.as_deref().unwrap_or("UTC");
        Some(Window {
            text: format!("{text} {name}"),
            week: Weekly::read(text)?,
            zone: zone(name)?,
            allows: table.allow.is_some(),
            stops_rollbacks: table.rollback.unwrap_or(false),
        })
    }

    /// Whether the wall clock of the zone shows a time inside.
    fn holds(&self, now: i64) -> bool {
        let Ok(moment) = Timestamp::from_second(now) else { return false };
        let clock = self.zone.to_datetime(moment);
        let minute = i64::from(clock.hour()) * 60 + i64::from(clock.minute());
        self.week.holds(day_of(clock.date().weekday()), u16::try_from(minute).unwrap_or_default())
    }

    /// The moments of the next days at which the window may begin or end, in no order.
    fn edges(&self, now: i64) -> Vec<i64> {
        let Ok(moment) = Timestamp::from_second(now) else { return Vec::new() };
        let until = now.saturating_add(AHEAD * DAY);
        let mut edges = Vec::new();
        let jumps = self.zone.following(moment).map(|jump| jump.timestamp().as_second());
        edges.extend(jumps.take_while(|jump| *jump <= until));
        let mut date = self.zone.to_datetime(moment).date();
        for _ in 0..=AHEAD {
            for minute in [self.week.from, self.week.to] {
                edges.extend(self.moments(date, minute));
            }
            let Ok(next) = date.tomorrow() else { break };
            date = next;
        }
        edges
    }

    /// When the wall clock shows this time: once, twice where it is set back, or at the jump that leaves it out.
    fn moments(&self, date: Date, minute: u16) -> Vec<i64> {
        let (date, minute) =
            if minute == 24 * 60 { (date.tomorrow().unwrap_or(date), 0) } else { (date, minute) };
        let clock = |number: u16| i8::try_from(number).unwrap_or_default();
        let Ok(time) = Time::new(clock(minute / 60), clock(minute % 60), 0, 0) else { return Vec::new() };
        let moment = self.zone.to_ambiguous_timestamp(date.to_datetime(time));
        let seconds = |moment: Result<Timestamp, jiff::Error>| moment.ok().map(Timestamp::as_second);
        [moment.earlier(), moment.later()].into_iter().filter_map(seconds).collect()
    }
}

fn day_of(weekday: Weekday) -> usize {
    usize::try_from(weekday.to_monday_zero_offset()).unwrap_or_default()
}

#[cfg(test)]
#[path = "window_tests.rs"]
mod tests;
