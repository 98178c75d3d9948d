//! Several runs at once: one moves an environment, the others see it and leave.

use crate::deploys::place::{PROMOTE, Place, ended, refused, two};

#[test]
fn of_two_promotions_one_does_it() {
    let place = Place::released(&two(""));
    place.deployed("staging", &["1.1.0"]);
    let both = [place.begin(&PROMOTE), place.begin(&PROMOTE)];
    let answers = both.map(ended);
    let did = answers.iter().filter(|answer| answer.out.contains("production runs core 1.1.0"));
    assert_eq!(did.count(), 1, "{answers:?}");
    for answer in &answers {
        let nothing = answer.code == Some(0) && answer.out.contains("nothing to promote");
        let did = answer.code == Some(0) && answer.out.contains("production runs");
        assert!(did || nothing || answer.code == Some(7), "{answer:?}");
    }
    place.agrees("production", ["1.1.0", "1.1.0"]);
    assert_eq!(place.done().iter().filter(|done| *done == "production core 1.1.0").count(), 1);
}

#[test]
fn what_was_decided_before_somebody_else_moved_the_environment_is_stale() {
    let place = Place::released(&two(""));
    place.deployed("staging", &["1.1.0"]);
    // It has seen 1.1.0 of both, and looks whether the last of its releases is possible.
    place.order("ponder", "staging-app-1.2.0");
    let slow = place.begin(&["deploy", "staging", "core@1.2.0", "app@1.2.0", "--yes"]);
    place.wait_for("ponder", "staging-app-1.2.0");
    place.release(&["deploy", "staging", "core@1.3.0", "--yes"]).well();
    place.lift("ponder", "staging-app-1.2.0");
    refused(&ended(slow), 7, &["somebody else moved staging since this was decided", "release status"]);
    place.agrees("staging", ["1.3.0", "1.1.0"]);
    // Decided anew, the order guard sees what came meanwhile.
    let again = place.release(&["deploy", "staging", "core@1.2.0", "app@1.2.0", "--yes"]);
    refused(&again, 9, &["core 1.2.0: order"]);
}

#[test]
fn a_promotion_waits_for_no_rollback() {
    let place = Place::released(&two(""));
    place.deployed("staging", &["1.1.0"]);
    place.release(&PROMOTE).well();
    place.deployed("staging", &["1.2.0"]);
    place.release(&PROMOTE).well();
    place.deployed("staging", &["1.3.0"]);
    place.order("slow", "production-app-1.1.0");
    let rollback = place.begin(&["rollback", "production", "--yes"]);
    place.wait_for("slow", "production-app-1.1.0");
    refused(&place.release(&PROMOTE), 7, &["is at work on", "production"]);
    refused(&place.release(&["rollback", "production", "--yes"]), 7, &["is at work on"]);
    let tick = place.release(&["tick"]).well();
    assert!(tick.err.contains("is in somebody's hand"), "{}", tick.err);
    place.lift("slow", "production-app-1.1.0");
    ended(rollback).well();
    place.agrees("production", ["1.1.0", "1.1.0"]);
}

/// 1.1.0 and 1.2.0 were verified in staging; 1.3.0 is applied, and its proof does not end.
fn hanging() -> (Place, std::process::Child) {
    let place = Place::released(&two(""));
    place.deployed("staging", &["1.1.0", "1.2.0"]);
    place.order("slow", "staging-core-1.3.0");
    let deploy = place.begin(&["deploy", "staging", "core@1.3.0", "app@1.3.0", "--yes"]);
    place.wait_for("slow", "staging-core-1.3.0");
    (place, deploy)
}

#[test]
fn a_rollback_comes_before_a_deployment_that_hangs() {
    let (place, deploy) = hanging();
    let rollback = place.release(&["rollback", "staging", "--reason", "it hangs", "--yes"]).well();
    assert!(rollback.out.contains("core 1.2.0"), "{}", rollback.out);
    let changes = place.changes().len();
    place.lift("slow", "staging-core-1.3.0");
    refused(&ended(deploy), 7, &["release status"]);
    assert_eq!(place.changes().len(), changes, "who was preempted touches nothing more");
    // It is one step back from what hung, not two, and what hung is held.
    place.agrees("staging", ["1.2.0", "1.2.0"]);
    let status = place.status("staging", "core");
    assert_eq!((&status["verified"], &status["holds"][0]), (&true.into(), &"1.3.0: it hangs".into()));
    refused(&place.release(&["deploy", "staging", "core", "--yes"]), 9, &["core 1.3.0: hold: it hangs"]);
}

#[test]
fn a_preempted_deployment_whose_check_fails_does_not_go_back_either() {
    let (place, deploy) = hanging();
    place.release(&["rollback", "staging", "--to", "1.1.0", "-p", "core", "--yes"]).well();
    let changes = place.changes().len();
    place.order("sick", "staging-core-1.3.0");
    place.lift("slow", "staging-core-1.3.0");
    refused(&ended(deploy), 7, &[]);
    assert_eq!(place.changes().len(), changes);
    assert_eq!(place.version("staging", "core"), "1.1.0");
    place.log();
}
