//! Releases and their assets, walked once.

use serde_json::{Value, json};

use crate::github::GitHub;
use crate::github::client::{Reply, ask, get, send};
use crate::github::faults::{Fault, Harm};
use crate::github::tokens::{Kind, Level};

/// A GitHub with a commit on `main`.
pub fn with_a_commit() -> Option<(GitHub, String)> {
    let github = GitHub::start()?;
    let git = github.git();
    let blob = git.feed(&["hash-object", "-w", "--stdin"], b"one\n", &[]).unwrap();
    let tree = git.feed(&["mktree"], format!("100644 blob {blob}\ta.txt\n").as_bytes(), &[]).unwrap();
    let commit = git.feed(&["commit-tree", &tree], b"feat: one", &[]).unwrap();
    git.well(&["update-ref", "refs/heads/main", &commit]);
    Some((github, commit))
}

fn upload(release: &Value, token: &str, name: &str, bytes: &[u8]) -> Reply {
    let at = release["upload_url"].as_str().unwrap().replace("{?name,label}", &format!("?name={name}"));
    send(&at, token, "POST", "Content-Type: application/octet-stream", bytes)
}

#[test]
fn a_release_is_a_draft_then_published_then_the_latest() {
    let Some((github, commit)) = with_a_commit() else { return };
    let job = github.job();
    let body = json!({ "tag_name": "shop-v1.0.0", "draft": true, "name": "shop 1.0.0", "body": "notes" });
    let draft = ask(&github, &job, "POST", "/releases", &body).is(201);
    assert_eq!(draft["draft"], true);
    let place = format!("/releases/{}", draft["id"]);
    get(&github, &job, &place).is(200);
    get(&github, &job, "/releases/tags/shop-v1.0.0").is(404);
    get(&github, "", &place).is(404);
    assert_eq!(get(&github, "", "/releases").is(200), json!([]));
    assert_eq!(get(&github, &job, "/releases").is(200).as_array().unwrap().len(), 1);
    get(&github, &job, "/releases/latest").is(404);
    assert!(!github.git().has_tag("shop-v1.0.0"));

    let asset = upload(&draft, &job, "shop-1!0.whl", b"bytes").is(201);
    assert_eq!(asset["name"], "shop-1.0.whl");
    assert!(asset["digest"].as_str().unwrap().starts_with("sha256:277089d91c0b"), "{asset}");
    let refused = upload(&draft, &job, "shop-1!0.whl", b"others").is(422);
    assert_eq!(refused["errors"][0]["code"], "already_exists");

    let published = ask(&github, &job, "PATCH", &place, &json!({ "draft": false })).is(200);
    assert_eq!(published["assets"].as_array().unwrap().len(), 1);
    assert_eq!(github.git().commit("shop-v1.0.0"), Some(commit));
    get(&github, "", "/releases/tags/shop-v1.0.0").is(200);
    assert_eq!(get(&github, "", "/releases/latest").is(200)["id"], draft["id"]);
    let again = ask(&github, &job, "POST", "/releases", &json!({ "tag_name": "shop-v1.0.0" })).is(422);
    assert_eq!(again["errors"][0]["code"], "already_exists");
    let nowhere = json!({ "tag_name": "v9", "target_commitish": "nowhere" });
    ask(&github, &job, "POST", "/releases", &nowhere).is(422);

    ask(&github, &job, "POST", "/releases/generate-notes", &json!({ "tag_name": "v2" })).is(200);
    let second = json!({ "tag_name": "shop-v0.9.1", "make_latest": "false", "target_commitish": "main" });
    ask(&github, &job, "POST", "/releases", &second).is(201);
    assert_eq!(get(&github, "", "/releases/latest").is(200)["id"], draft["id"]);
    ask(&github, &job, "DELETE", &place, &Value::Null).is(204);
    assert!(github.git().has_tag("shop-v1.0.0"), "the tag stays");
}

