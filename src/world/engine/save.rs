//! Takes an image out of the engine and keeps it as an OCI layout: what is pushed later is known now.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, BufReader, BufWriter, Read, Seek, SeekFrom, Write};
use std::path::Path;

use flate2::Compression;
use flate2::read::GzDecoder;
use flate2::write::GzEncoder;
use futures_util::StreamExt;
use serde::Deserialize;
use sha2::{Digest as _, Sha256};

use crate::world::engine::{Engine, EngineError};
use crate::world::oci::{CONFIG, Descriptor, LAYER, path_of, put, put_manifest};
use crate::world::sha256::hex;

/// How many links an archive's member may lead through.
const LINKS: usize = 4;
/// The largest member that is read as a whole: manifest and configuration.
const WHOLE: u64 = 16 << 20;

/// What `docker save` says is in its archive.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Saved {
    config: String,
    layers: Vec<String>,
}

/// What of an image's configuration its layers are held against.
#[derive(Debug, Deserialize)]
struct Configuration {
    rootfs: RootFs,
}

#[derive(Debug, Deserialize)]
struct RootFs {
    diff_ids: Vec<String>,
}

/// Where a member of an archive stands.
enum Member {
    Bytes { at: u64, size: u64 },
    Link(String),
}

impl Engine {
    /// Takes an image out of the engine into an OCI layout folder, and answers its manifest.
    ///
    /// # Errors
    /// Where the engine does not give it whole, or a layer is not what the configuration says.
    pub async fn save(&self, image: &str, into: &Path) -> Result<Descriptor, EngineError> {
        let unusable = |source| EngineError::File { path: into.display().to_string(), source };
        std::fs::create_dir_all(into).map_err(unusable)?;
        let mut file = tempfile::tempfile_in(into).map_err(unusable)?;
        let exported = self.docker.export_image(image);
        let mut exported = std::pin::pin!(exported);
        while let Some(chunk) = exported.next().await {
            let chunk = chunk.map_err(|error| self.error(&error, "export the image"))?;
            file.write_all(&chunk).map_err(unusable)?;
        }
        let into = into.to_owned();
        let work = tokio::task::spawn_blocking(move || unpack(&file, &into)).await;
        work.unwrap_or_else(|panic| std::panic::resume_unwind(panic.into_panic()))
    }
}

/// Makes a layout of what `docker save` wrote, in either of its forms, and answers the manifest.
///
/// # Errors
/// Where the archive is not whole, or a layer is not what the configuration says.
pub fn unpack(archive: &File, into: &Path) -> Result<Descriptor, EngineError> {
    let members = members(archive).map_err(broken)?;
    let whole = |name: &str| whole(archive, &members, name);
    let saved: Vec<Saved> = parsed(&whole("manifest.json")?)?;
    let [saved] = saved.as_slice() else { return Err(strange("it exports more than one image")) };
    let config = whole(&saved.config)?;
    let expected = parsed::<Configuration>(&config)?.rootfs.diff_ids;
    if expected.len() != saved.layers.len() {
        return Err(strange("it exports an image with other layers than its configuration names"));
    }
    let config = put(into, CONFIG, &config)?;
    let mut layers = Vec::new();
    for (name, diff) in saved.layers.iter().zip(&expected) {
        let (at, size) = find(&members, name)?;
        layers.push(layer(archive, (at, size), diff, into)?);
    }
    Ok(put_manifest(into, config, layers)?)
}

/// Packs one layer; one that comes packed stays as it is.
fn layer(archive: &File, (at, size): (u64, u64), diff: &str, into: &Path) -> Result<Descriptor, EngineError> {
    let blobs = into.join("blobs/sha256");
    let unusable = |source| EngineError::File { path: blobs.display().to_string(), source };
    std::fs::create_dir_all(&blobs).map_err(unusable)?;
    let mut fresh = tempfile::NamedTempFile::new_in(&blobs).map_err(unusable)?;
    let mut source = member(archive, at, size).map_err(broken)?;
    let mut magic = [0; 4];
    let read = source.read(&mut magic).map_err(broken)?;
    let mut source = member(archive, at, size).map_err(broken)?;
    let (packed, plain) = match &magic[..read] {
        [0x1f, 0x8b, ..] => kept(&mut source, fresh.as_file_mut()),
        [0x28, 0xb5, 0x2f, 0xfd] => return Err(strange("it exports layers packed with zstd")),
        _ => packed(&mut source, fresh.as_file_mut()),
    }
    .map_err(unusable)?;
    if format!("sha256:{plain}") != diff {
        return Err(strange(&format!("it exports a layer that is sha256:{plain}, and should be {diff}")));
    }
    let digest = format!("sha256:{packed}");
    let size = fresh.as_file().metadata().map_err(unusable)?.len();
    let place = path_of(into, &digest)?;
    fresh.persist(&place).map_err(|error| unusable(error.error))?;
    Ok(Descriptor { media_type: LAYER.to_owned(), digest, size, platform: None })
}

