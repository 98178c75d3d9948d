//! The `container` target: each package is one container on a Docker host, the one before it is kept, stopped.

use std::collections::{BTreeMap, BTreeSet};

use crate::apply::target::error::TargetError;
use crate::apply::target::handover::Handing;
use crate::apply::target::image::{self, outside};
use crate::apply::target::place::{DIGEST, IMAGE, Place};
use crate::apply::target::scene::Scene;
use crate::apply::target::service::Service;
use crate::apply::target::{Answer, Mark, Observed};
use crate::plan::deployment::Placed;
use crate::workspace::config::environment::{Handover, ServiceTable};
use crate::world::engine::Engine;
use crate::world::engine::containers::{Container, Listed, Stage};
use crate::world::registry::login::Env;

/// How often it is seen to once more, where what an interrupted run had asked for came in between.
const PASSES: usize = 3;

/// Told to people while it goes on.
pub type Remark<'r> = &'r (dyn Fn(&str) + Sync);

/// One environment on one Docker host.
#[derive(Clone)]
pub struct ContainerTarget {
    engine: Engine,
    place: Place,
    /// How each package runs, by its name.
    services: BTreeMap<String, ServiceTable>,
    /// Reads this run's environment: what is handed on to services, where Docker's settings are.
    variable: Env,
}

impl ContainerTarget {
    /// `scope` tells this project's containers from others' on the same host.
    pub fn new(
        engine: Engine,
        scope: &str,
        environment: &str,
        services: BTreeMap<String, ServiceTable>,
        variable: Env,
    ) -> ContainerTarget {
        let place = Place { scope: scope.to_owned(), environment: environment.to_owned() };
        ContainerTarget { engine, place, services, variable }
    }

    /// Whether a release could be brought here. Touches nothing.
    ///
    /// # Errors
    /// `Settings`, `Impossible` where the image is neither here nor in its registry, `Conflict` where a port is
    /// somebody else's, `Outside` where the engine or the registry does not answer.
    pub async fn possible(&self, wanted: &Placed) -> Answer<()> {
        let service = self.service(&wanted.package)?;
        image::possible(&self.engine, &self.variable, wanted).await?;
        if service.handover == Handover::Switch && service.ports.iter().any(|port| port.protocol != "tcp") {
            return Err(TargetError::Settings {
                what: format!("the service `{}` is handed over by a switch", wanted.package),
                reason: "a switch leads TCP alone; write handover = \"direct\"".to_owned(),
            });
        }
        if let Some(network) = &service.network
            && !self.engine.has_network(network).await.map_err(outside)?
        {
            return Err(TargetError::Settings {
                what: format!("the network `{network}` of `{}` is not on the host", wanted.package),
                reason: format!("`docker network create {network}` makes it"),
            });
        }
        let scene = Scene::of(&self.engine, &self.place, &wanted.package, &service).await?;
        no_strangers(&scene.strangers)
    }

    /// Brings a release here: ends when it runs, is healthy and has the traffic, and the one before it is stopped.
    ///
    /// # Errors
    /// `Broken` where it does not run (what had the traffic before has it again), `Raced` where a newer lease was
    /// here; else as `possible`.
    pub async fn apply(&self, wanted: &Placed, mark: &Mark, remark: Remark<'_>) -> Answer<Observed> {
        let service = self.service(&wanted.package)?;
        let image = image::ensure(&self.engine, &self.variable, wanted).await?;
        let labels = self.place.role(&wanted.package, "network");
        self.engine.ensure_network(&self.place.network(), &labels).await.map_err(outside)?;
        let (engine, place) = (&self.engine, &self.place);
        let (service, image, variable) = (&service, &image, &self.variable);
        let handing = Handing { engine, place, variable, service, image, wanted, mark, remark };
        for _ in 0..PASSES {
            let scene = Scene::of(engine, place, &wanted.package, service).await?;
            scene.fence(mark, &wanted.package)?;
            no_strangers(&scene.strangers)?;
            match handing.over(&scene).await {
                // What an interrupted run had asked for: the next look sees it. A newer lease it sees too.
                Ok(()) | Err(TargetError::Raced { .. }) => {}
                Err(error) => return Err(error),
            }
            let observed = self.observe(&wanted.package).await?;
            if let Some(observed) = observed.filter(|observed| observed.digest == wanted.digest()) {
                return Ok(observed);
            }
        }
        Err(TargetError::Raced { what: format!("{} in {}", wanted.package, mark.environment) })
    }

    /// What has a package's traffic; `None` where nothing has.
    ///
    /// # Errors
    /// `Outside`, `Settings`.
    pub async fn observe(&self, package: &str) -> Answer<Option<Observed>> {
        let service = self.service(package)?;
        let scene = Scene::of(&self.engine, &self.place, package, &service).await?;
        scene.observed(&self.engine).await
    }

    /// Removes the stopped containers of releases that are not to be kept, and their images where nothing needs them; of
    /// a release that is kept, all stopped ones but the last, and that too where the release runs.
    ///
    /// # Errors
    /// `Outside`, `Settings`.
    pub async fn prune(&self, package: &str, keep: &[Placed]) -> Answer<()> {
        let service = self.service(package)?;
        let scene = Scene::of(&self.engine, &self.place, package, &service).await?;
        let keep: BTreeSet<String> = keep.iter().map(|placed| placed.digest().to_string()).collect();
        let last = last_of_each(&scene.services);
        let mut images = BTreeSet::new();
        for container in &scene.services {
            let digest = container.labels.get(DIGEST).filter(|digest| keep.contains(*digest));
            let stopped = matches!(container.stage, Stage::Exited | Stage::Created);
            if !stopped || digest.is_some_and(|digest| last.get(digest) == Some(&container.id)) {
                continue;
            }
            self.engine.remove(&container.id).await.map_err(outside)?;
            if digest.is_none() {
                images.extend(container.labels.get(IMAGE).cloned());
            }
        }
        for image in images {
            self.engine.remove_image(&image).await.map_err(outside)?;
        }
        Ok(())
    }

    fn service(&self, package: &str) -> Answer<Service> {
        let blank = ServiceTable::default();
        let table = self.services.get(package).unwrap_or(&blank);
        Service::read(package, table, &|name| (self.variable)(name))
    }
}

/// The one container of each digest that is worth keeping, by its id: the running one, else the last that ran.
fn last_of_each(services: &[Container]) -> BTreeMap<String, String> {
    let mut ranked: Vec<&Container> = services.iter().collect();
    // Those first started come first, and stay so among those that run and those that do not.
    ranked.sort_by_key(|container| matches!(container.stage, Stage::Running | Stage::Restarting));
    let named = |container: &Container| Some((container.labels.get(DIGEST)?.clone(), container.id.clone()));
    ranked.into_iter().filter_map(named).collect()
}

fn no_strangers(strangers: &[Listed]) -> Answer<()> {
    let Some(stranger) = strangers.first() else { return Ok(()) };
    let ports: Vec<String> = stranger.ports.iter().map(u16::to_string).collect();
    Err(TargetError::Conflict {
        what: format!("port {} of the host", ports.join(", ")),
        found: format!("held by the container `{}`, which is not ours", stranger.name),
        wanted: "free; stop that container, or publish another port".to_owned(),
    })
}
