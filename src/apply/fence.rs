//! Stops a holder whose ship was taken over: asked before each effect on the outside, it looks at the ledger's head.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use tokio::sync::Mutex;

use crate::apply::book::Book;
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
    /// Somebody ordered a stop.
    #[error("halted: {reason}")]
    Halted { reason: String },
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
    /// Environments and packages whose halts stop it too.
    guards: Vec<(Option<String>, String)>,
    seen: Arc<Mutex<Seen>>,
    /// Whether somebody is looking ahead.
    ahead: Arc<AtomicBool>,
}

struct Seen {
    version: Option<Version>,
    at: Instant,
    taken_over: bool,
    halted: Option<String>,
}

impl Fence {
    /// The fence of a lease that stands in the ledger as it was last read. What a halt of `guards` (environment and
    /// package) stops is stopped; none for what goes on all the same.
    pub fn new(book: &Book, plan: &Digest, epoch: u64, guards: Vec<(Option<String>, String)>) -> Fence {
        let halted = halted(book.state(), &guards);
        let seen = Seen { version: book.version().cloned(), at: Instant::now(), taken_over: false, halted };
        Fence {
            store: Arc::clone(book.store()),
            plan: plan.clone(),
            epoch,
            guards,
            seen: Arc::new(Mutex::new(seen)),
            ahead: Arc::default(),
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
    /// Where the ship was taken over or halted, or the ledger does not answer.
    pub async fn check(&self) -> Result<(), Fenced> {
        let mut seen = self.seen.lock().await;
        if seen.taken_over {
            return Err(Fenced::TakenOver);
        }
        let age = seen.at.elapsed();
        if age < FRESH {
            if age > FRESH / 2 {
                self.look_ahead(seen.version.clone());
            }
            return seen.may_go_on();
        }
        self.ask(&mut seen).await
    }

    /// Looks at the head while the last look still holds, so that the next effect need not wait for it. It only renews:
    /// a head that moved is for the next check.
    fn look_ahead(&self, version: Option<Version>) {
        if self.ahead.swap(true, Ordering::Relaxed) {
            return;
        }
        let (store, seen, ahead) = (Arc::clone(&self.store), Arc::clone(&self.seen), Arc::clone(&self.ahead));
        tokio::spawn(async move {
            let asked = Instant::now();
            let head = store.head().await;
            let mut seen = seen.lock().await;
            if seen.version == version && head.is_ok_and(|head| head == version) {
                seen.at = seen.at.max(asked);
            }
            ahead.store(false, Ordering::Relaxed);
        });
    }

    /// The same, asked anew: for effects that are few.
    ///
    /// # Errors
    /// As `check`.
    pub async fn look(&self) -> Result<(), Fenced> {
        let mut seen = self.seen.lock().await;
        if seen.taken_over {
            return Err(Fenced::TakenOver);
        }
        self.ask(&mut seen).await
    }

    async fn ask(&self, seen: &mut Seen) -> Result<(), Fenced> {
        let asked = Instant::now();
        let head = self.store.head().await.map_err(unreachable)?;
        if head == seen.version {
            seen.at = asked;
            return seen.may_go_on();
        }
        let link = self.store.read().await.map_err(unreachable)?;
        let state = link.as_ref().and_then(|link| State::read(link.files.get("state.json")?).ok());
        let state = state.unwrap_or_default();
        if state.lease(&self.plan).is_none_or(|(epoch, _)| epoch != self.epoch) {
            seen.taken_over = true;
            return Err(Fenced::TakenOver);
        }
        seen.halted = halted(&state, &self.guards);
        (seen.version, seen.at) = (link.map(|link| link.version), asked);
        seen.may_go_on()
    }
}

impl Seen {
    fn may_go_on(&self) -> Result<(), Fenced> {
        match &self.halted {
            Some(reason) => Err(Fenced::Halted { reason: reason.clone() }),
            None => Ok(()),
        }
    }
}

fn halted(state: &State, guards: &[(Option<String>, String)]) -> Option<String> {
    let halt =
        guards.iter().find_map(|(environment, package)| state.halted(environment.as_deref(), Some(package)));
    halt.map(|halt| halt.reason.clone())
}

fn unreachable(error: StoreError) -> Fenced {
    match error {
        StoreError::Unreachable { words, .. } => Fenced::Unreachable { words },
        // A ledger that was rewound or replaced holds no lease of ours.
        other => Fenced::Unreachable { words: other.to_string() },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ledger::event::{Holder, What};
    use crate::world::git::Person;
    use crate::world::store::git_ref::GitStore;
    use crate::world::testing::TestRepository;

    const OLD: Duration = Duration::from_millis(600);

    fn nobody() -> Holder {
        Holder { host: "nowhere".to_owned(), process: None, run: None }
    }

    async fn held(repository: &TestRepository, plan: &Digest) -> Book {
        let who = Person { name: "Ada".to_owned(), email: "ada@example.org".to_owned() };
        let store = Arc::new(GitStore::local(repository.open()));
        let mut book = Book::open(store, who, None).await.unwrap();
        book.write(plan, What::Begun { releases: [].into() }).await.unwrap();
        book.write(plan, What::Leased { epoch: 1, holder: nobody() }).await.unwrap();
        book
    }

    async fn looked_ahead(fence: &Fence) {
        let ended = async {
            while fence.ahead.load(Ordering::Relaxed) {
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(Duration::from_secs(60), ended).await.unwrap();
    }

    #[tokio::test]
    async fn a_look_ahead_renews_a_look_that_holds_and_nothing_else() {
        let (repository, plan) = (TestRepository::init(), Digest::of(b"plan"));
        let mut book = held(&repository, &plan).await;
        let fence = Fence::new(&book, &plan, 1, Vec::new());
        fence.check().await.unwrap();
        assert!(!fence.ahead.load(Ordering::Relaxed), "a young look is left alone");

        let old = Instant::now() - OLD;
        fence.seen.lock().await.at = old;
        fence.check().await.unwrap();
        looked_ahead(&fence).await;
        assert!(fence.seen.lock().await.at > old);

        book.write(&plan, What::Leased { epoch: 2, holder: nobody() }).await.unwrap();
        let old = Instant::now() - OLD;
        fence.seen.lock().await.at = old;
        fence.check().await.unwrap();
        looked_ahead(&fence).await;
        assert_eq!(fence.seen.lock().await.at, old, "a head that moved is for the next check");
        fence.seen.lock().await.at = Instant::now() - FRESH;
        assert!(matches!(fence.check().await, Err(Fenced::TakenOver)));
    }
}
