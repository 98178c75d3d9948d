//! The bytes of assets: from a storage on another host that wants a signature and no credentials.

use crate::github::answer::Answer;
use crate::github::hub::Hub;
use crate::github::state::Asset;
use crate::github::text::{decoded, pairs};
use crate::web::Request;

const STORED: &str = "/storage/";

/// Where an asset's bytes may be fetched for a while.
pub fn signed(hub: &Hub, asset: &Asset) -> String {
    format!("http://{}{STORED}{}?sig={}", hub.storage, asset.value["id"], signature(asset))
}

pub fn answer(hub: &Hub, request: &Request) -> Answer {
    let state = hub.state.lock().unwrap();
    if let Some(id) = request.path.strip_prefix(STORED) {
        let Some(asset) = state.assets.iter().find(|asset| asset.value["id"].as_u64() == id.parse().ok())
        else {
            return Answer::not_found();
        };
        let given = pairs(&request.query).remove("sig");
        if !request.header("authorization").is_empty() || given != Some(signature(asset)) {
            return Answer {
                status: 400,
                ..Answer::bytes("text/plain", b"one way to sign in, please".to_vec())
            };
        }
        return Answer::bytes("application/octet-stream", asset.bytes.to_vec());
    }
    let start = format!("/{}/{}/releases/download/", hub.owner, hub.name);
    let named = request.path.strip_prefix(&start).and_then(|rest| rest.rsplit_once('/'));
    let Some((tag, name)) = named.filter(|_| !state.private) else { return Answer::not_found() };
    let fits = |asset: &&Asset| {
        let release = state.releases.iter().find(|release| release["id"] == asset.release);
        let published =
            |release: &serde_json::Value| release["tag_name"] == decoded(tag) && release["draft"] == false;
        asset.value["name"] == decoded(name) && release.is_some_and(published)
    };
    match state.assets.iter().find(fits) {
        Some(asset) => Answer::empty(302).with("location", &signed(hub, asset)),
        None => Answer::not_found(),
    }
}

fn signature(asset: &Asset) -> String {
    let digest = asset.value["digest"].as_str().unwrap_or_default();
    digest.trim_start_matches("sha256:").chars().take(16).collect()
}
