//! Files in a container, running or not, by the engine's archives: no program inside is needed.

use std::io::Read;

use bollard::errors::Error;
use bollard::query_parameters::{DownloadFromContainerOptionsBuilder, UploadToContainerOptionsBuilder};
use futures_util::StreamExt;

use crate::world::engine::{Engine, EngineError};

/// The most bytes of an archive that are read.
const LIMIT: usize = 1 << 20;

/// A file to be put into a container.
#[derive(Debug, Clone)]
pub struct NewFile {
    /// From the root, without a leading slash; one that ends with a slash is a folder.
    pub path: String,
    pub bytes: Vec<u8>,
    /// Whose it is: user and group.
    pub owner: u64,
}

impl Engine {
    /// Puts files below the root of a container.
    ///
    /// # Errors
    /// As the engine answers: 404 where there is no such container.
    pub async fn put(&self, id: &str, files: &[NewFile]) -> Result<(), EngineError> {
        let archive = archive(files)
            .map_err(|source| EngineError::File { path: "an archive in memory".to_owned(), source })?;
        let options = UploadToContainerOptionsBuilder::new().path("/").build();
        let answer =
            self.docker.upload_to_container(id, Some(options), bollard::body_full(archive.into())).await;
        answer.map_err(|error| self.error(&error, "take files into a container"))
    }

    /// One file of a container; `None` where it, or the container, is not there.
    ///
    /// # Errors
    /// As the engine answers; `Strange` where it is larger than a mebibyte.
    pub async fn read(&self, id: &str, path: &str) -> Result<Option<Vec<u8>>, EngineError> {
        let options = DownloadFromContainerOptionsBuilder::new().path(path).build();
        let mut stream = Box::pin(self.docker.download_from_container(id, Some(options)));
        let mut archive = Vec::new();
        while let Some(part) = stream.next().await {
            match part {
                Ok(bytes) => archive.extend_from_slice(&bytes),
                Err(Error::DockerResponseServerError { status_code: 404, .. }) => return Ok(None),
                Err(error) => return Err(self.error(&error, "read a file of a container")),
            }
            if archive.len() > LIMIT {
                return Err(EngineError::Strange {
                    reason: format!("`{path}` is larger than {LIMIT} bytes"),
                });
            }
        }
        Ok(first_file(&archive))
    }
}

fn archive(files: &[NewFile]) -> std::io::Result<Vec<u8>> {
    let mut builder = tar::Builder::new(Vec::new());
    for file in files {
        let mut header = tar::Header::new_gnu();
        let folder = file.path.ends_with('/');
        header.set_entry_type(if folder { tar::EntryType::Directory } else { tar::EntryType::Regular });
        header.set_mode(if folder { 0o755 } else { 0o644 });
        header.set_uid(file.owner);
        header.set_gid(file.owner);
        header.set_mtime(1);
        header.set_size(file.bytes.len() as u64);
        builder.append_data(&mut header, &file.path, file.bytes.as_slice())?;
    }
    builder.into_inner()
}

/// The bytes of the first regular file; what breaks off is none.
fn first_file(archive: &[u8]) -> Option<Vec<u8>> {
    let mut archive = tar::Archive::new(archive);
    let mut entry = archive.entries().ok()?.find_map(|entry| {
        let entry = entry.ok()?;
        entry.header().entry_type().is_file().then_some(entry)
    })?;
    let mut bytes = Vec::new();
    entry.read_to_end(&mut bytes).ok()?;
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_put_into_an_archive_comes_out_of_it() {
        let folder = NewFile { path: "release/".to_owned(), bytes: Vec::new(), owner: 7 };
        let file = NewFile { path: "release/order".to_owned(), bytes: b"to".to_vec(), owner: 7 };
        let whole = archive(&[folder, file]).unwrap();
        assert_eq!(first_file(&whole).unwrap(), b"to");
        assert_eq!(first_file(&whole[..600]), None);
    }
}
