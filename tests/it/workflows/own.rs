//! Our own repository: its workflows are what we would write, and its configuration plans its next version.

use std::path::Path;
use std::process::Command;

use crate::world::{Answer, World};

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Whether the sources are a git repository with all its history, as opposed to an archive of them.
fn is_repository() -> bool {
    let git =
        Command::new("git").arg("-C").arg(root()).args(["rev-parse", "--is-shallow-repository"]).output();
    git.is_ok_and(|output| output.status.success() && output.stdout.starts_with(b"false"))
}

/// A clone of our own repository, with its files as they are here.
fn own() -> Option<World> {
    if !is_repository() {
        eprintln!("skipped: the sources are no git repository with all its history");
        return None;
    }
    let world = World::without_repository();
    let mut git = world.command("git");
    git.args(["-c", "safe.directory=*", "clone", "--quiet", "--no-local"])
        .arg(root())
        .arg(world.repository());
    Answer::of(git.output().unwrap()).well();
    world.git(["remote", "remove", "origin"]);
    world.git(["checkout", "--quiet", "-B", "main"]);
    for part in ["release.toml", "templates", ".github"] {
        let target = world.repository().join(part);
        let _ = std::fs::remove_dir_all(&target);
        let copied = Command::new("cp").arg("-a").arg(root().join(part)).arg(&target).status().unwrap();
        assert!(copied.success(), "{part} was copied");
    }
    Some(world)
}

#[test]
fn our_own_workflows_are_fresh() {
    let Some(world) = own() else { return };
    let answer = world.release(["generate", "--check"]);
    assert_eq!(answer.code, Some(0), "`release generate` writes them\n{}\n{}", answer.out, answer.err);
}

#[test]
fn our_own_configuration_plans_our_next_version() {
    let Some(world) = own() else { return };
    world.commit_all("chore: as it is here");
    let plan = world.release(["plan", "--output", "json"]).well().json();
    assert_eq!(plan["releases"].as_array().unwrap().len(), 1, "{plan}");
    let release = &plan["releases"][0];
    assert_eq!(release["package"], "release");
    assert_eq!(release["tag"], format!("v{}", release["to"].as_str().unwrap()));
}
