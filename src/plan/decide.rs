//! Who is released, and as which number: own changes, groups, dependents, until nothing moves.

use rayon::iter::{IndexedParallelIterator, IntoParallelRefIterator, ParallelIterator};

use crate::plan::facts::{Facts, Request};
use crate::plan::number::{self, Wanted};
use crate::plan::requirement;
use crate::plan::standing::Standing;
use crate::plan::tally::Tally;
use crate::plan::{Because, BecauseKind, Refusal};
use crate::version::bump::Bump;
use crate::version::number::Version;
use crate::workspace::config::settings::{Dependents, GroupMode};
use crate::workspace::graph::Edge;

/// One package that is released.
#[derive(Debug, Clone)]
pub struct Decision {
    pub package: usize,
    pub to: Version,
    pub wanted: Wanted,
    pub because: Vec<Because>,
    pub explain: Vec<String>,
}

/// The outcome for all packages.
#[derive(Debug, Default)]
pub struct Decisions {
    /// By package; none where it is not released.
    pub releases: Vec<Option<Decision>>,
    pub refused: Vec<Refusal>,
    pub warnings: Vec<String>,
}

/// Decides for every package that is not refused.
pub fn decide(
    facts: &Facts,
    request: &Request,
    tally: &Tally,
    standings: &[Result<Standing, Refusal>],
) -> Decisions {
    let mut deciding = Deciding { facts, request, standings, outcome: Decisions::default() };
    deciding.outcome.releases = vec![None; facts.packages.len()];
    deciding.decide_alone(tally);
    // Each round releases at least one package more or raises a group; both can happen only so often.
    for _ in 0..=2 * facts.packages.len() {
        let moved = deciding.move_groups() | deciding.move_dependents();
        if !moved {
            break;
        }
    }
    deciding.refuse_taken_numbers();
    deciding.warn_of_those_left_behind();
    deciding.outcome
}

/// How many packages one thread decides at least: fewer are decided before another begins.
const TOGETHER: usize = 32;

struct Deciding<'f> {
    facts: &'f Facts,
    request: &'f Request,
    standings: &'f [Result<Standing, Refusal>],
    outcome: Decisions,
}

