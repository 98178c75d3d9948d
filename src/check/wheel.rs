//! Reads a wheel and judges it as a package index would (PEP 427, binary distribution format).

use std::collections::BTreeSet;
use std::io::{Cursor, Read};

use zip::ZipArchive;
use zip::read::ZipFile;

use crate::check::entry_points::{self, EntryPoint};
use crate::check::finding::Finding;
use crate::check::metadata::Metadata;
use crate::check::modules;
use crate::check::record::{self, Hasher, Record};
use crate::workspace::file_name::WheelName;

/// How large the small files that are read as a whole may be.
const SMALL: u64 = 32 * 1024 * 1024;
/// How much a wheel may unpack to.
const UNPACKED: u128 = 4 * 1024 * 1024 * 1024;

type Archive<'a> = ZipArchive<Cursor<&'a [u8]>>;

/// What a wheel says of itself.
#[derive(Debug, Clone, Default)]
pub struct Wheel {
    pub metadata: Metadata,
    /// METADATA as it stands in the wheel (PEP 658 serves it beside the wheel).
    pub metadata_bytes: Vec<u8>,
    pub entry_points: Vec<EntryPoint>,
    /// The importable modules at its top, sorted.
    pub modules: Vec<String>,
    /// The paths of all its files.
    pub files: Vec<String>,
}

/// Why a wheel can not be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct WheelError(pub String);

/// Reads a wheel's metadata, entry points and file list.
///
/// # Errors
/// Where it is no archive, has not exactly one `.dist-info` folder, or its metadata or entry points are unreadable.
pub fn read(bytes: &[u8]) -> Result<Wheel, WheelError> {
    let mut archive = open(bytes)?;
    let files = names(&archive)?;
    let folder = info_folder(&files)?;
    let metadata_bytes = small(&mut archive, &format!("{folder}/METADATA"))?
        .ok_or_else(|| WheelError(format!("`{folder}/METADATA` is missing")))?;
    let metadata = Metadata::parse(&metadata_bytes).map_err(|error| WheelError(error.to_string()))?;
    let entry_points = match small(&mut archive, &format!("{folder}/entry_points.txt"))? {
        Some(bytes) => entry_points::parse(&bytes).map_err(WheelError)?,
        None => Vec::new(),
    };
    let modules = modules::top_level(files.iter().map(String::as_str));
    Ok(Wheel { metadata, metadata_bytes, entry_points, modules, files })
}

/// Judges the archive itself: its structure, its paths, its `.dist-info` folder, its RECORD.
pub fn check(file: &str, name: &WheelName, bytes: &[u8]) -> Vec<Finding> {
    let rebuild = "build the wheel again; a build backend does not write this";
    let mut archive = match open(bytes) {
        Ok(archive) => archive,
        Err(error) => return vec![Finding::error(file, error.to_string(), rebuild)],
    };
    let mut findings = Vec::new();
    findings
        .extend(structure(&mut archive, bytes).into_iter().map(|fault| Finding::error(file, fault, rebuild)));
    let files = match names(&archive) {
        Ok(files) => files,
        Err(error) => return vec![Finding::error(file, error.to_string(), rebuild)],
    };
    let escapes = files.iter().filter(|path| !is_inside(path));
    findings.extend(
        escapes.map(|path| Finding::error(file, format!("`{path}` leads out of the wheel"), rebuild)),
    );
    match info_folder(&files) {
        Ok(folder) => findings.extend(info(file, name, &folder, &mut archive)),
        Err(error) => findings.push(Finding::error(file, error.to_string(), rebuild)),
    }
    findings
}

fn open(bytes: &[u8]) -> Result<Archive<'_>, WheelError> {
    let archive = ZipArchive::new(Cursor::new(bytes))
        .map_err(|error| WheelError(format!("no zip archive: {error}")))?;
    if archive.decompressed_size().is_none_or(|size| size > UNPACKED) {
        return Err(WheelError("unpacks to more than 4 GiB".to_owned()));
    }
    Ok(archive)
}

