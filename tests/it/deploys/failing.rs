//! A release that does not hold: the environment goes back once, and what failed stays out until a person says otherwise.

use crate::deploys::place::{PROMOTE, Place, before_a_promotion as place, refused, two};

#[test]
fn what_a_check_finds_bad_goes_back_and_is_held() {
    let place = place();
    place.order("sick", "production-app-1.2.0");
    refused(
        &place.release(&PROMOTE),
        5,
        &["rolled back: command-1", "it answers with nonsense", "before (app 1.1.0)", "held"],
    );
    // What was proven before it stays; only what failed goes back.
    place.agrees("production", ["1.2.0", "1.1.0"]);
    let status = place.status("production", "app");
    assert_eq!(
        (&status["verified"], &status["held"]),
        (&true.into(), &false.into()),
        "the old one is proven again"
    );
    assert!(status["holds"][0].as_str().unwrap().starts_with("1.2.0: command-1"), "{status}");
    let ending = place.log().last().unwrap()["what"].clone();
    assert_eq!((&ending["event"], &ending["ending"]), (&"deployed".into(), &"rolled-back".into()));

    // Well or not, it does not come back by itself.
    place.lift("sick", "production-app-1.2.0");
    let changes = place.done().len();
    refused(&place.release(&PROMOTE), 9, &["app 1.2.0: hold: command-1", "release resume --only app"]);
    refused(&place.release(&["deploy", "production", "app@1.2.0", "--yes"]), 9, &["app 1.2.0: hold"]);
    let past =
        place.release(&["promote", "--to", "production", "--yes", "--override", "hold", "--reason", "now"]);
    refused(&past, 2, &["nobody goes past `hold`", "release resume"]);
    assert_eq!(place.release(&["tick"]).well().out, "nothing waits\n");
    assert_eq!(place.done().len(), changes, "none of these moved anything");

    place.release(&["resume", "--only", "app", "--reason", "it was the probe"]).well();
    place.release(&PROMOTE).well();
    place.agrees("production", ["1.2.0", "1.2.0"]);
}

#[test]
fn what_can_not_be_applied_or_is_another_thing_goes_back() {
    for (order, words) in [
        ("fail", "core 1.2.0 does not run: `apply` ended with exit status: 1"),
        ("wrong", "core 1.2.0 does not run: `apply` ended well, and `status` says that 000000000000 runs"),
        ("hang", "core 1.2.0 does not run: `apply` took too long"),
    ] {
        let place = place();
        place.order(order, "production-core-1.2.0");
        refused(&place.release(&PROMOTE), 5, &[words, "before (core 1.1.0)"]);
        place.agrees("production", ["1.1.0", "1.1.0"]);
        assert!(!place.done().contains(&"production app 1.2.0".to_owned()), "its dependent was not begun");
        refused(&place.release(&PROMOTE), 9, &["core 1.2.0: hold"]);
    }
}

#[test]
fn a_way_back_that_fails_too_locks_the_environment() {
    let place = place();
    place.order("sick", "production-core-1.2.0");
    place.order("fail", "production-core-1.1.0");
    let failed = place.release(&PROMOTE);
    refused(
        &failed,
        6,
        &["it answers with nonsense", "and core 1.1.0 did not work either", "no room for it", "locked"],
    );
    assert_eq!(place.versions("production"), ["1.2.0", "1.1.0"], "it is left as it is");
    let status = place.release(&["status"]).well().out;
    assert!(status.starts_with("halted: environment production is locked"), "{status}");
    // There is no loop: nothing moves by itself or by the way.
    let changes = place.changes().len();
    for words in
        [&PROMOTE[..], &["deploy", "production", "core@1.3.0", "--yes"], &["rollback", "production", "--yes"]]
    {
        refused(&place.release(words), 9, &["lock", "release resume --environment production"]);
    }
    place.release(&["tick"]).well();
    assert_eq!(place.changes().len(), changes);

    place.lift("fail", "production-core-1.1.0");
    place.release(&["resume", "--environment", "production", "--reason", "looked at it"]).well();
    place.release(&["rollback", "production", "-p", "core", "--yes"]).well();
    place.agrees("production", ["1.1.0", "1.1.0"]);
}

#[test]
fn a_way_back_that_does_not_hold_locks_the_environment() {
    let place = place();
    place.order("sick", "production-core-1.2.0");
    place.order("sick", "production-core-1.1.0");
    refused(&place.release(&PROMOTE), 6, &["command-1", "and core 1.1.0 did not work either: command-1"]);
    assert_eq!(place.versions("production"), ["1.1.0", "1.1.0"]);
    let status = place.status("production", "core");
    assert_eq!(status["verified"], false, "what does not hold is not called verified: {status}");
}

#[test]
fn a_first_deployment_that_fails_is_left_as_it_is() {
    let place = Place::released(&two(""));
    place.order("sick", "staging-core-1.1.0");
    let deploy = ["deploy", "staging", "core@1.1.0", "app@1.1.0", "--yes"];
    refused(
        &place.release(&deploy),
        6,
        &["failed, with nothing verified to go back to", "staging is left as it is"],
    );
    assert_eq!(place.versions("staging"), ["1.1.0", "-"], "nothing is invented");
    let status = place.status("staging", "core");
    assert_eq!((&status["verified"], &status["held"]), (&false.into(), &true.into()));
    refused(
        &place.release(&["promote", "--to", "production", "--yes"]),
        9,
        &["it is not verified in staging"],
    );
    let changes = place.changes().len();
    assert_eq!(place.release(&["tick"]).well().out, "nothing waits\n");
    refused(&place.release(&["rollback", "staging", "--yes"]), 9, &["nothing that staging could go back to"]);
    assert_eq!(place.changes().len(), changes);
    place.deployed("staging", &["1.2.0"]);
    place.agrees("staging", ["1.2.0", "1.2.0"]);
}
