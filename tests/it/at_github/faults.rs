//! Every fault at every request to GitHub: the same command ends as if nothing had been.

use crate::at_github::kills::{SHIP, STASH, claimed, tried};
use crate::at_github::place::{Moment, Place, compare};
use crate::github::faults::{Fault, Harm};
use crate::matrix::dice::some;
use crate::matrix::tell;

/// With a name for each.
fn harms() -> Vec<(&'static str, Harm)> {
    vec![
        ("dropped", Harm::Drop),
        ("done, the answer lost", Harm::Lose),
        ("done, the answer cut", Harm::Truncate),
        ("500", Harm::Status(500)),
        ("502", Harm::Status(502)),
        ("503", Harm::Status(503)),
        ("done, answered 502", Harm::Late(502)),
        ("429", Harm::TooMany(1)),
        ("secondary limit", Harm::Secondary(1)),
        ("primary limit", Harm::Primary(0)),
        ("hung up after a second", Harm::Hang(1)),
        ("slow", Harm::Slow(300)),
        ("stale", Harm::Stale),
    ]
}

#[test]
fn every_fault_while_files_are_kept_at_github_ends_well() {
    let Some(place) = Place::single() else { return };
    let start = claimed(&place);
    through_faults(&place, &start, &STASH, "while files are kept");
}

#[test]
fn every_fault_while_a_release_is_published_ends_well() {
    let Some(place) = Place::single() else { return };
    place.github.make_releases_immutable();
    let start = tried(&place);
    through_faults(&place, &start, &SHIP, "while a release is published");
}

#[test]
fn every_fault_while_files_are_taken_from_github_ends_well() {
    let Some(place) = Place::single() else { return };
    place.anywhere(&STASH).well();
    place.lose_stash();
    let start = place.moment("kept");
    through_faults(&place, &start, &["ship", "--yes", "--until", "publish"], "while files are taken");
}

#[test]
fn a_storage_that_fails_costs_a_build_and_nothing_else() {
    let Some(place) = Place::single() else { return };
    place.anywhere(&STASH).well();
    place.lose_stash();
    let start = place.moment("kept");
    let words = ["ship", "--yes", "--until", "publish"];
    place.anywhere(&words).well();
    let twin = place.end();
    for (name, harm, times) in [
        ("dropped", Harm::Drop, 1),
        ("cut", Harm::Truncate, 1),
        ("503", Harm::Status(503), 1),
        ("503 for good", Harm::Status(503), 99),
        ("gone", Harm::Status(404), 99),
    ] {
        place.back_to(&start);
        let clone = place.fresh();
        place.github.order(Fault::at("GET", "/storage/*", harm).times(times));
        let said = place.run(&clone, &words, &[]).well().err;
        assert_eq!(
            times > 1,
            said.contains("the files of solo could not be taken from GitHub"),
            "{name}\n{said}"
        );
        compare(&twin, &place.end(), name);
    }
}

#[test]
fn a_token_that_is_revoked_midway_stops_the_ship_and_another_one_finishes_it() {
    let Some(mut place) = Place::single() else { return };
    tried(&place);
    let clone = place.fresh();
    let worn = std::mem::replace(&mut place.token, place.github.job());
    place.github.order(Fault::at("PATCH", "*", Harm::Status(401)));
    let answer = place.run(&clone, &SHIP, &[("RELEASE_GITHUB_TOKEN", &worn)]);
    assert_eq!(answer.code, Some(9), "{}", answer.err);
    assert!(answer.err.contains("make a new one"), "{}", answer.err);
    place.converge(&SHIP);
    assert_eq!(place.release("solo-v1.1.0")["draft"], false);
}

fn through_faults(place: &Place, start: &Moment, words: &[&str], what: &str) {
    place.back_to(start);
    place.anywhere(words).well();
    let requests: Vec<String> = place
        .github
        .requests()
        .into_iter()
        .filter(|seen| seen.path.starts_with("/repos/"))
        .map(|seen| format!("{} {}", seen.method, seen.path))
        .collect();
    let twin = place.end();
    let mut faults = Vec::new();
    for (at, request) in requests.iter().enumerate() {
        faults.extend(harms().into_iter().map(|(name, harm)| (at, request.clone(), name, harm)));
    }
    let all = faults.len();
    let chosen = some(what, faults, 8);
    let runs = chosen.len();
    for (at, request, name, harm) in chosen {
        place.back_to(start);
        let clone = place.fresh();
        place.github.clear_requests();
        place.github.order(Fault::at("*", "/repos/*", harm).after(at));
        let answer = place.run(&clone, words, &[]);
        let what = format!("{name} at request {at}, {request}, {what}\n{}", answer.err);
        assert!(matches!(answer.code, Some(0 | 10)), "{:?}: {what}", answer.code);
        place.github.clear_faults();
        place.converge(words);
        compare(&twin, &place.end(), &what);
    }
    tell("faults at GitHub", &format!("{runs} of {all} {what}, all converged"));
}
