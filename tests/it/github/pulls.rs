//! Pull requests: opened, read, changed, merged; their commits and branches are git's.

use serde_json::{Value, json};

use crate::github::answer::Answer;
use crate::github::call::Call;
use crate::github::comments::too_long;
use crate::github::hub::Hub;
use crate::github::issues;
use crate::github::state::{Pull, State};
use crate::github::text::now;
use crate::github::tokens::{Kind, Token};
use crate::github::{commits, events, merging};

pub fn list(call: &mut Call<'_>) -> Answer {
    let state = call.asked("state").unwrap_or("open").to_owned();
    let head = call.asked("head").map(str::to_owned);
    let base = call.asked("base").map(str::to_owned);
    let fits = |pull: &&Pull| {
        let issue = issue(call.state, pull);
        (state == "all" || issue["state"] == *state)
            && head.as_ref().is_none_or(|head| *head == label(call.hub, pull))
            && base.as_ref().is_none_or(|base| *base == pull.base)
    };
    let mut list: Vec<Value> = call.state.pulls.iter().filter(fits).map(|pull| simple(call, pull)).collect();
    let newest_first = call.asked("sort").is_none() && call.asked("direction") != Some("asc");
    if newest_first || call.asked("direction") == Some("desc") {
        list.reverse();
    }
    call.page(list)
}

pub fn of_commit(call: &mut Call<'_>) -> Answer {
    let Some(commit) = call.hub.git.commit(call.parameter("commit_sha")) else {
        return Answer::refusal(422, "No commit found for SHA");
    };
    let holds = |pull: &&Pull| {
        let merged = pull.merged.as_ref().is_some_and(|(sha, ..)| *sha == commit);
        merged || commits::between(call.hub, &pull.base_sha, &pull.head_sha).contains(&commit)
    };
    let list = call.state.pulls.iter().filter(holds).map(|pull| simple(call, pull)).collect();
    call.page(list)
}

pub fn get(call: &mut Call<'_>) -> Answer {
    match own(call) {
        Some(pull) => Answer::ok(whole(call, pull)),
        None => Answer::not_found(),
    }
}

pub fn create(call: &mut Call<'_>) -> Answer {
    let head = call.text("head").unwrap_or_default();
    let head = head.rsplit(':').next().unwrap_or_default().to_owned();
    let base = call.text("base").unwrap_or_default();
    if call.state.jobs_open_no_pulls && call.token.is_some_and(|token| token.kind == Kind::Job) {
        let said = "GitHub Actions is not permitted to create or approve pull requests.";
        return Answer::refusal(403, said);
    }
    let (Some(base_sha), Some(head_sha)) = (call.hub.git.branch(&base), call.hub.git.branch(&head)) else {
        let field = if call.hub.git.branch(&head).is_none() { "head" } else { "base" };
        return Answer::invalid("PullRequest", field, "invalid", "");
    };
    if commits::between(call.hub, &base_sha, &head_sha).is_empty() {
        let said = format!("No commits between {base} and {head}");
        return Answer::invalid("PullRequest", "base", "custom", &said);
    }
    let same = |pull: &&Pull| {
        let own = pull.fork.is_none() && pull.head == head;
        own && pull.base == base && issue(call.state, pull)["state"] == "open"
    };
    if call.state.pulls.iter().any(|pull| same(&pull)) {
        let said = format!("A pull request already exists for {}:{head}.", call.hub.owner);
        return Answer::invalid("PullRequest", "head", "custom", &said);
    }
    let body = call.text("body").unwrap_or_default();
    if let Some(refusal) = too_long("PullRequest", &body) {
        return refusal;
    }
    let (login, draft) = (call.login(), call.body["draft"] == true);
    let title = call.text("title").unwrap_or_default();
    let author = call.user();
    let pull =
        Pull { number: 0, id: 0, fork: None, head, base, head_sha, base_sha, draft, author, merged: None };
    let pull = open(call.hub, call.state, pull, &login, &title, &body);
    if let Some(token) = call.token {
        events::start(call.hub, call.state, token, "pull_request", &pull.head, &Value::Null);
    }
    Answer::json(201, whole(call, &pull))
}

/// Opens a pull, which is an issue too, and gives it its number.
pub fn open(hub: &Hub, state: &mut State, pull: Pull, login: &str, title: &str, body: &str) -> Pull {
    let number = issues::open(hub, state, login, title, body);
    let (url, page) = (hub.url(&format!("/pulls/{number}")), hub.page(&format!("/pull/{number}")));
    let issue = issue_mut(state, number);
    issue["html_url"] = json!(page);
    issue["pull_request"] = json!({ "url": url, "html_url": page, "diff_url": format!("{page}.diff"),
        "patch_url": format!("{page}.patch"), "merged_at": null });
    let pull = Pull { number, id: state.id(), ..pull };
    keep_head(hub, &pull);
    state.pulls.push(pull.clone());
    pull
}

