//! What is wrong with the repository, the words or the world: one clear error, a way out, nothing lost.

use std::fs;
use std::path::Path;

use crate::world::{Answer, World};

const MANIFEST: &str = "[build-system]\nrequires = []\nbuild-backend = \"small_backend\"\nbackend-path = [\".\"]\n\n\
    [project]\nname = \"kite\"\nversion = \"1.0.0\"\nrequires-python = \">=3.11\"\n";

/// One package at the root, released as 1.0.0, with a fix since.
fn kite() -> World {
    let world = World::new();
    write(&world, "pyproject.toml", MANIFEST);
    write(&world, "src/kite/__init__.py", "A = 1\n");
    let backend = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/small_backend.py");
    fs::copy(backend, world.repository().join("small_backend.py")).unwrap();
    world.commit_all("feat: begin");
    world.tag("v1.0.0", "kite 1.0.0");
    write(&world, "src/kite/__init__.py", "A = 2\n");
    world.commit_all("fix: two");
    world
}

fn write(world: &World, path: &str, text: &str) {
    let path = world.repository().join(path);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
}

/// The verb fails with this code and says all of this.
fn refused(answer: &Answer, code: i32, said: &[&str]) {
    assert_eq!(answer.code, Some(code), "{}\n{}", answer.out, answer.err);
    let flat = answer.err.split_whitespace().collect::<Vec<&str>>().join(" ");
    for words in said {
        assert!(flat.contains(words), "no `{words}` in:\n{}", answer.err);
    }
}

/// Refs, work tree and index as they were: what a refused ship leaves.
fn untouched(world: &World, before: &str) {
    assert_eq!(releases_and_branches(world), before, "no branch or tag moved");
    assert_eq!(world.git(["status", "--porcelain"]), "", "the work tree is clean");
    assert!(!world.repository().join("dist/index/files").exists(), "nothing was published");
}

fn releases_and_branches(world: &World) -> String {
    world.git(["for-each-ref", "refs/heads", "refs/tags", "refs/release/pending"])
}

#[test]
fn a_folder_outside_of_git_is_named() {
    let world = World::without_repository();
    fs::create_dir(world.repository()).unwrap();
    refused(&world.release(["plan"]), 2, &["is in no git repository", "git init"]);
}

#[test]
fn a_repository_without_commits_or_packages_is_told_what_to_do() {
    let world = World::new();
    refused(&world.release(["plan"]), 2, &["has no commit yet", "git commit"]);
    write(&world, "README.md", "x");
    world.commit_all("docs: x");
    refused(&world.release(["plan"]), 2, &["no package here", "commit a `pyproject.toml`"]);
}

#[test]
fn a_shallow_clone_names_the_command_that_mends_it() {
    let (origin, world) = (kite(), World::without_repository());
    let from = format!("file://{}", origin.repository().display());
    let mut clone = world.command("git");
    clone.args(["clone", "--quiet", "--depth", "1", &from]).arg(world.repository());
    assert!(clone.status().unwrap().success());
    refused(&world.release(["plan"]), 2, &["shallow clone", "git fetch --unshallow --tags"]);
}

#[test]
fn a_detached_head_is_planned_and_not_shipped() {
    let world = kite();
    world.git(["checkout", "--quiet", "--detach"]);
    assert!(world.release(["plan"]).well().out.contains("1.0.1"));
    refused(&world.release(["ship", "--yes"]), 2, &["HEAD is detached", "git switch"]);
}

#[test]
fn a_tag_whose_version_does_not_read_is_told_and_passed_over() {
    let world = kite();
    for tag in ["v1.x.y", "v2.0.0-0"] {
        world.git(["tag", tag]);
    }
    let plan = world.release(["plan"]).well().out;
    assert!(plan.contains("1.0.1") && plan.contains("`v1.x.y`") && plan.contains("`v2.0.0-0`"), "{plan}");
}

