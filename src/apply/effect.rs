//! The effect of each kind of step: observe, act, observe again.

use std::collections::BTreeMap;
use std::sync::Arc;

use futures_util::stream::{self, StreamExt, TryStreamExt};

use crate::apply::build::BuildError;
use crate::apply::claim::{claim_here, stamp_of};
use crate::apply::crash;
use crate::apply::fence::{Fence, Fenced};
use crate::apply::github::announce::announce;
use crate::apply::github::error::ReleaseError;
use crate::apply::github::files::keep;
use crate::apply::image::{ImageMade, build_image, kept_image};
use crate::apply::image_error::ImageError;
use crate::apply::index::{self, IndexError};
use crate::apply::notes::Notes;
use crate::apply::publish::{publish, smoke_test};
use crate::apply::publish_error::PublishError;
use crate::apply::push::{push_image, refuse_taken_tags};
use crate::apply::shelf::Listed;
use crate::apply::smoke::SmokeError;
use crate::apply::stage::Stage;
use crate::apply::stash::{Made, build_into, digests, stashed};
use crate::apply::tell::tell;
use crate::apply::workshop::{Outlet, Workshop, WorkshopError, pending};
use crate::check::artifact::{Expected, check};
use crate::check::finding::Finding;
use crate::ledger::event::{FailureKind, StepFailure};
use crate::ledger::state::{IMAGE, Ship};
use crate::plan::digest::Digest;
use crate::plan::edits::splice;
use crate::plan::image::ReleaseImage;
use crate::plan::merged::TRAILER;
use crate::plan::step::{Action, Step};
use crate::plan::{Plan, Release};
use crate::version::number::Version;
use crate::workspace::name::PackageName;
use crate::world::git::Repository;
use crate::world::git_error::GitError;
use crate::world::refs::{Expected as At, RefUpdate};
use crate::world::store::error::StoreError;
use crate::world::tools::ToolError;
use crate::world::write::{FileWrite, Stamp};

/// How many packages are looked up on indexes at once.
const LOOKS: usize = 16;

/// What a step leaves in the ledger.
pub type Evidence = BTreeMap<String, String>;

/// One step to be done, with all it needs to know.
pub struct Job {
    pub step: Step,
    pub plan: Arc<Plan>,
    /// The ship as it stood when the step was started.
    pub ship: Ship,
    pub notes: Notes,
    /// How far this run goes; to the end where nothing is said.
    pub until: Option<Stage>,
    /// Asked before each effect that others see; none where nobody else can have the ship.
    pub fence: Option<Arc<Fence>>,
}

