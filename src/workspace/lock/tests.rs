use super::*;

/// A lock as uv 0.13 writes it: members by folder, one name also from an index, a dynamic member.
const LOCK: &str = r#"version = 1
revision = 3
requires-python = ">=3.11"

[manifest]
members = ["a-core", "b-app"]
constraints = [{ name = "a-core", editable = "packages/a" }]

[[package]]
name = "a-core"
version = "1.0.0"
source = { editable = "packages/a" }

[[package]]
name = "a-core"
version = "0.9.0"
source = { registry = "https://example.org/simple" }

[[package]]
name = "b-app"
version = "1.0.0"
source = { virtual = "packages/b" }
dependencies = [
    { name = "a-core", version = "0.9.0", source = { registry = "https://example.org/simple" }, marker = "sys_platform != 'linux'" },
    { name = "a-core", version = "1.0.0", source = { editable = "packages/a" }, marker = "sys_platform == 'linux'" },
]

[package.dev-dependencies]
test = [
    { name = "a-core", version = "1.0.0", source = { editable = "packages/a" }, marker = "sys_platform == 'linux'" },
    { name = "c-dynamic" },
]

[package.metadata]
requires-dist = [
    { name = "a-core", marker = "sys_platform != 'linux'", specifier = ">=0.9", index = "https://example.org/simple" },
    { name = "a-core", marker = "sys_platform == 'linux'", editable = "packages/a" },
]

[package.metadata.requires-dev]
test = [{ name = "c-dynamic", directory = "packages/c" }, { name = "d-lib", specifier = ">=1" }]

[[package]]
name = "c-dynamic"
source = { directory = "packages/c" }
"#;

fn check(versions: &[(&str, &str)], replaced: &[(&str, &str)]) {
    let versions =
        versions.iter().map(|(name, version)| (PackageName::new(name), (*version).to_owned())).collect();
    let changes = set_versions("uv.lock", LOCK, &versions).unwrap();
    let edited = String::from_utf8(apply(LOCK.as_bytes(), &changes).unwrap()).unwrap();
    let expected = replaced.iter().fold(LOCK.to_owned(), |text, (old, new)| {
        assert!(text.contains(old), "{old}");
        text.replace(old, new)
    });
    assert_eq!(edited, expected);
}

#[test]
fn a_member_gets_its_version_wherever_uv_writes_it() {
    check(
        &[("A_Core", "2.0.0")],
        &[
            (
                "version = \"1.0.0\"\nsource = { editable = \"packages/a\" }",
                "version = \"2.0.0\"\nsource = { editable = \"packages/a\" }",
            ),
            ("version = \"1.0.0\", source = { editable", "version = \"2.0.0\", source = { editable"),
        ],
    );
    check(
        &[("b-app", "1.1.0")],
        &[("version = \"1.0.0\"\nsource = { virtual", "version = \"1.1.0\"\nsource = { virtual")],
    );
}

#[test]
fn dynamic_members_and_unknown_names_change_nothing() {
    check(&[("c-dynamic", "2.0.0"), ("other", "3.0.0"), ("a-core", "1.0.0")], &[]);
}

#[test]
fn carriage_returns_stay() {
    let text = LOCK.replace('\n', "\r\n");
    let versions = BTreeMap::from([(PackageName::new("b-app"), "1.1.0".to_owned())]);
    let changes = set_versions("uv.lock", &text, &versions).unwrap();
    assert_eq!(changes.len(), 1);
    assert_eq!(&text[changes[0].at..changes[0].at + changes[0].delete], "1.0.0");
}

#[test]
fn a_specifier_in_the_lock_is_seen() {
    let holds = |package: &str, dependency: &str| {
        holds_specifier("uv.lock", LOCK, &PackageName::new(package), &PackageName::new(dependency)).unwrap()
    };
    assert!(holds("b-app", "a-core"));
    assert!(holds("b-app", "d-lib"));
    assert!(!holds("b-app", "c-dynamic"));
    assert!(!holds("a-core", "b-app"));
}

#[test]
fn a_lock_that_can_not_be_edited_is_refused() {
    let versions = BTreeMap::from([(PackageName::new("b-app"), "1.1.0".to_owned())]);
    let escaped = LOCK
        .replace("version = \"1.0.0\"\nsource = { virtual", "version = \"1\\u002e0\"\nsource = { virtual");
    let error = set_versions("uv.lock", &escaped, &versions).unwrap_err().to_string();
    assert_eq!(error, "`uv.lock` holds the version of `b-app` in a form that can not be edited");
    let error = set_versions("uv.lock", "[[package]\n", &versions).unwrap_err().to_string();
    assert!(error.starts_with("uv.lock:1:"), "{error}");
}

#[test]
fn a_stale_lock_says_how_to_renew_it() {
    let said = pdm_lock_is_stale("a/pdm.lock").to_string();
    assert!(
        said.starts_with("`a/pdm.lock` becomes stale") && said.ends_with("run `pdm lock --update-reuse`"),
        "{said}"
    );
}

#[test]
fn a_crates_own_version_moves_in_its_lock_and_no_other() {
    let lock = "[[package]]\nname = \"tool\"\nversion = \"0.1.0\"\n\n[[package]]\nname = \"other\"\nversion = \"0.1.0\"\nsource = \"registry\"\n";
    let changes = set_cargo_version("Cargo.lock", lock, "tool", "0.2.0").unwrap();
    let edited = String::from_utf8(apply(lock.as_bytes(), &changes).unwrap()).unwrap();
    assert_eq!(edited, lock.replacen("0.1.0", "0.2.0", 1));
    assert_eq!(crate_name("Cargo.toml", "[package]\nname = \"tool\"\n").as_deref(), Some("tool"));
}