/// The sums of a layer: packed, plain.
type Sums = (String, String);

/// Packs a plain layer. The same bytes give the same bytes: no name, no time.
fn packed(source: &mut impl Read, into: &mut File) -> io::Result<Sums> {
    let mut plain = Summed { sum: Sha256::new(), inner: io::sink() };
    let out = Summed { sum: Sha256::new(), inner: BufWriter::new(into) };
    let mut gzip = GzEncoder::new(out, Compression::default());
    let mut buffer = vec![0; 1 << 17];
    loop {
        let read = source.read(&mut buffer)?;
        if read == 0 {
            break;
        }
        plain.write_all(&buffer[..read])?;
        gzip.write_all(&buffer[..read])?;
    }
    let mut out = gzip.finish()?;
    out.flush()?;
    Ok((hex(&out.sum.finalize()), hex(&plain.sum.finalize())))
}

/// Copies a packed layer and reads what is in it.
fn kept(source: &mut impl Read, into: &mut File) -> io::Result<Sums> {
    let packed = {
        let mut out = Summed { sum: Sha256::new(), inner: &mut *into };
        io::copy(source, &mut out)?;
        hex(&out.sum.finalize())
    };
    into.seek(SeekFrom::Start(0))?;
    let mut plain = Summed { sum: Sha256::new(), inner: io::sink() };
    io::copy(&mut GzDecoder::new(BufReader::new(into)), &mut plain)?;
    Ok((packed, hex(&plain.sum.finalize())))
}

/// A writer that sums what goes through.
struct Summed<W> {
    sum: Sha256,
    inner: W,
}

impl<W: Write> Write for Summed<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.inner.write(bytes)?;
        self.sum.update(&bytes[..written]);
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}

/// The members of an archive, by name. Older engines write a layer that two images share as a link.
fn members(archive: &File) -> io::Result<BTreeMap<String, Member>> {
    let mut source = archive.try_clone()?;
    source.seek(SeekFrom::Start(0))?;
    let mut found = BTreeMap::new();
    let mut reader = tar::Archive::new(BufReader::new(source));
    for entry in reader.entries()? {
        let entry = entry?;
        let name = entry.path()?.to_string_lossy().into_owned();
        let kind = entry.header().entry_type();
        let member = if kind.is_file() {
            Member::Bytes { at: entry.raw_file_position(), size: entry.size() }
        } else if kind.is_symlink() || kind.is_hard_link() {
            let to = entry.link_name()?.map(|to| to.to_string_lossy().into_owned()).unwrap_or_default();
            Member::Link(if kind.is_symlink() { beside(&name, &to) } else { to })
        } else {
            continue;
        };
        found.insert(name, member);
    }
    Ok(found)
}

/// Where a relative link in an archive leads.
fn beside(name: &str, to: &str) -> String {
    let mut parts: Vec<&str> = name.split('/').collect();
    parts.pop();
    for part in to.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop();
            }
            part => parts.push(part),
        }
    }
    parts.join("/")
}

fn find(members: &BTreeMap<String, Member>, name: &str) -> Result<(u64, u64), EngineError> {
    let mut name = name.to_owned();
    for _ in 0..=LINKS {
        match members.get(&name) {
            Some(Member::Bytes { at, size }) => return Ok((*at, *size)),
            Some(Member::Link(to)) => name.clone_from(to),
            None => break,
        }
    }
    Err(strange("it exports an image that is not whole"))
}

fn whole(archive: &File, members: &BTreeMap<String, Member>, name: &str) -> Result<Vec<u8>, EngineError> {
    let (at, size) = find(members, name)?;
    if size > WHOLE {
        return Err(strange("it exports a configuration of many megabytes"));
    }
    let mut bytes = Vec::new();
    member(archive, at, size).and_then(|mut source| source.read_to_end(&mut bytes)).map_err(broken)?;
    Ok(bytes)
}

fn member(archive: &File, at: u64, size: u64) -> io::Result<impl Read> {
    let mut source = archive.try_clone()?;
    source.seek(SeekFrom::Start(at))?;
    Ok(BufReader::new(source).take(size))
}

fn parsed<'t, T: Deserialize<'t>>(text: &'t [u8]) -> Result<T, EngineError> {
    serde_json::from_slice(text).map_err(|error| strange(&format!("what it exports does not read: {error}")))
}

fn strange(reason: &str) -> EngineError {
    EngineError::Strange { reason: reason.to_owned() }
}

fn broken(source: io::Error) -> EngineError {
    strange(&format!("what it exports breaks off: {source}"))
}

#[cfg(test)]
#[path = "save_tests.rs"]
mod tests;
