//! What stands in the way of a release at GitHub is refused, with a way out; then the same command finishes.

use serde_json::json;

use crate::at_github::place::Place;
use crate::github::client::ask;
use crate::github::faults::{Fault, Harm};
use crate::github::tokens::{Kind, Level};

const SHIP: [&str; 2] = ["ship", "--yes"];
const CLAIM: [&str; 4] = ["ship", "--yes", "--until", "claim"];

#[test]
fn a_token_that_may_not_write_is_refused_before_anything_is_begun() {
    let Some(place) = Place::single() else { return };
    let refs = || place.github.git().well(&["for-each-ref"]);
    let before = refs();
    let reader = place.github.token("reader", Kind::Job, &[("contents", Level::Read)]);
    for (token, expected) in
        [(reader.as_str(), "the token lacks `contents: write`"), ("", "set `RELEASE_GITHUB_TOKEN`")]
    {
        let answer = place.run(&place.fresh(), &SHIP, &[("RELEASE_GITHUB_TOKEN", token)]);
        assert_eq!(answer.code, Some(9), "{}", answer.err);
        assert!(answer.err.contains(expected) && answer.err.contains("nothing was begun"), "{}", answer.err);
    }
    let answer = place.run(&place.fresh(), &SHIP, &[("RELEASE_GITHUB_TOKEN", "ghp_wrong")]);
    assert_eq!(answer.code, Some(9));
    assert!(answer.err.contains("the token is wrong, revoked or expired"), "{}", answer.err);
    assert_eq!(refs(), before);
    let said = place.run(&place.fresh(), &CLAIM, &[("RELEASE_GITHUB_TOKEN", &reader)]).well().err;
    assert!(said.contains("the sealed files are not kept at GitHub: GitHub refuses"), "{said}");
}

#[test]
fn a_published_release_of_another_under_our_tag_is_refused() {
    let Some(place) = Place::single() else { return };
    place.run(&place.fresh(), &CLAIM, &[("RELEASE_GITHUB_TOKEN", "")]).well();
    let foreign = json!({ "tag_name": "solo-v1.1.0", "name": "solo 1.1.0", "body": "by hand" });
    let foreign = ask(&place.github, &place.token, "POST", "/releases", &foreign).is(201);
    let answer = place.anywhere(&SHIP);
    assert_eq!(answer.code, Some(11), "{}", answer.err);
    assert!(
        answer.err.contains("GitHub has a release of tag `solo-v1.1.0` that is not this one"),
        "{}",
        answer.err
    );
    assert!(answer.err.contains("gh release delete solo-v1.1.0"), "{}", answer.err);
    let id = foreign["id"].as_u64().unwrap();
    ask(&place.github, &place.token, "DELETE", &format!("/releases/{id}"), &serde_json::Value::Null).is(204);
    place.anywhere(&SHIP).well();
    assert_eq!(place.release("solo-v1.1.0")["draft"], false);
}

#[test]
fn other_bytes_under_our_name_are_never_overwritten() {
    let Some(place) = Place::single() else { return };
    place.anywhere(&["ship", "--yes", "--until", "smoke"]).well();
    place.github.state(|state| {
        state.assets[0].value["digest"] = json!(format!("sha256:{}", "0".repeat(64)));
    });
    let answer = place.anywhere(&SHIP);
    assert_eq!(answer.code, Some(11), "{}", answer.err);
    assert!(answer.err.contains("with other bytes: there sha256:000"), "{}", answer.err);
    assert_eq!(place.release("solo-v1.1.0")["draft"], true);
    place.github.state(|state| state.assets.remove(0));
    place.anywhere(&SHIP).well();
    assert_eq!(place.assets(&place.release("solo-v1.1.0")), place.sealed("solo"));
}

#[test]
fn a_server_that_names_no_digests_is_asked_for_the_bytes() {
    let Some(place) = Place::single() else { return };
    place.anywhere(&["ship", "--yes", "--until", "smoke"]).well();
    let forget = |state: &mut crate::github::state::State| {
        state.assets.iter_mut().for_each(|asset| asset.value["digest"] = serde_json::Value::Null);
    };
    place.github.state(forget);
    place.anywhere(&SHIP).well();
    assert_eq!(place.release("solo-v1.1.0")["draft"], false);
}

#[test]
fn what_was_published_without_a_file_and_can_not_be_changed_is_refused() {
    let Some(place) = Place::single() else { return };
    place.github.make_releases_immutable();
    place.anywhere(&["ship", "--yes", "--until", "smoke"]).well();
    place.github.state(|state| state.assets.remove(0));
    let id = place.release("solo-v1.1.0")["id"].as_u64().unwrap();
    ask(&place.github, &place.token, "PATCH", &format!("/releases/{id}"), &json!({ "draft": false })).is(200);
    let answer = place.anywhere(&SHIP);
    assert_eq!(answer.code, Some(11), "{}", answer.err);
    assert!(answer.err.contains("can not be changed any more"), "{}", answer.err);
}

#[test]
fn a_release_of_a_missing_tag_is_not_published() {
    let Some(place) = Place::single() else { return };
    place.anywhere(&["ship", "--yes", "--until", "smoke"]).well();
    let hidden = Fault::at("GET", "/repos/ada/shop/git/ref/*", Harm::Status(404));
    place.github.order(hidden.times(4));
    let answer = place.anywhere(&SHIP);
    assert_eq!(answer.code, Some(11), "{}", answer.err);
    assert!(answer.err.contains("tag `solo-v1.1.0` is missing at ada/shop"), "{}", answer.err);
    assert_eq!(place.release("solo-v1.1.0")["draft"], true);
    place.anywhere(&SHIP).well();
    assert_eq!(place.release("solo-v1.1.0")["draft"], false);
}
