//! Pulls, issues, comments and labels, walked once.

use serde_json::{Value, json};

use crate::github::GitHub;
use crate::github::client::{ask, get, send};
use crate::github::tokens::{Kind, Level};
use crate::github::walk_releases::with_a_commit;

/// A branch with one more commit, made by the API; its commit.
pub fn branch(github: &GitHub, token: &str, name: &str, from: &str, file: &str) -> String {
    let tree = json!({ "base_tree": from, "tree": [
        { "path": file, "mode": "100644", "type": "blob", "content": format!("{name}\n") }] });
    let tree = ask(github, token, "POST", "/git/trees", &tree).is(201)["sha"].clone();
    let commit = json!({ "message": format!("feat: {name}"), "tree": tree, "parents": [from] });
    let commit = ask(github, token, "POST", "/git/commits", &commit).is(201)["sha"].clone();
    let whole = json!({ "ref": format!("refs/heads/{name}"), "sha": commit });
    ask(github, token, "POST", "/git/refs", &whole).is(201);
    commit.as_str().unwrap().to_owned()
}

#[test]
fn a_pull_is_opened_found_changed_and_merged_in_each_way() {
    let Some((github, first)) = with_a_commit() else { return };
    let job = github.job();
    for (at, way) in ["merge", "squash", "rebase"].into_iter().enumerate() {
        let head = branch(&github, &job, way, &first, &format!("{way}.txt"));
        let body = json!({ "title": format!("feat: {way}"), "head": way, "base": "main", "body": "text" });
        let pull = ask(&github, &job, "POST", "/pulls", &body).is(201);
        assert_eq!((&pull["mergeable"], &pull["changed_files"]), (&json!(true), &json!(1)));
        ask(&github, &job, "POST", "/pulls", &body).is(422);
        let place = format!("/pulls/{}", pull["number"]);
        let found = get(&github, &job, &format!("/pulls?head=ada:{way}&base=main&state=open")).is(200);
        assert_eq!(found[0]["number"], pull["number"]);
        assert_eq!(
            get(&github, &job, &format!("/commits/{head}/pulls")).is(200)[0]["number"],
            pull["number"]
        );
        let files = get(&github, &job, &format!("{place}/files")).is(200);
        assert_eq!(
            (&files[0]["filename"], &files[0]["status"]),
            (&json!(format!("{way}.txt")), &json!("added"))
        );
        assert_eq!(get(&github, &job, &format!("{place}/commits")).is(200)[0]["sha"], *head);
        let changed = json!({ "title": "feat: other" });
        assert_eq!(ask(&github, &job, "PATCH", &place, &changed).is(200)["title"], "feat: other");
        let merge = |sha: &str| json!({ "merge_method": way, "sha": sha });
        ask(&github, &job, "PUT", &format!("{place}/merge"), &merge(&first)).is(409);
        get(&github, &job, &format!("{place}/merge")).is(404);
        let merged = ask(&github, &job, "PUT", &format!("{place}/merge"), &merge(&head)).is(200);
        get(&github, &job, &format!("{place}/merge")).is(204);
        let tip = github.git().branch("main").unwrap();
        assert_eq!(merged["sha"], *tip);
        assert_eq!(github.git().show(&tip, "%P").split(' ').count(), if way == "merge" { 2 } else { 1 });
        let pull = get(&github, &job, &place).is(200);
        assert_eq!((&pull["merged"], &pull["merge_commit_sha"]), (&json!(true), &json!(tip)));
        assert_eq!(github.git().well(&["ls-tree", "--name-only", &tip]).lines().count(), at + 2);
    }
    assert_eq!(get(&github, "", "/pulls").is(200), json!([]));
    assert_eq!(
        get(&github, "", "/pulls?state=all&per_page=2").header("link").unwrap().matches("rel=").count(),
        2
    );
}

