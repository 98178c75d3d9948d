//! Networks of an engine.

use std::collections::BTreeMap;

use bollard::errors::Error;
use bollard::models::{EndpointSettings, NetworkConnectRequest, NetworkCreateRequest};

use crate::world::engine::{Engine, EngineError};

impl Engine {
    /// Sees to a network of this machine by this name, on which containers find each other by theirs.
    ///
    /// # Errors
    /// As the engine answers.
    pub async fn ensure_network(
        &self,
        name: &str,
        labels: &BTreeMap<String, String>,
    ) -> Result<(), EngineError> {
        if self.has_network(name).await? {
            return Ok(());
        }
        let wanted = NetworkCreateRequest {
            name: name.to_owned(),
            driver: Some("bridge".to_owned()),
            labels: Some(labels.clone().into_iter().collect()),
            ..NetworkCreateRequest::default()
        };
        match self.docker.create_network(wanted).await {
            // Somebody else was faster.
            Ok(_) | Err(Error::DockerResponseServerError { status_code: 409, .. }) => Ok(()),
            Err(error) => Err(self.error(&error, &format!("make the network `{name}`"))),
        }
    }

    /// # Errors
    /// As the engine answers.
    pub async fn has_network(&self, name: &str) -> Result<bool, EngineError> {
        match self.docker.inspect_network(name, None).await {
            Ok(_) => Ok(true),
            Err(Error::DockerResponseServerError { status_code: 404, .. }) => Ok(false),
            Err(error) => Err(self.error(&error, "show a network")),
        }
    }

    /// Lets a container join one more network.
    ///
    /// # Errors
    /// As the engine answers.
    pub async fn join(&self, network: &str, container: &str) -> Result<(), EngineError> {
        let wanted = NetworkConnectRequest {
            container: container.to_owned(),
            endpoint_config: Some(EndpointSettings::default()),
        };
        let answer = self.docker.connect_network(network, wanted).await;
        answer.map_err(|error| self.error(&error, &format!("let a container join `{network}`")))
    }
}
