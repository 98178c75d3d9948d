//! The next number: examples, laws, and what two other tools answer.

use proptest::prelude::{Just, Strategy, any, prop_assert, prop_assert_eq, prop_oneof, proptest};
use serde_json::Value;

use super::*;
use crate::version::semver::read_tag_version;

fn version(text: &str) -> Version {
    Version::parse(text).unwrap()
}

fn check_final(last_final: Option<&str>, last: &str, bump: Bump, expected: &str) {
    let last_final = last_final.map(version);
    let next = next_final(last_final.as_ref(), &version(last), bump);
    assert_eq!(next.to_string(), expected, "{last_final:?} {last} {bump}");
}

fn check_pre(last_final: Option<&str>, last: &str, bump: Bump, label: PreLabel, expected: &str) {
    let last_final = last_final.map(version);
    let next = next_pre(last_final.as_ref(), &version(last), bump, label);
    assert_eq!(next.to_string(), expected, "{last_final:?} {last} {bump} {label}");
}

#[test]
fn a_final_version_moves_by_the_size() {
    check_final(Some("1.2.3"), "1.2.3", Bump::Patch, "1.2.4");
    check_final(Some("1.2.3"), "1.2.3", Bump::Minor, "1.3.0");
    check_final(Some("1.2.3"), "1.2.3", Bump::Major, "2.0.0");
    check_final(None, "1.2.3", Bump::Minor, "1.3.0");
}

#[test]
fn a_pre_release_is_never_passed_below() {
    check_final(Some("1.2.3"), "1.2.4rc1", Bump::Patch, "1.2.4");
    check_final(Some("1.2.3"), "1.2.4rc1", Bump::Minor, "1.3.0");
    check_final(Some("1.22.0"), "2.0.0rc1", Bump::Patch, "2.0.0");
    check_final(Some("1.22.0"), "2.0.0.dev7", Bump::Major, "2.0.0");
    check_final(Some("1.2.3"), "1.2.4rc1.post1", Bump::Patch, "1.2.4");
}

#[test]
fn without_a_final_release_the_announced_version_is_next() {
    for bump in [Bump::Patch, Bump::Minor, Bump::Major] {
        check_final(None, "1.0.0rc1", bump, "1.0.0");
        check_final(None, "0.3.1.dev2", bump, "0.3.1");
    }
}

#[test]
fn an_older_pre_release_does_not_hold_the_number_back() {
    check_final(Some("1.3.0"), "1.2.0rc1", Bump::Patch, "1.3.1");
}

#[test]
fn components_are_added_only_where_the_size_needs_them() {
    check_final(Some("1.2"), "1.2", Bump::Minor, "1.3");
    check_final(Some("1.2"), "1.2", Bump::Major, "2.0");
    check_final(Some("1.2"), "1.2", Bump::Patch, "1.2.1");
    check_final(Some("1"), "1", Bump::Minor, "1.1");
    check_final(Some("2024.11.3.1"), "2024.11.3.1", Bump::Patch, "2024.11.4.0");
    check_final(Some("1.2"), "1.3.0rc1", Bump::Minor, "1.3.0");
    check_final(Some("1.2.0"), "1.3rc1", Bump::Minor, "1.3.0");
}

#[test]
fn epochs_stay_and_suffixes_go() {
    check_final(Some("1!1.2.3"), "1!1.2.3", Bump::Minor, "1!1.3.0");
    check_final(Some("1.2.3.post4"), "1.2.3.post4", Bump::Patch, "1.2.4");
    check_final(Some("1.2.3+cpu"), "1.2.3+cpu", Bump::Patch, "1.2.4");
    check_pre(Some("1!1.2.3"), "1!1.2.3", Bump::Minor, PreLabel::Rc, "1!1.3.0rc1");
}

#[test]
fn a_development_release_of_a_post_release_leads_past_its_base() {
    check_final(None, "1.0.post1.dev2", Bump::Patch, "1.0.1");
    check_final(Some("1.0"), "1.0.post1.dev2", Bump::Patch, "1.0.1");
    check_pre(None, "1.0.post1.dev2", Bump::Patch, PreLabel::Rc, "1.0.1rc1");
    check_pre(None, "1.0.post1.dev2", Bump::Patch, PreLabel::Dev, "1.0.1.dev1");
}

