//! What images are built with and where they go: the engine, found once, and the registries.

use std::sync::Arc;

use tokio::sync::OnceCell;

use crate::apply::image_error::ImageError;
use crate::apply::pace::Pace;
use crate::world::engine::Engine;
use crate::world::engine::connect::address;
use crate::world::registry::Registry;
use crate::world::variable::Env;

/// The engine of this run, and the way to registries.
pub struct Images {
    /// Reads a variable of the environment: `DOCKER_HOST`, `DOCKER_CONFIG` and others.
    pub variable: Env,
    pub pace: Pace,
    engine: OnceCell<Engine>,
}

impl Images {
    pub fn new(variable: Env, pace: Pace) -> Images {
        Images { variable, pace, engine: OnceCell::new() }
    }

    /// The engine, which is asked who it is at the first call.
    ///
    /// # Errors
    /// Where nothing answers.
    pub async fn engine(&self) -> Result<&Engine, ImageError> {
        let address = address(None, None, &*self.variable)?;
        Ok(self.engine.get_or_try_init(|| Engine::at(&address)).await?)
    }

    /// A repository of images. Opens no connection.
    ///
    /// # Errors
    /// Where the name is none.
    pub fn registry(&self, repository: &str) -> Result<Registry, ImageError> {
        Ok(Registry::open(repository, self.pace.limits, Arc::clone(&self.variable))?)
    }
}
