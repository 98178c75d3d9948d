//! Many ships at once, and one that sleeps while another takes over.

use std::collections::BTreeMap;
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::json;

use crate::clones::Clone;
use crate::matrix::dice::runs;
use crate::matrix::field::Field;
use crate::matrix::ground::{Ground, Start};
use crate::matrix::room;
use crate::matrix::{compare, tell};
use crate::world::Answer;

/// How long a look at the ledger's head holds.
const FRESH: Duration = Duration::from_secs(1);

#[test]
fn of_two_and_of_eight_ships_at_once_one_wins_and_the_others_do_nothing() {
    let Some(ground) = Ground::light().map(Ground::without_trials) else { return };
    let start = Start { stash: ground.claimed().stash, ..ground.untouched() };
    let (twin, _) = ground.twin(&start);
    let rounds = runs(2).div_ceil(2);
    for ships in [2, 8].repeat(rounds) {
        let field = ground.field(&start);
        let clones: Vec<Clone> = (0..ships).map(|_| field.fresh()).collect();
        let all = clones.iter().map(|clone| spawn(&field, clone, &field.words())).collect::<Vec<_>>();
        let answers: Vec<Answer> = all.into_iter().map(|ship| answer(&field, ship)).collect();
        let said: String = answers.iter().map(|one| format!("{:?}\n{}\n", one.code, one.err)).collect();
        let winners = answers.iter().filter(|one| one.code == Some(0)).count();
        assert_eq!(winners, 1, "{ships} ships: {said}");
        let lost = |one: &&Answer| one.code == Some(7) && !one.err.contains("uploaded");
        assert_eq!(answers.iter().filter(lost).count(), ships - 1, "{ships} ships: {said}");
        each_file_was_sent_once(&field, &said);
        field.converge();
        compare(&twin, &field.end(), &said);
    }
    tell("ships of one plan at once", &format!("{rounds} rounds of 2 and of 8, one winner each"));
}

#[test]
fn two_ships_of_different_packages_at_once_both_succeed() {
    let Some(ground) = Ground::light() else { return };
    let field = ground.field(&ground.untouched());
    let clones = [field.fresh(), field.fresh()];
    let ships = ["base", "solo"].into_iter().zip(&clones).map(|(package, clone)| {
        let words = ["--package", package].into_iter().chain(field.words()).collect::<Vec<_>>();
        spawn(&field, clone, &words)
    });
    for ship in ships.collect::<Vec<_>>() {
        let answer = answer(&field, ship);
        assert_eq!(answer.code, Some(0), "{}", answer.err);
    }
    let index = field.index();
    for project in ["light-base 1.1.0", "light-solo 1.1.0"] {
        assert_eq!(index.lines().filter(|line| line.starts_with(project)).count(), 2, "{index}");
    }
    // The rest is another release.
    field.converge();
    let end = field.end();
    assert_eq!(end["index"].lines().count(), 8, "{}", end["index"]);
    assert_eq!((end["in flight"].as_str(), end["left to do"].as_str()), ("", "nothing to release\n"));
}

#[test]
fn a_holder_that_sleeps_through_a_takeover_does_nothing_more() {
    let Some(ground) = Ground::light().map(Ground::without_trials) else { return };
    if !room::can_be_made() {
        return;
    }
    let claimed = ground.claimed();
    let (twin, _) = ground.twin(&claimed);
    let field = ground.field(&claimed);
    // Its second file takes so long that it can be stopped on the way.
    ground.double.fault(&json!({ "kind": "delay", "path": "/legacy/", "seconds": 2, "skip": 1, "times": 1 }));
    let clone = field.fresh();
    let command = room::elsewhere(&field.command(&clone, &field.words()));
    let mut sleeper = spawn_as(command);
    until("two uploads have begun", || ground.double.requests("POST", "/legacy/").len() >= 2);
    let ship = inner(sleeper.id());
    kill_process(ship, Signal::STOP).unwrap();
    let stopped = Instant::now();

    let careful = field.ship(&field.fresh(), &[]);
    assert_eq!(careful.code, Some(7), "{}", careful.err);
    assert!(careful.err.contains("--take-over"), "it says how: {}", careful.err);
    let words: Vec<&str> = field.words().into_iter().chain(["--take-over"]).collect();
    field.run(&field.fresh(), &words, &[]).well();
    until("a look at the ledger is old", || stopped.elapsed() > FRESH);

    let before = ground.double.requests("POST", "/legacy/").len();
    let refs = field.git(&["for-each-ref"]);
    kill_process(ship, Signal::CONT).unwrap();
    let ended = sleeper.wait().unwrap();
    let woken = field.note(read(sleeper, ended.code()));
    assert_eq!(woken.code, Some(7), "{}", woken.err);
    assert_eq!(ground.double.requests("POST", "/legacy/").len(), before, "it sent no file: {}", woken.err);
    assert_eq!(field.git(&["for-each-ref"]), refs, "it moved no ref: {}", woken.err);
    compare(&twin, &field.end(), &woken.err);
}

/// The only child of a process.
fn inner(parent: u32) -> Pid {
    let path = format!("/proc/{parent}/task/{parent}/children");
    let children = std::fs::read_to_string(path).unwrap();
    Pid::from_raw(children.trim().parse().unwrap()).unwrap()
}

fn until(what: &str, holds: impl Fn() -> bool) {
    let begun = Instant::now();
    while !holds() {
        assert!(begun.elapsed() < Duration::from_secs(60), "{what}");
        sleep(Duration::from_millis(10));
    }
}

fn each_file_was_sent_once(field: &Field<'_>, said: &str) {
    let mut sent: BTreeMap<String, usize> = BTreeMap::new();
    for upload in field.ground.double.requests("POST", "/legacy/") {
        *sent.entry(upload["file"]["filename"].to_string()).or_default() += 1;
    }
    assert!(sent.values().all(|times| *times == 1) && sent.len() == 8, "{sent:?}\n{said}");
}

fn spawn(field: &Field<'_>, clone: &Clone, words: &[&str]) -> Child {
    spawn_as(field.command(clone, words))
}

fn spawn_as(mut command: Command) -> Child {
    command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
}

fn answer(field: &Field<'_>, ship: Child) -> Answer {
    field.note(Answer::of(ship.wait_with_output().unwrap()))
}

/// What an ended process had said.
fn read(mut ended: Child, code: Option<i32>) -> Answer {
    let text = |stream: Option<&mut dyn std::io::Read>| {
        let mut text = String::new();
        stream.unwrap().read_to_string(&mut text).unwrap();
        text
    };
    let out = text(ended.stdout.as_mut().map(|stream| stream as &mut dyn std::io::Read));
    let err = text(ended.stderr.as_mut().map(|stream| stream as &mut dyn std::io::Read));
    Answer { code, out, err }
}
