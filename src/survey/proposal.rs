//! What `release init` has to look at.

use std::path::{Path, PathBuf};

use globset::GlobSet;

use crate::survey::error::SurveyError;
use crate::survey::manifests::{read_manifests, refuse_unreadable};
use crate::survey::packages::Files;
use crate::survey::tags::list_tags;
use crate::workspace::config::Config;
use crate::workspace::discover::discover;
use crate::workspace::discover::proposal::{Proposal, propose as make};
use crate::workspace::discover::reach::Reach;
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
    let manifests = read_manifests(&repository, &GlobSet::empty(), &Reach::everywhere(), &mut files)?;
    // What else is wrong, such as two packages of one name, the proposal tells itself.
    if let Ok(discovery) = discover(&Config::default(), &manifests.files) {
        refuse_unreadable(&discovery, &mut files)?;
    }
    let tags: Vec<String> = list_tags(&repository)?.into_iter().map(|tag| tag.name).collect();
    let mut proposal = make(&manifests.files, &tags);
    proposal.notes.extend(manifests.passed_by);
    proposal.branch = head.branch;
    Ok((repository.root().to_owned(), proposal))
}
