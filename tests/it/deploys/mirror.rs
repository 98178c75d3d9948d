//! Deployments as GitHub shows them: made once, brought up to date, never in the way.

use serde_json::{Value, json};

use crate::deploys::place::{Place, refused, two};
use crate::github::GitHub;
use crate::github::client::get;
use crate::github::environments::Rules;
use crate::github::faults::{Fault, Harm};
use crate::world::Answer;

const DEPLOYMENTS: &str = "/repos/ada/shop/deployments";
const DEPLOY: [&str; 5] = ["deploy", "staging", "core@1.1.0", "app@1.1.0", "--yes"];

struct Shown {
    github: GitHub,
    place: Place,
    job: String,
}

impl Shown {
    /// Three releases that run nowhere, and environments at GitHub; `more` goes into the table of production.
    fn begin(more: &str) -> Option<Shown> {
        let github = GitHub::start()?;
        let at = format!(
            "[github]\nrepository = \"ada/shop\"\napi = \"{}\"\ndeployments = true\n{}",
            github.api(),
            two(more)
        );
        let place = Place::released(&at);
        let job = github.job();
        let shown = Shown { github, place, job };
        let remote = shown.github.remote_of(&shown.job);
        shown
            .place
            .git(&shown.place.fresh(), &["push", "--quiet", &remote, "HEAD:refs/heads/main", "--tags"]);
        shown.github.environment("staging", Rules::default());
        Some(shown)
    }

    fn release(&self, words: &[&str]) -> Answer {
        let variables = [
            ("RELEASE_GITHUB_TOKEN", self.job.as_str()),
            ("RELEASE_PACE", "quick"),
            ("GITHUB_SERVER_URL", "https://ghe.example"),
            ("GITHUB_REPOSITORY", "ada/shop"),
            ("GITHUB_RUN_ID", "71"),
        ];
        self.place.run_with(&self.place.fresh(), words, &variables)
    }

    /// Each deployment, the oldest first: environment, task, its statuses from the first to the last.
    fn at_github(&self) -> Vec<String> {
        let all = get(&self.github, &self.job, "/deployments").is(200);
        let one = |deployment: &Value| {
            let statuses =
                get(&self.github, &self.job, &format!("/deployments/{}/statuses", deployment["id"]));
            let statuses = statuses.is(200);
            let states = statuses.as_array().unwrap().iter().rev().map(|one| one["state"].as_str().unwrap());
            let states = states.collect::<Vec<_>>().join(" ");
            format!(
                "{} {}: {states}",
                deployment["environment"].as_str().unwrap(),
                deployment["task"].as_str().unwrap()
            )
        };
        all.as_array().unwrap().iter().rev().map(one).collect()
    }

    fn owed(&self) -> usize {
        self.place.state()["mirrors"].as_object().map_or(0, serde_json::Map::len)
    }
}

#[test]
fn a_deployment_is_shown_with_what_it_brings_and_how_it_ends() {
    let Some(shown) = Shown::begin("") else { return };
    shown.release(&DEPLOY).well();
    assert_eq!(shown.at_github(), ["staging deploy: in_progress success"]);
    let deployment = get(&shown.github, &shown.job, "/deployments").is(200)[0].clone();
    assert_eq!(deployment["payload"]["packages"], json!({ "core": "1.1.0", "app": "1.1.0" }));
    assert_eq!(deployment["description"], "core 1.1.0, app 1.1.0");
    let last = get(&shown.github, &shown.job, &format!("/deployments/{}/statuses", deployment["id"])).is(200);
    assert_eq!(last[0]["log_url"], "https://ghe.example/ada/shop/actions/runs/71");
    assert_eq!(shown.owed(), 0);
    let log = shown.place.log();
    let told: Vec<&Value> = log.iter().filter(|event| event["what"]["event"] == "mirrored").collect();
    assert_eq!(told.len(), 2, "the ledger knows its number: {told:?}");

    shown.release(&["deploy", "staging", "core@1.2.0", "--yes"]).well();
    shown.release(&["rollback", "staging", "-p", "core", "--yes"]).well();
    assert_eq!(
        shown.at_github(),
        [
            "staging deploy: in_progress success inactive",
            "staging deploy: in_progress success inactive",
            "staging deploy:rollback: in_progress success",
        ]
    );
    let one = get(&shown.github, &shown.job, "/deployments?task=deploy").is(200)[0].clone();
    assert_eq!(one["ref"], "core-v1.2.0", "a single release is shown by its tag");
}

#[test]
fn production_keeps_one_active_deployment() {
    let Some(shown) = Shown::begin("") else { return };
    shown.github.environment("production", Rules::default());
    for version in ["1.1.0", "1.2.0"] {
        let (core, app) = (format!("core@{version}"), format!("app@{version}"));
        shown.release(&["deploy", "staging", &core, &app, "--yes"]).well();
        shown.release(&["promote", "--to", "production", "--yes"]).well();
    }
    let production: Vec<String> =
        shown.at_github().into_iter().filter(|one| one.starts_with("production")).collect();
    assert_eq!(
        production,
        ["production deploy: in_progress success inactive", "production deploy: in_progress success"]
    );
}

