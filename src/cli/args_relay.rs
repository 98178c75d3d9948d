//! The command line's words for the way from a laptop to a CI.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use crate::workspace::config::text::Span;

/// The shape of a plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum PlanShape {
    Text,
    Json,
    Markdown,
    /// Outputs of a step of GitHub Actions (to `GITHUB_OUTPUT`, else stdout) and its summary (`GITHUB_STEP_SUMMARY`)
    Github,
}

/// What `plan` is about, where it is about no new release.
#[derive(Debug, Args)]
pub struct PlanOf {
    /// With `--output github`: what is left to do of the claimed release that this tag belongs to
    #[arg(long, value_name = "TAG", conflicts_with_all = ["pre", "graduate", "trust", "index", "out", "explain", "assume"])]
    pub tag: Option<String>,
}

/// How a ship goes from a laptop to a CI.
#[derive(Debug, Default, Args)]
pub struct Relay {
    /// After `--until claim`, or of the release of `--tag`: do nothing more here and follow what the CI does with it, this
    /// long at most (`--watch` alone: 60m)
    #[arg(long, value_name = "TIME", num_args = 0..=1, require_equals = true, default_missing_value = "60m",
          value_parser = span)]
    pub watch: Option<Span>,
    /// A folder that jobs pass on: sealed files are taken from it, and put there where the ship stops after its seal
    #[arg(long, value_name = "DIR")]
    pub artifacts: Option<PathBuf>,
}

fn span(text: &str) -> Result<Span, String> {
    Span::read(text).ok_or_else(|| format!("`{text}` is no span of time: write `90s`, `10m` or `1h30m`"))
}
