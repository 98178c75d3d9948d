//! `release plan --comment` before the double of GitHub: one comment says what merging a pull request would release.

use std::fs;

use serde_json::json;

use crate::github::GitHub;
use crate::github::client::{ask, get};
use crate::github::faults::{Fault, Harm};
use crate::github::tokens::{Kind, Level};
use crate::world::{Answer, World};

const COMMENTS: &str = "/repos/ada/shop/issues/1/comments";

/// A released package `kite`, a fix on `main`, and pull request 1 from `topic` with a feature.
struct Story {
    github: GitHub,
    world: World,
    job: String,
}

fn manifest() -> &'static str {
    "[project]\nname = \"kite\"\nversion = \"1.0.0\"\nrequires-python = \">=3.11\"\n"
}

impl Story {
    fn begin(title: &str, more: &str, commits: &[&str]) -> Option<Story> {
        let github = GitHub::start()?;
        let world = World::new();
        let job = github.job();
        let story = Story { github, world, job };
        story.write("pyproject.toml", manifest());
        story.write("kite.py", "A = 0\n");
        let api = story.github.api();
        let config = format!("[github]\nrepository = \"ada/shop\"\napi = \"{api}\"\n{more}");
        story.write("release.toml", &config);
        story.world.commit_all("feat: begin");
        story.world.tag("v1.0.0", "kite 1.0.0");
        story.write("kite.py", "A = 1\n");
        story.world.commit_all("fix: known");
        story.world.git(["switch", "--quiet", "-c", "topic"]);
        for message in commits {
            story.change(message);
        }
        story.push();
        let body = json!({ "title": title, "head": "topic", "base": "main", "body": "text" });
        ask(&story.github, &story.job, "POST", "/pulls", &body).is(201);
        story.trial();
        story.github.clear_requests();
        Some(story)
    }

    fn write(&self, path: &str, text: &str) {
        fs::write(self.world.repository().join(path), text).unwrap();
    }

    /// One more commit where HEAD is.
    fn change(&self, message: &str) {
        let path = self.world.repository().join("more.py");
        let text = fs::read_to_string(&path).unwrap_or_default();
        fs::write(path, format!("{text}X = {}\n", text.len())).unwrap();
        self.world.commit_all(message);
    }

    fn push(&self) {
        let remote = self.github.remote_of(&self.job);
        self.world.git(["push", "--quiet", "--force", &remote, "main", "topic", "--tags"]);
    }

    /// Checks out what a workflow on `pull_request` does: topic merged into main.
    fn trial(&self) {
        self.world.git(["switch", "--quiet", "--detach", "main"]);
        let message = "Merge 1111111 into 2222222";
        self.world.git(["merge", "--quiet", "--no-ff", "-m", message, "topic"]);
    }

    /// A commit more on the pull request.
    fn go_on(&self, message: &str) {
        self.world.git(["switch", "--quiet", "topic"]);
        self.change(message);
        self.push();
        self.trial();
    }

    fn run_as(&self, token: &str, run: &str, more: &[&str]) -> Answer {
        let words: Vec<&str> = ["plan", "--comment"].iter().chain(more).copied().collect();
        let variables = [
            ("RELEASE_GITHUB_TOKEN", token),
            ("GITHUB_REF", "refs/pull/1/merge"),
            ("GITHUB_RUN_ID", run),
            ("GITHUB_RUN_ATTEMPT", "1"),
            ("RELEASE_PACE", "quick"),
        ];
        self.world.release_with(words, &variables)
    }

    fn run(&self) -> Answer {
        self.run_as(&self.job, "10", &[]).well()
    }

    /// The comments on the pull request.
    fn bodies(&self) -> Vec<String> {
        let comments = get(&self.github, &self.job, "/issues/1/comments").is(200);
        comments.as_array().unwrap().iter().map(|one| one["body"].as_str().unwrap().to_owned()).collect()
    }

    fn comment_as(&self, token: &str, body: &str) {
        ask(&self.github, token, "POST", "/issues/1/comments", &json!({ "body": body })).is(201);
    }

    fn tip(&self) -> String {
        self.world.git(["rev-parse", "topic"])
    }
}

fn mark(commit: &str, run: u64) -> String {
    format!("<!-- release: preview commit={commit} run={run} attempt=1 -->")
}

