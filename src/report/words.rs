//! Small pieces of wording that several reports share.

use std::collections::BTreeMap;

use crate::history::commit::CommitId;
use crate::ledger::event::{Begin, Holder};
use crate::plan::step::Action;
use crate::plan::{Plan, Release};
use crate::report::plain::line;

/// The first seven digits of a commit.
pub fn short(commit: &str) -> String {
    line(commit).chars().take(7).collect()
}

/// The same by its id; nothing where there is none.
pub fn short_id(commit: Option<&CommitId>) -> String {
    commit.map(|id| short(&id.to_string())).unwrap_or_default()
}

/// `1 tag`, `2 tags`.
pub fn count(number: usize, noun: &str) -> String {
    match number {
        1 => format!("1 {noun}"),
        _ if noun.ends_with('x') => format!("{number} {noun}es"),
        _ => format!("{number} {noun}s"),
    }
}

/// The first few, and how many more there are: `a, b, +3 more`.
pub fn some(items: &[String], most: usize) -> String {
    let mut shown = items.iter().take(most).map(|item| line(item)).collect::<Vec<String>>().join(", ");
    if let Some(more) = items.len().checked_sub(most).filter(|more| *more > 0) {
        shown.push_str(&format!(", +{more} more"));
    }
    shown
}

/// What a ship releases: `core 2.1.0, mlops 2.0.0`.
pub fn named(releases: &BTreeMap<String, Begin>) -> String {
    each_named(releases).join(", ")
}

/// The same, one by one.
pub fn each_named(releases: &BTreeMap<String, Begin>) -> Vec<String> {
    releases.iter().map(|(package, begin)| line(&format!("{package} {}", begin.version))).collect()
}

/// What a plan releases, dependencies first.
pub fn planned(plan: &Plan) -> String {
    let name = |release: &Release| line(&format!("{} {}", release.package, release.to));
    plan.releases.iter().map(name).collect::<Vec<String>>().join(", ")
}

/// Who has a ship in hand: `run 71 of acme/monorepo, attempt 2`, or `desk, process 4711`.
pub fn held_by(holder: &Holder) -> String {
    let text = match (&holder.run, &holder.process) {
        (Some(run), _) => format!("run {} of {}, attempt {}", run.id, run.repository, run.attempt),
        (None, Some(process)) => format!("{}, process {}", holder.host, process.pid),
        (None, None) => holder.host.clone(),
    };
    line(&text)
}

/// The branch that the plan's claim moves; none for a plan that claims nothing.
pub fn branch(plan: &Plan) -> Option<&str> {
    plan.steps.iter().find_map(|step| match &step.action {
        Action::Claim { branch, .. } if !branch.is_empty() => Some(branch.as_str()),
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nouns_follow_their_number() {
        assert_eq!(count(1, "tag"), "1 tag");
        assert_eq!(count(0, "tag"), "0 tags");
        assert_eq!(count(2, "index"), "2 indexes");
    }

    #[test]
    fn long_lists_say_how_much_is_left() {
        let items: Vec<String> = ["a", "b", "c"].into_iter().map(str::to_owned).collect();
        assert_eq!(some(&items, 3), "a, b, c");
        assert_eq!(some(&items, 1), "a, +2 more");
    }
}
