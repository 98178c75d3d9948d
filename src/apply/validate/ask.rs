//! One try of a check: asks once, and says what the answer shows.

use std::ffi::OsString;
use std::time::{Duration, Instant};

use tokio::time::timeout;

use crate::apply::target::Observed;
use crate::apply::validate::Subject;
use crate::apply::validate::{http, install, metrics, program, running};
use crate::check::expression::Judgement;
use crate::check::plain::shortened;
use crate::check::proof::{Check, Question, Source};
use crate::check::trial::Try;
use crate::workspace::config::placeholder::Filling;

/// The most characters of a try's words.
const WORDS: usize = 300;

/// What one try showed.
#[derive(Debug, Clone, PartialEq)]
pub struct Asked {
    pub shown: Try,
    /// Why, in one plain line; may be empty.
    pub words: String,
    /// The number that was measured.
    pub number: Option<f64>,
}

/// Asks once; a try that takes longer than the check allows is no answer of whom it asks.
pub async fn ask(check: &Check, subject: &Subject<'_>, first_look: &mut Option<Observed>) -> Asked {
    let limit = check.schedule.timeout;
    match timeout(limit, question(check, subject, first_look)).await {
        Ok(asked) => asked,
        Err(_) => late(&check.question, limit),
    }
}

async fn question(check: &Check, subject: &Subject<'_>, first_look: &mut Option<Observed>) -> Asked {
    let limit = check.schedule.timeout;
    match &check.question {
        Question::Http { url } => http::ask(url, check, subject).await,
        Question::Command { argv } => program::ask(argv, check, subject).await,
        Question::Container => running::container(subject, first_look).await,
        Question::Install => install::ask(subject, limit).await,
        Question::Metrics { url, query, samples } => {
            metrics::ask(url, query, samples.as_ref(), check, subject).await
        }
        Question::Version(Source::Url(url)) => http::version(url, limit, subject).await,
        Question::Version(Source::Command(argv)) => program::version(argv, limit, subject).await,
        Question::Version(Source::Target) => running::version(subject).await,
    }
}

/// No answer in time: of the service a failure, of a judge an error.
fn late(question: &Question, limit: Duration) -> Asked {
    let words = format!("no answer within {}", seconds(limit));
    match question {
        Question::Http { .. } | Question::Command { .. } => Asked::fail(words),
        Question::Version(Source::Url(_) | Source::Command(_)) => Asked::fail(words),
        Question::Metrics { .. }
        | Question::Container
        | Question::Install
        | Question::Version(Source::Target) => Asked::error(words),
    }
}

fn seconds(span: Duration) -> String {
    format!("{} s", span.as_secs_f64())
}

impl Asked {
    pub fn pass(words: impl AsRef<str>) -> Asked {
        Asked::new(Try::Pass, words.as_ref())
    }

    pub fn fail(words: impl AsRef<str>) -> Asked {
        Asked::new(Try::Fail, words.as_ref())
    }

    pub fn no_data(words: impl AsRef<str>) -> Asked {
        Asked::new(Try::NoData, words.as_ref())
    }

    pub fn error(words: impl AsRef<str>) -> Asked {
        Asked::new(Try::Error, words.as_ref())
    }

    /// What a criterion says; `seen` are the words of a pass.
    pub fn judged(judgement: Judgement, seen: impl AsRef<str>) -> Asked {
        match judgement {
            Judgement::Pass => Asked::pass(seen),
            Judgement::Fail(reason) => Asked::fail(reason),
            Judgement::Unjudged(reason) => Asked::error(reason),
        }
    }

    pub fn with_number(mut self, number: f64) -> Asked {
        self.number = Some(number);
        self
    }

    fn new(shown: Try, words: &str) -> Asked {
        Asked { shown, words: shortened(words, WORDS), number: None }
    }
}

/// The digest as text, kept for placeholders.
pub(in crate::apply::validate) struct Names {
    digest: String,
}

impl Names {
    pub(in crate::apply::validate) fn of(subject: &Subject<'_>) -> Names {
        Names { digest: subject.placed.digest().to_string() }
    }

    /// What placeholders and expressions call the release.
    pub(in crate::apply::validate) fn filling<'n>(&'n self, subject: &'n Subject<'_>) -> Filling<'n> {
        Filling { version: &subject.placed.version, digest: &self.digest, package: &subject.placed.package }
    }
}

/// A clock for `seconds`.
pub(in crate::apply::validate) struct Watch(Instant);

impl Watch {
    pub(in crate::apply::validate) fn start() -> Watch {
        Watch(Instant::now())
    }

    pub(in crate::apply::validate) fn seconds(&self) -> f64 {
        self.0.elapsed().as_secs_f64()
    }
}

/// The text of a variable, unless it is empty.
pub(in crate::apply::validate) fn text_of(value: Option<OsString>) -> Option<String> {
    value?.into_string().ok().map(|text| text.trim().to_owned()).filter(|text| !text.is_empty())
}

/// Whether an answer names the version that was deployed, and what it means where it does not.
pub(in crate::apply::validate) fn compare_version(said: &str, subject: &Subject<'_>) -> Asked {
    use crate::version::number::Version;
    let same = |wanted: &str| match (Version::parse(said), Version::parse(wanted)) {
        (Ok(said), Ok(wanted)) => said == wanted,
        _ => said == wanted,
    };
    let wanted = &subject.placed.version;
    if same(wanted) {
        return Asked::pass(format!("answers {said}"));
    }
    let is_old = subject.before.is_some_and(|before| same(&before.version));
    let why = if is_old { ": nothing was deployed, the old version still answers" } else { "" };
    Asked::fail(format!("answers {}, not {wanted}{why}", shortened(said, 40)))
}
