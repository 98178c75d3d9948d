//! An object as it is held in memory.

use std::ops::ControlFlow;
use std::sync::Arc;

use gix::objs::Kind;

use crate::world::delta::apply;
use crate::world::listing::{Bytes, Listing};
use crate::world::tree::{self, Difference};

/// An object that is kept.
#[derive(Debug, Clone)]
pub enum Held {
    Whole(Bytes),
    /// A long folder.
    Listing(Listing),
}

impl Held {
    pub fn of(kind: Kind, bytes: Vec<u8>) -> Held {
        if kind == Kind::Tree && bytes.len() > SMALL {
            return Held::Listing(Listing::of(bytes));
        }
        Held::Whole(Arc::new(bytes))
    }

    /// The object that a delta makes of this one; `None` where the delta does not fit or is damaged.
    pub fn changed(&self, kind: Kind, delta: &[u8]) -> Option<Held> {
        let listing = match self {
            Held::Whole(_) => None,
            Held::Listing(listing) => listing.changed(delta),
        };
        match listing {
            Some(listing) => Some(Held::Listing(listing)),
            None => Some(Held::of(kind, apply(&self.bytes(), delta)?)),
        }
    }

    pub fn bytes(&self) -> Bytes {
        match self {
            Held::Whole(bytes) => bytes.clone(),
            Held::Listing(listing) => listing.bytes(),
        }
    }

    pub fn is_small(&self) -> bool {
        matches!(self, Held::Whole(bytes) if bytes.len() <= SMALL)
    }

    /// How many bytes it takes.
    pub fn cost(&self) -> usize {
        match self {
            Held::Whole(bytes) => bytes.len(),
            Held::Listing(listing) => listing.cost(),
        }
    }
}

impl Default for Held {
    fn default() -> Held {
        Held::Whole(Bytes::default())
    }
}

/// Up to how many bytes an object is small.
pub const SMALL: usize = 1 << 11;

/// Visits each place where two folders differ, as `tree::differences` does.
pub fn differences<B>(
    old: &Held,
    new: &Held,
    visit: impl FnMut(Difference<'_>) -> ControlFlow<B>,
) -> ControlFlow<B> {
    if let (Held::Listing(old), Held::Listing(new)) = (old, new)
        && old.is_of_one_root(new)
    {
        return old.differences(new, visit);
    }
    tree::differences(&old.bytes(), &new.bytes(), visit)
}
