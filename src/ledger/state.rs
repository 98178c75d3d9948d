//! What the events add up to.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::ledger::environments::{Environment, Rollout};
use crate::ledger::event::{Begin, Event, Holder, StepFailure, What};
use crate::ledger::mirrors::Mirror;
use crate::ledger::orders::{Approval, Halt, Hotfix, Withdrawn};
use crate::plan::digest::Digest;

/// The format number this program writes.
pub const FORMAT: u32 = 3;
/// The oldest format it reads: 1 had no leases, and nothing closed; 2 had no environments.
pub const OLDEST: u32 = 1;

/// The name of a package's image among what is sealed. No file of an index is called so.
pub const IMAGE: &str = "image";

/// The state of all ships after some number of events.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct State {
    pub format: u32,
    /// How many events were folded.
    pub events: u64,
    /// Ships that are neither finished nor given up, by plan digest.
    pub in_flight: BTreeMap<String, Ship>,
    /// The last finished release of each package, by short name.
    pub released: BTreeMap<String, Released>,
    /// Plans that are finished, with the time of their last event.
    pub finished: BTreeMap<String, i64>,
    /// Claimed ships that shall never be finished, by plan digest.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub closed: BTreeMap<String, Closed>,
    /// What runs where.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub environments: BTreeMap<String, Environment>,
    /// Deployments under way, by their digest.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub rollouts: BTreeMap<String, Rollout>,
    /// Deployments that GitHub is to show, until it shows their ends; by their digest.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub mirrors: BTreeMap<String, Mirror>,
    /// What a person stopped.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub halts: Vec<Halt>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub approvals: Vec<Approval>,
    /// Published releases that shall run nowhere.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub withdrawn: Vec<Withdrawn>,
    /// Lines for mending that the main line has not taken up yet.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub hotfixes: Vec<Hotfix>,
}

impl Default for State {
    fn default() -> State {
        State {
            format: FORMAT,
            events: 0,
            in_flight: BTreeMap::new(),
            released: BTreeMap::new(),
            finished: BTreeMap::new(),
            closed: BTreeMap::new(),
            environments: BTreeMap::new(),
            rollouts: BTreeMap::new(),
            mirrors: BTreeMap::new(),
            halts: Vec::new(),
            approvals: Vec::new(),
            withdrawn: Vec::new(),
            hotfixes: Vec::new(),
        }
    }
}

/// One ship under way.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ship {
    /// When it began, seconds since 1970 (UTC).
    pub began: i64,
    /// Who began it.
    pub who: String,
    pub releases: BTreeMap<String, Begin>,
    pub steps: BTreeMap<String, StepState>,
    /// How often it was taken in hand; the number of the last lease.
    #[serde(default)]
    pub epoch: u64,
    /// Who has it in hand.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub holder: Option<Holder>,
}

impl Ship {
    pub fn has_done(&self, step: &str) -> bool {
        matches!(self.steps.get(step), Some(StepState::Succeeded { .. }))
    }

    /// The sealed files of a package and their digests, by name; none before the seal. Its image is not among them.
    pub fn sealed(&self, package: &str) -> BTreeMap<&str, &str> {
        let sealed = self.evidence("seal").into_iter().flatten();
        let own = sealed.filter_map(|(path, digest)| {
            let name = path.strip_prefix(package)?.strip_prefix('/')?;
            (name != IMAGE).then_some((name, digest.as_str()))
        });
        own.collect()
    }

    /// The digest that a package's image was sealed with; none before the seal, or where it has no image.
    pub fn sealed_image(&self, package: &str) -> Option<&str> {
        self.evidence("seal")?.get(&format!("{package}/{IMAGE}")).map(String::as_str)
    }

    /// What a step left as evidence, where it is done.
    pub fn evidence(&self, step: &str) -> Option<&BTreeMap<String, String>> {
        match self.steps.get(step) {
            Some(StepState::Succeeded { evidence }) => Some(evidence),
            _ => None,
        }
    }
}

/// How far one step is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "kebab-case")]
pub enum StepState {
    Started,
    Succeeded {
        #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
        evidence: BTreeMap<String, String>,
    },
    Failed {
        failure: StepFailure,
    },
}

