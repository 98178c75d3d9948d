//! The ground of the tests of container targets: an engine and a registry of their own, releases that say their version.

pub mod host;
pub mod images;
pub mod load;

use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use release::apply::target::Mark;
use release::plan::deployment::{Artifact, Placed};
use release::plan::digest::Digest;
use release::workspace::config::environment::ServiceTable;
use release::world::engine::Engine;
use release::world::variable::Env;

use crate::engine::Registry;
use crate::targets::host::Host;

/// The engine and the registry that tests share; `None` where they can not be had, having said so.
pub fn ground() -> Option<&'static (Host, Registry)> {
    static GROUND: OnceLock<Option<(Host, Registry)>> = OnceLock::new();
    let make = || Some((Host::start("shared")?, Registry::open()?));
    GROUND.get_or_init(make).as_ref()
}

/// A release of `api` with an image of the registry.
pub fn placed(version: &str, repository: &str, digest: &str) -> Placed {
    Placed {
        package: "api".to_owned(),
        version: version.to_owned(),
        tag: format!("api-v{version}"),
        commit: "0123456789012345678901234567890123456789".to_owned(),
        artifact: Artifact::Image {
            repository: repository.to_owned(),
            digest: Digest::parse(digest).unwrap(),
        },
    }
}

/// A deployment of its own into `production`, by the lease `epoch`.
pub fn mark(name: &str, epoch: u64) -> Mark {
    Mark { environment: "production".to_owned(), deployment: Digest::of(name.as_bytes()), epoch }
}

/// The settings of `api` that publish a port of loopback, with a short time to drain.
pub fn publishing(port: u16) -> ServiceTable {
    let span = |seconds| Some(release::workspace::config::text::Span { seconds });
    ServiceTable {
        publish: vec![format!("127.0.0.1:{port}:8000")],
        drain: span(2),
        ready_within: span(20),
        ..ServiceTable::default()
    }
}

pub fn services(table: ServiceTable) -> BTreeMap<String, ServiceTable> {
    BTreeMap::from([("api".to_owned(), table)])
}

pub async fn engine(host: &Host) -> Engine {
    Engine::connect(Some(&host.address), None, &|_| None).await.unwrap()
}

/// This run's environment.
pub fn environment() -> Env {
    Arc::new(|name| std::env::var_os(name))
}

/// Hears remarks and does nothing about them.
pub fn silent(_: &str) {}

/// Waits until something is so; panics after half a minute.
pub async fn until<F: Future<Output = bool>>(what: &str, so: impl Fn() -> F) {
    let began = Instant::now();
    while !so().await {
        assert!(began.elapsed() < Duration::from_secs(30), "never: {what}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}
