//! Where a story happens: an origin, fresh clones with homes of their own, environments, and what they run.

use std::cell::Cell;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::clones::{Clone, copy};
use crate::deploys::target::{self, Change};
use crate::deploys::template::{index_of, template};
use crate::world::{Answer, World};

/// The time of every run that says no other, 2025-02-01 00:00 UTC, a Saturday.
pub const CLOCK: i64 = 1_738_368_000;
/// How long something that must come is waited for.
const PATIENCE: Duration = Duration::from_secs(60);

pub struct Place {
    world: World,
    clones: Cell<usize>,
}

pub const PROMOTE: [&str; 4] = ["promote", "--to", "production", "--yes"];

/// Version 1.1.0 is verified in production, 1.2.0 in staging.
pub fn before_a_promotion() -> Place {
    let place = Place::released(&two(""));
    place.deployed("staging", &["1.1.0"]);
    place.release(&PROMOTE).well();
    place.deployed("staging", &["1.2.0"]);
    place
}

/// One environment of the target `command` with a check, and what else its table says.
pub fn environment(name: &str, more: &str) -> String {
    format!(
        "\n[environment.{name}]\ntarget = \"command\"\n{more}\n[environment.{name}.command]\n\
         apply = [\"sh\", \"{{here}}/target.sh\", \"apply\"]\nstatus = [\"sh\", \"{{here}}/target.sh\", \"status\"]\n\
         possible = [\"sh\", \"{{here}}/target.sh\", \"possible\"]\ntimeout = \"3s\"\n\
         [[environment.{name}.validate]]\nkind = \"command\"\ncommand = [\"sh\", \"{{here}}/target.sh\", \"check\"]\n\
         [[environment.{name}.validate]]\nkind = \"version\"\n"
    )
}

/// `staging` and, after it, `production`.
pub fn two(more_of_production: &str) -> String {
    environment("staging", "")
        + &environment("production", &format!("after = \"staging\"\n{more_of_production}"))
}

impl Place {
    /// Two packages with a feature each to be released; `{here}` in the configuration is the place's folder.
    pub fn unreleased(environments: &str) -> Place {
        Place::of(&template().unreleased, environments)
    }

    /// Three releases of each, which run nowhere.
    pub fn released(environments: &str) -> Place {
        Place::of(&template().released, environments)
    }

    pub fn of(origin: &Path, environments: &str) -> Place {
        let place = Place { world: World::without_repository(), clones: Cell::new(0) };
        copy(origin, &place.origin());
        if index_of(origin).exists() {
            copy(&index_of(origin), &place.folder().join("index"));
        }
        target::install(place.folder());
        place.configure(environments);
        place
    }

    /// The same place once more, as it is now.
    pub fn twin(&self, environments: &str) -> Place {
        let twin = Place::of(&self.origin(), environments);
        fs::remove_dir_all(twin.folder().join("runs")).unwrap();
        copy(&self.folder().join("runs"), &twin.folder().join("runs"));
        twin
    }

    /// Writes the configuration of all later runs.
    pub fn configure(&self, environments: &str) {
        let here = self.folder().to_str().unwrap();
        let config = format!(
            "[workspace]\npackages = [\"packages/*\"]\nstrip = \"deps-\"\ntag = \"{{name}}-v{{version}}\"\n\
             branch = \"main\"\n\n[build]\nstash = \"{here}/stash\"\n\n[versioning]\nallow-major = true\n\n\
             [index.shelf]\ndirectory = \"{here}/index\"\n\n[package.core]\nindex = \"shelf\"\n\n\
             [package.app]\nindex = \"shelf\"\n{}",
            environments.replace("{here}", here)
        );
        fs::write(self.config(), config).unwrap();
    }

    pub fn folder(&self) -> &Path {
        self.world.folder()
    }

    pub fn origin(&self) -> PathBuf {
        self.folder().join("origin.git")
    }

    fn config(&self) -> PathBuf {
        self.folder().join("deploys.toml")
    }

