//! From the claim on, a ship belongs to the CI: what this run does to hand it over.

use crate::cli::failure::Failure;
use crate::cli::ship::Shipping;
use crate::cli::watch::Watch;
use crate::plan::Plan;
use crate::world::files::Lock;

impl Shipping<'_> {
    /// Leaves a claimed ship to the CI, and follows what becomes of it where that was asked for. This repository is free for
    /// other work meanwhile.
    pub(in crate::cli) async fn hand_over(&mut self, plan: &Plan, lock: Lock, code: u8) -> Result<u8, Failure> {
        let Some(limit) = self.verb.relay.watch else {
            self.print_answer(None);
            return Ok(code);
        };
        drop(lock);
        let mut watch = Watch {
            global: self.global,
            streams: self.streams,
            home: self.home,
            plan,
            limit,
            output: self.verb.output,
            interrupt: self.interrupt.clone(),
        };
        watch.follow().await
    }
}
