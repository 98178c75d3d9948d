//! Ways back: who depends on what goes back, and what can not.

use crate::deploys::place::{Place, refused, two};

#[test]
fn who_is_pinned_to_what_goes_back_goes_back_before_it() {
    let place = Place::released(&two(""));
    place.deployed("staging", &["1.1.0", "1.2.0"]);
    let rollback = place.release(&["rollback", "staging", "-p", "core", "--yes"]).well();
    assert!(
        rollback.err.contains("app 1.2.0 needs `deps-core==1.2.0`, so it goes back too"),
        "{}",
        rollback.err
    );
    place.agrees("staging", ["1.1.0", "1.1.0"]);
    let done = place.done();
    assert_eq!(done[done.len() - 2..], ["staging app 1.1.0", "staging core 1.1.0"], "dependents come first");
}

#[test]
fn a_dependent_without_a_way_back_keeps_what_it_needs() {
    let place = Place::released(&two(""));
    place.release(&["deploy", "staging", "core@1.1.0", "--yes"]).well();
    place.deployed("staging", &["1.2.0"]);
    let rollback = place.release(&["rollback", "staging", "-p", "core", "--yes"]);
    refused(&rollback, 9, &["app 1.2.0 runs there and needs `deps-core==1.2.0`", "nothing verified is left"]);
    place.agrees("staging", ["1.2.0", "1.2.0"]);
}

#[test]
fn a_rollback_that_fails_locks_and_is_not_tried_again() {
    let place = Place::released(&two(""));
    place.deployed("staging", &["1.1.0", "1.2.0"]);
    place.order("fail", "staging-app-1.1.0");
    refused(&place.release(&["rollback", "staging", "--yes"]), 6, &["app 1.1.0 does not run", "locked"]);
    place.agrees("staging", ["1.2.0", "1.2.0"]);
    let changes = place.changes().len();
    place.release(&["tick"]).well();
    refused(&place.release(&["rollback", "staging", "--yes"]), 9, &["lock"]);
    assert_eq!(place.changes().len(), changes);
}

#[test]
fn a_rollback_is_held_off_by_nothing_that_was_released_since() {
    let place = Place::released(&two(""));
    place.deployed("staging", &["1.1.0", "1.2.0", "1.3.0"]);
    place.release(&["rollback", "staging", "--yes"]).well();
    place.agrees("staging", ["1.2.0", "1.2.0"]);
    place.release(&["rollback", "staging", "--yes"]).well();
    place.agrees("staging", ["1.1.0", "1.1.0"]);
    refused(&place.release(&["rollback", "staging", "--yes"]), 9, &["nothing that staging could go back to"]);
    // What a person went away from comes back by a person's word alone.
    refused(&place.release(&["deploy", "staging", "--yes"]), 9, &["core 1.3.0: hold: rolled back"]);
}
