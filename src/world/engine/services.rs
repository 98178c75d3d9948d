//! Services of a swarm and their tasks: compare-and-swap by the version that the swarm counts.

use std::collections::{BTreeMap, HashMap};

use bollard::auth::DockerCredentials;
use bollard::errors::Error;
use bollard::models::{
    EndpointPortConfig, EndpointPortConfigProtocolEnum, EndpointPortConfigPublishModeEnum, EndpointSpec,
    LocalNodeState, Mount, MountType, NetworkAttachmentConfig, Service as ServiceAnswer, ServiceSpec,
    ServiceSpecMode, ServiceSpecModeReplicated, ServiceSpecUpdateConfig,
    ServiceSpecUpdateConfigFailureActionEnum, ServiceSpecUpdateConfigOrderEnum, ServiceUpdateStatusStateEnum,
    Task as TaskAnswer, TaskSpec, TaskSpecContainerSpec, TaskState,
};
use bollard::query_parameters::{ListTasksOptionsBuilder, UpdateServiceOptionsBuilder};

use crate::world::engine::containers::Published;
use crate::world::engine::{Engine, EngineError};
use crate::world::http::said;

/// A service as the swarm has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Service {
    pub id: String,
    /// Counted up with each change; a change names the one it was made from.
    pub version: u64,
    pub labels: BTreeMap<String, String>,
    pub image: String,
    /// Its own variables. Values may be secret.
    pub env: Vec<String>,
    /// The labels of its tasks' containers.
    pub task_labels: BTreeMap<String, String>,
    pub replicas: u64,
    pub update: Update,
}

/// How far its last change has come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Update {
    /// It was never changed, or the swarm does not say.
    None,
    Running,
    Completed,
    /// The swarm stopped it, or took it back, in its own words.
    Stopped(String),
}

/// One task of a service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Task {
    pub id: String,
    pub image: String,
    pub state: Progress,
    /// Whether the swarm wants it to run.
    pub wanted: bool,
    /// Its container, where it has one.
    pub container: Option<String>,
    /// The swarm's words, where it failed.
    pub error: String,
    /// When it last changed, in seconds since 1970.
    pub since: i64,
    /// Its container's labels.
    pub labels: BTreeMap<String, String>,
}

/// What became of a task.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Progress {
    /// On its way, its health not yet proven.
    Starting,
    /// It runs, and is healthy where that can be told.
    Running,
    /// It ended, could not start or was refused.
    Failed,
    /// It ended as it was told to.
    Ended,
}

/// A service to be made or changed.
#[derive(Debug, Clone)]
pub struct NewService {
    pub name: String,
    /// On the service; they change together with the rest.
    pub labels: BTreeMap<String, String>,
    /// On each task's container.
    pub task_labels: BTreeMap<String, String>,
    pub image: String,
    pub env: Vec<String>,
    /// The arguments in place of the image's.
    pub arguments: Option<Vec<String>>,
    /// As Docker writes them: `data:/var/lib/app:ro`.
    pub binds: Vec<String>,
    pub networks: Vec<String>,
    /// Each on the node that its task runs on.
    pub ports: Vec<Published>,
    pub replicas: u32,
    /// Whether a new task starts before the old one ends.
    pub start_first: bool,
    /// How long a task is looked at after it started, in nanoseconds.
    pub monitor: i64,
    /// How long a task has to end, in nanoseconds.
    pub grace: i64,
}

impl Engine {
    /// Whether this engine can be asked about services: it is an active manager of a swarm.
    ///
    /// # Errors
    /// As the engine answers.
    pub async fn is_manager(&self) -> Result<bool, EngineError> {
        let told = self.docker.info().await.map_err(|error| self.error(&error, "say what it is"))?;
        let swarm = told.swarm.unwrap_or_default();
        let active = swarm.local_node_state == Some(LocalNodeState::ACTIVE);
        Ok(active && swarm.control_available.unwrap_or_default())
    }

