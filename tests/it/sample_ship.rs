//! The sample monorepo shipped whole: six releases on the local index, and nothing else in the repository changed.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::shared_sample::{rows, sample, text, with_config};
use crate::world::{Answer, World, program};

#[test]
fn a_ship_releases_what_was_planned_and_changes_nothing_else() {
    let Some((world, _)) = sample() else { return };
    let before = world.twin();
    let base = world.git(["rev-parse", "HEAD"]);
    let plan = with_config(&world, &["plan", "--output", "json"]).well().json();
    with_config(&world, &["ship", "--yes"]).well();

    assert_eq!(rows(&plan["releases"]).count(), 6);
    for release in rows(&plan["releases"]) {
        let tag = format!("refs/tags/{}", text(&release["tag"]));
        assert_eq!(world.git(["cat-file", "-t", &tag]), "tag", "annotated");
        assert_eq!(world.git(["rev-parse", &format!("{tag}^{{commit}}")]), world.git(["rev-parse", "HEAD"]));
    }
    assert_eq!(world.git(["rev-list", "--count", &format!("{base}..HEAD")]), "1", "one release commit");
    assert_eq!(world.git(["status", "--porcelain"]), "");
    assert_eq!(world.git(["fsck", "--strict", "--no-dangling"]), "");
    only_the_planned_bytes_changed(&world, &plan, &base);
    only_versions_and_requirements_were_replaced(&world, &base);
    dependencies_were_published_first(&world, &plan);
    the_lock_holds(&before);
    the_lock_holds(&world);
    the_packages_install_together(&world, &plan);

    let again = with_config(&world, &["ship", "--yes", "--detailed-exitcode"]);
    assert_eq!(again.code, Some(3), "{}{}", again.out, again.err);
    assert_eq!(again.out, "nothing to release\n");
}

/// Each file of the release commit is the file before it with the plan's splices, its mode as it was.
fn only_the_planned_bytes_changed(world: &World, plan: &Value, base: &str) {
    let planned: BTreeSet<String> = rows(&plan["edits"]).map(|edit| text(&edit["path"])).collect();
    let changed = world.git(["diff", "--name-only", "--no-renames", base, "HEAD"]);
    assert_eq!(changed.lines().map(str::to_owned).collect::<BTreeSet<_>>(), planned);
    for edit in rows(&plan["edits"]) {
        let path = text(&edit["path"]);
        let mut bytes = if edit["before"].is_null() { Vec::new() } else { blob(world, base, &path) };
        let mut splices: Vec<&Value> = rows(&edit["splices"]).collect();
        splices.sort_by_key(|splice| std::cmp::Reverse(splice["at"].as_u64()));
        for splice in splices {
            let at = usize::try_from(splice["at"].as_u64().unwrap()).unwrap();
            let end = at + usize::try_from(splice["delete"].as_u64().unwrap()).unwrap();
            bytes.splice(at..end, text(&splice["insert"]).into_bytes());
        }
        assert!(bytes == blob(world, "HEAD", &path), "{path} holds what the plan says");
        assert!(fs::read(world.repository().join(&path)).unwrap() == bytes, "{path} in the work tree too");
    }
    let modes = world.git(["diff", "--summary", "--no-renames", base, "HEAD"]);
    assert!(modes.lines().all(|line| line.starts_with(" create mode 100644 ")), "{modes}");
}

/// Lines of manifests, modules and the lock are exchanged one for one; of changelogs none goes.
fn only_versions_and_requirements_were_replaced(world: &World, base: &str) {
    let stat = world.git(["diff", "--numstat", "--no-renames", base, "HEAD"]);
    for line in stat.lines() {
        let [added, removed, path] = line.split('\t').collect::<Vec<_>>().try_into().unwrap();
        let is_changelog = Path::new(path).ends_with("CHANGELOG.md");
        assert!(if is_changelog { removed == "0" } else { added == removed }, "{line}");
    }
    let diff = world.git(["diff", "--unified=0", "--no-renames", base, "HEAD", "--", ":!*CHANGELOG.md"]);
    let gone = diff.lines().filter(|line| line.starts_with('-') && !line.starts_with("---"));
    for line in gone {
        let named = ["version", "acme-"].iter().any(|word| line.contains(word));
        assert!(named, "a line of another kind was touched: {line}");
    }
}

/// A package is published after those of the release that its steps need.
fn dependencies_were_published_first(world: &World, plan: &Value) {
    let log = with_config(world, &["log", "--output", "json"]).well().json();
    let done: Vec<String> = rows(&log)
        .map(|event| &event["what"])
        .filter(|what| what["event"] == "succeeded")
        .map(|what| text(&what["step"]))
        .collect();
    for step in rows(&plan["steps"]) {
        let place = |id: &Value| done.iter().position(|step| *step == text(id)).unwrap();
        for need in rows(&step["needs"]) {
            assert!(place(need) < place(&step["id"]), "{} after {need}", step["id"]);
        }
    }
    let publish = |package: &str| done.iter().position(|step| *step == format!("publish:{package}")).unwrap();
    for (package, dependency) in [
        ("anomaly-detection", "core"),
        ("anomaly-detection", "mathematics"),
        ("mlops", "anomaly-detection"),
        ("interfaces", "mlops"),
        ("data-observability", "core"),
    ] {
        assert!(publish(dependency) < publish(package), "{package} after {dependency}");
    }
}

fn the_lock_holds(world: &World) {
    let uv = program("uv").expect("the release was built with uv");
    let mut check = world.command(uv);
    check.current_dir(world.repository()).args(["lock", "--check", "--offline"]);
    Answer::of(check.output().unwrap()).well();
}

/// All six from the index alone, in one clean environment.
fn the_packages_install_together(world: &World, plan: &Value) {
    let uv = program("uv").expect("the release was built with uv");
    let place = world.folder().join("installed");
    let run = |words: &[&str]| {
        let mut command = world.command(&uv);
        command.env("VIRTUAL_ENV", &place).args(words);
        Answer::of(command.output().unwrap()).well()
    };
    run(&["venv", "--quiet", place.to_str().unwrap()]);
    let index = format!("file://{}", world.repository().join("dist/index/simple").display());
    let exact = |release: &Value| format!("{}=={}", text(&release["distribution"]), text(&release["to"]));
    let wanted: Vec<String> = rows(&plan["releases"]).map(exact).collect();
    let mut install = vec!["pip", "install", "--quiet", "--no-cache", "--default-index", &index];
    install.extend(wanted.iter().map(String::as_str));
    run(&install);
    run(&["pip", "check"]);
    let frozen = run(&["pip", "freeze"]).out;
    assert_eq!(
        frozen.lines().collect::<BTreeSet<_>>(),
        wanted.iter().map(String::as_str).collect(),
        "{frozen}"
    );
}

fn blob(world: &World, commit: &str, path: &str) -> Vec<u8> {
    let mut show = world.command("git");
    show.current_dir(world.repository()).args(["cat-file", "blob", &format!("{commit}:{path}")]);
    let output = show.output().unwrap();
    assert!(output.status.success(), "{commit}:{path}");
    output.stdout
}
