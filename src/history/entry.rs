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
    /// What plans and notes tell of it, and this prose besides.
    pub fn brief(&self, body: Option<&str>) -> Brief {
        let Entry { kind, scope, description, breaking_notes, references, .. } = self;
        let is_more = body.is_some() || !breaking_notes.is_empty() || !references.is_empty();
        Brief {
            words: [kind, scope.as_deref().unwrap_or_default(), description].concat().into(),
            kind: length(kind),
            scope: scope.as_deref().map(length),
            breaking: self.breaking,
            stable: self.stable,
            pull_request: self.pull_request,
            more: is_more.then(|| {
                Box::new(More {
                    body: body.map(Box::from),
                    breaking_notes: breaking_notes.as_slice().into(),
                    references: references.as_slice().into(),
                })
            }),
        }
    }
}

/// What plans and notes tell of an entry: without its footers, and of a commit's without its prose. Small, as histories are
/// long.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Brief {
    /// Type, scope and description, one behind the other.
    words: Box<str>,
    /// How many bytes of them are the type.
    kind: u32,
    /// How many behind them are the scope.
    scope: Option<u32>,
    pub breaking: bool,
    pub stable: bool,
    pub pull_request: Option<u64>,
    more: Option<Box<More>>,
}

/// What few entries have.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct More {
    body: Option<Box<str>>,
    breaking_notes: Box<[String]>,
    references: Box<[u64]>,
}

impl Brief {
    /// The type in lower case.
    pub fn kind(&self) -> &str {
        self.words.get(..self.kind as usize).unwrap_or_default()
    }

    /// The scope as written.
    pub fn scope(&self) -> Option<&str> {
        self.words.get(self.kind as usize..)?.get(..self.scope? as usize)
    }

    pub fn description(&self) -> &str {
        let start = self.kind as usize + self.scope.map_or(0, |length| length as usize);
        self.words.get(start..).unwrap_or_default()
    }

    /// What there is more to say.
    pub fn body(&self) -> Option<&str> {
        self.more.as_ref()?.body.as_deref()
    }

    pub fn breaking_notes(&self) -> &[String] {
        self.more.as_ref().map_or(&[], |more| &more.breaking_notes)
    }

    pub fn references(&self) -> &[u64] {
        self.more.as_ref().map_or(&[], |more| &more.references)
    }
}

/// In bytes.
fn length(word: &str) -> u32 {
    u32::try_from(word.len()).unwrap_or(u32::MAX)
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_brief_says_what_its_entry_says() {
        let words = ["", "feat", "für"];
        let scopes = [None, Some(""), Some("core"), Some("für alle")];
        for (kind, scope) in words.into_iter().flat_map(|kind| scopes.map(|scope| (kind, scope))) {
            for description in words {
                let entry = Entry {
                    kind: kind.to_owned(),
                    scope: scope.map(str::to_owned),
                    description: description.to_owned(),
                    breaking: true,
                    pull_request: Some(7),
                    ..Entry::default()
                };
                let brief = entry.brief(None);
                assert_eq!((brief.kind(), brief.scope(), brief.description()), (kind, scope, description));
                assert!(brief.breaking && !brief.stable && brief.more.is_none());
                assert_eq!((brief.pull_request, brief.body()), (Some(7), None));
                assert!(brief.breaking_notes().is_empty() && brief.references().is_empty());
            }
        }
    }

    #[test]
    fn a_brief_has_what_there_is_more() {
        let notes = Entry { breaking_notes: vec!["x is gone".to_owned()], ..Entry::default() }.brief(None);
        assert_eq!((notes.breaking_notes(), notes.body()), (&["x is gone".to_owned()][..], None));
        let references = Entry { references: vec![1, 2], ..Entry::default() }.brief(None);
        assert_eq!((references.references(), references.breaking_notes().len()), (&[1, 2][..], 0));
        assert_eq!(Entry::default().brief(Some("more")).body(), Some("more"));
    }
}
