//! From commits and fragments to the changes that count for each package, and a reason for all others.

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::Arc;

use rayon::iter::{IndexedParallelIterator, IntoParallelRefIterator, ParallelIterator};

use crate::history::commit::{Commit, CommitId, Touched};
use crate::history::entry::{Brief, Entry};
use crate::history::overrides;
use crate::history::reader::{Known, Reading};
use crate::history::revert::{RangeCommit, RevertPairs, pair_reverts};
use crate::history::text::Text;
use crate::plan::LeftOut;
use crate::plan::facts::Facts;
use crate::plan::merges::counted_merges;
use crate::plan::owners::{Owner, Owners};
use crate::plan::scope::ScopeNames;
use crate::plan::told::{Readings, TOGETHER, Told, read_part, subject};
use crate::plan::unconventional::{entry_of_fragment, known_in_words, plain_entry};
use crate::version::bump::Bump;
use crate::workspace::config::settings::{EntriesRule, Size, Versioning};

/// All that counts, by package, and all that does not.
#[derive(Debug, Default)]
pub struct Tally {
    /// For each package its changes: commits, newest first, then fragments.
    pub changes: Vec<Vec<Change>>,
    /// For each package the `Release-As:` footers that speak of it, newest first.
    pub release_as: Vec<Vec<ReleaseAs>>,
    pub left_out: Vec<LeftOut>,
    pub warnings: Vec<String>,
    /// The names that commits call the packages by.
    pub names: ScopeNames,
}

/// One change that counts for one package.
#[derive(Debug, Clone)]
pub struct Change {
    pub source: Source,
    pub entry: Brief,
    /// The size it asks for; none where it only appears in notes.
    pub size: Option<Bump>,
    /// The rule that gave it to the package.
    pub rule: Arc<str>,
    /// Whether no release, not even a pre-release, holds it yet.
    pub fresh: bool,
}

/// Where a change comes from, as a place in the facts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    Commit(usize),
    Fragment(usize),
}

/// A footer that sets a version.
#[derive(Debug, Clone)]
pub struct ReleaseAs {
    pub commit: usize,
    pub value: String,
    pub fresh: bool,
}

/// Counts everything in the facts' history.
pub fn tally(facts: &Facts) -> Tally {
    tally_by(facts, facts.history.commits.iter().map(|commit| commit.message.clone()).collect())
}

/// The same by the messages of the commits, in their order. They go once they were counted, as all of a long history take much
/// memory.
pub fn tally_by(facts: &Facts, mut messages: Vec<Text>) -> Tally {
    let commits = &facts.history.commits;
    let told: Vec<Told<'_>> = commits
        .par_iter()
        .zip(&mut messages)
        .with_min_len(TOGETHER)
        .map(|(commit, message)| Told::read(commit, message, facts))
        .collect();
    let rules = entries_rules(facts);
    let takes_all = facts.settings.iter().any(|settings| settings.owns_all);
    let mut counting = Counting::new(facts, &told, &messages);
    let mut messages = messages.into_iter();
    let mut parts = told.chunks(PART).zip(commits.chunks(PART));
    let mut next_part = || parts.next().map(|part| (part, messages.by_ref().take(PART).collect()));
    let read = |(part, messages)| read_part(part, messages, &rules, takes_all);
    let (mut first, mut readings) = (0, next_part().map_or_else(Vec::new, read));
    while !readings.is_empty() {
        // While some are counted, the next ones are read.
        let next = next_part();
        let places = first..;
        first += readings.len();
        let count = || {
            readings.into_iter().zip(places).for_each(|(one, place)| counting.count_commit(place, &one));
        };
        ((), readings) = rayon::join(count, || next.map_or_else(Vec::new, read));
    }
    counting.count_fragments();
    Tally { names: counting.owners.into_names(), ..counting.tally }
}

/// How many messages are read before they are counted: all of a long history would take much memory.
const PART: usize = 512;

fn entries_rules(facts: &Facts) -> Vec<EntriesRule> {
    let mut rules: Vec<EntriesRule> =
        facts.settings.iter().map(|settings| settings.versioning.entries).collect();
    rules.sort_unstable();
    rules.dedup();
    rules
}

