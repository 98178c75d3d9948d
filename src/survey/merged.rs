//! Releases whose pull request is merged and that wait to be shipped, by the plan that their commit names.

use std::cell::LazyCell;
use std::collections::{BTreeMap, BTreeSet};

use rayon::iter::{IndexedParallelIterator, IntoParallelRefIterator, ParallelIterator};

use crate::history::commit::{Commit, CommitId};
use crate::plan::Plan;
use crate::plan::digest::Digest;
use crate::plan::make::base;
use crate::plan::merged::{plans_named, rest_of};
use crate::survey::error::SurveyError;
use crate::survey::facts::Survey;
use crate::survey::merged_check::check;
use crate::world::git::Repository;
use crate::world::ledger_ref::Files;

/// The files of a waiting plan.
const PLAN_FILE: &str = "plan.json";
const RENDERED_FILE: &str = "rendered.json";

/// A merged release that nobody shipped yet.
#[derive(Debug, Clone)]
pub struct Waiting {
    /// As it was proposed.
    pub proposed: Digest,
    /// What is left to do of it.
    pub plan: Plan,
}

/// Where a merge brought a release commit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Brought {
    /// The commit that holds the edits, and that the tags name.
    pub commit: String,
    /// The commit on the first-parent line that brought it: itself after a squash or a rebase.
    pub onto: String,
    /// What the branch was before that.
    pub before: Option<String>,
}

/// How many messages one thread reads at least: fewer are read before another begins.
const TOGETHER: usize = 256;

/// The plans that commits of this branch name and no release of it has, oldest first. Opens no connection.
pub fn named(survey: &Survey) -> Vec<Digest> {
    let history = &survey.facts.history;
    let tagged: LazyCell<BTreeSet<&CommitId>, _> =
        LazyCell::new(|| history.tags.iter().flatten().map(|tag| &tag.commit).collect());
    let mut found: Vec<Digest> = Vec::new();
    let mut shipped: BTreeSet<Digest> = BTreeSet::new();
    let commits = history.commits.par_iter().with_min_len(TOGETHER);
    let plans = commits.map(|commit| (commit, plans_named(&commit.message)));
    let naming: Vec<(&Commit, Vec<Digest>)> = plans.filter(|(_, plans)| !plans.is_empty()).collect();
    for (commit, plans) in naming.into_iter().rev() {
        for plan in plans {
            if tagged.contains(&commit.id) {
                shipped.insert(plan);
            } else if !found.contains(&plan) {
                found.push(plan);
            }
        }
    }
    found.retain(|plan| !shipped.contains(plan));
    found
}

/// The merged releases among these plans, as far as this repository knows the plans. One that was taken back by a
/// revert, that has its tags, or whose numbers were given up does not wait.
///
/// # Errors
/// `Merged` where one can not be shipped as it was planned.
pub fn waiting(survey: &Survey, plans: &[Digest]) -> Result<Vec<Waiting>, SurveyError> {
    let mut found = Vec::new();
    for digest in plans {
        let Some(Proposed { plan: proposed, .. }) = proposed(&survey.repository, digest)? else { continue };
        if is_released(survey, &proposed)? {
            continue;
        }
        let Some(brought) = brought(survey, digest)? else { continue };
        if is_reverted(survey, &brought) {
            continue;
        }
        let notes = check(survey, &proposed, &brought)?;
        let plan = rest_of(&proposed, &brought.commit, &notes, base(&survey.facts));
        found.push(Waiting { proposed: digest.clone(), plan });
    }
    Ok(found)
}

/// A plan that waits for its merge.
#[derive(Debug, Clone)]
pub struct Proposed {
    pub plan: Plan,
    /// The notes as they were rendered, before people edited them; by package.
    pub rendered: BTreeMap<String, String>,
}

