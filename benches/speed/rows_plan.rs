//! The rows about planning.

use std::time::{Duration, Instant};

use release::survey::affected::affected;
use release::survey::facts::Options;

use crate::bench::Bench;
use crate::check;
use crate::memory::peak;
use crate::peers::Ground;
use crate::problem::Problem;
use crate::race::{Contestant, Rules, Times, median, race};
use crate::repository::{Repository, git};
use crate::shape::{FEW, IDLE, LONG, REAL, S10, S100, S500};
use crate::table::{Row, number};

const GIT_LOG: &str = "× git log";

pub fn rows(bench: &Bench) -> Result<Vec<Row>, Problem> {
    let mut rows = vec![version(bench)?];
    let large = bench.repository(S500)?;
    let real = bench.repository(REAL)?;
    rows.extend(repository(bench, &large, Some(1000.0))?);
    rows.extend(repository(bench, &real, None)?);
    rows.extend(repository(bench, &bench.repository(S100)?, Some(100.0))?);
    rows.extend(repository(bench, &bench.repository(S10)?, None)?);
    rows.push(branch(bench, &large)?);
    rows.push(idle(bench)?);
    rows.extend(growth(bench)?);
    rows.push(memory(bench, "memory, S500", 48.0, &large)?);
    rows.extend(without_tags(bench, &large)?);
    Ok(rows)
}

/// One repository: all packages against git log, and against what the peers take.
fn repository(bench: &Bench, repository: &Repository, looped: Option<f64>) -> Result<Vec<Row>, Problem> {
    let name = &repository.name;
    bench.tell(&repository.size()?);
    let folder = &repository.folder;
    let mut contestants = vec![bench.plan(repository), Contestant::git_log(folder, &repository.range())];
    let ground = if bench.peers.is_empty() {
        None
    } else {
        Some(Ground::of(repository, &bench.scratch().join(format!("{name}-peers")))?)
    };
    for peer in &bench.peers {
        let Some((ground, due)) = ground.as_ref().and_then(|ground| Some((ground, ground.due()?))) else {
            continue;
        };
        contestants.push(ground.one(peer, due));
        if peer.name == "git-cliff" && looped.is_some() {
            contestants.push(ground.looped(peer));
        }
    }
    let times = bench.race(&contestants)?;
    check::plan(&times[0], repository)?;
    let mut rows = Vec::new();
    if name == S500.name || name == REAL.name {
        rows.extend(against_git(name, &times[0], &times[1]));
    }
    rows.push(all_against_one(name, &contestants, &times));
    if let Some(goal) = looped {
        rows.push(all_against_loop(name, goal, &contestants, &times));
    }
    Ok(rows)
}

fn against_git(name: &str, ours: &Times, git: &Times) -> Vec<Row> {
    let work = format!("plan, all packages, {name}");
    if name == S500.name {
        return vec![Row::at_most(work, 0.4, GIT_LOG, ours.ratio(git)).noting(seconds(ours))];
    }
    vec![
        Row::at_most(work.clone(), 1.0, GIT_LOG, ours.ratio(git)),
        Row::at_most(work, 15.0, "ms", ours.median() * 1000.0),
    ]
}

/// The peer that is closest to ours.
fn all_against_one(name: &str, contestants: &[Contestant], times: &[Times]) -> Row {
    let work = format!("all packages against any peer's one, {name}");
    let ours = &times[0];
    let peers = contestants.iter().zip(times).filter(|(contestant, times)| {
        contestant.is_peer && contestant.scale <= 1.0 && times.failed.is_none()
    });
    let closest = peers.min_by(|(_, one), (_, other)| one.median().total_cmp(&other.median()));
    match closest {
        None => Row::unknown(work, "> 1 ×", "no peer"),
        Some((peer, times)) => {
            let label = peer.label.split(',').next().unwrap_or_default();
            Row::at_least(work, 1.0, "×", times.ratio(ours)).noting(label)
        }
    }
}

fn all_against_loop(name: &str, goal: f64, contestants: &[Contestant], times: &[Times]) -> Row {
    let work = format!("against git-cliff in a loop, {name}");
    let looped = contestants.iter().zip(times).find(|(contestant, _)| contestant.scale > 1.0);
    match looped {
        Some((_, looped)) if looped.failed.is_none() => {
            Row::at_least(work, goal, "×", looped.ratio(&times[0])).scaled()
        }
        _ => Row::unknown(work, format!("≥ {} ×", number(goal)), "no git-cliff"),
    }
}

