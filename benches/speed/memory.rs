//! How much anonymous memory a run takes at most: what it allocates, without the pages of files that it maps.
//!
//! The kernel keeps no peak of it, so `RssAnon` in `/proc/PID/status` is read again and again while the program runs,
//! as fast as it goes. A peak shorter than the time between two readings is missed; several runs are made and
//! the highest reading of all counts.

use std::fs;
use std::process::{Command, Stdio};

use crate::problem::Problem;
use crate::race::Contestant;
use crate::repository::quiet;

pub struct Peak {
    pub mebibytes: f64,
    /// The fewest readings of a run.
    pub readings: usize,
}

/// The highest of so many runs.
pub fn peak(contestant: &Contestant, runs: usize) -> Result<Peak, Problem> {
    let mut peak = Peak { mebibytes: 0.0, readings: usize::MAX };
    for _ in 0..runs {
        let words = &contestant.commands[0];
        let mut command = Command::new(&words[0]);
        command.args(&words[1..]).current_dir(&contestant.folder);
        quiet(&mut command).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let mut child = command.spawn()?;
        let status = format!("/proc/{}/status", child.id());
        let mut readings = 0;
        while child.try_wait()?.is_none() {
            if let Some(kibibytes) = fs::read_to_string(&status).ok().and_then(|text| anonymous(&text)) {
                peak.mebibytes = peak.mebibytes.max(kibibytes / 1024.0);
                readings += 1;
            }
        }
        if !child.wait()?.success() {
            return Err(Problem::new(format!("{words:?} failed")));
        }
        peak.readings = peak.readings.min(readings);
    }
    Ok(peak)
}

fn anonymous(status: &str) -> Option<f64> {
    let line = status.lines().find_map(|line| line.strip_prefix("RssAnon:"))?;
    line.trim().strip_suffix(" kB")?.trim().parse().ok()
}