/// A finished release.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Released {
    pub version: String,
    pub tag: String,
    pub index: String,
    /// The release commit; none where an older program wrote it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub commit: Option<String>,
    /// Digest by file name.
    pub files: BTreeMap<String, String>,
    /// Its container image, where it has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub image: Option<ReleasedImage>,
    /// When it was finished, seconds since 1970 (UTC).
    pub time: i64,
    pub plan: String,
}

/// An image in a registry.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReleasedImage {
    /// `ghcr.io/acme/mlops`.
    pub repository: String,
    /// Of its manifest or index: `sha256:…`.
    pub digest: String,
}

/// A claimed ship that shall never be finished.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Closed {
    pub releases: BTreeMap<String, Begin>,
    pub reason: String,
    /// When, seconds since 1970 (UTC).
    pub time: i64,
}

/// An event that can not follow what was before.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LedgerError {
    #[error("ledger event {number} can not follow: {reason}")]
    Order { number: u64, reason: String },
    #[error("the ledger has format {found}; this program reads formats {OLDEST} to {FORMAT}")]
    Format { found: u32 },
}

impl State {
    /// Reads the state that a ledger commit holds.
    ///
    /// # Errors
    /// Where the format is another one, or the text is no state.
    pub fn read(text: &[u8]) -> Result<State, LedgerError> {
        #[derive(Deserialize)]
        struct Head {
            format: u32,
        }
        let broken = |error: serde_json::Error| LedgerError::Order { number: 0, reason: error.to_string() };
        let head: Head = serde_json::from_slice(text).map_err(broken)?;
        if !(OLDEST..=FORMAT).contains(&head.format) {
            return Err(LedgerError::Format { found: head.format });
        }
        let read: State = serde_json::from_slice(text).map_err(broken)?;
        Ok(State { format: FORMAT, ..read })
    }

