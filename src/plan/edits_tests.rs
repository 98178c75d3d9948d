//! What the release commit writes: versions, internal requirements, locks.

use crate::plan::Plan;
use crate::plan::facts::{Facts, Request};
use crate::plan::make::make;
use crate::plan::testing::{Repo, after, obey_laws, releases};
use crate::version::label::PreLabel;
use crate::workspace::config::settings::{Dependents, FloorRule};

const CLI: &str = "packages/cli/pyproject.toml";

fn made(repo: Repo) -> (Facts, Plan) {
    made_as(repo, &Request::default())
}

fn made_as(repo: Repo, request: &Request) -> (Facts, Plan) {
    let facts = repo.facts();
    let plan = make(&facts, request).unwrap();
    obey_laws(&facts, &plan);
    (facts, plan)
}

fn rc() -> Request {
    Request { pre: Some(PreLabel::Rc), ..Request::default() }
}

/// `cli` asks for `core` with this range; a change of `core` and one of `cli`.
fn pair(range: &str, message: &str) -> Repo {
    Repo::default()
        .package("core", "1.2.0")
        .depending("cli", "1.0.0", &[&format!("core{range}")])
        .released()
        .commit(message, &["core"])
        .commit("fix: y", &["cli"])
}

fn check(repo: Repo, request: &Request, expected: &str) {
    let (facts, plan) = made_as(repo, request);
    let text = after(&facts, &plan, CLI);
    assert!(text.contains(&format!("dependencies = [{expected:?}]")), "{expected}: {text}");
}

#[test]
fn floors_rise_as_the_policy_says() {
    for (floor, range, message, expected) in [
        (FloorRule::Minor, ">=1.2,<2", "fix: x", "core>=1.2,<2"),
        (FloorRule::Minor, ">=1.2,<2", "feat: x", "core>=1.3.0,<2"),
        (FloorRule::Never, ">=1.2,<2", "feat: x", "core>=1.2,<2"),
        (FloorRule::Always, ">=1.2,<2", "fix: x", "core>=1.2.1,<2"),
        (FloorRule::Minor, "==1.2.0", "fix: x", "core==1.2.1"),
        (FloorRule::Minor, "~=1.2", "feat!: x", "core~=2.0"),
        (FloorRule::Minor, ">=1.2,<2", "feat!: x", "core>=2.0.0,<3"),
        (FloorRule::Never, ">=1.2,<2", "feat!: x", "core>=1.2,<3"),
    ] {
        let repo = pair(range, message).versioning(|versioning| versioning.floor = floor);
        check(repo, &Request::default(), expected);
    }
}

#[test]
fn an_unbounded_requirement_of_a_released_package_gets_a_floor() {
    check(pair("", "feat: x"), &Request::default(), "core>=1.3.0");
    let quiet = Repo::default()
        .package("core", "1.2.0")
        .depending("cli", "1.0.0", &["core[fast] ; python_version>'3'"])
        .released()
        .commit("fix: y", &["cli"]);
    check(quiet, &Request::default(), "core[fast]>=1.2.0 ; python_version>'3'");
}

#[test]
fn a_pre_release_that_is_released_with_its_dependent_is_named_by_the_floor() {
    check(pair(">=1.2,<2", "fix: x"), &rc(), "core>=1.2.1rc1,<2");
    check(pair(">=1.2,<2", "feat: x"), &rc(), "core>=1.3.0rc1,<2");
    check(pair("", "fix: x"), &rc(), "core>=1.2.1rc1");
    let never = pair(">=1.2", "fix: x").versioning(|versioning| versioning.floor = FloorRule::Never);
    check(never, &rc(), "core>=1.2.1rc1");
    let final_again = Repo::default()
        .package("core", "1.3.0rc1")
        .depending("cli", "1.1.0rc1", &["core>=1.3.0rc1,<2"])
        .tag("core", "1.2.0")
        .tag("cli", "1.0.0")
        .commit("feat: x", &["core", "cli"])
        .released();
    check(final_again, &Request { graduate: true, ..Request::default() }, "core>=1.3.0,<2");
}

