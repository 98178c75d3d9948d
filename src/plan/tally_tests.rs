//! Whose a change is, what is left out and why, from told histories.

use std::collections::BTreeMap;

use crate::history::commit::{Touch, Touched};
use crate::plan::facts::Request;
use crate::plan::testing::{Repo, left_out, releases};
use crate::plan::{BecauseKind, Plan};
use crate::workspace::config::settings::EmptyCommits;

fn repo() -> Repo {
    Repo::default().package("core", "1.0.0").package("cli", "1.0.0").released()
}

fn check(repo: Repo, expected: &str) {
    assert_eq!(releases(&repo.plan()), expected);
}

fn rules(plan: &Plan) -> BTreeMap<String, Vec<String>> {
    let rules =
        |release: &crate::plan::Release| release.because.iter().map(|one| one.rule.to_string()).collect();
    plan.releases.iter().map(|release| (release.package.clone(), rules(release))).collect()
}

#[test]
fn files_decide_whose_a_commit_is_and_a_scope_does_not() {
    let plan = repo().commit("feat(cli): x", &["core"]).plan();
    assert_eq!(releases(&plan), "core 1.1.0");
    assert_eq!(rules(&plan)["core"], ["files in packages/core"]);
    check(repo().commit("feat: x", &["core", "cli"]), "core 1.1.0, cli 1.1.0");
}

#[test]
fn entries_of_a_squash_go_where_their_scopes_say() {
    let message = "Merge the branch (#7)\n\n* feat(core): a\n* fix(cli): b\n* fix: c\n";
    check(repo().commit(message, &["core", "cli"]), "core 1.1.0, cli 1.0.1");
    check(repo().commit(message, &["core"]), "core 1.1.0, cli 1.0.1");
}

#[test]
fn a_footer_names_packages_and_unknown_names_are_told() {
    let plan = repo().commit("feat: x\n\nPackages: cli, ghost", &["core"]).plan();
    assert_eq!(releases(&plan), "cli 1.1.0");
    assert_eq!(plan.warnings, ["commit abcd0001 names a package `ghost` that is not here"]);
    assert_eq!(rules(&plan)["cli"], ["footer `Packages:`"]);
}

#[test]
fn overrides_reword_reassign_resize_and_skip() {
    let commit = || repo().commit("feat: x", &["core"]);
    check(commit().correct("message = \"fix: x\""), "core 1.0.1");
    check(commit().correct("packages = [\"cli\"]"), "cli 1.1.0");
    check(commit().correct("bump = \"major\""), "core 2.0.0");
    check(commit().correct("bump = \"none\""), "");
    let plan = commit().correct("skip = true\nreason = \"never shipped\"").plan();
    assert_eq!(left_out(&plan), "abcd0001 override, core nothing, cli nothing");
    assert_eq!(plan.left_out[0].reason, "skipped by an override: never shipped");
}

#[test]
fn an_override_gives_a_size_to_a_commit_without_convention() {
    let plan = repo().commit("Faster, at last\n\nMuch.", &["core"]).correct("bump = \"minor\"").plan();
    assert_eq!(releases(&plan), "core 1.1.0");
    assert_eq!(&*plan.releases[0].because[0].text, "Faster, at last");
    assert!(plan.releases[0].notes.contains("Faster, at last"), "{}", plan.releases[0].notes);
    let merge = repo()
        .commit_with("Merge pull request #7", &[], |commit| {
            commit.parents = [&*commit.parents; 2].concat().into()
        })
        .correct("bump = \"minor\"\npackages = [\"cli\"]");
    check(merge, "cli 1.1.0");
    let none = repo().commit("Faster, at last", &["core"]).correct("bump = \"none\"").plan();
    assert_eq!(left_out(&none), "abcd0001 override, core nothing, cli nothing");
    let robot = repo().commit("Bump x from 1 to 2", &["core"]).correct("bump = \"patch\"").plan();
    assert_eq!(releases(&robot), "core 1.0.1");
}

#[test]
fn an_override_of_a_reverted_commit_changes_nothing() {
    let plan = repo()
        .commit("feat: x", &["core"])
        .correct("bump = \"major\"")
        .commit("Revert \"feat: x\"\n\nThis reverts commit abcd0001.", &["core"])
        .plan();
    assert_eq!(releases(&plan), "");
}

