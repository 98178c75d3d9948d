//! Containers: what is there, and making, starting, stopping, removing them.

use std::collections::{BTreeMap, HashMap};

use bollard::container::LogOutput;
use bollard::errors::Error;
use bollard::models::{
    ContainerCreateBody, ContainerInspectResponse, ContainerStateStatusEnum, ContainerSummary,
    ContainerSummaryStateEnum, EndpointSettings, HealthConfig, HealthStatusEnum, HostConfig,
    HostConfigLogConfig, NetworkingConfig, PortBinding, RestartPolicy, RestartPolicyNameEnum,
};
use bollard::query_parameters::{
    CreateContainerOptionsBuilder, KillContainerOptionsBuilder, ListContainersOptionsBuilder,
    LogsOptionsBuilder, RemoveContainerOptionsBuilder, StopContainerOptionsBuilder,
};
use futures_util::StreamExt;

use crate::world::command::plain_line;
use crate::world::engine::{Engine, EngineError};

/// The most bytes of one log line that are kept.
const LINE: usize = 300;

/// A container in the engine's list.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Listed {
    pub id: String,
    /// Without the leading slash.
    pub name: String,
    /// The image's own id.
    pub image: String,
    pub labels: BTreeMap<String, String>,
    pub running: bool,
    /// The ports of the host that lead to it now.
    pub ports: Vec<u16>,
}

/// A container as it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Container {
    pub id: String,
    /// Without the leading slash.
    pub name: String,
    /// The image's own id.
    pub image: String,
    pub labels: BTreeMap<String, String>,
    /// Its variables, the image's too: `NAME=value`. Values may be secret.
    pub env: Vec<String>,
    pub stage: Stage,
    /// What its health check says; none where it has none.
    pub health: Option<Health>,
    /// How often it was started again by itself.
    pub restarts: u64,
    pub exit_code: i64,
    pub out_of_memory: bool,
    /// RFC 3339 with nanoseconds; the year 1 where it never ran.
    pub started: String,
    /// The engine's words where it could not be started.
    pub error: String,
}

/// Where a container is in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    Created,
    Running,
    /// It ended, and the engine is about to start it again.
    Restarting,
    Exited,
    /// Paused, being removed, dead.
    Other,
}

/// What a health check says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Health {
    Starting,
    Healthy,
    Unhealthy,
}

/// A container to be made.
#[derive(Debug, Clone, Default)]
pub struct NewContainer {
    pub name: String,
    /// A reference or an id that is there.
    pub image: String,
    pub labels: BTreeMap<String, String>,
    /// `NAME=value`.
    pub env: Vec<String>,
    pub entrypoint: Option<Vec<String>>,
    pub command: Option<Vec<String>>,
    pub user: Option<String>,
    /// With nothing of the image but its files: no check, no rights, its own folder and signals, a small log.
    pub plain: bool,
    /// Whether it ends by itself, and is not to be started again.
    pub once: bool,
    /// As Docker writes them: `data:/var/lib/app:ro`.
    pub binds: Vec<String>,
    /// The network it is on, and its name there.
    pub network: String,
    pub alias: String,
    pub ports: Vec<Published>,
}

/// A port of the host that leads into a container.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Published {
    /// The host's address; empty for all.
    pub address: String,
    pub port: u16,
    /// The port inside.
    pub inside: u16,
    /// `tcp`, `udp` or `sctp`.
    pub protocol: String,
}

impl Engine {
    /// The containers that bear all of these labels, running or not; with no labels all.
    ///
    /// # Errors
    /// As the engine answers.
    pub async fn containers(&self, labels: &[(&str, &str)]) -> Result<Vec<Listed>, EngineError> {
        let labels: Vec<String> = labels.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let filters = HashMap::from([("label".to_owned(), labels)]);
        let options = ListContainersOptionsBuilder::new().all(true).filters(&filters).build();
        let answer = self.docker.list_containers(Some(options)).await;
        let all = answer.map_err(|error| self.error(&error, "list containers"))?;
        Ok(all.into_iter().map(listed).collect())
    }

    /// A container by id or name; `None` where there is none.
    ///
    /// # Errors
    /// As the engine answers.
    pub async fn container(&self, id: &str) -> Result<Option<Container>, EngineError> {
        match self.docker.inspect_container(id, None).await {
            Ok(told) => Ok(Some(container(told))),
            Err(Error::DockerResponseServerError { status_code: 404, .. }) => Ok(None),
            Err(error) => Err(self.error(&error, "show a container")),
        }
    }

