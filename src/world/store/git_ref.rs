//! Keeps the chain in git: a ref or branch of a remote, or this repository's own ref alone.
//!
//! Links are written here first, by rules that give the same commit for the same entry; so pushing one again
//! after a lost answer is free. What was seen of a remote's chain is remembered under `refs/release/seen/`, and the
//! local `refs/release/ledger` follows the remote's.

use backon::Retryable;

use crate::world::git::{Person, Repository};
use crate::world::git_error::GitError;
use crate::world::ledger_ref::LedgerHead;
use crate::world::push::{RefMove, push_refs};
use crate::world::refs::{Expected, RefUpdate};
use crate::world::remote::without_credentials;
use crate::world::remote_refs::{backoff, fetch_whole, remote_refs};
use crate::world::sha256;
use crate::world::store::error::StoreError;
use crate::world::store::{Answer, Entry, Link, Store, Version};
use crate::world::write::Stamp;

/// The ref of the chain in this repository, and in a remote that allows it.
pub const LEDGER: &str = "refs/release/ledger";

/// A chain of commits under a ref.
#[derive(Debug, Clone)]
pub struct GitStore {
    repository: Repository,
    /// `None`: this repository's own ref, shared with nobody.
    remote: Option<String>,
    /// The ref's full name in the remote.
    reference: String,
    /// What each message gets at the end of its first line.
    mark: &'static str,
}

impl GitStore {
    /// The chain of this repository alone.
    pub fn local(repository: Repository) -> GitStore {
        GitStore { repository, remote: None, reference: LEDGER.to_owned(), mark: "" }
    }

    /// A remote's chain under `refs/release/ledger`. The remote is a configured name, an address or a folder.
    pub fn on_ref(repository: Repository, remote: &str) -> GitStore {
        GitStore { remote: Some(remote.to_owned()), ..GitStore::local(repository) }
    }

    /// A remote's chain under a branch, for hosts that refuse other refs. Its commits start no CI run.
    pub fn on_branch(repository: Repository, remote: &str, branch: &str) -> GitStore {
        let reference = format!("refs/heads/{branch}");
        GitStore { repository, remote: Some(remote.to_owned()), reference, mark: " [skip ci]" }
    }

    /// The remote that the chain is kept in; `None` where it is this repository alone.
    pub fn remote(&self) -> Option<&str> {
        self.remote.as_deref()
    }