/// The paths of all files, folders left out.
fn names(archive: &Archive<'_>) -> Result<Vec<String>, WheelError> {
    let names: Result<Vec<String>, _> =
        archive.file_names().map(|name| name.map(|name| name.into_owned())).collect();
    let mut names = names.map_err(|error| WheelError(format!("a file name can not be read: {error}")))?;
    names.retain(|name| !name.ends_with('/'));
    Ok(names)
}

/// The one `.dist-info` folder.
fn info_folder(files: &[String]) -> Result<String, WheelError> {
    let tops = files.iter().filter_map(|path| path.split_once('/')).map(|(top, _)| top);
    let mut folders: Vec<&str> = tops.filter(|top| top.ends_with(".dist-info")).collect();
    folders.sort_unstable();
    folders.dedup();
    match folders.as_slice() {
        [one] => Ok((*one).to_owned()),
        [] => Err(WheelError("there is no `.dist-info` folder".to_owned())),
        many => {
            Err(WheelError(format!("there are {} `.dist-info` folders: {}", many.len(), many.join(", "))))
        }
    }
}

/// What is wrong with the archive's frame: doubled names, headers that contradict each other, bytes before or behind.
fn structure(archive: &mut Archive<'_>, bytes: &[u8]) -> Vec<String> {
    let mut faults = Vec::new();
    if archive.has_duplicate_names() {
        faults.push("two entries of the archive have one name".to_owned());
    } else if let Err(error) = archive.validate_header_consistency() {
        faults.push(format!("its parts contradict each other: {error}"));
    }
    if archive.offset() != 0 || !bytes.starts_with(b"PK\x03\x04") {
        faults.push("there are bytes before the archive".to_owned());
    }
    let end = bytes.len().checked_sub(22 + archive.comment().len());
    if end.and_then(|end| bytes.get(end..end + 4)) != Some(b"PK\x05\x06") {
        faults.push("there are bytes behind the archive".to_owned());
    }
    faults
}

/// Whether a path stays where it is unpacked.
pub fn is_inside(path: &str) -> bool {
    let odd = |character: char| character.is_control() || character == '\\';
    let is_drive = path.as_bytes().get(1) == Some(&b':');
    !path.is_empty()
        && !path.starts_with('/')
        && !is_drive
        && !path.contains(odd)
        && path.split('/').all(|part| !matches!(part, "" | "." | ".."))
}

/// Judges the `.dist-info` folder and, by its RECORD, all files.
fn info(file: &str, name: &WheelName, folder: &str, archive: &mut Archive<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    let expected = format!("{}.dist-info", name.stem);
    if folder != expected {
        let message = format!("the folder `{folder}` should be `{expected}`, as the file's name says");
        findings.push(Finding::error(file, message, "build the wheel again; do not rename it"));
    }
    let way_out = "build the wheel again and do not change it afterwards";
    match small(archive, &format!("{folder}/WHEEL")) {
        Ok(Some(bytes)) => findings.extend(wheel_file(file, name, &bytes)),
        Ok(None) => findings.push(Finding::error(file, format!("`{folder}/WHEEL` is missing"), way_out)),
        Err(error) => findings.push(Finding::error(file, error.to_string(), way_out)),
    }
    let record = match small(archive, &format!("{folder}/RECORD")) {
        Ok(Some(bytes)) => record::parse(&bytes),
        Ok(None) => Err(format!("`{folder}/RECORD` is missing")),
        Err(error) => Err(error.to_string()),
    };
    let faults = record.map_or_else(|fault| vec![fault], |record| compare(&record, folder, archive));
    findings.extend(faults.into_iter().map(|fault| Finding::error(file, fault, way_out)));
    findings
}

