//! One change as a message tells it: type, scope, description, what breaks, footers.

/// One conventional change. A message holds one, or several where it squashes commits.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Entry {
    /// The type in lower case: `feat`.
    pub kind: String,
    /// The scope as written, without the space around it.
    pub scope: Option<String>,
    pub description: String,
    /// The prose of this entry, without its footers.
    pub body: Option<String>,
    pub breaking: bool,
    /// The text of each `BREAKING CHANGE` footer; the description where `!` stands alone.
    pub breaking_notes: Vec<String>,
    /// Whether it takes 0.y.z to 1.0.0: `!!` or a footer `INITIAL STABLE RELEASE`
    /// (the draft after Conventional Commits 1.0.0).
    pub stable: bool,
    pub footers: Vec<Footer>,
    /// The value of its last `Release-As` footer, as written.
    pub release_as: Option<String>,
    /// The names in its `Packages` footers.
    pub packages: Vec<String>,
    /// Issues and pull requests: those named in the first line, then those in closing footers.
    pub references: Vec<u64>,
    /// The pull request that the first line of the message ends in: `(#12)`.
    pub pull_request: Option<u64>,
    /// Whether it came out of the body of a message, not out of its first line.
    pub from_squash: bool,
}

impl Entry {
    /// What plans and notes tell of it.
    pub fn brief(&self) -> Brief {
        Brief {
            kind: self.kind.as_str().into(),
            scope: self.scope.as_deref().map(Box::from),
            description: self.description.as_str().into(),
            body: None,
            breaking: self.breaking,
            breaking_notes: self.breaking_notes.as_slice().into(),
            stable: self.stable,
            references: self.references.as_slice().into(),
            pull_request: self.pull_request,
        }
    }
}

/// What plans and notes tell of an entry: without its footers, and of a commit's without its prose. Small, as histories are
/// long.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Brief {
    pub kind: Box<str>,
    pub scope: Option<Box<str>>,
    pub description: Box<str>,
    /// What there is more to say.
    pub body: Option<Box<str>>,
    pub breaking: bool,
    pub breaking_notes: Box<[String]>,
    pub stable: bool,
    pub references: Box<[u64]>,
    pub pull_request: Option<u64>,
}

/// A footer (Conventional Commits 1.0.0, items 8 to 10).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Footer {
    /// As written: `Signed-off-by`, `BREAKING CHANGE`.
    pub token: String,
    pub separator: Separator,
    /// Without the space around it; line breaks stay.
    pub value: String,
}

/// What stands between the token and the value of a footer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Separator {
    /// `Refs: #12`
    Colon,
    /// `Refs #12`
    Hash,
}

impl Footer {
    /// Whether it announces a breaking change; only in upper case (items 15 and 16).
    pub fn is_breaking(&self) -> bool {
        matches!(self.token.as_str(), "BREAKING CHANGE" | "BREAKING-CHANGE")
    }

    /// Whether it takes 0.y.z to 1.0.0.
    pub fn is_stable(&self) -> bool {
        matches!(self.token.as_str(), "INITIAL STABLE RELEASE" | "INITIAL-STABLE-RELEASE")
    }

    /// Whether its token is this one, in any case.
    pub fn is(&self, token: &str) -> bool {
        self.token.eq_ignore_ascii_case(token)
    }
}
