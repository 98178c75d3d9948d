//! Releases at GitHub from the claim to the end, as they go when nothing is in their way.

use serde_json::json;

use crate::at_github::kills::claimed;
use crate::at_github::place::Place;
use crate::github::client::ask;
use crate::github::faults::{Fault, Harm};

const SHIP: [&str; 2] = ["ship", "--yes"];
const CLAIM: [&str; 4] = ["ship", "--yes", "--until", "claim"];

#[test]
fn files_are_kept_before_anything_is_published_and_releases_are_published_last() {
    let Some(place) = Place::pair("latest = \"left\"\n") else { return };
    place.github.make_private();
    place.github.make_releases_immutable();
    let answer = place.anywhere(&SHIP).well();
    for package in ["base", "left"] {
        let tag = format!("{package}-v1.1.0");
        let release = place.release(&tag);
        assert_eq!(release["draft"], false, "{release:#}");
        assert_eq!(release["prerelease"], false);
        assert_eq!(release["immutable"], true);
        assert_eq!(release["name"], format!("{package} 1.1.0"));
        let body = release["body"].as_str().unwrap();
        assert!(body.contains("know two words"), "{body}");
        assert!(body.contains(&format!(" package: {package} version: 1.1.0 -->")), "{body}");
        assert_eq!(place.assets(&release), place.sealed(package));
        assert_eq!(place.assets(&release).len(), 2);
        let page = release["html_url"].as_str().unwrap();
        assert!(answer.err.contains(page), "{page}\n{}", answer.err);
    }
    let latest = |tag: &str| place.release(tag)["latest"].clone();
    assert_eq!((latest("left-v1.1.0"), latest("base-v1.1.0")), (json!(true), json!(false)));
    let order: Vec<String> = place
        .github
        .requests()
        .into_iter()
        .filter(|seen| seen.path.contains("/releases") && ["POST", "PATCH"].contains(&seen.method.as_str()))
        .map(|seen| {
            format!("{} {}", seen.method, seen.path.rsplit('/').next().unwrap().replace(char::is_numeric, ""))
        })
        .collect();
    let last = order.iter().rposition(|one| one == "POST assets").unwrap();
    assert_eq!(order[last + 1..], ["PATCH ", "PATCH "], "{order:?}");
    let text = place.anywhere(&["status"]).well().out;
    assert!(!text.contains("under way"), "{text}");
}

#[test]
fn a_pre_release_is_none_of_the_latest() {
    let Some(place) = Place::single() else { return };
    place.anywhere(&["ship", "--yes", "--pre", "rc"]).well();
    let release = place.release("solo-v1.1.0rc1");
    assert_eq!((&release["prerelease"], &release["latest"]), (&json!(true), &json!(false)), "{release:#}");
    place.anywhere(&["ship", "--yes", "--final"]).well();
    let release = place.release("solo-v1.1.0");
    assert_eq!((&release["prerelease"], &release["latest"]), (&json!(false), &json!(true)), "{release:#}");
}

#[test]
fn a_fresh_runner_takes_the_sealed_bytes_from_the_draft() {
    let Some(place) = Place::pair("") else { return };
    let said = place.anywhere(&CLAIM).well().err;
    assert!(said.contains("kept the files of base 1.1.0 in a draft"), "{said}");
    for package in ["base", "left"] {
        let draft = place.release(&format!("{package}-v1.1.0"));
        assert_eq!(draft["draft"], true);
        assert_eq!(place.assets(&draft), place.sealed(package));
    }
    place.lose_stash();
    let said = place.anywhere(&["ship", "--yes", "--tag", "left-v1.1.0"]).well().err;
    for package in ["base", "left"] {
        assert!(said.contains(&format!("took the files of {package} from ")), "{said}");
        assert_eq!(place.release(&format!("{package}-v1.1.0"))["draft"], false);
    }
}

#[test]
fn without_a_token_the_claim_stands_and_the_next_run_builds_again() {
    let Some(place) = Place::single() else { return };
    let none = ("RELEASE_GITHUB_TOKEN", "");
    let said = place.run(&place.fresh(), &CLAIM, &[none]).well().err;
    assert!(said.contains("are not kept at GitHub: no token for GitHub at 127.0.0.1"), "{said}");
    assert!(place.releases("solo-v1.1.0").is_empty());
    place.lose_stash();
    let said = place.anywhere(&SHIP).well().err;
    assert!(!said.contains("took the files"), "{said}");
    assert_eq!(place.assets(&place.release("solo-v1.1.0")), place.sealed("solo"));
}

#[test]
fn a_claim_stands_though_github_takes_no_files() {
    let Some(place) = Place::single() else { return };
    place.github.order(Fault::at("POST", "/repos/ada/shop/releases", Harm::Status(500)).times(9));
    let said = place.anywhere(&CLAIM).well().err;
    assert!(said.contains("the files of solo are not kept at GitHub, and are built again"), "{said}");
    place.github.clear_faults();
    place.converge(&SHIP);
    assert_eq!(place.release("solo-v1.1.0")["draft"], false);
}

#[test]
fn what_a_person_writes_into_the_draft_stays() {
    let Some(place) = Place::single() else { return };
    place.anywhere(&CLAIM).well();
    let written = "By hand, thanks @ada.\r\n";
    place.github.state(|state| {
        let body = state.releases[0]["body"].as_str().unwrap().replace('\n', "\r\n");
        state.releases[0]["body"] = json!(format!("{written}{body}"));
        state.releases[0]["name"] = json!("The second words");
    });
    place.anywhere(&SHIP).well();
    let release = place.release("solo-v1.1.0");
    assert!(release["body"].as_str().unwrap().starts_with(written), "{release:#}");
    assert_eq!(release["name"], "The second words");
    assert_eq!(release["draft"], false);
}

