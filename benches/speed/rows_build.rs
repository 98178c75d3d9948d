//! The rows about building: seven packages up to their files, beside `uv build`, which must make the same bytes. Once
//! online, once from uv's cache alone: how long an index takes to answer is no part of building.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::Command;

use release::world::sha256;
use serde_json::Value;

use crate::bench::Bench;
use crate::peers::program;
use crate::problem::Problem;
use crate::race::{Contestant, Times, once};
use crate::repository::{Repository, git, run};
use crate::shape::SHIP;
use crate::table::{Row, number};

const GOAL: f64 = 8.0;
const UNIT: &str = "× uv build";

/// What both sides are told of the network, what its rows are called, and how long all took.
#[derive(Default)]
struct Condition {
    build: &'static str,
    from_plan: &'static str,
    settings: &'static [&'static str],
    builds: Vec<f64>,
    ours: Times,
    theirs: Times,
}

/// First the one that fills the cache.
fn conditions() -> [Condition; 2] {
    [
        Condition {
            build: "build of 7 packages, online",
            from_plan: "the same, from the plan on, online",
            settings: &["UV_OFFLINE=0"],
            ..Condition::default()
        },
        Condition {
            build: "build of 7 packages, from warm caches",
            from_plan: "the same, from the plan on",
            settings: &["UV_OFFLINE=1"],
            ..Condition::default()
        },
    ]
}

pub fn rows(bench: &Bench) -> Result<Vec<Row>, Problem> {
    let mut conditions = conditions();
    let Some(uv) = program("uv") else {
        let row = |work| Row::unknown(work, format!("≥ {} {UNIT}", number(GOAL)), "uv: not on the path");
        return Ok(conditions.iter().flat_map(|one| [one.build, one.from_plan]).map(row).collect());
    };
    let source = bench.repository(SHIP)?;
    for round in 0..=bench.rules.rounds {
        if round == 1 {
            conditions = self::conditions();
        }
        for condition in &mut conditions {
            condition.run(bench, &source, &uv)?;
        }
    }
    Ok(conditions.into_iter().flat_map(|condition| condition.rows(bench)).collect())
}

impl Condition {
    fn run(&mut self, bench: &Bench, source: &Repository, uv: &Path) -> Result<(), Problem> {
        let place = source.clone_to(&bench.scratch().join("build"))?;
        let words = [&bench.ours, "ship", "--yes", "--until", "build", "--output", "json"];
        let words = [&["env"], self.settings, &words].concat();
        once(&Contestant::new("release", &place.folder, &words), &bench.rules, false, &mut self.ours)?;
        ended(&self.ours, "release")?;
        self.builds.push(from_first_build(&self.ours.answer)?);
        let built = built(bench, &place)?;
        once(
            &by_uv(uv, &place.folder, &built.commit, self.settings)?,
            &bench.rules,
            false,
            &mut self.theirs,
        )?;
        ended(&self.theirs, "uv build")?;
        same(&built.files, &digests(&place.folder.join("dist"))?)
    }

    fn rows(self, bench: &Bench) -> [Row; 2] {
        let builds = Times::of(self.builds);
        bench.tell(&format!(
            "  {}: {} s, from the plan on: {} s; uv build: {} s",
            self.build,
            number(builds.median()),
            number(self.ours.median()),
            number(self.theirs.median())
        ));
        let row = |work, ours| Row::at_least(work, GOAL, UNIT, self.theirs.ratio(ours));
        [row(self.build, &builds).noting("same digests"), row(self.from_plan, &self.ours)]
    }
}

/// The seconds from the start of a ship's first build, its checkout included, until all environments are cleared away.
fn from_first_build(answer: &[u8]) -> Result<f64, Problem> {
    let answer: Value = serde_json::from_slice(answer).map_err(|error| Problem::new(error.to_string()))?;
    let timing = &answer["timing"];
    let builds = timing["steps"].as_object().into_iter().flatten();
    let builds = builds.filter(|(step, _)| step.starts_with("build:"));
    let began = builds.map(|(_, times)| times["began"].as_f64()).reduce(|one, other| {
        let (one, other) = one.zip(other)?;
        Some(one.min(other))
    });
    let span = timing["seconds"].as_f64().zip(began.flatten()).map(|(ended, began)| ended - began);
    span.ok_or_else(|| Problem::new("the ship does not tell of its builds"))
}

fn ended(times: &Times, label: &str) -> Result<(), Problem> {
    times.trouble().map_or(Ok(()), |trouble| Err(Problem::new(format!("{label} {trouble}"))))
}

/// The release commit, and the files that were built from it with their digests.
struct Built {
    commit: String,
    files: BTreeMap<String, String>,
}

/// What the ledger says of the ship.
fn built(bench: &Bench, place: &Repository) -> Result<Built, Problem> {
    let log = run(Command::new(&bench.ours).args(["log", "--output", "json"]).current_dir(&place.folder))?;
    let log: Value = serde_json::from_str(&log).map_err(|error| Problem::new(error.to_string()))?;
    let mut built = Built { commit: String::new(), files: BTreeMap::new() };
    for event in log.as_array().into_iter().flatten() {
        let step = event["what"]["step"].as_str().unwrap_or_default();
        for (name, value) in event["what"]["evidence"].as_object().into_iter().flatten() {
            let value = value.as_str().unwrap_or_default();
            match value.strip_prefix("sha256:") {
                Some(digest) if step.starts_with("build:") => {
                    built.files.insert(name.clone(), digest.to_owned());
                }
                None if step == "commit" && name == "commit" => value.clone_into(&mut built.commit),
                _ => {}
            }
        }
    }
    Ok(built)
}

/// `uv build` of the same commit, from a work tree of it.
fn by_uv(uv: &Path, folder: &Path, commit: &str, settings: &[&str]) -> Result<Contestant, Problem> {
    git(folder, &["checkout", "--quiet", "--detach", commit])?;
    let epoch = format!("SOURCE_DATE_EPOCH={}", git(folder, &["show", "-s", "--format=%ct", commit])?);
    let uv = uv.display().to_string();
    let words = [&epoch, &uv, "build", "--quiet", "--all-packages", "--out-dir", "dist"];
    Ok(Contestant::new("uv build", folder, &[&["env"], settings, &words].concat()))
}

fn digests(folder: &Path) -> Result<BTreeMap<String, String>, Problem> {
    let mut digests = BTreeMap::new();
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        if name.ends_with(".whl") || name.ends_with(".tar.gz") {
            digests.insert(name, sha256::of(&fs::read(entry.path())?));
        }
    }
    Ok(digests)
}

fn same(ours: &BTreeMap<String, String>, theirs: &BTreeMap<String, String>) -> Result<(), Problem> {
    if ours.len() == 2 * SHIP.packages && ours == theirs {
        return Ok(());
    }
    let other = ours.iter().find(|(name, digest)| theirs.get(*name) != Some(digest));
    let name = other.map_or("one that is not there", |(name, _)| name.as_str());
    Err(Problem::new(format!("{} files were built, and uv builds another {name}", ours.len())))
}
