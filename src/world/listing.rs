//! Long folders, told by what their deltas change in another one: of two that follow one another a few ids differ, and
//! neither is copied nor compared whole.

use std::cmp::Ordering;
use std::ops::{ControlFlow, Range};
use std::sync::{Arc, OnceLock};

use gix::{ObjectId, oid};

use crate::world::delta::{Command, Delta};
use crate::world::kept::{Bytes, Held};
use crate::world::tree::{self, Difference, Entry, ID, first_entry};

/// A tree object: another one's bytes, and other ids in some of its entries.
#[derive(Debug, Clone)]
pub struct Listing {
    root: Arc<Root>,
    /// In the entries' order.
    changes: Arc<Vec<Change>>,
}

/// An entry's place in its folder, and the id that it has here.
type Change = (u32, ObjectId);

#[derive(Debug)]
struct Root {
    bytes: Bytes,
    /// Where each entry begins, and where the last one ends; none where the bytes read as no folder.
    starts: OnceLock<Option<Vec<u32>>>,
}

impl Root {
    fn starts(&self) -> Option<&[u32]> {
        self.starts.get_or_init(|| tree::starts(&self.bytes)).as_deref()
    }
}

impl Listing {
    pub fn of(bytes: Vec<u8>) -> Listing {
        let root = Root { bytes: Arc::new(bytes), starts: OnceLock::new() };
        Listing { root: Arc::new(root), changes: Arc::default() }
    }

    /// How many bytes it takes, a part of what it shares counted with it.
    pub fn cost(&self) -> usize {
        let whole = self.root.bytes.len();
        let shared = if self.changes.is_empty() { whole } else { whole / SHARED_BY };
        shared + size_of_val(self.changes.as_slice())
    }

    /// The tree object.
    pub fn bytes(&self) -> Bytes {
        let mut bytes = self.root.bytes.clone();
        if let Some(starts) = self.root.starts().filter(|_| !self.changes.is_empty()) {
            let changed = Arc::make_mut(&mut bytes);
            for (entry, id) in &*self.changes {
                changed[id_of(starts, *entry as usize)].copy_from_slice(id.as_bytes());
            }
        }
        bytes
    }

    /// The tree that a delta makes of this one. `None` where it changes more than ids, and where it does not fit or is
    /// damaged.
    pub fn changed(&self, delta: &[u8]) -> Option<Listing> {
        let delta = Delta::of(delta, self.root.bytes.len())?;
        let length = delta.length;
        let mut changes = Vec::with_capacity(self.changes.len() + FEW);
        changes.extend_from_slice(&self.changes);
        let mut changing = Changing { root: &self.root.bytes, starts: self.root.starts()?, changes };
        let mut at = 0;
        for command in delta {
            at += match command? {
                Command::Copy { at: from, count } => (from == at).then_some(count)?,
                Command::New(bytes) => {
                    changing.put(at, bytes)?;
                    bytes.len()
                }
            };
        }
        let is_whole = at == length && length == self.root.bytes.len();
        is_whole.then(|| Listing { root: self.root.clone(), changes: Arc::new(changing.changes) })
    }

    /// An entry of the root, with this id in place of its own.
    fn entry<'a>(&'a self, place: u32, id: &'a oid) -> Option<Entry<'a>> {
        let start = *self.root.starts()?.get(place as usize)?;
        Some(Entry { id, ..first_entry(&self.root.bytes[start as usize..])? })
    }

    /// The id that an entry has in the root.
    fn id_in_root(&self, place: u32) -> Option<&oid> {
        oid::try_from_bytes(self.root.bytes.get(id_of(self.root.starts()?, place as usize))?).ok()
    }
}

/// In how many entries a folder most often differs from the next one.
const FEW: usize = 4;

/// Among how many listings a root is divided, most often, where it is counted.
const SHARED_BY: usize = 32;

/// Where the id of an entry stands.
fn id_of(starts: &[u32], entry: usize) -> Range<usize> {
    let end = starts[entry + 1] as usize;
    end - ID..end
}

/// Changes under way.
struct Changing<'r> {
    root: &'r [u8],
    starts: &'r [u32],
    changes: Vec<Change>,
}

impl Changing<'_> {
    /// Puts bytes into the place of as many others. `None` where they are other ones and stand not in ids alone.
    fn put(&mut self, at: usize, bytes: &[u8]) -> Option<()> {
        let end = at + bytes.len();
        let mut entry = self.starts.partition_point(|start| *start as usize <= at).checked_sub(1)?;
        while (*self.starts.get(entry)? as usize) < end {
            self.starts.get(entry + 1)?;
            let id = id_of(self.starts, entry);
            let name = (self.starts[entry] as usize).max(at)..id.start.min(end);
            if !name.is_empty() && self.root[name.clone()] != bytes[name.start - at..name.end - at] {
                return None;
            }
            let digits = id.start.max(at)..id.end.min(end);
            if !digits.is_empty() {
                let new = &bytes[digits.start - at..digits.end - at];
                let changed = self.id(entry)?.as_mut_slice();
                changed[digits.start - id.start..digits.end - id.start].copy_from_slice(new);
            }
            entry += 1;
        }
        Some(())
    }

    /// The id of an entry, to be changed.
    fn id(&mut self, entry: usize) -> Option<&mut ObjectId> {
        let number = u32::try_from(entry).ok()?;
        let place = match self.changes.binary_search_by_key(&number, |(changed, _)| *changed) {
            Ok(place) => place,
            Err(place) => {
                let id = oid::try_from_bytes(&self.root[id_of(self.starts, entry)]).ok()?;
                self.changes.insert(place, (number, id.to_owned()));
                place
            }
        };
        Some(&mut self.changes[place].1)
    }
}

