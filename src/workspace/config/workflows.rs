//! The keys of `[workflows]`: what `release generate` writes for GitHub Actions.

use std::collections::{BTreeMap, BTreeSet};

use schemars::JsonSchema;
use serde::Deserialize;

use crate::workspace::config::problem::Problem;
use crate::workspace::config::spanned::Node;
use crate::workspace::config::tables::Tables;
use crate::workspace::config::text::{self, Span};

/// The workflows that `release generate` writes.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct WorkflowsTable {
    /// How a job gets `release`: wheel (from the index that pip is set to), action, or source (this repository is its
    /// own source, and cargo builds it).
    pub install: Option<Install>,
    /// What is installed: for wheel a requirement that allows one version ("release==1.2.3"), for action the action and
    /// its commit ("OWNER/release@" and 40 digits).
    pub from: Option<String>,
    /// The SHA-256 digests of the wheels that may be installed (default: whatever the index serves).
    pub sha256: Vec<String>,
    /// Which workflows are written (default: release and plan; promote, rollback and tick where there is an environment).
    pub write: Option<Vec<Workflow>>,
    /// How many jobs publish a release: one (default), or one for each package.
    pub publish: Option<Publishing>,
    /// The labels of the runners (default: ["ubuntu-24.04"]).
    pub runner: Option<Vec<String>>,
    /// The labels of the runners that reach an environment, by its name.
    pub runner_of: BTreeMap<String, Vec<String>>,
    /// The version of Python that jobs run with (default: "3.12").
    pub python: Option<String>,
    /// The GitHub environment of the job that publishes (default: the index' name, "release" where there are several,
    /// none where every package goes to a folder).
    #[schemars(with = "Option<text::Name>")]
    pub environment: Option<String>,
    /// Secrets that jobs hand to `release` as variables of the same names, beside the tokens of indexes and what
    /// services name with `env-from`.
    pub secrets: Vec<String>,
    /// When `release tick` runs, as cron writes it in UTC (default: once an hour, at a minute that depends on the
    /// repository).
    pub schedule: Option<String>,
    /// How long a job may take (default: "2h").
    pub timeout: Option<Span>,
    /// The file with the commits of the actions that workflows use (default: ".release/pins.toml"); without it, those
    /// that this version of `release` knows.
    #[schemars(with = "Option<text::InsidePath>")]
    pub pins: Option<String>,
}

/// How a job gets `release`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Install {
    /// pip installs a wheel.
    Wheel,
    /// `uses: OWNER/release@COMMIT`.
    Action,
    /// cargo builds this repository.
    Source,
}

/// How many jobs publish a release.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Publishing {
    /// One job publishes all packages.
    One,
    /// Each package has a job of its own; those that need another one's wait for it.
    Package,
}

/// A workflow that can be written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Workflow {
    /// A pushed tag's release is finished.
    Release,
    /// A pull request is told what it would release.
    Plan,
    /// The release pull request is kept up to date, and what was merged is claimed.
    PullRequest,
    /// A person promotes a release.
    Promote,
    /// A person takes an environment back.
    Rollback,
    /// What waits goes on, by the clock.
    Tick,
}

impl Workflow {
    pub const ALL: [Workflow; 6] = [
        Workflow::Release,
        Workflow::Plan,
        Workflow::PullRequest,
        Workflow::Promote,
        Workflow::Rollback,
        Workflow::Tick,
    ];

    /// The file's name in `.github/workflows`.
    pub fn file(self) -> &'static str {
        match self {
            Workflow::Release => "release.yml",
            Workflow::Plan => "release-plan.yml",
            Workflow::PullRequest => "release-pr.yml",
            Workflow::Promote => "release-promote.yml",
            Workflow::Rollback => "release-rollback.yml",
            Workflow::Tick => "release-tick.yml",
        }
    }
}

impl WorkflowsTable {
    /// Which workflows are written, where there are environments or not, and some that come after another or none.
    pub fn wanted(&self, environments: bool, followers: bool) -> BTreeSet<Workflow> {
        if let Some(named) = &self.write {
            return named.iter().copied().collect();
        }
        let needed = |workflow: &Workflow| match workflow {
            Workflow::Release | Workflow::Plan => true,
            Workflow::PullRequest => false,
            Workflow::Promote => followers,
            Workflow::Rollback | Workflow::Tick => environments,
        };
        Workflow::ALL.into_iter().filter(needed).collect()
    }

