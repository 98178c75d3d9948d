//! Where a package stood before it moved.

use std::ops::ControlFlow;

use gix::ObjectId;
use gix::objs::Kind;

use crate::survey::walk_files::MANIFEST;
use crate::workspace::name::normalize;
use crate::world::git_error::GitError;
use crate::world::objects::Objects;
use crate::world::tree::{Entry, Mode, differences};

/// The folder whose manifest of this name is in the old tree and no longer in the new one.
///
/// # Errors
/// Unreadable objects.
pub fn vanished_folder(
    objects: &Objects,
    old: ObjectId,
    new: ObjectId,
    name: &str,
) -> Result<Option<Vec<u8>>, GitError> {
    Search { objects, name, path: Vec::new() }.below(old, Some(new))
}

struct Search<'a> {
    objects: &'a Objects,
    name: &'a str,
    path: Vec<u8>,
}

impl Search<'_> {
    fn below(&mut self, old: ObjectId, new: Option<ObjectId>) -> Result<Option<Vec<u8>>, GitError> {
        let (mut before, mut after) = (Vec::new(), Vec::new());
        self.objects.expect(&old, Kind::Tree, &mut before)?;
        if let Some(new) = new {
            self.objects.expect(&new, Kind::Tree, &mut after)?;
        }
        let end =
            differences(&before, &after, |difference| match self.entry(difference.old, difference.new) {
                Ok(None) => ControlFlow::Continue(()),
                other => ControlFlow::Break(other),
            });
        match end {
            ControlFlow::Break(found) => found,
            ControlFlow::Continue(()) => Ok(None),
        }
    }

    fn entry(&mut self, old: Option<Entry<'_>>, new: Option<Entry<'_>>) -> Result<Option<Vec<u8>>, GitError> {
        let Some(old) = old else { return Ok(None) };
        if old.mode == Mode::Folder {
            let length = self.path.len();
            if length > 0 {
                self.path.push(b'/');
            }
            self.path.extend_from_slice(old.name);
            let new = new.filter(|new| new.mode == Mode::Folder).map(|new| new.id.to_owned());
            let found = self.below(old.id.to_owned(), new);
            self.path.truncate(length);
            return found;
        }
        let had_name = old.name == MANIFEST.as_bytes() && self.has_name(old)?;
        let has_name = had_name && new.map(|new| self.has_name(new)).transpose()?.unwrap_or(false);
        Ok((had_name && !has_name).then(|| self.path.clone()))
    }

    fn has_name(&self, entry: Entry<'_>) -> Result<bool, GitError> {
        if !entry.mode.is_file() {
            return Ok(false);
        }
        let mut bytes = Vec::new();
        self.objects.expect(entry.id, Kind::Blob, &mut bytes)?;
        Ok(name_in(&bytes).is_some_and(|name| name == self.name))
    }
}

/// The normalised name that a manifest gives (PEP 621, Poetry).
fn name_in(manifest: &[u8]) -> Option<String> {
    let manifest: toml_edit::DocumentMut = std::str::from_utf8(manifest).ok()?.parse().ok()?;
    let project = manifest.get("project");
    let poetry = manifest.get("tool").and_then(|tool| tool.get("poetry"));
    let name = [project, poetry].into_iter().flatten().find_map(|table| table.get("name")?.as_str())?;
    Some(normalize(name))
}
