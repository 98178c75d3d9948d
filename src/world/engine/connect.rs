//! Finds the container engine as the `docker` program does: host, TLS, contexts.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use bollard::{API_DEFAULT_VERSION, Docker};
use serde::Deserialize;

use crate::world::engine::{About, Engine, EngineError};
use crate::world::http::said;
use crate::world::identity::Variable;
use crate::world::loopback::leads_to_loopback;
use crate::world::remote::without_credentials;
use crate::world::sha256;

/// How long the engine may take to say who it is.
const HELLO: Duration = Duration::from_secs(20);
/// How long it may take to begin an answer.
const ANSWER: u64 = 120;
#[cfg(unix)]
const HERE: &str = "unix:///var/run/docker.sock";
#[cfg(not(unix))]
const HERE: &str = "npipe:////./pipe/docker_engine";

/// Where an engine is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Address {
    /// `unix://`, `tcp://`, `ssh://` (and `npipe://` on Windows).
    pub host: String,
    /// The folder with `ca.pem`, `cert.pem` and `key.pem`, where TLS is spoken.
    pub tls: Option<PathBuf>,
    /// Who said so, for people.
    pub from: String,
}

impl Engine {
    /// Connects and asks the engine who it is. `host` is the configuration's word, with `tls` the folder of its
    /// certificates; without it `DOCKER_HOST`, then the current Docker context, then this machine's own engine.
    ///
    /// # Errors
    /// `Settings` where the address is not to be understood; `Unreachable` where nothing answers.
    pub async fn connect(
        host: Option<&str>,
        tls: Option<&Path>,
        variable: Variable<'_>,
    ) -> Result<Engine, EngineError> {
        Engine::at(&address(host, tls, variable)?).await
    }

    /// Connects to an address that was found before.
    ///
    /// # Errors
    /// As `connect`.
    pub async fn at(address: &Address) -> Result<Engine, EngineError> {
        let place = format!("{} ({})", shown(&address.host), address.from);
        let docker = open(address).map_err(|error| EngineError::of(&error, &place, "take the address"))?;
        let answer = tokio::time::timeout(HELLO, introduced(docker)).await;
        let silent = |_| EngineError::Unreachable {
            place: place.clone(),
            reason: format!("no answer within {} seconds", HELLO.as_secs()),
        };
        let told = answer.map_err(silent)?;
        let (docker, about) = told.map_err(|error| EngineError::of(&error, &place, "say its version"))?;
        Ok(Engine { docker, place, about })
    }
}

async fn introduced(docker: Docker) -> Result<(Docker, About), bollard::errors::Error> {
    let docker = docker.negotiate_version().await?;
    let version = docker.version().await?;
    let spoken = docker.client_version();
    let about = About {
        version: version.version.unwrap_or_default(),
        api: (spoken.major_version, spoken.minor_version),
        os: version.os.unwrap_or_default(),
        architecture: version.arch.unwrap_or_default(),
    };
    Ok((docker, about))
}

/// Where the engine is, by the rules of the `docker` program. Opens no connection.
///
/// # Errors
/// `Settings` where a context does not exist, or plain TCP would go to another machine by the configuration's word.
pub fn address(
    host: Option<&str>,
    tls: Option<&Path>,
    variable: Variable<'_>,
) -> Result<Address, EngineError> {
    let text =
        |name: &str| variable(name).and_then(|value| value.into_string().ok()).filter(|v| !v.is_empty());
    if let Some(host) = host {
        let folder = tls.map(Path::to_owned).or_else(|| text("DOCKER_CERT_PATH").map(PathBuf::from));
        let address = settled(host, folder, "the configuration")?;
        return refuse_plain(address);
    }
    if let Some(host) = text("DOCKER_HOST") {
        let secured = text("DOCKER_TLS_VERIFY").is_some() || text("DOCKER_TLS").is_some();
        let certificates = || text("DOCKER_CERT_PATH").map(PathBuf::from).or_else(|| home(variable));
        let folder = if secured || host.starts_with("https://") { certificates() } else { None };
        return settled(&host, folder, "DOCKER_HOST");
    }
    let configuration = home(variable);
    let named = text("DOCKER_CONTEXT").or_else(|| current_context(configuration.as_deref()?));
    match (named.filter(|name| name != "default"), configuration) {
        (Some(name), Some(folder)) => context(&folder, &name),
        (Some(name), None) => Err(no_context(&name, "there is no home folder")),
        (None, _) => settled(HERE, None, "this machine's own"),
    }
}