#[test]
fn a_failure_is_shown_and_what_worked_before_stays_active() {
    let Some(shown) = Shown::begin("") else { return };
    shown.release(&DEPLOY).well();
    shown.place.order("sick", "staging-core-1.2.0");
    refused(&shown.release(&["deploy", "staging", "core@1.2.0", "--yes"]), 5, &[]);
    assert_eq!(
        shown.at_github(),
        ["staging deploy: in_progress success", "staging deploy: in_progress failure"]
    );
}

#[test]
fn while_github_is_away_the_deployment_goes_on_and_a_tick_brings_the_mirror_up_to_date() {
    let Some(shown) = Shown::begin("") else { return };
    shown.github.environment("production", Rules::default());
    shown.github.order(Fault::at("*", &format!("{DEPLOYMENTS}*"), Harm::Status(503)).times(1000));
    let answer = shown.release(&DEPLOY).well();
    assert!(answer.err.contains("`release tick` brings it up to date"), "{}", answer.err);
    assert_eq!(shown.place.versions("staging"), ["1.1.0", "1.1.0"]);
    assert_eq!(shown.owed(), 1);
    let doctor = shown.release(&["doctor"]);
    assert_eq!(doctor.code, Some(10), "{}", doctor.out);
    let flat = doctor.out.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(flat.contains("GitHub does not show") && flat.contains("release tick"), "{}", doctor.out);
    shown.github.clear_faults();
    let tick = shown.release(&["tick"]).well();
    assert!(tick.err.contains("GitHub shows"), "{}", tick.err);
    assert_eq!(shown.at_github(), ["staging deploy: success"]);
    assert_eq!(shown.owed(), 0);
    assert!(shown.release(&["tick"]).well().out.contains("nothing waits"));
    assert_eq!(shown.at_github().len(), 1);
}

#[test]
fn a_lost_answer_makes_no_second_deployment() {
    for harm in [Harm::Lose, Harm::Late(502)] {
        let Some(shown) = Shown::begin("") else { return };
        shown.github.order(Fault::at("POST", DEPLOYMENTS, harm.clone()));
        shown.github.order(Fault::at("POST", &format!("{DEPLOYMENTS}/*/statuses"), harm));
        shown.release(&DEPLOY).well();
        assert_eq!(shown.at_github(), ["staging deploy: in_progress success"]);
        assert_eq!(shown.owed(), 0);
    }
}

#[test]
fn an_environment_that_github_lacks_or_does_not_guard_stops_before_anything_is_begun() {
    let Some(shown) = Shown::begin("approvals = 1\n") else { return };
    shown.release(&DEPLOY).well();
    let promote = ["promote", "--to", "production", "--yes"];
    let said =
        ["environment `production` does not exist at GitHub", "gh api --method PUT", "settings/environments"];
    refused(&shown.release(&promote), 2, &said);
    assert_eq!(get(&shown.github, &shown.job, "/environments").is(200)["total_count"], 1, "none was made");
    let doctor = shown.release(&["doctor"]);
    assert_eq!(doctor.code, Some(11), "{}", doctor.out);
    assert!(doctor.out.contains("does not exist at GitHub"), "{}", doctor.out);

    shown.github.environment("production", Rules::default());
    refused(
        &shown.release(&promote),
        9,
        &["has no rule, though `production` asks for approvals", "required reviewers"],
    );
    assert_eq!(shown.place.versions("production"), ["-", "-"]);

    shown.github.environment("production", Rules { reviewers: &["ada"], ..Rules::default() });
    refused(&shown.release(&promote), 9, &["approv"]);
    let last = shown.release(&["doctor"]);
    assert!(last.out.contains("GitHub has what `production` needs"), "{}", last.out);
}

#[test]
fn an_environment_may_have_another_name_at_github_and_an_address() {
    let Some(shown) = Shown::begin("") else { return };
    let config = format!(
        "[github]\nrepository = \"ada/shop\"\napi = \"{}\"\n{}",
        shown.github.api(),
        crate::deploys::place::environment(
            "staging",
            "github = \"stage\"\nurl = \"https://stage.example/\"\n"
        )
    );
    shown.place.configure(&config);
    shown.github.environment("stage", Rules::default());
    shown.release(&DEPLOY).well();
    assert_eq!(shown.at_github(), ["stage deploy: in_progress success"]);
    let id = get(&shown.github, &shown.job, "/deployments").is(200)[0]["id"].clone();
    let statuses = get(&shown.github, &shown.job, &format!("/deployments/{id}/statuses")).is(200);
    assert_eq!(statuses[0]["environment_url"], "https://stage.example/");
}
