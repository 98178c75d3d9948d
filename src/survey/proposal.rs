//! What `release init` has to look at.

use std::path::{Path, PathBuf};

use crate::survey::error::SurveyError;
use crate::survey::facts::read_manifests;
use crate::survey::packages::Files;
use crate::survey::tags::list_tags;
use crate::workspace::discover::proposal::{Proposal, propose as make};
use crate::world::git::Repository;

/// The repository's root and the configuration that fits it.
///
/// # Errors
/// Where the repository can not be read.
pub fn propose(directory: &Path) -> Result<(PathBuf, Proposal), SurveyError> {
    let repository = Repository::open(directory)?;
    let head = repository.head()?;
    let objects = repository.objects();
    let mut files = Files::of(&objects, &head.commit);
    let manifests = read_manifests(&objects, &head.commit, &mut files)?;
    let tags: Vec<String> = list_tags(&repository)?.into_iter().map(|tag| tag.name).collect();
    let mut proposal = make(&manifests, &tags);
    proposal.branch = head.branch;
    Ok((repository.root().to_owned(), proposal))
}
