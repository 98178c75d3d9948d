//! Where deployments get released files from: the indexes, asked for exactly the bytes that were released.

use std::collections::BTreeMap;

use crate::apply::effect::StepError;
use crate::apply::index::{self, IndexError};
use crate::apply::mirror::Mirror;
use crate::apply::workshop::Outlet;
use crate::plan::deployment::{Artifact, Placed};
use crate::render::index_page::Yanked;
use crate::version::number::Version;
use crate::workspace::name::PackageName;
use crate::world::tools::ToolCache;

/// The indexes, the tools that install from them, and the repository's packages with the versions that belong together.
pub struct Supply<'s> {
    pub outlets: &'s BTreeMap<String, Outlet>,
    pub tools: &'s ToolCache,
    pub internal: &'s BTreeMap<PackageName, Version>,
}

/// A release as an index has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wanted {
    /// The distribution's name.
    pub package: PackageName,
    pub version: Version,
    pub index: String,
    /// Its wheels and their digests (`sha256:…`).
    pub wheels: BTreeMap<String, String>,
}

/// Why the files are not to be had.
#[derive(Debug, thiserror::Error)]
pub enum SupplyError {
    #[error("{package} {version} is {what}, and no wheel on an index")]
    NoWheel { package: String, version: String, what: &'static str },
    #[error("`{version}` of {package} is no version")]
    Version { package: String, version: String },
    #[error("there is no index `{index}` in the configuration")]
    NoIndex { index: String },
    #[error("the index `{index}` does not list `{file}` any more, or lists it as withdrawn")]
    Gone { index: String, file: String },
    #[error("the index `{index}` gives `{file}` as {found}, and {wanted} was released")]
    Other { index: String, file: String, found: String, wanted: String },
    #[error(transparent)]
    Step(#[from] StepError),
    #[error(transparent)]
    Index(#[from] IndexError),
}

impl Wanted {
    /// The release's files.
    ///
    /// # Errors
    /// `NoWheel` where it is an image or has source files only, `Version` where its number does not read.
    pub fn of(placed: &Placed) -> Result<Wanted, SupplyError> {
        let no_wheel = |what| {
            let (package, version) = (placed.package.clone(), placed.version.clone());
            SupplyError::NoWheel { package, version, what }
        };
        let Artifact::Files { distribution, index, files } = &placed.artifact else {
            return Err(no_wheel("an image"));
        };
        let is_wheel = |(name, _): &(&String, &String)| name.ends_with(".whl");
        let wheels: BTreeMap<String, String> =
            files.iter().filter(is_wheel).map(|(name, digest)| (name.clone(), digest.clone())).collect();
        if wheels.is_empty() {
            return Err(no_wheel("source files only"));
        }
        let version = Version::parse(&placed.version).map_err(|_| SupplyError::Version {
            package: placed.package.clone(),
            version: placed.version.clone(),
        })?;
        Ok(Wanted { package: PackageName::new(distribution), version, index: index.clone(), wheels })
    }
}

impl Supply<'_> {
    /// A folder with the release's wheels and those of the repository's packages that it needs, where the index still
    /// gives each released wheel with its bytes.
    ///
    /// # Errors
    /// `Gone` and `Other` about the files; others where the index can not be read.
    pub async fn mirror(&self, wanted: &Wanted) -> Result<Mirror, SupplyError> {
        let index = &wanted.index;
        let outlet = self.outlets.get(index).ok_or_else(|| SupplyError::NoIndex { index: index.clone() })?;
        let (mirror, withdrawn) = match outlet {
            Outlet::Folder(folder) => (Mirror::of_folder(folder)?, Vec::new()),
            Outlet::Remote(publisher) => {
                let listed = publisher.listed(&wanted.package, Some(&wanted.version)).await;
                let listed = listed.map_err(StepError::from)?;
                let yanked = listed.into_iter().filter(|file| file.yanked.is_some());
                let names: Vec<String> = yanked.map(|file| file.filename).collect();
                let mirror =
                    Mirror::of_remote(publisher, &wanted.package, &wanted.version, self.internal).await?;
                (mirror, names)
            }
        };
        let listed = index::listing(mirror.folder(), &wanted.package)?;
        for (file, digest) in &wanted.wheels {
            let found = listed.iter().find(|listed| listed.filename == *file && listed.yanked == Yanked::No);
            match found.filter(|_| !withdrawn.contains(file)) {
                Some(found) if found.sha256.as_str() == digest => {}
                Some(found) => {
                    let (found, wanted) = (found.sha256.to_string(), digest.clone());
                    return Err(SupplyError::Other {
                        index: index.clone(),
                        file: file.clone(),
                        found,
                        wanted,
                    });
                }
                None => return Err(SupplyError::Gone { index: index.clone(), file: file.clone() }),
            }
        }
        Ok(mirror)
    }
}
