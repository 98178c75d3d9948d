//! The stages of a ship: how far it goes before it stops of its own will.

use crate::plan::step::Action;

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
