//! What the double refuses, whom it lets in, and the faults it makes.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::github::client::{ask, get, send};
use crate::github::faults::{Fault, Harm};
use crate::github::tokens::{Kind, Level};
use crate::github::walk_releases::with_a_commit;

#[test]
fn what_github_does_not_describe_is_refused_and_told() {
    let Some((github, _)) = with_a_commit() else { return };
    let job = github.job();
    let refused = |method: &str, path: &str, body: &Value, word: &str| {
        let said = ask(&github, &job, method, path, body).is(500);
        let told = github.take_violations();
        assert!(told.len() == 1 && told[0].contains(word), "{told:?}");
        assert!(said["message"].as_str().unwrap().contains(word), "{said}");
    };
    refused("POST", "/releases", &json!({ "name": "x" }), "tag_name");
    refused("POST", "/releases", &json!({ "tag_name": 1 }), "string");
    refused("POST", "/releases", &json!({ "tag_name": "v1", "drafts": true }), "drafts");
    refused("POST", "/releases", &Value::Null, "no body");
    refused("GET", "/releases?perpage=3", &Value::Null, "perpage");
    refused("GET", "/releases?per_page=many", &Value::Null, "per_page");
    refused("GET", "/releases/first", &Value::Null, "release_id");
    refused("GET", "/released", &Value::Null, "no such operation");
    refused("DELETE", "/releases", &Value::Null, "no such operation");
    refused("GET", "/stargazers", &Value::Null, "does not serve it");
    refused("PUT", "/pulls/1/merge", &json!({ "merge_method": "octopus" }), "octopus");
    github.state(|state| state.labels.push(json!({ "name": 1 })));
    get(&github, "", "/labels").is(500);
    assert!(github.take_violations()[0].contains("the double's own answer"));
    github.check();
}

#[test]
#[should_panic(expected = "not as GitHub describes it")]
fn a_test_that_asks_for_nonsense_fails_at_its_end() {
    let Some((github, _)) = with_a_commit() else { panic!("not as GitHub describes it: nothing to test") };
    get(&github, "", "/released").is(500);
}

#[test]
fn tokens_may_do_what_they_may() {
    let Some((github, _)) = with_a_commit() else { return };
    let reader = github.token("reader", Kind::Job, &[("contents", Level::Read)]);
    let refused = ask(&github, &reader, "POST", "/releases", &json!({ "tag_name": "v1" }));
    assert_eq!(refused.header("x-accepted-github-permissions"), Some("contents=write"));
    assert_eq!(refused.is(403)["message"], "Resource not accessible by integration");
    ask(&github, "", "POST", "/releases", &json!({ "tag_name": "v1" })).is(401);
    assert_eq!(get(&github, "nonsense", "").is(401)["message"], "Bad credentials");
    let repository = get(&github, &reader, "");
    assert_eq!(repository.header("x-ratelimit-limit"), Some("5000"));
    let repository = repository.is(200);
    assert_eq!(
        (&repository["permissions"]["push"], &repository["default_branch"]),
        (&json!(false), &json!("main"))
    );
    let (job, person) = (github.job(), github.person());
    assert_eq!(get(&github, &job, "").is(200)["permissions"]["push"], true);
    let myself = format!("{}/user", github.api());
    assert_eq!(send(&myself, &person, "GET", "Accept: */*", b"").is(200)["login"], "ada");
    send(&myself, &job, "GET", "Accept: */*", b"").is(403);
    github.make_private();
    get(&github, "", "").is(404);
    get(&github, &github.stranger(), "/releases").is(404);
    get(&github, &reader, "/releases").is(200);
    let refused = get(&github, &reader, "/issues");
    assert_eq!(refused.header("x-accepted-github-permissions"), Some("issues=read; pull_requests=read"));
    refused.is(403);
    github.revoke(&job);
    get(&github, &job, "").is(401);
    let nameless = send(&myself, &job, "GET", "User-Agent: ", b"");
    assert!(nameless.is(403)["message"].as_str().unwrap().contains("User-Agent"));
    let other = format!("{}/repos/bo/shop", github.api());
    send(&other, &reader, "GET", "Accept: */*", b"").is(404);
}

