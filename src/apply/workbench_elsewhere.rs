//! The workbench where processes can not fork: all is left to the front end.

use crate::apply::build::{BuildError, BuildRequest, Built, build};
use crate::world::tools::ToolCache;

/// What builds packages.
pub struct Workbench;

impl Workbench {
    pub fn new(_is_warm: bool, _cache: &ToolCache) -> Workbench {
        Workbench
    }

    /// Builds one package with the front end.
    ///
    /// # Errors
    /// As `build`.
    pub async fn build(&self, request: BuildRequest) -> Result<Built, BuildError> {
        build(request).await
    }

    pub fn retire(&self) {}

    pub async fn close(&self) {}
}
