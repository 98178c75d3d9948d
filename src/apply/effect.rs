//! The effect of each kind of step: observe, act, observe again.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use crate::apply::build::{BuildError, BuildRequest, Frontend, build, scm_version};
use crate::apply::crash;
use crate::apply::environment::Installer;
use crate::apply::index::{self, IndexError};
use crate::apply::smoke::{Outcome as Trial, SmokeError, SmokeRequest, smoke};
use crate::apply::workshop::{Workshop, WorkshopError, pending};
use crate::check::artifact::{Expected, check};
use crate::check::finding::Finding;
use crate::ledger::event::{FailureKind, StepFailure};
use crate::ledger::state::Ship;
use crate::plan::digest::Digest;
use crate::plan::edits::splice;
use crate::plan::step::{Action, FileEdit, Step};
use crate::plan::{Plan, Release};
use crate::version::number::Version;
use crate::workspace::name::PackageName;
use crate::workspace::path::RepoPath;
use crate::world::git::Person;
use crate::world::git_error::GitError;
use crate::world::refs::{Expected as At, RefUpdate};
use crate::world::tools::ToolError;
use crate::world::write::{FileWrite, Stamp};

/// How long each installer run of a smoke test may take.
const SMOKE_LIMIT: Duration = Duration::from_secs(300);
/// How long a script may take to print its help.
const SCRIPT_LIMIT: Duration = Duration::from_secs(30);

/// What a step leaves in the ledger.
pub type Evidence = BTreeMap<String, String>;

/// One step to be done, with all it needs to know.
pub struct Job {
    pub step: Step,
    pub plan: Arc<Plan>,
    /// The ship as it stood when the step was started.
    pub ship: Ship,
}

