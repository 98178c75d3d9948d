//! Whether a ship that is under way may be taken in hand by this run.

use std::collections::BTreeSet;

use crate::apply::lease::{is_same_run, liveness, our_run};
use crate::cli::failure::{Failure, Kind};
use crate::ledger::event::Holder;
use crate::ledger::state::Ship;
use crate::plan::Plan;
use crate::report::words::{held_by, named};
use crate::world::holder::Liveness;

/// What this run was asked for, as far as it may touch another ship.
pub struct Concern<'a> {
    pub tag: Option<&'a str>,
    pub plan: Option<&'a Plan>,
    /// Short names; none where no package was named.
    pub packages: Option<BTreeSet<String>>,
}

impl Concern<'_> {
    /// Whether a ship is about what was asked for. Without a word about it, every ship is.
    fn is_about(&self, digest: &str, ship: &Ship) -> bool {
        if let Some(tag) = self.tag {
            return ship.releases.values().any(|begin| begin.tag == tag);
        }
        if let Some(plan) = self.plan {
            let same = plan.releases.iter().any(|release| ship.releases.contains_key(&release.package));
            return plan.digest.as_str() == digest || same;
        }
        self.packages.as_ref().is_none_or(|packages| ship.releases.keys().any(|name| packages.contains(name)))
    }
}

/// Whether a ship is held by our own CI run as a whole, so that this job does its part of it beside the others.
pub fn may_be_joined(digest: &str, ship: &Ship, concern: &Concern<'_>) -> bool {
    let ours = our_run(&|name| std::env::var_os(name));
    let held = ship.holder.as_ref().zip(ours.as_ref());
    concern.is_about(digest, ship) && held.is_some_and(|(holder, ours)| is_same_run(holder, ours))
}

/// Whether this run takes the ship. One that it is not about is left alone; one that is held by somebody who lives, or
/// of whom nobody knows, stops a run that needs it.
pub async fn may_be_taken(
    digest: &str,
    ship: &Ship,
    concern: &Concern<'_>,
    take_over: bool,
) -> Result<bool, Failure> {
    if !concern.is_about(digest, ship) {
        return Ok(false);
    }
    match &ship.holder {
        Some(holder) => may_take(holder, &named(&ship.releases), take_over).await,
        None => Ok(true),
    }
}

/// Whether what somebody has in hand may be taken from them; `work` says in words what it is.
///
/// # Errors
/// Where the holder lives, or nothing proves that it is dead and nobody said `--take-over`.
pub async fn may_take(holder: &Holder, work: &str, take_over: bool) -> Result<bool, Failure> {
    let what = format!("{} is at work on {work}", held_by(holder));
    match liveness(holder, &|name| std::env::var_os(name)).await {
        Liveness::Dead => Ok(true),
        Liveness::Unknown if take_over => Ok(true),
        Liveness::Alive => {
            Err(Failure::new(Kind::Stale, what)
                .hint("wait for it to end; `release status` shows how far it is"))
        }
        Liveness::Unknown => Err(Failure::new(
            Kind::Stale,
            format!("{what}, or was: nothing seen from here proves that it has ended"),
        )
        .hint("make sure that it has, then say `--take-over`")),
    }
}
