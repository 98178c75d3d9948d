//! Repositories in small: which folders are packages, and what is proposed for them.

use super::*;
use crate::workspace::config::ConfigPlace;
use crate::workspace::discover::proposal::{Proposal, propose};

/// Files from `path: text` pairs; a text without `=` or `[` is a project of that name.
fn files(list: &[(&str, &str)]) -> Vec<RepoFile> {
    list.iter()
        .map(|(path, text)| {
            let is_name = !text.contains(['=', '[']);
            let text = if is_name { format!("[project]\nname = \"{text}\"\n") } else { (*text).to_owned() };
            RepoFile { path: (*path).to_owned(), text }
        })
        .collect()
}

fn config(text: &str) -> Config {
    Config::read(text, "release.toml", ConfigPlace::File)
        .unwrap_or_else(|problems| panic!("{}", problems.render("release.toml", text, 100, false)))
}

/// The packages as `name folder`.
fn check(configuration: &str, list: &[(&str, &str)], expected: &[&str]) -> Discovery {
    let found = discover(&config(configuration), &files(list)).unwrap();
    let told: Vec<String> =
        found.packages.iter().map(|package| format!("{} {}", package.name, package.folder)).collect();
    assert_eq!(told, expected);
    found
}

fn problems(configuration: &str, list: &[(&str, &str)]) -> Vec<String> {
    let problems = discover(&config(configuration), &files(list)).unwrap_err();
    problems.into_iter().map(|problem| problem.message).collect()
}

#[test]
fn configured_patterns_name_the_packages() {
    let list = [
        ("pyproject.toml", "root"),
        ("src/a/core/pyproject.toml", "acme-core"),
        ("src/b/mlops/pyproject.toml", "acme-mlops"),
        ("src/b/mlops/tests/pyproject.toml", "deep"),
        ("src/b/tool/pyproject.toml", "[tool.ruff]"),
    ];
    let found = check(
        "workspace.packages = [\"src/*/*\"]",
        &list,
        &["acme-core src/a/core", "acme-mlops src/b/mlops"],
    );
    assert_eq!(
        found.left_out,
        [LeftOut {
            folder: RepoPath::new("src/b/tool").unwrap(),
            reason: "its `pyproject.toml` names no project".to_owned()
        }]
    );
    let found = check("workspace.packages = [\".\"]", &list, &["root ."]);
    assert!(found.is_single_root());
    check("workspace.packages = [\"./src/a/core/\", \"src/a/*\"]", &list, &["acme-core src/a/core"]);
    check("workspace.packages = [\"*\"]", &[("pyproject.toml", "root"), ("a/pyproject.toml", "a")], &["a a"]);
}

#[test]
fn a_pattern_that_matches_nothing_is_told_with_its_place() {
    let text = "[workspace]\npackages = [\"src/*\", \"lib/*\"]\n";
    let list = files(&[("src/a/pyproject.toml", "a"), ("lib/b/setup.py", "[]")]);
    let problems = discover(&config(text), &list).unwrap_err();
    assert_eq!(problems.len(), 1);
    assert_eq!(problems[0].message, "`lib/*` matches no folder with a `pyproject.toml`");
    assert_eq!(&text[problems[0].span.clone().unwrap()], "\"lib/*\"");
    assert_eq!(
        problems[0].help.as_deref(),
        Some("`lib/b` has a `setup.py` or `setup.cfg` only; give it a `pyproject.toml`")
    );
}

#[test]
fn a_folder_named_exactly_must_be_a_package() {
    let list = [("a/pyproject.toml", "[tool.ruff]"), ("b/pyproject.toml", "no = toml = [")];
    assert_eq!(
        problems("workspace.packages = [\"a\"]", &list),
        ["`a` is no package: its `pyproject.toml` names no project"]
    );
    let unpackaged = [("a/pyproject.toml", "[project]\nname = \"a\"\n[tool.uv]\npackage = false\n")];
    check("workspace.packages = [\"a\"]", &unpackaged, &["a a"]);
    check("workspace.packages = [\"*\"]", &unpackaged, &[]);
}

