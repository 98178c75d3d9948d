//! Measures this program beside git and beside its peers, on repositories that it makes.
//!
//! Only ratios within one run count. CONTRIBUTING.md says how it is run and what it needs.

#![allow(clippy::print_stdout, clippy::print_stderr, reason = "the benchmark's table is what it prints")]

mod bench;
mod check;
mod guard;
mod history;
mod index;
mod instructions;
mod memory;
mod peers;
mod problem;
mod race;
mod random;
mod repository;
mod rows_build;
mod rows_plan;
mod rows_ship;
mod shape;
mod stream;
mod table;
mod text;

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use clap::{Parser, ValueEnum};

use crate::bench::Bench;
use crate::peers::installed;
use crate::problem::Problem;
use crate::race::Rules;
use crate::table::{Row, Verdict};

/// What is measured in this process allocates as the program does.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Measures `release` beside git and beside its peers.
#[derive(Debug, Parser)]
struct Words {
    /// What is measured; without it, all but the guard
    part: Option<Part>,
    /// How often each contestant runs
    #[arg(long, default_value_t = 7, value_name = "N")]
    rounds: usize,
    /// Keep the generated repositories here, and use those that are there
    #[arg(long, value_name = "DIR")]
    keep: Option<PathBuf>,
    /// Which other programs run beside it
    #[arg(long, default_value = "installed")]
    peers: Peers,
    /// Measure another binary than the one that was built with the benchmark
    #[arg(long, default_value = env!("CARGO_BIN_EXE_release"), hide_default_value = true, value_name = "PATH")]
    binary: PathBuf,
    /// Stop a run after so many seconds
    #[arg(long, default_value_t = 120, value_name = "SECONDS")]
    limit: u64,
    /// The table's shape
    #[arg(long, default_value = "text")]
    output: Output,
    /// Given by cargo
    #[arg(long, hide = true)]
    bench: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Part {
    /// Plans beside git log and other planners
    Plan,
    /// A build of seven packages beside `uv build`
    Build,
    /// A ship of seven packages beside its critical path and beside doing it by hand
    Ship,
    /// The small slice that a change must pass
    Guard,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Peers {
    Installed,
    None,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Output {
    Text,
    Markdown,
}

fn main() -> ExitCode {
    let words = Words::parse();
    match run(&words) {
        Ok(rows) => {
            let table =
                if words.output == Output::Text { table::text(&rows) } else { table::markdown(&rows) };
            print!("{table}");
            let is_over = rows.iter().any(|row| row.verdict == Verdict::Over);
            if words.part == Some(Part::Guard) && is_over { ExitCode::FAILURE } else { ExitCode::SUCCESS }
        }
        Err(problem) => {
            eprintln!("the benchmark stops: {problem}");
            ExitCode::FAILURE
        }
    }
}

fn run(words: &Words) -> Result<Vec<Row>, Problem> {
    let (peers, missing) = match words.peers {
        Peers::Installed => installed(),
        Peers::None => (Vec::new(), Vec::new()),
    };
    for line in missing {
        eprintln!("{line}");
    }
    let limit = Duration::from_secs(words.limit);
    let rules = Rules { rounds: words.rounds.max(1), limit, scratch: PathBuf::new() };
    let bench = Bench::new(&words.binary, words.keep.clone(), rules, peers)?;
    let mut rows = Vec::new();
    if matches!(words.part, None | Some(Part::Plan)) {
        rows.extend(rows_plan::rows(&bench)?);
    }
    if matches!(words.part, None | Some(Part::Build)) {
        rows.extend(rows_build::rows(&bench)?);
    }
    if matches!(words.part, None | Some(Part::Ship)) {
        rows.extend(rows_ship::rows(&bench)?);
    }
    if words.part == Some(Part::Guard) {
        rows.extend(guard::rows(&bench)?);
    }
    Ok(rows)
}