    /// Makes a container, not yet started; answers its id.
    ///
    /// # Errors
    /// As the engine answers: 404 where the image is not there, 409 where the name is taken.
    pub async fn create(&self, new: &NewContainer) -> Result<String, EngineError> {
        let options = CreateContainerOptionsBuilder::new().name(&new.name).build();
        let answer = self.docker.create_container(Some(options), body(new)).await;
        answer.map(|made| made.id).map_err(|error| self.error(&error, &format!("make `{}`", new.name)))
    }

    /// Starts a container; one that runs already stays as it is.
    ///
    /// # Errors
    /// As the engine answers: 4xx where its program or its port can not be had.
    pub async fn start(&self, id: &str) -> Result<(), EngineError> {
        let answer = self.docker.start_container(id, None).await;
        answer.or_else(unchanged).map_err(|error| self.error(&error, "start a container"))
    }

    /// Asks a container to end and makes it after `seconds`; it stays, stopped. One that is gone or stopped is fine.
    ///
    /// # Errors
    /// As the engine answers.
    pub async fn stop(&self, id: &str, seconds: u64) -> Result<(), EngineError> {
        let seconds = i32::try_from(seconds).unwrap_or(i32::MAX);
        let options = StopContainerOptionsBuilder::new().t(seconds).build();
        let answer = self.docker.stop_container(id, Some(options)).await;
        answer.or_else(unchanged).or_else(absent).map_err(|error| self.error(&error, "stop a container"))
    }

    /// Removes a container with its unnamed volumes, running or not. One that is gone is fine.
    ///
    /// # Errors
    /// As the engine answers.
    pub async fn remove(&self, id: &str) -> Result<(), EngineError> {
        let options = RemoveContainerOptionsBuilder::new().v(true).force(true).build();
        let answer = self.docker.remove_container(id, Some(options)).await;
        answer.or_else(absent).map_err(|error| self.error(&error, "remove a container"))
    }

    /// Sends a signal to a container's first process.
    ///
    /// # Errors
    /// As the engine answers: 409 where it does not run.
    pub async fn signal(&self, id: &str, signal: &str) -> Result<(), EngineError> {
        let options = KillContainerOptionsBuilder::new().signal(signal).build();
        let answer = self.docker.kill_container(id, Some(options)).await;
        answer.map_err(|error| self.error(&error, "signal a container"))
    }

    /// The last lines that a container wrote, control characters stripped; what can not be had is empty.
    pub async fn last_words(&self, id: &str, lines: usize) -> Vec<String> {
        let options = LogsOptionsBuilder::new().stdout(true).stderr(true).tail(&lines.to_string()).build();
        let mut stream = Box::pin(self.docker.logs(id, Some(options)));
        let mut text = Vec::new();
        while let Some(Ok(part)) = stream.next().await {
            text.extend_from_slice(&part_bytes(part));
        }
        plain_lines(&text, lines)
    }
}

/// The last non-empty lines of a text, each plain and bounded.
pub(in crate::world) fn plain_lines(text: &[u8], lines: usize) -> Vec<String> {
    let text = String::from_utf8_lossy(text);
    let plain = text.lines().map(|line| plain_line(line).chars().take(LINE).collect::<String>());
    let all: Vec<String> = plain.filter(|line| !line.trim().is_empty()).collect();
    all[all.len().saturating_sub(lines)..].to_vec()
}

fn part_bytes(part: LogOutput) -> Vec<u8> {
    match part {
        LogOutput::StdErr { message }
        | LogOutput::StdOut { message }
        | LogOutput::StdIn { message }
        | LogOutput::Console { message } => message.to_vec(),
    }
}

/// 304: it was so already.
fn unchanged(error: Error) -> Result<(), Error> {
    match error {
        Error::DockerResponseServerError { status_code: 304, .. } => Ok(()),
        error => Err(error),
    }
}

pub(in crate::world) fn absent(error: Error) -> Result<(), Error> {
    match error {
        Error::DockerResponseServerError { status_code: 404, .. } => Ok(()),
        error => Err(error),
    }
}

fn listed(told: ContainerSummary) -> Listed {
    let name = told.names.unwrap_or_default().into_iter().next().unwrap_or_default();
    let ports = told.ports.unwrap_or_default().into_iter().filter_map(|port| port.public_port);
    Listed {
        id: told.id.unwrap_or_default(),
        name: name.trim_start_matches('/').to_owned(),
        image: told.image_id.unwrap_or_default(),
        labels: told.labels.unwrap_or_default().into_iter().collect(),
        running: told.state == Some(ContainerSummaryStateEnum::RUNNING),
        ports: ports.collect(),
    }
}

