//! The switch: a small container that has the host's ports and leads to the release that has the traffic.
//!
//! Its orders are files that are never changed, numbered by the lease's epoch and then counted: the highest is obeyed,
//! so that whoever was taken over can order nothing. What came of an order stands in its `state`.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use tokio::time::{Instant, sleep};

use crate::apply::target::Answer;
use crate::apply::target::error::TargetError;
use crate::apply::target::image::outside;
use crate::apply::target::place::{Place, SETTINGS};
use crate::apply::target::service::Service;
use crate::plan::digest::Digest;
use crate::world::engine::containers::{NewContainer, Published, Stage};
use crate::world::engine::files::NewFile;
use crate::world::engine::{Engine, EngineError};

/// What it runs.
const PROGRAM: &str = include_str!("../../../templates/switch.py");
/// Whose it is inside: nobody's.
const NOBODY: u64 = 65534;
/// Where its ports begin inside; what is above 1023 needs no rights.
const FIRST: u16 = 20000;
/// How often its state is looked at.
const LOOK: Duration = Duration::from_millis(30);
/// How long it may take to answer beyond the time that an order has.
const SLACK: Duration = Duration::from_secs(15);
/// How long it has to let open connections end when it is stopped, in seconds.
pub const LEAVE: u64 = 12;

/// Where the traffic shall go.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Order {
    /// The container's name on the network.
    pub to: String,
    /// Its id.
    pub container: String,
    /// The deployment that brings it.
    pub deployment: String,
    pub epoch: u64,
    pub number: u64,
    /// How long it is tried until it accepts connections, in seconds.
    pub within: u64,
}

/// What a switch says of itself.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
pub struct State {
    /// The order that it follows.
    pub leads: Option<Order>,
    /// The newest order that it knows.
    pub seen: Option<Order>,
    /// The last order that it gave up, with the port that did not accept.
    pub failed: Option<Failed>,
    /// How many connections still lead to another container than the one that has the traffic.
    pub open: u64,
}

/// An order that was given up.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Failed {
    pub epoch: u64,
    pub number: u64,
    pub port: u16,
}

impl State {
    /// The highest epoch of an order.
    pub fn epoch(&self) -> u64 {
        let orders = self.leads.iter().chain(&self.seen).map(|order| order.epoch);
        orders.chain(self.failed.iter().map(|failed| failed.epoch)).max().unwrap_or_default()
    }

    /// The number of the next order.
    pub fn next(&self) -> u64 {
        let orders = self.leads.iter().chain(&self.seen).map(|order| order.number);
        orders.chain(self.failed.iter().map(|failed| failed.number)).max().unwrap_or_default() + 1
    }
}

/// What a switch is made with: when this changes, it is made anew.
pub fn settings(service: &Service) -> String {
    let ports: Vec<String> =
        service.ports.iter().map(|port| format!("{}:{}:{}", port.address, port.port, port.inside)).collect();
    let whole = format!("{PROGRAM}\n{}\n{:?}", ports.join(" "), service.switch_image);
    Digest::of(whole.as_bytes()).short().to_owned()
}

/// Makes a switch with its first order, not yet started; answers its id.
///
/// # Errors
/// As the engine answers.
pub async fn make(
    engine: &Engine,
    place: &Place,
    package: &str,
    service: &Service,
    (name, image, order): (&str, &str, &Order),
) -> Answer<String> {
    let ports = || (FIRST..).zip(&service.ports);
    let mut labels = place.role(package, "switch");
    labels.insert(SETTINGS.to_owned(), settings(service));
    let new = NewContainer {
        name: name.to_owned(),
        image: image.to_owned(),
        labels,
        entrypoint: Some(words(&["python3", "-I", "/release/switch.py", "/release"])),
        command: Some(ports().map(|(listen, port)| format!("{listen}:{}", port.inside)).collect()),
        user: Some(format!("{NOBODY}:{NOBODY}")),
        plain: true,
        network: place.network(),
        ports: ports().map(|(listen, port)| Published { inside: listen, ..port.clone() }).collect(),
        ..NewContainer::default()
    };
    let id = engine.create(&new).await.map_err(outside)?;
    let folder = NewFile { path: "release/".to_owned(), bytes: Vec::new(), owner: NOBODY };
    let program = NewFile { path: "release/switch.py".to_owned(), bytes: PROGRAM.into(), owner: NOBODY };
    engine.put(&id, &[folder, program, file(order)]).await.map_err(outside)?;
    Ok(id)
}

