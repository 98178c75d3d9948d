//! Files are written as a whole, told when they are stale, and never taken from somebody else.

use std::fs;
use std::path::PathBuf;

use crate::matrix::light::light;
use crate::world::World;

const CONFIG: &str = "[workspace]\npackages = [\"packages/*\"]\nstrip = \"light-\"\n\n[workflows]\ninstall = \"wheel\"\n\
     from = \"release==1.2.3\"\n\n[environment.staging]\n\n[environment.production]\nafter = \"staging\"\n";

fn configured(config: &str) -> World {
    let world = light();
    fs::write(world.repository().join("release.toml"), config).unwrap();
    world
}

fn folder(world: &World) -> PathBuf {
    world.repository().join(".github/workflows")
}

fn names(world: &World) -> Vec<String> {
    let entries = fs::read_dir(folder(world)).unwrap();
    let mut names: Vec<String> =
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

const ALL: [&str; 5] =
    ["release-plan.yml", "release-promote.yml", "release-rollback.yml", "release-tick.yml", "release.yml"];

#[test]
fn workflows_are_written_once_and_then_fresh() {
    let world = configured(CONFIG);
    let stale = world.release(["generate", "--check"]);
    assert_eq!(stale.code, Some(4), "{}", stale.err);
    assert!(stale.out.contains("--- /dev/null\n+++ b/.github/workflows/release.yml\n"), "{}", stale.out);
    assert!(!folder(&world).exists(), "a look changes nothing");
    let written = world.release(["generate"]).well();
    assert_eq!(written.out.lines().count(), 5, "{}", written.out);
    assert_eq!(names(&world), ALL);
    assert_eq!(world.release(["generate", "--check"]).well().out, "");
    assert_eq!(world.release(["generate"]).well().out, "5 workflows are up to date\n");
}

#[test]
fn what_is_changed_missing_or_left_over_is_told_and_mended() {
    let world = configured(CONFIG);
    world.release(["generate"]).well();
    let release = folder(&world).join("release.yml");
    let text = fs::read_to_string(&release).unwrap();
    fs::write(&release, text.replace("timeout-minutes: 120", "timeout-minutes: 9")).unwrap();
    fs::remove_file(folder(&world).join("release-tick.yml")).unwrap();
    fs::write(world.repository().join("release.toml"), CONFIG.replace("after = \"staging\"\n", "")).unwrap();
    let stale = world.release(["generate", "--check"]);
    assert_eq!(stale.code, Some(4));
    for line in ["\n-    timeout-minutes: 9\n", "+name: release tick\n", "-name: release promote\n"] {
        assert!(stale.out.contains(line), "{line}\n{}", stale.out);
    }
    for words in ["release-promote.yml is left over", "release-tick.yml is missing", "release.yml is stale"] {
        assert!(stale.err.contains(words), "{words}\n{}", stale.err);
    }
    world.release(["generate"]).well();
    assert!(!names(&world).contains(&"release-promote.yml".to_owned()));
    world.release(["generate", "--check"]).well();
}

#[test]
fn a_workflow_of_somebodys_own_stays_theirs() {
    let world = configured(CONFIG);
    fs::create_dir_all(folder(&world)).unwrap();
    for name in ["release-tick.yml", "release-notes.yml"] {
        fs::write(folder(&world).join(name), "name: mine\n").unwrap();
    }
    for words in [&["generate"][..], &["generate", "--check"]] {
        let refused = world.release(words);
        assert_eq!(refused.code, Some(2), "{}", refused.err);
        assert!(refused.err.contains(".github/workflows/release-tick.yml") && refused.err.contains("rename"));
        assert!(!refused.err.contains("release-notes.yml"), "no name of ours: {}", refused.err);
    }
    assert_eq!(names(&world), ["release-notes.yml", "release-tick.yml"], "nothing is written beside it");
    fs::write(
        world.repository().join("release.toml"),
        CONFIG.replace("[workflows]\n", "[workflows]\nwrite = [\"release\"]\n"),
    )
    .unwrap();
    world.release(["generate"]).well();
    assert_eq!(fs::read_to_string(folder(&world).join("release-tick.yml")).unwrap(), "name: mine\n");
}

#[test]
fn killed_between_two_files_it_finishes_later() {
    let world = configured(CONFIG);
    let killed = world.release_with(["generate"], &[("RELEASE_CRASH_AT", "4")]);
    assert_eq!(killed.code, None);
    assert_eq!(names(&world), ["release-plan.yml", "release-promote.yml"]);
    world.release(["generate"]).well();
    assert_eq!(names(&world), ALL);
    world.release(["generate", "--check"]).well();
}

#[test]
fn without_a_word_on_how_it_is_installed_nothing_is_written() {
    let world = configured("[workspace]\npackages = [\"packages/*\"]\n");
    let refused = world.release(["generate"]);
    assert_eq!(refused.code, Some(2));
    assert!(refused.err.contains("[workflows] install = \"wheel\""), "{}", refused.err);
    assert!(!folder(&world).exists());
}

#[test]
fn a_link_in_the_folders_place_is_not_followed() {
    let world = configured(CONFIG);
    let outside = world.folder().join("outside");
    fs::create_dir(&outside).unwrap();
    fs::create_dir(world.repository().join(".github")).unwrap();
    std::os::unix::fs::symlink(&outside, folder(&world)).unwrap();
    assert_eq!(world.release(["generate"]).code, Some(2));
    assert_eq!(fs::read_dir(outside).unwrap().count(), 0);
}

#[test]
fn the_doctor_knows_the_form_of_each_trusted_publisher() {
    let index = "\n[index.main]\nupload = \"http://127.0.0.1:1/legacy/\"\n\n[package.base]\nindex = \"main\"\n\n[github]\n\
                 repository = \"acme/light\"\n";
    let told = |config: &str| {
        let world = configured(config);
        world.release_with(["doctor"], &[("RELEASE_PACE", "quick"), ("COLUMNS", "200")]).out
    };
    let form = "trusted publisher of `light-base` at `main`: owner `acme`, repository `light`, workflow `release.yml`, environment `main`";
    let said = told(&format!("{CONFIG}{index}"));
    assert!(said.contains(form), "{said}");
    assert!(!said.contains("publisher of `light-left`"), "its index is a folder: {said}");
    let without = CONFIG.replace("install = \"wheel\"\nfrom = \"release==1.2.3\"\n", "");
    assert!(!told(&format!("{without}{index}")).contains("trusted publisher of"));
}
