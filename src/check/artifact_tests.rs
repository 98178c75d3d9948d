use std::str::FromStr;

use crate::check::samples::{Sample, gzip, tar_gz, zip};

use super::*;

/// Judges files as those of acme-core 1.2.0, in a set with acme-base 3.0.0.
fn findings(files: &[(&str, &[u8])]) -> Vec<Finding> {
    let (name, version) = (PackageName::new("acme-core"), Version::parse("1.2.0").unwrap());
    let mut internal = BTreeMap::from([(PackageName::new("acme-base"), Version::parse("3.0.0").unwrap())]);
    internal.insert(name.clone(), version.clone());
    check(&Expected { name: &name, version: &version, internal: &internal, files })
}

fn sample() -> Sample {
    Sample::new("acme-core", "1.2.0").fields("Requires-Python: >=3.9\nRequires-Dist: acme-base>=3,<4")
}

fn both(wheel: &[u8], sdist: &[u8]) -> Vec<Finding> {
    findings(&[(&sample().sdist_name(), sdist), (&sample().wheel_name(), wheel)])
}

#[track_caller]
fn check_wheel(wheel: &[u8], expected: &[&str]) {
    assert_messages(&both(wheel, &sample().sdist()), expected);
}

#[track_caller]
fn check_sdist(sdist: &[u8], expected: &[&str]) {
    assert_messages(&both(&sample().wheel(), sdist), expected);
}

#[track_caller]
fn assert_messages(findings: &[Finding], expected: &[&str]) {
    let errors: Vec<&str> = findings.iter().map(|finding| finding.message.as_str()).collect();
    assert!(
        errors.len() == expected.len()
            && errors.iter().zip(expected).all(|(error, part)| error.contains(part)),
        "found {findings:#?}\nexpected {expected:#?}"
    );
}

/// The sample's wheel with its list of files changed.
fn wheel_with(change: impl Fn(&mut Vec<(String, Vec<u8>)>)) -> Vec<u8> {
    let mut files = sample().wheel_files();
    change(&mut files);
    zip(&files)
}

#[test]
fn a_right_release_has_nothing_to_say() {
    assert_eq!(both(&sample().wheel(), &sample().sdist()), []);
}

#[test]
fn the_set_is_one_sdist_and_at_least_one_wheel() {
    let (wheel, sdist) = (sample().wheel(), sample().sdist());
    assert_messages(&findings(&[]), &["no source distribution", "no wheel"]);
    assert_messages(&findings(&[(&sample().wheel_name(), &wheel)]), &["no source distribution"]);
    let linux = "acme_core-1.2.0-cp311-cp311-linux_x86_64.whl";
    let files =
        [(sample().sdist_name(), sdist), (sample().wheel_name(), wheel.clone()), (linux.to_owned(), wheel)];
    let files: Vec<(&str, &[u8])> =
        files.iter().map(|(name, bytes)| (name.as_str(), bytes.as_slice())).collect();
    assert_messages(
        &findings(&files),
        &["WHEEL names the tags py3-none-any, the file cp311-cp311-linux_x86_64"],
    );
    assert_messages(
        &findings(&[files[0], files[0], files[1]]),
        &["2 source distributions", "two files have one name"],
    );
}

#[test]
fn names_and_versions_are_those_of_the_plan() {
    let other = Sample::new("acme-core", "1.2.1");
    let found = findings(&[(&other.sdist_name(), &other.sdist()), (&sample().wheel_name(), &other.wheel())]);
    let expected = [
        "names acme-core 1.2.1, planned is acme-core 1.2.0",
        "metadata gives version `1.2.1`",
        "the folder `acme_core-1.2.1.dist-info` should be `acme_core-1.2.0.dist-info`",
        "metadata gives version `1.2.1`",
    ];
    assert_messages(&found, &expected);
}

#[test]
fn file_names_are_in_normal_form() {
    let spelt = Sample { name: "Acme.Core", ..sample() };
    let found =
        findings(&[("Acme.Core-1.2.0.tar.gz", &spelt.sdist()), (&spelt.wheel_name(), &spelt.wheel())]);
    assert_messages(&found, &["should be `acme_core-1.2.0.tar.gz`", "should begin with `acme_core-1.2.0`"]);
    assert!(found[0].is_error() && !found[1].is_error());
    let found = findings(&[("acme_core-1.2.0.zip", b""), (&sample().wheel_name(), &sample().wheel())]);
    assert_messages(&found, &["no source distribution", "neither a wheel"]);
}