impl Deciding<'_> {
    fn is_selected(&self, package: usize) -> bool {
        self.request.only.as_ref().is_none_or(|only| only.contains(&package))
    }

    fn decide_alone(&mut self, tally: &Tally) {
        let selected: Vec<usize> =
            (0..self.facts.packages.len()).filter(|package| self.is_selected(*package)).collect();
        let alone = |package: &usize| {
            let standing = self.standings[*package].as_ref().map_err(Refusal::clone)?;
            let mut warnings = Vec::new();
            let (facts, request) = (self.facts, self.request);
            let decision = number::decide_alone(facts, request, *package, standing, tally, &mut warnings);
            Ok((decision, warnings))
        };
        let decided: Vec<Result<_, Refusal>> =
            selected.par_iter().with_min_len(TOGETHER).map(alone).collect();
        for (package, decided) in selected.into_iter().zip(decided) {
            match decided {
                Err(refusal) => self.outcome.refused.push(refusal),
                Ok((decision, warnings)) => {
                    self.outcome.releases[package] = decision;
                    self.outcome.warnings.extend(warnings);
                }
            }
        }
    }

    /// Gives every group its common number. Answers whether anything moved.
    fn move_groups(&mut self) -> bool {
        let mut moved = false;
        for (name, mode) in &self.facts.groups {
            let members: Vec<usize> = (0..self.facts.packages.len())
                .filter(|package| self.facts.settings[*package].group.as_deref() == Some(name.as_str()))
                .filter(|package| self.standings[*package].is_ok())
                .collect();
            moved |= self.move_group(name, *mode, &members);
        }
        moved
    }

    fn move_group(&mut self, name: &str, mode: GroupMode, members: &[usize]) -> bool {
        let released: Vec<usize> =
            members.iter().copied().filter(|member| self.outcome.releases[*member].is_some()).collect();
        if released.is_empty() {
            return false;
        }
        let base =
            number::group_base(members.iter().filter_map(|member| self.standings[*member].as_ref().ok()));
        let wanted = released
            .iter()
            .filter_map(|member| self.outcome.releases[*member].as_ref())
            .map(|decision| decision.wanted.clone())
            .reduce(Wanted::larger)
            .expect("the group has a released member")
            .above(&base);
        let moving: Vec<usize> = match mode {
            GroupMode::Linked => released.clone(),
            GroupMode::Fixed => members.iter().copied().filter(|member| self.is_selected(*member)).collect(),
        };
        let wish = number::group_number(self.facts, self.request, released[0], &base, &wanted);
        let to = number::pass_over_used(self.facts, &moving, &base, &wanted, wish);
        let lasts = members.iter().filter_map(|member| self.standings[*member].as_ref().ok()?.last.as_ref());
        let to = number::with_components(&to, lasts.map(|last| last.release().len()).max().unwrap_or(0));
        let mut moved = false;
        for member in moving {
            moved |= self.move_member(name, member, &to, &wanted);
        }
        moved
    }

    fn move_member(&mut self, group: &str, member: usize, to: &Version, wanted: &Wanted) -> bool {
        let because = Because {
            kind: BecauseKind::Group,
            commit: None,
            package: None,
            fragment: None,
            size: None,
            text: format!("group `{group}` moves to {to}").into(),
            rule: format!("group `{group}`").into(),
        };
        match &mut self.outcome.releases[member] {
            Some(decision) if decision.to.to_string() == to.to_string() => false,
            Some(decision) => {
                decision.explain.push(format!("group `{group}`: {} becomes {to}", decision.to));
                decision.to = to.clone();
                if !decision.because.iter().any(|known| known.kind == BecauseKind::Group) {
                    decision.because.push(because);
                }
                true
            }
            none => {
                *none = Some(Decision {
                    package: member,
                    to: to.clone(),
                    wanted: Wanted { bump: None, ..wanted.clone() },
                    because: vec![because],
                    explain: vec![format!("no change of its own; fixed group `{group}` moves to {to}")],
                });
                true
            }
        }
    }

    /// Releases whoever must follow a released dependency. Answers whether anything moved.
    fn move_dependents(&mut self) -> bool {
        let mut moved = false;
        for package in self.facts.graph.order() {
            if !self.is_selected(package) || self.standings[package].is_err() {
                continue;
            }
            moved |= self.follow(package);
        }
        moved
    }

    fn follow(&mut self, package: usize) -> bool {
        let reasons = self.reasons_to_follow(package);
        let mut moved = false;
        for because in reasons {
            let known = self.outcome.releases[package]
                .as_ref()
                .is_some_and(|decision| decision.because.contains(&because));
            if !known {
                moved = true;
                self.follow_one(package, because);
            }
        }
        moved
    }

    fn follow_one(&mut self, package: usize, because: Because) {
        let standing = self.standings[package].as_ref().expect("a refused package follows nobody");
        let line = follow_line(&because);
        let named = because.package.clone();
        if let Some(decision) = &mut self.outcome.releases[package] {
            let same = |known: &Because| known.kind == BecauseKind::Dependency && known.package == named;
            let before = decision.because.iter().find(|known| same(known)).map(follow_line);
            decision.because.retain(|known| !same(known));
            decision.because.push(because);
            decision.explain.retain(|known| Some(known) != before.as_ref());
            decision.explain.push(line);
            return;
        }
        let wanted = Wanted::of(Bump::Patch);
        let wish = number::number(self.facts, self.request, package, standing, &wanted);
        let to = number::pass_over_used(self.facts, &[package], standing, &wanted, wish.clone());
        let mut explain = vec![line, format!("{} → {wish}", number::from_in_words(standing))];
        explain.extend(number::passing_in_words(&wish, &to));
        self.outcome.releases[package] =
            Some(Decision { package, to, wanted, because: vec![because], explain });
    }

    fn reasons_to_follow(&self, package: usize) -> Vec<Because> {
        let policy = self.facts.settings[package].versioning.dependents;
        if policy == Dependents::Never {
            return Vec::new();
        }
        let mut reasons = Vec::new();
        for edge in self.facts.graph.dependencies_of(package) {
            let Some(decision) = &self.outcome.releases[edge.dependency] else { continue };
            let is_installed = edge.uses.iter().any(|one| requirement::is_in_wheel(&one.place));
            let short = &self.facts.packages[edge.dependency].short;
            let text = match self.range_without(package, edge, &decision.to) {
                Some(range) => format!("{short} {} lies outside its range {range}", decision.to),
                None if policy == Dependents::Always && is_installed => {
                    format!("{short} {} is released", decision.to)
                }
                None => continue,
            };
            reasons.push(Because {
                kind: BecauseKind::Dependency,
                commit: None,
                package: Some(short.as_str().into()),
                fragment: None,
                size: Some(Bump::Patch),
                text: text.into(),
                rule: "dependents".into(),
            });
        }
        reasons
    }

    /// A number that somebody has already used is refused.
    fn refuse_taken_numbers(&mut self) {
        for package in 0..self.facts.packages.len() {
            let Some(decision) = &self.outcome.releases[package] else { continue };
            let Some(refusal) = number::taken(self.facts, package, &decision.to) else { continue };
            self.outcome.refused.push(refusal);
            self.outcome.releases[package] = None;
        }
    }

    /// Tells of packages that were not asked for and would have moved with those that were.
    fn warn_of_those_left_behind(&mut self) {
        let mut warnings = Vec::new();
        for package in (0..self.facts.packages.len()).filter(|package| !self.is_selected(*package)) {
            warnings.extend(self.left_behind_by_dependencies(package));
            warnings.extend(self.left_behind_by_group(package));
        }
        self.outcome.warnings.append(&mut warnings);
    }

    fn left_behind_by_dependencies(&self, package: usize) -> Vec<String> {
        if self.facts.settings[package].versioning.dependents == Dependents::Never {
            return Vec::new();
        }
        let short = &self.facts.packages[package].short;
        let mut warnings = Vec::new();
        for edge in self.facts.graph.dependencies_of(package) {
            let Some(decision) = &self.outcome.releases[edge.dependency] else { continue };
            let Some(range) = self.range_without(package, edge, &decision.to) else { continue };
            let (on, to) = (&self.facts.packages[edge.dependency].short, &decision.to);
            warnings.push(format!(
                "{short} is not released: it asks for {on} {range}, which does not hold {on} {to}; select it too"
            ));
        }
        warnings
    }

    fn left_behind_by_group(&self, package: usize) -> Option<String> {
        let group = self.facts.settings[package].group.as_ref()?;
        if self.facts.groups.get(group) != Some(&GroupMode::Fixed) {
            return None;
        }
        let mut others = self.outcome.releases.iter().flatten();
        let moved =
            others.find(|decision| self.facts.settings[decision.package].group.as_ref() == Some(group))?;
        Some(format!(
            "{} stays behind: its fixed group `{group}` moves to {}; select it too",
            self.facts.packages[package].short, moved.to
        ))
    }

    /// The range of an installed requirement of this edge that does not hold a version.
    fn range_without(&self, package: usize, edge: &Edge, version: &Version) -> Option<String> {
        let dependencies = &self.facts.packages[package].manifest.dependencies;
        let mut ranges = edge.uses.iter().filter(|one| requirement::is_in_wheel(&one.place));
        let range = ranges.find(|one| !requirement::holds(&dependencies[one.requirement], version))?;
        Some(requirement::range_of(&dependencies[range.requirement]))
    }
}

/// A dependency's reason as a line of the derivation.
fn follow_line(because: &Because) -> String {
    format!("{} → {}", because.text, because.size.unwrap_or(Bump::Patch))
}

#[cfg(test)]
#[path = "decide_tests.rs"]
mod tests;
