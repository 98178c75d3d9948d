//! Constraints by example: what they take and what they become.

use super::*;

pub(super) fn version(text: &str) -> Version {
    Version::parse(text).unwrap()
}

pub(super) fn rewritten(rewrite: Result<Rewrite, SpecifierError>, text: &str) -> String {
    match rewrite.unwrap() {
        Rewrite::Keep => text.to_owned(),
        Rewrite::Replace(replaced) => {
            assert_ne!(replaced, text, "a replacement differs");
            replaced
        }
    }
}

fn check_with(floor: Floor, text: &str, new: &str, expected: &str) {
    let became = rewritten(rewrite(text, &version("0.0.1"), &version(new), floor), text);
    assert_eq!(became, expected, "{text} for {new}, {floor:?}");
    assert!(admits(&became, &version(new)).unwrap(), "{became} for {new}");
}

fn check(text: &str, new: &str, expected: &str) {
    check_with(Floor::Minor, text, new, expected);
}

fn check_poetry_with(floor: Floor, text: &str, new: &str, expected: &str) {
    let became = rewritten(rewrite_poetry(text, &version("0.0.1"), &version(new), floor), text);
    assert_eq!(became, expected, "{text} for {new}, {floor:?}");
    assert!(admits_poetry(&became, &version(new)).unwrap(), "{became} for {new}");
}

fn check_poetry(text: &str, new: &str, expected: &str) {
    check_poetry_with(Floor::Minor, text, new, expected);
}

fn takes(specifier: &str, taken: &[&str], refused: &[&str]) {
    for text in taken {
        assert!(admits(specifier, &version(text)).unwrap(), "{specifier} {text}");
    }
    for text in refused {
        assert!(!admits(specifier, &version(text)).unwrap(), "{specifier} {text}");
    }
}

fn takes_poetry(constraint: &str, taken: &[&str], refused: &[&str]) {
    for text in taken {
        assert!(admits_poetry(constraint, &version(text)).unwrap(), "{constraint} {text}");
    }
    for text in refused {
        assert!(!admits_poetry(constraint, &version(text)).unwrap(), "{constraint} {text}");
    }
}

#[test]
fn specifiers_take_what_pep_440_says() {
    takes("", &["0.1", "9"], &["1.0rc1"]);
    takes(">=1.4,<2", &["1.4", "1.4.post1", "1.9+x"], &["1.3", "2.0", "1!1.5"]);
    takes("==1.4", &["1.4.0", "1.4+cpu"], &["1.4.1", "1.4.post1"]);
    takes("==1.4+cpu", &["1.4+cpu"], &["1.4"]);
    takes("==1.4.*", &["1.4", "1.4.9", "1.4.post1"], &["1", "1.5", "1.40"]);
    takes("==1.0.*", &["1", "1.0.3"], &["1.1"]);
    takes("===1.4", &["1.4"], &["1.4.0"]);
    takes("!=1.4", &["1.4.1"], &["1.4", "1.4+x"]);
    takes("!=1.4.*", &["1.5"], &["1.4", "1.4.9"]);
    takes("~=1.4.2", &["1.4.2", "1.4.9"], &["1.4.1", "1.5", "1"]);
    takes("~=1.4", &["1.4", "1.9.9"], &["1.3", "2.0"]);
    takes(">1.4", &["1.4.1", "1.5"], &["1.4", "1.4.post1", "1.4+x"]);
    takes(">1.4.post1", &["1.4.post2"], &["1.4.post1"]);
    takes(">1.4rc1", &["1.4.post1"], &["1.4rc1"]);
    takes(">=1rc1,>1.4rc1", &["1.4"], &["1.4rc1.post1"]);
    takes(">=1rc1,<4.post1", &["4a0", "4.0"], &["4.post1", "4.post1.dev0"]);
    takes("<=1.4", &["1.4", "1.4+x"], &["1.4.post1"]);
}

#[test]
fn a_pre_release_is_taken_only_where_one_is_named() {
    takes(">=1.2", &["1.3"], &["1.3.0rc1", "1.3.0.dev1"]);
    takes(">=1.3.0rc1", &["1.3.0rc1", "1.3.0rc2", "1.4.0a1", "1.3"], &["1.3.0b9"]);
    takes(">=1.3.0rc1,<2", &["1.9.0a1"], &["2.0.0rc1"]);
    takes(">=1.3.0rc1,<2.0.0rc1", &["2.0.0b1"], &["2.0.0rc1", "2.0.0"]);
    takes("~=1.3rc1", &["1.3rc1", "1.4"], &["2.0rc1"]);
    takes("<2.0.0rc1", &["1.9"], &["1.9rc1"]);
    takes("!=1.3.0rc1", &["1.3"], &["1.4rc1"]);
}

