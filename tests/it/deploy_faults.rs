//! Deployments by the built binary on a real engine, with what goes wrong there: engines that are killed, images that are
//! gone, registries that lie, services that die later, people who change things by hand.

use std::fs;
use std::os::unix::process::ExitStatusExt;
use std::process::{Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use crate::engine::Registry;
use crate::matrix::dice::{Dice, runs};
use crate::matrix::tell;
use crate::targets::ground;
use crate::targets::host::Host;
use crate::targets::load::get;
use crate::targets_swarm::swarm;
use crate::world::Answer;
use crate::yard::{Start, Yard, environment, start};

const TEN_MINUTES: &str = "after = \"development\"\nsoak = \"10m\"\n";

/// A yard on the shared engine with the environment `development`, which runs 1.1.0.
fn development(scope: &str, more: &str) -> Option<Yard> {
    let yard = Yard::shared(scope)?;
    yard.configure(&environment("development", yard.port, more));
    yard.ends(&["deploy", "development", "left@1.1.0", "--yes"], 0);
    yard.holds("development", "1.1.0", "one");
    Some(yard)
}

/// Waits until something is so; panics after a minute.
#[track_caller]
fn until(what: &str, so: impl Fn() -> bool) {
    let began = Instant::now();
    while !so() {
        assert!(began.elapsed() < Duration::from_secs(60), "never: {what}");
        sleep(Duration::from_millis(20));
    }
}

#[test]
fn an_engine_killed_while_it_deploys_is_waited_for_by_the_next_run() {
    let Some(start) = start() else { return };
    let Some(mut host) = Host::start("deploys") else { return };
    let yard = Yard::of(start, &host.address, "dep-engine");
    yard.configure(&environment("development", yard.port, ""));
    yard.ends(&["deploy", "development", "left@1.1.0", "--yes"], 0);
    let deploy = ["deploy", "development", "left@1.2.0", "--yes"];
    let run = yard.command(&deploy).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    until("the candidate is made", || yard.all("development", "left").len() == 2);
    host.kill();
    let answer = Answer::of(run.wait_with_output().unwrap());
    assert_eq!(answer.code, Some(10), "{}", answer.err);
    assert!(answer.err.contains("run it again"), "{}", answer.err);
    let down = yard.ends(&deploy, 10);
    assert!(!down.err.contains("panicked"), "{}", down.err);
    host.begin();
    yard.fresh();
    yard.ends(&deploy, 0);
    yard.holds("development", "1.2.0", "two");
    yard.ends(&["rollback", "development", "--yes"], 0);
    yard.holds("development", "1.1.0", "one");
    drop(yard);
}

#[test]
fn what_can_not_be_had_or_is_another_thing_is_refused_before_anything_is_touched() {
    let (Some((host, _)), Some(mut registry)) = (ground(), Registry::open()) else { return };
    let Some(start) = Start::new(&host.address, &registry, "deploys/gone") else { return };
    let yard = Yard::of(&start, &host.address, "dep-gone");
    yard.configure(&environment("development", yard.port, ""));
    yard.ends(&["deploy", "development", "left@1.1.0", "--yes"], 0);
    let (containers, events) = (yard.all("development", "left"), yard.log().len());
    let deploy = ["deploy", "development", "left@1.2.0", "--yes"];
    let old = yard.current("development", "left")["digest"].as_str().unwrap().to_owned();
    let new = start.last();
    let refused = |code: i32, words: &str| {
        let answer = yard.ends(&deploy, code);
        assert!(answer.err.contains(words), "{}", answer.err);
        assert_eq!(yard.all("development", "left"), containers);
        yard.holds("development", "1.1.0", "one");
    };

    registry.down();
    refused(10, "the registry of");
    registry.up();
    let link = registry.link_file("deploys/gone", &new);
    let linked = fs::read(&link).unwrap();
    fs::remove_file(&link).unwrap();
    refused(9, "neither on the host nor to be had from its registry");
    fs::write(&link, linked).unwrap();
    assert_eq!(yard.log().len(), events, "nothing was begun");
    let manifest = registry.blob_file(&new);
    let bytes = fs::read(&manifest).unwrap();
    fs::write(&manifest, [bytes.as_slice(), b"\n"].concat()).unwrap();
    refused(11, "something else");
    fs::write(&manifest, bytes).unwrap();
    yard.fresh();
    yard.ends(&deploy, 0);
    yard.holds("development", "1.2.0", "two");

    // The host was cleared, and what ran before is in no registry any more: nobody could go back.
    let repository = registry.repository("deploys/gone");
    for container in yard.all("development", "left") {
        yard.docker(&["rm", "-f", &container]);
    }
    for digest in [&old, &new] {
        yard.docker(&["image", "rm", "-f", &format!("{repository}@{digest}")]);
    }
    fs::remove_file(registry.link_file("deploys/gone", &old)).unwrap();
    let events = yard.log().len();
    let answer = yard.ends(&deploy, 9);
    assert!(answer.err.contains("a failure could not go back"), "{}", answer.err);
    assert!(answer.err.contains("--override return"), "{}", answer.err);
    assert_eq!((yard.all("development", "left").len(), yard.log().len()), (0, events));
    let words = ["--override", "return", "--reason", "the host is new"];
    yard.ends(&[deploy.as_slice(), &words].concat(), 0);
    yard.holds("development", "1.2.0", "two");
    yard.ends(&["rollback", "development", "--yes"], 9);
    yard.holds("development", "1.2.0", "two");
}

#[test]
fn what_dies_while_it_soaks_goes_back_and_what_comes_up_again_holds() {
    let Some(yard) = Yard::shared("dep-soak") else { return };
    let state = yard.world.folder().join("state");
    fs::create_dir(&state).unwrap();
    let staging = environment("staging", yard.port, TEN_MINUTES);
    let volume = format!("volumes = [\"{}:/state\"]\ndrain =", state.display());
    let development = environment("development", yard.port, "").replacen("drain =", &volume, 1);
    yard.configure(&format!("{development}{staging}"));
    for version in ["1.1.0", "1.2.0"] {
        yard.ends(&["deploy", "development", &format!("left@{version}"), "--yes"], 0);
    }
    let kill = || {
        let running = yard.running("development", "left");
        let pid = yard.docker(&["inspect", "--format", "{{.State.Pid}}", &running[0]]);
        assert!(Command::new("kill").args(["-KILL", &pid]).status().unwrap().success());
        pid
    };
    let pid_now = || {
        let running = yard.running("development", "left");
        running.first().map(|id| yard.docker(&["inspect", "--format", "{{.State.Pid}}", id]))
    };

    // Once, and the engine starts it again.
    let before = kill();
    until("it is started again", || {
        pid_now().is_some_and(|pid| pid != before && pid != "0") && get(yard.port).is_some()
    });
    let held = yard.ends(&["tick"], 0);
    assert!(held.err.contains("it holds"), "{}", held.err);
    yard.holds("development", "1.2.0", "two");

    // Again and again.
    fs::write(state.join("ends-1.2.0"), "").unwrap();
    kill();
    let back = yard.ends(&["tick"], 5);
    assert!(back.err.contains("went back from left 1.2.0"), "{}", back.err);
    yard.holds("development", "1.1.0", "one");
    let deploy = ["deploy", "development", "left@1.2.0", "--yes"];
    let refused = yard.ends(&deploy, 9);
    assert!(refused.err.contains("while it soaked"), "{}", refused.err);

    // A person says that it may come again; then it is ended for good.
    fs::remove_file(state.join("ends-1.2.0")).unwrap();
    yard.ends(&["resume", "--only", "left", "--reason", "the disk was full"], 0);
    yard.ends(&deploy, 0);
    yard.docker(&["kill", &yard.running("development", "left")[0]]);
    yard.ends(&["tick"], 5);
    yard.holds("development", "1.1.0", "one");
    assert!(yard.current("development", "left")["holds"].to_string().contains("1.2.0"));
}

#[test]
fn a_swarm_takes_promotions_and_goes_back() {
    let Some(_) = ground().and_then(|_| swarm()) else { return };
    let Some(yard) = Yard::shared("dep-swarm") else { return };
    let port = crate::stores::server::free_port();
    let health = "[[environment.staging.validate]]\nkind = \"http\"\ninterval = \"1s\"\nfailure-limit = 5\n";
    yard.configure(&format!(
        "{}[environment.staging]\ntarget = \"swarm\"\npackages = [\"left\"]\nafter = \"development\"\n\
         service.left.publish = [\"{port}:8080\"]\n{health}url = \"http://127.0.0.1:{port}/cgi-bin/health\"\n",
        environment("development", yard.port, "")
    ));
    let image = || {
        let name = format!("{}-staging-left", yard.scope);
        yard.docker(&["service", "inspect", "--format", "{{.Spec.TaskTemplate.ContainerSpec.Image}}", &name])
    };
    for (version, page) in [("1.1.0", "one"), ("1.2.0", "two")] {
        yard.ends(&["deploy", "development", &format!("left@{version}"), "--yes"], 0);
        yard.ends(&["promote", "--to", "staging", "--yes"], 0);
        let current = yard.current("staging", "left");
        assert_eq!((&current["version"], &current["verified"]), (&version.into(), &true.into()));
        assert_eq!(current["digest"], yard.current("development", "left")["digest"]);
        assert!(image().ends_with(current["digest"].as_str().unwrap()), "{} {current}", image());
        assert_eq!(get(port).as_deref(), Some(page));
    }
    yard.ends(&["rollback", "staging", "--yes"], 0);
    let current = yard.current("staging", "left");
    assert_eq!(current["version"], "1.1.0");
    assert!(image().ends_with(current["digest"].as_str().unwrap()), "{} {current}", image());
    assert_eq!(get(port).as_deref(), Some("one"));
    yard.holds("development", "1.2.0", "two");
    let again = yard.ends(&["promote", "--to", "staging", "--yes"], 9);
    assert!(again.err.contains("hold"), "{}", again.err);
}

#[test]
fn what_somebody_changed_by_hand_is_named_and_not_run_over() {
    let Some(yard) = development("dep-drift", "") else { return };
    let old = yard.running("development", "left").remove(0);
    yard.ends(&["deploy", "development", "left@1.2.0", "--yes"], 0);
    let new = yard.running("development", "left").remove(0);
    // The one before is started by hand in place of the current one.
    yard.docker(&["stop", &new]);
    yard.docker(&["start", &old]);
    let live = yard.ends(&["status", "--live"], 0);
    assert!(live.out.contains("changed by hand"), "{}", live.out);
    let deploy = ["deploy", "development", "left@1.2.0", "--yes"];
    let refused = yard.ends(&deploy, 9);
    assert!(refused.err.contains("somebody changed it by hand"), "{}", refused.err);
    assert!(refused.err.contains("--override drift"), "{}", refused.err);
    assert_eq!(yard.running("development", "left"), [old]);
    yard.ends(&[deploy.as_slice(), &["--override", "drift", "--reason", "it was a try"]].concat(), 0);
    yard.holds("development", "1.2.0", "two");

    // Somebody's own container in its place is told and not touched, not even where drift is passed.
    let ours = yard.running("development", "left").remove(0);
    let image = yard.docker(&["inspect", "--format", "{{.Image}}", &ours]);
    yard.docker(&["stop", &ours]);
    let publish = format!("127.0.0.1:{}:8080", yard.port);
    let theirs = yard.docker(&["run", "-d", "--env", "MINE=1", "-p", &publish, &image]);
    let refused = yard.ends(&["rollback", "development", "--yes"], 11);
    assert!(refused.err.contains("not ours"), "{}", refused.err);
    assert_eq!(yard.docker(&["inspect", "--format", "{{.State.Running}}", &theirs]), "true");
    yard.docker(&["rm", "-f", &theirs]);

    // What is not there at all is brought again.
    let live = yard.ends(&["status", "--live"], 0);
    assert!(live.out.contains("nothing runs"), "{}", live.out);
    yard.ends(&deploy, 0);
    yard.holds("development", "1.2.0", "two");
}

#[test]
fn random_kills_leave_exactly_what_the_ledger_says() {
    if start().is_none() {
        return;
    }
    let all = runs(20);
    let (threads, began) = (4, Instant::now());
    let kills: usize = std::thread::scope(|scope| {
        let works = (0..threads).map(|thread| {
            let share = all / threads + usize::from(thread < all % threads);
            scope.spawn(move || kill_at_random(thread, share))
        });
        let works: Vec<_> = works.collect();
        works.into_iter().map(|work| work.join().unwrap()).sum()
    });
    let seconds = began.elapsed().as_secs();
    tell(
        "random kills of deployments",
        &format!("{all} deployments, {kills} kills, {seconds} s, all converged"),
    );
}

/// Deployments to and fro, each killed somewhere and finished by `tick` in a fresh clone; how many kills there were.
fn kill_at_random(thread: usize, runs: usize) -> usize {
    let yard = development(&format!("dep-kills-{thread}"), "").unwrap();
    let mut dice = Dice::of(&format!("kills of deployments {thread}"));
    let (mut kills, mut current) = (0, "1.1.0");
    for run in 0..runs {
        let next = if current == "1.1.0" { "1.2.0" } else { "1.1.0" };
        let release = format!("left@{next}");
        let words =
            ["deploy", "development", &release, "--yes", "--override", "order", "--reason", "to and fro"];
        let mut said = String::new();
        for _ in 0..=dice.below(2) {
            let mut command = yard.command(&words);
            command.stdout(Stdio::piped()).stderr(Stdio::piped());
            let place = 1 + dice.below(24);
            let later = Duration::from_millis(200 + 100 * dice.below(35) as u64);
            let output = match dice.below(3) {
                0 => command.env("RELEASE_CRASH_AT", place.to_string()).output().unwrap(),
                _ => {
                    let mut child = command.spawn().unwrap();
                    sleep(later);
                    let _ = child.kill();
                    child.wait_with_output().unwrap()
                }
            };
            kills += usize::from(output.status.signal() == Some(9));
            said.push_str(&format!("{:?}: {}", output.status, String::from_utf8_lossy(&output.stderr)));
        }
        // Nothing of the one that was killed is at hand: not its journal, and no lock of git's that it left behind.
        yard.fresh();
        let tick = yard.run(&["tick"]);
        assert_eq!(tick.code, Some(0), "run {run}:\n{said}\n{}", tick.err);
        let found = yard.settled("development", "left");
        assert!([current, next].contains(&found.as_str()), "run {run}: {found}\n{said}");
        assert_eq!(get(yard.port).as_deref(), Some(if found == "1.1.0" { "one" } else { "two" }), "{said}");
        current = if found == next { next } else { current };
    }
    // Whoever was killed last may have left something; an undisturbed one clears it away.
    let last = if current == "1.1.0" { "left@1.2.0" } else { "left@1.1.0" };
    let words = ["deploy", "development", last, "--yes", "--override", "order", "--reason", "to and fro"];
    yard.ends(&words, 0);
    let all = yard.all("development", "left");
    assert!(all.len() <= 2, "no more than the one before is kept: {all:?}");
    kills
}
