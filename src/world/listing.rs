//! Long folders, told by what their deltas change in another one: of two that follow one another a few ids differ, and
//! neither is copied nor compared whole.

use std::cmp::Ordering;
use std::ops::{ControlFlow, Range};
use std::sync::{Arc, OnceLock};

use gix::{ObjectId, oid};

use crate::world::delta::{Command, Delta};
use crate::world::tree::{Difference, Entry, ID, first_entry, starts};

/// An object's bytes, shared.
pub type Bytes = Arc<Vec<u8>>;

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
        self.starts.get_or_init(|| starts(&self.bytes)).as_deref()
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

    pub fn is_of_one_root(&self, other: &Listing) -> bool {
        Arc::ptr_eq(&self.root, &other.root)
    }

    /// Visits each place where it differs from another one of its root, as `tree::differences` does.
    pub fn differences<'l, B>(
        &'l self,
        new: &'l Listing,
        mut visit: impl FnMut(Difference<'_>) -> ControlFlow<B>,
    ) -> ControlFlow<B> {
        let (mut before, mut after) = (self.changes.iter().peekable(), new.changes.iter().peekable());
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
                None => self.id_in_root(*place),
            };
            let (Some(was), Some(is)) = (id(changed), id(changed_to)) else { continue };
            if was != is
                && let (Some(was), Some(is)) = (self.entry(*place, was), new.entry(*place, is))
            {
                visit(Difference { name: is.name, old: Some(was), new: Some(is) })?;
            }
        }
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

#[cfg(test)]
mod tests;
