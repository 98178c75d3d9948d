//! What is looked for in the index of a pack by the hundred thousand, close together: an index keeps ids of twenty
//! bytes, and each look at one would be one into memory that nobody has used lately.

use std::ops::Range;

use gix::odb::pack::index;
use gix::oid;

/// Of each object, in the ids' order, four bytes of its id.
pub struct Table(Vec<u32>);

/// What became of a look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Looked {
    /// The object's place in the index.
    Found(u32),
    NotHere,
    /// The index itself must tell.
    Unknown,
}

/// How many neighbours of a guess are passed at most. Ids are spread evenly: some dozens lie between, unless somebody
/// chose them.
const MOST_PASSED: usize = 1024;

impl Table {
    pub fn of(index: &index::File) -> Table {
        Table((0..index.num_objects()).map(|place| behind_first(index.oid_at_index(place))).collect())
    }

    /// Where the object of an id stands; `range` holds the places of all ids with its first byte.
    pub fn find(&self, range: Range<u32>, id: &oid, index: &index::File) -> Looked {
        let wanted = behind_first(id);
        let start = range.start as usize;
        let Some(rows) = self.0.get(start..range.end as usize) else { return Looked::Unknown };
        let guess = usize::try_from((u64::from(wanted) * rows.len() as u64) >> 32).unwrap_or(0);
        let (before, behind) = rows.split_at(guess);
        let lower = before.iter().rev().take_while(|digits| **digits >= wanted).take(MOST_PASSED).count();
        let higher = behind.iter().take_while(|digits| **digits < wanted).take(MOST_PASSED).count();
        if lower.max(higher) == MOST_PASSED {
            return Looked::Unknown;
        }
        let first = guess - lower + if lower == 0 { higher } else { 0 };
        let same = rows[first..].iter().take_while(|digits| **digits == wanted);
        for (passed, (_, place)) in same.zip(range.start + first as u32..).enumerate() {
            if passed == MOST_PASSED {
                return Looked::Unknown;
            }
            if index.oid_at_index(place) == id {
                return Looked::Found(place);
            }
        }
        Looked::NotHere
    }
}

/// The four bytes behind the first one.
fn behind_first(id: &oid) -> u32 {
    id.as_bytes()[1..].first_chunk().map_or(0, |bytes| u32::from_be_bytes(*bytes))
}

#[cfg(test)]
mod tests {
    use gix::{ObjectId, hash};

    use super::*;
    use crate::world::testing::TestRepository;

    #[test]
    fn ids_that_somebody_chose_are_left_to_the_index() {
        let repository = TestRepository::init();
        let commit = repository.change("a", "1", "feat: a");
        repository.git(&["repack", "-adq"]);
        let path = repository.pack("idx");
        let index = index::File::at(path, hash::Kind::Sha1).unwrap();
        let id = ObjectId::from_hex(commit.as_bytes()).unwrap();
        let digits = behind_first(&id);
        let many = MOST_PASSED as u32 + 2;
        let look = |rows: Vec<u32>| Table(rows.clone()).find(0..rows.len() as u32, &id, &index);
        assert_eq!(look(vec![u32::MAX; 1 << 20]), Looked::Unknown);
        assert_eq!(look(vec![0; 1 << 20]), Looked::Unknown);
        assert_eq!(look(vec![digits.wrapping_add(1).max(1)]), Looked::NotHere);
        assert_eq!(look(Vec::new()), Looked::NotHere);
        let whole = Table::of(&index);
        let place = (0..index.num_objects()).find(|place| index.oid_at_index(*place) == id).unwrap();
        assert_eq!(whole.find(place..place + 1, &id, &index), Looked::Found(place));
        assert_eq!(whole.find(0..many, &id, &index), Looked::Unknown, "a range that is none");
    }
}
