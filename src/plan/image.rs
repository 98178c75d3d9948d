//! An image of a release: where it goes, what it is built from, which tags lead to it.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::version::number::Version;
use crate::workspace::config::settings::Image;

/// A release's container image.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ReleaseImage {
    /// `ghcr.io/acme/mlops`, without a tag.
    pub repository: String,
    /// The folder that the build sees, in the package's folder; empty for all of it.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub context: String,
    /// The Dockerfile, in the context.
    pub dockerfile: String,
    pub platforms: Vec<String>,
    /// Build arguments of the user's.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub args: BTreeMap<String, String>,
    /// The tags that may lead to it, the version's first.
    pub tags: Vec<ImageTag>,
    /// Where the source is, for its label.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
}

/// One tag of an image.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ImageTag {
    pub name: String,
    /// Among which versions it leads to the highest.
    pub of: Line,
}

/// Some versions of a package.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Line {
    /// This one: the tag never moves.
    Version,
    /// Those of the same major and minor number.
    Minor,
    /// Those of the same major number.
    Major,
    /// All.
    All,
}

impl ReleaseImage {
    /// The image of a package's settings at a version.
    pub fn new(image: &Image, version: &Version, source: Option<&str>) -> ReleaseImage {
        let own = ImageTag { name: tag_of(version), of: Line::Version };
        let mut tags = vec![own];
        for form in &image.tags {
            let tag = ImageTag { name: filled(form, version), of: line_of(form) };
            // Moving tags are for stable versions.
            let counts = tag.of == Line::Version || !version.is_prerelease();
            if counts && !tags.iter().any(|known| known.name == tag.name) {
                tags.push(tag);
            }
        }
        ReleaseImage {
            repository: image.repository.clone(),
            context: image.context.clone(),
            dockerfile: image.dockerfile.clone(),
            platforms: image.platforms.clone(),
            args: image.args.clone(),
            tags,
            source: source.map(str::to_owned),
        }
    }
}

/// A version as a tag: what PEP 440 allows and a registry does not is replaced.
pub fn tag_of(version: &Version) -> String {
    version.to_string().replace('+', "_").replace('!', "-")
}

/// The version that a tag names, where it names one.
pub fn version_of(tag: &str) -> Option<Version> {
    let version = Version::parse(&tag.replace('_', "+").replacen('-', "!", 1)).ok()?;
    (tag_of(&version) == tag).then_some(version)
}

/// Whether a version is the highest stable one of its line.
pub fn is_highest<'v>(version: &Version, of: Line, others: impl IntoIterator<Item = &'v Version>) -> bool {
    let same = |other: &Version| {
        let [mine, theirs] = [version, other].map(|one| (one.epoch(), one.triple()));
        match of {
            Line::Version => other == version,
            Line::Minor => (mine.0, mine.1.0, mine.1.1) == (theirs.0, theirs.1.0, theirs.1.1),
            Line::Major => (mine.0, mine.1.0) == (theirs.0, theirs.1.0),
            Line::All => true,
        }
    };
    let mut above =
        others.into_iter().filter(|other| !other.is_prerelease() && same(other) && *other > version);
    !version.is_prerelease() && above.next().is_none()
}

fn filled(form: &str, version: &Version) -> String {
    let (major, minor, patch) = version.triple();
    form.replace("{version}", &tag_of(version))
        .replace("{major}", &major.to_string())
        .replace("{minor}", &minor.to_string())
        .replace("{patch}", &patch.to_string())
}

fn line_of(form: &str) -> Line {
    match () {
        () if form.contains("{version}") || form.contains("{patch}") => Line::Version,
        () if form.contains("{minor}") => Line::Minor,
        () if form.contains("{major}") => Line::Major,
        () => Line::All,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn version(text: &str) -> Version {
        Version::parse(text).unwrap()
    }

    fn tags(forms: &[&str], at: &str) -> Vec<(String, Line)> {
        let image = Image {
            context: String::new(),
            dockerfile: "Dockerfile".to_owned(),
            repository: "r/a".to_owned(),
            platforms: Vec::new(),
            args: BTreeMap::new(),
            tags: forms.iter().map(|form| (*form).to_owned()).collect(),
        };
        let image = ReleaseImage::new(&image, &version(at), None);
        image.tags.into_iter().map(|tag| (tag.name, tag.of)).collect()
    }

    #[test]
    fn the_tag_of_the_version_is_always_there_and_first() {
        let named = |name: &str, of: Line| (name.to_owned(), of);
        assert_eq!(tags(&["latest"], "1.2.3"), [named("1.2.3", Line::Version), named("latest", Line::All)]);
        assert_eq!(
            tags(&["{version}", "{major}.{minor}", "{major}", "v{version}"], "1.2.3"),
            [
                named("1.2.3", Line::Version),
                named("1.2", Line::Minor),
                named("1", Line::Major),
                named("v1.2.3", Line::Version)
            ]
        );
        assert_eq!(tags(&["{major}.{minor}", "latest"], "2.0.0rc1"), [named("2.0.0rc1", Line::Version)]);
    }

    #[test]
    fn every_version_is_a_tag_and_back() {
        for text in ["1.2.3", "1!2.0", "1.0+local.1", "2.0.0rc1", "1.0.post1"] {
            let tag = tag_of(&version(text));
            assert!(tag.chars().all(|one| one.is_ascii_alphanumeric() || "._-".contains(one)), "{tag}");
            assert_eq!(version_of(&tag), Some(version(text)), "{text}");
        }
        assert_eq!(version_of("latest"), None);
        assert_eq!(version_of("1.2-alpine"), None);
    }

    #[test]
    fn only_the_highest_stable_version_of_a_line_takes_its_tag() {
        let others = ["1.0.0", "1.2.0", "2.0.0", "3.0.0rc1"].map(version);
        assert!(is_highest(&version("1.2.1"), Line::Minor, &others));
        assert!(is_highest(&version("1.2.1"), Line::Major, &others));
        assert!(!is_highest(&version("1.2.1"), Line::All, &others));
        assert!(!is_highest(&version("1.1.0"), Line::Major, &others));
        assert!(is_highest(&version("2.0.0"), Line::All, &others));
        assert!(!is_highest(&version("4.0.0rc1"), Line::All, &others));
    }
}
