use serde_json::Value;

use super::{Entries, Known, MessageFooters, Reading, message_footers, read};
use crate::history::entry::Entry;

fn entries(message: &str, how: Entries) -> Vec<Entry> {
    match read(message, how) {
        Reading::Conventional(entries) => entries,
        other => panic!("{other:?}: {message}"),
    }
}

fn only(message: &str) -> Entry {
    let mut entries = entries(message, Entries::Auto);
    assert_eq!(entries.len(), 1, "{message}");
    entries.remove(0)
}

/// Each entry as `type(scope)! description`.
fn told(message: &str, how: Entries) -> Vec<String> {
    let told = entries(message, how).into_iter().map(|entry| {
        let scope = entry.scope.map(|scope| format!("({scope})")).unwrap_or_default();
        let mark = if entry.breaking { "!" } else { "" };
        format!("{}{scope}{mark} {}", entry.kind, entry.description)
    });
    told.collect()
}

fn reason(message: &str) -> String {
    match read(message, Entries::Auto) {
        Reading::Unparseable { reason } => reason,
        other => panic!("{other:?}: {message}"),
    }
}

#[test]
fn an_entry_has_all_that_its_message_says() {
    let entry = only(
        "\n\nFeat(Core)!: share the value (#9)\r\n\r\nBoth speak of it.\r\n\r\nBREAKING CHANGE: one\r\n\r\nBREAKING-CHANGE: two\r\n\
         Release-As: 2.0.0\r\npackages: core, mlops\r\nCloses: #5, #9 and other/repository#7\r\nFixes #6\r\nRefs: #8\r\n",
    );
    assert_eq!((entry.kind.as_str(), entry.scope.as_deref()), ("feat", Some("Core")));
    assert_eq!(entry.description, "share the value (#9)");
    assert_eq!(entry.body.as_deref(), Some("Both speak of it."));
    assert!(entry.breaking && !entry.stable && !entry.from_squash);
    assert_eq!(entry.breaking_notes, ["one", "two"]);
    assert_eq!(entry.release_as.as_deref(), Some("2.0.0"));
    assert_eq!(entry.packages, ["core", "mlops"]);
    assert_eq!(entry.references, [9, 5, 6]);
    assert_eq!(entry.pull_request, Some(9));
    assert_eq!(entry.footers.len(), 7);
}

#[test]
fn a_mark_alone_makes_the_description_the_breaking_note() {
    assert_eq!(only("feat!: drop x").breaking_notes, ["drop x"]);
    assert_eq!(only("feat!: drop x\n\nBREAKING CHANGE: y").breaking_notes, ["y"]);
    assert_eq!(only("feat: drop x\n\nBREAKING CHANGE:").breaking_notes, ["drop x"]);
    assert!(only("feat: x").breaking_notes.is_empty());
}

#[test]
fn the_first_stable_release_is_asked_for_by_two_marks_or_a_footer() {
    let marked = only("feat(api)!!: settle");
    assert!(marked.stable && marked.breaking);
    let footer = only("feat: settle\n\nINITIAL STABLE RELEASE: the interface is settled");
    assert!(footer.stable && !footer.breaking);
    assert!(!only("feat!: settle").stable);
}

#[test]
fn words_in_a_sentence_break_nothing() {
    let entry = only(
        "refactor(core)!: name the port\n\nRepository says nothing. This is a BREAKING CHANGE for those who\nimplement \
         it.\n\nBREAKING CHANGE: Repository is now SeriesRepository\nRefs: #31",
    );
    assert_eq!(entry.breaking_notes, ["Repository is now SeriesRepository"]);
    let wrapped =
        only("feat: x\n\nAll this would have been a\nBREAKING CHANGE: for everyone, had it not been for y.");
    assert!(!wrapped.breaking);
    let bumped = only(
        "build(deps): bump x from 1 to 2\n\n<details>\n<summary>Release notes</summary>\n<blockquote>\n\nBREAKING CHANGE: y\n\
         </blockquote>\n</details>\n\nSigned-off-by: bot <a@b>",
    );
    assert!(!bumped.breaking);
    assert_eq!(bumped.footers.len(), 1);
}

#[test]
fn a_conventional_first_line_makes_one_entry() {
    let message = "feat(mathematics): linear algebra (#7)\n\n* feat(mathematics): dot\n\n* fix!: refuse\n\n* wip\n\n\
                   Co-authored-by: A <a@b>";
    assert_eq!(told(message, Entries::Auto), ["feat(mathematics) linear algebra (#7)"]);
    assert_eq!(told(message, Entries::Subject), ["feat(mathematics) linear algebra (#7)"]);
}