/// Why a step failed.
#[derive(Debug, thiserror::Error)]
pub enum StepError {
    #[error("{0}")]
    Git(#[from] GitError),
    #[error("{0}")]
    Workshop(#[from] WorkshopError),
    #[error("{0}")]
    Build(#[from] BuildError),
    #[error("{package} does not hold what an index asks for: {}", findings.join("; "))]
    Artifact { package: String, findings: Vec<String> },
    #[error("{file} was sealed as {sealed}, but these bytes are {found}")]
    Sealed { file: String, sealed: String, found: String },
    #[error("{0}")]
    Tool(#[from] ToolError),
    #[error("the plan does not read: {reason}")]
    Plan { reason: String },
    #[error("{0}")]
    Index(#[from] IndexError),
    #[error("{0}")]
    Smoke(#[from] SmokeError),
    #[error("{package} does not work as installed: {reason}")]
    Broken { package: String, reason: String },
    #[error("{what} is not what the plan was made from: {path}")]
    Moved { what: String, path: String },
    #[error("index `{index}` is not configured as a folder")]
    NoIndex { index: String },
    #[error("failed to use {path}: {source}")]
    File {
        path: String,
        #[source]
        source: std::io::Error,
    },
    #[error("the ledger does not know what step {step} left")]
    Forgotten { step: String },
}

impl StepError {
    /// The failure as the ledger keeps it.
    pub fn failure(&self) -> StepFailure {
        let kind = match self {
            StepError::File { .. } | StepError::Workshop(_) => FailureKind::Transient,
            StepError::Git(_) | StepError::Smoke(_) | StepError::Tool(_) => FailureKind::Unknown,
            _ => FailureKind::Permanent,
        };
        StepFailure { kind, message: self.to_string() }
    }
}

/// Does one step.
///
/// # Errors
/// Where the step can not be brought to its end.
pub async fn carry_out(job: Job, workshop: Arc<Workshop>) -> Result<Evidence, StepError> {
    match &job.step.action {
        Action::Commit { message } => write_commit(&job, &workshop, message),
        Action::Tag { tag, message } => write_tag(&job, &workshop, tag, message),
        Action::Build { path, distribution, version, frontend } => {
            let made = Made { path, distribution, version, frontend };
            build_package(&job, &workshop, &made).await
        }
        Action::Seal => seal(&job, &workshop),
        Action::Claim { branch, .. } => claim(&job, &workshop, branch),
        Action::Publish { index, distribution, .. } => publish(&job, &workshop, index, distribution).await,
        Action::Smoke { index, distribution, version } => {
            smoke_test(&job, &workshop, index, distribution, version).await
        }
    }
}

/// Writes the release commit as an object. The same plan and ship give the same commit.
fn write_commit(job: &Job, workshop: &Workshop, message: &str) -> Result<Evidence, StepError> {
    let repository = &workshop.repository;
    let base = &job.plan.base.commit;
    let objects = repository.objects();
    let mut edits = Vec::new();
    for edit in &job.plan.edits {
        let before = objects.blob(base, &edit.path)?;
        let found = before.as_deref().map(Digest::of);
        if found != edit.before {
            return Err(StepError::Moved { what: "a file".to_owned(), path: edit.path.clone() });
        }
        let after = edit.after.as_ref().map(|_| splice(before.as_deref().unwrap_or(&[]), &edit.splices));
        if after.as_deref().map(Digest::of) != edit.after {
            return Err(StepError::Moved { what: "an edit".to_owned(), path: edit.path.clone() });
        }
        edits.push(FileWrite { path: edit.path.clone(), bytes: after });
    }
    let message = format!("{message}\n\nRelease-Plan: {}\n", job.plan.digest);
    let commit = repository.write_commit(base, &edits, &message, &stamp(job), &stamp(job))?;
    crash::point();
    let keep =
        RefUpdate { name: pending(&job.plan.digest), new: Some(commit.clone()), expected_old: At::Any };
    repository.update_refs(&[keep], "release: keep the release commit")?;
    Ok(Evidence::from([("commit".to_owned(), commit)]))
}

fn write_tag(job: &Job, workshop: &Workshop, tag: &str, message: &str) -> Result<Evidence, StepError> {
    let commit = release_commit(job)?;
    let object = workshop.repository.write_tag_object(tag, commit, message, &stamp(job))?;
    Ok(Evidence::from([("tag".to_owned(), tag.to_owned()), ("object".to_owned(), object)]))
}

/// What is built, as the step says.
struct Made<'s> {
    path: &'s str,
    distribution: &'s str,
    version: &'s str,
    frontend: &'s str,
}

async fn build_package(job: &Job, workshop: &Workshop, made: &Made<'_>) -> Result<Evidence, StepError> {
    let package = package_of(job);
    let stash = workshop.stash(&job.plan.digest, package);
    if !stash.is_dir() {
        build_into(job, workshop, package, made).await?;
    }
    let files = stashed(&stash)?;
    let named: Vec<(&str, &[u8])> =
        files.iter().map(|(name, bytes)| (name.as_str(), bytes.as_slice())).collect();
    let internal = internal_versions(&job.plan);
    let expected = Expected {
        name: &PackageName::new(made.distribution),
        version: &version_of(made.version)?,
        internal: &internal,
        files: &named,
    };
    let errors: Vec<String> = check(&expected)
        .into_iter()
        .filter(Finding::is_error)
        .map(|finding| format!("{}: {} ({})", finding.file, finding.message, finding.way_out))
        .collect();
    if errors.is_empty() {
        return Ok(digests(&files));
    }
    // A build that does not pass is not kept: the next run builds anew.
    let _ = std::fs::remove_dir_all(&stash);
    Err(StepError::Artifact { package: package.to_owned(), findings: errors })
}

/// Builds beside the stash and moves the files there at once, so that a stash is whole or absent.
async fn build_into(job: &Job, workshop: &Workshop, package: &str, made: &Made<'_>) -> Result<(), StepError> {
    let stash = workshop.stash(&job.plan.digest, package);
    let checkout = workshop.checkout(release_commit(job)?, &tags_of(job)).await?;
    let parent = stash.parent().expect("a stash stands below its plan's folder").to_owned();
    std::fs::create_dir_all(&parent).map_err(|source| file_error(&parent, source))?;
    let fresh = tempfile::Builder::new()
        .prefix("building-")
        .tempdir_in(&parent)
        .map_err(|source| file_error(&parent, source))?;
    let frontend = match made.frontend {
        "build" => Frontend::Build(workshop.tools.build().await?),
        _ => Frontend::Uv(workshop.tools.uv().await?),
    };
    let mut environment = scm_version(made.distribution, made.version);
    if let Some(scratch) = workshop.scratch() {
        environment.push(("TMPDIR".to_owned(), scratch.display().to_string()));
    }
    build(BuildRequest {
        checkout,
        package: RepoPath::new(made.path).unwrap_or_default(),
        out: fresh.path().to_owned(),
        frontend,
        epoch: job.ship.began,
        find_links: find_links(job, workshop, package)?,
        environment,
        timeout: workshop.build_limit,
    })
    .await?;
    crash::point();
    let kept = fresh.keep();
    std::fs::rename(&kept, &stash).map_err(|source| file_error(&stash, source))
}

/// One folder with the wheels of packages that this build requires and this ship has built.
fn find_links(job: &Job, workshop: &Workshop, package: &str) -> Result<Option<PathBuf>, StepError> {
    let step = job.plan.steps.iter().find(|step| step.id.0 == format!("build:{package}"));
    let needs = step.map_or(&[][..], |step| step.needs.as_slice());
    let needed: Vec<&str> = needs.iter().filter_map(|need| need.0.strip_prefix("build:")).collect();
    if needed.is_empty() {
        return Ok(None);
    }
    let folder = workshop.stash(&job.plan.digest, &format!("needed-by-{package}"));
    std::fs::create_dir_all(&folder).map_err(|source| file_error(&folder, source))?;
    for package in needed {
        for (name, bytes) in stashed(&workshop.stash(&job.plan.digest, package))? {
            let path = folder.join(name);
            std::fs::write(&path, bytes).map_err(|source| file_error(&path, source))?;
        }
    }
    Ok(Some(folder))
}

/// The versions that the packages of the repository have once all is published.
fn internal_versions(plan: &Plan) -> BTreeMap<PackageName, Version> {
    let released = plan.releases.iter().map(|release| (&release.distribution, Some(&release.to)));
    let unchanged = plan.unchanged.iter().map(|stays| (&stays.distribution, stays.version.as_ref()));
    released
        .chain(unchanged)
        .filter_map(|(name, version)| Some((PackageName::new(name), Version::parse(version?).ok()?)))
        .collect()
}

/// The tags of this ship and their objects.
fn tags_of(job: &Job) -> Vec<(String, String)> {
    job.plan
        .steps
        .iter()
        .filter_map(|step| match &step.action {
            Action::Tag { tag, .. } => {
                let object = job.ship.evidence(&step.id.0)?.get("object")?;
                Some((tag.clone(), object.clone()))
            }
            _ => None,
        })
        .collect()
}

/// Says which bytes exist for these versions; bytes that differ from an earlier seal are refused, and names that are
/// taken in the index: after the claim it would be too late.
fn seal(job: &Job, workshop: &Workshop) -> Result<Evidence, StepError> {
    let mut sealed = Evidence::new();
    for release in &job.plan.releases {
        let files = stashed(&workshop.stash(&job.plan.digest, &release.package))?;
        refuse_taken_names(workshop, release, &files)?;
        let built = evidence(job, &format!("build:{}", release.package))?;
        for (name, digest) in digests(&files) {
            match built.get(&name) {
                Some(known) if *known == digest => {}
                known => {
                    let sealed = known.cloned().unwrap_or_else(|| "nothing".to_owned());
                    return Err(StepError::Sealed { file: name, sealed, found: digest });
                }
            }
            sealed.insert(format!("{}/{name}", release.package), digest);
        }
    }
    Ok(sealed)
}

fn refuse_taken_names(
    workshop: &Workshop,
    release: &Release,
    files: &[(String, Vec<u8>)],
) -> Result<(), StepError> {
    let folder = index_folder(workshop, &release.index)?;
    let package = PackageName::new(&release.distribution);
    for (name, bytes) in files {
        index::is_there(folder, &package, name, &Digest::of(bytes))?;
    }
    Ok(())
}

/// Moves the branch and creates the tags in one transaction, then brings the work tree along.
fn claim(job: &Job, workshop: &Workshop, branch: &str) -> Result<Evidence, StepError> {
    let repository = &workshop.repository;
    let commit = release_commit(job)?.to_owned();
    let branch_ref = format!("refs/heads/{branch}");
    let mut tags = Vec::new();
    for step in &job.plan.steps {
        if let Action::Tag { tag, .. } = &step.action {
            tags.push((format!("refs/tags/{tag}"), evidence_of(job, &step.id.0, "object")?.to_owned()));
        }
    }
    let made = tags.iter().try_fold(true, |made, (name, object)| {
        Ok::<bool, GitError>(made && repository.ref_target(name)?.as_deref() == Some(object.as_str()))
    })?;
    if !made {
        let mut updates = vec![RefUpdate {
            name: branch_ref,
            new: Some(commit.clone()),
            expected_old: At::At(job.plan.base.commit.clone()),
        }];
        updates.extend(tags.iter().map(|(name, object)| RefUpdate {
            name: name.clone(),
            new: Some(object.clone()),
            expected_old: At::Missing,
        }));
        repository.update_refs(&updates, "release: claim")?;
        crash::point();
    }
    follow_in_work_tree(job, workshop, &commit)?;
    Ok(Evidence::from([("commit".to_owned(), commit), ("branch".to_owned(), branch.to_owned())]))
}

/// Brings the edited files of the work tree to the release commit; a file somebody changed meanwhile is left.
fn follow_in_work_tree(job: &Job, workshop: &Workshop, commit: &str) -> Result<(), StepError> {
    let repository = &workshop.repository;
    let paths: Vec<&str> = job.plan.edits.iter().map(|edit| edit.path.as_str()).collect();
    if paths.is_empty() {
        return Ok(());
    }
    let changed_since_base = repository.differing(&job.plan.base.commit, &paths)?;
    let changed_since_release = repository.differing(commit, &paths)?;
    if let Some(path) = changed_since_base.iter().find(|path| changed_since_release.contains(path)) {
        return Err(StepError::Moved { what: "a file of the work tree".to_owned(), path: path.clone() });
    }
    let (kept, gone): (Vec<&FileEdit>, Vec<&FileEdit>) =
        job.plan.edits.iter().partition(|edit| edit.after.is_some());
    repository.checkout_paths(commit, &paths_of(&kept))?;
    crash::point();
    repository.remove_paths(&paths_of(&gone))?;
    Ok(())
}

fn paths_of<'e>(edits: &[&'e FileEdit]) -> Vec<&'e str> {
    edits.iter().map(|edit| edit.path.as_str()).collect()
}

async fn publish(
    job: &Job,
    workshop: &Workshop,
    index: &str,
    distribution: &str,
) -> Result<Evidence, StepError> {
    let folder = index_folder(workshop, index)?.to_owned();
    let package = PackageName::new(distribution);
    let files = sealed_files(job, workshop, package_of(job)).await?;
    let found = digests(&files);
    let published = tokio::task::spawn_blocking(move || {
        // A conflict in any of them stops before the first is written.
        for (name, bytes) in &files {
            index::is_there(&folder, &package, name, &Digest::of(bytes))?;
        }
        for (name, bytes) in &files {
            crash::point();
            index::publish(&folder, &package, name, bytes, &Digest::of(bytes))?;
            crash::point();
        }
        Ok::<(), IndexError>(())
    });
    published.await.unwrap_or_else(|panic| std::panic::resume_unwind(panic.into_panic()))?;
    Ok(found)
}

async fn smoke_test(
    job: &Job,
    workshop: &Workshop,
    index: &str,
    distribution: &str,
    version: &str,
) -> Result<Evidence, StepError> {
    let report = smoke(SmokeRequest {
        index: index_folder(workshop, index)?.to_owned(),
        package: PackageName::new(distribution),
        version: version_of(version)?,
        internal: internal_versions(&job.plan),
        installer: Installer::Uv(workshop.tools.uv().await?),
        timeout: SMOKE_LIMIT,
        script_timeout: SCRIPT_LIMIT,
    })
    .await?;
    let mut evidence = report.evidence;
    match report.outcome {
        Trial::Pass => Ok(evidence),
        Trial::Inconclusive { reason } => {
            evidence.insert("undecided".to_owned(), reason);
            Ok(evidence)
        }
        Trial::Fail { reason } => Err(StepError::Broken { package: package_of(job).to_owned(), reason }),
    }
}

fn version_of(text: &str) -> Result<Version, StepError> {
    Version::parse(text).map_err(|error| StepError::Plan { reason: error.to_string() })
}

fn index_folder<'w>(workshop: &'w Workshop, index: &str) -> Result<&'w Path, StepError> {
    workshop
        .indexes
        .get(index)
        .map(std::path::PathBuf::as_path)
        .ok_or_else(|| StepError::NoIndex { index: index.to_owned() })
}

