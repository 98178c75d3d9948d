//! At GitHub: the workflow that finishes a claimed release is found or started, and watched.

use std::fs;
use std::process::Command;

use serde_json::json;

use crate::clones::Clone;
use crate::github::GitHub;
use crate::github::faults::{Fault, Harm};
use crate::github::tokens::{Kind, Level};
use crate::relay::{Relay, check};
use crate::world::Answer;

const CLAIM: [&str; 4] = ["ship", "--yes", "--until", "claim"];

/// The four packages at GitHub.
struct Hosted {
    relay: Relay,
    github: GitHub,
}

impl Hosted {
    fn new() -> Option<Hosted> {
        let (github, relay) = (GitHub::start()?, Relay::new());
        let config = fs::read_to_string(relay.config()).unwrap();
        fs::write(relay.config(), format!("{config}\n[github]\n")).unwrap();
        relay.world.git(["push", "--quiet", &github.remote_of(&github.person()), "main", "--tags"]);
        Some(Hosted { relay, github })
    }

    /// A clone that pushes with a token.
    fn clone(&self, number: usize, token: &str) -> Clone {
        let clone = self.relay.clone(number);
        let git = |words: &[&str]| {
            let mut git = self.relay.world.command("git");
            Answer::of(git.current_dir(clone.repository()).args(words).output().unwrap()).well();
        };
        git(&["remote", "set-url", "origin", &self.github.remote_of(token)]);
        git(&["fetch", "--quiet", "--tags", "origin"]);
        git(&["reset", "--quiet", "--hard", "origin/main"]);
        clone
    }

    fn command(&self, clone: &Clone, token: &str, words: &[&str]) -> Command {
        let mut command = self.relay.command(clone, words);
        command.env("RELEASE_GITHUB_TOKEN", token);
        command
    }

    fn desk(&self, clone: &Clone, token: &str, words: &[&str]) -> Answer {
        Answer::of(self.command(clone, token, words).output().unwrap())
    }

    fn job(&self, clone: &Clone, token: &str, words: &[&str]) -> Answer {
        Answer::of(self.command(clone, token, words).env("GITHUB_ACTIONS", "true").output().unwrap())
    }

    /// The event of each run so far, and the tag it is on.
    fn runs(&self) -> Vec<(String, String)> {
        self.github.runs().into_iter().map(|run| (run.event, run.branch)).collect()
    }

    fn end_all_runs(&self) {
        self.github.runs().iter().for_each(|run| self.github.set_run(run.id, "completed", "failure"));
    }
}

#[test]
fn a_job_that_claims_starts_the_workflow_of_the_tag_once() {
    let Some(hosted) = Hosted::new() else { return };
    let github = &hosted.github;
    let token = github.job();
    let clone = hosted.clone(0, &token);
    let by_hand = "gh workflow run release.yml --ref base-v1.1.0 -f tag=base-v1.1.0";
    let missing = hosted.job(&clone, &token, &CLAIM);
    check(
        &missing,
        10,
        &["stands, but its workflow `release.yml` could not be started", "on the default branch", by_hand],
    );

    let at_a_desk = hosted.desk(&clone, &token, &CLAIM);
    check(&at_a_desk, 0, &["nothing finishes it by itself: GitHub knows no workflow `release.yml`"]);

    github.workflow("release.yml", &["push", "workflow_dispatch"], "release {tag}");
    github.runs_go(&[("in_progress", "", 1000)]);
    let weak = github.token("weak", Kind::Job, &[("contents", Level::Write)]);
    check(&hosted.job(&clone, &weak, &CLAIM), 10, &["the token lacks `actions: write`", by_hand]);
    check(&hosted.desk(&clone, &token, &["doctor"]), 10, &["is claimed, and nobody", by_hand]);
    assert_eq!(hosted.runs(), []);

    // A job of that workflow leaves the rest to the other jobs of its run.
    let mut own = hosted.command(&clone, &token, &CLAIM);
    own.env("GITHUB_ACTIONS", "true");
    own.env("GITHUB_WORKFLOW_REF", "ada/shop/.github/workflows/release.yml@refs/heads/main");
    Answer::of(own.output().unwrap()).well();
    assert_eq!(hosted.runs(), []);

    github.runs_appear_late(2);
    let started = hosted.job(&clone, &token, &CLAIM);
    check(&started, 0, &["started `release.yml` for it: http", "/actions/runs/"]);
    let dispatched = ("workflow_dispatch".to_owned(), "base-v1.1.0".to_owned());
    assert_eq!(hosted.runs(), std::slice::from_ref(&dispatched));
    assert_eq!(github.runs()[0].inputs, json!({ "tag": "base-v1.1.0" }));
    check(&hosted.job(&clone, &token, &CLAIM), 0, &["`release.yml` is at work on it: http"]);
    assert_eq!(hosted.runs().len(), 1, "one is enough");

    // Whatever becomes of the answer, one run more is started.
    for (number, harm) in [Harm::Lose, Harm::Drop, Harm::Status(502), Harm::Late(502), Harm::Secondary(1)]
        .into_iter()
        .enumerate()
    {
        hosted.end_all_runs();
        github.order(Fault::at("POST", "/repos/ada/shop/actions/workflows/release.yml/dispatches", harm));
        check(&hosted.job(&clone, &token, &CLAIM), 0, &["started `release.yml` for it: http"]);
        assert_eq!(hosted.runs().len(), number + 2);
    }

    // Killed before and after it asked: the next run finds what is there.
    hosted.end_all_runs();
    github.runs_appear_late(0);
    let before = hosted.runs().len();
    let count = clone.folder.join("places");
    let mut command = hosted.command(&clone, &token, &CLAIM);
    command.env("GITHUB_ACTIONS", "true").env("RELEASE_CRASH_COUNT", &count);
    check(&Answer::of(command.output().unwrap()), 0, &["started"]);
    let places = fs::read(&count).unwrap().len();
    assert_eq!(hosted.runs().len(), before + 1);
    for (place, expected) in [(places - 1, "started `release.yml`"), (places, "is at work on it")] {
        hosted.end_all_runs();
        let before = hosted.runs().len();
        let mut command = hosted.command(&clone, &token, &CLAIM);
        command.env("GITHUB_ACTIONS", "true").env("RELEASE_CRASH_AT", place.to_string());
        assert_eq!(Answer::of(command.output().unwrap()).code, None);
        check(&hosted.job(&clone, &token, &CLAIM), 0, &[expected]);
        assert_eq!(hosted.runs().len(), before + 1);
    }
}