/// Visits each place where two folders differ, as `tree::differences` does.
pub fn differences<B>(
    old: &Held,
    new: &Held,
    mut visit: impl FnMut(Difference<'_>) -> ControlFlow<B>,
) -> ControlFlow<B> {
    if let (Held::Listing(old), Held::Listing(new)) = (old, new)
        && Arc::ptr_eq(&old.root, &new.root)
    {
        return of_one_root(old, new, visit);
    }
    tree::differences(&old.bytes(), &new.bytes(), |difference| visit(difference))
}

fn of_one_root<'l, B>(
    old: &'l Listing,
    new: &'l Listing,
    mut visit: impl FnMut(Difference<'_>) -> ControlFlow<B>,
) -> ControlFlow<B> {
    let (mut before, mut after) = (old.changes.iter().peekable(), new.changes.iter().peekable());
    loop {
        let order = match (before.peek(), after.peek()) {
            (None, None) => return ControlFlow::Continue(()),
            (Some(_), None) => Ordering::Less,
            (None, Some(_)) => Ordering::Greater,
            (Some((left, _)), Some((right, _))) => left.cmp(right),
        };
        let changed = before.next_if(|_| order != Ordering::Greater);
        let changed_to = after.next_if(|_| order != Ordering::Less);
        let Some((place, _)) = changed.or(changed_to) else { continue };
        let id = |change: Option<&'l Change>| match change {
            Some((_, id)) => Some(id.as_ref()),
            None => old.id_in_root(*place),
        };
        let (Some(was), Some(is)) = (id(changed), id(changed_to)) else { continue };
        if was != is
            && let (Some(was), Some(is)) = (old.entry(*place, was), new.entry(*place, is))
        {
            visit(Difference { name: is.name, old: Some(was), new: Some(is) })?;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::world::delta::apply;
    use crate::world::kept::SMALL;
    use crate::world::testing::TestRepository;
    use gix::objs::Kind;
    use proptest::prelude::*;

    const ENTRIES: usize = 100;

    /// A folder of files, each with the same byte throughout its id.
    fn folder(ids: &[u8]) -> Vec<u8> {
        let entry =
            |(place, id): (usize, &u8)| [format!("100644 f{place:03}\0").as_bytes(), &[*id; ID]].concat();
        ids.iter().enumerate().flat_map(entry).collect()
    }

    /// The delta that copies all but some places, which it writes anew: `(at, bytes)`, in order.
    fn delta(base: usize, made: usize, new: &[(usize, &[u8])]) -> Vec<u8> {
        let size = |value: usize| vec![value as u8 | 0x80, (value >> 7) as u8 | 0x80, (value >> 14) as u8];
        let mut delta = [size(base), size(made)].concat();
        let mut at = 0;
        let copy = |delta: &mut Vec<u8>, from: usize, to: usize| {
            if from < to {
                let count = to - from;
                delta.extend([0xb3, from as u8, (from >> 8) as u8, count as u8, (count >> 8) as u8]);
            }
        };
        for (place, bytes) in new {
            copy(&mut delta, at, *place);
            for part in bytes.chunks(0x7f) {
                delta.push(part.len() as u8);
                delta.extend(part);
            }
            at = place + bytes.len();
        }
        copy(&mut delta, at, made);
        delta
    }

    fn listing(bytes: &[u8]) -> Listing {
        match Held::of(Kind::Tree, bytes.to_vec()) {
            Held::Listing(listing) => listing,
            Held::Whole(_) => panic!("a short folder"),
        }
    }

    fn seen(
        visit: impl FnOnce(&mut dyn FnMut(Difference<'_>) -> ControlFlow<()>) -> ControlFlow<()>,
    ) -> Vec<String> {
        let mut seen = Vec::new();
        let end = visit(&mut |difference| {
            seen.push(format!("{difference:?}"));
            ControlFlow::Continue(())
        });
        assert!(end.is_continue());
        seen
    }

    fn check_differences(old: &Held, new: &Held) -> usize {
        let here = seen(|visit| differences(old, new, visit));
        assert_eq!(here, seen(|visit| tree::differences(&old.bytes(), &new.bytes(), visit)));
        here.len()
    }

    proptest! {
        #[test]
        fn changed_ids_are_what_the_delta_says(
            bases in prop::collection::vec(any::<u8>(), ENTRIES),
            steps in prop::collection::vec(
                prop::collection::btree_map(0..ENTRIES, (any::<u8>(), 0..ID, 1..=2 * ID), 0..6),
                1..5,
            ),
        ) {
            let first = folder(&bases);
            let mut all = vec![listing(&first)];
            let mut bytes = first;
            for step in steps {
                let before = bytes.clone();
                // Some bytes of an id, and perhaps what follows it.
                let mut places: Vec<(usize, usize)> = Vec::new();
                for (entry, (id, from, count)) in step {
                    let start = (entry + 1) * (bytes.len() / ENTRIES) - ID + from;
                    let end = (start + count).min(bytes.len());
                    if places.last().is_some_and(|(_, before)| *before > start) {
                        continue;
                    }
                    bytes[start..end.min((entry + 1) * (before.len() / ENTRIES))].fill(id);
                    places.push((start, end));
                }
                let new: Vec<(usize, &[u8])> =
                    places.iter().map(|(start, end)| (*start, &bytes[*start..*end])).collect();
                let delta = delta(before.len(), bytes.len(), &new);
                prop_assert_eq!(apply(&before, &delta), Some(bytes.clone()));
                let changed = all.last().and_then(|last| last.changed(&delta)).unwrap();
                prop_assert_eq!(&*changed.bytes(), &bytes);
                all.push(changed);
            }
            for old in &all {
                for new in &all {
                    check_differences(&Held::Listing(old.clone()), &Held::Listing(new.clone()));
                }
            }
        }
    }

    #[test]
    fn a_delta_that_changes_more_than_ids_is_left() {
        let bytes = folder(&[1; ENTRIES]);
        let (length, one) = (bytes.len(), bytes.len() / ENTRIES);
        let listing = listing(&bytes);
        let left = |new: &[(usize, &[u8])]| listing.changed(&delta(length, length, new)).is_none();
        assert!(!left(&[]));
        assert!(!left(&[(one - 1, b"x")]));
        assert!(!left(&[(one - 2, b"xy100644 f001\0z")]), "the same name");
        assert!(left(&[(one - 2, b"xy100644 g001\0z")]));
        assert!(left(&[(3, b"755")]), "another mode");
        assert!(left(&[(length - 1, b"xx")]), "beyond the end");
        assert!(left(&[(length, b"x")]));
        let shorter = delta(length, length - one, &[]);
        assert!(listing.changed(&shorter).is_none());
        assert!(listing.changed(&delta(length - 1, length, &[])).is_none(), "another base");
        let mut cut = delta(length, length, &[(one - 1, b"x")]);
        cut.truncate(cut.len() - 5);
        assert!(listing.changed(&cut).is_none());
        let mut moved = delta(length, length, &[]);
        let (at, moves) = (moved.len() - 4, 1);
        moved[at] = moves;
        assert!(listing.changed(&moved).is_none(), "copied to another place");
    }

    #[test]
    fn what_reads_as_no_folder_is_left() {
        let mut bytes = folder(&[1; ENTRIES]);
        bytes.push(b'1');
        let delta = delta(bytes.len(), bytes.len(), &[]);
        let listing = listing(&bytes);
        assert!(listing.changed(&delta).is_none());
        assert_eq!(*listing.bytes(), bytes);
    }

    #[test]
    fn long_folders_of_a_pack_are_what_git_says() {
        let repository = TestRepository::init();
        let files = |changed: &[usize]| {
            for file in changed {
                repository.write(&format!("long/folder/f{file:03}"), &format!("{changed:?}"));
            }
        };
        files(&(0..ENTRIES).collect::<Vec<_>>());
        let mut commits = vec![repository.commit("feat: all")];
        for number in 0..30 {
            files(&[number * 7 % ENTRIES, number * 13 % ENTRIES]);
            match number % 10 {
                4 => repository.write(&format!("long/folder/g{number}"), "new"),
                8 if number == 8 => {
                    repository.git(&["rm", "-q", "long/folder/f001"]);
                    repository.write("long/folder/f001/file", "a folder now");
                }
                _ => {}
            }
            commits.push(repository.commit(&format!("fix: {number}")));
        }
        repository.git(&["repack", "-adfq", "--depth=50"]);
        let objects = repository.open().objects();
        let held: Vec<Held> = commits
            .iter()
            .map(|commit| {
                let id = repository.git(&["rev-parse", &format!("{commit}:long/folder")]);
                let held = objects.tree(&ObjectId::from_hex(id.as_bytes()).unwrap()).unwrap();
                let bytes = held.bytes();
                assert!(bytes.len() > SMALL);
                let hash = gix::objs::compute_hash(gix::hash::Kind::Sha1, Kind::Tree, &bytes).unwrap();
                assert_eq!(hash.to_string(), id);
                held
            })
            .collect();
        let mut found = 0;
        for old in &held {
            for new in &held {
                found += check_differences(old, new);
            }
        }
        assert!(found > ENTRIES);
        let changed = |held: &&Held| matches!(held, Held::Listing(listing) if !listing.changes.is_empty());
        assert!(held.iter().filter(changed).count() > commits.len() / 2);
    }
}
