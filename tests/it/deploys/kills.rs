//! Killed before and after every effect of a promotion, of one that fails and goes back, and of a rollback: the same
//! command from a fresh clone comes to the same end.

use std::fs;

use serde_json::Value;

use crate::deploys::place::{PROMOTE, Place, before_a_promotion, refused, two};
use crate::matrix::dice::some;

/// The version and digest that really run.
type Run = Option<(String, String)>;

const ROLLBACK: [&str; 3] = ["rollback", "production", "--yes"];

#[test]
fn a_promotion_killed_anywhere_is_finished_by_the_next_run() {
    let start = before_a_promotion();
    everywhere("promotion", &start, &PROMOTE, 0, &|_| {});
}

#[test]
fn a_failing_promotion_killed_anywhere_goes_back_all_the_same() {
    let start = before_a_promotion();
    everywhere("failing promotion", &start, &PROMOTE, 5, &|place| {
        place.order("sick", "production-core-1.2.0")
    });
}

#[test]
fn a_rollback_killed_anywhere_is_finished_by_the_next_run() {
    let start = before_a_promotion();
    start.release(&PROMOTE).well();
    everywhere("rollback", &start, &ROLLBACK, 0, &|_| {});
}

/// Kills a command at its places, or a few of them, runs it again and compares with the run that nobody disturbed.
fn everywhere(name: &str, start: &Place, words: &[&str], code: i32, faults: &dyn Fn(&Place)) {
    let undisturbed = start.twin(&two(""));
    faults(&undisturbed);
    let count = undisturbed.folder().join("places");
    let more = [("RELEASE_CRASH_COUNT", count.to_str().unwrap())];
    refused(&undisturbed.run_with(&undisturbed.fresh(), words, &more), code, &[]);
    let places = fs::read(&count).unwrap().len();
    let expected = end(&undisturbed);
    for place in some(name, (1..=places).collect(), 6) {
        let twin = start.twin(&two(""));
        faults(&twin);
        let at = place.to_string();
        let killed = twin.run_with(&twin.fresh(), words, &[("RELEASE_CRASH_AT", at.as_str())]);
        assert_eq!(killed.code, None, "{name} is killed at {place}: {}", killed.err);
        let again = twin.release(words);
        // Killed after its last link there is nothing left to do, or nothing that may be done.
        let over = if code == 0 { [0, 9] } else { [code, 9] };
        assert!(over.map(Some).contains(&again.code), "{name}, place {place}: {again:?}");
        assert_eq!(end(&twin), expected, "{name}, killed at place {place}\n{}{}", killed.err, again.err);
        nothing_comes_back(&twin, &format!("{name}, killed at place {place}"));
    }
    eprintln!("deploys: {name}: {places} places, all converged");
}

/// What the ledger says of the environments, but for the number of leases, and what runs.
fn end(place: &Place) -> (Value, [[Run; 2]; 2]) {
    let mut state = place.state();
    for environment in state["environments"].as_object_mut().unwrap().values_mut() {
        environment["epoch"].take();
        environment["moved"].take();
    }
    assert_eq!(state["rollouts"], Value::Null, "nothing is under way");
    place.log();
    let running =
        ["staging", "production"].map(|name| ["core", "app"].map(|package| place.running(name, package)));
    (state["environments"].take(), running)
}

/// Once the way back is done, the bad release is not brought again.
fn nothing_comes_back(place: &Place, what: &str) {
    let done = place.done();
    let back = done.iter().position(|done| done == "production core 1.1.0");
    let after = back.map(|at| &done[at..]).unwrap_or_default();
    assert!(!after.contains(&"production core 1.2.0".to_owned()), "{what}: {done:?}");
}
