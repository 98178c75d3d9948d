//! Which packages of the workspace depend on which, and the order that follows.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use crate::workspace::manifest::{Dependency, Manifest, Place};
use crate::workspace::name::PackageName;
use crate::workspace::path::RepoPath;

/// The dependencies inside the workspace; packages are numbers, places in the list it was built from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Graph {
    edges: Vec<Vec<Edge>>,
    dependents: Vec<Vec<usize>>,
    waves: Vec<Vec<usize>>,
}

/// One package needs another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Edge {
    pub dependent: usize,
    pub dependency: usize,
    /// Each requirement that says so, in the manifest's order; never empty.
    pub uses: Vec<Use>,
}

/// One requirement behind an edge.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Use {
    pub place: Place,
    /// Its place in the dependent's `Manifest::dependencies`.
    pub requirement: usize,
}

impl Edge {
    /// Whether the dependent can not be built or run without the dependency.
    pub fn is_needed(&self) -> bool {
        self.uses.iter().any(|one| one.place.is_needed())
    }
}

/// Packages that need each other, so that none can come first.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub struct Cycle {
    /// Each needs the next, the last needs the first.
    pub names: Vec<PackageName>,
}

impl fmt::Display for Cycle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("packages need each other: ")?;
        for name in &self.names {
            write!(f, "{name} → ")?;
        }
        self.names.first().map_or(Ok(()), |first| first.fmt(f))
    }
}

impl Graph {
    /// Builds the graph of packages: name, manifest, folder.
    ///
    /// Extras and groups may lead in a circle (a test extra often does); what is needed to build or run may not.
    /// A package's requirement of its own extra is no edge.
    ///
    /// # Errors
    /// Where packages need each other.
    pub fn build(packages: &[(PackageName, &Manifest, RepoPath)]) -> Result<Graph, Cycle> {
        let edges = edges(packages);
        let dependents = dependents(&edges);
        let ordered = ordering(&edges);
        match waves(&ordered) {
            Some(waves) => Ok(Graph { edges, dependents, waves }),
            None => Err(Cycle { names: cycle(&ordered, packages) }),
        }
    }

    /// The edges from a package to what it depends on, by the dependency's number.
    pub fn dependencies_of(&self, package: usize) -> &[Edge] {
        self.edges.get(package).map_or(&[], Vec::as_slice)
    }

    /// The edges to a package from what depends on it, by the dependent's number.
    pub fn dependents_of(&self, package: usize) -> Vec<&Edge> {
        let dependents = self.dependents.get(package).map_or(&[][..], Vec::as_slice);
        let edge = |&dependent: &usize| self.edges[dependent].iter().find(|edge| edge.dependency == package);
        dependents.iter().filter_map(edge).collect()
    }

    /// All packages, dependencies first.
    pub fn order(&self) -> Vec<usize> {
        self.waves.concat()
    }

    /// All packages in waves: those of one wave depend only on those of earlier waves.
    pub fn waves(&self) -> &[Vec<usize>] {
        &self.waves
    }
}

fn edges(packages: &[(PackageName, &Manifest, RepoPath)]) -> Vec<Vec<Edge>> {
    let named: BTreeMap<&PackageName, usize> =
        packages.iter().enumerate().map(|(index, (name, ..))| (name, index)).collect();
    let placed: BTreeMap<&RepoPath, usize> =
        packages.iter().enumerate().map(|(index, (_, _, path))| (path, index)).collect();
    let mut edges = Vec::with_capacity(packages.len());
    for (dependent, (_, manifest, folder)) in packages.iter().enumerate() {
        let mut uses: BTreeMap<usize, Vec<Use>> = BTreeMap::new();
        for (requirement, one) in manifest.dependencies.iter().enumerate() {
            let by_path = || folder_of(one, folder).and_then(|path| placed.get(&path).copied());
            let Some(dependency) = named.get(&one.name).copied().or_else(by_path) else { continue };
            if dependency != dependent {
                uses.entry(dependency).or_default().push(Use { place: one.place.clone(), requirement });
            }
        }
        edges.push(uses.into_iter().map(|(dependency, uses)| Edge { dependent, dependency, uses }).collect());
    }
    edges
}

/// The repository's folder that a requirement's path leads to, from the dependent's folder.
fn folder_of(dependency: &Dependency, folder: &RepoPath) -> Option<RepoPath> {
    let path = dependency.path.as_deref().filter(|path| !path.starts_with('/'))?;
    let mut parts: Vec<&str> = folder.as_git().split('/').filter(|part| !part.is_empty()).collect();
    for part in path.split(['/', '\\']) {
        match part {
            "" | "." => {}
            ".." => drop(parts.pop()?),
            _ => parts.push(part),
        }
    }
    RepoPath::new(&parts.join("/"))
}

fn dependents(edges: &[Vec<Edge>]) -> Vec<Vec<usize>> {
    let mut dependents = vec![Vec::new(); edges.len()];
    for edge in edges.iter().flatten() {
        dependents[edge.dependency].push(edge.dependent);
    }
    dependents
}

/// For each package what must come before it: what it needs, and extras and groups that lead in no circle.
fn ordering(edges: &[Vec<Edge>]) -> Vec<BTreeSet<usize>> {
    let all: Vec<BTreeSet<usize>> =
        edges.iter().map(|list| list.iter().map(|edge| edge.dependency).collect()).collect();
    let counts = |edge: &&Edge| edge.is_needed() || !reaches(&all, edge.dependency, edge.dependent);
    edges.iter().map(|list| list.iter().filter(counts).map(|edge| edge.dependency).collect()).collect()
}

fn reaches(before: &[BTreeSet<usize>], from: usize, to: usize) -> bool {
    let mut seen = BTreeSet::new();
    let mut open = vec![from];
    while let Some(package) = open.pop() {
        if package == to {
            return true;
        }
        if seen.insert(package) {
            open.extend(&before[package]);
        }
    }
    false
}

/// None where packages are left that all wait for each other.
fn waves(before: &[BTreeSet<usize>]) -> Option<Vec<Vec<usize>>> {
    let mut placed = BTreeSet::new();
    let mut waves = Vec::new();
    while placed.len() < before.len() {
        let is_ready = |package: &usize| !placed.contains(package) && before[*package].is_subset(&placed);
        let wave: Vec<usize> = (0..before.len()).filter(is_ready).collect();
        if wave.is_empty() {
            return None;
        }
        placed.extend(&wave);
        waves.push(wave);
    }
    Some(waves)
}

/// The first package that reaches itself, and the shortest way it does.
fn cycle(before: &[BTreeSet<usize>], packages: &[(PackageName, &Manifest, RepoPath)]) -> Vec<PackageName> {
    let way = (0..before.len()).find_map(|start| way_back(before, start)).unwrap_or_default();
    way.into_iter().map(|package| packages[package].0.clone()).collect()
}

fn way_back(before: &[BTreeSet<usize>], start: usize) -> Option<Vec<usize>> {
    let mut came_from: BTreeMap<usize, usize> = BTreeMap::new();
    let mut open = std::collections::VecDeque::from([start]);
    while let Some(package) = open.pop_front() {
        for &next in &before[package] {
            if next == start {
                let mut way = vec![package];
                while let Some(&earlier) = way.last().and_then(|last| came_from.get(last)) {
                    way.push(earlier);
                }
                way.reverse();
                return Some(way);
            }
            came_from.entry(next).or_insert_with(|| {
                open.push_back(next);
                package
            });
        }
    }
    None
}

#[cfg(test)]
mod tests;