#[test]
fn manifest_and_tag_that_disagree_are_refused_until_somebody_decides() {
    let world = kite();
    write(&world, "pyproject.toml", &MANIFEST.replace("1.0.0", "1.5.0"));
    world.commit_all("chore: a number by hand");
    let said = ["pyproject.toml", "1.5.0", "`v1.0.0`", "--trust tag"];
    refused(&world.release(["plan"]), 2, &said);
    refused(&world.release(["ship", "--yes"]), 2, &said);
    let next = |whom: &str| world.release(["plan", "--trust", whom, "--output", "json"]).well().json();
    assert_eq!(next("tag")["releases"][0]["to"], "1.0.1");
    assert_eq!(next("manifest")["releases"][0]["to"], "1.5.1");
}

#[test]
fn an_index_that_holds_an_untagged_version_is_refused() {
    let world = kite();
    world.release(["ship", "--yes"]).well();
    world.git(["tag", "--delete", "v1.0.1"]);
    world.git(["reset", "--quiet", "--hard", "HEAD~1"]);
    world.git(["update-ref", "-d", "refs/release/ledger"]);
    refused(&world.release(["plan"]), 2, &["index `local` holds 1.0.1, which no tag names", "v1.0.1"]);
}

#[test]
fn toml_that_does_not_parse_is_shown_with_its_line() {
    let world = kite();
    write(&world, "pyproject.toml", &format!("{MANIFEST}dependencies = [\n"));
    world.commit_all("fix: an open bracket");
    refused(&world.release(["plan"]), 2, &["pyproject.toml:10:", "dependencies = ["]);
    let world = kite();
    write(&world, "release.toml", "[versioning]\nzero = \"minr\"\n[workspce]\n");
    let answer = world.release(["plan"]);
    refused(
        &answer,
        2,
        &["release.toml:2:8", "did you mean \"minor\"?", "unknown key `workspce`", "did you mean"],
    );
    assert!(answer.err.contains("^^^^^^"), "the place is underlined\n{}", answer.err);
}

#[test]
fn text_that_is_not_utf_8_stops_nobody() {
    let world = kite();
    write(&world, "src/kite/b.py", "B = 1\n");
    world.git(["add", "--all"]);
    let mut commit = world.command("git");
    commit.current_dir(world.repository()).args([
        "-c",
        "i18n.commitEncoding=ISO-8859-1",
        "commit",
        "-qF",
        "-",
    ]);
    commit.stdin(std::process::Stdio::piped());
    let mut child = commit.spawn().unwrap();
    std::io::Write::write_all(&mut child.stdin.take().unwrap(), b"fix: caf\xe9").unwrap();
    assert!(child.wait().unwrap().success());
    fs::write(world.repository().join("CHANGELOG.md"), b"# Changelog\n\n\xff\n").unwrap();
    world.commit_all("docs: an old log");
    let plan = world.release(["plan", "--output", "json"]).well().json();
    assert!(plan["releases"][0]["notes"].as_str().unwrap().contains("café"), "{plan}");
    assert!(plan["warnings"][0].as_str().unwrap().contains("CHANGELOG.md is not UTF-8"), "{plan}");
}

#[test]
fn odd_paths_are_paths() {
    let world = World::new();
    let folder = "pack ages/übung \"one\"";
    write(&world, &format!("{folder}/pyproject.toml"), MANIFEST);
    write(&world, &format!("{folder}/src/kite/__init__.py"), "A = 1\n");
    write(&world, &format!("{folder}/src/kite/a\nb.txt"), "x");
    let backend = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/small_backend.py");
    fs::copy(backend, world.repository().join(folder).join("small_backend.py")).unwrap();
    world.commit_all("feat: begin");
    world.tag("kite-v1.0.0", "kite 1.0.0");
    write(&world, &format!("{folder}/src/kite/a\nb.txt"), "y");
    world.commit_all("fix: y");
    world.release(["ship", "--yes"]).well();
    assert_eq!(world.git(["tag", "--list"]), "kite-v1.0.0\nkite-v1.0.1");
    assert_eq!(world.git(["status", "--porcelain"]), "");
}