#[test]
fn poetry_constraints_take_what_poetry_says() {
    takes_poetry("*", &["0.1", "9"], &["1.0rc1"]);
    takes_poetry("", &["0.1"], &[]);
    takes_poetry("^1.2.3", &["1.2.3", "1.9"], &["1.2.2", "2.0", "2.0rc1"]);
    takes_poetry("^1", &["1.0", "1.9"], &["2"]);
    takes_poetry("^0.2.3", &["0.2.3", "0.2.9"], &["0.3"]);
    takes_poetry("^0.0.3", &["0.0.3"], &["0.0.4"]);
    takes_poetry("^0.0", &["0.0.9"], &["0.1"]);
    takes_poetry("^0", &["0.9"], &["1.0"]);
    takes_poetry("~1.2.3", &["1.2.3", "1.2.9"], &["1.3"]);
    takes_poetry("~1.2", &["1.2.9"], &["1.3"]);
    takes_poetry("~1", &["1.9"], &["2.0"]);
    takes_poetry("~=1.2", &["1.9"], &["2.0"]);
    takes_poetry("1.2.*", &["1.2.9"], &["1.3"]);
    takes_poetry("1.x", &["1.2.9"], &["2"]);
    takes_poetry("1.2.3", &["1.2.3"], &["1.2.4"]);
    takes_poetry("= 1.2.3", &["1.2.3"], &["1.2.4"]);
    takes_poetry(">=1,<2", &["1.9"], &["2"]);
    takes_poetry(">= 1.0 < 2.0", &["1.9"], &["2"]);
    takes_poetry("^1.2 || ^3.0", &["1.2", "3.1"], &["2.0"]);
    takes_poetry("^1.2|^3.0", &["1.2", "3.1"], &["2.0"]);
    takes_poetry("<>1.2", &["1.3"], &["1.2"]);
    takes_poetry("^1.0.0-beta.1", &["1.0.0b1", "1.0.0"], &["1.0.0a1"]);
}

#[test]
fn an_equality_names_the_new_version() {
    check("==1.4.2", "1.5.0", "==1.5.0");
    check("== 1.4.2", "1.5.0", "== 1.5.0");
    check("===1.4.2", "1.5.0", "===1.5.0");
    check("==1.5", "1.5.0", "==1.5");
    check("==1.4.2", "1.5.0rc1", "==1.5.0rc1");
    check_with(Floor::Never, "==1.4.2", "1.5.0", "==1.5.0");
}

#[test]
fn a_prefix_keeps_its_precision() {
    check("==1.4.*", "1.5.2", "==1.5.*");
    check("==1.*", "2.0.0", "==2.*");
    check("==1.4.*", "1.4.9", "==1.4.*");
    check("==1.4.2.*", "1.5", "==1.5.0.*");
    check("==1.4.*,>=1.4.2", "1.5.3", "==1.5.*,>=1.5.3");
}

#[test]
fn a_compatible_release_keeps_its_precision() {
    check("~=1.4", "2.0.0", "~=2.0");
    check("~=1.4", "2.3.1", "~=2.3");
    check("~=1.4.2", "1.5.0", "~=1.5.0");
    check("~= 1.4.2", "2.0.0", "~= 2.0.0");
    check("~=1.4", "1.5.3", "~=1.5");
    check("~=1.4.2", "1.4.3", "~=1.4.2");
    check_with(Floor::Always, "~=1.4.2", "1.4.3", "~=1.4.3");
    check_with(Floor::Always, "~=1.4", "1.4.3", "~=1.4");
    check_with(Floor::Never, "~=1.4", "1.5.0", "~=1.4");
    check_with(Floor::Never, "~=1.4", "2.0.0", "~=2.0");
}

#[test]
fn floors_rise_as_the_policy_says() {
    check_with(Floor::Never, ">=1.4", "2.0.0", ">=1.4");
    check_with(Floor::Minor, ">=1.4", "1.4.3", ">=1.4");
    check_with(Floor::Minor, ">=1.4", "1.5.0", ">=1.5.0");
    check_with(Floor::Minor, ">=1.4", "2.0.0", ">=2.0.0");
    check_with(Floor::Always, ">=1.4", "1.4.3", ">=1.4.3");
    check_with(Floor::Always, ">1.4", "1.4.3", ">=1.4.3");
    check_with(Floor::Always, ">=1.4.3", "1.4.3", ">=1.4.3");
}