fn container(told: ContainerInspectResponse) -> Container {
    let (state, config) = (told.state.unwrap_or_default(), told.config.unwrap_or_default());
    let health = state.health.and_then(|health| health.status).and_then(|status| match status {
        HealthStatusEnum::STARTING => Some(Health::Starting),
        HealthStatusEnum::HEALTHY => Some(Health::Healthy),
        HealthStatusEnum::UNHEALTHY => Some(Health::Unhealthy),
        HealthStatusEnum::EMPTY | HealthStatusEnum::NONE => None,
    });
    Container {
        id: told.id.unwrap_or_default(),
        name: told.name.unwrap_or_default().trim_start_matches('/').to_owned(),
        image: told.image.unwrap_or_default(),
        labels: config.labels.unwrap_or_default().into_iter().collect(),
        env: config.env.unwrap_or_default(),
        stage: stage(state.status),
        health,
        restarts: told.restart_count.and_then(|count| u64::try_from(count).ok()).unwrap_or_default(),
        exit_code: state.exit_code.unwrap_or_default(),
        out_of_memory: state.oom_killed.unwrap_or_default(),
        started: state.started_at.unwrap_or_default(),
        error: crate::world::http::said(&state.error.unwrap_or_default()),
    }
}

fn stage(status: Option<ContainerStateStatusEnum>) -> Stage {
    match status {
        Some(ContainerStateStatusEnum::CREATED) => Stage::Created,
        Some(ContainerStateStatusEnum::RUNNING) => Stage::Running,
        Some(ContainerStateStatusEnum::RESTARTING) => Stage::Restarting,
        Some(ContainerStateStatusEnum::EXITED) => Stage::Exited,
        _ => Stage::Other,
    }
}

fn body(new: &NewContainer) -> ContainerCreateBody {
    let aliases = Some(vec![new.alias.clone()]).filter(|_| !new.alias.is_empty());
    let endpoint = EndpointSettings { aliases, ..EndpointSettings::default() };
    let networks = HashMap::from([(new.network.clone(), endpoint)]);
    let no_check = HealthConfig { test: Some(vec!["NONE".to_owned()]), ..HealthConfig::default() };
    ContainerCreateBody {
        image: Some(new.image.clone()),
        labels: Some(new.labels.clone().into_iter().collect()),
        env: Some(new.env.clone()),
        entrypoint: new.entrypoint.clone(),
        cmd: new.command.clone(),
        user: new.user.clone(),
        working_dir: new.plain.then(|| "/".to_owned()),
        stop_signal: new.plain.then(|| "SIGTERM".to_owned()),
        healthcheck: new.plain.then_some(no_check),
        exposed_ports: Some(new.ports.iter().map(Published::inner).collect()),
        host_config: Some(host_config(new)),
        networking_config: Some(NetworkingConfig { endpoints_config: Some(networks) }),
        ..ContainerCreateBody::default()
    }
}

fn host_config(new: &NewContainer) -> HostConfig {
    let mut bindings: HashMap<String, Option<Vec<PortBinding>>> = HashMap::new();
    for port in &new.ports {
        let binding =
            PortBinding { host_ip: Some(port.address.clone()), host_port: Some(port.port.to_string()) };
        bindings.entry(port.inner()).or_default().get_or_insert_default().push(binding);
    }
    let policy = if new.once { RestartPolicyNameEnum::NO } else { RestartPolicyNameEnum::UNLESS_STOPPED };
    let policy = RestartPolicy { name: Some(policy), maximum_retry_count: None };
    let small = HashMap::from([("max-size".to_owned(), "1m".to_owned())]);
    let log = HostConfigLogConfig { typ: Some("json-file".to_owned()), config: Some(small) };
    HostConfig {
        binds: Some(new.binds.clone()),
        port_bindings: Some(bindings),
        restart_policy: Some(policy),
        network_mode: Some(new.network.clone()),
        log_config: new.plain.then_some(log),
        cap_drop: new.plain.then(|| vec!["ALL".to_owned()]),
        security_opt: new.plain.then(|| vec!["no-new-privileges".to_owned()]),
        ..HostConfig::default()
    }
}

impl Published {
    /// As Docker writes the inner side: `8000/tcp`.
    fn inner(&self) -> String {
        format!("{}/{}", self.inside, self.protocol)
    }
}
