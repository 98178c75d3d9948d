//! Reads the packages of the planned commit: manifests, where versions stand, the files a release may edit.

use std::collections::BTreeMap;

use gix::ObjectId;
use gix::objs::Kind;
use rayon::iter::{IndexedParallelIterator, IntoParallelIterator, ParallelIterator};

use crate::survey::error::SurveyError;
use crate::version::number::Version;
use crate::version::semver::read_tag_version;
use crate::workspace::config::Config;
use crate::workspace::config::settings::PackageSettings;
use crate::workspace::discover::Candidate;
use crate::workspace::discover::parsed::ParsedManifest;
use crate::workspace::manifest::{Manifest, ManifestError};
use crate::workspace::name::PackageName;
use crate::workspace::package::Package;
use crate::workspace::path::RepoPath;
use crate::workspace::source::{SourceError, VersionSource, locate, read_version};
use crate::workspace::tag::TagFormat;
use crate::world::git::Repository;
use crate::world::git_error::GitError;
use crate::world::objects::Objects;
use crate::world::snapshot::{self, Snapshot};
use crate::world::tree::Mode;

/// How many files one thread reads at least: fewer are read before another begins.
const TOGETHER: usize = 64;

/// The files of one commit, read once.
pub struct Files<'o> {
    snapshot: Snapshot<'o>,
    read: BTreeMap<String, Vec<u8>>,
}

impl<'o> Files<'o> {
    pub fn of(objects: &'o Objects, commit: &'o str) -> Files<'o> {
        Files { snapshot: Snapshot::of(objects, commit), read: BTreeMap::new() }
    }

    /// Reads files that will be asked for, several at once where they are many. What is wrong with one is told where it
    /// is asked for.
    pub fn fetch(&mut self, repository: &Repository, paths: impl Iterator<Item = String>) {
        let fresh: Vec<String> = paths.filter(|path| !self.read.contains_key(path)).collect();
        if fresh.len() < 2 * TOGETHER {
            return;
        }
        let found = fresh.into_iter().filter_map(|path| Some((self.snapshot.file(&path).ok()??, path)));
        let wanted: Vec<(ObjectId, String)> = found.collect();
        let fetched = wanted.into_par_iter().with_min_len(TOGETHER).map_init(
            || repository.objects(),
            |objects, (id, path)| {
                let mut bytes = Vec::new();
                objects.expect(&id, Kind::Blob, &mut bytes).ok().map(|()| (path, bytes))
            },
        );
        self.read.extend(fetched.collect::<Vec<_>>().into_iter().flatten());
    }

    /// The bytes of a file; `None` where there is none.
    ///
    /// # Errors
    /// A link, or an object that can not be read.
    pub fn bytes(&mut self, path: &str) -> Result<Option<&[u8]>, GitError> {
        if !self.read.contains_key(path) {
            let Some(bytes) = self.snapshot.blob(path)? else { return Ok(None) };
            self.read.insert(path.to_owned(), bytes);
        }
        Ok(self.read.get(path).map(Vec::as_slice))
    }

    /// The text of a file that must be there.
    ///
    /// # Errors
    /// Where it is missing, a link, or not UTF-8.
    pub fn text(&mut self, path: &str) -> Result<&str, SurveyError> {
        let bytes = self.bytes(path)?.ok_or_else(|| SurveyError::NoFile { path: path.to_owned() })?;
        std::str::from_utf8(bytes).map_err(|error| SurveyError::not_utf8(path, bytes, error))
    }

    pub fn is_file(&self, path: &str) -> bool {
        self.snapshot.mode(path).is_ok_and(|mode| mode.is_some_and(Mode::is_file))
    }

    /// Finds files below a folder (empty for the root) by their paths, in folders that `enters` allows.
    ///
    /// # Errors
    /// Unreadable objects.
    pub fn find(
        &self,
        below: &str,
        enters: &(dyn Fn(&[u8]) -> bool + Sync),
        wanted: &(dyn Fn(&[u8]) -> bool + Sync),
    ) -> Result<Vec<snapshot::Found>, GitError> {
        self.snapshot.find(below, enters, wanted)
    }

    /// All that was read, by path.
    pub fn into_read(self) -> BTreeMap<String, Vec<u8>> {
        self.read
    }
}

/// A package and its settings.
pub struct Found {
    pub package: Package,
    pub settings: PackageSettings,
}

/// A package whose manifest and configuration were understood, before any other file of it is looked at.
pub struct NamedPackage {
    folder: RepoPath,
    named: Result<Named, ManifestError>,
}

struct Named {
    name: PackageName,
    parsed: ParsedManifest,
    settings: PackageSettings,
    /// Of its tags, and of those that are read besides.
    formats: Result<(TagFormat, Vec<TagFormat>), SurveyError>,
}