#[test]
fn bullets_are_entries_of_more_than_one_word() {
    let message = "feat: linear algebra (#7)\n\n* feat(a): dot and matmul\n\n* fix!: refuse all\n\n* fix: typo\n\nfix: #123";
    assert_eq!(
        told(message, Entries::Bullets),
        ["feat linear algebra (#7)", "feat(a) dot and matmul", "fix! refuse all"]
    );
    let entries = entries(message, Entries::Bullets);
    assert_eq!(entries.iter().map(|entry| entry.from_squash).collect::<Vec<_>>(), [false, true, true]);
    assert!(entries.iter().all(|entry| entry.pull_request == Some(7)));
}

#[test]
fn a_body_is_split_under_a_first_line_that_is_not_conventional() {
    let message = "Linear algebra (#7)\n\n* feat(a): dot\n\n* fix(b)!: refuse\n\n* wip\n\n---------\n\nCo-authored-by: A <a@b>";
    assert_eq!(told(message, Entries::Auto), ["feat(a) dot", "fix(b)! refuse"]);
    assert!(matches!(read(message, Entries::Subject), Reading::Unparseable { .. }));
    let paragraphs = "Linear algebra\n\nfeat(a): dot\n\nprose\n\nfix(b): refuse\n\nRefs: #1";
    assert_eq!(told(paragraphs, Entries::Auto), ["feat(a) dot", "fix(b) refuse"]);
}

#[test]
fn paragraphs_are_read_as_release_please_does() {
    let message = "feat: v4 UUID\n\nThis adds support.\n\nfix(utils): unicode\n  PiperOrigin-RevId: 3\n  BREAKING-CHANGE: no \
                   throw\n  Source-Link: a@b\n\n* docs: no part\n\nfeat(utils)!: update\nchore: three\n\nBEGIN_NESTED_COMMIT\n\
                   perf: nested\nEND_NESTED_COMMIT";
    assert_eq!(
        told(message, Entries::Paragraphs),
        ["feat v4 UUID", "fix(utils)! unicode", "feat(utils)! update", "chore three", "perf nested"]
    );
    let message = "chore: several commits\nfix(parser): address bug";
    assert_eq!(told(message, Entries::Paragraphs), ["chore several commits", "fix(parser) address bug"]);
    assert_eq!(told(message, Entries::Auto), ["chore several commits"]);
}

#[test]
fn lines_are_read_as_commitizen_does() {
    let message = "docs: words\n\nfeat: two\nprose\nfix: three\n```\nfix: four\n```\n * fix: five\n\nBREAKING CHANGE: six";
    assert_eq!(told(message, Entries::Lines), ["docs words", "feat two", "fix! three"]);
    assert_eq!(told("Words\nfix: one", Entries::Lines), ["fix one"]);
}

#[test]
fn an_override_replaces_the_message() {
    let message = "feat!: wrong\n\nBEGIN_COMMIT_OVERRIDE\nfix: right\n\nfeat(x): too\nEND_COMMIT_OVERRIDE\n\nBREAKING CHANGE: no";
    assert_eq!(told(message, Entries::Auto), ["fix right", "feat(x) too"]);
    assert_eq!(told(message, Entries::Subject), ["fix right"]);
}

#[test]
fn what_is_recognised_counts_nothing() {
    let known = |message: &str| match read(message, Entries::Auto) {
        Reading::Known(known) => known,
        other => panic!("{other:?}: {message}"),
    };
    assert_eq!(known("Merge pull request #12 from acme/x\n\nfeat: a robust score"), Known::Merge);
    assert_eq!(known("Merge branch 'x' into 'main'\n\nfeat: y\n\nSee merge request a/b!3"), Known::Merge);
    assert_eq!(known("Merged in feat/x (pull request #10)\n\nwords"), Known::Merge);
    assert_eq!(known("fixup! feat: x"), Known::Fixup);
    assert_eq!(
        known("Squashed commit of the following:\n\ncommit 63ec09b\nAuthor: a\n\n    words"),
        Known::SquashHeader
    );
    assert_eq!(known("Bump x from 1 to 2\n\n* feat: theirs"), Known::Bot);
    assert_eq!(
        known("1.0.1\n\nAutomatically generated by python-semantic-release"),
        Known::VersionOnlySubject
    );
    assert_eq!(known("Initial import"), Known::Initial);
    assert!(matches!(known("Revert \"feat: x\"\n\nThis reverts commit 3e4edf12."), Known::Revert(_)));
    assert!(matches!(known("Reapply \"feat: x\""), Known::Revert(_)));
    assert_eq!(only("revert: feat: x\n\nRefs: 3e4edf12").kind, "revert");
}

