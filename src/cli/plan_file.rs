//! Reads a saved plan.

use std::path::Path;

use serde::Deserialize;

use crate::cli::failure::{Failure, Kind};
use crate::plan::stale::StaleError;
use crate::plan::{Assumed, FORMAT, Plan};

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
    let plan: Plan = serde_json::from_slice(&bytes).map_err(|error| {
        Failure::user(format!("{name} is not a plan: {error}")).hint("make one with `release plan -o FILE`")
    })?;
    match plan.assumed.first() {
        None => Ok(plan),
        Some(Assumed { subject, .. }) => {
            let text =
                format!("{name} can not be shipped: it counts a commit that does not exist, `{subject}`");
            Err(Failure::user(text)
                .hint("make one of what is there: `release plan -o FILE`, without `--assume`"))
        }
    }
}

/// A plan made anew may differ in its base, not in what was consented to.
pub fn refuse_another(before: &Plan, now: &Plan) -> Result<(), Failure> {
    let told = |plan: &Plan| -> Vec<(String, String, String, String)> {
        let one = |release: &crate::plan::Release| {
            (release.package.clone(), release.to.clone(), release.tag.clone(), release.notes.clone())
        };
        plan.releases.iter().map(one).collect()
    };
    if told(before) == told(now) {
        return Ok(());
    }
    Err(Failure::new(
        Kind::Stale,
        "somebody was faster, and what is left to release is not what was asked for",
    )
    .hint("`release plan` says what is left"))
}
