//! Gates: windows, the order of commits, soaks, what somebody changed by hand.

use std::fs;

use crate::deploys::place::{PROMOTE, Place, environment, refused, two};

/// Half past nine on the Monday after the usual time, in seconds after it.
const MONDAY: i64 = 2 * 86_400 + 34_200;

#[test]
fn a_window_opens_by_the_clock_or_for_a_reason() {
    let place = Place::released(&two("windows = [{ allow = \"Mon-Thu 09:00-16:00\" }]"));
    place.deployed("staging", &["1.1.0"]);
    refused(&place.release(&PROMOTE), 9, &["core 1.1.0: window", "until 2025-02-03 09:00"]);
    let unexplained = place.release(&["promote", "--to", "production", "--yes", "--override", "window"]);
    refused(&unexplained, 2, &["--reason"]);
    let unknown = ["promote", "--to", "production", "--yes", "--override", "door", "--reason", "x"];
    refused(
        &place.release(&unknown),
        2,
        &["no gate is called `door`", "the gates are: after, soak, approvals, window"],
    );
    assert_eq!(place.versions("production"), ["-", "-"]);
    place.release_at(MONDAY, &PROMOTE).well();
    place.agrees("production", ["1.1.0", "1.1.0"]);

    place.deployed("staging", &["1.2.0"]);
    let past = ["promote", "--to", "production", "--yes", "--override", "window", "--reason", "it burns"];
    place.release(&past).well();
    place.agrees("production", ["1.2.0", "1.2.0"]);
    let log = place.log();
    let begun = log.iter().rev().find(|event| event["what"]["event"] == "deploying").unwrap();
    let deployment = &begun["what"]["deployment"];
    assert_eq!((&deployment["overrides"][0], &deployment["reason"]), (&"window".into(), &"it burns".into()));
    // No window keeps anybody from going back.
    place.release(&["rollback", "production", "--yes"]).well();
    place.agrees("production", ["1.1.0", "1.1.0"]);
}

#[test]
fn a_closed_window_may_be_waited_for() {
    let place = Place::released(&two("windows = [{ allow = \"Mon-Thu 09:00-16:00\" }]"));
    place.deployed("staging", &["1.1.0"]);
    let waiting = place.release(&["promote", "--to", "production", "--when-allowed", "--yes"]).well().out;
    assert!(waiting.contains("remembered: `release tick` does it"), "{waiting}");
    let events = place.state()["events"].clone();
    let tick = place.release(&["tick"]).well();
    assert!(tick.err.contains("window"), "{}", tick.err);
    assert_eq!(place.state()["events"], events, "waiting writes nothing");
    place.release_at(MONDAY, &["tick"]).well();
    place.agrees("production", ["1.1.0", "1.1.0"]);
    assert_eq!(place.release_at(MONDAY, &["tick"]).well().out, "nothing waits\n");
}

#[test]
fn an_older_commit_comes_by_a_rollback_only() {
    let place = Place::released(&two(""));
    place.deployed("staging", &["1.1.0", "1.2.0"]);
    let older = ["deploy", "staging", "core@1.1.0", "--yes"];
    refused(&place.release(&older), 9, &["core 1.1.0: order", "`release rollback staging` goes back"]);
    place.agrees("staging", ["1.2.0", "1.2.0"]);
    place.release(&["rollback", "staging", "-p", "app", "--to", "1.1.0", "--yes"]).well();
    place.agrees("staging", ["1.2.0", "1.1.0"]);
    refused(
        &place.release(&["rollback", "staging", "-p", "app", "--to", "1.3.0", "--yes"]),
        2,
        &["nothing that was verified in staging is left to take app back to"],
    );
}

