//! File names in the shapes that the standards and the reference implementation's own tests know.

use serde_json::Value;

use super::*;
use crate::workspace::name::{is_valid, normalize};

fn cases(name: &str, count: usize) -> Vec<Value> {
    let vectors: Value =
        serde_json::from_str(include_str!("../../../tests/data/vectors/pep503-names-and-filenames.json"))
            .unwrap();
    let cases = vectors["cases"][name].as_array().unwrap().clone();
    assert_eq!(cases.len(), count, "{name}");
    cases
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap()
}

#[test]
fn a_wheel_name_gives_its_parts() {
    let Ok(FileName::Wheel(wheel)) = FileName::parse("acme_core-1.2.0-1-py2.Py3-none-any.whl") else {
        panic!("a wheel")
    };
    assert_eq!((wheel.name.as_str(), wheel.version.to_string().as_str()), ("acme-core", "1.2.0"));
    assert_eq!(wheel.build, Some(BuildTag { number: 1, rest: String::new() }));
    assert_eq!(wheel.stem, "acme_core-1.2.0");
    assert_eq!(wheel.tags, ["py2-none-any", "py3-none-any"]);
}

#[test]
fn wheel_names_fall_into_parts() {
    for case in cases("wheel_filename", 4) {
        let wheel = WheelName::parse(text(&case[0])).unwrap();
        assert_eq!(wheel.name.as_str(), text(&case[1]));
        assert_eq!(wheel.version, Version::parse(text(&case[2])).unwrap());
        let build = wheel.build.map(|build| vec![Value::from(build.number), Value::from(build.rest)]);
        assert_eq!(Value::from(build.unwrap_or_default()), case[3], "{case}");
        let mut expected: Vec<&str> = case[4].as_array().unwrap().iter().map(text).collect();
        expected.sort_unstable();
        assert_eq!(wheel.tags, expected);
    }
}

#[test]
fn what_is_no_wheel_name_is_refused() {
    for case in cases("wheel_filename_invalid", 7) {
        assert!(WheelName::parse(text(&case)).is_err(), "{case}");
        assert!(FileName::parse(text(&case)).is_err(), "{case}");
    }
    let error = WheelName::parse("foo-1.0.whl").unwrap_err();
    assert_eq!(
        error.to_string(),
        "`foo-1.0.whl` is not the name of a wheel: 2 parts between dashes, not 5 or 6"
    );
}

#[test]
fn source_distribution_names_fall_into_parts() {
    for case in cases("sdist_filename", 1) {
        let sdist = SdistName::parse(text(&case[0])).unwrap();
        assert_eq!(
            (sdist.name.as_str(), sdist.version.to_string().as_str()),
            (text(&case[1]), text(&case[2]))
        );
    }
}

#[test]
fn a_source_name_may_hold_dashes() {
    let Ok(FileName::Sdist(sdist)) = FileName::parse("acme-core-1.2.0rc1.tar.gz") else { panic!("an sdist") };
    assert_eq!((sdist.name.as_str(), sdist.version.to_string().as_str()), ("acme-core", "1.2.0rc1"));
    assert_eq!(sdist.stem, "acme-core-1.2.0rc1");
}

#[test]
fn what_is_no_source_distribution_name_is_refused() {
    for case in cases("sdist_filename_invalid", 3) {
        assert!(SdistName::parse(text(&case)).is_err(), "{case}");
        assert!(FileName::parse(text(&case)).is_err(), "{case}");
    }
    for file in ["foo.tar.gz", "a b-1.0.tar.gz", "../x-1.0.tar.gz", "1.0", "a-1.0 .tar.gz"] {
        assert!(SdistName::parse(file).is_err(), "{file}");
    }
}

#[test]
fn other_names_are_refused() {
    for name in [
        "a-1.0.zip",
        "a-1.0-py3-none.whl",
        "a-1.0-x1-py3-none-any.whl",
        "a-1.0-1/x-py3-none-any.whl",
        "a-1.0-py3-none-..\\any.whl",
        "a-1.0-py3-none-any\u{7}.whl",
        "a-one-py3-none-any.whl",
        "a-1.0-py3..-none-any.whl",
        "_a-1.0-py3-none-any.whl",
        "a_-1.0-py3-none-any.whl",
        "../a-1.0.tar.gz",
        "-1.0.tar.gz",
        "a.tar.gz",
        ".whl",
        "",
    ] {
        assert!(FileName::parse(name).is_err(), "{name}");
    }
    let error = FileName::parse("a-1.0.zip").unwrap_err();
    assert_eq!(
        error.to_string(),
        "`a-1.0.zip` is not the name of a source distribution: it does not end in `.tar.gz`"
    );
}

#[test]
fn a_build_tag_has_a_number_first() {
    let build = |file: &str| WheelName::parse(file).map(|wheel| wheel.build);
    let expected = Some(BuildTag { number: 12, rest: "ab".to_owned() });
    assert_eq!(build("foo-1.0-12ab-py3-none-any.whl"), Ok(expected));
    assert!(build("foo-1.0-99999999999999999999999-py3-none-any.whl").is_err());
}

#[test]
fn names_normalise_as_the_reference_does() {
    for name in ["canonicalize_name", "is_normalized"] {
        for case in cases(name, if name == "is_normalized" { 6 } else { 5 }) {
            assert_eq!(normalize(text(&case[0])), text(&case[1]), "{case}");
        }
    }
    for case in cases("invalid_names", 4) {
        assert!(!is_valid(text(&case)), "{case}");
    }
}

#[test]
fn versions_in_file_names_compare_without_trailing_zeros() {
    for case in cases("canonicalize_version", 7) {
        assert_eq!(Version::parse(text(&case[0])).ok(), Version::parse(text(&case[1])).ok(), "{case}");
    }
    assert!(Version::parse("1.0.1-test7").is_err());
}
