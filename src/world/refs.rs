//! Branches, tags and other refs: where they point, moved all together or not at all.

use gix::ObjectId;
use gix::refs::TargetRef;

use crate::world::command::run_blocking;
use crate::world::git::{Repository, read_error};
use crate::world::git_command::{answer, git, succeed};
use crate::world::git_error::GitError;
use crate::world::objects::parse_id;

/// One move of a transaction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RefUpdate {
    /// In full: `refs/tags/core-v1.0.0`.
    pub name: String,
    /// The object's full id; `None` deletes the ref.
    pub new: Option<String>,
    pub expected_old: Expected,
}

/// What must hold of a ref before it moves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Expected {
    Any,
    Missing,
    At(String),
}

impl Repository {
    /// The object that a ref names, not peeled: an annotated tag's own id. `None` where there is no such ref.
    ///
    /// # Errors
    /// A name git does not allow; an unreadable ref.
    pub fn ref_target(&self, name: &str) -> Result<Option<String>, GitError> {
        Ok(target_of(&self.local(), name)?.map(|id| id.to_string()))
    }

    /// The names of all tags, without `refs/tags/`.
    ///
    /// # Errors
    /// Where git can not list them.
    pub fn tag_names(&self) -> Result<Vec<String>, GitError> {
        let list = answer(git(self.root(), ["for-each-ref", "--format=%(refname:lstrip=2)", "refs/tags"]))?;
        Ok(String::from_utf8_lossy(&list).lines().map(str::to_owned).collect())
    }

    /// Moves refs in one transaction: all of them or none. `reason` goes to the reflogs.
    ///
    /// # Errors
    /// `LostRace` where a ref does not stand where it was expected; any other failure of git.
    pub fn update_refs(&self, updates: &[RefUpdate], reason: &str) -> Result<(), GitError> {
        let mut input = Vec::new();
        for update in updates {
            check_name(&update.name)?;
            write_update(update, &mut input);
        }
        let command =
            git(self.root(), ["update-ref", "-m", reason, "--no-deref", "--stdin", "-z"]).reading(input);
        let output = run_blocking(command)?;
        if output.success() {
            return Ok(());
        }
        self.check_expected(updates)?;
        succeed("update-ref", &output)
    }

    /// Deletes a ref that stands where it is expected.
    ///
    /// # Errors
    /// As `update_refs`.
    pub fn delete_ref(&self, name: &str, expected_old: Expected) -> Result<(), GitError> {
        let update = RefUpdate { name: name.to_owned(), new: None, expected_old };
        self.update_refs(&[update], "release: delete")
    }

    /// Whether a commit is another one or one of its ancestors.
    ///
    /// # Errors
    /// No such commit; `Shallow` where a shallow clone was cut off before the answer.
    pub fn is_ancestor(&self, older: &str, newer: &str) -> Result<bool, GitError> {
        let arguments =
            ["merge-base", "--is-ancestor", &parse_id(older)?.to_string(), &parse_id(newer)?.to_string()];
        let output = run_blocking(git(self.root(), arguments))?;
        match output.status.code() {
            Some(1) if self.is_shallow() => Err(GitError::Shallow { directory: self.root().to_owned() }),
            Some(1) => Ok(false),
            _ => succeed("merge-base", &output).map(|()| true),
        }
    }

    /// Looks where the refs stand now: git's words are no evidence.
    fn check_expected(&self, updates: &[RefUpdate]) -> Result<(), GitError> {
        for update in updates {
            let found = self.ref_target(&update.name)?;
            let expected = match &update.expected_old {
                Expected::Any => continue,
                Expected::Missing => None,
                Expected::At(id) => Some(id.clone()),
            };
            if found != expected {
                return Err(lost_race(&update.name, expected, found));
            }
        }
        Ok(())
    }
}

/// The object that a ref names, not peeled; `None` where there is no such ref.
pub(in crate::world) fn target_of(local: &gix::Repository, name: &str) -> Result<Option<ObjectId>, GitError> {
    let mut name = name.to_owned();
    for _ in 0..MAXIMUM_LINKS {
        check_name(&name)?;
        let found = local.refs.try_find(name.as_str()).map_err(|error| read_error(&name, error))?;
        match found.as_ref().map(|reference| reference.target.to_ref()) {
            None => return Ok(None),
            Some(TargetRef::Object(id)) => return Ok(Some(id.to_owned())),
            Some(TargetRef::Symbolic(next)) => name = next.as_bstr().to_string(),
        }
    }
    Ok(None)
}

pub(in crate::world) fn lost_race(name: &str, expected: Option<String>, found: Option<String>) -> GitError {
    let say = |id: Option<String>| id.unwrap_or_else(|| "nothing".to_owned());
    GitError::LostRace { name: name.to_owned(), expected: say(expected), found: say(found) }
}

const MAXIMUM_LINKS: usize = 5;
const NO_OBJECT: &str = "0000000000000000000000000000000000000000";

fn check_name(name: &str) -> Result<(), GitError> {
    match gix::validate::reference::name(name.into()) {
        Ok(_) if name == "HEAD" || name.starts_with("refs/") => Ok(()),
        _ => Err(GitError::BadName { name: name.to_owned() }),
    }
}

/// One line of `git update-ref --stdin -z`.
fn write_update(update: &RefUpdate, input: &mut Vec<u8>) {
    let old = match &update.expected_old {
        Expected::Any => "",
        Expected::Missing => NO_OBJECT,
        Expected::At(id) => id,
    };
    let line = match &update.new {
        Some(new) => format!("update {}\0{new}\0{old}\0", update.name),
        None => format!("delete {}\0{old}\0", update.name),
    };
    input.extend(line.into_bytes());
}
