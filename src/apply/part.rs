//! Which steps of a ship are ours, where other jobs do the others.

use std::collections::BTreeSet;

use crate::ledger::state::{Ship, StepState};
use crate::plan::Plan;
use crate::plan::step::Step;

/// The part of a ship that one job does.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Part {
    /// Short names; `None`: the whole ship.
    pub packages: Option<BTreeSet<String>>,
    /// Whether the jobs of our run hold the ship together.
    pub together: bool,
}

impl Part {
    pub fn is_whole(&self) -> bool {
        self.packages.is_none()
    }

    /// Whether a step is ours to do now. One of the whole release is everybody's once packages have done all but what stands
    /// behind it.
    pub fn owns(&self, plan: &Plan, ship: &Ship, step: &Step) -> bool {
        match (&self.packages, &step.package) {
            (None, _) => true,
            (Some(packages), Some(package)) => packages.contains(package),
            (Some(_), None) => {
                let behind = behind(plan, step);
                let before = |other: &&Step| other.package.is_some() && !behind.contains(other.id.0.as_str());
                plan.steps.iter().filter(before).all(|other| ship.has_done(&other.id.0))
            }
        }
    }

    /// What others do and our steps wait for; nothing where all that is left of ours can not be done after a failure, or needs
    /// nobody. `is_asked` says how far the ship shall go.
    pub fn awaited<'p>(
        &self,
        plan: &'p Plan,
        ship: &Ship,
        failed: &dyn Fn(&str) -> bool,
        is_asked: &dyn Fn(&Step) -> bool,
    ) -> BTreeSet<&'p str> {
        let mut blocked: BTreeSet<&str> = BTreeSet::new();
        let mut awaited = BTreeSet::new();
        let mut ours: BTreeSet<&str> = BTreeSet::new();
        // The plan's steps stand behind what they need.
        for step in plan.steps.iter().filter(|step| is_asked(step) && self.owns(plan, ship, step)) {
            ours.insert(&step.id.0);
            if ship.has_done(&step.id.0) {
                continue;
            }
            if failed(&step.id.0) || step.needs.iter().any(|need| blocked.contains(need.0.as_str())) {
                blocked.insert(&step.id.0);
                continue;
            }
            let needs = step.needs.iter().map(|need| need.0.as_str());
            awaited.extend(needs.filter(|need| !ship.has_done(need) && !ours.contains(need)));
        }
        awaited
    }
}

/// The steps that need a step, and those that need them.
fn behind<'p>(plan: &'p Plan, step: &Step) -> BTreeSet<&'p str> {
    let mut behind: BTreeSet<&str> = BTreeSet::new();
    for other in &plan.steps {
        if other.needs.iter().any(|need| *need == step.id || behind.contains(need.0.as_str())) {
            behind.insert(&other.id.0);
        }
    }
    behind
}

