//! The branch of a release pull request: pushed, kept up to date, whose commits stand there.

use std::fs;
use std::path::PathBuf;

use crate::pull_request::place::{CONFIG, Place};

fn reword(from: &'static str, to: &'static str) -> impl Fn(&PathBuf) {
    move |folder| {
        let path = folder.join("packages/solo/CHANGELOG.md");
        let text = fs::read_to_string(&path).unwrap();
        assert!(text.contains(from), "{text}");
        fs::write(path, text.replace(from, to)).unwrap();
    }
}

#[test]
fn the_branch_holds_what_a_ship_would_commit() {
    let place = Place::new(CONFIG);
    let answer = place.release(&["pr", "--output", "json"]).well().json();
    let one = &answer["pull_requests"][0];
    assert_eq!(one["action"], "pushed");
    assert_eq!(one["number"], serde_json::Value::Null);
    let message = place.git_in(&place.origin(), &["log", "-1", "--format=%B", "release/next"]);
    assert!(message.ends_with(&format!("Release-Plan: {}", one["digest"].as_str().unwrap())), "{message}");
    assert!(place.file("release/next", "packages/solo/pyproject.toml").contains("version = \"1.1.0\""));
    assert!(place.file("release/next", "packages/solo/CHANGELOG.md").contains("## 1.1.0"));
    let first = place.at("refs/heads/release/next");
    let again = place.release(&["pr", "--output", "json"]).well().json();
    assert_eq!(again["pull_requests"][0]["action"], "unchanged");
    assert_eq!(again["pull_requests"][0]["digest"], one["digest"]);
    assert_eq!(place.at("refs/heads/release/next"), first);
    let text = place.release(&["pr", "--output", "markdown"]).well().out;
    assert!(text.contains("<!-- notes: solo -->\n### Features\n\n- know two words"), "{text}");
    place.release(&["ship", "--direct", "--yes", "--until", "claim"]).well();
    let shipped = place.git_in(&place.origin(), &["rev-parse", "main^{tree}"]);
    assert_eq!(place.git_in(&place.origin(), &["rev-parse", "release/next^{tree}"]), shipped);
}

#[test]
fn new_commits_move_the_branch_and_words_of_people_stay() {
    let place = Place::new(CONFIG);
    place.release(&["pr"]).well();
    let plans = place.refs("refs/release/plans");
    assert_eq!(plans.len(), 1);
    place.commit_on_branch(
        "release/next",
        reword("- know two words", "- know two words, at last"),
        "docs: better",
    );
    place.commit("packages/solo/light_solo.py", "WORDS = 3\n", "fix(solo): count the words");
    place.pull();
    place.release(&["pr"]).well();
    let log = place.file("release/next", "packages/solo/CHANGELOG.md");
    assert!(log.contains("- know two words, at last"), "{log}");
    assert!(log.contains("### Bug fixes\n\n- count the words"), "{log}");
    assert_eq!(log.matches("know two words").count(), 1, "{log}");
    assert_eq!(place.git_in(&place.origin(), &["rev-list", "--count", "main..release/next"]), "1");
    let now = place.refs("refs/release/plans");
    assert!(now.len() == 1 && now != plans, "the plan of before waits no more: {now:?}");
    let before = place.at("refs/heads/release/next");
    assert!(place.release(&["pr"]).well().out.starts_with("unchanged"));
    assert_eq!(place.at("refs/heads/release/next"), before);
    place.commit("packages/solo/light_solo.py", "WORDS = 4\n", "fix(solo): count to four");
    place.pull();
    place.release(&["pr"]).well();
    let log = place.file("release/next", "packages/solo/CHANGELOG.md");
    assert!(log.contains("at last") && log.contains("- count to four"), "{log}");
    place.merge("squash", "release/next");
    place.pull();
    place.release(&["ship", "--yes"]).well();
    let notes = place.release(&["notes", "solo", "--version", "1.1.0"]).well().out;
    assert!(notes.contains("at last") && notes.contains("- count to four"), "{notes}");
}

