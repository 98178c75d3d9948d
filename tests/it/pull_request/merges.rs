//! A release pull request is merged, and shipped.

use std::fs;

use crate::pull_request::place::{CONFIG, Place};

const TAGS: [&str; 4] = ["base-v1.1.0", "left-v1.1.0", "right-v1.1.0", "solo-v1.1.0"];

/// The remote knows the tags, at a commit; nothing was committed on top, and the index holds all files.
#[track_caller]
fn shipped(place: &Place, commit: &str, main: &str) {
    for tag in TAGS {
        assert_eq!(place.tagged(tag), commit, "{tag}");
    }
    assert_eq!(place.at("refs/heads/main").as_deref(), Some(main), "no second release commit");
    let index = place.world.repository().join("dist/index");
    for name in ["base", "left", "right", "solo"] {
        let wheel = index.join(format!("files/light-{name}/light_{name}-1.1.0-py3-none-any.whl"));
        assert!(wheel.is_file(), "{}", wheel.display());
    }
    assert!(place.refs("refs/release/plans").is_empty(), "the plan waits no more");
}

#[track_caller]
fn merged(how: &str) {
    let place = Place::new(CONFIG);
    let answer = place.release(&["pr"]).well();
    assert!(answer.out.starts_with("pushed release/next: base 1.1.0, solo 1.1.0"), "{}", answer.out);
    let none = place.release(&["ship", "--yes"]).well();
    assert_eq!(none.out, "no release pull request is merged; `release pr` opens or updates one\n");
    let release = place.at("refs/heads/release/next").unwrap();
    if how == "rebase" {
        place.commit("README.md", "# Light, and more\n", "docs: say more");
    }
    let main = place.merge(how, "release/next");
    place.pull();
    let plan = place.release(&["plan"]).well();
    assert!(
        plan.err.contains("a merged release pull request waits to be shipped: base 1.1.0"),
        "{}",
        plan.err
    );
    let again = place.release(&["pr"]);
    assert_eq!(again.code, Some(9), "{}", again.err);
    assert!(again.err.contains("waits to be shipped"), "{}", again.err);
    let ship = place.release(&["ship", "--yes"]).well();
    assert!(ship.err.contains("took the merged commit"), "{}", ship.err);
    let tagged = if how == "merge" || how == "forward" { &release } else { &main };
    shipped(&place, tagged, &main);
    let plan = place.release(&["plan", "--output", "json"]).well().json();
    assert_eq!(plan["releases"], serde_json::json!([]), "{plan}");
    assert_eq!(place.release(&["ship", "--yes", "--detailed-exitcode"]).code, Some(3));
    assert_eq!(place.release(&["ship", "--tag", TAGS[0], "--yes"]).well().code, Some(0));
    place.release(&["doctor"]).well();
}

#[test]
fn a_merge_is_shipped_from_the_commit_that_was_proposed() {
    merged("merge");
}

#[test]
fn a_squash_is_shipped_from_itself() {
    merged("squash");
}

#[test]
fn a_rebase_is_shipped_from_the_commit_it_made() {
    merged("rebase");
}

#[test]
fn a_fast_forward_is_shipped_too() {
    merged("forward");
}

#[test]
fn what_landed_meanwhile_stays_unreleased_after_a_merge() {
    let place = Place::new(CONFIG);
    place.release(&["pr"]).well();
    let release = place.at("refs/heads/release/next").unwrap();
    place.commit("packages/solo/light_solo.py", "WORDS = 3\n", "feat(solo)!: know three words");
    let main = place.merge("merge", "release/next");
    place.pull();
    place.release(&["ship", "--yes"]).well();
    shipped(&place, &release, &main);
    let plan = place.release(&["plan", "--output", "json"]).well().json();
    assert_eq!(plan["releases"][0]["package"], "solo");
    assert_eq!(plan["releases"][0]["to"], "2.0.0");
    assert_eq!(plan["releases"].as_array().unwrap().len(), 1);
}

#[test]
fn a_squash_on_top_of_unplanned_changes_is_refused_until_it_is_reverted() {
    let place = Place::new(CONFIG);
    place.release(&["pr"]).well();
    place.commit("packages/solo/light_solo.py", "WORDS = 3\n", "feat(solo)!: know three words");
    let main = place.merge("squash", "release/next");
    place.pull();
    for words in [&["ship", "--yes"][..], &["plan"], &["pr"]] {
        let refused = place.release(words);
        assert_eq!(refused.code, Some(7), "{}", refused.err);
        assert!(
            refused.err.contains("changes solo") && refused.err.contains("git revert"),
            "{}",
            refused.err
        );
    }
    assert!(place.refs("refs/tags").iter().all(|tag| !tag.ends_with("v1.1.0")));
    place.git(&["revert", "--no-edit", &main]);
    place.git(&["push", "--quiet", "origin", "main"]);
    place.pull();
    let again = place.release(&["pr", "--allow-major"]).well();
    assert!(again.out.contains("solo 2.0.0"), "{}", again.out);
    let release = place.at("refs/heads/release/next").unwrap();
    place.merge("merge", "release/next");
    place.pull();
    place.release(&["ship", "--yes"]).well();
    assert_eq!(place.tagged("solo-v2.0.0"), release);
}

