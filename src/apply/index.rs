//! The embedded package index: a folder that pip, uv and any static web server can serve (PEP 503, 592, 658, 691).
//!
//! `files/NAME/FILE` are the files, written once and never changed. The pages under `simple/` are made from them and
//! can be made again at any time.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

use crate::apply::crash;
use crate::check::{sdist, wheel};
use crate::plan::digest::Digest;
use crate::render::index_page::{Page, PageFile, Yanked, projects_html, projects_json};
use crate::workspace::file_name::FileName;
use crate::workspace::name::PackageName;
use crate::world::files::{FileError, Lock, sweep, write_changed};

/// What became of a file that was to be published.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Published {
    New,
    /// The same bytes stand there already.
    AlreadyThere,
}

/// One file as the index lists it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    pub filename: String,
    pub sha256: Digest,
    pub size: u64,
    pub yanked: Yanked,
}

/// Why the index could not be read or changed.
#[derive(Debug, thiserror::Error)]
pub enum IndexError {
    #[error("`{file}` stands in the index with other bytes: there {}, ours {}", there.short(), ours.short())]
    Conflict { file: String, there: Digest, ours: Digest },
    #[error("`{file}` changed after it was sealed: sealed {}, now {}", sealed.short(), now.short())]
    Changed { file: String, sealed: Digest, now: Digest },
    #[error("`{file}` is no file of `{package}` that an index takes: {reason}")]
    Unfit { file: String, package: PackageName, reason: String },
    #[error("the page `{}` lists `{file}`, and the file there is another or missing", page.display())]
    Damaged { page: PathBuf, file: String },
    #[error("the page `{}` is no PEP 691 page", page.display())]
    Page { page: PathBuf, source: serde_json::Error },
    #[error("`{}` is a link, and the index keeps its files in folders of its own", path.display())]
    Link { path: PathBuf },
    #[error("`{}` can not be read or written", path.display())]
    Files { path: PathBuf, source: io::Error },
    #[error(transparent)]
    File(#[from] FileError),
}

/// Puts one file into the index, then makes the pages that list it. Killed anywhere, it is finished by calling it again.
///
/// # Errors
/// `Conflict` where other bytes stand under the name; nothing is ever overwritten. `Changed` where the bytes are not
/// those of `digest`.
pub fn publish(
    index: &Path,
    package: &PackageName,
    file: &str,
    bytes: &[u8],
    digest: &Digest,
) -> Result<Published, IndexError> {
    let now = Digest::of(bytes);
    if now != *digest {
        return Err(IndexError::Changed { file: file.to_owned(), sealed: digest.clone(), now });
    }
    describe(package, file, bytes)?;
    refuse_links(index, package)?;
    let _held = prepare(index)?;
    for folder in [index, &index.join("simple"), &folder(index, package), &page_folder(index, package)] {
        sweep(folder)?;
    }
    let published = if is_there(index, package, file, digest)? {
        Published::AlreadyThere
    } else {
        write(&folder(index, package).join(file), bytes)?;
        crash::point();
        Published::New
    };
    make_pages(index, package)?;
    Ok(published)
}

/// What stands in an index may lead to no other place.
fn refuse_links(index: &Path, package: &PackageName) -> Result<(), IndexError> {
    let (files, simple) = (index.join("files"), index.join("simple"));
    for path in [files, simple, folder(index, package), page_folder(index, package)] {
        if path.symlink_metadata().is_ok_and(|metadata| metadata.is_symlink()) {
            return Err(IndexError::Link { path });
        }
    }
    Ok(())
}

/// Whether a file with these bytes stands in the index.
///
/// # Errors
/// `Link` where it would stand behind a link, `Conflict` where other bytes stand under the name.
pub fn is_there(
    index: &Path,
    package: &PackageName,
    file: &str,
    digest: &Digest,
) -> Result<bool, IndexError> {
    refuse_links(index, package)?;
    match read(&folder(index, package).join(file))?.map(|there| Digest::of(&there)) {
        None => Ok(false),
        Some(there) if there == *digest => Ok(true),
        Some(there) => Err(IndexError::Conflict { file: file.to_owned(), there, ours: digest.clone() }),
    }
}

/// The files of a package as its page lists them, each compared with the file itself. A missing index is empty.
///
/// # Errors
/// `Damaged` where page and files differ.
pub fn listing(index: &Path, package: &PackageName) -> Result<Vec<Listed>, IndexError> {
    let path = page_folder(index, package).join("index.json");
    let Some(page) = read_page(&path)? else { return Ok(Vec::new()) };
    let mut listed = Vec::new();
    for entry in page.files {
        let damaged = || IndexError::Damaged { page: path.clone(), file: entry.filename.clone() };
        let fits = FileName::parse(&entry.filename).is_ok_and(|name| name.name() == package);
        let bytes = if fits { read(&folder(index, package).join(&entry.filename))? } else { None };
        let bytes = bytes.ok_or_else(damaged)?;
        let sha256 = Digest::of(&bytes);
        if sha256.hex() != entry.sha256 {
            return Err(damaged());
        }
        let (filename, size) = (entry.filename, bytes.len() as u64);
        listed.push(Listed { filename, sha256, size, yanked: entry.yanked });
    }
    Ok(listed)
}

/// The bytes of a listed file.
///
/// # Errors
/// Where it can not be read.
pub fn fetch(index: &Path, package: &PackageName, file: &str) -> Result<Vec<u8>, IndexError> {
    let path = folder(index, package).join(file);
    std::fs::read(&path).map_err(|source| IndexError::Files { path, source })
}

/// The address that installers take: `--index-url`, `--default-index`.
///
/// # Errors
/// Where the folder's absolute path can not be found out.
pub fn address(index: &Path) -> Result<String, IndexError> {
    let absolute = std::path::absolute(index).map_err(files(index))?;
    let mut address = "file://".to_owned();
    for byte in absolute.join("simple").to_string_lossy().bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'/' | b'-' | b'_' | b'.' | b'~') {
            address.push(char::from(byte));
        } else {
            address.push_str(&format!("%{byte:02X}"));
        }
    }
    Ok(address)
}

