//! Publishing to indexes that are not PyPI: pypiserver and devpi, and what other tools read there.

use std::path::Path;
use std::process::Command;

use release::apply::index::Published;
use release::apply::publish_error::PublishError;
use release::apply::publisher::{OneFile, Publisher, RemoteIndex};
use release::plan::digest::Digest;
use release::workspace::config::tables::Auth;
use tempfile::TempDir;

use crate::distributions::Distribution;
use crate::publishing::{ALICE, Bench, ensure, index, keep, publisher};
use crate::servers::{Setup, devpi, feed, programs, pypiserver};
use crate::world::Answer;

const PASSWORD: &str = "correct-horse";
const LOCKED: Setup<'_> = Setup { password: Some(PASSWORD), fallback: None };

fn as_ada(index: RemoteIndex, password: &str) -> Publisher {
    publisher(index, &[("RELEASE_TOKEN_TEST", password), ("RELEASE_USER_TEST", "ada")])
}

/// A wheel, a source distribution, and another wheel under the first one's name.
fn files(folder: &Path) -> [OneFile; 3] {
    let small = Distribution::new("tiny-pkg", "1.0");
    let other = folder.join("other");
    std::fs::create_dir(&other).unwrap();
    [
        keep(folder, small.wheel()),
        keep(folder, small.sdist()),
        keep(&other, small.clone().module("other = True\n").wheel()),
    ]
}

/// Publishes, finds it again, waits for it, fetches it; other bytes are a conflict.
async fn publishes(publisher: &Publisher, [wheel, sdist, other]: &[OneFile; 3]) {
    for file in [wheel, sdist] {
        assert_eq!(ensure(publisher, file).await.unwrap(), Published::New);
        assert_eq!(ensure(publisher, file).await.unwrap(), Published::AlreadyThere);
    }
    let error = ensure(publisher, other).await.unwrap_err();
    assert!(matches!(error, PublishError::Conflict { .. }), "{error}");
    let names = [wheel, sdist].map(|file| (file.name.clone(), file.digest.clone()));
    publisher.await_visible(&wheel.package, &names, &|_| {}).await.unwrap();
    for file in [wheel, sdist] {
        let bytes = publisher.fetch(&file.package, &file.name).await.unwrap();
        assert_eq!(Digest::of(&bytes), file.digest);
    }
    let listed = publisher.listed(&wheel.package, Some(&wheel.version)).await.unwrap();
    assert_eq!(listed.len(), 2);
}

#[tokio::test]
async fn pypiserver_takes_files_that_pip_finds() {
    let Some(programs) = programs() else { return };
    let folder = TempDir::new().unwrap();
    let server = pypiserver(&programs, folder.path(), Setup::default());
    let (upload, simple) =
        (format!("http://{}/", server.address), format!("http://{}/simple/", server.address));
    let files = files(folder.path());
    publishes(&publisher(index(&upload, Some(&simple), Auth::None), &[]), &files).await;
    // It refuses what it has with 409, whatever the bytes; without the list that is not enough to know.
    let blind = publisher(index(&upload, None, Auth::None), &[]);
    let error = ensure(&blind, &files[0]).await.unwrap_err();
    assert!(matches!(error, PublishError::Unreadable { status: 409, .. }), "{error}");
    let got = folder.path().join("got");
    let mut pip = Command::new(programs.join("python"));
    pip.args(["-m", "pip", "download", "--quiet", "--no-deps", "--no-cache-dir", "--isolated", "--no-input"]);
    pip.env_remove("PIP_FIND_LINKS").args(["--index-url", &simple, "--dest"]).arg(&got).arg("tiny-pkg==1.0");
    Answer::of(pip.output().unwrap()).well();
    assert_eq!(Digest::of(&std::fs::read(got.join(&files[0].name)).unwrap()), files[0].digest);
}

#[tokio::test]
async fn pypiserver_with_passwords_is_read_and_written_with_one() {
    let Some(programs) = programs() else { return };
    let folder = TempDir::new().unwrap();
    let server = pypiserver(&programs, folder.path(), LOCKED);
    let (upload, simple) =
        (format!("http://{}/", server.address), format!("http://{}/simple/", server.address));
    let remote = index(&upload, Some(&simple), Auth::Token);
    let files = files(folder.path());
    let error = ensure(&as_ada(remote.clone(), "wrong"), &files[0]).await.unwrap_err();
    assert!(matches!(error, PublishError::NotAllowed { .. }), "{error}");
    assert!(error.hints()[0].contains("RELEASE_TOKEN_TEST"), "{:?}", error.hints());
    let nobody =
        ensure(&publisher(index(&upload, Some(&simple), Auth::None), &[]), &files[0]).await.unwrap_err();
    assert!(matches!(nobody, PublishError::Page { .. }), "{nobody}");
    publishes(&as_ada(remote, PASSWORD), &files).await;
}

