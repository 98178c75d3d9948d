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

/// Whether a step mostly waits for a server, so that many of them go on at once.
pub fn is_upload(action: &Action) -> bool {
    matches!(action, Action::Stash { .. } | Action::Publish { .. } | Action::Push { .. })
}

/// The same of a step's name.
pub fn is_named_upload(id: &str) -> bool {
    ["stash:", "publish:", "push:"].iter().any(|kind| id.starts_with(kind))
}
