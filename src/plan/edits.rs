//! Every byte that a release commit changes: versions, internal requirements, lock, changelogs.

use std::collections::{BTreeMap, BTreeSet};

use rayon::iter::{IndexedParallelIterator, IntoParallelIterator, IntoParallelRefIterator, ParallelIterator};

use crate::plan::decide::{Decision, Decisions};
use crate::plan::digest::Digest;
use crate::plan::facts::Facts;
use crate::plan::locks::set_locks;
use crate::plan::requirement;
use crate::plan::standing::Standing;
use crate::plan::step::{FileEdit, Splice};
use crate::plan::{Refusal, RequirementChange};
use crate::version::number::Version;
use crate::workspace::config::settings::FloorRule;
use crate::workspace::edit::{
    Change, apply, set_file_version, set_requirement, set_version, set_version_file,
};
use crate::workspace::lock;
use crate::workspace::manifest::Dependency;
use crate::workspace::source::{FileKind, VersionSource};
use crate::workspace::specifier::Floor;

/// How many packages one thread edits at least: fewer are edited before another begins.
const TOGETHER: usize = 16;

/// All edits of a plan, and who made which.
#[derive(Debug, Default)]
pub struct Edits {
    changes: BTreeMap<String, Vec<Change>>,
    deleted: BTreeSet<String>,
    /// For each package the files that its release edits.
    pub files: Vec<Vec<String>>,
    /// For each package the internal requirements that changed.
    pub requirements: Vec<Vec<RequirementChange>>,
    pub warnings: Vec<String>,
}

impl Edits {
    /// Versions, version files, internal requirements and locks of all released packages. A package whose
    /// files can not be edited is refused: the plan shows it and can not be shipped.
    pub fn of(facts: &Facts, decisions: &mut Decisions, standings: &[Result<Standing, Refusal>]) -> Edits {
        let count = facts.packages.len();
        let mut edits = Edits {
            files: vec![Vec::new(); count],
            requirements: vec![Vec::new(); count],
            ..Edits::default()
        };
        let released: Vec<&Decision> = decisions.releases.iter().flatten().collect();
        let versions: Vec<(usize, Sheet)> = released
            .par_iter()
            .with_min_len(TOGETHER)
            .map(|decision| (decision.package, Sheet::of_versions(facts, decision)))
            .collect();
        let requirements: Vec<(usize, Sheet)> = (0..count)
            .into_par_iter()
            .with_min_len(TOGETHER)
            .map(|package| (package, Sheet::of_requirements(facts, decisions, standings, package)))
            .collect();
        let mut refused = Vec::new();
        for (package, sheet) in versions.into_iter().chain(requirements) {
            refused.extend(edits.take(package, sheet).map(|reason| refusal(facts, package, reason)));
        }
        set_locks(facts, decisions, &mut edits);
        decisions.refused.append(&mut refused);
        edits
    }

    /// Takes over what one package edits; why its files can not be edited is left.
    fn take(&mut self, package: usize, sheet: Sheet) -> Option<String> {
        for (path, changes) in sheet.changes {
            self.push(package, path, changes);
        }
        self.requirements[package].extend(sheet.requirements);
        self.warnings.extend(sheet.warnings);
        sheet.refused
    }

    /// Inserts text into a file, or makes the file.
    pub fn insert(&mut self, package: usize, path: String, at: usize, text: String) {
        self.push(package, path, vec![Change { at, delete: 0, insert: text }]);
    }

    /// Deletes a file.
    pub fn delete(&mut self, path: &str) {
        self.deleted.insert(path.to_owned());
    }

    /// The edits in the order of their files, each file's splices in order.
    ///
    /// # Errors
    /// In words, where two edits of a file overlap.
    pub fn finish(self, facts: &Facts) -> Result<Vec<FileEdit>, String> {
        let gone = self.deleted.into_iter().map(|path| Ok(deletion(facts, path)));
        let changed: Vec<(String, Vec<Change>)> = self.changes.into_iter().collect();
        let changed = changed.into_par_iter().with_min_len(TOGETHER);
        let changed: Vec<Result<FileEdit, String>> =
            changed.map(|(path, changes)| file_edit(facts, path, changes)).collect();
        let mut edits = changed.into_iter().chain(gone).collect::<Result<Vec<FileEdit>, String>>()?;
        edits.sort_by(|left, right| left.path.cmp(&right.path));
        Ok(edits)
    }

    fn push(&mut self, package: usize, path: String, changes: Vec<Change>) {
        if changes.is_empty() {
            return;
        }
        self.name_file(package, &path);
        self.changes.entry(path).or_default().extend(changes);
    }

    /// The text of a file after what was edited so far; none where it is no text.
    pub fn text_after(&self, facts: &Facts, path: &str) -> Option<String> {
        let before = facts.files.get(path)?;
        let changes = self.changes.get(path).map_or(&[][..], Vec::as_slice);
        String::from_utf8(apply(before, changes).ok()?).ok()
    }

