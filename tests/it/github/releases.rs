//! Releases: drafts, publishing, the latest, immutability.

use serde_json::{Value, json};

use crate::github::answer::Answer;
use crate::github::call::Call;
use crate::github::hub::{Hub, UPLOADS};
use crate::github::state::State;
use crate::github::text::{encoded, now};
use crate::github::tokens::Level;
use crate::github::{events, git::Git};

/// GitHub refuses longer notes.
const LONGEST: usize = 125_000;

pub fn list(call: &mut Call<'_>) -> Answer {
    let push = call.may("contents", Level::Write);
    let seen = call.state.releases.iter().rev().filter(|release| push || release["draft"] == false);
    let list: Vec<Value> = seen.map(|release| form(call.state, release)).collect();
    call.page(list)
}

pub fn get(call: &mut Call<'_>) -> Answer {
    let push = call.may("contents", Level::Write);
    let id = call.number("release_id");
    let found = call.state.releases.iter().find(|release| release["id"] == id);
    answer(call.state, found.filter(|release| push || release["draft"] == false))
}

/// Drafts are not found so, whoever asks.
pub fn by_tag(call: &mut Call<'_>) -> Answer {
    let tag = call.parameter("tag");
    let fits = |release: &&Value| release["draft"] == false && release["tag_name"] == *tag;
    answer(call.state, call.state.releases.iter().find(fits))
}

pub fn latest(call: &mut Call<'_>) -> Answer {
    answer(call.state, newest(call.state))
}

pub fn create(call: &mut Call<'_>) -> Answer {
    let tag = call.text("tag_name").unwrap_or_default();
    let id = call.state.id();
    let draft = call.body["draft"] == true;
    let target = call.text("target_commitish").unwrap_or_else(|| call.state.default_branch.clone());
    if let Some(refusal) = too_long(call) {
        return refusal;
    }
    let release = call.hub.make(
        "release",
        json!({
            "id": id, "node_id": format!("RE_{id}"), "tag_name": tag, "target_commitish": target,
            "name": call.text("name").unwrap_or_default(), "body": call.text("body").unwrap_or_default(),
            "draft": true, "prerelease": call.body["prerelease"] == true, "immutable": false,
            "author": call.user(), "created_at": now(), "published_at": null,
            "url": call.hub.url(&format!("/releases/{id}")),
            "assets_url": call.hub.url(&format!("/releases/{id}/assets")),
            "upload_url": format!(
                "http://{}{UPLOADS}/repos/{}/{}/releases/{id}/assets{{?name,label}}",
                call.hub.address, call.hub.owner, call.hub.name
            ),
            "html_url": call.hub.page(&format!("/releases/tag/untagged-{id}")),
            "tarball_url": null, "zipball_url": null, "assets": [],
        }),
    );
    if !draft && let Some(refusal) = unpublishable(call, &release) {
        return refusal;
    }
    call.state.releases.push(release);
    let at = call.state.releases.len() - 1;
    if !draft {
        publish(call, at);
    }
    make_latest(call, at, !draft);
    Answer::json(201, form(call.state, &call.state.releases[at]))
}

pub fn update(call: &mut Call<'_>) -> Answer {
    let id = call.number("release_id");
    let Some(at) = call.state.releases.iter().position(|release| release["id"] == id) else {
        return Answer::not_found();
    };
    if let Some(refusal) = too_long(call) {
        return refusal;
    }
    let mut release = call.state.releases[at].clone();
    let published = release["draft"] == false;
    for field in ["tag_name", "target_commitish", "name", "body", "prerelease"] {
        let given = &call.body[field];
        if given.is_null() || *given == release[field] {
            continue;
        }
        if release["immutable"] == true && matches!(field, "tag_name" | "target_commitish") {
            return Answer::invalid("Release", field, "custom", "immutable releases can not change it");
        }
        release[field] = given.clone();
    }
    if release["immutable"] == true && call.body["draft"] == true {
        return Answer::invalid(
            "Release",
            "draft",
            "custom",
            "an immutable release can not be a draft again",
        );
    }
    let publishes = !published && call.body["draft"] == false;
    if (published || publishes)
        && let Some(refusal) = unpublishable(call, &release)
    {
        return refusal;
    }
    if published && call.body["draft"] == true {
        release["draft"] = json!(true);
    }
    call.state.releases[at] = release;
    if publishes {
        publish(call, at);
    }
    make_latest(call, at, publishes);
    Answer::ok(form(call.state, &call.state.releases[at]))
}

/// Writes notes and keeps nothing.
pub fn notes(call: &mut Call<'_>) -> Answer {
    let tag = call.text("tag_name").unwrap_or_default();
    Answer::ok(json!({ "name": tag, "body": "**Full Changelog**: none" }))
}

/// The tag stays.
pub fn delete(call: &mut Call<'_>) -> Answer {
    let id = call.number("release_id");
    let count = call.state.releases.len();
    call.state.releases.retain(|release| release["id"] != id);
    if call.state.releases.len() == count {
        return Answer::not_found();
    }
    call.state.assets.retain(|asset| asset.release != id);
    Answer::empty(204)
}