#[test]
fn a_soak_is_waited_for_and_a_tick_goes_on() {
    let place = Place::released(&two("soak = \"1h\""));
    place.deployed("staging", &["1.1.0"]);
    refused(&place.release_at(3599, &PROMOTE), 9, &["core 1.1.0: soak", "until 2025-02-01 01:00"]);
    place.release(&["promote", "--to", "production", "--when-allowed", "--yes"]).well();
    let early = place.release_at(1800, &["tick"]).well();
    assert!(early.err.contains("looked at core 1.1.0 in staging: it holds"), "{}", early.err);
    assert_eq!(place.versions("production"), ["-", "-"]);
    place.release_at(3600, &["tick"]).well();
    place.agrees("production", ["1.1.0", "1.1.0"]);
}

#[test]
fn what_dies_while_it_soaks_is_taken_back_and_goes_no_further() {
    let place = Place::released(&two("soak = \"1h\""));
    place.deployed("staging", &["1.1.0", "1.2.0"]);
    place.release(&["promote", "--to", "production", "--when-allowed", "--yes"]).well();
    place.order("sick", "staging-app-1.2.0");
    let tick = place.release_at(1800, &["tick"]);
    refused(&tick, 5, &["staging went back from app 1.2.0: while it soaked: command-1"]);
    place.agrees("staging", ["1.2.0", "1.1.0"]);
    let later = place.release_at(7200, &["tick"]);
    assert_eq!(place.version("production", "app"), "-", "{later:?}");
    assert!(later.err.contains("app 1.2.0: after: it is not verified in staging"), "{later:?}");
}

#[test]
fn what_somebody_changed_by_hand_is_named_and_not_overwritten_unasked() {
    let place = Place::released(&two(""));
    place.deployed("staging", &["1.1.0"]);
    let file = place.folder().join("runs/staging/core.json");
    let digest = format!("sha256:{}", "a".repeat(64));
    fs::write(&file, format!("{{\"digest\":\"{digest}\",\"version\":\"6.6.6\"}}")).unwrap();
    let status = place.release(&["status", "--live"]).well().out;
    assert!(status.contains("differs: 6.6.6 (aaaaaaaaaaaa) runs, changed by hand"), "{status}");
    let deploy = ["deploy", "staging", "core@1.2.0", "--yes"];
    refused(&place.release(&deploy), 9, &["core 1.2.0: drift: core 6.6.6", "--override drift"]);
    assert_eq!(place.version("staging", "core"), "6.6.6");
    let past =
        ["deploy", "staging", "core@1.2.0", "--yes", "--override", "drift", "--reason", "it was a try"];
    place.release(&past).well();
    place.agrees("staging", ["1.2.0", "1.1.0"]);
    // What runs nowhere any more is named too, and brought again.
    fs::remove_file(&file).unwrap();
    let status = place.release(&["status", "--live"]).well().out;
    assert!(status.contains("differs: nothing runs"), "{status}");
}

#[test]
fn a_release_that_nothing_could_go_back_from_is_refused() {
    let floor = "rollback-floor = { core = \"1.2.0\" }";
    let place = Place::released(&environment("staging", floor));
    place.deployed("staging", &["1.1.0"]);
    let deploy = ["deploy", "staging", "core@1.2.0", "--yes"];
    refused(
        &place.release(&deploy),
        9,
        &["core 1.2.0: return: a failure could not go back: core 1.1.0 is below the rollback floor 1.2.0"],
    );
    let past = ["deploy", "staging", "core@1.2.0", "--yes", "--override", "return", "--reason", "one way"];
    place.release(&past).well();
    place.agrees("staging", ["1.2.0", "1.1.0"]);
    refused(
        &place.release(&["rollback", "staging", "-p", "core", "--yes"]),
        9,
        &["below the rollback floor"],
    );
    // The same where its bytes are gone.
    place.order("gone", "staging-app-1.1.0");
    refused(
        &place.release(&["deploy", "staging", "app@1.2.0", "--yes"]),
        9,
        &["app 1.2.0: return", "its image is gone"],
    );
    place.lift("gone", "staging-app-1.1.0");
    place.order("gone", "staging-app-1.2.0");
    let gone = place.release(&["deploy", "staging", "app@1.2.0", "--yes"]);
    refused(&gone, 9, &["app 1.2.0 can not be brought there", "its image is gone"]);
    place.agrees("staging", ["1.2.0", "1.1.0"]);
}
