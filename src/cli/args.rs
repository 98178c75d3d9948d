//! The command line's words.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::cli::args_deploy::{Approve, Deploy, Halt, Hotfix, Promote, Resume, Rollback, Tick, Withdraw};
use crate::cli::args_generate::Generate;
use crate::cli::args_pr::Pr;
use crate::cli::args_preview::Assume;
use crate::cli::args_relay::{PlanOf, PlanShape, Relay};
use crate::cli::late::Late;
use crate::report::streams::ColorChoice;

/// Takes a Python monorepo from commits to production.
///
/// `release plan` says what would be released and why; `release ship` carries it out and, run again,
/// finishes what was begun.
#[derive(Debug, Parser)]
#[command(name = "release", version, max_term_width = 100, arg_required_else_help = true)]
#[command(
    after_help = "Example:\n  release init && release plan\n\nExit codes: 0 done or nothing to do · 2 usage or \
    configuration · 4 a gate failed · 5 rolled back · 6 rollback failed · 7 stale plan or lost race · 8 undecided · 9 not allowed now · 10 incomplete, \
    run it again · 11 digest conflict"
)]
pub struct Cli {
    #[command(flatten)]
    pub global: Global,
    #[command(subcommand)]
    pub verb: Verb,
}

/// Words that every verb takes.
#[derive(Debug, Args)]
pub struct Global {
    /// Run as if started in this folder
    #[arg(short = 'C', value_name = "DIR", global = true, default_value = ".", hide_default_value = true)]
    pub directory: PathBuf,
    /// Read the configuration from this file [default: release.toml, .config/release.toml, or `[tool.release]` in
    /// pyproject.toml]
    #[arg(long, value_name = "FILE", global = true)]
    pub config: Option<PathBuf>,
    /// Only this package, by name or folder (repeatable)
    #[arg(short, long = "package", value_name = "NAME|PATH", global = true)]
    pub packages: Vec<String>,
    /// Say more
    #[arg(short, long, global = true)]
    pub verbose: bool,
    /// Say nothing but errors and the answer
    #[arg(short, long, global = true, conflicts_with = "verbose")]
    pub quiet: bool,
    /// Color on terminals
    #[arg(long, value_name = "WHEN", global = true, default_value = "auto", hide_default_value = true)]
    pub color: Color,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Color {
    Auto,
    Always,
    Never,
}

impl Color {
    pub fn choice(self) -> ColorChoice {
        match self {
            Color::Auto => ColorChoice::Auto,
            Color::Always => ColorChoice::Always,
            Color::Never => ColorChoice::Never,
        }
    }
}

/// The shape of an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Output {
    Text,
    Json,
    Markdown,
}

