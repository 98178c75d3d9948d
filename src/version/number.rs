//! A version as PEP 440 reads and writes it.

use std::fmt;
use std::str::FromStr;

use crate::version::label::PreLabel;

/// A PEP 440 version. Prints in the normal form; orders as PEP 440 says.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Version(pep440_rs::Version);

/// Why a text is no PEP 440 version.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not a PEP 440 version")]
pub struct VersionError {
    pub text: String,
}

impl Version {
    /// Reads a version in any spelling PEP 440 allows.
    ///
    /// # Errors
    /// Where PEP 440 gives the text no meaning.
    pub fn parse(text: &str) -> Result<Version, VersionError> {
        pep440_rs::Version::from_str(text).map(Version).map_err(|_| VersionError { text: text.to_owned() })
    }

    pub fn as_pep440(&self) -> &pep440_rs::Version {
        &self.0
    }

    /// Whether it is a pre-release or a development release (PEP 440, "Pre-releases").
    pub fn is_prerelease(&self) -> bool {
        self.0.any_prerelease()
    }

    /// Whether it carries a local part (`+x`), which public indexes refuse (PEP 440, "Local version identifiers").
    pub fn has_local(&self) -> bool {
        self.0.is_local()
    }

    pub fn epoch(&self) -> u64 {
        self.0.epoch()
    }

    /// The release segment as written: `[1, 2]` for `1.2rc1`.
    pub fn release(&self) -> &[u64] {
        self.0.release()
    }

    /// Epoch and release segment alone: `1!1.2` for `1!1.2rc1.post2.dev3+x`.
    pub fn base(&self) -> Version {
        Version(self.0.only_release().with_epoch(self.0.epoch()))
    }

    /// The version without its local part.
    pub fn public(&self) -> Version {
        Version(self.0.clone().without_local())
    }

    /// The base version with a label: `1.3.0` becomes `1.3.0rc1` or `1.3.0.dev1`. Any other suffix goes.
    pub fn with_pre(&self, label: PreLabel, number: u64) -> Version {
        let base = self.base().0;
        Version(match label.kind() {
            Some(kind) => base.with_pre(Some(pep440_rs::Prerelease { kind, number })),
            None => base.with_dev(Some(number)),
        })
    }

    /// The same version with another epoch and release segment; its suffixes stay. An empty segment changes nothing.
    pub fn with_release(&self, epoch: u64, release: &[u64]) -> Version {
        if release.is_empty() {
            return self.clone();
        }
        Version(self.0.clone().with_epoch(epoch).with_release(release))
    }

    /// The release segment, padded to three numbers: major, minor, patch.
    pub fn triple(&self) -> (u64, u64, u64) {
        let release = self.0.release();
        let at = |index: usize| release.get(index).copied().unwrap_or(0);
        (at(0), at(1), at(2))
    }
}

impl From<pep440_rs::Version> for Version {
    fn from(version: pep440_rs::Version) -> Version {
        Version(version)
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let version = &self.0;
        let is_bare =
            version.epoch() == 0 && version.is_stable() && !version.is_post() && !version.is_local();
        if !is_bare {
            return version.fmt(f);
        }
        // Most are, and all are written many times.
        for (place, number) in version.release().iter().enumerate() {
            let dot = if place == 0 { "" } else { "." };
            write!(f, "{dot}{number}")?;
        }
        Ok(())
    }
}

impl serde::Serialize for Version {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> serde::Deserialize<'de> for Version {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Version, D::Error> {
        let text = <std::borrow::Cow<'de, str>>::deserialize(deserializer)?;
        Version::parse(&text).map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests;
