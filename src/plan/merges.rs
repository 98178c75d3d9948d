//! What a merge commit says where the commits it brings say nothing: a forge writes the pull request's title into it.

use std::collections::{BTreeSet, HashMap};

use crate::history::commit::{Commit, CommitId};
use crate::history::entry::Entry;
use crate::history::reader::{Entries, Reading, read};
use crate::history::text::Text;
use crate::plan::told::{Told, read_as};
use crate::workspace::config::settings::EntriesRule;

/// The merges that count, by their places: those on the first-parent line whose body holds a pull request's conventional
/// title, where none of the commits they bring says anything conventional.
pub fn counted_merges(
    commits: &[Commit],
    told: &[Told<'_>],
    messages: &[Text],
    places: &HashMap<&CommitId, usize>,
    rule: EntriesRule,
) -> HashMap<usize, (Entry, Vec<usize>)> {
    let is_told = |place: &usize| matches!(read_as(&messages[*place], rule), Reading::Conventional(_));
    let counted = |(place, commit): (usize, &Commit)| {
        if !commit.mainline || !told[place].is_mere_merge(commit) {
            return None;
        }
        let entry = entry_of_merge(&messages[place])?;
        let brought = merged(commits, places, place);
        (!brought.iter().any(is_told)).then(|| (place, (entry, packages_of(commits, &brought))))
    };
    commits.iter().enumerate().filter_map(counted).collect()
}

/// The entry in a merge's body: its first paragraph, where that is conventional (`Merge pull request #12 …`, a blank
/// line, `feat: x`).
fn entry_of_merge(message: &str) -> Option<Entry> {
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
fn packages_of(commits: &[Commit], places: &[usize]) -> Vec<usize> {
    let touches = places.iter().flat_map(|place| &commits[*place].touches);
    let counted = touches.filter(|touch| touch.what.counts());
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
