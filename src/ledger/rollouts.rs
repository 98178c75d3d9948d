//! The events of deployments: who may begin, what a step's end means, how a deployment ends.

use std::collections::BTreeMap;

use crate::ledger::environments::{Awaited, Environment, Last, Rollout, Stop};
use crate::ledger::event::{Ending, Event, Holder, What};
use crate::ledger::state::{State, StepState, end, start};
use crate::plan::deployment::{Deployment, DeploymentKind, Placed};

impl State {
    /// The deployment under way in an environment.
    pub fn rollout_in(&self, environment: &str) -> Option<(&str, &Rollout)> {
        let here = |(_, rollout): &(&String, &Rollout)| rollout.deployment.environment == environment;
        self.rollouts.iter().find(here).map(|(digest, rollout)| (digest.as_str(), rollout))
    }

    /// What a package goes away from: what a deployment under way brings there, else what runs.
    pub fn standing(&self, environment: &str, package: &str) -> Option<&Placed> {
        let coming = self.rollout_in(environment).and_then(|(_, rollout)| rollout.release(package));
        let current = || Some(&self.environments.get(environment)?.slot(package)?.current.as_ref()?.release);
        coming.or_else(current)
    }

    /// The last release verified in an environment that is another than this one and not withdrawn.
    pub fn way_back(&self, environment: &str, but: &Placed) -> Option<&Placed> {
        let slot = self.environments.get(environment)?.slot(&but.package)?;
        let is_good = |placed: &&Placed| {
            placed.digest() != but.digest() && self.withdrawal(&placed.package, &placed.version).is_none()
        };
        slot.verified.iter().rev().find(is_good)
    }

    pub(in crate::ledger) fn awaits(
        &mut self,
        event: &Event,
        from: Option<&str>,
        environment: &str,
        releases: &[Placed],
    ) {
        let environment = self.environments.entry(environment.to_owned()).or_default();
        for release in releases {
            let slot = environment.packages.entry(release.package.clone()).or_default();
            slot.awaited = Some(Awaited {
                release: release.clone(),
                from: from.map(str::to_owned),
                who: event.who.clone(),
                since: event.time,
            });
        }
    }

    /// One deployment at a time moves an environment; a return comes before whatever else is under way.
    pub(in crate::ledger) fn begin_rollout(
        &mut self,
        event: &Event,
        deployment: &Deployment,
    ) -> Result<(), String> {
        let is_return = deployment.kind == DeploymentKind::Rollback;
        if self.rollouts.contains_key(event.plan.as_str()) {
            return Err("this deployment is under way already".to_owned());
        }
        let name = &deployment.environment;
        if let Some(stop) = self.environments.get(name).and_then(|known| known.locked.as_ref()) {
            return Err(format!("environment {name} is locked: {}", stop.reason));
        }
        if !is_return {
            self.refuse_halted(deployment)?;
        }
        if self.environments.get(name).is_some_and(|known| known.moved > deployment.ledger) {
            return Err(format!("somebody else moved {name} since this was decided"));
        }
        if let Some((other, rollout)) = self.rollout_in(name) {
            if !is_return || rollout.deployment.kind == DeploymentKind::Rollback {
                return Err(format!("deployment {other} is under way in {name}"));
            }
            let other = other.to_owned();
            self.rollouts.remove(&other);
            self.mirror_ended(&other, Ending::Superseded, "a rollback comes before it");
        }
        self.environments.entry(name.clone()).or_default().moved = event.number;
        let rollout = Rollout {
            deployment: deployment.clone(),
            began: event.time,
            who: event.who.clone(),
            steps: BTreeMap::new(),
            epoch: 0,
            holder: None,
        };
        self.rollouts.insert(event.plan.as_str().to_owned(), rollout);
        self.mirror_begun(deployment);
        Ok(())
    }