/// Judges WHEEL: the format's version, and the tags against those of the file name.
fn wheel_file(file: &str, name: &WheelName, bytes: &[u8]) -> Vec<Finding> {
    let fields = match Metadata::parse_headers(bytes) {
        Ok(fields) => fields,
        Err(error) => return vec![Finding::error(file, format!("WHEEL is unreadable: {error}"), "")],
    };
    let mut findings = Vec::new();
    let version = fields.first("Wheel-Version").unwrap_or("");
    if version.split('.').next() != Some("1") {
        let message = format!("WHEEL gives the format version `{version}`; installers take 1.x");
        findings.push(Finding::error(file, message, ""));
    }
    let mut tags: Vec<String> = fields.all("Tag").map(str::to_lowercase).collect();
    tags.sort();
    tags.dedup();
    if tags != name.tags {
        let message = format!("WHEEL names the tags {}, the file {}", tags.join(" "), name.tags.join(" "));
        findings.push(Finding::warning(file, message, "installers go by the file's name"));
    }
    findings
}

/// Compares every file with its line in RECORD, and every line with its file.
fn compare(record: &Record, folder: &str, archive: &mut Archive<'_>) -> Vec<String> {
    let mut faults = Vec::new();
    let mut seen = BTreeSet::new();
    for index in 0..archive.len() {
        let mut entry = match archive.by_index(index) {
            Ok(entry) => entry,
            Err(error) => {
                faults.push(format!("an entry can not be read: {error}"));
                continue;
            }
        };
        let Ok(path) = entry.name().map(|name| name.into_owned()) else { continue };
        if entry.is_symlink() {
            faults.push(format!("`{path}` is a symbolic link"));
        } else if !entry.is_dir() {
            faults.extend(compare_one(record, folder, &path, &mut entry).err());
            seen.insert(path);
        }
    }
    let missing = record.keys().filter(|path| !seen.contains(*path) && !is_signature(folder, path));
    faults.extend(missing.map(|path| format!("RECORD lists `{path}`, which is not in the wheel")));
    faults
}

fn compare_one(
    record: &Record,
    folder: &str,
    path: &str,
    entry: &mut ZipFile<'_, Cursor<&[u8]>>,
) -> Result<(), String> {
    if path == format!("{folder}/RECORD") || is_signature(folder, path) {
        return Ok(());
    }
    let line = record.get(path).ok_or_else(|| format!("RECORD does not list `{path}`"))?;
    let mut hasher =
        Hasher::of(&line.hash).ok_or_else(|| format!("RECORD gives no SHA-2 hash for `{path}`"))?;
    let mut block = [0; 64 * 1024];
    let mut size = 0;
    loop {
        let read =
            entry.read(&mut block).map_err(|error| format!("`{path}` can not be unpacked: {error}"))?;
        if read == 0 {
            break;
        }
        hasher.update(&block[..read]);
        size += read as u64;
    }
    if hasher.finish() != line.hash || line.size.is_some_and(|listed| listed != size) {
        return Err(format!("`{path}` is not the file that RECORD lists"));
    }
    Ok(())
}

/// Signatures are made after RECORD and not listed in it (PEP 427).
fn is_signature(folder: &str, path: &str) -> bool {
    path.strip_prefix(folder).is_some_and(|rest| matches!(rest, "/RECORD.jws" | "/RECORD.p7s"))
}

/// Reads one small file as a whole. `None` where it is not there.
fn small(archive: &mut Archive<'_>, path: &str) -> Result<Option<Vec<u8>>, WheelError> {
    let fault = |what: String| WheelError(format!("`{path}` can not be read: {what}"));
    let Some(index) = archive.index_for_name(path) else { return Ok(None) };
    let entry = archive.by_index(index).map_err(|error| fault(error.to_string()))?;
    let mut bytes = Vec::new();
    entry.take(SMALL + 1).read_to_end(&mut bytes).map_err(|error| fault(error.to_string()))?;
    if bytes.len() as u64 > SMALL {
        return Err(fault("it is larger than 32 MiB".to_owned()));
    }
    Ok(Some(bytes))
}
