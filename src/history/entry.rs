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
    /// The entry without its prose and its footers, which notes and plans do not tell of a commit.
    pub fn in_short(&self) -> Entry {
        Entry {
            kind: self.kind.clone(),
            scope: self.scope.clone(),
            description: self.description.clone(),
            body: None,
            breaking: self.breaking,
            breaking_notes: self.breaking_notes.clone(),
            stable: self.stable,
            footers: Vec::new(),
            release_as: self.release_as.clone(),
            packages: self.packages.clone(),
            references: self.references.clone(),
            pull_request: self.pull_request,
            from_squash: self.from_squash,
        }
    }
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