#[test]
fn fragments_count_beside_commits_and_are_consumed() {
    let plan =
        repo().fragment("brave", "---\ncore: minor\ncli: patch\n---\n\nSeries know their unit.\n").plan();
    assert_eq!(releases(&plan), "core 1.1.0, cli 1.0.1");
    assert_eq!(plan.releases[0].because[0].kind, BecauseKind::Fragment);
    let gone = plan.edits.iter().find(|edit| edit.path == ".release/changes/brave.md").unwrap();
    assert_eq!(gone.after, None);
    assert!(plan.releases[0].notes.contains("Series know their unit."));
}

#[test]
fn a_fragment_stays_while_a_package_of_it_is_not_released() {
    let repo = repo().fragment("brave", "---\ncore: minor\ncli: patch\n---\n\nBoth.\n");
    let plan = repo.plan_as(&Request { only: Some([0].into()), ..Request::default() });
    assert_eq!(releases(&plan), "core 1.1.0");
    assert!(plan.edits.iter().all(|edit| edit.path != ".release/changes/brave.md"));
    assert!(plan.warnings[0].contains("brave.md stays"), "{:?}", plan.warnings);
}

#[test]
fn several_fragments_stand_in_the_notes_each_with_all_its_paragraphs() {
    let plan = repo()
        .fragment("a", "---\ncore: minor\n---\n\nFirst line\ngoes on.\n\nA second paragraph.\n")
        .fragment("b", "---\ncore: major\n---\n\nGone for good.\n")
        .plan();
    assert_eq!(releases(&plan), "core 2.0.0");
    let notes = &plan.releases[0].notes;
    assert_eq!(
        notes,
        "### Breaking changes\n\n- Gone for good.\n\n### Features\n\n- First line goes on.\n\n  A second paragraph.\n"
    );
    assert_eq!(&*plan.releases[0].because[0].text, "feat: First line");
}

#[test]
fn empty_commits_count_as_the_policy_says() {
    let with = |policy: EmptyCommits, message: &str| {
        repo().versioning(|versioning| versioning.empty_commits = policy).commit(message, &[])
    };
    check(with(EmptyCommits::Named, "feat(core): x"), "core 1.1.0");
    check(with(EmptyCommits::Named, "feat: x"), "");
    check(with(EmptyCommits::Named, "chore: x\n\nRelease-As: 4.0.0"), "core 4.0.0, cli 4.0.0");
    check(with(EmptyCommits::Named, "feat: x\n\nPackages: cli"), "cli 1.1.0");
    check(with(EmptyCommits::All, "feat: x"), "core 1.1.0, cli 1.1.0");
    check(with(EmptyCommits::None, "feat(core): x"), "");
    let root = Repo::default()
        .manifest(".", "[project]\nname = \"all\"\nversion = \"1.0.0\"\n")
        .released()
        .commit("feat: x", &[]);
    check(root, "all 1.1.0");
    let plan = with(EmptyCommits::Named, "feat: x").plan();
    assert_eq!(left_out(&plan), "abcd0001 empty, core nothing, cli nothing");
}

#[test]
fn a_package_that_owns_all_takes_every_commit() {
    let owner = || {
        Repo::default()
            .manifest(".", "[project]\nname = \"all\"\nversion = \"1.0.0\"\n")
            .package("core", "1.0.0")
            .set("all", |settings| settings.owns_all = true)
            .released()
    };
    let plan = owner().commit("feat: x", &["core"]).plan();
    assert_eq!(releases(&plan), "all 1.1.0, core 1.1.0");
    assert_eq!(rules(&plan)["all"], ["takes every commit"]);
    let outside = owner().commit_with("fix: y", &[], |commit| {
        commit.empty = false;
        commit.outside = true;
    });
    check(outside, "all 1.0.1");
    let only_its_version = owner().commit_with("fix: z", &[], |commit| {
        commit.empty = false;
        commit.touches = vec![Touch { package: 0, what: Touched::Version }];
    });
    check(only_its_version, "");
}