#[tokio::test]
async fn devpi_keeps_what_it_has_also_where_it_would_overwrite() {
    let Some(programs) = programs() else { return };
    let folder = TempDir::new().unwrap();
    let server = devpi(&programs, folder.path(), PASSWORD);
    let files = files(folder.path());
    for stage in ["kept", "volatile"] {
        let upload = format!("http://{}/ada/{stage}/", server.address);
        let simple = format!("{upload}+simple/");
        let remote = index(&upload, Some(&simple), Auth::Token);
        let error = ensure(&as_ada(remote.clone(), "wrong"), &files[0]).await.unwrap_err();
        assert!(matches!(error, PublishError::NotAllowed { .. }), "{stage}: {error}");
        publishes(&as_ada(remote, PASSWORD), &files).await;
        if stage == "kept" {
            // Without the list: the same bytes are taken, others are refused with 409.
            let blind = as_ada(index(&upload, None, Auth::Token), PASSWORD);
            assert_eq!(ensure(&blind, &files[0]).await.unwrap(), Published::New);
            let error = ensure(&blind, &files[2]).await.unwrap_err();
            assert!(matches!(error, PublishError::Unreadable { status: 409, .. }), "{error}");
        }
    }
}

#[tokio::test]
async fn what_stands_on_another_index_does_not_stand_here() {
    let (Some(programs), Some(bench)) = (programs(), Bench::new()) else { return };
    let file = bench.wheel("tiny-uv", "1.0");
    ensure(&bench.by_token(ALICE), &bench.other_wheel("tiny-uv", "1.0")).await.unwrap();
    bench.double.clear_log();
    let folder = TempDir::new().unwrap();
    let fallback = bench.double.simple();
    let setup = Setup { password: None, fallback: Some(&fallback) };
    let server = pypiserver(&programs, folder.path(), setup);
    let (upload, simple) =
        (format!("http://{}/", server.address), format!("http://{}/simple/", server.address));
    let publisher = publisher(index(&upload, Some(&simple), Auth::None), &[]);
    assert_eq!(publisher.listed(&file.package, None).await.unwrap(), []);
    assert_eq!(ensure(&publisher, &file).await.unwrap(), Published::New);
    assert!(bench.double.log().is_empty(), "the other index was not asked");
}

#[cfg(unix)]
#[tokio::test]
async fn a_token_is_found_in_a_real_keyring() {
    use std::os::unix::fs::PermissionsExt;
    let Some(programs) = programs() else { return };
    let folder = TempDir::new().unwrap();
    let server = pypiserver(&programs, folder.path(), LOCKED);
    let (upload, simple) =
        (format!("http://{}/", server.address), format!("http://{}/simple/", server.address));
    // A keyring of this test's own: a plain file in its folder.
    let script = format!(
        "#!/bin/sh\nexport XDG_DATA_HOME='{0}/data' XDG_CONFIG_HOME='{0}/config'\n\
         export PYTHON_KEYRING_BACKEND=keyrings.alt.file.PlaintextKeyring\nexec '{1}/keyring' \"$@\"\n",
        folder.path().display(),
        programs.display()
    );
    let bin = folder.path().join("bin");
    std::fs::create_dir(&bin).unwrap();
    let keyring = bin.join("keyring");
    std::fs::write(&keyring, script).unwrap();
    std::fs::set_permissions(&keyring, std::fs::Permissions::from_mode(0o755)).unwrap();
    let path = bin.to_str().unwrap();
    let with_keyring = |user| {
        let remote = index(&upload, Some(&simple), Auth::Token);
        publisher(remote, &[("PATH", path), ("RELEASE_USER_TEST", user)])
    };
    assert!(matches!(with_keyring("ada").probe().await, Err(PublishError::NotAllowed { .. })));
    feed(Command::new(&keyring).args(["set", &upload, "ada"]), PASSWORD);
    with_keyring("ada").probe().await.unwrap();
    assert!(matches!(with_keyring("bob").probe().await, Err(PublishError::NotAllowed { .. })));
    let file = keep(folder.path(), Distribution::new("tiny-pkg", "1.0").wheel());
    assert_eq!(ensure(&with_keyring("ada"), &file).await.unwrap(), Published::New);
}

#[test]
fn twine_finds_nothing_wrong_with_what_is_sent() {
    let Some(programs) = programs() else { return };
    let folder = TempDir::new().unwrap();
    let [wheel, sdist, _] = files(folder.path());
    let mut twine = Command::new(programs.join("twine"));
    twine.args(["--no-color", "check", "--strict"]).args([&wheel.path, &sdist.path]);
    let answer = Answer::of(twine.output().unwrap()).well();
    assert_eq!(answer.out.matches("PASSED").count(), 2, "{}", answer.out);
}
