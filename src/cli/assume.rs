//! Words of the command line about commits that do not exist.

use crate::cli::args;
use crate::cli::args_preview::Assume;
use crate::cli::failure::Failure;
use crate::plan::assume::Assumption;
use crate::workspace::path::RepoPath;

/// The commits to assume.
pub fn assumptions(words: &Assume) -> Result<Vec<Assumption>, Failure> {
    let path = |word: &String| {
        RepoPath::new(word).ok_or_else(|| {
            Failure::user(format!("`{word}` is no path inside the repository"))
                .hint("write it from the repository's root, as `git diff --name-only` does")
        })
    };
    let paths: Vec<RepoPath> = words.paths.iter().map(path).collect::<Result<_, _>>()?;
    let assumption = |message: &String| Assumption { message: message.clone(), paths: paths.clone() };
    Ok(words.assume.iter().map(assumption).collect())
}

/// A plan with commits that do not exist is to be looked at, and nothing else.
pub fn refuse_saving(verb: &args::Plan) -> Result<(), Failure> {
    if verb.assume.assume.is_empty() || verb.out.is_none() {
        return Ok(());
    }
    Err(Failure::user("a plan with assumed commits can not be saved: nobody could ship it")
        .hint("leave `-o` out; `--output json` prints it"))
}