#[test]
fn a_repository_moves_and_is_archived_and_has_neighbours() {
    let Some((github, _)) = with_a_commit() else { return };
    let job = github.job();
    github.was_called("ada/cart");
    let old = format!("{}/repos/ada/cart/labels", github.api());
    let moved = send(&old, &job, "GET", "Accept: */*", b"");
    assert_eq!(moved.status, 301);
    assert_eq!(send(moved.header("location").unwrap(), &job, "GET", "Accept: */*", b"").is(200), json!([]));
    let made = send(&old, &job, "POST", "Accept: */*", br#"{"name":"a"}"#);
    assert_eq!(made.status, 307);
    send(made.header("location").unwrap(), &job, "POST", "Accept: */*", br#"{"name":"a"}"#).is(201);
    let other = github.another("actions", "checkout");
    assert_eq!(get(&other, "", "/labels").is(200), json!([]));
    let numbered = format!("{}/repositories/2", github.api());
    assert_eq!(send(&numbered, "", "GET", "Accept: */*", b"").is(200)["full_name"], "actions/checkout");
    ask(&other, &job, "POST", "/labels", &json!({ "name": "b" })).is(201);
    assert_eq!(get(&github, "", "/labels").is(200)[0]["name"], "a");
    let refs = format!("{}/info/refs?service=git-upload-pack", other.remote());
    assert_eq!(send(&refs, "", "GET", "Accept: */*", b"").status, 200);
    drop(other);
    github.archive();
    assert_eq!(get(&github, &job, "").is(200)["archived"], true);
    ask(&github, &job, "POST", "/labels", &json!({ "name": "c" })).is(403);
    let refs = format!("{}/info/refs?service=git-receive-pack", github.remote());
    assert_eq!(send(&refs, &job, "GET", "Accept: */*", b"").status, 403);
}

#[test]
fn requests_are_remembered_without_their_secrets() {
    let Some((github, _)) = with_a_commit() else { return };
    let job = github.job();
    ask(&github, &job, "POST", "/labels", &json!({ "name": "a" })).is(201);
    get(&github, "wrong", "/labels?page=1");
    get(&github, "", "/labels").is(200);
    let seen = github.requests();
    let told: Vec<(&str, &str, &str)> =
        seen.iter().map(|seen| (seen.path.as_str(), seen.query.as_str(), seen.token.as_str())).collect();
    let path = "/repos/ada/shop/labels";
    assert_eq!(told, [(path, "", "job"), (path, "page=1", "?"), (path, "", "")]);
    assert_eq!(seen[0].body["name"], "a");
    assert!(!format!("{seen:?}").contains(&job));
    assert_eq!(github.requests_to("POST", path).len(), 1);
    github.clear_requests();
    assert!(github.requests().is_empty());
}

#[test]
fn faults_come_to_the_requests_they_are_ordered_for() {
    let Some((github, _)) = with_a_commit() else { return };
    let job = github.job();
    let path = "/repos/*/labels";
    let count = || github.state(|state| state.labels.len());
    let create = |name: &str| ask(&github, &job, "POST", "/labels", &json!({ "name": name }));
    let order = |harm: Harm| github.order(Fault::at("POST", path, harm));

    order(Harm::Drop);
    assert_eq!((create("a").status, count()), (0, 0));
    order(Harm::Lose);
    assert_eq!((create("a").status, count()), (0, 1));
    order(Harm::Truncate);
    let half = create("b");
    assert_eq!((half.status, count()), (0, 2));
    assert!(half.head.starts_with("HTTP/1.1 201"));
    order(Harm::Late(502));
    assert_eq!((create("c").status, count()), (502, 3));
    for status in [401, 500, 502, 503] {
        order(Harm::Status(status));
        assert_eq!((create("d").status, count()), (status, 3));
    }
    order(Harm::TooMany(7));
    let many = create("d");
    assert_eq!((many.status, many.header("retry-after")), (429, Some("7")));
    order(Harm::Secondary(5));
    let second = create("d");
    assert_eq!(second.header("retry-after"), Some("5"));
    assert!(
        second.is(403)["message"].as_str().unwrap().starts_with("You have exceeded a secondary rate limit")
    );
    order(Harm::Primary(9));
    let first = create("d");
    assert_eq!((first.status, first.header("x-ratelimit-remaining")), (403, Some("0")));
    let began = Instant::now();
    order(Harm::Hang(1));
    assert_eq!(create("d").status, 0);
    order(Harm::Slow(200));
    create("d").is(201);
    assert!(began.elapsed() >= Duration::from_millis(1200));

    github.order(Fault::at("GET", path, Harm::Stale).times(2));
    create("e").is(201);
    let length = || get(&github, "", "/labels").is(200).as_array().unwrap().len();
    assert_eq!([length(), length(), length()], [4, 4, 5]);
    github.order(Fault::at("*", path, Harm::Status(500)).after(1));
    assert_eq!([get(&github, "", "/labels").status, get(&github, "", "/labels").status], [200, 500]);
    github.order(Fault::at("GET", "/ada/shop.git/*", Harm::Drop));
    let refs = format!("{}/info/refs?service=git-upload-pack", github.remote());
    assert_eq!(send(&refs, "", "GET", "Accept: */*", b"").status, 0);
    assert_eq!(send(&refs, "", "GET", "Accept: */*", b"").status, 200);
    order(Harm::Drop);
    github.clear_faults();
    create("f").is(201);
}
