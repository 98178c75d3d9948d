//! How much of the matrix a run goes through: a bounded slice with a fixed seed, or all of it.
//!
//! `RELEASE_MATRIX=all` goes through every place and fault; `RELEASE_MATRIX_RUNS` says how many random kills there are,
//! `RELEASE_MATRIX_SEED` which.

use std::env;

/// Random numbers that a seed gives again (splitmix64).
pub struct Dice(u64);

impl Dice {
    /// Dice of the run's seed; `name` sets them apart from those of other tests.
    pub fn of(name: &str) -> Dice {
        let seed = number("RELEASE_MATRIX_SEED").unwrap_or(20_250_106);
        Dice(name.bytes().fold(seed, |seed, byte| seed.rotate_left(7) ^ u64::from(byte)))
    }

    pub fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        usize::try_from((mixed ^ (mixed >> 31)) % end as u64).unwrap()
    }
}

/// Whether this run goes through everything.
pub fn is_all() -> bool {
    env::var_os("RELEASE_MATRIX").is_some_and(|extent| extent == "all")
}

/// How many random runs there are.
pub fn runs(few: usize) -> usize {
    let asked = number("RELEASE_MATRIX_RUNS").and_then(|runs| usize::try_from(runs).ok());
    asked.unwrap_or(if is_all() { 200 } else { few })
}

/// All of them, or a few that the seed names, in their order.
pub fn some<T>(name: &str, items: Vec<T>, few: usize) -> Vec<T> {
    let mut dice = Dice::of(name);
    let mut left = items.len();
    let mut wanted = if is_all() { left } else { few.min(left) };
    let mut chosen = Vec::new();
    for item in items {
        if wanted > 0 && dice.below(left) < wanted {
            chosen.push(item);
            wanted -= 1;
        }
        left -= 1;
    }
    chosen
}

fn number(variable: &str) -> Option<u64> {
    let text = env::var(variable).ok()?;
    Some(text.parse().unwrap_or_else(|_| panic!("{variable} is a number, not `{text}`")))
}

#[test]
fn a_seed_gives_the_same_few_again() {
    let few = || some("example", (0..100).collect(), 10);
    assert_eq!(few(), few());
    let mut dice = Dice::of("example");
    assert!((0..1000).all(|_| dice.below(7) < 7));
}
