//! The sample monorepo and its oracle: next versions, followers, and to whom each commit belongs.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::PathBuf;

use serde_json::Value;

use crate::world::{Answer, World, shared};

#[test]
fn init_sees_the_packages_and_how_they_are_tagged() {
    let Some((world, oracle)) = sample() else { return };
    let written = fs::read_to_string(config(&world)).unwrap();
    assert!(written.contains("\npackages = [\"src/packages/*/*\"]"), "{written}");
    assert!(written.contains("\nstrip = \"acme-\""), "{written}");
    let status = with_config(&world, &["status", "--output", "json"]).well().json();
    let found: BTreeMap<String, String> =
        rows(&status["packages"]).map(|row| (text(&row["package"]), text(&row["released"]))).collect();
    let expected =
        members(&oracle["packages"]).map(|(name, package)| (name.clone(), text(&package["version"])));
    assert_eq!(found, expected.collect());
}

#[test]
fn the_next_versions_are_those_of_the_oracle() {
    let Some((world, oracle)) = sample() else { return };
    let plan = plan(&world);
    let mut expected: BTreeMap<String, String> = BTreeMap::new();
    for (name, package) in members(&oracle["packages"]) {
        if package["bump"] != "none" {
            expected.insert(name.clone(), text(&package["next"]));
        }
    }
    for (name, follower) in members(&oracle["with_dependents"]) {
        expected.insert(name.clone(), text(&follower["next"]));
    }
    let found: BTreeMap<String, String> =
        rows(&plan["releases"]).map(|release| (text(&release["package"]), text(&release["to"]))).collect();
    assert_eq!(found, expected);
}

#[test]
fn the_unreleased_commits_are_those_of_the_oracle() {
    let Some((world, oracle)) = sample() else { return };
    let found = attribution(&plan(&world));
    for (name, package) in members(&oracle["packages"]) {
        for commit in rows(&package["unreleased"]).map(text) {
            let packages = found.get(&commit).cloned().unwrap_or_default();
            assert!(packages.contains(name), "{commit} belongs to {name}, not only to {packages:?}");
        }
    }
}

/// Two kinds of commits speak of no package: merges, whose sides are counted, and those of branches that main never
/// sees. `legacy-etl` was removed, so what belonged to it is outside of all packages now.
#[test]
fn every_commit_belongs_to_whom_the_oracle_says() {
    let Some((world, oracle)) = sample() else { return };
    for tag in world.git(["tag"]).lines() {
        world.git(["tag", "--delete", tag]);
    }
    let found = attribution(&plan(&world));
    let known: BTreeSet<&String> = members(&oracle["packages"]).map(|(name, _)| name).collect();
    let reachable = world.git(["rev-list", "HEAD"]);
    let reachable: BTreeSet<&str> = reachable.lines().collect();
    let mut wrong = Vec::new();
    for commit in rows(&oracle["commits"]) {
        let id = text(&commit["sha"]);
        if !reachable.contains(id.as_str()) || commit["merge"] == true {
            continue;
        }
        let expected: BTreeSet<String> =
            rows(&commit["packages"]).map(text).filter(|name| known.contains(name)).collect();
        let packages = found.get(&id).cloned().unwrap_or_default();
        if packages != expected {
            wrong.push(format!("{id} {}: {packages:?}, not {expected:?}", commit["subject"]));
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

/// The packages of each commit that a plan speaks of.
fn attribution(plan: &Value) -> BTreeMap<String, BTreeSet<String>> {
    let mut found: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for release in rows(&plan["releases"]) {
        for because in rows(&release["because"]).filter(|because| because["kind"] == "commit") {
            found.entry(text(&because["commit"])).or_default().insert(text(&release["package"]));
        }
    }
    for row in rows(&plan["left_out"]).filter(|row| row["commit"].is_string()) {
        found.entry(text(&row["commit"])).or_default().extend(rows(&row["packages"]).map(text));
    }
    found
}

/// The sample repository and its oracle, with what `release init` wrote beside it as its configuration; `None` where
/// the generator is not at hand.
pub fn sample() -> Option<(World, Value)> {
    let script = shared("sample-monorepo/make-sample-monorepo.sh")?;
    let world = World::without_repository();
    let made = world.command(script).arg(world.repository()).output().unwrap();
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    with_config(&world, &["init"]).well();
    let oracle = fs::read_to_string(world.repository().join(".git/expected.json")).unwrap();
    Some((world, serde_json::from_str(&oracle).unwrap()))
}

/// Runs the binary on the sample.
pub fn with_config(world: &World, words: &[&str]) -> Answer {
    let config = config(world);
    world.release(["--config", config.to_str().unwrap()].iter().chain(words))
}

fn config(world: &World) -> PathBuf {
    world.folder().join("release.toml")
}

fn plan(world: &World) -> Value {
    with_config(world, &["plan", "--output", "json"]).well().json()
}

pub fn members(value: &Value) -> impl Iterator<Item = (&String, &Value)> {
    value.as_object().unwrap().iter()
}

pub fn rows(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

pub fn text(value: &Value) -> String {
    value.as_str().unwrap_or_else(|| panic!("{value} is no text")).to_owned()
}
