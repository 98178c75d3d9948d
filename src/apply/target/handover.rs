//! From one release's container to the next: by a switch, beside each other, or one after the other.

use std::time::Duration;

use tokio::time::{Instant, sleep};

use crate::apply::target::error::TargetError;
use crate::apply::target::image::outside;
use crate::apply::target::place::{DEPLOYMENT, DIGEST, Place, SETTINGS, reference};
use crate::apply::target::scene::Scene;
use crate::apply::target::service::Service;
use crate::apply::target::switch::{self, Order, Outcome, State};
use crate::apply::target::{Answer, Mark, Remark, ready};
use crate::plan::deployment::Placed;
use crate::plan::digest::Digest;
use crate::workspace::config::environment::Handover;
use crate::world::engine::Engine;
use crate::world::engine::containers::{Container, NewContainer, Stage};
use crate::world::engine::pull::Image;
use crate::world::engine::registry_login::login;
use crate::world::variable::Env;

/// How often the connections that are still open are counted.
const LOOK: Duration = Duration::from_millis(50);
/// How long a switch that is replaced has for what it has begun, in seconds.
const REPLACED: u64 = 2;

/// All that a handover is made from.
pub struct Handing<'h> {
    pub engine: &'h Engine,
    pub place: &'h Place,
    /// Reads this run's environment.
    pub variable: &'h Env,
    pub service: &'h Service,
    pub image: &'h Image,
    pub wanted: &'h Placed,
    pub mark: &'h Mark,
    pub remark: Remark<'h>,
}

/// How it is done.
enum Manner {
    /// By the switch that runs, or by a new one from this image.
    Switch(String),
    /// No port: both run until the new one is healthy.
    Beside,
    Direct,
}

/// The container that shall have the traffic.
struct Candidate {
    id: String,
    /// Whether it ran before and was kept, so that it is known to work.
    kept: bool,
    /// Whether it was made now.
    new: bool,
}

