//! No room and no right to write: a full repository, a full temporary folder, a home that can not be written.

use crate::matrix::dice::is_all;
use crate::matrix::field::Field;
use crate::matrix::ground::{Ground, Start};
use crate::matrix::room::{self, Room};
use crate::matrix::{compare, tell};
use crate::world::Answer;

#[test]
fn a_full_disk_of_the_checkout_is_got_over_with_more_room() {
    let Some(ground) = Ground::light().map(Ground::without_trials) else { return };
    if !room::can_be_made() {
        return;
    }
    let start = Start { stash: ground.claimed().stash, ..ground.untouched() };
    let (twin, _) = ground.twin(&start);
    let sizes: &[usize] = if is_all() { &[0, 4, 8, 16, 24, 32, 48, 64, 96, 128, 256] } else { &[0, 24, 80] };
    let mut codes = Vec::new();
    for left in sizes {
        let field = ground.field(&start);
        let answer = ship_in(&field, &Room { repository: true, left: *left });
        let said = format!("{left} KiB left: {:?}\n{}", answer.code, answer.err);
        assert!(matches!(answer.code, Some(0 | 2 | 7 | 10)), "{said}");
        codes.push(answer.code.unwrap());
        field.converge();
        compare(&twin, &field.end(), &said);
    }
    assert_ne!(codes[0], 0, "a full disk is noticed");
    tell("full disks of the checkout", &format!("{sizes:?} KiB left end with {codes:?}, all converged"));
}

#[test]
fn a_full_temporary_folder_is_got_over_with_more_room() {
    let Some(ground) = Ground::light().map(Ground::without_trials) else { return };
    if !room::can_be_made() {
        return;
    }
    let untouched = ground.untouched();
    let (twin, _) = ground.twin(&untouched);
    let field = ground.field(&untouched);
    let answer = ship_in(&field, &Room { repository: false, left: 0 });
    assert!(matches!(answer.code, Some(4 | 10)), "{:?} {}", answer.code, answer.err);
    assert_eq!(field.index(), "", "nothing is published");
    field.converge();
    compare(&twin, &field.end(), "a full temporary folder");
}

#[test]
fn a_full_disk_of_the_origin_is_got_over_with_more_room() {
    let Some(ground) = Ground::light().map(Ground::without_trials) else { return };
    if !room::can_be_made() {
        return;
    }
    let start = Start { stash: ground.claimed().stash, ..ground.untouched() };
    let (twin, _) = ground.twin(&start);
    let field = ground.field(&start);
    let before = field.git(&["for-each-ref"]);
    let clone = field.fresh();
    let command = field.command(&clone, &field.words());
    let mut command = Room { repository: true, left: 0 }.around(&field.origin(), &command);
    let answer = field.note(Answer::of(command.output().unwrap()));
    assert!(matches!(answer.code, Some(9 | 10)), "{:?} {}", answer.code, answer.err);
    assert_eq!(field.index(), "", "nothing is published without a claim");
    assert_eq!(field.git(&["for-each-ref"]), before);
    field.converge();
    compare(&twin, &field.end(), "a full origin");
}

#[test]
fn a_home_that_can_not_be_written_is_not_needed() {
    let Some(ground) = Ground::light().map(Ground::without_trials) else { return };
    let untouched = ground.untouched();
    let (twin, _) = ground.twin(&untouched);
    let field = ground.field(&untouched);
    // Nobody can make a file there, not even root.
    field.ship(&field.fresh(), &[("HOME", "/proc")]).well();
    compare(&twin, &field.end(), "a home that is read-only");
}

#[test]
fn a_clock_that_is_wrong_by_a_day_changes_nothing_for_who_goes_on() {
    let Some(ground) = Ground::light().map(Ground::without_trials) else { return };
    let claimed = ground.claimed();
    let (twin, places) = ground.twin(&claimed);
    for skew in [-86_400, 86_400] {
        let field = ground.field(&claimed);
        let clone = field.fresh();
        let middle = (places / 2).to_string();
        let killed = field.ship(&clone, &[("RELEASE_CRASH_AT", &middle)]);
        assert_eq!(killed.code, None, "killed in the middle: {}", killed.err);
        let clock = (crate::matrix::ground::CLOCK + skew).to_string();
        field.ship(&field.fresh(), &[("RELEASE_CLOCK", &clock)]).well();
        compare(&twin, &field.end(), &format!("a clock wrong by {skew} s"));
    }
}

/// A ship whose clone, or temporary folder, is on a small disk.
fn ship_in(field: &Field<'_>, room: &Room) -> Answer {
    let clone = field.fresh();
    let folder = clone.folder.join(if room.repository { "repository" } else { "tmp" });
    let mut command = room.around(&folder, &field.command(&clone, &field.words()));
    field.note(Answer::of(command.output().unwrap()))
}