#[test]
fn a_manifest_that_is_no_toml_or_names_nobody_is_not_passed_by() {
    let list = [
        ("a/pyproject.toml", "a"),
        ("b/pyproject.toml", "no = toml = ["),
        ("c/pyproject.toml", "[project]\nname = 5\n"),
        ("d/pyproject.toml", "[project]\n[tool.uv]\npackage = false\n"),
        ("e/pyproject.toml", "[tool.ruff]\n"),
        ("tests/data/pyproject.toml", "no = toml = ["),
    ];
    let broken = [RepoPath::new("b").unwrap(), RepoPath::new("c").unwrap()];
    assert_eq!(check("", &list, &["a a"]).unreadable, broken);
    assert_eq!(check("workspace.packages = [\"*\"]", &list, &["a a"]).unreadable, broken);
    assert_eq!(check("workspace.packages = [\"a\", \"b\"]", &list, &["a a"]).unreadable, broken[..1]);
}

#[test]
fn two_packages_of_one_name_are_a_problem() {
    let list = [("a/pyproject.toml", "acme.core"), ("b/pyproject.toml", "Acme_Core")];
    assert_eq!(problems("", &list), ["`a` and `b` are both named `acme-core`"]);
}

#[test]
fn members_of_the_uv_workspace_are_the_packages() {
    let root = "[project]\nname = \"acme\"\nversion = \"1.0\"\n[tool.uv.workspace]\nmembers = [\"packages/*\"]\n\
                exclude = [\"packages/seeds\"]\n";
    let list = [
        ("pyproject.toml", root),
        ("packages/core/pyproject.toml", "acme-core"),
        ("packages/seeds/pyproject.toml", "seeds"),
        ("other/pyproject.toml", "other"),
    ];
    check("", &list, &["acme .", "acme-core packages/core"]);
    for zero in ["0.0.0", "0", "0.0"] {
        let only_a_workspace = root.replace("\"1.0\"", &format!("\"{zero}\""));
        let mut list = list;
        list[0].1 = &only_a_workspace;
        let found = check("", &list, &["acme-core packages/core"]);
        assert_eq!(
            found.left_out[0].reason,
            "it only holds the workspace together (no build system, version 0)"
        );
    }
}

#[test]
fn without_any_word_every_project_is_a_package_but_for_seldom_released_folders() {
    let found = check(
        "",
        &[
            ("pyproject.toml", "[tool.black]"),
            ("a/pyproject.toml", "a"),
            ("b/pyproject.toml", "[tool.poetry]\nname = \"B_b\"\n"),
            ("b/examples/x/pyproject.toml", "x"),
            ("c/pyproject.toml", "[tool.poetry]\nname = \"c\"\npackage-mode = false\n"),
            (".hidden/pyproject.toml", "h"),
            ("node_modules/n/pyproject.toml", "n"),
            ("old/setup.py", "setup(name = 'old')"),
            ("old/setup.cfg", "[metadata]"),
        ],
        &["a a", "b-b b"],
    );
    let left: Vec<String> =
        found.left_out.iter().map(|left| format!("{}: {}", left.folder, left.reason)).collect();
    assert_eq!(
        left,
        [
            ".: its `pyproject.toml` names no project",
            ".hidden: it stands in a folder `.hidden`",
            "b/examples/x: it stands in a folder `examples`",
            "c: its `pyproject.toml` says that it is no package",
            "node_modules/n: it stands in a folder `node_modules`",
            "old: it has no `pyproject.toml`",
        ]
    );
}

/// What is proposed, where the written file is read again.
fn proposed(list: &[(&str, &str)], tags: &[&str]) -> Proposal {
    let tags: Vec<String> = tags.iter().map(|tag| (*tag).to_owned()).collect();
    let files = files(list);
    let proposal = propose(&files, &tags);
    let read = config(&proposal.to_toml());
    let by_default = discover(&Config::default(), &files).map(|found| found.packages);
    if let Ok(expected) = by_default {
        assert_eq!(
            discover(&read, &files).map(|found| found.packages),
            Ok(expected),
            "{}",
            proposal.to_toml()
        );
    }
    proposal
}

const ACME: [(&str, &str); 3] = [
    ("p/core/pyproject.toml", "acme-core"),
    ("p/ml_ops/pyproject.toml", "acme-mlops"),
    ("p/web/pyproject.toml", "acme-web"),
];

