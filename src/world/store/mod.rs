//! Where a shared chain of links is kept: a ref or branch of a git remote, a bucket, a database.
//!
//! Knows names and bytes. Every keeper appends by compare-and-swap, so that of many writers one wins each
//! link, and refuses a chain that lost what was seen of it before.

mod bucket;
pub mod error;
pub mod git_ref;
mod numbered;
pub mod open;
mod postgres;
mod postgres_address;
mod record;

use std::pin::Pin;

use crate::world::ledger_ref::Files;
use crate::world::store::error::StoreError;
use crate::world::store::git_ref::GitStore;
use crate::world::write::Stamp;

/// A link's name in its store: a commit id, or a sequence number with a content digest.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Version(pub String);

/// One link of the chain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Link {
    pub version: Version,
    pub files: Files,
}

/// What is appended: exactly these files, why, and by whom.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    pub files: Files,
    pub message: String,
    pub by: Stamp,
}

/// What a store says in its own time.
pub type Answer<'a, T> = Pin<Box<dyn Future<Output = Result<T, StoreError>> + Send + 'a>>;

/// A keeper of one chain.
pub trait Store: Send + Sync {
    /// For messages: `refs/release/ledger of origin`, `s3://bucket/prefix`; never a credential.
    fn name(&self) -> String;

    /// The newest link; `None` where nothing was ever appended.
    ///
    /// # Errors
    /// `Rewound` where the newest link does not descend from the one last seen; `Foreign` where two chains
    /// share no link; `Unreachable`.
    fn read(&self) -> Answer<'_, Option<Link>>;

    /// Only the newest link's name, by one cheap request. What descends from what is checked by `read` alone.
    ///
    /// # Errors
    /// `Unreachable`; `Rewound` where a chain that was seen is gone.
    fn head(&self) -> Answer<'_, Option<Version>>;

    /// Appends on top of `expected` (`None`: the first). The same entry on the same expected link gives the same
    /// version, and appending it again after a lost answer is success.
    ///
    /// # Errors
    /// `Lost` where the chain grew meanwhile, `Refused` where the other side said no: nothing is changed then.
    /// `Unreachable` says that nothing is known: reading again tells.
    fn append<'a>(&'a self, expected: Option<&'a Version>, entry: &'a Entry) -> Answer<'a, Version>;

    /// All links, oldest first.
    ///
    /// # Errors
    /// As `read`.
    fn history(&self) -> Answer<'_, Vec<Link>>;

    /// The git keeper, where it is one: its append can move other refs in the same atomic push.
    fn git(&self) -> Option<&GitStore> {
        None
    }
}
