//! The `container` target: each package is one container on a Docker host, the one before it is kept, stopped.

use std::collections::{BTreeMap, BTreeSet};

use crate::apply::target::error::TargetError;
use crate::apply::target::handover::Handing;
use crate::apply::target::image::{self, outside};
use crate::apply::target::place::{DIGEST, IMAGE};
use crate::apply::target::scene::Scene;
use crate::apply::target::site::Site;
use crate::apply::target::{Answer, Mark, Observed, Remark};
use crate::plan::deployment::Placed;
use crate::workspace::config::environment::{Handover, ServiceTable};
use crate::world::engine::Engine;
use crate::world::engine::containers::{Container, Listed, Stage};
use crate::world::variable::Env;

/// How often it is seen to once more, where what an interrupted run had asked for came in between.
const PASSES: usize = 3;

/// One environment on one Docker host.
#[derive(Clone)]
pub struct ContainerTarget {
    site: Site,
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
        ContainerTarget { site: Site::new(engine, scope, environment, services, variable) }
    }

    /// Whether a release could be brought here. Touches nothing.
    ///
    /// # Errors
    /// `Settings`, `Impossible` where the image is neither here nor in its registry, `Conflict` where a port is
    /// somebody else's, `Outside` where the engine or the registry does not answer.
    pub async fn possible(&self, wanted: &Placed) -> Answer<()> {
        let service = self.site.service(&wanted.package)?;
        image::possible(&self.site.engine, &self.site.variable, wanted).await?;
        if service.handover == Handover::Switch && service.ports.iter().any(|port| port.protocol != "tcp") {
            return Err(TargetError::Settings {
                what: format!("the service `{}` is handed over by a switch", wanted.package),
                reason: "a switch leads TCP alone; write handover = \"direct\"".to_owned(),
            });
        }
        let made = "docker network create";
        self.site.refuse_missing_network(&wanted.package, &service, "on the host", made).await?;
        let scene = Scene::of(&self.site.engine, &self.site.place, &wanted.package, &service).await?;
        no_strangers(&scene.strangers)
    }

    /// Brings a release here: ends when it runs, is healthy and has the traffic, and the one before it is stopped.
    ///
    /// # Errors
    /// `Broken` where it does not run (what had the traffic before has it again), `Raced` where a newer lease was
    /// here; else as `possible`.
    pub async fn apply(&self, wanted: &Placed, mark: &Mark, remark: Remark<'_>) -> Answer<Observed> {
        let service = self.site.service(&wanted.package)?;
        let image = image::ensure(&self.site.engine, &self.site.variable, wanted).await?;
        let labels = self.site.place.role(&wanted.package, "network");
        self.site.engine.ensure_network(&self.site.place.network(), &labels).await.map_err(outside)?;
        let (engine, place) = (&self.site.engine, &self.site.place);
        let (service, image, variable) = (&service, &image, &self.site.variable);
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
        let service = self.site.service(package)?;
        let scene = Scene::of(&self.site.engine, &self.site.place, package, &service).await?;
        scene.observed(&self.site.engine).await
    }

    /// Removes the stopped containers of releases that are not to be kept, and their images where nothing needs them; of
    /// a release that is kept, all stopped ones but the last, and that too where the release runs.
    ///
    /// # Errors
    /// `Outside`, `Settings`.
    pub async fn prune(&self, package: &str, keep: &[Placed]) -> Answer<()> {
        let service = self.site.service(package)?;
        let scene = Scene::of(&self.site.engine, &self.site.place, package, &service).await?;
        let keep: BTreeSet<String> = keep.iter().map(|placed| placed.digest().to_string()).collect();
        let last = last_of_each(&scene.services);
        let mut images = BTreeSet::new();
        for container in &scene.services {
            let digest = container.labels.get(DIGEST).filter(|digest| keep.contains(*digest));
            let stopped = matches!(container.stage, Stage::Exited | Stage::Created);
            if !stopped || digest.is_some_and(|digest| last.get(digest) == Some(&container.id)) {
                continue;
            }
            self.site.engine.remove(&container.id).await.map_err(outside)?;
            if digest.is_none() {
                images.extend(container.labels.get(IMAGE).cloned());
            }
        }
        self.site.forget_images(images).await
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
