use super::*;

fn read(text: &str) -> Manifest {
    Manifest::read(text, "pyproject.toml").unwrap()
}

/// Each dependency as `place | name | text | path`; the text is read back through its span.
fn check_dependencies(text: &str, expected: &[&str]) {
    let found: Vec<String> = read(text)
        .dependencies
        .iter()
        .map(|one| {
            if !one.escaped {
                assert_eq!(&text[one.span.clone()], one.text);
            }
            let path = one.path.as_deref().unwrap_or("-");
            format!("{} | {} | {} | {path}", one.place, one.name, one.text)
        })
        .collect();
    assert_eq!(found, expected);
}

fn check_error(text: &str, expected: &str) {
    let error = Manifest::read(text, "a/pyproject.toml").unwrap_err().to_string();
    assert!(error.contains(expected), "{error}");
}

const UV: &str = r#"[build-system]
requires = ["hatchling>=1.25", "acme-build>=1"]  # build
build-backend = "hatchling.build"

[project]
name = "Acme.Core"
version = "2.0.0"  # the version
requires-python = ">=3.11"
dependencies = [
    "acme_base[fast]>=1.0,<2 ; python_version >= '3.8'",  # kept
    'acme-tools',
]

[project.optional-dependencies]
test = ["Acme.Core[fast]", "pytest>=8"]

[project.scripts]
acme = "acme.cli:main"

[project.gui-scripts]
acme-window = "acme.window:main"

[dependency-groups]
dev = [{ include-group = "lint" }, "acme-tools>=1"]
lint = ["ruff"]

[tool.uv.sources]
acme-base = { workspace = true }
acme-tools = [{ path = "../tools", marker = "sys_platform == 'linux'" }, { index = "pypi" }]
other = { git = "https://example.org/other" }
"#;

#[test]
fn a_manifest_with_project_is_read() {
    let manifest = read(UV);
    assert_eq!((manifest.name.as_str(), manifest.version()), ("Acme.Core", Some("2.0.0")));
    assert_eq!(&UV[manifest.declared[0].span.clone()], "2.0.0");
    assert_eq!(manifest.build_backend.as_deref(), Some("hatchling.build"));
    assert_eq!(manifest.requires_python.as_deref(), Some(">=3.11"));
    let scripts = [("acme", "acme.cli:main"), ("acme-window", "acme.window:main")];
    assert_eq!(manifest.scripts, scripts.map(|(name, target)| (name.to_owned(), target.to_owned())));
    assert_eq!(manifest.include_groups, [("dev".to_owned(), "lint".to_owned())]);
    assert_eq!(manifest.uv_sources.len(), 2);
    assert!(manifest.uv_sources[&PackageName::new("acme-base")].workspace);
    assert!(!manifest.is_virtual && !manifest.dynamic_version);
}

#[test]
fn every_list_of_requirements_is_found() {
    check_dependencies(
        UV,
        &[
            "dependencies | acme-base | acme_base[fast]>=1.0,<2 ; python_version >= '3.8' | -",
            "dependencies | acme-tools | acme-tools | ../tools",
            "extra `test` | acme-core | Acme.Core[fast] | -",
            "extra `test` | pytest | pytest>=8 | -",
            "group `dev` | acme-tools | acme-tools>=1 | ../tools",
            "group `lint` | ruff | ruff | -",
            "build requirements | hatchling | hatchling>=1.25 | -",
            "build requirements | acme-build | acme-build>=1 | -",
        ],
    );
}

const POETRY: &str = r#"[tool.poetry]
name = "acme-data"
version = '0.2.0'
package-mode = false
[tool.poetry.dependencies]
python = "^3.11"
acme-core = "^1.0"
acme-fast = { version = "~1.2", optional = true }
acme-maths = { path = "../maths", develop = true }
acme-multi = [
    { version = "<2", python = "<3.12" },
    { version = ">=2", python = ">=3.12" },
]
[tool.poetry.extras]
fast = ["acme-fast"]
[tool.poetry.group.test.dependencies]
acme-testing = "^0.1"
[tool.poetry.dev-dependencies]
black = "*"
[tool.poetry.scripts]
acme = "acme.cli:main"
[build-system]
requires = ["poetry-core"]
build-backend = "poetry.core.masonry.api"
"#;

