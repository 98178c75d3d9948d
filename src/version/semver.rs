//! Versions as tags and footers spell them: PEP 440 or semver, with the traps between the two refused.

use crate::version::number::Version;

/// Why a text is not taken as a version.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TagVersionError {
    /// It looks like a pre-release and PEP 440 reads it as a post-release.
    #[error(
        "`{text}` is read by PEP 440 as the post-release {reads}, newer than {base}; \
         write `{reads}` if that is meant, `{base}rc1` or `{base}.dev1` for a pre-release"
    )]
    PostRelease { text: String, reads: Version, base: Version },
    /// Semver knows it as a pre-release and PEP 440 has no such label.
    #[error(
        "`{text}` has no meaning in PEP 440, which knows no pre-release `{label}`; \
         write `{base}a1`, `{base}b1`, `{base}rc1` or `{base}.dev1`"
    )]
    UnknownLabel { text: String, label: String, base: Version },
    /// Semver knows its build metadata and PEP 440 takes them not as a local part.
    #[error(
        "`{text}` has no meaning in PEP 440, whose local part is letters and digits between dots; write `{base}`"
    )]
    BuildMetadata { text: String, base: Version },
    /// It is a version in neither.
    #[error("`{text}` is a version neither of PEP 440 nor of semver; write it like `1.2.3` or `1.2.3rc1`")]
    NotAVersion { text: String },
}

/// Reads a version in PEP 440's or semver's spelling: `1.3.0rc1` and `1.3.0-rc.1` are the same.
///
/// Build metadata become the local part; `Version::has_local` tells it, since no public index takes one.
///
/// # Errors
/// Where the text is no version in PEP 440, and where it is another one than it looks like: after a hyphen a bare
/// number or `r` makes a post-release (PEP 440, "Implicit post releases"), so `1.0.1-0` is newer than 1.0.1 while
/// semver and the eye take it for a pre-release of it.
pub fn read_tag_version(text: &str) -> Result<Version, TagVersionError> {
    let trimmed = text.trim();
    let Ok(version) = Version::parse(trimmed) else { return Err(meaningless(trimmed)) };
    if is_hidden_post(trimmed, &version) {
        let (base, reads) = (version.base(), version);
        return Err(TagVersionError::PostRelease { text: shown(trimmed), reads, base });
    }
    Ok(version)
}

/// Whether a version is a post-release without saying `post`, spelled with a hyphen as semver's pre-releases are.
fn is_hidden_post(text: &str, version: &Version) -> bool {
    if !version.as_pep440().is_post() {
        return false;
    }
    let public = text.split('+').next().unwrap_or(text).to_ascii_lowercase();
    public.contains('-') && !public.contains("post")
}

/// The reason why a text that PEP 440 does not know is refused.
fn meaningless(text: &str) -> TagVersionError {
    let bare = text.strip_prefix(['v', 'V']).unwrap_or(text);
    let Ok(read) = semver::Version::parse(bare) else {
        return TagVersionError::NotAVersion { text: shown(text) };
    };
    let release = format!("{}.{}.{}", read.major, read.minor, read.patch);
    let Ok(base) = Version::parse(&release) else {
        return TagVersionError::NotAVersion { text: shown(text) };
    };
    let public = bare.split('+').next().unwrap_or(bare);
    match Version::parse(public) {
        Ok(base) => TagVersionError::BuildMetadata { text: shown(text), base },
        Err(_) => TagVersionError::UnknownLabel { text: shown(text), label: read.pre.to_string(), base },
    }
}

