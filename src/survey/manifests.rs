//! The files by which packages are found, and what is refused or passed by among them.

use globset::GlobSet;

use crate::survey::error::SurveyError;
use crate::survey::packages::Files;
use crate::workspace::discover::reach::Reach;
use crate::workspace::discover::{Discovery, RepoFile, is_read};
use crate::workspace::manifest::Manifest;
use crate::world::git::Repository;
use crate::world::git_error::GitError;
use crate::world::tree::Mode;

/// What was found of one commit.
pub struct Manifests {
    pub files: Vec<RepoFile>,
    /// Where a package could stand and none is read, and why; a sentence each.
    pub passed_by: Vec<String>,
    /// Manifests that are links.
    links: Vec<String>,
}

impl Manifests {
    /// Where no package is found: a manifest that is a link is why.
    ///
    /// # Errors
    /// The first such link.
    pub fn refuse_links(&self, files: &mut Files<'_>) -> Result<(), GitError> {
        self.links.iter().try_for_each(|path| files.bytes(path).map(drop))
    }
}

/// Reads the files by which packages are found. `packages` covers the folders that the configuration names; it is
/// empty where none are named; `reach` tells where to look. Links are not followed.
///
/// # Errors
/// Where git can not read them.
pub fn read_manifests(
    repository: &Repository,
    packages: &GlobSet,
    reach: &Reach,
    files: &mut Files<'_>,
) -> Result<Manifests, SurveyError> {
    let mut manifests = Manifests { files: Vec::new(), passed_by: Vec::new(), links: Vec::new() };
    let wanted = |path: &[u8]| {
        let text = String::from_utf8_lossy(path);
        is_read(&text) || (!packages.is_empty() && packages.is_match(text.as_ref()))
    };
    let enters = |folder: &[u8]| reach.enters(&String::from_utf8_lossy(folder));
    let found = files.find("", &enters, &wanted)?;
    let likely = found.iter().filter(|file| file.mode.is_file());
    let likely = likely.filter_map(|file| String::from_utf8(file.path.clone()).ok());
    files.fetch(repository, likely.filter(|path| is_read(path)));
    for file in found {
        let shown = String::from_utf8_lossy(&file.path).into_owned();
        let folder = manifest_folder(&shown);
        let is_package = folder.is_some_and(|folder| packages.is_empty() || packages.is_match(folder));
        let is_link = file.mode == Mode::Symlink;
        if is_link && (is_package || packages.is_match(&shown)) {
            manifests.passed_by.push(format!(
                "`{shown}` is a symbolic link, which is not followed: no package is read there"
            ));
        }
        if is_link && folder.is_some() {
            manifests.links.push(shown);
        } else if file.mode.is_file() && is_read(&shown) {
            match String::from_utf8(file.path) {
                Ok(path) => {
                    let text = String::from_utf8_lossy(files.bytes(&path)?.unwrap_or_default()).into_owned();
                    manifests.files.push(RepoFile { path, text });
                }
                Err(_) if is_package => manifests.passed_by.push(format!(
                    "the path of `{shown}` is not UTF-8: no package is read there until it is renamed"
                )),
                Err(_) => {}
            }
        }
    }
    Ok(manifests)
}

/// # Errors
/// The first manifest that should be a package's and can not be read, with line and column.
pub fn refuse_unreadable(discovery: &Discovery, files: &mut Files<'_>) -> Result<(), SurveyError> {
    for folder in &discovery.unreadable {
        let path = folder.join("pyproject.toml");
        Manifest::read(files.text(path.as_git())?, path.as_git())?;
    }
    Ok(())
}

/// The folder of a `pyproject.toml`, `.` for the root.
fn manifest_folder(path: &str) -> Option<&str> {
    match path.strip_suffix("pyproject.toml")? {
        "" => Some("."),
        folder => folder.strip_suffix('/'),
    }
}
