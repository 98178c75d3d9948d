//! Sizes, policies, groups and dependents, from told histories.

use crate::plan::facts::{Request, Trust};
use crate::plan::testing::{Repo, releases};
use crate::version::label::PreLabel;
use crate::workspace::config::settings::{Dependents, GroupMode, ReleaseAs, Size, ZeroRule};

fn check(repo: Repo, expected: &str) {
    assert_eq!(releases(&repo.plan()), expected);
}

fn check_as(repo: Repo, request: &Request, expected: &str) {
    assert_eq!(releases(&repo.plan_as(request)), expected);
}

fn core(version: &str) -> Repo {
    Repo::default().package("core", version).released()
}

fn rc() -> Request {
    Request { pre: Some(PreLabel::Rc), ..Request::default() }
}

fn graduate() -> Request {
    Request { graduate: true, ..Request::default() }
}

#[test]
fn the_largest_size_counts() {
    for (messages, expected) in [
        (&["fix: a"][..], "core 1.2.4"),
        (&["perf: a"], "core 1.2.4"),
        (&["feat: a"], "core 1.3.0"),
        (&["fix: a", "feat: b", "fix: c"], "core 1.3.0"),
        (&["fix!: a", "feat: b"], "core 2.0.0"),
        (&["chore: a\n\nBREAKING CHANGE: gone"], "core 2.0.0"),
        (&["docs: a", "chore: b"], ""),
    ] {
        let repo = messages.iter().fold(core("1.2.3"), |repo, message| repo.commit(message, &["core"]));
        check(repo, expected);
    }
}

#[test]
fn below_one_the_zero_policy_decides() {
    let none = ZeroRule { major: None, minor: None };
    let cargo = ZeroRule { major: Some(Size::Minor), minor: Some(Size::Patch) };
    let standard = ZeroRule { major: Some(Size::Minor), minor: None };
    for (rule, message, expected) in [
        (standard, "feat!: a", "core 0.5.0"),
        (standard, "feat: a", "core 0.5.0"),
        (standard, "fix: a", "core 0.4.3"),
        (cargo, "feat!: a", "core 0.5.0"),
        (cargo, "feat: a", "core 0.4.3"),
        (none, "feat!: a", "core 1.0.0"),
        (none, "feat: a", "core 0.5.0"),
    ] {
        let repo = core("0.4.2").versioning(|versioning| versioning.zero = rule).commit(message, &["core"]);
        check(repo, expected);
    }
}

#[test]
fn two_marks_or_a_footer_lead_to_the_first_stable_version() {
    check(core("0.4.2").commit("feat!!: done", &["core"]), "core 1.0.0");
    check(core("0.4.2").commit("feat: done\n\nINITIAL STABLE RELEASE: yes", &["core"]), "core 1.0.0");
    check(core("1.4.2").commit("feat!!: done", &["core"]), "core 2.0.0");
    check_as(core("0.4.2").commit("feat!!: done", &["core"]), &rc(), "core 1.0.0rc1");
    let ahead = Repo::default().package("core", "1.3.0rc1").tag("core", "0.4.0").released();
    check(ahead.commit("feat!!: done", &["core"]), "core 1.3.0");
}

#[test]
fn other_types_count_where_the_configuration_says_so() {
    let patch = |repo: Repo| repo.versioning(|versioning| versioning.other = Size::Patch);
    check(patch(core("1.0.0")).commit("docs: a", &["core"]), "core 1.0.1");
    check(patch(core("1.0.0")).commit("no convention at all", &["core"]), "core 1.0.1");
    let docs = core("1.0.0").versioning(|versioning| {
        versioning.types.insert("docs".to_owned(), Size::Minor);
    });
    check(docs.commit("docs: a", &["core"]), "core 1.1.0");
}

#[test]
fn a_release_as_footer_sets_a_higher_version() {
    check(core("1.0.0").commit("chore: jump\n\nRelease-As: 3.0.0", &["core"]), "core 3.0.0");
    check(core("1.0.0").commit("chore: jump\n\nRelease-As: 0.9.0", &["core"]), "");
    check(core("1.0.0").commit("fix: a\n\nRelease-As: 0.9.0", &["core"]), "core 1.0.1");
    check(core("1.0.0").commit("chore: jump\n\nRelease-As: 3.0.0", &[]), "core 3.0.0");
    let newest = core("1.0.0")
        .commit("chore: jump\n\nRelease-As: 3.0.0", &["core"])
        .commit("chore: jump\n\nRelease-As: 2.0.0", &["core"]);
    check(newest, "core 2.0.0");
}

#[test]
fn a_release_as_footer_off_the_mainline_is_not_followed() {
    let repo = core("1.0.0").commit_with("fix: a\n\nRelease-As: 3.0.0", &["core"], |commit| {
        commit.mainline = false;
    });
    let plan = repo.plan();
    assert_eq!(releases(&plan), "core 1.0.1");
    assert!(plan.warnings.iter().any(|warning| warning.contains("first-parent")), "{:?}", plan.warnings);
}

