//! The next number: final, pre-release, graduated, first stable.
//!
//! A result has as many release components as the last version at least; a patch of `1.2` is `1.2.1`, since
//! only a size that touches a further component adds it. Numbers end at 64 bits: past that the next larger
//! component moves, and a major number that is at the end stays there.

use std::cmp::Ordering;

use pep440_rs::Prerelease;

use crate::version::bump::Bump;
use crate::version::label::PreLabel;
use crate::version::number::Version;

/// What each size becomes while the major number is 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ZeroPolicy {
    pub major: Bump,
    pub minor: Bump,
    pub patch: Bump,
}

impl Default for ZeroPolicy {
    /// A breaking change moves the minor number: Python users write `~=0.4.0` or `>=0.4,<0.5`.
    fn default() -> ZeroPolicy {
        ZeroPolicy { major: Bump::Minor, ..ZeroPolicy::none() }
    }
}

impl ZeroPolicy {
    /// Every size stays what it is.
    pub fn none() -> ZeroPolicy {
        ZeroPolicy { major: Bump::Major, minor: Bump::Minor, patch: Bump::Patch }
    }

    /// The size that counts: the policy's on `0.y` without an epoch, else the given one.
    pub fn apply(&self, current: &Version, bump: Bump) -> Bump {
        if current.epoch() != 0 || current.triple().0 != 0 {
            return bump;
        }
        match bump {
            Bump::Major => self.major,
            Bump::Minor => self.minor,
            Bump::Patch => self.patch,
        }
    }
}

/// The next final version: the last final release plus the size of all that came since.
///
/// Where `last` is a pre-release above that final, the result is never below what it announced: 1.2.3 and
/// 1.2.4rc1 give 1.2.4 for a patch and 1.3.0 for a feature. Without any final release the announced version is
/// the next one whatever the size: 1.0.0rc1 gives 1.0.0. The epoch stays.
pub fn next_final(last_final: Option<&Version>, last: &Version, bump: Bump) -> Version {
    let announced = announced(last);
    let counted = final_below(last_final, last).map(|base| step(base, bump));
    let next = match (counted, announced) {
        (Some(counted), Some(announced)) => higher(counted, announced),
        (Some(one), None) | (None, Some(one)) => one,
        (None, None) => step(last, bump),
    };
    padded(&next, last.release().len())
}

/// The next pre-release: the base of `next_final`, then the label with its number, counted from 1.
///
/// On the same base the number goes up where the label stays (1.3.0rc1, 1.3.0rc2) and begins again where it
/// rises (1.3.0b2, 1.3.0rc1). A label below the last one would go backwards, so the last one stays: `a` after
/// 1.3.0b1 gives 1.3.0b2. A development release of a pre-release comes before it: 1.3.0rc1.dev4 gives 1.3.0rc1.
pub fn next_pre(last_final: Option<&Version>, last: &Version, bump: Bump, label: PreLabel) -> Version {
    let base = next_final(last_final, last, bump);
    let standing = announced(last).filter(|announced| *announced == base).and(standing_label(last));
    match standing {
        Some((kept, number)) if kept >= label => base.with_pre(kept, number),
        _ => base.with_pre(label, 1),
    }
}

/// The final version that a pre-release announces: 1.3.0 for 1.3.0rc2, 1.3.0.post1 for 1.3.0.post1.dev2.
/// None where the version is final already.
pub fn graduate(last: &Version) -> Option<Version> {
    if !last.is_prerelease() {
        return None;
    }
    match last.as_pep440().post() {
        Some(post) if last.as_pep440().pre().is_none() => {
            Some(Version::from(last.base().as_pep440().clone().with_post(Some(post))))
        }
        _ => Some(last.base()),
    }
}

/// The first stable version: 1.0.0 for 0.y and its pre-releases. From 1.0.0 on nothing is left to reach: a
/// pre-release graduates, a final version is given back without its local part.
pub fn stable(last: &Version) -> Version {
    if last.triple().0 == 0 {
        return step(last, Bump::Major);
    }
    graduate(last).unwrap_or_else(|| last.public())
}

/// The highest final release known: what the caller says, or `last` itself.
fn final_below<'v>(last_final: Option<&'v Version>, last: &'v Version) -> Option<&'v Version> {
    let own = Some(last).filter(|last| !last.is_prerelease());
    last_final.into_iter().chain(own).max()
}

/// The base that a pre-release leads to. A development release of a post-release announces no base of its own:
/// its base is out already, so the patch after it counts.
fn announced(last: &Version) -> Option<Version> {
    let suffix = last.as_pep440();
    match (suffix.pre(), suffix.dev()) {
        (Some(_), _) => Some(last.base()),
        (None, Some(_)) if suffix.post().is_some() => Some(step(last, Bump::Patch)),
        (None, Some(_)) => Some(last.base()),
        (None, None) => None,
    }
}

/// The label a pre-release carries and the number that comes next under it.
fn standing_label(last: &Version) -> Option<(PreLabel, u64)> {
    let suffix = last.as_pep440();
    match (suffix.pre(), suffix.dev()) {
        (Some(Prerelease { kind, number }), Some(_)) if suffix.post().is_none() => {
            Some((kind.into(), number))
        }
        (Some(Prerelease { kind, number }), _) => Some((kind.into(), number.saturating_add(1))),
        (None, Some(number)) if suffix.post().is_none() => Some((PreLabel::Dev, number.saturating_add(1))),
        _ => None,
    }
}

/// One step up from the base of a version: larger components stay, smaller ones become 0.
fn step(from: &Version, bump: Bump) -> Version {
    let (index, larger) = match bump {
        Bump::Patch => (2, Some(Bump::Minor)),
        Bump::Minor => (1, Some(Bump::Major)),
        Bump::Major => (0, None),
    };
    let mut release = from.release().to_vec();
    release.resize(release.len().max(index + 1), 0);
    let Some(number) = release[index].checked_add(1) else {
        return larger.map_or_else(|| from.base(), |larger| step(from, larger));
    };
    release[index] = number;
    release[index + 1..].fill(0);
    from.base().with_release(from.epoch(), &release)
}

/// The higher of two versions; of two equal ones the longer, so that `1.3.0rc1` leads to `1.3.0` and not to `1.3`.
fn higher(one: Version, other: Version) -> Version {
    match one.cmp(&other) {
        Ordering::Greater => one,
        Ordering::Less => other,
        Ordering::Equal if one.release().len() >= other.release().len() => one,
        Ordering::Equal => other,
    }
}

fn padded(version: &Version, length: usize) -> Version {
    let mut release = version.release().to_vec();
    release.resize(release.len().max(length), 0);
    version.with_release(version.epoch(), &release)
}

#[cfg(test)]
mod tests;
