//! The stages of a ship: how far it goes before it stops of its own will; and how many steps go on at once.

use crate::plan::step::Action;

/// How many packages are on their way to an index at once.
const UPLOADS: usize = 16;

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Stage {
    Build,
    Seal,
    Claim,
    /// The sealed files are kept where others find them.
    Stash,
    Publish,
    Smoke,
    Announce,
    /// Pull requests and issues hear of the releases.
    Tell,
}

impl Stage {
    /// The stage that a step belongs to.
    pub fn of(action: &Action) -> Stage {
        match action {
            Action::Commit { .. }
            | Action::Merged { .. }
            | Action::Tag { .. }
            | Action::Build { .. }
            | Action::Image { .. } => Stage::Build,
            Action::Seal => Stage::Seal,
            Action::Claim { .. } => Stage::Claim,
            Action::Stash { .. } => Stage::Stash,
            Action::Publish { .. } | Action::Push { .. } => Stage::Publish,
            Action::Smoke { .. } => Stage::Smoke,
            Action::Announce { .. } => Stage::Announce,
            Action::Tell { .. } => Stage::Tell,
        }
    }
}

/// What a step is counted with, where there are limits to how many go on at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lane {
    /// It takes its turn itself where it needs a processor (`Workbench::turn`).
    Build,
    /// It mostly waits for a server.
    Upload,
    Other,
}

impl Lane {
    /// The lane of the step with this name.
    pub fn of(id: &str) -> Lane {
        match id.split_once(':').map(|(kind, _)| kind) {
            Some("build") => Lane::Build,
            Some("stash" | "publish" | "push") => Lane::Upload,
            _ => Lane::Other,
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn builds_and_uploads_have_lanes_of_their_own() {
        let lanes = ["build:a", "publish:a", "push:a", "stash:a"].map(Lane::of);
        assert_eq!(lanes, [Lane::Build, Lane::Upload, Lane::Upload, Lane::Upload]);
        for other in
            ["commit", "tag:a", "image:a", "seal", "claim", "smoke:a", "announce:a", "builds:a", "build"]
        {
            assert_eq!(Lane::of(other), Lane::Other, "{other}");
        }
        assert_eq!([Lane::Build, Lane::Upload, Lane::Other].map(|lane| lane.width(3)), [6, 16, 3]);
    }
}
