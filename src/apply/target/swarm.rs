//! The `swarm` target: each package is a service of a Docker swarm, changed by compare-and-swap.
//!
//! The swarm carries a change out; we look at the tasks that run and never at its word alone. It stops at a failure and
//! does not go back by itself: where to go back to is decided by whoever knows what worked.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use tokio::time::{Instant, sleep};

use crate::apply::target::error::TargetError;
use crate::apply::target::image::{self, outside};
use crate::apply::target::place::{self, DEPLOYMENT, DIGEST, IMAGE, Place, ROLE, SETTINGS, VERSION};
use crate::apply::target::ready::broken;
use crate::apply::target::service::Service as Settings;
use crate::apply::target::site::Site;
use crate::apply::target::{Answer, Mark, Observed, Remark};
use crate::plan::deployment::Placed;
use crate::plan::digest::Digest;
use crate::workspace::config::environment::ServiceTable;
use crate::world::engine::pull::{HealthCheck, Image};
use crate::world::engine::registry_login::login;
use crate::world::engine::services::{NewService, Progress, Service, Task, Update};
use crate::world::engine::{Engine, EngineError};
use crate::world::variable::Env;

/// How often tasks are looked at.
const LOOK: Duration = Duration::from_millis(200);
/// How long tasks without a health check must run without ending.
const STANDS: Duration = Duration::from_secs(3);
/// How many tasks of a new service may fail before that counts as never getting up.
const FAILURES: usize = 3;
/// How often a change is tried that the swarm's own counting came between.
const TRIES: usize = 8;
/// How long the swarm looks at a task at least, in nanoseconds.
const MONITOR: i64 = 5_000_000_000;

/// One environment on one swarm.
#[derive(Clone)]
pub struct SwarmTarget {
    site: Site,
}

/// What a change is made from.
struct Change<'c> {
    settings: Settings,
    image: Image,
    /// `repository@sha256:…`.
    reference: String,
    wanted: &'c Placed,
    mark: &'c Mark,
}

impl SwarmTarget {
    /// `scope` tells this project's services from others' on the same swarm.
    pub fn new(
        engine: Engine,
        scope: &str,
        environment: &str,
        services: BTreeMap<String, ServiceTable>,
        variable: Env,
    ) -> SwarmTarget {
        SwarmTarget { site: Site::new(engine, scope, environment, services, variable) }
    }

    /// Whether a release could be brought here. Touches nothing.
    ///
    /// # Errors
    /// `Settings`, `Impossible` where the image is neither on the manager nor in its registry, `Conflict` where a
    /// service of this name is somebody else's, `Outside`.
    pub async fn possible(&self, wanted: &Placed) -> Answer<()> {
        let settings = self.settings(&wanted.package)?;
        if !self.site.engine.is_manager().await.map_err(outside)? {
            return Err(TargetError::Settings {
                what: "the host is no active manager of a swarm".to_owned(),
                reason: "`docker swarm init` makes it one; target = \"container\" needs none".to_owned(),
            });
        }
        let made = "docker network create -d overlay";
        self.site.refuse_missing_network(&wanted.package, &settings, "in the swarm", made).await?;
        image::possible(&self.site.engine, &self.site.variable, wanted).await?;
        self.own(&wanted.package).await.map(drop)
    }

    /// Brings a release here: ends when as many tasks of it run as are wanted, and none of another.
    ///
    /// # Errors
    /// `Broken` with the tasks' errors where they do not run (the swarm has stopped; nothing goes back by itself),
    /// `Raced` where somebody else changed the service; else as `possible`.
    pub async fn apply(&self, wanted: &Placed, mark: &Mark, remark: Remark<'_>) -> Answer<Observed> {
        let settings = self.settings(&wanted.package)?;
        let image = image::ensure(&self.site.engine, &self.site.variable, wanted).await?;
        let reference = place::reference(wanted).unwrap_or_default();
        let change = Change { settings, image, reference, wanted, mark };
        let name = self.site.place.base(&wanted.package);
        if change.settings.replicas > 0 && !change.settings.ports.is_empty() {
            remark(
                "a port of a node is had by one task at a time: each old task ends before its new one starts",
            );
        }
        let failed_before = self.ensured(&change, &name).await?;
        self.converged(&change, &name, &failed_before).await?;
        let observed = self.observe(&wanted.package).await?;
        observed.filter(|observed| observed.digest == wanted.digest()).ok_or_else(|| raced(&name))
    }

