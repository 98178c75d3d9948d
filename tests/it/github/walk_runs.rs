//! Workflows and their runs, walked once.

use serde_json::{Value, json};

use crate::github::client::{ask, get};
use crate::github::walk_pulls::branch;
use crate::github::walk_releases::with_a_commit;

#[test]
fn a_run_is_dispatched_appears_and_goes_its_way() {
    let Some((github, first)) = with_a_commit() else { return };
    let job = github.job();
    let workflow = github.workflow("release.yml", &["workflow_dispatch"], "ship {key}");
    github.workflow("ci.yml", &["pull_request", "release"], "ci");
    github.runs_appear_late(1);
    github.jobs_are(&[("build", ""), ("publish", "skipped")]);
    github.runs_go(&[("queued", "", 1), ("in_progress", "", 2), ("completed", "failure", 1)]);
    assert_eq!(get(&github, "", "/actions/workflows").is(200)["total_count"], 2);
    assert_eq!(get(&github, "", "/actions/workflows/release.yml").is(200)["id"], workflow);
    let body = json!({ "ref": "main", "inputs": { "key": "k1" } });
    ask(&github, &job, "POST", "/actions/workflows/release.yml/dispatches", &body).is(204);
    ask(&github, &job, "POST", "/actions/workflows/ci.yml/dispatches", &body).is(422);
    ask(&github, &job, "POST", "/actions/workflows/none.yml/dispatches", &body).is(404);
    ask(&github, &job, "POST", "/actions/workflows/release.yml/dispatches", &json!({ "ref": "no" })).is(422);
    let runs = format!(
        "/actions/workflows/release.yml/runs?event=workflow_dispatch&head_sha={first}&created=%3E=2025-01-01"
    );
    assert_eq!(get(&github, "", &runs).is(200)["total_count"], 0);
    let run = get(&github, "", &runs).is(200)["workflow_runs"][0].clone();
    assert_eq!((&run["display_title"], &run["head_branch"]), (&json!("ship k1"), &json!("main")));
    assert_eq!(get(&github, "", "/actions/runs?status=completed").is(200)["total_count"], 0);
    let place = format!("/actions/runs/{}", run["id"]);
    let mut seen = Vec::new();
    for _ in 0..3 {
        seen.push(get(&github, "", &place).is(200)["status"].clone());
    }
    assert_eq!(seen, ["queued", "in_progress", "in_progress"]);
    assert_eq!(get(&github, "", &format!("{place}/attempts/1")).is(200)["conclusion"], "failure");
    let jobs = get(&github, "", &format!("{place}/jobs")).is(200);
    assert_eq!(
        (&jobs["jobs"][0]["conclusion"], &jobs["jobs"][1]["conclusion"]),
        (&json!("failure"), &json!("skipped"))
    );
    ask(&github, &job, "POST", &format!("{place}/rerun-failed-jobs"), &Value::Null).is(201);
    let again = get(&github, "", &place).is(200);
    assert_eq!((&again["run_attempt"], &again["status"]), (&json!(2), &json!("queued")));
    assert_eq!(get(&github, "", &format!("{place}/attempts/1")).is(200)["status"], "completed");
    ask(&github, &job, "POST", &format!("{place}/cancel"), &Value::Null).is(202);
    assert_eq!(get(&github, "", &place).is(200)["conclusion"], "cancelled");
    ask(&github, &job, "POST", &format!("{place}/cancel"), &Value::Null).is(409);
    ask(&github, &job, "POST", &format!("{place}/rerun"), &Value::Null).is(201);

    let known = github.runs()[0].clone();
    assert_eq!(known.inputs["key"], "k1");
    github.set_jobs(known.id, &[("publish", "waiting", "")]);
    github.set_run(known.id, "waiting", "");
    assert_eq!(get(&github, "", &format!("{place}/jobs")).is(200)["jobs"][0]["status"], "waiting");
    assert_eq!(get(&github, "", &place).is(200)["status"], "waiting");
    let details = json!({ "ref": "main", "return_run_details": true });
    let told = ask(&github, &job, "POST", "/actions/workflows/release.yml/dispatches", &details).is(200);
    assert_eq!(told["workflow_run_id"], github.runs()[1].id);
    assert_ne!(github.start_run(workflow, "schedule", "main", &Value::Null), known.id);
}

#[test]
fn what_a_job_does_starts_no_workflow() {
    let Some((github, first)) = with_a_commit() else { return };
    github.workflow("ci.yml", &["pull_request", "release"], "ci");
    let (job, person) = (github.job(), github.person());
    branch(&github, &job, "one", &first, "b");
    ask(&github, &job, "POST", "/pulls", &json!({ "title": "one", "head": "one", "base": "main" })).is(201);
    ask(&github, &job, "POST", "/releases", &json!({ "tag_name": "v1" })).is(201);
    assert!(github.runs().is_empty());
    branch(&github, &person, "two", &first, "b");
    ask(&github, &person, "POST", "/pulls", &json!({ "title": "two", "head": "two", "base": "main" }))
        .is(201);
    ask(&github, &person, "POST", "/releases", &json!({ "tag_name": "v2" })).is(201);
    let events: Vec<String> = github.runs().into_iter().map(|run| run.event).collect();
    assert_eq!(events, ["pull_request", "release"]);
}

#[test]
fn checks_and_statuses_stand_at_a_commit() {
    let Some((github, first)) = with_a_commit() else { return };
    let job = github.job();
    github.check_run(&first, "tests", "");
    let body = json!({ "name": "lint", "head_sha": first, "conclusion": "success" });
    ask(&github, &job, "POST", "/check-runs", &body).is(201);
    let checks = get(&github, "", "/commits/main/check-runs?status=completed").is(200);
    assert_eq!((&checks["total_count"], &checks["check_runs"][0]["name"]), (&json!(1), &json!("lint")));
    assert_eq!(get(&github, "", &format!("/commits/{first}/status")).is(200)["state"], "pending");
    for state in ["pending", "success"] {
        let body = json!({ "state": state, "context": "ci", "description": "d" });
        ask(&github, &job, "POST", &format!("/statuses/{first}"), &body).is(201);
    }
    assert_eq!(get(&github, "", "/commits/main/statuses").is(200).as_array().unwrap().len(), 2);
    assert_eq!(get(&github, "", "/commits/main/status").is(200)["state"], "success");
    get(&github, "", "/commits/nowhere/status").is(422);
}
