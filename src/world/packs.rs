//! Reads objects out of a repository's own packs (gitformat-pack) on the shortest way: what deltas stand on is kept
//! and shared, never copied.
//!
//! Only for what is usual. Whatever it does not find or does not understand (loose objects, alternates, damage) is
//! `None` here and left to gix.

use std::cmp::Ordering;
use std::collections::HashMap;
use std::path::Path;
use std::sync::{Arc, OnceLock};

use gix::objs::Kind;
use gix::odb::pack::data::entry::Header;
use gix::odb::pack::{data, index};
use gix::{ObjectId, hash, oid};
use libdeflater::Decompressor;

use crate::world::delta::{LARGEST, apply};

/// The packs of one repository; any number of readers share them.
#[derive(Clone, Default)]
pub struct Packs(Arc<Vec<Pack>>);

struct Pack {
    index: index::File,
    /// Opened where the first object is read.
    data: OnceLock<Option<data::File>>,
}

/// More packs than these are left to gix.
const MOST_PACKS: usize = 256;
/// The longest chain of deltas that is followed; git makes none longer than 4095.
const LONGEST: usize = 4096;
/// How many of the last objects are known by their ids.
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
        let open = |path| index::File::at(path, hash::Kind::Sha1).ok();
        let packs: Option<Vec<Pack>> =
            paths.iter().map(|path| Some(Pack { index: open(path)?, data: OnceLock::new() })).collect();
        Packs(Arc::new(packs.unwrap_or_default()))
    }

    pub fn reader(&self) -> PackReader {
        PackReader {
            packs: self.clone(),
            last: 0,
            inflate: Decompressor::new(),
            kept: Kept::default(),
            delta: Vec::new(),
            chain: Vec::new(),
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
            Header::RefDelta { base_id } => Some(self.offset(&base_id)),
            _ => None,
        }
    }

    fn offset(&self, id: &oid) -> Option<u64> {
        Some(self.index.pack_offset_at_index(place(&self.index, id)?))
    }
}

/// How many guesses are made at an object's place before the index is halved again and again.
const GUESSES: usize = 8;

/// An object's place in an index. Ids are spread evenly, so it stands about where its first digits say.
fn place(index: &index::File, id: &oid) -> Option<u32> {
    let wanted = first_digits(id);
    let (mut start, mut end) = (0, index.num_objects());
    let (mut lowest, mut highest) = (0, u64::MAX);
    for _ in 0..GUESSES {
        if start == end {
            return None;
        }
        let share = u128::from(wanted - lowest) * u128::from(end - start);
        let guess = start + u32::try_from(share / (u128::from(highest - lowest) + 1)).ok()?;
        let found = index.oid_at_index(guess);
        match id.cmp(found) {
            Ordering::Equal => return Some(guess),
            Ordering::Less => (end, highest) = (guess, first_digits(found)),
            Ordering::Greater => (start, lowest) = (guess + 1, first_digits(found)),
        }
    }
    index.lookup(id)
}

fn first_digits(id: &oid) -> u64 {
    id.as_bytes().first_chunk().map_or(0, |digits| u64::from_be_bytes(*digits))
}

/// An object's bytes, shared.
pub type Bytes = Arc<Vec<u8>>;

/// Reads packs, for one thread.
pub struct PackReader {
    packs: Packs,
    /// The pack that held the last object: most often it holds the next one too.
    last: usize,
    inflate: Decompressor,
    kept: Kept,
    delta: Vec<u8>,
    chain: Vec<(u64, data::Entry)>,
    /// What was read last, so that it is not looked up again: a commit's old tree is its parent's new one.
    recent: [Option<(ObjectId, Kind, Bytes)>; RECENT],
    /// The place that is taken next.
    next: usize,
}

impl PackReader {
    /// An object, which is kept for those that stand on it.
    pub fn read(&mut self, id: &oid) -> Option<(Kind, Bytes)> {
        let (pack, offset) = self.find(id)?;
        self.resolve(pack, offset)
    }