    /// What a package's running tasks are; `None` where none runs.
    ///
    /// # Errors
    /// `Outside`, `Conflict`.
    pub async fn observe(&self, package: &str) -> Answer<Option<Observed>> {
        let Some(service) = self.own(package).await? else { return Ok(None) };
        let tasks = self.site.engine.tasks(&service.id).await.map_err(outside)?;
        Ok(observed(&service, &tasks))
    }

    /// Removes what ended tasks of releases that are not to be kept left on the manager, and their images where nothing
    /// needs them. The swarm clears up its other nodes itself.
    ///
    /// # Errors
    /// `Outside`.
    pub async fn prune(&self, package: &str, keep: &[Placed]) -> Answer<()> {
        let keep: BTreeSet<String> = keep.iter().map(|placed| placed.digest().to_string()).collect();
        let mut labels = self.site.place.labels(package).to_vec();
        labels.push((ROLE, "task"));
        let mut images = BTreeSet::new();
        for listed in self.site.engine.containers(&labels).await.map_err(outside)? {
            let kept = listed.labels.get(DIGEST).is_some_and(|digest| keep.contains(digest));
            if !listed.running && !kept {
                self.site.engine.remove(&listed.id).await.map_err(outside)?;
                images.extend(listed.labels.get(IMAGE).cloned());
            }
        }
        self.site.forget_images(images).await
    }

    /// A package's settings, where a swarm can have them.
    fn settings(&self, package: &str) -> Answer<Settings> {
        let settings = self.site.service(package)?;
        if let Some(port) = settings.ports.iter().find(|port| !port.address.is_empty()) {
            return Err(TargetError::Settings {
                what: format!("the service `{package}` publishes on {} alone", port.address),
                reason: format!(
                    "a swarm publishes on all addresses of a node; write \"{}:{}\" and close it to others elsewhere",
                    port.port, port.inside
                ),
            });
        }
        Ok(settings)
    }

    /// The package's service, which must be ours.
    async fn own(&self, package: &str) -> Answer<Option<Service>> {
        let name = self.site.place.base(package);
        let Some(service) = self.site.engine.service(&name).await.map_err(outside)? else { return Ok(None) };
        let labels = self.site.place.labels(package);
        if labels.iter().all(|(label, value)| service.labels.get(*label).is_some_and(|found| found == value))
        {
            return Ok(Some(service));
        }
        Err(TargetError::Conflict {
            what: format!("the service `{name}`"),
            found: "somebody else's".to_owned(),
            wanted: "ours; remove it, or give the environment another name".to_owned(),
        })
    }

    /// Sees to the service wanting the release; answers the tasks that had failed before.
    async fn ensured(&self, change: &Change<'_>, name: &str) -> Answer<BTreeSet<String>> {
        let mut before: Option<Service> = None;
        for _ in 0..TRIES {
            let found = self.own(&change.wanted.package).await?;
            if let Some(service) = &found {
                fence(service, change.mark, name)?;
                if change.is_ordered(service) {
                    return Ok(BTreeSet::new());
                }
                // The swarm counts its own notes on a change too, and an older lease gives way; all else is somebody.
                if before.as_ref().is_some_and(|before| was_changed(before, service, change.mark)) {
                    return Err(raced(name));
                }
            }
            let failed = self.failed(found.as_ref()).await?;
            let login = login(&change.reference, &self.site.variable).await;
            let new = change.service(&self.site.place, name, found.as_ref());
            let answer = match &found {
                Some(service) => self.site.engine.update_service(&new, service.version, login).await,
                None => self.site.engine.create_service(&new, login).await,
            };
            match answer {
                Ok(()) => return Ok(failed),
                Err(EngineError::Refused { status: 400..=408 | 410..=499, said, .. }) => {
                    return Err(TargetError::Settings {
                        what: format!("the service `{name}`"),
                        reason: said,
                    });
                }
                Err(error @ EngineError::Refused { .. }) if before.is_some() && before == found => {
                    return Err(outside(error));
                }
                Err(EngineError::Refused { .. }) => before = found,
                Err(error) => return Err(outside(error)),
            }
        }
        Err(raced(name))
    }