#[test]
fn a_package_whose_manifest_does_not_read_is_not_left_out_in_silence() {
    for (manifest, said) in [
        ("[project\nname = \"old\"\n", "pkg/old/pyproject.toml:1:9: unclosed table"),
        ("[project]\nname = 5\n", "pkg/old/pyproject.toml:2:8: `name`"),
    ] {
        let world = kite();
        write(&world, "pkg/old/pyproject.toml", manifest);
        world.commit_all("fix: a slip");
        refused(&world.release(["plan"]), 2, &[said]);
        refused(&world.release(["init", "--print"]), 2, &[said]);
        write(&world, "release.toml", "[workspace]\npackages = [\".\", \"pkg/*\"]\n");
        refused(&world.release(["plan"]), 2, &[said]);
    }
    let world = kite();
    write(&world, "tests/data/pyproject.toml", "broken = [");
    world.commit_all("test: a broken manifest");
    world.release(["plan"]).well();
}

#[cfg(unix)]
#[test]
fn a_folder_that_can_not_be_a_package_is_told() {
    use std::os::unix::ffi::OsStrExt;
    let world = kite();
    let odd = world.repository().join("pkg").join(std::ffi::OsStr::from_bytes(b"caf\xe9"));
    fs::create_dir_all(&odd).unwrap();
    fs::write(odd.join("pyproject.toml"), "[project]\nname = \"odd\"\nversion = \"1.0.0\"\n").unwrap();
    std::os::unix::fs::symlink("/tmp", world.repository().join("pkg/away")).unwrap();
    write(&world, "release.toml", "[workspace]\npackages = [\".\", \"pkg/*\"]\n");
    write(&world, "pkg/kit/pyproject.toml", "[project]\nname = \"kit\"\nversion = \"1.0.0\"\n");
    world.commit_all("feat: odd folders");
    let plan = world.release(["plan", "--output", "json"]).well().json();
    let warnings = plan["warnings"].to_string();
    assert!(warnings.contains("`pkg/away` is a symbolic link"), "{warnings}");
    assert!(warnings.contains("is not UTF-8: no package is read there"), "{warnings}");
}

#[cfg(unix)]
#[test]
fn links_are_not_followed() {
    let world = kite();
    std::os::unix::fs::symlink("/etc/hostname", world.repository().join("CHANGELOG.md")).unwrap();
    world.commit_all("fix: a link");
    refused(&world.release(["plan"]), 2, &["`CHANGELOG.md` is a symbolic link"]);
    let world = kite();
    fs::remove_file(world.repository().join("pyproject.toml")).unwrap();
    std::os::unix::fs::symlink("/etc/hostname", world.repository().join("pyproject.toml")).unwrap();
    world.commit_all("fix: a link");
    refused(&world.release(["plan"]), 2, &["`pyproject.toml` is a symbolic link"]);
}

#[test]
fn a_package_that_was_removed_is_gone_without_a_word_of_its_tags() {
    let world = kite();
    write(&world, "old/pyproject.toml", "[project]\nname = \"old\"\nversion = \"0.1.0\"\n");
    world.commit_all("feat(old): begin");
    world.tag("old-v0.1.0", "old 0.1.0");
    fs::remove_dir_all(world.repository().join("old")).unwrap();
    world.commit_all("chore: remove old");
    let plan = world.release(["plan", "--output", "json"]).well().json();
    assert_eq!(plan["releases"].as_array().unwrap().len(), 1);
}

#[test]
fn a_build_that_fails_leaves_all_as_it_was_and_a_later_ship_works() {
    let world = kite();
    write(&world, "pyproject.toml", &MANIFEST.replace("small_backend\"", "no_such_backend\""));
    world.commit_all("fix: another back end");
    let before = releases_and_branches(&world);
    refused(
        &world.release(["ship", "--yes"]),
        4,
        &["build:kite failed", "no_such_backend", "nothing was released"],
    );
    untouched(&world, &before);
    write(&world, "pyproject.toml", MANIFEST);
    world.commit_all("fix: the back end again");
    world.release(["ship", "--yes"]).well();
    assert_eq!(world.git(["tag", "--list"]), "v1.0.0\nv1.0.1");
}

