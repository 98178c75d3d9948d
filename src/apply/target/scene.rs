//! What there is of a package on a host, and which of it has the traffic.

use std::collections::BTreeSet;

use futures_util::future::join_all;

use crate::apply::target::error::TargetError;
use crate::apply::target::image::outside;
use crate::apply::target::place::{self, DEPLOYMENT, DIGEST, Place, ROLE, SETTINGS, VERSION};
use crate::apply::target::service::Service;
use crate::apply::target::switch::{self, State};
use crate::apply::target::{Answer, Mark, Observed};
use crate::plan::digest::Digest;
use crate::world::engine::Engine;
use crate::world::engine::containers::{Container, Health, Listed, Stage};

/// A package's containers on a host.
pub struct Scene {
    /// Its releases' containers, running or not, those first started first.
    pub services: Vec<Container>,
    /// Its switches: one, or two where a change of it was interrupted.
    pub switches: Vec<(Container, Option<State>)>,
    /// Running containers of others that have one of its ports.
    pub strangers: Vec<Listed>,
    /// The id of the container of ours that has the traffic.
    serving: Option<String>,
}

impl Scene {
    /// Looks at the host.
    ///
    /// # Errors
    /// `Outside` where the engine does not answer.
    pub async fn of(engine: &Engine, place: &Place, package: &str, service: &Service) -> Answer<Scene> {
        let labels = place.labels(package);
        let (mut services, mut switches) = (Vec::new(), Vec::new());
        let listed = engine.containers(&labels).await.map_err(outside)?;
        let looked = join_all(listed.iter().map(|listed| look(engine, listed))).await;
        for found in looked {
            match found? {
                Some(Found { container, switch: Some(state) }) => switches.push((container, state)),
                Some(Found { container, switch: None }) => services.push(container),
                None => {}
            }
        }
        services.sort_by(|a, b| a.started.cmp(&b.started));
        let holders = holders(engine, service).await?;
        let is_ours = |id: &str| labels_hold(&holders, id, &labels);
        let serving = serving(&services, &switches, &holders, service);
        let strangers = holders.iter().filter(|holder| !is_ours(&holder.id)).cloned().collect();
        Ok(Scene { services, switches, strangers, serving })
    }

    /// The container that has the traffic, as long as it is meant to run.
    pub fn serving(&self) -> Option<&Container> {
        self.services.iter().find(|container| Some(&container.id) == self.serving.as_ref())
    }

    /// The switch that runs, with what it says.
    pub fn switch(&self) -> Option<(&Container, &State)> {
        let running = self.switches.iter().filter(|(switch, _)| switch.stage == Stage::Running);
        running.filter_map(|(switch, state)| Some((switch, state.as_ref()?))).next()
    }

    /// A container of ours by its id.
    pub fn service(&self, id: &str) -> Option<&Container> {
        self.services.iter().find(|container| container.id == id)
    }

    /// A container that is this release with these settings: the serving one, else a running one, else a kept one.
    pub fn fit(&self, digest: &Digest, service: &Service, settings: &str) -> Option<&Container> {
        let fits = |container: &&Container| {
            let label = |name: &str| container.labels.get(name).map(String::as_str);
            label(DIGEST) == Some(digest.as_str())
                && label(SETTINGS) == Some(settings)
                && service.env_is_in(&container.env)
        };
        let rank = |container: &&Container| match container.stage {
            Stage::Running if Some(&container.id) == self.serving.as_ref() => 0,
            Stage::Running => 1,
            Stage::Exited => 2,
            _ => 3,
        };
        self.services.iter().filter(fits).min_by_key(rank).filter(|container| rank(container) < 3)
    }

    /// The highest epoch that anything here was made or ordered by.
    pub fn epoch(&self) -> u64 {
        let made = self.services.iter().map(|container| place::epoch(&container.labels));
        let ordered = self.switches.iter().filter_map(|(_, state)| state.as_ref()).map(State::epoch);
        made.chain(ordered).max().unwrap_or_default()
    }

    /// # Errors
    /// `Raced` where somebody with a newer lease was here.
    pub fn fence(&self, mark: &Mark, package: &str) -> Answer<()> {
        if self.epoch() > mark.epoch {
            return Err(TargetError::Raced { what: format!("{package} in {}", mark.environment) });
        }
        Ok(())
    }

