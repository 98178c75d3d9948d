//! Sealed files in a folder that one job hands to another: put there after the seal, taken from there where they are what
//! was sealed.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::apply::effect::{Job, StepError};
use crate::apply::notes::Notes;
use crate::apply::stash::{file_error, sealed_files};
use crate::apply::workshop::Workshop;
use crate::ledger::state::{IMAGE, Ship};
use crate::plan::digest::Digest;
use crate::plan::{Plan, Release};
use crate::world::files::{FileError, join_inside, write_changed};
use crate::world::oci::Layout;

/// Fills the stash from a folder: what it lacks of a package, where the folder has all of it. How many packages it was.
///
/// # Errors
/// `Sealed` where a file there has other bytes than were sealed.
pub fn bring(workshop: &Workshop, plan: &Plan, ship: &Ship, folder: &Path) -> Result<usize, StepError> {
    let mut brought = 0;
    for release in &plan.releases {
        let package = release.package.as_str();
        let stash = workshop.stash(&plan.digest, ship.began, package);
        if !stash.is_dir() && bring_files(ship, package, folder, &stash)? {
            brought += 1;
        }
        let image = workshop.stash(&plan.digest, ship.began, &image_of(package));
        if let Some(sealed) = ship.sealed_image(package).filter(|_| !image.is_dir()) {
            bring_image(package, sealed, folder, &image)?;
        }
    }
    Ok(brought)
}

/// Puts the sealed files of every package into a folder, built again where they are lost here.
///
/// # Errors
/// Where they can not be built as they were sealed; where the folder can not be written.
pub async fn leave(
    workshop: &Workshop,
    plan: &Arc<Plan>,
    ship: &Ship,
    folder: &Path,
) -> Result<(), StepError> {
    for release in &plan.releases {
        let Some(job) = job(plan, ship, release) else { continue };
        for (name, bytes) in sealed_files(&job, workshop, &release.package).await? {
            let path = inside(folder, &format!("{}/{name}", release.package))?;
            write_changed(&path, &bytes).map_err(|error| unusable(&path, error))?;
        }
        let image = workshop.stash(&plan.digest, ship.began, &image_of(&release.package));
        let place = inside(folder, &image_of(&release.package))?;
        if image.is_dir() && !place.exists() {
            copy_whole(&image, &place)?;
        }
    }
    Ok(())
}

fn bring_files(ship: &Ship, package: &str, folder: &Path, stash: &Path) -> Result<bool, StepError> {
    let sealed = ship.sealed(package);
    let mut found = Vec::new();
    for (name, digest) in &sealed {
        let path = inside(folder, &format!("{package}/{name}"))?;
        if !path.is_file() {
            return Ok(false);
        }
        let bytes = fs::read(&path).map_err(|source| file_error(&path, source))?;
        let is = Digest::of(&bytes);
        if is.as_str() != *digest {
            let (file, sealed) = (path.display().to_string(), (*digest).to_owned());
            return Err(StepError::Sealed { file, sealed, found: is.to_string() });
        }
        found.push((*name, bytes));
    }
    if found.is_empty() {
        return Ok(false);
    }
    whole(stash, |fresh| {
        for (name, bytes) in &found {
            let path = fresh.join(name);
            fs::write(&path, bytes).map_err(|source| file_error(&path, source))?;
        }
        Ok(())
    })?;
    Ok(true)
}

fn bring_image(package: &str, sealed: &str, folder: &Path, stash: &Path) -> Result<(), StepError> {
    let place = inside(folder, &image_of(package))?;
    // One that is not there, or not whole, is built again by the job that pushes it.
    let Ok(layout) = Layout::open(&place) else { return Ok(()) };
    if layout.root.digest != sealed {
        let (file, found) = (place.display().to_string(), layout.root.digest);
        return Err(StepError::Sealed { file, sealed: sealed.to_owned(), found });
    }
    copy_whole(&place, stash)
}

/// Fills a folder beside its place and moves it there at once, so that it is whole or absent.
fn whole(place: &Path, fill: impl FnOnce(&Path) -> Result<(), StepError>) -> Result<(), StepError> {
    let parent = place.parent().unwrap_or(Path::new(".")).to_owned();
    let failed = |source| file_error(&parent, source);
    fs::create_dir_all(&parent).map_err(failed)?;
    let fresh = tempfile::Builder::new().prefix("building-").tempdir_in(&parent).map_err(failed)?;
    fill(fresh.path())?;
    let kept = fresh.keep();
    match fs::rename(&kept, place) {
        // Another job was faster, with the same bytes.
        Err(_) if place.is_dir() => {
            let _ = fs::remove_dir_all(&kept);
            Ok(())
        }
        moved => moved.map_err(|source| file_error(place, source)),
    }
}

fn copy_whole(from: &Path, to: &Path) -> Result<(), StepError> {
    whole(to, |fresh| copy(from, fresh))
}

/// Copies folders and plain files; what is a link is left.
fn copy(from: &Path, to: &Path) -> Result<(), StepError> {
    for entry in fs::read_dir(from).map_err(|source| file_error(from, source))? {
        let entry = entry.map_err(|source| file_error(from, source))?;
        let (source, target) = (entry.path(), to.join(entry.file_name()));
        let kind = entry.file_type().map_err(|error| file_error(&source, error))?;
        if kind.is_dir() {
            fs::create_dir(&target).map_err(|error| file_error(&target, error))?;
            copy(&source, &target)?;
        } else if kind.is_file() {
            fs::copy(&source, &target).map_err(|error| file_error(&target, error))?;
        }
    }
    Ok(())
}

/// What building a package's files again needs to know.
fn job(plan: &Arc<Plan>, ship: &Ship, release: &Release) -> Option<Job> {
    let step = plan.steps.iter().find(|step| step.id.0 == format!("build:{}", release.package))?.clone();
    let (notes, _) = Notes::line();
    Some(Job { step, plan: Arc::clone(plan), ship: ship.clone(), notes, until: None, fence: None })
}

/// No package is called so.
fn image_of(package: &str) -> String {
    format!("{package}@{IMAGE}")
}

fn inside(folder: &Path, relative: &str) -> Result<PathBuf, StepError> {
    join_inside(folder, relative).map_err(|error| unusable(&folder.join(relative), error))
}

fn unusable(path: &Path, error: FileError) -> StepError {
    let source = match error {
        FileError::Failed { source, .. } => source,
        other => std::io::Error::other(other.to_string()),
    };
    file_error(path, source)
}
