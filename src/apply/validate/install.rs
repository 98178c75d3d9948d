//! Installs the release from its index into a clean environment, and runs what it holds.

use std::time::Duration;

use crate::apply::environment::Installer;
use crate::apply::smoke::{Outcome, SmokeRequest, smoke};
use crate::apply::supply::{SupplyError, Wanted};
use crate::apply::validate::Subject;
use crate::apply::validate::ask::Asked;

/// How long a script may take to print its help.
const SCRIPT: Duration = Duration::from_secs(30);

/// One trial: a fresh environment, by hash, imports, entry points. The index is the judge here: it must give the bytes
/// that were released.
pub(in crate::apply::validate) async fn ask(subject: &Subject<'_>, limit: Duration) -> Asked {
    let wanted = match Wanted::of(subject.placed) {
        Ok(wanted) => wanted,
        Err(error) => return Asked::error(error.to_string()),
    };
    let mirror = match subject.supply.mirror(&wanted).await {
        Ok(mirror) => mirror,
        Err(error @ (SupplyError::Gone { .. } | SupplyError::Other { .. })) => {
            return Asked::fail(error.to_string());
        }
        Err(error) => return Asked::error(error.to_string()),
    };
    let uv = match subject.supply.tools.uv().await {
        Ok(uv) => uv,
        Err(error) => return Asked::error(error.to_string()),
    };
    let request = SmokeRequest {
        index: mirror.folder().to_owned(),
        address: mirror.address().to_owned(),
        package: wanted.package.clone(),
        version: wanted.version.clone(),
        internal: subject.supply.internal.clone(),
        installer: Installer::Uv(uv),
        timeout: limit,
        script_timeout: SCRIPT.min(limit),
    };
    match smoke(request).await {
        Ok(report) => match report.outcome {
            Outcome::Pass => Asked::pass(format!("installed {}", wanted.version)),
            Outcome::Inconclusive { reason } => Asked::no_data(reason),
            Outcome::Fail { reason } => Asked::fail(reason),
        },
        Err(error) => Asked::error(error.to_string()),
    }
}