    /// Appends as `Store::append` does, and moves other refs in the same atomic push: all of them or none. Without
    /// a remote, the refs of this repository are moved in one transaction.
    ///
    /// # Errors
    /// As `Store::append`; `Lost` names the ref that stands elsewhere.
    pub fn push_with<'a>(
        &'a self,
        expected: Option<&'a Version>,
        entry: &'a Entry,
        also: &'a [RefMove],
    ) -> Answer<'a, Version> {
        let expected = expected.map(|version| version.0.as_str());
        Box::pin(async move {
            let commit = match &self.remote {
                Some(remote) => self.push(remote, expected, entry, also).await?,
                None => self.move_here(expected, entry, also).await?,
            };
            Ok(Version(commit))
        })
    }

    async fn newest(&self) -> Result<Option<String>, StoreError> {
        match &self.remote {
            Some(remote) => self.newest_of(remote).await,
            None => Ok(self.repository.ref_target(LEDGER)?),
        }
    }

    /// The newest link of a remote's chain, brought here and checked against what was seen.
    async fn newest_of(&self, remote: &str) -> Result<Option<String>, StoreError> {
        for _ in 0..READ {
            // In this order: what was seen was in the remote before it is asked.
            let seen = self.seen(remote)?;
            let Some(found) = self.remote_head(remote).await? else { return self.unshared(remote, seen) };
            if self.bring(remote, &found).await? {
                return self.accept(remote, seen, found).map(Some);
            }
        }
        let words = format!("`{}` was replaced again and again while it was read", self.reference);
        Err(StoreError::Unreachable { store: without_credentials(remote), words })
    }

    async fn newest_name(&self) -> Result<Option<String>, StoreError> {
        let Some(remote) = &self.remote else { return Ok(self.repository.ref_target(LEDGER)?) };
        let seen = self.seen(remote)?;
        let Some(found) = self.remote_head(remote).await? else { return self.unshared(remote, seen) };
        match self.repository.ref_target(LEDGER)? {
            Some(here) if seen.as_ref() == Some(&found) && self.repository.chain_holds(&here, &found)? => {
                Ok(Some(here))
            }
            _ => Ok(Some(found)),
        }
    }

    async fn remote_head(&self, remote: &str) -> Result<Option<String>, StoreError> {
        Ok(remote_refs(&self.repository, remote, &[&self.reference]).await?.remove(&self.reference))
    }

    /// Fetches a chain unless all of it is here; whether it is here now.
    async fn bring(&self, remote: &str, head: &str) -> Result<bool, StoreError> {
        let known = [self.seen(remote)?, self.repository.ref_target(LEDGER)?];
        if known.iter().flatten().any(|known| known == head) {
            return Ok(true);
        }
        fetch_whole(&self.repository, remote, std::slice::from_ref(&self.reference)).await?;
        Ok(self.repository.objects().commit(head).is_ok())
    }

    /// The chain of a remote that has none: ours, if it was never there.
    fn unshared(&self, remote: &str, seen: Option<String>) -> Result<Option<String>, StoreError> {
        match seen {
            Some(seen) => Err(self.rewound(remote, seen, "nothing".to_owned())),
            None => Ok(self.repository.ref_target(LEDGER)?),
        }
    }

    /// Takes a remote's newest link for ours, or keeps ours where it is on top of that.
    fn accept(&self, remote: &str, seen: Option<String>, found: String) -> Result<String, StoreError> {
        if let Some(seen) = seen
            && !self.repository.chain_holds(&found, &seen)?
        {
            return Err(self.rewound(remote, seen, found));
        }
        let newest = match self.repository.ref_target(LEDGER)? {
            Some(here) if !self.repository.chain_holds(&found, &here)? => {
                if !self.repository.chain_holds(&here, &found)? {
                    return Err(self.foreign(&here, &found));
                }
                here
            }
            _ => found.clone(),
        };
        self.follow(remote, &found, &newest)?;
        Ok(newest)
    }

    async fn push(
        &self,
        remote: &str,
        expected: Option<&str>,
        entry: &Entry,
        also: &[RefMove],
    ) -> Result<String, StoreError> {
        let commit = self.write(expected, entry)?;
        let expected_old = self.lease(remote, expected, &commit).await?;
        let own = RefMove { name: self.reference.clone(), new: commit.clone(), expected_old };
        let moves: Vec<RefMove> = std::iter::once(own).chain(also.iter().cloned()).collect();
        if let Err(error) = push_refs(&self.repository, remote, &moves).await {
            let lost = matches!(error, StoreError::Lost { .. });
            if !lost || !self.was_pushed(remote, &commit, also).await? {
                return Err(error);
            }
        }
        self.follow(remote, &commit, &commit)?;
        Ok(commit)
    }

    /// Where the remote's ref must stand: at the expected link, or where our own links on top of it begin.
    async fn lease(
        &self,
        remote: &str,
        expected: Option<&str>,
        commit: &str,
    ) -> Result<Option<String>, StoreError> {
        let Some(expected) = expected else {
            let here = self.repository.ref_target(LEDGER)?;
            return match here {
                Some(here) if !self.repository.chain_holds(&here, commit)? => {
                    Err(self.lost("nothing".to_owned(), here))
                }
                _ => Ok(None),
            };
        };
        if self.seen(remote)?.as_deref() == Some(expected) {
            return Ok(Some(expected.to_owned()));
        }
        let newest = self.newest_of(remote).await?;
        if self.repository.objects().commit(expected).is_err() {
            return Err(self.lost(expected.to_owned(), newest.unwrap_or_else(|| "nothing".to_owned())));
        }
        match self.seen(remote)? {
            Some(seen) if self.repository.chain_holds(expected, &seen)? => Ok(Some(seen)),
            Some(_) => Ok(Some(expected.to_owned())),
            None => Ok(None),
        }
    }

    /// Whether a push that seems lost happened, and others appended to it before we looked.
    async fn was_pushed(&self, remote: &str, commit: &str, also: &[RefMove]) -> Result<bool, StoreError> {
        let Some(head) = self.remote_head(remote).await? else { return Ok(false) };
        if !self.bring(remote, &head).await? || !self.repository.chain_holds(&head, commit)? {
            return Ok(false);
        }
        let names: Vec<&str> = also.iter().map(|each| each.name.as_str()).collect();
        if names.is_empty() {
            return Ok(true);
        }
        let found = remote_refs(&self.repository, remote, &names).await?;
        Ok(also.iter().all(|each| has_moved(each, found.get(&each.name))))
    }

    async fn move_here(
        &self,
        expected: Option<&str>,
        entry: &Entry,
        also: &[RefMove],
    ) -> Result<String, StoreError> {
        let commit = self.write(expected, entry)?;
        let own = RefMove {
            name: LEDGER.to_owned(),
            new: commit.clone(),
            expected_old: expected.map(str::to_owned),
        };
        let updates: Vec<RefUpdate> = std::iter::once(&own).chain(also).map(update).collect();
        let attempt = async || match also {
            // In-process: milliseconds.
            [] => self.repository.move_link(LEDGER, expected, &commit, &entry.by),
            _ => self.repository.update_refs(&updates, "release: append"),
        };
        // Somebody holds the lock of a ref.
        let locked = |error: &GitError| matches!(error, GitError::Failed { .. } | GitError::Write { .. });
        match attempt.retry(backoff()).sleep(tokio::time::sleep).when(locked).await {
            Err(GitError::LostRace { name, expected, found }) if !self.was_moved(&commit, also)? => {
                Err(StoreError::Lost { store: self.name(), name, expected, found })
            }
            Ok(()) | Err(GitError::LostRace { .. }) => Ok(commit),
            Err(error) => Err(error.into()),
        }
    }

    fn was_moved(&self, commit: &str, also: &[RefMove]) -> Result<bool, GitError> {
        let Some(head) = self.repository.ref_target(LEDGER)? else { return Ok(false) };
        if !self.repository.chain_holds(&head, commit)? {
            return Ok(false);
        }
        for each in also {
            if !has_moved(each, self.repository.ref_target(&each.name)?.as_ref()) {
                return Ok(false);
            }
        }
        Ok(true)
    }

    fn write(&self, expected: Option<&str>, entry: &Entry) -> Result<String, GitError> {
        let (first, rest) = entry.message.split_once('\n').unwrap_or((&entry.message, ""));
        let message = format!("{first}{}\n{rest}", self.mark);
        self.repository.write_link(expected, &entry.files, &message, &entry.by)
    }

    fn follow(&self, remote: &str, seen: &str, newest: &str) -> Result<(), GitError> {
        let by = Stamp { who: Person { name: "release".to_owned(), email: "release".to_owned() }, time: 0 };
        self.repository.follow_link(&self.seen_name(remote), seen, &by)?;
        self.repository.follow_link(LEDGER, newest, &by)
    }

    fn seen(&self, remote: &str) -> Result<Option<String>, GitError> {
        self.repository.ref_target(&self.seen_name(remote))
    }

    /// A ref of its own for each place: a remote that moved to another address is another one.
    fn seen_name(&self, remote: &str) -> String {
        let address = self.repository.remote_url(remote).unwrap_or_else(|| without_credentials(remote));
        let place = sha256::of(format!("{address}\0{}", self.reference).as_bytes());
        format!("refs/release/seen/{}", &place[..16])
    }

    fn lost(&self, expected: String, found: String) -> StoreError {
        let store = without_credentials(self.remote.as_deref().unwrap_or("."));
        StoreError::Lost { store, name: self.reference.clone(), expected, found }
    }

    fn rewound(&self, remote: &str, seen: String, found: String) -> StoreError {
        let way_out = format!("git update-ref -d {}", self.seen_name(remote));
        StoreError::Rewound { store: self.name(), seen, found, way_out }
    }

    fn foreign(&self, here: &str, found: &str) -> StoreError {
        let words = format!(
            "its newest link {found} and ours, {here}, do not descend from each other; \
             `git update-ref -d {LEDGER}` here takes the remote's"
        );
        StoreError::Foreign { store: self.name(), words }
    }
}