#[test]
fn a_final_release_does_not_ask_for_a_pre_release_that_stays() {
    let repo = Repo::default()
        .package("core", "1.3.0rc1")
        .depending("cli", "1.0.0", &["core"])
        .tag("core", "1.2.0")
        .released()
        .commit("fix: y", &["cli"]);
    check(repo, &Request::default(), "core>=1.2.0");
}

#[test]
fn tools_requirements_of_a_package_that_stays_are_edited_only_where_they_break() {
    let cli = |range: &str| {
        format!(
            "[project]\nname = \"cli\"\nversion = \"1.0.0\"\ndependencies = [\"core<9\"]\n\
             [dependency-groups]\ndev = [\"core{range}\"] # mine\n"
        )
    };
    let (facts, plan) = made(
        Repo::default()
            .package("core", "1.0.0")
            .manifest("packages/cli", &cli("==1.0.0"))
            .released()
            .commit("fix: x", &["core"]),
    );
    assert_eq!(releases(&plan), "core 1.0.1");
    assert_eq!(after(&facts, &plan, CLI), cli("==1.0.1"));
    let (_, plan) = made(
        Repo::default()
            .package("core", "1.0.0")
            .manifest("packages/cli", &cli(">=1"))
            .released()
            .commit("fix: x", &["core"]),
    );
    assert!(plan.edits.iter().all(|edit| edit.path != CLI));
}

#[test]
fn a_requirement_that_excludes_the_new_version_is_refused() {
    let (_, plan) = made(pair(">=1.2,!=1.3.0", "feat: x"));
    assert_eq!(plan.refused.len(), 1);
    assert!(plan.refused[0].reason.contains("!=1.3.0"), "{:?}", plan.refused);
}

fn poetry(dependency: &str) -> String {
    format!(
        "[tool.poetry]\nname = \"cli\"\nversion = \"1.0.0\"\n[tool.poetry.dependencies]\npython = \"^3.10\"\ncore = {dependency}\n"
    )
}

fn with_poetry(dependency: &str, message: &str) -> Repo {
    Repo::default()
        .package("core", "1.2.0")
        .manifest("packages/cli", &poetry(dependency))
        .released()
        .commit(message, &["core"])
        .commit("fix: y", &["cli"])
}

#[test]
fn carets_move_and_path_dependencies_stay() {
    for (before, message, expected) in [
        ("\"^1.2\"", "fix: x", "\"^1.2\""),
        ("\"^1.2\"", "feat: x", "\"^1.3\""),
        ("\"^1.2\"", "feat!: x", "\"^2.0\""),
        (
            "{ version = \"^1.2\", extras = [\"a\"] } # c",
            "feat!: x",
            "{ version = \"^2.0\", extras = [\"a\"] } # c",
        ),
        ("{ path = \"../core\", develop = true }", "feat!: x", "{ path = \"../core\", develop = true }"),
        ("\"*\"", "feat: x", "\">=1.3.0\""),
    ] {
        let (facts, plan) = made(with_poetry(before, message));
        assert_eq!(after(&facts, &plan, CLI), poetry(expected).replacen("1.0.0", "1.0.1", 1), "{before}");
    }
}

#[test]
fn a_caret_out_of_range_releases_the_dependent_and_a_path_never_does() {
    let alone = |dependency: &str| {
        Repo::default()
            .package("core", "1.2.0")
            .manifest("packages/cli", &poetry(dependency))
            .released()
            .commit("feat!: x", &["core"])
    };
    assert_eq!(releases(&alone("\"^1.2\"").plan()), "core 2.0.0, cli 1.0.1");
    assert_eq!(releases(&alone("{ path = \"../core\" }").plan()), "core 2.0.0");
    let always =
        alone("{ path = \"../core\" }").versioning(|versioning| versioning.dependents = Dependents::Always);
    assert_eq!(releases(&always.plan()), "core 2.0.0, cli 1.0.1");
}

#[test]
fn a_path_dependency_without_a_version_is_told_where_it_is_released() {
    let (_, plan) = made(with_poetry("{ path = \"../core\" }", "fix: x"));
    assert_eq!(
        plan.warnings,
        [
            "cli takes core from `../core` without a version: its wheel asks for that folder, which no index has; \
          add `version` beside `path`"
        ]
    );
    let (_, bound) = made(with_poetry("{ path = \"../core\", version = \"^1\" }", "fix: x"));
    assert!(bound.warnings.is_empty(), "{:?}", bound.warnings);
}

