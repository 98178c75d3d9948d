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

/// Bring releases into an environment, prove them, and go back where they do not hold
///
/// Without packages, the last release of each that the environment does not run yet. Killed anywhere, the same command
/// goes on.
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

/// Bring into an environment what the one before has proven: the same bytes, never built again
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

/// Take an environment back to what was verified before
///
/// Without a package, what its last deployment moved. One attempt; what it went away from is held, so that nothing brings
/// it back by itself. Comes before any deployment under way there.
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

/// Stop what moves: every runner stops before its next outside effect; rollbacks stay allowed
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  release halt --environment production --reason 'database move'")]
pub struct Halt {
    #[command(flatten)]
    pub scope: ScopeWords,
    /// Why, for all who wonder
    #[arg(long, value_name = "TEXT")]
    pub reason: String,
}

/// Let it go on: takes the halt of exactly this scope back, and what is locked or held there
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  release resume --environment production --reason 'the move is done'")]
pub struct Resume {
    #[command(flatten)]
    pub scope: ScopeWords,
    /// Why, for the ledger
    #[arg(long, value_name = "TEXT")]
    pub reason: String,
}

/// Approve a release for an environment; the word is bound to its bytes
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

/// Mark a published release as bad: it comes into no environment any more
///
/// Says where it runs and who depends on it, how to yank it from the index (PEP 592: by hand, indexes have no interface
/// for it), waits with --wait until the index says so, and shows the plan that goes forward.
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

/// Open a line for mending what runs: a branch at the tag of a release
///
/// Commit the fix there and `release ship`; the highest version stays the latest. `release status` reminds of the line
/// until its fix is on the main branch too.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  release hotfix mlops --from mlops/v2.0.3")]
pub struct Hotfix {
    #[arg(value_name = "PKG")]
    pub package: String,
    /// The tag to begin at [default: the release that runs in the last environment]
    #[arg(long, value_name = "TAG")]
    pub from: Option<String>,
}

/// Go on with what waits; safe at any time, from cron
///
/// Finishes what a dead runner left, looks at what soaks and takes back what does not hold, deploys what is awaited and
/// may come now, asks indexes about withdrawn releases.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  */5 * * * *  cd /srv/monorepo && git fetch -q --tags && release tick")]
pub struct Tick {
    /// The answer's shape
    #[arg(long, value_name = "SHAPE", default_value = "text")]
    pub output: Output,
}
