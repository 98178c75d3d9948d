//! Deletes refs of a remote that stand where they were last seen.

use std::collections::BTreeMap;

use crate::world::command::run;
use crate::world::git::Repository;
use crate::world::git_command::git_remote;
use crate::world::remote_refs::{checked, list_refs, unreachable};
use crate::world::store::error::StoreError;

/// Deletes refs, full names and where each must stand. One that is gone or stands elsewhere by now is left.
///
/// # Errors
/// Where the remote can not be reached, or does not let them go.
pub async fn delete_refs(
    repository: &Repository,
    remote: &str,
    refs: &BTreeMap<String, String>,
) -> Result<(), StoreError> {
    if refs.is_empty() {
        return Ok(());
    }
    let mut arguments: Vec<String> =
        ["push", "--porcelain", "--no-verify", "--no-signed"].map(str::to_owned).to_vec();
    arguments.extend(refs.iter().map(|(name, at)| format!("--force-with-lease={name}:{at}")));
    arguments.extend(["--".to_owned(), checked(remote)?.to_owned()]);
    arguments.extend(refs.keys().map(|name| format!(":{name}")));
    let output = run(git_remote(repository.root(), arguments)).await.map_err(StoreError::from)?;
    if output.success() {
        return Ok(());
    }
    let names: Vec<&str> = refs.keys().map(String::as_str).collect();
    let found = list_refs(repository, remote, &names).await?;
    let stays = refs.iter().any(|(name, at)| found.get(name) == Some(at));
    if stays { Err(unreachable(remote, &output)) } else { Ok(()) }
}