#[test]
fn a_reverted_release_as_is_ignored() {
    let repo = core("1.0.0")
        .commit("chore: jump\n\nRelease-As: 3.0.0", &["core"])
        .commit("Revert \"chore: jump\"", &["core"])
        .commit("fix: a", &["core"]);
    check(repo, "core 1.0.1");
}

#[test]
fn the_configuration_can_set_a_version_or_forbid_footers() {
    let set = |value: ReleaseAs| {
        core("1.0.0")
            .versioning(|versioning| versioning.release_as = value.clone())
            .commit("fix: a\n\nRelease-As: 3.0.0", &["core"])
    };
    check(set(ReleaseAs::Footers(false)), "core 1.0.1");
    check(set(ReleaseAs::Version("2.5.0".to_owned())), "core 2.5.0");
    check(set(ReleaseAs::Version("1.0.0".to_owned())), "core 1.0.1");
}

#[test]
fn reverts_cancel_out_and_come_back() {
    let feature = || core("1.0.0").commit("feat: x", &["core"]);
    let revert = "Revert \"feat: x\"\n\nThis reverts commit abcd0001.";
    check(feature().commit(revert, &["core"]), "");
    check(feature().commit(revert, &["core"]).commit("fix: y", &["core"]), "core 1.0.1");
    let twice = feature()
        .commit(revert, &["core"])
        .commit("Revert \"Revert \\\"feat: x\\\"\"\n\nThis reverts commit abcd0002.", &["core"]);
    check(twice, "core 1.1.0");
}

#[test]
fn a_revert_of_something_released_is_a_patch() {
    let repo = Repo::default()
        .package("core", "1.1.0")
        .commit("feat: x", &["core"])
        .tag("core", "1.1.0")
        .commit("Revert \"feat: x\"\n\nThis reverts commit abcd0001.", &["core"]);
    check(repo, "core 1.1.1");
}

#[test]
fn a_revert_counts_only_where_its_target_is_released() {
    let repo = Repo::default()
        .package("core", "1.1.0")
        .package("cli", "1.0.0")
        .tag("cli", "1.0.0")
        .commit("feat: x", &["core", "cli"])
        .tag("core", "1.1.0")
        .commit("Revert \"feat: x\"\n\nThis reverts commit abcd0001.", &["core", "cli"]);
    check(repo, "core 1.1.1");
}

#[test]
fn a_first_release_takes_the_version_of_the_manifest() {
    check(Repo::default().package("core", "0.3.0").commit("chore: begin", &["core"]), "core 0.3.0");
    let repo = Repo::default().package("core", "0.3.0").commit("feat!: begin", &["core"]);
    check_as(repo, &rc(), "core 0.3.0rc1");
    let forced = Repo::default().package("core", "0.3.0").commit("feat: x\n\nRelease-As: 1.0.0", &["core"]);
    check(forced, "core 1.0.0");
}

#[test]
fn pre_releases_count_from_the_last_final_release() {
    let after = |version: &str| {
        Repo::default()
            .package("core", version)
            .tag("core", "1.2.3")
            .commit("fix: a", &["core"])
            .tag("core", version)
    };
    check_as(core("1.2.3").commit("fix: a", &["core"]), &rc(), "core 1.2.4rc1");
    check_as(after("1.2.4rc1").commit("fix: b", &["core"]), &rc(), "core 1.2.4rc2");
    check_as(after("1.2.4rc1").commit("feat: b", &["core"]), &rc(), "core 1.3.0rc1");
    check_as(after("1.2.4rc1").commit("fix!: b", &["core"]), &rc(), "core 2.0.0rc1");
    check(after("1.2.4rc1").commit("feat: b", &["core"]), "core 1.3.0");
    check(after("1.2.4rc1").commit("docs: b", &["core"]), "");
    check_as(after("1.2.4rc1"), &rc(), "");
    check_as(after("1.2.4rc1"), &graduate(), "core 1.2.4");
    check_as(after("1.2.4rc1").commit("feat: b", &["core"]), &graduate(), "core 1.3.0");
    check_as(core("1.2.3"), &graduate(), "");
}

fn two(first: &str, second: &str, mode: GroupMode) -> Repo {
    Repo::default()
        .package("one", first)
        .package("two", second)
        .group("both", mode, &["one", "two"])
        .released()
}

#[test]
fn linked_members_with_changes_share_the_highest_number() {
    let linked = |first, second| two(first, second, GroupMode::Linked);
    check(linked("1.0.0", "2.3.0").commit("fix: a", &["one"]), "one 2.3.1");
    check(
        linked("1.0.0", "2.3.0").commit("fix: a", &["one"]).commit("feat: b", &["two"]),
        "one 2.4.0, two 2.4.0",
    );
    check(linked("1.0.0", "2.3.0").commit("docs: a", &["one"]), "");
}