    /// A service by name; `None` where there is none.
    ///
    /// # Errors
    /// As the engine answers.
    pub async fn service(&self, name: &str) -> Result<Option<Service>, EngineError> {
        match self.docker.inspect_service(name, None).await {
            Ok(told) => Ok(Some(service(told))),
            Err(Error::DockerResponseServerError { status_code: 404, .. }) => Ok(None),
            Err(error) => Err(self.error(&error, &format!("show the service `{name}`"))),
        }
    }

    /// Makes a service.
    ///
    /// # Errors
    /// As the engine answers: 409 where the name is taken.
    pub async fn create_service(
        &self,
        new: &NewService,
        login: Option<DockerCredentials>,
    ) -> Result<(), EngineError> {
        let answer = self.docker.create_service(spec(new), login).await;
        answer.map(drop).map_err(|error| self.error(&error, &format!("make the service `{}`", new.name)))
    }

    /// Changes a service, unless it is no longer at the version that the change was made from.
    ///
    /// # Errors
    /// As the engine answers; which change won tells the service's version, not the error.
    pub async fn update_service(
        &self,
        new: &NewService,
        from: u64,
        login: Option<DockerCredentials>,
    ) -> Result<(), EngineError> {
        let what = format!("change the service `{}`", new.name);
        let version = i32::try_from(from)
            .map_err(|_| EngineError::Strange { reason: format!("{from} is no version of a service") })?;
        let options = UpdateServiceOptionsBuilder::new().version(version).registry_auth_from("spec").build();
        let answer = self.docker.update_service(&new.name, spec(new), options, login).await;
        answer.map(drop).map_err(|error| self.error(&error, &what))
    }

    /// The tasks of a service, those that have ended too.
    ///
    /// # Errors
    /// As the engine answers.
    pub async fn tasks(&self, service: &str) -> Result<Vec<Task>, EngineError> {
        let filters = HashMap::from([("service".to_owned(), vec![service.to_owned()])]);
        let options = ListTasksOptionsBuilder::new().filters(&filters).build();
        match self.docker.list_tasks(Some(options)).await {
            Ok(all) => Ok(all.into_iter().map(task).collect()),
            Err(Error::DockerResponseServerError { status_code: 404, .. }) => Ok(Vec::new()),
            Err(error) => Err(self.error(&error, "list tasks")),
        }
    }
}

fn service(told: ServiceAnswer) -> Service {
    let spec = told.spec.unwrap_or_default();
    let container = spec.task_template.and_then(|task| task.container_spec).unwrap_or_default();
    let replicas = spec.mode.and_then(|mode| mode.replicated).and_then(|replicated| replicated.replicas);
    let update = told.update_status.map_or(Update::None, |status| {
        let message = said(&status.message.unwrap_or_default());
        match status.state {
            Some(ServiceUpdateStatusStateEnum::UPDATING) => Update::Running,
            Some(ServiceUpdateStatusStateEnum::COMPLETED) => Update::Completed,
            None | Some(ServiceUpdateStatusStateEnum::EMPTY) => Update::None,
            Some(_) => Update::Stopped(message),
        }
    });
    Service {
        id: told.id.unwrap_or_default(),
        version: told.version.and_then(|version| version.index).unwrap_or_default(),
        labels: spec.labels.unwrap_or_default().into_iter().collect(),
        image: container.image.unwrap_or_default(),
        env: container.env.unwrap_or_default(),
        task_labels: container.labels.unwrap_or_default().into_iter().collect(),
        replicas: replicas.and_then(|replicas| u64::try_from(replicas).ok()).unwrap_or(1),
        update,
    }
}

