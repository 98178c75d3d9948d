//! Keeps what a repository names inside it: configuration files and index folders, links followed.

use std::collections::BTreeMap;
use std::path::{Component, Path, PathBuf};

use crate::survey::error::SurveyError;
use crate::workspace::config::{Config, Index};

/// The folder of each directory index, by name. One that the configuration itself places elsewhere, by an absolute
/// path or by `..`, may stand there; a link may not lead out.
///
/// # Errors
/// Where a link leads out of the repository, or nowhere.
pub fn index_folders(config: &Config, root: &Path) -> Result<BTreeMap<String, PathBuf>, SurveyError> {
    let mut folders = BTreeMap::new();
    for name in config.index_names() {
        let Some(Index::Directory(folder)) = config.index(name) else { continue };
        let is_inside = Path::new(&folder)
            .components()
            .all(|component| matches!(component, Component::Normal(_) | Component::CurDir));
        if is_inside {
            refuse_outside(root, &folder)?;
        }
        folders.insert(name.to_owned(), root.join(folder));
    }
    Ok(folders)
}

/// Follows the links on the way to a path below the root.
///
/// # Errors
/// Where one of them leads out of the root, or nowhere.
pub fn refuse_outside(root: &Path, path: &str) -> Result<(), SurveyError> {
    let mut way = root.to_owned();
    for component in Path::new(path).components() {
        way.push(component);
        if way.symlink_metadata().is_err() {
            // Nothing stands here, so nothing below it either.
            return Ok(());
        }
        let to = match way.canonicalize() {
            Ok(real) if real.starts_with(root) => continue,
            Ok(real) => real.display().to_string(),
            Err(error) => format!("nowhere ({error})"),
        };
        return Err(SurveyError::LeadsOut { path: path.to_owned(), to });
    }
    Ok(())
}
