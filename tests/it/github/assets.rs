//! Assets of releases.

use std::sync::Arc;

use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use crate::github::answer::Answer;
use crate::github::call::Call;
use crate::github::hub::{Hub, UPLOADS};
use crate::github::state::Asset;
use crate::github::text::now;
use crate::github::tokens::Level;
use crate::github::{files, releases};

pub fn list(call: &mut Call<'_>) -> Answer {
    let id = call.number("release_id");
    if !visible(call, id) {
        return Answer::not_found();
    }
    let own = call.state.assets.iter().filter(|asset| asset.release == id);
    let list = own.map(|asset| asset.value.clone()).collect();
    call.page(list)
}

pub fn upload(call: &mut Call<'_>) -> Answer {
    let id = call.number("release_id");
    let found = call.state.releases.iter().find(|release| release["id"] == id).cloned();
    let Some(release) = found.filter(|_| call.request.path.starts_with(UPLOADS)) else {
        return Answer::not_found();
    };
    if call.request.header("content-type").is_empty() {
        return Answer::refusal(400, "Bad Content-Type");
    }
    if release["immutable"] == true {
        return Answer::refusal(422, "Cannot upload assets to an immutable release.");
    }
    let name = kept(call.asked("name").unwrap_or_default());
    if call.state.assets.iter().any(|asset| asset.release == id && asset.value["name"] == name) {
        return Answer::invalid("ReleaseAsset", "name", "already_exists", "");
    }
    let number = call.state.id();
    let tag = match release["draft"] == true {
        true => format!("untagged-{id}"),
        false => release["tag_name"].as_str().unwrap_or_default().to_owned(),
    };
    let kind = call.request.header("content-type").to_owned();
    let label = call.asked("label").map(str::to_owned);
    let mut value = form(call.hub, number, &name, &tag, &call.request.body);
    value["content_type"] = json!(kind);
    value["label"] = json!(label);
    value["uploader"] = call.user();
    let bytes = Arc::new(call.request.body.clone());
    call.state.assets.push(Asset { release: id, value: value.clone(), bytes });
    Answer::json(201, value)
}

/// What it is, or where its bytes are.
pub fn get(call: &mut Call<'_>) -> Answer {
    let id = call.number("asset_id");
    let Some(asset) = call.state.assets.iter().find(|asset| asset.value["id"] == id) else {
        return Answer::not_found();
    };
    if !visible(call, asset.release) {
        return Answer::not_found();
    }
    if call.request.header("accept") == "application/octet-stream" {
        return Answer::empty(302).with("location", &files::signed(call.hub, asset));
    }
    Answer::ok(asset.value.clone())
}

pub fn update(call: &mut Call<'_>) -> Answer {
    let Some(at) = own(call) else { return Answer::not_found() };
    if frozen(call, at) {
        return Answer::refusal(422, "Cannot update assets of an immutable release.");
    }
    if let Some(name) = call.text("name") {
        call.state.assets[at].value["name"] = json!(kept(&name));
    }
    if let Some(label) = call.text("label") {
        call.state.assets[at].value["label"] = json!(label);
    }
    Answer::ok(call.state.assets[at].value.clone())
}

pub fn delete(call: &mut Call<'_>) -> Answer {
    let Some(at) = own(call) else { return Answer::not_found() };
    if frozen(call, at) {
        return Answer::refusal(422, "Cannot delete assets from an immutable release.");
    }
    call.state.assets.remove(at);
    Answer::empty(204)
}

/// An asset of these bytes; the tag is that of its download's address.
pub fn form(hub: &Hub, id: u64, name: &str, tag: &str, bytes: &[u8]) -> Value {
    let digest: String = Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect();
    hub.make(
        "release-asset",
        json!({
            "id": id, "node_id": format!("RA_{id}"), "name": name, "state": "uploaded", "size": bytes.len(),
            "content_type": "application/octet-stream", "digest": format!("sha256:{digest}"),
            "download_count": 0, "created_at": now(), "updated_at": now(),
            "url": hub.url(&format!("/releases/assets/{id}")),
            "browser_download_url": releases::download(hub, tag, name),
        }),
    )
}

fn own(call: &Call<'_>) -> Option<usize> {
    let id = call.number("asset_id");
    call.state.assets.iter().position(|asset| asset.value["id"] == id)
}

fn frozen(call: &Call<'_>, at: usize) -> bool {
    let release = call.state.assets[at].release;
    call.state.releases.iter().any(|one| one["id"] == release && one["immutable"] == true)
}

fn visible(call: &Call<'_>, release: u64) -> bool {
    let push = call.may("contents", Level::Write);
    call.state.releases.iter().any(|one| one["id"] == release && (push || one["draft"] == false))
}

/// A file's name as GitHub keeps it.
fn kept(name: &str) -> String {
    let plain = |letter: char| letter.is_ascii_alphanumeric() || "-_.+@".contains(letter);
    let kept: String = name.chars().map(|letter| if plain(letter) { letter } else { '.' }).collect();
    kept.trim_matches('.').to_owned()
}
