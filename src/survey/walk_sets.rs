//! Sets of packages, each kept once and named by a number: a long history holds few different ones.

use std::collections::HashMap;
use std::sync::Arc;

use crate::history::commit::PackageSet;

/// Which packages' last releases hold a commit: for each package one bit for its last final release and
/// one for its last release of any kind.
pub type SetId = u32;

/// All sets met so far.
pub struct Sets {
    packages: usize,
    words: Vec<Box<[u64]>>,
    numbers: HashMap<Box<[u64]>, SetId>,
    unions: HashMap<(SetId, SetId), SetId>,
}

/// The set of no package.
pub const EMPTY: SetId = 0;
/// The set of all packages.
pub const FULL: SetId = 1;

impl Sets {
    pub fn new(packages: usize) -> Sets {
        let mut sets = Sets { packages, words: Vec::new(), numbers: HashMap::new(), unions: HashMap::new() };
        let width = 2 * sets.width();
        let mut full = vec![0; width].into_boxed_slice();
        for bit in 0..packages {
            full[bit / 64] |= 1 << (bit % 64);
            full[width / 2 + bit / 64] |= 1 << (bit % 64);
        }
        // Without packages both are the same: everything is full.
        sets.words = vec![vec![0; width].into_boxed_slice(), full.clone()];
        sets.numbers.insert(vec![0; width].into_boxed_slice(), EMPTY);
        sets.numbers.insert(full, FULL);
        sets
    }

    /// The set a commit starts with that no release holds.
    pub fn start(&self) -> SetId {
        if self.packages == 0 { FULL } else { EMPTY }
    }

    /// The set with a package's last final release, which is a release too.
    pub fn with_final(&mut self, set: SetId, package: usize) -> SetId {
        let width = self.width();
        self.with_bits(set, &[package, width * 64 + package])
    }

    /// The set with a package's last release, a pre-release.
    pub fn with_release(&mut self, set: SetId, package: usize) -> SetId {
        let width = self.width();
        self.with_bits(set, &[width * 64 + package])
    }

    pub fn union(&mut self, left: SetId, right: SetId) -> SetId {
        if left == right || right == EMPTY || left == FULL {
            return left;
        }
        if left == EMPTY || right == FULL {
            return right;
        }
        let key = (left.min(right), left.max(right));
        if let Some(known) = self.unions.get(&key) {
            return *known;
        }
        let pairs = self.words[left as usize].iter().zip(&self.words[right as usize]);
        let words = pairs.map(|(left, right)| left | right).collect();
        let union = self.intern(words);
        self.unions.insert(key, union);
        union
    }

    /// The packages whose last final release is not in the set.
    pub fn since_final(&self, set: SetId) -> Arc<PackageSet> {
        self.missing(set, 0)
    }

    /// The packages whose last release is not in the set.
    pub fn unreleased(&self, set: SetId) -> Arc<PackageSet> {
        self.missing(set, self.width())
    }

    fn missing(&self, set: SetId, offset: usize) -> Arc<PackageSet> {
        Arc::new(PackageSet::all_but(self.packages, &self.words[set as usize][offset..]))
    }

    fn width(&self) -> usize {
        self.packages.div_ceil(64)
    }

    fn with_bits(&mut self, set: SetId, bits: &[usize]) -> SetId {
        let mut words = self.words[set as usize].clone();
        for bit in bits {
            words[bit / 64] |= 1 << (bit % 64);
        }
        self.intern(words)
    }

    fn intern(&mut self, words: Box<[u64]>) -> SetId {
        if let Some(known) = self.numbers.get(&words) {
            return *known;
        }
        let number =
            SetId::try_from(self.words.len()).expect("fewer sets than commits, fewer commits than 2^32");
        self.words.push(words.clone());
        self.numbers.insert(words, number);
        number
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_sets_have_one_number() {
        let mut sets = Sets::new(65);
        let last = sets.with_final(EMPTY, 64);
        let first = sets.with_release(EMPTY, 0);
        let both = sets.union(first, last);
        assert_eq!(both, sets.with_release(last, 0));
        assert!(!sets.since_final(both).contains(64));
        assert!(sets.since_final(both).contains(0));
        assert!(!sets.unreleased(both).contains(0));
        let all = (0..65).fold(EMPTY, |set, package| sets.with_final(set, package));
        assert_eq!(all, FULL);
        assert!(sets.unreleased(FULL).is_empty());
    }
}