    /// What has the traffic, as it is told to others.
    ///
    /// # Errors
    /// `Outside` where the engine does not answer.
    pub async fn observed(&self, engine: &Engine) -> Answer<Option<Observed>> {
        if let Some(container) = self.serving() {
            return Ok(Some(self.told(container)));
        }
        let Some(stranger) = self.strangers.first() else { return Ok(None) };
        let image = engine.image(&stranger.image).await.map_err(outside)?.unwrap_or_default();
        let container = engine.container(&stranger.id).await.map_err(outside)?;
        Ok(Some(Observed {
            digest: place::known_as(&image),
            version: None,
            deployment: None,
            healthy: container.as_ref().and_then(healthy),
            restarts: container.map(|container| container.restarts),
            place: stranger.id.clone(),
        }))
    }

    fn told(&self, container: &Container) -> Observed {
        let order = self.switch().and_then(|(_, state)| state.leads.as_ref());
        let ordered = order.filter(|order| order.container == container.id);
        let ordered = ordered.map(|order| order.deployment.clone());
        Observed {
            digest: container
                .labels
                .get(DIGEST)
                .and_then(|text| Digest::parse(text))
                .unwrap_or_else(Digest::none),
            version: container.labels.get(VERSION).cloned(),
            deployment: ordered.or_else(|| container.labels.get(DEPLOYMENT).cloned()),
            healthy: healthy(container),
            restarts: Some(container.restarts),
            place: container.id.clone(),
        }
    }
}

/// A container of ours.
struct Found {
    container: Container,
    /// What it says, where it is a switch.
    switch: Option<Option<State>>,
}

async fn look(engine: &Engine, listed: &Listed) -> Answer<Option<Found>> {
    let role = listed.labels.get(ROLE).map(String::as_str);
    let Some(container) = engine.container(&listed.id).await.map_err(outside)? else { return Ok(None) };
    let switch = match role {
        Some("switch") => Some(switch::state(engine, &container.id).await?),
        Some("service") => None,
        _ => return Ok(None),
    };
    Ok(Some(Found { container, switch }))
}

/// What its check says; that it does not run where it has none.
fn healthy(container: &Container) -> Option<bool> {
    match (container.stage, container.health) {
        (Stage::Running, None | Some(Health::Starting)) => None,
        (Stage::Running, Some(health)) => Some(health == Health::Healthy),
        _ => Some(false),
    }
}

/// The running containers that have one of a service's ports.
async fn holders(engine: &Engine, service: &Service) -> Answer<Vec<Listed>> {
    if service.ports.is_empty() {
        return Ok(Vec::new());
    }
    let wanted: BTreeSet<u16> = service.ports.iter().map(|port| port.port).collect();
    let all = engine.containers(&[]).await.map_err(outside)?;
    let holds = |listed: &Listed| listed.ports.iter().any(|port| wanted.contains(port));
    Ok(all.into_iter().filter(holds).collect())
}

fn labels_hold(holders: &[Listed], id: &str, labels: &[(&'static str, &str)]) -> bool {
    let holder = holders.iter().find(|holder| holder.id == id);
    holder.is_some_and(|holder| {
        labels.iter().all(|(name, value)| holder.labels.get(*name).is_some_and(|found| found == value))
    })
}

fn serving(
    services: &[Container],
    switches: &[(Container, Option<State>)],
    holders: &[Listed],
    service: &Service,
) -> Option<String> {
    let lives = |container: &&Container| matches!(container.stage, Stage::Running | Stage::Restarting);
    if service.ports.is_empty() {
        return services.iter().find(lives).map(|container| container.id.clone());
    }
    let holds = |id: &str| holders.iter().any(|holder| holder.id == id);
    let led = switches.iter().filter(|(switch, _)| holds(&switch.id)).find_map(|(_, state)| {
        let order = state.as_ref()?.leads.as_ref()?;
        services.iter().filter(lives).find(|container| container.id == order.container)
    });
    let direct = || services.iter().filter(lives).find(|container| holds(&container.id));
    led.or_else(direct).map(|container| container.id.clone())
}
