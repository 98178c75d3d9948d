//! How a ship stands when it comes to its end.

use crate::apply::effect::StepError;
use crate::apply::ship::{Engine, Told};
use crate::apply::stage::Stage;
use crate::world::store::error::StoreError;

impl Engine<'_> {
    /// Whether somebody else has taken the ship: then nothing of ours is written any more.
    pub(in crate::apply::ship) fn lost_the_ship(&self) -> bool {
        let fenced = |error: &StepError| matches!(error, StepError::Fenced(fenced) if fenced.is_final());
        self.failed.iter().any(|(_, error)| fenced(error))
    }

    /// Whether somebody else's links left no room for our claim.
    pub(in crate::apply::ship) fn is_overtaken(&self) -> bool {
        let overtaken = |error: &StepError| matches!(error, StepError::Overtaken { .. });
        self.failed.iter().any(|(step, error)| step == "claim" && overtaken(error))
    }

    /// Whether a push was sent and nobody knows what became of it.
    pub(in crate::apply::ship) fn is_unknown_claim(&self) -> bool {
        self.failed.iter().any(|(step, error)| {
            step == "claim" && matches!(error, StepError::Remote(StoreError::Unreachable { .. }))
        })
    }

    pub(in crate::apply::ship) fn is_claimed_here(&self) -> bool {
        self.workshop.remote.is_none() && self.workshop.is_claimed(self.plan, self.ship())
    }

    /// A run that was to end with the claim has done so; that its files are not kept costs a later one a build.
    pub(in crate::apply::ship) fn excuse_stash(&mut self) {
        if self.until != Some(Stage::Stash) {
            return;
        }
        let is_excused = |step: &str, error: &StepError| {
            let conflict = matches!(error, StepError::Release(error) if error.is_conflict());
            step.starts_with("stash:") && !conflict
        };
        for (step, error) in self.failed.extract_if(.., |(step, error)| is_excused(step, error)) {
            let package = step.trim_start_matches("stash:");
            let remark =
                format!("the files of {package} are not kept at GitHub, and are built again: {error}");
            (self.tell)(Told::Remark(&remark));
        }
    }
}
