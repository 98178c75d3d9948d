use std::collections::BTreeMap;

use super::*;
use crate::ledger::environments::Slot;
use crate::ledger::event::{FailureKind, Scope, StepFailure, Trial};
use crate::plan::deployment::{Artifact, FORMAT, Item};
use crate::plan::digest::Digest;

fn placed(version: &str) -> Placed {
    Placed {
        package: "mlops".to_owned(),
        version: version.to_owned(),
        tag: format!("mlops/v{version}"),
        commit: "c".repeat(40),
        artifact: Artifact::Image {
            repository: "registry/mlops".to_owned(),
            digest: Digest::of(version.as_bytes()),
        },
    }
}

fn deployment(kind: DeploymentKind, version: &str, back_to: Option<&str>) -> Deployment {
    let item = Item { release: placed(version), before: None, back_to: back_to.map(placed) };
    Deployment {
        format: FORMAT,
        digest: Digest::none(),
        environment: "staging".to_owned(),
        kind,
        from: None,
        reason: None,
        mirror: None,
        overrides: Vec::new(),
        ledger: 0,
        items: vec![item],
    }
    .sealed()
}

/// Events of one deployment after another, as a ledger holds them.
struct Chain {
    state: State,
    who: &'static str,
}

impl Chain {
    fn new() -> Chain {
        Chain { state: State::default(), who: "Ada <ada@example.org>" }
    }

    fn tell(&mut self, plan: &Digest, what: What) -> Result<(), String> {
        let number = self.state.events + 1;
        let time = i64::try_from(number).unwrap() * 10;
        let event = Event { number, time, who: self.who.to_owned(), plan: plan.clone(), what };
        self.state = self.state.clone().with(&event).map_err(|error| error.to_string())?;
        Ok(())
    }

    fn order(&mut self, what: What) -> Result<(), String> {
        self.tell(&Digest::none(), what)
    }

    fn begin(&mut self, deployment: &Deployment) -> Result<(), String> {
        let decided = Deployment { ledger: self.state.events, ..deployment.clone() };
        self.tell(&deployment.digest, What::Deploying { deployment: Box::new(decided) })?;
        let epoch = self.state.next_epoch(&deployment.digest);
        let holder = Holder { host: "desk".to_owned(), process: None, run: None };
        self.tell(&deployment.digest, What::Leased { epoch, holder })
    }

    fn done(&mut self, deployment: &Deployment, step: &str) {
        let digest = &deployment.digest;
        self.tell(digest, What::Started { step: step.to_owned() }).unwrap();
        self.tell(digest, What::Succeeded { step: step.to_owned(), evidence: BTreeMap::new() }).unwrap();
    }

    fn failed(&mut self, deployment: &Deployment, step: &str, kind: FailureKind) {
        let digest = &deployment.digest;
        self.tell(digest, What::Started { step: step.to_owned() }).unwrap();
        let failure = StepFailure { kind, message: "status 500".to_owned() };
        let what = What::Failed { step: step.to_owned(), failure, evidence: BTreeMap::new() };
        self.tell(digest, what).unwrap();
    }

    fn end(&mut self, deployment: &Deployment, ending: Ending) {
        self.tell(&deployment.digest, What::Deployed { ending, reason: "status 500".to_owned() }).unwrap();
    }

    /// Deploys and proves a version, from beginning to end.
    fn verify(&mut self, version: &str) {
        let deployment = deployment(DeploymentKind::Deploy, version, None);
        self.begin(&deployment).unwrap();
        self.done(&deployment, "deploy:mlops");
        self.done(&deployment, "validate:mlops");
        self.end(&deployment, Ending::Verified);
    }

    fn slot(&self) -> &Slot {
        &self.state.environments["staging"].packages["mlops"]
    }
}

#[test]
fn a_proven_release_runs_and_can_be_gone_back_to() {
    let mut chain = Chain::new();
    chain.verify("1.0");
    chain.verify("1.1");
    let slot = chain.slot();
    assert_eq!(slot.current.as_ref().unwrap().release.version, "1.1");
    assert!(slot.current.as_ref().unwrap().verified.is_some());
    assert_eq!(chain.state.way_back("staging", &placed("1.1")).unwrap().version, "1.0");
    assert!(chain.state.rollouts.is_empty());
}