fn idle(bench: &Bench) -> Result<Row, Problem> {
    let idle = bench.repository(IDLE)?;
    bench.tell(&idle.size()?);
    let contestants = [bench.plan(&idle), Contestant::git_log(&idle.folder, &idle.range())];
    let times = bench.race(&contestants)?;
    check::plan(&times[0], &idle)?;
    let row = Row::at_most("nothing to release, S500", 0.4, GIT_LOG, times[0].ratio(&times[1]));
    Ok(row.noting(seconds(&times[0])))
}

/// What a branch of twenty commits affects: the engine alone, in this process.
fn branch(bench: &Bench, large: &Repository) -> Result<Row, Problem> {
    let base = git(&large.folder, &["rev-parse", "HEAD~20"])?;
    let touched = git(&large.folder, &["diff", "--name-only", &base, "HEAD"])?;
    let options = Options { directory: large.folder.clone(), ..Options::default() };
    let mut milliseconds = Vec::new();
    for _ in 0..=bench.rules.rounds {
        let begun = Instant::now();
        let answer = affected(&options, &base).map_err(|error| Problem::new(error.to_string()))?;
        milliseconds.push(begun.elapsed().as_secs_f64() * 1000.0);
        let is_touched = |name: &String| touched.contains(&format!("/{name}/"));
        if answer.changed.is_empty() || !answer.changed.iter().all(is_touched) {
            return Err(Problem::new(format!("{:?} are not what {base} to HEAD touches", answer.changed)));
        }
    }
    // The first one warms up.
    milliseconds.remove(0);
    Ok(Row::at_most("affected packages, 20 commits, S500", 30.0, "ms", median(milliseconds)))
}

fn growth(bench: &Bench) -> Result<[Row; 2], Problem> {
    let repositories = [bench.repository(S100)?, bench.repository(LONG)?, bench.repository(FEW)?];
    let mut contestants = Vec::new();
    for repository in &repositories {
        bench.tell(&repository.size()?);
        contestants.push(bench.plan(repository));
    }
    let times = bench.race(&contestants)?;
    for (times, repository) in times.iter().zip(&repositories) {
        check::plan(times, repository)?;
    }
    Ok([
        Row::at_most("growth, 10 × the history", 1.5, "×", times[1].ratio(&times[0])),
        Row::at_most("growth, 10 × the packages", 1.3, "×", times[0].ratio(&times[2])),
    ])
}

fn version(bench: &Bench) -> Result<Row, Problem> {
    let folder = bench.scratch();
    let contestants = [
        Contestant::new("release --version", folder, &[&bench.ours, "--version"]),
        Contestant::new("git --version", folder, &["git", "--version"]),
    ];
    // A run takes a millisecond: what disturbs it shows in few rounds.
    let rules = Rules { rounds: bench.rules.rounds * 10, ..bench.rules.clone() };
    let times = race(&contestants, &rules)?;
    Ok(Row::at_most("--version", 2.0, "× git --version", times[0].ratio(&times[1])))
}

/// All of history: the packages' first releases.
fn without_tags(bench: &Bench, large: &Repository) -> Result<[Row; 2], Problem> {
    let bare = large.without_tags(&bench.scratch().join("without-tags"))?;
    bench.tell(&bare.size()?);
    let contestants = [bench.plan(&bare), Contestant::git_log(&bare.folder, "HEAD")];
    let rules =
        Rules { rounds: bench.rules.rounds.min(3), limit: Duration::from_secs(600), ..bench.rules.clone() };
    let times = race(&contestants, &rules)?;
    check::plan(&times[0], &bare)?;
    let row = Row::at_most("plan, S500 without tags", 0.2, GIT_LOG, times[0].ratio(&times[1]));
    Ok([row.noting(seconds(&times[0])), memory(bench, "memory, S500 without tags", 96.0, &bare)?])
}

fn memory(bench: &Bench, work: &str, goal: f64, repository: &Repository) -> Result<Row, Problem> {
    let peak = peak(&bench.plan(repository), 3)?;
    let row = Row::at_most(work, goal, "MiB", peak.mebibytes);
    Ok(row.noting(format!("{} readings", peak.readings)))
}

fn seconds(times: &Times) -> String {
    format!("{} s", number(times.median()))
}