#[test]
fn a_pull_follows_its_branches() {
    let Some((github, first)) = with_a_commit() else { return };
    let job = github.job();
    github.allow_merges(&["squash"]);
    let (one, other) =
        (branch(&github, &job, "one", &first, "x"), branch(&github, &job, "other", &first, "x"));
    for head in ["one", "other"] {
        ask(&github, &job, "POST", "/pulls", &json!({ "title": head, "head": head, "base": "main" })).is(201);
    }
    ask(&github, &job, "PUT", "/pulls/1/merge", &json!({ "merge_method": "merge" })).is(405);
    ask(&github, &job, "PATCH", "/git/refs/heads/main", &json!({ "sha": one })).is(200);
    assert_eq!(get(&github, "", "/pulls/1").is(200)["merged"], true);
    let pull = get(&github, "", "/pulls/2").is(200);
    assert_eq!((&pull["mergeable"], &pull["mergeable_state"]), (&json!(false), &json!("dirty")));
    ask(&github, &job, "PUT", "/pulls/2/merge", &json!({ "merge_method": "squash" })).is(405);
    ask(&github, &job, "PATCH", "/git/refs/heads/other", &json!({ "sha": one })).is(422);
    ask(&github, &job, "DELETE", "/git/refs/heads/other", &Value::Null).is(204);
    assert_eq!(get(&github, "", "/pulls/2").is(200)["state"], "closed");
    assert_eq!(github.git().commit("pull/2/head"), Some(other));
    let forked = github.pull_from_fork("bo", "other", &one, "from a fork");
    let pull = get(&github, "", &format!("/pulls/{forked}")).is(200);
    assert_eq!(
        (&pull["head"]["label"], &pull["head"]["repo"]["full_name"]),
        (&json!("bo:other"), &json!("bo/shop"))
    );
    assert_eq!(get(&github, "", "/pulls?head=ada:other").is(200), json!([]));
    github.keep_jobs_from_pulls();
    branch(&github, &job, "third", &one, "y");
    let body = json!({ "title": "third", "head": "third", "base": "main" });
    ask(&github, &job, "POST", "/pulls", &body).is(403);
    ask(&github, &github.person(), "POST", "/pulls", &body).is(201);
}

#[test]
fn issues_have_comments_and_labels() {
    let Some((github, _)) = with_a_commit() else { return };
    let token = github.token("talker", Kind::App, &[("issues", Level::Write)]);
    let body = json!({ "title": "one", "body": "text", "labels": ["bug"] });
    assert_eq!(ask(&github, &token, "POST", "/issues", &body).is(201)["labels"][0]["name"], "bug");
    assert_eq!(get(&github, "", "/issues?labels=bug").is(200)[0]["number"], 1);
    for number in 0..3 {
        ask(&github, &token, "POST", "/issues/1/comments", &json!({ "body": format!("c{number}") })).is(201);
    }
    let page = get(&github, "", "/issues/1/comments?per_page=2");
    let next = page.header("link").unwrap().split(['<', '>']).nth(1).unwrap().to_owned();
    assert!(next.ends_with("/repositories/1/issues/1/comments?per_page=2&page=2"), "{next}");
    let page = send(&next, "", "GET", "Accept: */*", b"");
    assert!(page.header("link").unwrap().contains("rel=\"prev\""));
    let page = page.is(200);
    assert_eq!(page.as_array().unwrap().len(), 1);
    let place = format!("/issues/comments/{}", page[0]["id"]);
    assert_eq!(ask(&github, &token, "PATCH", &place, &json!({ "body": "new" })).is(200)["body"], "new");
    let long = json!({ "body": "x".repeat(65_537) });
    ask(&github, &token, "PATCH", &place, &long).is(422);
    assert_eq!(get(&github, "", &place).is(200)["user"]["login"], "talker[bot]");
    ask(&github, &token, "DELETE", &place, &Value::Null).is(204);
    get(&github, "", &place).is(404);
    assert_eq!(get(&github, "", "/issues/1").is(200)["comments"], 2);

    let label = json!({ "name": "release: pending", "color": "0e8a16" });
    ask(&github, &token, "POST", "/labels", &label).is(201);
    ask(&github, &token, "POST", "/labels", &label).is(422);
    assert_eq!(get(&github, "", "/labels/release:%20pending").is(200)["color"], "0e8a16");
    let add = json!({ "labels": ["release: pending"] });
    assert_eq!(ask(&github, &token, "POST", "/issues/1/labels", &add).is(200).as_array().unwrap().len(), 2);
    ask(&github, &token, "DELETE", "/issues/1/labels/bug", &Value::Null).is(200);
    ask(&github, &token, "DELETE", "/issues/1/labels/bug", &Value::Null).is(404);
    assert_eq!(get(&github, "", "/issues/1/labels").is(200)[0]["name"], "release: pending");
    ask(&github, &token, "PUT", "/issues/1/labels", &json!({ "labels": ["done"] })).is(200);
    assert_eq!(get(&github, "", "/labels").is(200).as_array().unwrap().len(), 3);
    assert_eq!(
        ask(&github, &token, "PATCH", "/issues/1", &json!({ "state": "closed" })).is(200)["state"],
        "closed"
    );
}
