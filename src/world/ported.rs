//! Whether the commits of one line are on another too, as themselves or picked.

use std::collections::BTreeMap;

use crate::world::command::run_blocking;
use crate::world::git::Repository;
use crate::world::git_command::{answer, git, succeed};
use crate::world::git_error::GitError;

impl Repository {
    /// The newest commit of `branch` where `main` holds all its commits since `from` that are no release commits, by
    /// their names, their changes (`git cherry`), or the author, time and title that a pick keeps where what stands around
    /// the change is another text. None where it holds not all, or there are none.
    ///
    /// # Errors
    /// Where git fails for another reason than a branch that is not here.
    pub fn ported(&self, main: &str, branch: &str, from: &str) -> Result<Option<String>, GitError> {
        let (Some(main), Some(branch)) = (self.tip(main)?, self.tip(branch)?) else { return Ok(None) };
        let arguments = [
            "rev-list",
            "--no-merges",
            "--invert-grep",
            "--grep=^Release-Plan: ",
            &branch,
            &format!("^{from}"),
        ];
        let own = lines(answer(git(self.root(), arguments))?);
        if own.is_empty() {
            return Ok(None);
        }
        let missing = lines(answer(git(self.root(), ["cherry", &main, &branch, from]))?);
        let missing: Vec<&str> = missing.iter().filter_map(|line| line.strip_prefix("+ ")).collect();
        let missing: Vec<&String> = own.iter().filter(|commit| missing.contains(&commit.as_str())).collect();
        if missing.is_empty() {
            return Ok(Some(branch));
        }
        let (here, there) = (self.authored(&branch, from)?, self.authored(&main, from)?);
        let is_picked = |commit: &&String| {
            let mark = here.get(*commit);
            mark.is_some_and(|mark| there.values().any(|known| known == mark))
        };
        Ok(missing.iter().all(is_picked).then_some(branch))
    }

    /// Time, author and title of the commits up to `tip` that `from` does not hold, by commit.
    fn authored(&self, tip: &str, from: &str) -> Result<BTreeMap<String, String>, GitError> {
        let arguments = ["log", "--no-merges", "--format=%H %at %ae %s", tip, &format!("^{from}")];
        let told = lines(answer(git(self.root(), arguments))?);
        let pairs = told.iter().filter_map(|line| line.split_once(' '));
        Ok(pairs.map(|(commit, mark)| (commit.to_owned(), mark.to_owned())).collect())
    }

    /// The commit of a branch, here or as a remote last had it.
    fn tip(&self, branch: &str) -> Result<Option<String>, GitError> {
        for name in [format!("refs/heads/{branch}"), format!("refs/remotes/origin/{branch}")] {
            let arguments = ["rev-parse", "--verify", "--quiet", "--end-of-options", &name];
            let output = run_blocking(git(self.root(), arguments))?;
            match output.status.code() {
                Some(1) => {}
                _ => {
                    succeed("rev-parse", &output)?;
                    return Ok(Some(String::from_utf8_lossy(&output.stdout).trim().to_owned()));
                }
            }
        }
        Ok(None)
    }
}

fn lines(output: Vec<u8>) -> Vec<String> {
    String::from_utf8_lossy(&output).lines().map(str::to_owned).collect()
}