    /// A fresh clone of the origin as it is now.
    pub fn fresh(&self) -> Clone {
        Clone::of(&self.world, self.clones.replace(self.clones.get() + 1))
    }

    /// The built binary in a clone.
    pub fn command(&self, clone: &Clone, words: &[&str]) -> Command {
        clone.command(&self.world, &self.config(), words, CLOCK)
    }

    pub fn run(&self, clone: &Clone, words: &[&str]) -> Answer {
        self.run_with(clone, words, &[])
    }

    pub fn run_with(&self, clone: &Clone, words: &[&str], more: &[(&str, &str)]) -> Answer {
        Answer::of(self.command(clone, words).envs(more.iter().copied()).output().unwrap())
    }

    /// A run from a clone that nobody used before.
    pub fn release(&self, words: &[&str]) -> Answer {
        self.run(&self.fresh(), words)
    }

    /// The same at another time, seconds after the usual one.
    pub fn release_at(&self, seconds: i64, words: &[&str]) -> Answer {
        let time = (CLOCK + seconds).to_string();
        self.run_with(&self.fresh(), words, &[("RELEASE_CLOCK", &time)])
    }

    /// The same by somebody else.
    pub fn release_as(&self, who: &str, words: &[&str]) -> Answer {
        let email = format!("{}@example.org", who.to_lowercase());
        let more = [
            ("GIT_AUTHOR_NAME", who),
            ("GIT_AUTHOR_EMAIL", &email),
            ("GIT_COMMITTER_NAME", who),
            ("GIT_COMMITTER_EMAIL", &email),
        ];
        self.run_with(&self.fresh(), words, &more)
    }

    /// A run that goes on meanwhile.
    pub fn begin(&self, words: &[&str]) -> Child {
        let mut command = self.command(&self.fresh(), words);
        command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
    }

    /// Both packages of a version into an environment, verified.
    #[track_caller]
    pub fn deployed(&self, environment: &str, versions: &[&str]) {
        for version in versions {
            let (core, app) = (format!("core@{version}"), format!("app@{version}"));
            self.release(&["deploy", environment, &core, &app, "--yes"]).well();
        }
    }

    /// Git in a clone; what it prints.
    pub fn git(&self, clone: &Clone, words: &[&str]) -> String {
        let mut git = self.world.command("git");
        git.current_dir(clone.repository()).args(words);
        Answer::of(git.output().unwrap()).well().out.trim_end().to_owned()
    }

    /// A feature of a package, committed and pushed.
    pub fn feature(&self, clone: &Clone, package: &str, scope: &str) {
        let module = clone.repository().join(format!("packages/{package}/deps_{package}.py"));
        let text = fs::read_to_string(&module).unwrap();
        fs::write(&module, format!("{text}MORE = {}\n", text.len())).unwrap();
        self.git(clone, &["commit", "--quiet", "--all", "-m", &format!("feat({scope}): know more")]);
        self.git(clone, &["push", "--quiet", "origin", "HEAD"]);
    }

    fn order_path(&self, order: &str, what: &str) -> PathBuf {
        self.folder().join("orders").join(format!("{order}-{what}"))
    }

    /// Orders what goes wrong: fail, wrong, hang, sick, slow, gone or ponder, for `ENVIRONMENT-PACKAGE-VERSION`.
    pub fn order(&self, order: &str, what: &str) {
        fs::write(self.order_path(order, what), "").unwrap();
    }

    pub fn lift(&self, order: &str, what: &str) {
        fs::remove_file(self.order_path(order, what)).unwrap();
    }

    /// Waits until the program stands at an order that lets it wait.
    pub fn wait_for(&self, order: &str, what: &str) {
        let reached = self.order_path(&format!("reached-{order}"), what);
        self.wait_until(&format!("{order} of {what} is reached"), || reached.exists());
    }

