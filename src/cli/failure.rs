//! The one meeting place of errors: kind, text, hints, exit code.

use crate::report::failure::render_failure;

/// Why the program leaves without having done what it was asked.
#[derive(Debug)]
pub struct Failure {
    pub kind: Kind,
    pub error: Box<dyn std::error::Error>,
    pub hints: Vec<String>,
}

/// What kind of failure, and so which exit code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Our fault.
    Bug,
    /// Words on the command line, configuration, or the repository's own state.
    User,
    /// A gate did not hold: a build, a check, a smoke test.
    Gate,
    /// A deployment failed, and the environment runs what worked before.
    RolledBack,
    /// A deployment failed and could not go back: a person is needed.
    NeedsPerson,
    /// The plan is stale, or somebody was faster.
    Stale,
    /// A check could not be made.
    Undecided,
    /// Not allowed now: a consent is missing.
    NotAllowed,
    /// The outside failed midway; run it again.
    Outside,
    /// Another file stands under our name.
    Conflict,
}

impl Failure {
    pub fn new(kind: Kind, error: impl Into<Box<dyn std::error::Error>>) -> Failure {
        Failure { kind, error: error.into(), hints: Vec::new() }
    }

    pub fn user(error: impl Into<Box<dyn std::error::Error>>) -> Failure {
        Failure::new(Kind::User, error)
    }

    pub fn hint(mut self, hint: impl Into<String>) -> Failure {
        self.hints.push(hint.into());
        self
    }

    /// The exit code.
    pub fn code(&self) -> u8 {
        match self.kind {
            Kind::Bug => 1,
            Kind::User => 2,
            Kind::Gate => 4,
            Kind::RolledBack => 5,
            Kind::NeedsPerson => 6,
            Kind::Stale => 7,
            Kind::Undecided => 8,
            Kind::NotAllowed => 9,
            Kind::Outside => 10,
            Kind::Conflict => 11,
        }
    }

    /// The failure as people read it.
    pub fn render(&self, color: bool) -> String {
        render_failure(self.error.as_ref(), &self.hints, color)
    }
}
