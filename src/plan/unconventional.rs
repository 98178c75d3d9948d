//! What stands in place of a conventional entry: those of fragments and reverts, and the words for messages that are known.

use crate::history::entry::{Brief, Entry};
use crate::history::fragment::Fragment;
use crate::history::reader::Known;
use crate::version::bump::Bump;

/// A fragment's entry: its first paragraph, and the others as what there is more to say.
pub fn entry_of_fragment(fragment: &Fragment, bump: Bump) -> Brief {
    let (first, rest) = fragment.text.split_once("\n\n").unwrap_or((&fragment.text, ""));
    let body = Some(rest.trim()).filter(|rest| !rest.is_empty());
    let entry = Entry { breaking: bump == Bump::Major, ..plain_entry(kind_of_fragment(bump), first.trim()) };
    entry.brief(body)
}

/// An entry that is no conventional commit's: a fragment's, a revert's; without a type where nothing tells one.
pub fn plain_entry(kind: &str, description: &str) -> Entry {
    Entry { kind: kind.to_owned(), description: description.to_owned(), ..Entry::default() }
}

fn kind_of_fragment(bump: Bump) -> &'static str {
    match bump {
        Bump::Patch => "fix",
        Bump::Minor | Bump::Major => "feat",
    }
}

/// Why a message that is known does not count.
pub fn known_in_words(known: &Known) -> &'static str {
    match known {
        Known::Merge => "a merge; its commits count themselves",
        Known::Revert(_) => "a revert",
        Known::Fixup => "a fixup commit",
        Known::SquashHeader => "a squash with nothing conventional in it",
        Known::Bot => "a robot's commit",
        Known::VersionOnlySubject => "names only a version",
        Known::Initial => "an initial commit",
    }
}
