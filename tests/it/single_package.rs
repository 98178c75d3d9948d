//! One package in the root, tags `v1.2.3`, no configuration at all: planned, shipped, interrupted, raced.

use std::fs;
use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};

use crate::cases;
use crate::world::World;

const NEXT: &str = "v1.5.0";

fn kite() -> World {
    cases::world_of("a-single-package")
}

fn head(world: &World) -> String {
    world.git(["rev-parse", "HEAD"])
}

fn published(world: &World) -> Vec<String> {
    let Ok(entries) = fs::read_dir(world.repository().join("dist/index/files/kite")) else {
        return Vec::new();
    };
    let mut names: Vec<String> =
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.retain(|name| !name.ends_with(".metadata"));
    names.sort();
    names
}

#[test]
fn the_same_facts_give_the_same_plan_to_the_byte() {
    let world = kite();
    let saved = |name: &str| {
        let path = world.folder().join(name);
        world.release(["plan", "-o", path.to_str().unwrap()]).well();
        fs::read(path).unwrap()
    };
    let first = saved("first.json");
    assert_eq!(saved("second.json"), first);
    let printed = world.release(["plan", "--output", "json"]).well().out;
    assert_eq!(String::from_utf8(first).unwrap(), printed, "printed and saved are the same");
}

#[test]
fn older_releases_are_told_of_where_they_are_on_this_line() {
    let world = kite();
    for (version, words) in [("1.5.0", "one"), ("1.6.0", "two"), ("1.7.0", "three")] {
        world.commit_all(&format!("feat: {words}"));
        world.tag(&format!("v{version}"), &format!("kite {version}\n\n{words}"));
    }
    world.git(["switch", "--quiet", "--create", "side", "v1.5.0"]);
    world.commit_all("fix: elsewhere");
    world.tag("v1.5.1", "kite 1.5.1\n\nelsewhere");
    world.git(["switch", "--quiet", "main"]);
    world.commit_all("fix: four");
    let notes = |version: &str| world.release(["notes", "kite", "--version", version]);
    assert_eq!(notes("1.5.0").well().out, "one\n");
    assert_eq!(notes("1.7.0").well().out, "three\n");
    let other = notes("1.5.1");
    assert_eq!(other.code, Some(2), "{}", other.err);
    assert!(other.err.contains("kite 1.5.1 was not released on this line"), "{}", other.err);
    assert!(other.err.contains("the last releases are 1.7.0, 1.6.0, 1.5.0"), "{}", other.err);
}

#[test]
fn a_saved_plan_is_shipped_as_it_was_reviewed() {
    let world = kite();
    let base = head(&world);
    let path = world.folder().join("plan.json");
    let path = path.to_str().unwrap();
    let told = world.release(["plan", "-o", path]).well();
    let plan: serde_json::Value = serde_json::from_slice(&fs::read(path).unwrap()).unwrap();
    assert_eq!(head(&world), base, "{}", told.out);

    world.release(["ship", path, "--yes"]).well();
    assert_eq!(world.git(["rev-parse", "HEAD~1"]), base);
    let trailer = world.git(["show", "-s", "--format=%(trailers:key=Release-Plan,valueonly)", "HEAD"]);
    assert_eq!(trailer.trim(), plan["digest"].as_str().unwrap());
    assert_eq!(world.git(["describe", "--exact-match", "HEAD"]), NEXT);
    assert_eq!(published(&world), ["kite-1.5.0-py3-none-any.whl", "kite-1.5.0.tar.gz"]);
    assert_eq!(world.git(["status", "--porcelain"]), "");

    let again = world.release(["ship", path, "--yes"]);
    assert_eq!(again.code, Some(7), "what was shipped is stale: {}{}", again.out, again.err);
}

