//! Images of an engine: what is there, what its registry has, pulling, removing.

use bollard::auth::DockerCredentials;
use bollard::errors::Error;
use bollard::models::ImageInspect;
use bollard::query_parameters::{CreateImageOptionsBuilder, RemoveImageOptionsBuilder};
use futures_util::StreamExt;

use crate::world::engine::{Engine, EngineError};

/// An image that the engine has.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Image {
    /// The engine's own id for it.
    pub id: String,
    /// `repository@sha256:…`, for each registry it came from or went to.
    pub digests: Vec<String>,
    /// How its health is asked; none where it has no check.
    pub check: Option<HealthCheck>,
}

/// An image's health check, in nanoseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HealthCheck {
    pub interval: i64,
    pub timeout: i64,
    pub start_period: i64,
    pub retries: i64,
}

impl Engine {
    /// An image that is there, by a reference or id.
    ///
    /// # Errors
    /// As the engine answers.
    pub async fn image(&self, reference: &str) -> Result<Option<Image>, EngineError> {
        match self.docker.inspect_image(reference).await {
            Ok(told) => Ok(Some(image(told))),
            Err(Error::DockerResponseServerError { status_code: 404, .. }) => Ok(None),
            Err(error) => Err(self.error(&error, &format!("show the image {reference}"))),
        }
    }

    /// Asks the image's registry, as the engine sees it, whether it has a reference.
    ///
    /// # Errors
    /// As the engine and the registry answer: 401, 403 and 404 are the registry's word.
    pub async fn ask_registry(
        &self,
        reference: &str,
        login: Option<DockerCredentials>,
    ) -> Result<(), EngineError> {
        let answer = self.docker.inspect_registry_image(reference, login).await;
        answer.map(drop).map_err(|error| self.error(&error, &format!("find {reference} in its registry")))
    }

    /// Pulls an image; by digest the engine itself checks what it is given.
    ///
    /// # Errors
    /// As the engine answers: 404 where the registry does not have it or does not show it to us.
    pub async fn pull(&self, reference: &str, login: Option<DockerCredentials>) -> Result<(), EngineError> {
        let options = CreateImageOptionsBuilder::new().from_image(reference).build();
        let mut stream = Box::pin(self.docker.create_image(Some(options), None, login));
        while let Some(told) = stream.next().await {
            let told = told.map_err(|error| self.error(&error, &format!("pull {reference}")))?;
            if let Some(message) = told.error_detail.and_then(|detail| detail.message) {
                let said = crate::world::http::said(&message);
                return Err(EngineError::Failed { what: format!("pull {reference}"), said });
            }
        }
        Ok(())
    }

    /// Removes an image's name, and its bytes where nothing else needs them; answers whether it is gone. What a
    /// container uses, stopped or not, stays.
    ///
    /// # Errors
    /// As the engine answers.
    pub async fn remove_image(&self, reference: &str) -> Result<bool, EngineError> {
        let options = RemoveImageOptionsBuilder::new().build();
        match self.docker.remove_image(reference, Some(options), None).await {
            Ok(_) | Err(Error::DockerResponseServerError { status_code: 404, .. }) => Ok(true),
            Err(Error::DockerResponseServerError { status_code: 409, .. }) => Ok(false),
            Err(error) => Err(self.error(&error, &format!("remove the image {reference}"))),
        }
    }
}

fn image(told: ImageInspect) -> Image {
    let check = told.config.and_then(|config| config.healthcheck).filter(|check| {
        let test = check.test.as_deref().unwrap_or_default();
        test.first().is_some_and(|word| word != "NONE")
    });
    let or = |value: Option<i64>, default: i64| value.filter(|value| *value > 0).unwrap_or(default);
    Image {
        id: told.id.unwrap_or_default(),
        digests: told.repo_digests.unwrap_or_default(),
        check: check.map(|check| HealthCheck {
            interval: or(check.interval, 30_000_000_000),
            timeout: or(check.timeout, 30_000_000_000),
            start_period: or(check.start_period, 0),
            retries: or(check.retries, 3),
        }),
    }
}
