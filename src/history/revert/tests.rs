use super::{RangeCommit, Revert, pair_reverts, revert_of};
use crate::history::commit::CommitId;

/// `subject | commits | pull request` of a revert.
fn told(message: &str) -> String {
    revert_of(message).map_or_else(
        || "-".to_owned(),
        |Revert { subject, commits, pull_request }| {
            let request = pull_request.map(|number| number.to_string()).unwrap_or_default();
            format!("{subject}|{}|{request}", commits.join(","))
        },
    )
}

#[test]
fn reverts_of_git_and_its_hosts_are_read() {
    assert_eq!(
        told(
            "Revert \"feat: x\"\n\nThis reverts commit 3E4EDF12841ed880073ac0e4e905a51c4cc7c9a9.\n\nIt broke."
        ),
        "feat: x|3e4edf12841ed880073ac0e4e905a51c4cc7c9a9|"
    );
    assert_eq!(told("Revert \"feat: x (#12)\" (#13)"), "feat: x (#12)||12");
    assert_eq!(told("Revert \"feat: x\" (#13)\n\nReverts acme/tools#12"), "feat: x||12");
    assert_eq!(
        told("Revert \"Merge branch 'x' into 'main'\"\n\nThis reverts merge request !12"),
        "Merge branch 'x' into 'main'||12"
    );
    assert_eq!(
        told("Revert \"Merge x\"\n\nThis reverts commit 3e4edf1, reversing\nchanges made to a9c8f77."),
        "Merge x|3e4edf1|"
    );
    assert_eq!(
        told("Revert \"x\"\n\nThis reverts commits 3e4edf1, a9c8f77 and\n3e4edf1."),
        "x|3e4edf1,a9c8f77|"
    );
    assert_eq!(told("Revert \"x\"\n\nThis reverts commit\n3e4edf1."), "x|3e4edf1|");
    assert_eq!(told("Revert \"x\"\n\n> This reverts commit 3e4edf1."), "x||");
}

#[test]
fn nested_and_cut_titles_are_read() {
    assert_eq!(told("Revert \"Revert \"feat: x (#12)\"\" (#14)"), "Revert \"feat: x (#12)\"||");
    assert_eq!(told("Reapply \"feat: x\"\n\nThis reverts commit 3e4edf1."), "Revert \"feat: x\"|3e4edf1|");
    assert_eq!(told("Revert \"Reapply \"feat: x\"\""), "Reapply \"feat: x\"||");
    assert_eq!(told("Revert \"feat: a very long title that…"), "feat: a very long title that…||");
}

#[test]
fn conventional_reverts_are_read() {
    assert_eq!(told("revert: feat: x (#44)\n\nRefs: 676104e, a215868"), "feat: x (#44)|676104e,a215868|44");
    assert_eq!(told("Revert(core): \"feat: x\"\n\nRefs #12"), "feat: x||");
    assert_eq!(told("revert: Revert \"fix: x (#12)\" (#13)"), "fix: x (#12)||12");
    assert_eq!(told("fix: revert \"feat: x\""), "feat: x||");
    assert_eq!(told("chore: Revert something\n\nThis reverts commit 3e4edf1."), "something|3e4edf1|");
}

#[test]
fn titles_without_quotation_marks_need_more() {
    assert_eq!(told("Revert feat: x"), "feat: x||");
    assert_eq!(told("revert the change\n\nThis reverts commit 3e4edf1."), "the change|3e4edf1|");
    for message in [
        "",
        "Revert to the old parser",
        "Revert",
        "Reverting \"x\"",
        "feat: revert on error",
        "Reverté \"x\"",
        "feat: x\n\nThis reverts commit 3e4edf1.",
    ] {
        assert_eq!(told(message), "-", "{message}");
    }
}

fn range(commits: &[(CommitId, String, Option<Revert>)]) -> Vec<RangeCommit<'_>> {
    commits.iter().map(|(id, subject, revert)| RangeCommit { id, subject, revert: revert.as_ref() }).collect()
}

/// Pairs a history told oldest first, `id: message` a line with `/` for line ends; gives the ids that stay, oldest
/// first, and the reverts that hit something outside.
fn left(history: &[&str]) -> (Vec<String>, Vec<String>) {
    let commits = history.iter().rev().map(|line| {
        let (id, message) = line.split_once(": ").unwrap();
        let message = message.replace('/', "\n");
        let subject = message.lines().next().unwrap_or_default().to_owned();
        (CommitId::of(id), subject, revert_of(&message))
    });
    let commits: Vec<(CommitId, String, Option<Revert>)> = commits.collect();
    let pairs = pair_reverts(&range(&commits));
    let staying = commits.iter().rev().filter(|(id, ..)| !pairs.cancelled.contains_key(id));
    (
        staying.map(|(id, ..)| id.to_string()).collect(),
        pairs.outside.iter().map(CommitId::to_string).collect(),
    )
}

fn check(history: &[&str], staying: &[&str], outside: &[&str]) {
    let (ours, hit) = left(history);
    assert_eq!(
        (ours, hit),
        (
            staying.iter().map(|id| id.to_string()).collect(),
            outside.iter().map(|id| id.to_string()).collect()
        )
    );
}