/// A release with its assets.
pub fn form(state: &State, release: &Value) -> Value {
    let mut release = release.clone();
    let own = state.assets.iter().filter(|asset| release["id"] == asset.release);
    release["assets"] = own.map(|asset| asset.value.clone()).collect();
    if let Some(table) = release.as_object_mut() {
        table.remove("latest");
    }
    release
}

fn answer(state: &State, found: Option<&Value>) -> Answer {
    found.map_or_else(Answer::not_found, |release| Answer::ok(form(state, release)))
}

/// What was made the latest, or else what was published last.
fn newest(state: &State) -> Option<&Value> {
    let mut full = state.releases.iter().filter(|one| one["draft"] == false && one["prerelease"] == false);
    full.clone().find(|release| release["latest"] == true).or_else(|| full.next_back())
}

fn make_latest(call: &mut Call<'_>, at: usize, published: bool) {
    let release = &call.state.releases[at];
    let wish = call.text("make_latest");
    let full = release["draft"] == false && release["prerelease"] == false;
    match wish.as_deref() {
        Some("false") => call.state.releases[at]["latest"] = json!(false),
        Some(_) if full => first(call.state, at),
        None if full && published => first(call.state, at),
        _ => {}
    }
}

fn first(state: &mut State, at: usize) {
    for (other, release) in state.releases.iter_mut().enumerate() {
        release["latest"] = json!(other == at);
    }
}

/// Why a release can not be published with its tag.
fn unpublishable(call: &Call<'_>, release: &Value) -> Option<Answer> {
    let tag = release["tag_name"].as_str().unwrap_or_default();
    let other =
        |other: &&Value| other["draft"] == false && other["tag_name"] == *tag && other["id"] != release["id"];
    if call.state.releases.iter().any(|one| other(&one)) {
        return Some(Answer::invalid("Release", "tag_name", "already_exists", ""));
    }
    if call.state.burnt.contains(tag) && release["immutable"] != true {
        let said = "tag_name was used by an immutable release";
        return Some(Answer::invalid("Release", "tag_name", "custom", said));
    }
    let target = release["target_commitish"].as_str().unwrap_or_default();
    if !call.hub.git.has_tag(tag)
        && (call.hub.git.commit(target).is_none() || !well_formed(&call.hub.git, tag))
    {
        return Some(Answer::invalid("Release", "target_commitish", "invalid", ""));
    }
    None
}

fn well_formed(git: &Git, tag: &str) -> bool {
    git.ask(&["check-ref-format", &format!("refs/tags/{tag}")]).is_some()
}

/// Makes the tag where it is not there, and locks it where releases are immutable.
fn publish(call: &mut Call<'_>, at: usize) {
    let release = call.state.releases[at].clone();
    let tag = release["tag_name"].as_str().unwrap_or_default().to_owned();
    let git = &call.hub.git;
    if !git.has_tag(&tag) {
        let target = release["target_commitish"].as_str().unwrap_or_default();
        let commit = git.commit(target).expect("a target that was looked at");
        git.well(&["update-ref", &format!("refs/tags/{tag}"), &commit]);
    }
    if call.state.immutable {
        call.state.burnt.insert(tag.clone());
        let said = "Cannot change a tag of an immutable release.".to_owned();
        call.state.refused.insert(format!("refs/tags/{tag}"), said);
        git.refuse(&call.state.refused);
    }
    published(call.hub, call.state, at, &tag);
    if let Some(token) = call.token {
        events::start(call.hub, call.state, token, "release", &tag, &Value::Null);
    }
}

fn published(hub: &Hub, state: &mut State, at: usize, tag: &str) {
    let immutable = state.immutable;
    let release = &mut state.releases[at];
    release["draft"] = json!(false);
    release["immutable"] = json!(immutable);
    release["published_at"] = json!(now());
    release["html_url"] = json!(hub.page(&format!("/releases/tag/{}", encoded(tag))));
    release["tarball_url"] = json!(hub.url(&format!("/tarball/{}", encoded(tag))));
    release["zipball_url"] = json!(hub.url(&format!("/zipball/{}", encoded(tag))));
    let id = release["id"].clone();
    for asset in state.assets.iter_mut().filter(|asset| id == asset.release) {
        let name = asset.value["name"].as_str().unwrap_or_default().to_owned();
        asset.value["browser_download_url"] = json!(download(hub, tag, &name));
    }
}

pub fn download(hub: &Hub, tag: &str, name: &str) -> String {
    hub.page(&format!("/releases/download/{}/{}", encoded(tag), encoded(name)))
}

fn too_long(call: &Call<'_>) -> Option<Answer> {
    let long = call.text("body").is_some_and(|body| body.chars().count() > LONGEST);
    let said = format!("body is too long (maximum is {LONGEST} characters)");
    long.then(|| Answer::invalid("Release", "body", "custom", &said))
}
