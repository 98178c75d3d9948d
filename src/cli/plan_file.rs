//! Reads a saved plan.

use std::path::Path;

use serde::Deserialize;

use crate::cli::failure::{Failure, Kind};
use crate::plan::stale::StaleError;
use crate::plan::{FORMAT, Plan};

/// The one field that every format of a plan has.
#[derive(Deserialize)]
struct Format {
    format: u32,
}

/// The plan of a file.
pub fn read_plan(path: &Path) -> Result<Plan, Failure> {
    let name = path.display().to_string();
    let bytes = std::fs::read(path).map_err(|error| {
        Failure::user(format!("failed to read {name}: {error}")).hint("make one with `release plan -o FILE`")
    })?;
    if let Ok(Format { format }) = serde_json::from_slice(&bytes)
        && format != FORMAT
    {
        return Err(Failure::new(Kind::Stale, StaleError::Format { found: format })
            .hint("make one with `release plan -o FILE`"));
    }
    serde_json::from_slice(&bytes).map_err(|error| {
        Failure::user(format!("{name} is not a plan: {error}")).hint("make one with `release plan -o FILE`")
    })
}
