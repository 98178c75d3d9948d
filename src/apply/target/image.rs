//! The image of a release: there, or to be had from its registry, and exactly the one that was decided.

use crate::apply::target::Answer;
use crate::apply::target::error::TargetError;
use crate::apply::target::place;
use crate::plan::deployment::Placed;
use crate::world::engine::pull::Image;
use crate::world::engine::registry_login::login;
use crate::world::engine::{Engine, EngineError};
use crate::world::variable::Env;

/// What the engine itself failed to do.
pub fn outside(error: EngineError) -> TargetError {
    match error {
        EngineError::Settings { what, reason } => TargetError::Settings { what, reason },
        // What somebody else is just making or removing stands in the way.
        EngineError::Refused { status: 409, said, .. } => {
            TargetError::Raced { what: format!("the host ({said})") }
        }
        error => TargetError::Outside { what: "the container engine".to_owned(), reason: error.to_string() },
    }
}

/// Whether the engine has the image or could pull it.
///
/// # Errors
/// `Impossible` where neither, `Outside` where that can not be told.
pub async fn possible(engine: &Engine, variable: &Env, wanted: &Placed) -> Answer<()> {
    let reference = reference(wanted)?;
    if engine.image(&reference).await.map_err(outside)?.is_some() {
        return Ok(());
    }
    let login = login(&reference, variable).await;
    match engine.ask_registry(&reference, login).await {
        Ok(()) => Ok(()),
        Err(EngineError::Refused { status: 400..=499, said, .. }) => Err(gone(wanted, &reference, &said)),
        Err(error) => Err(no_registry(&reference, error)),
    }
}

/// Sees to the image being there, and to its digest.
///
/// # Errors
/// `Impossible` where its registry does not have it, `Conflict` where it has something else under this digest.
pub async fn ensure(engine: &Engine, variable: &Env, wanted: &Placed) -> Answer<Image> {
    let reference = reference(wanted)?;
    if let Some(image) = engine.image(&reference).await.map_err(outside)? {
        return verified(image, wanted, &reference);
    }
    let login = login(&reference, variable).await;
    match engine.pull(&reference, login).await {
        Ok(()) => {}
        Err(EngineError::Refused { status: 400..=499, said, .. }) => {
            return Err(gone(wanted, &reference, &said));
        }
        Err(error) => return Err(no_registry(&reference, error)),
    }
    let image = engine.image(&reference).await.map_err(outside)?;
    let image = image.ok_or_else(|| gone(wanted, &reference, "it was pulled and is not there"))?;
    verified(image, wanted, &reference)
}

fn verified(image: Image, wanted: &Placed, reference: &str) -> Answer<Image> {
    if image.digests.iter().any(|digest| is_same(digest, reference)) {
        return Ok(image);
    }
    Err(TargetError::Conflict {
        what: format!("the image of {} {}", wanted.package, wanted.version),
        found: image.digests.first().cloned().unwrap_or_else(|| image.id.clone()),
        wanted: reference.to_owned(),
    })
}

/// Docker leaves the hub's own name out of what it tells.
fn is_same(told: &str, reference: &str) -> bool {
    let short = |text: &str| {
        let text = text.strip_prefix("docker.io/").unwrap_or(text);
        text.strip_prefix("library/").unwrap_or(text).to_owned()
    };
    short(told) == short(reference)
}

fn reference(wanted: &Placed) -> Answer<String> {
    place::reference(wanted).ok_or_else(|| TargetError::Settings {
        what: format!("{} {} has no image", wanted.package, wanted.version),
        reason: "this environment runs containers; leave the package out of its `packages`".to_owned(),
    })
}

fn gone(wanted: &Placed, reference: &str, said: &str) -> TargetError {
    TargetError::Impossible {
        package: wanted.package.clone(),
        version: wanted.version.clone(),
        reason: format!("{reference} is neither on the host nor to be had from its registry: {said}"),
    }
}

fn no_registry(reference: &str, error: EngineError) -> TargetError {
    // The engine checks what it pulls by digest, and has only words to say so.
    if let EngineError::Failed { said, .. } | EngineError::Refused { said, .. } = &error
        && said.contains("verification failed")
    {
        return TargetError::Conflict {
            what: "what the registry gives".to_owned(),
            found: "something else".to_owned(),
            wanted: reference.to_owned(),
        };
    }
    match error {
        EngineError::Unreachable { .. } | EngineError::Settings { .. } => outside(error),
        error => {
            TargetError::Outside { what: format!("the registry of {reference}"), reason: error.to_string() }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hub_is_one_registry_under_all_its_names() {
        assert!(is_same("app@sha256:1", "docker.io/library/app@sha256:1"));
        assert!(is_same("acme/app@sha256:1", "docker.io/acme/app@sha256:1"));
        assert!(!is_same("acme/app@sha256:1", "ghcr.io/acme/app@sha256:1"));
    }
}
