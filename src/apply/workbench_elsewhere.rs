//! The workbench where processes can not fork: all is left to the front end.

use tokio::sync::Semaphore;

use crate::apply::build::{BuildError, BuildRequest, Built, build};
use crate::world::tools::ToolCache;

/// What builds packages.
pub struct Workbench {
    /// How many front ends run side by side.
    turns: Semaphore,
}

impl Workbench {
    pub fn new(_is_warm: bool, jobs: usize, _cache: &ToolCache) -> Workbench {
        Workbench { turns: Semaphore::new(jobs) }
    }

    /// Builds one package with the front end.
    ///
    /// # Errors
    /// As `build`.
    pub async fn build(&self, request: BuildRequest) -> Result<Built, BuildError> {
        let _turn = self.turns.acquire().await.expect("the turns are never closed");
        build(request).await
    }

    pub fn retire(&self) {}

    pub async fn close(&self) {}
}