/// Whether an image can run a switch: it is tried.
///
/// # Errors
/// `Outside` where the engine can not say.
pub async fn fits(engine: &Engine, place: &Place, package: &str, image: &str) -> Answer<bool> {
    let test = "import asyncio, json, sys; sys.exit(0 if sys.version_info >= (3, 7) else 9)";
    let new = NewContainer {
        name: format!("{}-probe", place.base(package)),
        image: image.to_owned(),
        labels: place.role(package, "probe"),
        entrypoint: Some(words(&["python3", "-I", "-c", test])),
        command: Some(Vec::new()),
        user: Some(format!("{NOBODY}:{NOBODY}")),
        plain: true,
        once: true,
        network: "none".to_owned(),
        ..NewContainer::default()
    };
    engine.remove(&new.name).await.map_err(outside)?;
    let id = engine.create(&new).await.map_err(outside)?;
    let ran = tried(engine, &id).await;
    engine.remove(&id).await.map_err(outside)?;
    ran
}

async fn tried(engine: &Engine, id: &str) -> Answer<bool> {
    match engine.start(id).await {
        Ok(()) => {}
        Err(EngineError::Unreachable { place, reason }) => {
            return Err(outside(EngineError::Unreachable { place, reason }));
        }
        // There is no such program in it.
        Err(_) => return Ok(false),
    }
    let until = Instant::now() + SLACK;
    while Instant::now() < until {
        match engine.container(id).await.map_err(outside)? {
            Some(container) if container.stage == Stage::Exited => return Ok(container.exit_code == 0),
            Some(_) => sleep(LOOK).await,
            None => return Ok(false),
        }
    }
    Ok(false)
}

/// What a switch says; `None` where it has said nothing yet.
///
/// # Errors
/// `Outside` where the engine does not answer, or what it said does not read.
pub async fn state(engine: &Engine, id: &str) -> Answer<Option<State>> {
    let Some(text) = engine.read(id, "/release/state").await.map_err(outside)? else { return Ok(None) };
    let read = serde_json::from_slice(&text);
    read.map(Some)
        .map_err(|error| outside(EngineError::Strange { reason: format!("the switch's state: {error}") }))
}

/// Gives a running switch an order.
///
/// # Errors
/// As the engine answers.
pub async fn order(engine: &Engine, id: &str, order: &Order) -> Answer<()> {
    engine.put(id, &[file(order)]).await.map_err(outside)?;
    match engine.signal(id, "SIGHUP").await {
        // It looks for itself once a second; whether it lives, its state tells.
        Ok(()) | Err(EngineError::Refused { .. }) => Ok(()),
        Err(error) => Err(outside(error)),
    }
}

/// What became of an order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// The traffic goes there.
    Leads,
    /// The container does not accept connections on this port.
    Refused(u16),
    /// The switch ended; its last words.
    Dead(String),
}

/// Waits until a switch has followed an order.
///
/// # Errors
/// `Raced` where it was given a newer one, `Outside` where it says nothing.
pub async fn followed(engine: &Engine, id: &str, wanted: &Order) -> Answer<Outcome> {
    let until = Instant::now() + Duration::from_secs(wanted.within) + SLACK;
    while Instant::now() < until {
        if let Some(state) = state(engine, id).await? {
            if state.leads.as_ref() == Some(wanted) {
                return Ok(Outcome::Leads);
            }
            let known = (wanted.epoch, wanted.number);
            if let Some(failed) = state.failed.filter(|failed| (failed.epoch, failed.number) == known) {
                return Ok(Outcome::Refused(failed.port));
            }
            if state.seen.is_some_and(|seen| (seen.epoch, seen.number) > known) {
                return Err(TargetError::Raced { what: "where the switch leads".to_owned() });
            }
        }
        let container = engine.container(id).await.map_err(outside)?;
        if container.is_none_or(|container| container.stage != Stage::Running) {
            return Ok(Outcome::Dead(engine.last_words(id, 5).await.join("; ")));
        }
        sleep(LOOK).await;
    }
    Err(TargetError::Outside {
        what: "the switch".to_owned(),
        reason: "it does not say where it leads".to_owned(),
    })
}

fn file(order: &Order) -> NewFile {
    let path = format!("release/order-{}-{}", order.epoch, order.number);
    let bytes = serde_json::to_vec(order).expect("an order is plain data");
    NewFile { path, bytes, owner: NOBODY }
}

fn words(words: &[&str]) -> Vec<String> {
    words.iter().map(|word| (*word).to_owned()).collect()
}
