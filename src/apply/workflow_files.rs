//! Brings the workflow files up to date: each is replaced as a whole, and what is left over deleted.

use std::io::ErrorKind;
use std::path::Path;

use crate::apply::crash;
use crate::plan::workflow_files::FileChange;
use crate::world::files::{FileError, join_inside, write_atomically};

/// Carries the changes out, in their order. Stopped anywhere, the same changes finish.
///
/// # Errors
/// A link on the way; a full or read-only disk.
pub fn bring_up_to_date(root: &Path, changes: &[FileChange]) -> Result<(), FileError> {
    for change in changes {
        let path = join_inside(root, &change.path)?;
        crash::point();
        match &change.new {
            Some(text) => write_atomically(&path, text.as_bytes())?,
            None => match std::fs::remove_file(&path) {
                Err(source) if source.kind() != ErrorKind::NotFound => {
                    return Err(FileError::Failed { verb: "delete", path, source });
                }
                _ => {}
            },
        }
        crash::point();
    }
    Ok(())
}
