//! Unpacks a source distribution as uv does: times are new, of modes only "may be run" is kept.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Component, Path, PathBuf};

use flate2::bufread::GzDecoder;
use tar::{Archive, Entry, EntryType};

/// How much an archive may unpack to.
const UNPACKED: u64 = 4 * 1024 * 1024 * 1024;

/// Unpacks an archive into an empty folder and returns its one folder at the top; none where it holds links, devices, or
/// anything else than plain files in one folder.
///
/// # Errors
/// Where it is no gzipped tar archive, or can not be written.
pub fn unpack(archive: &Path, into: &Path) -> io::Result<Option<PathBuf>> {
    let bytes = std::fs::read(archive)?;
    let mut archive = Archive::new(GzDecoder::new(bytes.as_slice()).take(UNPACKED));
    let mut top: Option<PathBuf> = None;
    for entry in archive.entries()? {
        let mut entry = entry?;
        let kind = entry.header().entry_type();
        if kind == EntryType::XGlobalHeader {
            continue;
        }
        let path = entry.path()?.into_owned();
        let Some(first) = first_of(&path) else { return Ok(None) };
        if top.get_or_insert_with(|| first.clone()) != &first {
            return Ok(None);
        }
        match kind {
            EntryType::Directory => make_folder(into, &path)?,
            EntryType::Regular if path != first => write_file(&mut entry, into, &path)?,
            _ => return Ok(None),
        }
    }
    Ok(top.map(|top| into.join(top)))
}

/// The first part of a path that stays where it belongs.
fn first_of(path: &Path) -> Option<PathBuf> {
    let is_plain = path.components().all(|part| matches!(part, Component::Normal(_)));
    path.components().next().filter(|_| is_plain).map(|part| PathBuf::from(part.as_os_str()))
}

fn write_file(entry: &mut Entry<'_, impl Read>, into: &Path, path: &Path) -> io::Result<()> {
    make_folder(into, path.parent().unwrap_or(Path::new("")))?;
    let mode = if entry.header().mode()? & 0o111 == 0 { 0o644 } else { 0o755 };
    let place = into.join(path);
    // What stands there twice is what stands there last.
    let _ = std::fs::remove_file(&place);
    io::copy(entry, &mut File::create_new(&place)?)?;
    set_mode(&place, mode)
}

/// Makes a folder below another, and those between.
fn make_folder(into: &Path, path: &Path) -> io::Result<()> {
    let mut place = into.to_owned();
    for part in path.components() {
        place.push(part);
        match std::fs::create_dir(&place) {
            Ok(()) => set_mode(&place, 0o755)?,
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// Modes as a file mask of 022 gives them, whatever ours is.
fn set_mode(path: &Path, mode: u32) -> io::Result<()> {
    #[cfg(unix)]
    std::fs::set_permissions(path, std::os::unix::fs::PermissionsExt::from_mode(mode))?;
    #[cfg(not(unix))]
    let _ = (path, mode);
    Ok(())
}

#[cfg(test)]
mod tests {
    use flate2::Compression;
    use flate2::write::GzEncoder;
    use tar::{Builder, Header};

    use super::*;

    /// An archive of entries: path, kind, mode.
    fn archive(entries: &[(&str, EntryType, u32)]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        let file = File::create(folder.path().join("a.tar.gz")).unwrap();
        let mut builder = Builder::new(GzEncoder::new(file, Compression::fast()));
        for (path, kind, mode) in entries {
            let mut header = Header::new_ustar();
            header.as_mut_bytes()[..path.len()].copy_from_slice(path.as_bytes());
            header.set_entry_type(*kind);
            header.set_mode(*mode);
            header.set_mtime(1);
            header.set_size(if *kind == EntryType::Regular { 1 } else { 0 });
            header.set_cksum();
            let text: &[u8] = if *kind == EntryType::Regular { b"x" } else { b"" };
            builder.append(&header, text).unwrap();
        }
        builder.into_inner().unwrap().finish().unwrap();
        folder
    }

    fn unpacked(entries: &[(&str, EntryType, u32)]) -> (tempfile::TempDir, io::Result<Option<PathBuf>>) {
        let folder = archive(entries);
        let into = folder.path().join("into");
        std::fs::create_dir(&into).unwrap();
        let top = unpack(&folder.path().join("a.tar.gz"), &into);
        (folder, top)
    }

    #[cfg(unix)]
    #[test]
    fn files_get_the_modes_of_a_mask_of_022() {
        use std::os::unix::fs::PermissionsExt;

        let file = EntryType::Regular;
        let (_folder, top) = unpacked(&[
            ("a-1.0", EntryType::Directory, 0o700),
            ("a-1.0/run", file, 0o100),
            ("a-1.0/deep/secret", file, 0o600),
            ("a-1.0/open", file, 0o666),
        ]);
        let top = top.unwrap().unwrap();
        assert!(top.ends_with("into/a-1.0"));
        let mode = |path: &str| std::fs::metadata(top.join(path)).unwrap().permissions().mode() & 0o7777;
        let modes = ["", "run", "deep", "deep/secret", "open"].map(mode);
        assert_eq!(modes, [0o755, 0o755, 0o755, 0o644, 0o644]);
        let age = std::fs::metadata(top.join("run")).unwrap().modified().unwrap();
        assert!(age > std::time::SystemTime::UNIX_EPOCH + std::time::Duration::from_secs(2), "times are new");
    }

    #[test]
    fn what_is_not_plain_is_left_to_the_front_end() {
        let file = EntryType::Regular;
        for entries in [
            &[("a-1.0/x", file, 0o644), ("b-1.0/x", file, 0o644)][..],
            &[("a-1.0/x", EntryType::Symlink, 0o644)],
            &[("a-1.0/x", EntryType::Fifo, 0o644)],
            &[("a-1.0/../../x", file, 0o644)],
            &[("/a-1.0/x", file, 0o644)],
            &[("a-1.0", file, 0o644)],
            &[],
        ] {
            let (folder, top) = unpacked(entries);
            assert_eq!(top.unwrap(), None, "{entries:?}");
            assert!(!folder.path().join("x").exists());
        }
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("no"), "archive").unwrap();
        assert!(unpack(&folder.path().join("no"), folder.path()).is_err());
    }
}
