//! The checks of an environment, complete: what is asked, what must hold, when and how often.

use crate::check::expression::Criterion;
use crate::workspace::config::environment::{CheckKind, CheckTable, EnvironmentTable};
use crate::workspace::config::schedule::Schedule;

/// One check.
#[derive(Debug, Clone, PartialEq)]
pub struct Check {
    /// Its kind and its place in the environment, from 1: `http-1`.
    pub name: String,
    pub question: Question,
    pub criterion: Criterion,
    pub schedule: Schedule,
    /// The packages that it is made for; none named: all.
    pub packages: Option<Vec<String>>,
}

/// What is asked, and of whom.
#[derive(Debug, Clone, PartialEq)]
pub enum Question {
    Http { url: String },
    Command { argv: Vec<String> },
    Container,
    Install,
    Metrics { url: String, query: String, samples: Option<Samples> },
    Version(Source),
}

/// The query that counts samples, and the least number that it must give.
#[derive(Debug, Clone, PartialEq)]
pub struct Samples {
    pub query: String,
    pub min: f64,
}

/// Who says which version runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    Url(String),
    Command(Vec<String>),
    /// The target itself.
    Target,
}

/// The checks of an environment, in the order they are written.
pub fn checks(environment: &EnvironmentTable) -> Vec<Check> {
    environment.validate.iter().enumerate().map(|(index, table)| Check::of(table, index + 1)).collect()
}

impl Check {
    /// A check of a table that was read: what its kind needs is there.
    pub fn of(table: &CheckTable, number: usize) -> Check {
        let url = || table.url.clone().unwrap_or_default();
        let question = match table.kind {
            CheckKind::Http => Question::Http { url: url() },
            CheckKind::Command => Question::Command { argv: table.command.clone().unwrap_or_default() },
            CheckKind::Container => Question::Container,
            CheckKind::Install => Question::Install,
            CheckKind::Metrics => Question::Metrics {
                url: url(),
                query: table.query.clone().unwrap_or_default(),
                samples: table
                    .samples
                    .as_ref()
                    .map(|samples| Samples { query: samples.query.clone(), min: samples.min }),
            },
            CheckKind::Version => Question::Version(match (&table.url, &table.command) {
                (Some(url), _) => Source::Url(url.clone()),
                (None, Some(argv)) => Source::Command(argv.clone()),
                (None, None) => Source::Target,
            }),
        };
        Check {
            name: format!("{}-{number}", word(table.kind)),
            question,
            criterion: Criterion { expect: table.expect.clone(), success: table.success.clone() },
            schedule: table.schedule(),
            packages: table.packages.clone(),
        }
    }

    /// Whether it is made for a package.
    pub fn is_for(&self, package: &str) -> bool {
        self.packages.as_ref().is_none_or(|packages| packages.iter().any(|name| name == package))
    }
}

fn word(kind: CheckKind) -> &'static str {
    match kind {
        CheckKind::Http => "http",
        CheckKind::Command => "command",
        CheckKind::Container => "container",
        CheckKind::Install => "install",
        CheckKind::Metrics => "metrics",
        CheckKind::Version => "version",
    }
}