/// A package's files from the stash, each with the digest it was sealed with. A stash that is gone is built again;
/// other bytes than the sealed ones are refused.
async fn sealed_files(
    job: &Job,
    workshop: &Workshop,
    package: &str,
) -> Result<Vec<(String, Vec<u8>)>, StepError> {
    let stash = workshop.stash(&job.plan.digest, package);
    if !stash.is_dir() {
        let step = job.plan.steps.iter().find(|step| step.id.0 == format!("build:{package}"));
        if let Some(Action::Build { path, distribution, version, frontend }) = step.map(|step| &step.action) {
            build_into(job, workshop, package, &Made { path, distribution, version, frontend }).await?;
        }
    }
    let files = stashed(&stash)?;
    let sealed = evidence(job, "seal")?;
    for (name, found) in digests(&files) {
        let known = sealed.get(&format!("{package}/{name}"));
        if known != Some(&found) {
            let sealed = known.cloned().unwrap_or_else(|| "nothing".to_owned());
            return Err(StepError::Sealed { file: name, sealed, found });
        }
    }
    Ok(files)
}

/// Who and when, the same however often the ship is taken up.
fn stamp(job: &Job) -> Stamp {
    let (name, email) = job.ship.who.rsplit_once(" <").unwrap_or((&job.ship.who, ""));
    let who = Person { name: name.to_owned(), email: email.trim_end_matches('>').to_owned() };
    Stamp { who, time: job.ship.began }
}

