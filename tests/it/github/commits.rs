//! Commits and changed files in the forms of the API, read by git.

use serde_json::{Value, json};

use crate::github::hub::Hub;
use crate::github::state::State;
use crate::github::text::encoded;

/// The commits that `head` has and `base` has not, oldest first.
pub fn between(hub: &Hub, base: &str, head: &str) -> Vec<String> {
    let range = format!("{base}..{head}");
    let list = hub.git.ask(&["rev-list", "--reverse", &range, "--"]).unwrap_or_default();
    list.lines().map(str::to_owned).collect()
}

/// Where two commits parted.
pub fn fork(hub: &Hub, base: &str, head: &str) -> String {
    hub.git.ask(&["merge-base", base, head]).unwrap_or_else(|| base.to_owned())
}

/// As `commit`.
pub fn form(hub: &Hub, state: &State, sha: &str) -> Value {
    let parents: Vec<Value> = parents(hub, sha)
        .iter()
        .map(|parent| {
            json!({ "sha": parent, "url": hub.url(&format!("/commits/{parent}")),
                "html_url": hub.page(&format!("/commit/{parent}")) })
        })
        .collect();
    let tree = hub.git.show(sha, "%T");
    let url = hub.url(&format!("/git/commits/{sha}"));
    hub.make(
        "commit",
        json!({
            "sha": sha, "node_id": format!("C_{sha}"), "url": hub.url(&format!("/commits/{sha}")),
            "html_url": hub.page(&format!("/commit/{sha}")), "author": null, "committer": null,
            "comments_url": hub.url(&format!("/commits/{sha}/comments")), "parents": parents,
            "commit": {
                "url": url, "author": person(hub, sha, 'a'), "committer": person(hub, sha, 'c'),
                "message": hub.git.show(sha, "%B"), "comment_count": 0,
                "tree": { "sha": tree, "url": hub.url(&format!("/git/trees/{tree}")) },
                "verification": verification(state, sha),
            },
        }),
    )
}

pub fn parents(hub: &Hub, sha: &str) -> Vec<String> {
    hub.git.show(sha, "%P").split_whitespace().map(str::to_owned).collect()
}

/// The author (`a`) or committer (`c`) of a commit.
pub fn person(hub: &Hub, sha: &str, role: char) -> Value {
    let show = |field: &str| hub.git.show(sha, &format!("%{role}{field}"));
    json!({ "name": show("n"), "email": show("e"), "date": show("I") })
}

pub fn verification(state: &State, sha: &str) -> Value {
    if state.verified.contains(sha) {
        let signature = "-----BEGIN PGP SIGNATURE-----\n\nof the double\n-----END PGP SIGNATURE-----\n";
        return json!({ "verified": true, "reason": "valid", "payload": sha, "signature": signature,
            "verified_at": "2025-01-06T08:00:00Z" });
    }
    json!({ "verified": false, "reason": "unsigned", "payload": null, "signature": null, "verified_at": null })
}

/// What changed from one commit to another, as `diff-entry`.
pub fn files(hub: &Hub, base: &str, head: &str) -> Vec<Value> {
    let words = ["-c", "core.quotepath=off", "diff-tree", "-r", "-M", "--raw", "--abbrev=40", base, head];
    let raw = hub.git.ask(&words).unwrap_or_default();
    raw.lines().filter_map(|line| file(hub, base, head, line)).collect()
}

fn file(hub: &Hub, base: &str, head: &str, line: &str) -> Option<Value> {
    let (modes, names) = line.split_once('\t')?;
    let mut words = modes.split(' ').skip(2);
    let (old, new, status) = (words.next()?, words.next()?, words.next()?);
    let (before, name) = names.split_once('\t').unwrap_or((names, names));
    let status = match status.chars().next()? {
        'A' => "added",
        'D' => "removed",
        'R' => "renamed",
        'C' => "copied",
        _ => "modified",
    };
    let patch = hub.git.ask(&["diff", "-M", base, head, "--", before, name]).unwrap_or_default();
    let patch = patch.find("\n@@ ").map(|at| patch[at + 1..].to_owned());
    let count = |sign: char| {
        let lines = patch.iter().flat_map(|patch| patch.lines());
        lines.filter(|line| line.starts_with(sign)).count()
    };
    let (added, gone) = (count('+'), count('-'));
    let place = encoded(name).replace("%2F", "/");
    let mut entry = json!({
        "sha": if status == "removed" { old } else { new }, "filename": name, "status": status, "additions": added, "deletions": gone,
        "changes": added + gone, "blob_url": hub.page(&format!("/blob/{head}/{place}")),
        "raw_url": hub.page(&format!("/raw/{head}/{place}")),
        "contents_url": hub.url(&format!("/contents/{place}?ref={head}")),
    });
    if before != name {
        entry["previous_filename"] = json!(before);
    }
    if let Some(patch) = patch {
        entry["patch"] = json!(patch);
    }
    Some(entry)
}
