//! Packs what a build gets to see into an archive: the same files give the same bytes.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use tar::{Builder, EntryType, Header};

use crate::world::engine::EngineError;
use crate::world::engine::ignore::Ignore;

/// What goes into the archive.
#[derive(Debug)]
pub struct Context<'c> {
    /// The folder whose files are taken, but for what its `.dockerignore` and git leave out.
    pub folder: &'c Path,
    /// The Dockerfile's path in it.
    pub dockerfile: &'c str,
    /// A folder in the archive that holds these files and nothing else: names and where they are.
    pub handed: (&'c str, &'c [(String, PathBuf)]),
    /// The time of all files, seconds since 1970.
    pub epoch: i64,
}

/// Writes the archive.
///
/// # Errors
/// Where the Dockerfile is not there, a rule is no rule, or a file can not be read.
pub fn pack(context: &Context<'_>, into: &File) -> Result<(), EngineError> {
    let failed = |path: &Path| {
        let path = path.display().to_string();
        move |source| EngineError::File { path, source }
    };
    let dockerfile = context.folder.join(context.dockerfile);
    if !dockerfile.is_file() {
        let what = format!("there is no `{}` in the package's folder", context.dockerfile);
        let reason = "write it, or name it with `dockerfile` in the package's `image` table".to_owned();
        return Err(EngineError::Settings { what, reason });
    }
    let ignore = rules(context)?;
    let mut files = BTreeMap::new();
    collect(context.folder, String::new(), &mut files).map_err(failed(context.folder))?;
    let (folder, handed) = context.handed;
    files.retain(|path, _| path == context.dockerfile || is_sent(path, folder, &ignore));
    for (name, place) in handed {
        files.insert(format!("{folder}/{name}"), place.clone());
    }
    let mut archive = Builder::new(BufWriter::new(into));
    for (path, place) in &files {
        append(&mut archive, path, place, context.epoch).map_err(failed(place))?;
    }
    let written = archive.into_inner().and_then(|mut rest| rest.flush());
    written.map_err(failed(context.folder))
}

fn is_sent(path: &str, handed: &str, ignore: &Ignore) -> bool {
    let below =
        |folder: &str| path == folder || path.strip_prefix(folder).is_some_and(|rest| rest.starts_with('/'));
    !below(".git") && !below(handed) && path != ".dockerignore" && !ignore.leaves_out(path)
}

/// The rules of `Dockerfile.dockerignore`, else of `.dockerignore`.
fn rules(context: &Context<'_>) -> Result<Ignore, EngineError> {
    let own = format!("{}.dockerignore", context.dockerfile);
    for name in [own.as_str(), ".dockerignore"] {
        match fs::read(context.folder.join(name)) {
            Ok(text) => {
                let wrong =
                    |reason| EngineError::Settings { what: format!("`{name}` does not read"), reason };
                return Ignore::read(&String::from_utf8_lossy(&text)).map_err(wrong);
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(source) => return Err(EngineError::File { path: name.to_owned(), source }),
        }
    }
    Ok(Ignore::default())
}

/// All files and links below a folder, by their paths with `/`. Links are not followed.
fn collect(folder: &Path, prefix: String, into: &mut BTreeMap<String, PathBuf>) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let Some(name) = entry.file_name().to_str().map(str::to_owned) else { continue };
        let path = if prefix.is_empty() { name } else { format!("{prefix}/{name}") };
        let kind = entry.file_type()?;
        if kind.is_dir() && path != ".git" {
            collect(&entry.path(), path, into)?;
        } else if kind.is_file() || kind.is_symlink() {
            into.insert(path, entry.path());
        }
    }
    Ok(())
}

fn append(archive: &mut Builder<impl Write>, path: &str, place: &Path, epoch: i64) -> io::Result<()> {
    let metadata = fs::symlink_metadata(place)?;
    let mut header = Header::new_gnu();
    header.set_mtime(u64::try_from(epoch).unwrap_or(0));
    header.set_uid(0);
    header.set_gid(0);
    if metadata.is_symlink() {
        header.set_entry_type(EntryType::Symlink);
        header.set_mode(0o777);
        header.set_size(0);
        return archive.append_link(&mut header, path, fs::read_link(place)?);
    }
    header.set_entry_type(EntryType::Regular);
    header.set_mode(if is_executable(&metadata) { 0o755 } else { 0o644 });
    header.set_size(metadata.len());
    archive.append_data(&mut header, path, File::open(place)?)
}

#[cfg(unix)]
fn is_executable(metadata: &fs::Metadata) -> bool {
    use std::os::unix::fs::PermissionsExt;
    metadata.permissions().mode() & 0o111 != 0
}

#[cfg(not(unix))]
fn is_executable(_: &fs::Metadata) -> bool {
    false
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Seek};

    use super::*;

    fn write(folder: &Path, files: &[(&str, &str)]) {
        for (path, text) in files {
            let path = folder.join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
    }

    fn packed(folder: &Path, handed: &[(String, PathBuf)]) -> Result<Vec<u8>, EngineError> {
        let mut file = tempfile::tempfile().unwrap();
        pack(&Context { folder, dockerfile: "Dockerfile", handed: ("dist", handed), epoch: 7 }, &file)?;
        let mut bytes = Vec::new();
        file.rewind().unwrap();
        file.read_to_end(&mut bytes).unwrap();
        Ok(bytes)
    }

    fn names(bytes: &[u8]) -> Vec<String> {
        let mut archive = tar::Archive::new(bytes);
        let entries = archive.entries().unwrap().map(|entry| entry.unwrap());
        entries
            .map(|entry| {
                assert_eq!(entry.header().mtime().unwrap(), 7);
                entry.path().unwrap().display().to_string()
            })
            .collect()
    }

    #[test]
    fn the_wheel_stands_where_the_folder_had_its_own() {
        let (folder, stash) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        write(
            folder.path(),
            &[
                ("Dockerfile", "FROM scratch"),
                (".dockerignore", "dist\nsecret\nDockerfile\n"),
                ("secret/key", "k"),
                ("dist/old.whl", "old"),
                ("src/a.py", ""),
                (".git/HEAD", "x"),
                ("distant.txt", ""),
            ],
        );
        write(stash.path(), &[("new.whl", "new")]);
        let handed = [("new.whl".to_owned(), stash.path().join("new.whl"))];
        let bytes = packed(folder.path(), &handed).unwrap();
        assert_eq!(names(&bytes), ["Dockerfile", "dist/new.whl", "distant.txt", "src/a.py"]);
        write(folder.path(), &[("src/a.py", "")]);
        assert_eq!(packed(folder.path(), &handed).unwrap(), bytes, "the same files give the same bytes");
    }

    #[test]
    fn the_dockerfiles_own_rules_come_first() {
        let folder = tempfile::tempdir().unwrap();
        write(
            folder.path(),
            &[
                ("Dockerfile", ""),
                ("Dockerfile.dockerignore", "*\n!a"),
                (".dockerignore", "a"),
                ("a", ""),
                ("b", ""),
            ],
        );
        assert_eq!(names(&packed(folder.path(), &[]).unwrap()), ["Dockerfile", "a"]);
    }

    #[test]
    fn a_missing_dockerfile_is_told() {
        let folder = tempfile::tempdir().unwrap();
        let error = packed(folder.path(), &[]).unwrap_err().to_string();
        assert!(error.contains("no `Dockerfile`") && error.contains("`dockerfile`"), "{error}");
    }
}
