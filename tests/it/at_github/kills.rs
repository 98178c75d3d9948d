//! Killed at every place of the steps at GitHub, a ship is finished from a fresh clone as if nothing had been.

use std::fs;
use std::os::unix::process::ExitStatusExt;

use crate::at_github::place::{Moment, Place, compare};
use crate::matrix::dice::some;
use crate::matrix::tell;
use crate::world::Answer;

const KILLED: i32 = 9;
pub const SHIP: [&str; 2] = ["ship", "--yes"];
/// The claim is made: this keeps the files, and does no more.
pub const STASH: [&str; 4] = ["ship", "--yes", "--until", "claim"];

/// A claim whose files are nowhere but here.
pub fn claimed(place: &Place) -> Moment {
    place.run(&place.fresh(), &STASH, &[("RELEASE_GITHUB_TOKEN", "")]).well();
    place.moment("claimed")
}

/// Everything is tried; only the release is a draft.
pub fn tried(place: &Place) -> Moment {
    place.anywhere(&["ship", "--yes", "--until", "smoke"]).well();
    place.moment("tried")
}

#[test]
fn a_ship_killed_while_it_keeps_files_at_github_is_finished_by_another_machine() {
    let Some(place) = Place::single() else { return };
    let start = claimed(&place);
    through_kills(&place, &start, &STASH, "while files are kept");
    // And to the very end, once.
    place.lose_stash();
    place.converge(&SHIP);
    let release = place.release("solo-v1.1.0");
    assert_eq!((&release["draft"], place.assets(&release)), (&false.into(), place.sealed("solo")));
}

#[test]
fn a_ship_killed_while_it_publishes_its_release_is_finished_by_another_machine() {
    let Some(place) = Place::single() else { return };
    place.github.make_releases_immutable();
    let start = tried(&place);
    through_kills(&place, &start, &SHIP, "while a release is published");
}

fn through_kills(place: &Place, start: &Moment, words: &[&str], what: &str) {
    let count = place.world.folder().join("places");
    let clone = place.fresh();
    place.run(&clone, words, &[("RELEASE_CRASH_COUNT", count.to_str().unwrap())]).well();
    let twin = place.end();
    let places = fs::read(&count).unwrap().len();
    assert!(places >= 4, "{places} places");
    let chosen = some(what, (1..=places).collect::<Vec<_>>(), 8);
    let runs = chosen.len();
    for at in chosen {
        place.back_to(start);
        let clone = place.fresh();
        let mut command = place.command(&clone, words);
        let output = command.env("RELEASE_CRASH_AT", at.to_string()).output().unwrap();
        assert_eq!(output.status.signal(), Some(KILLED), "place {at}: {}", Answer::of(output).err);
        if at % 2 == 0 {
            place.lose_stash();
        }
        place.converge(words);
        compare(&twin, &place.end(), &format!("killed at place {at} {what}"));
    }
    tell("kills at GitHub", &format!("{runs} of {places} places {what}, all converged"));
}
