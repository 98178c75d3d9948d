//! Tells the listeners of the configuration what happened.

use std::sync::Mutex;

use crate::apply::hooks::{Happening, Patience, tell};
use crate::apply::rollout::Outcome;
use crate::ledger::event::{Ending, Scope, What};
use crate::plan::deployment::{Deployment, Item};
use crate::workspace::config::hook::{HookTable, Occasion};
use crate::world::clock;
use crate::world::variable::of_this_process;

/// Tells how a deployment ended, package by package. What could not be told is a remark.
pub async fn tell_outcome(hooks: &[HookTable], deployment: &Deployment, outcome: &Outcome) -> Vec<String> {
    let (occasion, reason) = match outcome {
        Outcome::Ended { ending: Ending::Verified, reason } => (Occasion::Verified, reason),
        Outcome::Ended { ending: Ending::RolledBack, reason } => (Occasion::RolledBack, reason),
        Outcome::Ended { ending: Ending::RollbackFailed | Ending::Failed, reason } => {
            (Occasion::RollbackFailed, reason)
        }
        Outcome::Undecided { reason } => (Occasion::Paused, reason),
        _ => return Vec::new(),
    };
    let remarks = Mutex::new(Vec::new());
    for item in &deployment.items {
        let mut happening = Happening::new(occasion, &deployment.environment, clock::now());
        let digest = item.release.digest();
        happening.package = Some(&item.release.package);
        happening.version = Some(&item.release.version);
        happening.digest = Some(digest.as_str());
        happening.from = before(item);
        happening.kind = Some(deployment.kind);
        happening.reason = (!reason.is_empty()).then(|| reason.clone());
        happening.deployment = Some(deployment.digest.as_str());
        say(hooks, occasion, &happening, &remarks).await;
    }
    remarks.into_inner().unwrap_or_default()
}

/// Tells a person's order, where it is a halt or its end.
pub async fn tell_order(hooks: &[HookTable], what: &What) -> Vec<String> {
    let (occasion, scope, reason) = match what {
        What::Halted { scope, reason } => (Occasion::Halted, scope, reason),
        What::Resumed { scope, reason } => (Occasion::Resumed, scope, reason),
        _ => return Vec::new(),
    };
    let (environment, package) = match scope {
        Scope::All => ("", None),
        Scope::Environment(name) => (name.as_str(), None),
        Scope::Package(name) => ("", Some(name.as_str())),
    };
    let remarks = Mutex::new(Vec::new());
    let mut happening = Happening::new(occasion, environment, clock::now());
    happening.package = package;
    happening.reason = Some(reason.clone());
    say(hooks, occasion, &happening, &remarks).await;
    remarks.into_inner().unwrap_or_default()
}

async fn say(
    hooks: &[HookTable],
    occasion: Occasion,
    happening: &Happening<'_>,
    remarks: &Mutex<Vec<String>>,
) {
    let remark = |text: &str| {
        if let Ok(mut remarks) = remarks.lock() {
            remarks.push(text.to_owned());
        }
    };
    tell(hooks, occasion, happening, &of_this_process(), Patience::default(), &remark).await;
}

fn before(item: &Item) -> Option<&str> {
    item.before.as_ref().map(|before| before.version.as_str())
}
