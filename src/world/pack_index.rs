//! Where the objects of a pack stand, by its index (gitformat-pack, "pack-*.idx files").

use std::cmp::Ordering;
use std::fs::File;
use std::io::Read;
use std::ops::Range;
use std::path::Path;
use std::sync::OnceLock;

use gix::odb::pack::index;
use gix::{hash, oid};

use crate::world::index_table::{Looked, Table};

/// The index of one pack.
pub struct PackIndex {
    file: index::File,
    /// For each first byte how many ids begin with it or a lower one; only where that saves anything.
    fan: Option<Box<Fan>>,
    /// What the ids go on with; made once very many were looked for.
    table: OnceLock<Table>,
}

impl PackIndex {
    /// `None` where it can not be read.
    pub fn open(path: &Path) -> Option<PackIndex> {
        let file = index::File::at(path, hash::Kind::Sha1).ok()?;
        let fan = if file.num_objects() < MANY { None } else { fan_of(path, file.num_objects()) };
        Some(PackIndex { file, fan, table: OnceLock::new() })
    }

    pub fn path(&self) -> &Path {
        self.file.path()
    }

    /// Where an object stands in the pack.
    pub fn offset(&self, id: &oid) -> Option<u64> {
        Some(self.file.pack_offset_at_index(self.place(id)?))
    }

    /// The same, by a table where there is one or it is worth its making. `before` is how many were looked for by the same
    /// reader.
    pub fn offset_after(&self, id: &oid, before: u32) -> Option<u64> {
        let is_worth_it = || self.table.get().is_some() || before > self.file.num_objects() / WORTH;
        let Some(fan) = self.fan.as_ref().filter(|_| is_worth_it()) else { return self.offset(id) };
        let range = range_of(fan, id);
        let table = self.table.get_or_init(|| Table::of(&self.file));
        let place = match table.find(range, id, &self.file) {
            Looked::Found(place) => place,
            Looked::NotHere => return None,
            Looked::Unknown => self.place(id)?,
        };
        Some(self.file.pack_offset_at_index(place))
    }

    /// An object's place in the index. Ids are spread evenly, so it stands about where its first digits say.
    fn place(&self, id: &oid) -> Option<u32> {
        let (file, wanted) = (&self.file, first_digits(id));
        let (mut start, mut end) = (0, file.num_objects());
        let (mut lowest, mut highest) = (0, u64::MAX);
        if let Some(fan) = &self.fan {
            Range { start, end } = range_of(fan, id);
            (lowest, highest) = (wanted & !OTHERS, wanted | OTHERS);
        }
        for _ in 0..GUESSES {
            if start >= end {
                return None;
            }
            let share = u128::from(wanted - lowest) * u128::from(end - start);
            let guess = start + u32::try_from(share / (u128::from(highest - lowest) + 1)).ok()?;
            let found = file.oid_at_index(guess);
            match id.cmp(found) {
                Ordering::Equal => return Some(guess),
                Ordering::Less => (end, highest) = (guess, first_digits(found)),
                Ordering::Greater => (start, lowest) = (guess + 1, first_digits(found)),
            }
        }
        file.lookup(id)
    }
}

type Fan = [u32; 256];

/// The places of all ids that begin with the same byte.
fn range_of(fan: &Fan, id: &oid) -> Range<u32> {
    let byte = usize::from(id.first_byte());
    byte.checked_sub(1).map_or(0, |lower| fan[lower])..fan[byte]
}

/// Once this part of an index was looked for, a table of it is worth its making.
const WORTH: u32 = 16;

/// From how many objects on an index is large.
pub const MANY: u32 = 1 << 12;
/// The bits of an id's first digits that its first byte leaves open.
const OTHERS: u64 = u64::MAX >> 8;

/// The fan-out table at the beginning of an index, version 2 (gitformat-pack): it stands in one place, where a first guess
/// at an object's place would be a look into memory that nobody has used lately.
fn fan_of(path: &Path, objects: u32) -> Option<Box<Fan>> {
    const MAGIC: [u8; 8] = *b"\xfftOc\0\0\0\x02";
    let mut bytes = [0; MAGIC.len() + size_of::<Fan>()];
    File::open(path).ok()?.read_exact(&mut bytes).ok()?;
    let numbers = bytes.strip_prefix(&MAGIC)?.as_chunks().0;
    let fan: Fan = std::array::from_fn(|at| u32::from_be_bytes(numbers[at]));
    (fan.is_sorted() && fan[255] == objects).then(|| Box::new(fan))
}

/// How many guesses are made at an object's place before the index is halved again and again.
const GUESSES: usize = 8;

fn first_digits(id: &oid) -> u64 {
    id.as_bytes().first_chunk().map_or(0, |digits| u64::from_be_bytes(*digits))
}

#[cfg(test)]
mod tests {
    use gix::ObjectId;

    use super::*;
    use crate::world::testing::TestRepository;

    #[test]
    fn each_of_many_objects_is_found_by_fan_and_table_and_no_other() {
        let repository = TestRepository::init();
        let blobs: String = (0..MANY + 100)
            .map(|number| format!("blob\ndata {}\n{number}\n", number.to_string().len()))
            .collect();
        repository.git_with(&["fast-import", "--quiet"], &[], blobs.as_bytes());
        let path = repository.pack("idx");
        let index = PackIndex::open(&path).unwrap();
        let fan = index.fan.as_ref().unwrap();
        let list = repository.git(&["cat-file", "--batch-all-objects", "--batch-check=%(objectname)"]);
        assert_eq!(list.lines().count(), MANY as usize + 100);
        let table = Table::of(&index.file);
        for line in list.lines() {
            let id = ObjectId::from_hex(line.as_bytes()).unwrap();
            let place = index.file.lookup(id).unwrap();
            let offset = index.file.pack_offset_at_index(place);
            let look = |id: &oid| table.find(range_of(fan, id), id, &index.file);
            assert_eq!(index.offset(&id), Some(offset));
            assert_eq!(look(&id), Looked::Found(place));
            for byte in 0..20 {
                let mut other = id;
                other.as_mut_slice()[byte] ^= 1;
                assert_eq!(index.offset(&other), None);
                assert_eq!(look(&other), Looked::NotHere);
            }
        }
        let id = ObjectId::from_hex(list.lines().next().unwrap().as_bytes()).unwrap();
        let few = index.offset_after(&id, MANY / WORTH);
        assert!(index.table.get().is_none());
        assert_eq!(index.offset_after(&id, MANY), few);
        assert!(index.table.get().is_some(), "so many were looked for");
    }

    #[test]
    fn a_damaged_fan_is_not_used() {
        let repository = TestRepository::init();
        repository.change("a", "1", "feat: a");
        repository.git(&["repack", "-adq"]);
        let path = repository.pack("idx");
        let objects = index::File::at(&path, hash::Kind::Sha1).unwrap().num_objects();
        let bytes = std::fs::read(&path).unwrap();
        let copy = repository.path().join("copy.idx");
        std::fs::write(&copy, &bytes).unwrap();
        assert!(fan_of(&copy, objects).is_some() && fan_of(&copy, objects + 1).is_none());
        for (at, flip) in [(0, 0xff), (7, 3), (8 + 4 * 200, 0x80), (8 + 4 * 255, 0x80)] {
            let mut damaged = bytes.clone();
            damaged[at] ^= flip;
            std::fs::write(&copy, damaged).unwrap();
            assert!(fan_of(&copy, objects).is_none(), "{at}");
        }
        std::fs::write(&copy, &bytes[..99]).unwrap();
        assert!(fan_of(&copy, objects).is_none());
    }
}
