//! The `swarm` target on a real swarm of one node: changes, failures, who was faster.

use std::time::{Duration, Instant};

use release::apply::target::error::TargetError;
use release::apply::target::swarm::SwarmTarget;
use release::apply::target::{Answer, Observed, is_running};
use release::plan::deployment::{Artifact, Placed};
use release::plan::digest::Digest;
use release::workspace::config::environment::ServiceTable;

use crate::stores::server::free_port;
use crate::targets::host::Host;
use crate::targets::images::{Kind, release};
use crate::targets::load::{Load, get};
use crate::targets::{engine, environment, ground, mark, placed, publishing, services, silent};

/// The shared engine as a swarm; `None` where there is none.
pub fn swarm() -> Option<&'static Host> {
    static ACTIVE: std::sync::Once = std::sync::Once::new();
    let (host, _) = ground()?;
    ACTIVE.call_once(|| {
        let port = free_port().to_string();
        let listen = format!("127.0.0.1:{port}");
        let data = format!("--data-path-port={}", 20000 + std::process::id() % 20000);
        host.docker(&["swarm", "init", "--advertise-addr", "127.0.0.1", "--listen-addr", &listen, &data])
            .unwrap();
    });
    Some(host)
}

/// A service that ends with the test.
struct Field(&'static Host, &'static str);

impl Field {
    fn new(scope: &'static str) -> Option<Field> {
        Some(Field(swarm()?, scope))
    }

    async fn target(&self, table: ServiceTable) -> SwarmTarget {
        SwarmTarget::new(engine(self.0).await, self.1, "production", services(table), environment())
    }

    fn name(&self) -> String {
        format!("{}-production-api", self.1)
    }

    /// The ids of the service's running tasks.
    fn tasks(&self) -> String {
        self.0.docker(&["service", "ps", "-q", "-f", "desired-state=running", &self.name()]).unwrap()
    }
}

impl Drop for Field {
    fn drop(&mut self) {
        let _ = self.0.docker(&["service", "rm", &self.name()]);
    }
}

fn made(kind: Kind, version: &str) -> Placed {
    release(ground().unwrap(), kind, version)
}

/// Without a port, so that a new task starts beside the old one.
fn inner() -> ServiceTable {
    ServiceTable { publish: Vec::new(), ..publishing(1) }
}

