//! How many steps of a ship go on at once.

use crate::plan::step::Action;

/// How many packages are on their way to an index at once.
const UPLOADS: usize = 16;

/// What a step is counted with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lane {
    /// It takes its turn itself where it needs a processor (`Workbench::build`).
    Build,
    /// It mostly waits for a server.
    Upload,
    Other,
}

impl Lane {
    pub fn of(action: &Action) -> Lane {
        match action {
            Action::Build { .. } => Lane::Build,
            Action::Stash { .. } | Action::Publish { .. } | Action::Push { .. } => Lane::Upload,
            Action::Commit { .. }
            | Action::Merged { .. }
            | Action::Tag { .. }
            | Action::Image { .. }
            | Action::Seal
            | Action::Claim { .. }
            | Action::Smoke { .. }
            | Action::Announce { .. }
            | Action::Tell { .. } => Lane::Other,
        }
    }

    /// How many of its steps go on at once, where `jobs` processors are to be busy.
    pub fn width(self, jobs: usize) -> usize {
        match self {
            // While one waits for its environment or handles files, another one has its turn.
            Lane::Build => 2 * jobs,
            Lane::Upload => UPLOADS,
            Lane::Other => jobs,
        }
    }
}
