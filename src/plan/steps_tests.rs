//! The order of steps, their needs, and when a plan is stale.

use crate::plan::digest::Digest;
use crate::plan::facts::{GitHubReleases, Request, Telling};
use crate::plan::stale::StaleError;
use crate::plan::step::{Action, Reversal, Step};
use crate::plan::testing::Repo;
use crate::plan::{Base, Plan};
use crate::version::number::Version;

fn plan() -> Plan {
    repo().plan()
}

fn repo() -> Repo {
    let cli = "[project]\nname = \"cli\"\nversion = \"1.0.0\"\ndependencies = [\"core==1.0.0\"]\n\
               [build-system]\nrequires = [\"backend\"]\nbuild-backend = \"backend\"\n";
    Repo::default()
        .package("backend", "1.0.0")
        .package("core", "1.0.0")
        .manifest("packages/cli", cli)
        .released()
        .commit("fix: x", &["core", "backend"])
        .commit("fix: y", &["cli"])
}

fn step<'p>(plan: &'p Plan, id: &str) -> &'p Step {
    plan.steps.iter().find(|step| step.id.0 == id).unwrap()
}

fn needs(plan: &Plan, id: &str) -> Vec<String> {
    step(plan, id).needs.iter().map(ToString::to_string).collect()
}

#[test]
fn what_can_be_taken_back_comes_first() {
    let plan = plan();
    let ids: Vec<&str> = plan.steps.iter().map(|step| step.id.0.as_str()).collect();
    assert_eq!(
        ids,
        [
            "commit",
            "tag:backend",
            "tag:core",
            "tag:cli",
            "build:backend",
            "build:core",
            "build:cli",
            "seal",
            "claim",
            "publish:backend",
            "publish:core",
            "publish:cli",
            "smoke:backend",
            "smoke:core",
            "smoke:cli",
        ]
    );
    let last_safe = plan.steps.iter().rposition(|step| matches!(step.action, Action::Claim { .. }));
    let first_final = plan.steps.iter().position(|step| step.reversal == Reversal::Irreversible);
    assert!(last_safe < first_final);
}

#[test]
fn builds_and_uploads_wait_for_what_they_need() {
    let plan = plan();
    assert_eq!(needs(&plan, "build:cli"), ["commit", "build:backend"]);
    assert_eq!(needs(&plan, "build:core"), ["commit"]);
    assert_eq!(needs(&plan, "publish:cli"), ["claim", "publish:backend", "publish:core"]);
    assert_eq!(needs(&plan, "smoke:cli"), ["publish:cli"]);
    assert_eq!(needs(&plan, "claim"), ["seal"]);
}

#[test]
fn releases_at_github_keep_the_files_first_and_are_published_last() {
    let github = Some(GitHubReleases::default());
    let mut repo = repo();
    repo.github = github;
    let plan = repo.plan();
    let ids: Vec<&str> = plan.steps.iter().map(|step| step.id.0.as_str()).skip(8).collect();
    let expected = "claim stash:backend stash:core stash:cli publish:backend publish:core publish:cli \
                    smoke:backend smoke:core smoke:cli announce:backend announce:core announce:cli";
    assert_eq!(ids.join(" "), expected);
    assert_eq!(needs(&plan, "stash:cli"), ["claim"]);
    assert_eq!(needs(&plan, "publish:core"), ["claim", "stash:core"]);
    assert_eq!(needs(&plan, "announce:core"), ["smoke:core"]);
    assert_eq!(step(&plan, "stash:core").reversal, Reversal::DeleteDraft);
    assert_eq!(step(&plan, "announce:core").reversal, Reversal::Irreversible);
}

#[test]
fn githubs_latest_is_the_highest_stable_release_of_its_package() {
    let announced = |highest: Option<&str>, pre: bool| {
        let highest = highest.map(|version| Version::parse(version).unwrap());
        let github = Some(GitHubReleases { latest: Some(1), highest });
        let request = Request { pre: pre.then(|| "rc".parse().unwrap()), ..Request::default() };
        let mut repo = repo();
        repo.github = github;
        let plan = repo.plan_as(&request);
        let of = |id: &str| match &step(&plan, id).action {
            Action::Announce { prerelease, latest, .. } => (*prerelease, *latest),
            _ => panic!("{id} announces nothing"),
        };
        assert!(!of("announce:cli").1, "one package at most is the latest");
        of("announce:core")
    };
    assert_eq!(announced(None, false), (false, true));
    assert_eq!(announced(Some("1.0.0"), false), (false, true));
    assert_eq!(announced(Some("2.0.0"), false), (false, false), "a newer line is out");
    assert_eq!(announced(Some("1.0.0"), true), (true, false));
}

#[test]
fn pull_requests_are_told_once_everything_is_out() {
    let mut repo =
        Repo::default().package("core", "1.0.0").package("web", "1.0.0").commit("feat: begin", &["core"]);
    repo.telling = Some(Telling { comment: true, labels: vec!["released".to_owned()] });
    let plan = repo.released().commit("fix: x", &["core", "web"]).plan();
    let last = plan.steps.last().unwrap();
    assert_eq!(last.id.0, "tell");
    assert_eq!(needs(&plan, "tell"), ["smoke:core", "smoke:web"]);
    assert_eq!(last.action, Action::Tell { comment: true, labels: vec!["released".to_owned()] });
}

#[test]
fn nothing_to_release_takes_no_steps() {
    let plan = Repo::default().package("core", "1.0.0").released().plan();
    assert!(plan.steps.is_empty() && plan.edits.is_empty() && plan.releases.is_empty());
}

#[test]
fn the_release_commit_names_what_it_releases() {
    let Action::Commit { message } = step(&plan(), "commit").action.clone() else { panic!("no commit") };
    assert_eq!(message, "chore(release): backend 1.0.1, core 1.0.1, cli 1.0.1");
}

#[test]
fn a_plan_is_refused_once_anything_it_was_made_from_moved() {
    let plan = plan();
    let moved = |change: fn(&mut Base)| {
        let mut now = plan.base.clone();
        change(&mut now);
        plan.check(&now).unwrap_err().to_string()
    };
    assert_eq!(plan.check(&plan.base), Ok(()));
    assert!(moved(|now| now.commit = "f".repeat(40)).contains("the branch is at ffffffff"));
    assert!(moved(|now| now.branch = None).contains("a detached HEAD"));
    assert!(moved(|now| now.tags = Digest::of(b"x")).contains("version tags"));
    assert!(moved(|now| now.config = Digest::of(b"x")).contains("the configuration"));
    assert!(moved(|now| now.index = Digest::of(b"x")).contains("an index changed"));
}

#[test]
fn a_plan_that_was_changed_by_hand_is_refused() {
    let mut plan = plan();
    plan.releases[0].to = "9.9.9".to_owned();
    assert!(matches!(plan.check(&plan.base), Err(StaleError::Changed { .. })));
    plan.format += 1;
    assert!(matches!(plan.check(&plan.base), Err(StaleError::Format { found: 2 })));
}
