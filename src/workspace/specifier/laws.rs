//! The laws of constraints: what they become takes the new version, settles, and stays as narrow as it was.

use std::str::FromStr;

use proptest::prelude::{Just, Strategy, prop_assert, prop_assert_eq, prop_oneof, proptest};

use super::tests::{rewritten, version};
use super::{Floor, Rewrite, SpecifierError, admits, admits_poetry, moved, rewrite, rewrite_poetry};
use crate::version::number::Version;
use crate::workspace::specifier::grammar::{Constraint, Grammar};

fn releases() -> impl Strategy<Value = String> {
    proptest::collection::vec(0_u64..5, 1..4)
        .prop_map(|release| release.iter().map(u64::to_string).collect::<Vec<_>>().join("."))
}

fn versions() -> impl Strategy<Value = Version> {
    let suffix = prop_oneof![4 => Just(""), 1 => Just("rc1"), 1 => Just(".dev2"), 1 => Just(".post1"), 1 => Just("a0.post1.dev3")];
    let epoch = prop_oneof![9 => Just(""), 1 => Just("1!")];
    (epoch, releases(), suffix)
        .prop_map(|(epoch, release, suffix)| version(&format!("{epoch}{release}{suffix}")))
}

fn floors() -> impl Strategy<Value = Floor> {
    prop_oneof![Just(Floor::Never), Just(Floor::Minor), Just(Floor::Always)]
}

/// One PEP 440 clause of any kind; `~=` with the two components it needs.
fn clauses() -> impl Strategy<Value = String> {
    let plain = (
        prop_oneof![Just("=="), Just("==="), Just("!="), Just("<"), Just("<="), Just(">"), Just(">=")],
        versions(),
    )
        .prop_map(|(operator, version)| format!("{operator}{version}"));
    let starred = (prop_oneof![Just("=="), Just("!=")], releases())
        .prop_map(|(operator, release)| format!("{operator} {release}.*"));
    let compatible = (0_u64..5, versions()).prop_map(|(major, version)| {
        let text = version.to_string();
        if version.release().len() > 1 {
            format!("~={text}")
        } else {
            format!("~={major}.{}", version.base().triple().0)
        }
    });
    prop_oneof![4 => plain, 1 => starred, 2 => compatible]
}

fn poetry_clauses() -> impl Strategy<Value = String> {
    let own = (prop_oneof![Just("^"), Just("~"), Just(""), Just("= ")], versions())
        .prop_map(|(operator, version)| format!("{operator}{version}"));
    let starred = releases().prop_map(|release| format!("{release}.*"));
    prop_oneof![own, starred, Just("*".to_owned()), clauses().prop_map(|text| text.replace("===", "=="))]
}

fn joined(clause: impl Strategy<Value = String>) -> impl Strategy<Value = String> {
    (proptest::collection::vec(clause, 0..4), prop_oneof![Just(","), Just(", "), Just(" , ")])
        .prop_map(|(clauses, separator)| clauses.join(separator))
}

proptest! {
    #[test]
    fn the_new_version_is_taken_after_any_rewrite(
        text in joined(clauses()), old in versions(), new in versions(), floor in floors(),
    ) {
        match rewrite(&text, &old, &new, floor) {
            Ok(Rewrite::Keep) => prop_assert!(admits(&text, &new).unwrap(), "{text} {new}"),
            Ok(Rewrite::Replace(became)) => {
                prop_assert!(admits(&became, &new).unwrap(), "{text} {new} {became}");
                prop_assert_eq!(rewrite(&became, &new, &new, floor), Ok(Rewrite::Keep));
            }
            Err(error) => prop_assert!(matches!(error, SpecifierError::Excluded { .. }), "{error}"),
        }
    }

    #[test]
    fn the_new_version_is_taken_after_any_rewrite_of_poetrys(
        first in joined(poetry_clauses()), second in poetry_clauses(), old in versions(), new in versions(),
        floor in floors(),
    ) {
        let text = if first.is_empty() { second } else { format!("{first} || {second}") };
        match rewrite_poetry(&text, &old, &new, floor) {
            Ok(Rewrite::Keep) => prop_assert!(admits_poetry(&text, &new).unwrap(), "{text} {new}"),
            Ok(Rewrite::Replace(became)) => prop_assert!(admits_poetry(&became, &new).unwrap(), "{text} {new} {became}"),
            Err(error) => prop_assert!(matches!(error, SpecifierError::Excluded { .. }), "{error}"),
        }
    }

    #[test]
    fn a_rewrite_settles(text in joined(clauses()), old in versions(), new in versions(), floor in floors()) {
        if let Ok(Rewrite::Replace(became)) = rewrite(&text, &old, &new, floor) {
            prop_assert_eq!(rewrite(&became, &old, &new, floor), Ok(Rewrite::Keep), "{} {}", text, new);
        }
    }

    #[test]
    fn a_capped_range_still_refuses_the_next_major(
        major in 1_u64..4, minor in 0_u64..4, new in versions(), floor in floors(),
        style in prop_oneof![
            Just(">=M.N,<C"), Just(">=M.N,<C.0"), Just("<C.0.0,>=M"), Just("~=M.N"), Just("~=M.N.1"), Just("==M.*"),
            Just("==M.N.*"), Just(">=M,<=M.N"), Just("==M.N"), Just("^M.N"), Just("~M.N"), Just("^M"), Just("M.N.*"),
        ],
    ) {
        let text = style
            .replace('M', &major.to_string())
            .replace('N', &minor.to_string())
            .replace('C', &(major + 1).to_string());
        let (above, old) = (version("0!0.0.1"), version(&format!("{major}.{minor}")));
        let poetry = text.starts_with(['^', '~']) && !text.starts_with("~=") || text.starts_with(char::is_numeric);
        let grammar = if poetry { Grammar::Poetry } else { Grammar::Pep440 };
        let new = if new < old { old.clone() } else { new };
        let became = rewritten(moved(grammar, &text, &above, &new, floor), &text);
        let next_major = version(&format!("{}!{}.0.0", new.epoch(), new.triple().0 + 1));
        let constraint = Constraint::parse(grammar, &became).unwrap();
        prop_assert!(constraint.admits(&new), "{text} {new} {became}");
        prop_assert!(!constraint.admits(&next_major), "{text} {new} {became}");
    }

    #[test]
    fn finals_are_taken_as_pep440_rs_takes_them(
        text in joined(clauses()), release in proptest::collection::vec(0_u64..5, 4),
    ) {
        // Four components, since it compares a prefix only as far as the version goes; no post-release, since it
        // takes 1.post1 for one of 1rc1.
        let candidate = version("0").with_release(0, &release);
        let theirs = pep440_rs::VersionSpecifiers::from_str(&text).unwrap().contains(candidate.as_pep440());
        prop_assert_eq!(admits(&text, &candidate).unwrap(), theirs, "{} {}", text, candidate);
    }

    #[test]
    fn no_text_makes_it_panic(text in "[0-2.*x<>=!~^| ,+a-cé-]{0,16}", new in versions()) {
        let _ = rewrite(&text, &version("1"), &new, Floor::Always);
        let _ = rewrite_poetry(&text, &version("1"), &new, Floor::Always);
    }
}