#[test]
fn one_comment_says_what_the_pull_request_adds_and_is_kept_up_to_date() {
    let Some(story) = Story::begin("feat: more", "", &["feat: more"]) else { return };
    let answer = story.run();
    assert!(answer.err.contains("commented on #1: http"), "{}", answer.err);
    let bodies = story.bodies();
    assert_eq!(bodies.len(), 1);
    assert!(bodies[0].starts_with(&mark(&story.tip(), 10)), "{}", bodies[0]);
    let row = "| kite | 1.0.0 | **1.1.0** | 1.0.1 | minor | feat: more |";
    assert!(
        bodies[0].contains("### Merging this releases 1 package\n") && bodies[0].contains(row),
        "{}",
        bodies[0]
    );
    assert!(bodies[0].contains("<summary>kite 1.1.0</summary>"), "{}", bodies[0]);

    story.github.clear_requests();
    assert!(story.run().err.contains("says it already"));
    let writes = story.github.requests().into_iter().filter(|seen| seen.method != "GET");
    assert_eq!(writes.count(), 0, "what stands there is not touched");

    story.go_on("feat!: break");
    assert!(story.run_as(&story.job, "11", &["--allow-major"]).well().err.contains("changed the comment"));
    let bodies = story.bodies();
    assert_eq!(bodies.len(), 1);
    assert!(bodies[0].contains("**2.0.0**") && bodies[0].contains("**major**"), "{}", bodies[0]);
    assert_eq!(story.world.git(["status", "--porcelain"]), "", "nothing here has changed");
}

#[test]
fn what_adds_nothing_says_so() {
    let Some(story) = Story::begin("docs: words", "", &["docs: words"]) else { return };
    assert_eq!(story.run_as(&story.job, "10", &["--detailed-exitcode"]).code, Some(3));
    assert!(story.bodies()[0].contains("Merging this releases nothing new."), "{}", story.bodies()[0]);
    assert!(
        story.bodies()[0].contains("type `docs` releases nothing")
            || story.bodies()[0].contains("releases nothing")
    );
}

#[test]
fn of_a_squashed_pull_request_its_title_counts_and_not_its_commits() {
    let more = "merge = \"squash\"\n";
    let Some(story) = Story::begin("fix: small", more, &["feat: big", "feat!: huge"]) else { return };
    let answer = story.run_as(&story.job, "10", &["--output", "json"]).well().json();
    assert_eq!((&answer["comment"], &answer["pull_request"]), (&json!("added"), &json!(1)));
    let text = answer["markdown"].as_str().unwrap();
    assert!(text.contains("| kite | 1.0.0 | **1.0.1** | the same number | patch | fix: small"), "{text}");
    assert!(!text.contains("huge") && !text.contains("big"), "{text}");
}

#[test]
fn a_rebased_pull_request_counts_with_its_commits() {
    let more = "merge = \"rebase\"\n";
    let release_as = "feat: more\n\nRelease-As: 3.0.0";
    let Some(story) = Story::begin("x", more, &[release_as]) else { return };
    story.run_as(&story.job, "10", &["--allow-major"]).well();
    assert!(story.bodies()[0].contains("**3.0.0**"), "{}", story.bodies()[0]);
}

#[test]
fn a_merge_counts_by_its_title_where_its_commits_say_nothing() {
    let Some(story) = Story::begin("feat: told by the title", "", &["some words"]) else { return };
    story.run();
    assert!(story.bodies()[0].contains("**1.1.0**"), "{}", story.bodies()[0]);
    assert!(story.bodies()[0].contains("feat: told by the title"), "{}", story.bodies()[0]);
}

#[test]
fn a_hostile_title_is_letters() {
    let title = "feat: <img src=x> @ada [a](http://x) `--> <!-- release: preview -->`";
    let Some(story) = Story::begin(title, "merge = \"squash\"\n", &["wip"]) else { return };
    story.run();
    let body = &story.bodies()[0];
    assert_eq!(body.matches("<!--").count(), 1, "{body}");
    assert!(!body.contains("<img") && !body.contains("@ada") && !body.contains("[a](http"), "{body}");
}