struct Counting<'f> {
    facts: &'f Facts,
    told: &'f [Told<'f>],
    owners: Owners<'f>,
    pairs: RevertPairs,
    /// The places of commits, where a merge or a revert asks for them.
    places: HashMap<&'f CommitId, usize>,
    /// The merges that count, what they say, and for which packages.
    merges: HashMap<usize, (Entry, Vec<usize>)>,
    /// The packages' short names.
    shorts: Vec<Arc<str>>,
    tally: Tally,
}

impl<'f> Counting<'f> {
    fn new(facts: &'f Facts, told: &'f [Told<'f>], messages: &[Text]) -> Counting<'f> {
        let commits = &facts.history.commits;
        let count = facts.packages.len();
        let pairs = pairs(commits, told, messages);
        let is_asked = !pairs.cancelled.is_empty() || commits.iter().any(|commit| commit.parents.len() > 1);
        let places = match is_asked {
            true => (0..).zip(commits).map(|(place, one)| (&one.id, place)).collect(),
            false => HashMap::new(),
        };
        let owners = Owners::of(facts);
        Counting {
            facts,
            told,
            pairs,
            merges: counted_merges(commits, told, messages, &places, owners.entries_rule()),
            owners,
            places,
            shorts: facts.packages.iter().map(|package| package.short.as_str().into()).collect(),
            tally: Tally {
                changes: vec![Vec::new(); count],
                release_as: vec![Vec::new(); count],
                ..Tally::default()
            },
        }
    }

    fn commit(&self, index: usize) -> &'f Commit {
        &self.facts.history.commits[index]
    }

    fn versioning(&self, package: usize) -> &'f Versioning {
        &self.facts.settings[package].versioning
    }

    fn count_commit(&mut self, index: usize, readings: &Readings) {
        let commit = self.commit(index);
        let told = &self.told[index];
        if let Some(reason) = told.correction.and_then(|correction| correction.skip.as_ref()) {
            return self.leave(index, readings, "override", format!("skipped by an override: {reason}"));
        }
        if told.is_mere_merge(commit) {
            return self.count_merge(index, readings);
        }
        let owners = self.owners.of_commit(commit, told, readings, &mut self.tally.warnings);
        self.note_release_as(index, &owners);
        let mut verdict = Verdict::default();
        for owner in &owners {
            self.count_for(index, readings, owner, &mut verdict);
        }
        self.count_named_entries(index, readings, &owners, &mut verdict);
        if !verdict.counted {
            self.leave_uncounted(index, readings, &owners, verdict);
        }
    }

    /// Takes what the merge says, where it counts.
    fn count_merge(&mut self, index: usize, readings: &Readings) {
        let mut verdict = Verdict::default();
        if let Some((entry, packages)) = self.merges.remove(&index) {
            for package in packages {
                if self.commit(index).since_final.contains(package) {
                    let owner = Owner { package, rule: "files that the merge brings".into() };
                    self.count_entry(index, &owner, &entry, &mut verdict);
                }
            }
        }
        if !verdict.counted {
            self.leave(index, readings, "merge", "a merge; its commits count themselves");
        }
    }

    fn note_release_as(&mut self, index: usize, owners: &[Owner]) {
        let commit = self.commit(index);
        let Some(value) = self.told[index].release_as() else { return };
        if !commit.mainline {
            let text = format!(
                "commit {} asks for `Release-As: {value}` beside the first-parent line; not followed",
                commit.id.short()
            );
            return self.tally.warnings.push(text);
        }
        for owner in owners {
            if matches!(self.cancellation(index, owner.package), Cancellation::Pair(_)) {
                continue;
            }
            let fresh = commit.unreleased.contains(owner.package);
            self.tally.release_as[owner.package].push(ReleaseAs {
                commit: index,
                value: value.to_owned(),
                fresh,
            });
        }
    }

    /// Counts the commit's entries for one package that owns the commit.
    fn count_for(&mut self, index: usize, readings: &Readings, owner: &Owner, verdict: &mut Verdict) {
        let package = owner.package;
        match self.cancellation(index, package) {
            Cancellation::Pair(other) => return verdict.pair = Some(other),
            Cancellation::ReleasedBefore => return self.count_revert(index, readings, owner, verdict),
            Cancellation::None => {}
        }
        match readings.by(self.versioning(package).entries) {
            Reading::Conventional(entries) => {
                for entry in entries {
                    let (owner, mine) = self.owner_of_entry(entry, owner);
                    if mine {
                        self.count_entry(index, &owner, entry, verdict);
                    }
                }
            }
            Reading::Known(Known::Revert(_)) => self.count_revert(index, readings, owner, verdict),
            Reading::Known(_) | Reading::Unparseable { .. } if self.is_resized(index) => {
                self.count_entry(index, owner, &plain_entry("", readings.subject()), verdict);
            }
            Reading::Known(known) => verdict.known = Some(known_in_words(known)),
            Reading::Unparseable { reason } => {
                if self.versioning(package).other == Size::None {
                    verdict.unparseable = Some(reason.clone());
                } else {
                    self.count_entry(index, owner, &plain_entry("", readings.subject()), verdict);
                }
            }
        }
    }