fn package_of(job: &Job) -> &str {
    job.step.package.as_deref().unwrap_or("")
}

fn release_commit(job: &Job) -> Result<&str, StepError> {
    evidence_of(job, "commit", "commit")
}

fn evidence<'j>(job: &'j Job, step: &str) -> Result<&'j BTreeMap<String, String>, StepError> {
    job.ship.evidence(step).ok_or_else(|| StepError::Forgotten { step: step.to_owned() })
}

fn evidence_of<'j>(job: &'j Job, step: &str, key: &str) -> Result<&'j str, StepError> {
    evidence(job, step)?
        .get(key)
        .map(String::as_str)
        .ok_or_else(|| StepError::Forgotten { step: step.to_owned() })
}

/// The files of a folder by name, in order.
fn stashed(folder: &Path) -> Result<Vec<(String, Vec<u8>)>, StepError> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(|source| file_error(folder, source))? {
        let path = entry.map_err(|source| file_error(folder, source))?.path();
        let Some(name) = path.file_name().and_then(|name| name.to_str()) else { continue };
        let kept = name.ends_with(".whl") || name.ends_with(".tar.gz");
        if kept && path.is_file() {
            let bytes = std::fs::read(&path).map_err(|source| file_error(&path, source))?;
            files.push((name.to_owned(), bytes));
        }
    }
    files.sort();
    Ok(files)
}

fn digests(files: &[(String, Vec<u8>)]) -> Evidence {
    files.iter().map(|(name, bytes)| (name.clone(), Digest::of(bytes).to_string())).collect()
}

fn file_error(path: &Path, source: std::io::Error) -> StepError {
    StepError::File { path: path.display().to_string(), source }
}
