//! Looks at everything a ship under way rests on, and changes nothing.

use std::collections::BTreeMap;
use std::path::Path;

use crate::apply::book::Book;
use crate::apply::claim::Claim;
use crate::apply::workshop::{Outlet, Workshop};
use crate::ledger::state::Ship;
use crate::plan::Plan;
use crate::version::number::Version;
use crate::workspace::name::PackageName;

/// One thing that was looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Seen {
    /// As the ledger says.
    Agrees(String),
    /// Not there yet; finishing the ship puts it there.
    Missing(String),
    /// Something else is there. The second text is the way out.
    Disagrees(String, String),
    /// It could not be looked at.
    Unknown(String),
}

/// What the outside says of a claimed ship: its tags, its branch, its files.
pub async fn examine(book: &Book, plan: &Plan, workshop: &Workshop) -> Vec<Seen> {
    let Some(ship) = book.ship(&plan.digest) else { return Vec::new() };
    let mut seen = Vec::new();
    if ship.has_done("claim")
        && let Some(remote) = &workshop.remote
    {
        seen.extend(refs(plan, ship, workshop, remote).await);
    }
    if ship.has_done("seal") {
        for release in &plan.releases {
            seen.extend(files(plan, ship, workshop, &release.package).await);
        }
    }
    seen
}

async fn refs(plan: &Plan, ship: &Ship, workshop: &Workshop, remote: &str) -> Vec<Seen> {
    let claim = match Claim::of(plan, ship) {
        Ok(claim) => claim,
        Err(error) => return vec![Seen::Unknown(error.to_string())],
    };
    let found = match claim.tags_on(&workshop.repository, remote).await {
        Ok(found) => found,
        Err(error) => return vec![Seen::Unknown(error.to_string())],
    };
    let compare = |(name, ours): (&String, &String)| {
        let tag = name.trim_start_matches("refs/tags/");
        match found.get(name) {
            Some(at) if at == ours => {
                Seen::Agrees(format!("tag `{tag}` of `{remote}` is the one this ship made"))
            }
            Some(at) => Seen::Disagrees(
                format!("tag `{tag}` of `{remote}` is {at}, this ship made it {ours}"),
                format!("git push --force {remote} {ours}:{name}"),
            ),
            None => Seen::Missing(format!("tag `{tag}` is gone from `{remote}`")),
        }
    };
    claim.tags().iter().map(compare).collect()
}

/// The sealed files of one package, as its index has them.
async fn files(plan: &Plan, ship: &Ship, workshop: &Workshop, package: &str) -> Vec<Seen> {
    let Some(release) = plan.releases.iter().find(|release| release.package == package) else {
        return Vec::new();
    };
    let sealed = ship.sealed(package);
    let found = match listed(workshop, &release.index, &release.distribution, &release.to).await {
        Ok(found) => found,
        Err(words) => return vec![Seen::Unknown(format!("index `{}`: {words}", release.index))],
    };
    let index = &release.index;
    let compare = |(name, ours): (&&str, &&str)| match found.get(*name) {
        Some(there) if there == *ours => Seen::Agrees(format!("`{name}` is on `{index}` as sealed")),
        Some(there) => Seen::Disagrees(
            format!("`{name}` is on `{index}` with other bytes: there {there}, sealed {ours}"),
            "release abandon".to_owned(),
        ),
        None => Seen::Missing(format!("`{name}` is not on `{index}` yet")),
    };
    sealed.iter().map(compare).collect()
}

/// File names and digests of one version on an index.
async fn listed(
    workshop: &Workshop,
    index: &str,
    distribution: &str,
    version: &str,
) -> Result<BTreeMap<String, String>, String> {
    let package = PackageName::new(distribution);
    match workshop.outlet(index).map_err(|error| error.to_string())? {
        Outlet::Folder(folder) => {
            let listed = crate::apply::index::listing(folder, &package).map_err(|error| error.to_string())?;
            Ok(listed.into_iter().map(|file| (file.filename, file.sha256.to_string())).collect())
        }
        Outlet::Remote(publisher) => {
            let version = Version::parse(version).map_err(|error| error.to_string())?;
            let listed =
                publisher.listed(&package, Some(&version)).await.map_err(|error| error.to_string())?;
            let digest = |digest: Option<crate::plan::digest::Digest>| {
                digest.map_or_else(|| "unknown".to_owned(), |digest| digest.to_string())
            };
            Ok(listed.into_iter().map(|file| (file.filename, digest(file.sha256))).collect())
        }
    }
}

/// Locks that a killed git left below a git folder.
pub fn stale_locks(git: &Path) -> Vec<String> {
    const NAMES: [&str; 5] = ["index.lock", "HEAD.lock", "packed-refs.lock", "config.lock", "shallow.lock"];
    let mut found: Vec<String> =
        NAMES.iter().filter(|name| git.join(name).is_file()).map(|name| (*name).to_owned()).collect();
    let mut open = vec![git.join("refs")];
    while let Some(folder) = open.pop() {
        for entry in std::fs::read_dir(&folder).into_iter().flatten().flatten() {
            let path = entry.path();
            match entry.file_type() {
                Ok(kind) if kind.is_dir() => open.push(path),
                Ok(kind) if kind.is_file() && path.extension().is_some_and(|end| end == "lock") => {
                    let shown = path.strip_prefix(git).unwrap_or(&path);
                    found.push(shown.display().to_string());
                }
                _ => {}
            }
        }
    }
    found.sort();
    found
}
