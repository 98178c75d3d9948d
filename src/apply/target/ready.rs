//! Waiting until a container is healthy, or is known never to be.

use std::time::Duration;

use tokio::time::{Instant, sleep};

use crate::apply::target::Answer;
use crate::apply::target::error::TargetError;
use crate::apply::target::image::outside;
use crate::plan::deployment::Placed;
use crate::world::engine::containers::{Container, Health, Stage};
use crate::world::engine::{Engine, EngineError};

/// How often it is looked at.
const LOOK: Duration = Duration::from_millis(100);
/// How long a container without a check must run without ending.
const STANDS: Duration = Duration::from_secs(3);
/// How often it may end and be started again before that counts as never getting up.
const RESTARTS: u64 = 3;
/// How many of its last lines are told.
const WORDS: usize = 15;

/// Starts a container.
///
/// # Errors
/// `Broken` where its program or its ports can not be had, `Outside` where the engine does not answer.
pub async fn start(engine: &Engine, wanted: &Placed, id: &str) -> Answer<()> {
    match engine.start(id).await {
        Ok(()) => Ok(()),
        Err(EngineError::Refused { said, .. }) => Err(broken(wanted, format!("it does not start: {said}"))),
        Err(error) => Err(outside(error)),
    }
}

/// Waits until a running container is healthy: by its check, else by running on for a few seconds.
///
/// # Errors
/// `Broken` with its last words where it is not in time, ends, or is started again and again.
pub async fn healthy(engine: &Engine, wanted: &Placed, id: &str, within: Duration) -> Answer<()> {
    let (began, mut stands) = (Instant::now(), Instant::now());
    let mut seen: Option<Container> = None;
    loop {
        let Some(now) = engine.container(id).await.map_err(outside)? else {
            return Err(broken(wanted, "its container was removed".to_owned()));
        };
        let first = seen.as_ref().map_or(now.restarts, |seen| seen.restarts);
        if seen.as_ref().is_some_and(|seen| seen.started != now.started) || now.stage != Stage::Running {
            stands = Instant::now();
        }
        if let Some(reason) = fault(&now, first) {
            return Err(with_words(engine, wanted, id, reason).await);
        }
        match now.health {
            Some(Health::Healthy) if now.stage == Stage::Running => return Ok(()),
            None if stands.elapsed() >= STANDS => return Ok(()),
            _ => {}
        }
        if began.elapsed() >= within {
            let reason = format!("it is not healthy within {} seconds{}", within.as_secs(), ended(&now));
            return Err(with_words(engine, wanted, id, reason).await);
        }
        // The count of restarts at the beginning, the start of the latest.
        seen = Some(Container { restarts: first, ..now });
        sleep(LOOK).await;
    }
}

/// Looks once whether a container that has the traffic is ill.
///
/// # Errors
/// `Broken` where it says so itself, or does not run.
pub async fn not_ill(engine: &Engine, wanted: &Placed, id: &str) -> Answer<()> {
    let now = engine.container(id).await.map_err(outside)?;
    let reason = match &now {
        None => Some("its container was removed".to_owned()),
        Some(now) if now.stage != Stage::Running => Some(format!("it does not stay{}", ended(now))),
        Some(now) => fault(now, now.restarts),
    };
    match reason {
        Some(reason) => Err(with_words(engine, wanted, id, reason).await),
        None => Ok(()),
    }
}

/// Why it will never be healthy; `None` where it still may.
fn fault(now: &Container, restarts: u64) -> Option<String> {
    if now.health == Some(Health::Unhealthy) {
        return Some("its health check fails".to_owned());
    }
    if now.restarts >= restarts + RESTARTS {
        return Some(format!("it was started again {} times{}", now.restarts - restarts, ended(now)));
    }
    match now.stage {
        Stage::Exited | Stage::Other => Some(format!("it does not stay{}", ended(now))),
        Stage::Created => Some(format!("it does not start: {}", now.error)),
        Stage::Running | Stage::Restarting => None,
    }
}

fn ended(now: &Container) -> String {
    let memory = if now.out_of_memory { ", out of memory" } else { "" };
    match now.stage {
        Stage::Running if now.restarts == 0 => memory.to_owned(),
        _ => format!(", exit code {}{memory}", now.exit_code),
    }
}

/// The release does not run, with the last that it wrote.
pub async fn with_words(engine: &Engine, wanted: &Placed, id: &str, reason: String) -> TargetError {
    let words = engine.last_words(id, WORDS).await;
    let told = if words.is_empty() { "it wrote nothing".to_owned() } else { words.join("\n") };
    broken(wanted, format!("{reason}; its last words:\n{told}"))
}

pub fn broken(wanted: &Placed, reason: String) -> TargetError {
    TargetError::Broken { package: wanted.package.clone(), version: wanted.version.clone(), reason }
}
