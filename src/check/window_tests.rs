use proptest::prelude::*;

use super::*;

fn allow(text: &str, zone: &str) -> WindowTable {
    WindowTable { allow: Some(text.to_owned()), zone: Some(zone.to_owned()), ..WindowTable::default() }
}

fn deny(text: &str, rollback: bool) -> WindowTable {
    WindowTable { deny: Some(text.to_owned()), rollback: Some(rollback), ..WindowTable::default() }
}

fn at(text: &str) -> i64 {
    text.parse::<Timestamp>().unwrap().as_second()
}

#[track_caller]
fn open(tables: &[WindowTable], moment: &str) {
    assert_eq!(Windows::of(tables).standing(at(moment), Deed::Deploy), Standing::Open, "{moment}");
}

#[track_caller]
fn closed(tables: &[WindowTable], moment: &str, until: &str) {
    let standing = Windows::of(tables).standing(at(moment), Deed::Deploy);
    let Standing::Closed { opens, .. } = standing else { panic!("{moment} is open") };
    let opens = opens.map(|second| Timestamp::from_second(second).unwrap().to_string());
    assert_eq!(opens.as_deref().unwrap_or("never"), until, "{moment}");
}

#[test]
fn without_windows_all_is_allowed() {
    open(&[], "2026-03-01T03:00:00Z");
}

#[test]
fn hours_are_those_of_the_zone() {
    let work = [allow("Mon-Thu 09:00-16:00", "Europe/Berlin")];
    open(&work, "2026-01-05T08:00:00Z");
    open(&work, "2026-01-05T14:59:59Z");
    closed(&work, "2026-01-05T07:59:59Z", "2026-01-05T08:00:00Z");
    closed(&work, "2026-01-05T15:00:00Z", "2026-01-06T08:00:00Z");
    closed(&work, "2026-01-08T15:00:00Z", "2026-01-12T08:00:00Z");
    // In summer the same hour comes one hour earlier in UTC.
    open(&work, "2026-07-06T07:00:00Z");
    closed(&work, "2026-07-06T06:59:00Z", "2026-07-06T07:00:00Z");
    // The change of the clocks lies between.
    closed(&work, "2026-03-26T15:00:00Z", "2026-03-30T07:00:00Z");
}

#[test]
fn a_deny_stands_over_every_allow() {
    let tables = [allow("Mon-Sun 00:00-24:00", "UTC"), deny("Fri-Mon 18:00-24:00", false)];
    open(&tables, "2026-01-08T20:00:00Z");
    closed(&tables, "2026-01-09T20:00:00Z", "2026-01-10T00:00:00Z");
    closed(&[deny("Mon-Sun 00:00-24:00", false)], "2026-01-09T20:00:00Z", "never");
    let Standing::Closed { because, .. } =
        Windows::of(&tables).standing(at("2026-01-09T20:00:00Z"), Deed::Deploy)
    else {
        panic!("it is closed")
    };
    assert_eq!(because, "closed by deny \"Fri-Mon 18:00-24:00 UTC\"");
}

#[test]
fn going_back_is_stopped_only_where_a_deny_says_so() {
    let evening = "2026-01-09T20:00:00Z";
    let standing = |tables: &[WindowTable]| Windows::of(tables).standing(at(evening), Deed::Rollback);
    assert_eq!(standing(&[allow("Mon 09:00-10:00", "UTC"), deny("Fri 18:00-24:00", false)]), Standing::Open);
    let stopped = standing(&[allow("Mon 09:00-10:00", "UTC"), deny("Fri 18:00-24:00", true)]);
    assert!(
        matches!(stopped, Standing::Closed { opens: Some(opens), .. } if opens == at("2026-01-10T00:00:00Z"))
    );
}

#[test]
fn a_night_goes_on_to_the_next_morning() {
    let night = [allow("Fri 22:00-06:00", "UTC")];
    open(&night, "2026-01-09T22:00:00Z");
    open(&night, "2026-01-10T05:59:59Z");
    closed(&night, "2026-01-10T06:00:00Z", "2026-01-16T22:00:00Z");
    closed(&night, "2026-01-09T05:00:00Z", "2026-01-09T22:00:00Z");
}

#[test]
fn an_hour_that_the_clock_leaves_out_opens_at_the_jump() {
    // 2026-03-29, Berlin: 02:00 becomes 03:00 at 01:00 UTC.
    let gap = [allow("Sun 02:30-04:00", "Europe/Berlin")];
    closed(&gap, "2026-03-29T00:59:59Z", "2026-03-29T01:00:00Z");
    open(&gap, "2026-03-29T01:00:00Z");
    // A window wholly within the gap opens a week later.
    closed(&[allow("Sun 02:10-02:50", "Europe/Berlin")], "2026-03-29T00:00:00Z", "2026-04-05T00:10:00Z");
}

#[test]
fn an_hour_that_the_clock_shows_twice_is_open_twice() {
    // 2026-10-25, Berlin: 03:00 becomes 02:00 at 01:00 UTC.
    let fold = [allow("Sun 02:00-02:30", "Europe/Berlin")];
    open(&fold, "2026-10-25T00:29:59Z");
    closed(&fold, "2026-10-25T00:30:00Z", "2026-10-25T01:00:00Z");
    open(&fold, "2026-10-25T01:29:59Z");
    closed(&fold, "2026-10-25T01:30:00Z", "2026-11-01T01:00:00Z");
}

proptest! {
    #[test]
    fn the_next_opening_is_the_first(now in 1_700_000_000i64..1_900_000_000, days in 1usize..127, from in 0u16..96, length in 1u16..95, place in 0usize..4) {
        let names: Vec<&str> = crate::workspace::config::week::DAYS.into_iter().enumerate().filter(|(day, _)| days >> day & 1 == 1).map(|(_, name)| name).collect();
        let clock = |quarters: u16| format!("{:02}:{:02}", quarters % 96 / 4, quarters % 4 * 15);
        let text = format!("{} {}-{}", names.join(","), clock(from), clock(from + length));
        let zone = ["UTC", "Europe/Berlin", "America/St_Johns", "Australia/Lord_Howe"][place];
        let tables = [allow(&text, zone), deny("Wed 11:00-13:00", false)];
        let windows = Windows::of(&tables);
        if let Standing::Closed { opens: Some(opens), .. } = windows.standing(now, Deed::Deploy) {
            prop_assert!(opens > now);
            prop_assert_eq!(windows.standing(opens, Deed::Deploy), Standing::Open);
            prop_assert_ne!(windows.standing(opens - 1, Deed::Deploy), Standing::Open);
            let mut moment = now;
            while moment < opens {
                prop_assert_ne!(windows.standing(moment, Deed::Deploy), Standing::Open, "{} at {}", text, moment);
                moment += 15 * 60 * 7;
            }
        }
    }
}
