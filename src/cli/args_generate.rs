//! The words of `release generate`.

use clap::Args;

#[derive(Debug, Args)]
#[command(after_help = "Example:\n  release generate\n  release generate --check --lint\n  \
    release generate --update-pins --cooldown 14d")]
pub struct Generate {
    /// Change nothing; show what is missing, stale or left over, and leave with 4 where anything is
    #[arg(long, conflicts_with = "update_pins")]
    pub check: bool,
    /// Let zizmor, actionlint and check-jsonschema look at the workflows, as far as they are here
    #[arg(long)]
    pub lint: bool,
    /// First ask GitHub for newer releases of the actions, and write their commits down
    #[arg(long)]
    pub update_pins: bool,
    /// How long a release of an action must have been out before it is taken
    #[arg(long, value_name = "TIME", default_value = "7d", requires = "update_pins")]
    pub cooldown: String,
}
