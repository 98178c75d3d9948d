//! The packages of a release as jobs that may run side by side: waves in which each needs only packages of earlier ones.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use crate::plan::step::{Action, Step};
use crate::plan::{Plan, Release};

/// The most jobs that a CI makes of one matrix.
pub const MOST: usize = 256;

/// One job: a package and what its steps are about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Row {
    pub package: String,
    /// The package's folder; `.` for the root.
    pub path: String,
    pub distribution: String,
    /// Null for a first release.
    pub from: Option<String>,
    pub to: String,
    pub tag: String,
    pub index: String,
    /// The repository of its image; null where it has none.
    pub image: Option<String>,
    /// The place of its wave in all waves, from 0.
    pub wave: usize,
}

/// A matrix as a CI reads it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Matrix {
    pub include: Vec<Row>,
}

/// The packages that have a step left after the claim, in waves of no more than `MOST`. Packages of a wave need only packages
/// of earlier waves, or such as are done.
pub fn waves(plan: &Plan, is_done: &dyn Fn(&str) -> bool) -> Vec<Matrix> {
    let left = left(plan, is_done);
    let needs = needs(&left);
    let mut waves: Vec<Matrix> = Vec::new();
    let mut placed: BTreeSet<&str> = BTreeSet::new();
    let mut open: Vec<&Release> =
        plan.releases.iter().filter(|release| needs.contains_key(release.package.as_str())).collect();
    while !open.is_empty() {
        let is_ready = |release: &&Release| needs[release.package.as_str()].is_subset(&placed);
        let (ready, later): (Vec<&Release>, Vec<&Release>) = open.iter().copied().partition(is_ready);
        // The needs of steps go one way, so that one package at least is ready; a broken plan is one last wave.
        let (ready, later) = if ready.is_empty() { (later, ready) } else { (ready, later) };
        for some in ready.chunks(MOST) {
            let wave = waves.len();
            waves.push(Matrix { include: some.iter().map(|release| row(release, wave)).collect() });
        }
        placed.extend(ready.iter().map(|release| release.package.as_str()));
        open = later;
    }
    waves
}

/// All rows of some waves in matrices of no more than `MOST`, in their order.
pub fn chunks(waves: &[Matrix]) -> Vec<Matrix> {
    let rows: Vec<Row> = waves.iter().flat_map(|wave| wave.include.iter().cloned()).collect();
    rows.chunks(MOST).map(|some| Matrix { include: some.to_vec() }).collect()
}

/// The steps of packages that come after the claim and are not done.
fn left<'p>(plan: &'p Plan, is_done: &dyn Fn(&str) -> bool) -> Vec<&'p Step> {
    let mut after: BTreeSet<&str> = BTreeSet::new();
    let mut left = Vec::new();
    // The plan's steps stand behind what they need.
    for step in &plan.steps {
        let follows = step.needs.iter().any(|need| after.contains(need.0.as_str()));
        if !follows && !matches!(step.action, Action::Claim { .. }) {
            continue;
        }
        after.insert(&step.id.0);
        if step.package.is_some() && !is_done(&step.id.0) {
            left.push(step);
        }
    }
    left
}

/// The packages of some steps, and which other of these packages each one needs.
fn needs<'p>(left: &[&'p Step]) -> BTreeMap<&'p str, BTreeSet<&'p str>> {
    let owners: BTreeMap<&str, &str> =
        left.iter().filter_map(|step| Some((step.id.0.as_str(), step.package.as_deref()?))).collect();
    let mut needs: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for step in left {
        let Some(package) = step.package.as_deref() else { continue };
        let others = step.needs.iter().filter_map(|need| owners.get(need.0.as_str()).copied());
        needs.entry(package).or_default().extend(others.filter(|other| *other != package));
    }
    needs
}

fn row(release: &Release, wave: usize) -> Row {
    Row {
        package: release.package.clone(),
        path: release.path.clone(),
        distribution: release.distribution.clone(),
        from: release.from.clone(),
        to: release.to.clone(),
        tag: release.tag.clone(),
        index: release.index.clone(),
        image: release.image.as_ref().map(|image| image.repository.clone()),
        wave,
    }
}

#[cfg(test)]
#[path = "waves_tests.rs"]
mod tests;
