//! From a ship into the first environment, and on from there: the same bytes all the way.

use serde_json::{Value, json};

use crate::deploys::place::{Place, environment, refused, two};

#[test]
fn a_ship_ends_with_the_first_environment_deployed_and_verified() {
    let place = Place::unreleased(&two(""));
    let clone = place.fresh();
    let answer = place.run(&clone, &["ship", "--yes", "--output", "json"]).well().json();
    assert_eq!(answer["outcome"], "finished");
    let deployment = &answer["deployment"];
    assert_eq!((&deployment["environment"], &deployment["outcome"]), (&json!("staging"), &json!("verified")));
    let moved: Vec<&Value> =
        deployment["items"].as_array().unwrap().iter().map(|item| &item["package"]).collect();
    assert_eq!(moved, ["core", "app"], "dependencies come first");
    place.agrees("staging", ["1.1.0", "1.1.0"]);
    place.agrees("production", ["-", "-"]);
    assert_eq!(place.status("staging", "app")["verified"], true);

    let again = place.run(&clone, &["ship", "--yes", "--detailed-exitcode"]);
    refused(&again, 3, &["nothing to release"]);
    let deploy = place.release(&["deploy", "staging", "--yes"]).well();
    assert!(deploy.out.contains("nothing to deploy: staging runs it all, verified"), "{}", deploy.out);
    assert_eq!(place.done(), ["staging core 1.1.0", "staging app 1.1.0"], "nothing is applied twice");
}

#[test]
fn a_ship_killed_before_its_deployment_is_deployed_by_the_next_ship() {
    let place = Place::unreleased(&two(""));
    // What comes after the ship's own places belongs to the deployment.
    let count = place.folder().join("places");
    let clone = place.fresh();
    place.run(&clone, &["ship", "--yes", "--until", "smoke"]).well();
    assert_eq!(place.versions("staging"), ["-", "-"], "it stopped before");
    let state = place.state();
    assert_eq!(
        state["environments"]["staging"]["packages"]["core"]["awaited"]["release"]["version"],
        "1.1.0"
    );
    let status = place.release(&["status"]).well().out;
    assert!(status.contains("waits: core 1.1.0 shall come to staging"), "{status}");

    let places = ("RELEASE_CRASH_AT", "1");
    let killed = place.run_with(&place.fresh(), &["ship", "--yes"], &[places]);
    assert_eq!(killed.code, None, "it was killed: {}{}", killed.out, killed.err);
    let words = ["ship", "--yes", "--output", "json"];
    let more = [("RELEASE_CRASH_COUNT", count.to_str().unwrap())];
    let answer = place.run_with(&place.fresh(), &words, &more).well().json();
    assert_eq!(
        (&answer["outcome"], &answer["deployment"]["outcome"]),
        (&json!("nothing"), &json!("verified"))
    );
    assert!(count.metadata().unwrap().len() > 4, "the deployment has places of its own");
    place.agrees("staging", ["1.1.0", "1.1.0"]);
}

#[test]
fn production_runs_the_very_bytes_that_staging_verified() {
    let config = environment("development", "")
        + &environment("staging", "after = \"development\"")
        + &environment("production", "after = \"staging\"");
    let place = Place::released(&config);
    place.deployed("development", &["1.3.0"]);
    let early = place.release(&["promote", "--from", "development", "--to", "production", "--yes"]);
    refused(&early, 9, &["core 1.3.0: after: it is not verified in staging"]);
    place.release(&["promote", "--to", "staging", "--yes"]).well();
    let answer =
        place.release(&["promote", "--from", "staging", "--to", "production", "--yes", "--output", "json"]);
    let answer = answer.well().json();
    assert_eq!((&answer["kind"], &answer["outcome"]), (&json!("promote"), &json!("verified")));
    place.agrees("production", ["1.3.0", "1.3.0"]);
    let state = place.state();
    for package in ["core", "app"] {
        let of = |name: &str| state["environments"][name]["packages"][package]["verified"][0].clone();
        assert_eq!(of("production"), of("staging"), "{package}: release, commit and digests of all files");
        assert_eq!(place.running("production", package), place.running("development", package));
        let brought = answer["items"].as_array().unwrap().iter().find(|item| item["package"] == package);
        assert_eq!(brought.unwrap()["digest"], place.running("production", package).unwrap().1.as_str());
    }
    let nothing = place.release(&["promote", "--to", "production", "--yes", "--detailed-exitcode"]);
    refused(&nothing, 3, &["nothing to promote: staging runs nothing that production lacks"]);
}

#[test]
fn one_package_goes_on_alone() {
    let place = Place::released(&two(""));
    place.deployed("staging", &["1.2.0"]);
    place.release(&["promote", "--to", "production", "-p", "core", "--yes"]).well();
    place.agrees("production", ["1.2.0", "-"]);
    place.release(&["deploy", "staging", "app", "--yes"]).well();
    place.agrees("staging", ["1.2.0", "1.3.0"]);
    let unknown = place.release(&["deploy", "staging", "app@7.0.0", "--yes"]);
    refused(&unknown, 2, &["the ledger knows no release 7.0.0 of app"]);
    let nowhere = place.release(&["deploy", "nowhere", "--yes"]);
    refused(
        &nowhere,
        2,
        &["no environment is called `nowhere`", "the environments are: production, staging"],
    );
}
