//! The folders of one package: its releases, the link to the one that runs, the lock, the traces of what was begun.

use std::fs;
use std::io;
use std::path::{Component, Path, PathBuf};

use crate::apply::crash;
use crate::apply::target::error::TargetError;
use crate::apply::target::python::record::Record;
use crate::apply::target::python::unusable;
use crate::apply::target::{Answer, Mark};
use crate::plan::deployment::Placed;
use crate::world::files::{Lock, join_inside, sync_folder, write_atomically, write_changed};

const RECORD: &str = "release.json";
const CURRENT: &str = "current";
const RELEASES: &str = "releases";
const RESTARTED: &str = "restarted";
/// How the names of things begin that are on their way in or out.
const PASSING: &str = ".passing-";

/// The folder of one package.
#[derive(Debug, Clone)]
pub struct Home {
    path: PathBuf,
    directory: PathBuf,
}

/// Where `current` leads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Linked {
    Nowhere,
    /// To a release's folder, by its name.
    To(String),
    /// To no place of ours, or it is no link: what it is.
    Astray(String),
}

impl Home {
    /// # Errors
    /// Where the package's name is no plain name, or a link stands on the way.
    pub fn new(directory: &Path, package: &str) -> Answer<Home> {
        let parts: Vec<Component<'_>> = Path::new(package).components().collect();
        if !matches!(parts.as_slice(), [Component::Normal(_)]) || package.starts_with('.') {
            let reason = format!("`{package}` can not name a folder");
            return Err(TargetError::Settings { what: "the package".to_owned(), reason });
        }
        let path = join_inside(directory, package).map_err(|error| unusable(directory, &error))?;
        Ok(Home { path, directory: directory.to_owned() })
    }

    pub fn path(&self) -> &Path {
        &self.path
    }

    pub fn current(&self) -> PathBuf {
        self.path.join(CURRENT)
    }

    pub fn exists(&self) -> bool {
        self.path.is_dir()
    }

    /// Makes the folders, and keeps git out of them.
    pub fn prepare(&self) -> Answer<()> {
        let releases = self.path.join(RELEASES);
        fs::create_dir_all(&releases).map_err(|error| unusable(&releases, &error))?;
        let ignore = self.directory.join(".gitignore");
        write_changed(&ignore, b"*\n").map_err(|error| unusable(&ignore, &error))?;
        Ok(())
    }

    /// The package's lock; none where another run holds it.
    pub fn try_lock(&self) -> Answer<Option<Lock>> {
        let path = self.path.join(".lock");
        Lock::try_take(&path).map_err(|error| unusable(&path, &error))
    }

    /// The name of a release's folder: version and the first digits of the digest.
    pub fn name_of(&self, placed: &Placed) -> String {
        format!("{}-{}", placed.version, placed.digest().short())
    }

    /// A release's folder, which may not be there.
    pub fn release(&self, name: &str) -> Answer<PathBuf> {
        let relative = format!("{RELEASES}/{name}");
        join_inside(&self.path, &relative).map_err(|error| unusable(&self.path, &error))
    }

    /// The file that keeps which files of others belong to a release.
    pub fn lock_file(&self, name: &str) -> PathBuf {
        self.path.join("locks").join(format!("{name}.txt"))
    }

    /// The record of a whole release; none where it is not whole.
    pub fn record(&self, name: &str) -> Option<Record> {
        let bytes = fs::read(self.release(name).ok()?.join(RECORD)).ok()?;
        Record::parse(&bytes)
    }

    pub fn write_record(&self, name: &str, record: &Record) -> Answer<()> {
        let path = self.release(name)?.join(RECORD);
        crash::point();
        write_changed(&path, &record.bytes()).map_err(|error| unusable(&path, &error))?;
        crash::point();
        Ok(())
    }

    /// Refuses a deployment whose lease is older than one that was here.
    pub fn fence(&self, mark: &Mark) -> Answer<()> {
        let newest =
            self.names()?.iter().filter_map(|name| self.record(name)).map(|record| record.epoch).max();
        match newest.filter(|newest| *newest > mark.epoch) {
            Some(_) => Err(TargetError::Raced { what: format!("`{}`", self.current().display()) }),
            None => Ok(()),
        }
    }

