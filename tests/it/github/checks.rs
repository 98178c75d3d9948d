//! Check runs and statuses of commits.

use serde_json::{Value, json};

use crate::github::answer::Answer;
use crate::github::call::Call;
use crate::github::hub::Hub;
use crate::github::text::now;

pub fn list(call: &mut Call<'_>) -> Answer {
    let Some(sha) = call.hub.git.commit(call.parameter("ref")) else { return unknown(call) };
    let fits = |check: &&Value| {
        check["head_sha"] == *sha
            && call.asked("check_name").is_none_or(|name| check["name"] == *name)
            && call.asked("status").is_none_or(|status| check["status"] == *status)
    };
    let list = call.state.checks.iter().filter(fits).cloned().collect();
    call.counted("check_runs", list)
}

pub fn create(call: &mut Call<'_>) -> Answer {
    let sha = call.text("head_sha").unwrap_or_default();
    if call.hub.git.commit(&sha).is_none() {
        return Answer::refusal(422, &format!("No commit found for SHA: {sha}"));
    }
    let name = call.text("name").unwrap_or_default();
    let conclusion = call.text("conclusion");
    let id = call.state.id();
    let mut check = check(call.hub, id, &sha, &name, conclusion.as_deref());
    if let Some(status) = call.text("status").filter(|_| conclusion.is_none()) {
        check["status"] = json!(status);
    }
    call.state.checks.push(check.clone());
    Answer::json(201, check)
}

pub fn statuses(call: &mut Call<'_>) -> Answer {
    let Some(sha) = call.hub.git.commit(call.parameter("ref")) else { return unknown(call) };
    let own = call.state.commit_statuses.iter().rev().filter(|(of, _)| *of == sha);
    let list = own.map(|(_, status)| status.clone()).collect();
    call.page(list)
}

/// The newest status of each context, and what they come to.
pub fn combined(call: &mut Call<'_>) -> Answer {
    let Some(sha) = call.hub.git.commit(call.parameter("ref")) else { return unknown(call) };
    let mut newest: Vec<Value> = Vec::new();
    for (_, status) in call.state.commit_statuses.iter().rev().filter(|(of, _)| *of == sha) {
        if !newest.iter().any(|known| known["context"] == status["context"]) {
            newest.push(status.clone());
        }
    }
    let any = |state: &str| newest.iter().any(|status| status["state"] == *state);
    let state = match () {
        () if any("failure") || any("error") => "failure",
        () if newest.is_empty() || any("pending") => "pending",
        () => "success",
    };
    Answer::ok(json!({
        "state": state, "statuses": newest, "sha": sha, "total_count": newest.len(),
        "repository": call.hub.repository("minimal-repository", call.state),
        "commit_url": call.hub.url(&format!("/commits/{sha}")),
        "url": call.hub.url(&format!("/commits/{sha}/status")),
    }))
}

pub fn create_status(call: &mut Call<'_>) -> Answer {
    let Some(sha) = call.hub.git.commit(call.parameter("sha")) else { return unknown(call) };
    let id = call.state.id();
    let status = call.hub.make(
        "status",
        json!({
            "id": id, "node_id": format!("SC_{id}"), "state": call.body["state"],
            "description": call.body["description"], "target_url": call.body["target_url"],
            "context": call.text("context").unwrap_or_else(|| "default".to_owned()),
            "url": call.hub.url(&format!("/statuses/{sha}")), "avatar_url": null, "creator": call.user(),
            "created_at": now(), "updated_at": now(),
        }),
    );
    call.state.commit_statuses.push((sha, status.clone()));
    Answer::json(201, status)
}

/// A check run of a commit; without a conclusion it still runs.
pub fn check(hub: &Hub, id: u64, sha: &str, name: &str, conclusion: Option<&str>) -> Value {
    let url = hub.url(&format!("/check-runs/{id}"));
    hub.make(
        "check-run",
        json!({
            "id": id, "node_id": format!("CR_{id}"), "head_sha": sha, "name": name, "url": url,
            "html_url": hub.page(&format!("/runs/{id}")), "details_url": hub.page(&format!("/runs/{id}")),
            "status": if conclusion.is_some() { "completed" } else { "in_progress" },
            "conclusion": conclusion, "started_at": now(),
            "completed_at": conclusion.map(|_| now()), "external_id": "", "check_suite": { "id": id },
            "output": { "title": null, "summary": null, "text": null, "annotations_count": 0,
                "annotations_url": format!("{url}/annotations") },
        }),
    )
}

fn unknown(call: &Call<'_>) -> Answer {
    let name = call.operation.parameters.get("ref").or(call.operation.parameters.get("sha"));
    Answer::refusal(422, &format!("No commit found for SHA: {}", name.map_or("", String::as_str)))
}
