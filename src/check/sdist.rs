//! Reads a source distribution and judges it as a package index would (PEP 517, 625, 643).

use std::collections::BTreeSet;
use std::io::Read;

use flate2::bufread::GzDecoder;
use tar::{Archive, Entry, EntryType};

use crate::check::finding::Finding;
use crate::check::metadata::Metadata;
use crate::check::wheel::is_inside;
use crate::workspace::file_name::SdistName;

/// How large PKG-INFO may be.
const SMALL: u64 = 32 * 1024 * 1024;
/// How much a source distribution may unpack to.
const UNPACKED: u64 = 4 * 1024 * 1024 * 1024;

type Decoder<'a> = std::io::Take<GzDecoder<&'a [u8]>>;

/// What a source distribution says of itself.
#[derive(Debug, Clone, Default)]
pub struct Sdist {
    pub metadata: Metadata,
    /// The paths of all its files.
    pub files: Vec<String>,
}

/// Why a source distribution can not be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct SdistError(pub String);

/// Reads a source distribution's PKG-INFO and file list.
///
/// # Errors
/// Where it is no gzipped tar archive or has no readable `stem/PKG-INFO`.
pub fn read(name: &SdistName, bytes: &[u8]) -> Result<Sdist, SdistError> {
    let walked = walk(name, bytes)?;
    let info = walked.info.ok_or_else(|| SdistError(format!("`{}/PKG-INFO` is missing", name.stem)))?;
    let metadata = Metadata::parse(&info).map_err(|error| SdistError(format!("PKG-INFO: {error}")))?;
    Ok(Sdist { metadata, files: walked.files })
}

/// Judges the archive itself: its structure, its paths, its links, what must be in it.
pub fn check(file: &str, name: &SdistName, bytes: &[u8]) -> Vec<Finding> {
    let way_out = "build the source distribution again; a build backend does not write this";
    let walked = match walk(name, bytes) {
        Ok(walked) => walked,
        Err(error) => return vec![Finding::error(file, error.to_string(), way_out)],
    };
    let mut findings: Vec<Finding> =
        walked.faults.iter().map(|fault| Finding::error(file, fault.as_str(), way_out)).collect();
    let has = |path: &str| walked.files.contains(&format!("{}/{path}", name.stem));
    if walked.info.is_none() {
        findings.push(Finding::error(file, format!("`{}/PKG-INFO` is missing", name.stem), way_out));
    }
    if !has("pyproject.toml") && !has("setup.py") {
        let message = "there is neither a pyproject.toml nor a setup.py in it, so nobody can build it";
        findings.push(Finding::error(file, message, "include pyproject.toml"));
    } else if !has("pyproject.toml") {
        let message = "there is no pyproject.toml in it (PEP 517)";
        findings.push(Finding::warning(file, message, "add a pyproject.toml with a [build-system] table"));
    }
    findings
}

/// What one pass over the archive finds.
#[derive(Default)]
struct Walked {
    files: Vec<String>,
    info: Option<Vec<u8>>,
    faults: Vec<String>,
}

fn walk(name: &SdistName, bytes: &[u8]) -> Result<Walked, SdistError> {
    let fault = |error: std::io::Error| SdistError(format!("no gzipped tar archive: {error}"));
    let mut archive = Archive::new(GzDecoder::new(bytes).take(UNPACKED));
    let mut walked = Walked::default();
    let mut seen = BTreeSet::new();
    for entry in archive.entries().map_err(fault)? {
        let mut entry = entry.map_err(fault)?;
        walked.take(name, &mut seen, &mut entry)?;
    }
    walked.faults.extend(trailing(archive.into_inner()).map_err(fault)?);
    Ok(walked)
}

impl Walked {
    fn take(
        &mut self,
        name: &SdistName,
        seen: &mut BTreeSet<String>,
        entry: &mut Entry<'_, Decoder<'_>>,
    ) -> Result<(), SdistError> {
        let kind = entry.header().entry_type();
        if kind == EntryType::XGlobalHeader {
            return Ok(());
        }
        let raw = entry.path_bytes().into_owned();
        let Ok(path) = String::from_utf8(raw) else {
            self.faults.push("a path in it is not UTF-8".to_owned());
            return Ok(());
        };
        let path = path.strip_suffix('/').unwrap_or(&path).to_owned();
        if !is_inside(&path) {
            self.faults.push(format!("`{path}` leads out of the archive"));
        } else if path.split('/').next() != Some(name.stem.as_str()) {
            self.faults.push(format!("`{path}` is not in the folder `{}`", name.stem));
        }
        self.faults.extend(member_fault(kind, &path, entry));
        if kind == EntryType::Directory {
            return Ok(());
        }
        if !seen.insert(path.clone()) {
            self.faults.push(format!("`{path}` is in it twice"));
        }
        if path == format!("{}/PKG-INFO", name.stem) {
            self.info = Some(small(&path, entry)?);
        }
        self.files.push(path);
        Ok(())
    }
}

/// What is wrong with a member that is no plain file.
fn member_fault(kind: EntryType, path: &str, entry: &Entry<'_, Decoder<'_>>) -> Option<String> {
    match kind {
        EntryType::Regular | EntryType::Directory => None,
        EntryType::GNUSparse => Some(format!("`{path}` is stored as a sparse file")),
        EntryType::Symlink | EntryType::Link => {
            let target = entry.link_name_bytes().map(|target| String::from_utf8_lossy(&target).into_owned());
            let base = if kind == EntryType::Symlink {
                path.rsplit_once('/').map_or("", |(folder, _)| folder)
            } else {
                ""
            };
            let stays = target.as_deref().is_some_and(|target| stays_inside(base, target));
            (!stays).then(|| format!("the link `{path}` leads out of the archive"))
        }
        _ => Some(format!("`{path}` is neither a file nor a folder nor a link")),
    }
}

/// Whether a link's target, seen from its folder, stays below the archive's top folder.
fn stays_inside(base: &str, target: &str) -> bool {
    if target.is_empty() || target.starts_with('/') || target.contains('\\') {
        return false;
    }
    let mut depth = base.split('/').filter(|part| !part.is_empty()).count();
    for part in target.split('/') {
        match part {
            "" | "." => {}
            ".." if depth <= 1 => return false,
            ".." => depth -= 1,
            _ => depth += 1,
        }
    }
    true
}

fn small(path: &str, entry: &mut Entry<'_, Decoder<'_>>) -> Result<Vec<u8>, SdistError> {
    let mut bytes = Vec::new();
    let read = entry.take(SMALL + 1).read_to_end(&mut bytes);
    read.map_err(|error| SdistError(format!("`{path}` can not be unpacked: {error}")))?;
    if bytes.len() as u64 > SMALL {
        return Err(SdistError(format!("`{path}` is larger than 32 MiB")));
    }
    Ok(bytes)
}

/// What follows the archive's end: padding is right, anything else a fault.
fn trailing(mut decoder: Decoder<'_>) -> std::io::Result<Option<String>> {
    let mut block = [0; 64 * 1024];
    let mut padded = true;
    loop {
        let read = decoder.read(&mut block)?;
        if read == 0 {
            break;
        }
        padded &= block[..read].iter().all(|byte| *byte == 0);
    }
    if decoder.limit() == 0 {
        return Ok(Some("it unpacks to more than 4 GiB".to_owned()));
    }
    let rest = decoder.into_inner().into_inner();
    Ok((!padded || !rest.is_empty()).then(|| "there are bytes behind the archive".to_owned()))
}
