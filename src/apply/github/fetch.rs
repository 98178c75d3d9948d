//! Takes sealed files from the draft at GitHub, on a machine that did not build them.

use std::path::Path;

use crate::apply::effect::{Job, StepError};
use crate::apply::github::draft::Ours;
use crate::apply::github::error::ReleaseError;
use crate::apply::github::files::asset_of;
use crate::apply::stash::file_error;
use crate::apply::workshop::Workshop;
use crate::plan::digest::Digest;
use crate::plan::step::Action;
use crate::world::github::releases::Asset;

/// Fills the stash of a package with its sealed files, where GitHub has all of them. Whether it has; what keeps it from
/// it is told, and the files are built again then.
pub async fn fetch(job: &Job, workshop: &Workshop, package: &str) -> bool {
    match from_release(job, workshop, package).await {
        Ok(fetched) => fetched,
        Err(error) => {
            job.notes.remark(format!("the files of {package} could not be taken from GitHub: {error}"));
            false
        }
    }
}

async fn from_release(job: &Job, workshop: &Workshop, package: &str) -> Result<bool, StepError> {
    let tag = job.plan.steps.iter().find_map(|step| match &step.action {
        Action::Stash { tag, .. } if step.package.as_deref() == Some(package) => Some(tag),
        _ => None,
    });
    let (Some(tag), true) = (tag, workshop.github.is_some() && job.ship.has_done("claim")) else {
        return Ok(false);
    };
    let ours = Ours::of_package(job, workshop, package, tag)?;
    let Some(standing) = ours.look().await? else { return Ok(false) };
    let release = standing.release();
    let assets: Option<Vec<(&str, &str, &Asset)>> = ours
        .sealed
        .iter()
        .map(|(name, sealed)| Some((*name, *sealed, asset_of(release, name, sealed)?)))
        .collect();
    let Some(assets) = assets else { return Ok(false) };
    let stash = workshop.stash(&job.plan.digest, job.ship.began, package);
    let parent = stash.parent().unwrap_or(Path::new("."));
    std::fs::create_dir_all(parent).map_err(|source| file_error(parent, source))?;
    let fresh = tempfile::Builder::new().prefix("fetching-").tempdir_in(parent);
    let fresh = fresh.map_err(|source| file_error(parent, source))?;
    for (name, sealed, asset) in assets {
        let bytes = ours.github.download_asset(asset).await.map_err(ReleaseError::from)?;
        let found = Digest::of(&bytes);
        if found.as_str() != sealed {
            let (file, sealed, found) = (name.to_owned(), sealed.to_owned(), found.to_string());
            return Err(StepError::Sealed { file, sealed, found });
        }
        let path = fresh.path().join(name);
        std::fs::write(&path, bytes).map_err(|source| file_error(&path, source))?;
    }
    let kept = fresh.keep();
    if let Err(source) = std::fs::rename(&kept, &stash)
        && !stash.is_dir()
    {
        return Err(file_error(&stash, source));
    }
    // Where another run was faster, what can not be deleted is only wasted space.
    let _ = std::fs::remove_dir_all(&kept);
    job.notes.remark(format!("took the files of {package} from {}", release.page));
    Ok(true)
}
