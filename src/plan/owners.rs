//! Whose a commit is: override, footer, else the files it changes; for one without files the rule of the package.

use std::sync::Arc;

use crate::history::commit::{Commit, Touched};
use crate::history::reader::Reading;
use crate::plan::facts::Facts;
use crate::plan::scope::ScopeNames;
use crate::plan::told::{Readings, Told};
use crate::workspace::config::settings::{EmptyCommits, EntriesRule};

/// A package that a commit or an entry is given to, and by which rule.
#[derive(Debug, Clone)]
pub struct Owner {
    pub package: usize,
    pub rule: Arc<str>,
}

/// Gives commits to packages.
#[derive(Debug)]
pub struct Owners<'f> {
    facts: &'f Facts,
    names: ScopeNames,
    /// The packages that take every commit.
    greedy: Vec<usize>,
    /// For each package the rule by which it owns what stands in its folder.
    by_folder: Vec<Arc<str>>,
}

impl<'f> Owners<'f> {
    pub fn of(facts: &'f Facts) -> Owners<'f> {
        let greedy = (0..facts.settings.len()).filter(|package| facts.settings[*package].owns_all).collect();
        let by_folder =
            facts.packages.iter().map(|package| format!("files in {}", package.path).into()).collect();
        Owners { facts, names: ScopeNames::of(facts), greedy, by_folder }
    }

    /// The names that commits call the packages by.
    pub fn into_names(self) -> ScopeNames {
        self.names
    }

    pub fn names(&self) -> &ScopeNames {
        &self.names
    }

    /// The rule by which a message is read before its packages are known.
    pub fn entries_rule(&self) -> EntriesRule {
        self.facts.settings.first().map_or(EntriesRule::Auto, |settings| settings.versioning.entries)
    }

    /// The packages of a whole commit whose last final release does not hold it, in the workspace's order;
    /// names that no package has go to the warnings.
    pub fn of_commit(
        &self,
        commit: &Commit,
        told: &Told<'_>,
        readings: &Readings,
        warnings: &mut Vec<String>,
    ) -> Vec<Owner> {
        let corrected = told.correction.and_then(|correction| correction.packages.as_ref());
        let mut owners = match corrected {
            Some(names) => self.named(commit, names, "override", warnings),
            None if !told.packages().is_empty() => {
                self.named(commit, told.packages(), "footer `Packages:`", warnings)
            }
            None if commit.empty => self.of_empty(told, readings),
            None => self.by_path(commit),
        };
        owners.retain(|owner| commit.since_final.contains(owner.package));
        owners.sort_by_key(|owner| owner.package);
        owners.dedup_by_key(|owner| owner.package);
        owners
    }

    fn named(&self, commit: &Commit, names: &[String], rule: &str, warnings: &mut Vec<String>) -> Vec<Owner> {
        let mut owners = Vec::new();
        for name in names {
            let found = self.names.packages_named(name);
            if found.is_empty() {
                let id = commit.id.short();
                warnings.push(format!("commit {id} names a package `{name}` that is not here"));
            }
            owners.extend(found.into_iter().map(|package| Owner { package, rule: rule.into() }));
        }
        owners
    }

    fn by_path(&self, commit: &Commit) -> Vec<Owner> {
        let counted = commit.touches.iter().filter(|touch| touch.what.counts());
        let mut owners: Vec<Owner> = counted
            .map(|touch| Owner {
                package: touch.package,
                rule: match touch.what {
                    Touched::Shared => "shared files".into(),
                    _ => self.by_folder[touch.package].clone(),
                },
            })
            .collect();
        for package in self.greedy.iter().copied() {
            let touches = |counted: bool| {
                commit.touches.iter().any(|touch| touch.package == package && touch.what.counts() == counted)
            };
            // All that the commit changes is this package's, and none of it counts.
            let uncounted = touches(false) && !commit.outside && commit.touches.len() == 1;
            if !touches(true) && !uncounted {
                owners.push(Owner { package, rule: "takes every commit".into() });
            }
        }
        owners
    }

    /// Whom a commit without files belongs to (`empty-commits`).
    fn of_empty(&self, told: &Told<'_>, readings: &Readings) -> Vec<Owner> {
        let by_scope: Vec<usize> = match readings.by(self.entries_rule()) {
            Reading::Conventional(entries) => entries
                .iter()
                .filter_map(|entry| entry.scope.as_deref())
                .flat_map(|scope| self.names.packages_of_scope(scope))
                .collect(),
            _ => Vec::new(),
        };
        let rule = |package: usize| match self.facts.settings[package].versioning.empty_commits {
            EmptyCommits::None => None,
            EmptyCommits::All => Some("a commit without files counts for all"),
            EmptyCommits::Named if by_scope.contains(&package) => {
                Some("a commit without files, named by its scope")
            }
            EmptyCommits::Named if !by_scope.is_empty() => None,
            EmptyCommits::Named if told.release_as().is_some() => Some("`Release-As:` without files or name"),
            EmptyCommits::Named if self.facts.packages[package].path.is_root() => {
                Some("a commit without files counts for the root package")
            }
            EmptyCommits::Named => None,
        };
        (0..self.facts.packages.len())
            .filter_map(|package| Some(Owner { package, rule: rule(package)?.into() }))
            .collect()
    }
}
