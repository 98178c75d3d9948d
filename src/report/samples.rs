//! A plan and a ledger to test reports with, some of it hostile.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::history::commit::CommitId;
use crate::ledger::event::{Begin, Event, What};
use crate::plan::digest::Digest;
use crate::plan::step::{Action, Reversal, Step, StepId};
use crate::plan::{
    Base, Because, BecauseKind, FORMAT, LeftOut, Plan, Refusal, Release, ReleaseBump, RequirementChange,
    Unchanged,
};
use crate::version::bump::Bump;

/// Escape sequences, a turned direction, Markdown and far too much of it.
pub fn hostile() -> String {
    format!("fix: \u{1b}[2J\u{1b}]0;owned\u{7}evil\u{202e}txt | <img> @all `x` {}", "A".repeat(10_000))
}

/// A plan of nothing.
pub fn empty() -> Plan {
    let base = Base {
        commit: "a".repeat(40),
        branch: Some("main".to_owned()),
        tags: Digest::of(b"tags"),
        config: Digest::of(b"config"),
        index: Digest::of(b"index"),
    };
    Plan {
        format: FORMAT,
        digest: Digest::of(b"plan"),
        base,
        assumed: Vec::new(),
        releases: Vec::new(),
        steps: Vec::new(),
        edits: Vec::new(),
        unchanged: Vec::new(),
        refused: Vec::new(),
        left_out: Vec::new(),
        deploy: None,
        warnings: Vec::new(),
    }
}

/// Three releases, a refused package, rows left out, a warning.
pub fn plan() -> Plan {
    let mut core = release("core", Some("2.0.3"), "2.1.0", ReleaseBump::Minor);
    core.because = vec![
        commit('3', Bump::Patch, "fix: close the file on errors"),
        commit('1', Bump::Minor, "feat(core): stream results"),
        commit('2', Bump::Patch, &hostile()),
    ];
    core.explain = vec![
        "3333333 fix: close the file on errors → patch, by files in packages/core".to_owned(),
        "1111111 feat(core): stream results → minor, by files in packages/core".to_owned(),
        format!("2222222 {} → patch, by files in packages/core", hostile()),
        "2.0.3 + minor → 2.1.0".to_owned(),
    ];
    core.notes = "### Features\n\n- stream results (@ada)\n".to_owned();
    let mut mlops = release("mlops", Some("1.4.0"), "2.0.0", ReleaseBump::Major);
    mlops.because =
        vec![commit('4', Bump::Major, "feat(mlops)!: drop the old trainer"), dependency("core", "2.1.0")];
    mlops.explain = vec!["1.4.0 + major → 2.0.0".to_owned()];
    mlops.needs = vec!["allow-major".to_owned()];
    mlops.requirements = vec![RequirementChange {
        package: "core".to_owned(),
        from: "acme-core>=2.0,<2.1".to_owned(),
        to: "acme-core>=2.1,<2.2".to_owned(),
    }];
    let mut fresh = release("anomaly-detection", None, "0.1.0", ReleaseBump::Minor);
    fresh.because = vec![commit('5', Bump::Minor, "feat: detect anomalies in streams of sensor data")];
    fresh.explain = vec!["no release yet: the manifest's version 0.1.0 is the first".to_owned()];
    let releases = vec![core, mlops, fresh];
    Plan {
        steps: steps(&releases),
        releases,
        unchanged: vec![unchanged("cli", "1.0.0"), unchanged("docs", "0.3.1"), unchanged("legacy", "4.0.0")],
        refused: vec![Refusal {
            package: "legacy".to_owned(),
            reason: "its manifest (old/pyproject.toml) says 4.1.0, its last tag says 4.0.0".to_owned(),
            way_out: "say whom to believe with `--trust tag` or `--trust manifest`".to_owned(),
        }],
        left_out: left_out(),
        warnings: vec!["commit 7777777 names a package `cor` that is not here".to_owned()],
        ..empty()
    }
}

fn left_out() -> Vec<LeftOut> {
    let mut rows = Vec::new();
    for digit in ['a', 'b', 'c'] {
        rows.push(left(
            digit,
            "merge",
            "Merge pull request #7 from ada/topic",
            "a merge; its commits count themselves",
        ));
    }
    rows.push(left('d', "type", "chore(core): tidy the tests", "type `chore` releases nothing"));
    rows.push(left('e', "unparseable", "Fixed stuff", "no type before a colon"));
    rows.push(left('f', "unparseable", &hostile(), "no type before a colon"));
    for package in ["cli", "docs"] {
        rows.push(LeftOut {
            commit: None,
            package: Some(package.into()),
            packages: Box::default(),
            subject: None,
            kind: "nothing".into(),
            reason: "no change of it asks for a release".into(),
        });
    }
    rows
}

