use super::*;
use crate::ledger::event::{FailureKind, StepFailure};
use crate::report::samples::{begun, events, hostile, plan, started, succeeded};

fn told(progress: &mut Progress, whats: Vec<What>) -> String {
    events(whats).iter().map(|event| progress.text(event)).collect()
}

fn live() -> Progress {
    let mut progress = Progress::of(&plan());
    progress.live = true;
    progress
}

fn quiet() -> Progress {
    let mut progress = Progress::of(&plan());
    progress.quiet = true;
    progress
}

fn failure(step: &str, message: &str) -> What {
    let failure = StepFailure { kind: FailureKind::Permanent, message: message.to_owned() };
    What::Failed { step: step.to_owned(), failure, evidence: BTreeMap::new() }
}

#[test]
fn a_file_gets_a_line_for_each_step_that_ends() {
    let text = told(
        &mut Progress::of(&plan()),
        vec![
            begun(),
            started("build:core"),
            started("build:mlops"),
            succeeded("build:core", &[("a.whl", "sha256:1"), ("a.tar.gz", "sha256:2")]),
            failure("build:mlops", "no module\n  named `x`"),
            What::Abandoned { reason: "build:mlops failed".to_owned() },
        ],
    );
    let expected = "built core 2.1.0  2 files\nfailed to build mlops 2.0.0\n  no module\n    named `x`\ntaken back: build:mlops failed\n";
    assert_eq!(text, expected);
}

#[test]
fn a_terminal_gets_a_live_line_below() {
    let mut progress = live();
    let text = told(
        &mut progress,
        vec![
            started("commit"),
            succeeded("commit", &[("commit", "0123456789")]),
            started("build:core"),
            started("build:mlops"),
            succeeded("build:core", &[]),
            succeeded("build:mlops", &[]),
        ],
    );
    let expected = "\
        [ 0/15] writing the release commit\
        |wrote the release commit  0123456\n\
        [ 1/15] building core\
        |[ 1/15] building core, mlops\
        |built core 2.1.0\n[ 2/15] building mlops\
        |built mlops 2.0.0\n";
    assert_eq!(text.replace(ERASE, "|"), expected);
}

#[test]
fn a_resumed_ship_counts_what_was_done_before() {
    let mut progress = live();
    let text = told(&mut progress, vec![started("publish:core")]);
    assert_eq!(text, "[ 9/15] publishing core");
}

#[test]
fn quiet_tells_failures_alone() {
    let mut progress = quiet();
    let whats = vec![started("build:core"), succeeded("build:core", &[]), failure("seal", "other bytes")];
    assert_eq!(told(&mut progress, whats), "failed to seal the files\n  other bytes\n");
}

#[test]
fn hostile_messages_are_short_and_harmless() {
    let mut progress = live();
    let long = format!("{}\n", hostile()).repeat(50);
    let whats = vec![started(&format!("build:{}", hostile())), failure("build:core", &long)];
    let text = told(&mut progress, whats).replace(ERASE, "");
    assert!(!text.chars().any(|one| one != '\n' && crate::report::plain::is_hostile(one)), "{text:?}");
    assert!(text.lines().count() <= 12);
    assert!(text.lines().all(|line| line.chars().count() <= 502));
}

#[test]
fn a_file_on_its_way_is_told_by_its_package_and_percent() {
    let mut progress = live();
    let upload = "upload:core/acme_core-2.1.0-py3-none-any.whl";
    told(&mut progress, vec![started("publish:core"), started("publish:mlops"), started(upload)]);
    let before = progress.done.len();
    progress.sent.insert(upload.to_owned(), 45);
    let line = progress.live_line();
    assert!(line.ends_with("publishing mlops; uploading core 45 %"), "{line}");
    told(&mut progress, vec![succeeded(upload, &[("found", "new")])]);
    assert!(progress.live_line().ends_with("publishing core, mlops"), "{}", progress.live_line());
    assert_eq!(progress.done.len(), before, "a file is no step of the plan");
}
