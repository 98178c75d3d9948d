use super::*;

/// A tree of files and a scope in it.
struct Tree(tempfile::TempDir);

fn tree(files: &[(&str, &str)]) -> Tree {
    let folder = tempfile::tempdir().unwrap();
    for (path, text) in files {
        let path = folder.path().join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, text).unwrap();
    }
    Tree(folder)
}

impl Tree {
    fn scope(&self, package: &str) -> Result<Scope, Unfit> {
        let recipe =
            Recipe { requires: vec!["hatchling>=1".to_owned()], backend: "hatchling.build".to_owned() };
        Scope::of(&self.0.path().canonicalize().unwrap().join(package), &recipe)
    }

    fn settings(&self, package: &str) -> Option<PathBuf> {
        let settings = self.scope(package).unwrap().settings?;
        Some(settings.strip_prefix(self.0.path().canonicalize().unwrap()).unwrap().to_owned())
    }

    fn range(&self, package: &str) -> Option<String> {
        match self.scope(package).unwrap().python {
            PythonWish::Range(range) => range,
            PythonWish::Files(files) => panic!("{files:?}"),
        }
    }
}

fn project(python: &str, more: &str) -> String {
    format!("[project]\nname = \"a\"\nrequires-python = \"{python}\"\n{more}\n")
}

const ROOT: &str = "[tool.uv.workspace]\nmembers = [\"packages/*\", \"./tools/one/\"]\nexclude = [\"packages/out\"]\n\
                    [tool.uv]\nindex-strategy = \"first-index\"\n";

#[test]
fn members_share_the_settings_and_the_python_of_their_workspace() {
    let tree = tree(&[
        ("pyproject.toml", ROOT),
        ("packages/a/pyproject.toml", &project(">=3.9", "[tool.uv.sources]\ncore = { workspace = true }")),
        ("packages/b/pyproject.toml", &project(">=3.10", "")),
        ("packages/out/pyproject.toml", &project(">=3.12", "[tool.uv]\npackage = true")),
        ("tools/one/pyproject.toml", &project(">=3.9,<4", "")),
        ("tools/two/pyproject.toml", &project(">=3.8", "")),
    ]);
    let all = Some(">=3.10,>=3.9,>=3.9,<4".to_owned());
    for member in ["packages/a", "packages/b", "tools/one"] {
        assert_eq!(
            (tree.settings(member), tree.range(member)),
            (Some(PathBuf::new()), all.clone()),
            "{member}"
        );
    }
    let out = (tree.settings("packages/out"), tree.range("packages/out"));
    assert_eq!(out, (Some(PathBuf::from("packages/out")), Some(">=3.12".to_owned())), "it is excluded");
    let two = (tree.settings("tools/two"), tree.range("tools/two"));
    assert_eq!(two, (Some(PathBuf::new()), Some(">=3.8".to_owned())), "no member, but below its settings");
}

#[test]
fn the_nearest_manifest_above_decides_on_the_workspace() {
    let tree = tree(&[
        ("pyproject.toml", ROOT),
        ("packages/a/pyproject.toml", &project(">=3.9", "")),
        ("packages/a/deep/pyproject.toml", &project(">=3.11", "")),
        ("packages/poetry/pyproject.toml", "[tool.poetry]\nname = \"p\"\n"),
    ]);
    assert_eq!(tree.range("packages/a/deep"), Some(">=3.11".to_owned()));
    assert_eq!(tree.range("packages/poetry"), None);
    let root = tree.0.path().canonicalize().unwrap();
    assert_eq!(tree.scope("packages/a"), Err(Unfit::Workspace { root }), "a member has no `[project]`");
}

#[test]
fn settings_stand_in_uv_toml_too_and_version_files_win() {
    let tree = tree(&[
        ("uv.toml", "index-url = \"https://example.org/simple\"\n"),
        (".python-version", "3.12\n"),
        ("a/pyproject.toml", &project(">=3.9", "")),
        ("b/pyproject.toml", &project(">=3.9", "")),
        ("b/.python-version", "3.11\n"),
    ]);
    assert_eq!(tree.settings("a"), Some(PathBuf::new()));
    let wish = |package: &str| tree.scope(package).unwrap().python;
    assert_eq!(wish("a"), PythonWish::Files(vec![(".python-version", "3.12\n".to_owned())]));
    assert_eq!(wish("b"), PythonWish::Files(vec![(".python-version", "3.11\n".to_owned())]));
}

#[test]
fn settings_of_one_package_are_left_to_uv() {
    for (settings, key) in [
        ("[tool.uv.extra-build-dependencies]\na = [\"cython\"]", "extra-build-dependencies"),
        ("[tool.uv.extra-build-variables]\na = { X = \"1\" }", "extra-build-variables"),
        ("[tool.uv.config-settings-package]\na = { x = \"y\" }", "config-settings-package"),
        ("[tool.uv]\nno-build-isolation-package = [\"a\"]", "no-build-isolation-package"),
        ("[tool.uv]\nbuild-constraint-dependencies = [\"hatchling<2\"]", "build-constraint-dependencies"),
        ("[tool.uv]\nmanaged = false", "managed"),
        ("[tool.uv]\nnot-known-yet = true", "not-known-yet"),
    ] {
        let at_root = tree(&[("pyproject.toml", settings), ("a/pyproject.toml", &project(">=3.9", ""))]);
        assert_eq!(at_root.scope("a"), Err(Unfit::Setting { key: key.to_owned() }));
        let own = tree(&[("a/pyproject.toml", &project(">=3.9", settings))]);
        assert_eq!(own.scope("a"), Err(Unfit::Setting { key: key.to_owned() }));
    }
    let file = tree(&[
        ("uv.toml", "no-build-isolation-package = [\"a\"]"),
        ("a/pyproject.toml", &project(">=3", "")),
    ]);
    assert!(matches!(file.scope("a"), Err(Unfit::Setting { .. })));
}

#[test]
fn requirements_from_elsewhere_environments_and_wide_patterns_are_left_to_uv() {
    let source = tree(&[
        ("pyproject.toml", "[tool.uv.sources]\nHatchling = { path = \"hatch\" }\n"),
        ("a/pyproject.toml", &project(">=3.9", "")),
    ]);
    assert_eq!(source.scope("a"), Err(Unfit::Source { name: "hatchling".to_owned() }));
    let environment = tree(&[(".venv/pyvenv.cfg", ""), ("a/pyproject.toml", &project(">=3.9", ""))]);
    assert!(matches!(environment.scope("a"), Err(Unfit::Environment { .. })));
    let wide = tree(&[
        ("pyproject.toml", "[tool.uv.workspace]\nmembers = [\"**\"]\n"),
        ("a/pyproject.toml", &project(">=3.9", "")),
    ]);
    assert!(matches!(wide.scope("a"), Err(Unfit::Workspace { .. })));
    let broken = tree(&[("pyproject.toml", "[tool"), ("a/pyproject.toml", &project(">=3.9", ""))]);
    assert!(matches!(broken.scope("a"), Err(Unfit::Unreadable { .. })));
}
