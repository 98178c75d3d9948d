//! Objects that were read and are likely to be needed again soon.

use std::hash::Hash;

use gix::objs::Kind;
use rustc_hash::FxHashMap;

use crate::world::held::Held;

/// Objects by pack and offset. Small ones are kept for longer: a long listing that changes with every commit would
/// drive out all others.
#[derive(Default)]
pub struct Kept {
    small: Generations<(usize, u64)>,
    large: Generations<(usize, u64)>,
}

impl Kept {
    pub fn get(&mut self, pack: usize, offset: u64) -> Option<(Kind, Held)> {
        let at = (pack, offset);
        self.small.get(&at).or_else(|| self.large.get(&at))
    }

    pub fn keep(&mut self, pack: usize, offset: u64, kind: Kind, held: &Held) {
        let of_its_size = if held.is_small() { &mut self.small } else { &mut self.large };
        of_its_size.insert((pack, offset), kind, held.clone());
    }
}

/// How many bytes a generation holds: touching and clearing more costs more than it saves, with less the trees of long
/// listings are resolved again and again.
const GENERATION: usize = 1 << 18;

/// Objects that are kept while they are young.
pub struct Generations<K> {
    young: FxHashMap<K, (Kind, Held)>,
    /// What was young before the last change of generations.
    old: FxHashMap<K, (Kind, Held)>,
    /// The bytes of the young ones.
    size: usize,
}

impl<K> Default for Generations<K> {
    fn default() -> Generations<K> {
        Generations { young: FxHashMap::default(), old: FxHashMap::default(), size: 0 }
    }
}

impl<K: Copy + Eq + Hash> Generations<K> {
    pub fn get(&mut self, key: &K) -> Option<(Kind, Held)> {
        if let Some(found) = self.young.get(key) {
            return Some(found.clone());
        }
        let (kind, held) = self.old.remove(key)?;
        self.insert(*key, kind, held.clone());
        Some((kind, held))
    }

    pub fn insert(&mut self, key: K, kind: Kind, held: Held) {
        let cost = held.cost();
        if self.size + cost > GENERATION {
            // The room of those that go is the room of those that come.
            std::mem::swap(&mut self.old, &mut self.young);
            self.young.clear();
            self.size = 0;
        }
        self.size += cost;
        self.young.insert(key, (kind, held));
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::world::held::SMALL;

    #[test]
    fn small_objects_outlive_large_ones() {
        let mut kept = Kept::default();
        let mut keep = |offset: usize, length: usize| {
            kept.keep(0, offset as u64, Kind::Blob, &Held::of(Kind::Blob, vec![7; length]));
        };
        keep(1, SMALL);
        keep(2, SMALL + 1);
        for offset in 3..2 * GENERATION / SMALL + 3 {
            keep(offset, SMALL + 1);
        }
        let small = kept.get(0, 1).map(|(kind, held)| (kind, held.bytes()));
        assert_eq!(small, Some((Kind::Blob, Arc::new(vec![7; SMALL]))));
        assert!(kept.get(0, 2).is_none());
        assert!(kept.get(1, 1).is_none(), "another pack");
    }
}