#[test]
fn a_file_that_record_does_not_know_is_an_error() {
    check_wheel(
        &wheel_with(|files| files[0].1 = b"changed".to_vec()),
        &["`acme/__init__.py` is not the file"],
    );
    check_wheel(
        &wheel_with(|files| files.push(("new.py".into(), vec![]))),
        &["RECORD does not list `new.py`"],
    );
    check_wheel(
        &wheel_with(|files| drop(files.remove(0))),
        &["RECORD lists `acme/__init__.py`, which is not"],
    );
    check_wheel(&wheel_with(|files| drop(files.pop())), &["acme_core-1.2.0.dist-info/RECORD` is missing"]);
    let signature = "acme_core-1.2.0.dist-info/RECORD.jws";
    check_wheel(&wheel_with(|files| files.push((signature.into(), b"{}".to_vec()))), &[]);
}

#[test]
fn a_wheel_without_its_info_is_an_error() {
    let without = |ending: &str| wheel_with(|files| files.retain(|(path, _)| !path.ends_with(ending)));
    check_wheel(&without("/WHEEL"), &["/WHEEL` is missing", "RECORD lists"]);
    check_wheel(&without("/METADATA"), &["RECORD lists", "/METADATA` is missing"]);
    check_wheel(&zip(&[("a.py".into(), vec![])]), &["no `.dist-info` folder"]);
    let two = wheel_with(|files| files.push(("b-1.dist-info/METADATA".into(), vec![])));
    check_wheel(&two, &["2 `.dist-info` folders: acme_core-1.2.0.dist-info, b-1.dist-info"]);
    check_wheel(b"not a zip", &["no zip archive"]);
    check_wheel(b"", &["no zip archive"]);
}

#[test]
fn an_archive_that_reads_in_two_ways_is_an_error() {
    let wheel = sample().wheel();
    let double = [("aa.py", "bb.py"), ("bb.py", "bb.py")];
    let bytes = zip(&[("aa.py".into(), vec![1]), ("bb.py".into(), vec![2])]);
    let doubled =
        double.iter().fold(bytes, |bytes, (from, to)| replace(&bytes, from.as_bytes(), to.as_bytes()));
    assert!(both(&doubled, &sample().sdist()).iter().any(|finding| finding.message.contains("two entries")));
    check_wheel(&[b"#!/bin/sh\n", wheel.as_slice()].concat(), &["bytes before the archive"]);
    check_wheel(&[wheel.as_slice(), b"more"].concat(), &["bytes behind the archive"]);
}

#[test]
fn paths_that_lead_out_of_a_wheel_are_errors() {
    for path in ["../evil.py", "/etc/evil.py", "acme/../../evil.py", "C:/evil.py", "a\\..\\evil.py"] {
        let found = both(&wheel_with(|files| files.push((path.into(), vec![]))), &sample().sdist());
        let named = found
            .iter()
            .any(|finding| finding.is_error() && finding.message.contains("leads out of the wheel"));
        assert!(named, "{path}: {found:#?}");
    }
}

#[test]
fn a_source_distribution_is_one_folder_with_its_metadata() {
    let with = |path: &str, bytes: &[u8]| {
        let mut files = sample().sdist_files();
        files.push((path.to_owned(), bytes.to_vec()));
        tar_gz(&files)
    };
    check_sdist(&with("acme_core-1.2.0/a.py", b""), &[]);
    check_sdist(&with("other/a.py", b""), &["`other/a.py` is not in the folder `acme_core-1.2.0`"]);
    check_sdist(&with("acme_core-1.2.0/../../evil", b""), &["leads out of the archive"]);
    check_sdist(&with("/etc/passwd", b""), &["`/etc/passwd` leads out"]);
    check_sdist(
        &with("acme_core-1.2.0/pyproject.toml", b""),
        &["`acme_core-1.2.0/pyproject.toml` is in it twice"],
    );
    check_sdist(&tar_gz(&sample().sdist_files()[..1]), &["neither a pyproject.toml nor a setup.py"]);
    check_sdist(&tar_gz(&sample().sdist_files()[1..]), &["`acme_core-1.2.0/PKG-INFO` is missing"]);
    check_sdist(b"not gzip", &["no gzipped tar archive"]);
    check_sdist(&[sample().sdist().as_slice(), b"more"].concat(), &["bytes behind the archive"]);
}

#[test]
fn links_in_a_source_distribution_stay_inside() {
    let with = |kind: tar::EntryType, target: &str| {
        let mut builder = tar::Builder::new(Vec::new());
        for (path, bytes) in sample().sdist_files() {
            let mut header = tar::Header::new_ustar();
            header.set_size(bytes.len() as u64);
            builder.append_data(&mut header, path, bytes.as_slice()).unwrap();
        }
        let mut header = tar::Header::new_ustar();
        header.set_entry_type(kind);
        header.set_size(0);
        builder.append_link(&mut header, "acme_core-1.2.0/a/link", target).unwrap();
        gzip(&builder.into_inner().unwrap())
    };
    check_sdist(&with(tar::EntryType::Symlink, "../pyproject.toml"), &[]);
    check_sdist(
        &with(tar::EntryType::Symlink, "../../outside"),
        &["the link `acme_core-1.2.0/a/link` leads out"],
    );
    check_sdist(&with(tar::EntryType::Symlink, "/etc/passwd"), &["leads out"]);
    check_sdist(&with(tar::EntryType::Link, "acme_core-1.2.0/pyproject.toml"), &[]);
    check_sdist(&with(tar::EntryType::Link, "../secret"), &["leads out"]);
    check_sdist(&with(tar::EntryType::Fifo, "x"), &["neither a file nor a folder nor a link"]);
}

