//! PEP 440 as its reference implementation tests it.

use serde_json::Value;

use super::*;

fn cases(name: &str) -> Vec<Value> {
    let vectors: Value =
        serde_json::from_str(include_str!("../../../tests/data/vectors/pep440-versions.json")).unwrap();
    vectors["cases"][name].as_array().unwrap().clone()
}

/// Compares one part of each version with the vectors' answer.
fn check(name: &str, count: usize, part: impl Fn(&Version) -> Value) {
    let cases = cases(name);
    for case in &cases {
        let version = Version::parse(case[0].as_str().unwrap()).unwrap();
        assert_eq!(part(&version), case[1], "{name} of {case}");
    }
    assert_eq!(cases.len(), count, "{name}");
}

#[test]
fn versions_order_as_pep_440_says() {
    let texts = cases("sorted_ascending");
    let versions: Vec<Version> =
        texts.iter().map(|text| Version::parse(text.as_str().unwrap()).unwrap()).collect();
    for (index, one) in versions.iter().enumerate() {
        for (other_index, other) in versions.iter().enumerate() {
            assert_eq!(one.cmp(other), index.cmp(&other_index), "{one} {other}");
        }
    }
    assert_eq!(versions.len(), 31);
}

#[test]
fn what_pep_440_does_not_know_is_refused() {
    let texts = cases("invalid");
    for text in &texts {
        let text = text.as_str().unwrap();
        let error = Version::parse(text).unwrap_err();
        assert_eq!(error.to_string(), format!("`{text}` is not a PEP 440 version"));
    }
    assert_eq!(texts.len(), 7);
}

#[test]
fn versions_print_in_the_normal_form() {
    check("normalized", 34, |version| version.to_string().into());
    check("normalized", 34, |version| version.as_pep440().to_string().into());
    check("string", 16, |version| version.to_string().into());
}

#[test]
fn versions_fall_into_parts() {
    check("public", 6, |version| version.public().to_string().into());
    check("base_version", 6, |version| version.base().to_string().into());
    check("epoch", 6, |version| version.epoch().into());
    check("release", 6, |version| version.release().into());
    check("local", 6, |version| if version.has_local() { "some".into() } else { Value::Null });
    check("pre", 6, |version| match version.as_pep440().pre() {
        Some(pre) => serde_json::json!([pre.kind.to_string(), pre.number]),
        None => Value::Null,
    });
    check("dev", 6, |version| version.as_pep440().dev().into());
    check("post", 6, |version| version.as_pep440().post().into());
    check("is_prerelease", 6, |version| version.is_prerelease().into());
    check("is_postrelease", 5, |version| version.as_pep440().is_post().into());
}

#[test]
fn a_label_replaces_every_suffix() {
    let version = Version::parse("1!1.3b2.post1.dev4+x").unwrap();
    assert_eq!(version.with_pre(PreLabel::Rc, 2).to_string(), "1!1.3rc2");
    assert_eq!(version.with_pre(PreLabel::Dev, 1).to_string(), "1!1.3.dev1");
    assert_eq!(version.public().to_string(), "1!1.3b2.post1.dev4");
}

#[test]
fn a_release_segment_is_replaced_under_its_suffixes() {
    let version = Version::parse("1.3rc1").unwrap();
    assert_eq!(version.with_release(1, &[2, 0, 0]).to_string(), "1!2.0.0rc1");
    assert_eq!(version.with_release(0, &[]).to_string(), "1.3rc1");
}