#[test]
fn shared_files_count_for_all_who_share_them() {
    let plan = repo()
        .commit_with("fix: x", &["core"], |commit| {
            commit.touches[0].what = Touched::Shared;
            commit.touches.push(Touch { package: 1, what: Touched::Shared });
        })
        .plan();
    assert_eq!(releases(&plan), "core 1.0.1, cli 1.0.1");
    assert_eq!(rules(&plan)["cli"], ["shared files"]);
}

#[test]
fn a_branch_that_is_merged_again_brings_only_what_is_new() {
    let plan = repo()
        .side("feat: one", "core", 0)
        .merge("Merge pull request #1 from a/develop\n\nfeat: one", [0, 1])
        .side("tidied", "cli", 1)
        .merge("Merge pull request #2 from a/develop\n\nfeat(cli): two", [2, 3])
        .plan();
    assert_eq!(releases(&plan), "core 1.1.0, cli 1.1.0");
    assert_eq!(&*plan.releases[1].because[0].text, "feat(cli): two");
    assert_eq!(left_out(&plan), "abcd0003 unparseable, abcd0002 merge");
}

#[test]
fn nothing_is_left_out_without_a_reason() {
    let touched = |what: Touched| {
        move |commit: &mut crate::history::commit::Commit| {
            commit.touches.iter_mut().for_each(|one| one.what = what)
        }
    };
    let plan = repo()
        .commit_with("Merge branch 'x'", &[], |commit| commit.parents = [&*commit.parents; 2].concat().into())
        .commit("docs: a", &["core"])
        .commit("what is this", &["core"])
        .commit_with("fix: b", &["core"], touched(Touched::Ignored))
        .commit_with("fix: c", &["core"], touched(Touched::Lock))
        .commit_with("fix: d", &["core"], touched(Touched::Version))
        .commit_with("fix: e", &[], |commit| {
            commit.empty = false;
            commit.outside = true;
        })
        .commit("fixup! fix: f", &["core"])
        .plan();
    assert_eq!(
        left_out(&plan),
        "abcd0008 known, abcd0007 outside, abcd0006 version-only, abcd0005 lock-only, abcd0004 ignored, \
         abcd0003 unparseable, abcd0002 type, abcd0001 merge, core nothing, cli nothing"
    );
    assert!(plan.left_out.iter().all(|row| !row.reason.is_empty()));
}

#[test]
fn both_sides_of_a_revert_are_told() {
    let plan = repo()
        .commit("feat: x", &["core"])
        .commit("Revert \"feat: x\"\n\nThis reverts commit abcd0001.", &["core"])
        .plan();
    let reasons: Vec<&str> = plan.left_out.iter().map(|row| &*row.reason).collect();
    assert_eq!(reasons[..2], ["reverts abcd0001, both unreleased", "reverted by abcd0002"]);
}

#[test]
fn every_number_is_derived_line_by_line() {
    let plan = repo().commit("fix: a", &["core"]).commit("feat(core): b", &["core"]).plan();
    assert_eq!(
        plan.releases[0].explain,
        [
            "abcd0002 feat(core): b → minor, by files in packages/core",
            "abcd0001 fix: a → patch, by files in packages/core",
            "1.0.0 + minor → 1.1.0",
        ]
    );
    let zero = Repo::default().package("core", "0.4.2").released().commit("feat!: x", &["core"]).plan();
    assert_eq!(zero.releases[0].explain[1], "0.4.2 + major, which below 1.0 is a minor → 0.5.0");
}

#[test]
fn a_long_history_is_counted_in_parts_and_in_order() {
    let count = 2 * super::PART + 7;
    let repo = (0..count).fold(repo(), |repo, number| {
        let kind = if number % 3 == 0 { "chore" } else { "fix" };
        repo.commit(&format!("{kind}: {number}"), &["core"])
    });
    let plan = repo.plan();
    let newest_first = (0..count).rev();
    let fixes = newest_first.clone().filter(|number| number % 3 != 0).map(|number| format!("fix: {number}"));
    let told = plan.releases[0].because.iter().map(|because| because.text.to_string());
    assert!(told.eq(fixes));
    let chores = newest_first.filter(|number| number % 3 == 0).map(|number| format!("chore: {number}"));
    let left_out = plan.left_out.iter().filter_map(|row| row.subject.as_deref().map(str::to_owned));
    assert!(left_out.eq(chores));
}
