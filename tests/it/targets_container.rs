//! The `container` target on a real engine: handovers under load, releases that do not run, runs that are cut off.

use std::sync::Arc;
use std::time::{Duration, Instant};

use release::apply::target::container::ContainerTarget;
use release::apply::target::error::TargetError;
use release::apply::target::{Answer, Observed, is_running};
use release::plan::deployment::{Artifact, Placed};
use release::plan::digest::Digest;
use release::workspace::config::environment::{Handover, ServiceTable};
use release::world::variable::Env;

use crate::engine::Registry;
use crate::stores::server::free_port;
use crate::targets::host::Host;
use crate::targets::images::{Kind, release};
use crate::targets::load::{Load, Told, get};
use crate::targets::{engine, environment, ground, mark, placed, publishing, services, silent};

/// One environment of a scope of its own.
struct Field {
    ground: &'static (Host, Registry),
    scope: &'static str,
    port: u16,
}

impl Field {
    /// `None` where there is no engine.
    fn new(scope: &'static str) -> Option<Field> {
        Some(Field { ground: ground()?, scope, port: free_port() })
    }

    fn release(&self, kind: Kind, version: &str) -> Placed {
        release(self.ground, kind, version)
    }

    async fn target(&self, table: ServiceTable) -> ContainerTarget {
        ContainerTarget::new(
            engine(&self.ground.0).await,
            self.scope,
            "production",
            services(table),
            environment(),
        )
    }

    /// The target with its port and the manner of handing over.
    async fn handing(&self, handover: Handover) -> ContainerTarget {
        self.target(ServiceTable { handover: Some(handover), ..publishing(self.port) }).await
    }

    fn running(&self) -> Vec<String> {
        self.ground.0.running(self.scope, "service")
    }

    fn docker(&self, arguments: &[&str]) -> String {
        self.ground.0.docker(arguments).unwrap()
    }

    /// The switch's id.
    fn switch(&self) -> String {
        let running = self.ground.0.running(self.scope, "switch");
        assert_eq!(running.len(), 1);
        running[0].clone()
    }

    /// That exactly this release runs and answers.
    async fn holds(&self, target: &ContainerTarget, wanted: &Placed) -> Observed {
        let observed = target.observe("api").await.unwrap().unwrap();
        assert!(is_running(Some(&observed), wanted), "{observed:?}");
        assert_eq!(self.running(), std::slice::from_ref(&observed.place));
        assert_eq!(get(self.port).as_deref(), Some(wanted.version.as_str()));
        observed
    }
}

impl Drop for Field {
    fn drop(&mut self) {
        let scope = format!("label=io.release.scope={}", self.scope);
        let told = self.docker(&["ps", "-aq", "--filter", &scope]);
        for id in told.lines() {
            let _ = self.ground.0.docker(&["rm", "-f", "-v", id]);
        }
    }
}

async fn apply(target: &ContainerTarget, wanted: &Placed, epoch: u64) -> Answer<Observed> {
    let name = format!("{} {epoch}", wanted.version);
    target.apply(wanted, &mark(&name, epoch), &silent).await
}