#[test]
fn wheel_and_source_distribution_say_the_same() {
    let other =
        sample().fields("Requires-Python: >=3.9\nRequires-Dist: acme-base>=3,<4\nRequires-Dist: requests");
    check_wheel(&other.wheel(), &["`Requires-Dist` is not what the source distribution says"]);
    let spaced = sample().fields("Requires-Python: >= 3.9\nRequires-Dist: acme-base (<4,>=3)");
    check_wheel(&spaced.wheel(), &[]);
    let dynamic = sample().fields("Requires-Python: >=3.9\nDynamic: requires-dist");
    check_sdist(&dynamic.sdist(), &[]);
}

#[test]
fn what_an_index_will_judge_differently_is_a_warning() {
    let newer = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap().replace("2.4", "9.0").into_bytes();
    let mut files = sample().sdist_files();
    files[0].1 = newer(&files[0].1);
    let found = both(&sample().wheel(), &tar_gz(&files));
    assert_messages(&found, &["metadata version 9.0 is not known"]);
    assert!(!found[0].is_error());
    let found = both(&sample().file("tests/__init__.py", "").wheel(), &sample().sdist());
    assert_messages(&found, &["installs `tests` at the top"]);
    assert!(!found[0].is_error());
}

#[test]
fn requirements_are_judged_against_the_set() {
    let stale = sample().fields("Requires-Dist: acme-base<3\nRequires-Dist: x @ https://example.org/x.whl");
    let found = findings(&[(&stale.sdist_name(), &stale.sdist()), (&stale.wheel_name(), &stale.wheel())]);
    assert_messages(&found, &["requires `acme-base` <3, but 3.0.0", "names a URL"]);
}

#[test]
fn a_local_version_is_an_error() {
    let (name, version) = (PackageName::new("acme-core"), Version::parse("1.2.0+abc").unwrap());
    let local = Sample::new("acme-core", "1.2.0+abc");
    let (sdist, wheel) = (local.sdist(), local.wheel());
    let files = [(local.sdist_name(), sdist), (local.wheel_name(), wheel)];
    let files: Vec<(&str, &[u8])> =
        files.iter().map(|(name, bytes)| (name.as_str(), bytes.as_slice())).collect();
    let found =
        check(&Expected { name: &name, version: &version, internal: &BTreeMap::new(), files: &files });
    assert_messages(&found, &["1.2.0+abc is a local version"]);
}

#[test]
fn damaged_files_never_panic() {
    let (wheel, sdist) = (sample().wheel(), sample().sdist());
    for at in (0..wheel.len()).step_by(7) {
        let mut damaged = wheel.clone();
        damaged[at] ^= 0x55;
        both(&damaged, &sdist);
        assert!(both(&wheel[..at], &sdist).iter().any(Finding::is_error), "wheel cut at {at}");
    }
    for at in (0..sdist.len()).step_by(7) {
        let mut damaged = sdist.clone();
        damaged[at] ^= 0x55;
        both(&wheel, &damaged);
        assert!(both(&wheel, &sdist[..at]).iter().any(Finding::is_error), "sdist cut at {at}");
    }
}

proptest::proptest! {
    #[test]
    fn no_text_makes_a_reader_panic(text in "[ -~\\n\\té⟨]{0,60}") {
        let _ = FileName::parse(&text);
        let _ = FileName::parse(&format!("{text}-1.0-py3-none-any.whl"));
        let _ = FileName::parse(&format!("a-1{text}.tar.gz"));
        let _ = pep440_rs::VersionSpecifiers::from_str(&text);
        let _ = pep440_rs::VersionSpecifiers::from_str(&format!(">=1{text}"));
        let _ = Metadata::parse(text.as_bytes());
        let _ = requires::parse(&text);
        let _ = requires::parse(&format!("a{text}"));
        let _ = requires::parse(&format!("a; python_version {text}"));
        let _ = requires::parse(&format!("a[b]>=1{text}; extra == 'x'"));
        let _ = crate::check::record::parse(text.as_bytes());
        let _ = crate::check::entry_points::parse(text.as_bytes());
        let _ = modules::top_level([text.as_str()]);
    }
}

fn replace(bytes: &[u8], from: &[u8], to: &[u8]) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    for at in 0..bytes.len() - from.len() {
        if &bytes[at..at + from.len()] == from {
            bytes[at..at + from.len()].copy_from_slice(to);
        }
    }
    bytes
}