#[test]
fn the_number_counts_on_the_same_base_and_label() {
    check_pre(Some("1.2.3"), "1.2.3", Bump::Minor, PreLabel::Rc, "1.3.0rc1");
    check_pre(Some("1.2.3"), "1.3.0rc1", Bump::Minor, PreLabel::Rc, "1.3.0rc2");
    check_pre(Some("1.2.3"), "1.2.4rc3", Bump::Minor, PreLabel::Rc, "1.3.0rc1");
    check_pre(Some("1.2.3"), "1.3.0.dev1", Bump::Minor, PreLabel::Dev, "1.3.0.dev2");
    check_pre(None, "1.0.0b0", Bump::Major, PreLabel::Beta, "1.0.0b1");
    check_pre(Some("1.2"), "1.3rc1", Bump::Minor, PreLabel::Rc, "1.3rc2");
}

#[test]
fn a_higher_label_begins_again_and_a_lower_one_never_goes_down() {
    check_pre(Some("1.2.3"), "1.3.0b4", Bump::Minor, PreLabel::Rc, "1.3.0rc1");
    check_pre(Some("1.2.3"), "1.3.0.dev4", Bump::Minor, PreLabel::Alpha, "1.3.0a1");
    check_pre(Some("1.2.3"), "1.3.0b1", Bump::Minor, PreLabel::Alpha, "1.3.0b2");
    check_pre(Some("1.2.3"), "1.3.0rc1", Bump::Minor, PreLabel::Dev, "1.3.0rc2");
    check_pre(Some("1.2.3"), "1.3.0b1", Bump::Major, PreLabel::Alpha, "2.0.0a1");
}

#[test]
fn a_development_release_of_a_pre_release_comes_before_it() {
    check_pre(Some("1.2.3"), "1.3.0rc1.dev4", Bump::Minor, PreLabel::Rc, "1.3.0rc1");
    check_pre(Some("1.2.3"), "1.3.0rc1.post1", Bump::Minor, PreLabel::Rc, "1.3.0rc2");
    check_pre(Some("1.2.3"), "1.3.0rc1.post1.dev1", Bump::Minor, PreLabel::Rc, "1.3.0rc2");
}

#[test]
fn a_pre_release_graduates_to_what_it_announced() {
    let check = |text: &str, expected: Option<&str>| {
        assert_eq!(graduate(&version(text)).map(|next| next.to_string()).as_deref(), expected, "{text}");
    };
    check("1.3.0rc2", Some("1.3.0"));
    check("1!1.3b1.dev2", Some("1!1.3"));
    check("1.3.0rc1.post1", Some("1.3.0"));
    check("1.3.0.post1.dev2", Some("1.3.0.post1"));
    check("1.3.0rc1+x", Some("1.3.0"));
    check("1.3.0", None);
    check("1.3.0.post1", None);
}

#[test]
fn zero_becomes_stable_once() {
    let check = |text: &str, expected: &str| assert_eq!(stable(&version(text)).to_string(), expected);
    check("0.4.2", "1.0.0");
    check("0.4", "1.0");
    check("0.4.0rc1", "1.0.0");
    check("1.0.0rc1", "1.0.0");
    check("2.1.0+x", "2.1.0");
}

#[test]
fn below_one_a_breaking_change_moves_the_minor_number() {
    let policy = ZeroPolicy::default();
    assert_eq!(policy.apply(&version("0.4.2"), Bump::Major), Bump::Minor);
    assert_eq!(policy.apply(&version("0.4.2"), Bump::Minor), Bump::Minor);
    assert_eq!(policy.apply(&version("0.4.2"), Bump::Patch), Bump::Patch);
    assert_eq!(policy.apply(&version("1.4.2"), Bump::Major), Bump::Major);
    assert_eq!(policy.apply(&version("1!0.4.2"), Bump::Major), Bump::Major);
    for bump in [Bump::Patch, Bump::Minor, Bump::Major] {
        assert_eq!(ZeroPolicy::none().apply(&version("0.4.2"), bump), bump);
    }
}

#[test]
fn the_end_of_64_bits_moves_the_next_larger_component() {
    let end = u64::MAX;
    check_final(None, &format!("1.2.{end}"), Bump::Patch, "1.3.0");
    check_final(None, &format!("1.{end}.{end}"), Bump::Patch, "2.0.0");
    check_final(None, &format!("{end}.{end}.{end}"), Bump::Patch, &format!("{end}.{end}.{end}"));
}

fn bumps() -> impl Strategy<Value = Bump> {
    prop_oneof![Just(Bump::Patch), Just(Bump::Minor), Just(Bump::Major)]
}

fn labels() -> impl Strategy<Value = PreLabel> {
    prop_oneof![Just(PreLabel::Dev), Just(PreLabel::Alpha), Just(PreLabel::Beta), Just(PreLabel::Rc)]
}

