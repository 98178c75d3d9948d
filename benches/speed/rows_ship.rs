//! The rows about shipping: seven packages to an index that answers after a while, beside what it takes by hand.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use serde_json::Value;

use crate::bench::Bench;
use crate::index::Index;
use crate::peers::{Ground, Peer, program};
use crate::problem::Problem;
use crate::race::{Contestant, Times, once};
use crate::repository::{Repository, git, run};
use crate::shape::SHIP;
use crate::table::{Row, number};

/// How long the index takes over a file.
const DELAY: Duration = Duration::from_millis(300);
/// The files of a package: a project's files are sent one after another, as PyPI asks for.
const FILES: f64 = 2.0;

/// The runs of a round: seven packages, one of them, and seven by the peers.
#[derive(Default)]
struct Ships {
    seven: Times,
    one: Times,
    peers: Times,
}

pub fn rows(bench: &Bench) -> Result<Vec<Row>, Problem> {
    let source = bench.repository(SHIP)?;
    let index = Index::start(DELAY)?;
    let config = bench.scratch().join("ship.toml");
    let (upload, simple) = (index.upload(), index.simple());
    fs::write(
        &config,
        format!(
            "[workspace]\npackages = [\"packages/*\"]\n\n[index.slow]\nupload = \"{upload}\"\nsimple = \"{simple}\"\n\
             auth = \"none\"\n"
        ),
    )?;
    let levels = levels(bench, &source, &config)?;
    let by_hand = program("uv").zip(bench.peer("git-cliff"));
    let mut ships = Ships::default();
    for round in 0..=bench.rules.rounds {
        if round == 1 {
            ships = Ships::default();
        }
        let place = Place::new(&source, bench.scratch())?;
        once(&ship(bench, &place.work, &config, &[]), &bench.rules, false, &mut ships.seven)?;
        whole(&ships.seven, &index.take(), &place.work)?;
        let place = Place::new(&source, bench.scratch())?;
        once(&ship(bench, &place.work, &config, &["-p", "pkg-000"]), &bench.rules, false, &mut ships.one)?;
        index.take();
        if let Some((uv, cliff)) = &by_hand {
            let contestant = peers(uv, cliff, &source, &bench.scratch().join("by-hand"), &upload)?;
            once(&contestant, &bench.rules, false, &mut ships.peers)?;
            index.take();
        }
    }
    Ok(told(bench, &ships, levels, by_hand.is_some()))
}

fn told(bench: &Bench, ships: &Ships, levels: usize, is_by_hand: bool) -> Vec<Row> {
    let path = ships.one.median() + FILES * DELAY.as_secs_f64() * (levels - 1) as f64;
    let seven = ships.seven.median();
    bench.tell(&format!(
        "  ship of 7: {} s; of one: {} s; {levels} levels, so that the critical path is {} s; by hand: {} s",
        number(seven),
        number(ships.one.median()),
        number(path),
        number(ships.peers.median()),
    ));
    let hand = "ship of 7 against git-cliff, uv build, uv publish";
    vec![
        Row::at_most("ship of 7 packages", 1.25, "× critical path", seven / path)
            .noting(format!("{} s", number(seven))),
        match ships.peers.trouble() {
            None if is_by_hand => Row::at_least(hand, 8.0, "×", ships.peers.ratio(&ships.seven)),
            trouble => Row::unknown(hand, "≥ 8 ×", trouble.unwrap_or("needs git-cliff and uv".to_owned())),
        },
    ]
}

/// A clone, and the bare repository that it pushes to.
struct Place {
    work: PathBuf,
}

impl Place {
    fn new(source: &Repository, scratch: &Path) -> Result<Place, Problem> {
        let (bare, work) = (scratch.join("ship.git"), scratch.join("ship"));
        for folder in [&bare, &work] {
            let _ = fs::remove_dir_all(folder);
        }
        run(Command::new("git").args(["clone", "--quiet", "--bare"]).arg(&source.folder).arg(&bare))?;
        run(Command::new("git").args(["clone", "--quiet"]).arg(&bare).arg(&work))?;
        Ok(Place { work })
    }
}

fn ship(bench: &Bench, work: &Path, config: &Path, more: &[&str]) -> Contestant {
    let config = config.display().to_string();
    let words = [&bench.ours, "--config", &config, "ship", "--yes", "--index", "slow", "--until", "publish"];
    Contestant::new("release ship", work, &[words.as_slice(), more].concat())
}

/// Every package was uploaded, twice: a wheel and what it is built from.
fn whole(times: &Times, files: &BTreeMap<String, String>, work: &Path) -> Result<(), Problem> {
    if let Some(trouble) = times.trouble() {
        return Err(Problem::new(format!("the ship of 7 packages {trouble}")));
    }
    let tags = git(work, &["tag", "--points-at", "HEAD"])?.lines().count();
    if files.len() == 2 * SHIP.packages && tags == SHIP.packages {
        return Ok(());
    }
    Err(Problem::new(format!("the ship of 7 packages made {tags} tags and {} files", files.len())))
}

/// How many uploads wait for another at most: the longest chain of packages that require one another.
fn levels(bench: &Bench, source: &Repository, config: &Path) -> Result<usize, Problem> {
    let mut planning = Command::new(&bench.ours);
    planning.arg("--config").arg(config).args(["plan", "--index", "slow", "--output", "json"]);
    let plan = run(planning.current_dir(&source.folder))?;
    let plan: Value = serde_json::from_str(&plan).map_err(|error| Problem::new(error.to_string()))?;
    let steps = plan["steps"].as_array().ok_or_else(|| Problem::new("a plan without steps"))?;
    let mut above: BTreeMap<&str, usize> = BTreeMap::new();
    // A step stands after all that it needs.
    for step in steps {
        let id = step["id"].as_str().unwrap_or_default();
        let needs = step["needs"].as_array().into_iter().flatten().filter_map(Value::as_str);
        let before = needs.filter_map(|need| above.get(need)).max().copied().unwrap_or(0);
        above.insert(id, before + usize::from(id.starts_with("publish:")));
    }
    Ok(above.values().max().copied().unwrap_or(0).max(1))
}

/// Notes and versions package by package, then all builds, then all uploads.
fn peers(
    uv: &Path,
    cliff: &Peer,
    source: &Repository,
    folder: &Path,
    upload: &str,
) -> Result<Contestant, Problem> {
    let ground = Ground::of(source, folder)?;
    let uv = uv.display().to_string();
    let words = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect::<Vec<String>>();
    let mut commands: Vec<Vec<String>> =
        source.known.packages.keys().map(|name| ground.command(cliff, name)).collect();
    commands.push(words(&[&uv, "build", "--quiet", "--all-packages", "--out-dir", "dist"]));
    let publish = [&uv, "publish", "--quiet", "--trusted-publishing", "never", "--publish-url", upload];
    commands
        .push(words(&[publish.as_slice(), &["--username", "ada", "--password", "none", "dist/*"]].concat()));
    Ok(Contestant {
        label: "by hand".to_owned(),
        folder: folder.to_owned(),
        commands,
        scale: 1.0,
        is_peer: true,
    })
}