impl Job {
    /// Whether the next effect may be done.
    ///
    /// # Errors
    /// Where somebody else has taken the ship over, or nobody can say.
    pub async fn may_go_on(&self) -> Result<(), StepError> {
        match &self.fence {
            Some(fence) => Ok(fence.check().await?),
            None => Ok(()),
        }
    }
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
    #[error("there is no index `{index}` in the configuration")]
    NoIndex { index: String },
    #[error("failed to use {path}: {source}")]
    File {
        path: String,
        #[source]
        source: std::io::Error,
    },
    #[error("the ledger does not know what step {step} left")]
    Forgotten { step: String },
    #[error(transparent)]
    Publish(#[from] PublishError),
    #[error(transparent)]
    Image(#[from] ImageError),
    #[error(transparent)]
    Release(Box<ReleaseError>),
    #[error(transparent)]
    Fenced(#[from] Fenced),
    #[error("{0}")]
    Remote(#[from] StoreError),
    #[error("tag `{tag}` of `{remote}` is {found}, and this release made it {ours}")]
    TagMoved { tag: String, remote: String, found: String, ours: String },
    #[error("`{branch}` of `{remote}` does not hold the release commit {commit} any more")]
    BranchRewound { branch: String, remote: String, commit: String },
    #[error("somebody was faster: `{name}` is at {found}")]
    Outrun { name: String, found: String },
    #[error("somebody was faster: {reason}")]
    Overtaken { reason: String },
    /// Steps that other jobs do.
    #[error("it needs what is not done here: {}", needs.join(", "))]
    Waited { needs: Vec<String> },
    #[error("the ship is being stopped")]
    Unheard,
    #[error("stopped by {signal}")]
    Stopped { signal: String },
}

impl From<ReleaseError> for StepError {
    fn from(error: ReleaseError) -> StepError {
        StepError::Release(Box::new(error))
    }
}

impl StepError {
    /// The failure as the ledger keeps it.
    pub fn failure(&self) -> StepFailure {
        let kind = match self {
            StepError::File { .. }
            | StepError::Workshop(_)
            | StepError::Waited { .. }
            | StepError::Unheard
            | StepError::Stopped { .. }
            | StepError::Fenced(Fenced::Unreachable { .. })
            | StepError::Remote(StoreError::Unreachable { .. }) => FailureKind::Transient,
            StepError::Publish(error) => error.kind(),
            StepError::Image(error) => error.kind(),
            StepError::Release(error) => error.kind(),
            StepError::Git(_) | StepError::Smoke(_) | StepError::Tool(_) | StepError::Remote(_) => {
                FailureKind::Unknown
            }
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
        Action::Merged { commit, .. } => take_merged(&workshop, commit),
        Action::Tag { tag, message } => write_tag(&job, &workshop, tag, message),
        Action::Build { path, distribution, version, frontend } => {
            let made = Made { path, distribution, version, frontend };
            build_package(&job, &workshop, &made).await
        }
        Action::Image { path, distribution, version, image, with } => {
            let made = ImageMade { path, distribution, version, image, with };
            build_image(&job, &workshop, &made).await
        }
        Action::Seal => seal(&job, &workshop).await,
        Action::Claim { branch, .. } => claim_here(&job, &workshop, branch),
        Action::Stash { tag, .. } => keep(&job, &workshop, tag).await,
        Action::Announce { .. } => announce(&job, &workshop).await,
        Action::Publish { index, distribution, version } => {
            publish(&job, &workshop, index, distribution, version).await
        }
        Action::Push { repository, tags, .. } => push_image(&job, &workshop, repository, tags).await,
        Action::Tell { comment, labels } => Ok(tell(&job, &workshop, *comment, labels).await),
        Action::Smoke { index, distribution, version } => {
            smoke_test(&job, &workshop, index, distribution, version).await
        }
    }
}

/// Writes the release commit as an object. The same plan and ship give the same commit.
fn write_commit(job: &Job, workshop: &Workshop, message: &str) -> Result<Evidence, StepError> {
    let repository = &workshop.repository;
    let commit = write_release_commit(&job.plan, &stamp_of(&job.ship), repository, message)?;
    crash::point();
    let keep =
        RefUpdate { name: pending(&job.plan.digest), new: Some(commit.clone()), expected_old: At::Any };
    repository.update_refs(&[keep], "release: keep the release commit")?;
    Ok(Evidence::from([("commit".to_owned(), commit)]))
}

/// Takes a commit of the branch for the release commit.
fn take_merged(workshop: &Workshop, commit: &str) -> Result<Evidence, StepError> {
    if !workshop.repository.has_object(commit) {
        return Err(StepError::Moved { what: "the merged commit".to_owned(), path: commit.to_owned() });
    }
    let found = [("commit", commit), ("merged", "yes")];
    Ok(found.map(|(key, value)| (key.to_owned(), value.to_owned())).into())
}

/// Writes the release commit again where another clone wrote it and never pushed it.
///
/// # Errors
/// Where the base is not here, or is not what the plan was made from.
pub fn write_release_again(plan: &Plan, ship: &Ship, repository: &Repository) -> Result<(), StepError> {
    for step in &plan.steps {
        if let Action::Commit { message } = &step.action {
            write_release_commit(plan, &stamp_of(ship), repository, message)?;
        }
    }
    Ok(())
}

/// Writes the release commit of a plan as an object, by whom and when is said. The same input gives the same commit.
///
/// # Errors
/// Where the base is not here, or is not what the plan was made from.
pub fn write_release_commit(
    plan: &Plan,
    stamp: &Stamp,
    repository: &Repository,
    message: &str,
) -> Result<String, StepError> {
    let edits = edited_files(plan, repository)?;
    let message = release_message(plan, message);
    Ok(repository.write_commit(&plan.base.commit, &edits, &message, stamp, stamp)?)
}

/// A release commit's whole message: it names the plan.
pub fn release_message(plan: &Plan, message: &str) -> String {
    format!("{message}\n\n{TRAILER} {}\n", plan.digest)
}

/// The files that a plan edits, as they are afterwards.
///
/// # Errors
/// Where the base is not here, or is not what the plan was made from.
pub fn edited_files(plan: &Plan, repository: &Repository) -> Result<Vec<FileWrite>, StepError> {
    let base = &plan.base.commit;
    let objects = repository.objects();
    let mut edits = Vec::new();
    for edit in &plan.edits {
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
    Ok(edits)
}

fn write_tag(job: &Job, workshop: &Workshop, tag: &str, message: &str) -> Result<Evidence, StepError> {
    let commit = release_commit(job)?;
    let object = workshop.repository.write_tag_object(tag, commit, message, &stamp_of(&job.ship))?;
    Ok(Evidence::from([("tag".to_owned(), tag.to_owned()), ("object".to_owned(), object)]))
}

async fn build_package(job: &Job, workshop: &Workshop, made: &Made<'_>) -> Result<Evidence, StepError> {
    let package = package_of(job);
    let stash = workshop.stash(&job.plan.digest, job.ship.began, package);
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

/// The versions that the packages of the repository have once all is published.
pub fn internal_versions(plan: &Plan) -> BTreeMap<PackageName, Version> {
    let released = plan.releases.iter().map(|release| (&release.distribution, Some(&release.to)));
    let unchanged = plan.unchanged.iter().map(|stays| (&stays.distribution, stays.version.as_ref()));
    released
        .chain(unchanged)
        .filter_map(|(name, version)| Some((PackageName::new(name), Version::parse(version?).ok()?)))
        .collect()
}

/// The tags of this ship and their objects.
pub fn tags_of(job: &Job) -> Vec<(String, String)> {
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
async fn seal(job: &Job, workshop: &Workshop) -> Result<Evidence, StepError> {
    let releases: Vec<_> =
        job.plan.releases.iter().map(|release| seal_release(job, workshop, release)).collect();
    // In the plan's order, so that of several refusals the same one is told each time.
    let sealed: Vec<Evidence> = stream::iter(releases).buffered(LOOKS).try_collect().await?;
    Ok(sealed.into_iter().flatten().collect())
}

async fn seal_release(job: &Job, workshop: &Workshop, release: &Release) -> Result<Evidence, StepError> {
    let mut sealed = Evidence::new();
    let files = stashed(&workshop.stash(&job.plan.digest, job.ship.began, &release.package))?;
    refuse_taken_names(workshop, release, &files).await?;
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
    if let Some(image) = &release.image {
        let digest = image_to_seal(job, workshop, release, image).await?;
        sealed.insert(format!("{}/{IMAGE}", release.package), digest);
    }
    Ok(sealed)
}

/// The digest of a package's image, which is the one in the stash.
async fn image_to_seal(
    job: &Job,
    workshop: &Workshop,
    release: &Release,
    image: &ReleaseImage,
) -> Result<String, StepError> {
    let package = release.package.as_str();
    let built = evidence_of(job, &format!("image:{package}"), "digest")?;
    let found = kept_image(job, workshop, package)?.root.digest;
    if found != built {
        let file = format!("the image of {package}");
        return Err(StepError::Sealed { file, sealed: built.to_owned(), found });
    }
    refuse_taken_tags(job, workshop, image, built).await?;
    Ok(found)
}

async fn refuse_taken_names(
    workshop: &Workshop,
    release: &Release,
    files: &[(String, Vec<u8>)],
) -> Result<(), StepError> {
    let package = PackageName::new(&release.distribution);
    match workshop.outlet(&release.index)? {
        Outlet::Folder(folder) => {
            for (name, bytes) in files {
                index::is_there(folder, &package, name, &Digest::of(bytes))?;
            }
        }
        Outlet::Remote(publisher) => {
            let listed = publisher.listed(&package, Some(&version_of(&release.to)?)).await?;
            for (name, bytes) in files {
                refuse_other(&listed, &release.index, name, &Digest::of(bytes))?;
            }
        }
    }
    Ok(())
}

/// Other bytes under a name of ours, or under a digest that does not tell.
fn refuse_other(listed: &[Listed], index: &str, name: &str, ours: &Digest) -> Result<(), PublishError> {
    match listed.iter().find(|file| file.filename == name).and_then(|file| file.sha256.clone()) {
        Some(there) if there != *ours => Err(PublishError::Conflict {
            index: index.to_owned(),
            file: name.to_owned(),
            there,
            ours: ours.clone(),
        }),
        _ => Ok(()),
    }
}

pub fn version_of(text: &str) -> Result<Version, StepError> {
    Version::parse(text).map_err(|error| StepError::Plan { reason: error.to_string() })
}

pub fn package_of(job: &Job) -> &str {
    job.step.package.as_deref().unwrap_or("")
}

pub fn release_commit(job: &Job) -> Result<&str, StepError> {
    evidence_of(job, "commit", "commit")
}

pub fn evidence<'j>(job: &'j Job, step: &str) -> Result<&'j BTreeMap<String, String>, StepError> {
    job.ship.evidence(step).ok_or_else(|| StepError::Forgotten { step: step.to_owned() })
}

pub fn evidence_of<'j>(job: &'j Job, step: &str, key: &str) -> Result<&'j str, StepError> {
    evidence(job, step)?
        .get(key)
        .map(String::as_str)
        .ok_or_else(|| StepError::Forgotten { step: step.to_owned() })
}
