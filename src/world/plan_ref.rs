//! Plans that wait for a merge: each under a ref of its own, named by its digest, until it is shipped.
//!
//! Knows names and bytes. A ref names a commit without parents, the same one whoever writes it.

use std::collections::BTreeMap;

use crate::world::git::{Person, Repository};
use crate::world::git_error::GitError;
use crate::world::ledger_ref::Files;
use crate::world::remote_refs::{fetch, remote_refs};
use crate::world::store::error::StoreError;
use crate::world::write::Stamp;

/// Where such refs stand.
const PLANS: &str = "refs/release/plans/";

/// The ref of a plan, by the hexadecimal digits of its digest.
pub fn plan_ref(digits: &str) -> String {
    format!("{PLANS}{digits}")
}

impl Repository {
    /// Writes the files of a waiting plan as objects, and moves no ref.
    ///
    /// # Errors
    /// Objects that can not be written.
    pub fn write_waiting_plan(&self, files: &Files) -> Result<String, GitError> {
        let who = Person { name: "release".to_owned(), email: "release@localhost".to_owned() };
        self.write_link(None, files, "a plan that waits for its merge", &Stamp { who, time: 0 })
    }

    /// The files of a waiting plan as this repository knows it.
    ///
    /// # Errors
    /// Unreadable objects.
    pub fn waiting_plan(&self, digits: &str) -> Result<Option<Files>, GitError> {
        match self.ref_target(&plan_ref(digits))? {
            Some(commit) if self.has_object(&commit) => self.link_files(&commit).map(Some),
            _ => Ok(None),
        }
    }
}

/// The waiting plans of a remote: where their refs stand, by the digits of their digests.
///
/// # Errors
/// Where the remote can not be reached.
pub async fn waiting_plans(
    repository: &Repository,
    remote: &str,
) -> Result<BTreeMap<String, String>, StoreError> {
    let found = remote_refs(repository, remote, &[&format!("{PLANS}*")]).await?;
    Ok(found.into_iter().filter_map(|(name, at)| Some((name.strip_prefix(PLANS)?.to_owned(), at))).collect())
}

/// Brings waiting plans from a remote, as far as it has them.
///
/// # Errors
/// Where the remote can not be reached.
pub async fn fetch_waiting_plans(
    repository: &Repository,
    remote: &str,
    digits: &[String],
) -> Result<(), StoreError> {
    let found = waiting_plans(repository, remote).await?;
    let wanted = digits.iter().filter(|one| found.contains_key(*one));
    let specs: Vec<String> = wanted.map(|one| format!("+{0}:{0}", plan_ref(one))).collect();
    if specs.is_empty() { Ok(()) } else { fetch(repository, remote, &specs).await }
}
