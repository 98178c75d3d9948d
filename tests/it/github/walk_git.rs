//! Git's data by the API and by git itself, and who started what.

use serde_json::{Value, json};

use crate::github::GitHub;
use crate::github::client::{ask, get};
use crate::github::tokens::{Kind, Level};
use crate::github::walk_pulls::branch;
use crate::github::walk_releases::with_a_commit;
use crate::world::{Answer, World};

/// A clone in a world of its own.
fn cloned(github: &GitHub, token: &str) -> World {
    let world = World::without_repository();
    let place = world.repository();
    let mut git = world.command("git");
    git.args(["clone", "--quiet", &github.remote_of(token)]).arg(&place);
    Answer::of(git.output().unwrap()).well();
    world
}

fn push(world: &World, words: &[&str]) -> Answer {
    let mut git = world.command("git");
    git.current_dir(world.repository()).args(["push", "--quiet", "origin"]).args(words);
    Answer::of(git.output().unwrap())
}

#[test]
fn objects_and_refs_are_those_that_git_sees() {
    let Some((github, first)) = with_a_commit() else { return };
    let (job, person) = (github.job(), github.person());
    let made = branch(&github, &job, "by/job", &first, "docs/b.txt");
    let commit = get(&github, "", &format!("/git/commits/{made}")).is(200);
    assert_eq!(commit["verification"]["verified"], true);
    assert_eq!(commit["author"]["name"], "github-actions[bot]");
    let commit = branch(&github, &person, "by/ada", &first, "c.txt");
    assert_eq!(
        get(&github, "", &format!("/commits/{commit}")).is(200)["commit"]["verification"]["verified"],
        false
    );
    let author = json!({ "name": "Bo", "email": "bo@example.org", "date": "2025-01-06T08:00:00Z" });
    let body = json!({ "message": "m", "tree": github.git().show(&first, "%T"), "parents": [first], "author": author });
    let commit = ask(&github, &job, "POST", "/git/commits", &body).is(201);
    assert_eq!(
        (&commit["verification"]["verified"], &commit["author"]["date"]),
        (&json!(false), &json!("2025-01-06T08:00:00Z"))
    );

    let blob = json!({ "content": "AAEC", "encoding": "base64" });
    let blob = ask(&github, &job, "POST", "/git/blobs", &blob).is(201);
    assert_eq!(get(&github, "", &format!("/git/blobs/{}", blob["sha"].as_str().unwrap())).is(200)["size"], 3);
    let tree = json!({ "base_tree": made, "tree": [
        { "path": "a.txt", "mode": "100644", "type": "blob", "sha": null },
        { "path": "bin", "mode": "100755", "type": "blob", "sha": blob["sha"] }] });
    let tree = ask(&github, &job, "POST", "/git/trees", &tree).is(201);
    let sha = tree["sha"].as_str().unwrap();
    let names = github.git().well(&["ls-tree", "-r", "--name-only", sha]);
    assert_eq!(names, "bin\ndocs/b.txt");
    assert_eq!(
        get(&github, "", &format!("/git/trees/{sha}?recursive=1")).is(200)["tree"].as_array().unwrap().len(),
        3
    );

    assert_eq!(get(&github, "", "/git/ref/heads/by/job").is(200)["object"]["sha"], *made);
    assert_eq!(get(&github, "", "/git/matching-refs/heads/by").is(200).as_array().unwrap().len(), 2);
    let exists = json!({ "ref": "refs/heads/by/job", "sha": first });
    assert_eq!(
        ask(&github, &job, "POST", "/git/refs", &exists).is(422)["message"],
        "Reference already exists"
    );
    let back = |force: bool| json!({ "sha": first, "force": force });
    ask(&github, &job, "PATCH", "/git/refs/heads/by/job", &back(false)).is(422);
    ask(&github, &job, "PATCH", "/git/refs/heads/by/job", &back(true)).is(200);
    let tag = json!({ "tag": "v1", "message": "v1", "object": first, "type": "commit" });
    let tag = ask(&github, &job, "POST", "/git/tags", &tag).is(201);
    let sha = tag["sha"].as_str().unwrap();
    ask(&github, &job, "POST", "/git/refs", &json!({ "ref": "refs/tags/v1", "sha": sha })).is(201);
    assert_eq!(get(&github, "", &format!("/git/tags/{sha}")).is(200)["object"]["sha"], *first);
    assert_eq!(get(&github, "", "/git/ref/tags/v1").is(200)["object"]["type"], "tag");
    let compared = get(&github, "", &format!("/compare/main...{made}")).is(200);
    assert_eq!(
        (&compared["status"], &compared["files"][0]["filename"]),
        (&json!("ahead"), &json!("docs/b.txt"))
    );
    assert_eq!(get(&github, "", "/contents/a.txt?ref=main").is(200)["content"], "b25lCg==");
    assert_eq!(github.pushes().len(), 4);
    assert!(github.pushes().iter().all(|push| !push.git));
}