pub fn update(call: &mut Call<'_>) -> Answer {
    let Some(mut pull) = own(call).cloned() else { return Answer::not_found() };
    if let Some(refusal) = too_long("PullRequest", &call.text("body").unwrap_or_default()) {
        return refusal;
    }
    if let Some(base) = call.text("base") {
        let Some(sha) = call.hub.git.branch(&base) else {
            return Answer::invalid("PullRequest", "base", "invalid", "");
        };
        (pull.base, pull.base_sha) = (base, sha);
    }
    let fields = [("title", call.text("title")), ("body", call.text("body")), ("state", call.text("state"))];
    let issue = issue_mut(call.state, pull.number);
    for (field, value) in fields {
        if let Some(value) = value {
            issue[field] = json!(value);
        }
    }
    issue["updated_at"] = json!(now());
    issue["closed_at"] = if issue["state"] == "closed" { json!(now()) } else { Value::Null };
    let at = call.state.pulls.iter().position(|known| known.number == pull.number).expect("a known pull");
    call.state.pulls[at] = pull.clone();
    Answer::ok(whole(call, &pull))
}

pub fn merge(call: &mut Call<'_>) -> Answer {
    let Some(pull) = own(call).cloned() else { return Answer::not_found() };
    let method = call.text("merge_method").unwrap_or_else(|| "merge".to_owned());
    if !call.state.merges.contains(&method) {
        let said = format!("{method} merges are not allowed on this repository.");
        return Answer::refusal(405, &said);
    }
    if call.text("sha").is_some_and(|sha| sha != pull.head_sha) {
        return Answer::refusal(409, "Head branch was modified. Review and try the merge again.");
    }
    if issue(call.state, &pull)["state"] != "open" || pull.draft {
        return Answer::refusal(405, "Pull Request is not mergeable");
    }
    let (title, words) = (call.text("commit_title"), call.text("commit_message"));
    let text = merging::message(&pull, issue(call.state, &pull), &call.hub.owner, &method, (title, words));
    let Some(commit) = merging::merge(&call.hub.git, &pull, &method, &text) else {
        return Answer::refusal(405, "Pull Request is not mergeable");
    };
    call.hub.git.well(&["update-ref", &format!("refs/heads/{}", pull.base), &commit]);
    if method != "rebase" {
        call.state.verified.insert(commit.clone());
    }
    let user = call.user();
    mark(call.state, pull.number, &commit, user);
    Answer::ok(json!({ "sha": commit, "merged": true, "message": "Pull Request successfully merged" }))
}

pub fn is_merged(call: &mut Call<'_>) -> Answer {
    let merged = own(call).is_some_and(|pull| pull.merged.is_some());
    if merged { Answer::empty(204) } else { Answer::not_found() }
}

pub fn files(call: &mut Call<'_>) -> Answer {
    let Some(pull) = own(call) else { return Answer::not_found() };
    let base = commits::fork(call.hub, &pull.base_sha, &pull.head_sha);
    call.page(commits::files(call.hub, &base, &pull.head_sha))
}

pub fn commits(call: &mut Call<'_>) -> Answer {
    let Some(pull) = own(call) else { return Answer::not_found() };
    let own = commits::between(call.hub, &pull.base_sha, &pull.head_sha);
    let list = own.iter().map(|sha| commits::form(call.hub, call.state, sha)).collect();
    call.page(list)
}

/// Open pulls follow their branches: a new head, a deleted branch, a base that has it all.
pub fn sync(hub: &Hub, state: &mut State, by: Option<&Token>) {
    for at in 0..state.pulls.len() {
        let pull = state.pulls[at].clone();
        if issue(state, &pull)["state"] != "open" {
            continue;
        }
        if let Some(base) = hub.git.branch(&pull.base) {
            let whole = base != pull.base_sha && hub.git.contains(&base, &pull.head_sha);
            if whole && !hub.git.contains(&pull.base_sha, &pull.head_sha) {
                let user = by.map_or("ghost".to_owned(), Token::login);
                mark(state, pull.number, &base, hub.user(&user));
                continue;
            }
            state.pulls[at].base_sha = base;
        }
        match hub.git.branch(&pull.head) {
            _ if pull.fork.is_some() => {}
            None => {
                let issue = issue_mut(state, pull.number);
                (issue["state"], issue["closed_at"]) = (json!("closed"), json!(now()));
            }
            Some(sha) if sha != pull.head_sha => {
                state.pulls[at].head_sha = sha;
                keep_head(hub, &state.pulls[at]);
                if let Some(token) = by {
                    events::start(hub, state, token, "pull_request", &pull.head, &Value::Null);
                }
            }
            Some(_) => {}
        }
    }
}

fn mark(state: &mut State, number: u64, commit: &str, user: Value) {
    let when = now();
    let issue = issue_mut(state, number);
    (issue["state"], issue["closed_at"]) = (json!("closed"), json!(when));
    issue["pull_request"]["merged_at"] = json!(when);
    let pull = state.pulls.iter_mut().find(|pull| pull.number == number).expect("a known pull");
    pull.merged = Some((commit.to_owned(), user, when));
}

/// GitHub keeps a pull's head when its branch is gone.
fn keep_head(hub: &Hub, pull: &Pull) {
    hub.git.well(&["update-ref", &format!("refs/pull/{}/head", pull.number), &pull.head_sha]);
}

