use std::collections::BTreeMap;
use std::fs::{File, FileTimes};
use std::time::{Instant, SystemTime};

use crate::check::artifact::{Expected, check};
use crate::check::samples::Sample;
use crate::version::number::Version;
use crate::workspace::name::PackageName;
use crate::world::tools::tests::{or_skip, test_cache};

use super::*;

/// A checkout in a temporary folder, with file times as given.
fn checkout(files: &[(&str, &str)], age: u64) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (path, text) in files {
        let path = folder.path().join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, text).unwrap();
        let time = SystemTime::UNIX_EPOCH + Duration::from_secs(1_600_000_000 + age);
        File::options()
            .write(true)
            .open(&path)
            .unwrap()
            .set_times(FileTimes::new().set_modified(time))
            .unwrap();
    }
    folder
}

async fn uv() -> Option<Frontend> {
    or_skip(test_cache().private_uv().await).map(Frontend::Uv)
}

fn request(checkout: &Path, frontend: Frontend) -> BuildRequest {
    BuildRequest {
        checkout: checkout.to_owned(),
        package: RepoPath::root(),
        out: checkout.join(".out"),
        frontend,
        epoch: 1_700_000_000,
        find_links: None,
        environment: Vec::new(),
        timeout: TIMEOUT,
    }
}

/// A one-module package for a backend.
fn package(build_system: &str, more: &str) -> Vec<(&'static str, String)> {
    let project = format!(
        "[build-system]\n{build_system}\n\n[project]\nname = \"acme-tiny\"\nversion = \"1.2.0\"\ndescription = \
         \"Tiny.\"\nrequires-python = \">=3.9\"\ndependencies = [\"packaging>=21; python_version < '4'\"]\n\n\
         [project.scripts]\nacme-tiny = \"acme_tiny:main\"\n\n{more}"
    );
    vec![
        ("pyproject.toml", project),
        ("src/acme_tiny/__init__.py", "\"\"\"Tiny.\"\"\"\n\n\ndef main():\n    print('tiny')\n".to_owned()),
        ("src/acme_tiny/py.typed", String::new()),
        ("README.md", "# Tiny\n".to_owned()),
    ]
}

/// Builds a package twice, from two checkouts of other ages, and returns the digests by file name of each.
async fn build_twice(files: &[(&str, String)], frontend: &Frontend) -> [BTreeMap<String, Digest>; 2] {
    let files: Vec<(&str, &str)> = files.iter().map(|(path, text)| (*path, text.as_str())).collect();
    let mut digests = Vec::new();
    for age in [0, 1_000_000] {
        let folder = checkout(&files, age);
        let out = tempfile::tempdir().unwrap();
        let built =
            build(BuildRequest { out: out.path().join("o"), ..request(folder.path(), frontend.clone()) })
                .await;
        let built = built.unwrap();
        assert_passes(&built);
        digests.push(built.files.into_iter().map(|file| (file.name, file.digest)).collect());
    }
    digests.try_into().unwrap()
}

/// What a real backend builds must pass our judgement without a word.
fn assert_passes(built: &Built) {
    let bytes: Vec<Vec<u8>> = built.files.iter().map(|file| std::fs::read(&file.path).unwrap()).collect();
    let files: Vec<(&str, &[u8])> =
        built.files.iter().zip(&bytes).map(|(file, bytes)| (file.name.as_str(), bytes.as_slice())).collect();
    let (name, version) = (PackageName::new("acme-tiny"), Version::parse("1.2.0").unwrap());
    let expected = Expected { name: &name, version: &version, internal: &BTreeMap::new(), files: &files };
    assert_eq!(check(&expected), []);
}

async fn check_backend(build_system: &str, more: &str, same: &[&str]) {
    let Some(frontend) = uv().await else { return };
    let began = Instant::now();
    let [one, two] = build_twice(&package(build_system, more), &frontend).await;
    println!("{build_system}: two builds in {:.2?}", began.elapsed());
    assert_eq!(
        one.keys().collect::<Vec<_>>(),
        ["acme_tiny-1.2.0-py3-none-any.whl", "acme_tiny-1.2.0.tar.gz"]
    );
    for (name, digest) in one.iter().filter(|(name, _)| same.iter().any(|ending| name.ends_with(ending))) {
        assert_eq!(Some(digest), two.get(name), "{name} differs between two builds");
    }
}

