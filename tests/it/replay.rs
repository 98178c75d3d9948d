//! Decisions that real repositories made: the plan gives the same versions and names the same commits.

use std::path::Path;
use std::process::Command;

use crate::world::shared;

/// Decisions that the rules explain, of 469. Three differ, each on purpose:
/// - phoenix 4.9.0: a feature and its revert in one range cancel out here;
/// - phoenix-evals 0.13.1 and 0.15.1: a commit without files that names nobody is the root package's
///   (`empty-commits = "named"`), while the tool of then gave it to all (`"all"` gives these two).
const EXPLAINED: u64 = 466;
/// Releases whose changelog names exactly the commits that we name, of 379. Most others are commits without files.
const SAME_NOTES: u64 = 369;
/// Whole plans that are right in every package, of 11. In the other one a person chose two numbers.
const WHOLE_PLANS: u64 = 10;

#[test]
fn real_decisions_are_met() {
    let Some(said) = replay(&[]) else { return };
    assert!(number_after(&said, "explained by rules: ") >= EXPLAINED, "{said}");
    assert!(number_after(&said, "notes: the same commits in ") >= SAME_NOTES, "{said}");
}

#[test]
fn whole_plans_of_a_real_monorepo_are_met() {
    let Some(said) = replay(&["--plans"]) else { return };
    assert!(number_after(&said, "plans exact ") >= WHOLE_PLANS, "{said}");
}

/// Runs the replay; `None` where its data is not at hand.
fn replay(words: &[&str]) -> Option<String> {
    let script = shared("replay/replay.py")?;
    let work = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("replay{}", words.concat()));
    let run = Command::new("python3")
        .arg(script)
        .arg(env!("CARGO_BIN_EXE_release"))
        .args(words)
        .arg("-v")
        .arg("--work")
        .arg(work)
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&run.stdout).into_owned();
    assert!(run.status.success(), "{said}\n{}", String::from_utf8_lossy(&run.stderr));
    Some(said)
}

/// The number that stands behind some words.
fn number_after(text: &str, words: &str) -> u64 {
    let (_, rest) = text.rsplit_once(words).unwrap_or_else(|| panic!("no `{words}` in:\n{text}"));
    let digits: String = rest.chars().take_while(char::is_ascii_digit).collect();
    digits.parse().unwrap()
}