    async fn failed(&self, service: Option<&Service>) -> Answer<BTreeSet<String>> {
        let Some(service) = service else { return Ok(BTreeSet::new()) };
        let tasks = self.site.engine.tasks(&service.id).await.map_err(outside)?;
        let failed = tasks.into_iter().filter(|task| task.state == Progress::Failed);
        Ok(failed.map(|task| task.id).collect())
    }

    /// Waits until exactly the wanted tasks run.
    async fn converged(&self, change: &Change<'_>, name: &str, failed: &BTreeSet<String>) -> Answer<()> {
        let until = Instant::now() + change.within();
        let mut stands: Option<Instant> = None;
        loop {
            let service = self.own(&change.wanted.package).await?.ok_or_else(|| raced(name))?;
            fence(&service, change.mark, name)?;
            if !change.is_ordered(&service) {
                return Err(raced(name));
            }
            let tasks = self.site.engine.tasks(&service.id).await.map_err(outside)?;
            let round = Round::of(change, &tasks, failed);
            if round.is_whole {
                let since = *stands.get_or_insert_with(Instant::now);
                if change.image.check.is_some() || since.elapsed() >= STANDS {
                    return Ok(());
                }
            } else {
                stands = None;
            }
            if let Some(reason) = round.fault(&service, Instant::now() >= until, change) {
                return Err(broken(change.wanted, self.with_words(reason, &round).await));
            }
            sleep(LOOK).await;
        }
    }

    async fn with_words(&self, reason: String, round: &Round<'_>) -> String {
        let mut told = reason;
        for error in round.errors() {
            told.push_str(&format!("\n{error}"));
        }
        let last = round.failed.iter().filter_map(|task| task.container.as_deref()).next_back();
        if let Some(container) = last {
            let words = self.site.engine.last_words(container, 15).await;
            if !words.is_empty() {
                told.push_str(&format!("\nthe last words of a task:\n{}", words.join("\n")));
            }
        }
        told
    }
}

/// The tasks at one moment.
struct Round<'t> {
    /// Whether exactly the wanted tasks run.
    is_whole: bool,
    /// Tasks of the release that failed since it was ordered.
    failed: Vec<&'t Task>,
    /// Tasks of the release that do not run yet.
    waiting: Vec<&'t Task>,
}

impl<'t> Round<'t> {
    fn of(change: &Change<'_>, tasks: &'t [Task], before: &BTreeSet<String>) -> Round<'t> {
        let is_new = |task: &&Task| change.is_new(task);
        let runs = |task: &&Task| task.wanted && task.state == Progress::Running;
        let running = tasks.iter().filter(is_new).filter(runs).count();
        let others = tasks
            .iter()
            .filter(|task| !change.is_new(task))
            .any(|task| task.wanted || task.state == Progress::Running);
        let failed = tasks.iter().filter(is_new);
        let failed = failed.filter(|task| task.state == Progress::Failed && !before.contains(&task.id));
        let waiting =
            tasks.iter().filter(is_new).filter(|task| task.wanted && task.state == Progress::Starting);
        Round {
            is_whole: running as u64 == u64::from(change.settings.replicas) && !others,
            failed: failed.collect(),
            waiting: waiting.collect(),
        }
    }

    fn fault(&self, service: &Service, late: bool, change: &Change<'_>) -> Option<String> {
        if let Update::Stopped(message) = &service.update {
            return Some(format!("the swarm stopped the change: {message}"));
        }
        if self.failed.len() >= FAILURES {
            return Some(format!("{} of its tasks failed", self.failed.len()));
        }
        late.then(|| format!("its tasks do not all run within {} seconds", change.within().as_secs()))
    }

    /// What the swarm says of tasks, each once.
    fn errors(&self) -> BTreeSet<String> {
        let all = self.failed.iter().chain(&self.waiting);
        all.map(|task| task.error.clone()).filter(|error| !error.is_empty()).collect()
    }
}

