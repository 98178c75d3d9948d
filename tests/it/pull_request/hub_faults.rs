//! The release pull request where GitHub says no, says nothing, or the run is killed.

use std::fs;

use serde_json::{Value, json};

use crate::github::GitHub;
use crate::github::client::{ask, get};
use crate::github::faults::{Fault, Harm};
use crate::github::tokens::{Kind, Level};
use crate::pull_request::place::{CONFIG, Place};

const PULLS: &str = "/repos/ada/shop/pulls";

fn pulls(github: &GitHub) -> Value {
    get(github, "", "/pulls?state=all").is(200)
}

#[test]
fn a_missing_permission_is_named() {
    let Some(github) = GitHub::start() else { return };
    let some = github.token("some", Kind::Job, &[("contents", Level::Write), ("pull_requests", Level::Read)]);
    let place = Place::at_github(&github, &some, CONFIG);
    let refused = place.release(&["pr"]);
    assert_eq!(refused.code, Some(9), "{}", refused.err);
    for word in ["pull_requests: write", "pull-requests: write", "Allow GitHub Actions to create"] {
        assert!(refused.err.contains(word), "{word}: {}", refused.err);
    }
    assert!(!refused.err.contains(&some) && !refused.out.contains(&some));
}

#[test]
fn a_repository_that_keeps_jobs_from_pulls_is_told_of_the_setting() {
    let Some(github) = GitHub::start() else { return };
    let place = Place::at_github(&github, &github.job(), CONFIG);
    github.keep_jobs_from_pulls();
    let refused = place.release(&["pr"]);
    assert_eq!(refused.code, Some(9), "{}", refused.err);
    assert!(refused.err.contains("Allow GitHub Actions to create and approve"), "{}", refused.err);
}

#[test]
fn checks_that_can_not_be_started_are_told_of() {
    let Some(github) = GitHub::start() else { return };
    let permissions = [("contents", Level::Write), ("pull_requests", Level::Write), ("actions", Level::Read)];
    let some = github.token("some", Kind::Job, &permissions);
    github.workflow("ci.yml", &["workflow_dispatch"], "ci");
    let place = Place::at_github(&github, &some, &format!("{CONFIG}checks = [\"ci.yml\"]\n"));
    let refused = place.release(&["pr"]);
    assert_eq!(refused.code, Some(9), "{}", refused.err);
    assert!(refused.err.contains("actions: write"), "{}", refused.err);
    assert_eq!(pulls(&github).as_array().unwrap().len(), 1);
}

#[test]
fn a_protected_branch_points_to_the_pull_request() {
    let Some(github) = GitHub::start() else { return };
    let place = Place::at_github(&github, &github.job(), CONFIG);
    github.protect("main");
    let refused = place.release(&["ship", "--direct", "--yes", "--until", "claim"]);
    assert_ne!(refused.code, Some(0));
    assert!(refused.err.contains("`release pr`"), "{}", refused.err);
    place.release(&["pr"]).well();
    let opened = pulls(&github)[0]["body"].as_str().unwrap().to_owned();
    let plan = opened.lines().last().unwrap();
    let merge = json!({ "merge_method": "squash", "commit_message": plan });
    ask(&github, &github.person(), "PUT", "/pulls/1/merge", &merge).is(200);
    place.pull();
    place.release(&["ship", "--yes"]).well();
    assert!(place.at("refs/tags/solo-v1.1.0").is_some());
}

#[test]
fn a_pull_request_of_somebody_else_is_left_alone() {
    let Some(github) = GitHub::start() else { return };
    let place = Place::at_github(&github, &github.job(), CONFIG);
    place.release(&["pr"]).well();
    let person = github.person();
    ask(&github, &person, "PATCH", "/pulls/1", &json!({ "body": "mine" })).is(200);
    let refused = place.release(&["pr"]);
    assert_eq!(refused.code, Some(9), "{}", refused.err);
    assert!(refused.err.contains("#1") && refused.err.contains("names no plan"), "{}", refused.err);
    assert_eq!(pulls(&github)[0]["body"], "mine");
}

#[test]
fn answers_that_are_lost_leave_one_pull_request() {
    for (method, path) in
        [("POST", PULLS), ("PATCH", "/repos/ada/shop/pulls/1"), ("POST", "/ada/shop.git/git-receive-pack")]
    {
        for harm in [Harm::Lose, Harm::Late(502), Harm::Drop, Harm::Status(503)] {
            let Some(github) = GitHub::start() else { return };
            let place = Place::at_github(&github, &github.job(), CONFIG);
            if method == "PATCH" {
                place.release(&["pr"]).well();
                place.commit("packages/solo/light_solo.py", "WORDS = 3\n", "fix(solo): count the words");
                place.pull();
            }
            github.order(Fault::at(method, path, harm));
            // It may go well, or not: the next run ends the same.
            place.release(&["pr"]);
            github.clear_faults();
            place.release(&["pr"]).well();
            let found = pulls(&github);
            assert_eq!(found.as_array().unwrap().len(), 1, "{found}");
            assert_eq!(json!(place.at("refs/heads/release/next")), found[0]["head"]["sha"]);
            let again = place.release(&["pr", "--output", "json"]).well().json();
            assert_eq!(again["pull_requests"][0]["action"], "unchanged", "{method} {path}");
        }
    }
}

#[test]
fn wherever_it_is_killed_there_is_one_pull_request_in_the_end() {
    let config = format!("{CONFIG}labels = [\"release\"]\nchecks = [\"ci.yml\"]\n");
    let mut at = 0;
    loop {
        at += 1;
        let Some(github) = GitHub::start() else { return };
        github.workflow("ci.yml", &["workflow_dispatch"], "ci");
        let label = json!({ "name": "release", "color": "0e8a16", "description": "to be merged" });
        ask(&github, &github.person(), "POST", "/labels", &label).is(201);
        let place = Place::at_github(&github, &github.job(), &config);
        let killed = place.release_with(&["pr"], &[("RELEASE_CRASH_AT", &at.to_string())]);
        place.release(&["pr"]).well();
        let found = pulls(&github);
        assert_eq!(found.as_array().unwrap().len(), 1, "{at}: {found}");
        assert_eq!(found[0]["labels"][0]["name"], "release", "{at}");
        assert_eq!(json!(place.at("refs/heads/release/next")), found[0]["head"]["sha"], "{at}");
        assert_eq!(github.runs().len(), 1, "{at}");
        assert_eq!(place.refs("refs/release/plans").len(), 1, "{at}");
        if killed.code.is_some() {
            break;
        }
    }
    assert!(at > 8, "{at}");
}

#[test]
fn two_runs_at_once_make_one() {
    let Some(github) = GitHub::start() else { return };
    let place = Place::at_github(&github, &github.job(), CONFIG);
    let twin = place.world.folder().join("twin");
    crate::clones::copy(&place.world.repository(), &twin);
    github.order(Fault::at("POST", PULLS, Harm::Slow(1_500)));
    let mut other = place.command(&twin, &["pr"]).spawn().unwrap();
    place.release(&["pr"]);
    other.wait().unwrap();
    place.release(&["pr"]).well();
    assert_eq!(pulls(&github).as_array().unwrap().len(), 1);
    let _ = fs::remove_dir_all(twin);
}
