//! Reads objects out of a repository's own packs (gitformat-pack) on the shortest way: what deltas stand on is kept
//! and shared, never copied.
//!
//! Only for what is usual. Whatever it does not find or does not understand (loose objects, alternates, damage) is
//! `None` here and left to gix.

use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use gix::objs::Kind;
use gix::odb::pack::data;
use gix::odb::pack::data::entry::Header;
use gix::{ObjectId, hash, oid};
use libdeflater::Decompressor;

use crate::world::delta::LARGEST;
use crate::world::held::Held;
use crate::world::kept::{Generations, Kept};
use crate::world::pack_index::PackIndex;

/// The packs of one repository; any number of readers share them.
#[derive(Clone, Default)]
pub struct Packs(Arc<Vec<Pack>>);

struct Pack {
    index: PackIndex,
    /// Opened where the first object is read.
    data: OnceLock<Option<data::File>>,
}

/// More packs than these are left to gix.
const MOST_PACKS: usize = 256;
/// The longest chain of deltas that is followed; git makes none longer than 4095.
const LONGEST: usize = 4096;
/// How many of the last large objects are known by their ids.
const RECENT: usize = 8;

impl Packs {
    /// The packs below an objects folder; none where one of their indexes can not be read.
    pub fn open(objects: &Path) -> Packs {
        let Ok(entries) = objects.join("pack").read_dir() else { return Packs::default() };
        let mut paths: Vec<_> = entries.flatten().map(|entry| entry.path()).collect();
        paths.retain(|path| path.extension().is_some_and(|extension| extension == "idx"));
        paths.sort();
        if paths.len() > MOST_PACKS {
            return Packs::default();
        }
        let open = |path: &PathBuf| Some(Pack { index: PackIndex::open(path)?, data: OnceLock::new() });
        let packs: Option<Vec<Pack>> = paths.iter().map(open).collect();
        Packs(Arc::new(packs.unwrap_or_default()))
    }

    pub fn reader(&self) -> PackReader {
        PackReader {
            packs: self.clone(),
            last: 0,
            looked: 0,
            inflate: Decompressor::new(),
            kept: Kept::default(),
            delta: Vec::new(),
            chain: Vec::new(),
            known: Generations::default(),
            recent: Default::default(),
            next: 0,
        }
    }
}

impl Pack {
    fn data(&self) -> Option<&data::File> {
        let open = || data::File::at(self.index.path().with_extension("pack"), hash::Kind::Sha1).ok();
        self.data.get_or_init(open).as_ref()
    }

    /// Where the object stands that a delta is made from, inside `None` where it can not be found; outside `None` for an
    /// entry that is no delta.
    fn base(&self, entry: &data::Entry) -> Option<Option<u64>> {
        match entry.header {
            Header::OfsDelta { base_distance } => Some(entry.checked_base_pack_offset(base_distance)),
            Header::RefDelta { base_id } => Some(self.index.offset(&base_id)),
            _ => None,
        }
    }
}

/// Reads packs, for one thread.
pub struct PackReader {
    packs: Packs,
    /// The pack that held the last object: most often it holds the next one too.
    last: usize,
    /// How many objects were looked for.
    looked: u32,
    inflate: Decompressor,
    kept: Kept,
    delta: Vec<u8>,
    chain: Vec<(u64, data::Entry)>,
    /// Small objects by their ids, so that they are not looked up again: what a commit finds in a package is what the
    /// one before it left there.
    known: Generations<ObjectId>,
    /// The same of the large ones: a commit's old tree is its parent's new one.
    recent: [Option<(ObjectId, Kind, Held)>; RECENT],
    /// The place that is taken next.
    next: usize,
}

impl PackReader {
    /// A reader of the same packs that has read nothing yet.
    pub fn another(&self) -> PackReader {
        self.packs.reader()
    }

    /// An object, which is kept for those that stand on it.
    pub fn read(&mut self, id: &oid) -> Option<(Kind, Held)> {
        let (pack, offset) = self.find(id)?;
        self.resolve(pack, offset)
    }