    pub fn runner(&self) -> Vec<String> {
        self.runner.clone().unwrap_or_else(|| vec!["ubuntu-24.04".to_owned()])
    }

    /// The labels of the runners that reach an environment.
    pub fn runner_of(&self, environment: &str) -> Vec<String> {
        self.runner_of.get(environment).cloned().unwrap_or_else(|| self.runner())
    }

    pub fn python(&self) -> &str {
        self.python.as_deref().unwrap_or("3.12")
    }

    /// Minutes that a job may take, at least one.
    pub fn minutes(&self) -> u64 {
        self.timeout.map_or(120, |span| span.seconds.div_ceil(60).max(1))
    }

    pub fn pins(&self) -> &str {
        self.pins.as_deref().unwrap_or(".release/pins.toml")
    }
}

/// What is wrong between the keys of `[workflows]`.
pub fn check(tables: &Tables, document: &Node) -> Vec<Problem> {
    let table = &tables.workflows;
    let at = |key: &str| document.place_of(&["workflows", key]);
    let mut problems = Vec::new();
    let mut say = |key: &str, message: &str, help: &str| {
        problems.push(Problem::new(at(key), message).with_help(help));
    };
    source(table, &mut say);
    let is_label = |label: &String| !label.is_empty() && is_plain(label, "-_. ");
    if table.runner.iter().chain(table.runner_of.values()).any(Vec::is_empty) {
        say("runner", "a job needs a runner", "name at least one label: [\"ubuntu-24.04\"]");
    }
    if !table.runner.iter().chain(table.runner_of.values()).flatten().all(is_label) {
        say("runner", "that is no label of a runner", "letters, digits, `-`, `_`, `.` and spaces");
    }
    for name in table.runner_of.keys().filter(|name| !tables.environment.contains_key(*name)) {
        say("runner-of", &format!("there is no environment `{name}`"), "name one of [environment.NAME]");
    }
    if table.python.as_ref().is_some_and(|version| version.is_empty() || !is_plain(version, ".-")) {
        say("python", "that is no version of Python", "for example \"3.12\"");
    }
    if table.schedule.as_ref().is_some_and(|cron| !is_cron(cron)) {
        say("schedule", "cron does not read that", "five fields, for example \"17 * * * *\"");
    }
    let is_name = |name: &String| {
        name.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_')
            && name.chars().all(|one| one.is_ascii_alphanumeric() || one == '_')
            && !name.to_ascii_uppercase().starts_with("GITHUB_")
    };
    if !table.secrets.iter().all(is_name) {
        let help = "letters, digits and `_`, not beginning with a digit or GITHUB_";
        say("secrets", "GitHub does not allow that name for a secret", help);
    }
    problems
}

fn source(table: &WorkflowsTable, say: &mut dyn FnMut(&str, &str, &str)) {
    match (table.install, table.from.as_deref()) {
        (None, Some(_)) => say("from", "`from` needs `install`", "say `install = \"wheel\"` or \"action\""),
        (Some(Install::Source), Some(_)) => {
            say("from", "what cargo builds comes from this repository", "take `from` out");
        }
        (Some(Install::Wheel), None) => {
            say("install", "a wheel needs `from`", "for example `from = \"release==1.2.3\"`");
        }
        (Some(Install::Wheel), Some(from)) if !is_exact(from) => {
            say("from", "a wheel needs one exact version", "for example `from = \"release==1.2.3\"`");
        }
        (Some(Install::Action), None) => {
            say(
                "install",
                "an action needs `from`",
                "the action and its commit: \"OWNER/release@\" and 40 digits",
            );
        }
        (Some(Install::Action), Some(from)) if !is_pinned(from) => {
            let help = "tags move: name the commit, \"OWNER/release@\" and 40 hexadecimal digits";
            say("from", "that names no commit of an action", help);
        }
        _ => {}
    }
    if !table.sha256.is_empty() && table.install != Some(Install::Wheel) {
        say("sha256", "digests are those of wheels", "they go with `install = \"wheel\"`");
    }
    if !table.sha256.iter().all(|digest| is_hex(digest, 64)) {
        say("sha256", "that is no SHA-256", "64 hexadecimal digits, as `pip hash` prints them");
    }
}

/// `name==version`, and nothing that pip would read as an option or as more.
fn is_exact(requirement: &str) -> bool {
    requirement.split_once("==").is_some_and(|(name, version)| {
        name.starts_with(|first: char| first.is_ascii_alphanumeric())
            && is_plain(name, "-_.")
            && version.starts_with(|first: char| first.is_ascii_digit())
            && is_plain(version, ".+!")
    })
}