    /// The same for an object that is likely to be asked for again soon.
    pub fn read_again(&mut self, id: &oid) -> Option<(Kind, Bytes)> {
        let known = self.recent.iter().flatten().find(|(known, ..)| known.as_ref() == id);
        if let Some((_, kind, bytes)) = known {
            return Some((*kind, bytes.clone()));
        }
        let (kind, bytes) = self.read(id)?;
        self.recent[self.next] = Some((id.to_owned(), kind, bytes.clone()));
        self.next = (self.next + 1) % RECENT;
        Some((kind, bytes))
    }

    /// An object's bytes into a buffer; one that stands on no other is not kept.
    pub fn read_into(&mut self, id: &oid, buffer: &mut Vec<u8>) -> Option<Kind> {
        let (pack, offset) = self.find(id)?;
        let entry = self.packs.0[pack].data()?.entry(offset).ok()?;
        if let Some(kind) = kind_of(&entry.header) {
            self.inflate(pack, &entry, buffer)?;
            return Some(kind);
        }
        let (kind, bytes) = self.resolve(pack, offset)?;
        buffer.clear();
        buffer.extend_from_slice(&bytes);
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
        let packs = &self.packs.0;
        if let Some(offset) = packs.get(self.last)?.offset(id) {
            return Some((self.last, offset));
        }
        let (pack, offset) =
            packs.iter().enumerate().find_map(|(number, pack)| Some((number, pack.offset(id)?)))?;
        self.last = pack;
        Some((pack, offset))
    }

    fn resolve(&mut self, pack: usize, offset: u64) -> Option<(Kind, Bytes)> {
        self.chain.clear();
        let mut at = offset;
        let (kind, mut bytes) = loop {
            if let Some(found) = self.kept.get(pack, at) {
                break found;
            }
            let held = &self.packs.0[pack];
            let entry = held.data()?.entry(at).ok()?;
            let Some(base) = held.base(&entry) else {
                let kind = kind_of(&entry.header)?;
                let mut bytes = Vec::new();
                self.inflate(pack, &entry, &mut bytes)?;
                break self.kept.keep(pack, at, kind, bytes);
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
            let made = apply(&bytes, &delta)?;
            self.delta = delta;
            (_, bytes) = self.kept.keep(pack, at, kind, made);
        }
        Some((kind, bytes))
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

/// Objects by pack and offset, kept while they are young.
#[derive(Default)]
struct Kept {
    young: HashMap<(usize, u64), (Kind, Bytes)>,
    /// What was young before the last change of generations.
    old: HashMap<(usize, u64), (Kind, Bytes)>,
    /// The bytes of the young ones.
    size: usize,
}

/// How many bytes a generation holds: touching and clearing more costs more than it saves, with less the trees of long
/// listings are resolved again and again.
const GENERATION: usize = 1 << 18;

impl Kept {
    fn get(&mut self, pack: usize, offset: u64) -> Option<(Kind, Bytes)> {
        if let Some(found) = self.young.get(&(pack, offset)) {
            return Some(found.clone());
        }
        let (kind, bytes) = self.old.remove(&(pack, offset))?;
        self.insert(pack, offset, kind, bytes.clone());
        Some((kind, bytes))
    }

    fn keep(&mut self, pack: usize, offset: u64, kind: Kind, bytes: Vec<u8>) -> (Kind, Bytes) {
        let bytes = Arc::new(bytes);
        self.insert(pack, offset, kind, bytes.clone());
        (kind, bytes)
    }

    fn insert(&mut self, pack: usize, offset: u64, kind: Kind, bytes: Bytes) {
        if self.size + bytes.len() > GENERATION {
            self.old = std::mem::take(&mut self.young);
            self.size = 0;
        }
        self.size += bytes.len();
        self.young.insert((pack, offset), (kind, bytes));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
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
            let (found, bytes) = reader.read(&id).unwrap();
            assert_eq!(reader.read_again(&id).unwrap().1, reader.read_again(&id).unwrap().1);
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
    fn a_damaged_pack_is_left_to_others() {
        let repository = TestRepository::init();
        grown(&repository);
        let head = repository.git(&["rev-parse", "HEAD"]);
        repository.git(&["repack", "-adfq"]);
        let folder = repository.path().join(".git/objects/pack");
        let pack = folder.read_dir().unwrap().flatten().map(|entry| entry.path());
        let pack = pack.into_iter().find(|path| path.extension().is_some_and(|end| end == "pack")).unwrap();
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
