//! Facts in, Plan out.

use std::collections::{BTreeMap, BTreeSet};

use crate::plan::decide::{Decision, Decisions, decide};
use crate::plan::deployment::ArtifactKind;
use crate::plan::digest::Digest;
use crate::plan::edits::Edits;
use crate::plan::facts::{Facts, GitHubReleases, Request};
use crate::plan::image::{Line, ReleaseImage, is_highest};
use crate::plan::notes::write_notes;
use crate::plan::number::{is_major, release_bump};
use crate::plan::standing::{Standing, standings};
use crate::plan::steps::{Order, steps};
use crate::plan::tally::{Source, Tally, tally, tally_by};
use crate::plan::{Base, Deploy, FORMAT, LeftOut, Plan, Refusal, Release, Unchanged};
use crate::workspace::manifest::Place;

/// Why no plan can be made at all.
#[derive(Debug, thiserror::Error)]
pub enum PlanError {
    #[error("failed to write the notes of {package}: {source}")]
    Notes {
        package: String,
        #[source]
        source: crate::render::template::RenderError,
    },
    #[error("{0}")]
    Edits(String),
}

/// Makes the plan that these facts and this request give.
///
/// # Errors
/// Where a user's own template does not render, or two edits of one file collide.
pub fn make(facts: &Facts, request: &Request) -> Result<Plan, PlanError> {
    let Draft { mut plan, waste } = draft_by(facts, request, tally(facts))?;
    // What it was made from is given back meanwhile.
    (plan.digest, ()) = rayon::join(|| plan.compute_digest(), || drop(waste));
    Ok(plan)
}

/// A plan whose digest is not taken yet, for those who have something to do meanwhile.
pub struct Draft {
    pub plan: Plan,
    /// What it was made from.
    pub waste: Waste,
}

/// What is of no use any more, and takes a while to give back.
#[expect(dead_code, reason = "nobody asks it for anything")]
pub struct Waste(Tally, Decisions, Vec<Result<Standing, Refusal>>);

/// Makes the same plan, without its digest. The facts lose their commits' messages, which take much of a long history's
/// memory, part after part.
///
/// # Errors
/// Those of `make`.
pub fn draft(facts: &mut Facts, request: &Request) -> Result<Draft, PlanError> {
    let commits = facts.history.commits.iter_mut();
    let messages = commits.map(|commit| std::mem::take(&mut commit.message)).collect();
    let tally = tally_by(facts, messages);
    draft_by(facts, request, tally)
}

fn draft_by(facts: &Facts, request: &Request, mut tally: Tally) -> Result<Draft, PlanError> {
    let standings = standings(facts, request);
    let mut decisions = decide(facts, request, &tally, &standings);
    let mut edits = Edits::of(facts, &mut decisions, &standings);
    let mut notes = write_notes(facts, &tally, &standings, &decisions, &request.notes, &mut edits)?;
    consume_fragments(facts, &tally, &decisions, &mut edits);
    let mut warnings = facts.warnings.clone();
    warnings.append(&mut tally.warnings);
    warnings.append(&mut decisions.warnings);
    warnings.append(&mut edits.warnings);
    let mut releases = Vec::new();
    for package in facts.graph.order() {
        let Some(decision) = &mut decisions.releases[package] else { continue };
        let mut release = release(facts, request, decision, standings[package].as_ref().ok());
        release.notes = notes.remove(&package).unwrap_or_default();
        release.files.clone_from(&edits.files[package]);
        release.files.sort();
        release.requirements.clone_from(&edits.requirements[package]);
        releases.push(release);
    }
    let mut left_out = std::mem::take(&mut tally.left_out);
    left_out.extend(unreleased(facts, request, &decisions));
    let deploy = deploy(facts, &releases);
    let order = order(facts, &decisions);
    let branch = facts.branch.clone().unwrap_or_default();
    let message = commit_message(&releases);
    let changes = std::mem::take(&mut tally.changes);
    let ((steps, edits), ()) = rayon::join(
        || {
            rayon::join(
                || steps(&releases, &order, &branch, &facts.frontend, &message),
                || edits.finish(facts),
            )
        },
        // Of a long history they are many, and much else is made of them by now.
        || drop(changes),
    );
    let plan = Plan {
        format: FORMAT,
        digest: Digest::none(),
        base: base(facts),
        assumed: facts.assumed.clone(),
        steps,
        releases,
        edits: edits.map_err(PlanError::Edits)?,
        unchanged: unchanged(facts, &standings, &decisions.releases),
        refused: std::mem::take(&mut decisions.refused),
        left_out,
        deploy,
        warnings,
    };
    Ok(Draft { plan, waste: Waste(tally, decisions, standings) })
}

/// What of the releases goes to the first environment.
fn deploy(facts: &Facts, releases: &[Release]) -> Option<Deploy> {
    let first = facts.first.as_ref()?;
    let goes = |release: &Release| Some((release.package.clone(), *first.packages.get(&release.package)?));
    let packages: BTreeMap<String, ArtifactKind> = releases.iter().filter_map(goes).collect();
    (!packages.is_empty()).then(|| Deploy { environment: first.environment.clone(), packages })
}

