//! What workflows are made from, and the files that are there.

use std::collections::BTreeMap;
use std::io::ErrorKind;
use std::path::Path;

use crate::plan::workflow_files::FOLDER;
use crate::render::workflows::{AtGitHub, Package, Repository, Stage};
use crate::survey::facts::Survey;
use crate::workspace::action_pins::{Pins, PinsError};
use crate::workspace::config::Index;
use crate::workspace::config::github::GitHubTable;
use crate::world::files::{FileError, join_inside};

/// How the names of files begin that may be ours.
const OURS: &str = "release";
const ENDING: &str = ".yml";

/// Why the present files can not be read.
#[derive(Debug, thiserror::Error)]
pub enum WorkflowFilesError {
    #[error(transparent)]
    File(#[from] FileError),
    #[error("failed to read {path}: {source}")]
    Read { path: String, source: std::io::Error },
    #[error(transparent)]
    Pins(#[from] PinsError),
}

/// The repository as workflows see it.
pub fn repository<'r>(survey: &'r Survey, github: Option<&GitHubTable>, pins: &'r Pins) -> Repository<'r> {
    let github = github.map(|table| AtGitHub {
        tells: table.comment || !table.labels.is_empty(),
        mirrors: table.deployments,
    });
    let packages = survey.facts.settings.iter().map(|settings| Package {
        short: settings.short.clone(),
        tag: settings.tag.clone(),
        index: settings.index.clone(),
        image: settings.image.as_ref().map(|image| image.repository.clone()),
    });
    let indexes = survey.uploads.iter().filter_map(|(name, index)| match index {
        Index::Remote { auth, .. } => Some((name.clone(), *auth)),
        Index::Directory(_) => None,
    });
    let environments = survey.environments.values().map(|settings| Stage {
        name: settings.name.clone(),
        after: settings.table.after.clone(),
        secrets: settings.table.service.values().flat_map(|service| service.env_from.clone()).collect(),
    });
    Repository {
        table: &survey.workflows,
        packages: packages.collect(),
        indexes: indexes.collect(),
        environments: environments.collect(),
        first: survey.facts.first.as_ref().map(|first| first.environment.clone()),
        branch: survey.main_branch(),
        github,
        pins,
    }
}

/// The repository's own pins; none where it has no such file.
///
/// # Errors
/// Where the file can not be read, or is none.
pub fn own_pins(root: &Path, file: &str) -> Result<Option<Pins>, WorkflowFilesError> {
    match read(root, file)? {
        Some(text) => Ok(Some(Pins::read(&text, file)?)),
        None => Ok(None),
    }
}

/// The files of the folder that may be ours, by name. What is no text is shown as far as it is one.
///
/// # Errors
/// Where the folder or a file can not be read, or is a link.
pub fn present(root: &Path) -> Result<BTreeMap<String, String>, WorkflowFilesError> {
    let folder = join_inside(root, FOLDER)?;
    let failed = |source| WorkflowFilesError::Read { path: FOLDER.to_owned(), source };
    let entries = match std::fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(BTreeMap::new()),
        Err(error) => return Err(failed(error)),
    };
    let mut files = BTreeMap::new();
    for entry in entries {
        let Ok(name) = entry.map_err(failed)?.file_name().into_string() else { continue };
        if name.starts_with(OURS)
            && name.ends_with(ENDING)
            && let Some(text) = read(root, &format!("{FOLDER}/{name}"))?
        {
            files.insert(name, text);
        }
    }
    Ok(files)
}

fn read(root: &Path, path: &str) -> Result<Option<String>, WorkflowFilesError> {
    match std::fs::read(join_inside(root, path)?) {
        Ok(bytes) => Ok(Some(String::from_utf8_lossy(&bytes).into_owned())),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(source) => Err(WorkflowFilesError::Read { path: path.to_owned(), source }),
    }
}
