//! Deployments and their statuses.

use serde_json::{Value, json};

use crate::github::answer::Answer;
use crate::github::call::Call;
use crate::github::environments;
use crate::github::text::now;

pub fn list(call: &mut Call<'_>) -> Answer {
    let fits = |deployment: &&Value| {
        ["sha", "ref", "task", "environment"]
            .iter()
            .all(|name| call.asked(name).is_none_or(|wanted| deployment[name] == *wanted))
    };
    let list = call.state.deployments.iter().rev().filter(fits).cloned().collect();
    call.page(list)
}

pub fn create(call: &mut Call<'_>) -> Answer {
    let reference = call.text("ref").unwrap_or_default();
    let Some(sha) = call.hub.git.commit(&reference) else {
        return Answer::refusal(422, &format!("No ref found for: {reference}"));
    };
    if let Some(refusal) = unproven(call, &sha) {
        return refusal;
    }
    let environment = call.text("environment").unwrap_or_else(|| "production".to_owned());
    environments::ensure(call.hub, call.state, &environment);
    let id = call.state.id();
    let url = call.hub.url(&format!("/deployments/{id}"));
    let payload = if call.body["payload"].is_null() { json!({}) } else { call.body["payload"].clone() };
    let production = call.body["production_environment"].as_bool().unwrap_or(environment == "production");
    let deployment = call.hub.make(
        "deployment",
        json!({
            "id": id, "node_id": format!("DE_{id}"), "sha": sha, "ref": reference, "environment": environment,
            "task": call.text("task").unwrap_or_else(|| "deploy".to_owned()), "payload": payload,
            "original_environment": environment, "description": call.text("description"),
            "creator": call.user(), "created_at": now(), "updated_at": now(), "url": url,
            "statuses_url": format!("{url}/statuses"), "repository_url": call.hub.url(""),
            "transient_environment": call.body["transient_environment"] == true,
            "production_environment": production,
        }),
    );
    call.state.deployments.push(deployment.clone());
    Answer::json(201, deployment)
}

pub fn get(call: &mut Call<'_>) -> Answer {
    match place(call) {
        Some(at) => Answer::ok(call.state.deployments[at].clone()),
        None => Answer::not_found(),
    }
}

/// Only what is not active can go, where there is more than one.
pub fn delete(call: &mut Call<'_>) -> Answer {
    let Some(at) = place(call) else { return Answer::not_found() };
    let id = call.number("deployment_id");
    let last = call.state.statuses.iter().rev().find(|(of, _)| *of == id);
    let active = last.is_none_or(|(_, status)| status["state"] != "inactive");
    if active && call.state.deployments.len() > 1 {
        return Answer::refusal(
            422,
            "We cannot delete an active deployment unless it is the only deployment in a given environment.",
        );
    }
    call.state.deployments.remove(at);
    call.state.statuses.retain(|(of, _)| *of != id);
    Answer::empty(204)
}

pub fn statuses(call: &mut Call<'_>) -> Answer {
    if place(call).is_none() {
        return Answer::not_found();
    }
    let id = call.number("deployment_id");
    let own = call.state.statuses.iter().rev().filter(|(of, _)| *of == id);
    let list = own.map(|(_, status)| status.clone()).collect();
    call.page(list)
}

pub fn create_status(call: &mut Call<'_>) -> Answer {
    let Some(at) = place(call) else { return Answer::not_found() };
    let deployment = call.state.deployments[at].clone();
    if call.text("description").is_some_and(|text| text.chars().count() > 140) {
        let said = "description is too long (maximum is 140 characters)";
        return Answer::invalid("DeploymentStatus", "description", "custom", said);
    }
    let state = call.text("state").unwrap_or_default();
    let status = push(call, &deployment, &state);
    if state == "success" && call.body["auto_inactive"] != false {
        retire(call, &deployment);
    }
    Answer::json(201, status)
}

fn push(call: &mut Call<'_>, deployment: &Value, state: &str) -> Value {
    let id = call.state.id();
    let of = deployment["id"].as_u64().unwrap_or_default();
    let url = call.hub.url(&format!("/deployments/{of}"));
    let log = call.text("log_url").or(call.text("target_url")).unwrap_or_default();
    let environment = call.text("environment");
    let environment = environment.map_or(deployment["environment"].clone(), |given| json!(given));
    let mut status = call.hub.make(
        "deployment-status",
        json!({
            "id": id, "node_id": format!("DES_{id}"), "state": state, "creator": call.user(),
            "description": call.text("description").unwrap_or_default(), "environment": environment,
            "deployment_url": url, "repository_url": call.hub.url(""),
            "url": format!("{url}/statuses/{id}"), "created_at": now(), "updated_at": now(),
        }),
    );
    let at = call.text("environment_url").unwrap_or_default();
    for (field, value) in [("target_url", &log), ("log_url", &log), ("environment_url", &at)] {
        // The description wants an address or nothing, GitHub gives an empty text.
        match value.is_empty() {
            true => status.as_object_mut().and_then(|table| table.remove(field)),
            false => status.as_object_mut().and_then(|table| table.insert(field.to_owned(), json!(value))),
        };
    }
    if status["target_url"].is_null() {
        status["target_url"] = json!(url);
    }
    call.state.statuses.push((of, status.clone()));
    status
}

/// A success makes the earlier ones of its environment inactive, where they are neither transient nor in production.
fn retire(call: &mut Call<'_>, done: &Value) {
    let before: Vec<Value> = call
        .state
        .deployments
        .iter()
        .filter(|other| {
            other["id"] != done["id"]
                && other["environment"] == done["environment"]
                && other["transient_environment"] == false
                && other["production_environment"] == false
        })
        .cloned()
        .collect();
    for deployment in before {
        let last = call.state.statuses.iter().rev().find(|(of, _)| deployment["id"] == *of);
        if last.is_some_and(|(_, status)| status["state"] == "success") {
            push(call, &deployment, "inactive");
        }
    }
}

/// Statuses and checks that have not succeeded stand in the way, unless the body names none that must.
fn unproven(call: &Call<'_>, sha: &str) -> Option<Answer> {
    let named = call.body["required_contexts"].as_array();
    let statuses = call.state.commit_statuses.iter().filter(|(of, _)| of == sha);
    let statuses = statuses.map(|(_, status)| (&status["context"], status["state"] == "success"));
    let checks = call.state.checks.iter().filter(|check| check["head_sha"] == *sha);
    let checks = checks.map(|check| (&check["name"], check["conclusion"] == "success"));
    let known: Vec<(&Value, bool)> = statuses.chain(checks).collect();
    let stands = match named {
        None => known.iter().any(|(_, well)| !well),
        Some(named) => named.iter().any(|name| !known.iter().any(|(known, well)| *known == name && *well)),
    };
    let said = "Conflict: Commit status checks failed for the ref.";
    stands.then(|| Answer::refusal(409, said))
}

fn place(call: &Call<'_>) -> Option<usize> {
    let id = call.number("deployment_id");
    call.state.deployments.iter().position(|deployment| deployment["id"] == id)
}