#[test]
fn fixed_members_all_move() {
    let repo = two("1.0.0", "2.3.0", GroupMode::Fixed).commit("fix: a", &["one"]);
    check(repo, "one 2.3.1, two 2.3.1");
}

#[test]
fn a_forced_version_never_lowers_a_group() {
    for mode in [GroupMode::Linked, GroupMode::Fixed] {
        let repo = two("1.0.0", "3.0.0", mode)
            .commit("fix: a\n\nRelease-As: 2.0.0", &["one"])
            .commit("fix: b", &["two"]);
        check(repo, "one 3.0.1, two 3.0.1");
    }
}

#[test]
fn a_group_never_goes_below_the_version_that_a_new_member_declares() {
    let repo = Repo::default()
        .package("one", "1.0.0")
        .package("two", "3.0.0")
        .group("both", GroupMode::Linked, &["one", "two"])
        .tag("one", "1.0.0")
        .commit("feat: a", &["one", "two"]);
    check(repo, "one 3.0.0, two 3.0.0");
}

#[test]
fn dependents_follow_as_the_policy_says() {
    let repo = |policy: Dependents, range: &str| {
        Repo::default()
            .package("core", "1.0.0")
            .depending("cli", "2.0.0", &[&format!("core{range}")])
            .versioning(|versioning| versioning.dependents = policy)
            .released()
    };
    for (policy, range, message, expected) in [
        (Dependents::OutOfRange, ">=1,<2", "feat: a", "core 1.1.0"),
        (Dependents::OutOfRange, ">=1,<2", "feat!: a", "core 2.0.0, cli 2.0.1"),
        (Dependents::OutOfRange, "==1.0.0", "fix: a", "core 1.0.1, cli 2.0.1"),
        (Dependents::Never, "==1.0.0", "feat!: a", "core 2.0.0"),
        (Dependents::Always, ">=1,<2", "fix: a", "core 1.0.1, cli 2.0.1"),
        (Dependents::Always, "", "fix: a", "core 1.0.1, cli 2.0.1"),
        (Dependents::OutOfRange, "", "feat!: a", "core 2.0.0"),
    ] {
        check(repo(policy, range).commit(message, &["core"]), expected);
    }
}

#[test]
fn a_cascade_goes_on_and_ends() {
    let repo = Repo::default()
        .package("a", "1.0.0")
        .depending("b", "1.0.0", &["a==1.0.0"])
        .depending("c", "1.0.0", &["b==1.0.0"])
        .depending("d", "1.0.0", &["c>=1"])
        .released()
        .commit("fix: x", &["a"]);
    check(repo, "a 1.0.1, b 1.0.1, c 1.0.1");
}

#[test]
fn a_group_can_raise_a_dependency_out_of_range() {
    let repo = Repo::default()
        .package("core", "1.0.0")
        .package("peer", "1.0.0")
        .depending("cli", "5.0.0", &["peer<2"])
        .group("both", GroupMode::Fixed, &["core", "peer"])
        .released()
        .commit("feat!: x", &["core"]);
    let plan = repo.plan();
    assert_eq!(releases(&plan), "core 2.0.0, peer 2.0.0, cli 5.0.1");
}

#[test]
fn a_dependency_of_tools_releases_nobody() {
    let cli = "[project]\nname = \"cli\"\nversion = \"1.0.0\"\n[dependency-groups]\ndev = [\"core==1.0.0\"]\n\
               [build-system]\nrequires = [\"core==1.0.0\"]\nbuild-backend = \"core\"\n";
    let repo = Repo::default()
        .package("core", "1.0.0")
        .manifest("packages/cli", cli)
        .released()
        .commit("fix: x", &["core"]);
    check(repo, "core 1.0.1");
}

#[test]
fn trust_decides_where_manifest_and_tag_disagree() {
    let repo = || Repo::default().package("core", "1.5.0").tag("core", "1.0.0").commit("fix: x", &["core"]);
    let refused = repo().plan();
    assert_eq!(refused.refused.len(), 1);
    assert!(refused.refused[0].reason.contains("1.5.0") && refused.refused[0].reason.contains("1.0.0"));
    let trust = |trust| Request { trust: Some(trust), ..Request::default() };
    check_as(repo(), &trust(Trust::Tag), "core 1.0.1");
    check_as(repo(), &trust(Trust::Manifest), "core 1.5.1");
}