#[test]
fn a_squash_on_top_of_changes_of_others_is_shipped() {
    let place = Place::new(CONFIG);
    place.release(&["pr", "-p", "left", "-p", "base"]).well();
    place.commit("packages/solo/light_solo.py", "WORDS = 3\n", "feat(solo): know three words");
    let main = place.merge("squash", "release/next");
    place.pull();
    place.release(&["ship", "--yes"]).well();
    assert_eq!(place.tagged("left-v1.1.0"), main);
    let left: Vec<String> = place.refs("refs/tags/solo-v1.1.0");
    assert!(left.is_empty());
}

#[test]
fn other_edits_than_the_planned_ones_are_refused() {
    let place = Place::new(CONFIG);
    place.release(&["pr"]).well();
    let manifest = "packages/solo/pyproject.toml";
    let change = |folder: &std::path::PathBuf| {
        let text = fs::read_to_string(folder.join(manifest)).unwrap();
        fs::write(folder.join(manifest), text.replace("1.1.0", "1.9.0")).unwrap();
    };
    place.commit_on_branch("release/next", change, "chore: another number");
    place.merge("merge", "release/next");
    place.pull();
    let refused = place.release(&["ship", "--yes"]);
    assert_eq!(refused.code, Some(7), "{}", refused.err);
    assert!(refused.err.contains(manifest) && refused.err.contains("git revert"), "{}", refused.err);
}

#[test]
fn words_in_a_merged_changelog_are_those_of_the_tag() {
    for how in ["merge", "squash"] {
        let place = Place::new(CONFIG);
        place.release(&["pr"]).well();
        let change = |folder: &std::path::PathBuf| {
            let path = folder.join("packages/solo/CHANGELOG.md");
            let text = fs::read_to_string(&path).unwrap();
            fs::write(path, text.replace("- know two words", "- know two words, at last")).unwrap();
        };
        place.commit_on_branch("release/next", change, "docs: say it better");
        place.merge(how, "release/next");
        place.pull();
        place.release(&["ship", "--yes"]).well();
        let notes = place.release(&["notes", "solo", "--version", "1.1.0"]).well();
        assert!(notes.out.contains("- know two words, at last"), "{}", notes.out);
        let others = place.release(&["notes", "left", "--version", "1.1.0"]).well();
        assert!(others.out.contains("- know two words ("), "{}", others.out);
    }
}

#[test]
fn a_ship_of_what_was_merged_ends_the_same_wherever_it_is_killed() {
    let place = Place::new(CONFIG);
    place.release(&["pr", "-p", "solo"]).well();
    let release = place.at("refs/heads/release/next").unwrap();
    let main = place.merge("merge", "release/next");
    place.pull();
    // What is built stays in the stash.
    place.release(&["ship", "--yes", "--until", "seal"]).well();
    let start = place.world.folder().join("start");
    let copy = |from: &std::path::Path, to: &std::path::Path| {
        let _ = fs::remove_dir_all(to);
        crate::clones::copy(from, to);
    };
    fs::create_dir(&start).unwrap();
    copy(&place.world.repository(), &start.join("repository"));
    copy(&place.origin(), &start.join("origin.git"));
    let count = place.world.folder().join("places");
    let counting = [("RELEASE_CRASH_COUNT", count.to_str().unwrap())];
    place.release_with(&["ship", "--yes", "--until", "claim"], &counting).well();
    let places = fs::read(&count).unwrap().len();
    assert!(places >= 3, "{places}");
    for at in 1..=places {
        copy(&start.join("repository"), &place.world.repository());
        copy(&start.join("origin.git"), &place.origin());
        let killed = place
            .release_with(&["ship", "--yes", "--until", "claim"], &[("RELEASE_CRASH_AT", &at.to_string())]);
        assert_eq!(killed.code, None, "{at}: {}", killed.err);
        place.release(&["ship", "--yes", "--until", "claim"]).well();
        assert_eq!(place.tagged("solo-v1.1.0"), release, "{at}");
        assert_eq!(place.at("refs/heads/main").as_deref(), Some(main.as_str()), "{at}");
    }
}
