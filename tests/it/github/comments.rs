//! Comments of issues and pulls.

use serde_json::{Value, json};

use crate::github::answer::Answer;
use crate::github::call::Call;
use crate::github::hub::Hub;
use crate::github::text::now;

/// GitHub refuses longer texts of comments, issues and pulls.
pub const LONGEST: usize = 65_536;

pub fn list(call: &mut Call<'_>) -> Answer {
    let number = call.number("issue_number");
    if !call.state.issues.iter().any(|issue| issue["number"] == number) {
        return Answer::not_found();
    }
    let own = call.state.comments.iter().filter(|(of, _)| *of == number);
    let list = own.map(|(_, comment)| comment.clone()).collect();
    call.page(list)
}

pub fn create(call: &mut Call<'_>) -> Answer {
    let number = call.number("issue_number");
    if !call.state.issues.iter().any(|issue| issue["number"] == number) {
        return Answer::not_found();
    }
    let body = call.text("body").unwrap_or_default();
    if let Some(refusal) = too_long("IssueComment", &body) {
        return refusal;
    }
    let id = call.state.id();
    let mut comment = form(call.hub, id, number, &call.login());
    comment["body"] = json!(body);
    call.state.comments.push((number, comment.clone()));
    Answer::json(201, comment)
}

pub fn get(call: &mut Call<'_>) -> Answer {
    match place(call) {
        Some(at) => Answer::ok(call.state.comments[at].1.clone()),
        None => Answer::not_found(),
    }
}

pub fn update(call: &mut Call<'_>) -> Answer {
    let Some(at) = place(call) else { return Answer::not_found() };
    let body = call.text("body").unwrap_or_default();
    if let Some(refusal) = too_long("IssueComment", &body) {
        return refusal;
    }
    let comment = &mut call.state.comments[at].1;
    comment["body"] = json!(body);
    comment["updated_at"] = json!(now());
    Answer::ok(comment.clone())
}

pub fn delete(call: &mut Call<'_>) -> Answer {
    let Some(at) = place(call) else { return Answer::not_found() };
    call.state.comments.remove(at);
    Answer::empty(204)
}

pub fn form(hub: &Hub, id: u64, number: u64, login: &str) -> Value {
    hub.make(
        "issue-comment",
        json!({
            "id": id, "node_id": format!("IC_{id}"), "user": hub.user(login), "author_association": "MEMBER",
            "created_at": now(), "updated_at": now(), "url": hub.url(&format!("/issues/comments/{id}")),
            "issue_url": hub.url(&format!("/issues/{number}")),
            "html_url": hub.page(&format!("/pull/{number}#issuecomment-{id}")),
        }),
    )
}

pub fn too_long(resource: &str, body: &str) -> Option<Answer> {
    let said = format!("body is too long (maximum is {LONGEST} characters)");
    (body.chars().count() > LONGEST).then(|| Answer::invalid(resource, "body", "unprocessable", &said))
}

fn place(call: &Call<'_>) -> Option<usize> {
    let id = call.number("comment_id");
    call.state.comments.iter().position(|(_, comment)| comment["id"] == id)
}
