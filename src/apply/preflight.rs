//! What is tried before a ship begins: the engine, the registries, whether the versions are free there, GitHub.

use crate::apply::github::error::ReleaseError;
use crate::apply::image_error::ImageError;
use crate::apply::push::conflict;
use crate::apply::workshop::Workshop;
use crate::plan::Plan;
use crate::plan::image::{Line, ReleaseImage};
use crate::plan::step::Action;
use crate::world::engine::build::uses_buildkit;
use crate::world::engine::{Engine, EngineError};
use crate::world::registry::Registry;

/// How often a registry is asked before it is called silent.
const TRIES: usize = 3;

/// Whether the images of a plan can be built here, and pushed where this run is to push.
///
/// # Errors
/// Where no engine answers, or it can not build for a platform; where the registry does not let us push; where the tag
/// of a version is taken.
pub async fn images(plan: &Plan, workshop: &Workshop, pushes: bool) -> Result<(), ImageError> {
    let images: Vec<&ReleaseImage> =
        plan.releases.iter().filter_map(|release| release.image.as_ref()).collect();
    if images.is_empty() {
        return Ok(());
    }
    let engine = workshop.images.engine().await?;
    for image in images {
        refuse_foreign(engine, workshop, image)?;
        let registry = workshop.images.registry(&image.repository)?;
        if pushes {
            patiently(&registry, image).await?;
        }
    }
    Ok(())
}

/// Whether releases can be made at GitHub, where the plan makes any.
///
/// # Errors
/// Where no token is known, or it may not write there.
pub async fn github(plan: &Plan, workshop: &Workshop) -> Result<(), ReleaseError> {
    let tag = plan.steps.iter().find_map(|step| match &step.action {
        Action::Stash { tag, .. } => Some(tag),
        _ => None,
    });
    let Some(tag) = tag else { return Ok(()) };
    let github = workshop.github.as_ref().ok_or(ReleaseError::NotConfigured)?;
    if workshop.remote.is_none() {
        return Err(ReleaseError::NoRemote);
    }
    Ok(github.probe_releases(tag).await?)
}

/// Without `BuildKit` an engine builds for its own platform, whatever it is asked for.
fn refuse_foreign(engine: &Engine, workshop: &Workshop, image: &ReleaseImage) -> Result<(), EngineError> {
    let own = engine.about.platform();
    let foreign = image.platforms.iter().find(|platform| **platform != own);
    match foreign.filter(|_| !uses_buildkit(engine, &workshop.images.variable)) {
        None => Ok(()),
        Some(platform) => Err(EngineError::Settings {
            what: format!("the engine at {} builds for {own} only, not for {platform}", engine.place),
            reason: "an engine with BuildKit builds for others; or take the platform out of `platforms`"
                .to_owned(),
        }),
    }
}

async fn patiently(registry: &Registry, image: &ReleaseImage) -> Result<(), ImageError> {
    let mut tries = 0;
    loop {
        tries += 1;
        match usable(registry, image).await {
            Err(ImageError::Registry(error)) if error.is_transient() && tries < TRIES => {
                tokio::time::sleep(error.retry_after().unwrap_or_default().min(TRIES_WAIT)).await;
            }
            answer => return answer,
        }
    }
}

/// The longest wait between two tries.
const TRIES_WAIT: std::time::Duration = std::time::Duration::from_secs(5);

async fn usable(registry: &Registry, image: &ReleaseImage) -> Result<(), ImageError> {
    registry.probe().await?;
    for tag in image.tags.iter().filter(|tag| tag.of == Line::Version) {
        if let Some(there) = registry.digest(&tag.name).await? {
            return Err(conflict(registry, &tag.name, there, "not built yet"));
        }
    }
    Ok(())
}
