//! What the gates of an environment are asked about, from the ledger, the configuration and git.

use crate::check::gate::{After, GateFacts, Order, Window};
use crate::ledger::state::State;
use crate::plan::deployment::{Item, Placed};
use crate::survey::environments::EnvironmentSettings;
use crate::world::git::Repository;

/// What the outside says of one item.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Seen {
    /// What runs there though the ledger says another thing.
    pub drift: Option<String>,
    /// Why a failure could not go back.
    pub no_return: Option<String>,
}

/// The moment, and who asks.
#[derive(Debug, Clone, Copy)]
pub struct Asked<'a> {
    /// Seconds since 1970 (UTC).
    pub now: i64,
    /// As the ledger writes persons.
    pub who: &'a str,
    pub window: &'a Window,
}

/// The facts for one item of a deployment or promotion.
pub fn gate_facts(
    environment: &EnvironmentSettings,
    state: &State,
    repository: &Repository,
    item: &Item,
    seen: &Seen,
    asked: Asked<'_>,
) -> GateFacts {
    let release = &item.release;
    let package = release.package.as_str();
    let here = state.environments.get(&environment.name);
    let slot = here.and_then(|known| known.slot(package));
    let digest = release.digest();
    let held = slot.and_then(|slot| slot.held.get(digest.as_str()));
    let withdrawal = state.withdrawal(package, &release.version);
    // Nobody approves what they carry out themselves.
    let approvers = state.approvers(&environment.name, package, digest.as_str());
    let approved_by = approvers.into_iter().filter(|who| *who != asked.who).map(str::to_owned).collect();
    GateFacts {
        now: asked.now,
        halted: state.halted(Some(&environment.name), Some(package)).map(|halt| halt.reason.clone()),
        locked: here.and_then(|known| known.locked.as_ref()).map(|stop| stop.reason.clone()),
        held: held.map(|hold| hold.reason.clone()),
        withdrawn: withdrawal.map(|known| known.reason.clone()),
        after: after(environment, state, release),
        approvals_needed: environment.table.approvals.unwrap_or(0),
        approved_by,
        window: asked.window.clone(),
        order: order(repository, item.before.as_ref(), release),
        drift: seen.drift.clone(),
        no_return: seen.no_return.clone(),
    }
}

/// Since when the same release is verified in the environment before.
fn after(environment: &EnvironmentSettings, state: &State, release: &Placed) -> Option<After> {
    let before = environment.table.after.as_ref()?;
    let slot = state.environments.get(before).and_then(|known| known.slot(&release.package));
    let current =
        slot.and_then(|slot| slot.current.as_ref()).filter(|current| is_same(&current.release, release));
    Some(After {
        environment: before.clone(),
        verified: current.and_then(|current| current.verified),
        soak: environment.table.soak.map_or(0, |soak| soak.seconds),
    })
}

/// The same bytes; where one environment runs the image and the other the files, the same release.
fn is_same(one: &Placed, other: &Placed) -> bool {
    match one.artifact.kind() == other.artifact.kind() {
        true => one.digest() == other.digest(),
        false => one.package == other.package && one.version == other.version && one.commit == other.commit,
    }
}

/// By ancestry, never by time: what runs must not be built on what comes.
fn order(repository: &Repository, before: Option<&Placed>, release: &Placed) -> Order {
    let Some(before) = before.filter(|before| before.commit != release.commit) else { return Order::Forward };
    match repository.is_ancestor(&release.commit, &before.commit) {
        Ok(true) => Order::Backward,
        Ok(false) => Order::Forward,
        Err(_) => Order::Unknown,
    }
}
