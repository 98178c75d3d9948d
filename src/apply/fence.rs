//! Stops a holder whose ship was taken over: asked before each effect on the outside, it looks at the ledger's head.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::Mutex;

use crate::ledger::state::State;
use crate::plan::digest::Digest;
use crate::world::store::error::StoreError;
use crate::world::store::{Store, Version};

/// How long a look at the head holds. A process that was stopped in between wakes with an old look: the monotonic clock
/// goes on meanwhile.
const FRESH: Duration = Duration::from_secs(1);

/// Why an effect may not be done.
#[derive(Debug, Clone, thiserror::Error)]
pub enum Fenced {
    #[error("this ship was taken over by somebody else")]
    TakenOver,
    /// Nobody can say whether it was.
    #[error("the ledger is out of reach: {words}")]
    Unreachable { words: String },
}

impl Fenced {
    /// Whether nothing of this ship is ours to do any more.
    pub fn is_final(&self) -> bool {
        matches!(self, Fenced::TakenOver)
    }
}

/// The lease of one ship, as seen by those who work under it.
pub struct Fence {
    store: Arc<dyn Store>,
    plan: Digest,
    epoch: u64,
    seen: Mutex<Seen>,
}

struct Seen {
    version: Option<Version>,
    at: Instant,
    taken_over: bool,
}

impl Fence {
    /// The fence of a lease that stands in the ledger at `version`.
    pub fn new(store: Arc<dyn Store>, plan: Digest, epoch: u64, version: Option<Version>) -> Fence {
        Fence {
            store,
            plan,
            epoch,
            seen: Mutex::new(Seen { version, at: Instant::now(), taken_over: false }),
        }
    }

    /// Takes note of a link of our own.
    pub async fn moved_to(&self, version: Option<Version>) {
        let mut seen = self.seen.lock().await;
        (seen.version, seen.at) = (version, Instant::now());
    }

    /// Whether the next effect may be done.
    ///
    /// # Errors
    /// Where the ship was taken over, or the ledger does not answer.
    pub async fn check(&self) -> Result<(), Fenced> {
        let mut seen = self.seen.lock().await;
        if seen.taken_over {
            return Err(Fenced::TakenOver);
        }
        if seen.at.elapsed() < FRESH {
            return Ok(());
        }
        let asked = Instant::now();
        let head = self.store.head().await.map_err(unreachable)?;
        if head == seen.version {
            seen.at = asked;
            return Ok(());
        }
        let link = self.store.read().await.map_err(unreachable)?;
        let state = link.as_ref().and_then(|link| State::read(link.files.get("state.json")?).ok());
        let ship = state.and_then(|state| state.in_flight.get(self.plan.as_str()).cloned());
        if ship.is_none_or(|ship| ship.epoch != self.epoch) {
            seen.taken_over = true;
            return Err(Fenced::TakenOver);
        }
        (seen.version, seen.at) = (link.map(|link| link.version), asked);
        Ok(())
    }
}

fn unreachable(error: StoreError) -> Fenced {
    match error {
        StoreError::Unreachable { words, .. } => Fenced::Unreachable { words },
        // A ledger that was rewound or replaced holds no lease of ours.
        other => Fenced::Unreachable { words: other.to_string() },
    }
}
