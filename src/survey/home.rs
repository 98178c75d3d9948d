//! Where a repository's ledger is kept: known before anything else of it is read.

use std::path::Path;
use std::sync::Arc;

use crate::survey::config_file::find_config;
use crate::survey::error::SurveyError;
use crate::world::git::Repository;
use crate::world::store::Store;
use crate::world::store::error::StoreError;
use crate::world::store::git_ref::GitStore;

/// A repository and the place of its ledger.
pub struct Home {
    pub repository: Repository,
    /// The git remote that claim and ledger are pushed to; none where all stays here.
    pub remote: Option<String>,
}

/// Finds the repository of a folder and reads where its ledger is.
///
/// # Errors
/// No repository, or a configuration that can not be read.
pub fn home(directory: &Path, config: Option<&Path>) -> Result<Home, SurveyError> {
    let repository = Repository::open(directory)?;
    let _config = find_config(repository.root(), config)?.config;
    let remote = repository.remote_url("origin").map(|_| "origin".to_owned());
    Ok(Home { repository, remote })
}

impl Home {
    /// The store of the ledger.
    ///
    /// # Errors
    /// Where it can not be used as it was named.
    pub fn store(&self) -> Result<Arc<dyn Store>, StoreError> {
        Ok(match &self.remote {
            Some(remote) => Arc::new(GitStore::on_ref(self.repository.clone(), remote)),
            None => self.local_store(),
        })
    }

    /// The ledger as this repository last saw it.
    pub fn local_store(&self) -> Arc<dyn Store> {
        Arc::new(GitStore::local(self.repository.clone()))
    }
}