    /// The same for an object that is likely to be asked for again soon.
    pub fn read_again(&mut self, id: &oid) -> Option<(Kind, Held)> {
        let recent = self.recent.iter().flatten().find(|(recent, ..)| recent.as_ref() == id);
        if let Some((_, kind, held)) = recent {
            return Some((*kind, held.clone()));
        }
        let id = id.to_owned();
        if let Some(known) = self.known.get(&id) {
            return Some(known);
        }
        let (kind, held) = self.read(&id)?;
        if held.is_small() {
            self.known.insert(id, kind, held.clone());
        } else {
            self.recent[self.next] = Some((id, kind, held.clone()));
            self.next = (self.next + 1) % RECENT;
        }
        Some((kind, held))
    }

    /// An object's bytes into a buffer; one that stands on no other is not kept.
    pub fn read_into(&mut self, id: &oid, buffer: &mut Vec<u8>) -> Option<Kind> {
        let (pack, offset) = self.find(id)?;
        let entry = self.packs.0[pack].data()?.entry(offset).ok()?;
        if let Some(kind) = kind_of(&entry.header) {
            self.inflate(pack, &entry, buffer)?;
            return Some(kind);
        }
        let (kind, held) = self.resolve(pack, offset)?;
        buffer.clear();
        buffer.extend_from_slice(&held.bytes());
        Some(kind)
    }

    /// How many deltas stand between an object and its bytes.
    pub fn depth(&mut self, id: &oid) -> Option<u32> {
        let (pack, mut at) = self.find(id)?;
        let held = &self.packs.0[pack];
        for depth in 0..LONGEST {
            let entry = held.data()?.entry(at).ok()?;
            at = match held.base(&entry) {
                Some(base) => base?,
                None => return u32::try_from(depth).ok(),
            };
        }
        None
    }

    fn find(&mut self, id: &oid) -> Option<(usize, u64)> {
        let (packs, looked) = (&self.packs.0, self.looked);
        self.looked = looked.saturating_add(1);
        if let Some(offset) = packs.get(self.last)?.index.offset_after(id, looked) {
            return Some((self.last, offset));
        }
        let mut others = packs.iter().enumerate();
        let (pack, offset) =
            others.find_map(|(number, pack)| Some((number, pack.index.offset_after(id, looked)?)))?;
        self.last = pack;
        Some((pack, offset))
    }

    fn resolve(&mut self, pack: usize, offset: u64) -> Option<(Kind, Held)> {
        self.chain.clear();
        let mut at = offset;
        let (kind, mut held) = loop {
            if let Some(found) = self.kept.get(pack, at) {
                break found;
            }
            let packed = &self.packs.0[pack];
            let entry = packed.data()?.entry(at).ok()?;
            let Some(base) = packed.base(&entry) else {
                let kind = kind_of(&entry.header)?;
                let mut bytes = Vec::new();
                self.inflate(pack, &entry, &mut bytes)?;
                let held = Held::of(kind, bytes);
                self.kept.keep(pack, at, kind, &held);
                break (kind, held);
            };
            if self.chain.len() == LONGEST {
                return None;
            }
            self.chain.push((at, entry));
            at = base?;
        };
        while let Some((at, entry)) = self.chain.pop() {
            let mut delta = std::mem::take(&mut self.delta);
            self.inflate(pack, &entry, &mut delta)?;
            held = held.changed(kind, &delta)?;
            self.delta = delta;
            self.kept.keep(pack, at, kind, &held);
        }
        Some((kind, held))
    }

    fn inflate(&mut self, pack: usize, entry: &data::Entry, into: &mut Vec<u8>) -> Option<()> {
        let size = usize::try_from(Some(entry.decompressed_size).filter(|size| *size <= LARGEST)?).ok()?;
        let data = self.packs.0[pack].data()?;
        // Where its bytes end is found while they are read.
        let packed = data.entry_slice(entry.data_offset..data.pack_end() as u64)?;
        into.resize(size, 0);
        (self.inflate.zlib_decompress(packed, into).ok()? == size).then_some(())
    }
}