#[test]
fn git_pushes_with_a_token_and_a_jobs_own_starts_nothing() {
    let Some((github, _)) = with_a_commit() else { return };
    github.workflow("release.yml", &["push"], "release");
    let (job, person) = (github.job(), github.person());
    let world = cloned(&github, &job);
    world.git(["tag", "v1"]);
    push(&world, &["v1"]).well();
    assert!(github.runs().is_empty());
    world.git(["remote", "set-url", "origin", &github.remote_of(&person)]);
    world.git(["tag", "v2"]);
    push(&world, &["v2"]).well();
    let runs = get(&github, "", "/actions/runs?event=push&branch=v2").is(200);
    assert_eq!(
        (&runs["total_count"], &runs["workflow_runs"][0]["actor"]["login"]),
        (&json!(1), &json!("ada"))
    );
    for number in 3..7 {
        world.git(["tag", &format!("v{number}")]);
    }
    push(&world, &["--tags"]).well();
    assert_eq!(github.runs().len(), 1, "more than three tags at once start nothing");
    let pushes = github.pushes();
    assert_eq!((pushes[0].token.as_str(), pushes[0].kind, pushes[0].git), ("job", Kind::Job, true));
    assert_eq!((pushes[1].token.as_str(), pushes[1].reference.as_str()), ("ada", "refs/tags/v2"));
    push(&world, &["--delete", "v6"]).well();
    assert!(!github.git().has_tag("v6"));
}

#[test]
fn pushes_need_permission_and_an_unprotected_branch() {
    let Some((github, first)) = with_a_commit() else { return };
    let (job, person) = (github.job(), github.person());
    let reader =
        github.token("reader", Kind::App, &[("contents", Level::Read), ("administration", Level::Read)]);
    let world = cloned(&github, &reader);
    world.commit_all("feat: two");
    let refused = push(&world, &["main"]);
    assert!(refused.err.contains("403"), "{}", refused.err);
    world.git(["remote", "set-url", "origin", &github.remote_of(&person)]);
    get(&github, &reader, "/branches/main/protection").is(404);
    github.protect("main");
    github.rule_pulls("main");
    assert!(push(&world, &["main"]).err.contains("GH013"), "a protected branch");
    assert_eq!(get(&github, "", "/branches/main").is(200)["protected"], true);
    assert_eq!(get(&github, "", "/branches").is(200)[0]["commit"]["sha"], *first);
    get(&github, &reader, "/branches/main/protection").is(200);
    get(&github, &job, "/branches/main/protection").is(403);
    assert_eq!(get(&github, "", "/rules/branches/main").is(200)[0]["type"], "pull_request");
    push(&world, &["main:refs/heads/other"]).well();
    let sha = json!({ "sha": github.git().branch("other") });
    ask(&github, &person, "PATCH", "/git/refs/heads/main", &sha).is(422);
    github.make_private();
    let mut git = world.command("git");
    git.env("GIT_TERMINAL_PROMPT", "0").args(["ls-remote", &github.remote()]);
    assert_ne!(Answer::of(git.output().unwrap()).code, Some(0));
    ask(&github, &person, "DELETE", "/git/refs/heads/other", &Value::Null).is(204);
}
