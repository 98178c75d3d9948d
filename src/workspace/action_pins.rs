//! The commits of the actions that workflows use: a small TOML file, and when a newer one may take a place in it.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::workspace::config::workflows::is_hex;

/// The commits that this version of `release` knows.
const KNOWN: &str = include_str!("../../templates/pins.toml");

/// Each action's pin, by `OWNER/NAME`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pins(pub BTreeMap<String, Pin>);

/// One commit of an action.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Pin {
    pub tag: String,
    pub commit: String,
    /// The day on which it was released, as `2026-01-09`.
    pub date: String,
}

/// Why a file of pins can not be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PinsError {
    #[error("`{file}` is no file of pins: {reason}")]
    Read { file: String, reason: String },
    #[error("`{file}` has no commit of `{action}`")]
    Missing { file: String, action: String },
}

/// A release of an action, as its repository tells.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ActionRelease {
    pub tag: String,
    /// Seconds since 1970.
    pub published: i64,
}

impl Pins {
    pub fn known() -> Pins {
        Pins::read(KNOWN, "templates/pins.toml").unwrap_or_else(|_| Pins(BTreeMap::new()))
    }

    /// Reads a file of pins.
    ///
    /// # Errors
    /// Where it is none, or a commit is not one.
    pub fn read(text: &str, file: &str) -> Result<Pins, PinsError> {
        let failed = |reason: String| PinsError::Read { file: file.to_owned(), reason };
        let pins: BTreeMap<String, Pin> =
            toml_edit::de::from_str(text).map_err(|error| failed(error.message().to_owned()))?;
        for (action, pin) in &pins {
            if !is_hex(&pin.commit, 40) {
                return Err(failed(format!("`{action}` has no whole commit")));
            }
            let is_plain =
                |text: &str| text.chars().all(|one| one.is_ascii_alphanumeric() || "-_./".contains(one));
            if ![action, &pin.tag, &pin.date].into_iter().all(|text| !text.is_empty() && is_plain(text)) {
                return Err(failed(format!("`{action}` has a name, tag or date that is none")));
            }
        }
        Ok(Pins(pins))
    }

    /// The file's text.
    pub fn to_toml(&self) -> String {
        let mut text = "# The commits of the actions that generated workflows use. `release generate --update-pins` brings them \
             up to date.\n"
            .to_owned();
        for (action, pin) in &self.0 {
            let Pin { tag, commit, date } = pin;
            text.push_str(&format!(
                "\n[\"{action}\"]\ntag = \"{tag}\"\ncommit = \"{commit}\"\ndate = \"{date}\"\n"
            ));
        }
        text
    }
}

/// The release that a pin moves to: the highest final one that has been out as long as the cooldown asks, where it is
/// higher than the pinned one.
pub fn newer<'r>(pinned: &str, releases: &'r [ActionRelease], until: i64) -> Option<&'r ActionRelease> {
    let known = numbers(pinned);
    let ripe = releases.iter().filter(|release| release.published <= until);
    let highest =
        ripe.filter_map(|release| Some((numbers(&release.tag)?, release))).max_by_key(|(of, _)| *of);
    highest.filter(|(of, _)| known.is_none_or(|known| *of > known)).map(|(_, release)| release)
}

/// `v1.2.3` as numbers; none for floating tags such as `v1`, and for pre-releases.
fn numbers(tag: &str) -> Option<[u64; 3]> {
    let mut parts = tag.strip_prefix('v').unwrap_or(tag).split('.').map(str::parse);
    let mut next = || parts.next()?.ok();
    let numbers = [next()?, next()?, next()?];
    parts.next().is_none().then_some(numbers)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_known_reads_and_writes_the_same() {
        let pins = Pins::known();
        assert!(pins.0.contains_key("actions/checkout") && pins.0.contains_key("actions/setup-python"));
        assert_eq!(pins.to_toml(), KNOWN);
    }

    #[test]
    fn a_pin_is_a_whole_commit() {
        let check = |text: &str| Pins::read(text, "pins.toml").err().map(|error| error.to_string());
        let commit = "0123456789abcdef0123456789abcdef01234567";
        let of = |action: &str, tag: &str, commit: &str| {
            format!("[\"{action}\"]\ntag = \"{tag}\"\ncommit = \"{commit}\"\ndate = \"2026-01-09\"\n")
        };
        assert_eq!(check(&of("a/b", "v1.0.0", commit)), None);
        for bad in [
            of("a/b", "v1.0.0", "01234"),
            of("a/b # x", "v1", commit),
            of("a/b", "v1\\nx", commit),
            "x".to_owned(),
        ] {
            assert!(
                check(&bad).is_some_and(|said| said.starts_with("`pins.toml` is no file of pins")),
                "{bad}"
            );
        }
    }

    #[test]
    fn a_pin_moves_to_the_highest_release_that_has_ripened() {
        let release = |tag: &str, published| ActionRelease { tag: tag.to_owned(), published };
        let all = [
            release("v6.0.2", 10),
            release("v6.10.0", 20),
            release("v6.9.0", 30),
            release("v7.0.0-beta.1", 5),
            release("v7", 5),
            release("v7.0.0", 100),
        ];
        let check = |pinned: &str, until: i64| newer(pinned, &all, until).map(|release| release.tag.as_str());
        assert_eq!(check("v6.0.2", 50), Some("v6.10.0"));
        assert_eq!(check("v6.0.2", 100), Some("v7.0.0"));
        assert_eq!(check("v6.10.0", 50), None, "what is the highest stays");
        assert_eq!(check("v8.0.0", 100), None, "nothing goes back");
        assert_eq!(check("main", 15), Some("v6.0.2"));
    }
}