#[derive(Debug, Subcommand)]
pub enum Verb {
    /// Write a release.toml for the repository at hand
    ///
    /// Looks at the packages and at the tags in use, and says what it found.
    Init(Late<Init>),
    /// Print what would be released and why
    ///
    /// Reads the local repository only: no network, nothing changed; but for `--comment`, which asks GitHub.
    Plan(Late<Plan>),
    /// Open or update the release pull request
    ///
    /// Pushes the release commit to a branch of its own and keeps one pull request for it, with the plan and the notes as its
    /// text. What people wrote into the notes stays. Merging it is the consent: `release ship` then ships what was merged.
    /// Without `[github]` in the configuration only the branch is pushed.
    Pr(Late<Pr>),
    /// Carry out a plan; run again, finish what an earlier run began
    ///
    /// Builds from a clean checkout of the release commit; branch and tags move only when everything is built
    /// and sealed. Killed anywhere, the same command finishes.
    Ship(Late<Ship>),
    /// Show what is released, unreleased and under way
    Status(Late<Status>),
    /// Bring releases into an environment, prove them, and go back where they do not hold
    ///
    /// Without packages, the last release of each that the environment does not run yet. Killed anywhere, the same command
    /// goes on.
    Deploy(Late<Deploy>),
    /// Bring into an environment what the one before has proven: the same bytes, never built again
    Promote(Late<Promote>),
    /// Take an environment back to what was verified before
    ///
    /// Without a package, what its last deployment moved. One attempt; what it went away from is held, so that nothing brings
    /// it back by itself. Comes before any deployment under way there.
    Rollback(Late<Rollback>),
    /// Stop what moves: every runner stops before its next outside effect; rollbacks stay allowed
    Halt(Late<Halt>),
    /// Let it go on: takes the halt of exactly this scope back, and what is locked or held there
    Resume(Late<Resume>),
    /// Approve a release for an environment; the word is bound to its bytes
    Approve(Late<Approve>),
    /// Mark a published release as bad: it comes into no environment any more
    ///
    /// Says where it runs and who depends on it, how to yank it from the index (PEP 592: by hand, indexes have no interface
    /// for it), waits with --wait until the index says so, and shows the plan that goes forward.
    Withdraw(Late<Withdraw>),
    /// Open a line for mending what runs: a branch at the tag of a release
    ///
    /// Commit the fix there and `release ship`; the highest version stays the latest. `release status` reminds of the line
    /// until its fix is on the main branch too.
    Hotfix(Late<Hotfix>),
    /// Go on with what waits; safe at any time, from cron
    ///
    /// Finishes what a dead runner left, looks at what soaks and takes back what does not hold, deploys what is awaited and
    /// may come now, asks indexes about withdrawn releases.
    Tick(Late<Tick>),
    /// Say what is wrong, and the exact next command
    ///
    /// Looks at the ledger, at who has a release in hand and whether they live, at tags, branch and indexes, and changes
    /// nothing. Leaves with 0 where all is well, 10 where something waits, 11 where facts disagree.
    Doctor(Late<Doctor>),
    /// Close a release, or a deployment, that shall never be finished
    ///
    /// Its tags and published files stay, its numbers are never used again, and the next plan releases its changes under
    /// higher ones.
    Abandon(Late<Abandon>),
    /// Show what happened, from the ledger
    Log(Late<Log>),
    /// Print the notes of a release: of the next one, or of one that was made
    Notes(Late<Notes>),
    /// Write the GitHub Actions workflows of this repository
    ///
    /// From `release.toml` into `.github/workflows/release*.yml`: a tag's release is finished, pull requests are told what they
    /// would release, releases are promoted and taken back by hand, what waits goes on by the clock. Files that it did not
    /// write itself are never touched.
    Generate(Late<Generate>),
    /// Print a JSON Schema
    Schema(Late<Schema>),
    /// Print a shell's completion script
    Completions(Late<Completions>),
    /// Print the manual page (roff)
    #[command(after_help = "Example:\n  release man | man -l -")]
    Man,
}

#[derive(Debug, Args)]
#[command(
    after_help = "Example:\n  release init\n  git add release.toml && git commit -m 'build: configure releases'"
)]
pub struct Init {
    /// Print the file instead of writing it
    #[arg(long)]
    pub print: bool,
}

#[derive(Debug, Args)]
#[command(after_help = "Example:\n  release plan -o plan.json\n  release plan --explain core\n  \
    release plan --assume 'feat(core)!: drop it'\n  \
    release plan --tag core-v2.1.0 --output github")]
pub struct Plan {
    #[command(flatten)]
    pub wish: Wish,
    #[command(flatten)]
    pub assume: Assume,
    #[command(flatten)]
    pub of: PlanOf,
    /// Save the plan; `release ship FILE` carries out exactly this
    #[arg(short = 'o', long = "out", value_name = "FILE")]
    pub out: Option<PathBuf>,
    /// Derive one package's number line by line
    #[arg(long, value_name = "PKG", conflicts_with = "output")]
    pub explain: Option<String>,
    /// The answer's shape
    #[arg(long, value_name = "SHAPE", default_value = "text")]
    pub output: PlanShape,
    /// Fail (4) on commits that can not be read
    #[arg(long)]
    pub strict: bool,
    /// Leave with 3 where there is nothing to release
    #[arg(long)]
    pub detailed_exitcode: bool,
}

/// What is wished for beyond what commits say.
#[derive(Debug, Args)]
pub struct Wish {
    /// Make pre-releases with this label: a, b, rc or dev
    #[arg(long, value_name = "LABEL")]
    pub pre: Option<String>,
    /// Make final releases of packages that stand at a pre-release
    #[arg(long = "final", conflicts_with = "pre")]
    pub graduate: bool,
    /// Allow steps to X.0.0
    #[arg(long)]
    pub allow_major: bool,
    /// Whom to believe where manifest and tag disagree
    #[arg(long, value_name = "WHOM")]
    pub trust: Option<Trust>,
    /// Publish to this index instead of the configured one
    #[arg(long, value_name = "NAME")]
    pub index: Option<String>,
}

