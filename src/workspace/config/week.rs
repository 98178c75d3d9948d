//! A window of the week as a value: which days, from which minute to which.

/// Days and minutes of a week; the clock that they are read from is somebody else's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Weekly {
    /// Monday first.
    pub days: [bool; 7],
    /// Minutes since midnight, of the first minute inside.
    pub from: u16,
    /// Minutes since midnight, of the first minute outside; where it is before `from`, on the day after.
    pub to: u16,
}

/// The days' names, Monday first.
pub const DAYS: [&str; 7] = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];

impl Weekly {
    /// Reads `Mon-Thu 09:00-16:00`: days and spans of days with commas between them, a blank, two times. Days may go
    /// round the week's end (`Fri-Mon`) and times round midnight (`22:00-06:00`, which begins on the days named).
    pub fn read(text: &str) -> Option<Weekly> {
        let (spans, hours) = text.split_once(' ')?;
        let mut days = [false; 7];
        for span in spans.split(',') {
            let (first, last) = span.split_once('-').unwrap_or((span, span));
            let (mut day, last) = (day(first)?, day(last)?);
            days[day] = true;
            while day != last {
                day = (day + 1) % 7;
                days[day] = true;
            }
        }
        let (from, to) = hours.split_once('-')?;
        let (from, to) = (minutes(from)?, minutes(to)?);
        let to = if to == 0 { 24 * 60 } else { to };
        let is_some_time = from != to && from < 24 * 60;
        is_some_time.then_some(Weekly { days, from, to })
    }

    /// Whether a moment of the wall clock lies inside: the day (Monday is 0) and the minutes since its midnight.
    pub fn holds(&self, day: usize, minute: u16) -> bool {
        let (today, yesterday) = (self.days[day % 7], self.days[(day + 6) % 7]);
        if self.from < self.to {
            today && (self.from..self.to).contains(&minute)
        } else {
            today && minute >= self.from || yesterday && minute < self.to
        }
    }
}

fn day(text: &str) -> Option<usize> {
    DAYS.iter().position(|day| *day == text)
}

/// Minutes since midnight of `HH:MM`, up to 24:00.
fn minutes(text: &str) -> Option<u16> {
    let (hour, minute) = text.split_once(':')?;
    let number = |part: &str| {
        let digits = part.len() == 2 && part.bytes().all(|byte| byte.is_ascii_digit());
        digits.then(|| part.parse::<u16>().ok()).flatten()
    };
    let total = number(hour)? * 60 + number(minute).filter(|minute| *minute < 60)?;
    (total <= 24 * 60).then_some(total)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, days: &str, from: u16, to: u16) {
        let week = Weekly::read(text).unwrap_or_else(|| panic!("{text}"));
        let named: String = week.days.iter().map(|day| if *day { 'x' } else { '-' }).collect();
        assert_eq!((named.as_str(), week.from, week.to), (days, from, to), "{text}");
    }

    #[test]
    fn days_go_round_the_weeks_end_and_times_round_midnight() {
        check("Mon-Thu 09:00-16:00", "xxxx---", 540, 960);
        check("Fri-Mon 00:00-24:00", "x---xxx", 0, 1440);
        check("Sat,Sun 06:00-24:00", "-----xx", 360, 1440);
        check("Mon-Tue,Fri 22:00-06:00", "xx--x--", 1320, 360);
        check("Wed 22:00-00:00", "--x----", 1320, 1440);
        check("Sun-Sat 00:00-00:01", "xxxxxxx", 0, 1);
    }

    #[test]
    fn what_is_no_window_is_refused() {
        for text in [
            "",
            "Mon",
            "Mon 9-16",
            "Mo 09:00-16:00",
            "Mon 09:00-24:01",
            "Mon 09:60-10:00",
            "Mon 09:00-09:00",
            "Mon 24:00-06:00",
            "Mon- 09:00-10:00",
            "Mon,, 09:00-10:00",
            "Mon-Tue-Wed 09:00-10:00",
            "Mon +9:00-10:00",
            "Mon  09:00-10:00",
        ] {
            assert_eq!(Weekly::read(text), None, "{text}");
        }
    }

    #[test]
    fn a_night_belongs_to_the_day_it_begins_on() {
        let night = Weekly::read("Fri 22:00-06:00").unwrap();
        assert!(night.holds(4, 1320) && night.holds(5, 359));
        assert!(!night.holds(4, 359) && !night.holds(5, 360) && !night.holds(5, 1320));
    }
}