#[test]
fn what_fails_is_held_and_nothing_goes_back_to_it() {
    let mut chain = Chain::new();
    chain.verify("1.0");
    let bad = deployment(DeploymentKind::Deploy, "1.1", Some("1.0"));
    chain.begin(&bad).unwrap();
    chain.done(&bad, "deploy:mlops");
    chain.failed(&bad, "validate:mlops", FailureKind::Permanent);
    assert_eq!(chain.slot().held[placed("1.1").digest().as_str()].reason, "status 500");
    assert!(chain.slot().current.as_ref().unwrap().verified.is_none());
    chain.done(&bad, "return:mlops");
    chain.done(&bad, "prove:mlops");
    chain.end(&bad, Ending::RolledBack);
    let slot = chain.slot();
    assert_eq!(slot.current.as_ref().unwrap().release.version, "1.0");
    assert!(slot.current.as_ref().unwrap().verified.is_some());
    assert_eq!(chain.state.way_back("staging", &placed("1.2")).unwrap().version, "1.0");
}

#[test]
fn an_undecided_check_holds_nothing_and_is_asked_again() {
    let mut chain = Chain::new();
    let one = deployment(DeploymentKind::Deploy, "1.0", None);
    chain.begin(&one).unwrap();
    chain.done(&one, "deploy:mlops");
    chain.failed(&one, "validate:mlops", FailureKind::Unknown);
    assert!(chain.slot().held.is_empty());
    chain.done(&one, "validate:mlops");
    assert!(chain.slot().current.as_ref().unwrap().verified.is_some());
}

#[test]
fn a_return_that_fails_locks_the_environment_until_somebody_resumes_it() {
    let mut chain = Chain::new();
    let bad = deployment(DeploymentKind::Deploy, "1.1", Some("1.0"));
    chain.begin(&bad).unwrap();
    chain.failed(&bad, "deploy:mlops", FailureKind::Permanent);
    chain.failed(&bad, "return:mlops", FailureKind::Permanent);
    chain.end(&bad, Ending::RollbackFailed);
    for kind in [DeploymentKind::Deploy, DeploymentKind::Rollback] {
        let refused = chain.begin(&deployment(kind, "1.0", None)).unwrap_err();
        assert!(refused.contains("is locked: status 500"), "{refused}");
    }
    let scope = Scope::Environment("staging".to_owned());
    chain.order(What::Resumed { scope, reason: "looked".to_owned() }).unwrap();
    assert!(chain.slot().held.is_empty());
    chain.begin(&deployment(DeploymentKind::Rollback, "1.0", None)).unwrap();
}

#[test]
fn one_deployment_at_a_time_and_a_return_comes_first() {
    let mut chain = Chain::new();
    let one = deployment(DeploymentKind::Deploy, "1.0", None);
    chain.begin(&one).unwrap();
    let refused = chain.begin(&deployment(DeploymentKind::Promote, "1.1", None)).unwrap_err();
    assert!(refused.contains("is under way in staging"), "{refused}");
    let back = deployment(DeploymentKind::Rollback, "0.9", None);
    chain.begin(&back).unwrap();
    assert_eq!(chain.state.rollouts.keys().collect::<Vec<_>>(), [back.digest.as_str()]);
    let refused = chain.tell(&one.digest, What::Started { step: "deploy:mlops".to_owned() }).unwrap_err();
    assert!(refused.contains("is not under way"), "{refused}");
    let refused = chain.begin(&deployment(DeploymentKind::Rollback, "0.8", None)).unwrap_err();
    assert!(refused.contains("is under way in staging"), "{refused}");
    let refused = chain.begin(&deployment(DeploymentKind::Promote, "1.2", None)).unwrap_err();
    assert!(refused.contains("is under way in staging"), "{refused}");
}

#[test]
fn the_epoch_counts_on_from_deployment_to_deployment() {
    let mut chain = Chain::new();
    chain.verify("1.0");
    chain.verify("1.1");
    assert_eq!(chain.state.environments["staging"].epoch, 2);
    let next = deployment(DeploymentKind::Deploy, "1.2", None);
    let next = Deployment { ledger: chain.state.events, ..next };
    chain.tell(&next.digest, What::Deploying { deployment: Box::new(next.clone()) }).unwrap();
    let holder = Holder { host: "desk".to_owned(), process: None, run: None };
    let refused = chain.tell(&next.digest, What::Leased { epoch: 1, holder }).unwrap_err();
    assert!(refused.contains("epoch 1 can not follow epoch 2"), "{refused}");
}

