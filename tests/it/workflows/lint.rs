//! Every workflow passes zizmor (pedantic), actionlint and GitHub's schema, also with hostile names.

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::matrix::light::light;
use crate::shared_sample::sample;
use crate::workflow_tools::{actionlint, programs};
use crate::world::{Answer, World};

/// `PATH` with all linters, and node for one of them; `None` where they are not at hand.
fn linters() -> Option<std::ffi::OsString> {
    let mut folders = vec![programs()?, actionlint()?];
    folders.extend(std::env::split_paths(&std::env::var_os("PATH")?));
    Some(std::env::join_paths(folders).unwrap())
}

fn lint(world: &World, folder: &Path, words: &[&str]) -> Option<Answer> {
    let path = linters()?;
    let mut release = world.command(env!("CARGO_BIN_EXE_release"));
    Some(Answer::of(release.current_dir(folder).args(words).env("PATH", path).output().unwrap()))
}

#[track_caller]
fn passes(world: &World, folder: &Path, words: &[&str]) {
    let Some(answer) = lint(world, folder, words) else { return };
    let answer = answer.well();
    for tool in ["zizmor", "actionlint", "check-jsonschema"] {
        assert!(answer.err.contains(&format!("{tool}: nothing found")), "{}", answer.err);
    }
}

#[test]
fn all_workflows_of_the_sample_pass() {
    let Some((world, _)) = sample() else { return };
    let config = "[workspace]\npackages = [\"src/packages/*/*\"]\nstrip = \"acme-\"\n\n[github]\n\n[workflows]\ninstall = \"wheel\"\n\
         from = \"release==1.2.3\"\nsecrets = [\"DEPLOY_KEY\"]\nrunner-of = { production = [\"self-hosted\", \"linux\"] }\n\n\
         [index.in-house]\nupload = \"https://index.example/legacy/\"\nauth = \"token\"\n\n[index.main]\n\
         upload = \"https://main.example/legacy/\"\n\n[package.core]\nindex = \"main\"\n\n[package.mlops]\nindex = \"in-house\"\n\
         image = { repository = \"ghcr.io/acme/mlops\" }\n\n[environment.development]\n\n[environment.staging]\n\
         after = \"development\"\nservice.mlops = { env-from = [\"DATABASE_URL\"] }\n\n[environment.production]\n\
         after = \"staging\"\n";
    fs::write(world.repository().join("release.toml"), config).unwrap();
    passes(&world, &world.repository(), &["generate", "--lint"]);
    let pull_request = "[workflows]\npublish = \"package\"\nwrite = [\"release\", \"pull-request\"]";
    fs::write(world.repository().join("release.toml"), config.replace("[workflows]", pull_request)).unwrap();
    passes(&world, &world.repository(), &["generate", "--lint"]);
    for install in [
        "install = \"source\"",
        "install = \"action\"\nfrom = \"acme/release@0123456789abcdef0123456789abcdef01234567\"",
        "install = \"wheel\"\nfrom = \"release==1.2.3\"\n\
         sha256 = [\"0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef\"]",
    ] {
        let other = config.replace("install = \"wheel\"\nfrom = \"release==1.2.3\"", install);
        fs::write(world.repository().join("release.toml"), other).unwrap();
        passes(&world, &world.repository(), &["generate", "--lint"]);
    }
}

#[test]
fn names_that_mean_something_to_others_pass_and_stay_what_they_are() {
    let world = light();
    let hostile = r##"!{name}'"#$(id)`id`;&|%0a<>,${V}/v{version}"##;
    let config = format!(
        "[workspace]\npackages = [\"packages/*\"]\nbranch = \"a'b;${{IFS}}$(id)\"\ntag = {hostile:?}\n\n[workflows]\n\
         install = \"source\"\n\n[environment.on]\n\n[environment.null]\nafter = \"on\"\n\n[environment.\"1.0\"]\nafter = \"on\"\n"
    );
    let config = config.replace("${IFS}", "$IFS").replace("${V}", "$V");
    fs::write(world.repository().join("release.toml"), config).unwrap();
    passes(&world, &world.repository(), &["generate", "--lint"]);
    let Some(programs) = programs() else { return };
    let folder = world.repository().join(".github/workflows");
    let release = crate::workflow_tools::parsed(&programs, &folder.join("release.yml"));
    let tags = release["on"]["push"]["tags"].as_array().unwrap();
    assert!(tags.contains(&r##"\!light-base'"#$(id)`id`;&|%0a<>,$V/v[0-9]*"##.into()), "{tags:?}");
    let rollback = crate::workflow_tools::parsed(&programs, &folder.join("release-rollback.yml"));
    let options = &rollback["on"]["workflow_dispatch"]["inputs"]["environment"]["options"];
    assert_eq!(
        *options,
        serde_json::json!(["1.0", "null", "on"]),
        "they are words, no numbers and no truths"
    );
}

#[test]
fn findings_leave_with_4_and_the_words_of_who_found_them() {
    let world = light();
    let config = "[workspace]\npackages = [\"packages/*\"]\n\n[workflows]\ninstall = \"source\"\n";
    fs::write(world.repository().join("release.toml"), config).unwrap();
    world.release(["generate"]).well();
    let file = world.repository().join(".github/workflows/release.yml");
    let text = fs::read_to_string(&file).unwrap();
    fs::write(&file, text.replace("  publish:\n", "  publish:\n    needs: nobody\n")).unwrap();
    let Some(found) = lint(&world, &world.repository(), &["generate", "--check", "--lint"]) else { return };
    assert_eq!(found.code, Some(4));
    assert!(found.err.contains("actionlint:\n") && found.err.contains("nobody"), "{}", found.err);
    assert!(found.err.contains("release.yml is stale"), "{}", found.err);
}

#[test]
fn where_nothing_looks_it_is_undecided() {
    let world = light();
    let config = "[workspace]\npackages = [\"packages/*\"]\n\n[workflows]\ninstall = \"source\"\n";
    fs::write(world.repository().join("release.toml"), config).unwrap();
    let only = world.folder().join("only");
    fs::create_dir(&only).unwrap();
    let git = crate::world::program("git").unwrap();
    std::os::unix::fs::symlink(git, only.join("git")).unwrap();
    let lint = |words: &[&str]| {
        let mut release = world.command(env!("CARGO_BIN_EXE_release"));
        release.current_dir(world.repository()).args(words).env("PATH", &only);
        Answer::of(release.output().unwrap())
    };
    let nobody = lint(&["generate", "--lint"]);
    assert_eq!(nobody.code, Some(8), "{}", nobody.err);
    assert!(nobody.err.contains("zizmor is not here: `pip install zizmor`"), "{}", nobody.err);
    let program = |text: &str| {
        fs::write(only.join("zizmor"), text).unwrap();
        let status = Command::new("chmod").arg("755").arg(only.join("zizmor")).status();
        assert!(status.unwrap().success());
    };
    program("#!/bin/sh\nexit 0\n");
    let one = lint(&["generate", "--lint"]).well();
    assert!(one.err.contains("zizmor: nothing found\nactionlint is not here"), "{}", one.err);
    program("#!/bin/sh\necho broken >&2\nexit 1\n");
    let broken = lint(&["generate", "--lint"]);
    assert_eq!(broken.code, Some(8), "an error is no finding: {}", broken.err);
}