#[test]
fn a_plan_of_yesterday_is_refused() {
    let world = kite();
    let path = world.folder().join("plan.json");
    let path = path.to_str().unwrap();
    world.release(["plan", "-o", path]).well();
    fs::write(world.repository().join("late.py"), "LATE = True\n").unwrap();
    let base = world.commit_all("feat: come late");

    let refused = world.release(["ship", path, "--yes"]);
    assert_eq!(refused.code, Some(7), "{}{}", refused.out, refused.err);
    assert!(refused.err.contains("release plan -o"), "says what to do: {}", refused.err);
    assert_eq!(head(&world), base);
    assert_eq!(world.git(["tag", "--list", NEXT]), "");
    assert_eq!(world.git(["for-each-ref", "refs/release"]), "", "nothing was begun");
}

#[test]
fn a_ship_that_stopped_at_the_claim_is_finished_by_the_next() {
    let world = kite();
    world.release(["ship", "--yes", "--until", "claim"]).well();
    assert_eq!(world.git(["describe", "--exact-match", "HEAD"]), NEXT);
    assert_eq!(published(&world), [""; 0]);
    let claimed = head(&world);

    world.release(["ship", "--yes"]).well();
    assert_eq!(head(&world), claimed, "no second commit");
    assert_eq!(published(&world), ["kite-1.5.0-py3-none-any.whl", "kite-1.5.0.tar.gz"]);
    let third = world.release(["ship", "--yes", "--detailed-exitcode"]);
    assert_eq!(third.code, Some(3), "{}{}", third.out, third.err);
}

#[test]
fn a_tag_names_the_release_to_finish() {
    let world = kite();
    let early = world.release(["ship", "--yes", "--tag", NEXT]);
    assert_eq!(early.code, Some(2), "no such tag yet: {}{}", early.out, early.err);
    world.release(["ship", "--yes", "--until", "claim"]).well();
    let other = world.release(["ship", "--yes", "--tag", "v1.4.0"]);
    assert_eq!(other.code, Some(2), "another release is under way: {}{}", other.out, other.err);
    assert_eq!(published(&world), [""; 0]);

    world.release(["ship", "--yes", "--tag", NEXT]).well();
    assert_eq!(published(&world).len(), 2);
    let done = world.release(["ship", "--yes", "--tag", NEXT]).well();
    assert!(done.out.contains("nothing to do"), "{}", done.out);
}

#[test]
fn of_two_ships_at_once_one_is_told_to_wait() {
    let world = kite();
    let mut command = world.command(env!("CARGO_BIN_EXE_release"));
    command.current_dir(world.repository()).args(["ship", "--yes"]);
    let mut first = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
    let mut told = BufReader::new(first.stderr.take().unwrap());
    told.read_line(&mut String::new()).unwrap();

    // It stands still in the middle of its work.
    signal(&first, "STOP");
    let second = world.release(["ship", "--yes"]);
    signal(&first, "CONT");
    std::io::copy(&mut told, &mut std::io::sink()).unwrap();
    assert_eq!(second.code, Some(7), "{}{}", second.out, second.err);
    assert!(first.wait().unwrap().success());

    assert_eq!(world.git(["tag", "--points-at", "HEAD"]), NEXT);
    assert_eq!(published(&world).len(), 2);
    assert_eq!(world.git(["status", "--porcelain"]), "");
}

fn signal(child: &Child, name: &str) {
    let sent = Command::new("kill").arg(format!("-{name}")).arg(child.id().to_string()).status().unwrap();
    assert!(sent.success());
}

#[test]
fn a_package_without_a_tag_is_first_released_as_its_manifest_says() {
    let world = kite();
    world.git(["tag", "--delete", "v1.4.0"]);
    let plan = world.release(["plan", "--output", "json"]).well().json();
    let release = &plan["releases"][0];
    assert!(release["from"].is_null(), "{release}");
    assert_eq!(release["to"], "1.4.0");
    assert_eq!(release["tag"], "v1.4.0");
    assert!(!world.repository().join("release.toml").exists());
}