#[test]
fn a_build_that_hangs_is_ended_and_one_that_writes_nothing_is_told() {
    let world = kite();
    write(&world, "release.toml", "[build]\ntimeout = \"3s\"\n");
    write(&world, "small_backend.py", "import time\n\ndef build_sdist(*_):\n    time.sleep(3600)\n");
    world.commit_all("fix: a slow back end");
    let before = releases_and_branches(&world);
    refused(&world.release(["ship", "--yes"]), 4, &["took longer than 3 seconds"]);
    untouched(&world, &before);
    write(&world, "release.toml", "");
    write(&world, "small_backend.py", "def build_sdist(*_):\n    return 'kite-1.0.1.tar.gz'\n");
    world.commit_all("fix: a lazy back end");
    let before = releases_and_branches(&world);
    refused(&world.release(["ship", "--yes"]), 4, &["build:kite failed"]);
    untouched(&world, &before);
}

#[test]
fn a_dirty_tree_is_refused_with_its_files_named() {
    let world = kite();
    write(&world, "src/kite/__init__.py", "A = 3\n");
    write(&world, "src/kite/new.py", "N = 1\n");
    refused(
        &world.release(["ship", "--yes"]),
        2,
        &["src/kite/__init__.py", "src/kite/new.py", "git stash -u"],
    );
}

#[test]
fn a_ship_asks_and_without_a_terminal_wants_yes() {
    let world = kite();
    let before = releases_and_branches(&world);
    refused(&world.release(["ship"]), 2, &["there is no terminal", "--yes"]);
    untouched(&world, &before);
}

#[test]
fn a_major_step_wants_consent() {
    let world = kite();
    write(&world, "src/kite/__init__.py", "A = 3\n");
    world.commit_all("feat!: three");
    assert!(world.release(["plan"]).well().out.contains("needs --allow-major"));
    let before = releases_and_branches(&world);
    refused(&world.release(["ship", "--yes"]), 9, &["kite 2.0.0", "--allow-major"]);
    untouched(&world, &before);
    world.release(["ship", "--yes", "--allow-major"]).well();
    assert_eq!(world.git(["tag", "--list"]), "v1.0.0\nv2.0.0");
}

#[test]
fn a_plan_that_is_stale_changed_or_no_plan_is_refused() {
    let world = kite();
    world.release(["plan", "-o", "../plan.json"]).well();
    let saved = world.folder().join("plan.json");
    let text = fs::read_to_string(&saved).unwrap();
    fs::write(&saved, text.replace("1.0.1", "1.0.9")).unwrap();
    refused(&world.release(["ship", "--yes", "../plan.json"]), 7, &["was changed after it was made"]);
    fs::write(&saved, "{").unwrap();
    refused(&world.release(["ship", "--yes", "../plan.json"]), 2, &["is not a plan", "release plan -o"]);
    fs::write(&saved, text).unwrap();
    write(&world, "src/kite/__init__.py", "A = 3\n");
    world.commit_all("fix: three");
    refused(&world.release(["ship", "--yes", "../plan.json"]), 7, &["the plan is stale", "the branch is at"]);
}

#[test]
fn a_saved_plan_is_shipped_as_it_was_read() {
    let world = kite();
    let plan = world.release(["plan", "-o", "../plan.json", "--output", "json"]).well();
    assert_eq!(plan.out, fs::read_to_string(world.folder().join("plan.json")).unwrap());
    assert_eq!(
        plan.out,
        world.release(["plan", "--output", "json"]).well().out,
        "the same facts, the same bytes"
    );
    world.release(["ship", "--yes", "../plan.json"]).well();
    let digest = plan.json()["digest"].as_str().unwrap().to_owned();
    assert!(world.git(["show", "-s", "--format=%B"]).contains(&format!("Release-Plan: {digest}")));
    assert!(world.release(["ship"]).well().out.contains("nothing to release"));
}

