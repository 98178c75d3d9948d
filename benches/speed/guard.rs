//! The small slice that a change must pass: ratios to git and growth by instructions, and one ratio by time.
//!
//! Tests run it with a build whose own code is hardly optimised: its bounds say that nothing became slower, not how
//! fast it is.

use crate::bench::{Bench, plan};
use crate::check;
use crate::instructions::Counter;
use crate::problem::Problem;
use crate::race::Contestant;
use crate::repository::Repository;
use crate::shape::{GUARD, GUARD_LONG, GUARD_MANY};
use crate::table::{Row, number};

/// Instructions of `--version`, as multiples of `git --version`.
const VERSION: f64 = 5.0;
/// Instructions of a plan, as multiples of `git log`.
const PLAN: f64 = 7.0;
/// Instructions after ten times as much history before the last releases, and for ten times the packages.
const HISTORY: f64 = 1.3;
const PACKAGES: f64 = 1.7;
/// The time of a plan, as multiples of `git log`.
const TIME: f64 = 10.0;

pub fn rows(bench: &Bench) -> Result<Vec<Row>, Problem> {
    let counter = Counter::new(bench.scratch())?;
    let lean = counter.lean(&bench.ours)?;
    let count = |label: &str, contestant: &Contestant| {
        let count = counter.count(contestant)?;
        bench.tell(&format!("  {label:<32} {} million instructions", number(count / 1e6)));
        Ok::<_, Problem>(count)
    };
    let [base, long, many] =
        [bench.repository(GUARD)?, bench.repository(GUARD_LONG)?, bench.repository(GUARD_MANY)?];
    let version = count("--version", &Contestant::new("release", bench.scratch(), &[&lean, "--version"]))?;
    let git_version =
        count("git --version", &Contestant::new("git", bench.scratch(), &["git", "--version"]))?;
    let ours = count("plan", &plan(&lean, &base))?;
    let git = count("git log", &Contestant::git_log(&base.folder, &base.range()))?;
    let history = count("plan, 10 × the history", &plan(&lean, &long))?;
    let packages = count("plan, 10 × the packages", &plan(&lean, &many))?;
    let mut rows = vec![
        Row::at_most("--version, instructions", VERSION, "× git --version", version / git_version),
        Row::at_most("plan, instructions", PLAN, "× git log", ours / git),
        Row::at_most("10 × the history, instructions", HISTORY, "×", history / ours),
        Row::at_most("10 × the packages, instructions", PACKAGES, "×", packages / ours),
    ];
    rows.push(time(bench, &base, &[&long, &many])?);
    Ok(rows)
}

/// The time beside git log, in rounds; the plans of the others are looked at too.
fn time(bench: &Bench, base: &Repository, others: &[&Repository]) -> Result<Row, Problem> {
    let mut contestants = vec![bench.plan(base), Contestant::git_log(&base.folder, &base.range())];
    contestants.extend(others.iter().map(|other| bench.plan(other)));
    let times = bench.race(&contestants)?;
    check::plan(&times[0], base)?;
    for (times, other) in times[2..].iter().zip(others) {
        check::plan(times, other)?;
    }
    Ok(Row::at_most("plan, time", TIME, "× git log", times[0].ratio(&times[1])))
}