async fn apply(target: &SwarmTarget, wanted: &Placed, epoch: u64) -> Answer<Observed> {
    target.apply(wanted, &mark(&format!("{} {epoch}", wanted.version), epoch), &silent).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_service_is_made_changed_told_and_taken_back() {
    let Some(field) = Field::new("sw-whole") else { return };
    let (old, new) = (made(Kind::Checked, "3.0.0"), made(Kind::Checked, "3.0.1"));
    let port = free_port();
    let table = ServiceTable { publish: vec![format!("{port}:8000")], ..inner() };
    let target = field.target(table).await;
    target.possible(&old).await.unwrap();
    assert_eq!(target.observe("api").await.unwrap(), None);
    let first = apply(&target, &old, 1).await.unwrap();
    assert_eq!((first.healthy, first.version.as_deref()), (Some(true), Some("3.0.0")));
    assert_eq!(get(port).as_deref(), Some("3.0.0"));
    // The same by another deployment: it is noted, and no task is made anew.
    let tasks = field.tasks();
    let again = apply(&target, &old, 2).await.unwrap();
    assert_eq!(again.deployment, Some(mark("3.0.0 2", 2).deployment.to_string()));
    assert_eq!(field.tasks(), tasks);
    for (wanted, epoch) in [(&new, 3), (&old, 4)] {
        let load = Load::start(port, 2, false);
        let began = Instant::now();
        let observed = apply(&target, wanted, epoch).await.unwrap();
        let done = began.elapsed();
        let told = load.end();
        let answered = told.first[&wanted.version] - began;
        eprintln!(
            "swarm with a port: answers after {} ms, done after {} ms, {} lost, longest without an answer {} ms",
            answered.as_millis(),
            done.as_millis(),
            told.lost,
            told.gap.as_millis()
        );
        assert!(is_running(Some(&observed), wanted));
        assert_eq!(get(port).as_deref(), Some(wanted.version.as_str()));
    }
    target.prune("api", &[old]).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tasks_that_fail_are_told_and_what_ran_goes_on() {
    let Some(field) = Field::new("sw-broken") else { return };
    let good = made(Kind::Checked, "3.1.0");
    let table = ServiceTable {
        ready_within: Some(release::workspace::config::text::Span { seconds: 12 }),
        ..inner()
    };
    let target = field.target(table).await;
    // The first ever does not run: nothing is invented.
    let error = apply(&target, &made(Kind::Ends, "3.1.1"), 1).await.unwrap_err();
    assert!(
        matches!(&error, TargetError::Broken { reason, .. } if reason.contains("tasks failed")),
        "{error}"
    );
    apply(&target, &good, 2).await.unwrap();
    for (kind, epoch) in [(Kind::Ill, 3), (Kind::Ends, 4)] {
        let error = apply(&target, &made(kind, "3.1.2"), epoch).await.unwrap_err();
        let TargetError::Broken { reason, .. } = &error else { panic!("{error}") };
        assert!(reason.contains("task") && !reason.contains('\u{1b}'), "{reason}");
        if kind == Kind::Ill {
            // Started first, and never healthy: the old task is still there.
            let observed = target.observe("api").await.unwrap().unwrap();
            assert_eq!((observed.digest, observed.healthy), (good.digest(), Some(true)));
        }
    }
    let observed = apply(&target, &good, 5).await.unwrap();
    assert_eq!(observed.deployment, Some(mark("3.1.0 5", 5).deployment.to_string()));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_is_late_changes_nothing_and_a_persons_change_is_seen() {
    let Some(field) = Field::new("sw-raced") else { return };
    let (one, two) = (made(Kind::Busybox, "3.2.0"), made(Kind::Busybox, "3.2.1"));
    let target = field.target(inner()).await;
    apply(&target, &one, 7).await.unwrap();
    let error = apply(&target, &two, 6).await.unwrap_err();
    assert!(matches!(error, TargetError::Raced { .. }), "{error}");
    assert!(is_running(target.observe("api").await.unwrap().as_ref(), &one));
    let by_hand = release::apply::target::place::reference(&two).unwrap();
    field.0.docker(&["service", "update", "-q", "--image", &by_hand, &field.name()]).unwrap();
    let observed = target.observe("api").await.unwrap().unwrap();
    assert_eq!((observed.digest, observed.deployment), (two.digest(), None));
    let observed = apply(&target, &one, 8).await.unwrap();
    assert_eq!(observed.digest, one.digest());
    // Two at once: one wins, and what is told is what runs.
    let (a, b) = tokio::join!(apply(&target, &one, 9), apply(&target, &two, 10));
    assert!(is_running(Some(&b.unwrap()), &two));
    assert!(a.is_err() || a.is_ok_and(|observed| observed.digest == one.digest()));
    assert!(is_running(target.observe("api").await.unwrap().as_ref(), &two));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_run_that_is_cut_off_is_taken_up_by_looking() {
    let Some(field) = Field::new("sw-cut") else { return };
    let (one, two) = (made(Kind::Busybox, "3.3.0"), made(Kind::Busybox, "3.3.1"));
    let target = field.target(inner()).await;
    apply(&target, &one, 1).await.unwrap();
    let (mut wanted, mut other) = (&two, &one);
    for (cut, epoch) in [30, 100, 300, 900, 1800].into_iter().zip(2..) {
        let cut = Duration::from_millis(cut);
        let _ = tokio::time::timeout(cut, apply(&target, wanted, epoch)).await;
        let observed = apply(&target, wanted, epoch).await.unwrap();
        assert!(is_running(Some(&observed), wanted));
        assert_eq!(
            observed.deployment,
            Some(mark(&format!("{} {epoch}", wanted.version), epoch).deployment.to_string())
        );
        std::mem::swap(&mut wanted, &mut other);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_swarm_can_not_have_is_said_before_anything_is_touched() {
    let Some(field) = Field::new("sw-unfit") else { return };
    let there = made(Kind::Busybox, "3.4.0");
    let error = field.target(publishing(8080)).await.possible(&there).await.unwrap_err();
    assert!(
        matches!(error, TargetError::Settings { .. }) && error.to_string().contains("8080:8000"),
        "{error}"
    );
    let Artifact::Image { repository, .. } = &there.artifact else { panic!() };
    let gone = placed("3.4.1", repository, Digest::of(b"gone").as_str());
    let target = field.target(inner()).await;
    for error in [target.possible(&gone).await.unwrap_err(), apply(&target, &gone, 1).await.unwrap_err()] {
        assert!(matches!(error, TargetError::Impossible { .. }), "{error}");
    }
    assert_eq!(target.observe("api").await.unwrap(), None);
    // A service of somebody else's under our name.
    let reference = release::apply::target::place::reference(&there).unwrap();
    field.0.docker(&["service", "create", "-q", "-d", "--name", &field.name(), &reference]).unwrap();
    for error in [target.possible(&there).await.unwrap_err(), apply(&target, &there, 1).await.unwrap_err()] {
        assert!(matches!(error, TargetError::Conflict { .. }), "{error}");
    }
}