fn left(digit: char, kind: &str, subject: &str, reason: &str) -> LeftOut {
    LeftOut {
        commit: Some(CommitId::of(&digit.to_string().repeat(40))),
        package: None,
        packages: ["core", "cli"].map(Arc::from).into(),
        subject: Some(subject.into()),
        kind: kind.to_owned().into(),
        reason: reason.to_owned().into(),
    }
}

/// One release of a package under `packages/`.
pub fn release(package: &str, from: Option<&str>, to: &str, bump: ReleaseBump) -> Release {
    Release {
        package: package.to_owned(),
        distribution: format!("acme-{package}"),
        path: format!("packages/{package}"),
        from: from.map(str::to_owned),
        to: to.to_owned(),
        tag: format!("{package}-v{to}"),
        bump,
        because: Vec::new(),
        notes: String::new(),
        files: Vec::new(),
        artifacts: vec!["sdist".to_owned(), "wheel".to_owned()],
        image: None,
        index: "local".to_owned(),
        explain: Vec::new(),
        requirements: Vec::new(),
        needs: Vec::new(),
    }
}

/// A commit as the reason.
pub fn commit(digit: char, size: Bump, text: &str) -> Because {
    Because {
        kind: BecauseKind::Commit,
        commit: Some(CommitId::of(&digit.to_string().repeat(40))),
        package: None,
        fragment: None,
        size: Some(size),
        text: text.into(),
        rule: "files in packages/core".into(),
    }
}

/// A released dependency as the reason.
pub fn dependency(package: &str, to: &str) -> Because {
    Because {
        kind: BecauseKind::Dependency,
        commit: None,
        package: Some(package.into()),
        fragment: None,
        size: Some(Bump::Patch),
        text: format!("{package} {to} lies outside its range >=2.0,<2.1").into(),
        rule: "dependents".into(),
    }
}

fn unchanged(package: &str, version: &str) -> Unchanged {
    Unchanged {
        package: package.to_owned(),
        distribution: format!("acme-{package}"),
        version: Some(version.to_owned()),
    }
}

fn steps(releases: &[Release]) -> Vec<Step> {
    let tags = releases.iter().map(|release| release.tag.clone()).collect();
    let mut steps =
        vec![step("commit", None, &[], Action::Commit { message: "chore(release): all".to_owned() })];
    for release in releases {
        let tag = Action::Tag { tag: release.tag.clone(), message: String::new() };
        steps.push(step("tag", Some(release), &["commit"], tag));
    }
    for release in releases {
        let build = Action::Build {
            path: release.path.clone(),
            distribution: release.distribution.clone(),
            version: release.to.clone(),
            frontend: "uv".to_owned(),
        };
        steps.push(step("build", Some(release), &["commit"], build));
    }
    let sealed: Vec<String> = steps.iter().skip(1).map(|step| step.id.0.clone()).collect();
    steps.push(step("seal", None, &sealed.iter().map(String::as_str).collect::<Vec<&str>>(), Action::Seal));
    steps.push(step("claim", None, &["seal"], Action::Claim { branch: "main".to_owned(), tags }));
    for release in releases {
        let (index, distribution, version) =
            (release.index.clone(), release.distribution.clone(), release.to.clone());
        steps.push(step(
            "publish",
            Some(release),
            &["claim"],
            Action::Publish { index, distribution, version },
        ));
    }
    for release in releases {
        let (index, distribution, version) =
            (release.index.clone(), release.distribution.clone(), release.to.clone());
        let publish = format!("publish:{}", release.package);
        steps.push(step("smoke", Some(release), &[&publish], Action::Smoke { index, distribution, version }));
    }
    steps
}

fn step(kind: &str, release: Option<&Release>, needs: &[&str], action: Action) -> Step {
    let id = release.map_or(kind.to_owned(), |release| format!("{kind}:{}", release.package));
    Step {
        id: StepId(id),
        package: release.map(|release| release.package.clone()),
        action,
        needs: needs.iter().map(|need| StepId((*need).to_owned())).collect(),
        reversal: Reversal::Nothing,
        check: "it is there".to_owned(),
    }
}

/// Events of one ship, a second apart, from 2026-11-24 01:40:05 UTC.
pub fn events(whats: Vec<What>) -> Vec<Event> {
    let event = |(number, what): (u64, What)| Event {
        number,
        time: 1_795_484_404 + i64::try_from(number).expect("a few events"),
        who: "Ada <ada@example.org>".to_owned(),
        plan: Digest::of(b"plan"),
        what,
    };
    (1..).zip(whats).map(event).collect()
}

/// The begin of the sample plan's ship.
pub fn begun() -> What {
    let begin = |release: Release| {
        (release.package, Begin { version: release.to, tag: release.tag, index: release.index })
    };
    What::Begun { releases: plan().releases.into_iter().map(begin).collect() }
}

pub fn started(step: &str) -> What {
    What::Started { step: step.to_owned() }
}

pub fn succeeded(step: &str, evidence: &[(&str, &str)]) -> What {
    let evidence: BTreeMap<String, String> =
        evidence.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
    What::Succeeded { step: step.to_owned(), evidence }
}
