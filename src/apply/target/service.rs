//! How a package runs on an engine: its settings, read and checked once.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::net::IpAddr;
use std::time::Duration;

use crate::apply::target::Answer;
use crate::apply::target::error::TargetError;
use crate::plan::digest::Digest;
use crate::workspace::config::environment::{Handover, ServiceTable};
use crate::world::engine::containers::Published;

/// A package's settings, checked. Does not print: its variables may be secret.
#[derive(Clone, PartialEq, Eq)]
pub struct Service {
    pub ports: Vec<Published>,
    /// As Docker writes them.
    pub volumes: Vec<String>,
    /// `NAME=value`.
    pub env: Vec<String>,
    pub command: Option<Vec<String>>,
    pub network: Option<String>,
    pub drain: Duration,
    pub ready_within: Duration,
    pub handover: Handover,
    pub switch_image: Option<String>,
    pub replicas: u32,
    /// A sum over what the configuration says of all this; values handed on from the run are not in it.
    pub settings: String,
}

impl Service {
    /// Reads a package's table; `variable` reads this run's environment.
    ///
    /// # Errors
    /// `Settings`, with the way out.
    pub fn read(
        package: &str,
        table: &ServiceTable,
        variable: &dyn Fn(&str) -> Option<OsString>,
    ) -> Answer<Service> {
        let wrong = |what: String, reason: &str| TargetError::Settings {
            what: format!("the service `{package}`: {what}"),
            reason: reason.to_owned(),
        };
        let mut ports = Vec::new();
        for text in &table.publish {
            ports.push(port(text).map_err(|reason| wrong(format!("`publish` has `{text}`"), reason))?);
        }
        if let Some(twice) = twice(&ports) {
            return Err(wrong(format!("port {twice} is published twice"), "name each once"));
        }
        for text in &table.volumes {
            volume(text).map_err(|reason| wrong(format!("`volumes` has `{text}`"), reason))?;
        }
        let mut env: Vec<String> = table.env.iter().map(|(name, value)| format!("{name}={value}")).collect();
        for name in &table.env_from {
            let value = variable(name).and_then(|value| value.into_string().ok());
            let absent = || wrong(format!("`{name}` of `env-from` is not set"), "set it where this runs");
            env.push(format!("{name}={}", value.ok_or_else(absent)?));
        }
        let seconds = |span: Option<crate::workspace::config::text::Span>, default| match span {
            Some(span) => Duration::from_secs(span.seconds),
            None => Duration::from_secs(default),
        };
        Ok(Service {
            ports,
            volumes: table.volumes.clone(),
            env,
            command: table.command.clone(),
            network: table.network.clone(),
            drain: seconds(table.drain, 10),
            ready_within: seconds(table.ready_within, 120),
            handover: table.handover.unwrap_or(Handover::Auto),
            switch_image: table.switch_image.clone(),
            replicas: table.replicas.unwrap_or(1),
            settings: settings(table),
        })
    }

    /// Whether a container's variables hold all of ours.
    pub fn env_is_in(&self, env: &[String]) -> bool {
        self.env.iter().all(|wanted| env.contains(wanted))
    }
}

/// A sum over what decides how a container is made.
fn settings(table: &ServiceTable) -> String {
    let whole = serde_json::json!({
        "env": table.env, "env-from": table.env_from, "volumes": table.volumes, "network": table.network,
        "command": table.command,
    });
    Digest::of(whole.to_string().as_bytes()).short().to_owned()
}

