use unicode_width::UnicodeWidthStr;

use super::*;
use crate::plan::LeftOut;
use crate::report::samples::{commit, dependency, empty, hostile, plan, release};

#[test]
fn a_plan_fits_on_one_screen() {
    let expected = "\
3 packages to release from main at aaaaaaa

   package             from     to     size   why
   core               2.0.3  →  2.1.0  minor  feat(core): stream resul…, +2 more
!  mlops              1.4.0  →  2.0.0  major  feat(mlops)!: drop the o…, +1 more
   anomaly-detection    new  →  0.1.0  minor  first release; feat: detect anoma…
! mlops 2.0.0 needs --allow-major

requirements rewritten: mlops: acme-core>=2.0,<2.1 → acme-core>=2.1,<2.2

ship will do: commit on main, 3 tags, 3 builds, publish to local, 3 smoke tests

error: legacy can not be planned: its manifest (old/pyproject.toml) says 4.1.0,
  its last tag says 4.0.0
hint: say whom to believe with `--trust tag` or `--trust manifest`

left out: 6 commits (-v lists all)
  2  can not be read
      eeeeeee  Fixed stuff
      fffffff  fix: eviltxt | <img> @all `x` AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA…
  1  types that release nothing
      ddddddd  chore(core): tidy the tests
  3  merges
      aaaaaaa  Merge pull request #7 from ada/topic
      bbbbbbb  Merge pull request #7 from ada/topic

unchanged: cli 1.0.0, docs 0.3.1

warning: commit 7777777 names a package `cor` that is not here
";
    let text = plan_text(&plan(), 80, false, false);
    assert_eq!(text, expected, "\n{text}");
}

#[test]
fn verbose_leaves_nothing_out() {
    let text = plan_text(&plan(), 120, false, true);
    for said in [
        "requirements rewritten\n  mlops: acme-core>=2.0,<2.1 → acme-core>=2.1,<2.2\n",
        "left out: 6 commits\n",
        "      ccccccc  Merge pull request #7 from ada/topic  a merge; its commits count themselves\n",
        "      ddddddd  chore(core): tidy the tests  type `chore` releases nothing\n",
    ] {
        assert!(text.contains(said), "{said}\n{text}");
    }
}

#[test]
fn no_line_is_too_wide_or_ends_in_a_space_whatever_the_width() {
    let mut plan = plan();
    plan.warnings.push(hostile());
    plan.refused[0].reason = hostile();
    plan.releases[1].requirements[0].to = hostile();
    plan.unchanged[0].package = hostile();
    for width in [24, 40, 80, 200] {
        for verbose in [false, true] {
            let text = plan_text(&plan, width, false, verbose);
            for line in text.lines() {
                assert!(line.width() <= width, "{width}: {line:?}");
                assert!(!line.ends_with(' '), "{width}: {line:?}");
                assert!(!line.chars().any(crate::report::plain::is_hostile), "{line:?}");
            }
        }
    }
}

#[test]
fn color_adds_nothing_but_color() {
    let painted = plan_text(&plan(), 80, true, false);
    assert!(painted.contains("\u{1b}[1;31mmajor\u{1b}[0m"));
    assert_eq!(crate::report::plain::terminal(&painted), plan_text(&plan(), 80, false, false));
}

#[test]
fn nothing_to_release_is_one_line() {
    assert_eq!(plan_text(&empty(), 80, false, false), "nothing to release\n");
    let left_out: Vec<LeftOut> = plan().left_out;
    let idle = Plan { left_out, ..empty() };
    assert_eq!(
        plan_text(&idle, 80, false, false),
        "nothing to release; 6 commits left out (-v lists them)\n"
    );
    assert!(
        plan_text(&idle, 80, false, true).starts_with("nothing to release; 6 commits left out\n\nleft out")
    );
}

#[test]
fn the_main_reason_is_the_biggest_then_the_newest() {
    let reason = |becauses: Vec<Because>, bump: ReleaseBump| {
        main_reason(&Release { because: becauses, ..release("core", Some("1.0.0"), "2.0.0", bump) })
    };
    let group = Because {
        kind: BecauseKind::Group,
        size: None,
        text: "group `all` moves to 2.0.0".into(),
        ..commit('9', Bump::Patch, "")
    };
    let forced = Because {
        kind: BecauseKind::Forced,
        size: None,
        text: "configured".into(),
        ..commit('9', Bump::Patch, "")
    };
    let newer = commit('1', Bump::Patch, "fix: newer");
    let older = commit('2', Bump::Patch, "fix: older");
    let cases = [
        (vec![newer.clone(), older.clone()], ReleaseBump::Patch, ("fix: newer", 1)),
        (
            vec![dependency("a", "2.0.0"), newer.clone()],
            ReleaseBump::Patch,
            ("a 2.0.0 lies outside its range >=2.0,<2.1", 1),
        ),
        (vec![newer.clone(), group.clone()], ReleaseBump::Major, ("group `all` moves to 2.0.0", 1)),
        (vec![newer.clone(), group], ReleaseBump::Patch, ("fix: newer", 0)),
        (vec![newer, forced], ReleaseBump::Patch, ("configured", 1)),
        (vec![], ReleaseBump::Patch, ("", 0)),
    ];
    for (becauses, bump, (text, more)) in cases {
        assert_eq!(reason(becauses, bump), (text.to_owned(), more));
    }
}
