//! Issues and labels.

use serde_json::{Value, json};

use crate::github::answer::Answer;
use crate::github::call::Call;
use crate::github::comments::too_long;
use crate::github::hub::Hub;
use crate::github::state::State;
use crate::github::text::{encoded, now};

pub fn list(call: &mut Call<'_>) -> Answer {
    let wanted = call.asked("state").unwrap_or("open").to_owned();
    let labels: Vec<String> =
        call.asked("labels").map(|names| names.split(',').map(str::to_owned).collect()).unwrap_or_default();
    let fits = |issue: &&Value| {
        let own = names(issue);
        (wanted == "all" || issue["state"] == *wanted) && labels.iter().all(|name| own.contains(name))
    };
    let list = call.state.issues.iter().rev().filter(fits).map(|issue| form(call.state, issue)).collect();
    call.page(list)
}

pub fn get(call: &mut Call<'_>) -> Answer {
    match place(call) {
        Some(at) => Answer::ok(form(call.state, &call.state.issues[at])),
        None => Answer::not_found(),
    }
}

pub fn create(call: &mut Call<'_>) -> Answer {
    let body = call.text("body").unwrap_or_default();
    if let Some(refusal) = too_long("Issue", &body) {
        return refusal;
    }
    let title = call.body["title"].as_str().map_or(call.body["title"].to_string(), str::to_owned);
    let login = call.login();
    open(call.hub, call.state, &login, &title, &body);
    let labels = given(&call.body);
    let at = call.state.issues.len() - 1;
    attach(call, at, &labels);
    Answer::json(201, form(call.state, &call.state.issues[at]))
}

pub fn update(call: &mut Call<'_>) -> Answer {
    let Some(at) = place(call) else { return Answer::not_found() };
    if let Some(refusal) = too_long("Issue", &call.text("body").unwrap_or_default()) {
        return refusal;
    }
    for field in ["title", "body", "state", "state_reason"] {
        if !call.body[field].is_null() {
            call.state.issues[at][field] = call.body[field].clone();
        }
    }
    if call.body["labels"].is_array() {
        call.state.issues[at]["labels"] = json!([]);
        attach(call, at, &given(&call.body));
    }
    call.state.issues[at]["updated_at"] = json!(now());
    Answer::ok(form(call.state, &call.state.issues[at]))
}

pub fn labels(call: &mut Call<'_>) -> Answer {
    call.page(call.state.labels.clone())
}

pub fn label(call: &mut Call<'_>) -> Answer {
    let name = call.parameter("name");
    let found = call.state.labels.iter().find(|label| same(label, name));
    found.map_or_else(Answer::not_found, |label| Answer::ok(label.clone()))
}

pub fn create_label(call: &mut Call<'_>) -> Answer {
    let name = call.text("name").unwrap_or_default();
    if call.state.labels.iter().any(|label| same(label, &name)) {
        return Answer::invalid("Label", "name", "already_exists", "");
    }
    let mut label = new_label(call.hub, call.state, &name);
    for field in ["color", "description"] {
        if let Some(given) = call.text(field) {
            label[field] = json!(given);
        }
    }
    call.state.labels.push(label.clone());
    Answer::json(201, label)
}

pub fn labels_of(call: &mut Call<'_>) -> Answer {
    match place(call) {
        Some(at) => call.page(call.state.issues[at]["labels"].as_array().cloned().unwrap_or_default()),
        None => Answer::not_found(),
    }
}

/// Labels that are not there yet are made, as GitHub does.
pub fn add_labels(call: &mut Call<'_>) -> Answer {
    let Some(at) = place(call) else { return Answer::not_found() };
    attach(call, at, &given(&call.body));
    Answer::ok(call.state.issues[at]["labels"].clone())
}

pub fn set_labels(call: &mut Call<'_>) -> Answer {
    let Some(at) = place(call) else { return Answer::not_found() };
    call.state.issues[at]["labels"] = json!([]);
    attach(call, at, &given(&call.body));
    Answer::ok(call.state.issues[at]["labels"].clone())
}

pub fn remove_label(call: &mut Call<'_>) -> Answer {
    let Some(at) = place(call) else { return Answer::not_found() };
    let name = call.parameter("name").to_owned();
    let mut labels = call.state.issues[at]["labels"].as_array().cloned().unwrap_or_default();
    let count = labels.len();
    labels.retain(|label| !same(label, &name));
    if labels.len() == count {
        return Answer::refusal(404, "Label does not exist");
    }
    call.state.issues[at]["labels"] = json!(labels);
    Answer::ok(json!(labels))
}

/// A new issue; its number.
pub fn open(hub: &Hub, state: &mut State, login: &str, title: &str, body: &str) -> u64 {
    let (id, number) = (state.id(), state.number());
    let url = hub.url(&format!("/issues/{number}"));
    state.issues.push(hub.make(
        "issue",
        json!({
            "id": id, "node_id": format!("I_{id}"), "number": number, "title": title, "body": body,
            "state": "open", "locked": false, "labels": [], "user": hub.user(login), "comments": 0,
            "created_at": now(), "updated_at": now(), "closed_at": null, "assignees": [],
            "author_association": "MEMBER", "url": url, "repository_url": hub.url(""),
            "labels_url": format!("{url}/labels{{/name}}"), "comments_url": format!("{url}/comments"),
            "events_url": format!("{url}/events"), "html_url": hub.page(&format!("/issues/{number}")),
        }),
    ));
    number
}

fn form(state: &State, issue: &Value) -> Value {
    let count = state.comments.iter().filter(|(number, _)| issue["number"] == *number).count();
    let mut issue = issue.clone();
    issue["comments"] = json!(count);
    issue
}

fn place(call: &Call<'_>) -> Option<usize> {
    let number = call.number("issue_number");
    call.state.issues.iter().position(|issue| issue["number"] == number)
}

/// The names of labels in a body, whether they stand there as texts or as tables.
fn given(body: &Value) -> Vec<String> {
    let list = body["labels"].as_array().or(body.as_array());
    let name = |label: &Value| label.as_str().or(label["name"].as_str()).map(str::to_owned);
    list.into_iter().flatten().filter_map(name).collect()
}

fn attach(call: &mut Call<'_>, at: usize, wanted: &[String]) {
    for name in wanted {
        let known = call.state.labels.iter().find(|label| same(label, name)).cloned();
        let label = known.unwrap_or_else(|| {
            let label = new_label(call.hub, call.state, name);
            call.state.labels.push(label.clone());
            label
        });
        let labels = call.state.issues[at]["labels"].as_array_mut().expect("labels are a list");
        if !labels.iter().any(|own| same(own, name)) {
            labels.push(label);
        }
    }
}

fn new_label(hub: &Hub, state: &mut State, name: &str) -> Value {
    let id = state.id();
    hub.make(
        "label",
        json!({
            "id": id, "node_id": format!("LA_{id}"), "name": name, "color": "ededed", "description": null,
            "default": false, "url": hub.url(&format!("/labels/{}", encoded(name))),
        }),
    )
}

fn names(issue: &Value) -> Vec<String> {
    let labels = issue["labels"].as_array().into_iter().flatten();
    labels.filter_map(|label| label["name"].as_str().map(str::to_owned)).collect()
}

fn same(label: &Value, name: &str) -> bool {
    label["name"].as_str().is_some_and(|own| own.eq_ignore_ascii_case(name))
}