impl Wish {
    /// For verbs that look and change nothing: by what commits say alone, steps to X.0.0 told as they are.
    pub fn to_look() -> Wish {
        Wish { pre: None, graduate: false, allow_major: true, trust: None, index: None }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Trust {
    Tag,
    Manifest,
}

#[derive(Debug, Args)]
#[command(after_help = "Example:\n  release plan -o plan.json\n  release ship plan.json --yes")]
pub struct Ship {
    /// A saved plan; without it, the plan of this moment
    #[arg(value_name = "PLAN")]
    pub plan: Option<PathBuf>,
    #[command(flatten)]
    pub wish: Wish,
    /// Stop after this stage; another `release ship` goes on
    #[arg(long, value_name = "STAGE")]
    pub until: Option<Stage>,
    /// Only finish the release that this tag belongs to
    #[arg(long, value_name = "TAG", conflicts_with_all = ["plan", "pre", "graduate"])]
    pub tag: Option<String>,
    /// Release what is on the branch, where the configuration asks for a release pull request
    #[arg(long, conflicts_with = "tag")]
    pub direct: bool,
    #[command(flatten)]
    pub relay: Relay,
    /// Take a release over whose holder can not be proven dead; make sure that it is
    #[arg(long)]
    pub take_over: bool,
    /// Do not ask before the first step that can not be taken back
    #[arg(short, long)]
    pub yes: bool,
    /// The answer's shape
    #[arg(long, value_name = "SHAPE", default_value = "text")]
    pub output: Output,
    /// Leave with 3 where there is nothing to do
    #[arg(long)]
    pub detailed_exitcode: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Stage {
    Build,
    Seal,
    Claim,
    Publish,
    Smoke,
    /// The releases at GitHub are published and told of; without `[github]` the same as smoke.
    Announce,
    /// Everything but the first deployment comes before.
    Deploy,
}

#[derive(Debug, Args)]
#[command(after_help = "Example:\n  release status\n  release status --live")]
pub struct Status {
    /// Ask the environments what really runs there, and name what differs
    #[arg(long)]
    pub live: bool,
    /// The answer's shape
    #[arg(long, value_name = "SHAPE", default_value = "text")]
    pub output: Output,
}

#[derive(Debug, Args)]
#[command(after_help = "Example:\n  release doctor")]
pub struct Doctor {
    /// The answer's shape
    #[arg(long, value_name = "SHAPE", default_value = "text")]
    pub output: Output,
}

#[derive(Debug, Args)]
#[command(after_help = "Example:\n  release abandon core-v2.1.0 --reason 'the index is gone'")]
pub struct Abandon {
    /// A tag of the release; needed where several are under way
    #[arg(value_name = "TAG")]
    pub tag: Option<String>,
    /// In place of a release: the deployment under way in this environment; what runs there stays as it is
    #[arg(long, value_name = "ENVIRONMENT", conflicts_with = "tag")]
    pub environment: Option<String>,
    /// Why, for the ledger
    #[arg(long, value_name = "TEXT")]
    pub reason: String,
    /// Take it from a holder that can not be proven dead; make sure that it is
    #[arg(long)]
    pub take_over: bool,
    /// Do not ask
    #[arg(short, long)]
    pub yes: bool,
    /// The answer's shape
    #[arg(long, value_name = "SHAPE", default_value = "text")]
    pub output: Output,
}

#[derive(Debug, Args)]
#[command(after_help = "Example:\n  release log -n 20")]
pub struct Log {
    /// Only the last N events
    #[arg(short = 'n', value_name = "N")]
    pub last: Option<usize>,
    /// The answer's shape
    #[arg(long, value_name = "SHAPE", default_value = "text")]
    pub output: Output,
}

#[derive(Debug, Args)]
#[command(after_help = "Example:\n  release notes core\n  release notes core --version 2.1.0\n  \
    release notes --from staging --to production")]
pub struct Notes {
    /// The package, by name or folder
    #[arg(value_name = "PKG", required_unless_present = "to")]
    pub package: Option<String>,
    /// A version that was released
    #[arg(long, value_name = "VERSION", requires = "package")]
    pub version: Option<String>,
    /// What a promotion from this environment would bring [default: what `after` of the other names]
    #[arg(long, value_name = "ENVIRONMENT", requires = "to")]
    pub from: Option<String>,
    /// Into this environment
    #[arg(long, value_name = "ENVIRONMENT", conflicts_with_all = ["package", "version"])]
    pub to: Option<String>,
    /// The answer's shape
    #[arg(long, value_name = "SHAPE", default_value = "text")]
    pub output: Output,
}

#[derive(Debug, Args)]
#[command(after_help = "Example:\n  release schema config > release.schema.json")]
pub struct Schema {
    /// Of which format
    #[arg(value_name = "FORMAT")]
    pub format: SchemaOf,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum SchemaOf {
    Config,
    Plan,
}

#[derive(Debug, Args)]
#[command(
    after_help = "Example:\n  release completions bash > ~/.local/share/bash-completion/completions/release"
)]
pub struct Completions {
    #[arg(value_name = "SHELL")]
    pub shell: clap_complete::Shell,
}
