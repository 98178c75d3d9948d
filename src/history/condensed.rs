//! A message without the prose that nobody reads: of a long history all messages are held at once.

use memchr::{memchr3, memmem};

use crate::history::lines::{QUOTING, holds};
use crate::history::revert::may_revert;

/// Puts a message behind a text, each paragraph of mere prose as one full stop.
///
/// Nothing that is read of a message changes by it, but for the prose of its entries, which no plan and no notes tell: a
/// paragraph goes where none of its lines can be a footer, a commit of a squash, a scope, a bullet or a word about a revert. The
/// first paragraph stays as it is, and so does all of a message that quotes something, has a breaking note (which goes on over
/// paragraphs), reverts, or has marks around what counts instead of it.
pub fn push_condensed(message: &str, behind: &mut String) {
    let before = behind.len();
    if condense(message, behind).is_none() {
        behind.truncate(before);
        behind.push_str(message);
    }
}

/// What stands in place of a paragraph.
const STOP: &str = ".\n";

/// Puts what stays behind a text; `None` where all must stay.
fn condense(message: &str, behind: &mut String) -> Option<()> {
    let has = |word: &str| memmem::find(message.as_bytes(), word.as_bytes()).is_some();
    if message.starts_with('\u{feff}') || has("BREAKING") || has("_COMMIT") || may_revert(message) {
        return None;
    }
    let (mut kept, mut at, mut is_first) = (0, 0, true);
    let mut paragraph = None;
    // The empty line at the end closes the last paragraph.
    for line in message.split_inclusive('\n').chain([""]) {
        let text = line.trim();
        if text.is_empty() {
            if let Some((start, is_list)) = paragraph.take() {
                if !(is_first || is_list) && is_prose(&message[start..at]) {
                    behind.push_str(&message[kept..start]);
                    behind.push_str(STOP);
                    kept = at;
                }
                is_first = false;
            }
        } else {
            if text.starts_with(QUOTING) {
                return None;
            }
            let is_list = text.starts_with(['*', '-']);
            let (start, so_far) = paragraph.unwrap_or((at, false));
            paragraph = Some((start, so_far || is_list));
        }
        at += line.len();
    }
    behind.push_str(&message[kept..]);
    Some(())
}

/// Whether none of its lines can begin a footer or a commit, name an issue or a scope, or say what is reverted.
fn is_prose(paragraph: &str) -> bool {
    memchr3(b':', b'#', b'(', paragraph.as_bytes()).is_none() && !holds(paragraph, "revert")
}

#[cfg(test)]
mod tests {
    use super::push_condensed;

    fn check(message: &str, expected: &str) {
        let mut text = "x".to_owned();
        push_condensed(message, &mut text);
        assert_eq!(text, format!("x{expected}"), "{message:?}");
    }

    #[test]
    fn prose_goes_and_what_is_read_stays() {
        check("feat: one\n\nMuch to say\nabout it.\n\nRefs: #1\n", "feat: one\n\n.\n\nRefs: #1\n");
        check("\n feat: one\nat once\n\nmuch", "\n feat: one\nat once\n\n.\n");
        check("a\r\n\r\nb\r\nc\r\n\r\nd: e\r\n", "a\r\n\r\n.\n\r\nd: e\r\n");
        check("a\n\nb\n \t\nc\n", "a\n\n.\n \t\n.\n");
        check("feat: one", "feat: one");
        check("", "");
    }

    #[test]
    fn what_may_tell_something_stays() {
        for paragraph in [
            "Note: this",
            "said\nFixes #1",
            "* a point\ngoes on",
            "said\n  - a point",
            "(cherry picked from commit 63ec09b)",
            "This reverts commit 63ec09b9e844.",
            "It was REVERTED",
        ] {
            let message = format!("feat: one\n\n{paragraph}\n\nthe end: now");
            check(&message, &message);
        }
        for line in ["> said", " ```", "~~~", "<details>", "BREAKING CHANGE", "BEGIN_COMMIT_OVERRIDE"] {
            let message = format!("feat: one\n\nprose\n\n{line}\n\nprose");
            check(&message, &message);
        }
        for title in ["Revert \"feat: one\"", "\u{feff}feat: one", "reapply x"] {
            let message = format!("{title}\n\nprose\n");
            check(&message, &message);
        }
    }
}