fn kind_of(header: &Header) -> Option<Kind> {
    match header {
        Header::Commit => Some(Kind::Commit),
        Header::Tree => Some(Kind::Tree),
        Header::Blob => Some(Kind::Blob),
        Header::Tag => Some(Kind::Tag),
        Header::RefDelta { .. } | Header::OfsDelta { .. } => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::world::pack_index::MANY;
    use crate::world::testing::TestRepository;

    /// All objects of a repository, read here and by git.
    fn compare(repository: &TestRepository) -> usize {
        let packs = Packs::open(&repository.path().join(".git/objects"));
        let mut reader = packs.reader();
        let list =
            repository.git(&["cat-file", "--batch-all-objects", "--batch-check=%(objectname) %(objecttype)"]);
        for line in list.lines() {
            let (id, kind) = line.split_once(' ').unwrap();
            let text = repository.git(&["cat-file", kind, id]);
            let id = gix::ObjectId::from_hex(id.as_bytes()).unwrap();
            let mut buffer = vec![1, 2, 3];
            let into = reader.read_into(&id, &mut buffer).unwrap();
            let (found, held) = reader.read(&id).unwrap();
            let bytes = held.bytes();
            for _ in 0..2 {
                assert_eq!(reader.read_again(&id).unwrap().1.bytes(), bytes);
            }
            assert_eq!((into, &buffer), (found, &*bytes), "{line}");
            assert_eq!(found.as_bytes(), kind.as_bytes());
            if kind != "tree" {
                assert_eq!(String::from_utf8_lossy(&bytes).trim_end(), text, "{line}");
            }
            let hashed =
                repository.git_with(&["hash-object", "-t", kind, "--stdin", "--literally"], &[], &bytes);
            assert_eq!(hashed, id.to_string());
        }
        list.lines().count()
    }

    fn grown(repository: &TestRepository) {
        for number in 0..40 {
            let lines: String =
                (0..200).map(|line| format!("{line} {}\n", line * (number / 8 + 1))).collect();
            repository.change(&format!("a/{number}"), &lines, &format!("feat: {number}\n\n{lines}"));
        }
        repository.git(&["tag", "-a", "-m", "x", "v1"]);
    }

    #[test]
    fn every_object_of_a_pack_is_what_git_says() {
        let repository = TestRepository::init();
        grown(&repository);
        repository.git(&["repack", "-adfq", "--depth=50"]);
        assert!(compare(&repository) > 120);
        repository.git(&["-c", "repack.useDeltaBaseOffset=false", "repack", "-adfq"]);
        compare(&repository);
    }

    #[test]
    fn several_packs_are_looked_through_and_loose_objects_left() {
        let repository = TestRepository::init();
        grown(&repository);
        repository.git(&["repack", "-dq"]);
        repository.change("b", "1", "fix: b");
        repository.git(&["repack", "-dq"]);
        compare(&repository);
        let loose = repository.change("c", "1", "fix: c");
        let mut reader = Packs::open(&repository.path().join(".git/objects")).reader();
        assert!(reader.read(&gix::ObjectId::from_hex(loose.as_bytes()).unwrap()).is_none());
    }

    #[test]
    fn each_of_many_objects_is_read_and_no_other() {
        let repository = TestRepository::init();
        let blobs: String = (0..MANY + 100)
            .map(|number| format!("blob\ndata {}\n{number}\n", number.to_string().len()))
            .collect();
        repository.git_with(&["fast-import", "--quiet"], &[], blobs.as_bytes());
        let mut reader = Packs::open(&repository.path().join(".git/objects")).reader();
        let list = repository.git(&["cat-file", "--batch-all-objects", "--batch-check=%(objectname)"]);
        assert_eq!(list.lines().count(), MANY as usize + 100);
        for line in list.lines() {
            let id = ObjectId::from_hex(line.as_bytes()).unwrap();
            let (_, held) = reader.read(&id).unwrap();
            assert_eq!(gix::objs::compute_hash(hash::Kind::Sha1, Kind::Blob, &held.bytes()).unwrap(), id);
            let mut other = id;
            other.as_mut_slice()[19] ^= 1;
            assert!(reader.read(&other).is_none());
        }
    }

    #[test]
    fn a_damaged_pack_is_left_to_others() {
        let repository = TestRepository::init();
        grown(&repository);
        let head = repository.git(&["rev-parse", "HEAD"]);
        repository.git(&["repack", "-adfq"]);
        let pack = repository.pack("pack");
        let mut bytes = std::fs::read(&pack).unwrap();
        for byte in bytes.iter_mut().skip(12) {
            *byte ^= 0x55;
        }
        std::fs::remove_file(&pack).unwrap();
        std::fs::write(&pack, bytes).unwrap();
        let mut reader = Packs::open(&repository.path().join(".git/objects")).reader();
        assert!(reader.read(&gix::ObjectId::from_hex(head.as_bytes()).unwrap()).is_none());
    }
}
