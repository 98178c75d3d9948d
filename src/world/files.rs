//! Files on this machine: written whole or not at all, locked, never outside their folder.

use std::fs::{self, File, TryLockError};
use std::io::{self, Write};
use std::path::{Component, Path, PathBuf};
use std::time::Duration;

use crate::world::holder::{Liveness, ProcessIdentity, process_liveness, this_process};

/// How the names of files begin that are not wholly written yet.
const UNFINISHED: &str = ".release-";

/// How long a dead process's lock is waited for: tries, and the pause between two.
const DYING_TRIES: usize = 500;
const DYING_PAUSE: Duration = Duration::from_millis(20);

/// Why a file could not be used.
#[derive(Debug, thiserror::Error)]
pub enum FileError {
    #[error("`{path}` leads out of `{root}`")]
    Outside { root: PathBuf, path: String },
    #[error("`{path}` is a symbolic link; a file is expected")]
    Link { path: PathBuf },
    #[error("can not {verb} `{path}`")]
    Failed {
        verb: &'static str,
        path: PathBuf,
        #[source]
        source: io::Error,
    },
}

/// An exclusive lock between processes; ends when dropped, also when the process dies.
#[derive(Debug)]
pub struct Lock {
    file: File,
}

impl Lock {
    /// `try_take` for one that says who holds it. A killed process's lock lives on for a moment where a child of it has
    /// not begun yet; so a lock of a dead process is waited for, ten seconds at most, and one of a living is not.
    ///
    /// # Errors
    /// As `try_take`.
    pub fn try_take_named(path: &Path) -> Result<Option<Lock>, FileError> {
        for _ in 0..DYING_TRIES {
            if let Some(mut lock) = Lock::try_take(path)? {
                let name = this_process().map(|process| process.to_line()).unwrap_or_default();
                // Without a name the lock serves all the same.
                let _ = lock.file.set_len(0).and_then(|()| lock.file.write_all(name.as_bytes()));
                return Ok(Some(lock));
            }
            let holder = fs::read_to_string(path).ok().and_then(|line| ProcessIdentity::of_line(&line));
            if holder.is_none_or(|holder| process_liveness(&holder) != Liveness::Dead) {
                return Ok(None);
            }
            std::thread::sleep(DYING_PAUSE);
        }
        Ok(None)
    }

    /// Takes the lock of a file that is made where it is missing; `None` where another holds it.
    ///
    /// # Errors
    /// Where the file can not be made, or the file system knows no locks.
    pub fn try_take(path: &Path) -> Result<Option<Lock>, FileError> {
        let file = open_lock(path).map_err(failed("lock", path))?;
        match file.try_lock() {
            Ok(()) => Ok(Some(Lock { file })),
            Err(TryLockError::WouldBlock) => Ok(None),
            Err(TryLockError::Error(source)) => Err(failed("lock", path)(source)),
        }
    }

    /// `try_take` that waits until no other holds the lock.
    ///
    /// # Errors
    /// As `try_take`.
    pub fn take(path: &Path) -> Result<Lock, FileError> {
        let file = open_lock(path).map_err(failed("lock", path))?;
        file.lock().map_err(failed("lock", path))?;
        Ok(Lock { file })
    }
}

/// Replaces a file as a whole: readers see the old bytes or the new ones, also after a power cut.
/// An existing file keeps its mode. Makes missing folders.
///
/// # Errors
/// A symbolic link in the file's place; a full or read-only disk.
pub fn write_atomically(path: &Path, bytes: &[u8]) -> Result<(), FileError> {
    let existing = match fs::symlink_metadata(path) {
        Ok(metadata) if metadata.is_symlink() => return Err(FileError::Link { path: path.to_owned() }),
        Ok(metadata) => Some(metadata.permissions()),
        Err(_) => None,
    };
    replace(path, bytes, existing).map_err(failed("write", path))
}

/// `write_atomically` unless the file holds these bytes already. Tells whether it wrote.
///
/// # Errors
/// As `write_atomically`, and where the file can not be read.
pub fn write_changed(path: &Path, bytes: &[u8]) -> Result<bool, FileError> {
    match fs::read(path) {
        Ok(old) if old == bytes => return Ok(false),
        Ok(_) => {}
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => return Err(failed("read", path)(error)),
    }
    write_atomically(path, bytes).map(|()| true)
}

/// Adds to the end of a file, which is made where it is missing.
///
/// # Errors
/// A full or read-only disk, a folder that is not there.
pub fn append(path: &Path, bytes: &[u8]) -> Result<(), FileError> {
    let mut file = File::options().create(true).append(true).open(path).map_err(failed("open", path))?;
    file.write_all(bytes).map_err(failed("write", path))
}

/// How long a file is, in bytes; 0 where there is none.
pub fn length(path: &Path) -> u64 {
    fs::metadata(path).map_or(0, |metadata| metadata.len())
}