    /// Where `current` leads. A link counts whether its release is whole or not.
    pub fn linked(&self) -> Answer<Linked> {
        let current = self.current();
        let to = match fs::read_link(&current) {
            Ok(to) => to,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Linked::Nowhere),
            Err(error) if error.kind() == io::ErrorKind::InvalidInput => {
                return Ok(Linked::Astray(current.display().to_string()));
            }
            Err(error) => return Err(unusable(&current, &error)),
        };
        let parts: Vec<Component<'_>> = to.components().collect();
        match parts.as_slice() {
            [Component::Normal(releases), Component::Normal(name)] if *releases == RELEASES => {
                Ok(Linked::To(name.to_string_lossy().into_owned()))
            }
            _ => Ok(Linked::Astray(to.display().to_string())),
        }
    }

    /// Moves `current` in one step: who looks sees the old release or the new one.
    pub fn link(&self, name: &str) -> Answer<()> {
        let (current, passing) = (self.current(), self.path.join(format!("{PASSING}{CURRENT}")));
        let failed = |error: &io::Error| unusable(&current, error);
        if current.symlink_metadata().is_ok_and(|metadata| !metadata.is_symlink()) {
            let what = format!("`{}`", current.display());
            let (found, wanted) = ("no link".to_owned(), "a link to a release".to_owned());
            return Err(TargetError::Conflict { what, found, wanted });
        }
        remove(&passing)?;
        symlink(&Path::new(RELEASES).join(name), &passing).map_err(|error| failed(&error))?;
        crash::point();
        fs::rename(&passing, &current).map_err(|error| failed(&error))?;
        crash::point();
        sync_folder(&self.path).map_err(|error| unusable(&self.path, &error))
    }

    /// The release that the restart program last ran for.
    pub fn restarted(&self) -> Option<String> {
        fs::read_to_string(self.path.join(RESTARTED)).ok().map(|name| name.trim().to_owned())
    }

    pub fn note_restart(&self, name: &str) -> Answer<()> {
        let path = self.path.join(RESTARTED);
        write_atomically(&path, format!("{name}\n").as_bytes()).map_err(|error| unusable(&path, &error))
    }

    /// Before the link moves: whatever ran then runs something else afterwards.
    pub fn forget_restart(&self) -> Answer<()> {
        remove(&self.path.join(RESTARTED))?;
        crash::point();
        Ok(())
    }

    /// Takes a release's folder away, whole or not. It goes by its name first, so that no half of it counts.
    pub fn set_aside(&self, name: &str) -> Answer<()> {
        let path = self.release(name)?;
        if path.symlink_metadata().is_err() {
            return Ok(());
        }
        let aside = self.path.join(RELEASES).join(format!("{PASSING}{name}"));
        remove(&aside)?;
        fs::rename(&path, &aside).map_err(|error| unusable(&path, &error))?;
        crash::point();
        remove(&aside)
    }

    /// Deletes what interrupted runs left on its way.
    pub fn sweep(&self) -> Answer<()> {
        for folder in [self.path.clone(), self.path.join(RELEASES)] {
            for name in entries(&folder)?.into_iter().filter(|name| name.starts_with(PASSING)) {
                remove(&folder.join(name))?;
            }
        }
        Ok(())
    }

    /// Deletes the releases with other names.
    pub fn delete_others(&self, kept: &[String]) -> Answer<()> {
        for name in self.names()?.iter().filter(|name| !kept.contains(name)) {
            self.set_aside(name)?;
            remove(&self.lock_file(name))?;
        }
        Ok(())
    }

    fn names(&self) -> Answer<Vec<String>> {
        let mut names = entries(&self.path.join(RELEASES))?;
        names.retain(|name| !name.starts_with('.'));
        Ok(names)
    }
}

#[cfg(unix)]
fn symlink(to: &Path, at: &Path) -> io::Result<()> {
    std::os::unix::fs::symlink(to, at)
}

#[cfg(not(unix))]
fn symlink(_to: &Path, _at: &Path) -> io::Result<()> {
    Err(io::Error::new(io::ErrorKind::Unsupported, "the python target needs symbolic links"))
}

/// The names in a folder, sorted; none where it is not there.
fn entries(folder: &Path) -> Answer<Vec<String>> {
    let read = match fs::read_dir(folder) {
        Ok(read) => read,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(unusable(folder, &error)),
    };
    let mut names = Vec::new();
    for entry in read {
        let entry = entry.map_err(|error| unusable(folder, &error))?;
        names.extend(entry.file_name().into_string().ok());
    }
    names.sort();
    Ok(names)
}

/// Deletes a file, a link or a whole folder; what is not there is deleted.
fn remove(path: &Path) -> Answer<()> {
    let deleted = match path.symlink_metadata() {
        Ok(metadata) if metadata.is_dir() => fs::remove_dir_all(path),
        Ok(_) => fs::remove_file(path),
        Err(_) => Ok(()),
    };
    match deleted {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(unusable(path, &error)),
        _ => Ok(()),
    }
}