impl Store for GitStore {
    fn name(&self) -> String {
        match &self.remote {
            Some(remote) => format!("{} of {}", self.reference, without_credentials(remote)),
            None => LEDGER.to_owned(),
        }
    }

    fn read(&self) -> Answer<'_, Option<Link>> {
        Box::pin(async move {
            let Some(commit) = self.newest().await? else { return Ok(None) };
            let files = self.repository.link_files(&commit)?;
            Ok(Some(Link { version: Version(commit), files }))
        })
    }

    fn head(&self) -> Answer<'_, Option<Version>> {
        Box::pin(async move { Ok(self.newest_name().await?.map(Version)) })
    }

    fn append<'a>(&'a self, expected: Option<&'a Version>, entry: &'a Entry) -> Answer<'a, Version> {
        self.push_with(expected, entry, &[])
    }

    fn history(&self) -> Answer<'_, Vec<Link>> {
        Box::pin(async move {
            if self.newest().await?.is_none() {
                return Ok(Vec::new());
            }
            let links = self.repository.ledger_history(LEDGER)?;
            let link = |head: LedgerHead| Link { version: Version(head.commit), files: head.files };
            let mut links = links.map(|head| head.map(link)).collect::<Result<Vec<_>, _>>()?;
            links.reverse();
            Ok(links)
        })
    }

    fn git(&self) -> Option<&GitStore> {
        Some(self)
    }
}

/// How often a chain that is replaced meanwhile is read.
const READ: u32 = 3;

fn update(each: &RefMove) -> RefUpdate {
    let expected_old = match &each.expected_old {
        Some(id) => Expected::At(id.clone()),
        None => Expected::Missing,
    };
    RefUpdate { name: each.name.clone(), new: Some(each.new.clone()), expected_old }
}

/// Whether a ref stands no longer where the move began.
fn has_moved(each: &RefMove, found: Option<&String>) -> bool {
    found == Some(&each.new) || found != each.expected_old.as_ref()
}