    /// Edits a file for the sake of several packages.
    pub fn push_for(&mut self, packages: &[usize], path: &str, changes: Vec<Change>) {
        if changes.is_empty() {
            return;
        }
        for package in packages {
            self.name_file(*package, path);
        }
        self.changes.entry(path.to_owned()).or_default().extend(changes);
    }

    fn name_file(&mut self, package: usize, path: &str) {
        if !self.files[package].iter().any(|known| known == path) {
            self.files[package].push(path.to_owned());
        }
    }
}

/// What one package's release edits, before it is put to the others'.
#[derive(Default)]
struct Sheet {
    changes: Vec<(String, Vec<Change>)>,
    requirements: Vec<RequirementChange>,
    warnings: Vec<String>,
    /// Why its files can not be edited.
    refused: Option<String>,
}

impl Sheet {
    fn of_versions(facts: &Facts, decision: &Decision) -> Sheet {
        let mut sheet = Sheet::default();
        sheet.refused = sheet.set_versions(facts, decision).err();
        sheet
    }

    fn of_requirements(
        facts: &Facts,
        decisions: &Decisions,
        standings: &[Result<Standing, Refusal>],
        package: usize,
    ) -> Sheet {
        let mut sheet = Sheet::default();
        sheet.refused = sheet.set_requirements(facts, decisions, standings, package).err();
        sheet
    }

    fn push(&mut self, path: String, changes: Vec<Change>) {
        self.changes.push((path, changes));
    }

    fn set_versions(&mut self, facts: &Facts, decision: &Decision) -> Result<(), String> {
        let package = &facts.packages[decision.package];
        let declared = package.version.as_ref();
        if declared != Some(&decision.to) {
            self.set_version_at_source(facts, decision)?;
        }
        for file in &facts.settings[decision.package].version_files {
            let Some(old) = declared else { continue };
            if *old == decision.to {
                continue;
            }
            let path = package.path.join(file);
            let text = text_of(facts, path.as_git())?;
            let changes = set_version_file(path.as_git(), text, &old.to_string(), &decision.to.to_string())
                .map_err(|error| error.to_string())?;
            self.push(path.as_git().to_owned(), changes);
        }
        Ok(())
    }

    fn set_version_at_source(&mut self, facts: &Facts, decision: &Decision) -> Result<(), String> {
        let package = &facts.packages[decision.package];
        let to = decision.to.to_string();
        match &package.source {
            VersionSource::Vcs { .. } => Ok(()),
            VersionSource::Unknown { reason } => Err(reason.clone()),
            VersionSource::Static { .. } => {
                let path = package.path.join("pyproject.toml");
                let text = text_of(facts, path.as_git())?;
                let changes = set_version(text, &package.manifest, &to).map_err(|error| error.to_string())?;
                self.push(path.as_git().to_owned(), changes);
                Ok(())
            }
            VersionSource::File { path, kind } => {
                let path = package.path.join(path);
                let text = text_of(facts, path.as_git())?;
                let changes =
                    set_file_version(path.as_git(), text, kind, &to).map_err(|error| error.to_string())?;
                self.push(path.as_git().to_owned(), changes);
                if *kind == FileKind::CargoToml { self.set_cargo_lock(facts, decision, text) } else { Ok(()) }
            }
        }
    }

    /// The lock beside a crate's manifest holds its version too.
    fn set_cargo_lock(&mut self, facts: &Facts, decision: &Decision, manifest: &str) -> Result<(), String> {
        let path = facts.packages[decision.package].path.join("Cargo.lock").as_git().to_owned();
        let name = lock::crate_name("Cargo.toml", manifest);
        let Some(name) = name.filter(|_| facts.files.contains_key(&path)) else { return Ok(()) };
        let text = text_of(facts, &path)?;
        let changes = lock::set_cargo_version(&path, text, &name, &decision.to.to_string())
            .map_err(|error| error.to_string())?;
        self.push(path, changes);
        Ok(())
    }

