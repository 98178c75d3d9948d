//! Whether the commits of one line are on another too, as themselves or picked.

use crate::world::command::run_blocking;
use crate::world::git::Repository;
use crate::world::git_command::{answer, git, succeed};
use crate::world::git_error::GitError;

impl Repository {
    /// The newest commit of `branch` where `main` holds all its commits since `from` that are no release commits, by
    /// their names or their changes (`git cherry`). None where it holds not all, or there are none.
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
        let missing = missing.iter().filter_map(|line| line.strip_prefix("+ "));
        let lacks = missing.into_iter().any(|commit| own.iter().any(|known| known == commit));
        Ok((!lacks).then_some(branch))
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
