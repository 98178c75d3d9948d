//! The sample monorepo's images from a commit through three environments and back, on a real engine.

use std::fs;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::engine::Registry;
use crate::shared_sample::sample;
use crate::stores::server::free_port;
use crate::targets::ground;
use crate::targets::host::Host;
use crate::targets::images::{Kind, release};
use crate::targets::load::{Load, Told, get};
use crate::world::Answer;
use crate::yard::Yard;

const DOCKER: &str = "src/packages/ai/mlops/docker";

/// The three environments, each with the ports of `mlops` and `interfaces`.
struct Story {
    yard: Yard,
    ports: [[u16; 2]; 3],
}

const ENVIRONMENTS: [(&str, &str); 3] = [
    ("development", ""),
    ("staging", "after = \"development\"\n"),
    ("production", "after = \"staging\"\nsoak = \"10m\"\n"),
];

impl Story {
    fn new(ground: &'static (Host, Registry)) -> Option<Story> {
        let (world, _) = sample()?;
        let written = fs::read_to_string(world.folder().join("release.toml")).unwrap();
        let repository = ground.1.repository("acme");
        let image =
            |name: &str| format!("\n[package.{name}.image]\nregistry = \"main\"\ncontext = \"docker\"\n");
        let base = format!(
            "{written}\n[registry.main]\nrepository = \"{repository}\"\n{}{}",
            image("mlops"),
            image("interfaces")
        );
        let yard = Yard::with(world, &ground.0.address, "dep-story", &base);
        let story = Story { yard, ports: [(); 3].map(|()| [(); 2].map(|()| free_port())) };
        let switch =
            release::apply::target::place::reference(&release(ground, Kind::Python, "4.0.0")).unwrap();
        story.yard.configure(&story.environments(&switch));
        story.yard.commit(
            "src/packages/software/interfaces/docker/busybox",
            "build(interfaces): the image's program",
        );
        story.say("one", "build(mlops): the image's program");
        story.yard.world.git(["clone", "--quiet", "--bare", ".", "../dep-story.git"]);
        let origin = story.yard.world.folder().join("dep-story.git");
        story.yard.world.git(["remote", "add", "origin", &format!("file://{}", origin.display())]);
        Some(story)
    }

    /// Production hands over by a switch, in an image that has Python; the others directly.
    fn environments(&self, switch: &str) -> String {
        let mut text = String::new();
        for ((name, more), ports) in ENVIRONMENTS.iter().zip(self.ports) {
            text.push_str(&format!("\n[environment.{name}]\ntarget = \"container\"\n{more}"));
            for (package, port) in ["mlops", "interfaces"].into_iter().zip(ports) {
                text.push_str(&format!(
                    "\n[environment.{name}.service.{package}]\npublish = [\"127.0.0.1:{port}:8080\"]\ndrain = \"1s\"\n"
                ));
                if *name == "production" {
                    text.push_str(&format!("switch-image = \"{switch}\"\n"));
                }
                text.push_str(&format!(
                    "\n[[environment.{name}.validate]]\nkind = \"http\"\npackages = [\"{package}\"]\n\
                     url = \"http://127.0.0.1:{port}/cgi-bin/health\"\ninterval = \"1s\"\n"
                ));
            }
            text.push_str(&format!("\n[[environment.{name}.validate]]\nkind = \"container\"\n"));
        }
        text
    }

    /// A commit with which `mlops` says this on its page.
    fn say(&self, page: &str, message: &str) {
        fs::write(self.yard.world.repository().join(DOCKER).join("www/index.html"), page).unwrap();
        self.yard.commit(DOCKER, message);
    }

    fn page(&self, environment: usize) -> Option<String> {
        get(self.ports[environment][0])
    }

    /// Runs it while others ask; what became of their requests, and when this began.
    fn under_load(&self, environment: usize, words: &[&str]) -> (Told, Instant, Duration) {
        let load = Load::start(self.ports[environment][0], 4, false);
        let began = Instant::now();
        self.yard.ends(words, 0);
        let took = began.elapsed();
        (load.end(), began, took)
    }

    fn digest(&self, environment: &str, package: &str) -> String {
        self.yard.current(environment, package)["digest"].as_str().unwrap().to_owned()
    }

    /// How the ledger says that deployments to an environment ended, in their order.
    fn endings(&self, environment: &str) -> Vec<String> {
        let log = self.yard.log();
        let of = |plan: &Value| {
            log.iter().find(|event| event["plan"] == *plan && event["what"]["event"] == "deploying").cloned()
        };
        let ended = log.iter().filter(|event| event["what"]["event"] == "deployed");
        let ended = ended.filter(|event| {
            of(&event["plan"]).is_some_and(|begun| begun["what"]["deployment"]["environment"] == environment)
        });
        ended.map(|event| event["what"]["ending"].as_str().unwrap().to_owned()).collect()
    }
}

fn said(what: &str, told: &Told, began: Instant, took: Duration, page: &str) {
    let answered = told.first.get(page).map(|at| (*at - began).as_millis());
    eprintln!(
        "{what}: {} lost of {}, longest without an answer {} ms, `{page}` answers after {answered:?} ms, done after {} ms",
        told.lost,
        told.lost + told.answered.values().sum::<usize>(),
        told.gap.as_millis(),
        took.as_millis()
    );
}

