//! What `[ledger]` means, and what is refused in it.

use super::*;
use crate::workspace::config::ConfigPlace;

fn place(text: &str) -> LedgerPlace {
    Config::read(text, "release.toml", ConfigPlace::File).unwrap().ledger_place(true)
}

/// The problems of a text, each with its way out.
fn problems(text: &str) -> String {
    let problems = Config::read(text, "release.toml", ConfigPlace::File).unwrap_err();
    problems.render("release.toml", text, 120, false)
}

#[test]
fn the_ledger_is_a_ref_of_origin_without_a_word() {
    let origin = || Some("origin".to_owned());
    assert_eq!(place(""), LedgerPlace::Ref { remote: origin() });
    assert_eq!(Config::default().ledger_place(false), LedgerPlace::Ref { remote: None });
    assert_eq!(place("[workspace]\nremote = \"\""), LedgerPlace::Ref { remote: None });
    let upstream = "[workspace]\nremote = \"upstream\"\n[ledger]\nstore = \"ref\"";
    assert_eq!(place(upstream), LedgerPlace::Ref { remote: Some("upstream".to_owned()) });
}

#[test]
fn other_places_are_named_by_word_or_address() {
    let branch =
        |branch: &str| LedgerPlace::Branch { remote: "origin".to_owned(), branch: branch.to_owned() };
    assert_eq!(place("[ledger]\nstore = \"branch\""), branch("release-ledger"));
    assert_eq!(place("[ledger]\nstore = \"branch\"\nbranch = \"ops/ledger\""), branch("ops/ledger"));
    let bucket = "[ledger]\nstore = \"s3://b/p\"\nendpoint = \"https://s3.example\"\nregion = \"r1\"";
    let (url, endpoint, region) = ("s3://b/p".to_owned(), "https://s3.example".to_owned(), "r1".to_owned());
    assert_eq!(place(bucket), LedgerPlace::Bucket { url, endpoint: Some(endpoint), region: Some(region) });
    let url = "postgres://ada@db.example/work?schema=x".to_owned();
    assert_eq!(place(&format!("[ledger]\nstore = \"{url}\"")), LedgerPlace::Postgres { url });
}

#[test]
fn what_can_keep_no_ledger_is_refused() {
    let check = |text: &str, expected: &str| {
        let said = problems(text);
        assert!(said.contains(expected), "{text}\n{said}");
        assert!(said.contains("help:"), "{said}");
    };
    check("[ledger]\nstore = \"folder\"", "`ledger.store` can not be \"folder\"");
    check("[ledger]\nstore = \"s3://\"", "names no place");
    check("[ledger]\nbranch = \"a\"", "`branch` means nothing for this ledger");
    check("[ledger]\nstore = \"branch\"\nregion = \"a\"", "`region` means nothing for this ledger");
    check("[ledger]\nstore = \"branch\"\n[workspace]\nremote = \"\"", "there is none");
    check("[ledger]\nstore = \"branch\"\nbranch = \"main\"\n[workspace]\nbranch = \"main\"", "of its own");
    for name in ["a b", "a..b", "/a", "a/", "-a", ".a", "a.lock", "a@{b", "@", "", "a."] {
        check(&format!("[ledger]\nstore = \"branch\"\nbranch = \"{name}\""), "git does not allow that name");
    }
    for remote in ["-x", "ext::sh", "a b"] {
        check(&format!("[workspace]\nremote = \"{remote}\""), "no name of a remote");
    }
}

#[test]
fn credentials_in_an_address_are_refused_and_not_repeated() {
    for text in [
        "[ledger]\nstore = \"postgres://ada:s3cret@db.example/work\"",
        "[ledger]\nstore = \"postgres://db.example/work?password=s3cret\"",
        "[ledger]\nstore = \"s3://s3cret@bucket\"",
        "[ledger]\nstore = \"mysql://ada:s3cret@db.example/work\"",
        "[workspace]\nremote = \"https://s3cret@git.example/a.git\"",
    ] {
        assert!(!problems(text).contains("s3cret"), "{}", problems(text));
    }
    assert!(Config::read("[workspace]\nremote = \"ssh://git@git.example/a\"", "", ConfigPlace::File).is_ok());
}
