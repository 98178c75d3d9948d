//! How many instructions a run takes, counted by valgrind: the same on a busy machine and an idle one.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::peers::program;
use crate::problem::Problem;
use crate::race::Contestant;
use crate::repository::run;

pub struct Counter {
    scratch: PathBuf,
}

impl Counter {
    /// A counter that writes below this folder.
    pub fn new(scratch: &Path) -> Result<Counter, Problem> {
        match program("valgrind") {
            Some(_) => Ok(Counter { scratch: scratch.to_owned() }),
            None => {
                Err(Problem::new("valgrind is not on the path; install it (Debian: `apt install valgrind`)"))
            }
        }
    }

    /// All instructions of a run, those of its threads too, those of programs that it starts not.
    #[expect(clippy::cast_precision_loss, reason = "only ratios are made of it")]
    pub fn count(&self, contestant: &Contestant) -> Result<f64, Problem> {
        let log = self.scratch.join("instructions");
        let mut counting = Command::new("valgrind");
        counting.args(["--tool=callgrind", "--callgrind-out-file=/dev/null"]);
        counting.arg(format!("--log-file={}", log.display()));
        run(counting.args(&contestant.commands[0]).current_dir(&contestant.folder))?;
        let said = fs::read_to_string(&log)?;
        let line = said.lines().find_map(|line| line.split_once("Collected :"));
        let count = line.and_then(|(_, count)| count.trim().parse::<u64>().ok());
        count
            .map(|count| count as f64)
            .ok_or_else(|| Problem::new(format!("valgrind counted nothing: {said}")))
    }

    /// A copy of the binary without what only a debugger reads, of which valgrind would read megabytes.
    pub fn lean(&self, binary: &str) -> Result<String, Problem> {
        let lean = self.scratch.join("release").display().to_string();
        run(Command::new("strip").args(["--strip-debug", "-o", &lean, binary]))?;
        Ok(lean)
    }
}
