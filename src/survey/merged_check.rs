//! Whether a merged commit is what its plan made, and what people wrote into its changelogs.

use std::collections::{BTreeMap, BTreeSet};

use crate::plan::edits::splice;
use crate::plan::merged::{Passage, holds, notes_of_changelog};
use crate::plan::stale::short;
use crate::plan::step::FileEdit;
use crate::plan::tally::{Source, tally};
use crate::plan::{Plan, Release};
use crate::survey::error::SurveyError;
use crate::survey::facts::Survey;
use crate::survey::merged::{Brought, Edited};
use crate::survey::packages::changelog;
use crate::world::git_error::GitError;

/// The notes that the merged changelogs say otherwise than the plan.
///
/// # Errors
/// `Merged` where files are not as planned, where a package was released since, or where the commit holds changes of
/// a released package that its plan does not know.
pub fn check(survey: &Survey, plan: &Plan, brought: &Brought) -> Result<Edited, SurveyError> {
    refuse_released_since(survey, plan)?;
    refuse_unplanned_changes(survey, plan, brought)?;
    let objects = survey.repository.objects();
    let read = |commit: Option<&str>, path: &str| -> Result<Option<Vec<u8>>, GitError> {
        commit.map_or(Ok(None), |commit| objects.blob(commit, path))
    };
    let changelogs = changelogs(survey);
    let mut edited = Edited::new();
    for edit in &plan.edits {
        let planned = read(Some(&plan.base.commit), &edit.path)?;
        let before = read(brought.before.as_deref(), &edit.path)?;
        let after = read(Some(&brought.commit), &edit.path)?;
        let passage =
            Passage { planned: planned.as_deref(), before: before.as_deref(), after: after.as_deref() };
        if holds(edit, passage) {
            continue;
        }
        let package = changelogs.get(&edit.path);
        match plan.releases.iter().find(|release| Some(&release.package) == package) {
            Some(release) => {
                edited.extend(words_of(release, edit, &passage).map(|words| (release.package.clone(), words)))
            }
            None => {
                return Err(refused(
                    format!(
                        "{} of commit {} is not what the plan made of it",
                        edit.path,
                        short(&brought.commit)
                    ),
                    brought,
                ));
            }
        }
    }
    Ok(edited)
}

/// The changelogs of all packages: their short names by path.
pub fn changelogs(survey: &Survey) -> BTreeMap<String, String> {
    let facts = &survey.facts;
    let all = facts.packages.iter().zip(&facts.settings);
    all.filter_map(|(package, settings)| Some((changelog(package, settings)?, package.short.clone())))
        .collect()
}

/// The notes with the words of the merged changelog, where they are others than the planned ones.
fn words_of(release: &Release, edit: &FileEdit, passage: &Passage<'_>) -> Option<String> {
    let planned = splice(passage.planned.unwrap_or_default(), &edit.splices);
    let (planned, merged) = (String::from_utf8_lossy(&planned), String::from_utf8_lossy(passage.after?));
    notes_of_changelog(release, &edit.path, &planned, &merged)
}

/// The plan counts from a release that is still the last one.
fn refuse_released_since(survey: &Survey, plan: &Plan) -> Result<(), SurveyError> {
    for release in &plan.releases {
        let index = survey.facts.packages.iter().position(|package| package.short == release.package);
        let last = index.and_then(|index| survey.facts.history.tags[index].first());
        let last = last.map(|tag| tag.version.to_string());
        if index.is_none() || last != release.from {
            let was = release.from.as_deref().unwrap_or("nothing");
            let is = last.as_deref().unwrap_or("nothing");
            return Err(SurveyError::Merged {
                reason: format!(
                    "it takes {} from {was} to {}, and the last release is {is} by now",
                    release.package, release.to
                ),
                way_out:
                    "revert the merged commit with `git revert`, push, and `release pr` proposes it anew"
                        .to_owned(),
            });
        }
    }
    Ok(())
}

/// Changes that came onto the branch after the plan was made, are in the commit that would be built, and would be in
/// a release without standing in its notes, or counting for its number.
fn refuse_unplanned_changes(survey: &Survey, plan: &Plan, brought: &Brought) -> Result<(), SurveyError> {
    let between = survey.repository.messages_between(&plan.base.commit, &brought.commit)?;
    let new: BTreeSet<&str> = between.iter().map(|(id, _)| id.as_str()).collect();
    if new.len() < 2 {
        return Ok(());
    }
    let tally = tally(&survey.facts);
    for release in &plan.releases {
        let index = survey.facts.packages.iter().position(|package| package.short == release.package);
        for change in index.map(|index| &tally.changes[index]).into_iter().flatten() {
            let (Source::Commit(place), Some(_)) = (change.source, change.size) else { continue };
            let commit = &survey.facts.history.commits[place];
            let id = commit.id.to_string();
            if new.contains(id.as_str()) {
                let reason = format!(
                    "commit {} changes {}, is in the merged commit {}, and the plan was made without it",
                    short(&id),
                    release.package,
                    short(&brought.commit)
                );
                return Err(refused(reason, brought));
            }
        }
    }
    Ok(())
}

fn refused(reason: String, brought: &Brought) -> SurveyError {
    let onto = short(&brought.onto);
    SurveyError::Merged {
        reason,
        way_out: format!(
            "`git revert {onto}`, push, and `release pr` proposes it anew with all there is by then"
        ),
    }
}
