//! What a run of the benchmark has at hand: repositories, peers, rules, a place for what is thrown away.

use std::fs;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use crate::peers::Peer;
use crate::problem::Problem;
use crate::race::{Contestant, Rules, Times, race};
use crate::repository::Repository;
use crate::shape::Shape;
use crate::table::number;

pub struct Bench {
    /// The binary that is measured.
    pub ours: String,
    pub rules: Rules,
    pub peers: Vec<Peer>,
    /// Where the generated repositories are.
    kept: PathBuf,
    scratch: TempDir,
}

impl Bench {
    /// Repositories are kept in the folder; without one they go with the value.
    pub fn new(
        ours: &Path,
        keep: Option<PathBuf>,
        mut rules: Rules,
        peers: Vec<Peer>,
    ) -> Result<Bench, Problem> {
        let around = keep.clone().unwrap_or_else(std::env::temp_dir);
        fs::create_dir_all(&around)?;
        let scratch =
            tempfile::Builder::new().prefix("release-speed-").tempdir_in(fs::canonicalize(around)?)?;
        let kept = match keep {
            Some(folder) => fs::canonicalize(folder)?,
            None => scratch.path().to_owned(),
        };
        let ours = fs::canonicalize(ours)?.display().to_string();
        rules.scratch = scratch.path().to_owned();
        Ok(Bench { ours, rules, peers, kept, scratch })
    }

    /// The plan of all packages, by the binary that is measured.
    pub fn plan(&self, repository: &Repository) -> Contestant {
        plan(&self.ours, repository)
    }

    pub fn repository(&self, shape: Shape) -> Result<Repository, Problem> {
        Repository::of(shape, &self.kept)
    }

    pub fn scratch(&self) -> &Path {
        self.scratch.path()
    }

    pub fn peer(&self, name: &str) -> Option<&Peer> {
        self.peers.iter().find(|peer| peer.name == name)
    }

    /// Lets them run and says how long each took.
    pub fn race(&self, contestants: &[Contestant]) -> Result<Vec<Times>, Problem> {
        let all = race(contestants, &self.rules)?;
        for (contestant, times) in contestants.iter().zip(&all) {
            let scaled = if contestant.scale > 1.0 { "~ " } else { "" };
            let took = match (&times.failed, times.over) {
                (Some(said), _) => format!("failed: {said}"),
                (None, Some(seconds)) => format!("> {} s", number(seconds)),
                (None, None) => {
                    format!("{scaled}{} s, {} × ours", number(times.median()), number(times.ratio(&all[0])))
                }
            };
            self.tell(&format!("  {:<32} {took}", contestant.label));
        }
        Ok(all)
    }

    /// What goes on, apart from the table.
    pub fn tell(&self, line: &str) {
        eprintln!("{line}");
    }
}

/// The plan of all packages, by this binary.
pub fn plan(binary: &str, repository: &Repository) -> Contestant {
    Contestant::new("release plan", &repository.folder, &[binary, "plan", "--output", "json"])
}
