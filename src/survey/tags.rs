//! All tags of a repository and the commits they name.

use std::fs::{self, File};
use std::io::{self, BufRead, BufReader};
use std::path::Path;

use gix::ObjectId;
use gix::objs::Kind;

use crate::history::commit::CommitId;
use crate::world::git::{Repository, read_or_empty};
use crate::world::git_error::GitError;
use crate::world::objects::{Objects, parse_id};

/// A tag and the commit it names in the end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tag {
    /// Without `refs/tags/`.
    pub name: String,
    pub commit: CommitId,
}

/// Reads all tags, by name. Names that are no UTF-8 and tags of anything but commits are left out.
///
/// One file is read for all packed tags, with the commits that git peeled when it packed them; only tags
/// made since then cost a look at an object (gitrepository-layout, `packed-refs`).
///
/// # Errors
/// Unreadable files or objects.
pub fn list_tags(repository: &Repository) -> Result<Vec<Tag>, GitError> {
    let folder = repository.common_dir();
    let objects = repository.objects();
    let path = folder.join("packed-refs");
    let read = match File::open(&path) {
        Ok(packed) => read_packed(BufReader::with_capacity(PIECE, packed)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
        Err(error) => Err(error),
    };
    let mut tags = read.map_err(|source| GitError::File { path, source })?;
    let mut loose = Vec::new();
    read_loose(&folder.join("refs/tags"), "", &mut loose)?;
    tags.extend(loose.into_iter().map(|(name, id)| (name, Target::Unpeeled(id))));
    tags.sort_by(|left, right| left.0.cmp(&right.0));
    let mut list: Vec<Tag> = Vec::with_capacity(tags.len());
    for (name, target) in tags {
        let commit = match target {
            Target::Commit(id) => Some(id),
            Target::Unpeeled(id) => peel(&objects, id)?,
        };
        // A loose ref, which stands after its packed one here, wins.
        if list.last().is_some_and(|last| last.name == name) {
            list.pop();
        }
        list.extend(commit.map(|commit| Tag { name, commit: commit_of(&commit) }));
    }
    Ok(list)
}

/// The commit of an object's id.
pub fn commit_of(id: &ObjectId) -> CommitId {
    id.as_bytes().try_into().map_or_else(|_| CommitId::of(&id.to_string()), CommitId::Sha1)
}

/// The id of a commit's object.
///
/// # Errors
/// A name that is no id.
pub fn object_of(commit: &CommitId) -> Result<ObjectId, GitError> {
    match commit {
        CommitId::Sha1(id) => Ok((*id).into()),
        CommitId::Name(name) => parse_id(name),
    }
}

enum Target {
    Commit(ObjectId),
    Unpeeled(ObjectId),
}

const PREFIX: &str = "refs/tags/";
const DEEPEST_TAG: usize = 16;

/// How many bytes of `packed-refs` are read at once: of a long file little memory is touched.
const PIECE: usize = 64 << 10;

/// Lines of `ID NAME`, each perhaps followed by `^ID`: the commit of an annotated tag. Where the first
/// line promises `fully-peeled`, a line without it names no tag object.
///
/// # Errors
/// A line whose id is none; what can not be read.
fn read_packed(mut packed: impl BufRead) -> io::Result<Vec<(String, Target)>> {
    let mut tags = Vec::new();
    let mut fully_peeled = false;
    let mut after_tag = false;
    let mut line = Vec::new();
    for number in 1_usize.. {
        line.clear();
        if packed.read_until(b'\n', &mut line)? == 0 {
            break;
        }
        let Ok(line) = std::str::from_utf8(line.strip_suffix(b"\n").unwrap_or(&line)) else { continue };
        let no_id =
            || io::Error::new(io::ErrorKind::InvalidData, format!("line {number} holds no object's id"));
        let id = |digits: &str| parse_id(digits).map_err(|_| no_id());
        if let Some(traits) = line.strip_prefix("# pack-refs with:") {
            fully_peeled = traits.split(' ').any(|word| word == "fully-peeled");
        } else if let Some(peeled) = line.strip_prefix('^') {
            if let Some((_, target)) = tags.last_mut().filter(|_| after_tag) {
                *target = Target::Commit(id(peeled)?);
            }
        } else {
            let tag = line.split_once(' ').and_then(|(id, name)| Some((id, name.strip_prefix(PREFIX)?)));
            after_tag = tag.is_some();
            if let Some((digits, name)) = tag {
                let target = if fully_peeled { Target::Commit } else { Target::Unpeeled };
                tags.push((name.to_owned(), target(id(digits)?)));
            }
        }
    }
    Ok(tags)
}

fn read_loose(folder: &Path, prefix: &str, tags: &mut Vec<(String, ObjectId)>) -> Result<(), GitError> {
    let failed = |source| GitError::File { path: folder.to_owned(), source };
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(failed(error)),
    };
    for entry in entries {
        let entry = entry.map_err(failed)?;
        let Ok(name) = entry.file_name().into_string() else { continue };
        let name = format!("{prefix}{name}");
        if entry.file_type().map_err(failed)?.is_dir() {
            read_loose(&entry.path(), &format!("{name}/"), tags)?;
        } else {
            let text = read_or_empty(&entry.path())?;
            // A lock file or a symbolic ref is no tag of a commit.
            let id = std::str::from_utf8(&text).unwrap_or("").trim();
            let id = parse_id(id).ok().filter(|_| !name.ends_with(".lock"));
            tags.extend(id.map(|id| (name, id)));
        }
    }
    Ok(())
}