#[tokio::test]
async fn hatchling_builds_the_same_bytes_twice() {
    check_backend("requires = [\"hatchling\"]\nbuild-backend = \"hatchling.build\"", "", &[".whl", ".gz"])
        .await;
}

#[tokio::test]
async fn uv_build_builds_the_same_bytes_twice() {
    check_backend("requires = [\"uv_build\"]\nbuild-backend = \"uv_build\"", "", &[".whl", ".gz"]).await;
}

#[tokio::test]
async fn flit_builds_the_same_bytes_twice() {
    check_backend("requires = [\"flit_core\"]\nbuild-backend = \"flit_core.buildapi\"", "", &[".whl", ".gz"])
        .await;
}

#[tokio::test]
async fn poetry_core_builds_the_same_bytes_twice() {
    let more = "[tool.poetry]\npackages = [{ include = \"acme_tiny\", from = \"src\" }]\n";
    let build_system = "requires = [\"poetry-core>=2\"]\nbuild-backend = \"poetry.core.masonry.api\"";
    check_backend(build_system, more, &[".whl", ".gz"]).await;
}

#[tokio::test]
async fn setuptools_builds_the_same_files_twice() {
    let build_system = "requires = [\"setuptools>=77\"]\nbuild-backend = \"setuptools.build_meta\"";
    check_backend(build_system, "", &[".whl", ".gz"]).await;
}

#[tokio::test]
async fn the_other_frontend_builds_the_same_wheel() {
    let (Some(uv), Some(tool)) = (uv().await, or_skip(test_cache().private_build().await)) else { return };
    let files = package("requires = [\"flit_core\"]\nbuild-backend = \"flit_core.buildapi\"", "");
    let [by_uv, _] = build_twice(&files, &uv).await;
    let [by_build, _] = build_twice(&files, &Frontend::Build(tool)).await;
    assert_eq!(by_uv, by_build);
}

/// A package whose backend is a script in its own tree (PEP 517, in-tree backends); needs nothing from an index.
fn scripted(script: &str) -> tempfile::TempDir {
    let project = "[build-system]\nrequires = []\nbuild-backend = \"backend\"\nbackend-path = [\".\"]\n";
    checkout(&[("pyproject.toml", project), ("backend.py", script)], 0)
}

async fn failure(script: &str, timeout: Duration) -> Option<(BuildError, PathBuf)> {
    let frontend = uv().await?;
    let folder = scripted(script);
    let out = folder.path().join("out");
    let request = BuildRequest { out: out.clone(), timeout, ..request(folder.path(), frontend) };
    let error = build(request).await.unwrap_err();
    assert_eq!(std::fs::read_dir(&out).unwrap().count(), 0, "a failed build leaves nothing");
    Some((error, out))
}

#[tokio::test]
async fn a_build_that_fails_shows_the_end_of_what_it_said() {
    let script = "def build_sdist(folder, config=None):\n    raise SystemExit('the reason is here')\n";
    let Some((error, _)) = failure(script, TIMEOUT).await else { return };
    assert!(matches!(&error, BuildError::Failed { .. }), "{error}");
    assert!(error.to_string().contains("the reason is here"), "{error}");
}

#[tokio::test]
async fn a_build_that_hangs_is_stopped() {
    let script = "import time\n\ndef build_sdist(folder, config=None):\n    time.sleep(600)\n";
    let began = Instant::now();
    let Some((error, _)) = failure(script, Duration::from_secs(3)).await else { return };
    assert!(matches!(error, BuildError::TimedOut { .. }), "{error}");
    assert!(began.elapsed() < Duration::from_secs(60));
}

#[tokio::test]
async fn a_build_that_writes_nothing_fails() {
    let script = "def build_sdist(folder, config=None):\n    return 'x-1.0.tar.gz'\n";
    let Some((error, _)) = failure(script, TIMEOUT).await else { return };
    assert!(matches!(error, BuildError::Failed { .. } | BuildError::Incomplete { .. }), "{error}");
}

