use std::collections::BTreeMap;

use crate::check::samples::Sample;

use super::*;

fn name() -> PackageName {
    PackageName::new("acme-core")
}

fn sample(version: &'static str) -> Sample {
    Sample::new("acme-core", version).fields("Requires-Python: >=3.9")
}

fn put(index: &Path, file: &str, bytes: &[u8]) -> Result<Published, IndexError> {
    publish(index, &name(), file, bytes, &Digest::of(bytes))
}

fn tree(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut files = BTreeMap::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files.extend(tree(&path));
        } else {
            files.insert(path.clone(), std::fs::read(&path).unwrap());
        }
    }
    files
}

fn page(index: &Path, file: &str) -> String {
    std::fs::read_to_string(index.join("simple/acme-core").join(file)).unwrap()
}

#[test]
fn a_file_is_published_once_and_listed() {
    let folder = tempfile::tempdir().unwrap();
    let index = folder.path().join("dist/index");
    assert_eq!(listing(&index, &name()).unwrap(), []);
    let wheel = sample("1.2.0");
    assert_eq!(put(&index, &wheel.wheel_name(), &wheel.wheel()).unwrap(), Published::New);
    let before = tree(&index);
    assert_eq!(put(&index, &wheel.wheel_name(), &wheel.wheel()).unwrap(), Published::AlreadyThere);
    assert_eq!(tree(&index), before);
    let listed = listing(&index, &name()).unwrap();
    let expected = Listed {
        filename: wheel.wheel_name(),
        sha256: Digest::of(&wheel.wheel()),
        size: wheel.wheel().len() as u64,
        yanked: Yanked::No,
    };
    assert_eq!(listed, [expected]);
    assert_eq!(fetch(&index, &name(), &wheel.wheel_name()).unwrap(), wheel.wheel());
    assert_eq!(std::fs::read_to_string(index.join(".gitignore")).unwrap(), "*\n");
}

#[test]
fn what_a_killed_run_left_half_written_goes() {
    let folder = tempfile::tempdir().unwrap();
    let index = folder.path();
    let wheel = sample("1.2.0");
    put(index, &wheel.wheel_name(), &wheel.wheel()).unwrap();
    let before = tree(index);
    for place in ["", "simple", "simple/acme-core", "files/acme-core"] {
        std::fs::write(index.join(place).join(".release-a1B2c3"), "half a fi").unwrap();
    }
    assert_eq!(put(index, &wheel.wheel_name(), &wheel.wheel()).unwrap(), Published::AlreadyThere);
    assert_eq!(tree(index), before);
}

#[test]
fn other_bytes_under_a_name_are_a_conflict_and_change_nothing() {
    let folder = tempfile::tempdir().unwrap();
    put(folder.path(), &sample("1.2.0").wheel_name(), &sample("1.2.0").wheel()).unwrap();
    let before = tree(folder.path());
    let other = sample("1.2.0").file("acme/new.py", "x = 1\n");
    let error = put(folder.path(), &other.wheel_name(), &other.wheel()).unwrap_err();
    assert!(matches!(error, IndexError::Conflict { .. }), "{error}");
    assert_eq!(tree(folder.path()), before);
}

#[test]
fn only_sealed_files_of_the_package_are_taken() {
    let folder = tempfile::tempdir().unwrap();
    let (wheel, other) = (sample("1.2.0"), Sample::new("other", "1.0"));
    let error =
        publish(folder.path(), &name(), &wheel.wheel_name(), &wheel.wheel(), &Digest::of(b"x")).unwrap_err();
    assert!(matches!(error, IndexError::Changed { .. }));
    for (file, bytes) in [
        (other.wheel_name(), other.wheel()),
        ("../../acme_core-1.0.tar.gz".to_owned(), wheel.sdist()),
        ("acme_core-1.2.0.zip".to_owned(), wheel.wheel()),
        (wheel.wheel_name(), b"no zip".to_vec()),
    ] {
        assert!(matches!(put(folder.path(), &file, &bytes), Err(IndexError::Unfit { .. })), "{file}");
    }
    assert_eq!(tree(folder.path()), BTreeMap::new());
}

