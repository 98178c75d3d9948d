use proptest::prelude::*;

use super::*;
use crate::workspace::config::environment::CheckKind;

/// A schedule by its three numbers: successes in a row, failures borne, errors borne.
fn schedule(needed: u32, failures: u32, errors: u32) -> Schedule {
    Schedule {
        consecutive_success: needed,
        failure_limit: failures,
        error_limit: errors,
        ..Schedule::of_kind(CheckKind::Http)
    }
}

/// Tries as letters: `p`ass, `f`ail, `n`o data, `e`rror; the outcome, and how many tries it took.
fn run(schedule: Schedule, tries: &str) -> (Option<Outcome>, u32) {
    let mut trial = Trial::new(schedule);
    for letter in tries.chars() {
        let shown = match letter {
            'p' => Try::Pass,
            'f' => Try::Fail,
            'n' => Try::NoData,
            _ => Try::Error,
        };
        if let Some(outcome) = trial.take(shown) {
            return (Some(outcome), trial.tries);
        }
    }
    (None, trial.tries)
}

#[track_caller]
fn check(numbers: (u32, u32, u32), tries: &str, expected: Option<Outcome>, after: u32) {
    let (needed, failures, errors) = numbers;
    assert_eq!(run(schedule(needed, failures, errors), tries), (expected, after), "{tries}");
}

#[test]
fn the_first_failure_beyond_the_limit_ends_it_at_once() {
    check((1, 0, 4), "fpppp", Some(Outcome::Fail), 1);
    check((3, 2, 4), "ffppf", Some(Outcome::Fail), 5);
    check((3, 2, 4), "ffppp", Some(Outcome::Pass), 5);
}

#[test]
fn successes_count_in_a_row_only() {
    check((3, 9, 9), "ppfpppp", Some(Outcome::Pass), 6);
    check((3, 9, 9), "ppnppeppp", Some(Outcome::Pass), 9);
    check((2, 9, 9), "pfpfpfpfp", None, 9);
}

#[test]
fn errors_are_borne_in_a_row_and_forgotten_by_an_answer() {
    check((1, 0, 4), "eeeeep", Some(Outcome::Error), 5);
    check((1, 0, 4), "eeeep", Some(Outcome::Pass), 5);
    check((2, 9, 1), "epepenepp", Some(Outcome::Pass), 9);
    check((1, 0, 0), "e", Some(Outcome::Error), 1);
}

#[test]
fn no_data_is_never_a_pass_and_no_failure() {
    check((1, 0, 0), "nnnnnnnn", None, 8);
    check((1, 0, 0), "nnp", Some(Outcome::Pass), 3);
}

#[test]
fn a_failure_outranks_an_error_outranks_what_is_open_outranks_a_pass() {
    use CheckMode::{DryRun, Enforce};
    let ranked = [Outcome::Pass, Outcome::Inconclusive, Outcome::Error, Outcome::Fail];
    for (at, higher) in ranked.into_iter().enumerate() {
        for lower in &ranked[..=at] {
            assert_eq!(together([(Enforce, higher), (Enforce, *lower)]), higher);
            assert_eq!(together([(Enforce, *lower), (Enforce, higher)]), higher);
            assert_eq!(
                together([(DryRun, higher), (Enforce, *lower)]),
                *lower,
                "measured, and decides nothing"
            );
        }
    }
    assert_eq!(together([]), Outcome::Pass);
    assert_eq!(together([(DryRun, Outcome::Fail)]), Outcome::Pass);
}

proptest! {
    #[test]
    fn no_order_of_tries_breaks_the_rules(
        needed in 1u32..5, failures in 0u32..4, errors in 0u32..4, tries in "[pfne]{0,40}"
    ) {
        let (outcome, after) = run(schedule(needed, failures, errors), &tries);
        let seen = &tries[..after as usize];
        let failed = seen.matches('f').count() as u32;
        match outcome {
            Some(Outcome::Pass) => {
                prop_assert!(seen.ends_with(&"p".repeat(needed as usize)));
                prop_assert!(failed <= failures);
            }
            Some(Outcome::Fail) => {
                prop_assert!(seen.ends_with('f'));
                prop_assert_eq!(failed, failures + 1);
            }
            Some(Outcome::Error) => prop_assert!(seen.ends_with(&"e".repeat(errors as usize + 1))),
            Some(Outcome::Inconclusive) => prop_assert!(false, "only time ends it so"),
            None => {
                prop_assert_eq!(after as usize, tries.len());
                prop_assert!(failed <= failures);
                prop_assert!(!seen.contains(&"p".repeat(needed as usize)));
                prop_assert!(!seen.contains(&"e".repeat(errors as usize + 1)));
            }
        }
    }

    #[test]
    fn without_a_success_nothing_passes(tries in "[fne]{0,60}", failures in 0u32..9, errors in 0u32..9) {
        prop_assert_ne!(run(schedule(1, failures, errors), &tries).0, Some(Outcome::Pass));
    }

    #[test]
    fn the_verdict_does_not_depend_on_the_order(outcomes in proptest::collection::vec(0usize..4, 0..8), turn in 0usize..8) {
        let ranked = [Outcome::Pass, Outcome::Inconclusive, Outcome::Error, Outcome::Fail];
        let list: Vec<_> = outcomes.iter().map(|at| (CheckMode::Enforce, ranked[*at])).collect();
        let mut turned = list.clone();
        turned.rotate_left(if list.is_empty() { 0 } else { turn % list.len() });
        prop_assert_eq!(together(list), together(turned));
    }
}
