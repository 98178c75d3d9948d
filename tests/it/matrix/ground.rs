//! What the runs of one test share: a monorepo, the double of its index, and how a ship ends that nobody disturbs.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

use serde_json::{Value, json};

use crate::clones::copy;
use crate::double::Double;
use crate::matrix::field::Field;
use crate::matrix::light::{self, light};
use crate::world::World;

/// The runner's identity; with `runner-` before it, its request token. It stands nowhere else.
const IDENTITY: &str = "matrix-4b1d0c9e";

/// The distributions of the sample monorepo that are released, and the one that is not.
const SAMPLE: [&str; 7] = [
    "core",
    "mathematics",
    "anomaly-detection",
    "mlops",
    "infrastructure",
    "interfaces",
    "data-observability",
];

/// The time of every run, 2025-02-01: what differs between two runs is what they did.
pub const CLOCK: i64 = 1_738_368_000;

pub struct Ground {
    pub double: Double,
    pub world: World,
    /// Whether its ships go to their end, or stop when all is published.
    pub until: Option<&'static str>,
    /// Further variables of all runs.
    pub more: Vec<(String, String)>,
}

/// A state that runs begin from: a bare repository, and the stash that belongs to it.
#[derive(Clone)]
pub struct Start {
    pub origin: PathBuf,
    pub stash: PathBuf,
}

impl Ground {
    /// Four packages that build in no time, shipped to the end; `None` where the double is not at hand.
    pub fn light() -> Option<Ground> {
        let names: Vec<&str> = light::PACKAGES.iter().map(|(name, _)| *name).collect();
        Ground::of(light(), light::PREFIX, &names, "packages/*")
    }

    /// The sample monorepo: six releases, twelve files, real back ends.
    pub fn sample() -> Option<Ground> {
        let (world, _) = crate::shared_sample::sample()?;
        Ground::of(world, "acme-", &SAMPLE, "src/packages/*/*")
    }

    fn of(world: World, prefix: &str, names: &[&str], folders: &str) -> Option<Ground> {
        let projects: Vec<String> = names.iter().map(|name| format!("{prefix}{name}")).collect();
        let double = Double::start(&configuration(&projects))?;
        let mut config = format!(
            "[workspace]\npackages = [\"{folders}\"]\nstrip = \"{prefix}\"\ntag = \"{{name}}-v{{version}}\"\n\
             branch = \"main\"\n\n[build]\nstash = \"{}\"\n\n[versioning]\nallow-major = true\n\n[index.pypi]\nupload = \"{}\"\n\
             simple = \"{}\"\nauth = \"trusted\"\nvisible-within = \"10s\"\n",
            world.folder().join("stash").display(),
            double.upload(),
            double.simple()
        );
        for name in names {
            config.push_str(&format!("\n[package.{name}]\nindex = \"pypi\"\n"));
        }
        fs::write(world.folder().join("matrix.toml"), config).unwrap();
        world.git(["clone", "--quiet", "--bare", ".", world.folder().join("origin.git").to_str().unwrap()]);
        fs::create_dir(world.folder().join("no-stash")).unwrap();
        Some(Ground { double, world, until: None, more: Vec::new() })
    }

    /// The same ground, whose ships stop when all is published.
    pub fn without_trials(mut self) -> Ground {
        self.until = Some("publish");
        self
    }

    /// The configuration of every run.
    pub fn config(&self) -> PathBuf {
        self.world.folder().join("matrix.toml")
    }

    /// The stash that all clones share, as the configuration has it.
    pub fn stash(&self) -> PathBuf {
        self.world.folder().join("stash")
    }

    /// Nothing is begun.
    pub fn untouched(&self) -> Start {
        let folder = self.world.folder();
        Start { origin: folder.join("origin.git"), stash: folder.join("no-stash") }
    }

    /// The claim is made, the files are in the stash, nothing is published and nobody has the ship in hand.
    pub fn claimed(&self) -> Start {
        let start = Start {
            origin: self.world.folder().join("claimed.git"),
            stash: self.world.folder().join("claimed-stash"),
        };
        if !start.origin.is_dir() {
            let field = Field::new(self, &self.untouched());
            let clone = field.fresh();
            field.run(&clone, &["ship", "--yes", "--until", "claim"], &[]).well();
            copy(&field.origin(), &start.origin);
            copy(&self.stash(), &start.stash);
        }
        start
    }

    /// A place to run in, as it is at the start; the index is empty again.
    pub fn field(&self, start: &Start) -> Field<'_> {
        self.double.reset();
        self.double.clear_log();
        Field::new(self, start)
    }

    /// The end of a ship that nobody disturbs, and how many places it passes.
    pub fn twin(&self, start: &Start) -> (BTreeMap<String, String>, usize) {
        let field = self.field(start);
        let clone = field.fresh();
        let count = field.folder().join("places");
        let places = ("RELEASE_CRASH_COUNT", count.to_str().unwrap());
        field.ship(&clone, &[places]).well();
        (field.end(), fs::read(&count).unwrap().len())
    }

    pub fn runner(&self) -> Vec<(String, String)> {
        self.double.runner(IDENTITY)
    }

    /// What no output and no file may hold: the runner's request token, identity tokens, minted tokens.
    pub fn secrets(&self) -> [String; 3] {
        let [jwt, minted] = ["eyJ0eXAiOiJKV1Qi", "pypi-AgEIcHlwaS5vcmc"].map(str::to_owned);
        assert!(self.double.issue(&json!(IDENTITY), "pypi").starts_with(&jwt), "tokens begin so");
        [format!("runner-{IDENTITY}"), jwt, minted]
    }
}

fn configuration(projects: &[String]) -> Value {
    let owned: Vec<Value> =
        projects.iter().map(|name| json!({ "name": name, "owners": ["alice"] })).collect();
    json!({
        "projects": owned,
        "publishers": [{
            "kind": "github", "repository": "acme/monorepo", "repository_owner_id": "1001",
            "workflow": "release.yml", "environment": "production", "projects": projects, "user": "alice",
        }],
        "identities": { IDENTITY: { "environment": "production" } },
    })
}