#[test]
fn a_commit_and_its_revert_cancel_out() {
    check(
        &["aaaaaaa1: feat: x", "b: fix: y", "c: Revert \"feat: z\"//This reverts commit aaaaaaa1."],
        &["b"],
        &[],
    );
    check(&["aaaaaaa12345: feat: x", "c: revert: feat: x//Refs: aaaaaaa1"], &[], &[]);
    check(&["a: feat: x", "c: Revert \"feat: x\""], &[], &[]);
    check(&["a: feat: x (#12)", "c: Revert \"feat: x (#12)\" (#13)"], &[], &[]);
    check(&["a: feat: x (#12)", "c: Revert \"feat: x\""], &[], &[]);
    check(&["a: feat: x", "c: Revert \"feat: x (#12)\" (#13)"], &[], &[]);
    check(&["a: feat: renamed (#12)", "c: Revert \"feat: x\" (#13)//Reverts acme#12"], &[], &[]);
}

#[test]
fn a_revert_of_something_outside_stays() {
    check(&["b: fix: y", "c: Revert \"feat: x\"//This reverts commit aaaaaaa1."], &["b", "c"], &["c"]);
    check(&["a: feat: x (#11)", "c: Revert \"feat: x (#12)\" (#13)"], &["a", "c"], &["c"]);
    check(&["c: Revert \"feat: x\"", "a: feat: x"], &["c", "a"], &["c"]);
    check(&["a: feat: x", "b: feat: y"], &["a", "b"], &[]);
}

#[test]
fn an_id_outranks_a_title() {
    check(
        &["aaaaaaa1: feat: x", "aaaaaaa2: feat: x", "c: Revert \"feat: x\"//This reverts commit aaaaaaa1."],
        &["aaaaaaa2"],
        &[],
    );
    check(&["a: feat: x", "b: feat: x", "c: Revert \"feat: x\""], &["a"], &[]);
    check(&["a: feat: x (#1)", "b: feat: x", "c: Revert \"feat: x (#1)\""], &["b"], &[]);
}

#[test]
fn a_beginning_that_two_ids_share_names_neither() {
    check(
        &["aaaaaaa12: feat: x", "aaaaaaa13: feat: y", "c: Revert \"feat: z\"//This reverts commit aaaaaaa1."],
        &["aaaaaaa12", "aaaaaaa13", "c"],
        &["c"],
    );
}

#[test]
fn a_revert_of_a_revert_restores() {
    let nested = "c: Revert \"Revert \"feat: x (#12)\"\" (#14)";
    check(&["a: feat: x (#12)", "b: Revert \"feat: x (#12)\" (#13)", nested], &["a"], &[]);
    check(&["a: feat: x", "b: Revert \"feat: x\"", "c: Reapply \"feat: x\""], &["a"], &[]);
    check(
        &[
            "a: feat: x",
            "b: Revert \"feat: x\"",
            "c: Reapply \"feat: x\"",
            "d: Revert \"Reapply \"feat: x\"\"",
        ],
        &[],
        &[],
    );
    check(
        &[
            "a: feat: x",
            "b: Revert \"feat: x\"",
            "c: Reapply \"feat: x\"",
            "d: Revert \"Revert \"Revert \"feat: x\"\"\"",
        ],
        &[],
        &[],
    );
    check(&["a: feat: x", "b: revert: feat: x", "c: revert: revert: feat: x"], &["a"], &[]);
}

#[test]
fn landing_again_counts() {
    check(&["a: feat: x", "b: Revert \"feat: x\"", "c: feat: x"], &["c"], &[]);
    check(&["a: feat: x", "b: Revert \"feat: x\"", "c: feat: x", "d: Revert \"feat: x\""], &[], &[]);
}

#[test]
fn a_revert_of_several_vanishes_only_with_all() {
    let both = "c: revert: two//Refs: aaaaaaa1, bbbbbbb1";
    check(&["aaaaaaa1: feat: x", "bbbbbbb1: fix: y", both], &[], &[]);
    check(&["aaaaaaa1: feat: x", both], &["c"], &["c"]);
}

#[test]
fn reverting_twice_takes_nothing_else() {
    check(
        &[
            "aaaaaaa0: feat: x",
            "aaaaaaa1: feat: x",
            "c: Revert \"feat: x\"//This reverts commit aaaaaaa1.",
            "d: Revert \"feat: x\"//This reverts commit aaaaaaa1.",
        ],
        &["aaaaaaa0", "c"],
        &["c"],
    );
}

#[test]
fn many_commits_of_one_title_pair_in_little_time() {
    let commits = (0..40_000).map(|place| {
        let title = if place < 20_000 {
            format!("Revert \"feat: x (#{})\"", place + 1)
        } else {
            format!("feat: x (#{})", 40_000 - place)
        };
        let revert = revert_of(&title);
        (CommitId::of(&format!("{place:040x}")), title, revert)
    });
    let pairs = pair_reverts(&range(&commits.collect::<Vec<_>>()));
    assert_eq!((pairs.cancelled.len(), pairs.outside.len()), (40_000, 0));
}