#[test]
fn a_ship_stops_where_it_is_told_and_goes_on_from_there() {
    let world = kite();
    let before = releases_and_branches(&world);
    world.release(["ship", "--yes", "--until", "seal"]).well();
    assert!(releases_and_branches(&world).starts_with(&before[..40]), "the branch stands where it stood");
    assert_eq!(world.git(["tag", "--list"]), "v1.0.0");
    world.release(["ship", "--yes", "--until", "claim"]).well();
    assert_eq!(world.git(["tag", "--list"]), "v1.0.0\nv1.0.1");
    assert!(!world.repository().join("dist/index/files").exists());
    refused(
        &world.release(["ship", "--tag", "v9.9.9"]),
        2,
        &["`v9.9.9` is not part of the release under way"],
    );
    world.release(["ship", "--tag", "v1.0.1"]).well();
    assert!(world.repository().join("dist/index/files/kite/kite-1.0.1.tar.gz").exists());
    assert!(world.release(["ship", "--tag", "v1.0.1"]).well().out.contains("nothing to do"));
}

#[test]
fn two_ships_at_once_have_one_winner() {
    let world = kite();
    let ship = |world: &World| {
        let mut command = world.command(env!("CARGO_BIN_EXE_release"));
        command.current_dir(world.repository()).args(["ship", "--yes"]);
        command.stdout(std::process::Stdio::null()).stderr(std::process::Stdio::null()).spawn().unwrap()
    };
    let (mut one, mut other) = (ship(&world), ship(&world));
    let mut codes = [one.wait().unwrap().code(), other.wait().unwrap().code()];
    codes.sort_unstable();
    // The later one finds the lock taken, or comes when all is done.
    assert!(codes == [Some(0), Some(7)] || codes == [Some(0), Some(0)], "{codes:?}");
    assert_eq!(world.git(["tag", "--list"]), "v1.0.0\nv1.0.1");
    assert_eq!(world.git(["rev-list", "--count", "HEAD"]), "3");
}

#[test]
fn other_bytes_under_our_name_are_never_overwritten() {
    let world = kite();
    world.release(["ship", "--yes", "--until", "claim"]).well();
    let foreign = world.repository().join("dist/index/files/kite/kite-1.0.1.tar.gz");
    fs::create_dir_all(foreign.parent().unwrap()).unwrap();
    fs::write(&foreign, b"foreign").unwrap();
    refused(&world.release(["ship"]), 11, &["stands in the index with other bytes"]);
    assert_eq!(fs::read(&foreign).unwrap(), b"foreign");
    fs::remove_file(&foreign).unwrap();
    world.release(["ship"]).well();
}

#[test]
fn a_name_that_is_taken_in_the_index_stops_a_ship_before_its_claim() {
    let world = kite();
    let foreign = world.repository().join("dist/index/files/kite/kite-1.0.1.tar.gz");
    fs::create_dir_all(foreign.parent().unwrap()).unwrap();
    fs::write(&foreign, b"foreign").unwrap();
    fs::write(world.repository().join(".git/info/exclude"), "dist\n").unwrap();
    let before = releases_and_branches(&world);
    let said = ["stands in the index with other bytes", "move it away", "nothing was released"];
    refused(&world.release(["ship", "--yes"]), 11, &said);
    assert_eq!(releases_and_branches(&world), before, "no branch or tag moved");
    assert_eq!(fs::read(&foreign).unwrap(), b"foreign");
    fs::remove_file(&foreign).unwrap();
    world.release(["ship", "--yes"]).well();
}