/// The folder of Docker's own settings: `DOCKER_CONFIG`, else `~/.docker`.
pub fn home(variable: Variable<'_>) -> Option<PathBuf> {
    let folder = |name: &str| variable(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    folder("DOCKER_CONFIG").or_else(|| folder("HOME").map(|home| home.join(".docker")))
}

fn settled(host: &str, tls: Option<PathBuf>, from: &str) -> Result<Address, EngineError> {
    let known = ["unix://", "tcp://", "http://", "https://", "ssh://", "npipe://"];
    let host = if host.starts_with('/') { format!("unix://{host}") } else { host.to_owned() };
    if !known.iter().any(|scheme| host.starts_with(scheme)) {
        let what = format!("`{}` is no address of a container engine", shown(&host));
        let reason = "unix://, tcp:// and ssh:// are known".to_owned();
        return Err(EngineError::Settings { what, reason });
    }
    let over_tcp = host.starts_with("tcp://") || host.starts_with("http");
    Ok(Address { host, tls: tls.filter(|_| over_tcp), from: from.to_owned() })
}

/// Who reaches an engine over plain TCP owns its machine.
fn refuse_plain(address: Address) -> Result<Address, EngineError> {
    let authority = address.host.split("://").nth(1).unwrap_or_default().trim_end_matches('/');
    let over_tcp = address.host.starts_with("tcp://") || address.host.starts_with("http://");
    if over_tcp && address.tls.is_none() && !leads_to_loopback(authority) {
        let what = format!("{} is another machine, without TLS", shown(&address.host));
        let reason = "name the folder with ca.pem, cert.pem and key.pem as `tls`, or go by ssh://".to_owned();
        return Err(EngineError::Settings { what, reason });
    }
    Ok(address)
}

fn open(address: &Address) -> Result<Docker, bollard::errors::Error> {
    let host = address.host.as_str();
    let version = API_DEFAULT_VERSION;
    if let Some(folder) = &address.tls {
        let file = |name: &str| folder.join(name);
        // Without a provider there would be a panic; one that is there already is as good.
        let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
        let host = with_port(host, 2376);
        return Docker::connect_with_ssl(
            &host,
            &file("key.pem"),
            &file("cert.pem"),
            &file("ca.pem"),
            ANSWER,
            version,
        );
    }
    match host.split("://").next() {
        Some("ssh") => Docker::connect_with_ssh(host, ANSWER, version, None),
        Some("tcp" | "http") => Docker::connect_with_http(&with_port(host, 2375), ANSWER, version),
        #[cfg(unix)]
        Some("unix") => Docker::connect_with_unix(host, ANSWER, version),
        _ => Docker::connect_with_host(host),
    }
}

/// The address with Docker's port, where it names none.
fn with_port(host: &str, port: u16) -> String {
    let host = host.trim_end_matches('/');
    let authority = host.split("://").nth(1).unwrap_or_default();
    let after_bracket = authority.rsplit(']').next().unwrap_or_default();
    if after_bracket.contains(':') { host.to_owned() } else { format!("{host}:{port}") }
}

/// The address without a password.
fn shown(host: &str) -> String {
    without_credentials(&said(host))
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Settings {
    current_context: Option<String>,
}

fn current_context(folder: &Path) -> Option<String> {
    let text = std::fs::read(folder.join("config.json")).ok()?;
    serde_json::from_slice::<Settings>(&text).ok()?.current_context.filter(|name| !name.is_empty())
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Meta {
    #[serde(default)]
    endpoints: BTreeMap<String, Endpoint>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Endpoint {
    host: Option<String>,
}

/// What `docker context create` wrote: the folders are named by the SHA-256 of the context's name.
fn context(folder: &Path, name: &str) -> Result<Address, EngineError> {
    let id = sha256::of(name.as_bytes());
    let file = folder.join("contexts/meta").join(&id).join("meta.json");
    let text = std::fs::read(&file).map_err(|_| no_context(name, "it does not exist"))?;
    let meta: Meta = serde_json::from_slice(&text)
        .map_err(|error| no_context(name, &format!("it does not read: {error}")))?;
    let endpoint = meta.endpoints.get("docker").and_then(|endpoint| endpoint.host.clone());
    let host = endpoint.ok_or_else(|| no_context(name, "it names no Docker host"))?;
    let tls = folder.join("contexts/tls").join(&id).join("docker");
    settled(&host, tls.join("ca.pem").is_file().then_some(tls), &format!("context {name}"))
}

fn no_context(name: &str, reason: &str) -> EngineError {
    let what = format!("the Docker context `{}` can not be used", said(name));
    let reason = format!("{reason}; `docker context ls` lists those that are there");
    EngineError::Settings { what, reason }
}

#[cfg(test)]
mod tests {
    use std::ffi::OsString;

    use super::*;

    fn found(host: Option<&str>, tls: Option<&str>, set: &[(&str, &str)]) -> Result<Address, String> {
        let variable =
            |name: &str| set.iter().find(|(key, _)| *key == name).map(|(_, value)| OsString::from(value));
        address(host, tls.map(Path::new), &variable).map_err(|error| error.to_string())
    }

    fn host_and_tls(address: Result<Address, String>) -> (String, Option<PathBuf>) {
        address.map(|address| (address.host, address.tls)).unwrap()
    }

    #[test]
    fn the_configuration_comes_before_the_environment_and_that_before_this_machine() {
        let env = [("DOCKER_HOST", "tcp://10.0.0.1:2375")];
        assert_eq!(found(Some("unix:///a"), None, &env).unwrap().host, "unix:///a");
        assert_eq!(found(None, None, &env).unwrap().host, "tcp://10.0.0.1:2375");
        assert_eq!(found(None, None, &[]).unwrap().host, HERE);
    }

    #[test]
    fn tls_is_spoken_where_it_is_asked_for() {
        let verify =
            [("DOCKER_HOST", "tcp://a:2376"), ("DOCKER_TLS_VERIFY", "1"), ("DOCKER_CERT_PATH", "/c")];
        assert_eq!(host_and_tls(found(None, None, &verify)).1, Some("/c".into()));
        assert_eq!(host_and_tls(found(None, None, &verify[..1])).1, None);
        let home = [verify[0], verify[1], ("HOME", "/home/a")];
        assert_eq!(host_and_tls(found(None, None, &home)).1, Some("/home/a/.docker".into()));
        assert_eq!(host_and_tls(found(Some("tcp://a"), Some("/t"), &[])).1, Some("/t".into()));
        assert!(found(Some("tcp://a:2375"), None, &[]).unwrap_err().contains("without TLS"));
        assert_eq!(host_and_tls(found(Some("tcp://127.0.0.1:2375"), None, &[])).1, None);
    }

    #[test]
    fn a_context_says_where_the_engine_is() {
        let folder = tempfile::tempdir().unwrap();
        let id = sha256::of(b"far");
        let meta = folder.path().join("contexts/meta").join(&id);
        std::fs::create_dir_all(&meta).unwrap();
        let text = r#"{"Name":"far","Metadata":{},"Endpoints":{"docker":{"Host":"ssh://deploy@far","SkipTLSVerify":false}}}"#;
        std::fs::write(meta.join("meta.json"), text).unwrap();
        std::fs::write(folder.path().join("config.json"), r#"{"auths":{},"currentContext":"far"}"#).unwrap();
        let config = ("DOCKER_CONFIG", folder.path().to_str().unwrap());
        assert_eq!(found(None, None, &[config]).unwrap().host, "ssh://deploy@far");
        assert_eq!(found(None, None, &[config, ("DOCKER_CONTEXT", "default")]).unwrap().host, HERE);
        assert_eq!(found(None, None, &[config, ("DOCKER_HOST", "unix:///b")]).unwrap().host, "unix:///b");
        let error = found(None, None, &[config, ("DOCKER_CONTEXT", "gone")]).unwrap_err();
        assert!(error.contains("`gone`") && error.contains("docker context ls"), "{error}");
    }

    #[test]
    fn an_address_gets_dockers_port() {
        assert_eq!(with_port("tcp://a", 2375), "tcp://a:2375");
        assert_eq!(with_port("tcp://a:1/", 2375), "tcp://a:1");
        assert_eq!(with_port("tcp://[::1]", 2375), "tcp://[::1]:2375");
        assert!(found(Some("ftp://a"), None, &[]).unwrap_err().contains("no address"));
    }

    #[tokio::test]
    async fn silence_is_told_with_the_place() {
        let none = |_: &str| None;
        let error = Engine::connect(Some("unix:///nowhere/docker.sock"), None, &none).await.unwrap_err();
        assert!(error.to_string().contains("unix:///nowhere/docker.sock"), "{error}");
        assert!(error.is_transient() && error.hints()[0].contains("DOCKER_HOST"));
    }
}
