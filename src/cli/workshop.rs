//! Opens the places a ship works in: the repository, its indexes, the tools of this machine.

use std::collections::BTreeMap;

use crate::apply::pace::Pace;
use crate::apply::publisher::{Publisher, RemoteIndex};
use crate::apply::workbench::Workbench;
use crate::apply::workshop::{Outlet, Workshop};
use crate::cli::failure::{Failure, Kind};
use crate::cli::github::github;
use crate::cli::ship_answer::step_failure;
use crate::survey::facts::Survey;
use crate::survey::home::Home;
use crate::workspace::config::Index;
use crate::world::tools::ToolCache;
use crate::world::variable::of_this_process;

/// The workshop of a ship in this repository. Opens no connection.
pub fn workshop(survey: &Survey, home: &Home) -> Result<Workshop, Failure> {
    let tools =
        ToolCache::open(|name| std::env::var_os(name)).map_err(|error| Failure::new(Kind::Outside, error))?;
    let folders = survey.indexes.iter().map(|(name, folder)| (name.clone(), Outlet::Folder(folder.clone())));
    let mut outlets: BTreeMap<String, Outlet> = folders.collect();
    for (name, index) in &survey.uploads {
        outlets.insert(name.clone(), Outlet::Remote(Box::new(publisher(name, index)?)));
    }
    let mut workshop = Workshop::new(survey.repository.clone(), home.remote.clone(), outlets, tools);
    workshop.images.pace = pace();
    workshop.workbench = Workbench::new(survey.shared_builds, workshop.jobs, &workshop.tools);
    if let Some(limit) = survey.build_timeout {
        workshop.build_limit = limit;
    }
    if let Some(stash) = &survey.stash {
        workshop.stash.clone_from(stash);
    }
    Ok(workshop)
}

/// The same with GitHub, for whoever ships or looks at a ship.
pub async fn shipping_workshop(survey: &Survey, home: &Home) -> Result<Workshop, Failure> {
    let mut workshop = workshop(survey, home)?;
    workshop.github = github(home).await?;
    Ok(workshop)
}

/// A publisher for an index of the configuration.
fn publisher(name: &str, index: &Index) -> Result<Publisher, Failure> {
    let Index::Remote { upload, simple, auth, attestations, insecure, visible_within } = index.clone() else {
        return Err(Failure::new(Kind::Bug, format!("index `{name}` is a folder")));
    };
    let index =
        RemoteIndex { name: name.to_owned(), upload, simple, auth, attestations, insecure, visible_within };
    let environment = of_this_process();
    Publisher::new(index, environment, pace())
        .map_err(|error| step_failure(vec![(format!("opening `{name}`"), error.into())]))
}

/// Debug builds know a pace of milliseconds too, for tests with many faults: `RELEASE_PACE=quick`.
pub fn pace() -> Pace {
    let quick =
        cfg!(debug_assertions) && std::env::var_os("RELEASE_PACE").is_some_and(|pace| pace == "quick");
    if quick { Pace::quick() } else { Pace::default() }
}
