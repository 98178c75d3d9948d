//! Puts a package's files on its index, each between two events, and tries what stands there then.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use crate::apply::crash;
use crate::apply::effect::{Evidence, Job, StepError, internal_versions, package_of, version_of};
use crate::apply::environment::Installer;
use crate::apply::gate::{Gate, GateClosed};
use crate::apply::index::{self, Published};
use crate::apply::mirror::Mirror;
use crate::apply::publish_error::PublishError;
use crate::apply::publisher::{OneFile, Publisher};
use crate::apply::shelf::Place;
use crate::apply::smoke::{Outcome as Trial, SmokeRequest, smoke_in};
use crate::apply::stage::Stage;
use crate::apply::stash::{digests, sealed_files};
use crate::apply::workshop::{Outlet, Workshop};
use crate::check::wheel;
use crate::ledger::event::What;
use crate::plan::digest::Digest;
use crate::workspace::name::PackageName;

/// How long each installer run of a smoke test may take.
const SMOKE_LIMIT: Duration = Duration::from_secs(300);
/// How long a look at an index holds for the files that were looked for.
const LOOK_HOLDS: Duration = Duration::from_secs(5);
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
    version: &str,
) -> Result<Evidence, StepError> {
    let package = PackageName::new(distribution);
    let outlet = workshop.outlet(index)?;
    let seen = match outlet {
        Outlet::Folder(_) => Seen::nothing(),
        Outlet::Remote(publisher) => look(job, publisher, &package, version).await?,
    };
    if let Some(found) = seen.all_there(job) {
        for (name, digest) in &found {
            close_upload(job, name, digest).await?;
        }
        await_visible(job, outlet, &package, &found).await?;
        return Ok(found);
    }
    let mut files = sealed_files(job, workshop, package_of(job)).await?;
    let found = digests(&files);
    // Wheels first: a source distribution alone would have users compile.
    files.sort_by_key(|(name, _)| (!name.ends_with(".whl"), name.clone()));
    prepare_trial(job, workshop, &files).await;
    if let Outlet::Folder(folder) = outlet {
        for (name, bytes) in &files {
            index::is_there(folder, &package, name, &Digest::of(bytes))?;
        }
    }
    for (name, bytes) in &files {
        let sending = File { package: &package, name, bytes, seen: seen.place(name) };
        put_noted(job, workshop, outlet, &sending).await?;
    }
    await_visible(job, outlet, &package, &found).await?;
    Ok(found)
}

/// Waits until installers are shown the files.
async fn await_visible(
    job: &Job,
    outlet: &Outlet,
    package: &PackageName,
    found: &Evidence,
) -> Result<(), StepError> {
    let Outlet::Remote(publisher) = outlet else { return Ok(()) };
    let files: Vec<(String, Digest)> =
        found.iter().map(|(name, digest)| (name.clone(), parsed(digest))).collect();
    let index = &publisher.index().name;
    let lags = |waited: Duration| {
        let seconds = waited.as_secs();
        job.notes.remark(format!("`{index}` does not list {package} yet, after {seconds} s: its caches lag"));
    };
    Ok(publisher.await_visible(package, &files, &lags).await?)
}

/// Where the sealed files stood when the index was looked at.
struct Seen {
    at: Instant,
    places: BTreeMap<String, Place>,
}

impl Seen {
    fn nothing() -> Seen {
        Seen { at: Instant::now(), places: BTreeMap::new() }
    }

    /// A file's place, while the look holds.
    fn place(&self, name: &str) -> Option<Place> {
        if self.at.elapsed() < LOOK_HOLDS { self.places.get(name).copied() } else { None }
    }

    /// The sealed files and digests, where all of them are there: an earlier run has published them, and their bytes
    /// are not needed any more.
    fn all_there(&self, job: &Job) -> Option<Evidence> {
        let all = !self.places.is_empty() && self.places.values().all(|place| *place == Place::Ours);
        all.then(|| sealed(job))
    }
}