/// Reads `[ADDRESS:]PORT:INSIDE[/PROTOCOL]`.
fn port(text: &str) -> Result<Published, &'static str> {
    const FORM: &str = "write ADDRESS:PORT:PORT-INSIDE or PORT:PORT-INSIDE: \"127.0.0.1:8080:8000\"";
    let (rest, protocol) = text.split_once('/').unwrap_or((text, "tcp"));
    if !matches!(protocol, "tcp" | "udp" | "sctp") {
        return Err("the protocol is tcp, udp or sctp");
    }
    let (rest, inside) = rest.rsplit_once(':').ok_or(FORM)?;
    let (address, outside) = rest.rsplit_once(':').unwrap_or(("", rest));
    let address = address.strip_prefix('[').and_then(|a| a.strip_suffix(']')).unwrap_or(address);
    if !address.is_empty() && address.parse::<IpAddr>().is_err() {
        return Err("the address is an IP address of the host: \"127.0.0.1:8080:8000\"");
    }
    let number = |text: &str| text.parse::<u16>().ok().filter(|port| *port > 0).ok_or(FORM);
    Ok(Published {
        address: address.to_owned(),
        port: number(outside)?,
        inside: number(inside)?,
        protocol: protocol.to_owned(),
    })
}

fn twice(ports: &[Published]) -> Option<u16> {
    let mut seen = BTreeSet::new();
    let mut again = ports.iter().filter(|port| !seen.insert((&port.address, port.port, &port.protocol)));
    again.next().map(|port| port.port)
}

fn volume(text: &str) -> Result<(), &'static str> {
    let mut parts = text.split(':');
    let (source, inside) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
    if source.is_empty() || !inside.starts_with('/') || parts.count() > 1 {
        return Err("write NAME:/PATH-INSIDE or /FOLDER:/PATH-INSIDE, with :ro where it is only read");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(table: &ServiceTable) -> Result<Service, String> {
        let variable = |name: &str| (name == "TOKEN").then(|| OsString::from("hunter2"));
        Service::read("api", table, &variable).map_err(|error| error.to_string())
    }

    fn publishing(text: &str) -> ServiceTable {
        ServiceTable { publish: vec![text.to_owned()], ..ServiceTable::default() }
    }

    #[test]
    fn ports_are_read_as_docker_writes_them() {
        let read = |text: &str| port(text).unwrap();
        assert_eq!(
            read("8080:80"),
            Published { address: String::new(), port: 8080, inside: 80, protocol: "tcp".to_owned() }
        );
        assert_eq!(read("127.0.0.1:8080:80").address, "127.0.0.1");
        assert_eq!(
            read("[::1]:53:53/udp"),
            Published { address: "::1".to_owned(), port: 53, inside: 53, protocol: "udp".to_owned() }
        );
        for wrong in ["80", "", "a:b", "8000-8010:80", "localhost:1:2", "0:1", "1:2/icmp", "127.0.0.1::80"] {
            assert!(port(wrong).is_err(), "{wrong}");
        }
        assert!(super::twice(&[read("1:2"), read("1:3")]).is_some());
    }

    #[test]
    fn a_mistake_names_the_service_and_the_way_out() {
        let error = read(&publishing("80")).err().unwrap();
        assert!(error.contains("`api`") && error.contains("127.0.0.1:8080:8000"), "{error}");
        let absent = ServiceTable { env_from: vec!["GONE".to_owned()], ..ServiceTable::default() };
        assert!(read(&absent).err().unwrap().contains("`GONE`"));
        let volume = ServiceTable { volumes: vec!["data".to_owned()], ..ServiceTable::default() };
        assert!(read(&volume).err().unwrap().contains("`data`"));
    }

    #[test]
    fn a_value_that_is_handed_on_changes_the_variables_and_not_the_sum() {
        let table = ServiceTable { env_from: vec!["TOKEN".to_owned()], ..ServiceTable::default() };
        let service = read(&table).ok().unwrap();
        assert!(service.env_is_in(&["A=1".to_owned(), "TOKEN=hunter2".to_owned()]));
        assert!(!service.env_is_in(&["TOKEN=other".to_owned()]));
        let other = Service::read("api", &table, &|_| Some("other".into())).ok().unwrap();
        assert_eq!(service.settings, other.settings);
        assert_ne!(service.settings, read(&ServiceTable::default()).ok().unwrap().settings);
    }
}