#[test]
fn nothing_moves_where_nothing_was_released() {
    let same = version("1.4.3");
    assert_eq!(rewrite(">=1.4", &same, &same, Floor::Always), Ok(Rewrite::Keep));
    assert_eq!(rewrite(">=1.5", &same, &same, Floor::Never), Ok(Rewrite::Replace(">=1.4.3".to_owned())));
}

#[test]
fn a_cap_moves_only_where_the_new_version_lies_beyond_it() {
    check(">=1.4,<3", "2.0.0", ">=2.0.0,<3");
    check(">=1.4,<3", "3.1.0", ">=3.1.0,<4");
    check(">=0.4,<0.5", "0.5.0", ">=0.5.0,<0.6");
    check(">=1.4,<2.0.0", "2.0.0", ">=2.0.0,<3.0.0");
    check(">=1.4,<2.0", "2.0.0", ">=2.0.0,<3.0");
    check(">=1.4,<1.10.0", "1.10.2", ">=1.10.2,<1.11.0");
    check(">=1.4,<=1.4.9", "1.5.0", ">=1.5.0,<=1.5.0");
    check("<2.5", "3.1.0", "<3.2");
    check("<2.0.dev0", "2.1.0", "<3.0.dev0");
    check("<2", "1.9.0", "<2");
    check("<2", "1!1.0", "<1!2");
    check("<0", "0.1.0", "<1");
}

#[test]
fn the_floor_rises_with_the_cap_unless_it_never_rises() {
    check_with(Floor::Minor, ">=1.4,<1.4.3", "1.4.3", ">=1.4.3,<1.4.4");
    check_with(Floor::Never, ">=1.4,<2", "2.0.0", ">=1.4,<3");
    check_with(Floor::Never, ">1.4,<2", "2.0.0", ">1.4,<3");
    check_with(Floor::Never, ">=2.0", "1.9.0", ">=1.9.0");
}

#[test]
fn order_space_and_untouched_clauses_stay_as_they_are() {
    check(" <3 , >= 1.4 ,!=1.4.7 ", "3.0.0", " <4 , >= 3.0.0 ,!=1.4.7 ");
    check(">=v1.04, != 1.3.* ,", "1.4.2", ">=v1.04, != 1.3.* ,");
    check(">=v1.04, != 1.3.* ,", "1.5.0", ">=1.5.0, != 1.3.* ,");
}

#[test]
fn an_exclusion_of_the_new_version_is_refused() {
    let new = version("1.5.0");
    for (text, clause) in [(">=1.4,!=1.5.0", "!=1.5.0"), (">=1.4, != 1.5.*", "!= 1.5.*")] {
        let error = rewrite(text, &version("1.4.0"), &new, Floor::Minor).unwrap_err();
        assert_eq!(
            error.to_string(),
            format!("`{text}` excludes 1.5.0 by `{clause}`; remove that clause or release another version")
        );
    }
    check(">=1.4,!=1.4.3", "1.5.0", ">=1.5.0,!=1.4.3");
}

#[test]
fn a_pre_release_gets_a_floor_that_names_it() {
    check(">=1.2", "1.3.0rc1", ">=1.3.0rc1");
    check(">=1.2,<2", "1.3.0rc1", ">=1.3.0rc1,<2");
    check(">=1.2,<2", "2.0.0rc1", ">=2.0.0rc1,<3");
    check("~=1.2", "1.3.0rc1", "~=1.3rc1");
    check("~=1.2", "1.3.1rc1", "~=1.3,>=1.3.1rc1");
    check("~=1.2.0", "1.3.1rc1", "~=1.3.1rc1");
    check("==1.3.*", "1.3.1rc1", "==1.3.*,>=1.3.1rc1");
    check("<2", "1.3.0rc1", "<2,>=1.3.0rc1");
    check("!=1.1, <2 ", "1.3.0rc1", "!=1.1, <2, >=1.3.0rc1 ");
    check("", "1.3.0rc1", ">=1.3.0rc1");
    check("<=1.2", "1.3.0rc1", "<=1.3.0rc1");
    check_with(Floor::Never, ">=1.2", "1.3.0rc1", ">=1.3.0rc1");
}

#[test]
fn a_floor_on_a_pre_release_follows_to_the_final() {
    check(">=1.3.0rc1", "1.3.0rc2", ">=1.3.0rc2");
    check(">=1.3.0rc2", "1.3.0", ">=1.3.0");
    check("~=1.3rc1", "1.3.0", "~=1.3");
    check_with(Floor::Never, ">=1.3.0rc1", "1.3.0", ">=1.3.0rc1");
}

