//! Killed before and after every effect, and at random: the same command, from a fresh clone, comes to the same end.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::process::ExitStatusExt;
use std::process::Stdio;
use std::thread::sleep;
use std::time::Duration;

use crate::matrix::dice::{Dice, runs, some};
use crate::matrix::field::Field;
use crate::matrix::ground::{Ground, Start};
use crate::matrix::{compare, tell};
use crate::world::Answer;

const KILLED: i32 = 9;

#[test]
fn a_ship_killed_before_its_claim_is_done_from_a_fresh_clone() {
    let Some(ground) = Ground::light().map(Ground::without_trials) else { return };
    let untouched = ground.untouched();
    let (twin, places) = ground.twin(&untouched);
    let (_, after) = ground.twin(&ground.claimed());
    let before = places.saturating_sub(after);
    for place in some("kills", (1..=before).collect(), 3) {
        kill_and_finish(&ground, &untouched, place, false, &twin);
    }
    tell("kills before the claim", &format!("{before} places, all converged"));
}

#[test]
fn a_ship_killed_while_it_publishes_is_finished_from_a_fresh_clone() {
    let Some(ground) = Ground::light().map(Ground::without_trials) else { return };
    let claimed = ground.claimed();
    let (twin, places) = ground.twin(&claimed);
    for place in some("kills after the claim", (1..=places).collect(), 8) {
        kill_and_finish(&ground, &claimed, place, false, &twin);
    }
    // Whoever finishes it may have to build its files again.
    for place in some("kills without a stash", (1..=places).collect(), 1) {
        kill_and_finish(&ground, &claimed, place, true, &twin);
    }
    tell("kills after the claim", &format!("{places} places, all converged"));
}

#[test]
fn a_ship_killed_while_it_tries_what_it_published_is_finished_from_a_fresh_clone() {
    let Some(ground) = Ground::light() else { return };
    let claimed = ground.claimed();
    let (twin, places) = ground.twin(&claimed);
    assert_eq!(twin["in flight"], "", "a ship that goes to its end leaves nothing under way");
    // The uploads come first; they are killed above.
    let trials: Vec<usize> = (places / 2..=places).collect();
    for place in some("kills of trials", trials, 2) {
        kill_and_finish(&ground, &claimed, place, false, &twin);
    }
    tell("kills to the end", &format!("{places} places after the claim, all converged"));
}

#[test]
fn random_kills_one_after_another_end_as_if_nothing_had_been() {
    let Some(ground) = Ground::light().map(Ground::without_trials) else { return };
    let claimed = ground.claimed();
    let (twin, places) = ground.twin(&claimed);
    let mut dice = Dice::of("random kills");
    let mut kills = 0;
    let runs = runs(8);
    for run in 0..runs {
        let field = ground.field(&claimed);
        let mut said = String::new();
        // Each run is killed, and whoever goes on may be killed too.
        for _ in 0..=dice.below(3) {
            let place = 1 + dice.below(places);
            let (was_killed, words) = match dice.below(2) {
                0 => kill(&field, place),
                _ => kill_from_outside(&field, place),
            };
            said.push_str(&format!("killed at {place}: {was_killed}\n{words}"));
            kills += usize::from(was_killed);
        }
        field.converge();
        compare(&twin, &field.end(), &format!("random run {run}\n{said}"));
    }
    tell("random kills", &format!("{runs} runs, {kills} kills, all converged"));
}

#[test]
fn the_sample_monorepo_killed_while_it_publishes_is_finished_from_a_fresh_clone() {
    let Some(ground) = Ground::sample().map(Ground::without_trials) else { return };
    let claimed = ground.claimed();
    let (twin, places) = ground.twin(&claimed);
    assert_eq!(twin["index"].lines().count(), 12, "twelve files: {}", twin["index"]);
    for place in some("kills of the sample", (1..=places).collect(), 2) {
        kill_and_finish(&ground, &claimed, place, false, &twin);
    }
    tell("kills of the sample", &format!("{places} places after the claim, all converged"));
}

fn kill_and_finish(
    ground: &Ground,
    start: &Start,
    place: usize,
    without_stash: bool,
    twin: &BTreeMap<String, String>,
) {
    let field = ground.field(start);
    let (_, said) = kill(&field, place);
    if without_stash {
        field.empty_stash();
    }
    field.converge();
    compare(twin, &field.end(), &format!("killed at place {place}\n{said}"));
}

/// Kills a ship from a fresh clone at a place, where it comes that far. Uploads run side by side, so that the number
/// of places varies a little.
fn kill(field: &Field<'_>, place: usize) -> (bool, String) {
    let clone = field.fresh();
    let mut command = field.command(&clone, &field.words());
    let output = command.env("RELEASE_CRASH_AT", place.to_string()).output().unwrap();
    let was_killed = output.status.signal() == Some(KILLED);
    let answer = field.note(Answer::of(output));
    let ended = matches!(answer.code, Some(0 | 3 | 7 | 10));
    assert!(was_killed || ended, "place {place}: {:?}\n{}{}", answer.code, answer.out, answer.err);
    (was_killed, answer.err)
}

/// Kills a ship from outside once it has passed a place: wherever it is by then, with a file or a push on its way.
fn kill_from_outside(field: &Field<'_>, place: usize) -> (bool, String) {
    let clone = field.fresh();
    let count = clone.folder.join("places");
    let mut command = field.command(&clone, &field.words());
    command.env("RELEASE_CRASH_COUNT", &count).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut ship = command.spawn().unwrap();
    let passed = || fs::metadata(&count).map_or(0, |file| file.len());
    while passed() < place as u64 && ship.try_wait().unwrap().is_none() {
        sleep(Duration::from_millis(1));
    }
    ship.kill().unwrap();
    let output = ship.wait_with_output().unwrap();
    let was_killed = output.status.signal() == Some(KILLED);
    (was_killed, field.note(Answer::of(output)).err)
}
