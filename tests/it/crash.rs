//! Killed anywhere, finished by running it again: the end is that of a ship nobody disturbed.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::cases;
use crate::world::World;

const SHIP: [&str; 2] = ["ship", "--yes"];
const KILLED: i32 = 9;

#[test]
fn a_ship_killed_at_any_event_ends_as_if_undisturbed() {
    let prepared = cases::world_of("overrides-and-fragments");
    let undisturbed = prepared.twin();
    undisturbed.release(SHIP).well();
    let expected = words(&undisturbed);

    // Each thread takes the next place to be killed at, until a run passes all of them.
    let next = AtomicU64::new(1);
    let last = AtomicU64::new(u64::MAX);
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                loop {
                    let place = next.fetch_add(1, Ordering::SeqCst);
                    if place > last.load(Ordering::SeqCst) {
                        return;
                    }
                    if !kill_and_finish(&prepared, place, &expected) {
                        last.fetch_min(place, Ordering::SeqCst);
                    }
                }
            });
        }
    });
    assert!(last.load(Ordering::SeqCst) > 60, "a ship has many places to be killed at: {last:?}");
}

/// Whether the run was killed at this place at all; then it was finished and ended as it should.
fn kill_and_finish(prepared: &World, place: u64, expected: &BTreeMap<String, String>) -> bool {
    let world = prepared.twin();
    let mut command = world.command(env!("CARGO_BIN_EXE_release"));
    command.current_dir(world.repository()).args(SHIP).env("RELEASE_CRASH_AT", place.to_string());
    let run = command.output().unwrap();
    let said = String::from_utf8_lossy(&run.stderr).into_owned();
    let killed = run.status.signal() == Some(KILLED);
    assert!(killed || run.status.success(), "place {place}: {}\n{said}", run.status);
    if killed {
        let finished = world.release(SHIP);
        assert_eq!(finished.code, Some(0), "after place {place}:\n{}{}", finished.out, finished.err);
    }
    let found = words(&world);
    for word in expected.keys().chain(found.keys()) {
        assert_eq!(found.get(word), expected.get(word), "{word}, killed at place {place}\n{said}");
    }
    killed
}

/// The end of a ship in words: refs, index, status; nothing left over.
fn words(world: &World) -> BTreeMap<String, String> {
    let mut words = BTreeMap::new();
    for name in world.git(["for-each-ref", "--format=%(refname)"]).lines() {
        // The ledger's commits tell of times and of tries; what they add up to is in the status.
        if name != "refs/release/ledger" {
            words.insert(
                name.to_owned(),
                world.git(["show", "-s", "--format=%s %T", &format!("{name}^{{commit}}")]),
            );
        }
    }
    let index = world.repository().join("dist/index");
    for path in files(&index) {
        let bytes = fs::read(index.join(&path)).unwrap();
        words.insert(format!("index {path}"), digest(&bytes));
    }
    let tags = "--format=%(refname) %(objecttype) %(contents:subject)";
    words.insert("tags".to_owned(), world.git(["for-each-ref", tags, "refs/tags"]));
    words.insert("fsck".to_owned(), world.git(["fsck", "--strict", "--no-dangling"]));
    // Reading the log plays all events again: an illegal order would fail.
    world.release(["log"]).well();
    words.insert("status".to_owned(), world.release(["status", "--output", "json"]).well().out);
    words.insert("left to do".to_owned(), world.release(["plan"]).well().out);
    words.insert("work tree".to_owned(), world.git(["status", "--porcelain"]));
    let locks = files(&world.repository().join(".git")).into_iter().filter(|path| path.ends_with(".lock"));
    words.insert("locks".to_owned(), locks.collect::<Vec<_>>().join(" "));
    words.insert("stash".to_owned(), files(&world.repository().join(".git/release/stash")).join(" "));
    words
}

/// The paths of all files below a folder, in order.
fn files(folder: &Path) -> Vec<String> {
    let mut found = Vec::new();
    let Ok(entries) = fs::read_dir(folder) else { return found };
    for entry in entries {
        let entry = entry.unwrap();
        let name = entry.file_name().into_string().unwrap();
        if entry.file_type().unwrap().is_dir() {
            found.extend(files(&entry.path()).into_iter().map(|below| format!("{name}/{below}")));
        } else {
            found.push(name);
        }
    }
    found.sort();
    found
}

fn digest(bytes: &[u8]) -> String {
    release::plan::digest::Digest::of(bytes).to_string()
}