#[test]
fn a_workflow_that_starts_by_itself_is_found_and_not_started_twice() {
    let Some(hosted) = Hosted::new() else { return };
    let github = &hosted.github;
    github.workflow("release.yml", &["push", "workflow_dispatch"], "release {tag}");
    github.runs_go(&[("in_progress", "", 1000)]);
    github.runs_appear_late(2);
    let some = |packages: &[&'static str]| -> Vec<&'static str> {
        CLAIM.into_iter().chain(packages.iter().flat_map(|package| ["-p", package])).collect()
    };
    let person = github.person();
    let clone = hosted.clone(0, &person);
    check(&hosted.job(&clone, &person, &some(&["base"])), 0, &["`release.yml` is at work on it: http"]);
    assert!(hosted.runs().iter().all(|(event, _)| event == "push"), "{:?}", hosted.runs());
    let before = hosted.runs().len();

    // A push with the job's own token starts nothing: after some looks it is asked for.
    let token = github.job();
    let clone = hosted.clone(1, &token);
    check(&hosted.job(&clone, &token, &some(&["solo"])), 0, &["started `release.yml` for it: http"]);
    let new: Vec<(String, String)> = hosted.runs().split_off(before);
    assert_eq!(new, [("workflow_dispatch".to_owned(), "solo-v1.1.0".to_owned())]);
}

#[test]
fn a_laptop_is_told_what_the_run_does() {
    let Some(hosted) = Hosted::new() else { return };
    let github = &hosted.github;
    github.workflow("release.yml", &["workflow_dispatch"], "release {tag}");
    let person = github.person();
    let clone = hosted.clone(0, &person);
    github.runs_go(&[
        ("queued", "", 1),
        ("waiting", "", 2),
        ("in_progress", "", 2),
        ("completed", "failure", 1),
    ]);
    github.jobs_are(&[("build", "success"), ("publish", "failure")]);
    let watch = hosted.desk(&clone, &person, &[&CLAIM[..], &["--watch=30s"]].concat());
    check(
        &watch,
        10,
        &[
            "started `release.yml` for it: http",
            "is queued: http",
            "waits for an approval: http",
            "is in progress: http",
            "of release.yml failed at job publish",
            "look there: http",
        ],
    );
    // More tags than GitHub starts runs for: it was asked for, also from a desk.
    assert_eq!(hosted.runs().len(), 1);

    let follow = ["ship", "--tag", "base-v1.1.0", "--watch=30s"];
    github.set_run(github.runs()[0].id, "completed", "cancelled");
    check(
        &hosted.desk(&clone, &person, &follow),
        10,
        &["was cancelled", "release ship --tag base-v1.1.0 --yes"],
    );
    github.set_run(github.runs()[0].id, "completed", "success");
    check(&hosted.desk(&clone, &person, &follow), 10, &["is not finished, and its run", "ended well"]);

    github.state(|state| state.runs.clear());
    let late = hosted.desk(&clone, &person, &["ship", "--tag", "base-v1.1.0", "--watch=2s"]);
    check(
        &late,
        10,
        &["no run of release.yml has begun for base-v1.1.0; to start one: gh workflow run", "after 2s"],
    );
    // What GitHub does is one thing, what the ledger says another.
    github.order(Fault::at("GET", "/repos/ada/shop/actions/workflows/release.yml/runs", Harm::Status(401)));
    let mut blind = hosted.command(&clone, &person, &follow).spawn().unwrap();
    hosted.desk(&hosted.clone(1, &person), &person, &["ship", "--tag", "base-v1.1.0", "--yes"]).well();
    assert!(blind.wait().unwrap().success());
}
