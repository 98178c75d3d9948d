use super::{Body, read_body};
use crate::history::entry::Separator;
use crate::history::lines::lines_of;

/// The prose, then each footer as `token|value`, `#` before the value for the separator ` #`.
fn check(body: &str, prose: &str, footers: &[&str]) {
    let read: Body = read_body(&lines_of(body));
    let told: Vec<String> = read
        .footers
        .iter()
        .map(|footer| {
            let hash = if footer.separator == Separator::Hash { "#" } else { "" };
            format!("{}|{hash}{}", footer.token, footer.value)
        })
        .collect();
    assert_eq!(
        (read.prose.as_deref().unwrap_or_default(), told),
        (prose, footers.iter().map(|f| f.to_string()).collect())
    );
}

#[test]
fn footers_are_told_from_prose() {
    check("", "", &[]);
    check("\n\nprose\nmore\n\n\nagain\n", "prose\nmore\n\nagain", &[]);
    check("prose\n\nReviewed-by: Z\nRefs: #123", "prose", &["Reviewed-by|Z", "Refs|#123"]);
    check("Refs #392\ncloses #12", "", &["Refs|#392", "closes|#12"]);
    check("External-Id:1337", "", &["External-Id|1337"]);
    check("\r\nFixes: #1\r\n\r\nSigned-off-by: A <a@b>\r\n", "", &["Fixes|#1", "Signed-off-by|A <a@b>"]);
}

#[test]
fn a_value_goes_on_until_the_next_token() {
    check("Note: one\n  two\nthree\nRefs: #1", "", &["Note|one\n  two\nthree", "Refs|#1"]);
    check("Signed-off-by: A\n(cherry picked from commit 3e4edf1)\nmore", "", &["Signed-off-by|A"]);
}

#[test]
fn paragraphs_that_look_like_footers_swallow_nothing() {
    check("Note: look\nhere\n\nprose\n\nRefs: #1", "Note: look\nhere\n\nprose", &["Refs|#1"]);
    check("https://a.example/b\n\nRefs: #1", "https://a.example/b", &["Refs|#1"]);
    check("std::vec is gone\n\nC:\\x: y", "std::vec is gone\n\nC:\\x: y", &[]);
    check("first line\nIMPORTANT: second\nthird", "first line\nIMPORTANT: second\nthird", &[]);
    check("Issue #1 tells\nmore\n\nprose", "Issue #1 tells\nmore\n\nprose", &[]);
    check("Changes:\n- one", "Changes:\n- one", &[]);
}

#[test]
fn footers_in_the_middle_count_where_no_prose_begins_so() {
    check("Fixes #1\n\nprose", "prose", &["Fixes|#1"]);
    check("Signed-off-by: A\n\n* next\n\nprose", "* next\n\nprose", &["Signed-off-by|A"]);
    check("Release-As: 2.0.0\n\nprose", "prose", &["Release-As|2.0.0"]);
    check("Note: a\nBREAKING CHANGE: b\n\nRefs: #1", "", &["Note|a", "BREAKING CHANGE|b", "Refs|#1"]);
    check("Note: a\nBREAKING CHANGE: b\n\n# prose", "Note: a\n\n# prose", &["BREAKING CHANGE|b"]);
}

#[test]
fn footers_under_the_first_line_of_another_commit_count() {
    check("fix(core): y\nBREAKING CHANGE: z", "fix(core): y", &["BREAKING CHANGE|z"]);
    check("* feat: y\nprose\nRefs: #1\n\nprose", "* feat: y\nprose\n\nprose", &["Refs|#1"]);
}

#[test]
fn a_breaking_note_goes_on_over_blank_lines() {
    check(
        "BREAKING CHANGE: a\n\nUsers must b.\n\n- c\n- d\n\nRefs: #1",
        "",
        &["BREAKING CHANGE|a\n\nUsers must b.\n\n- c\n- d", "Refs|#1"],
    );
    check("BREAKING CHANGE:\n\n- a\n- b", "", &["BREAKING CHANGE|- a\n- b"]);
    check("BREAKING CHANGE:\nthe thing\n  more", "", &["BREAKING CHANGE|the thing\n  more"]);
    check(
        "BREAKING CHANGE: a\n```\nBREAKING CHANGE: b\n\nc\n```",
        "",
        &["BREAKING CHANGE|a\n```\nBREAKING CHANGE: b\n\nc\n```"],
    );
    for end in ["# Heading\n\nx", "---------\n\nx", "* fix: b\n\nx", "Changes:\n- x"] {
        check(&format!("BREAKING CHANGE: a\n\n{end}"), end, &["BREAKING CHANGE|a"]);
    }
}

#[test]
fn breaking_needs_the_start_of_a_line_in_upper_case() {
    for body in [
        "This is a BREAKING CHANGE: for all",
        "which is a\nBREAKING CHANGE: for those who",
        "breaking change: a\n\nprose",
        "Breaking-Change: a\n\nprose",
        "BREAKING CHANGES: a\n\nprose",
        "BREAKING CHANGE a",
        "* BREAKING CHANGE: a",
        "  BREAKING CHANGE: a",
        "> BREAKING CHANGE: a",
        "```\nBREAKING CHANGE: a\n```",
        "<details>\n\nBREAKING CHANGE: a\n\n</details>",
        "<blockquote>\nBREAKING CHANGE: a",
    ] {
        let read = read_body(&lines_of(body));
        assert!(!read.footers.iter().any(super::Footer::is_breaking), "{body}");
    }
}

#[test]
fn a_rule_before_the_footers_is_no_prose() {
    check("* wip\n\n---------\n\nCo-authored-by: A <a@b>", "* wip", &["Co-authored-by|A <a@b>"]);
}