fn own<'c>(call: &'c Call<'_>) -> Option<&'c Pull> {
    let number = call.number("pull_number");
    call.state.pulls.iter().find(|pull| pull.number == number)
}

fn issue<'s>(state: &'s State, pull: &Pull) -> &'s Value {
    state.issues.iter().find(|issue| issue["number"] == pull.number).expect("each pull is an issue")
}

fn issue_mut(state: &mut State, number: u64) -> &mut Value {
    state.issues.iter_mut().find(|issue| issue["number"] == number).expect("each pull is an issue")
}

fn simple(call: &Call<'_>, pull: &Pull) -> Value {
    call.hub.make("pull-request-simple", fields(call.hub, call.state, pull))
}

fn whole(call: &Call<'_>, pull: &Pull) -> Value {
    let (hub, state) = (call.hub, &*call.state);
    let mut fields = fields(hub, state, pull);
    let fork = commits::fork(hub, &pull.base_sha, &pull.head_sha);
    let changed = commits::files(hub, &fork, &pull.head_sha);
    let sum = |field: &str| changed.iter().filter_map(|file| file[field].as_u64()).sum::<u64>();
    let open = issue(state, pull)["state"] == "open";
    let clean = open.then(|| merging::tree(&hub.git, &pull.base_sha, &pull.head_sha).is_some());
    let comments = state.comments.iter().filter(|(number, _)| *number == pull.number).count();
    let more = json!({
        "additions": sum("additions"), "deletions": sum("deletions"), "changed_files": changed.len(),
        "commits": commits::between(hub, &pull.base_sha, &pull.head_sha).len(), "comments": comments,
        "review_comments": 0, "maintainer_can_modify": false, "mergeable": clean, "rebaseable": clean,
        "mergeable_state": match clean { Some(true) => "clean", Some(false) => "dirty", None => "unknown" },
        "merged": pull.merged.is_some(),
        "merged_by": pull.merged.as_ref().map(|(_, user, _)| user.clone()),
    });
    if let (Some(fields), Value::Object(more)) = (fields.as_object_mut(), more) {
        fields.extend(more);
    }
    hub.make("pull-request", fields)
}

/// The head as GitHub names it: `owner:branch`.
fn label(hub: &Hub, pull: &Pull) -> String {
    format!("{}:{}", pull.fork.as_ref().unwrap_or(&hub.owner), pull.head)
}

fn fields(hub: &Hub, state: &State, pull: &Pull) -> Value {
    let issue = issue(state, pull);
    let number = pull.number;
    let (url, page) = (hub.url(&format!("/pulls/{number}")), hub.page(&format!("/pull/{number}")));
    let of_issue = hub.url(&format!("/issues/{number}"));
    let repository = hub.repository("repository", state);
    let side = |label: &str, repository: &Value, sha: &str| {
        let (owner, branch) = label.split_once(':').unwrap_or_default();
        json!({ "label": label, "ref": branch, "sha": sha, "user": hub.user(owner), "repo": repository })
    };
    let mut other = repository.clone();
    if let Some(fork) = &pull.fork {
        other["id"] = json!(1000 + hub.number);
        other["fork"] = json!(true);
        other["owner"] = hub.user(fork);
        other["full_name"] = json!(format!("{fork}/{}", hub.name));
    }
    let link = |address: &str| json!({ "href": address });
    let statuses = hub.url(&format!("/statuses/{}", pull.head_sha));
    json!({
        "id": pull.id, "node_id": format!("PR_{}", pull.id), "number": number, "draft": pull.draft,
        "title": issue["title"], "body": issue["body"], "state": issue["state"], "locked": false,
        "user": pull.author, "labels": issue["labels"], "created_at": issue["created_at"],
        "updated_at": issue["updated_at"], "closed_at": issue["closed_at"],
        "merged_at": pull.merged.as_ref().map(|(_, _, when)| when.clone()),
        "merge_commit_sha": pull.merged.as_ref().map(|(sha, ..)| sha.clone()),
        "head": side(&label(hub, pull), &other, &pull.head_sha),
        "base": side(&format!("{}:{}", hub.owner, pull.base), &repository, &pull.base_sha),
        "author_association": "MEMBER", "auto_merge": null, "url": url, "html_url": page,
        "issue_url": of_issue, "diff_url": format!("{page}.diff"), "patch_url": format!("{page}.patch"),
        "commits_url": format!("{url}/commits"), "comments_url": format!("{of_issue}/comments"),
        "review_comments_url": format!("{url}/comments"), "statuses_url": statuses,
        "review_comment_url": format!("{url}/comments{{/number}}"),
        "_links": {
            "self": link(&url), "html": link(&page), "issue": link(&of_issue),
            "comments": link(&format!("{of_issue}/comments")),
            "review_comments": link(&format!("{url}/comments")),
            "review_comment": link(&format!("{url}/comments{{/number}}")),
            "commits": link(&format!("{url}/commits")), "statuses": link(&statuses),
        },
    })
}
