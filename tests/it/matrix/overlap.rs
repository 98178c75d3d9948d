//! How much of a ship's time on a slow index overlaps: run by hand, prints its figures.

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