#[test]
fn commits_of_others_are_not_overwritten_in_silence() {
    let place = Place::new(CONFIG);
    place.release(&["pr"]).well();
    let change = |folder: &PathBuf| fs::write(folder.join("README.md"), "# Mine\n").unwrap();
    place.commit_on_branch("release/next", change, "docs: mine");
    let theirs = place.at("refs/heads/release/next");
    place.commit("packages/solo/light_solo.py", "WORDS = 3\n", "fix(solo): count the words");
    place.pull();
    let refused = place.release(&["pr"]);
    assert_eq!(refused.code, Some(9), "{}", refused.err);
    assert!(refused.err.contains("README.md is changed there"), "{}", refused.err);
    assert_eq!(place.at("refs/heads/release/next"), theirs);
    place.release(&["pr", "--overwrite"]).well();
    assert_ne!(place.at("refs/heads/release/next"), theirs);
}

#[test]
fn a_branch_with_nothing_to_release_goes() {
    let place = Place::new(CONFIG);
    place.release(&["pr"]).well();
    place.release(&["ship", "--direct", "--yes"]).well();
    let closed = place.release(&["pr", "--detailed-exitcode"]);
    assert_eq!(closed.code, Some(3), "{}", closed.err);
    assert_eq!(closed.out, "closed release/next\nnothing to release\n");
    assert_eq!(place.at("refs/heads/release/next"), None);
    assert!(place.refs("refs/release/plans").is_empty());
}

#[test]
fn each_package_may_have_a_branch_of_its_own() {
    let place = Place::new(CONFIG);
    place.release(&["pr"]).well();
    place.commit("release.toml", &format!("{CONFIG}per = \"package\"\n"), "build: one for each");
    place.pull();
    let answer = place.release(&["pr", "--output", "json"]).well().json();
    let actions: Vec<&str> = answer["pull_requests"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one["action"].as_str().unwrap())
        .collect();
    assert_eq!(actions, ["closed", "pushed", "pushed", "pushed", "pushed"]);
    let names = ["base", "left", "right", "solo"].map(|name| format!("refs/heads/release/next/{name}"));
    assert_eq!(place.refs("refs/heads/release"), names);
    place.merge("squash", "release/next/solo");
    place.merge("squash", "release/next/base");
    place.pull();
    let first = place.release(&["ship", "--yes"]).well();
    assert!(first.err.contains("1 more merged release pull request"), "{}", first.err);
    place.release(&["ship", "--yes"]).well();
    for tag in ["solo-v1.1.0", "base-v1.1.0"] {
        assert!(place.at(&format!("refs/tags/{tag}")).is_some(), "{tag}");
    }
    let answer = place.release(&["pr", "--output", "json"]).well().json();
    let left = answer["pull_requests"].as_array().unwrap();
    assert_eq!(left.iter().filter(|one| one["action"] == "pushed").count(), 2, "{answer}");
}

#[test]
fn only_what_is_on_the_remote_is_proposed() {
    let place = Place::new(CONFIG);
    place.world.commit_all("fix: not pushed");
    let refused = place.release(&["pr"]);
    assert_eq!(refused.code, Some(2), "{}", refused.err);
    assert!(refused.err.contains("git push origin main"), "{}", refused.err);
    let place = Place::new(CONFIG);
    place.commit("packages/solo/light_solo.py", "WORDS = 3\n", "fix(solo): count the words");
    let refused = place.release(&["pr"]);
    assert_eq!(refused.code, Some(7), "{}", refused.err);
    assert_eq!(place.at("refs/heads/release/next"), None);
}

#[test]
fn wherever_it_is_killed_the_next_run_ends_the_same() {
    let place = Place::new(CONFIG);
    let count = place.world.folder().join("places");
    place.release_with(&["pr"], &[("RELEASE_CRASH_COUNT", count.to_str().unwrap())]).well();
    let expected = place.at("refs/heads/release/next");
    let places = fs::read(&count).unwrap().len();
    assert!(places >= 2, "{places}");
    for at in 1..=places {
        for name in place.refs("refs/heads/release").into_iter().chain(place.refs("refs/release")) {
            place.git_in(&place.origin(), &["update-ref", "-d", &name]);
        }
        let killed = place.release_with(&["pr"], &[("RELEASE_CRASH_AT", &at.to_string())]);
        assert_eq!(killed.code, None, "{at}: {}", killed.err);
        place.release(&["pr"]).well();
        assert_eq!(place.at("refs/heads/release/next"), expected, "{at}");
        assert_eq!(place.refs("refs/release/plans").len(), 1, "{at}");
    }
}