#[test]
fn images_go_through_three_environments_and_back() {
    let Some(ground) = ground() else { return };
    let Some(story) = Story::new(ground) else { return };
    let yard = &story.yard;
    yard.ends(&["ship", "--yes"], 0);
    assert_eq!(story.page(0).as_deref(), Some("one"));
    let first = yard.settled("development", "mlops");
    yard.ends(&["promote", "--to", "staging", "--yes"], 0);
    let soaks = yard.ends(&["promote", "--to", "production", "--yes"], 9);
    assert!(soaks.err.contains("long enough"), "{}", soaks.err);
    assert_eq!(yard.all("production", "mlops").len(), 0);
    yard.clock.set(yard.clock.get() + 600);
    yard.ends(&["promote", "--to", "production", "--yes"], 0);
    for package in ["mlops", "interfaces"] {
        for environment in ["development", "staging", "production"] {
            yard.settled(environment, package);
            assert_eq!(story.digest(environment, package), story.digest("staging", package));
        }
    }
    assert_eq!(story.page(2).as_deref(), Some("one"));

    story.say("two", "fix(mlops): say two");
    yard.ends(&["ship", "--yes"], 0);
    let second = yard.settled("development", "mlops");
    assert_ne!(first, second);
    let (told, began, took) = story.under_load(1, &["promote", "--to", "staging", "--yes"]);
    said("direct, promotion", &told, began, took, "two");
    yard.clock.set(yard.clock.get() + 600);
    let (told, began, took) = story.under_load(2, &["promote", "--to", "production", "--yes"]);
    said("switch, promotion", &told, began, took, "two");
    assert_eq!((told.lost, story.page(2).as_deref()), (0, Some("two")));
    assert_eq!(story.digest("production", "mlops"), story.digest("staging", "mlops"));
    assert_eq!(yard.settled("production", "mlops"), second);

    the_bad_release_goes_back(&story, &second);
    going_back_by_hand(&story, &first);
}

/// It is released, and comes no further than where it was found bad.
fn the_bad_release_goes_back(story: &Story, good: &str) {
    let yard = &story.yard;
    let dockerfile = yard.world.repository().join(DOCKER).join("Dockerfile");
    let text = fs::read_to_string(&dockerfile).unwrap();
    fs::write(&dockerfile, text.replace("FAIL_HEALTH=\"\"", "FAIL_HEALTH=\"1\"")).unwrap();
    story.say("three", "fix(mlops): say three");
    let load = Load::start(story.ports[0][0], 2, false);
    let began = Instant::now();
    let bad: Answer = yard.ends(&["ship", "--yes"], 5);
    let (told, took) = (load.end(), began.elapsed());
    said("direct, there and back by itself", &told, began, took, "three");
    assert!(bad.err.contains("503") && bad.err.contains("rolled back"), "{}", bad.err);
    assert_eq!(yard.settled("development", "mlops"), good);
    assert_eq!(story.page(0).as_deref(), Some("two"));
    let held = yard.current("development", "mlops")["holds"].to_string();
    let version = held.trim_start_matches(['[', '"']).split(':').next().unwrap().to_owned();
    assert!(held.contains("503") && version != good, "{held}");
    let bad = format!("mlops@{version}");
    for (environment, gate) in [("development", "hold"), ("staging", "after"), ("production", "after")] {
        let refused = yard.ends(&["deploy", environment, &bad, "--yes"], 9);
        assert!(refused.err.contains(gate), "{environment}: {}", refused.err);
    }
    // What development runs again is in staging already.
    let nothing = yard.ends(&["promote", "--to", "staging", "--yes", "--detailed-exitcode"], 3);
    assert!(nothing.out.contains("nothing to promote"), "{}", nothing.out);
    assert_eq!(yard.settled("staging", "mlops"), good);
    assert_eq!(story.endings("development"), ["verified", "verified", "rolled-back"]);
}

fn going_back_by_hand(story: &Story, first: &str) {
    let yard = &story.yard;
    for (environment, name, how) in [(1, "staging", "direct"), (2, "production", "switch")] {
        let words = ["rollback", name, "--reason", "errors at checkout", "--yes"];
        let (told, began, took) = story.under_load(environment, &words);
        said(&format!("{how}, rollback"), &told, began, took, "one");
        assert_eq!(yard.settled(name, "mlops"), first);
        assert_eq!(story.page(environment).as_deref(), Some("one"));
        if how == "switch" {
            assert_eq!(told.lost, 0);
        }
        assert_eq!(story.endings(name), ["verified", "verified", "verified"]);
        // Staging lacks what it went away from, and does not take it again by itself.
        if name == "staging" {
            let refused = yard.ends(&["promote", "--to", name, "--yes"], 9);
            assert!(refused.err.contains("hold"), "{}", refused.err);
        }
    }
    assert_eq!(yard.settled("development", "interfaces"), yard.settled("production", "interfaces"));
}