/// Looks for the sealed files in the index.
async fn look(
    job: &Job,
    publisher: &Publisher,
    package: &PackageName,
    version: &str,
) -> Result<Seen, StepError> {
    let sealed: Vec<(&str, Digest)> =
        job.ship.sealed(package_of(job)).into_iter().map(|(name, digest)| (name, parsed(digest))).collect();
    let named: Vec<(&str, &Digest)> = sealed.iter().map(|(name, digest)| (*name, digest)).collect();
    let places = publisher.places(package, &version_of(version)?, &named).await?;
    let names = sealed.iter().map(|(name, _)| (*name).to_owned());
    Ok(Seen { at: Instant::now(), places: names.zip(places).collect() })
}

fn parsed(digest: &str) -> Digest {
    Digest::parse(digest).unwrap_or_else(Digest::none)
}

fn sealed(job: &Job) -> Evidence {
    let own = |(name, digest): (&str, &str)| (name.to_owned(), digest.to_owned());
    job.ship.sealed(package_of(job)).into_iter().map(own).collect()
}

/// Begins to make the environment that the package is tried in afterwards, where this run goes so far.
async fn prepare_trial(job: &Job, workshop: &Workshop, files: &[(String, Vec<u8>)]) {
    if job.until.is_some_and(|until| until < Stage::Smoke) {
        return;
    }
    let wheel = files.iter().find(|(name, _)| name.ends_with(".whl"));
    let wheel = wheel.and_then(|(_, bytes)| wheel::read(bytes).ok());
    // What fails here fails again where it is needed, and is told there.
    if let (Some(wheel), Ok(uv)) = (wheel, workshop.tools.uv().await) {
        let requires_python = wheel.metadata.requires_python();
        workshop.rooms.prepare(Installer::Uv(uv), requires_python, SMOKE_LIMIT, workshop.jobs);
    }
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

/// One file to be put on an index.
struct File<'f> {
    package: &'f PackageName,
    name: &'f str,
    bytes: &'f [u8],
    /// Where it stood a moment ago, where that is known.
    seen: Option<Place>,
}

/// One file, between the event that announces it and the one that tells what became of it.
async fn put_noted(
    job: &Job,
    workshop: &Workshop,
    outlet: &Outlet,
    file: &File<'_>,
) -> Result<(), StepError> {
    let step = format!("upload:{}/{}", package_of(job), file.name);
    if job.ship.has_done(&step) {
        // An earlier run put it there and says so in the ledger; what stands there now has the last word.
        return put(job, workshop, outlet, file).await.map(|_| ());
    }
    job.notes.keep(What::Started { step: step.clone() }).await?;
    match put(job, workshop, outlet, file).await {
        Ok(published) => {
            let found = match published {
                Published::New => "new",
                Published::AlreadyThere => "already-there",
            };
            let evidence = [("found", found.to_owned()), ("digest", Digest::of(file.bytes).to_string())];
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
    file: &File<'_>,
) -> Result<Published, StepError> {
    job.may_go_on().await?;
    crash::point();
    let put = match outlet {
        Outlet::Folder(folder) => put_into_folder(folder, file.package, file.name, file.bytes).await,
        Outlet::Remote(publisher) => upload(job, workshop, publisher, file).await,
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
    file: &File<'_>,
) -> Result<Published, StepError> {
    let step = format!("upload:{}/{}", package_of(job), file.name);
    let path = workshop.stash(&job.plan.digest, job.ship.began, package_of(job)).join(file.name);
    let one = OneFile::read(&path, Digest::of(file.bytes))?;
    let progress = |sent, total| job.notes.bytes(&step, sent, total);
    match publisher.ensure_from(file.seen, &one, &gate(job), &progress).await {
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
    let request = SmokeRequest {
        index: mirror.folder().to_owned(),
        address: mirror.address().to_owned(),
        package,
        version,
        internal,
        installer: Installer::Uv(workshop.tools.uv().await?),
        timeout: SMOKE_LIMIT,
        script_timeout: SCRIPT_LIMIT,
    };
    let report = smoke_in(&request, &workshop.rooms).await?;
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