#[cfg(unix)]
#[test]
fn an_index_behind_a_link_is_not_written() {
    let outside = tempfile::tempdir().unwrap();
    for (link, code, said) in [
        ("dist", 2, "`dist/index` is a link that leads out of the repository"),
        ("dist/index", 2, "`dist/index` is a link that leads out of the repository"),
        ("dist/index/files", 2, "is a link, and the index keeps its files"),
        ("dist/index/files/kite", 2, "is a link, and the index keeps its files"),
    ] {
        let world = kite();
        fs::write(world.repository().join(".git/info/exclude"), "dist\n").unwrap();
        let path = world.repository().join(link);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::os::unix::fs::symlink(outside.path(), path).unwrap();
        let before = releases_and_branches(&world);
        refused(&world.release(["ship", "--yes"]), code, &[said]);
        assert_eq!(releases_and_branches(&world), before, "{link}: no branch or tag moved");
        assert_eq!(fs::read_dir(outside.path()).unwrap().count(), 0, "{link}: nothing is written outside");
    }
}

#[cfg(unix)]
#[test]
fn a_configuration_is_read_inside_the_repository_or_not_at_all() {
    let outside = tempfile::NamedTempFile::new().unwrap();
    fs::write(outside.path(), "a secret = [\n").unwrap();
    let world = kite();
    let path = world.repository().join("release.toml");
    std::os::unix::fs::symlink(outside.path(), &path).unwrap();
    let answer = world.release(["plan"]);
    refused(&answer, 2, &["`release.toml` is a link that leads out of the repository"]);
    assert!(!answer.err.contains("secret"), "{}", answer.err);
    fs::remove_file(&path).unwrap();
    std::os::unix::fs::symlink("/nowhere/at/all", &path).unwrap();
    refused(&world.release(["plan"]), 2, &["to nowhere"]);
    fs::remove_file(&path).unwrap();
    fs::create_dir(&path).unwrap();
    refused(&world.release(["plan"]), 2, &["failed to read release.toml"]);
    fs::remove_dir(&path).unwrap();
    write(&world, "pyproject.toml", "[tool.release.workspace]\nbranch = \"main\n");
    refused(&world.release(["plan"]), 2, &["pyproject.toml:2:", "branch ="]);
}

#[test]
fn a_lost_stash_is_built_again_to_the_sealed_bytes() {
    let world = kite();
    world.release(["ship", "--yes", "--until", "claim"]).well();
    fs::remove_dir_all(world.repository().join(".git/release/stash")).unwrap();
    world.release(["ship"]).well();
    assert!(world.repository().join("dist/index/files/kite/kite-1.0.1.tar.gz").exists());
}

#[test]
fn a_foreign_ledger_is_refused() {
    let world = kite();
    world.git(["update-ref", "refs/release/ledger", "HEAD"]);
    let before = releases_and_branches(&world);
    for verb in [&["ship", "--yes"][..], &["status"], &["log"]] {
        refused(&world.release(verb), 2, &["which is no ledger", "git update-ref -d refs/release/ledger"]);
    }
    untouched(&world, &before);
}

#[test]
fn a_ledger_ref_that_is_no_commit_is_refused_with_a_way_out() {
    let world = kite();
    let garbage = world.git(["hash-object", "-w", "src/kite/__init__.py"]);
    world.git(["update-ref", "refs/release/ledger", &garbage]);
    let before = releases_and_branches(&world);
    for verb in [&["ship", "--yes"][..], &["status"], &["log"]] {
        refused(&world.release(verb), 2, &["is damaged", "git update-ref -d refs/release/ledger"]);
    }
    fs::write(world.repository().join(".git/refs/release/ledger"), "junk\n").unwrap();
    for verb in [&["ship", "--yes"][..], &["status"], &["log"]] {
        refused(&world.release(verb), 2, &["refs/release/ledger", "git update-ref -d refs/release/ledger"]);
    }
    fs::remove_file(world.repository().join(".git/refs/release/ledger")).unwrap();
    untouched(&world, &before);
    world.release(["ship", "--yes"]).well();
}

#[test]
fn a_plan_of_another_format_or_none_names_what_makes_one() {
    let world = kite();
    write(&world, ".git/plan.json", "{\"format\": 99}");
    refused(&world.release(["ship", ".git/plan.json", "--yes"]), 7, &["format 99", "release plan -o"]);
    refused(&world.release(["ship", ".git/none.json", "--yes"]), 2, &["failed to read", "release plan -o"]);
}

