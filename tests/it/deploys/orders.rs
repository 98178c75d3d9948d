//! What persons say: halts, approvals, and their end.

use serde_json::json;

use crate::deploys::place::{Place, ended, refused, two};

/// 1.1.0 of both is verified in staging; 1.2.0 is on its way there and halted once `core` is proven.
fn halted() -> Place {
    let place = Place::released(&two(""));
    place.deployed("staging", &["1.1.0"]);
    place.order("slow", "staging-core-1.2.0");
    let deploy = place.begin(&["deploy", "staging", "core@1.2.0", "app@1.2.0", "--yes"]);
    place.wait_for("slow", "staging-core-1.2.0");
    let halt = place.release(&["halt", "--environment", "staging", "--reason", "the database moves"]).well();
    assert!(halt.out.contains("rollbacks stay allowed"), "{}", halt.out);
    place.lift("slow", "staging-core-1.2.0");
    refused(&ended(deploy), 9, &["halted: the database moves", "release resume"]);
    assert_eq!(place.versions("staging"), ["1.2.0", "1.1.0"], "it stopped before the next effect");
    place
}

#[test]
fn a_halt_stops_before_the_next_effect_and_a_tick_goes_on_after_it() {
    let place = halted();
    let status = place.release(&["status", "--output", "json"]).well().json();
    assert_eq!(status["halts"][0]["reason"], "the database moves");
    assert_eq!(status["in_flight"][0]["environment"], "staging");
    let events = place.state()["events"].clone();
    let tick = place.release(&["tick"]).well();
    assert!(tick.err.contains("the database moves"), "{}", tick.err);
    assert_eq!(place.state()["events"], events, "waiting writes nothing");
    refused(&place.release(&["deploy", "staging", "--yes"]), 9, &["halted: the database moves"]);
    let again = ["halt", "--environment", "staging", "--reason", "again"];
    refused(&place.release(&again), 2, &["it is halted already"]);

    place.release(&["resume", "--environment", "staging", "--reason", "it has moved"]).well();
    place.release(&["tick"]).well();
    place.agrees("staging", ["1.2.0", "1.2.0"]);
    assert_eq!(place.done().iter().filter(|done| *done == "staging core 1.2.0").count(), 1);
    let resume = ["resume", "--environment", "staging", "--reason", "again"];
    refused(&place.release(&resume), 2, &["nothing is halted, held or locked there"]);
}

#[test]
fn a_rollback_goes_all_the_same() {
    let place = halted();
    place.release(&["rollback", "staging", "--yes"]).well();
    assert_eq!(place.versions("staging"), ["1.1.0", "1.1.0"]);
    let core = place.release(&["deploy", "staging", "core@1.3.0", "--yes"]);
    refused(&core, 9, &["core 1.3.0: halt: the database moves"]);
    let past =
        place.release(&["deploy", "staging", "core@1.3.0", "--yes", "--override", "halt", "--reason", "now"]);
    refused(&past, 2, &["nobody goes past `halt`"]);
}

#[test]
fn a_halt_stops_a_ship_before_its_claim_and_before_its_uploads() {
    let place = Place::unreleased("");
    let refs =
        |place: &Place| place.git(&place.fresh(), &["ls-remote", "origin", "refs/heads/*", "refs/tags/*"]);
    let before = refs(&place);
    place.release(&["halt", "--all", "--reason", "audit"]).well();
    refused(&place.release(&["ship", "--yes"]), 9, &["halted: audit", "release resume"]);
    assert_eq!(refs(&place), before, "nothing is claimed");
    place.release(&["resume", "--all", "--reason", "done"]).well();
    place.release(&["ship", "--yes", "--until", "claim"]).well();
    place.release(&["halt", "--only", "core", "--reason", "not this one"]).well();
    refused(&place.release(&["ship", "--yes"]), 9, &["halted: not this one"]);
    assert!(!published(&place, "core"), "nothing of it is published");
    place.release(&["resume", "--only", "core", "--reason", "well, this one too"]).well();
    place.release(&["ship", "--yes"]).well();
    assert!(published(&place, "core"));
}

/// Whether the index, which is a folder, has a page of a package.
fn published(place: &Place, package: &str) -> bool {
    place.folder().join(format!("index/simple/deps-{package}/index.html")).exists()
}

#[test]
fn an_approval_is_another_persons_word_for_these_bytes() {
    let place = Place::released(&two("approvals = 1"));
    place.deployed("staging", &["1.1.0"]);
    let promote = ["promote", "--to", "production", "-p", "core", "--yes"];
    let approve = ["approve", "core", "--environment", "production"];
    refused(
        &place.release(&promote),
        9,
        &["core 1.1.0: approvals: 0 of 1 approvals are given", "by somebody else"],
    );
    place.release(&approve).well();
    refused(&place.release(&promote), 9, &["0 of 1 approvals are given"]);
    let approved = place.release_as("Grace", &approve).well().out;
    assert!(approved.contains("approved core 1.1.0 for production"), "{approved}");
    refused(&place.release_as("Grace", &approve), 2, &["has approved it already"]);

    place.release_as("Grace", &["approve", "core", "--environment", "production", "--withdraw"]).well();
    refused(&place.release(&promote), 9, &["0 of 1 approvals are given"]);
    place.release_as("Grace", &approve).well();
    place.release(&promote).well();
    assert_eq!(place.version("production", "core"), "1.1.0");
    // Newer bytes need a word of their own.
    place.release(&["deploy", "staging", "core@1.2.0", "--yes"]).well();
    refused(&place.release(&promote), 9, &["core 1.2.0: approvals: 0 of 1 approvals are given"]);
    let unknown = place.release_as("Grace", &["approve", "core@1.3.0", "--environment", "production"]);
    refused(&unknown, 2, &["core 1.3.0 runs in no environment before production"]);
    let who: Vec<_> =
        place.state()["approvals"].as_array().unwrap().iter().map(|one| one["who"].clone()).collect();
    assert_eq!(who, [json!("Ada Example <ada@example.org>"), json!("Grace <grace@example.org>")]);
}