impl NamedPackage {
    /// A package in one folder, whose manifest was parsed.
    pub fn of(config: &Config, is_single: bool, candidate: Candidate) -> NamedPackage {
        let Candidate { folder, parsed, .. } = candidate;
        let named = parsed.map(|parsed| {
            let name = PackageName::new(&parsed.manifest.name);
            let settings = config.package(&name, &folder, is_single);
            Named { formats: formats(&settings, &name), name, parsed, settings }
        });
        NamedPackage { folder, named }
    }
}

/// Reads a package's version.
///
/// # Errors
/// Where its manifest or the file of its version can not be read or understood.
pub fn read_package(files: &mut Files<'_>, package: NamedPackage) -> Result<Found, SurveyError> {
    let folder = package.folder;
    // Where the bytes are no text, that is what is wrong with it.
    files.text(folder.join("pyproject.toml").as_git())?;
    let Named { name, parsed: ParsedManifest { manifest, source }, settings, formats } = package.named?;
    let (source, version) = find_version(files, &folder, &manifest, source)?;
    let (tag, aliases) = formats?;
    Ok(Found {
        package: Package {
            distribution: manifest.name.clone(),
            short: settings.short.clone(),
            path: folder,
            name,
            manifest,
            source,
            version,
            tag,
            aliases,
        },
        settings,
    })
}

/// Where the version stands and what it is. What can not be read is unknown, which only a release minds.
fn find_version(
    files: &mut Files<'_>,
    folder: &RepoPath,
    manifest: &Manifest,
    told: Result<Option<VersionSource>, SourceError>,
) -> Result<(VersionSource, Option<Version>), SurveyError> {
    let unknown = |reason: String| (VersionSource::Unknown { reason }, None);
    let located = match told {
        Ok(None) => {
            let text = files.text(&manifest.path)?.to_owned();
            locate(&text, manifest, &|below| files.is_file(folder.join(below).as_git()))
        }
        Ok(Some(source)) => Ok(source),
        Err(error) => Err(error),
    };
    let source = match located {
        Ok(source) => source,
        Err(error) => return Ok(unknown(error.to_string())),
    };
    match declared_version(files, folder, manifest, &source) {
        Ok(version) => Ok((source, version)),
        Err(SurveyError::VersionText(error)) => Ok(unknown(error.to_string())),
        Err(error) => Err(error),
    }
}

/// The version that the manifest or its source declares; none where tags alone tell it.
fn declared_version(
    files: &mut Files<'_>,
    folder: &RepoPath,
    manifest: &Manifest,
    source: &VersionSource,
) -> Result<Option<Version>, SurveyError> {
    let (path, text) = match source {
        VersionSource::Vcs { .. } | VersionSource::Unknown { .. } => return Ok(None),
        VersionSource::Static { .. } => (manifest.path.clone(), manifest.version().unwrap_or("").to_owned()),
        VersionSource::File { path, kind } => {
            let path = folder.join(path).as_git().to_owned();
            let (text, _) = read_version(&path, files.text(&path)?, kind)?;
            (path, text)
        }
    };
    read_tag_version(&text)
        .map(Some)
        .map_err(|error| SurveyError::DeclaredVersion { path, reason: error.to_string() })
}

fn formats(
    settings: &PackageSettings,
    name: &PackageName,
) -> Result<(TagFormat, Vec<TagFormat>), SurveyError> {
    let tag = tag_format(&settings.tag, name)?;
    let aliases = settings.tag_aliases.iter().map(|alias| tag_format(alias, name));
    Ok((tag, aliases.collect::<Result<_, _>>()?))
}

fn tag_format(text: &str, name: &PackageName) -> Result<TagFormat, SurveyError> {
    TagFormat::parse(text)
        .map_err(|error| SurveyError::Tag { package: name.to_string(), reason: error.to_string() })
}

/// Reads the files that a release of these packages may edit, so that the plan can.
///
/// # Errors
/// Where one can not be read, or a version file is missing or no text.
pub fn read_editable<'p>(
    files: &mut Files<'_>,
    repository: &Repository,
    packages: impl Iterator<Item = (&'p Package, &'p PackageSettings)> + Clone,
) -> Result<(), SurveyError> {
    let changelogs = packages.clone().filter_map(|(package, settings)| changelog(package, settings));
    files.fetch(repository, changelogs);
    for (package, settings) in packages {
        for file in &settings.version_files {
            files.text(package.path.join(file).as_git())?;
        }
        if let Some(changelog) = changelog(package, settings) {
            files.bytes(&changelog)?;
        }
        for lock in ["uv.lock", "poetry.lock", "pdm.lock", "Cargo.lock"] {
            files.bytes(package.path.join(lock).as_git())?;
        }
    }
    Ok(())
}

/// The path of a package's changelog, where it has one.
pub fn changelog(package: &Package, settings: &PackageSettings) -> Option<String> {
    Some(package.path.join(settings.notes.changelog.as_ref()?).as_git().to_owned())
}
