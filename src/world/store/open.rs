//! Opens the keeper of a place.

use std::ffi::OsString;
use std::path::PathBuf;
use std::sync::Arc;

use crate::world::git::Repository;
use crate::world::remote_refs::checked;
use crate::world::sha256;
use crate::world::store::Store;
use crate::world::store::bucket::Bucket;
use crate::world::store::error::{StoreError, words};
use crate::world::store::git_ref::GitStore;
use crate::world::store::numbered::Numbered;
use crate::world::store::postgres::Postgres;

/// Where a chain is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// Under `refs/release/ledger` of a remote; of this repository alone without one.
    Ref { remote: Option<String> },
    /// A branch of a remote, by its short name.
    Branch { remote: String, branch: String },
    /// `s3://bucket/prefix`, at AWS or at the endpoint of another host.
    Bucket { url: String, endpoint: Option<String>, region: Option<String> },
    /// `postgres://user@host/database`.
    Postgres { url: String },
}

/// Opens the keeper of a place. Nothing is connected yet. Credentials come from `environment` alone.
///
/// # Errors
/// `Unusable` for a place that can not be used as it is named.
pub fn open(
    place: &Place,
    repository: &Repository,
    environment: &dyn Fn(&str) -> Option<OsString>,
) -> Result<Arc<dyn Store>, StoreError> {
    Ok(match place {
        Place::Ref { remote: None } => Arc::new(GitStore::local(repository.clone())),
        Place::Ref { remote: Some(remote) } => {
            Arc::new(GitStore::on_ref(repository.clone(), checked(remote)?))
        }
        Place::Branch { remote, branch } => {
            let full = format!("refs/heads/{branch}");
            if gix::validate::reference::name(full.as_str().into()).is_err() {
                let said = "that is no name git allows for a branch".to_owned();
                return Err(StoreError::Unusable { store: words(&full), words: said });
            }
            Arc::new(GitStore::on_branch(repository.clone(), checked(remote)?, branch))
        }
        Place::Bucket { url, endpoint, region } => {
            let bucket = Bucket::open(url, endpoint.as_deref(), region.as_deref(), environment)?;
            let place = format!("{url}\0{}", endpoint.as_deref().unwrap_or_default());
            Arc::new(Numbered::new(bucket, seen(repository, &place)))
        }
        Place::Postgres { url } => {
            Arc::new(Numbered::new(Postgres::open(url, environment)?, seen(repository, url)))
        }
    })
}

/// The file that remembers what was seen at a place.
fn seen(repository: &Repository, place: &str) -> PathBuf {
    repository.common_dir().join("release/seen").join(&sha256::of(place.as_bytes())[..16])
}
