//! The row about building: seven packages up to their files, beside `uv build`, which must make the same bytes.

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

const WORK: &str = "build of 7 packages, plan included";

pub fn rows(bench: &Bench) -> Result<Vec<Row>, Problem> {
    let Some(uv) = program("uv") else {
        return Ok(vec![Row::unknown(WORK, "≥ 8 × uv build", "uv: not on the path")]);
    };
    let source = bench.repository(SHIP)?;
    let (mut ours, mut theirs) = (Times::default(), Times::default());
    for round in 0..=bench.rules.rounds {
        if round == 1 {
            (ours, theirs) = (Times::default(), Times::default());
        }
        let place = source.clone_to(&bench.scratch().join("build"))?;
        let words = [&bench.ours, "ship", "--yes", "--until", "build"];
        once(&Contestant::new("release", &place.folder, &words), &bench.rules, false, &mut ours)?;
        ended(&ours, "release")?;
        let built = built(bench, &place)?;
        once(&by_uv(&uv, &place.folder, &built.commit)?, &bench.rules, false, &mut theirs)?;
        ended(&theirs, "uv build")?;
        same(&built.files, &digests(&place.folder.join("dist"))?)?;
    }
    bench.tell(&format!(
        "  build of 7: {} s; uv build: {} s",
        number(ours.median()),
        number(theirs.median())
    ));
    let row = Row::at_least(WORK, 8.0, "× uv build", theirs.ratio(&ours));
    Ok(vec![row.noting("same digests")])
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
fn by_uv(uv: &Path, folder: &Path, commit: &str) -> Result<Contestant, Problem> {
    git(folder, &["checkout", "--quiet", "--detach", commit])?;
    let epoch = format!("SOURCE_DATE_EPOCH={}", git(folder, &["show", "-s", "--format=%ct", commit])?);
    let uv = uv.display().to_string();
    let words = ["env", &epoch, &uv, "build", "--quiet", "--all-packages", "--out-dir", "dist"];
    Ok(Contestant::new("uv build", folder, &words))
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
