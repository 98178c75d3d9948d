use super::*;
use crate::ledger::event::{FailureKind, StepFailure};
use crate::report::samples::{begun, events, hostile, started, succeeded};

fn failure(step: &str, message: &str) -> What {
    let failure = StepFailure { kind: FailureKind::Permanent, message: message.to_owned() };
    What::Failed { step: step.to_owned(), failure, evidence: BTreeMap::new() }
}

fn story() -> Vec<Event> {
    let mut events = events(vec![
        begun(),
        started("commit"),
        succeeded("commit", &[("commit", "0123456789")]),
        started("build:core"),
        failure("build:core", "the build failed\n  line\u{1b}[31m one\n"),
        What::Abandoned { reason: "a step failed".to_owned() },
        begun(),
        What::Finished { awaited: None },
    ]);
    for event in &mut events[6..] {
        event.who = "Bo".to_owned();
    }
    events
}

#[test]
fn the_log_is_a_line_an_event() {
    let expected = "\
plan 2e9f9aadb0f8 by Ada <ada@example.org>
    1  2026-11-24 01:40:05  began: anomaly-detection 0.1.0, core 2.1.0, mlops
                            2.0.0
    2  2026-11-24 01:40:06  writing the release commit
    3  2026-11-24 01:40:07  wrote the release commit 0123456
    4  2026-11-24 01:40:08  building core
    5  2026-11-24 01:40:09  failed to build core 2.1.0 (permanent):
         the build failed
           line one
    6  2026-11-24 01:40:10  given up: a step failed

plan 2e9f9aadb0f8 by Bo
    7  2026-11-24 01:40:11  began: anomaly-detection 0.1.0, core 2.1.0, mlops
                            2.0.0
    8  2026-11-24 01:40:12  finished
";
    let plan = story()[0].plan.short().to_owned();
    let text = log_text(&story(), 0, 80, false);
    assert_eq!(text, expected.replace("2e9f9aadb0f8", &plan), "\n{text}");
    assert_eq!(terminal(&log_text(&story(), 0, 80, true)), text);
}

#[test]
fn an_empty_ledger_says_who_writes_it() {
    assert_eq!(log_text(&[], 0, 80, false), "the ledger is empty: `release ship` writes it\n");
}

#[test]
fn hostile_text_is_shown_and_not_obeyed() {
    let events = events(vec![begun(), failure("build:core", &format!("{}\n", hostile()).repeat(100))]);
    let text = log_text(&events, 0, 80, false);
    assert!(!text.contains('\u{1b}') && !text.contains('\u{202e}'));
    assert!(text.contains("… 60 lines more"), "{text}");
    assert!(log_markdown(&events, 0).lines().count() == 4);
}

#[test]
fn json_reads_back_as_the_events() {
    let read: Vec<Event> = serde_json::from_str(&log_json(&story())).unwrap();
    assert_eq!(read, story());
}