fn task(told: TaskAnswer) -> Task {
    let status = told.status.unwrap_or_default();
    let container = told.spec.and_then(|spec| spec.container_spec).unwrap_or_default();
    let state = match status.state {
        Some(TaskState::RUNNING) => Progress::Running,
        Some(TaskState::FAILED | TaskState::REJECTED | TaskState::ORPHANED) => Progress::Failed,
        // A service's task is not meant to end by itself.
        Some(TaskState::COMPLETE) => Progress::Failed,
        Some(TaskState::SHUTDOWN | TaskState::REMOVE) => Progress::Ended,
        _ => Progress::Starting,
    };
    Task {
        id: told.id.unwrap_or_default(),
        image: container.image.unwrap_or_default(),
        state,
        wanted: matches!(told.desired_state, Some(TaskState::RUNNING | TaskState::READY)),
        container: status.container_status.and_then(|status| status.container_id),
        error: said(&status.err.or(status.message).unwrap_or_default()),
        since: status.timestamp.map(|time| time.timestamp()).unwrap_or_default(),
        labels: container.labels.unwrap_or_default().into_iter().collect(),
    }
}

fn spec(new: &NewService) -> ServiceSpec {
    let networks = new.networks.iter().map(|network| NetworkAttachmentConfig {
        target: Some(network.clone()),
        ..NetworkAttachmentConfig::default()
    });
    let order = if new.start_first {
        ServiceSpecUpdateConfigOrderEnum::START_FIRST
    } else {
        ServiceSpecUpdateConfigOrderEnum::STOP_FIRST
    };
    ServiceSpec {
        name: Some(new.name.clone()),
        labels: Some(new.labels.clone().into_iter().collect()),
        task_template: Some(TaskSpec {
            container_spec: Some(container_spec(new)),
            networks: Some(networks.collect()),
            ..TaskSpec::default()
        }),
        mode: Some(ServiceSpecMode {
            replicated: Some(ServiceSpecModeReplicated { replicas: Some(i64::from(new.replicas)) }),
            ..ServiceSpecMode::default()
        }),
        update_config: Some(ServiceSpecUpdateConfig {
            parallelism: Some(1),
            failure_action: Some(ServiceSpecUpdateConfigFailureActionEnum::PAUSE),
            monitor: Some(new.monitor),
            order: Some(order),
            ..ServiceSpecUpdateConfig::default()
        }),
        endpoint_spec: Some(EndpointSpec {
            ports: Some(new.ports.iter().map(port).collect()),
            ..EndpointSpec::default()
        }),
        ..ServiceSpec::default()
    }
}

fn container_spec(new: &NewService) -> TaskSpecContainerSpec {
    TaskSpecContainerSpec {
        image: Some(new.image.clone()),
        labels: Some(new.task_labels.clone().into_iter().collect()),
        env: Some(new.env.clone()),
        args: new.arguments.clone(),
        mounts: Some(new.binds.iter().map(|bind| mount(bind)).collect()),
        stop_grace_period: Some(new.grace),
        ..TaskSpecContainerSpec::default()
    }
}

/// `SOURCE:INSIDE[:ro]`; a source that begins with a slash is a folder of the node.
fn mount(bind: &str) -> Mount {
    let mut parts = bind.split(':');
    let (source, inside) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
    Mount {
        source: Some(source.to_owned()),
        target: Some(inside.to_owned()),
        typ: Some(if source.starts_with('/') { MountType::BIND } else { MountType::VOLUME }),
        read_only: Some(parts.any(|options| options.split(',').any(|option| option == "ro"))),
        ..Mount::default()
    }
}

fn port(port: &Published) -> EndpointPortConfig {
    let protocol = match port.protocol.as_str() {
        "udp" => EndpointPortConfigProtocolEnum::UDP,
        "sctp" => EndpointPortConfigProtocolEnum::SCTP,
        _ => EndpointPortConfigProtocolEnum::TCP,
    };
    EndpointPortConfig {
        protocol: Some(protocol),
        target_port: Some(i64::from(port.inside)),
        published_port: Some(i64::from(port.port)),
        publish_mode: Some(EndpointPortConfigPublishModeEnum::HOST),
        ..EndpointPortConfig::default()
    }
}