/// Deletes what `write_atomically` left in a folder when it was killed. Nobody may be writing there: the caller holds
/// the folder's lock. A missing folder is clean.
///
/// # Errors
/// Where the folder can not be read or a file not be deleted.
pub fn sweep(folder: &Path) -> Result<(), FileError> {
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(failed("read", folder)(error)),
    };
    for entry in entries {
        let entry = entry.map_err(failed("read", folder))?;
        let unfinished = entry.file_name().to_string_lossy().starts_with(UNFINISHED);
        if unfinished && entry.file_type().is_ok_and(|kind| kind.is_file()) {
            fs::remove_file(entry.path()).map_err(failed("delete", &entry.path()))?;
        }
    }
    Ok(())
}

/// Makes what was renamed or deleted in a folder durable.
///
/// # Errors
/// Where the folder can not be opened or synced.
pub fn sync_folder(folder: &Path) -> Result<(), FileError> {
    sync(folder).map_err(failed("sync", folder))
}

/// A path below a root, checked on disk: no `..`, not absolute, no symbolic link on the way or at its end.
///
/// # Errors
/// `Outside` where it would leave the root, `Link` where it would follow a link.
pub fn join_inside(root: &Path, relative: &str) -> Result<PathBuf, FileError> {
    let mut path = root.to_owned();
    for component in Path::new(relative).components() {
        match component {
            Component::Normal(part) => path.push(part),
            Component::CurDir => continue,
            _ => return Err(FileError::Outside { root: root.to_owned(), path: relative.to_owned() }),
        }
        if fs::symlink_metadata(&path).is_ok_and(|metadata| metadata.is_symlink()) {
            return Err(FileError::Link { path });
        }
    }
    Ok(path)
}

/// Writes a file beside its place, syncs it, and puts it there in one move.
fn replace(path: &Path, bytes: &[u8], permissions: Option<fs::Permissions>) -> io::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    fs::create_dir_all(folder)?;
    let mut temporary = new_file(folder)?;
    temporary.write_all(bytes)?;
    if let Some(permissions) = permissions {
        temporary.as_file().set_permissions(permissions)?;
    }
    temporary.as_file().sync_all()?;
    temporary.persist(path).map_err(|error| error.error)?;
    sync(folder)
}

fn new_file(folder: &Path) -> io::Result<tempfile::NamedTempFile> {
    let mut builder = tempfile::Builder::new();
    builder.prefix(UNFINISHED);
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
    builder.tempfile_in(folder)
}

fn sync(folder: &Path) -> io::Result<()> {
    if cfg!(unix) { File::open(folder)?.sync_all() } else { Ok(()) }
}

fn open_lock(path: &Path) -> io::Result<File> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    File::options().create(true).truncate(false).read(true).write(true).open(path)
}

fn failed(verb: &'static str, path: &Path) -> impl FnOnce(io::Error) -> FileError {
    let path = path.to_owned();
    move |source| FileError::Failed { verb, path, source }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_replaced_file_keeps_its_mode() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("new/tool.sh");
        write_atomically(&path, b"one").unwrap();
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o111, 0);
        fs::set_permissions(&path, fs::Permissions::from_mode(0o750)).unwrap();
        write_atomically(&path, b"two").unwrap();
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o750);
        assert_eq!(fs::read(&path).unwrap(), b"two");
        assert_eq!(fs::read_dir(path.parent().unwrap()).unwrap().count(), 1);
    }

    #[test]
    fn a_file_that_says_the_same_is_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("deep/page.html");
        assert!(write_changed(&path, b"one").unwrap());
        assert!(!write_changed(&path, b"one").unwrap());
        assert!(write_changed(&path, b"two").unwrap());
        assert_eq!(fs::read(&path).unwrap(), b"two");
        assert_eq!(fs::read_dir(folder.path().join("deep")).unwrap().count(), 1);
        assert!(matches!(write_changed(folder.path(), b""), Err(FileError::Failed { verb: "read", .. })));
    }

    #[test]
    fn two_holders_of_a_lock_follow_each_other() {
        let folder = tempfile::tempdir().unwrap();
        let (path, counter) = (folder.path().join("lock"), folder.path().join("count"));
        fs::write(&counter, "0").unwrap();
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    for _ in 0..25 {
                        let _held = Lock::take(&path).unwrap();
                        let count: u32 = fs::read_to_string(&counter).unwrap().parse().unwrap();
                        fs::write(&counter, (count + 1).to_string()).unwrap();
                    }
                });
            }
        });
        assert_eq!(fs::read_to_string(&counter).unwrap(), "100");
    }

    #[test]
    fn two_ships_can_not_hold_one_lock() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("release/lock");
        let held = Lock::try_take(&path).unwrap();
        assert!(held.is_some());
        assert!(Lock::try_take(&path).unwrap().is_none());
        drop(held);
        assert!(Lock::try_take(&path).unwrap().is_some());
    }

    #[test]
    fn no_path_leaves_its_root() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        std::os::unix::fs::symlink("/etc", root.join("link")).unwrap();
        assert_eq!(join_inside(root, "a/./b").unwrap(), root.join("a/b"));
        for bad in ["../x", "a/../../x", "/etc/passwd"] {
            assert!(matches!(join_inside(root, bad), Err(FileError::Outside { .. })), "{bad}");
        }
        assert!(matches!(join_inside(root, "link/passwd"), Err(FileError::Link { .. })));
        assert!(matches!(write_atomically(&root.join("link"), b""), Err(FileError::Link { .. })));
    }
}