/// Any version: one to four components, with any suffixes.
fn versions() -> impl Strategy<Value = Version> {
    let release = proptest::collection::vec(0_u64..4, 1..5);
    let suffix = (
        proptest::option::of((prop_oneof![Just("a"), Just("b"), Just("rc")], 0_u64..3)),
        proptest::option::of(0_u64..3),
        proptest::option::of(0_u64..3),
        any::<bool>(),
    );
    (0_u64..2, release, suffix).prop_map(|(epoch, release, (pre, post, dev, local))| {
        let release: Vec<String> = release.iter().map(u64::to_string).collect();
        let mut text = format!("{epoch}!{}", release.join("."));
        text.extend(pre.map(|(label, number)| format!("{label}{number}")));
        text.extend(post.map(|number| format!(".post{number}")));
        text.extend(dev.map(|number| format!(".dev{number}")));
        text.push_str(if local { "+cpu" } else { "" });
        version(&text)
    })
}

fn finals() -> impl Strategy<Value = Option<Version>> {
    proptest::option::of(versions().prop_map(|version| graduate(&version).unwrap_or(version)))
}

proptest! {
    #[test]
    fn a_final_number_is_above_all_that_was_and_carries_no_suffix(
        last_final in finals(), last in versions(), bump in bumps(),
    ) {
        let next = next_final(last_final.as_ref(), &last, bump);
        prop_assert!(next > last, "{next} {last}");
        prop_assert!(last_final.as_ref().is_none_or(|last_final| next > *last_final));
        prop_assert_eq!(next.to_string(), next.base().to_string());
        prop_assert!(next.release().len() >= last.release().len());
    }

    #[test]
    fn a_pre_release_is_above_all_that_was_and_below_its_final(
        last_final in finals(), last in versions(), bump in bumps(), label in labels(),
    ) {
        let next = next_pre(last_final.as_ref(), &last, bump, label);
        prop_assert!(next > last, "{next} {last}");
        prop_assert!(last_final.as_ref().is_none_or(|last_final| next > *last_final));
        prop_assert!(next.is_prerelease() && !next.has_local());
        prop_assert_eq!(next.base(), next_final(last_final.as_ref(), &last, bump));
    }

    #[test]
    fn pre_releases_in_a_row_count_up_and_graduate_to_the_final(
        last in versions(), bump in bumps(), label in labels(),
    ) {
        let last_final = Some(&last).filter(|last| !last.is_prerelease());
        let first = next_pre(last_final, &last, bump, label);
        let second = next_pre(last_final, &first, bump, label);
        prop_assert!(second > first);
        prop_assert_eq!(first.base(), second.base());
        prop_assert_eq!(graduate(&second), Some(next_final(last_final, &last, bump)));
    }

    #[test]
    fn a_graduate_is_final_and_above(last in versions()) {
        if let Some(next) = graduate(&last) {
            prop_assert!(next > last && !next.is_prerelease() && !next.has_local());
        }
    }
}

fn text<'v>(value: &'v Value, key: &str) -> &'v str {
    value[key].as_str().unwrap()
}

#[test]
fn numbers_match_those_of_python_semantic_release() {
    let vectors: Value =
        serde_json::from_str(include_str!("../../../tests/data/vectors/bump-psr.json")).unwrap();
    let cases = vectors["cases"]["increment"].as_array().unwrap();
    for case in cases {
        let last = read_tag_version(text(case, "latest_version")).unwrap();
        let last_final = read_tag_version(text(case, "latest_full_version")).unwrap();
        let bump = match text(case, "level_bump") {
            "major" => Bump::Major,
            "minor" => Bump::Minor,
            // No size of its own: the next number of the standing pre-release.
            "patch" | "prerelease_revision" => Bump::Patch,
            other => panic!("unknown level {other}"),
        };
        let next = if case["prerelease"].as_bool().unwrap() {
            let label = text(case, "prerelease_token").parse().unwrap();
            next_pre(Some(&last_final), &last, bump, label)
        } else {
            next_final(Some(&last_final), &last, bump)
        };
        assert_eq!(next, read_tag_version(text(case, "expected_version")).unwrap(), "{case}");
    }
    assert_eq!(cases.len(), 21);
}

#[test]
fn tags_sort_as_python_semantic_release_sorts_them() {
    let vectors: Value =
        serde_json::from_str(include_str!("../../../tests/data/vectors/bump-psr.json")).unwrap();
    let cases = vectors["cases"]["sorted_tags"].as_array().unwrap();
    for case in cases {
        // `1.0.0-alpha.beta.1` has no meaning in PEP 440: it is refused, not sorted.
        let read = |list: &Value| -> Vec<Version> {
            let tags = list.as_array().unwrap().iter().map(|tag| tag.as_str().unwrap());
            tags.filter(|tag| !tag.contains("alpha.beta")).map(|tag| read_tag_version(tag).unwrap()).collect()
        };
        let mut sorted = read(&case[0]);
        sorted.sort_by(|one, other| other.cmp(one));
        assert_eq!(sorted, read(&case[1]), "{case}");
    }
    assert_eq!(cases.len(), 5);
}

