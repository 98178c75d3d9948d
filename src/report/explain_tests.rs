use super::*;
use crate::report::plain::is_hostile;
use crate::report::samples::plan;

#[track_caller]
fn check(package: &str, expected: &str) {
    let text = explain(&plan(), package, 80);
    assert_eq!(text, expected, "\n{text}");
}

#[test]
fn a_release_is_derived_line_by_line() {
    let expected = "\
core 2.0.3 → 2.1.0 (minor), tag core-v2.1.0, index local

how the number came about
  3333333 fix: close the file on errors → patch, by files in packages/core
  1111111 feat(core): stream results → minor, by files in packages/core
  2222222 fix: eviltxt | <img> @all `x`
    AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA … → patch, by files in
    packages/core
  2.0.3 + minor → 2.1.0

what follows it
  mlops 2.0.0: core 2.1.0 lies outside its range >=2.0,<2.1

commits of it that do not count
  aaaaaaa Merge pull request #7 from ada/topic: a merge; its commits count
    themselves
  bbbbbbb Merge pull request #7 from ada/topic: a merge; its commits count
    themselves
  ccccccc Merge pull request #7 from ada/topic: a merge; its commits count
    themselves
  ddddddd chore(core): tidy the tests: type `chore` releases nothing
  eeeeeee Fixed stuff: no type before a colon
  fffffff fix: eviltxt | <img> @all `x` AAAAAAAAAAAAAAAAAAA…: no type before a
    colon
";
    check("core", expected);
}

#[test]
fn a_dependent_names_what_it_follows() {
    check(
        "mlops",
        "\
mlops 1.4.0 → 2.0.0 (major), tag mlops-v2.0.0, index local

how the number came about
  1.4.0 + major → 2.0.0

other reasons
  core 2.1.0 lies outside its range >=2.0,<2.1, by dependents

what it asks for
  needs --allow-major

its requirements that are rewritten
  acme-core>=2.0,<2.1 → acme-core>=2.1,<2.2
",
    );
}

#[test]
fn a_refused_package_says_the_way_out() {
    check(
        "legacy",
        "\
legacy stays at 4.0.0

error: it can not be planned: its manifest (old/pyproject.toml) says 4.1.0, its
  last tag says 4.0.0
hint: say whom to believe with `--trust tag` or `--trust manifest`
",
    );
}

#[test]
fn an_unchanged_package_says_why_its_commits_do_not_count() {
    let text = explain(&plan(), "cli", 80);
    assert!(
        text.starts_with("cli stays at 1.0.0: no change of it asks for a release\n\ncommits of it"),
        "{text}"
    );
    assert!(
        text.contains("  ddddddd chore(core): tidy the tests: type `chore` releases nothing\n"),
        "{text}"
    );
    assert!(!text.chars().any(|one| one != '\n' && is_hostile(one)));
}

#[test]
fn a_stranger_is_called_one() {
    check("nobody\u{1b}[2J", "the plan knows no package `nobody`\n");
}
