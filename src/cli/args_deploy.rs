//! The words of the verbs that move releases through environments, and of emergencies.

use clap::Args;

use crate::cli::args::Output;

/// How releases are moved.
#[derive(Debug, Clone, Args)]
pub struct Moving {
    /// Why, for the ledger
    #[arg(long, value_name = "TEXT")]
    pub reason: Option<String>,
    /// Go past this gate: after, soak, approvals, window, order, drift or return (repeatable; needs --reason)
    #[arg(long = "override", value_name = "GATE", requires = "reason")]
    pub overrides: Vec<String>,
    /// Take a deployment over whose holder can not be proven dead; make sure that it is
    #[arg(long)]
    pub take_over: bool,
    /// Do not ask
    #[arg(short, long)]
    pub yes: bool,
    /// The answer's shape
    #[arg(long, value_name = "SHAPE", default_value = "text")]
    pub output: Output,
    /// Leave with 3 where there is nothing to do
    #[arg(long)]
    pub detailed_exitcode: bool,
}

#[derive(Debug, Args)]
#[command(after_help = "Example:\n  release deploy development\n  release deploy staging mlops@2.1.0 --yes")]
pub struct Deploy {
    /// The environment
    #[arg(value_name = "ENVIRONMENT")]
    pub environment: String,
    /// Packages, with a version or the last one
    #[arg(value_name = "PKG[@VERSION]")]
    pub releases: Vec<String>,
    #[command(flatten)]
    pub moving: Moving,
}

#[derive(Debug, Args)]
#[command(after_help = "Example:\n  release promote --from staging --to production\n  \
    release promote --to production -p mlops --when-allowed --yes")]
pub struct Promote {
    /// Where it runs now [default: what `after` of the other names]
    #[arg(long, value_name = "ENVIRONMENT")]
    pub from: Option<String>,
    /// Where it shall run
    #[arg(long, value_name = "ENVIRONMENT")]
    pub to: String,
    /// Where a gate is closed that opens by itself or by others, remember it: `release tick` does it then
    #[arg(long)]
    pub when_allowed: bool,
    #[command(flatten)]
    pub moving: Moving,
}

#[derive(Debug, Args)]
#[command(after_help = "Example:\n  release rollback production --reason 'errors at checkout' --yes\n  \
    release rollback production -p mlops --to 2.0.3 --yes")]
pub struct Rollback {
    /// The environment
    #[arg(value_name = "ENVIRONMENT")]
    pub environment: String,
    /// The verified version to go back to, with one package
    #[arg(long, value_name = "VERSION")]
    pub to: Option<String>,
    #[command(flatten)]
    pub moving: Moving,
}

/// What a stop covers.
#[derive(Debug, Args)]
#[group(id = "scope", required = true, multiple = false)]
pub struct ScopeWords {
    /// Everything: ships, deployments, promotions
    #[arg(long, group = "scope")]
    pub all: bool,
    /// One environment
    #[arg(long, value_name = "ENVIRONMENT", group = "scope")]
    pub environment: Option<String>,
    /// One package, everywhere
    #[arg(long = "only", value_name = "PKG", group = "scope")]
    pub only: Option<String>,
}

#[derive(Debug, Args)]
#[command(after_help = "Example:\n  release halt --environment production --reason 'database move'")]
pub struct Halt {
    #[command(flatten)]
    pub scope: ScopeWords,
    /// Why, for all who wonder
    #[arg(long, value_name = "TEXT")]
    pub reason: String,
}

#[derive(Debug, Args)]
#[command(after_help = "Example:\n  release resume --environment production --reason 'the move is done'")]
pub struct Resume {
    #[command(flatten)]
    pub scope: ScopeWords,
    /// Why, for the ledger
    #[arg(long, value_name = "TEXT")]
    pub reason: String,
}

#[derive(Debug, Args)]
#[command(after_help = "Example:\n  release approve mlops@2.1.0 --environment production")]
pub struct Approve {
    /// The package, with a version or what the environment before runs
    #[arg(value_name = "PKG[@VERSION]")]
    pub release: String,
    #[arg(long, value_name = "ENVIRONMENT")]
    pub environment: String,
    /// Take the approval back
    #[arg(long)]
    pub withdraw: bool,
}

#[derive(Debug, Args)]
#[command(after_help = "Example:\n  release withdraw mlops@2.1.0 --reason 'loses data' --wait 10m")]
pub struct Withdraw {
    #[arg(value_name = "PKG@VERSION")]
    pub release: String,
    /// Why, for all who wonder
    #[arg(long, value_name = "TEXT")]
    pub reason: String,
    /// How long to wait until the index says that it is yanked: 90s, 10m
    #[arg(long, value_name = "TIME")]
    pub wait: Option<String>,
    /// The answer's shape
    #[arg(long, value_name = "SHAPE", default_value = "text")]
    pub output: Output,
}

#[derive(Debug, Args)]
#[command(after_help = "Example:\n  release hotfix mlops --from mlops/v2.0.3")]
pub struct Hotfix {
    #[arg(value_name = "PKG")]
    pub package: String,
    /// The tag to begin at [default: the release that runs in the last environment]
    #[arg(long, value_name = "TAG")]
    pub from: Option<String>,
}

#[derive(Debug, Args)]
#[command(after_help = "Example:\n  */5 * * * *  cd /srv/monorepo && git fetch -q --tags && release tick")]
pub struct Tick {
    /// The answer's shape
    #[arg(long, value_name = "SHAPE", default_value = "text")]
    pub output: Output,
}
