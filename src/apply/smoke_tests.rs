use std::path::Path;
use std::time::Instant;

use crate::apply::build::{BuildRequest, Frontend, TIMEOUT, build};
use crate::apply::index::{self, publish};
use crate::check::artifact::{Expected, check};
use crate::check::samples::Sample;
use crate::plan::digest::Digest;
use crate::workspace::path::RepoPath;
use crate::world::command::Command;
use crate::world::testing::{free_port, serving};
use crate::world::tools::Tool;
use crate::world::tools::tests::{or_skip, test_cache};

use super::*;

fn app() -> Sample {
    Sample::new("acme-app", "1.0")
        .fields("Requires-Python: >=3.9\nRequires-Dist: acme-core>=1.5")
        .file("acme_app.py", "import acme\n\n\ndef main():\n    print('usage: acme')\n")
        .file("acme_app-1.0.dist-info/entry_points.txt", "[console_scripts]\nacme-app = acme_app:main\n")
}

fn core() -> Sample {
    Sample::new("acme-core", "1.5")
}

fn index_of(samples: &[Sample]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for sample in samples {
        let name = PackageName::new(sample.name);
        for (file, bytes) in [(sample.wheel_name(), sample.wheel()), (sample.sdist_name(), sample.sdist())] {
            publish(folder.path(), &name, &file, &bytes, &Digest::of(&bytes)).unwrap();
        }
    }
    folder
}

fn request(index: &Path, installer: Installer) -> SmokeRequest {
    let version = |text: &str| Version::parse(text).unwrap();
    SmokeRequest {
        index: index.to_owned(),
        address: index::address(index).unwrap(),
        package: PackageName::new("acme-app"),
        version: version("1.0"),
        internal: [("acme-app", "1.0"), ("acme-core", "1.5")]
            .into_iter()
            .map(|(name, number)| (PackageName::new(name), version(number)))
            .collect(),
        installer,
        timeout: Duration::from_secs(300),
        script_timeout: Duration::from_secs(20),
    }
}

async fn uv() -> Option<Installer> {
    or_skip(test_cache().private_uv().await).map(Installer::Uv)
}

/// pip, in tests that need Python anyway; skipped where uv is, so that one message says what is missing.
async fn pip() -> Option<Installer> {
    uv().await?;
    Some(Installer::Pip(Tool::python().await.unwrap().unwrap()))
}

async fn outcome(samples: &[Sample]) -> Option<Outcome> {
    let installer = uv().await?;
    let index = index_of(samples);
    Some(smoke(request(index.path(), installer)).await.unwrap().outcome)
}

#[track_caller]
fn assert_fails(outcome: &Outcome, part: &str) {
    assert!(matches!(outcome, Outcome::Fail { reason } if reason.contains(part)), "{outcome:#?}");
}

#[tokio::test]
async fn a_package_that_works_passes_with_both_installers() {
    for installer in [uv().await, pip().await] {
        let Some(installer) = installer else { return };
        let index = index_of(&[app(), core()]);
        let began = Instant::now();
        let report = smoke(request(index.path(), installer)).await.unwrap();
        println!("{} in {:.2?}", report.evidence["installer"], began.elapsed());
        assert_eq!(report.outcome, Outcome::Pass, "{report:#?}");
        assert!(report.evidence["python"].starts_with("cpython 3."));
        assert_eq!(report.evidence["installed/acme-core"], format!("1.5 {}", Digest::of(&core().wheel())));
        assert_eq!(report.evidence["imported"], "acme, acme_app");
        assert_eq!(report.evidence["script/acme-app"], "exit 0");
    }
}

#[tokio::test]
async fn requirements_from_elsewhere_are_installed_from_the_default_index() {
    let outside = app().fields("Requires-Dist: acme-core\nRequires-Dist: iniconfig>=2; python_version >= '3'\nRequires-Dist: nothing; python_version < '3'");
    let Some(installer) = uv().await else { return };
    let index = index_of(&[outside, core()]);
    let report = smoke(request(index.path(), installer)).await.unwrap();
    assert_eq!(report.outcome, Outcome::Pass, "{report:#?}");
    assert!(report.evidence["installed/iniconfig"].starts_with('2'));
}