#[test]
fn assets_come_from_a_storage_that_wants_no_credentials() {
    let Some((github, _)) = with_a_commit() else { return };
    let job = github.job();
    let body = json!({ "tag_name": "v1", "draft": true });
    let release = ask(&github, &job, "POST", "/releases", &body).is(201);
    let asset = upload(&release, &job, "a%2Bb.whl", b"bytes").is(201);
    assert_eq!(asset["name"], "a+b.whl");
    let place = asset["url"].as_str().unwrap();
    let there = send(place, &job, "GET", "Accept: application/octet-stream", b"");
    assert_eq!(there.status, 302);
    let stored = there.header("location").unwrap();
    assert_eq!(send(stored, "", "GET", "Accept: */*", b"").bytes, b"bytes");
    assert_eq!(send(stored, &job, "GET", "Accept: */*", b"").status, 400);
    github.order(Fault::at("GET", "/storage/*", Harm::Corrupt));
    assert_eq!(send(stored, "", "GET", "Accept: */*", b"").bytes, b"byter");
    let id = format!("/releases/assets/{}", asset["id"]);
    assert_eq!(get(&github, "", &id).status, 404);
    assert_eq!(ask(&github, &job, "PATCH", &id, &json!({ "label": "wheel" })).is(200)["label"], "wheel");
    let list = format!("/releases/{}/assets", release["id"]);
    assert_eq!(get(&github, &job, &list).is(200)[0]["id"], asset["id"]);
    let broken = github.broken_asset(release["id"].as_u64().unwrap(), "half.whl");
    assert_eq!(get(&github, &job, &list).is(200)[1]["state"], "starter");
    ask(&github, &job, "DELETE", &format!("/releases/assets/{broken}"), &Value::Null).is(204);
    ask(&github, &job, "PATCH", &format!("/releases/{}", release["id"]), &json!({ "draft": false })).is(200);
    let open = send(
        &github.api().replace("/api/v3", "/ada/shop/releases/download/v1/a+b.whl"),
        "",
        "GET",
        "A: b",
        b"",
    );
    assert_eq!(open.status, 302);
    assert_eq!(github.asset("v1", "a+b.whl").unwrap(), b"bytes");
}

#[test]
fn an_immutable_release_stays_as_it_is() {
    let Some((github, commit)) = with_a_commit() else { return };
    github.make_releases_immutable();
    let job = github.job();
    let admin = github.token("admin", Kind::Personal, &[("administration", Level::Read)]);
    assert_eq!(get(&github, &admin, "/immutable-releases").is(200)["enabled"], true);
    let release =
        ask(&github, &job, "POST", "/releases", &json!({ "tag_name": "v1", "draft": true })).is(201);
    let asset = upload(&release, &job, "a.whl", b"a").is(201);
    let place = format!("/releases/{}", release["id"]);
    let release = ask(&github, &job, "PATCH", &place, &json!({ "draft": false })).is(200);
    assert_eq!(release["immutable"], true);
    let refused = upload(&release, &job, "b.whl", b"b").is(422);
    assert_eq!(refused["message"], "Cannot upload assets to an immutable release.");
    ask(&github, &job, "DELETE", &format!("/releases/assets/{}", asset["id"]), &Value::Null).is(422);
    ask(&github, &job, "PATCH", &place, &json!({ "tag_name": "v2" })).is(422);
    ask(&github, &job, "PATCH", &place, &json!({ "body": "withdrawn" })).is(200);
    ask(&github, &job, "DELETE", "/git/refs/tags/v1", &Value::Null).is(422);
    ask(&github, &job, "PATCH", "/git/refs/tags/v1", &json!({ "sha": commit, "force": true })).is(422);
    ask(&github, &job, "DELETE", &place, &Value::Null).is(204);
    let again = ask(&github, &job, "POST", "/releases", &json!({ "tag_name": "v1" })).is(422);
    assert_eq!(again["errors"][0]["message"], "tag_name was used by an immutable release");
}
