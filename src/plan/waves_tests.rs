//! Which packages may be published side by side.

use std::collections::BTreeSet;

use crate::plan::Plan;
use crate::plan::testing::Repo;
use crate::plan::waves::{MOST, Matrix, chunks, waves};

/// `base`, two packages on top of it, one on top of both, and one of its own.
fn plan() -> Plan {
    Repo::default()
        .package("base", "1.0.0")
        .depending("left", "1.0.0", &["base>=1"])
        .depending("right", "1.0.0", &["base>=1"])
        .depending("top", "1.0.0", &["left>=1", "right>=1"])
        .package("solo", "1.0.0")
        .released()
        .commit("feat: x", &["base", "left", "right", "top", "solo"])
        .plan()
}

/// The packages of each wave; the steps that are done by name.
fn told(plan: &Plan, done: &[&str]) -> Vec<String> {
    let waves = waves(plan, &|id| done.contains(&id));
    let names = |matrix: &Matrix| {
        matrix.include.iter().map(|row| row.package.as_str()).collect::<Vec<&str>>().join(" ")
    };
    waves.iter().map(names).collect()
}

#[test]
fn packages_of_a_wave_need_only_packages_of_earlier_waves() {
    assert_eq!(told(&plan(), &[]), ["base solo", "left right", "top"]);
}

#[test]
fn what_is_done_is_left_out_and_nobody_waits_for_it() {
    let done = ["publish:base", "smoke:base", "publish:left", "publish:solo"];
    assert_eq!(told(&plan(), &done), ["solo left right", "top"], "what is left of left and solo is a trial");
    let all: Vec<String> = plan().steps.iter().map(|step| step.id.0.clone()).collect();
    let all: Vec<&str> = all.iter().map(String::as_str).collect();
    assert_eq!(told(&plan(), &all), [""; 0]);
}

#[test]
fn a_row_says_what_a_job_is_about() {
    let waves = waves(&plan(), &|_| false);
    let row = serde_json::to_value(&waves[1].include[0]).unwrap();
    let expected = serde_json::json!({
        "package": "left", "path": "packages/left", "distribution": "left", "from": "1.0.0", "to": "1.1.0",
        "tag": "left-v1.1.0", "index": "local", "image": null, "wave": 1,
    });
    assert_eq!(row, expected);
}

#[test]
fn a_package_whose_sources_are_built_with_a_sibling_follows_it() {
    let builder = "[project]\nname = \"cli\"\nversion = \"1.0.0\"\n[build-system]\nrequires = [\"tool\"]\n\
                   build-backend = \"tool\"\n";
    let plan = Repo::default()
        .package("tool", "1.0.0")
        .manifest("packages/cli", builder)
        .released()
        .commit("fix: x", &["tool", "cli"])
        .plan();
    assert_eq!(told(&plan, &[]), ["tool", "cli"]);
}

#[test]
fn more_rows_than_a_matrix_takes_are_cut() {
    let mut repo = Repo::default().package("p000", "1.0.0");
    let mut names = vec!["p000".to_owned()];
    for number in 1..300 {
        let name = format!("p{number:03}");
        repo = repo.package(&name, "1.0.0");
        names.push(name);
    }
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let plan = repo.released().commit("fix: x", &names).plan();
    let waves = waves(&plan, &|_| false);
    let sizes: Vec<usize> = waves.iter().map(|wave| wave.include.len()).collect();
    assert_eq!(sizes, [MOST, 44]);
    assert!(waves[1].include.iter().all(|row| row.wave == 1));
    let chunks = chunks(&waves);
    let all: BTreeSet<&str> =
        chunks.iter().flat_map(|chunk| &chunk.include).map(|row| row.package.as_str()).collect();
    assert_eq!((chunks.len(), all.len()), (2, 300));
}
