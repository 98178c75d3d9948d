//! Where a repository's ledger is kept: known before anything else of it is read.

use std::path::Path;
use std::sync::Arc;

use crate::survey::config_file::find_config;
use crate::survey::error::SurveyError;
use crate::workspace::config::github::GitHubTable;
use crate::workspace::config::ledger::LedgerPlace;
use crate::world::git::Repository;
use crate::world::remote::without_credentials;
use crate::world::store::Store;
use crate::world::store::error::StoreError;
use crate::world::store::git_ref::GitStore;
use crate::world::store::open::{Place, open};

/// A repository and the place of its ledger.
pub struct Home {
    pub repository: Repository,
    /// The git remote that claims are pushed to; none where all stays here.
    pub remote: Option<String>,
    /// What is done at GitHub, where the configuration says that the repository is there.
    pub github: Option<GitHubTable>,
    place: Place,
}

/// Finds the repository of a folder and reads where its ledger is.
///
/// # Errors
/// No repository, a configuration that can not be read, a ledger for many in a repository that shares nothing.
pub fn home(directory: &Path, config: Option<&Path>) -> Result<Home, SurveyError> {
    let repository = Repository::open(directory)?;
    let config = find_config(repository.root(), config)?.config;
    let is_known = |remote: &str| is_address(remote) || repository.remote_url(remote).is_some();
    let remote = config.remote().filter(|remote| is_known(remote)).map(str::to_owned);
    if let (None, Some(wanted)) =
        (&remote, config.tables.workspace.remote.as_deref().filter(|name| !name.is_empty()))
    {
        return Err(SurveyError::NoRemote { wanted: wanted.to_owned() });
    }
    let place = place(config.ledger_place(remote.is_some()));
    let github = config.github().cloned();
    if remote.is_none() && !matches!(place, Place::Ref { .. }) {
        let wanted = config.remote().unwrap_or_default().to_owned();
        return Err(SurveyError::LedgerAlone { wanted });
    }
    Ok(Home { repository, remote, github, place })
}

/// Whether a remote is an address or a folder, and not the name of one that git knows.
fn is_address(remote: &str) -> bool {
    remote.contains(['/', ':'])
}

fn place(place: LedgerPlace) -> Place {
    match place {
        LedgerPlace::Ref { remote } => Place::Ref { remote },
        LedgerPlace::Branch { remote, branch } => Place::Branch { remote, branch },
        LedgerPlace::Bucket { url, endpoint, region } => Place::Bucket { url, endpoint, region },
        LedgerPlace::Postgres { url } => Place::Postgres { url },
    }
}

impl Home {
    /// The address of the remote, without user and password.
    pub fn remote_address(&self) -> Option<String> {
        let remote = self.remote.as_deref()?;
        let address = || is_address(remote).then(|| without_credentials(remote));
        self.repository.remote_url(remote).or_else(address)
    }

    /// The store of the ledger.
    ///
    /// # Errors
    /// Where it can not be used as it was named.
    pub fn store(&self) -> Result<Arc<dyn Store>, StoreError> {
        open(&self.place, &self.repository, &|name| std::env::var_os(name))
    }

    /// The ledger as this repository last saw it.
    pub fn local_store(&self) -> Arc<dyn Store> {
        Arc::new(GitStore::local(self.repository.clone()))
    }
}
