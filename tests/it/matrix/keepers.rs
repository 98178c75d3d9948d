//! The same with the ledger in a bucket or a database: branch and tags are pushed between two links then.

use serde_json::Value;

use crate::matrix::ground::Ground;
use crate::stores::bucket::Moto;
use crate::stores::postgres::Postgres;

#[test]
fn the_ledger_in_a_bucket_serves_as_well() {
    let Some(moto) = Moto::start() else { return };
    let (ledger, variables) = moto.ledger();
    killed_and_finished(&ledger, variables);
}

#[test]
fn the_ledger_in_a_database_serves_as_well() {
    let Some(postgres) = Postgres::start() else { return };
    let (ledger, variables) = postgres.ledger();
    killed_and_finished(&ledger, variables);
}

/// Killed at several places, also between the ledger's word and the push; each time finished from a fresh clone. A ship of
/// its own is a new version, so the ledger goes on.
fn killed_and_finished(ledger: &str, variables: Vec<(String, String)>) {
    let Some(mut ground) = Ground::light().map(Ground::without_trials) else { return };
    let config = std::fs::read_to_string(ground.config()).unwrap();
    std::fs::write(ground.config(), format!("{ledger}\n{config}")).unwrap();
    ground.more = variables;
    let field = ground.field(&ground.untouched());
    let count = field.folder().join("places");
    let clone = field.fresh();
    let words = ["ship", "--yes", "--until", "claim"];
    field.run(&clone, &words, &[("RELEASE_CRASH_COUNT", count.to_str().unwrap())]).well();
    field.run(&clone, &["abandon", "--reason", "only counted", "--yes"], &[]).well();
    let places = std::fs::read(&count).unwrap().len();
    // The last places before the claim's end, where ledger and remote are told one after the other.
    for back in [1, 4, 7, 10] {
        let place = (places - back).to_string();
        let killed = field.run(&field.fresh(), &words, &[("RELEASE_CRASH_AT", &place)]);
        assert_eq!(killed.code, None, "killed {back} places before the end: {}", killed.err);
        field.converge();
        let status = field.run(&field.fresh(), &["status", "--output", "json"], &[]).well().json();
        // The trials are left to do: no run was asked for them.
        let ships = status["in_flight"].as_array().unwrap();
        assert!(ships.iter().all(|ship| ship["claimed"] == Value::Bool(true)), "{status}");
        field.run(&field.fresh(), &["abandon", "--reason", "the next one", "--yes"], &[]).well();
    }
    assert_eq!(field.index().lines().count(), 4 * 8, "{}", field.index());
    assert_eq!(field.git(&["for-each-ref", "refs/release"]), "", "git keeps no ledger");
    field.run(&field.fresh(), &["log"], &[]).well();
}