    /// Folds all events from the beginning.
    ///
    /// # Errors
    /// At the first event in an illegal order.
    pub fn replay<'e>(events: impl IntoIterator<Item = &'e Event>) -> Result<State, LedgerError> {
        events.into_iter().try_fold(State::default(), |state, event| state.with(event))
    }

    /// Every release that was ever finished, by package and version.
    ///
    /// # Errors
    /// At the first event in an illegal order.
    pub fn releases<'e>(
        events: impl IntoIterator<Item = &'e Event>,
    ) -> Result<BTreeMap<String, BTreeMap<String, Released>>, LedgerError> {
        let mut state = State::default();
        let mut releases: BTreeMap<String, BTreeMap<String, Released>> = BTreeMap::new();
        for event in events {
            let packages: Vec<String> = match &event.what {
                What::Finished { .. } => {
                    let ship = state.in_flight.get(event.plan.as_str());
                    ship.map(|ship| ship.releases.keys().cloned().collect()).unwrap_or_default()
                }
                _ => Vec::new(),
            };
            state = state.with(event)?;
            for package in packages {
                if let Some(released) = state.released.get(&package) {
                    let versions = releases.entry(package).or_default();
                    versions.insert(released.version.clone(), released.clone());
                }
            }
        }
        Ok(releases)
    }

    /// The state after one more event.
    ///
    /// # Errors
    /// Where the event can not follow.
    pub fn with(mut self, event: &Event) -> Result<State, LedgerError> {
        if event.number != self.events + 1 {
            let reason = format!("expected number {}", self.events + 1);
            return Err(LedgerError::Order { number: event.number, reason });
        }
        self.events = event.number;
        self.take(event).map_err(|reason| LedgerError::Order { number: event.number, reason })?;
        Ok(self)
    }

    /// The ship under way that releases one of these packages.
    pub fn releasing<'s>(&'s self, packages: &BTreeMap<String, Begin>) -> Option<(&'s str, &'s Ship)> {
        let same = |ship: &Ship| packages.keys().any(|package| ship.releases.contains_key(package));
        self.in_flight.iter().find(|(_, ship)| same(ship)).map(|(plan, ship)| (plan.as_str(), ship))
    }

    /// The lease of a ship or a deployment that is under way: its number, and who has it.
    pub fn lease(&self, plan: &Digest) -> Option<(u64, Option<&Holder>)> {
        let ship = self.in_flight.get(plan.as_str()).map(|ship| (ship.epoch, ship.holder.as_ref()));
        let rollout =
            || self.rollouts.get(plan.as_str()).map(|rollout| (rollout.epoch, rollout.holder.as_ref()));
        ship.or_else(rollout)
    }

    /// Whether an event tells of a step of a ship that is done already.
    pub fn has_done(&self, plan: &Digest, what: &What) -> bool {
        let (What::Started { step } | What::Succeeded { step, .. } | What::Failed { step, .. }) = what else {
            return false;
        };
        self.in_flight.get(plan.as_str()).is_some_and(|ship| ship.has_done(step))
    }

    /// The number that the next lease must have.
    pub fn next_epoch(&self, plan: &Digest) -> u64 {
        match self.rollouts.get(plan.as_str()) {
            Some(rollout) => {
                let environment = self.environments.get(&rollout.deployment.environment);
                environment.map_or(0, |environment| environment.epoch) + 1
            }
            None => self.in_flight.get(plan.as_str()).map_or(0, |ship| ship.epoch) + 1,
        }
    }

    fn take(&mut self, event: &Event) -> Result<(), String> {
        let plan = event.plan.as_str();
        if let What::Begun { releases } = &event.what {
            return self.begin(event, releases);
        }
        if let What::Deploying { deployment } = &event.what {
            return self.begin_rollout(event, deployment);
        }
        if plan.is_empty() {
            // What persons order belongs to no plan.
            return self.take_order(event);
        }
        if self.rollouts.contains_key(plan) {
            return self.take_rollout(event);
        }
        let Some(ship) = self.in_flight.get_mut(plan) else {
            return Err(format!("plan {} is not under way", event.plan.short()));
        };
        match &event.what {
            What::Begun { .. } => Ok(()),
            What::Leased { epoch, holder } => lease(ship, *epoch, holder),
            What::Unleased { epoch } => unlease(ship, *epoch),
            What::Started { step } => start(&mut ship.steps, step),
            What::Succeeded { step, evidence } => {
                end(&mut ship.steps, step, StepState::Succeeded { evidence: evidence.clone() })
            }
            What::Failed { step, failure, .. } => {
                end(&mut ship.steps, step, StepState::Failed { failure: failure.clone() })
            }
            What::Abandoned { .. } if ship.has_done("claim") => {
                Err("the claim is made; a claimed release is finished or closed, not taken back".to_owned())
            }
            What::Abandoned { .. } => {
                self.in_flight.remove(plan);
                Ok(())
            }
            What::Closed { reason } => self.close(event, reason),
            What::Finished { awaited } => {
                self.finish(event)?;
                awaited
                    .iter()
                    .for_each(|awaited| self.awaits(event, None, &awaited.environment, &awaited.releases));
                Ok(())
            }
            other => Err(format!("{other:?} is no event of a ship")),
        }
    }

    fn begin(&mut self, event: &Event, releases: &BTreeMap<String, Begin>) -> Result<(), String> {
        let plan = event.plan.as_str();
        if self.in_flight.contains_key(plan) {
            return Err("this plan is under way already".to_owned());
        }
        if let Some((other, _)) = self.releasing(releases) {
            return Err(format!("plan {other} is under way and releases the same packages"));
        }
        let ship = Ship {
            began: event.time,
            who: event.who.clone(),
            releases: releases.clone(),
            steps: BTreeMap::new(),
            epoch: 0,
            holder: None,
        };
        self.in_flight.insert(plan.to_owned(), ship);
        Ok(())
    }

    fn close(&mut self, event: &Event, reason: &str) -> Result<(), String> {
        let plan = event.plan.as_str();
        let ship = self.in_flight.remove(plan).ok_or("not under way")?;
        if !ship.has_done("claim") {
            return Err("nothing is claimed; it is taken back, not closed".to_owned());
        }
        let closed = Closed { releases: ship.releases, reason: reason.to_owned(), time: event.time };
        self.closed.insert(plan.to_owned(), closed);
        Ok(())
    }

    fn finish(&mut self, event: &Event) -> Result<(), String> {
        let plan = event.plan.as_str();
        let ship = self.in_flight.remove(plan).ok_or("not under way")?;
        if let Some((step, _)) =
            ship.steps.iter().find(|(_, state)| !matches!(state, StepState::Succeeded { .. }))
        {
            return Err(format!("step {step} is not done"));
        }
        for (package, begin) in &ship.releases {
            let files = ship.evidence(&format!("publish:{package}")).cloned().unwrap_or_default();
            self.released.insert(
                package.clone(),
                Released {
                    version: begin.version.clone(),
                    tag: begin.tag.clone(),
                    index: begin.index.clone(),
                    commit: ship.evidence("commit").and_then(|found| found.get("commit").cloned()),
                    files,
                    image: released_image(&ship, package),
                    time: event.time,
                    plan: plan.to_owned(),
                },
            );
        }
        self.finished.insert(plan.to_owned(), event.time);
        Ok(())
    }
}