/// The text without control characters, for a terminal.
fn shown(text: &str) -> String {
    text.chars().filter(|character| !character.is_control()).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    fn check(text: &str, expected: &str) {
        assert_eq!(read_tag_version(text).unwrap().to_string(), expected, "{text}");
    }

    fn refusal(text: &str) -> String {
        read_tag_version(text).unwrap_err().to_string()
    }

    #[test]
    fn semver_spellings_become_pep_440() {
        check("1.3.0-beta.1", "1.3.0b1");
        check("1.3.0-rc.0", "1.3.0rc0");
        check("1.0.0-alpha", "1.0.0a0");
        check("1.2.3-dev.4", "1.2.3.dev4");
        check("2.0.0-beta01", "2.0.0b1");
        check("1.0.0-pre.2", "1.0.0rc2");
        check("v1.0.0-preview.2", "1.0.0rc2");
        check("1.0.0-RC.1", "1.0.0rc1");
    }

    #[test]
    fn pep_440_spellings_are_read_as_they_are() {
        check("1.3.0rc1", "1.3.0rc1");
        check("1!2.0.post3", "1!2.0.post3");
        check("1.2.3-post.1", "1.2.3.post1");
        check("1.2.rev33", "1.2.post33");
        check("v2024.11", "2024.11");
        check(" 2.0.0 ", "2.0.0");
    }

    #[test]
    fn build_metadata_are_read_and_can_be_told() {
        let version = read_tag_version("1.3.0-rc.1+build.7").unwrap();
        assert_eq!(version.to_string(), "1.3.0rc1+build.7");
        assert!(version.has_local());
        assert!(!read_tag_version("1.3.0-rc.1").unwrap().has_local());
    }

    #[test]
    fn a_hidden_post_release_is_refused_with_how_it_is_read() {
        for text in
            ["1.0.1-0", "1.0.1-1", "1.0-3", "v1.0.1-r2", "1.0.1-rev.2", "1.0.0-rc.1-2", "1.0.1-1+post"]
        {
            let said = refusal(text);
            assert!(said.contains("post-release") && said.contains("rc1"), "{said}");
        }
        assert_eq!(
            refusal("1.0.1-0"),
            "`1.0.1-0` is read by PEP 440 as the post-release 1.0.1.post0, newer than 1.0.1; \
             write `1.0.1.post0` if that is meant, `1.0.1rc1` or `1.0.1.dev1` for a pre-release"
        );
        assert!(refusal("0.0.0-20211101120000").contains("0.0.0.post20211101120000"));
    }

    #[test]
    fn a_label_that_pep_440_does_not_know_is_refused_with_what_to_write() {
        for text in ["1.2.3-next.0", "1.2.3-canary.1", "v1.2.3-SNAPSHOT", "1.2.3-feature-x.1", "1.0.1-0.3.7"]
        {
            let said = refusal(text);
            assert!(said.contains("no meaning in PEP 440") && said.contains(".dev1`"), "{said}");
        }
        assert!(refusal("1.2.3-next.0").contains("pre-release `next.0`; write `1.2.3a1`"));
    }

    #[test]
    fn build_metadata_without_a_local_spelling_are_refused() {
        assert!(refusal("1.2.3-rc.1+a--b").ends_with("write `1.2.3rc1`"));
    }

    #[test]
    fn other_texts_are_refused_without_control_characters() {
        for text in ["", "latest", "1.2-SNAPSHOT", "1..2", "v", "1.2.3.x", "99999999999999999999999.0.0"] {
            assert!(refusal(text).contains("neither of PEP 440 nor of semver"), "{text}");
        }
        assert!(refusal("1.0\u{1b}[31m").starts_with("`1.0[31m` is"));
    }

    fn vectors() -> Value {
        serde_json::from_str(include_str!("../../tests/data/vectors/semver-spec.json")).unwrap()
    }

    #[test]
    fn valid_semver_has_the_parts_that_the_specification_says() {
        let vectors = vectors();
        let cases = vectors["cases"]["valid"].as_array().unwrap();
        for case in cases {
            let text = case["version"].as_str().unwrap();
            if text.starts_with("99999999999999999999999.") {
                // Numbers end at 64 bits, here as in PEP 440.
                assert!(semver::Version::parse(text).is_err() && Version::parse(text).is_err());
                continue;
            }
            let read = semver::Version::parse(text).unwrap();
            let part = |key: &str| case[key].as_str().unwrap_or("").to_owned();
            assert_eq!(read.major.to_string(), part("major"), "{text}");
            assert_eq!(read.minor.to_string(), part("minor"), "{text}");
            assert_eq!(read.patch.to_string(), part("patch"), "{text}");
            assert_eq!(read.pre.to_string(), part("prerelease"), "{text}");
            assert_eq!(read.build.to_string(), part("buildmetadata"), "{text}");
        }
        assert_eq!(cases.len(), 31);
    }

    #[test]
    fn invalid_semver_is_known_as_such() {
        let vectors = vectors();
        let cases = vectors["cases"]["invalid"].as_array().unwrap();
        for case in cases {
            assert!(semver::Version::parse(case.as_str().unwrap()).is_err(), "{case}");
        }
        assert_eq!(cases.len(), 39);
    }

    #[test]
    fn semver_precedence_is_kept_by_every_spelling_that_is_read() {
        let vectors = vectors();
        let lists = vectors["cases"]["ascending"].as_array().unwrap();
        for list in lists {
            let texts: Vec<&str> = list.as_array().unwrap().iter().filter_map(Value::as_str).collect();
            let semver: Vec<_> = texts.iter().map(|text| semver::Version::parse(text).unwrap()).collect();
            assert!(semver.is_sorted_by(|one, other| one < other), "{texts:?}");
            let ours: Vec<_> = texts.iter().filter_map(|text| read_tag_version(text).ok()).collect();
            assert!(ours.is_sorted_by(|one, other| one < other), "{ours:?}");
            assert!(ours.len() >= texts.len() - 1, "only `alpha.beta` has no meaning: {ours:?}");
        }
        assert_eq!(lists.len(), 2);
    }
}
