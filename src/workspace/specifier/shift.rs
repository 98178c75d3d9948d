//! What one clause becomes when the version it speaks of moves.

use crate::version::number::Version;
use crate::workspace::specifier::Floor;
use crate::workspace::specifier::clause::{Clause, Operator, last_set};

/// The step that clauses follow.
#[derive(Debug, Clone, Copy)]
pub struct Shift<'v> {
    /// The version that is released, without a local part.
    pub new: &'v Version,
    pub floor: Floor,
    /// Whether the constraint as a whole does not take it.
    pub outside: bool,
}

/// The version that a clause names from now on, and its operator where that changes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shifted {
    pub operator: Option<&'static str>,
    /// Without the stars of a prefix.
    pub version: String,
}

impl Shift<'_> {
    /// The clause after the step; none where it stays as it is. A shifted clause takes the new version.
    pub fn of(&self, clause: &Clause) -> Option<Shifted> {
        let taken = clause.takes(self.new);
        match clause.operator {
            Operator::NotEqual | Operator::NotPrefix => None,
            Operator::Equal | Operator::Arbitrary | Operator::LessEqual if taken => None,
            Operator::Equal | Operator::Arbitrary | Operator::LessEqual => same(self.new),
            Operator::Prefix if taken => None,
            Operator::Prefix => same(&cut(self.new, clause.version.release().len())),
            Operator::Less if taken => None,
            Operator::Less => same(&cap(&clause.version, self.new)),
            Operator::Compatible | Operator::Caret | Operator::Tilde => {
                let raised = self.same_precision(clause.version.release().len());
                let rises = self.raises(&clause.version) && raised > clause.version;
                if taken && !rises { None } else { same(&raised) }
            }
            Operator::Greater | Operator::GreaterEqual => {
                let rises = self.raises(&clause.version) && *self.new > clause.version;
                if taken && !rises { None } else { self.at_least() }
            }
            Operator::Any if self.raises(&clause.version) => self.at_least(),
            Operator::Any => None,
        }
    }

    /// Whether a floor rises that names this version.
    ///
    /// Under `minor` it does where the larger numbers differ, where it named a pre-release, and where something
    /// must be rewritten anyhow: who is released because of a new major version needs it. Under `never` it does
    /// only for a pre-release that installers would pass over.
    fn raises(&self, named: &Version) -> bool {
        match self.floor {
            Floor::Never => self.outside && self.new.is_prerelease(),
            Floor::Minor => {
                self.outside || named.is_prerelease() || larger_numbers(named) != larger_numbers(self.new)
            }
            Floor::Always => true,
        }
    }

    /// The new version with as many components as before. A pre-release is named only where nothing is cut off.
    fn same_precision(&self, length: usize) -> Version {
        let cut = cut(self.new, length);
        if self.new.is_prerelease() && cut == self.new.base() {
            return self.new.with_release(cut.epoch(), cut.release());
        }
        cut
    }

    fn at_least(&self) -> Option<Shifted> {
        Some(Shifted { operator: Some(">="), version: self.new.to_string() })
    }
}

fn same(version: &Version) -> Option<Shifted> {
    Some(Shifted { operator: None, version: version.to_string() })
}

fn larger_numbers(version: &Version) -> (u64, u64, u64) {
    let (major, minor, _) = version.triple();
    (version.epoch(), major, minor)
}

/// The base of a version with a number of components, missing ones being 0.
fn cut(version: &Version, length: usize) -> Version {
    let mut release = version.release().to_vec();
    release.resize(length.max(1), 0);
    version.base().with_release(version.epoch(), &release)
}

/// The next cap in the style of the one before: `<3` becomes `<4`, `<0.5` becomes `<0.6`, `<2.0.0` becomes `<3.0.0`.
/// The last component that was set is the one that moves; `.dev0` and the like stay at the end.
fn cap(before: &Version, new: &Version) -> Version {
    let place = last_set(before);
    let mut release = cut(new, before.release().len()).release().to_vec();
    release[place] = release[place].saturating_add(1);
    release[place + 1..].fill(0);
    let suffix = before.as_pep440().clone().with_post(None);
    Version::from(suffix).with_release(new.epoch(), &release)
}