#[test]
fn a_manifest_that_is_not_utf_8_is_told_with_its_line() {
    let world = kite();
    let bytes = [MANIFEST.as_bytes(), b"# caf\xe9\n"].concat();
    fs::write(world.repository().join("pyproject.toml"), bytes).unwrap();
    world.commit_all("fix: an old editor");
    refused(&world.release(["plan"]), 2, &["pyproject.toml:10: this line is not UTF-8", "save it as UTF-8"]);
}

#[cfg(target_os = "linux")]
#[test]
fn a_read_only_checkout_is_planned_and_not_shipped() {
    let world = kite();
    let before = releases_and_branches(&world);
    // Its own mount namespace: nothing outlives the shell, and nobody else sees it.
    let read_only = "mount --bind . . && mount -o remount,ro,bind . && cd \"$PWD\" && exec \"$@\"";
    let run = |words: &[&str]| {
        let mut command = world.command("unshare");
        command.current_dir(world.repository());
        command.args(["--mount", "sh", "-c", read_only, "sh"]).args(words);
        Answer::of(command.output().unwrap_or_else(|_| std::process::Command::new("false").output().unwrap()))
    };
    if run(&["true"]).code != Some(0) {
        eprintln!("skipped: no mount namespace here (needs root and util-linux)");
        return;
    }
    let release = env!("CARGO_BIN_EXE_release");
    run(&[release, "plan"]).well();
    refused(&run(&[release, "ship", "--yes"]), 2, &["Read-only file system", "make it writable"]);
    untouched(&world, &before);
    world.release(["ship", "--yes"]).well();
}

#[test]
fn a_full_disk_breaks_nothing() {
    let world = kite();
    let before = releases_and_branches(&world);
    // Files of this process and its children may hold 4 KiB at most: every larger write fails.
    let mut command = world.command("sh");
    let limited = "ulimit -f 8; trap '' XFSZ; exec \"$0\" ship --yes";
    command.current_dir(world.repository()).args(["-c", limited, env!("CARGO_BIN_EXE_release")]);
    let answer = Answer::of(command.output().unwrap());
    assert_ne!(answer.code, Some(0), "{}{}", answer.out, answer.err);
    assert_ne!(answer.code, Some(1), "{}{}", answer.out, answer.err);
    assert_eq!(releases_and_branches(&world).lines().next(), before.lines().next(), "the branch stands");
    world.git(["fsck", "--no-dangling"]);
    world.release(["ship", "--yes"]).well();
    assert_eq!(world.git(["tag", "--list"]), "v1.0.0\nv1.0.1");
}

#[test]
fn an_unknown_package_is_told_the_nearest_name() {
    let world = kite();
    refused(
        &world.release(["plan", "-p", "kit"]),
        2,
        &["no package is called `kit`", "did you mean `kite`?"],
    );
}

#[test]
fn a_package_that_can_not_be_tried_is_undecided() {
    let world = kite();
    write(
        &world,
        "wind/pyproject.toml",
        &MANIFEST.replace("kite", "wind").replace("backend-path = [\".\"]", "backend-path = [\"..\"]"),
    );
    write(&world, "wind/src/wind/__init__.py", "W = 1\n");
    write(&world, "pyproject.toml", &format!("{MANIFEST}dependencies = [\"wind>=1\"]\n"));
    write(
        &world,
        "release.toml",
        "[workspace]\npackages = [\".\", \"wind\"]\n\n[package.kite]\ntag = \"v{version}\"\n",
    );
    world.commit_all("feat: needs wind");
    world.tag("wind-v1.0.0", "wind 1.0.0");
    let answer = world.release(["ship", "--yes"]);
    refused(&answer, 8, &["published, but not tried", "`kite` requires `wind`"]);
    assert_eq!(world.git(["tag", "--list", "v*"]), "v1.0.0\nv1.1.0");
}