#[test]
fn epochs_are_named() {
    check(">=1.4,<2", "1!1.0.0", ">=1!1.0.0,<1!2");
    check("==1.4.*", "1!1.5.0", "==1!1.5.*");
    check("~=1.4", "1!1.5.0", "~=1!1.5");
}

#[test]
fn poetry_constraints_move_in_their_own_style() {
    check_poetry("^1.2", "1.2.9", "^1.2");
    check_poetry("^1.2", "1.4.2", "^1.4");
    check_poetry("^1.2", "2.0.0", "^2.0");
    check_poetry("^1.2.3", "2.0.0", "^2.0.0");
    check_poetry("^ 0.4", "0.5.0", "^ 0.5");
    check_poetry("^0.0.3", "0.0.4", "^0.0.4");
    check_poetry("^1", "2.3.0", "^2");
    check_poetry("~1.2", "1.3.0", "~1.3");
    check_poetry("~1.2.3", "1.3.0", "~1.3.0");
    check_poetry("1.2.*", "1.3.1", "1.3.*");
    check_poetry("1.2.x", "1.3.1", "1.3.x");
    check_poetry("==1.*.*", "2.3.1", "==2.*.*");
    check_poetry("1.2.3", "1.3.0", "1.3.0");
    check_poetry("=1.2.3", "1.3.0", "=1.3.0");
    check_poetry(">=1,<2", "2.0.0", ">=2.0.0,<3");
    check_poetry(">=1.0 <2.0", "2.0.0", ">=2.0.0 <3.0");
    check_poetry("*", "2.1.0", ">=2.1.0");
    check_poetry_with(Floor::Never, "*", "2.1.0", "*");
    check_poetry_with(Floor::Never, "^1.2", "1.4.2", "^1.2");
    check_poetry_with(Floor::Always, "^1.2.0", "1.2.1", "^1.2.1");
}

#[test]
fn of_alternatives_the_last_one_moves() {
    check_poetry("^1.2 || ^2.0", "2.1.0", "^1.2 || ^2.0");
    check_poetry("^1.2 || ^2.0", "3.0.0", "^1.2 || ^3.0");
    check_poetry("^1.2 | >=2.0,<3", "3.0.0", "^1.2 | >=3.0.0,<4");
    check_poetry("^1.2 || ^2.0", "2.1.1rc1", "^1.2 || ^2.1,>=2.1.1rc1");
}

#[test]
fn poetry_pre_releases_get_a_floor_that_names_them() {
    check_poetry("^1.2", "1.3.0rc1", "^1.3rc1");
    check_poetry("^1.2.0", "1.3.1rc1", "^1.3.1rc1");
    check_poetry("^0", "0.3.0rc1", "^0,>=0.3.0rc1");
    check_poetry("~1", "1.3.0rc1", "~1,>=1.3.0rc1");
    check_poetry("*", "1.3.0rc1", ">=1.3.0rc1");
    check_poetry("", "1.3.0rc1", ">=1.3.0rc1");
    check_poetry_with(Floor::Never, "*", "1.3.0rc1", ">=1.3.0rc1");
}

#[test]
fn what_the_grammar_does_not_know_is_refused_with_the_clause() {
    let new = version("1.0");
    for text in [
        "1.0",
        "=1.0",
        "^1.0",
        "~1.0",
        ">=1.0.*",
        "~=1",
        ">=1.0+x",
        "==1.0rc1.*",
        "==1.*.*",
        "==",
        "french toast",
        ">=1 .0",
        ">=1;",
        ">=1 <2",
        "*",
        "== *",
        "<>1",
        ">=1|<2",
        "=>1",
    ] {
        assert!(admits(text, &new).is_err(), "{text}");
    }
    for text in [
        "^",
        "^1.*",
        ">=*",
        "===1.0",
        "^1 ||",
        "|| ^1",
        "^1 ||| ^2",
        "^1.0+x",
        "latest",
        "~=1",
        "1.0 - 2.0",
        "=>1",
    ] {
        assert!(admits_poetry(text, &new).is_err(), "{text}");
    }
    assert_eq!(
        admits(">=1.0, ^2", &new).unwrap_err().to_string(),
        "`^2` in `>=1.0, ^2` is not a version specifier"
    );
}

#[test]
fn an_unbounded_dependency_gets_a_floor() {
    assert_eq!(bound(&version("2.1.0")), ">=2.1.0");
    assert_eq!(bound(&version("2.1.0rc1+x")), ">=2.1.0rc1");
}