    /// Internal requirements of one package: of a released one all, of another only those outside the wheel.
    fn set_requirements(
        &mut self,
        facts: &Facts,
        decisions: &Decisions,
        standings: &[Result<Standing, Refusal>],
        package: usize,
    ) -> Result<(), String> {
        let released = decisions.releases[package].is_some();
        let known = &facts.packages[package];
        let path = known.path.join("pyproject.toml");
        for edge in facts.graph.dependencies_of(package) {
            let on = edge.dependency;
            let is_final = decisions.releases[package].as_ref().is_none_or(|one| !one.to.is_prerelease());
            let Some((old, new)) = step_of(facts, decisions, standings, on, is_final) else { continue };
            for one in &edge.uses {
                let dependency = &known.manifest.dependencies[one.requirement];
                if released && requirement::is_only_a_folder(dependency, known) {
                    self.warn_of_folder(facts, package, on, dependency);
                }
                let in_wheel = requirement::is_in_wheel(&dependency.place);
                let moves = decisions.releases[on].is_some();
                let concerns = match (released, in_wheel) {
                    (true, _) => moves || requirement::is_unbounded(dependency, known),
                    (false, true) => false,
                    (false, false) => moves && !requirement::holds(dependency, &new),
                };
                if !concerns || dependency.span.is_empty() {
                    continue;
                }
                let floor = floor(facts.settings[package].versioning.floor);
                let Some(text) = requirement::rewritten(dependency, known, &old, &new, floor)? else {
                    continue;
                };
                let manifest = text_of(facts, path.as_git())?;
                let changes = set_requirement(manifest, &known.manifest, dependency, &text)
                    .map_err(|error| error.to_string())?;
                self.push(path.as_git().to_owned(), changes);
                self.requirements.push(RequirementChange {
                    package: facts.packages[on].short.clone(),
                    from: dependency.text.clone(),
                    to: text,
                });
            }
        }
        Ok(())
    }

    fn warn_of_folder(&mut self, facts: &Facts, package: usize, on: usize, dependency: &Dependency) {
        let (short, on) = (&facts.packages[package].short, &facts.packages[on].short);
        let folder = dependency.path.as_deref().unwrap_or_default();
        self.warnings.push(format!(
            "{short} takes {on} from `{folder}` without a version: its wheel asks for that folder, which no index \
             has; add `version` beside `path`"
        ));
    }
}

/// The text of a file on the planned commit.
pub fn text_of<'f>(facts: &'f Facts, path: &str) -> Result<&'f str, String> {
    let bytes = facts.files.get(path).ok_or_else(|| format!("{path} is not in the commit"))?;
    std::str::from_utf8(bytes).map_err(|_| format!("{path} is not UTF-8"))
}

/// The version before and after, of a released package or of one that stays: there, for whom is released as a
/// final version, its last final release.
fn step_of(
    facts: &Facts,
    decisions: &Decisions,
    standings: &[Result<Standing, Refusal>],
    package: usize,
    for_final: bool,
) -> Option<(Version, Version)> {
    let standing = standings[package].as_ref().ok();
    let last =
        standing.and_then(|standing| standing.last.clone()).or(facts.packages[package].version.clone());
    if let Some(decision) = &decisions.releases[package] {
        return Some((last.unwrap_or_else(|| decision.to.clone()), decision.to.clone()));
    }
    let last_final = standing.and_then(|standing| standing.last_final.clone()).filter(|_| for_final);
    let stays = last_final.or(last)?;
    Some((stays.clone(), stays))
}

fn file_edit(facts: &Facts, path: String, mut changes: Vec<Change>) -> Result<FileEdit, String> {
    changes.sort_by_key(|change| (change.at, change.delete));
    changes.dedup();
    let before = facts.files.get(&path);
    let after = apply(before.map_or(&[], Vec::as_slice), &changes)
        .map_err(|error| format!("failed to edit {path}: {error}"))?;
    let splices = changes.into_iter().map(|change| Splice {
        at: change.at,
        delete: change.delete,
        insert: change.insert,
    });
    Ok(FileEdit {
        before: before.map(|bytes| Digest::of(bytes)),
        after: Some(Digest::of(&after)),
        splices: splices.collect(),
        path,
    })
}

fn deletion(facts: &Facts, path: String) -> FileEdit {
    let before = facts.files.get(&path).map(|bytes| Digest::of(bytes));
    FileEdit { path, before, after: None, splices: Vec::new() }
}

/// The bytes after a plan's splices; splices that leave the file are cut off at its end.
pub fn splice(before: &[u8], splices: &[Splice]) -> Vec<u8> {
    let mut after = Vec::with_capacity(before.len());
    let mut done = 0;
    for one in splices {
        let at = one.at.clamp(done, before.len());
        after.extend_from_slice(&before[done..at]);
        after.extend_from_slice(one.insert.as_bytes());
        done = at.saturating_add(one.delete).min(before.len());
    }
    after.extend_from_slice(&before[done..]);
    after
}

fn floor(rule: FloorRule) -> Floor {
    match rule {
        FloorRule::Never => Floor::Never,
        FloorRule::Minor => Floor::Minor,
        FloorRule::Always => Floor::Always,
    }
}

fn refusal(facts: &Facts, package: usize, reason: String) -> Refusal {
    Refusal {
        package: facts.packages[package].short.clone(),
        reason,
        way_out: "mend the file, commit, and plan again".to_owned(),
    }
}

#[cfg(test)]
#[path = "edits_tests.rs"]
mod tests;