/// How our answer relates to release-please's.
enum Ours {
    /// The same version, as PEP 440 compares.
    Same,
    /// Another version on purpose, for the reason.
    Differs(&'static str, &'static str),
    /// The standing version has no PEP 440 meaning, so it is refused.
    Refused,
}

/// The cases whose answer differs on purpose, by their standing version and answer.
fn expected_of(standing: &str, answer: &str) -> Ours {
    let counter = "the first number under a label is 1, not none";
    match (standing, answer) {
        ("1.1.1-beta", "2.0.0-beta") => Ours::Differs("2.0.0b1", counter),
        ("0.1.2", "0.1.3-beta") => Ours::Differs("0.1.3b1", counter),
        ("1.2.4-alpha", "1.2.4-alpha.1") => {
            Ours::Differs("1.2.4b1", "the label asked for wins where it is higher")
        }
        (standing, _) if standing.contains("beta2023.1") => Ours::Refused,
        _ => Ours::Same,
    }
}

#[test]
fn numbers_match_those_of_release_please_but_for_named_differences() {
    let vectors: Value =
        serde_json::from_str(include_str!("../../../tests/data/vectors/bump-release-please.json")).unwrap();
    let cases = vectors["cases"].as_array().unwrap();
    let mut same = 0;
    let mut different = 0;
    for case in cases {
        let (standing, answer) = (text(case, "version"), text(case, "expected"));
        match expected_of(standing, answer) {
            Ours::Same => {
                assert_eq!(next_like_release_please(case), read_tag_version(answer).unwrap(), "{case}");
                same += 1;
            }
            Ours::Differs(ours, why) => {
                assert_eq!(next_like_release_please(case).to_string(), ours, "{case} {why}");
                assert_ne!(Version::parse(answer).unwrap(), version(ours));
                different += 1;
            }
            Ours::Refused => {
                assert!(read_tag_version(standing).is_err(), "{case}");
                different += 1;
            }
        }
    }
    assert_eq!((same, different), (22, 6));
}

/// One case in our terms: sizes by type, policy below 1.0, label.
fn next_like_release_please(case: &Value) -> Version {
    let commits = case["commits"].as_array().unwrap();
    if let Some(forced) = commits.iter().find_map(|commit| commit["release_as"].as_str()) {
        return read_tag_version(forced).unwrap();
    }
    let last = read_tag_version(text(case, "version")).unwrap();
    let last_final = last.is_prerelease().then(|| final_implied_by(&last));
    let bump = commits.iter().filter_map(size_of).max().unwrap();
    let bump = match text(case, "strategy") {
        "always-bump-major" => Bump::Major,
        _ => zero_policy_of(&case["options"]).apply(&last, bump),
    };
    match label_of(&case["options"], &last) {
        Some(label) => next_pre(last_final.as_ref(), &last, bump, label),
        None => next_final(last_final.as_ref(), &last, bump),
    }
}

fn size_of(commit: &Value) -> Option<Bump> {
    match (commit["breaking"].as_bool().unwrap(), text(commit, "type")) {
        (true, _) => Some(Bump::Major),
        (false, "feat") => Some(Bump::Minor),
        (false, "fix") => Some(Bump::Patch),
        _ => None,
    }
}

fn zero_policy_of(options: &Value) -> ZeroPolicy {
    let mut policy = ZeroPolicy::none();
    if options["bumpMinorPreMajor"] == true {
        policy.major = Bump::Minor;
    }
    if options["bumpPatchForMinorPreMajor"] == true {
        policy.minor = Bump::Patch;
    }
    policy
}

/// Without a type a standing label is kept and a final version stays final.
fn label_of(options: &Value, last: &Version) -> Option<PreLabel> {
    if options["prerelease"] != true {
        return None;
    }
    match options["prereleaseType"].as_str() {
        Some(label) => Some(label.parse().unwrap()),
        None => standing_label(last).map(|(label, _)| label),
    }
}

/// The vectors name no last final release; the numbers of a pre-release imply one: 1.2.3 for 1.2.4b1.
fn final_implied_by(last: &Version) -> Version {
    let (major, minor, patch) = last.triple();
    version(&match (major, minor, patch) {
        (major, minor, patch) if patch > 0 => format!("{major}.{minor}.{}", patch - 1),
        (major, minor, _) if minor > 0 => format!("{major}.{}.0", minor - 1),
        (major, _, _) => format!("{}.0.0", major.saturating_sub(1)),
    })
}
