//! How much of a ship's time overlaps, and what does not: the answer's timing, the order, the number of requests.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::matrix::field::Field;
use crate::matrix::ground::Ground;
use crate::shared_sample::{rows, text};

/// How long the index takes for each request, in milliseconds.
const DELAY: f64 = 50.0;

/// `cargo test --test it overlap -- --ignored --nocapture`
#[test]
#[ignore = "a measurement: prints how much of a publish phase overlaps"]
fn requests_of_independent_packages_overlap() {
    let Some(ground) = Ground::sample().map(Ground::without_trials) else { return };
    let claimed = ground.claimed();
    let field = ground.field(&claimed);
    let quick = phase(&requests(&field));
    drop(field);
    let field = ground.field(&claimed);
    ground.double.fault(&json!({ "kind": "delay", "seconds": DELAY / 1000.0, "times": 1_000_000 }));
    let begins = requests(&field);
    let slow = phase(&begins) + DELAY;
    let at_once =
        |begin: &f64| begins.iter().filter(|other| (*begin..begin + DELAY).contains(*other)).count();
    let most = begins.iter().map(at_once).max().unwrap();
    let (chain, packages) = slowest_chain(&plan(&field), &ground.double.log());
    let sum = begins.len() as f64 * DELAY;
    eprintln!("overlap: {} requests of {DELAY} ms each: {sum:.0} ms one after another", begins.len());
    eprintln!("overlap: the slowest chain of dependencies: {chain:.0} ms: {}", packages.join(", "));
    eprintln!("overlap: the publish phase: {slow:.0} ms, and {quick:.0} ms on an index without delay");
    eprintln!(
        "overlap: so the delays cost {:.0} ms of {sum:.0}; {most} requests at once at most",
        slow - quick
    );
    assert!(most > 1, "requests overlap");
}

#[test]
fn the_answer_says_where_the_time_went() {
    let Some(ground) = Ground::light() else { return };
    let field = ground.field(&ground.untouched());
    let words = ["ship", "--yes", "--output", "json"];
    let answer = field.run(&field.fresh(), &words, &[]).well().json();
    let timing = &answer["timing"];
    let seconds = |value: &Value| value.as_f64().unwrap_or_else(|| panic!("no seconds: {timing}"));
    let steps = &timing["steps"];
    for step in ["commit", "build:left", "seal", "claim", "publish:left", "smoke:left"] {
        assert!(steps[step].is_object(), "{step}: {timing}");
    }
    let begins = |step: &str| seconds(&steps[step]["began"]);
    let ends = |step: &str| begins(step) + seconds(&steps[step]["seconds"]);
    // Rounded to the millisecond, each.
    let behind = |later: &str, earlier: &str| assert!(begins(later) + 0.002 > ends(earlier), "{timing}");
    behind("publish:left", "publish:base");
    behind("smoke:left", "publish:left");
    behind("claim", "seal");

    let chain: Vec<&str> =
        timing["chain"]["steps"].as_array().unwrap().iter().map(|step| step.as_str().unwrap()).collect();
    assert_eq!(chain[0], "commit");
    let at = |step: &str| chain.iter().position(|each| *each == step).unwrap();
    assert!(at("seal") < at("claim") && at("claim") < chain.len() - 2, "{timing}");
    let sum: f64 = chain.iter().map(|step| seconds(&steps[*step]["seconds"])).sum();
    let length = seconds(&timing["chain"]["seconds"]);
    assert!((sum - length).abs() < 0.001 * (chain.len() as f64 + 1.0), "{timing}");
    let least = seconds(&timing["before"]) + length + seconds(&timing["after"]);
    assert!(least <= seconds(&timing["seconds"]) + 0.005, "{timing}");
}

#[test]
fn a_package_takes_one_look_before_its_files_and_one_behind() {
    let Some(ground) = Ground::light().map(Ground::without_trials) else { return };
    let field = ground.field(&ground.claimed());
    field.ship(&field.fresh(), &[]).well();
    let log = ground.double.log();
    for package in ["light-base", "light-left", "light-right", "light-solo"] {
        let asked = log.iter().filter(|request| is_about(request, package));
        let kinds: Vec<String> = asked
            .map(|request| text(&request["path"]).split('/').nth(1).unwrap_or_default().to_owned())
            .collect();
        let between: Vec<usize> = (0..kinds.len()).filter(|at| kinds[*at] == "legacy").collect();
        assert_eq!((kinds.len(), between), (6, vec![2, 3]), "{package}: {kinds:?}");
    }
}

/// Ships what is claimed; when each request began, in milliseconds.
fn requests(field: &Field<'_>) -> Vec<f64> {
    field.ship(&field.fresh(), &[]).well();
    let mut begins: Vec<f64> =
        field.ground.double.log().iter().map(|request| request["time"].as_f64().unwrap() * 1000.0).collect();
    begins.sort_by(f64::total_cmp);
    begins
}

/// From the first request to the last.
fn phase(begins: &[f64]) -> f64 {
    begins[begins.len() - 1] - begins[0]
}

/// The plan that the ledger keeps while its ship is under way.
fn plan(field: &Field<'_>) -> Value {
    let files = field.git(&["ls-tree", "--name-only", "refs/release/ledger"]);
    let name = files.lines().find(|name| name.starts_with("plan-")).unwrap();
    serde_json::from_str(&field.git(&["show", &format!("refs/release/ledger:{name}")])).unwrap()
}

/// The chain of packages, each needing the one before, whose requests take longest one after another, and how long.
fn slowest_chain(plan: &Value, log: &[Value]) -> (f64, Vec<String>) {
    let mut chains: BTreeMap<String, (f64, Vec<String>)> = BTreeMap::new();
    // The plan's steps stand behind what they need.
    for step in rows(&plan["steps"]).filter(|step| text(&step["id"]).starts_with("publish:")) {
        let before = rows(&step["needs"]).filter_map(|need| chains.get(need.as_str()?)).cloned();
        let longest = before.max_by(|one, other| one.0.total_cmp(&other.0));
        let (took, mut packages) = longest.unwrap_or_default();
        let distribution = text(&step["action"]["distribution"]);
        let requests = log.iter().filter(|request| is_about(request, &distribution)).count();
        packages.push(format!("{} ({requests} requests)", text(&step["package"])));
        chains.insert(text(&step["id"]), (took + requests as f64 * DELAY, packages));
    }
    chains.into_values().max_by(|one, other| one.0.total_cmp(&other.0)).unwrap()
}

fn is_about(request: &Value, distribution: &str) -> bool {
    let file = request["file"]["filename"].as_str().unwrap_or_default();
    let path = request["path"].as_str().unwrap_or_default();
    let is_its_file = file.starts_with(&format!("{}-", distribution.replace('-', "_")));
    is_its_file || path.split('/').any(|part| part == distribution)
}
