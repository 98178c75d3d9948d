//! What can go wrong between us and a shared store, and what is known to be true then.

use std::sync::LazyLock;

use regex::Regex;

use crate::world::command::{CommandError, plain_line};
use crate::world::files::FileError;
use crate::world::git_error::GitError;
use crate::world::remote::without_credentials;

/// Why a store or a remote could not answer or do something.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// Nothing was changed.
    #[error("`{name}` of `{store}` was moved by somebody else: expected {expected}, found {found}")]
    Lost { store: String, name: String, expected: String, found: String },
    #[error(
        "`{store}` lost what was seen in it: {seen} was its newest link, now it is {found}; \
         restore it from a clone that still has that link, or forget it here with `{way_out}`"
    )]
    Rewound { store: String, seen: String, found: String, way_out: String },
    #[error("`{store}` holds another chain: {words}")]
    Foreign { store: String, words: String },
    /// A hook or rule of the other side said no; nothing moved.
    #[error("`{store}` refused: {words}")]
    Refused { store: String, words: String },
    /// Nothing is known to have happened; reading again tells.
    #[error("can not reach `{store}`: {words}")]
    Unreachable { store: String, words: String },
    #[error("what `{store}` keeps can not be read: {words}")]
    Damaged { store: String, words: String },
    /// The place itself can not be used as it was named.
    #[error("can not use `{store}`: {words}")]
    Unusable { store: String, words: String },
    #[error(transparent)]
    Git(#[from] GitError),
    #[error(transparent)]
    File(#[from] FileError),
}

impl From<CommandError> for StoreError {
    fn from(error: CommandError) -> StoreError {
        StoreError::Git(GitError::Command(error))
    }
}

/// How much of what the other side said enters a message, in characters.
const SAID: usize = 600;

/// What the other side said, fit for a message: on one line, no control characters, no credentials in addresses,
/// of bounded length.
pub(in crate::world) fn words(text: &str) -> String {
    static ADDRESS: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(r#"[A-Za-z][A-Za-z0-9+.-]*://[^\s'"<>`]+"#)
            .expect("the pattern is a constant and compiles")
    });
    let lines: Vec<String> = text.lines().map(|line| plain_line(line).trim().to_owned()).collect();
    let line =
        lines.iter().filter(|line| !line.is_empty()).map(String::as_str).collect::<Vec<_>>().join("; ");
    let shown = ADDRESS.replace_all(&line, |found: &regex::Captures<'_>| without_credentials(&found[0]));
    match shown.char_indices().nth(SAID) {
        Some((end, _)) => format!("{}…", &shown[..end]),
        None => shown.into_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::words;

    #[test]
    fn what_a_server_says_is_short_plain_and_without_credentials() {
        let check = |text: &str, expected: &str| assert_eq!(words(text), expected);
        check("remote: \u{1b}[31mno\u{1b}[0m\n\nremote: never\u{7}\n", "remote: no; remote: never");
        check(
            "unable to access 'https://me:token@host/a.git/': no",
            "unable to access 'https://host/a.git/': no",
        );
        assert_eq!(words(&"é".repeat(5000)).chars().count(), 601);
    }
}
