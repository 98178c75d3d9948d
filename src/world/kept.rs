//! Objects that were read and are likely to be needed again soon.

use std::hash::Hash;
use std::sync::Arc;

use gix::objs::Kind;
use rustc_hash::FxHashMap;

/// An object's bytes, shared.
pub type Bytes = Arc<Vec<u8>>;

/// Up to how many bytes an object is small.
pub const SMALL: usize = 1 << 11;

/// Objects by pack and offset. Small ones are kept for longer: a long listing that changes with every commit would
/// drive out all others.
#[derive(Default)]
pub struct Kept {
    small: Generations<(usize, u64)>,
    large: Generations<(usize, u64)>,
}

impl Kept {
    pub fn get(&mut self, pack: usize, offset: u64) -> Option<(Kind, Bytes)> {
        let at = (pack, offset);
        self.large.get(&at).or_else(|| self.small.get(&at))
    }

    pub fn keep(&mut self, pack: usize, offset: u64, kind: Kind, bytes: Vec<u8>) -> (Kind, Bytes) {
        let bytes = Arc::new(bytes);
        let of_its_size = if bytes.len() <= SMALL { &mut self.small } else { &mut self.large };
        of_its_size.insert((pack, offset), kind, bytes.clone());
        (kind, bytes)
    }
}

/// How many bytes a generation holds: touching and clearing more costs more than it saves, with less the trees of long
/// listings are resolved again and again.
const GENERATION: usize = 1 << 18;

/// Objects that are kept while they are young.
pub struct Generations<K> {
    young: FxHashMap<K, (Kind, Bytes)>,
    /// What was young before the last change of generations.
    old: FxHashMap<K, (Kind, Bytes)>,
    /// The bytes of the young ones.
    size: usize,
}

impl<K> Default for Generations<K> {
    fn default() -> Generations<K> {
        Generations { young: FxHashMap::default(), old: FxHashMap::default(), size: 0 }
    }
}

impl<K: Copy + Eq + Hash> Generations<K> {
    pub fn get(&mut self, key: &K) -> Option<(Kind, Bytes)> {
        if let Some(found) = self.young.get(key) {
            return Some(found.clone());
        }
        let (kind, bytes) = self.old.remove(key)?;
        self.insert(*key, kind, bytes.clone());
        Some((kind, bytes))
    }

    pub fn insert(&mut self, key: K, kind: Kind, bytes: Bytes) {
        if self.size + bytes.len() > GENERATION {
            self.old = std::mem::take(&mut self.young);
            self.size = 0;
        }
        self.size += bytes.len();
        self.young.insert(key, (kind, bytes));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn small_objects_outlive_large_ones() {
        let mut kept = Kept::default();
        let _small = kept.keep(0, 1, Kind::Tree, vec![1; SMALL]);
        let _large = kept.keep(0, 2, Kind::Tree, vec![2; SMALL + 1]);
        for offset in 3..2 * GENERATION / SMALL + 3 {
            let _other = kept.keep(0, offset as u64, Kind::Tree, vec![3; SMALL + 1]);
        }
        assert_eq!(kept.get(0, 1), Some((Kind::Tree, Arc::new(vec![1; SMALL]))));
        assert_eq!(kept.get(0, 2), None);
        assert_eq!(kept.get(1, 1), None, "another pack");
    }
}