#[test]
fn titles_of_azure_hold_a_commit() {
    let entry = only("Merged PR 12: feat(core): x");
    assert_eq!((entry.kind.as_str(), entry.pull_request), ("feat", Some(12)));
}

#[test]
fn what_is_not_understood_says_why() {
    assert_eq!(reason(""), "the message is empty");
    assert_eq!(reason(" \r\n\n"), "the message is empty");
    assert_eq!(reason("wip"), "its first line is not of the form `type: description`");
    assert_eq!(reason("feat add x"), "no colon follows the type `feat`");
    assert_eq!(reason("feat(foo: x"), "the scope of `feat` is not closed");
}

#[test]
fn footers_of_the_message_stand_for_themselves() {
    let footers =
        message_footers("wip\n\nRelease-As: 1.0.0\nrelease-as: 2.0.0\n\nPackages: core,\n mlops\nRefs: #1");
    assert_eq!(footers.release_as.as_deref(), Some("2.0.0"));
    assert_eq!(footers.packages, ["core", "mlops"]);
    assert_eq!(footers.footers.len(), 4);
    assert_eq!(message_footers("Release-As: 1.0.0").release_as.as_deref(), Some("1.0.0"));
    let squash = "Squashed commit of the following:\n\ncommit 63ec09b\nAuthor: a\n\n    words\n\n    Release-As: 3.0.0\n";
    assert_eq!(message_footers(squash).release_as.as_deref(), Some("3.0.0"));
    assert_eq!(
        message_footers("feat: we say Release-As: 1.0.0\n\n> Release-As: 2.0.0"),
        MessageFooters::default()
    );
    assert_eq!(message_footers(""), MessageFooters::default());
}

#[test]
fn squashes_are_split_as_python_semantic_release_does() {
    let cases: Value =
        serde_json::from_str(include_str!("../../../tests/data/vectors/squash-psr.json")).unwrap();
    for case in cases["cases"].as_array().unwrap() {
        let theirs = case["commits"].as_array().unwrap().iter().filter(|commit| !commit.is_null());
        let theirs: Vec<&Value> = theirs.collect();
        for how in [Entries::Auto, Entries::Bullets] {
            let ours = entries(case["message"].as_str().unwrap(), how);
            assert_eq!(ours.len(), theirs.len(), "{}", case["style"]);
            for (entry, commit) in ours.iter().zip(&theirs) {
                check_psr(entry, commit);
            }
        }
    }
}

fn check_psr(entry: &Entry, commit: &Value) {
    let bump = match entry.kind.as_str() {
        _ if entry.breaking => "major",
        "feat" => "minor",
        "fix" => "patch",
        _ => "no_release",
    };
    assert_eq!(Some(bump), commit["bump"].as_str());
    assert_eq!(entry.scope.as_deref(), commit["scope"].as_str());
    assert_eq!(Some(entry.description.as_str()), commit["descriptions"][0].as_str());
    let prose = entry.body.as_deref().unwrap_or_default().replace("\n\n", "|").replace('\n', " ");
    for part in prose.split('|').filter(|part| !part.is_empty()) {
        assert!(
            commit["descriptions"].as_array().unwrap().iter().any(|one| one.as_str() == Some(part)),
            "{part}"
        );
    }
    let texts = |value: &Value| -> Vec<String> {
        value
            .as_array()
            .map_or_else(Vec::new, |all| all.iter().map(|one| one.as_str().unwrap().to_owned()).collect())
    };
    assert_eq!(entry.breaking_notes, texts(&commit["breaking_descriptions"]));
    let request = entry.pull_request.map(|number| format!("#{number}"));
    assert_eq!(request.as_deref(), commit["linked_merge_request"].as_str());
    let issues = entry.references.iter().filter(|number| Some(**number) != entry.pull_request);
    assert_eq!(
        issues.map(|number| format!("#{number}")).collect::<Vec<_>>(),
        texts(&commit["linked_issues"])
    );
    assert!(entry.from_squash);
}
