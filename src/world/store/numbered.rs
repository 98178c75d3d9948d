//! Keeps a chain on a shelf whose places are numbered from one and filled once.
//!
//! Filling the next place is the compare-and-swap; each link names the one before it with its digest. The last
//! link that was seen is remembered in a file.

use std::io;
use std::path::PathBuf;

use backon::Retryable;

use crate::world::files::{FileError, write_atomically};
use crate::world::ledger_ref::Files;
use crate::world::remote_refs::{backoff, is_worth_another_try};
use crate::world::store::error::StoreError;
use crate::world::store::record::{decode, encode, number, version};
use crate::world::store::{Answer, Entry, Link, Store, Version};

/// Numbered places for bytes, each filled once.
pub(in crate::world) trait Shelf: Send + Sync {
    /// For messages; never a credential.
    fn name(&self) -> String;

    /// The highest number that is filled, where it is not below `from`.
    fn newest(&self, from: u64) -> Answer<'_, Option<u64>>;

    /// What is at the places from `from` to `to` that are filled, in order.
    fn range(&self, from: u64, to: u64) -> Answer<'_, Vec<Filled>>;

    /// Fills a place unless it is filled.
    fn put<'a>(&'a self, new: &'a New<'a>) -> Answer<'a, Put>;
}

/// A place and what is there.
pub(in crate::world) struct Filled {
    pub number: u64,
    pub bytes: Vec<u8>,
}

/// What is to fill a place.
pub(in crate::world) struct New<'a> {
    pub number: u64,
    pub version: &'a Version,
    pub parent: Option<&'a Version>,
    pub bytes: &'a [u8],
}

/// What became of an attempt to fill a place.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::world) enum Put {
    Made,
    /// Somebody was there before, or is at this moment.
    Taken,
}

/// A chain on a shelf.
pub(in crate::world) struct Numbered<S> {
    shelf: S,
    /// The file with the last version that was seen.
    seen: PathBuf,
}

impl<S: Shelf> Numbered<S> {
    pub fn new(shelf: S, seen: PathBuf) -> Numbered<S> {
        Numbered { shelf, seen }
    }

    async fn newest(&self) -> Result<Option<Link>, StoreError> {
        // In this order: what was seen was there before the shelf is asked.
        let Some(seen) = self.recall()? else {
            let Some(last) = self.shelf.newest(1).await? else { return Ok(None) };
            let links = self.links(last, last).await?;
            return self.accept(None, links.into_iter().map(|(link, _)| link).next_back());
        };
        let Some(last) = self.shelf.newest(self.number(&seen)?).await? else {
            return Err(self.rewound(&seen, "nothing"));
        };
        let first = last.min(self.number(&seen)? + 1);
        let links = self.links(first, last).await?;
        match links.first() {
            Some((_, parent)) if last > self.number(&seen)? && parent.as_ref() != Some(&seen) => {
                return Err(self.rewound(&seen, "another chain"));
            }
            Some((link, _)) if last == self.number(&seen)? && link.version != seen => {
                return Err(self.rewound(&seen, &link.version.0));
            }
            _ => {}
        }
        self.accept(Some(&seen), links.into_iter().map(|(link, _)| link).next_back())
    }

    async fn newest_name(&self) -> Result<Option<Version>, StoreError> {
        let seen = self.recall()?;
        let from = seen.as_ref().map_or(Ok(1), |seen| self.number(seen))?;
        match (self.shelf.newest(from).await?, seen) {
            (None, Some(seen)) => Err(self.rewound(&seen, "nothing")),
            (None, None) => Ok(None),
            (Some(last), Some(seen)) if last == from => Ok(Some(seen)),
            (Some(last), _) => Ok(Some(self.links(last, last).await?.remove(0).0.version)),
        }
    }

    async fn all(&self) -> Result<Vec<Link>, StoreError> {
        let seen = self.recall()?;
        let last = self.shelf.newest(1).await?.unwrap_or(0);
        let links = if last == 0 { Vec::new() } else { self.links(1, last).await? };
        if let Some((first, Some(_))) = links.first() {
            return Err(
                self.damaged(format!("{} is the first link and names one before it", first.version.0))
            );
        }
        let links: Vec<Link> = links.into_iter().map(|(link, _)| link).collect();
        if let Some(seen) = &seen
            && !links.iter().any(|link| link.version == *seen)
        {
            return Err(self.rewound(seen, links.last().map_or("nothing", |link| &link.version.0)));
        }
        self.accept(seen.as_ref(), links.last().cloned())?;
        Ok(links)
    }

    /// Links with what stands before each, all of them there, each on top of the one before it.
    async fn links(&self, first: u64, last: u64) -> Result<Vec<(Link, Option<Version>)>, StoreError> {
        let mut links: Vec<(Link, Option<Version>)> = Vec::new();
        for (filled, wanted) in self.shelf.range(first, last).await?.into_iter().zip(first..) {
            if filled.number != wanted {
                return Err(self.damaged(format!("link {wanted} is missing")));
            }
            let version = version(wanted, &filled.bytes);
            let (parent, files) = self.open(&filled)?;
            if let Some((before, _)) = links.last()
                && parent.as_ref() != Some(&before.version)
            {
                return Err(self.damaged(format!("link {wanted} does not stand on the one before it")));
            }
            links.push((Link { version, files }, parent));
        }
        if (links.len() as u64) < last - first + 1 {
            return Err(self.damaged(format!("link {last} is missing")));
        }
        Ok(links)
    }

