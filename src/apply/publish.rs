//! Puts a package's files on its index, each between two events, and tries what stands there then.

use std::time::Duration;

use crate::apply::crash;
use crate::apply::effect::{Evidence, Job, StepError, internal_versions, package_of, version_of};
use crate::apply::environment::Installer;
use crate::apply::gate::{Gate, GateClosed};
use crate::apply::index::{self, Published};
use crate::apply::mirror::Mirror;
use crate::apply::publish_error::PublishError;
use crate::apply::publisher::{OneFile, Publisher};
use crate::apply::smoke::{Outcome as Trial, SmokeRequest, smoke};
use crate::apply::stash::{digests, sealed_files};
use crate::apply::workshop::{Outlet, Workshop};
use crate::ledger::event::What;
use crate::plan::digest::Digest;
use crate::workspace::name::PackageName;

/// How long each installer run of a smoke test may take.
const SMOKE_LIMIT: Duration = Duration::from_secs(300);
/// How long a script may take to print its help.
const SCRIPT_LIMIT: Duration = Duration::from_secs(30);

/// Puts all files of a package on an index and waits until it shows them.
///
/// # Errors
/// A conflict in any of them stops before the first is written.
pub async fn publish(
    job: &Job,
    workshop: &Workshop,
    index: &str,
    distribution: &str,
) -> Result<Evidence, StepError> {
    let package = PackageName::new(distribution);
    let outlet = workshop.outlet(index)?;
    if let Some(found) = all_there(job, outlet, &package).await? {
        for (name, digest) in &found {
            close_upload(job, name, digest).await?;
        }
        return Ok(found);
    }
    let mut files = sealed_files(job, workshop, package_of(job)).await?;
    let found = digests(&files);
    // Wheels first: a source distribution alone would have users compile.
    files.sort_by_key(|(name, _)| (!name.ends_with(".whl"), name.clone()));
    if let Outlet::Folder(folder) = outlet {
        for (name, bytes) in &files {
            index::is_there(folder, &package, name, &Digest::of(bytes))?;
        }
    }
    for (name, bytes) in &files {
        put_noted(job, workshop, outlet, &package, name, bytes).await?;
    }
    if let Outlet::Remote(publisher) = outlet {
        let files: Vec<(String, Digest)> =
            files.iter().map(|(name, bytes)| (name.clone(), Digest::of(bytes))).collect();
        let lags = |waited: Duration| {
            let seconds = waited.as_secs();
            job.notes
                .remark(format!("`{index}` does not list {package} yet, after {seconds} s: its caches lag"));
        };
        publisher.await_visible(&package, &files, &lags).await?;
    }
    Ok(found)
}

/// The sealed files and digests, where the index lists all of them: an earlier run has published them, and their bytes
/// are not needed any more.
async fn all_there(job: &Job, outlet: &Outlet, package: &PackageName) -> Result<Option<Evidence>, StepError> {
    let Outlet::Remote(publisher) = outlet else { return Ok(None) };
    let own = |(name, digest): (&str, &str)| (name.to_owned(), digest.to_owned());
    let sealed: Evidence = job.ship.sealed(package_of(job)).into_iter().map(own).collect();
    let listed = publisher.listed(package, None).await?;
    let is_there = |(name, digest): (&String, &String)| {
        listed
            .iter()
            .any(|file| file.filename == *name && file.sha256.as_ref().map(Digest::as_str) == Some(digest))
    };
    Ok((!sealed.is_empty() && sealed.iter().all(is_there)).then_some(sealed))
}

/// Tells of a file that is there: an earlier run may have announced it and never learned what became of it.
async fn close_upload(job: &Job, name: &str, digest: &str) -> Result<(), StepError> {
    let step = format!("upload:{}/{name}", package_of(job));
    if job.ship.has_done(&step) {
        return Ok(());
    }
    job.notes.keep(What::Started { step: step.clone() }).await?;
    let evidence = [("found", "already-there"), ("digest", digest)];
    let evidence = evidence.map(|(key, value)| (key.to_owned(), value.to_owned())).into();
    job.notes.keep(What::Succeeded { step, evidence }).await
}