impl Change<'_> {
    /// Whether the service wants exactly this, by this deployment.
    fn is_ordered(&self, service: &Service) -> bool {
        let label = |name: &str| service.labels.get(name).map(String::as_str);
        self.is_as_wanted(service) && label(DEPLOYMENT) == Some(self.mark.deployment.as_str())
    }

    /// Whether its tasks need not be made anew.
    fn is_as_wanted(&self, service: &Service) -> bool {
        let settings = service.task_labels.get(SETTINGS).map(String::as_str);
        service.image == self.reference
            && settings == Some(self.sum().as_str())
            && service.replicas == u64::from(self.settings.replicas)
            && self.settings.env_is_in(&service.env)
    }

    fn is_new(&self, task: &Task) -> bool {
        task.image == self.reference && task.labels.get(SETTINGS) == Some(&self.sum())
    }

    /// A sum over the settings, ports among them.
    fn sum(&self) -> String {
        let ports = Digest::of(format!("{:?}", self.settings.ports).as_bytes());
        format!("{}-{}", self.settings.settings, ports.short())
    }

    /// The time that all tasks together may take, one after the other.
    fn within(&self) -> Duration {
        let each = self.settings.ready_within + self.settings.drain;
        each * self.settings.replicas.max(1)
    }

    /// The service as it shall be. Where its tasks may stay, only what it says of itself changes.
    fn service(&self, place: &Place, name: &str, found: Option<&Service>) -> NewService {
        let sum = self.sum();
        let labels = place.release(self.wanted, self.mark, &sum);
        let stays = found
            .filter(|service| self.is_as_wanted(service) && !matches!(service.update, Update::Stopped(_)));
        let task_labels = match stays {
            Some(service) => service.task_labels.clone(),
            None => {
                let mut labels = labels.clone();
                labels.insert(ROLE.to_owned(), "task".to_owned());
                labels
            }
        };
        NewService {
            name: name.to_owned(),
            labels,
            task_labels,
            image: self.reference.clone(),
            env: self.settings.env.clone(),
            arguments: self.settings.command.clone(),
            binds: self.settings.volumes.clone(),
            networks: self.settings.network.iter().cloned().collect(),
            ports: self.settings.ports.clone(),
            replicas: self.settings.replicas,
            start_first: self.settings.ports.is_empty(),
            monitor: self.image.check.map_or(MONITOR, monitor),
            grace: i64::try_from(self.settings.drain.as_nanos()).unwrap_or(i64::MAX),
        }
    }
}

/// Longer than a health check can take to say that a task is ill.
fn monitor(check: HealthCheck) -> i64 {
    let rounds = check.interval.saturating_add(check.timeout).saturating_mul(check.retries.saturating_add(1));
    check.start_period.saturating_add(rounds).saturating_add(MONITOR)
}

fn observed(service: &Service, tasks: &[Task]) -> Option<Observed> {
    let running = || tasks.iter().filter(|task| task.state == Progress::Running);
    // Where two releases run, the earlier one has proven more.
    let first = running().min_by_key(|task| task.since)?;
    let digest = digest(&first.image);
    let same = running().filter(|task| task.image == first.image).count();
    let others = running().any(|task| task.image != first.image);
    let says = |labels: &BTreeMap<String, String>| {
        let named = labels.get(DIGEST).is_some_and(|label| label == digest.as_str());
        if named { labels.get(DEPLOYMENT).cloned() } else { None }
    };
    let by_service = || if service.image == first.image { says(&service.labels) } else { None };
    let failed = tasks.iter().filter(|task| task.image == first.image && task.state == Progress::Failed);
    Some(Observed {
        deployment: by_service().or_else(|| says(&first.labels)),
        version: says(&first.labels).and_then(|_| first.labels.get(VERSION).cloned()),
        healthy: Some(same as u64 == service.replicas && !others),
        restarts: Some(failed.count() as u64),
        place: service.id.clone(),
        digest,
    })
}

fn digest(image: &str) -> Digest {
    image.rsplit_once('@').and_then(|(_, digest)| Digest::parse(digest)).unwrap_or_else(Digest::none)
}

fn fence(service: &Service, mark: &Mark, name: &str) -> Answer<()> {
    if place::epoch(&service.labels) > mark.epoch { Err(raced(name)) } else { Ok(()) }
}

/// Whether somebody changed a service between two looks who does not have to give way to us.
fn was_changed(before: &Service, now: &Service, mark: &Mark) -> bool {
    let by_run = before.labels != now.labels && place::epoch(&now.labels) >= mark.epoch;
    let by_hand = before.labels == now.labels && before.image != now.image;
    by_run || by_hand
}

fn raced(name: &str) -> TargetError {
    TargetError::Raced { what: format!("the service `{name}`") }
}