#[test]
fn an_older_run_leaves_the_comment_of_a_newer_one() {
    let Some(story) = Story::begin("feat: more", "", &["feat: more"]) else { return };
    let newer = format!("{}\nnewer", mark(&story.tip(), 12));
    story.comment_as(&story.job, &newer);
    assert!(story.run_as(&story.job, "11", &[]).well().err.contains("is newer than this run"));
    assert_eq!(story.bodies(), [newer]);
    assert!(story.run_as(&story.job, "13", &[]).well().err.contains("changed the comment"));

    // The pull request has moved on since this was checked out.
    let here = story.world.git(["rev-parse", "HEAD"]);
    story.go_on("fix: later");
    story.world.git(["switch", "--quiet", "--detach", &here]);
    let before = story.bodies();
    assert!(story.run_as(&story.job, "14", &[]).well().err.contains("the comment is left to that one's run"));
    assert_eq!(story.bodies(), before);
}

#[test]
fn doubled_comments_become_one_and_those_of_others_stay() {
    let Some(story) = Story::begin("feat: more", "", &["feat: more"]) else { return };
    let stranger = story.github.token("eve", Kind::Personal, &[("issues", Level::Write)]);
    let theirs = format!("{}\nmine is not yours", mark(&story.tip(), 1));
    story.comment_as(&stranger, &theirs);
    story.comment_as(&story.job, &format!("{}\none", mark(&story.tip(), 1)));
    story.comment_as(&story.job, &format!("{}\ntwo", mark(&story.tip(), 2)));
    story.comment_as(&story.job, "a word of the robot's");
    story.run();
    let bodies = story.bodies();
    assert_eq!(
        (bodies.len(), bodies[0].as_str(), bodies[2].as_str()),
        (3, theirs.as_str(), "a word of the robot's")
    );
    assert!(bodies[1].contains("**1.1.0**"), "{bodies:?}");
}

#[test]
fn a_persons_comment_is_found_by_their_name() {
    let Some(story) = Story::begin("feat: more", "", &["feat: more"]) else { return };
    let robots = format!("{}\nof a robot", mark(&story.tip(), 1));
    story.comment_as(&story.job, &robots);
    let person = story.github.person();
    for _ in 0..2 {
        story.run_as(&person, "10", &[]).well();
    }
    let bodies = story.bodies();
    assert_eq!((bodies.len(), bodies[0].as_str()), (2, robots.as_str()));
}

#[test]
fn a_lost_answer_makes_no_second_comment() {
    for harm in
        [Harm::Lose, Harm::Late(502), Harm::Truncate, Harm::Drop, Harm::Status(503), Harm::Secondary(0)]
    {
        let Some(story) = Story::begin("feat: more", "", &["feat: more"]) else { return };
        story.github.order(Fault::at("POST", COMMENTS, harm));
        story.run();
        assert_eq!(story.bodies().len(), 1);
    }
}

#[test]
fn a_token_that_may_only_read_writes_to_the_runs_own_page() {
    let Some(story) = Story::begin("feat: more", "", &["feat: more"]) else { return };
    let reads = [("contents", Level::Read), ("issues", Level::Read), ("pull_requests", Level::Read)];
    let token = story.github.token("fork", Kind::Job, &reads);
    let page = story.world.folder().join("summary.md");
    let variables = [
        ("RELEASE_GITHUB_TOKEN", token.as_str()),
        ("GITHUB_STEP_SUMMARY", page.to_str().unwrap()),
        ("RELEASE_PACE", "quick"),
    ];
    let answer = story.world.release_with(["plan", "--comment", "1"], &variables).well();
    assert!(answer.err.contains("pull-requests: write"), "{}", answer.err);
    assert!(!answer.err.contains(&token) && !answer.out.contains(&token));
    assert!(fs::read_to_string(&page).unwrap().contains("**1.1.0**"));
    assert_eq!(story.bodies(), Vec::<String>::new());
    let answer =
        story.world.release_with(["plan", "--comment", "1", "--output", "markdown"], &variables[..1]).well();
    assert!(answer.out.contains("**1.1.0**"), "{}", answer.out);
}

#[test]
fn what_is_checked_out_must_be_the_trial_merge() {
    let Some(story) = Story::begin("feat: more", "", &["feat: more"]) else { return };
    story.world.git(["switch", "--quiet", "topic"]);
    let answer = story.run_as(&story.job, "10", &[]);
    assert_eq!(answer.code, Some(2), "{}", answer.err);
    assert!(answer.err.contains("refs/pull/1/merge"), "{}", answer.err);
    let both = story.world.release(["plan", "--comment", "1", "--assume", "fix: x"]);
    assert_eq!(both.code, Some(2), "{}", both.err);
    assert_eq!(story.bodies(), Vec::<String>::new());
}