/// The image that was pushed, as the step that did it says.
fn released_image(ship: &Ship, package: &str) -> Option<ReleasedImage> {
    let pushed = ship.evidence(&format!("push:{package}"))?;
    let of = |key: &str| pushed.get(key).cloned();
    Some(ReleasedImage { repository: of("repository")?, digest: of("digest")? })
}

/// A later epoch ends the one before; an earlier one can not come back.
fn lease(ship: &mut Ship, epoch: u64, holder: &Holder) -> Result<(), String> {
    if epoch != ship.epoch + 1 {
        return Err(format!("epoch {epoch} can not follow epoch {}", ship.epoch));
    }
    ship.epoch = epoch;
    ship.holder = Some(holder.clone());
    Ok(())
}

fn unlease(ship: &mut Ship, epoch: u64) -> Result<(), String> {
    if epoch != ship.epoch || ship.holder.is_none() {
        return Err(format!("epoch {epoch} does not hold this ship"));
    }
    ship.holder = None;
    Ok(())
}

/// A step may start again after a kill or a failure, never after it is done.
pub(in crate::ledger) fn start(steps: &mut BTreeMap<String, StepState>, step: &str) -> Result<(), String> {
    if matches!(steps.get(step), Some(StepState::Succeeded { .. })) {
        return Err(format!("step {step} is done already"));
    }
    steps.insert(step.to_owned(), StepState::Started);
    Ok(())
}

