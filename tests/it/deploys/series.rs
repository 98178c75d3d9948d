//! Many deployments in a row, killed at random: after each exactly one release is current, and it is the one that runs.

use serde_json::Value;

use crate::deploys::place::{Place, environment};
use crate::matrix::dice::{Dice, runs};

/// Places that one deployment of two packages has, at least.
const PLACES: usize = 24;

#[test]
fn deployments_in_a_row_with_kills_leave_one_release_that_runs() {
    let place = Place::released(&environment("staging", ""));
    let mut dice = Dice::of("deployments in a row");
    let (rounds, mut kills) = (runs(10), 0);
    place.deployed("staging", &["1.1.0"]);
    for round in 0..rounds {
        let wanted = ["1.1.0", "1.2.0", "1.3.0"][dice.below(3)];
        if dice.below(3) == 0 {
            place.order("sick", &format!("staging-core-{wanted}"));
        }
        // What was held by an earlier round may come again.
        place.release(&["resume", "--environment", "staging", "--reason", "next round"]);
        let (core, app) = (format!("core@{wanted}"), format!("app@{wanted}"));
        let past = ["--override", "order", "--reason", "any order", "--yes"];
        let words: Vec<&str> = ["deploy", "staging", &core, &app].into_iter().chain(past).collect();
        for _ in 0..dice.below(3) {
            let at = (1 + dice.below(PLACES)).to_string();
            let killed = place.run_with(&place.fresh(), &words, &[("RELEASE_CRASH_AT", &at)]);
            kills += usize::from(killed.code.is_none());
        }
        let last = place.release(&words);
        assert!(matches!(last.code, Some(0 | 5 | 9)), "round {round}: {last:?}");
        let _ = std::fs::remove_file(place.folder().join(format!("orders/sick-staging-core-{wanted}")));
        one_runs(&place, &format!("round {round} ({wanted}): {last:?}"));
    }
    place.log();
    eprintln!("deploys: in a row: {rounds} deployments, {kills} kills");
}

/// The ledger has one current release of each package, proven, and it is the one that runs.
#[track_caller]
fn one_runs(place: &Place, what: &str) {
    let state = place.state();
    assert_eq!(state["rollouts"], Value::Null, "{what}");
    for package in ["core", "app"] {
        let current = &state["environments"]["staging"]["packages"][package]["current"];
        let (version, _) = place.running("staging", package).unwrap();
        assert_eq!(current["release"]["version"], version.as_str(), "{package}, {what}");
        assert!(current["verified"].is_number(), "{package} is proven, {what}");
    }
}