    /// Whether an override gives the commit a size, so that it counts however it is worded.
    fn is_resized(&self, index: usize) -> bool {
        self.told[index].correction.is_some_and(|correction| correction.bump.is_some())
    }

    /// Whether an entry of a commit is this owner's: an entry of a squash may name its own packages.
    fn owner_of_entry(&self, entry: &Entry, owner: &Owner) -> (Owner, bool) {
        let named = self.packages_of_entry(entry);
        if named.is_empty() {
            return (owner.clone(), true);
        }
        let mine = named.contains(&owner.package);
        (Owner { package: owner.package, rule: "the entry's own scope".into() }, mine)
    }

    fn packages_of_entry(&self, entry: &Entry) -> Vec<usize> {
        match entry.scope.as_deref() {
            Some(scope) if entry.from_squash => self.owners.names().packages_of_scope(scope),
            _ => Vec::new(),
        }
    }

    /// Entries of a squash may name packages whose files the commit does not touch.
    fn count_named_entries(
        &mut self,
        index: usize,
        readings: &Readings,
        owners: &[Owner],
        verdict: &mut Verdict,
    ) {
        let commit = self.commit(index);
        let told = &self.told[index];
        if !readings.may_name_packages()
            || told.correction.is_some_and(|correction| correction.packages.is_some())
        {
            return;
        }
        let Reading::Conventional(entries) = readings.by(self.owners.entries_rule()) else {
            return;
        };
        for entry in entries {
            for package in self.packages_of_entry(entry) {
                let owned = owners.iter().any(|owner| owner.package == package);
                if owned || !commit.since_final.contains(package) {
                    continue;
                }
                let owner = Owner { package, rule: "the entry's own scope".into() };
                self.count_entry(index, &owner, entry, verdict);
            }
        }
    }

    fn count_revert(&mut self, index: usize, readings: &Readings, owner: &Owner, verdict: &mut Verdict) {
        let told = &self.told[index];
        let title = told.revert.as_ref().map_or(readings.subject(), |revert| revert.subject.as_str());
        match readings.by(self.versioning(owner.package).entries) {
            Reading::Conventional(entries) if entries.len() == 1 => {
                self.count_entry(index, owner, &entries[0], verdict);
            }
            _ => self.count_entry(index, owner, &plain_entry("revert", title), verdict),
        }
    }

    fn count_entry(&mut self, index: usize, owner: &Owner, entry: &Entry, verdict: &mut Verdict) {
        let corrected = self.told[index].correction.and_then(|correction| correction.bump.as_ref());
        let size = match corrected {
            Some(overrides::Size::None) => None,
            Some(overrides::Size::Bump(bump)) => Some(*bump),
            None => size_of(entry, self.versioning(owner.package)),
        };
        match size {
            Some(_) => verdict.counted = true,
            None if corrected.is_some() => verdict.overridden = true,
            None => verdict.kind = Some(entry.kind.clone()),
        }
        let fresh = self.commit(index).unreleased.contains(owner.package);
        let source = Source::Commit(index);
        self.tally.changes[owner.package].push(Change {
            source,
            entry: entry.brief(None),
            size,
            rule: owner.rule.clone(),
            fresh,
        });
    }

    /// How a revert, or being reverted, changes what a commit means for one package.
    fn cancellation(&self, index: usize, package: usize) -> Cancellation {
        if self.pairs.cancelled.is_empty() {
            return Cancellation::None;
        }
        let partner = self.pairs.cancelled.get(&self.commit(index).id);
        let Some(other) = partner.and_then(|id| self.places.get(id)).copied() else {
            return Cancellation::None;
        };
        if self.commit(other).since_final.contains(package) {
            return Cancellation::Pair(other);
        }
        if other > index { Cancellation::ReleasedBefore } else { Cancellation::None }
    }