#[test]
fn the_format_of_existing_tags_is_found() {
    for format in [
        "{name}-v{version}",
        "{name}/v{version}",
        "{name}@{version}",
        "{name}-{version}",
        "{name}/{version}",
        "{name}@v{version}",
    ] {
        let tag = |name: &str, version: &str| format.replace("{name}", name).replace("{version}", version);
        let tags = [tag("acme-core", "1.0.0"), tag("acme-web", "0.2.0rc1"), tag("acme_mlops", "1.0.0-rc.1")];
        let tags: Vec<&str> = tags.iter().map(String::as_str).collect();
        let full = proposed(&ACME, &tags);
        assert_eq!((full.tag.as_deref(), full.strip, full.aliases), (Some(format), None, vec![]), "{format}");
        let tags = [tag("core", "1.0.0"), tag("web", "0.2.0"), tag("mlops", "1.0.0")];
        let tags: Vec<&str> = tags.iter().map(String::as_str).collect();
        let short = proposed(&ACME, &tags);
        assert_eq!((short.tag.as_deref(), short.strip.as_deref()), (Some(format), Some("acme-")), "{format}");
    }
}

#[test]
fn a_single_package_has_tags_without_a_name() {
    let single = [("pyproject.toml", "acme")];
    assert_eq!(proposed(&single, &["v1.0.0", "v1.1.0"]).tag.as_deref(), Some("v{version}"));
    assert_eq!(proposed(&single, &["1.0.0", "1.1.0"]).tag.as_deref(), Some("{version}"));
    assert_eq!(proposed(&single, &["release-1.0.0"]).tag.as_deref(), Some("release-{version}"));
    assert_eq!(proposed(&single, &["acme-v1.0.0"]).tag.as_deref(), Some("{name}-v{version}"));
    let moved = proposed(&single, &["1.0.0", "1.1.0", "v1.2.0"]);
    assert_eq!((moved.tag.as_deref(), moved.aliases), (Some("v{version}"), vec!["{version}".to_owned()]));
    assert_eq!(proposed(&single, &[]).tag, None);
}

#[test]
fn the_newest_tag_of_a_package_tells_its_format_and_older_ones_are_aliases() {
    let mixed =
        proposed(&ACME, &["core-1.0.0", "core-v1.1.0", "web-0.9.0", "web-v1.0.0", "acme-core-v0.1.0"]);
    assert_eq!(mixed.tag.as_deref(), Some("{name}-v{version}"));
    assert_eq!(mixed.strip.as_deref(), Some("acme-"));
    assert_eq!(mixed.aliases, ["{name}-{version}", "acme-{name}-v{version}"]);
    let own = proposed(&ACME, &["core-v1.0.0", "web-v1.0.0", "mlops/v1.0.0"]);
    assert_eq!(own.of_packages["acme-mlops"].tag.as_deref(), Some("{name}/v{version}"));
    assert_eq!(own.aliases, [""; 0]);
    let folder = proposed(&ACME, &["core-v1.0.0", "web-v1.0.0", "ml_ops-v1.0.0"]);
    assert_eq!(folder.of_packages["acme-mlops"].name.as_deref(), Some("ml_ops"));
    assert_eq!(folder.of_packages["acme-mlops"].tag, None);
}

#[test]
fn a_root_package_among_others_keeps_its_nameless_tags() {
    let list = [("pyproject.toml", "acme"), ("plugins/x/pyproject.toml", "acme-x")];
    let found = proposed(&list, &["v1.0.0", "acme-x-v0.1.0"]);
    assert_eq!(found.tag.as_deref(), Some("{name}-v{version}"));
    assert_eq!(found.of_packages["acme"].tag.as_deref(), Some("v{version}"));
    assert_eq!(found.packages, [".", "plugins/x"]);
}

#[test]
fn tags_of_nobody_are_told() {
    let notes = proposed(&ACME, &["v0.0.1", "legacy-etl-v0.1.0", "nightly", "core-v1.0.0"]).notes;
    assert_eq!(
        notes,
        [
            "3 packages: `acme-core` (p/core), `acme-mlops` (p/ml_ops), `acme-web` (p/web)",
            "1 tag is written `{name}-v{version}`",
            "names in tags leave out `acme-`",
            "1 tag is of `legacy-etl`, which is no package here: retired or renamed",
            "for the whole repository, not for a package: `v0.0.1`",
            "no version is read from `nightly`",
        ]
    );
}