#[test]
fn a_draft_without_its_mark_is_known_by_its_files() {
    let Some(place) = Place::single() else { return };
    let start = claimed(&place);
    place.anywhere(&CLAIM).well();
    let kept = place.github.state(|state| state.clone());
    // The files are there, and the ledger knows nothing of it.
    place.back_to(&start);
    place.github.state(|state| {
        *state = kept;
        state.releases[0]["body"] = json!("All by hand.");
    });
    place.anywhere(&SHIP).well();
    let release = place.release("solo-v1.1.0");
    assert_eq!((&release["body"], &release["draft"]), (&json!("All by hand."), &json!(false)));
}

#[test]
fn a_release_that_a_person_published_is_left_as_it_is() {
    let Some(place) = Place::single() else { return };
    place.github.make_releases_immutable();
    place.anywhere(&["ship", "--yes", "--until", "smoke"]).well();
    let id = place.release("solo-v1.1.0")["id"].as_u64().unwrap();
    let body = json!({ "draft": false, "prerelease": true });
    ask(&place.github, &place.token, "PATCH", &format!("/releases/{id}"), &body).is(200);
    place.github.clear_requests();
    place.anywhere(&SHIP).well();
    assert_eq!(place.release("solo-v1.1.0")["prerelease"], true);
    assert!(place.github.requests_to("PATCH", "/").is_empty());
}

#[test]
fn an_upload_that_broke_off_is_sent_again() {
    let Some(place) = Place::single() else { return };
    place.run(&place.fresh(), &CLAIM, &[("RELEASE_GITHUB_TOKEN", "")]).well();
    place.anywhere(&["ship", "--yes", "--until", "publish"]).well();
    let draft = place.release("solo-v1.1.0");
    let id = draft["id"].as_u64().unwrap();
    place.github.state(|state| state.assets.clear());
    place.github.broken_asset(id, "light_solo-1.1.0.tar.gz");
    place.anywhere(&SHIP).well();
    assert_eq!(place.assets(&place.release("solo-v1.1.0")), place.sealed("solo"));
}

#[test]
fn of_two_drafts_the_empty_one_goes_and_a_persons_stays() {
    let Some(place) = Place::single() else { return };
    place.anywhere(&["ship", "--yes", "--until", "claim"]).well();
    // The ledger forgets the draft as after a kill; what another racer made stands beside it.
    let body = place.release("solo-v1.1.0")["body"].clone();
    let moment = place.moment("drafts");
    let more = |body: serde_json::Value| {
        let draft = json!({ "tag_name": "solo-v1.1.0", "draft": true, "body": body });
        ask(&place.github, &place.token, "POST", "/releases", &draft).is(201);
    };
    place.back_to(&moment);
    more(body.clone());
    more(json!(format!("mine\n{}", body.as_str().unwrap())));
    more(json!("another's plans"));
    place.github.state(|state| state.releases[0]["id"] = json!(1));
    place.github.state(|state| state.assets.iter_mut().for_each(|asset| asset.release = 1));
    let said = place.anywhere(&SHIP).well().err;
    let left = place.releases("solo-v1.1.0");
    let drafts: Vec<&str> = left.iter().filter_map(|one| one["body"].as_str()).collect();
    assert_eq!(left.len(), 3, "{drafts:?}");
    assert_eq!(left.iter().filter(|one| one["draft"] == false).count(), 1);
    assert!(drafts.contains(&"another's plans") && drafts.iter().any(|body| body.starts_with("mine")));
    assert!(said.contains("that is none of ours stands at "), "{said}");
}

#[test]
fn doctor_and_abandon_name_the_draft_that_nobody_will_publish() {
    let Some(place) = Place::single() else { return };
    let said = place.anywhere(&["doctor"]).out;
    assert!(
        said.contains("ada/shop at 127.0.0.1") && said.contains("would take releases from here"),
        "{said}"
    );
    place.anywhere(&CLAIM).well();
    let page = place.release("solo-v1.1.0")["html_url"].as_str().unwrap().to_owned();
    let said = place.anywhere(&["abandon", "--yes", "--reason", "no more"]).well().out;
    assert!(said.contains(&format!("a draft with its files stays at {page}: delete it there")), "{said}");
    let answer = place.anywhere(&["doctor"]);
    let said = answer.out.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(said.contains("a draft of `solo-v1.1.0` that no ship will publish stands at"), "{said}");
    assert!(said.contains("gh api -X DELETE /repos/ada/shop/releases/"), "{said}");
    assert_eq!(answer.code, Some(10));
}

#[test]
fn two_machines_at_once_make_one_release() {
    let Some(place) = Place::single() else { return };
    let [one, other] = [place.fresh(), place.fresh()];
    let mut first = place.command(&one, &SHIP).spawn().unwrap();
    let second = place.run(&other, &SHIP, &[]);
    let first = first.wait().unwrap();
    assert!(first.success() || second.code == Some(0), "{first:?} {}", second.err);
    place.converge(&SHIP);
    let release = place.release("solo-v1.1.0");
    assert_eq!(release["draft"], false);
    assert_eq!(place.assets(&release), place.sealed("solo"));
}

#[test]
fn without_releases_nothing_is_asked_of_github() {
    let Some(place) = Place::pair("releases = false\n") else { return };
    place.github.clear_requests();
    place.anywhere(&SHIP).well();
    assert!(place.github.requests_to("GET", "/repos/").is_empty());
    assert!(place.github.requests_to("POST", "/repos/").is_empty());
}