    fn leave_uncounted(&mut self, index: usize, readings: &Readings, owners: &[Owner], verdict: Verdict) {
        let commit = self.commit(index);
        if let Some(other) = verdict.pair {
            let id = self.commit(other).id.short();
            let reason = if other < index {
                format!("reverted by {id}")
            } else {
                format!("reverts {id}, both unreleased")
            };
            return self.leave(index, readings, "revert-pair", reason);
        }
        if verdict.overridden {
            return self.leave(index, readings, "override", "an override says that it releases nothing");
        }
        if let Some(kind) = verdict.kind {
            return self.leave(index, readings, "type", format!("type `{kind}` releases nothing"));
        }
        if let Some(known) = verdict.known {
            return self.leave(index, readings, "known", known);
        }
        if let Some(reason) = verdict.unparseable {
            return self.leave(index, readings, "unparseable", reason);
        }
        if owners.is_empty() {
            self.leave_unowned(index, readings, commit);
        }
    }

    /// A commit that counts for nobody: says why, unless all it touches is released already.
    fn leave_unowned(&mut self, index: usize, readings: &Readings, commit: &Commit) {
        let touched = |what: Touched| commit.touches.iter().any(|touch| touch.what == what);
        let (kind, reason) = if commit.empty {
            ("empty", "changes no file and names no package")
        } else if touched(Touched::Version) {
            ("version-only", "changes only versions and changelogs")
        } else if touched(Touched::Ignored) {
            ("ignored", "changes only files that `ignore` names")
        } else if touched(Touched::Lock) {
            ("lock-only", "changes only lock files")
        } else if commit.outside {
            ("outside", "changes no file of a package")
        } else {
            return;
        };
        self.leave(index, readings, kind, reason);
    }

    fn leave(
        &mut self,
        index: usize,
        readings: &Readings,
        kind: &'static str,
        reason: impl Into<Cow<'static, str>>,
    ) {
        let commit = self.commit(index);
        self.tally.left_out.push(LeftOut {
            commit: Some(commit.id.clone()),
            package: None,
            packages: commit.touches.iter().map(|touch| Arc::clone(&self.shorts[touch.package])).collect(),
            subject: Some(readings.subject().into()),
            kind: kind.into(),
            reason: reason.into(),
        });
    }

    fn count_fragments(&mut self) {
        for (index, fragment) in self.facts.fragments.iter().enumerate() {
            for (name, bump) in &fragment.packages {
                let found = self.owners.names().packages_named(name);
                if found.is_empty() {
                    let text = format!("{} names a package `{name}` that is not here", fragment.path);
                    self.tally.warnings.push(text);
                }
                for package in found {
                    let entry = entry_of_fragment(fragment, *bump);
                    self.tally.changes[package].push(Change {
                        source: Source::Fragment(index),
                        entry,
                        size: Some(*bump),
                        rule: format!("fragment {}", fragment.path).into(),
                        fresh: true,
                    });
                }
            }
        }
    }
}

fn pairs(commits: &[Commit], told: &[Told<'_>], messages: &[Text]) -> RevertPairs {
    if told.iter().all(|told| told.revert.is_none()) {
        return RevertPairs::default();
    }
    let range = commits.iter().zip(told).zip(messages).map(|((commit, told), message)| RangeCommit {
        id: &commit.id,
        subject: subject(message),
        revert: told.revert.as_deref(),
    });
    pair_reverts(&range.collect::<Vec<_>>())
}

/// What was found while one commit was counted.
#[derive(Debug, Default)]
struct Verdict {
    counted: bool,
    pair: Option<usize>,
    overridden: bool,
    kind: Option<String>,
    known: Option<&'static str>,
    unparseable: Option<String>,
}

enum Cancellation {
    None,
    /// The other commit of the pair, both in the package's range.
    Pair(usize),
    /// It takes back something that is released.
    ReleasedBefore,
}

fn size_of(entry: &Entry, versioning: &Versioning) -> Option<Bump> {
    if entry.breaking || entry.stable {
        return Some(Bump::Major);
    }
    versioning.types.get(&entry.kind).copied().unwrap_or(versioning.other).bump()
}

#[cfg(test)]
#[path = "tally_tests.rs"]
mod tests;