pub(in crate::ledger) fn end(
    steps: &mut BTreeMap<String, StepState>,
    step: &str,
    state: StepState,
) -> Result<(), String> {
    if !matches!(steps.get(step), Some(StepState::Started)) {
        return Err(format!("step {step} was not started"));
    }
    steps.insert(step.to_owned(), state);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(number: u64, what: What) -> Event {
        Event { number, time: 7, who: "a".to_owned(), plan: Digest::of(b"plan"), what }
    }

    fn begun() -> What {
        let begin = Begin { version: "1.0.0".into(), tag: "core-v1.0.0".into(), index: "local".into() };
        What::Begun { releases: BTreeMap::from([("core".to_owned(), begin)]) }
    }

    fn started(step: &str) -> What {
        What::Started { step: step.to_owned() }
    }

    fn succeeded(step: &str) -> What {
        What::Succeeded { step: step.to_owned(), evidence: BTreeMap::new() }
    }

    fn leased(epoch: u64) -> What {
        What::Leased { epoch, holder: Holder { host: "desk".to_owned(), process: None, run: None } }
    }

    fn replay(whats: Vec<What>) -> Result<State, String> {
        let events: Vec<Event> = (1..).zip(whats).map(|(number, what)| event(number, what)).collect();
        State::replay(&events).map_err(|error| error.to_string())
    }

    #[test]
    fn a_finished_ship_is_a_release() {
        let state = replay(vec![
            begun(),
            started("publish:core"),
            succeeded("publish:core"),
            What::Finished { awaited: None },
        ])
        .unwrap();
        assert!(state.in_flight.is_empty());
        assert_eq!(state.released["core"].version, "1.0.0");
    }

    #[test]
    fn the_seal_tells_each_package_its_files() {
        let seal = [("core/a.whl", "sha256:1"), ("core-utils/b.whl", "sha256:2")];
        let evidence = seal.map(|(path, digest)| (path.to_owned(), digest.to_owned())).into();
        let sealed = What::Succeeded { step: "seal".to_owned(), evidence };
        let state = replay(vec![begun(), started("seal"), sealed]).unwrap();
        let ship = &state.in_flight[Digest::of(b"plan").as_str()];
        assert_eq!(ship.sealed("core"), BTreeMap::from([("a.whl", "sha256:1")]));
        assert_eq!(ship.sealed("other"), BTreeMap::new());
    }

    #[test]
    fn an_image_is_sealed_beside_the_files_and_released_as_it_was_pushed() {
        let some = |pairs: &[(&str, &str)]| -> BTreeMap<String, String> {
            pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
        };
        let seal = some(&[("core/a.whl", "sha256:1"), ("core/image", "sha256:2")]);
        let sealed = What::Succeeded { step: "seal".to_owned(), evidence: seal };
        let state = replay(vec![begun(), started("seal"), sealed.clone()]).unwrap();
        let ship = &state.in_flight[Digest::of(b"plan").as_str()];
        assert_eq!(ship.sealed("core"), BTreeMap::from([("a.whl", "sha256:1")]));
        assert_eq!(ship.sealed_image("core"), Some("sha256:2"));
        let evidence = some(&[("repository", "r/core"), ("digest", "sha256:2"), ("tag latest", "sha256:2")]);
        let pushed = What::Succeeded { step: "push:core".to_owned(), evidence };
        let whats = vec![
            begun(),
            started("seal"),
            sealed,
            started("push:core"),
            pushed,
            What::Finished { awaited: None },
        ];
        let image = replay(whats).unwrap().released["core"].image.clone();
        assert_eq!(
            image,
            Some(ReleasedImage { repository: "r/core".to_owned(), digest: "sha256:2".to_owned() })
        );
    }

    #[test]
    fn a_step_started_twice_was_killed_in_between() {
        let state =
            replay(vec![begun(), started("build:core"), started("build:core"), succeeded("build:core")]);
        let plan = Digest::of(b"plan");
        assert!(state.unwrap().in_flight[plan.as_str()].has_done("build:core"));
    }

    #[test]
    fn illegal_orders_are_refused() {
        let check = |whats: Vec<What>, reason: &str| {
            let error = replay(whats).unwrap_err();
            assert!(error.contains(reason), "{error}");
        };
        check(vec![started("x")], "is not under way");
        check(vec![begun(), begun()], "under way already");
        check(vec![begun(), succeeded("x")], "was not started");
        check(vec![begun(), started("x"), succeeded("x"), started("x")], "is done already");
        check(vec![begun(), started("x"), What::Finished { awaited: None }], "is not done");
        check(
            vec![begun(), started("claim"), succeeded("claim"), What::Abandoned { reason: String::new() }],
            "finished or closed, not taken back",
        );
        check(vec![begun(), leased(2)], "epoch 2 can not follow epoch 0");
        check(vec![begun(), leased(1), leased(1)], "epoch 1 can not follow epoch 1");
        check(vec![begun(), What::Unleased { epoch: 1 }], "does not hold this ship");
        check(vec![begun(), What::Closed { reason: String::new() }], "taken back, not closed");
    }

    #[test]
    fn a_later_epoch_ends_the_one_before() {
        let state = replay(vec![begun(), leased(1), leased(2), What::Unleased { epoch: 2 }]).unwrap();
        let ship = state.in_flight.values().next().unwrap();
        assert_eq!((ship.epoch, ship.holder.is_none()), (2, true));
    }

    #[test]
    fn a_closed_ship_is_no_release_and_is_remembered() {
        let closed = What::Closed { reason: "the index is gone".to_owned() };
        let state = replay(vec![begun(), started("claim"), succeeded("claim"), closed]).unwrap();
        assert!(state.in_flight.is_empty() && state.released.is_empty());
        let kept = state.closed.values().next().unwrap();
        assert_eq!(kept.releases["core"].tag, "core-v1.0.0");
    }

    #[test]
    fn two_ships_of_one_package_are_not_under_way_at_once() {
        let other = Event { plan: Digest::of(b"other"), ..event(2, begun()) };
        let error = State::replay(&[event(1, begun()), other]).unwrap_err().to_string();
        assert!(error.contains("releases the same packages"), "{error}");
    }

    #[test]
    fn the_state_reads_back_and_refuses_another_format() {
        let state = replay(vec![begun(), started("x")]).unwrap();
        let text = serde_json::to_vec(&state).unwrap();
        assert_eq!(State::read(&text).unwrap(), state);
        assert!(matches!(State::read(br#"{"format": 4}"#), Err(LedgerError::Format { found: 4 })));
    }
}