fn said(told: &str, figures: &Told) {
    let (lost, slowest, gap) = (figures.lost, figures.slowest.as_millis(), figures.gap.as_millis());
    eprintln!(
        "{told}: {lost} lost, slowest {slowest} ms, longest without an answer {gap} ms, {:?}",
        figures.answered
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_release_is_brought_told_brought_again_and_cleared_away() {
    let Some(field) = Field::new("whole") else { return };
    let (first, second) = (field.release(Kind::Python, "1.0.0"), field.release(Kind::Python, "1.0.1"));
    let third = field.release(Kind::Python, "1.0.2");
    let target = field.handing(Handover::Auto).await;
    assert_eq!(target.observe("api").await.unwrap(), None);
    target.possible(&first).await.unwrap();
    let observed = apply(&target, &first, 1).await.unwrap();
    assert_eq!(observed.version.as_deref(), Some("1.0.0"));
    assert_eq!(observed.deployment, Some(mark("1.0.0 1", 1).deployment.to_string()));
    assert_eq!(field.holds(&target, &first).await, observed);
    // Again: nothing is made anew.
    assert_eq!(apply(&target, &first, 1).await.unwrap(), observed);
    apply(&target, &second, 2).await.unwrap();
    apply(&target, &third, 3).await.unwrap();
    field.holds(&target, &third).await;
    target.prune("api", &[third.clone(), second.clone()]).await.unwrap();
    let scope = format!("label=io.release.scope={}", field.scope);
    let all = field.docker(&["ps", "-a", "--format", "{{.Names}}", "--filter", &scope]);
    let mut names: Vec<&str> = all.lines().collect();
    names.sort_unstable();
    assert_eq!(names.len(), 3, "{names:?}");
    assert!(names[0].starts_with("whole-production-api-1.0.1-") && names[2] == "whole-production-api-switch");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_switch_loses_no_request_there_and_back() {
    let Some(field) = Field::new("switched") else { return };
    let (old, new) = (field.release(Kind::Python, "1.1.0"), field.release(Kind::Python, "1.1.1"));
    let target = field.handing(Handover::Switch).await;
    apply(&target, &old, 1).await.unwrap();
    for (keep_alive, epoch) in [(false, 2), (true, 4)] {
        let kind = if keep_alive { "connections kept" } else { "a connection each" };
        let load = Load::start(field.port, 4, keep_alive);
        apply(&target, &new, epoch).await.unwrap();
        let there = load.end();
        said(&format!("switch, there, {kind}"), &there);
        let load = Load::start(field.port, 4, keep_alive);
        let decided = Instant::now();
        apply(&target, &old, epoch + 1).await.unwrap();
        let done = decided.elapsed();
        let back = load.end();
        let answered = back.first["1.1.0"] - decided;
        said(&format!("switch, back, {kind}"), &back);
        eprintln!(
            "switch, back: answers after {} ms, done after {} ms",
            answered.as_millis(),
            done.as_millis()
        );
        assert_eq!((there.lost, back.lost), (0, 0));
        assert!(there.answered.contains_key("1.1.1"), "{there:?}");
        // Two seconds, and as much again for a machine that does other things beside.
        assert!(answered < Duration::from_secs(4), "{answered:?}");
        field.holds(&target, &old).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn direct_hands_the_port_over_and_back() {
    let Some(field) = Field::new("direct") else { return };
    let (old, new) = (field.release(Kind::Checked, "1.2.0"), field.release(Kind::Checked, "1.2.1"));
    let target = field.handing(Handover::Auto).await;
    let remarks = std::sync::Mutex::new(Vec::new());
    let hear = |told: &str| remarks.lock().unwrap().push(told.to_owned());
    target.apply(&old, &mark("first", 1), &hear).await.unwrap();
    assert!(remarks.lock().unwrap().iter().any(|told| told.contains("no python3")), "{remarks:?}");
    for (keep_alive, wanted, epoch) in [(false, &new, 2), (true, &old, 3)] {
        let load = Load::start(field.port, 2, keep_alive);
        let began = Instant::now();
        apply(&target, wanted, epoch).await.unwrap();
        eprintln!("direct: done after {} ms", began.elapsed().as_millis());
        said("direct", &load.end());
        field.holds(&target, wanted).await;
    }
    // One that does not run: the one before has the port again.
    let broken = field.release(Kind::Ends, "1.2.2");
    let load = Load::start(field.port, 2, false);
    let error = apply(&target, &broken, 4).await.unwrap_err();
    said("direct, there and back at once", &load.end());
    assert!(matches!(error, TargetError::Broken { .. }), "{error}");
    field.holds(&target, &old).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_does_not_run_is_told_with_its_last_words_and_the_old_one_goes_on() {
    let Some(field) = Field::new("broken") else { return };
    let good = field.release(Kind::Python, "1.3.0");
    let table = ServiceTable {
        switch_image: Some(release::apply::target::place::reference(&good).unwrap()),
        ready_within: Some(release::workspace::config::text::Span { seconds: 6 }),
        ..publishing(field.port)
    };
    let target = field.target(table).await;
    apply(&target, &good, 1).await.unwrap();
    let load = Load::start(field.port, 2, false);
    for (kind, words) in [
        (Kind::Ends, "no database"),
        (Kind::Ill, "health check fails"),
        (Kind::Deaf, "nothing accepts connections on its port 8000"),
    ] {
        let broken = field.release(kind, "1.3.1");
        let error = apply(&target, &broken, 2).await.unwrap_err();
        let TargetError::Broken { version, reason, .. } = &error else { panic!("{error}") };
        assert_eq!(version, "1.3.1");
        assert!(reason.contains(words) && !reason.contains('\u{1b}'), "{reason}");
        field.holds(&target, &good).await;
    }
    let told = load.end();
    assert_eq!((told.lost, told.answered.len()), (0, 1), "{told:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_manner_and_the_ports_may_change() {
    let Some(mut field) = Field::new("manners") else { return };
    let (one, two) = (field.release(Kind::Python, "1.4.0"), field.release(Kind::Python, "1.4.1"));
    let manners = [Handover::Direct, Handover::Switch, Handover::Direct, Handover::Direct, Handover::Switch];
    for (handover, epoch) in manners.into_iter().zip(1..) {
        let wanted = if epoch % 2 == 0 { &two } else { &one };
        let target = field.handing(handover).await;
        apply(&target, wanted, epoch).await.unwrap();
        field.holds(&target, wanted).await;
        let switches = field.ground.0.running(field.scope, "switch").len();
        assert_eq!(switches, usize::from(handover == Handover::Switch));
    }
    let before = field.port;
    field.port = free_port();
    let target = field.handing(Handover::Switch).await;
    apply(&target, &one, 9).await.unwrap();
    field.holds(&target, &one).await;
    assert_eq!(get(before), None);
    field.switch();
    // Without a port nothing is left to switch.
    let target = field.target(ServiceTable { publish: Vec::new(), ..publishing(field.port) }).await;
    apply(&target, &two, 10).await.unwrap();
    assert!(is_running(target.observe("api").await.unwrap().as_ref(), &two));
    assert_eq!((field.running().len(), field.ground.0.running(field.scope, "switch").len()), (1, 0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_switch_that_is_gone_stopped_or_astray_is_put_right() {
    let Some(field) = Field::new("astray") else { return };
    let (one, two) = (field.release(Kind::Python, "1.5.0"), field.release(Kind::Python, "1.5.1"));
    let target = field.handing(Handover::Switch).await;
    apply(&target, &one, 1).await.unwrap();
    field.docker(&["stop", "-t", "1", &field.switch()]);
    assert_eq!(target.observe("api").await.unwrap(), None);
    apply(&target, &one, 1).await.unwrap();
    field.holds(&target, &one).await;
    field.docker(&["rm", "-f", &field.switch()]);
    apply(&target, &one, 1).await.unwrap();
    field.holds(&target, &one).await;
    // The switch starts again by itself and leads where it led.
    field.docker(&["restart", "-t", "1", &field.switch()]);
    crate::targets::until("it answers", || async { get(field.port).as_deref() == Some("1.5.0") }).await;
    // The container that has the traffic was removed by hand.
    apply(&target, &two, 2).await.unwrap();
    field.docker(&["rm", "-f", &field.running()[0]]);
    assert_eq!(target.observe("api").await.unwrap(), None);
    apply(&target, &one, 3).await.unwrap();
    field.holds(&target, &one).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_run_that_is_cut_off_anywhere_is_finished_by_the_next() {
    let Some(field) = Field::new("cut") else { return };
    let (one, two) = (field.release(Kind::Checked, "1.6.0"), field.release(Kind::Checked, "1.6.1"));
    let python = field.release(Kind::Python, "1.6.2");
    let mut epoch = 1;
    for handover in [Handover::Switch, Handover::Direct] {
        let table = ServiceTable {
            handover: Some(handover),
            switch_image: release::apply::target::place::reference(&python),
            ..publishing(field.port)
        };
        let target = field.target(table).await;
        apply(&target, &one, epoch).await.unwrap();
        let (mut wanted, mut other) = (&two, &one);
        for cut in (0..).map(|step| Duration::from_millis(40 + step * 870)) {
            epoch += 1;
            let whole = tokio::time::timeout(cut, apply(&target, wanted, epoch)).await;
            if let Ok(whole) = whole {
                whole.unwrap();
                field.holds(&target, wanted).await;
                break;
            }
            // What has the traffic now is one of the two, or nothing for a moment.
            let between = target.observe("api").await.unwrap();
            assert!(between.is_none_or(|seen| [one.digest(), two.digest()].contains(&seen.digest)));
            // The next run finishes it, or goes back.
            let next = if epoch % 2 == 0 { wanted } else { other };
            apply(&target, next, epoch).await.unwrap();
            field.holds(&target, next).await;
            (wanted, other) = if next.version == one.version { (&two, &one) } else { (&one, &two) };
        }
        epoch += 1;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_somebody_started_by_hand_is_seen_and_not_touched() {
    let Some(field) = Field::new("drift") else { return };
    let wanted = field.release(Kind::Busybox, "1.7.0");
    let reference = release::apply::target::place::reference(&wanted).unwrap();
    let publish = format!("127.0.0.1:{}:8000", field.port);
    let id = field.docker(&["run", "-d", "-p", &publish, &reference]);
    let target = field.handing(Handover::Direct).await;
    let observed = target.observe("api").await.unwrap().unwrap();
    assert_eq!(
        (observed.deployment.as_deref(), observed.version.as_deref(), &observed.place),
        (None, None, &id)
    );
    assert_eq!(observed.digest, wanted.digest());
    let error = apply(&target, &wanted, 1).await.unwrap_err();
    assert!(
        matches!(error, TargetError::Conflict { .. }) && error.to_string().contains("not ours"),
        "{error}"
    );
    assert!(matches!(target.possible(&wanted).await.unwrap_err(), TargetError::Conflict { .. }));
    assert_eq!(field.running(), Vec::<String>::new());
    field.docker(&["rm", "-f", &id]);
    apply(&target, &wanted, 1).await.unwrap();
    field.holds(&target, &wanted).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_was_taken_over_changes_nothing() {
    let Some(field) = Field::new("fenced") else { return };
    let (one, two) = (field.release(Kind::Python, "1.8.0"), field.release(Kind::Python, "1.8.1"));
    for handover in [Handover::Switch, Handover::Direct] {
        let target = field.handing(handover).await;
        apply(&target, &two, 7).await.unwrap();
        let error = apply(&target, &one, 6).await.unwrap_err();
        assert!(matches!(error, TargetError::Raced { .. }), "{error}");
        field.holds(&target, &two).await;
        // A return under a newer lease marks what was there before.
        apply(&target, &one, 8).await.unwrap();
        let error = apply(&target, &two, 7).await.unwrap_err();
        assert!(matches!(error, TargetError::Raced { .. }), "{error}");
        field.holds(&target, &one).await;
        field.docker(&["rm", "-f", &field.running()[0]]);
        for switch in field.ground.0.running(field.scope, "switch") {
            field.docker(&["rm", "-f", &switch]);
        }
        for id in field.docker(&["ps", "-aq", "--filter", "label=io.release.scope=fenced"]).lines() {
            field.docker(&["rm", "-f", id]);
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_image_that_is_nowhere_is_told_before_anything_is_touched() {
    let Some(field) = Field::new("nowhere") else { return };
    let there = field.release(Kind::Busybox, "1.9.0");
    let target = field.handing(Handover::Direct).await;
    let Artifact::Image { repository, .. } = &there.artifact else { panic!() };
    let gone = placed("1.9.1", repository, Digest::of(b"gone").as_str());
    for error in [target.possible(&gone).await.unwrap_err(), apply(&target, &gone, 1).await.unwrap_err()] {
        assert!(matches!(error, TargetError::Impossible { .. }), "{error}");
        assert!(error.to_string().contains(repository), "{error}");
    }
    // Pruned on the host, it comes from the registry.
    let reference = release::apply::target::place::reference(&there).unwrap();
    field.docker(&["rmi", "-f", &reference, &format!("{repository}:1.9.0")]);
    target.possible(&there).await.unwrap();
    apply(&target, &there, 1).await.unwrap();
    field.holds(&target, &there).await;
    // No registry at all: the outside's fault, and no reason to go back.
    let silent = placed("1.9.2", &format!("127.0.0.1:{}/app", free_port()), Digest::of(b"x").as_str());
    let error = target.possible(&silent).await.unwrap_err();
    assert!(matches!(error, TargetError::Outside { .. }), "{error}");
    let error = apply(&target, &silent, 2).await.unwrap_err();
    assert!(matches!(error, TargetError::Outside { .. }), "{error}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_lying_registry_is_found_out() {
    let Some(field) = Field::new("lie") else { return };
    let liar = crate::targets::host::liar();
    let target = field.handing(Handover::Direct).await;
    let wanted = placed("2.0.0", &format!("127.0.0.1:{liar}/app"), Digest::of(b"wanted").as_str());
    let error = apply(&target, &wanted, 1).await.unwrap_err();
    assert!(matches!(error, TargetError::Conflict { .. }), "{error:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_engine_that_is_killed_midway_is_told_and_the_next_run_converges() {
    let Some(ground) = ground() else { return };
    let Some(host) = Host::start("killed") else { return };
    let (one, two) = (release(ground, Kind::Checked, "2.1.0"), release(ground, Kind::Checked, "2.1.1"));
    let port = free_port();
    let table = ServiceTable { handover: Some(Handover::Direct), ..publishing(port) };
    let target = ContainerTarget::new(
        engine(&host).await,
        "killed",
        "production",
        services(table.clone()),
        environment(),
    );
    apply(&target, &one, 1).await.unwrap();
    // Killed as soon as the candidate is there.
    let killing = std::thread::spawn(move || {
        let mut host = host;
        while host.docker(&["ps", "-aq"]).unwrap_or_default().lines().count() < 2 {
            std::thread::sleep(Duration::from_millis(10));
        }
        host.kill();
        host
    });
    let error = target.apply(&two, &mark("two", 2), &silent).await.unwrap_err();
    assert!(matches!(error, TargetError::Outside { .. }), "{error}");
    let mut host = killing.join().unwrap();
    host.begin();
    let again = engine(&host).await;
    let target = ContainerTarget::new(again, "killed", "production", services(table), environment());
    target.apply(&two, &mark("two", 2), &silent).await.unwrap();
    assert_eq!(get(port).as_deref(), Some("2.1.1"));
    assert_eq!(host.running("killed", "service").len(), 1);
    for id in host.docker(&["ps", "-aq"]).unwrap().lines() {
        host.docker(&["rm", "-f", id]).unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_does_not_fit_is_said_with_a_way_out() {
    let Some(field) = Field::new("unfit") else { return };
    let wanted = field.release(Kind::Busybox, "2.2.0");
    let target = field.handing(Handover::Switch).await;
    let error = apply(&target, &wanted, 1).await.unwrap_err();
    assert!(
        matches!(error, TargetError::Settings { .. }) && error.to_string().contains("switch-image"),
        "{error}"
    );
    let table = ServiceTable { network: Some("not-there".to_owned()), ..publishing(field.port) };
    let error = field.target(table).await.possible(&wanted).await.unwrap_err();
    assert!(error.to_string().contains("docker network create not-there"), "{error}");
    // A variable that is handed on reaches the container, and no label.
    let table = ServiceTable { env_from: vec!["PATH".to_owned()], ..publishing(field.port) };
    let target = field.target(table).await;
    let observed = apply(&target, &wanted, 1).await.unwrap();
    let path = format!("PATH={}", std::env::var("PATH").unwrap());
    let env = field.docker(&["inspect", "-f", "{{json .Config.Env}}", &observed.place]);
    assert!(env.contains(&path), "{env}");
    let labels = field.docker(&["inspect", "-f", "{{json .Config.Labels}}", &observed.place]);
    assert!(!labels.contains(&path[5..]), "{labels}");
    assert_eq!(apply(&target, &wanted, 1).await.unwrap().place, observed.place);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_locked_registry_is_shown_what_docker_knows() {
    let Some(field) = Field::new("locked") else { return };
    let Some(locked) = Registry::locked() else { return };
    let open = field.release(Kind::Busybox, "2.3.0");
    let host = &field.ground.0;
    let login = locked.login(crate::engine::PASSWORD);
    let tag = format!("{}:2.3.0", locked.repository("app"));
    host.docker(&["tag", &release::apply::target::place::reference(&open).unwrap(), &tag]).unwrap();
    let told = host.docker(&["--config", login.path().to_str().unwrap(), "push", &tag]).unwrap();
    let digest = told.split_whitespace().find(|word| word.starts_with("sha256:")).unwrap();
    let wanted = placed("2.3.0", &locked.repository("app"), digest);
    let reference = release::apply::target::place::reference(&wanted).unwrap();
    host.docker(&["rmi", &reference, &tag]).unwrap();
    let target = |folder: Option<&std::path::Path>| {
        let folder = folder.map(|folder| folder.as_os_str().to_owned());
        let variable: Env = Arc::new(move |name: &str| folder.clone().filter(|_| name == "DOCKER_CONFIG"));
        let table = ServiceTable { handover: Some(Handover::Direct), ..publishing(field.port) };
        let services = services(table);
        async move { ContainerTarget::new(engine(host).await, "locked", "production", services, variable) }
    };
    let wrong = locked.login("wrong-wrong");
    for folder in [None, Some(wrong.path())] {
        let target = target(folder).await;
        for error in
            [target.possible(&wanted).await.unwrap_err(), apply(&target, &wanted, 1).await.unwrap_err()]
        {
            eprintln!("{error}");
            assert!(!error.to_string().contains("wrong-wrong"), "{error}");
            assert!(matches!(error, TargetError::Outside { .. } | TargetError::Impossible { .. }), "{error}");
        }
    }
    let target = target(Some(login.path())).await;
    target.possible(&wanted).await.unwrap();
    apply(&target, &wanted, 1).await.unwrap();
    field.holds(&target, &wanted).await;
}
