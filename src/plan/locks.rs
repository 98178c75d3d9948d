//! What a release makes of lock files: versions are set in place; where only their own tool can help, that is told.

use std::collections::{BTreeMap, BTreeSet};

use crate::plan::decide::Decisions;
use crate::plan::edits::Edits;
use crate::plan::facts::Facts;
use crate::workspace::lock::{LockStale, holds_specifier, pdm_lock_is_stale, set_versions};
use crate::workspace::lock_poetry::{Manifests, PoetryLock, refresh};
use crate::workspace::name::PackageName;

/// Edits the locks of the workspace, once all manifests are edited.
pub fn set_locks(facts: &Facts, decisions: &Decisions, edits: &mut Edits) {
    let versions: Versions = decisions
        .releases
        .iter()
        .flatten()
        .map(|decision| (facts.packages[decision.package].name.clone(), decision.to.to_string()))
        .collect();
    for (path, bytes) in &facts.files {
        let name = path.rsplit('/').next().unwrap_or(path);
        if !["uv.lock", "poetry.lock", "pdm.lock"].contains(&name) {
            continue;
        }
        let Ok(text) = std::str::from_utf8(bytes) else {
            edits.warnings.push(format!("{path} is not UTF-8; left as it is"));
            continue;
        };
        match name {
            "uv.lock" => set_uv_lock(facts, decisions, edits, Lock { path, text }, &versions),
            "poetry.lock" => set_poetry_lock(facts, decisions, edits, Lock { path, text }, &versions),
            _ => warn_of_pdm_lock(facts, edits, path),
        }
    }
}

/// The versions of all released packages.
type Versions = BTreeMap<PackageName, String>;

#[derive(Clone, Copy)]
struct Lock<'f> {
    path: &'f str,
    text: &'f str,
}

fn set_uv_lock(facts: &Facts, decisions: &Decisions, edits: &mut Edits, lock: Lock<'_>, versions: &Versions) {
    let Lock { path, text } = lock;
    match set_versions(path, text, versions) {
        Ok(changes) => {
            let released = decisions.releases.iter().flatten().map(|decision| decision.package);
            let concerned = released.filter(|package| {
                facts.packages[*package].path.join("uv.lock").as_git() == path || !path.contains('/')
            });
            edits.push_for(&concerned.collect::<Vec<usize>>(), path, changes);
        }
        Err(error) => return edits.warnings.push(format!("{path} left as it is: {error}")),
    }
    if let Some(reason) = held_specifier(facts, edits, lock) {
        let stale = LockStale { path: path.to_owned(), reason, command: "uv lock".to_owned() };
        edits.warnings.push(stale.to_string());
    }
}

/// A requirement that is rewritten and whose specifier the lock repeats.
fn held_specifier(facts: &Facts, edits: &Edits, lock: Lock<'_>) -> Option<String> {
    let all = facts.packages.iter().zip(&edits.requirements);
    let mut rewritten =
        all.flat_map(|(package, changes)| changes.iter().map(move |change| (package, change)));
    rewritten.find_map(|(package, change)| {
        let on = facts.packages.iter().find(|other| other.short == change.package)?;
        let holds = holds_specifier(lock.path, lock.text, &package.name, &on.name).ok()?;
        holds.then(|| format!("it holds what {} asks of {}", package.short, on.short))
    })
}

fn set_poetry_lock(
    facts: &Facts,
    decisions: &Decisions,
    edits: &mut Edits,
    lock: Lock<'_>,
    versions: &Versions,
) {
    let Some(package) = owner(facts, lock.path) else { return };
    let concerned = released_below(facts, decisions, package);
    if concerned.is_empty() && edits.requirements[package].is_empty() {
        return;
    }
    let path = facts.packages[package].path.join("pyproject.toml");
    let before = facts.files.get(path.as_git()).and_then(|bytes| std::str::from_utf8(bytes).ok());
    let (Some(before), Some(after)) = (before, edits.text_after(facts, path.as_git())) else { return };
    let manifests = Manifests { path: path.as_git(), before, after: &after };
    match refresh(lock.path, lock.text, manifests, versions) {
        Ok(PoetryLock::Changes(changes)) => edits.push_for(&concerned, lock.path, changes),
        Ok(PoetryLock::Stale(stale)) => edits.warnings.push(stale.to_string()),
        Err(error) => edits.warnings.push(format!("{} left as it is: {error}", lock.path)),
    }
}

fn warn_of_pdm_lock(facts: &Facts, edits: &mut Edits, path: &str) {
    if owner(facts, path).is_some_and(|package| !edits.requirements[package].is_empty()) {
        edits.warnings.push(pdm_lock_is_stale(path).to_string());
    }
}

/// The package in whose folder a file stands.
fn owner(facts: &Facts, path: &str) -> Option<usize> {
    let folder = path.rsplit_once('/').map_or("", |(folder, _)| folder);
    facts.packages.iter().position(|package| package.path.as_git() == folder)
}

/// The released packages that a package's lock may hold: all it depends on, however far; and itself.
fn released_below(facts: &Facts, decisions: &Decisions, package: usize) -> Vec<usize> {
    let mut seen = BTreeSet::new();
    let mut open = vec![package];
    while let Some(one) = open.pop() {
        if seen.insert(one) {
            open.extend(facts.graph.dependencies_of(one).iter().map(|edge| edge.dependency));
        }
    }
    let below = seen.iter().filter(|one| **one != package && decisions.releases[**one].is_some()).count();
    seen.retain(|one| decisions.releases[*one].is_some());
    if below == 0 { Vec::new() } else { seen.into_iter().collect() }
}
