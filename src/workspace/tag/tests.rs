use super::*;

fn check(format: &str, tag: &str, names: &[&str], expected: Option<&str>) {
    let format = TagFormat::parse(format).unwrap();
    assert_eq!(format.matches(tag, names), expected, "{tag} under {format}");
}

fn check_error(format: &str, expected: &str) {
    let error = TagFormat::parse(format).unwrap_err().to_string();
    assert!(error.contains(expected), "{error}");
}

#[test]
fn a_tag_is_written_from_name_and_version() {
    let version = Version::parse("1.0.0-RC.1").unwrap();
    let render = |format: &str| TagFormat::parse(format).unwrap().render("core", &version);
    assert_eq!(render("{name}-v{version}"), "core-v1.0.0rc1");
    assert_eq!(render("{name}/v{version}"), "core/v1.0.0rc1");
    assert_eq!(render("{name}@{version}"), "core@1.0.0rc1");
    assert_eq!(render("release/{version}-{name}"), "release/1.0.0rc1-core");
}

#[test]
fn a_name_matches_only_as_a_whole() {
    check("{name}-v{version}", "core-v1.0", &["core"], Some("1.0"));
    check("{name}-v{version}", "core-utils-v1.0", &["core"], None);
    check("{name}-v{version}", "core-v1.0", &["core-utils"], None);
    check("{name}-{version}", "core-utils-1.0", &["core"], None);
    check("{name}-{version}", "core-2-1.0", &["core"], None);
    check("{name}-{version}", "core-2-1.0", &["core-2"], Some("1.0"));
    check("{name}/v{version}", "x/core/v1.0", &["core"], None);
    check("{name}-v{version}", "core-v1.0-v2.0", &["core"], None);
    check("{version}-{name}", "1.0-core-utils", &["core-utils"], Some("1.0"));
    check("{version}-{name}", "1.0-core-utils", &["core"], None);
}

#[test]
fn names_are_compared_as_pep_503_says() {
    check("{name}-v{version}", "Acme_Core-v1.0", &["core", "acme-core"], Some("1.0"));
    check("{name}-v{version}", "acme.core-v1.0", &["Acme--Core"], Some("1.0"));
}

#[test]
fn a_tag_without_a_digit_is_no_version_tag() {
    check("v{version}", "vendor", &[], None);
    check("v{version}", "v1.0.0", &[], Some("1.0.0"));
    check("{version}", "v1.0.0", &[], None);
}

/// The tags that python-semantic-release's own tests count to a format, and those they do not.
#[test]
fn the_tags_of_a_format_are_those_another_tool_finds() {
    let valid = ["1.0.0-rc.1", "1.0.0-beta.2", "1.0.0-beta.11", "1.0.0-alpha.1", "1.0.0"];
    for (format, prefix) in [("v{version}", "v"), ("pkg1-v{version}", "pkg1-v")] {
        for version in valid {
            check(format, &format!("{prefix}{version}"), &["pkg1"], Some(version));
        }
        // Semver alone reads it: the tag belongs to the format and has no PEP 440 version.
        check(format, &format!("{prefix}1.0.0-alpha.beta.1"), &[], Some("1.0.0-alpha.beta.1"));
        check(format, &format!("{prefix}1.1.0-test-test"), &[], Some("1.1.0-test-test"));
        assert!(Version::parse("1.0.0-alpha.beta.1").is_err());
        assert!(Version::parse("1.1.0-test-test").is_err());
        check(format, "0.3", &[], None);
        check(format, "test-v1.1.0", &[], None);
        check(format, "pkg2-v1.1.0", &[], None);
    }
    check("pkg1-v{version}", "v1.1.0", &[], None);
}

#[test]
fn an_unclear_format_is_refused() {
    check_error("{name}", "must hold `{version}` exactly once");
    check_error("{version}-{version}", "must hold `{version}` exactly once");
    check_error("{name}{version}", "needs a text between");
    check_error("{name}-{name}-{version}", "more than once");
    check_error("{package}-{version}", "holds `{package}`");
    check_error("v{version", "brace without its partner");
    check_error("v}{version}", "brace without its partner");
    check_error("", "must hold");
}

#[test]
fn a_format_gives_only_names_that_git_allows() {
    for format in [
        "{name} {version}",
        "/{version}",
        "{name}//{version}",
        ".{version}",
        "{name}..{version}",
        "{version}.lock",
        "{version}.",
        "{name}~{version}",
        "{name}:{version}",
        "a@{b}/{version}",
        "-{version}",
        "{version}/",
        "{name}\u{7f}{version}",
        "x/.{version}",
    ] {
        assert!(TagFormat::parse(format).is_err(), "{format}");
    }
    check_error("{name}^{version}", "gives `name^1.0.0`, which git refuses as a tag");
    assert_eq!(refused_by_git("@"), Some("`@{` and a single `@` have another meaning"));
    assert_eq!(refused_by_git("core@1!2.0+local.1"), None);
}
