//! The demo: its data is what its script writes, and its story runs to the end.

use std::fs;
use std::path::{Path, PathBuf};

use crate::world::{Answer, World, program};

fn examples() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("examples")
}

#[test]
fn the_history_is_what_its_script_writes() {
    let world = World::without_repository();
    let answer =
        world.command("python3").arg(examples().join("demo/make.py")).arg("--check").output().unwrap();
    Answer::of(answer).well();
}

#[test]
fn the_demo_runs_to_the_end() {
    let world = World::without_repository();
    let place = world.folder().join("place");
    fs::create_dir(&place).unwrap();
    let mut command = world.command("bash");
    command
        .arg(examples().join("demo.sh"))
        .env("RELEASE_BIN", env!("CARGO_BIN_EXE_release"))
        .env("TMPDIR", &place);
    let told = Answer::of(command.output().unwrap()).well();
    assert!(told.out.contains("== OSL =="), "an installed program ran:\n{}", told.out);
    assert!(told.out.contains("nothing to release"), "a second run does nothing:\n{}", told.out);

    let left: Vec<PathBuf> = fs::read_dir(&place).unwrap().map(|entry| entry.unwrap().path()).collect();
    assert_eq!(left.len(), 1, "one folder is left behind: {left:?}");
    let repository = left[0].join("fairweather");
    let status =
        world.command("git").arg("-C").arg(&repository).args(["status", "--porcelain"]).output().unwrap();
    assert_eq!(Answer::of(status).well().out, "", "the work tree is clean");

    let uv = program("uv").expect("the release was built with uv");
    let checked =
        world.command(uv).current_dir(&repository).args(["lock", "--check", "--offline"]).output().unwrap();
    Answer::of(checked).well();
}