/// Follows tags of tags; `None` where the end is no commit.
fn peel(objects: &Objects, mut id: ObjectId) -> Result<Option<ObjectId>, GitError> {
    let mut bytes = Vec::new();
    for _ in 0..DEEPEST_TAG {
        match objects.read(&id, &mut bytes)? {
            Kind::Commit => return Ok(Some(id)),
            Kind::Tag => match bytes.strip_prefix(b"object ").and_then(|rest| rest.get(..40)) {
                Some(hex) => id = ObjectId::from_hex(hex).map_err(|_| damaged(&id))?,
                None => return Err(damaged(&id)),
            },
            _ => return Ok(None),
        }
    }
    Ok(None)
}

fn damaged(id: &ObjectId) -> GitError {
    GitError::Damaged { id: id.to_string(), what: "a tag that names no object" }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::world::testing::TestRepository;

    fn names(repository: &TestRepository) -> Vec<(String, String)> {
        let tags = list_tags(&repository.open()).unwrap();
        tags.into_iter().map(|tag| (tag.name, tag.commit.to_string())).collect()
    }

    #[test]
    fn tags_are_read_loose_and_packed_and_peeled() {
        let repository = TestRepository::init();
        assert!(names(&repository).is_empty());
        let one = repository.change("a", "1", "one");
        repository.git(&["tag", "core-v1"]);
        repository.git(&["tag", "-a", "-m", "x", "group/core-v2"]);
        repository.git(&["tag", "-a", "-m", "x", "nested", "group/core-v2"]);
        let two = repository.change("a", "2", "two");
        repository.git(&["tag", "-a", "-m", "x", "ünïcode-v1"]);
        repository.git(&["tag", "blob", "HEAD:a"]);
        let expected = [("core-v1", &one), ("group/core-v2", &one), ("nested", &one), ("ünïcode-v1", &two)]
            .map(|(name, commit)| (name.to_owned(), commit.clone()));
        assert_eq!(names(&repository), expected);
        repository.git(&["tag", "-d", "blob"]);
        repository.git(&["pack-refs", "--all"]);
        assert_eq!(names(&repository), expected);
        repository.git(&["tag", "-f", "core-v1"]);
        assert_eq!(names(&repository)[0], ("core-v1".to_owned(), two));
    }

    #[test]
    fn a_line_without_an_id_is_told_by_its_file_and_number() {
        let repository = TestRepository::init();
        let commit = repository.change("a", "1", "one");
        let lines = format!("# pack-refs with: peeled\n{commit} refs/tags/a-v1\n{commit}x refs/tags/b-v1\n");
        std::fs::write(repository.path().join(".git/packed-refs"), lines).unwrap();
        let error = list_tags(&repository.open()).unwrap_err();
        assert!(matches!(&error, GitError::File { path, .. } if path.ends_with("packed-refs")), "{error}");
        let source = std::error::Error::source(&error).unwrap().to_string();
        assert_eq!(source, "line 3 holds no object's id");
    }

    #[test]
    fn lines_are_read_wherever_a_piece_ends() {
        let (one, two) = ("1".repeat(40), "2".repeat(40));
        let mut packed = format!("# pack-refs with: peeled\n{one} refs/tags/a-v1\n^{two}\n").into_bytes();
        packed.extend(b"\xff refs/tags/b-v1\n");
        packed.extend(format!("{one} refs/heads/main\n\n{two} refs/tags/c-v1").into_bytes());
        let read = |packed: &[u8], piece: usize| read_packed(BufReader::with_capacity(piece, packed));
        for piece in 1..packed.len() + 2 {
            let told = read(&packed, piece).unwrap().into_iter().map(|(name, target)| match target {
                Target::Commit(id) => format!("{name} {id}"),
                Target::Unpeeled(id) => format!("{name} {id}?"),
            });
            assert_eq!(told.collect::<Vec<_>>(), [format!("a-v1 {two}"), format!("c-v1 {two}?")], "{piece}");
            let broken = [&packed[..], b"x"].concat();
            let broken = [&broken[..], b"\nno-id refs/tags/d-v1\n"].concat();
            let error = read(&broken, piece).map(drop).unwrap_err().to_string();
            assert_eq!(error, "line 8 holds no object's id");
        }
    }

    #[test]
    fn a_linked_worktree_sees_all_tags() {
        let repository = TestRepository::init();
        repository.change("a", "1", "one");
        repository.git(&["tag", "core-v1"]);
        let linked = repository.beside("linked");
        repository.git(&["worktree", "add", "-q", "--detach", linked.to_str().unwrap()]);
        let opened = Repository::open(&linked).unwrap();
        assert_eq!(opened.root(), linked.canonicalize().unwrap());
        assert_eq!(list_tags(&opened).unwrap().len(), 1);
    }
}
