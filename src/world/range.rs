//! The commits between two others, and bringing a checkout forward over them.

use crate::world::command::run_blocking;
use crate::world::git::Repository;
use crate::world::git_command::{answer, git};
use crate::world::git_error::GitError;
use crate::world::merge_base::merge_bases;
use crate::world::objects::parse_id;

impl Repository {
    /// Whether an object is in this repository.
    pub fn has_object(&self, id: &str) -> bool {
        parse_id(id).is_ok_and(|id| self.local().has_object(id))
    }

    /// The commit that a tag names, through its own object; `None` where there is no such tag, or it names no commit.
    ///
    /// # Errors
    /// Where git can not be run.
    pub fn commit_of_tag(&self, tag: &str) -> Result<Option<String>, GitError> {
        let name = format!("refs/tags/{tag}^{{commit}}");
        let output =
            run_blocking(git(self.root(), ["rev-parse", "--verify", "--quiet", "--end-of-options", &name]))?;
        Ok(output.success().then(|| String::from_utf8_lossy(&output.stdout).trim().to_owned()))
    }

    /// The messages of the commits that `newer` has and `older` lacks, by commit.
    ///
    /// # Errors
    /// Unknown commits.
    pub fn messages_between(&self, older: &str, newer: &str) -> Result<Vec<(String, String)>, GitError> {
        let range = format!("{older}..{newer}");
        let out = answer(git(self.root(), ["log", "-z", "--format=%H%n%B", &range, "--"]))?;
        let text = String::from_utf8_lossy(&out).into_owned();
        let commits = text.split('\0').filter_map(|commit| commit.split_once('\n'));
        Ok(commits.map(|(id, message)| (id.to_owned(), message.to_owned())).collect())
    }

    /// The paths in which two commits differ, as git stores them; what is no UTF-8 is replaced.
    ///
    /// # Errors
    /// Unknown commits.
    pub fn paths_between(&self, one: &str, other: &str) -> Result<Vec<String>, GitError> {
        let (one, other) = (parse_id(one)?.to_string(), parse_id(other)?.to_string());
        let arguments = ["diff-tree", "-r", "-z", "--name-only", "--no-renames", &one, &other];
        let out = answer(git(self.root(), arguments))?;
        let names = out.split(|byte| *byte == 0).filter(|name| !name.is_empty());
        Ok(names.map(|name| String::from_utf8_lossy(name).into_owned()).collect())
    }

    /// The newest commit that two commits both have; `None` where they have none.
    ///
    /// # Errors
    /// Unknown commits.
    pub fn merge_base(&self, one: &str, other: &str) -> Result<Option<String>, GitError> {
        let (one, other) = (parse_id(one)?, parse_id(other)?);
        // Where there are several, or something can not be read, git decides.
        match merge_bases(&self.objects(), one, other).as_deref() {
            Ok([]) => return Ok(None),
            Ok([only]) => return Ok(Some(only.to_string())),
            Ok(_) | Err(_) => {}
        }
        let output = run_blocking(git(self.root(), ["merge-base", &one.to_string(), &other.to_string()]))?;
        let found = String::from_utf8_lossy(&output.stdout).trim().to_owned();
        Ok((output.success() && !found.is_empty()).then_some(found))
    }

    /// Brings the branch that is checked out, and its files, forward to a commit above it.
    ///
    /// # Errors
    /// Where it is no descendant, or files stand in the way: nothing is changed then.
    pub fn fast_forward(&self, commit: &str) -> Result<(), GitError> {
        answer(git(self.root(), ["merge", "--ff-only", "--quiet", commit])).map(|_| ())
    }
}
