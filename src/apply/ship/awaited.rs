//! What a finished ship leaves to its first environment.

use crate::ledger::event::AwaitedIn;
use crate::ledger::state::Ship;
use crate::plan::deployment::{Artifact, ArtifactKind, Placed};
use crate::plan::digest::Digest;
use crate::plan::{Plan, Release};

/// The releases that the plan wants deployed, and where.
pub fn awaited(plan: &Plan, ship: &Ship) -> Option<AwaitedIn> {
    let deploy = plan.deploy.as_ref()?;
    let commit = ship.evidence("commit")?.get("commit")?;
    let placed = |release: &Release| {
        let wanted = deploy.packages.get(&release.package)?;
        Some(Placed {
            package: release.package.clone(),
            version: release.to.clone(),
            tag: release.tag.clone(),
            commit: commit.clone(),
            artifact: artifact(release, ship, *wanted)?,
        })
    };
    let releases: Vec<Placed> = plan.releases.iter().filter_map(placed).collect();
    (!releases.is_empty()).then(|| AwaitedIn { environment: deploy.environment.clone(), releases })
}

fn artifact(release: &Release, ship: &Ship, kind: ArtifactKind) -> Option<Artifact> {
    match kind {
        ArtifactKind::Files => Some(Artifact::Files {
            distribution: release.distribution.clone(),
            index: release.index.clone(),
            files: ship.evidence(&format!("publish:{}", release.package))?.clone(),
        }),
        ArtifactKind::Image => {
            let pushed = ship.evidence(&format!("push:{}", release.package))?;
            let digest = Digest::parse(pushed.get("digest")?)?;
            Some(Artifact::Image { repository: pushed.get("repository")?.clone(), digest })
        }
    }
}