    fn refuse_halted(&self, deployment: &Deployment) -> Result<(), String> {
        for item in &deployment.items {
            let package = item.release.package.as_str();
            if let Some(halt) = self.halted(Some(&deployment.environment), Some(package)) {
                return Err(format!("halted: {}", halt.reason));
            }
        }
        Ok(())
    }

    pub(in crate::ledger) fn take_rollout(&mut self, event: &Event) -> Result<(), String> {
        let plan = event.plan.as_str();
        let mut rollout = self.rollouts.remove(plan).ok_or("not under way")?;
        let name = rollout.deployment.environment.clone();
        let environment = self.environments.entry(name).or_default();
        match &event.what {
            What::Leased { epoch, holder } => lease(environment, &mut rollout, *epoch, holder)?,
            What::Unleased { epoch } => unlease(&mut rollout, *epoch)?,
            What::Started { step } => start(&mut rollout.steps, step)?,
            What::Succeeded { step, evidence } => {
                end(&mut rollout.steps, step, StepState::Succeeded { evidence: evidence.clone() })?;
                environment.step_done(&rollout, step, event.time);
            }
            What::Failed { step, failure, .. } => {
                end(&mut rollout.steps, step, StepState::Failed { failure: failure.clone() })?;
                environment.step_failed(&rollout, step, failure, event.time);
            }
            What::Deployed { ending, reason } => {
                environment.end(event, &rollout, *ending, reason);
                self.mirror_ended(plan, *ending, reason);
                return Ok(());
            }
            other => return Err(format!("{other:?} is no event of a deployment")),
        }
        self.rollouts.insert(plan.to_owned(), rollout);
        Ok(())
    }
}

impl Environment {
    fn end(&mut self, event: &Event, rollout: &Rollout, ending: Ending, reason: &str) {
        let deployment = &rollout.deployment;
        self.moved = event.number;
        self.last = Some(Last {
            deployment: deployment.digest.as_str().to_owned(),
            kind: deployment.kind,
            ending,
            reason: reason.to_owned(),
            time: event.time,
            packages: deployment.items.iter().map(|item| item.release.package.clone()).collect(),
        });
        if ending == Ending::RollbackFailed {
            let (reason, who, since) = (reason.to_owned(), event.who.clone(), event.time);
            self.locked = Some(Stop { reason, who, since });
        }
        if deployment.kind == DeploymentKind::Rollback && ending == Ending::Verified {
            // What a person went away from does not come back by itself.
            for item in &deployment.items {
                let Some(before) =
                    item.before.as_ref().filter(|before| before.digest() != item.release.digest())
                else {
                    continue;
                };
                let why = deployment.reason.clone().unwrap_or_else(|| "rolled back".to_owned());
                let slot = self.packages.entry(before.package.clone()).or_default();
                slot.distrust(before, &why, event.time);
            }
        }
    }

    /// Takes locks and holds away, of one package or of all. Whether there were any.
    pub(in crate::ledger) fn release(&mut self, package: Option<&str>) -> bool {
        let mut changed = package.is_none() && self.locked.take().is_some();
        for (name, slot) in &mut self.packages {
            if package.is_none_or(|wanted| wanted == name) && !slot.held.is_empty() {
                slot.held.clear();
                changed = true;
            }
        }
        changed
    }
}

fn lease(
    environment: &mut Environment,
    rollout: &mut Rollout,
    epoch: u64,
    holder: &Holder,
) -> Result<(), String> {
    if epoch != environment.epoch + 1 {
        return Err(format!("epoch {epoch} can not follow epoch {}", environment.epoch));
    }
    environment.epoch = epoch;
    rollout.epoch = epoch;
    rollout.holder = Some(holder.clone());
    Ok(())
}

fn unlease(rollout: &mut Rollout, epoch: u64) -> Result<(), String> {
    if epoch != rollout.epoch || rollout.holder.is_none() {
        return Err(format!("epoch {epoch} does not hold this deployment"));
    }
    rollout.holder = None;
    Ok(())
}

#[cfg(test)]
#[path = "rollouts_tests.rs"]
mod tests;