/// One file, between the event that announces it and the one that tells what became of it.
async fn put_noted(
    job: &Job,
    workshop: &Workshop,
    outlet: &Outlet,
    package: &PackageName,
    name: &str,
    bytes: &[u8],
) -> Result<(), StepError> {
    let step = format!("upload:{}/{name}", package_of(job));
    if job.ship.has_done(&step) {
        // An earlier run put it there and says so in the ledger; what stands there now has the last word.
        return put(job, workshop, outlet, package, name, bytes).await.map(|_| ());
    }
    job.notes.keep(What::Started { step: step.clone() }).await?;
    match put(job, workshop, outlet, package, name, bytes).await {
        Ok(published) => {
            let found = match published {
                Published::New => "new",
                Published::AlreadyThere => "already-there",
            };
            let evidence = [("found", found.to_owned()), ("digest", Digest::of(bytes).to_string())];
            let evidence = evidence.map(|(key, value)| (key.to_owned(), value)).into();
            job.notes.keep(What::Succeeded { step, evidence }).await
        }
        Err(error) => {
            job.notes
                .keep(What::Failed { step, failure: error.failure(), evidence: Evidence::new() })
                .await?;
            Err(error)
        }
    }
}

/// One file, where this ship is still ours.
async fn put(
    job: &Job,
    workshop: &Workshop,
    outlet: &Outlet,
    package: &PackageName,
    name: &str,
    bytes: &[u8],
) -> Result<Published, StepError> {
    job.may_go_on().await?;
    crash::point();
    let put = match outlet {
        Outlet::Folder(folder) => put_into_folder(folder, package, name, bytes).await,
        Outlet::Remote(publisher) => upload(job, workshop, publisher, name, Digest::of(bytes)).await,
    };
    crash::point();
    put
}

async fn put_into_folder(
    folder: &std::path::Path,
    package: &PackageName,
    name: &str,
    bytes: &[u8],
) -> Result<Published, StepError> {
    let (folder, package, name, bytes) =
        (folder.to_owned(), package.clone(), name.to_owned(), bytes.to_owned());
    let work = move || index::publish(&folder, &package, &name, &bytes, &Digest::of(&bytes));
    let put = tokio::task::spawn_blocking(work).await;
    Ok(put.unwrap_or_else(|panic| std::panic::resume_unwind(panic.into_panic()))?)
}

async fn upload(
    job: &Job,
    workshop: &Workshop,
    publisher: &Publisher,
    name: &str,
    digest: Digest,
) -> Result<Published, StepError> {
    let step = format!("upload:{}/{name}", package_of(job));
    let path = workshop.stash(&job.plan.digest, job.ship.began, package_of(job)).join(name);
    let file = OneFile::read(&path, digest)?;
    let progress = |sent, total| job.notes.bytes(&step, sent, total);
    match publisher.ensure(&file, &gate(job), &progress).await {
        Err(PublishError::Gate(closed)) => {
            // Why it is closed is told better by the fence itself.
            job.may_go_on().await?;
            Err(PublishError::Gate(closed).into())
        }
        other => Ok(other?),
    }
}

/// The fence as the publisher asks it: before every attempt.
fn gate(job: &Job) -> Gate {
    let fence = job.fence.clone();
    std::sync::Arc::new(move || {
        let fence = fence.clone();
        Box::pin(async move {
            match fence {
                Some(fence) => {
                    fence.check().await.map_err(|fenced| GateClosed { reason: fenced.to_string() })
                }
                None => Ok(()),
            }
        })
    })
}

/// Installs a package from its index into a clean environment, by hash, imports it, runs its entry points.
///
/// # Errors
/// `Broken` where it does not work as installed.
pub async fn smoke_test(
    job: &Job,
    workshop: &Workshop,
    index: &str,
    distribution: &str,
    version: &str,
) -> Result<Evidence, StepError> {
    let package = PackageName::new(distribution);
    let version = version_of(version)?;
    let internal = internal_versions(&job.plan);
    let mirror = match workshop.outlet(index)? {
        Outlet::Folder(folder) => Mirror::of_folder(folder)?,
        Outlet::Remote(publisher) => Mirror::of_remote(publisher, &package, &version, &internal).await?,
    };
    let report = smoke(SmokeRequest {
        index: mirror.folder().to_owned(),
        address: mirror.address().to_owned(),
        package,
        version,
        internal,
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
