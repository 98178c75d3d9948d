//! The release pull request at GitHub: opened, found again, updated, merged, closed; what people write there.

use serde_json::{Value, json};

use crate::github::GitHub;
use crate::github::client::{ask, get};
use crate::github::faults::{Fault, Harm};
use crate::pull_request::place::{CONFIG, Place};

pub const PULL: &str = "/pulls/1";

fn place(config: &str) -> Option<(GitHub, Place)> {
    let github = GitHub::start()?;
    let place = Place::at_github(&github, &github.job(), config);
    Some((github, place))
}

/// The one pull request, after a run that must go well.
#[track_caller]
fn pr(place: &Place) -> Value {
    let answer = place.release(&["pr", "--output", "json"]).well().json();
    assert_eq!(answer["pull_requests"].as_array().unwrap().len(), 1, "{answer}");
    answer["pull_requests"][0].clone()
}

fn pull(github: &GitHub) -> Value {
    get(github, "", PULL).is(200)
}

fn edit(github: &GitHub, change: &Value) {
    ask(github, &github.person(), "PATCH", PULL, change).is(200);
}

fn reword(github: &GitHub, from: &str, to: &str) {
    let body = pull(github)["body"].as_str().unwrap().to_owned();
    assert!(body.contains(from), "{body}");
    edit(github, &json!({ "body": body.replacen(from, to, 1).replace('\n', "\r\n") }));
}

const SOLO: &str = "<!-- notes: solo -->\n### Features\n\n- know two words";

#[test]
fn it_is_opened_once_found_by_its_mark_and_updated() {
    let Some((github, place)) = place(&format!("{CONFIG}labels = [\"release: pending\"]\n")) else { return };
    let label = json!({ "name": "release: pending", "color": "0e8a16", "description": "to be merged" });
    ask(&github, &github.person(), "POST", "/labels", &label).is(201);
    let opened = pr(&place);
    assert_eq!((&opened["action"], &opened["number"]), (&json!("opened"), &json!(1)));
    let found = pull(&github);
    assert_eq!(opened["url"], found["html_url"]);
    assert_eq!(found["title"], "chore(release): base 1.1.0, solo 1.1.0, left 1.1.0, right 1.1.0");
    assert_eq!(found["labels"][0]["name"], "release: pending");
    let body = found["body"].as_str().unwrap();
    assert!(body.contains(opened["digest"].as_str().unwrap()) && body.contains(SOLO), "{body}");
    github.clear_requests();
    let again = pr(&place);
    assert_eq!((&again["action"], &again["digest"]), (&json!("unchanged"), &opened["digest"]));
    let wrote = github
        .requests()
        .into_iter()
        .filter(|seen| seen.method != "GET" && !seen.path.contains("upload-pack"));
    assert_eq!(wrote.count(), 0);
    edit(&github, &json!({ "title": "Ship it" }));
    let ada = github.person();
    ask(&github, &ada, "DELETE", "/issues/1/labels/release:%20pending", &Value::Null).is(200);
    place.commit("packages/solo/light_solo.py", "WORDS = 3\n", "fix(solo): count the words");
    place.pull();
    let updated = pr(&place);
    assert_eq!((&updated["action"], &updated["number"]), (&json!("updated"), &json!(1)));
    let found = pull(&github);
    assert_eq!(found["title"], "Ship it", "a person's title stays");
    assert!(found["body"].as_str().unwrap().contains("- count the words"), "{}", found["body"]);
    assert_eq!(place.at("refs/heads/release/next").as_deref(), found["head"]["sha"].as_str());
}

#[test]
fn notes_that_people_edit_stay_and_are_shipped() {
    let Some((github, place)) = place(CONFIG) else { return };
    pr(&place);
    reword(&github, SOLO, "<!-- notes: solo -->\nRead this.\n\n### Features\n\n- two words, at last");
    place.commit("packages/solo/light_solo.py", "WORDS = 3\n", "fix(solo): count the words");
    place.pull();
    pr(&place);
    let log = place.file("release/next", "packages/solo/CHANGELOG.md");
    let expected =
        ["Read this.\n\n### Features\n\n- two words, at last", "### Bug fixes\n\n- count the words"];
    let body = pull(&github)["body"].as_str().unwrap().to_owned();
    for words in expected {
        assert!(log.contains(words), "{log}");
        assert!(body.contains(words), "{body}");
    }
    assert!(!log.contains("know two words"), "{log}");
    assert_eq!(pr(&place)["action"], "unchanged");
    place.merge("merge", "release/next");
    place.pull();
    place.release(&["ship", "--yes"]).well();
    let notes = place.release(&["notes", "solo", "--version", "1.1.0"]).well().out;
    assert!(expected.iter().all(|words| notes.contains(words)), "{notes}");
}