#[tokio::test]
async fn a_requirement_from_elsewhere_that_can_not_be_had_is_inconclusive() {
    let fields = "Requires-Dist: acme-core\nRequires-Dist: iniconfig>=99999";
    let Some(outcome) = outcome(&[app().fields(fields), core()]).await else { return };
    assert!(
        matches!(&outcome, Outcome::Inconclusive { reason } if reason.contains("iniconfig")),
        "{outcome:#?}"
    );
}

#[tokio::test]
async fn an_internal_requirement_that_is_not_published_is_inconclusive() {
    let Some(outcome) = outcome(&[app()]).await else { return };
    assert!(
        matches!(&outcome, Outcome::Inconclusive { reason } if reason.contains("requires `acme-core` of this repository"))
    );
}

#[tokio::test]
async fn a_module_that_can_not_be_imported_fails() {
    let Some(outcome) = outcome(&[app().file("acme_bad.py", "import not_there\n"), core()]).await else {
        return;
    };
    assert_fails(&outcome, "importing `acme_bad` failed");
    assert_fails(&outcome, "No module named 'not_there'");
}

#[tokio::test]
async fn an_entry_point_that_is_not_there_fails() {
    let info = "[console_scripts]\nacme-app = acme_app:missing\n";
    let mut sample = app();
    sample.files.retain(|(path, _)| !path.ends_with("entry_points.txt"));
    let sample = sample.file("acme_app-1.0.dist-info/entry_points.txt", info);
    let Some(outcome) = outcome(&[sample, core()]).await else { return };
    assert_fails(&outcome, "loading `acme-app` failed");
}

/// An app whose script does what a text says.
fn scripted(text: &'static str) -> Sample {
    let mut sample = app();
    sample.files.retain(|(path, _)| *path != "acme_app.py");
    sample.file("acme_app.py", text)
}

#[tokio::test]
async fn a_script_that_crashes_or_hangs_fails_and_one_that_complains_does_not() {
    let crash = scripted("def main():\n    raise ValueError('boom')\n");
    let Some(crashed) = outcome(&[crash, core()]).await else { return };
    assert_fails(&crashed, "`acme-app --help` failed");
    assert_fails(&crashed, "ValueError: boom");
    let killed = scripted("import os, signal\n\ndef main():\n    os.kill(os.getpid(), signal.SIGSEGV)\n");
    assert_fails(&outcome(&[killed, core()]).await.unwrap(), "signal: 11");

    let index = index_of(&[scripted("import time\n\ndef main():\n    time.sleep(600)\n"), core()]);
    let hanging =
        SmokeRequest { script_timeout: Duration::from_secs(1), ..request(index.path(), uv().await.unwrap()) };
    assert_fails(&smoke(hanging).await.unwrap().outcome, "`acme-app --help` took too long");

    let index = index_of(&[scripted("def main():\n    raise SystemExit(2)\n"), core()]);
    let report = smoke(request(index.path(), uv().await.unwrap())).await.unwrap();
    assert_eq!(report.outcome, Outcome::Pass);
    assert_eq!(report.notes, ["`acme-app --help` ends with exit code 2"]);
}

#[tokio::test]
async fn bytes_that_are_not_those_of_the_hash_are_not_installed() {
    for installer in [uv().await, pip().await] {
        let Some(installer) = installer else { return };
        let index = index_of(&[app(), core()]);
        let environment = Environment::make(installer, None, Duration::from_secs(300)).await.unwrap();
        let wrong = format!("acme-core==1.5 --hash={}\n", Digest::of(b"other"));
        let output =
            environment.install_pinned(&wrong, &index::address(index.path()).unwrap()).await.unwrap();
        assert!(!output.success());
        assert!(!environment.installed().unwrap().contains_key("acme-core"));
    }
}

#[tokio::test]
async fn a_set_that_does_not_fit_together_fails() {
    let other = app().fields("Requires-Dist: acme-core>=1.5\nRequires-Dist: acme-base");
    let base = Sample::new("acme-base", "1.0").fields("Requires-Dist: acme-core<1.5");
    let old = Sample::new("acme-core", "1.0");
    for installer in [uv().await, pip().await] {
        let Some(installer) = installer else { return };
        let index = index_of(&[other.clone(), base.clone(), core(), old.clone()]);
        let mut request = request(index.path(), installer);
        request.internal.insert(PackageName::new("acme-base"), Version::parse("1.0").unwrap());
        let outcome = smoke(request).await.unwrap().outcome;
        assert_fails(&outcome, "checking that all fits together failed");
        assert_fails(&outcome, "acme-core");
    }
}