#[test]
fn pages_say_what_installers_ask() {
    let folder = tempfile::tempdir().unwrap();
    for version in ["1.10.0", "1.9.0"] {
        put(folder.path(), &sample(version).wheel_name(), &sample(version).wheel()).unwrap();
        put(folder.path(), &sample(version).sdist_name(), &sample(version).sdist()).unwrap();
    }
    let json: serde_json::Value = serde_json::from_str(&page(folder.path(), "index.json")).unwrap();
    assert_eq!(json["meta"]["api-version"], "1.1");
    assert_eq!(json["versions"], serde_json::json!(["1.9.0", "1.10.0"]));
    assert_eq!(json["files"][0]["filename"], "acme_core-1.9.0-py3-none-any.whl");
    assert_eq!(json["files"][0]["requires-python"], ">=3.9");
    let metadata = folder.path().join("files/acme-core/acme_core-1.9.0-py3-none-any.whl.metadata");
    let digest = Digest::of(&std::fs::read(metadata).unwrap());
    assert_eq!(json["files"][0]["core-metadata"]["sha256"], digest.hex());
    assert_eq!(json["files"][1]["url"], "../../files/acme-core/acme_core-1.9.0.tar.gz");
    let html = page(folder.path(), "index.html");
    assert!(html.contains("acme_core-1.9.0.tar.gz#sha256="));
    assert!(html.contains("data-requires-python=\"&gt;=3.9\" data-core-metadata=\"sha256="));
    let root = std::fs::read_to_string(folder.path().join("simple/index.html")).unwrap();
    assert!(root.contains("<a href=\"acme-core/\">acme-core</a>"));
}

#[test]
fn what_is_yanked_stays_yanked() {
    let folder = tempfile::tempdir().unwrap();
    put(folder.path(), &sample("1.0").wheel_name(), &sample("1.0").wheel()).unwrap();
    let json = page(folder.path(), "index.json").replace("\"size\"", "\"yanked\": \"<broken>\", \"size\"");
    std::fs::write(folder.path().join("simple/acme-core/index.json"), json).unwrap();
    put(folder.path(), &sample("1.1").wheel_name(), &sample("1.1").wheel()).unwrap();
    let yanked: Vec<Yanked> =
        listing(folder.path(), &name()).unwrap().into_iter().map(|file| file.yanked).collect();
    assert_eq!(yanked, [Yanked::Yes("<broken>".to_owned()), Yanked::No]);
    assert!(page(folder.path(), "index.html").contains("data-yanked=\"&lt;broken&gt;\""));
}

#[test]
fn pages_lost_or_left_behind_are_made_again() {
    let folder = tempfile::tempdir().unwrap();
    let wheel = sample("1.0");
    put(folder.path(), &wheel.wheel_name(), &wheel.wheel()).unwrap();
    let before = tree(folder.path());
    std::fs::remove_dir_all(folder.path().join("simple")).unwrap();
    assert_eq!(listing(folder.path(), &name()).unwrap(), []);
    assert_eq!(put(folder.path(), &wheel.wheel_name(), &wheel.wheel()).unwrap(), Published::AlreadyThere);
    assert_eq!(tree(folder.path()), before);
}

#[test]
fn a_listed_file_that_is_not_there_is_damage() {
    let folder = tempfile::tempdir().unwrap();
    let wheel = sample("1.0");
    put(folder.path(), &wheel.wheel_name(), &wheel.wheel()).unwrap();
    let path = folder.path().join("files/acme-core").join(wheel.wheel_name());
    std::fs::write(&path, b"other").unwrap();
    assert!(matches!(listing(folder.path(), &name()), Err(IndexError::Damaged { .. })));
    std::fs::remove_file(&path).unwrap();
    assert!(matches!(listing(folder.path(), &name()), Err(IndexError::Damaged { .. })));
}

#[test]
fn many_writers_at_once_leave_one_whole_index() {
    let folder = tempfile::tempdir().unwrap();
    let versions = ["1.0", "1.1", "1.2", "1.3", "1.4", "1.5", "1.6", "1.7"];
    std::thread::scope(|scope| {
        for version in versions {
            for _ in 0..2 {
                let path = folder.path();
                scope.spawn(move || {
                    put(path, &sample(version).wheel_name(), &sample(version).wheel()).unwrap()
                });
            }
        }
    });
    assert_eq!(listing(folder.path(), &name()).unwrap().len(), versions.len());
    let alone = tempfile::tempdir().unwrap();
    for version in versions {
        put(alone.path(), &sample(version).wheel_name(), &sample(version).wheel()).unwrap();
    }
    assert_eq!(page(folder.path(), "index.json"), page(alone.path(), "index.json"));
    assert_eq!(page(folder.path(), "index.html"), page(alone.path(), "index.html"));
}

#[test]
fn an_address_is_escaped() {
    assert_eq!(address(Path::new("/a b/ü")).unwrap(), "file:///a%20b/%C3%BC/simple");
}