    pub fn wait_until(&self, what: &str, holds: impl Fn() -> bool) {
        let asked = Instant::now();
        while !holds() {
            assert!(asked.elapsed() < PATIENCE, "{what}");
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    /// The version and digest that really run.
    pub fn running(&self, environment: &str, package: &str) -> Option<(String, String)> {
        let path = self.folder().join(format!("runs/{environment}/{package}.json"));
        let value: Value = serde_json::from_slice(&fs::read(path).ok()?).unwrap();
        let text = |key: &str| value[key].as_str().unwrap().to_owned();
        Some((text("version"), text("digest")))
    }

    /// The version of a package that really runs; `-` where none does.
    pub fn version(&self, environment: &str, package: &str) -> String {
        self.running(environment, package).map_or_else(|| "-".to_owned(), |(version, _)| version)
    }

    /// The versions of core and app that really run.
    pub fn versions(&self, environment: &str) -> [String; 2] {
        ["core", "app"].map(|package| self.version(environment, package))
    }

    pub fn changes(&self) -> Vec<Change> {
        target::changes(self.folder())
    }

    /// The changes that came to their end, as `production core 1.2.0`, in their order.
    pub fn done(&self) -> Vec<String> {
        let ended = self.changes().into_iter().filter(|change| change.what == "end");
        ended.map(|one| format!("{} {} {}", one.environment, one.package, one.version)).collect()
    }

    /// The state that the shared ledger adds up to.
    pub fn state(&self) -> Value {
        let mut git = self.world.command("git");
        git.arg("--git-dir").arg(self.origin()).args(["show", "refs/release/ledger:state.json"]);
        Answer::of(git.output().unwrap()).well().json()
    }

    /// All events of the ledger; reading them plays them again, so an illegal order fails.
    pub fn log(&self) -> Vec<Value> {
        let log = self.release(&["log", "--output", "json"]).well().json();
        log.as_array().unwrap().clone()
    }

    /// What `release status` says of a package in an environment.
    pub fn status(&self, environment: &str, package: &str) -> Value {
        let status = self.release(&["status", "--output", "json"]).well().json();
        let packages = status["packages"].as_array().unwrap();
        let found = packages.iter().find(|one| one["package"] == package).unwrap();
        found["environments"][environment].clone()
    }

    /// Whether all witnesses agree: status, ledger and what runs; no deployment is under way, nobody holds one.
    #[track_caller]
    pub fn agrees(&self, environment: &str, versions: [&str; 2]) {
        assert_eq!(self.versions(environment), versions, "what runs in {environment}");
        let clone = self.fresh();
        let status = self.run(&clone, &["status", "--live", "--output", "json"]).well().json();
        assert_eq!(status["in_flight"], Value::Array(Vec::new()), "nothing is under way");
        for (package, version) in ["core", "app"].into_iter().zip(versions) {
            let packages = status["packages"].as_array().unwrap();
            let of_package = packages.iter().find(|one| one["package"] == package).unwrap();
            let known = &of_package["environments"][environment];
            if version == "-" {
                assert_eq!(known, &Value::Null, "{package} in {environment}");
                continue;
            }
            assert_eq!(known["version"], version, "{package} in {environment}: {known}");
            let (_, digest) = self.running(environment, package).unwrap();
            assert_eq!(known["digest"], digest.as_str(), "{package} in {environment}");
            assert_eq!(known["found"], Value::Null, "{package} in {environment}");
        }
        self.run(&clone, &["log", "--output", "json"]).well();
        assert_eq!(target::overlap(&self.changes()), None);
    }
}

/// Waits for the end of a run that went on meanwhile.
pub fn ended(child: Child) -> Answer {
    Answer::of(child.wait_with_output().unwrap())
}

/// A run that was refused or failed: its exit code, and that its words hold these.
#[track_caller]
pub fn refused(answer: &Answer, code: i32, words: &[&str]) {
    assert_eq!(answer.code, Some(code), "stdout:\n{}\nstderr:\n{}", answer.out, answer.err);
    // Paragraphs are broken into lines; words are looked for across them.
    let said = format!("{} {}", answer.out, answer.err).split_whitespace().collect::<Vec<_>>().join(" ");
    for word in words {
        assert!(said.contains(word), "`{word}` is said:\n{}{}", answer.out, answer.err);
    }
}
