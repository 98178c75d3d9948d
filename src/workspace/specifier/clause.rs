//! One clause of a constraint, and which versions it takes.

use std::ops::Range;

use crate::version::number::Version;

/// A comparison with a version, and where it is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Clause {
    pub operator: Operator,
    /// What is compared with; 0 beside `Operator::Any`, which asks nothing.
    pub version: Version,
    /// The operator's bytes in the text; empty where none is written.
    pub operator_span: Range<usize>,
    /// The version's bytes in the text, with its `.*`.
    pub version_span: Range<usize>,
}

/// The comparisons of PEP 440 ("Version specifiers") and of Poetry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Operator {
    /// `==1.4.2`
    Equal,
    /// `===1.4.2`
    Arbitrary,
    /// `==1.4.*`
    Prefix,
    /// `!=1.4.2`
    NotEqual,
    /// `!=1.4.*`
    NotPrefix,
    /// `~=1.4.2`
    Compatible,
    Greater,
    GreaterEqual,
    Less,
    LessEqual,
    /// Poetry's `^1.4`
    Caret,
    /// Poetry's `~1.4`
    Tilde,
    /// Poetry's `*`
    Any,
}

impl Clause {
    /// Whether the clause alone takes a version, be it a pre-release or not.
    ///
    /// A local part counts only where the clause names one (PEP 440, "Version matching").
    pub fn takes(&self, version: &Version) -> bool {
        let named = &self.version;
        let public = version.public();
        match self.operator {
            Operator::Any => true,
            Operator::Equal => equals(named, version),
            Operator::NotEqual => !equals(named, version),
            Operator::Arbitrary => named.to_string() == version.to_string(),
            Operator::Prefix => begins_with(&public, named, named.release().len()),
            Operator::NotPrefix => !begins_with(&public, named, named.release().len()),
            Operator::Compatible => {
                public >= *named && begins_with(&public, named, named.release().len().saturating_sub(1))
            }
            Operator::GreaterEqual => public >= *named,
            Operator::LessEqual => public <= *named,
            Operator::Greater => is_above(&public, named),
            Operator::Less => is_below(&public, named),
            Operator::Caret => public >= *named && is_below(&public, &end_at(named, significant(named))),
            Operator::Tilde => public >= *named && is_below(&public, &end_at(named, 1)),
        }
    }

    /// Whether the clause asks for pre-releases by naming one. An exclusion does not, and of `<` and `>` installers
    /// think differently, so they are not relied on.
    pub fn names_prerelease(&self) -> bool {
        let asks = !matches!(
            self.operator,
            Operator::NotEqual | Operator::NotPrefix | Operator::Less | Operator::Greater | Operator::Any
        );
        asks && self.version.is_prerelease()
    }

    /// Whether it only takes versions out of what others let in.
    pub fn is_exclusion(&self) -> bool {
        matches!(self.operator, Operator::NotEqual | Operator::NotPrefix)
    }
}

/// The place of the last component of a version that is not 0, or the first place.
pub fn last_set(version: &Version) -> usize {
    version.release().iter().rposition(|number| *number != 0).unwrap_or(0)
}

fn equals(named: &Version, version: &Version) -> bool {
    if named.has_local() { named == version } else { *named == version.public() }
}

/// Whether the first components are the same, missing ones being 0.
fn begins_with(version: &Version, prefix: &Version, length: usize) -> bool {
    let release = version.release();
    let same = |(index, number): (usize, &u64)| release.get(index).copied().unwrap_or(0) == *number;
    version.epoch() == prefix.epoch() && prefix.release().iter().take(length).enumerate().all(same)
}

/// PEP 440, "Exclusive ordered comparison": no post-release of the named version, unless it is one itself.
fn is_above(version: &Version, named: &Version) -> bool {
    let without_post = version.as_pep440().clone().with_post(None).with_dev(None);
    let own_post = version.as_pep440().is_post() && without_post == *named.as_pep440();
    version > named && !own_post
}

/// PEP 440, "Exclusive ordered comparison": no pre-release of the named version, unless it is one itself.
fn is_below(version: &Version, named: &Version) -> bool {
    if named.is_prerelease() {
        return version < named;
    }
    *version.as_pep440() < named.as_pep440().clone().with_dev(Some(0))
}

/// The place that a caret lets stand still: the first component that is not 0, or the last.
fn significant(version: &Version) -> usize {
    let release = version.release();
    release.iter().position(|number| *number != 0).unwrap_or(release.len().saturating_sub(1))
}

/// The first version after all that share the components up to a place.
fn end_at(version: &Version, place: usize) -> Version {
    let place = place.min(version.release().len().saturating_sub(1));
    let mut release = version.release()[..=place].to_vec();
    release[place] = release[place].saturating_add(1);
    version.base().with_release(version.epoch(), &release)
}