#[test]
fn an_index_that_holds_more_than_the_tags_is_refused_until_somebody_decides() {
    let repo =
        || core("1.0.0").published("core", "1.0.0").published("core", "1.0.1").commit("fix: x", &["core"]);
    let refused = repo().plan();
    assert_eq!(releases(&refused), "");
    assert!(refused.refused[0].reason.contains("1.0.1"));
    let trust = Request { trust: Some(Trust::Tag), ..Request::default() };
    check_as(repo(), &trust, "core 1.0.2");
}

#[test]
fn numbers_given_up_before_are_passed_over_by_the_whole_group() {
    let mut repo = two("1.0.0", "1.0.0", GroupMode::Fixed).commit("fix: a", &["one"]);
    repo.spent.insert(("two".to_owned(), "1.0.1".to_owned()));
    let plan = repo.plan();
    assert_eq!(releases(&plan), "one 1.0.2, two 1.0.2");
    assert!(
        plan.releases[0].explain.iter().any(|line| line.contains("1.0.1")),
        "{:?}",
        plan.releases[0].explain
    );
}

#[test]
fn a_release_given_up_after_its_claim_is_made_anew_with_the_next_number() {
    // The manifest says 1.1.0 and a file of it is on the index; its tag is not counted.
    let mut repo = Repo::default().package("core", "1.1.0").tag("core", "1.0.0").commit("feat: a", &["core"]);
    repo = repo.published("core", "1.0.0").published("core", "1.1.0");
    repo.spent.insert(("core".to_owned(), "1.1.0".to_owned()));
    assert_eq!(releases(&repo.plan()), "core 1.1.1");
}

#[test]
fn a_follower_given_up_with_its_dependency_is_released_again() {
    // Its requirement was rewritten by the release that was given up; no commit speaks of it.
    let mut repo = Repo::default().package("core", "1.0.1").tag("core", "1.0.0");
    repo.spent.insert(("core".to_owned(), "1.0.1".to_owned()));
    let plan = repo.plan();
    assert_eq!(releases(&plan), "core 1.0.2");
    assert_eq!(&*plan.releases[0].because[0].text, "1.0.1 was given up before it was done");
}

#[test]
fn a_pre_release_number_given_up_before_is_passed_over() {
    let mut repo = core("1.0.0").commit("feat: a", &["core"]);
    repo.spent.insert(("core".to_owned(), "1.1.0rc1".to_owned()));
    check_as(repo, &rc(), "core 1.1.0rc2");
}

#[test]
fn a_number_tagged_on_another_line_is_refused() {
    let plan = core("1.0.0").tag_elsewhere("core", "1.0.1").commit("fix: a", &["core"]).plan();
    assert_eq!(releases(&plan), "");
    assert!(plan.refused[0].reason.contains("core-v1.0.1"), "{:?}", plan.refused);
}

#[test]
fn a_forced_number_that_is_taken_is_refused() {
    let mut repo = core("1.0.0").commit("fix: a\n\nRelease-As: 2.0.0", &["core"]);
    repo.spent.insert(("core".to_owned(), "2.0.0".to_owned()));
    let plan = repo.plan();
    assert_eq!(releases(&plan), "");
    assert_eq!(plan.refused.len(), 1);
}

#[test]
fn a_step_to_a_new_major_needs_consent() {
    let needs = |repo: Repo, request: &Request| repo.plan_as(request).releases[0].needs.clone();
    let breaking = || core("1.0.0").commit("feat!: a", &["core"]);
    assert_eq!(needs(breaking(), &Request::default()), ["allow-major"]);
    assert!(needs(breaking(), &Request { allow_major: true, ..Request::default() }).is_empty());
    let allowed = breaking().versioning(|versioning| versioning.allow_major = true);
    assert!(needs(allowed, &Request::default()).is_empty());
    assert!(needs(core("0.4.0").commit("feat!: a", &["core"]), &Request::default()).is_empty());
}

#[test]
fn only_selected_packages_are_released_and_those_left_behind_are_named() {
    let repo = Repo::default()
        .package("core", "1.0.0")
        .depending("cli", "2.0.0", &["core<2"])
        .released()
        .commit("feat!: x", &["core"])
        .commit("fix: y", &["cli"]);
    let request = Request { only: Some([repo.place("core")].into()), ..Request::default() };
    let plan = repo.plan_as(&request);
    assert_eq!(releases(&plan), "core 2.0.0");
    let warning = "cli is not released: it asks for core <2, which does not hold core 2.0.0; select it too";
    assert_eq!(plan.warnings, [warning]);
}

#[test]
fn a_fixed_group_that_is_released_in_part_is_told() {
    let repo = two("1.0.0", "1.0.0", GroupMode::Fixed).commit("fix: a", &["one"]);
    let request = Request { only: Some([0].into()), ..Request::default() };
    let plan = repo.plan_as(&request);
    assert_eq!(releases(&plan), "one 1.0.1");
    assert_eq!(plan.warnings, ["two stays behind: its fixed group `both` moves to 1.0.1; select it too"]);
}
