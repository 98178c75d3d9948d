//! Whole stories: a history, a configuration, the plan it gives and the files that the release commit changes.
//!
//! `tests/cases/NAME/` holds `history.txt` (see `script`), `before/` (the files of the first commit), `release.toml`
//! where there is one, `plan.txt` (what `release plan` prints) and `after/` (every file that the release commit changes,
//! as it is then). With `UPDATE_CASES=1` in the environment a run writes `plan.txt` and `after/` anew.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use crate::script::{copy, play};
use crate::world::World;

/// One test for each folder of `tests/cases`.
macro_rules! cases {
    ($($name:ident),* $(,)?) => {
        $(#[test]
        fn $name() {
            check(&stringify!($name).replace('_', "-"));
        })*

        #[test]
        fn every_case_is_run() {
            let run = [$(stringify!($name).replace('_', "-")),*];
            let mut there: Vec<String> = fs::read_dir(folder())
                .unwrap()
                .map(|entry| entry.unwrap().file_name().into_string().unwrap())
                .collect();
            there.sort();
            assert_eq!(there, run);
        }
    };
}

cases! {
    a_cascade_out_of_range,
    a_first_release,
    a_fixed_group,
    a_linked_group,
    a_merged_pull_request,
    a_moved_package,
    a_pre_release,
    a_release_taken_back,
    a_revert_pair,
    a_root_with_nested_packages,
    a_single_package,
    a_split_squash,
    overrides_and_fragments,
    zero_versions,
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases")
}

/// Plans, compares, ships as far as the claim, compares; then nothing is left to do.
fn check(name: &str) {
    let case = folder().join(name);
    let (world, arguments) = stage(&case);
    let with = |words: &[&str]| -> Vec<String> {
        words.iter().map(|word| (*word).to_owned()).chain(arguments.iter().cloned()).collect()
    };

    let plan = world.release(with(&["plan"]));
    let shown = match plan.code {
        Some(0) => plan.out.clone(),
        code => format!("{}exit code {code:?}\n{}", plan.out, plan.err),
    };
    expect_text(&case.join("plan.txt"), &shown);
    assert_eq!(world.git(["status", "--porcelain"]), "", "a plan changes nothing");
    if plan.code != Some(0) {
        return;
    }

    let base = world.git(["rev-parse", "HEAD"]);
    world.release(with(&["ship", "--yes", "--until", "claim"])).well();
    assert_eq!(world.git(["status", "--porcelain"]), "", "the work tree follows the release commit");
    expect_tree(&case.join("after"), &changed_files(&world, &base));

    let again = world.release(with(&["plan", "--detailed-exitcode"]));
    assert_eq!(again.code, Some(3), "nothing is left to release:\n{}{}", again.out, again.err);
}

/// The repository of a case, before anything is planned.
pub fn world_of(name: &str) -> World {
    stage(&folder().join(name)).0
}

/// The case's repository, and its words for `plan` and `ship`.
fn stage(case: &Path) -> (World, Vec<String>) {
    let world = World::new();
    copy(&case.join("before"), &world.repository());
    if case.join("release.toml").exists() {
        fs::copy(case.join("release.toml"), world.repository().join("release.toml")).unwrap();
    }
    lend_the_backend(&world.repository());
    let script = fs::read_to_string(case.join("history.txt")).unwrap();
    let played = play(&script, &world);
    (world, played.arguments)
}

/// Puts the build back end that cases name beside each manifest that names it.
fn lend_the_backend(folder: &Path) {
    let backend = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/small_backend.py");
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() && !path.ends_with(".git") {
            lend_the_backend(&path);
        }
    }
    let manifest = fs::read_to_string(folder.join("pyproject.toml")).unwrap_or_default();
    if manifest.contains("small_backend") {
        fs::copy(backend, folder.join("small_backend.py")).unwrap();
    }
}

/// What stands in `after/` for a file that the release commit deletes.
const DELETED: &str = "(deleted)\n";

/// The files that differ between a commit and HEAD, with their text at HEAD.
fn changed_files(world: &World, base: &str) -> BTreeMap<String, String> {
    let names = world.git(["diff", "--name-only", "--no-renames", base, "HEAD"]);
    names
        .lines()
        .map(|path| {
            let text = fs::read_to_string(world.repository().join(path));
            (path.to_owned(), text.unwrap_or_else(|_| DELETED.to_owned()))
        })
        .collect()
}

fn is_updating() -> bool {
    std::env::var_os("UPDATE_CASES").is_some_and(|value| value == "1")
}

fn expect_text(file: &Path, found: &str) {
    if is_updating() {
        fs::write(file, found).unwrap();
    }
    let expected =
        fs::read_to_string(file).unwrap_or_else(|_| panic!("no {}: UPDATE_CASES=1", file.display()));
    assert!(expected == found, "{}\n--- expected\n{expected}\n--- found\n{found}", file.display());
}

fn expect_tree(folder: &Path, found: &BTreeMap<String, String>) {
    if is_updating() {
        let _ = fs::remove_dir_all(folder);
        for (path, text) in found {
            let target = folder.join(path);
            fs::create_dir_all(target.parent().unwrap()).unwrap();
            fs::write(target, text).unwrap();
        }
    }
    let mut expected = BTreeMap::new();
    collect(folder, "", &mut expected);
    let names = |tree: &BTreeMap<String, String>| tree.keys().cloned().collect::<Vec<_>>();
    assert_eq!(names(&expected), names(found), "the release commit changes these files");
    for (path, text) in found {
        assert!(expected[path] == *text, "{path}\n--- expected\n{}\n--- found\n{text}", expected[path]);
    }
}

/// All files below a folder, by their paths; none where it is not there.
fn collect(folder: &Path, below: &str, into: &mut BTreeMap<String, String>) {
    let Ok(entries) = fs::read_dir(folder) else { return };
    for entry in entries {
        let entry = entry.unwrap();
        let name = entry.file_name().into_string().unwrap();
        let path = if below.is_empty() { name } else { format!("{below}/{name}") };
        if entry.file_type().unwrap().is_dir() {
            collect(&entry.path(), &path, into);
        } else {
            into.insert(path, fs::read_to_string(entry.path()).unwrap());
        }
    }
}