#[test]
fn poetrys_own_tables_are_read() {
    let manifest = read(POETRY);
    assert_eq!((manifest.name.as_str(), manifest.version()), ("acme-data", Some("0.2.0")));
    assert_eq!(manifest.requires_python.as_deref(), Some("^3.11"));
    assert!(manifest.is_virtual);
    assert_eq!(manifest.scripts.len(), 1);
    check_dependencies(
        POETRY,
        &[
            "poetry dependencies | acme-core | ^1.0 | -",
            "extra `fast` | acme-fast | ~1.2 | -",
            "poetry dependencies | acme-maths |  | ../maths",
            "poetry dependencies | acme-multi | <2 | -",
            "poetry dependencies | acme-multi | >=2 | -",
            "group `dev` | black | * | -",
            "group `test` | acme-testing | ^0.1 | -",
            "build requirements | poetry-core | poetry-core | -",
        ],
    );
}

#[test]
fn a_project_takes_its_folders_from_poetrys_table() {
    check_dependencies(
        "[project]\nname = \"a\"\nversion = \"1\"\ndependencies = [\"b (>=1.0,<3)\"]\n\
         [tool.poetry.dependencies]\nb = { path = \"../b\" }\n",
        &["dependencies | b | b (>=1.0,<3) | ../b", "poetry dependencies | b |  | ../b"],
    );
}

#[test]
fn both_tables_may_hold_the_version_when_they_agree() {
    let text = |one: &str, other: &str| {
        format!(
            "[project]\nname = \"a\"\nversion = \"{one}\"\n[tool.poetry]\nname = \"a\"\nversion = \"{other}\"\n"
        )
    };
    assert_eq!(read(&text("1.0", "1.0.0")).declared.len(), 2);
    check_error(&text("1.0", "1.1"), "holds two versions: 1.0 in `[project]`, 1.1 in `[tool.poetry]`");
}

#[test]
fn only_a_version_that_is_dynamic_counts_as_dynamic() {
    assert!(!read("[project]\nname = \"a\"\ndynamic = [\"readme\"]\n").dynamic_version);
    assert!(read("[project]\nname = \"a\"\ndynamic = [\"readme\", \"version\"]\n").dynamic_version);
    check_error(
        "[project]\nname = \"a\"\nversion = \"1\"\ndynamic = [\"version\"]\n",
        "also lists it as dynamic",
    );
}

#[test]
fn a_byte_order_mark_and_carriage_returns_keep_the_places_right() {
    let text =
        "\u{feff}[project]\r\nname = \"a\"\r\nversion = \"1.0\"\r\ndependencies = [\r\n  \"b>=1\",\r\n]\r\n";
    let manifest = read(text);
    assert_eq!(&text[manifest.declared[0].span.clone()], "1.0");
    check_dependencies(text, &["dependencies | b | b>=1 | -"]);
}

#[test]
fn escapes_and_many_lines_are_marked() {
    let text = "[project]\nname = \"a\"\nversion = \"1\"\ndependencies = [\"b>=1; os_name == \\\"nt\\\"\", \"\"\"c>=1\"\"\"]\n";
    let manifest = read(text);
    assert_eq!(manifest.dependencies[0].text, "b>=1; os_name == \"nt\"");
    assert!(manifest.dependencies.iter().all(|one| one.escaped));
    assert_eq!(&text[manifest.dependencies[1].span.clone()], "c>=1");
}

#[test]
fn development_lists_of_uv_and_pdm_are_groups() {
    check_dependencies(
        "[project]\nname = \"a\"\nversion = \"1\"\n[tool.uv]\ndev-dependencies = [\"b\"]\n\
         [tool.pdm.dev-dependencies]\ntest = [\"c\"]\n",
        &["group `dev` | b | b | -", "group `test` | c | c | -"],
    );
}

#[test]
fn a_manifest_that_describes_no_package_is_refused() {
    check_error("[tool.black]\nline-length = 88\n", "`a/pyproject.toml` describes no package");
    check_error("[project]\nversion = \"1\"\n", "names no package");
    check_error("[project]\nname = \"_a\"\n", "`_a` is not a package name");
    check_error(
        "[project]\nname = \"a\"\ndependencies = [\">=1\"]\n",
        "`>=1` in dependencies names no package",
    );
    check_error("[project]\nname = 3\n", "a/pyproject.toml:2:8: `name` must be a string");
    check_error("[project\nname = 3\n", "a/pyproject.toml:1:9: ");
    check_error("project = 3\n", "`project` must be a table");
    check_error(
        "[project]\nname = \"a\"\n[tool.poetry.dependencies]\nb = 3\n",
        "`b` must be a constraint or a table",
    );
}
