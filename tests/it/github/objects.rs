//! Git's objects, by the API: blobs, trees, commits, annotated tags.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::github::answer::Answer;
use crate::github::call::Call;
use crate::github::commits::{parents, person, verification};
use crate::github::hub::Hub;
use crate::github::state::State;
use crate::github::text::{base64, now, unbase64};
use crate::github::tokens::Kind;

pub fn create_blob(call: &mut Call<'_>) -> Answer {
    let content = call.text("content").unwrap_or_default();
    let bytes = match call.text("encoding").as_deref() {
        Some("base64") => unbase64(&content),
        _ => Some(content.into_bytes()),
    };
    let Some(bytes) = bytes else { return Answer::refusal(422, "content is not valid Base64") };
    let sha = blob(call.hub, &bytes);
    Answer::json(201, json!({ "sha": sha, "url": call.hub.url(&format!("/git/blobs/{sha}")) }))
}

pub fn get_blob(call: &mut Call<'_>) -> Answer {
    let sha = call.parameter("file_sha");
    let Ok(bytes) = call.hub.git.bytes(&["cat-file", "blob", sha], b"", &[]) else {
        return Answer::not_found();
    };
    Answer::ok(json!({
        "sha": sha, "node_id": format!("B_{sha}"), "size": bytes.len(), "encoding": "base64",
        "content": base64(&bytes), "url": call.hub.url(&format!("/git/blobs/{sha}")),
    }))
}

/// On top of another tree by an index of its own; a path without a SHA goes.
pub fn create_tree(call: &mut Call<'_>) -> Answer {
    let index = tempfile::tempdir().unwrap();
    let file = index.path().join("index");
    let more = [("GIT_INDEX_FILE", file.to_str().expect("a path of letters"))];
    let git = &call.hub.git;
    let base = call.text("base_tree");
    if base.is_some_and(|base| git.feed(&["read-tree", &base], b"", &more).is_err()) {
        return Answer::refusal(422, "base_tree is not a valid tree oid");
    }
    for entry in call.body["tree"].as_array().into_iter().flatten() {
        let path = entry["path"].as_str().unwrap_or_default();
        let line = match (&entry["content"], &entry["sha"]) {
            (Value::String(content), _) => {
                format!("{} {}\t{path}\0", mode(entry), blob(call.hub, content.as_bytes()))
            }
            (_, Value::String(sha)) if entry["type"] != "tree" => format!("{} {sha}\t{path}\0", mode(entry)),
            (_, Value::Null) => format!("0 {}\t{path}\0", crate::github::git::NONE),
            _ => return Answer::refusal(422, "tree.sha of a tree is not served by the double"),
        };
        let words = ["update-index", "-z", "--add", "--index-info"];
        if git.feed(&words, line.as_bytes(), &more).is_err() {
            return Answer::refusal(422, "tree.path contains a malformed path component");
        }
    }
    match git.feed(&["write-tree"], b"", &more) {
        Ok(sha) => Answer::json(201, tree(call.hub, &sha, false)),
        Err(_) => Answer::refusal(422, "tree.sha is not a valid blob"),
    }
}

pub fn get_tree(call: &mut Call<'_>) -> Answer {
    let name = call.parameter("tree_sha");
    let name = call.hub.git.commit(name).unwrap_or_else(|| name.to_owned());
    match call.hub.git.ask(&["rev-parse", "--verify", "--quiet", &format!("{name}^{{tree}}")]) {
        Some(sha) => Answer::ok(tree(call.hub, &sha, call.asked("recursive").is_some())),
        None => Answer::not_found(),
    }
}

/// Signed by GitHub where a bot leaves author and committer to it.
pub fn create_commit(call: &mut Call<'_>) -> Answer {
    let git = &call.hub.git;
    let tree = call.text("tree").unwrap_or_default();
    let mut words = vec!["commit-tree".to_owned(), tree];
    for parent in call.body["parents"].as_array().into_iter().flatten().filter_map(Value::as_str) {
        words.extend(["-p".to_owned(), parent.to_owned()]);
    }
    let login = call.login();
    let more = people(&call.body, &login);
    let more: Vec<(&str, &str)> = more.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let message = call.text("message").unwrap_or_default();
    let Ok(sha) = git.feed(&words, message.as_bytes(), &more) else {
        return Answer::refusal(422, "Tree SHA does not exist");
    };
    let bot = call.token.is_some_and(|token| token.kind != Kind::Personal);
    if bot && ["author", "committer", "signature"].iter().all(|field| call.body[field].is_null()) {
        call.state.verified.insert(sha.clone());
    }
    Answer::json(201, commit(call.hub, call.state, &sha))
}

pub fn get_commit(call: &mut Call<'_>) -> Answer {
    match call.hub.git.commit(call.parameter("commit_sha")) {
        Some(sha) => Answer::ok(commit(call.hub, call.state, &sha)),
        None => Answer::not_found(),
    }
}

