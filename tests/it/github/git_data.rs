//! Refs, by the API.

use serde_json::{Value, json};

use crate::github::answer::Answer;
use crate::github::call::Call;
use crate::github::hub::Hub;

pub fn get_ref(call: &mut Call<'_>) -> Answer {
    let name = format!("refs/{}", call.parameter("ref"));
    match call.hub.git.refs().get(&name) {
        Some(sha) => Answer::ok(form(call.hub, &name, sha)),
        None => Answer::not_found(),
    }
}

pub fn matching_refs(call: &mut Call<'_>) -> Answer {
    let start = format!("refs/{}", call.parameter("ref"));
    let refs = call.hub.git.refs();
    let fitting = refs.iter().filter(|(name, _)| name.starts_with(&start));
    Answer::ok(fitting.map(|(name, sha)| form(call.hub, name, sha)).collect())
}

pub fn create_ref(call: &mut Call<'_>) -> Answer {
    let name = call.text("ref").unwrap_or_default();
    let sha = call.text("sha").unwrap_or_default();
    let git = &call.hub.git;
    let formed = name.starts_with("refs/") && name.matches('/').count() >= 2;
    if !formed || git.ask(&["check-ref-format", &name]).is_none() {
        return Answer::refusal(422, "Reference name is invalid");
    }
    if git.refs().contains_key(&name) {
        return Answer::refusal(422, "Reference already exists");
    }
    if git.ask(&["cat-file", "-e", &sha]).is_none() {
        return Answer::refusal(422, "Object does not exist");
    }
    if let Some(said) = call.state.refused.get(&name) {
        return Answer::refusal(422, said);
    }
    git.well(&["update-ref", &name, &sha]);
    Answer::json(201, form(call.hub, &name, &sha))
}

pub fn update_ref(call: &mut Call<'_>) -> Answer {
    let name = format!("refs/{}", call.parameter("ref"));
    let sha = call.text("sha").unwrap_or_default();
    let git = &call.hub.git;
    let Some(before) = git.refs().get(&name).cloned() else {
        return Answer::refusal(422, "Reference does not exist");
    };
    if git.ask(&["cat-file", "-e", &sha]).is_none() {
        return Answer::refusal(422, "Object does not exist");
    }
    if let Some(said) = call.state.refused.get(&name) {
        return Answer::refusal(422, said);
    }
    if call.body["force"] != true && !git.contains(&sha, &before) {
        return Answer::refusal(422, "Update is not a fast forward");
    }
    git.well(&["update-ref", &name, &sha]);
    Answer::ok(form(call.hub, &name, &sha))
}

pub fn delete_ref(call: &mut Call<'_>) -> Answer {
    let name = format!("refs/{}", call.parameter("ref"));
    if !call.hub.git.refs().contains_key(&name) {
        return Answer::refusal(422, "Reference does not exist");
    }
    if let Some(said) = call.state.refused.get(&name) {
        return Answer::refusal(422, said);
    }
    call.hub.git.well(&["update-ref", "-d", &name]);
    Answer::empty(204)
}

fn form(hub: &Hub, name: &str, sha: &str) -> Value {
    let kind = hub.git.ask(&["cat-file", "-t", sha]).unwrap_or_else(|| "commit".to_owned());
    json!({
        "ref": name, "node_id": format!("REF_{sha}"), "url": hub.url(&format!("/git/{name}")),
        "object": { "type": kind, "sha": sha, "url": hub.url(&format!("/git/{kind}s/{sha}")) },
    })
}
