//! What a merge commit says where the commits it brings say nothing: a forge writes the pull request's title into it.

use std::collections::{BTreeSet, HashMap};

use crate::history::commit::{Commit, CommitId, Touched};
use crate::history::entry::Entry;
use crate::history::reader::{Entries, Reading, read};

/// The entry in a merge's body: its first paragraph, where that is conventional (`Merge pull request #12 …`, a blank
/// line, `feat: x`).
pub fn entry_of_merge(message: &str) -> Option<Entry> {
    let (title, body) = message.trim_start().split_once('\n')?;
    let Reading::Conventional(entries) = read(body.trim_start(), Entries::Subject) else { return None };
    let mut entry = entries.into_iter().next()?;
    let number = title.split_once('#').and_then(|(_, rest)| {
        let digits = rest.split(|character: char| !character.is_ascii_digit()).next()?;
        digits.parse().ok()
    });
    entry.pull_request = entry.pull_request.or(number);
    Some(entry)
}

/// The places of the commits that a merge brings: reached from its other parents, off the first-parent line.
pub fn merged(commits: &[Commit], places: &HashMap<&CommitId, usize>, merge: usize) -> Vec<usize> {
    let mut found = BTreeSet::new();
    let mut waiting: Vec<&CommitId> = commits[merge].parents.iter().skip(1).collect();
    while let Some(id) = waiting.pop() {
        let Some(place) = places.get(id).copied() else { continue };
        if !commits[place].mainline && found.insert(place) {
            waiting.extend(&commits[place].parents);
        }
    }
    found.into_iter().collect()
}

/// The packages whose files any of these commits changes.
pub fn packages_of(commits: &[Commit], places: &[usize]) -> Vec<usize> {
    let touches = places.iter().flat_map(|place| &commits[*place].touches);
    let counted = touches.filter(|touch| matches!(touch.what, Touched::Files | Touched::Shared));
    let packages: BTreeSet<usize> = counted.map(|touch| touch.package).collect();
    packages.into_iter().collect()
}

#[cfg(test)]
mod tests {
    use super::entry_of_merge;

    #[test]
    fn a_merge_may_hold_the_title_of_its_pull_request() {
        let entry = entry_of_merge("Merge pull request #12 from acme/x\n\nfeat(core): a thing\n").unwrap();
        assert_eq!((entry.kind.as_str(), entry.description.as_str()), ("feat", "a thing"));
        assert_eq!(entry.pull_request, Some(12));
        assert!(entry_of_merge("Merge branch 'x'").is_none());
        assert!(entry_of_merge("Merge branch 'x'\n\nsome words").is_none());
    }
}