/// Installs `acme-app` as a user would, without hashes, from an index address.
async fn install_as_user(installer: &Installer, address: &str) -> BTreeMap<String, String> {
    let environment = Environment::make(installer.clone(), None, Duration::from_secs(300)).await.unwrap();
    let installed = environment.install_from(address, "acme-app").await.unwrap();
    assert!(installed.success(), "{}", installed.tail(20));
    environment.installed().unwrap()
}

#[tokio::test]
async fn pip_and_uv_resolve_from_the_folder_and_from_a_plain_web_server() {
    let (Some(uv), Some(pip)) = (uv().await, pip().await) else { return };
    let index = index_of(&[app(), core(), Sample::new("acme-core", "1.4")]);
    let port = free_port();
    let server = Command::new("python3").args(["-m", "http.server", "--bind", "127.0.0.1", "--directory"]);
    let server = serving(server.arg(index.path()).arg(port.to_string()), port).await;
    for address in [index::address(index.path()).unwrap(), format!("http://127.0.0.1:{port}/simple/")] {
        for installer in [&uv, &pip] {
            let installed = install_as_user(installer, &address).await;
            assert_eq!(installed.get("acme-core").map(String::as_str), Some("1.5"), "{address}");
        }
    }
    server.abort();
}

/// A checkout of two packages, the second requiring the first.
fn repository() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let put = |path: &str, text: &str| {
        let path = folder.path().join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    };
    let build = "[build-system]\nrequires = [\"uv_build\"]\nbuild-backend = \"uv_build\"\n";
    let app = "name = \"acme-app\"\nversion = \"1.0\"\ndependencies = [\"acme-core>=1.5\"]\n\n[project.scripts]\nacme = \
               \"acme_app:main\"";
    put("core/pyproject.toml", &format!("{build}[project]\nname = \"acme-core\"\nversion = \"1.5\"\n"));
    put("core/src/acme_core/__init__.py", "NAME = 'core'\n");
    put("app/pyproject.toml", &format!("{build}[project]\n{app}\n"));
    let code = "import argparse\nfrom acme_core import NAME\n\n\ndef main():\n    argparse.ArgumentParser(NAME).parse_args()\n";
    put("app/src/acme_app/__init__.py", code);
    folder
}

#[tokio::test]
async fn what_was_built_is_judged_published_and_tried() {
    let Some(Installer::Uv(tool)) = uv().await else { return };
    let (repository, index) = (repository(), tempfile::tempdir().unwrap());
    let request = request(index.path(), Installer::Uv(tool.clone()));
    for (folder, name, version) in [("core", "acme-core", "1.5"), ("app", "acme-app", "1.0")] {
        let built = build(BuildRequest {
            checkout: repository.path().to_owned(),
            package: RepoPath::new(folder).unwrap(),
            out: repository.path().join(".out").join(folder),
            frontend: Frontend::Uv(tool.clone()),
            epoch: 1_700_000_000,
            find_links: None,
            environment: Vec::new(),
            timeout: TIMEOUT,
        });
        let files = built.await.unwrap().files;
        let bytes: Vec<Vec<u8>> = files.iter().map(|file| std::fs::read(&file.path).unwrap()).collect();
        let pairs: Vec<(&str, &[u8])> =
            files.iter().zip(&bytes).map(|(file, bytes)| (file.name.as_str(), bytes.as_slice())).collect();
        let (name, version) = (PackageName::new(name), Version::parse(version).unwrap());
        let expected =
            Expected { name: &name, version: &version, internal: &request.internal, files: &pairs };
        assert_eq!(check(&expected), []);
        for (file, bytes) in files.iter().zip(&bytes) {
            publish(index.path(), &name, &file.name, bytes, &file.digest).unwrap();
        }
    }
    let report = smoke(request).await.unwrap();
    assert_eq!(report.outcome, Outcome::Pass, "{report:#?}");
    assert_eq!(report.evidence["script/acme"], "exit 0");
}