impl Handing<'_> {
    /// Sees to the release having the traffic, and to nothing else of the package running.
    ///
    /// # Errors
    /// As `ContainerTarget::apply`.
    pub async fn over(&self, scene: &Scene) -> Answer<()> {
        match self.manner(scene).await? {
            Manner::Switch(image) => self.guarded(scene, Some(&image)).await,
            Manner::Beside => self.guarded(scene, None).await,
            Manner::Direct => self.direct(scene).await,
        }
    }

    async fn manner(&self, scene: &Scene) -> Answer<Manner> {
        let (service, package) = (self.service, &self.wanted.package);
        if service.handover == Handover::Direct {
            return Ok(Manner::Direct);
        }
        if service.ports.is_empty() {
            return Ok(Manner::Beside);
        }
        if service.ports.iter().any(|port| port.protocol != "tcp") {
            (self.remark)("a switch leads TCP alone: the port is handed over directly");
            return Ok(Manner::Direct);
        }
        let image = service.switch_image.clone().or_else(|| reference(self.wanted)).unwrap_or_default();
        if self.fitting(scene).is_some() {
            return Ok(Manner::Switch(image));
        }
        if service.switch_image.is_some() && self.engine.image(&image).await.map_err(outside)?.is_none() {
            let login = login(&image, self.variable).await;
            self.engine.pull(&image, login).await.map_err(outside)?;
        }
        if switch::fits(self.engine, self.place, package, &image).await? {
            return Ok(Manner::Switch(image));
        }
        if service.handover == Handover::Auto && service.switch_image.is_none() {
            (self.remark)("the image has no python3 for a switch: the port is handed over directly");
            return Ok(Manner::Direct);
        }
        Err(TargetError::Settings {
            what: format!("the image {image} can not run the switch of `{package}`"),
            reason: "name one with python3 (3.7 or later) as `switch-image`, or write handover = \"direct\""
                .to_owned(),
        })
    }

    /// The switch that runs and was made with today's settings.
    fn fitting<'s>(&self, scene: &'s Scene) -> Option<(&'s Container, &'s State)> {
        let wanted = switch::settings(self.service);
        scene.switch().filter(|(switch, _)| switch.labels.get(SETTINGS) == Some(&wanted))
    }

    /// The new one first, beside the old one, which goes on until the new one has the traffic.
    async fn guarded(&self, scene: &Scene, switch: Option<&str>) -> Answer<()> {
        let candidate = self.candidate(scene, &self.service.settings).await?;
        self.clear(scene, &candidate.id).await?;
        let led = match switch {
            Some(image) => self.lead(scene, &candidate, image).await,
            None => self.rise(&candidate).await,
        };
        if let Err(error) = led {
            if matches!(error, TargetError::Broken { .. } | TargetError::Settings { .. }) {
                self.withdraw(scene, &candidate).await?;
            }
            return if self.was_stopped(&candidate).await? { Ok(()) } else { Err(error) };
        }
        self.drain(scene, &candidate.id).await?;
        self.retire(&candidate.id, switch.is_some()).await
    }

    /// Whether a container that ran when we came has ended: an interrupted run had asked for that. The next look finds
    /// it kept.
    async fn was_stopped(&self, candidate: &Candidate) -> Answer<bool> {
        if candidate.new || candidate.kept {
            return Ok(false);
        }
        let now = self.engine.container(&candidate.id).await.map_err(outside)?;
        Ok(now.is_some_and(|now| now.stage == Stage::Exited))
    }

    /// What fits already, or a new container, not yet started.
    async fn candidate(&self, scene: &Scene, settings: &str) -> Answer<Candidate> {
        if let Some(found) = scene.fit(&self.wanted.digest(), self.service, settings) {
            let kept = found.stage == Stage::Exited;
            return Ok(Candidate { id: found.id.clone(), kept, new: false });
        }
        let id = self.create(scene, settings, false).await?;
        Ok(Candidate { id, kept: false, new: true })
    }

    async fn create(&self, scene: &Scene, settings: &str, with_ports: bool) -> Answer<String> {
        let base = self.place.container(self.wanted, self.mark);
        let mut name = base.clone();
        for again in 2.. {
            if !scene.services.iter().any(|container| container.name == name) {
                break;
            }
            name = format!("{base}-{again}");
        }
        let new = NewContainer {
            image: self.image.id.clone(),
            labels: self.place.release(self.wanted, self.mark, settings),
            env: self.service.env.clone(),
            command: self.service.command.clone(),
            binds: self.service.volumes.clone(),
            network: self.place.network(),
            alias: alias(&name),
            ports: if with_ports { self.service.ports.clone() } else { Vec::new() },
            name,
            ..NewContainer::default()
        };
        let id = self.engine.create(&new).await.map_err(outside)?;
        if let Some(network) = &self.service.network {
            self.engine.join(network, &id).await.map_err(outside)?;
        }
        Ok(id)
    }

    /// Removes what deployments left behind that were never finished: all that is neither in charge nor kept.
    async fn clear(&self, scene: &Scene, candidate: &str) -> Answer<()> {
        let serving = scene.serving().map(|container| container.id.as_str());
        for container in &scene.services {
            let id = container.id.as_str();
            if id != candidate && Some(id) != serving && container.stage != Stage::Exited {
                (self.remark)(&format!(
                    "removing `{}`, which an earlier deployment left behind",
                    container.name
                ));
                self.engine.remove(id).await.map_err(outside)?;
            }
        }
        Ok(())
    }

    async fn rise(&self, candidate: &Candidate) -> Answer<()> {
        ready::start(self.engine, self.wanted, &candidate.id).await?;
        ready::healthy(self.engine, self.wanted, &candidate.id, self.service.ready_within).await
    }

    /// Brings the traffic to the candidate. One that was kept is known to work: it has it as soon as it accepts.
    async fn lead(&self, scene: &Scene, candidate: &Candidate, image: &str) -> Answer<()> {
        let Some((running, state)) = self.fitting(scene) else {
            self.rise(candidate).await?;
            return self.new_switch(scene, &candidate.id, image).await;
        };
        if candidate.kept {
            ready::start(self.engine, self.wanted, &candidate.id).await?;
        } else {
            self.rise(candidate).await?;
        }
        let order = self.order(&candidate.id, state).await?;
        if state.leads.as_ref().is_none_or(|leads| !same(leads, &order)) {
            switch::order(self.engine, &running.id, &order).await?;
            self.followed(&running.id, &order).await?;
        }
        ready::not_ill(self.engine, self.wanted, &candidate.id).await
    }

    async fn followed(&self, switch: &str, order: &Order) -> Answer<()> {
        match switch::followed(self.engine, switch, order).await? {
            Outcome::Leads => Ok(()),
            Outcome::Refused(port) => {
                let reason = format!("nothing accepts connections on its port {port}");
                Err(ready::with_words(self.engine, self.wanted, &order.container, reason).await)
            }
            Outcome::Dead(words) => Err(TargetError::Outside {
                what: "the switch".to_owned(),
                reason: format!("it ended: {words}"),
            }),
        }
    }

    async fn order(&self, container: &str, state: &State) -> Answer<Order> {
        let told = self.engine.container(container).await.map_err(outside)?;
        Ok(Order {
            to: told.map(|told| alias(&told.name)).unwrap_or_default(),
            container: container.to_owned(),
            deployment: self.mark.deployment.to_string(),
            epoch: self.mark.epoch,
            number: state.next(),
            within: self.service.ready_within.as_secs(),
        })
    }

    /// Puts a new switch in the place of an old one, or of a container that has the port itself. For a moment nobody
    /// has it; where the new one can not have it, all is as before.
    async fn new_switch(&self, scene: &Scene, candidate: &str, image: &str) -> Answer<()> {
        let base = format!("{}-switch", self.place.base(&self.wanted.package));
        let taken = |name: &str| {
            scene.switches.iter().any(|(switch, _)| switch.name == name && switch.stage != Stage::Created)
        };
        let name = if taken(&base) { format!("{base}-2") } else { base };
        for (switch, _) in
            scene.switches.iter().filter(|(switch, _)| switch.stage == Stage::Created || switch.name == name)
        {
            self.engine.remove(&switch.id).await.map_err(outside)?;
        }
        let state = scene.switches.iter().filter_map(|(_, state)| state.clone()).max_by_key(State::next);
        let order = self.order(candidate, &state.unwrap_or_default()).await?;
        let with = (name.as_str(), image, &order);
        let id = switch::make(self.engine, self.place, &self.wanted.package, self.service, with).await?;
        let before = self.holders(scene, candidate);
        if !before.is_empty() {
            (self.remark)("the port changes hands: for a moment nobody answers");
        }
        for (holder, seconds) in &before {
            self.engine.stop(holder, *seconds).await.map_err(outside)?;
        }
        let started = match self.engine.start(&id).await {
            Ok(()) => self.followed(&id, &order).await,
            Err(error @ crate::world::engine::EngineError::Refused { .. }) => Err(TargetError::Settings {
                what: format!("the ports of `{}` can not be had", self.wanted.package),
                reason: error.to_string(),
            }),
            Err(error) => Err(outside(error)),
        };
        if let Err(error) = started {
            self.engine.remove(&id).await.map_err(outside)?;
            for (holder, _) in before.iter().rev() {
                self.engine.start(holder).await.map_err(outside)?;
            }
            return Err(error);
        }
        for (switch, _) in scene.switches.iter().filter(|(switch, _)| switch.name != name) {
            self.engine.remove(&switch.id).await.map_err(outside)?;
        }
        Ok(())
    }

    /// What has the ports now and must let go of them: switches, or the serving container itself; with the seconds
    /// that each has.
    fn holders(&self, scene: &Scene, candidate: &str) -> Vec<(String, u64)> {
        let switches = scene
            .switches
            .iter()
            .filter(|(switch, _)| switch.stage != Stage::Exited && switch.stage != Stage::Created);
        let mut holders: Vec<(String, u64)> =
            switches.map(|(switch, _)| (switch.id.clone(), REPLACED)).collect();
        if holders.is_empty() {
            let serving = scene.serving().filter(|serving| serving.id != candidate);
            holders.extend(serving.map(|serving| (serving.id.clone(), self.seconds())));
        }
        holders
    }

    /// Takes a candidate back that does not run: the traffic goes where it went before.
    async fn withdraw(&self, scene: &Scene, candidate: &Candidate) -> Answer<()> {
        let before = scene.serving().filter(|serving| serving.id != candidate.id);
        if let (Some((running, _)), Some(before)) = (self.fitting(scene), before) {
            let state = switch::state(self.engine, &running.id).await?.unwrap_or_default();
            let leads_there = state.leads.as_ref().is_some_and(|leads| leads.container == candidate.id);
            if leads_there && state.epoch() <= self.mark.epoch {
                let deployment = before.labels.get(DEPLOYMENT).cloned().unwrap_or_default();
                let order = Order { deployment, ..self.order(&before.id, &state).await? };
                switch::order(self.engine, &running.id, &order).await?;
                switch::followed(self.engine, &running.id, &order).await?;
            }
        }
        match (candidate.new, candidate.kept) {
            (true, _) => self.engine.remove(&candidate.id).await.map_err(outside),
            (_, true) => self.engine.stop(&candidate.id, self.seconds()).await.map_err(outside),
            // It ran before we came: whoever decides where to go back to needs it as it is.
            _ => Ok(()),
        }
    }

    /// Waits until nothing is left of what the one before it began, or its time is over.
    async fn drain(&self, scene: &Scene, candidate: &str) -> Answer<()> {
        let Some((switch, _)) = self.fitting(scene) else { return Ok(()) };
        let others = scene.services.iter().filter(|container| container.stage == Stage::Running);
        if others.filter(|container| container.id != candidate).count() == 0 {
            return Ok(());
        }
        let until = Instant::now() + self.service.drain;
        loop {
            let state = switch::state(self.engine, &switch.id).await?.unwrap_or_default();
            if state.open == 0 {
                return Ok(());
            }
            if Instant::now() >= until {
                (self.remark)(&format!("{} connections outlast the time to drain and are cut", state.open));
                return Ok(());
            }
            sleep(LOOK).await;
        }
    }

    /// Stops all others of the package, which are kept, once more sure that no newer lease is here; a switch that
    /// nothing needs is removed.
    async fn retire(&self, candidate: &str, with_switch: bool) -> Answer<()> {
        let scene = Scene::of(self.engine, self.place, &self.wanted.package, self.service).await?;
        scene.fence(self.mark, &self.wanted.package)?;
        for container in scene.services.iter().filter(|container| container.id != candidate) {
            match container.stage {
                Stage::Exited => {}
                Stage::Created => self.engine.remove(&container.id).await.map_err(outside)?,
                _ => self.engine.stop(&container.id, self.seconds()).await.map_err(outside)?,
            }
        }
        if !with_switch {
            for (switch, _) in &scene.switches {
                self.engine.stop(&switch.id, switch::LEAVE).await.map_err(outside)?;
                self.engine.remove(&switch.id).await.map_err(outside)?;
            }
        }
        Ok(())
    }

    /// The old one ends, the new one takes the port; where it is not healthy, the old one has it again at once.
    async fn direct(&self, scene: &Scene) -> Answer<()> {
        let ports = Digest::of(format!("{:?}", self.service.ports).as_bytes());
        let settings = format!("{}-{}", self.service.settings, ports.short());
        let serving = scene.serving();
        let fit = scene.fit(&self.wanted.digest(), self.service, &settings);
        if let Some(fit) = fit.filter(|fit| serving.is_some_and(|serving| serving.id == fit.id)) {
            self.clear(scene, &fit.id).await?;
            let healthy = ready::healthy(self.engine, self.wanted, &fit.id, self.service.ready_within).await;
            if healthy.is_err()
                && self.was_stopped(&Candidate { id: fit.id.clone(), kept: false, new: false }).await?
            {
                return Ok(());
            }
            healthy?;
            return self.retire(&fit.id, false).await;
        }
        let id = self.create(scene, &settings, true).await?;
        self.clear(scene, &id).await?;
        let mut before: Vec<(String, u64)> = Vec::new();
        let live = scene.switches.iter().filter(|(switch, _)| switch.stage == Stage::Running);
        before.extend(live.map(|(switch, _)| (switch.id.clone(), switch::LEAVE)));
        // On the way back nobody waits for what did not hold.
        let seconds = if self.was_here(scene) { 1 } else { self.seconds() };
        before.extend(serving.map(|serving| (serving.id.clone(), seconds)));
        for (holder, seconds) in &before {
            self.engine.stop(holder, *seconds).await.map_err(outside)?;
        }
        let candidate = Candidate { id, kept: false, new: true };
        if let Err(error) = self.rise(&candidate).await {
            if matches!(error, TargetError::Broken { .. }) {
                self.engine.remove(&candidate.id).await.map_err(outside)?;
                for (holder, _) in before.iter().rev() {
                    self.engine.start(holder).await.map_err(outside)?;
                }
            }
            return Err(error);
        }
        self.retire(&candidate.id, false).await
    }

    /// Whether the release ran before and is kept.
    fn was_here(&self, scene: &Scene) -> bool {
        let wanted = self.wanted.digest();
        let is_kept = |container: &&Container| container.stage == Stage::Exited;
        let mut kept = scene.services.iter().filter(is_kept);
        kept.any(|container| container.labels.get(DIGEST).is_some_and(|digest| digest == wanted.as_str()))
    }

    /// How long a container has to end.
    fn seconds(&self) -> u64 {
        self.service.drain.as_secs().max(1)
    }
}

fn same(leads: &Order, order: &Order) -> bool {
    (&leads.container, &leads.deployment, leads.epoch) == (&order.container, &order.deployment, order.epoch)
}

/// A container's name on the network: short enough for every resolver.
fn alias(name: &str) -> String {
    format!("r-{}", Digest::of(name.as_bytes()).short())
}
