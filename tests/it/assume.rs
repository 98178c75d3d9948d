//! Plans with commits that do not exist: what they would release, marked, and never shipped.

use std::fs;

use crate::cases::world_of;
use crate::world::{Answer, World};

/// Five packages: `near` and `poet` follow `base` out of their ranges; released, with a breaking change of `base` since.
fn world() -> World {
    world_of("a-cascade-out-of-range")
}

/// The same with nothing left to release.
fn released() -> World {
    let world = world();
    for package in ["base-v2.0.0", "near-v0.6.2", "poet-v3.1.1", "far-v2.0.1", "wide-v1.0.1"] {
        world.tag(package, package);
    }
    world
}

fn plan(world: &World, words: &[&str]) -> Answer {
    world.release(["plan", "--trust", "tag"].iter().chain(words)).well()
}

/// Which packages a JSON plan releases, and to which versions.
fn releases(answer: &Answer) -> String {
    let plan = answer.json();
    let one = |release: &serde_json::Value| {
        format!("{} {}", release["package"].as_str().unwrap(), release["to"].as_str().unwrap())
    };
    plan["releases"].as_array().unwrap().iter().map(one).collect::<Vec<_>>().join(", ")
}

#[track_caller]
fn refused(answer: &Answer, code: i32, said: &[&str]) {
    assert_eq!(answer.code, Some(code), "{}\n{}", answer.out, answer.err);
    let flat = answer.err.split_whitespace().collect::<Vec<&str>>().join(" ");
    for words in said {
        assert!(flat.contains(words), "no `{words}` in:\n{}", answer.err);
    }
}

#[test]
fn an_assumed_commit_counts_for_the_packages_of_its_paths_and_changes_nothing() {
    let world = released();
    let before = world.git(["for-each-ref"]);
    let json = ["--output", "json", "--assume", "feat!: x", "--paths"];
    let with = |paths: &[&str]| releases(&plan(&world, &[&json[..], paths].concat()));
    assert_eq!(with(&["packages/wide/src/wide/__init__.py"]), "wide 2.0.0");
    assert_eq!(with(&["packages/wide/a", "./packages/far/b"]), "wide 2.0.0, far 3.0.0");
    assert_eq!(with(&["packages/wide"]), "wide 2.0.0", "a package's folder is enough");
    assert_eq!(with(&["packages/wide/CHANGELOG.md", "packages/far/uv.lock"]), "", "these count for nobody");
    assert_eq!(world.git(["for-each-ref"]), before);
    assert_eq!(world.git(["status", "--porcelain"]), "");
}

#[test]
fn without_paths_scopes_and_footers_say_what_changes() {
    let world = released();
    let with = |message: &str| releases(&plan(&world, &["--output", "json", "--assume", message]));
    assert_eq!(with("fix(wide): x"), "wide 1.0.2");
    assert_eq!(with("fix: x\n\nPackages: far, wide"), "wide 1.0.2, far 2.0.2");
    refused(
        &world.release(["plan", "--assume", "fix: x"]),
        2,
        &[
            "`fix: x` names no package, and no path says what it changes",
            "--paths packages/base/…",
            "feat(base): …",
        ],
    );
}

#[test]
fn several_assumed_commits_stand_on_each_other_and_on_what_is_there() {
    let world = world();
    let answer = plan(&world, &["--output", "json", "--assume", "fix(far): x", "--assume", "feat(far): y"]);
    assert_eq!(releases(&answer), "base 2.0.0, near 0.6.2, poet 3.1.1, far 2.1.0");
    let plan = answer.json();
    let told: Vec<&str> =
        plan["assumed"].as_array().unwrap().iter().map(|one| one["subject"].as_str().unwrap()).collect();
    assert_eq!(told, ["fix(far): x", "feat(far): y"]);
    assert_eq!(plan["base"]["commit"], world.git(["rev-parse", "HEAD"]).as_str());
}

#[test]
fn the_plan_is_marked_in_every_shape_and_explained() {
    let world = released();
    let assume = ["--assume", "feat(wide): <b>x</b> @all"];
    let text = plan(&world, &assume).out;
    assert!(text.starts_with("assumed: feat(wide): <b>x</b> @all (packages/wide)\n"), "{text}");
    assert!(!text.contains("ship will do"), "{text}");
    let markdown = plan(&world, &[&assume[..], &["--output", "markdown"]].concat()).out;
    assert!(markdown.starts_with("> as if these commits stood on top; this plan can not be shipped:\n"));
    assert!(
        markdown.contains("> - feat(wide): &lt;b&gt;x&lt;/b&gt; @\u{200d}all (packages/wide)"),
        "{markdown}"
    );
    let explained = plan(&world, &[&assume[..], &["--explain", "wide"]].concat()).out;
    assert!(explained.starts_with("assumed: feat(wide)"), "{explained}");
    assert!(explained.contains("→ minor, by files in packages/wide"), "{explained}");
    assert!(plan(&world, &[]).out.starts_with("nothing to release"), "and without it nothing is marked");
}

#[test]
fn paths_outside_of_all_packages_are_told() {
    let world = released();
    let words = ["--assume", "feat: x", "--paths", "docs/a.md", "packages/wide/a", "packages"];
    let text = plan(&world, &words).out;
    assert!(text.contains("warning: `docs/a.md` belongs to no package"), "{text}");
    assert!(text.contains("warning: `packages` belongs to no package"), "{text}");
    assert!(text.contains("wide"), "{text}");
    for path in ["../x", "/etc/passwd"] {
        let answer = world.release(["plan", "--assume", "feat: x", "--paths", path]);
        refused(&answer, 2, &[&format!("`{path}` is no path inside the repository"), "git diff --name-only"]);
    }
    refused(&world.release(["plan", "--paths", "packages/wide/a"]), 2, &["--assume"]);
}

#[test]
fn an_assumed_plan_is_neither_saved_nor_shipped() {
    let world = world();
    let answer = world.release(["plan", "--assume", "feat(far): x", "-o", "plan.json"]);
    refused(&answer, 2, &["a plan with assumed commits can not be saved", "--output json"]);
    assert!(!world.repository().join("plan.json").exists());
    let file = world.folder().join("plan.json");
    fs::write(&file, plan(&world, &["--assume", "feat(far): x", "--output", "json"]).out).unwrap();
    let before = world.git(["for-each-ref"]);
    let answer = world.release(["ship", "--yes", file.to_str().unwrap()]);
    refused(&answer, 2, &["counts a commit that does not exist, `feat(far): x`", "without `--assume`"]);
    assert_eq!(world.git(["for-each-ref"]), before);
    // Without the mark it is not the plan that it says it is.
    let mut forged = serde_json::from_str::<serde_json::Value>(&fs::read_to_string(&file).unwrap()).unwrap();
    forged.as_object_mut().unwrap().remove("assumed");
    fs::write(&file, forged.to_string()).unwrap();
    let answer = world.release(["ship", "--yes", file.to_str().unwrap()]);
    refused(&answer, 7, &["changed after it was made"]);
}
