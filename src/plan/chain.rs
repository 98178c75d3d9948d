//! The longest chain of steps: what a ship takes at least, however much goes on side by side, with what they waited.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::plan::step::Step;

/// The steps, each needing the one before, that took longest one after another, and how long that is. A step without a
/// time took none, and is left out.
pub fn longest_chain<'s>(steps: &'s [Step], took: &BTreeMap<String, Duration>) -> (Duration, Vec<&'s str>) {
    let mut chains: BTreeMap<&str, (Duration, Vec<&str>)> = BTreeMap::new();
    // Each step stands behind what it needs.
    for step in steps {
        let id = step.id.0.as_str();
        let before = step.needs.iter().filter_map(|need| chains.get(need.0.as_str()));
        // Of chains of one length the first.
        let longest = before.rev().max_by_key(|(length, _)| *length).cloned();
        let (mut length, mut chain) = longest.unwrap_or_default();
        if let Some(took) = took.get(id) {
            length += *took;
            chain.push(id);
        }
        chains.insert(id, (length, chain));
    }
    chains.into_values().max_by_key(|(length, _)| *length).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::step::{Action, Reversal, StepId};

    fn step(id: &str, needs: &[&str]) -> Step {
        Step {
            id: StepId(id.to_owned()),
            package: None,
            action: Action::Seal,
            needs: needs.iter().map(|need| StepId((*need).to_owned())).collect(),
            reversal: Reversal::Nothing,
            check: String::new(),
        }
    }

    fn check(took: &[(&str, u64)], expected: (u64, &[&str])) {
        let steps = [
            step("commit", &[]),
            step("build:a", &["commit"]),
            step("build:b", &["commit"]),
            step("seal", &["build:a", "build:b"]),
            step("publish:a", &["seal"]),
            step("publish:b", &["seal", "publish:a"]),
            step("smoke:a", &["publish:a"]),
        ];
        let took = took.iter().map(|(id, seconds)| ((*id).to_owned(), Duration::from_secs(*seconds)));
        let (length, chain) = longest_chain(&steps, &took.collect());
        assert_eq!((length.as_secs(), chain.as_slice()), expected);
    }

    #[test]
    fn what_goes_on_side_by_side_counts_once() {
        let all = [("commit", 1), ("build:a", 2), ("build:b", 3), ("seal", 1), ("publish:a", 4)];
        check(&all, (9, &["commit", "build:b", "seal", "publish:a"]));
        let more = [("publish:a", 4), ("publish:b", 2), ("smoke:a", 3)];
        check(&more, (7, &["publish:a", "smoke:a"]));
    }

    #[test]
    fn steps_of_an_earlier_run_take_no_time() {
        check(&[("publish:b", 2), ("smoke:a", 1)], (2, &["publish:b"]));
        check(&[], (0, &[]));
    }
}
