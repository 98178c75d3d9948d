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
    let counted = |(place, brought): (usize, Vec<usize>)| {
        if !told[place].is_mere_merge(&commits[place]) {
            return None;
        }
        let entry = entry_of_merge(&messages[place])?;
        (!brought.iter().any(is_told)).then(|| (place, (entry, packages_of(commits, &brought))))
    };
    brought_by_merges(commits, places).into_iter().filter_map(counted).collect()
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

/// The places of the commits that each merge on the first-parent line brings, oldest merge first: what it reaches by its other
/// parents and not by its first one. What a branch brought before, which is merged again and again, is not brought again. The
/// commits stand newest first, no parent before its child.
pub fn brought_by_merges(commits: &[Commit], places: &HashMap<&CommitId, usize>) -> Vec<(usize, Vec<usize>)> {
    let mut is_here: Vec<bool> = commits.iter().map(|commit| commit.mainline).collect();
    let merges = commits.iter().enumerate().rev();
    let merges = merges.filter(|(_, commit)| commit.mainline && commit.parents.len() > 1);
    let mut all = Vec::new();
    for (merge, commit) in merges {
        let mut brought = Vec::new();
        let mut waiting: Vec<&CommitId> = commit.parents.iter().skip(1).collect();
        while let Some(id) = waiting.pop() {
            let Some(place) = places.get(id).copied() else { continue };
            if !std::mem::replace(&mut is_here[place], true) {
                brought.push(place);
                waiting.extend(&commits[place].parents);
            }
        }
        all.push((merge, brought));
    }
    all
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
    use std::sync::Arc;

    use proptest::prelude::*;

    use super::*;

    /// Commits by their places, newest first; each has the parents that are so many places further on.
    fn history(steps: &[Vec<usize>]) -> Vec<Commit> {
        let id = |place: usize| CommitId::of(&format!("commit {place}"));
        let (mut mainline, mut next) = (BTreeSet::new(), 0);
        while let Some(first) = steps.get(next).map(|steps| steps[0]) {
            mainline.insert(next);
            next += first;
        }
        let commit = |(place, steps): (usize, &Vec<usize>)| Commit {
            id: id(place),
            parents: steps.iter().map(|step| id(place + step)).collect(),
            author: Arc::default(),
            time: 0,
            message: Text::default(),
            lossy: false,
            mainline: mainline.contains(&place),
            empty: false,
            outside: false,
            touches: Vec::new(),
            unreleased: Arc::default(),
            since_final: Arc::default(),
        };
        steps.iter().enumerate().map(commit).collect()
    }

    fn reached(steps: &[Vec<usize>], from: usize) -> BTreeSet<usize> {
        let parents = steps.get(from).into_iter().flatten();
        let further = parents.flat_map(|step| reached(steps, from + step));
        further.chain(steps.get(from).map(|_| from)).collect()
    }

    proptest! {
        #[test]
        fn a_merge_brings_what_its_first_parent_does_not_reach(
            steps in prop::collection::vec(prop::collection::vec(1usize..4, 1..4), 1..12),
        ) {
            let commits = history(&steps);
            let places = (0..).zip(&commits).map(|(place, commit)| (&commit.id, place)).collect();
            let found = brought_by_merges(&commits, &places);
            let merges = (0..commits.len()).rev().filter(|place| commits[*place].mainline && steps[*place].len() > 1);
            prop_assert_eq!(found.iter().map(|(merge, _)| *merge).collect::<Vec<_>>(), merges.collect::<Vec<_>>());
            for (merge, brought) in found {
                let by_first = reached(&steps, merge + steps[merge][0]);
                let others = steps[merge][1..].iter().flat_map(|step| reached(&steps, merge + step));
                let expected: BTreeSet<usize> = others.filter(|place| !by_first.contains(place)).collect();
                prop_assert_eq!(brought.len(), expected.len());
                prop_assert_eq!(brought.into_iter().collect::<BTreeSet<_>>(), expected);
            }
        }
    }

    #[test]
    fn a_merge_may_hold_the_title_of_its_pull_request() {
        let entry = entry_of_merge("Merge pull request #12 from acme/x\n\nfeat(core): a thing\n").unwrap();
        assert_eq!((entry.kind.as_str(), entry.description.as_str()), ("feat", "a thing"));
        assert_eq!(entry.pull_request, Some(12));
        assert!(entry_of_merge("Merge branch 'x'").is_none());
        assert!(entry_of_merge("Merge branch 'x'\n\nsome words").is_none());
    }
}
