//! The stash: a ship's built files, whole or absent, kept until it ends; what is lost is built again.

use std::path::{Path, PathBuf};

use crate::apply::build::{BuildRequest, Frontend, scm_version};
use crate::apply::crash;
use crate::apply::effect::{Evidence, Job, StepError, release_commit, tags_of};
use crate::apply::github::fetch::fetch;
use crate::apply::workshop::Workshop;
use crate::plan::digest::Digest;
use crate::plan::step::Action;
use crate::workspace::path::RepoPath;

/// What is built, as the step says.
pub struct Made<'s> {
    pub path: &'s str,
    pub distribution: &'s str,
    pub version: &'s str,
    pub frontend: &'s str,
}

/// A package's files from the stash, each with the digest it was sealed with. A stash that is gone is filled from the
/// draft at GitHub, else built again; other bytes than the sealed ones are refused.
///
/// # Errors
/// `Sealed` where the bytes are others; whatever a build can fail with.
pub async fn sealed_files(
    job: &Job,
    workshop: &Workshop,
    package: &str,
) -> Result<Vec<(String, Vec<u8>)>, StepError> {
    let _alone = workshop.building.lock().await;
    let stash = workshop.stash(&job.plan.digest, job.ship.began, package);
    if !stash.is_dir() {
        fetch(job, workshop, package).await;
    }
    fill(job, workshop, package).await?;
    if let Ok(files) = as_sealed(job, package, &stash) {
        return Ok(files);
    }
    // A stash that was cleaned or damaged from outside; what is built anew must be what was sealed.
    std::fs::remove_dir_all(&stash).map_err(|source| file_error(&stash, source))?;
    fill(job, workshop, package).await?;
    as_sealed(job, package, &stash)
}

/// The files of a stash, which are those that were sealed: no other, and none less.
fn as_sealed(job: &Job, package: &str, stash: &Path) -> Result<Vec<(String, Vec<u8>)>, StepError> {
    let files = stashed(stash)?;
    let sealed = job.ship.sealed(package);
    let other = |file: &str, sealed: &str, found: &str| StepError::Sealed {
        file: file.to_owned(),
        sealed: sealed.to_owned(),
        found: found.to_owned(),
    };
    if let Some((name, digest)) = sealed.iter().find(|(name, _)| !files.iter().any(|(file, _)| file == *name))
    {
        return Err(other(name, digest, "missing"));
    }
    for (name, found) in digests(&files) {
        match sealed.get(name.as_str()) {
            Some(known) if *known == found => {}
            known => return Err(other(&name, known.copied().unwrap_or("nothing"), &found)),
        }
    }
    Ok(files)
}

/// Builds what is not in the stash: before the package what its build needs.
async fn fill(job: &Job, workshop: &Workshop, package: &str) -> Result<(), StepError> {
    for package in missing(job, workshop, package) {
        let step = job.plan.steps.iter().find(|step| step.id.0 == format!("build:{package}"));
        if let Some(Action::Build { path, distribution, version, frontend }) = step.map(|step| &step.action) {
            build_into(job, workshop, &package, &Made { path, distribution, version, frontend }).await?;
        }
    }
    Ok(())
}

/// The packages that are not in the stash, each behind those that its build needs.
fn missing(job: &Job, workshop: &Workshop, package: &str) -> Vec<String> {
    if workshop.stash(&job.plan.digest, job.ship.began, package).is_dir() {
        return Vec::new();
    }
    let mut missing: Vec<String> = Vec::new();
    for needed in build_needs(job, package) {
        for one in self::missing(job, workshop, &needed) {
            if !missing.contains(&one) {
                missing.push(one);
            }
        }
    }
    missing.push(package.to_owned());
    missing
}

/// Builds beside the stash and moves the files there at once, so that a stash is whole or absent.
///
/// # Errors
/// Whatever a build can fail with.
pub async fn build_into(
    job: &Job,
    workshop: &Workshop,
    package: &str,
    made: &Made<'_>,
) -> Result<(), StepError> {
    let stash = workshop.stash(&job.plan.digest, job.ship.began, package);
    let frontend = async {
        Ok::<_, StepError>(match made.frontend {
            "build" => Frontend::Build(workshop.tools.build().await?),
            _ => Frontend::Uv(workshop.tools.uv().await?),
        })
    };
    let (commit, tags) = (release_commit(job)?, tags_of(job));
    let checkout = async { Ok(workshop.checkout(commit, &tags).await?) };
    // What is looked for first runs while the checkout is made.
    let (frontend, checkout) = tokio::try_join!(biased; frontend, checkout)?;
    let parent = stash.parent().expect("a stash stands below its plan's folder").to_owned();
    std::fs::create_dir_all(&parent).map_err(|source| file_error(&parent, source))?;
    let fresh = tempfile::Builder::new()
        .prefix("building-")
        .tempdir_in(&parent)
        .map_err(|source| file_error(&parent, source))?;
    let mut environment = scm_version(made.distribution, made.version);
    if let Some(scratch) = workshop.scratch() {
        environment.push(("TMPDIR".to_owned(), scratch.display().to_string()));
    }
    let request = BuildRequest {
        checkout,
        package: RepoPath::new(made.path).unwrap_or_default(),
        out: fresh.path().to_owned(),
        frontend,
        epoch: job.ship.began,
        find_links: find_links(job, workshop, package)?,
        environment,
        timeout: workshop.build_limit,
    };
    workshop.workbench.build(request).await?;
    crash::point();
    let kept = fresh.keep();
    match std::fs::rename(&kept, &stash) {
        // Another run of this plan was faster, in a stash that both share; what is sealed decides.
        Err(_) if stash.is_dir() => {
            // What can not be deleted is only wasted space.
            let _ = std::fs::remove_dir_all(&kept);
            Ok(())
        }
        moved => moved.map_err(|source| file_error(&stash, source)),
    }
}

/// The packages of this ship that a package's build needs.
fn build_needs(job: &Job, package: &str) -> Vec<String> {
    let step = job.plan.steps.iter().find(|step| step.id.0 == format!("build:{package}"));
    let needs = step.map_or(&[][..], |step| step.needs.as_slice());
    needs.iter().filter_map(|need| need.0.strip_prefix("build:")).map(str::to_owned).collect()
}

/// One folder with the wheels of packages that this build requires and this ship has built.
fn find_links(job: &Job, workshop: &Workshop, package: &str) -> Result<Option<PathBuf>, StepError> {
    let needed = build_needs(job, package);
    if needed.is_empty() {
        return Ok(None);
    }
    let folder = workshop.stash(&job.plan.digest, job.ship.began, &format!("needed-by-{package}"));
    std::fs::create_dir_all(&folder).map_err(|source| file_error(&folder, source))?;
    for package in needed {
        for (name, bytes) in stashed(&workshop.stash(&job.plan.digest, job.ship.began, &package))? {
            let path = folder.join(name);
            std::fs::write(&path, bytes).map_err(|source| file_error(&path, source))?;
        }
    }
    Ok(Some(folder))
}

/// The files of a folder by name, in order.
///
/// # Errors
/// Where they can not be read.
pub fn stashed(folder: &Path) -> Result<Vec<(String, Vec<u8>)>, StepError> {
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

pub fn digests(files: &[(String, Vec<u8>)]) -> Evidence {
    files.iter().map(|(name, bytes)| (name.clone(), Digest::of(bytes).to_string())).collect()
}

pub fn file_error(path: &Path, source: std::io::Error) -> StepError {
    StepError::File { path: path.display().to_string(), source }
}
