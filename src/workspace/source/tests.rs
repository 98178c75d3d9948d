use super::*;

/// Where the version of a manifest stands: `static`, `vcs BACKEND`, `FILE KIND`, or the error.
fn check(text: &str, files: &[&str], expected: &str) {
    let found = match Manifest::read(text, "pyproject.toml") {
        Ok(manifest) => match locate(text, &manifest, &|path| files.contains(&path)) {
            Ok(source) => words(&source),
            Err(error) => error.to_string(),
        },
        Err(error) => error.to_string(),
    };
    assert!(
        found == expected || (expected.ends_with('…') && found.contains(expected.trim_end_matches('…'))),
        "{found}\n{text}"
    );
}

fn words(source: &VersionSource) -> String {
    match source {
        VersionSource::Static { in_project, in_poetry } => format!("static {in_project} {in_poetry}"),
        VersionSource::Vcs { backend } => format!("vcs {backend}"),
        VersionSource::File { path, kind: FileKind::PythonAttribute { names } } => {
            format!("{path} {}", names.join("|"))
        }
        VersionSource::File { path, kind: FileKind::Pattern { pattern } } => format!("{path} /{pattern}/"),
        VersionSource::File { path, kind } => format!("{path} {kind:?}"),
        VersionSource::Unknown { reason } => format!("unknown: {reason}"),
    }
}

/// A manifest of the backend whose version is dynamic.
fn dynamic(backend: &str, more: &str) -> String {
    format!(
        "[project]\nname = \"acme-core\"\ndynamic = [\"version\"]\n{more}\n[build-system]\n\
         requires = [\"x\"]\nbuild-backend = \"{backend}\"\n"
    )
}

#[test]
fn a_version_in_the_manifest_is_static() {
    check("[project]\nname = \"a\"\nversion = \"1\"\n", &[], "static true false");
    check("[tool.poetry]\nname = \"a\"\nversion = \"1\"\n", &[], "static false true");
    check(
        "[project]\nname = \"a\"\nversion = \"1\"\n[tool.poetry]\nversion = \"1\"\n",
        &[],
        "static true true",
    );
    check(
        "[project]\nname = \"a\"\ndynamic = [\"version\"]\n[tool.poetry]\nversion = \"1\"\n",
        &[],
        "static false true",
    );
    check("[project]\nname = \"a\"\n", &[], "`pyproject.toml` has no version: write one in `[project]`");
}

#[test]
fn flit_keeps_it_in_the_module() {
    let named = dynamic("flit_core.buildapi", "[tool.flit.module]\nname = \"acme_mathematics\"");
    check(&named, &["src/acme_mathematics/__init__.py"], "src/acme_mathematics/__init__.py __version__");
    check(&named, &["acme_mathematics.py"], "acme_mathematics.py __version__");
    let unnamed = dynamic("flit_core.buildapi", "");
    check(&unnamed, &["acme_core/__init__.py"], "acme_core/__init__.py __version__");
    check(
        &unnamed,
        &[],
        "takes the version from the module `acme_core`, but there is none of `src/acme_core/__init__.py`, …",
    );
    check(&unnamed, &["acme_core.py", "src/acme_core.py"], "which may be any of…");
    let dotted = dynamic("flit_core.buildapi", "[tool.flit.module]\nname = \"acme.core\"");
    check(&dotted, &["src/acme/core/__init__.py"], "src/acme/core/__init__.py __version__");
}

#[test]
fn hatch_names_a_file_and_perhaps_a_pattern() {
    let hatch = |lines: &str| dynamic("hatchling.build", &format!("[tool.hatch.version]\n{lines}"));
    let files = ["src/a/__about__.py"];
    check(
        &hatch("path = \"./src/a/__about__.py\""),
        &files,
        "src/a/__about__.py __version__|VERSION|version|__VERSION__",
    );
    check(
        &hatch("path = \"src/a/__about__.py\"\npattern = 'v(?P<version>[^\"]+)'"),
        &files,
        "src/a/__about__.py /v(?P<version>[^\"]+)/",
    );
    check(
        &hatch("source = \"code\"\npath = \"src/a/__about__.py\"\nexpression = \"RELEASE\""),
        &files,
        "src/a/__about__.py RELEASE",
    );
    check(
        &hatch("source = \"code\"\npath = \"src/a/__about__.py\"\nexpression = \"v()\""),
        &files,
        "its `expression` is computed…",
    );
    check(&hatch("source = \"vcs\""), &[], "vcs hatch vcs");
    check(&hatch("source = \"env\"\npath = \"x\""), &["x"], "the Hatch source `env`…");
    check(&hatch(""), &[], "names no `path`…");
}

