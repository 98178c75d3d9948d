//! What an index holds of a package and of those it needs from the repository, in a folder, to read their metadata.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use crate::apply::effect::StepError;
use crate::apply::index;
use crate::apply::publisher::Publisher;
use crate::check::wheel;
use crate::plan::digest::Digest;
use crate::version::number::Version;
use crate::workspace::name::PackageName;
use crate::workspace::requirement::Requirement;

/// A folder laid out as an index, and the address that installers take the same files from.
pub struct Mirror {
    folder: PathBuf,
    address: String,
    /// Gone with this value; none where the index is a folder itself.
    _temporary: Option<tempfile::TempDir>,
}

impl Mirror {
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    pub fn address(&self) -> &str {
        &self.address
    }

    /// A directory index is its own mirror.
    ///
    /// # Errors
    /// Where the folder's absolute path can not be found out.
    pub fn of_folder(folder: &Path) -> Result<Mirror, StepError> {
        Ok(Mirror { folder: folder.to_owned(), address: index::address(folder)?, _temporary: None })
    }

    /// Fetches the wheels of a package and of what it needs, transitively, of the repository's own packages.
    ///
    /// # Errors
    /// Where the index can not be read, or gives other bytes than it lists.
    pub async fn of_remote(
        publisher: &Publisher,
        package: &PackageName,
        version: &Version,
        internal: &BTreeMap<PackageName, Version>,
    ) -> Result<Mirror, StepError> {
        let temporary = tempfile::Builder::new().prefix("release-mirror-").tempdir();
        let temporary = temporary
            .map_err(|source| StepError::File { path: "the temporary folder".to_owned(), source })?;
        let folder = temporary.path().to_owned();
        let mut wanted = vec![(package.clone(), version.clone())];
        let mut fetched: Vec<PackageName> = Vec::new();
        while let Some((package, version)) = wanted.pop() {
            if fetched.contains(&package) {
                continue;
            }
            for needed in copy(publisher, &folder, &package, &version).await? {
                if let Some(version) = internal.get(&needed) {
                    wanted.push((needed, version.clone()));
                }
            }
            fetched.push(package);
        }
        // Installers are given no credential: where the list asks for one, they take the same bytes from here.
        let address = match publisher.index().simple.clone().filter(|_| !publisher.is_locked()) {
            Some(simple) => simple,
            None => index::address(&folder)?,
        };
        Ok(Mirror { folder, address, _temporary: Some(temporary) })
    }
}

/// Copies the wheels of one version, and says what they require.
async fn copy(
    publisher: &Publisher,
    folder: &Path,
    package: &PackageName,
    version: &Version,
) -> Result<Vec<PackageName>, StepError> {
    let mut needed = Vec::new();
    for (name, bytes) in publisher.wheels(package, version).await? {
        index::publish(folder, package, &name, &bytes, &Digest::of(&bytes))?;
        if let Ok(wheel) = wheel::read(&bytes) {
            let names = wheel.metadata.requires_dist().filter_map(|text| Requirement::parse(text).ok());
            needed.extend(names.map(|requirement| requirement.name));
        }
    }
    Ok(needed)
}