/// Makes the index's folder, keeps git out of it, and waits for its lock.
fn prepare(index: &Path) -> Result<Lock, IndexError> {
    let held = Lock::take(&index.join(".lock"))?;
    let ignore = index.join(".gitignore");
    if read(&ignore)?.is_none() {
        write(&ignore, b"*\n")?;
    }
    Ok(held)
}

/// Makes all pages that show a package, from the files that stand there. The caller holds the lock.
fn make_pages(index: &Path, package: &PackageName) -> Result<(), IndexError> {
    let pages = page_folder(index, package);
    let page = page_of(index, package, &pages)?;
    write(&pages.join("index.html"), page.html().as_bytes())?;
    crash::point();
    write(&pages.join("index.json"), page.json().as_bytes())?;
    let simple = index.join("simple");
    let mut names = Vec::new();
    for name in entries(&index.join("files"))? {
        if simple.join(&name).join("index.json").is_file() {
            names.push(name);
        }
    }
    crash::point();
    write(&simple.join("index.html"), projects_html(&names).as_bytes())?;
    crash::point();
    write(&simple.join("index.json"), projects_json(&names).as_bytes())
}

/// A package's page, from its files; what was yanked stays so.
fn page_of(index: &Path, package: &PackageName, pages: &Path) -> Result<Page, IndexError> {
    let before = read_page(&pages.join("index.json"))?;
    let mut yanked: BTreeMap<String, Yanked> = BTreeMap::new();
    for file in before.into_iter().flat_map(|page| page.files) {
        yanked.insert(file.filename, file.yanked);
    }
    let folder = folder(index, package);
    let mut listed = Vec::new();
    for name in entries(&folder)? {
        if !FileName::parse(&name).is_ok_and(|parsed| parsed.name() == package) {
            continue;
        }
        let path = folder.join(&name);
        let bytes = std::fs::read(&path).map_err(files(&path))?;
        let (requires_python, metadata) = describe(package, &name, &bytes)?;
        if let Some(metadata) = &metadata {
            write(&folder.join(format!("{name}.metadata")), metadata)?;
        }
        listed.push(PageFile {
            sha256: Digest::of(&bytes).hex().to_owned(),
            size: bytes.len() as u64,
            requires_python,
            metadata: metadata.map(|metadata| Digest::of(&metadata).hex().to_owned()),
            yanked: yanked.remove(&name).unwrap_or_default(),
            filename: name,
        });
    }
    Ok(Page::new(package.clone(), listed))
}

/// `Requires-Python` of a file, and a wheel's METADATA.
fn describe(
    package: &PackageName,
    file: &str,
    bytes: &[u8],
) -> Result<(Option<String>, Option<Vec<u8>>), IndexError> {
    let unfit =
        |reason: String| IndexError::Unfit { file: file.to_owned(), package: package.clone(), reason };
    let name = FileName::parse(file)
        .map_err(|error| unfit(format!("its name follows neither PEP 427 nor 625: {}", error.reason)))?;
    if name.name() != package {
        return Err(unfit(format!("its name says `{}`", name.name())));
    }
    match name {
        FileName::Wheel(_) => {
            let wheel = wheel::read(bytes).map_err(|error| unfit(error.to_string()))?;
            Ok((wheel.metadata.requires_python().map(str::to_owned), Some(wheel.metadata_bytes)))
        }
        FileName::Sdist(name) => {
            let sdist = sdist::read(&name, bytes).map_err(|error| unfit(error.to_string()))?;
            Ok((sdist.metadata.requires_python().map(str::to_owned), None))
        }
    }
}

fn folder(index: &Path, package: &PackageName) -> PathBuf {
    index.join("files").join(package.as_str())
}

fn page_folder(index: &Path, package: &PackageName) -> PathBuf {
    index.join("simple").join(package.as_str())
}

fn read_page(path: &Path) -> Result<Option<Page>, IndexError> {
    let Some(bytes) = read(path)? else { return Ok(None) };
    Page::parse(&bytes).map(Some).map_err(|source| IndexError::Page { page: path.to_owned(), source })
}

/// A file's bytes; `None` where it is not there.
fn read(path: &Path) -> Result<Option<Vec<u8>>, IndexError> {
    match std::fs::read(path) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(files(path)(error)),
    }
}

fn write(path: &Path, bytes: &[u8]) -> Result<(), IndexError> {
    write_changed(path, bytes)?;
    Ok(())
}

/// The names in a folder, sorted.
fn entries(folder: &Path) -> Result<Vec<String>, IndexError> {
    let mut names = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(files(folder))? {
        let entry = entry.map_err(files(folder))?;
        names.extend(entry.file_name().into_string().ok());
    }
    names.sort();
    Ok(names)
}

fn files(path: &Path) -> impl FnOnce(io::Error) -> IndexError + '_ {
    |source| IndexError::Files { path: path.to_owned(), source }
}

#[cfg(test)]
#[path = "index_tests.rs"]
mod tests;