    fn open(&self, filled: &Filled) -> Result<(Option<Version>, Files), StoreError> {
        let opened = decode(&filled.bytes)
            .map_err(|words| self.damaged(format!("link {} is {words}", filled.number)))?;
        Ok((opened.parent, opened.files))
    }

    /// Remembers the newest link.
    fn accept(&self, seen: Option<&Version>, newest: Option<Link>) -> Result<Option<Link>, StoreError> {
        if let Some(link) = &newest
            && seen != Some(&link.version)
        {
            self.remember(&link.version)?;
        }
        Ok(newest)
    }

    async fn append_once(&self, expected: Option<&Version>, entry: &Entry) -> Result<Version, StoreError> {
        let number = expected.map_or(Ok(0), |expected| self.number(expected))? + 1;
        let bytes = encode(expected, entry);
        let own = version(number, &bytes);
        if !self.is_there(number, &own, expected).await? {
            let new = New { number, version: &own, parent: expected, bytes: &bytes };
            let put = self.shelf.put(&new).await?;
            if put == Put::Taken && !self.is_there(number, &own, expected).await? {
                let words = "somebody else writes there at this moment".to_owned();
                return Err(StoreError::Unreachable { store: self.shelf.name(), words });
            }
        }
        self.remember(&own)?;
        Ok(own)
    }

    /// Whether our link is there; whether it may be put there, otherwise.
    async fn is_there(
        &self,
        place: u64,
        own: &Version,
        expected: Option<&Version>,
    ) -> Result<bool, StoreError> {
        let found = self.shelf.range(place.max(2) - 1, place).await?;
        let at = |number: u64| {
            let filled = found.iter().find(|filled| filled.number == number);
            filled.map(|filled| version(number, &filled.bytes))
        };
        match at(place) {
            Some(there) if there == *own => Ok(true),
            Some(there) => Err(self.lost(expected, there).await?),
            None if at(place - 1).as_ref() == expected => Ok(false),
            None => Err(self.lost(expected, Version("nothing".to_owned())).await?),
        }
    }

    async fn lost(&self, expected: Option<&Version>, found: Version) -> Result<StoreError, StoreError> {
        let newest = match number(&found) {
            Some(number) => self.shelf.newest(number).await?,
            None => None,
        };
        let found = match newest {
            Some(newest) => self.links(newest, newest).await?.remove(0).0.version,
            None => found,
        };
        Ok(StoreError::Lost {
            store: self.shelf.name(),
            name: "head".to_owned(),
            expected: expected.map_or_else(|| "nothing".to_owned(), |version| version.0.clone()),
            found: found.0,
        })
    }

    fn recall(&self) -> Result<Option<Version>, StoreError> {
        match std::fs::read_to_string(&self.seen) {
            Ok(text) => {
                let seen = Version(text.trim_end().to_owned());
                self.number(&seen).map(|_| Some(seen))
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(source) => {
                Err(StoreError::File(FileError::Failed { verb: "read", path: self.seen.clone(), source }))
            }
        }
    }

    /// Remembers a version, unless a later one is remembered.
    fn remember(&self, version: &Version) -> Result<(), StoreError> {
        if self.recall()?.and_then(|seen| number(&seen)) >= number(version) {
            return Ok(());
        }
        write_atomically(&self.seen, format!("{}\n", version.0).as_bytes())?;
        Ok(())
    }

    fn number(&self, version: &Version) -> Result<u64, StoreError> {
        let words =
            || format!("`{}` is no version of it; `rm {}` forgets it", version.0, self.seen.display());
        number(version).ok_or_else(|| StoreError::Unusable { store: self.shelf.name(), words: words() })
    }

    fn damaged(&self, words: String) -> StoreError {
        StoreError::Damaged { store: self.shelf.name(), words }
    }

    fn rewound(&self, seen: &Version, found: &str) -> StoreError {
        StoreError::Rewound {
            store: self.shelf.name(),
            seen: seen.0.clone(),
            found: found.to_owned(),
            way_out: format!("rm {}", self.seen.display()),
        }
    }
}

impl<S: Shelf> Store for Numbered<S> {
    fn name(&self) -> String {
        self.shelf.name()
    }

    fn read(&self) -> Answer<'_, Option<Link>> {
        Box::pin(async {
            let read = || self.newest();
            read.retry(backoff()).sleep(tokio::time::sleep).when(is_worth_another_try).await
        })
    }

    fn head(&self) -> Answer<'_, Option<Version>> {
        Box::pin(async {
            let head = || self.newest_name();
            head.retry(backoff()).sleep(tokio::time::sleep).when(is_worth_another_try).await
        })
    }

    fn append<'a>(&'a self, expected: Option<&'a Version>, entry: &'a Entry) -> Answer<'a, Version> {
        Box::pin(async move {
            // Each attempt looks first: what an earlier one left there is found.
            let append = || self.append_once(expected, entry);
            append.retry(backoff()).sleep(tokio::time::sleep).when(is_worth_another_try).await
        })
    }

    fn history(&self) -> Answer<'_, Vec<Link>> {
        Box::pin(async {
            let all = || self.all();
            all.retry(backoff()).sleep(tokio::time::sleep).when(is_worth_another_try).await
        })
    }
}
