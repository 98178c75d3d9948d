//! The command line's words of plans that are looked at beforehand.

use clap::Args;

/// Commits that do not exist yet.
#[derive(Debug, Args)]
pub struct Assume {
    /// Plan as if a commit with this message stood on HEAD (repeatable, each on top of the one before)
    ///
    /// It changes what `--paths` names; without it, the packages that its scope or a `Packages:` footer names. Such a
    /// plan is marked, and can neither be saved with -o nor shipped.
    #[arg(long, value_name = "MESSAGE")]
    pub assume: Vec<String>,
    /// Files, from the repository's root, that every assumed commit changes
    #[arg(long, value_name = "PATH", num_args = 1.., requires = "assume")]
    pub paths: Vec<String>,
}
