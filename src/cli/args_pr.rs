//! The words of `release pr`.

use clap::Args;

use crate::cli::args::{Output, Wish};

/// Open or update the release pull request
///
/// Pushes the release commit to a branch of its own and keeps one pull request for it, with the plan and the notes as its
/// text. What people wrote into the notes stays. Merging it is the consent: `release ship` then ships what was merged.
/// Without `[github]` in the configuration only the branch is pushed.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  release pr\n  release pr --output json")]
pub struct Pr {
    #[command(flatten)]
    pub wish: Wish,
    /// Replace commits that others put on the release branch
    #[arg(long)]
    pub overwrite: bool,
    /// The answer's shape; markdown is the pull request's own text
    #[arg(long, value_name = "SHAPE", default_value = "text")]
    pub output: Output,
    /// Leave with 3 where there is nothing to release
    #[arg(long)]
    pub detailed_exitcode: bool,
}
