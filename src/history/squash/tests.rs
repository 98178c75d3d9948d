use super::{Splitting, overridden, split};
use crate::history::lines::{joined, lines_of};

const ALL: Splitting = Splitting {
    paragraphs: true,
    neighbours: true,
    bullets: true,
    lines: false,
    nested: true,
    git: true,
    many_words: false,
};

/// Each part as `type: description`, and `/` before each line of its own.
fn parts(body: &str, how: Splitting) -> Vec<String> {
    let body = format!("\n{body}");
    let told = split(&lines_of(&body), how, false).parts.into_iter().map(|part| {
        let lines = joined(&part.lines).trim().replace('\n', "/");
        let colon = if lines.is_empty() { String::new() } else { format!(" [{lines}]") };
        format!("{}: {}{colon}", part.header.kind, part.header.description)
    });
    told.collect()
}

#[test]
fn bullets_of_a_pull_request_are_parts() {
    let body = "\n* feat(a): one\n\n* Fix(b)!: two\n\n  BREAKING CHANGE: gone\n\n* wip\n\nnot told\n\n- perf: three\n\
                - docs: four\n\n---------\n\nCo-authored-by: A <a@b>";
    assert_eq!(
        parts(body, ALL),
        [
            "feat: one",
            "Fix: two [BREAKING CHANGE: gone]",
            "perf: three",
            "docs: four [---------//Co-authored-by: A <a@b>]"
        ]
    );
}

#[test]
fn a_list_in_the_body_of_a_part_belongs_to_it() {
    let body = "* feat: one\n\nIt does:\n- this\n- that\n\n* fix: two";
    assert_eq!(parts(body, ALL), ["feat: one [It does:/- this/- that]", "fix: two"]);
}

#[test]
fn paragraphs_with_a_common_type_are_parts() {
    let body = "prose\n\nfeat(utils): one\n  PiperOrigin-RevId: 1\n  BREAKING-CHANGE: no more\n\nNote: this\n\nfix: two\n\n\
                Signed-off-by: A";
    assert_eq!(
        parts(body, ALL),
        [
            "feat: one [PiperOrigin-RevId: 1/BREAKING-CHANGE: no more//Note: this]",
            "fix: two [Signed-off-by: A]"
        ]
    );
}

#[test]
fn footers_are_no_parts() {
    assert_eq!(parts("fix: #123\n\nfix: GH-1\n\nfix: 12\n\nfix: https://a.example/1", ALL), [] as [&str; 0]);
    assert_eq!(parts("Co-authored-by: A\nSigned-off-by: B\nRefs: c d", ALL), [] as [&str; 0]);
    assert_eq!(parts("fix: typo", ALL), ["fix: typo"]);
    assert_eq!(parts("fix: typo", Splitting { many_words: true, ..ALL }), [] as [&str; 0]);
}

#[test]
fn neighbours_of_a_commit_or_a_footer_are_parts_and_lines_of_prose_are_not() {
    assert_eq!(
        parts("feat: one\nfix: two\n\nRefs: #1\nperf: three", ALL),
        ["feat: one", "fix: two [Refs: #1]", "perf: three"]
    );
    let unconventional = split(&lines_of("fix: for two"), ALL, false);
    assert!(unconventional.parts.is_empty());
    assert_eq!(parts("this is a\nfix: for two", ALL), [] as [&str; 0]);
    assert_eq!(
        parts("feat: one\nfix: two", Splitting { neighbours: false, ..ALL }),
        ["feat: one [fix: two]"]
    );
}

#[test]
fn quoted_lines_hold_no_parts() {
    let body = "```\nfeat: one\n\nfeat: two\n```\n\n> feat: three\n\n<details>\n\n* feat: four\n\n</details>\n\n    feat: five";
    assert_eq!(parts(body, ALL), [] as [&str; 0]);
}

#[test]
fn the_commits_of_a_git_squash_are_parts() {
    let body = "commit 63ec09b9e844e616dcaa7bae35a0b66671b59fbb\nAuthor: a <a@b>\nDate:   Sun\n\n    fix(x): one\n\n    \
                prose\n\n    Closes: #5\n\ncommit 1f34769 (HEAD)\nMerge: 1 2\nAuthor: a <a@b>\n\n    words\n\ncommit 5f0292f\n\
                Author: a\n\n    feat: two\n";
    assert_eq!(parts(body, ALL), ["fix: one [prose//Closes: #5]", "feat: two"]);
    assert_eq!(
        parts("```\ncommit 63ec09b\nAuthor: a\n\n    feat: theirs\n```\n\nfix: one thing", ALL),
        ["fix: one thing"]
    );
    assert_eq!(parts("commit 63ec09b\nis bad\n\nfix: one thing", ALL), ["fix: one thing"]);
}

#[test]
fn nested_commits_are_parts() {
    let body = "above\nBEGIN_NESTED_COMMIT\nfeat(a): one\n\nprose\nEND_NESTED_COMMIT\nBEGIN_NESTED_COMMIT\nwords\n\
                END_NESTED_COMMIT\nfix: two\nEND_NESTED_COMMIT";
    let split = split(&lines_of(body), ALL, true);
    assert_eq!(joined(&split.above), "above");
    assert_eq!(parts(body, Splitting { paragraphs: false, neighbours: false, ..ALL }), ["feat: one [prose]"]);
    assert_eq!(parts("BEGIN_NESTED_COMMIT\n\nfeat: open", ALL), ["feat: open"]);
}

#[test]
fn an_override_stands_between_its_marks() {
    assert_eq!(
        overridden("x\nBEGIN_COMMIT_OVERRIDE\r\nfeat: a\n\nb\r\n END_COMMIT_OVERRIDE\ny"),
        Some("feat: a\n\nb")
    );
    assert_eq!(overridden("x\nBEGIN_COMMIT_OVERRIDE\nEND_COMMIT_OVERRIDE"), None);
    assert_eq!(overridden("docs: explain BEGIN_COMMIT_OVERRIDE\nand END_COMMIT_OVERRIDE"), None);
    assert_eq!(overridden("BEGIN_COMMIT_OVERRIDE\nfeat: a"), None);
}