pub fn create_tag(call: &mut Call<'_>) -> Answer {
    let text = |name: &str| call.text(name).unwrap_or_default();
    let tagger = &call.body["tagger"];
    let name = tagger["name"].as_str().map_or_else(|| call.login(), str::to_owned);
    let mail = tagger["email"].as_str().map_or_else(|| address(&call.login()), str::to_owned);
    let seconds = seconds(tagger["date"].as_str().unwrap_or(&now()));
    let whole = format!(
        "object {}\ntype {}\ntag {}\ntagger {name} <{mail}> {seconds} +0000\n\n{}\n",
        text("object"),
        text("type"),
        text("tag"),
        text("message").trim_end()
    );
    match call.hub.git.feed(&["mktag"], whole.as_bytes(), &[]) {
        Ok(sha) => Answer::json(201, tag(call.hub, &sha)),
        Err(_) => Answer::refusal(422, "Could not verify object"),
    }
}

pub fn get_tag(call: &mut Call<'_>) -> Answer {
    let sha = call.parameter("tag_sha");
    match call.hub.git.ask(&["cat-file", "-t", sha]).as_deref() {
        Some("tag") => Answer::ok(tag(call.hub, sha)),
        _ => Answer::not_found(),
    }
}

pub fn commit(hub: &Hub, state: &State, sha: &str) -> Value {
    let tree = hub.git.show(sha, "%T");
    let parent = |sha: &String| {
        json!({ "sha": sha, "url": hub.url(&format!("/git/commits/{sha}")),
            "html_url": hub.page(&format!("/commit/{sha}")) })
    };
    json!({
        "sha": sha, "node_id": format!("C_{sha}"), "url": hub.url(&format!("/git/commits/{sha}")),
        "html_url": hub.page(&format!("/commit/{sha}")), "author": person(hub, sha, 'a'),
        "committer": person(hub, sha, 'c'), "message": hub.git.show(sha, "%B"),
        "tree": { "sha": tree, "url": hub.url(&format!("/git/trees/{tree}")) },
        "parents": parents(hub, sha).iter().map(parent).collect::<Vec<_>>(),
        "verification": verification(state, sha),
    })
}

/// The variables that give a commit its people.
fn people(body: &Value, login: &str) -> BTreeMap<String, String> {
    let mut more = BTreeMap::new();
    let author = &body["author"];
    let committer = if body["committer"].is_null() { author } else { &body["committer"] };
    for (role, person) in [("AUTHOR", author), ("COMMITTER", committer)] {
        let github = role == "COMMITTER" && person.is_null();
        let (name, mail) = match github {
            true => ("GitHub".to_owned(), "noreply@github.com".to_owned()),
            false => (login.to_owned(), address(login)),
        };
        let given = |field: &str, usual: String| person[field].as_str().map_or(usual, str::to_owned);
        more.insert(format!("GIT_{role}_NAME"), given("name", name));
        more.insert(format!("GIT_{role}_EMAIL"), given("email", mail));
        if let Some(date) = person["date"].as_str() {
            more.insert(format!("GIT_{role}_DATE"), format!("{} +0000", seconds(date)));
        }
    }
    more
}

fn address(login: &str) -> String {
    format!("1+{login}@users.noreply.github.com")
}

fn seconds(date: &str) -> i64 {
    date.parse::<jiff::Timestamp>().map_or(0, jiff::Timestamp::as_second)
}

fn blob(hub: &Hub, bytes: &[u8]) -> String {
    hub.git.feed(&["hash-object", "-w", "--stdin"], bytes, &[]).expect("git keeps bytes")
}

fn mode(entry: &Value) -> &str {
    entry["mode"].as_str().unwrap_or("100644")
}

fn tree(hub: &Hub, sha: &str, recursive: bool) -> Value {
    let words = ["ls-tree", "-z", "--long", if recursive { "-rt" } else { "--full-tree" }, sha];
    let list = hub.git.well(&words);
    let entry = |line: &str| {
        let (what, path) = line.split_once('\t')?;
        let mut words = what.split_whitespace();
        let (mode, kind, sha, size) = (words.next()?, words.next()?, words.next()?, words.next()?);
        let mut entry = json!({ "path": path, "mode": mode, "type": kind, "sha": sha,
            "url": hub.url(&format!("/git/{kind}s/{sha}")) });
        if let Ok(size) = size.parse::<u64>() {
            entry["size"] = json!(size);
        }
        Some(entry)
    };
    let entries: Vec<Value> = list.split('\0').filter_map(entry).collect();
    json!({ "sha": sha, "url": hub.url(&format!("/git/trees/{sha}")), "tree": entries, "truncated": false })
}

fn tag(hub: &Hub, sha: &str) -> Value {
    let whole = hub.git.well(&["cat-file", "tag", sha]);
    let (head, message) = whole.split_once("\n\n").unwrap_or((&whole, ""));
    let field = |name: &str| {
        head.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' ')).unwrap_or_default()
    };
    let (name, rest) = field("tagger").split_once(" <").unwrap_or_default();
    let (mail, when) = rest.split_once("> ").unwrap_or_default();
    let when = when.split(' ').next().and_then(|when| when.parse().ok()).unwrap_or(0);
    let (object, kind) = (field("object"), field("type"));
    hub.make(
        "git-tag",
        json!({
            "node_id": format!("TA_{sha}"), "tag": field("tag"), "sha": sha, "message": message,
            "url": hub.url(&format!("/git/tags/{sha}")),
            "tagger": { "name": name, "email": mail, "date": crate::github::text::seconds(when) },
            "object": { "sha": object, "type": kind, "url": hub.url(&format!("/git/{kind}s/{object}")) },
        }),
    )
}