#[test]
fn a_halt_stops_what_goes_forward_and_nothing_that_goes_back() {
    let mut chain = Chain::new();
    let scope = Scope::Package("mlops".to_owned());
    chain.order(What::Halted { scope: scope.clone(), reason: "fire".to_owned() }).unwrap();
    let refused = chain.begin(&deployment(DeploymentKind::Deploy, "1.0", None)).unwrap_err();
    assert!(refused.contains("halted: fire"), "{refused}");
    chain.begin(&deployment(DeploymentKind::Rollback, "0.9", None)).unwrap();
    assert!(chain.order(What::Halted { scope: scope.clone(), reason: String::new() }).is_err());
    chain.order(What::Resumed { scope, reason: "out".to_owned() }).unwrap();
    assert!(chain.state.halts.is_empty());
}

#[test]
fn what_soaks_and_fails_is_trusted_no_more() {
    let mut chain = Chain::new();
    chain.verify("1.0");
    chain.verify("1.1");
    let digest = placed("1.1").digest().as_str().to_owned();
    let look = |failed: Option<&str>| What::Looked {
        environment: "staging".to_owned(),
        trial: Trial {
            package: "mlops".to_owned(),
            digest: digest.clone(),
            failed: failed.map(str::to_owned),
            evidence: BTreeMap::new(),
        },
    };
    chain.order(look(None)).unwrap();
    assert!(chain.slot().current.as_ref().unwrap().verified.is_some());
    chain.order(look(Some("gone"))).unwrap();
    let slot = chain.slot();
    assert_eq!(slot.current.as_ref().unwrap().failed.as_deref(), Some("gone"));
    assert_eq!(
        (slot.current.as_ref().unwrap().verified, slot.verified.last().unwrap().version.as_str()),
        (None, "1.0")
    );
}

#[test]
fn an_approval_is_bound_to_bytes_and_to_one_person_each() {
    let mut chain = Chain::new();
    let digest = placed("1.0").digest().as_str().to_owned();
    let approve = || What::Approved {
        environment: "production".to_owned(),
        package: "mlops".to_owned(),
        version: "1.0".to_owned(),
        digest: digest.clone(),
    };
    chain.order(approve()).unwrap();
    assert!(chain.order(approve()).is_err());
    chain.who = "Bo <bo@example.org>";
    chain.order(approve()).unwrap();
    assert_eq!(chain.state.approvers("production", "mlops", &digest).len(), 2);
    assert_eq!(chain.state.approvers("production", "mlops", "sha256:other"), Vec::<&str>::new());
    let back = What::Disapproved {
        environment: "production".to_owned(),
        package: "mlops".to_owned(),
        digest: digest.clone(),
    };
    chain.order(back.clone()).unwrap();
    assert_eq!(chain.state.approvers("production", "mlops", &digest), ["Ada <ada@example.org>"]);
    assert!(chain.order(back).is_err());
}

#[test]
fn a_person_who_goes_back_holds_what_they_went_away_from() {
    let mut chain = Chain::new();
    chain.verify("1.0");
    chain.verify("1.1");
    let mut back = deployment(DeploymentKind::Rollback, "1.0", None);
    back.items[0].before = Some(placed("1.1"));
    back.reason = Some("errors at checkout".to_owned());
    let back = back.sealed();
    chain.begin(&back).unwrap();
    chain.done(&back, "deploy:mlops");
    chain.done(&back, "validate:mlops");
    chain.end(&back, Ending::Verified);
    let slot = chain.slot();
    assert_eq!(slot.held[placed("1.1").digest().as_str()].reason, "errors at checkout");
    assert_eq!(slot.current.as_ref().unwrap().release.version, "1.0");
}

#[test]
fn what_was_decided_before_the_environment_moved_is_stale() {
    let mut chain = Chain::new();
    let first = deployment(DeploymentKind::Deploy, "1.0", None);
    chain.begin(&first).unwrap();
    chain.done(&first, "deploy:mlops");
    chain.done(&first, "validate:mlops");
    let verified = What::Deployed { ending: Ending::Verified, reason: String::new() };
    chain.tell(&first.digest, verified).unwrap();
    for kind in [DeploymentKind::Deploy, DeploymentKind::Rollback] {
        // Decided when the ledger was empty.
        let late = deployment(kind, "0.9", None);
        let begun = What::Deploying { deployment: Box::new(late.clone()) };
        let refused = chain.tell(&late.digest, begun).unwrap_err();
        assert!(refused.contains("somebody else moved staging"), "{refused}");
    }
    chain.begin(&deployment(DeploymentKind::Deploy, "1.1", Some("1.0"))).unwrap();
}