#[test]
fn an_edit_between_two_looks_is_not_lost() {
    let Some((github, place)) = place(CONFIG) else { return };
    pr(&place);
    place.commit("packages/solo/light_solo.py", "WORDS = 3\n", "fix(solo): count the words");
    place.pull();
    github.order(Fault::at("GET", "/repos/ada/shop/pulls", Harm::Stale));
    reword(&github, SOLO, "<!-- notes: solo -->\n### Features\n\n- two words, at last");
    pr(&place);
    let body = pull(&github)["body"].as_str().unwrap().to_owned();
    assert!(body.contains("- two words, at last") && body.contains("- count the words"), "{body}");
    assert!(place.file("release/next", "packages/solo/CHANGELOG.md").contains("at last"));
}

#[test]
fn each_way_of_githubs_to_merge_is_shipped() {
    for way in ["merge", "squash", "rebase"] {
        let Some((github, place)) = place(CONFIG) else { return };
        let opened = pr(&place);
        place.commit("README.md", "# Light, and more\n", "docs: say more");
        let said = format!("Release-Plan: {}", opened["digest"].as_str().unwrap());
        let mut merge = json!({ "merge_method": way });
        if way == "squash" {
            merge["commit_message"] = json!(format!("* chore(release): all\n\n{said}\n"));
        }
        let merged = ask(&github, &github.person(), "PUT", &format!("{PULL}/merge"), &merge).is(200);
        let head = place.at("refs/heads/release/next").unwrap();
        place.pull();
        place.release(&["ship", "--yes"]).well();
        let expected = if way == "merge" { json!(head) } else { merged["sha"].clone() };
        assert_eq!(json!(place.tagged("solo-v1.1.0")), expected, "{way}");
        assert_eq!(json!(place.at("refs/heads/main")), merged["sha"], "{way}");
        let none = place.release(&["pr", "--output", "json"]).well().json();
        assert_eq!(none["pull_requests"][0]["action"], "closed", "the branch that is left goes");
    }
}

#[test]
fn one_with_nothing_to_release_is_closed_with_a_word() {
    let Some((github, place)) = place(CONFIG) else { return };
    pr(&place);
    place.release(&["ship", "--direct", "--yes", "--until", "claim"]).well();
    let closed = pr(&place);
    assert_eq!((&closed["action"], &closed["number"]), (&json!("closed"), &json!(1)));
    assert_eq!(pull(&github)["state"], "closed");
    assert_eq!(get(&github, "", "/issues/1/comments").is(200).as_array().unwrap().len(), 1);
    assert_eq!(place.at("refs/heads/release/next"), None);
}

#[test]
fn commits_of_the_api_are_verified_and_have_our_tree() {
    let Some((github, place)) = place(&format!("{CONFIG}commits = \"api\"\n")) else { return };
    pr(&place);
    let head = place.at("refs/heads/release/next").unwrap();
    assert!(github.state(|state| state.verified.contains(&head)));
    assert_eq!(pr(&place)["action"], "unchanged");
    assert_eq!(place.at("refs/heads/release/next").as_deref(), Some(head.as_str()));
    place.commit("packages/solo/light_solo.py", "WORDS = 3\n", "fix(solo): count the words");
    place.pull();
    assert_eq!(pr(&place)["action"], "updated");
    let moved = place.at("refs/heads/release/next").unwrap();
    assert!(moved != head && github.state(|state| state.verified.contains(&moved)));
    place.release(&["ship", "--direct", "--yes", "--until", "claim"]).well();
    let tree = |at: &str| place.git_in(&place.origin(), &["rev-parse", &format!("{at}^{{tree}}")]);
    assert_eq!(tree(&moved), tree("main"));
}

#[test]
fn checks_are_started_once_for_a_commit() {
    let Some((github, place)) = place(&format!("{CONFIG}checks = [\"ci.yml\"]\n")) else { return };
    github.workflow("ci.yml", &["workflow_dispatch"], "ci");
    pr(&place);
    let runs = github.runs();
    assert_eq!((runs.len(), runs[0].branch.as_str()), (1, "release/next"));
    assert_eq!(Some(runs[0].sha.clone()), place.at("refs/heads/release/next"));
    pr(&place);
    assert_eq!(github.runs().len(), 1);
    place.commit("packages/solo/light_solo.py", "WORDS = 3\n", "fix(solo): count the words");
    place.pull();
    pr(&place);
    assert_eq!(github.runs().len(), 2);
}

#[test]
fn hostile_words_act_nowhere() {
    let config = format!("{CONFIG}branch = \"release/{{x}}-->\"\ntitle = \"<!-- {{releases}} `@all`\"\n");
    let Some((github, place)) = place(&config) else { return };
    let message = "feat(solo): <!-- end of notes: solo --> @all <img src=x> $(id) `id`";
    place.commit("packages/solo/light_solo.py", "WORDS = 3\n", message);
    place.pull();
    pr(&place);
    let found = pull(&github);
    assert_eq!(found["head"]["ref"], "release/{x}-->");
    let body = found["body"].as_str().unwrap();
    assert_eq!(body.matches("<!-- end of notes: solo -->").count(), 1, "{body}");
    assert!(!body.contains("<img") && !body.contains(" @all"), "{body}");
    assert_eq!(pr(&place)["action"], "unchanged");
}