#[test]
fn setuptools_names_an_attribute_or_a_file() {
    let setuptools = |lines: &str| dynamic("setuptools.build_meta", lines);
    let attr = "[tool.setuptools.dynamic]\nversion = { attr = \"acme_infrastructure.__version__\" }\n";
    let found = "[tool.setuptools.packages.find]\nwhere = [\"src\"]\n";
    check(
        &setuptools(&format!("{attr}{found}")),
        &["src/acme_infrastructure/__init__.py"],
        "src/acme_infrastructure/__init__.py __version__",
    );
    check(
        &setuptools(attr),
        &["acme_infrastructure/__init__.py"],
        "acme_infrastructure/__init__.py __version__",
    );
    check(&setuptools(attr), &["src/acme_infrastructure.py"], "src/acme_infrastructure.py __version__");
    let mapped = "[tool.setuptools]\npackage-dir = { \"\" = \"lib\" }\n[tool.setuptools.dynamic]\nversion.attr = \"a.b.V\"\n";
    check(&setuptools(mapped), &["lib/a/b.py"], "lib/a/b.py V");
    let mapped = "[tool.setuptools]\npackage-dir = { \"a\" = \"code\", \"ab\" = \"x\" }\n[tool.setuptools.dynamic]\nversion.attr = \"a.V\"\n";
    check(&setuptools(mapped), &["code/__init__.py", "x.py"], "code/__init__.py V");
    let file = "[tool.setuptools.dynamic]\nversion = { file = \"VERSION\" }\n";
    check(&setuptools(file), &["VERSION"], "VERSION PlainText");
    check(&setuptools(&file.replace("\"VERSION\"", "[\"VERSION\"]")), &["VERSION"], "VERSION PlainText");
    check(
        &setuptools(&file.replace("\"VERSION\"", "[\"A\", \"B\"]")),
        &["A", "B"],
        "a `file` that is one file…",
    );
    check(&setuptools(""), &[], "it is said in `setup.py` or `setup.cfg`…");
}

#[test]
fn tags_are_the_version_of_vcs_backends() {
    check(&dynamic("setuptools.build_meta", "[tool.setuptools_scm]"), &[], "vcs setuptools_scm");
    let needed = dynamic("setuptools.build_meta", "").replace("[\"x\"]", "[\"setuptools_scm[simple]>=9\"]");
    check(&needed, &[], "vcs setuptools_scm");
    check(&dynamic("pdm.backend", "[tool.pdm.version]\nsource = \"scm\""), &[], "vcs pdm scm");
    check(&dynamic("setuptools.build_meta", "[tool.versioningit]"), &[], "vcs versioningit");
    check(&dynamic("flit_scm:buildapi", ""), &[], "vcs flit_scm");
    check(
        "[tool.poetry]\nname = \"a\"\nversion = \"0.0.0\"\n[tool.poetry-dynamic-versioning]\nenable = true\n",
        &[],
        "vcs poetry-dynamic-versioning",
    );
    check(
        "[tool.poetry]\nname = \"a\"\nversion = \"0.1.0\"\n[tool.poetry-dynamic-versioning]\nenable = false\n",
        &[],
        "static false true",
    );
}

#[test]
fn pdm_maturin_and_scikit_build_name_files() {
    let pdm = "[tool.pdm.version]\nsource = \"file\"\npath = \"a/__init__.py\"";
    check(&dynamic("pdm.backend", pdm), &["a/__init__.py"], "a/__init__.py __version__");
    check(&dynamic("pdm.backend", "[tool.pdm.version]\nsource = \"call\""), &[], "the PDM source `call`…");
    check(&dynamic("maturin", ""), &["Cargo.toml"], "Cargo.toml CargoToml");
    let maturin = "[tool.maturin]\nmanifest-path = \"rust/Cargo.toml\"";
    check(&dynamic("maturin", maturin), &["rust/Cargo.toml"], "rust/Cargo.toml CargoToml");
    let scikit = "[tool.scikit-build.metadata.version]\nprovider = \"scikit_build_core.metadata.regex\"\ninput = \"a.py\"";
    check(&dynamic("scikit_build_core.build", scikit), &["a.py"], "a.py __version__|VERSION");
    check(&dynamic("mesonpy", ""), &[], "`mesonpy`, which can not be edited: this backend is not known…");
}

fn check_version(text: &str, kind: &FileKind, expected: Result<&str, &str>) {
    match (read_version("f", text, kind), expected) {
        (Ok((version, span)), Ok(expected)) => {
            assert_eq!((version.as_str(), &text[span]), (expected, expected));
        }
        (Err(error), Err(expected)) => assert!(error.to_string().contains(expected), "{error}"),
        (found, expected) => panic!("{found:?}, not {expected:?} in {text:?}"),
    }
}

#[test]
fn a_plain_file_holds_the_version_alone() {
    check_version("1.2.3\n", &FileKind::PlainText, Ok("1.2.3"));
    check_version("\u{feff}1.2.3\r\n", &FileKind::PlainText, Ok("1.2.3"));
    check_version("\n", &FileKind::PlainText, Err("the version and nothing else"));
    check_version("1.2.3 beta\n", &FileKind::PlainText, Err("the version and nothing else"));
}

#[test]
fn a_pattern_finds_the_first_match() {
    let pattern = |text: &str| FileKind::Pattern { pattern: text.to_owned() };
    check_version("a\nv=1.2\nv=1.3\n", &pattern("^v=(?P<version>.+)$"), Ok("1.2"));
    check_version("a\n", &pattern("^v=(?P<version>.+)$"), Err("finds none"));
    check_version("a\n", &pattern("(?P<version>a)(?P=version)"), Err("is not understood"));
    check_version("a\n", &pattern("a"), Err("finds none"));
    check_version("v 1.2\n", &pattern("^v (?P<value>.+)$"), Ok("1.2"));
}

#[test]
fn a_cargo_manifest_must_have_its_own_version() {
    let text = "[package]\nname = \"a\"\nversion = \"0.3.0\"\n[dependencies]\nb = { version = \"1\" }\n";
    check_version(text, &FileKind::CargoToml, Ok("0.3.0"));
    check_version(
        "[package]\nversion.workspace = true\n",
        &FileKind::CargoToml,
        Err("no `version` of its own"),
    );
    check_version("[workspace]\n", &FileKind::CargoToml, Err("no `version` of its own"));
    check_version("[package\n", &FileKind::CargoToml, Err("f:1:"));
}