/// Whether nobody can do anything more: every step that is not done has failed, or stands behind one that has.
pub fn is_stuck(plan: &Plan, ship: &Ship) -> bool {
    let mut stuck: BTreeSet<&str> = BTreeSet::new();
    for step in plan.steps.iter().filter(|step| !ship.has_done(&step.id.0)) {
        let has_failed = matches!(ship.steps.get(&step.id.0), Some(StepState::Failed { .. }));
        if !has_failed && !step.needs.iter().any(|need| stuck.contains(need.0.as_str())) {
            return false;
        }
        stuck.insert(&step.id.0);
    }
    true
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::ledger::event::{FailureKind, StepFailure};
    use crate::plan::testing::Repo;

    /// `base`, `left` and `right` on top of it, `solo`; claimed, and so far.
    fn ship(done: &[&str], failed: &[&str]) -> (Plan, Ship) {
        let plan = Repo::default()
            .package("base", "1.0.0")
            .depending("left", "1.0.0", &["base>=1"])
            .depending("right", "1.0.0", &["base>=1"])
            .package("solo", "1.0.0")
            .released()
            .commit("feat: x", &["base", "left", "right", "solo"])
            .plan();
        let mut steps = BTreeMap::new();
        let before =
            plan.steps.iter().map(|step| step.id.0.as_str()).take_while(|id| !id.starts_with("publish:"));
        for id in before.chain(done.iter().copied()) {
            steps.insert(id.to_owned(), StepState::Succeeded { evidence: BTreeMap::new() });
        }
        for id in failed {
            let failure = StepFailure { kind: FailureKind::Unknown, message: String::new() };
            steps.insert((*id).to_owned(), StepState::Failed { failure });
        }
        let (releases, holder) = (BTreeMap::new(), None);
        let ship = Ship { began: 0, who: String::new(), releases, steps, epoch: 1, holder };
        (plan, ship)
    }

    fn part(packages: &[&str]) -> Part {
        let packages = packages.iter().map(|name| (*name).to_owned()).collect();
        Part { packages: Some(packages), together: true }
    }

    #[track_caller]
    fn check(packages: &[&str], done: &[&str], failed: &[&str], expected: &[&str]) {
        let (plan, ship) = ship(done, failed);
        let awaited = part(packages).awaited(&plan, &ship, &|id| failed.contains(&id), &|_| true);
        assert_eq!(awaited.into_iter().collect::<Vec<&str>>(), expected);
    }

    #[test]
    fn a_job_waits_for_what_others_do_and_for_nothing_else() {
        check(&["left"], &[], &[], &["publish:base"]);
        check(&["left", "base"], &[], &[], &[]);
        check(&["left"], &["publish:base"], &[], &[]);
        check(&["solo"], &[], &[], &[]);
        check(&["left", "solo"], &[], &["publish:solo"], &["publish:base"]);
        check(&["left"], &["publish:base"], &["publish:left"], &[]);
    }

    #[test]
    fn a_step_of_the_whole_release_is_done_by_whoever_finds_the_rest_done() {
        let whole = |id: &str, done: &[&str]| {
            let (mut plan, ship) = ship(done, &[]);
            let mut step = plan.steps.iter().find(|step| step.id.0 == "seal").unwrap().clone();
            step.id.0 = "new".to_owned();
            step.needs = plan
                .steps
                .iter()
                .filter(|step| step.id.0.starts_with(id))
                .map(|step| step.id.clone())
                .collect();
            let at = if id == "claim" {
                plan.steps.iter().position(|step| step.id.0.starts_with("publish:"))
            } else {
                None
            };
            plan.steps.insert(at.unwrap_or(plan.steps.len()), step.clone());
            if id == "claim" {
                let uploads = plan.steps.iter_mut().filter(|step| step.id.0.starts_with("publish:"));
                uploads.for_each(|upload| upload.needs.push(step.id.clone()));
            }
            part(&["left"]).owns(&plan, &ship, &step)
        };
        assert!(whole("claim", &[]), "the first one who comes");
        assert!(!whole("smoke:", &["publish:base", "smoke:base"]));
        let all = ["base", "left", "right", "solo"]
            .map(|name| [format!("publish:{name}"), format!("smoke:{name}")]);
        let all: Vec<&str> = all.iter().flatten().map(String::as_str).collect();
        assert!(whole("smoke:", &all), "the last one who goes");
    }

    #[test]
    fn nothing_more_can_be_done_behind_what_failed() {
        let stuck = |done: &[&str], failed: &[&str]| {
            let (plan, ship) = ship(done, failed);
            is_stuck(&plan, &ship)
        };
        let solo = ["publish:solo", "smoke:solo"];
        assert!(!stuck(&[], &["publish:base"]), "solo is left");
        assert!(!stuck(&["publish:solo"], &["publish:base"]), "its trial is left");
        assert!(stuck(&solo, &["publish:base"]));
        assert!(stuck(
            &["publish:base", "smoke:base", "smoke:solo"],
            &["publish:left", "publish:right", "publish:solo"]
        ));
        assert!(!stuck(&["publish:base", "smoke:base"], &["publish:left", "publish:solo"]), "right is left");
    }
}
