//! What a changed file means for its package.

use std::path::Path;

use gix::ObjectId;
use gix::objs::Kind;

use crate::history::commit::Touched;
use crate::survey::walk::WalkPackage;
use crate::survey::walk_version::{differs_in_version_only, manifest_differs_in_version_only};
use crate::world::git_error::GitError;
use crate::world::objects::Objects;
use crate::world::tree::{Entry, Mode};

/// A file's mode and object; `None` where there is none.
pub type State = Option<(Mode, ObjectId)>;

pub const MANIFEST: &str = "pyproject.toml";

pub fn state_of(entry: Option<Entry<'_>>) -> State {
    entry.map(|entry| (entry.mode, entry.id.to_owned()))
}

/// A path of git's as the system writes it.
pub fn system_path(path: &[u8]) -> &Path {
    gix::path::from_byte_slice(path).unwrap_or(Path::new(""))
}

/// Whether a folder in a package can hold changed files that do not count.
pub fn may_hold_uncounted(package: &WalkPackage, folder: &[u8]) -> bool {
    let below =
        |path: &String| path.as_bytes().strip_prefix(folder).is_some_and(|rest| rest.first() == Some(&b'/'));
    !package.ignore.is_empty() || package.version_files.iter().chain(&package.changelog).any(below)
}

/// What a changed file means, or what has to be read to know.
pub enum Verdict {
    Is(Touched),
    Doubt(Doubt),
}

/// A file that holds a version, before and after.
pub struct Doubt {
    old: ObjectId,
    new: ObjectId,
    is_manifest: bool,
}

impl Doubt {
    /// Whether more than the version changed.
    ///
    /// # Errors
    /// Unreadable objects.
    pub fn settle(&self, objects: &Objects) -> Result<Touched, GitError> {
        let (mut before, mut after) = (Vec::new(), Vec::new());
        objects.expect(&self.old, Kind::Blob, &mut before)?;
        objects.expect(&self.new, Kind::Blob, &mut after)?;
        let same = if self.is_manifest { manifest_differs_in_version_only } else { differs_in_version_only };
        Ok(if same(&before, &after) { Touched::Version } else { Touched::Files })
    }
}

/// What a changed file means for the package that owns it; the path is from the package's folder.
pub fn judge(package: &WalkPackage, path: &[u8], old: State, new: State) -> Verdict {
    if let Some(what) = judge_name(package, path) {
        return Verdict::Is(what);
    }
    let is_manifest = path == MANIFEST.as_bytes();
    if !is_manifest && !package.version_files.iter().any(|file| file.as_bytes() == path) {
        return Verdict::Is(Touched::Files);
    }
    match (old, new) {
        (Some((old_mode, old)), Some((new_mode, new))) if old_mode == new_mode && old_mode.is_file() => {
            Verdict::Doubt(Doubt { old, new, is_manifest })
        }
        _ => Verdict::Is(Touched::Files),
    }
}

/// What a file means whose name alone tells it.
pub fn judge_name(package: &WalkPackage, path: &[u8]) -> Option<Touched> {
    if is_lock_file(path) {
        return Some(Touched::Lock);
    }
    if !package.ignore.is_empty() && package.ignore.is_match(system_path(path)) {
        return Some(Touched::Ignored);
    }
    let is_changelog = package.changelog.as_ref().is_some_and(|changelog| changelog.as_bytes() == path);
    is_changelog.then_some(Touched::Version)
}

/// Lock files of uv, Poetry, PDM, Pipenv and PEP 751, in the package's own folder.
fn is_lock_file(path: &[u8]) -> bool {
    match path {
        b"uv.lock" | b"poetry.lock" | b"pdm.lock" | b"Pipfile.lock" | b"pylock.toml" => true,
        _ => path
            .strip_prefix(b"pylock.")
            .and_then(|rest| rest.strip_suffix(b".toml"))
            .is_some_and(|name| !name.is_empty() && !name.contains(&b'/')),
    }
}
