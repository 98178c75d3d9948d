//! After a ship, before the double of GitHub: pull requests and issues are told once, and nothing of it fails the ship.

use std::fs;
use std::path::Path;

use serde_json::{Value, json};

use crate::github::GitHub;
use crate::github::client::{ask, get};
use crate::github::faults::{Fault, Harm};
use crate::github::tokens::{Kind, Level};
use crate::world::{Answer, World};

const MANIFEST: &str = "[build-system]\nrequires = []\nbuild-backend = \"small_backend\"\nbackend-path = [\".\"]\n\n\
    [project]\nname = \"kite\"\nversion = \"1.0.0\"\nrequires-python = \">=3.11\"\n";

/// A package whose pull request 2 is merged and closes issue 1.
struct Story {
    github: GitHub,
    world: World,
    job: String,
}

impl Story {
    fn begin(more: &str) -> Option<Story> {
        let github = GitHub::start()?;
        let (world, job) = (World::new(), github.job());
        let story = Story { github, world, job };
        story.write("pyproject.toml", MANIFEST);
        story.write("src/kite/__init__.py", "A = 1\n");
        let api = story.github.api();
        story.write(
            "release.toml",
            &format!("[github]\nrepository = \"ada/shop\"\napi = \"{api}\"\nreleases = false\n{more}"),
        );
        let backend = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/small_backend.py");
        fs::copy(backend, story.world.repository().join("small_backend.py")).unwrap();
        story.world.commit_all("feat: begin");
        story.world.tag("v1.0.0", "kite 1.0.0");
        story.world.git(["switch", "--quiet", "-c", "topic"]);
        story.write("src/kite/__init__.py", "A = 2\n");
        story.world.commit_all("feat: more\n\nCloses #1");
        let remote = story.github.remote_of(&story.job);
        story.world.git(["push", "--quiet", &remote, "main", "topic", "--tags"]);
        let ask = |method: &str, path: &str, body: &Value| ask(&story.github, &story.job, method, path, body);
        ask("POST", "/issues", &json!({ "title": "wanted" })).is(201);
        ask("POST", "/pulls", &json!({ "title": "feat: more", "head": "topic", "base": "main" })).is(201);
        ask("PUT", "/pulls/2/merge", &json!({ "merge_method": "merge" })).is(200);
        story.world.git(["switch", "--quiet", "main"]);
        story.world.git(["pull", "--quiet", "--ff-only", &remote, "main"]);
        story.github.clear_requests();
        Some(story)
    }

    fn write(&self, path: &str, text: &str) {
        let path = self.world.repository().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    fn ship_as(&self, token: &str, more: &[(&str, &str)]) -> Answer {
        let variables = [&[("RELEASE_GITHUB_TOKEN", token), ("RELEASE_PACE", "quick")], more].concat();
        self.world.release_with(["ship", "--yes"], &variables)
    }

    fn bodies(&self, number: u64) -> Vec<String> {
        let comments = get(&self.github, &self.job, &format!("/issues/{number}/comments")).is(200);
        comments.as_array().unwrap().iter().map(|one| one["body"].as_str().unwrap().to_owned()).collect()
    }

    fn labels(&self, number: u64) -> Vec<String> {
        let labels = get(&self.github, &self.job, &format!("/issues/{number}/labels")).is(200);
        labels.as_array().unwrap().iter().map(|one| one["name"].as_str().unwrap().to_owned()).collect()
    }

    /// How many places of a kill the ship has until it tells.
    fn places_before_telling(&self) -> u64 {
        let file = self.world.folder().join("places");
        let variables = [
            ("RELEASE_GITHUB_TOKEN", self.job.as_str()),
            ("RELEASE_PACE", "quick"),
            ("RELEASE_CRASH_COUNT", file.to_str().unwrap()),
        ];
        self.world.twin().release_with(["ship", "--yes", "--until", "smoke"], &variables).well();
        fs::metadata(&file).unwrap().len()
    }

    #[track_caller]
    fn is_told_once(&self) {
        for number in [1, 2] {
            let bodies = self.bodies(number);
            assert_eq!(bodies.len(), 1, "#{number}: {bodies:?}");
            assert!(bodies[0].starts_with("<!-- release: told plan=sha256:"), "{}", bodies[0]);
            assert!(
                bodies[0].contains("Released in [kite 1.1.0](")
                    && bodies[0].contains("/releases/tag/v1.1.0)")
            );
            assert_eq!(self.labels(number), ["released"]);
        }
    }
}

const BOTH: &str = "comment = true\nlabels = [\"released\"]\n";

#[test]
fn pull_requests_and_the_issues_they_close_are_told_once() {
    let Some(story) = Story::begin(BOTH) else { return };
    let plan = story.world.release(["plan"]).well();
    assert!(plan.out.contains("tell pull requests and issues"), "{}", plan.out);
    let answer = story.ship_as(&story.job, &[]).well();
    assert!(answer.err.contains("told pull requests and issues  2"), "{}", answer.err);
    story.is_told_once();
    story.ship_as(&story.job, &[]).well();
    story.is_told_once();
}

#[test]
fn killed_while_it_tells_the_next_run_tells_the_rest() {
    for place in [1, 2, 4] {
        let Some(story) = Story::begin(BOTH) else { return };
        let before = story.places_before_telling();
        assert_eq!(story.bodies(1), Vec::<String>::new(), "nobody is told before everything is out");
        let at = (before + place).to_string();
        let killed = story.ship_as(&story.job, &[("RELEASE_CRASH_AT", &at)]);
        assert_ne!(killed.code, Some(0), "{}", killed.err);
        story.ship_as(&story.job, &[]).well();
        story.is_told_once();
    }
}

#[test]
fn whatever_github_answers_the_release_is_made() {
    for harm in [Harm::Lose, Harm::Late(502), Harm::Secondary(0)] {
        let Some(story) = Story::begin(BOTH) else { return };
        story.github.order(Fault::at("POST", "/repos/ada/shop/issues/*/comments", harm.clone()));
        story.github.order(Fault::at("POST", "/repos/ada/shop/issues/*/labels", harm));
        story.ship_as(&story.job, &[]).well();
        story.is_told_once();
    }
    let Some(story) = Story::begin(BOTH) else { return };
    story.github.order(Fault::at("*", "/repos/ada/shop/*", Harm::Status(503)).times(1000));
    let answer = story.ship_as(&story.job, &[]).well();
    assert!(answer.err.contains("not all pull requests and issues were told"), "{}", answer.err);
    story.github.clear_faults();
    assert_eq!(story.bodies(1).len(), 0);
}

#[test]
fn a_token_that_may_not_tell_is_a_remark_with_the_permission() {
    let Some(story) = Story::begin("comment = true\n") else { return };
    let reads = [("contents", Level::Read), ("pull_requests", Level::Read), ("issues", Level::Read)];
    let reader = story.github.token("reader", Kind::Job, &reads);
    let answer = story.ship_as(&reader, &[]).well();
    assert!(answer.err.contains("issues: write"), "{}", answer.err);
    assert!(!answer.err.contains(&reader));
}

#[test]
fn labels_alone_write_no_comment_and_without_either_nobody_is_told() {
    let Some(story) = Story::begin("labels = [\"released\", \"shipped it\"]\n") else { return };
    story.ship_as(&story.job, &[]).well();
    assert_eq!((story.bodies(2).len(), story.labels(2).len()), (0, 2));
    let Some(story) = Story::begin("") else { return };
    story.ship_as(&story.job, &[]).well();
    assert_eq!(story.github.requests_to("POST", "/repos/ada/shop/issues").len(), 0);
}