#[test]
fn a_format_that_another_tool_declares_is_taken_where_no_tag_speaks() {
    let semantic = "[project]\nname = \"acme\"\n[tool.semantic_release]\ntag_format = \"acme-{version}\"\n";
    let found = proposed(&[("pyproject.toml", semantic)], &[]);
    assert_eq!(found.tag.as_deref(), Some("{name}-{version}"));
    assert_eq!(
        found.notes,
        [
            "1 package: `acme` (.)",
            "no tag is there yet; `{name}-{version}` is declared by another tool",
            "`pyproject.toml` configures python-semantic-release with the tag format `acme-{version}`",
        ]
    );
    assert_eq!(proposed(&[("pyproject.toml", semantic)], &["v1.0.0"]).tag.as_deref(), Some("v{version}"));
    let core = "[project]\nname = \"acme-core\"\n[tool.commitizen]\ntag_format = \"core/v$version\"\n";
    let several = proposed(&[("core/pyproject.toml", core), ("web/pyproject.toml", "acme-web")], &[]);
    assert_eq!(
        (several.tag.as_deref(), several.strip.as_deref()),
        (Some("{name}/v{version}"), Some("acme-"))
    );
}

#[test]
fn nothing_at_all_still_gives_a_file_that_is_read() {
    let nothing = proposed(&[], &[]);
    assert_eq!(nothing.notes, ["no package was found: no `pyproject.toml` with a name"]);
    assert_eq!(config(&nothing.to_toml()).tables, Config::default().tables);
}

#[test]
fn the_proposed_file_holds_only_what_differs() {
    let list = [("libs/core/pyproject.toml", "acme-core"), ("libs/web/pyproject.toml", "acme-web")];
    let mut proposal = proposed(&list, &["core-1.0.0", "core-v1.1.0", "web-v1.0.0"]);
    proposal.branch = Some("main".to_owned());
    assert_eq!(
        proposal.to_toml(),
        "\
# How this repository is released. Every key may be left out; `release plan` shows what comes of it.

[workspace]
packages = [\"libs/*\"] # acme-core, acme-web
# tag = \"{name}-v{version}\" # the default, as 2 tags are written
aliases = [\"{name}-{version}\"] # formats of older tags, still read
strip = \"acme-\" # acme-core is `core` in tags, commands and reports
branch = \"main\"

# [versioning]
# types = { docs = \"patch\" }        # sizes of further types; feat, fix, perf and revert have theirs
# dependents = \"out-of-range\"       # who is released with a dependency: never, out-of-range, always

# Releases go to the folder dist/index until an index is named:
# [index.pypi]
# upload = \"https://upload.pypi.org/legacy/\"
# auth = \"trusted\"                  # or \"token\"
# [package.acme-core]
# index = \"pypi\"
"
    );
}

#[test]
fn a_monorepo_of_seven_packages_is_seen_through() {
    let root = "[project]\nname = \"acme-monorepo\"\nversion = \"0.0.0\"\n[tool.uv]\npackage = false\n\
                [tool.uv.workspace]\nmembers = [\"src/packages/*/*\"]\n";
    let list = [
        ("pyproject.toml", root),
        ("src/packages/ai/mlops/pyproject.toml", "acme-mlops"),
        ("src/packages/data/anomaly_detection/pyproject.toml", "acme-anomaly-detection"),
        ("src/packages/data/data_observability/pyproject.toml", "acme-data-observability"),
        ("src/packages/formal_sciences/mathematics/pyproject.toml", "acme-mathematics"),
        ("src/packages/ops/infrastructure/pyproject.toml", "acme-infrastructure"),
        ("src/packages/software/core/pyproject.toml", "acme-core"),
        ("src/packages/software/interfaces/pyproject.toml", "acme-interfaces"),
    ];
    let tags = [
        "anomaly-detection-v1.1.0",
        "core-v2.0.0",
        "data-observability-v0.2.0",
        "infrastructure-v0.3.1",
        "interfaces-v0.5.0",
        "legacy-etl-v0.1.0",
        "mathematics-v1.3.0",
        "mlops-v0.2.0",
        "mlops-v0.2.0rc1",
        "mlops-v0.4.0",
        "v0.0.1",
    ];
    let seen = proposed(&list, &tags);
    assert_eq!(seen.packages, ["src/packages/*/*"]);
    assert_eq!(seen.names.len(), 7);
    assert_eq!((seen.tag.as_deref(), seen.tag_count), (Some("{name}-v{version}"), 9));
    assert_eq!(seen.strip.as_deref(), Some("acme-"));
    assert_eq!((seen.aliases, seen.of_packages), (vec![], BTreeMap::new()));
    assert_eq!(
        seen.notes[1..],
        [
            "`.` is left out: its `pyproject.toml` says that it is no package",
            "9 tags are written `{name}-v{version}`",
            "names in tags leave out `acme-`",
            "1 tag is of `legacy-etl`, which is no package here: retired or renamed",
            "for the whole repository, not for a package: `v0.0.1`",
        ]
    );
}