/// Fragments all of whose packages are released go away with the release commit.
fn consume_fragments(facts: &Facts, tally: &Tally, decisions: &Decisions, edits: &mut Edits) {
    for (index, fragment) in facts.fragments.iter().enumerate() {
        let holders = (0..facts.packages.len()).filter(|package| {
            tally.changes[*package].iter().any(|change| change.source == Source::Fragment(index))
        });
        let holders: Vec<usize> = holders.collect();
        let released = holders.iter().filter(|package| decisions.releases[**package].is_some()).count();
        if released == 0 {
            continue;
        }
        if released == holders.len() {
            edits.delete(&fragment.path);
        } else {
            edits.warnings.push(format!(
                "{} stays: not all the packages it names are released; it will count again for the others",
                fragment.path
            ));
        }
    }
}

/// What is released of a package; takes the reasons out of its decision.
fn release(
    facts: &Facts,
    request: &Request,
    decision: &mut Decision,
    standing: Option<&Standing>,
) -> Release {
    let package = &facts.packages[decision.package];
    let settings = &facts.settings[decision.package];
    let from = standing.and_then(|standing| standing.last.as_ref());
    let asks = is_major(from, &decision.to) && !settings.versioning.allow_major && !request.allow_major;
    let image = settings.image.as_ref();
    let artifacts = ["sdist", "wheel"].into_iter().chain(image.map(|_| "image"));
    Release {
        package: package.short.clone(),
        distribution: package.name.to_string(),
        path: package.path.to_string(),
        from: from.map(ToString::to_string),
        to: decision.to.to_string(),
        tag: package.tag.render(&package.short, &decision.to),
        bump: release_bump(from, &decision.to),
        because: std::mem::take(&mut decision.because),
        notes: String::new(),
        files: Vec::new(),
        artifacts: artifacts.map(str::to_owned).collect(),
        image: image.map(|image| ReleaseImage::new(image, &decision.to, facts.remote.as_deref())),
        index: settings.index.clone(),
        explain: std::mem::take(&mut decision.explain),
        requirements: Vec::new(),
        needs: if asks { vec!["allow-major".to_owned()] } else { Vec::new() },
    }
}

fn unchanged(
    facts: &Facts,
    standings: &[Result<Standing, Refusal>],
    releases: &[Option<Decision>],
) -> Vec<Unchanged> {
    let stays = (0..facts.packages.len()).filter(|package| releases[*package].is_none());
    stays
        .map(|index| {
            let package = &facts.packages[index];
            let last = standings[index].as_ref().ok().and_then(|standing| standing.last.clone());
            Unchanged {
                package: package.short.clone(),
                distribution: package.name.to_string(),
                version: last.or(package.version.clone()).map(|version| version.to_string()),
            }
        })
        .collect()
}

/// A row for each package that is not released.
fn unreleased(facts: &Facts, request: &Request, decisions: &Decisions) -> Vec<LeftOut> {
    let refused: BTreeSet<&str> = decisions.refused.iter().map(|refusal| refusal.package.as_str()).collect();
    let mut rows = Vec::new();
    for (index, package) in facts.packages.iter().enumerate() {
        if decisions.releases[index].is_some() || refused.contains(package.short.as_str()) {
            continue;
        }
        let selected = request.only.as_ref().is_none_or(|only| only.contains(&index));
        let (kind, reason) = if selected {
            ("nothing", "no change of it asks for a release")
        } else {
            ("not-selected", "not asked for on the command line")
        };
        rows.push(LeftOut {
            commit: None,
            package: Some(package.short.as_str().into()),
            packages: Box::default(),
            subject: None,
            kind: kind.into(),
            reason: reason.into(),
        });
    }
    rows
}

fn order(facts: &Facts, decisions: &Decisions) -> Order {
    let latest = facts.github.as_ref().and_then(|github| latest(facts, github, decisions));
    let telling = facts.telling.clone();
    let mut order = Order { github: facts.github.is_some(), latest, telling, ..Order::default() };
    for (index, package) in facts.packages.iter().enumerate() {
        if decisions.releases[index].is_none() {
            continue;
        }
        for edge in facts.graph.dependencies_of(index) {
            if decisions.releases[edge.dependency].is_none() {
                continue;
            }
            let on = facts.packages[edge.dependency].short.clone();
            if edge.uses.iter().any(|one| one.place == Place::BuildRequires) {
                order.build_needs.entry(package.short.clone()).or_default().push(on.clone());
            }
            if edge.is_needed() {
                order.needs.entry(package.short.clone()).or_default().push(on);
            }
        }
    }
    order
}

/// The package whose release becomes GitHub's latest: stable, and above all that any line of it has.
fn latest(facts: &Facts, github: &GitHubReleases, decisions: &Decisions) -> Option<String> {
    let package = github.latest?;
    let version = &decisions.releases[package].as_ref()?.to;
    is_highest(version, Line::All, &github.highest).then(|| facts.packages[package].short.clone())
}

fn commit_message(releases: &[Release]) -> String {
    let named: Vec<String> =
        releases.iter().map(|release| format!("{} {}", release.package, release.to)).collect();
    let title = format!("chore(release): {}", named.join(", "));
    if title.chars().count() <= 72 {
        return title;
    }
    format!("chore(release): {} packages\n\n{}", releases.len(), named.join("\n"))
}

/// What a plan made now would be made from.
pub fn base(facts: &Facts) -> Base {
    Base {
        commit: facts.history.head.to_string(),
        branch: facts.branch.clone(),
        tags: facts.tags_digest.clone(),
        config: facts.config_digest.clone(),
        index: facts.index_digest.clone(),
    }
}
