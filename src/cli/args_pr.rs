//! The words of `release pr`.

use clap::Args;

use crate::cli::args::{Output, Wish};

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