#[tokio::test]
async fn the_backend_sees_a_fixed_environment() {
    let script = "import os, sys\n\ndef build_sdist(folder, config=None):\n    mask = os.umask(0)\n    names = \
                  ['SOURCE_DATE_EPOCH', 'PYTHONHASHSEED', 'LC_ALL', 'TZ', 'GIVEN']\n    raise SystemExit('saw ' + \
                  ' '.join([oct(mask)] + [os.environ.get(name, '-') for name in names]))\n";
    let Some(frontend) = uv().await else { return };
    let folder = scripted(script);
    let environment = vec![("GIVEN".to_owned(), "a;b".to_owned())];
    let error = build(BuildRequest { environment, ..request(folder.path(), frontend) }).await.unwrap_err();
    assert!(error.to_string().contains("saw 0o22 1700000000 0 C.UTF-8 UTC a;b"), "{error}");
}

#[tokio::test]
async fn a_build_requirement_of_the_same_repository_comes_from_its_folder() {
    let (Some(uv), Some(tool)) = (uv().await, or_skip(test_cache().private_build().await)) else { return };
    let links = tempfile::Builder::new().prefix("with space ").tempdir().unwrap();
    let backend = Sample::new("acme-backend", "1.0")
        .file("acme_backend.py", "def build_sdist(folder, config=None):\n    raise SystemExit('found it')\n");
    std::fs::write(links.path().join(backend.wheel_name()), backend.wheel()).unwrap();
    let project = "[build-system]\nrequires = [\"acme-backend\"]\nbuild-backend = \"acme_backend\"\n";
    let folder = checkout(&[("pyproject.toml", project)], 0);
    for frontend in [uv, Frontend::Build(tool)] {
        let find_links = Some(links.path().to_owned());
        let error = build(BuildRequest { find_links, ..request(folder.path(), frontend) }).await.unwrap_err();
        assert!(error.to_string().contains("found it"), "{error}");
    }
}

#[test]
fn the_files_made_are_one_sdist_and_wheels() {
    let folder = tempfile::tempdir().unwrap();
    let put = |name: &str| std::fs::write(folder.path().join(name), "").unwrap();
    let made = || made(&RepoPath::root(), folder.path(), "tail".to_owned());
    put(".gitignore");
    assert!(matches!(made(), Err(BuildError::Incomplete { missing: "files", .. })));
    put("a-1.tar.gz");
    assert!(matches!(made(), Err(BuildError::Incomplete { missing: "wheel", .. })));
    put("b.whl");
    put("a.whl");
    assert_eq!(made().unwrap(), ["a-1.tar.gz", "a.whl", "b.whl"]);
    put("a-2.tar.gz");
    let error = made().unwrap_err().to_string();
    assert!(error.ends_with("made 2 source distributions: a-1.tar.gz, a-2.tar.gz"), "{error}");
    put("a.zip");
    assert!(matches!(made(), Err(BuildError::Unexpected { file, .. }) if file == "a.zip"));
}

#[tokio::test]
async fn a_folder_without_a_project_is_named() {
    let folder = checkout(&[("README", "")], 0);
    let tool = Tool { program: "uv".into(), arguments: Vec::new(), version: String::new(), cache: None };
    let error = build(request(folder.path(), Frontend::Uv(tool.clone()))).await.unwrap_err();
    assert!(matches!(error, BuildError::NoProject { .. }));
    let package = RepoPath::new("no/such").unwrap();
    let error =
        build(BuildRequest { package, ..request(folder.path(), Frontend::Uv(tool)) }).await.unwrap_err();
    assert!(matches!(error, BuildError::Files { .. }));
}

#[cfg(unix)]
#[tokio::test]
async fn a_package_folder_that_links_out_of_the_checkout_is_refused() {
    let (folder, outside) = (checkout(&[], 0), checkout(&[("pyproject.toml", "")], 0));
    std::os::unix::fs::symlink(outside.path(), folder.path().join("pkg")).unwrap();
    let tool = Tool { program: "uv".into(), arguments: Vec::new(), version: String::new(), cache: None };
    let package = RepoPath::new("pkg").unwrap();
    let error =
        build(BuildRequest { package, ..request(folder.path(), Frontend::Uv(tool)) }).await.unwrap_err();
    assert!(matches!(error, BuildError::Outside { .. }));
}

#[test]
fn versions_reach_backends_that_read_tags() {
    let variables = scm_version("acme.core-x", "1.2.0");
    assert!(
        variables
            .contains(&("SETUPTOOLS_SCM_PRETEND_VERSION_FOR_ACME_CORE_X".to_owned(), "1.2.0".to_owned()))
    );
}