impl Proposed {
    /// As the files of its ref.
    pub fn files(&self) -> Files {
        let bytes = |value: serde_json::Result<Vec<u8>>| value.expect("a plan holds only what JSON can say");
        let plan = bytes(serde_json::to_vec(&self.plan));
        let rendered = bytes(serde_json::to_vec(&self.rendered));
        [(PLAN_FILE.to_owned(), plan), (RENDERED_FILE.to_owned(), rendered)].into()
    }
}

/// A waiting plan that this repository knows and that is what its digest says.
///
/// # Errors
/// Unreadable objects.
pub fn proposed(repository: &Repository, digest: &Digest) -> Result<Option<Proposed>, SurveyError> {
    let Some(files) = repository.waiting_plan(digest.hex())? else { return Ok(None) };
    let plan = files.get(PLAN_FILE).and_then(|bytes| serde_json::from_slice::<Plan>(bytes).ok());
    let is_it = |plan: &Plan| plan.digest == *digest && plan.compute_digest() == *digest;
    let rendered = files.get(RENDERED_FILE).and_then(|bytes| serde_json::from_slice(bytes).ok());
    Ok(plan.filter(is_it).map(|plan| Proposed { plan, rendered: rendered.unwrap_or_default() }))
}

/// Whether some tag of it stands, or its numbers were claimed and given up.
fn is_released(survey: &Survey, plan: &Plan) -> Result<bool, SurveyError> {
    for release in &plan.releases {
        let number = (release.package.clone(), release.to.clone());
        let tag = format!("refs/tags/{}", release.tag);
        if survey.facts.spent.contains(&number) || survey.repository.ref_target(&tag)?.is_some() {
            return Ok(true);
        }
    }
    Ok(false)
}

/// How the release commit of a plan came onto the branch.
///
/// A merge has it behind another parent: there the tree is the one that was proposed, whatever the branch got
/// meanwhile. A squash or a rebase put its edits into a commit of the branch itself.
fn brought(survey: &Survey, plan: &Digest) -> Result<Option<Brought>, SurveyError> {
    let commits = &survey.facts.history.commits;
    let names: Vec<&Commit> =
        commits.iter().filter(|commit| plans_named(&commit.message).contains(plan)).collect();
    let aside = names.iter().find(|commit| !commit.mainline && commit.parents.len() < 2);
    if let Some(release) = aside {
        let release = release.id.to_string();
        for merge in commits.iter().rev().filter(|commit| commit.mainline && commit.parents.len() > 1) {
            let mut sides = merge.parents.iter().skip(1).map(CommitId::to_string);
            let side = sides.find(|parent| holds(survey, &release, parent));
            if let (Some(side), Some(first)) = (side, merge.parents.first()) {
                return Ok(Some(Brought {
                    before: survey.repository.merge_base(&first.to_string(), &side)?,
                    commit: side,
                    onto: merge.id.to_string(),
                }));
            }
        }
    }
    // The oldest: what names the plan later only speaks of it.
    let on_line = names.iter().rev().find(|commit| commit.mainline && commit.parents.len() < 2);
    Ok(on_line.map(|commit| Brought {
        commit: commit.id.to_string(),
        onto: commit.id.to_string(),
        before: commit.parents.first().map(CommitId::to_string),
    }))
}

fn holds(survey: &Survey, older: &str, newer: &str) -> bool {
    survey.repository.is_ancestor(older, newer).unwrap_or(false)
}

/// Whether a later commit says in git's own words that it reverts the merge.
fn is_reverted(survey: &Survey, brought: &Brought) -> bool {
    let says = |commit: &Commit, reverted: &str| {
        let words = format!("This reverts commit {reverted}");
        commit.mainline && commit.message.lines().any(|line| line.trim().starts_with(&words))
    };
    survey
        .facts
        .history
        .commits
        .iter()
        .any(|commit| says(commit, &brought.onto) || says(commit, &brought.commit))
}

/// The notes that people wrote into changelogs, by package.
pub type Edited = BTreeMap<String, String>;
