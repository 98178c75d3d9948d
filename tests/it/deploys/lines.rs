//! A published release that is bad, and a line for mending what runs.

use crate::deploys::place::{PROMOTE, Place, refused, two};

#[test]
fn a_withdrawn_release_comes_nowhere() {
    let place = Place::released(&two(""));
    place.deployed("staging", &["1.1.0", "1.2.0"]);
    let withdraw = ["withdraw", "core@1.2.0", "--reason", "it loses data", "--output", "json"];
    let told = place.release(&withdraw).well().json();
    assert_eq!(told["running"], serde_json::json!(["staging"]), "{told}");
    assert_eq!(told["dependents"], serde_json::json!(["app"]), "{told}");
    refused(&place.release(&PROMOTE), 9, &["core 1.2.0: withdrawn: it loses data", "release a better one"]);
    let past = ["promote", "--to", "production", "--yes", "--override", "withdrawn", "--reason", "x"];
    refused(&place.release(&past), 2, &["nobody goes past `withdrawn`"]);
    refused(&place.release(&["deploy", "production", "core@1.2.0", "--yes"]), 9, &["core 1.2.0: withdrawn"]);
    let status = place.release(&["status"]).well().out;
    assert!(status.contains("core 1.2.0 is withdrawn and not yanked yet: it loses data"), "{status}");
    // Going back from it is what is wanted, and going back to it is not.
    place.release(&["rollback", "staging", "--yes"]).well();
    place.agrees("staging", ["1.1.0", "1.1.0"]);
    let unknown = place.release(&["withdraw", "core@9.0.0", "--reason", "x"]);
    refused(&unknown, 2, &["there is no release 9.0.0 of core"]);
}

#[test]
fn a_folder_that_marks_a_withdrawn_release_ends_the_reminder() {
    let place = Place::released(&two(""));
    let told = place.release(&["withdraw", "core@1.2.0", "--reason", "it loses data"]).well().out;
    assert!(told.contains("set `yanked` of the files"), "{told}");
    assert_eq!(place.release(&["tick"]).well().out, "nothing waits\n");
    let page = place.folder().join("index/simple/deps-core/index.json");
    let mut index: serde_json::Value = serde_json::from_slice(&std::fs::read(&page).unwrap()).unwrap();
    for file in index["files"].as_array_mut().unwrap() {
        if file["filename"].as_str().unwrap().contains("-1.2.0") {
            file["yanked"] = "it loses data".into();
        }
    }
    std::fs::write(&page, index.to_string()).unwrap();
    let tick = place.release(&["tick"]).well().err;
    assert!(tick.contains("the index says that core 1.2.0 is yanked"), "{tick}");
    assert!(!place.release(&["status"]).well().out.contains("withdrawn"));
}

#[test]
fn a_way_back_passes_over_what_was_withdrawn() {
    let place = Place::released(&two(""));
    place.deployed("staging", &["1.1.0", "1.2.0", "1.3.0"]);
    for package in ["core", "app"] {
        place.release(&["withdraw", &format!("{package}@1.2.0"), "--reason", "it loses data"]).well();
    }
    place.release(&["rollback", "staging", "--yes"]).well();
    place.agrees("staging", ["1.1.0", "1.1.0"]);
}

#[test]
fn a_failure_does_not_go_back_to_what_was_withdrawn() {
    let place = Place::released(&two(""));
    place.deployed("staging", &["1.1.0", "1.2.0"]);
    place.release(&["withdraw", "core@1.2.0", "--reason", "it loses data"]).well();
    place.order("sick", "staging-core-1.3.0");
    refused(&place.release(&["deploy", "staging", "core@1.3.0", "--yes"]), 5, &["(core 1.1.0)"]);
    assert_eq!(place.version("staging", "core"), "1.1.0");
}

#[test]
fn a_line_for_mending_begins_at_what_production_runs() {
    let place = Place::released(&two(""));
    place.deployed("staging", &["1.2.0"]);
    place.release(&PROMOTE).well();
    let clone = place.fresh();
    let opened = place.run(&clone, &["hotfix", "app"]).well().out;
    assert!(opened.contains("opened hotfix/app-1.2 at app-v1.2.0"), "{opened}");
    place.git(&clone, &["switch", "--quiet", "hotfix/app-1.2"]);
    let module = clone.repository().join("packages/app/deps_app.py");
    let text = std::fs::read_to_string(&module).unwrap();
    std::fs::write(&module, format!("MENDED = 1\n{text}")).unwrap();
    place.git(&clone, &["commit", "--quiet", "--all", "-m", "fix(app): do not fall over"]);
    let fix = place.git(&clone, &["rev-parse", "HEAD"]);
    let ship = place.run(&clone, &["ship", "--yes", "--until", "smoke"]).well();
    assert!(ship.out.contains("app 1.2.1") || ship.out.contains("1.2.1"), "{}", ship.out);
    let tags = place.git(&clone, &["ls-remote", "--tags", "origin", "app-v1.2.1"]);
    assert!(tags.contains("refs/tags/app-v1.2.1"), "{tags}");
    let branches = place.git(&clone, &["ls-remote", "--heads", "origin", "hotfix/*"]);
    assert!(branches.contains("refs/heads/hotfix/app-1.2"), "others see the line: {branches}");

    let status = |place: &Place| place.release(&["status"]).well().out;
    let reminder = "hotfix/app-1.2 mends app as of app-v1.2.0, and is not on the main branch yet";
    assert!(status(&place).replace("\n  ", " ").contains(reminder), "{}", status(&place));
    place.release(&["tick"]).well();
    assert!(status(&place).contains("hotfix/app-1.2 mends"), "it is not on main yet");

    // The patch is deployed on its own; what it is older than stays the latest.
    place
        .release(&[
            "deploy",
            "production",
            "app@1.2.1",
            "--override",
            "after",
            "--reason",
            "it burns",
            "--yes",
        ])
        .well();
    place.agrees("production", ["1.2.0", "1.2.1"]);
    let main = place.fresh();
    place.git(&main, &["cherry-pick", &fix]);
    place.git(&main, &["push", "--quiet", "origin", "main"]);
    let tick = place.release(&["tick"]).well();
    assert!(tick.err.contains("what hotfix/app-1.2 mended is on main too"), "{}", tick.err);
    assert!(!status(&place).contains("hotfix/app-1.2"), "{}", status(&place));
}