#[test]
fn a_uv_lock_gets_the_new_versions() {
    let lock = "version = 1\n\n[[package]]\nname = \"core\"\nversion = \"1.2.0\"\nsource = { editable = \"packages/core\" }\n";
    let (facts, plan) = made(pair(">=1", "feat: x").file("uv.lock", lock));
    assert_eq!(after(&facts, &plan, "uv.lock"), lock.replace("1.2.0", "1.3.0"));
    assert!(plan.releases.iter().all(|release| release.files.contains(&"uv.lock".to_owned())));
}

#[test]
fn a_uv_lock_that_repeats_a_rewritten_specifier_is_told_to_be_stale() {
    let lock = "version = 1\n\n[[package]]\nname = \"cli\"\nversion = \"1.0.0\"\nsource = { editable = \"packages/cli\" }\n\n\
                [package.metadata]\nrequires-dist = [{ name = \"core\", specifier = \">=1.2,<2\" }]\n";
    let (_, plan) = made(pair(">=1.2,<2", "feat: x").file("uv.lock", lock));
    assert_eq!(plan.warnings, ["`uv.lock` becomes stale: it holds what cli asks of core; run `uv lock`"]);
}

#[test]
fn a_pdm_lock_beside_rewritten_requirements_is_told_to_be_stale() {
    let repo = |message: &str| pair(">=1.2,<2", message).file("packages/cli/pdm.lock", "[metadata]\n");
    let (_, plan) = made(repo("feat: x"));
    assert_eq!(
        plan.warnings,
        [
            "`packages/cli/pdm.lock` becomes stale: it holds a hash of requirements that this release rewrites; \
          run `pdm lock --update-reuse`"
        ]
    );
    let (_, plan) = made(repo("fix: x"));
    assert!(plan.warnings.is_empty(), "{:?}", plan.warnings);
}

#[test]
fn a_poetry_lock_that_can_not_be_kept_true_is_told_to_be_stale() {
    let (facts, plan) = made(
        with_poetry("\"^1.2\"", "feat: x")
            .file("packages/cli/poetry.lock", "[metadata]\ncontent-hash = \"0\"\n"),
    );
    assert!(plan.warnings[0].starts_with("`packages/cli/poetry.lock` becomes stale"), "{:?}", plan.warnings);
    assert_eq!(after(&facts, &plan, "packages/cli/poetry.lock"), "[metadata]\ncontent-hash = \"0\"\n");
}

#[test]
fn a_poetry_lock_keeps_the_versions_of_folders_true() {
    let core = "[[package]]\nname = \"core\"\nversion = \"1.2.0\"\n[package.source]\ntype = \"directory\"\nurl = \"../core\"\n\n";
    // The hash of the manifest's dependencies does not change, so what it is does not matter.
    let lock = format!("{core}[metadata]\ncontent-hash = \"0\"\n");
    let repo = with_poetry("{ path = \"../core\", version = \"^1\" }", "fix: x");
    let (facts, plan) = made(repo.file("packages/cli/poetry.lock", &lock));
    assert_eq!(after(&facts, &plan, "packages/cli/poetry.lock"), lock.replace("1.2.0", "1.2.1"));
    let cli = plan.releases.iter().find(|release| release.package == "cli").unwrap();
    assert!(cli.files.contains(&"packages/cli/poetry.lock".to_owned()), "{:?}", cli.files);
}

#[test]
fn version_files_are_written_with_the_manifest() {
    let (facts, plan) = made(
        Repo::default()
            .package("core", "1.2.0")
            .set("core", |settings| settings.version_files.push("src/v.py".to_owned()))
            .file("packages/core/src/v.py", "V = \"1.2.0\"  # ours\n")
            .released()
            .commit("fix: x", &["core"]),
    );
    assert_eq!(after(&facts, &plan, "packages/core/src/v.py"), "V = \"1.2.1\"  # ours\n");
    let (_, plan) = made(
        Repo::default()
            .package("core", "1.2.0")
            .set("core", |settings| settings.version_files.push("src/v.py".to_owned()))
            .file("packages/core/src/v.py", "V = \"0\"\n")
            .released()
            .commit("fix: x", &["core"]),
    );
    assert_eq!(plan.refused.len(), 1);
}
