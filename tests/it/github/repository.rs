//! The repository itself: what it is, its branches and what guards them, commits, files.

use serde_json::{Value, json};

use crate::github::answer::Answer;
use crate::github::call::Call;
use crate::github::commits;
use crate::github::text::{base64, encoded};
use crate::github::tokens::Level;

pub fn get(call: &mut Call<'_>) -> Answer {
    let mut repository = call.hub.repository("full-repository", call.state);
    if call.token.is_some() {
        let push = call.may("contents", Level::Write);
        repository["permissions"] =
            json!({ "admin": false, "maintain": false, "push": push, "triage": push, "pull": true });
    }
    Answer::ok(repository)
}

pub fn branches(call: &mut Call<'_>) -> Answer {
    let refs = call.hub.git.refs();
    let branches = refs.iter().filter_map(|(name, sha)| Some((name.strip_prefix("refs/heads/")?, sha)));
    let list = branches
        .map(|(name, sha)| {
            json!({ "name": name, "protected": guarded(call, name),
                "commit": { "sha": sha, "url": call.hub.url(&format!("/commits/{sha}")) } })
        })
        .collect();
    call.page(list)
}

pub fn branch(call: &mut Call<'_>) -> Answer {
    let name = call.parameter("branch");
    let Some(sha) = call.hub.git.branch(name) else { return Answer::refusal(404, "Branch not found") };
    let url = call.hub.url(&format!("/branches/{}", encoded(name)));
    let guarded = guarded(call, name);
    Answer::ok(json!({
        "name": name, "commit": commits::form(call.hub, call.state, &sha), "protected": guarded,
        "_links": { "self": url, "html": call.hub.page(&format!("/tree/{}", encoded(name))) },
        "protection": { "enabled": guarded }, "protection_url": format!("{url}/protection"),
    }))
}

pub fn protection(call: &mut Call<'_>) -> Answer {
    let name = call.parameter("branch");
    match call.state.protections.get(name) {
        Some(protection) => Answer::ok(protection.clone()),
        None if call.hub.git.branch(name).is_none() => Answer::refusal(404, "Branch not found"),
        None => Answer::refusal(404, "Branch not protected"),
    }
}

pub fn rules(call: &mut Call<'_>) -> Answer {
    let rules = call.state.rules.get(call.parameter("branch")).cloned();
    call.page(rules.unwrap_or_default())
}

pub fn immutable(call: &mut Call<'_>) -> Answer {
    if !call.state.immutable {
        return Answer::not_found();
    }
    Answer::ok(json!({ "enabled": true, "enforced_by_owner": false }))
}

pub fn commit(call: &mut Call<'_>) -> Answer {
    let name = call.parameter("ref");
    let Some(sha) = call.hub.git.commit(name) else {
        return Answer::refusal(422, &format!("No commit found for SHA: {name}"));
    };
    let mut commit = commits::form(call.hub, call.state, &sha);
    if let Some(parent) = commits::parents(call.hub, &sha).first() {
        commit["files"] = json!(commits::files(call.hub, parent, &sha));
    }
    Answer::ok(commit)
}

pub fn compare(call: &mut Call<'_>) -> Answer {
    let whole = call.parameter("basehead");
    let sides =
        whole.split_once("...").map(|(base, head)| (call.hub.git.commit(base), call.hub.git.commit(head)));
    let Some((Some(base), Some(head))) = sides else { return Answer::not_found() };
    let (ahead, behind) =
        (commits::between(call.hub, &base, &head), commits::between(call.hub, &head, &base).len());
    let fork = commits::fork(call.hub, &base, &head);
    let form = |sha: &String| commits::form(call.hub, call.state, sha);
    let address = call.hub.page(&format!("/compare/{base}...{head}"));
    Answer::ok(json!({
        "url": call.hub.url(&format!("/compare/{base}...{head}")), "html_url": address,
        "permalink_url": address, "diff_url": format!("{address}.diff"), "patch_url": format!("{address}.patch"),
        "base_commit": form(&base), "merge_base_commit": form(&fork), "ahead_by": ahead.len(),
        "status": match (ahead.len(), behind) {
            (0, 0) => "identical",
            (_, 0) => "ahead",
            (0, _) => "behind",
            _ => "diverged",
        },
        "behind_by": behind, "total_commits": ahead.len(),
        "commits": ahead.iter().map(form).collect::<Vec<Value>>(),
        "files": commits::files(call.hub, &fork, &head),
    }))
}

/// A file's bytes; folders are not served.
pub fn content(call: &mut Call<'_>) -> Answer {
    let path = call.parameter("path");
    let reference = call.asked("ref").unwrap_or(&call.state.default_branch);
    let Some(commit) = call.hub.git.commit(reference) else {
        return Answer::refusal(404, &format!("No commit found for the ref {reference}"));
    };
    let Some(sha) = call.hub.git.ask(&["rev-parse", "--verify", "--quiet", &format!("{commit}:{path}")])
    else {
        return Answer::not_found();
    };
    let Ok(bytes) = call.hub.git.bytes(&["cat-file", "blob", &sha], b"", &[]) else {
        return Answer::not_found();
    };
    if call.request.header("accept").contains("raw") {
        return Answer::bytes("application/vnd.github.raw+json", bytes);
    }
    let place = encoded(path).replace("%2F", "/");
    let url = call.hub.url(&format!("/contents/{place}?ref={commit}"));
    let page = call.hub.page(&format!("/blob/{commit}/{place}"));
    let blob = call.hub.url(&format!("/git/blobs/{sha}"));
    Answer::ok(json!({
        "type": "file", "encoding": "base64", "size": bytes.len(), "content": base64(&bytes), "sha": sha,
        "name": path.rsplit('/').next(), "path": path, "url": url, "git_url": blob, "html_url": page,
        "download_url": call.hub.page(&format!("/raw/{commit}/{place}")),
        "_links": { "self": url, "git": blob, "html": page },
    }))
}

fn guarded(call: &Call<'_>, branch: &str) -> bool {
    call.state.protections.contains_key(branch) || call.state.rules.contains_key(branch)
}
