//! Deployments and environments, walked once.

use serde_json::{Value, json};

use crate::github::client::{ask, get};
use crate::github::environments::Rules;
use crate::github::walk_releases::with_a_commit;

#[test]
fn deployments_have_statuses_and_the_last_success_retires_the_others() {
    let Some((github, first)) = with_a_commit() else { return };
    let job = github.job();
    let body = json!({ "ref": "main", "environment": "staging", "auto_merge": false, "required_contexts": [],
        "payload": { "version": "1.0" }, "description": "d" });
    let mut places = Vec::new();
    for _ in 0..2 {
        let made = ask(&github, &job, "POST", "/deployments", &body).is(201);
        assert_eq!((&made["sha"], &made["payload"]["version"]), (&json!(first), &json!("1.0")));
        let place = format!("/deployments/{}", made["id"]);
        for state in ["in_progress", "success"] {
            let status = json!({ "state": state, "log_url": "https://example.org/log", "description": "s",
                "environment_url": "https://example.org/" });
            ask(&github, &job, "POST", &format!("{place}/statuses"), &status).is(201);
        }
        places.push(place);
    }
    let states = |place: &str| get(&github, "", &format!("{place}/statuses")).is(200)[0]["state"].clone();
    assert_eq!((states(&places[0]), states(&places[1])), (json!("inactive"), json!("success")));
    let list = get(&github, "", &format!("/deployments?environment=staging&sha={first}")).is(200);
    assert_eq!(list.as_array().unwrap().len(), 2);
    get(&github, "", &places[0]).is(200);
    ask(&github, &job, "DELETE", &places[1], &Value::Null).is(422);
    ask(&github, &job, "DELETE", &places[0], &Value::Null).is(204);
    let long = json!({ "state": "success", "description": "x".repeat(141) });
    ask(&github, &job, "POST", &format!("{}/statuses", places[1]), &long).is(422);
    ask(&github, &job, "POST", &format!("{}/statuses", places[1]), &json!({ "state": "failure" })).is(201);
    github.check_run(&first, "tests", "failure");
    ask(&github, &job, "POST", "/deployments", &json!({ "ref": "main" })).is(409);
}

#[test]
fn an_environment_that_nobody_set_up_appears_without_rules() {
    let Some((github, _)) = with_a_commit() else { return };
    let job = github.job();
    github.environment("production", Rules { reviewers: &["bo"], wait: 10, protected_branches: true });
    get(&github, "", "/environments/staging").is(404);
    let body = json!({ "ref": "main", "environment": "staging" });
    ask(&github, &job, "POST", "/deployments", &body).is(201);
    assert_eq!(get(&github, "", "/environments/staging").is(200)["protection_rules"], json!([]));
    let guarded = get(&github, "", "/environments/production").is(200);
    let rules: Vec<&Value> =
        guarded["protection_rules"].as_array().unwrap().iter().map(|rule| &rule["type"]).collect();
    assert_eq!(rules, ["wait_timer", "required_reviewers", "branch_policy"]);
    assert_eq!(get(&github, "", "/environments").is(200)["total_count"], 2);
}