/// `OWNER/NAME@COMMIT`.
fn is_pinned(action: &str) -> bool {
    action.split_once('@').is_some_and(|(name, commit)| {
        let parts: Vec<&str> = name.split('/').collect();
        parts.len() >= 2 && parts.iter().all(|part| is_word(part)) && is_hex(commit, 40)
    })
}

fn is_word(part: &str) -> bool {
    !part.is_empty() && !part.starts_with('.') && is_plain(part, "-_.")
}

fn is_plain(text: &str, more: &str) -> bool {
    text.chars().all(|one| one.is_ascii_alphanumeric() || more.contains(one))
}

pub fn is_hex(text: &str, length: usize) -> bool {
    text.len() == length && text.chars().all(|one| matches!(one, '0'..='9' | 'a'..='f'))
}

fn is_cron(text: &str) -> bool {
    let fields: Vec<&str> = text.split(' ').collect();
    fields.len() == 5 && fields.iter().all(|field| !field.is_empty() && is_plain(field, "*/,-"))
}

#[cfg(test)]
mod tests {
    use crate::workspace::config::{Config, ConfigPlace};

    fn problem(keys: &str) -> Option<String> {
        let text = format!("[workflows]\n{keys}\n\n[environment.staging]\n");
        let read = Config::read(&text, "release.toml", ConfigPlace::File);
        read.err().map(|problems| problems.list[0].message.clone())
    }

    #[test]
    fn what_jobs_install_is_pinned() {
        let sha = "0123456789abcdef0123456789abcdef01234567";
        for fine in [
            "install = \"source\"".to_owned(),
            "install = \"wheel\"\nfrom = \"release==1.2.3\"".to_owned(),
            format!(
                "install = \"wheel\"\nfrom = \"acme-release==1!2.0+local\"\nsha256 = [\"{}\"]",
                "a".repeat(64)
            ),
            format!("install = \"action\"\nfrom = \"acme/release@{sha}\""),
            String::new(),
        ] {
            assert_eq!(problem(&fine), None, "{fine}");
        }
        for (bad, said) in [
            ("install = \"wheel\"", "a wheel needs `from`"),
            ("install = \"wheel\"\nfrom = \"release\"", "a wheel needs one exact version"),
            ("install = \"wheel\"\nfrom = \"release==1.*\"", "a wheel needs one exact version"),
            ("install = \"wheel\"\nfrom = \"--index-url==1\"", "a wheel needs one exact version"),
            ("install = \"wheel\"\nfrom = \"release==1 ; rm\"", "a wheel needs one exact version"),
            ("install = \"action\"\nfrom = \"acme/release@v1\"", "that names no commit of an action"),
            ("install = \"action\"\nfrom = \"../x@v1\"", "that names no commit of an action"),
            ("install = \"source\"\nfrom = \"x\"", "what cargo builds comes from this repository"),
            ("from = \"release==1\"", "`from` needs `install`"),
            ("sha256 = [\"ab\"]\ninstall = \"source\"", "digests are those of wheels"),
        ] {
            assert_eq!(problem(bad).as_deref(), Some(said), "{bad}");
        }
    }

    #[test]
    fn words_that_go_into_workflows_are_plain() {
        assert_eq!(
            problem("runner = [\"self-hosted\", \"big box\"]\nrunner-of = { staging = [\"x\"] }"),
            None
        );
        assert_eq!(
            problem("schedule = \"17 */2 * * 1-5\"\nsecrets = [\"DEPLOY_KEY\"]\ntimeout = \"45m\""),
            None
        );
        for (bad, said) in [
            ("runner = []", "a job needs a runner"),
            ("runner = [\"${{ x }}\"]", "that is no label of a runner"),
            ("runner-of = { nowhere = [\"x\"] }", "there is no environment `nowhere`"),
            ("python = \"3.12 ${{ x }}\"", "that is no version of Python"),
            ("schedule = \"hourly\"", "cron does not read that"),
            ("schedule = \"0 0 * * '\"", "cron does not read that"),
            ("secrets = [\"a-b\"]", "GitHub does not allow that name for a secret"),
            ("secrets = [\"github_x\"]", "GitHub does not allow that name for a secret"),
        ] {
            assert_eq!(problem(bad).as_deref(), Some(said), "{bad}");
        }
    }
}
