//! The ledger, open for writing: each event is checked against the state, kept, then told.
//!
//! Where the ledger stands on this machine alone, every event is a link of its own. A shared one gets a link where
//! others must see it; until then the events stand in the journal.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use backon::{BackoffBuilder, ExponentialBuilder};
use tokio::time::sleep;

use crate::apply::crash;
use crate::apply::journal::{Journal, JournalError};
use crate::apply::link_words::message;
use crate::ledger::event::{Event, What};
use crate::ledger::state::{LedgerError, Ship, State};
use crate::plan::Plan;
use crate::plan::digest::Digest;
use crate::world::clock;
use crate::world::git::Person;
use crate::world::push::RefMove;
use crate::world::store::error::StoreError;
use crate::world::store::{Entry, Link, Store, Version};
use crate::world::write::Stamp;

/// The ref that holds the ledger.
pub const LEDGER: &str = "refs/release/ledger";
/// How often a link is put on top of what others were faster with.
const TRIES: usize = 20;
/// The longest wait before the next try, but for its random part.
const LONGEST_WAIT: Duration = Duration::from_secs(2);

/// Why the ledger can not be read or written.
#[derive(Debug, thiserror::Error)]
pub enum BookError {
    #[error("somebody else wrote to the ledger at the same time")]
    Lost,
    /// Somebody moved a ref that the claim was to move.
    #[error("somebody was faster: `{name}` is at {found}")]
    Outrun { name: String, found: String },
    #[error("somebody else has taken this over: {reason}")]
    Overtaken { reason: String },
    #[error(transparent)]
    Order(#[from] LedgerError),
    #[error("ledger file {file} is damaged: {source}")]
    Damaged {
        file: String,
        #[source]
        source: serde_json::Error,
    },
    #[error("`{store}` names link {link}, which is no ledger")]
    Foreign { store: String, link: String },
    #[error(transparent)]
    Journal(#[from] JournalError),
    #[error(transparent)]
    Store(StoreError),
}

impl From<StoreError> for BookError {
    fn from(error: StoreError) -> BookError {
        match error {
            StoreError::Lost { .. } => BookError::Lost,
            other => BookError::Store(other),
        }
    }
}

/// The ledger of one repository.
pub struct Book {
    store: Arc<dyn Store>,
    version: Option<Version>,
    /// What the links add up to, and the events that no link holds yet.
    state: State,
    pending: Vec<Event>,
    plans: BTreeMap<String, Vec<u8>>,
    who: Person,
    /// None where every event is a link.
    journal: Option<Journal>,
    /// The ship that we hold, as others see it, and the epoch.
    held: Option<(Digest, u64)>,
}

/// A place to go back to, among the events that nobody else has seen.
pub struct Mark {
    state: State,
    pending: usize,
}

impl Book {
    /// Opens a ledger as it stands; an absent one is empty. `journal` is the folder for events that a shared ledger
    /// does not hold yet.
    ///
    /// # Errors
    /// Where it can not be read.
    pub async fn open(
        store: Arc<dyn Store>,
        who: Person,
        journal: Option<PathBuf>,
    ) -> Result<Book, BookError> {
        let journal = journal.map(Journal::in_folder);
        let mut book = Book {
            store,
            version: None,
            state: State::default(),
            pending: Vec::new(),
            plans: BTreeMap::new(),
            who,
            journal,
            held: None,
        };
        book.read().await?;
        book.take_up_journal();
        Ok(book)
    }

    pub fn state(&self) -> &State {
        &self.state
    }

    pub fn store(&self) -> &Arc<dyn Store> {
        &self.store
    }

    pub fn version(&self) -> Option<&Version> {
        self.version.as_ref()
    }

    /// Who writes, as the ledger names persons.
    pub fn who(&self) -> String {
        format!("{} <{}>", self.who.name, self.who.email)
    }

    /// Whether others see it: its links are few, and somebody must be known to have a ship in hand.
    pub fn is_shared(&self) -> bool {
        self.journal.is_some()
    }

    /// The ship of a plan that is under way.
    pub fn ship(&self, plan: &Digest) -> Option<&Ship> {
        self.state.in_flight.get(plan.as_str())
    }

    /// The plan of a ship that is under way.
    ///
    /// # Errors
    /// Where the stored plan does not read back.
    pub fn plan(&self, digest: &str) -> Result<Option<Plan>, BookError> {
        let hex = digest.strip_prefix("sha256:").unwrap_or(digest);
        let Some(bytes) = self.plans.get(hex) else { return Ok(None) };
        serde_json::from_slice(bytes)
            .map(Some)
            .map_err(|source| BookError::Damaged { file: format!("plan-{hex}.json"), source })
    }

    /// Takes a plan into the ledger's keeping; the next event stores it.
    ///
    /// # Errors
    /// Where the plan does not serialise, or the journal can not be written.
    pub fn keep_plan(&mut self, plan: &Plan) -> Result<(), BookError> {
        let hex = plan.digest.hex().to_owned();
        let bytes = serde_json::to_vec_pretty(plan)
            .map_err(|source| BookError::Damaged { file: format!("plan-{hex}.json"), source })?;
        if let Some(journal) = &self.journal {
            journal.keep_plan(&hex, &bytes)?;
        }
        self.plans.insert(hex, bytes);
        Ok(())
    }

    /// Writes one event: a link of its own, or a line of the journal.
    ///
    /// # Errors
    /// Where the event can not follow, somebody else was faster, or it can not be kept.
    pub async fn write(&mut self, plan: &Digest, what: What) -> Result<Event, BookError> {
        let event = Event {
            number: self.state.events + 1,
            time: clock::now(),
            who: self.who(),
            plan: plan.clone(),
            what,
        };
        let state = self.state.clone().with(&event)?;
        if let Some(journal) = &mut self.journal {
            crash::point();
            if self.pending.is_empty() {
                journal.begin(self.version.as_ref().map(|version| version.0.as_str()), &[])?;
            }
            journal.add(&event)?;
        }
        self.pending.push(event.clone());
        let before = std::mem::replace(&mut self.state, state);
        if self.journal.is_some() {
            crash::point();
            return Ok(event);
        }
        let at = self.version.clone();
        if let Err(error) = self.flush().await {
            self.pending.clear();
            match self.version == at {
                true => self.state = before,
                // Others' links were followed meanwhile: what they add up to is read again.
                false => self.read().await?,
            }
            return Err(error);
        }
        Ok(event)
    }

    /// Gives others to see what was written since the last link. Where they were faster, it goes on top of theirs.
    ///
    /// # Errors
    /// `Overtaken` where what they wrote leaves no room for it.
    pub async fn flush(&mut self) -> Result<(), BookError> {
        self.flush_with(&[]).await
    }

    /// `flush`, and moves refs in the same atomic push: all of it or nothing.
    ///
    /// # Errors
    /// `Outrun` where a ref does not stand where it should; as `flush`.
    pub async fn flush_with(&mut self, moves: &[RefMove]) -> Result<(), BookError> {
        let mut waits = waits();
        for _ in 0..TRIES {
            if self.pending.is_empty() && moves.is_empty() {
                return Ok(());
            }
            crash::point();
            match self.append(moves).await {
                Ok(()) => {
                    crash::point();
                    return Ok(());
                }
                Err(BookError::Lost) => {
                    self.follow().await?;
                    // Where many write at once, each comes to its turn.
                    sleep(waits.next().unwrap_or(LONGEST_WAIT)).await;
                }
                Err(error) => return Err(error),
            }
        }
        Err(BookError::Lost)
    }

    /// Reads what others wrote, and puts our own events behind it.
    ///
    /// # Errors
    /// `Overtaken` where they can not follow: everything stays as it was, and nobody else has seen it.
    pub async fn follow(&mut self) -> Result<(), BookError> {
        let before = (self.version.clone(), self.state.clone(), self.plans.clone());
        let followed = self.try_follow().await;
        if followed.is_err() {
            (self.version, self.state, self.plans) = before;
        }
        followed
    }

    async fn try_follow(&mut self) -> Result<(), BookError> {
        let plans = self.plans.clone();
        self.read().await?;
        self.refuse_other_holder()?;
        for (hex, bytes) in plans {
            self.plans.entry(hex).or_insert(bytes);
        }
        let mut renumbered = Vec::new();
        let mut state = self.state.clone();
        // What two jobs of one run did, is done once.
        let is_done = |event: &Event| self.state.has_done(&event.plan, &event.what);
        for event in self.pending.iter().filter(|event| !is_done(event)) {
            let event = Event { number: state.events + 1, ..event.clone() };
            let overtaken = |error: LedgerError| BookError::Overtaken { reason: error.to_string() };
            state = state.with(&event).map_err(overtaken)?;
            renumbered.push(event);
        }
        (self.state, self.pending) = (state, renumbered);
        self.restart_journal()
    }

    /// Whether the end of a ship was written here, and others were never told.
    pub fn has_untold_end(&self) -> bool {
        let ends = |event: &Event| {
            matches!(
                event.what,
                What::Finished { .. } | What::Closed { .. } | What::Abandoned { .. } | What::Deployed { .. }
            )
        };
        self.journal.is_some() && self.pending.iter().any(ends)
    }

    /// Remembers how far the events are.
    pub fn mark(&self) -> Mark {
        Mark { state: self.state.clone(), pending: self.pending.len() }
    }

    /// Goes back to a mark, with no link written since.
    ///
    /// # Errors
    /// Where the journal can not be written.
    pub fn back_to(&mut self, mark: Mark) -> Result<(), BookError> {
        self.pending.truncate(mark.pending);
        self.state = mark.state;
        self.restart_journal()
    }

    /// Works under a lease that another job of our run has taken: where it ends, so do we.
    pub fn hold(&mut self, plan: &Digest, epoch: u64) {
        self.held = Some((plan.clone(), epoch));
    }

    /// Whether others know of a ship: a link holds its beginning.
    pub fn is_seen(&self, plan: &Digest) -> bool {
        let begins = |event: &Event| {
            event.plan == *plan && matches!(event.what, What::Begun { .. } | What::Deploying { .. })
        };
        self.state.lease(plan).is_some() && !self.pending.iter().any(begins)
    }

    /// Forgets events that nobody else has seen.
    ///
    /// # Errors
    /// Where the ledger or the journal can not be read or written.
    pub async fn forget_pending(&mut self) -> Result<(), BookError> {
        self.pending.clear();
        self.read().await?;
        self.restart_journal()
    }

    async fn read(&mut self) -> Result<(), BookError> {
        let Some(link) = self.store.read().await? else {
            (self.version, self.state) = (None, State::default());
            self.plans.clear();
            return Ok(());
        };
        let Some(state) = link.files.get("state.json") else {
            return Err(BookError::Foreign { store: self.store.name(), link: link.version.0 });
        };
        self.state = State::read(state)?;
        self.plans = plans_of(&link);
        self.version = Some(link.version);
        Ok(())
    }

    async fn append(&mut self, moves: &[RefMove]) -> Result<(), BookError> {
        let state = &self.state;
        self.plans.retain(|hex, _| state.in_flight.contains_key(&format!("sha256:{hex}")));
        let entry = self.entry()?;
        let version = match self.store.git() {
            Some(git) if !moves.is_empty() => {
                let pushed = git.push_with(self.version.as_ref(), &entry, moves).await;
                pushed.map_err(|error| outrun(error, moves))?
            }
            _ => self.store.append(self.version.as_ref(), &entry).await?,
        };
        self.version = Some(version);
        for event in std::mem::take(&mut self.pending) {
            match event.what {
                What::Leased { epoch, .. } => self.held = Some((event.plan, epoch)),
                What::Unleased { .. }
                | What::Finished { .. }
                | What::Closed { .. }
                | What::Deployed { .. } => {
                    self.held = None;
                }
                _ => {}
            }
        }
        self.restart_journal()
    }

    /// What we held by the ledger's last link must be ours still.
    fn refuse_other_holder(&self) -> Result<(), BookError> {
        let Some((plan, epoch)) = &self.held else { return Ok(()) };
        match self.state.lease(plan) {
            Some((now, _)) if now == *epoch => Ok(()),
            Some((now, _)) => {
                let reason = format!("epoch {now} of plan {} has begun", plan.short());
                Err(BookError::Overtaken { reason })
            }
            None => Err(BookError::Overtaken { reason: format!("plan {} is over", plan.short()) }),
        }
    }

    fn entry(&self) -> Result<Entry, BookError> {
        let damaged = |file: &str| {
            let file = file.to_owned();
            move |source| BookError::Damaged { file, source }
        };
        let mut files = BTreeMap::new();
        let state = serde_json::to_vec_pretty(&self.state).map_err(damaged("state.json"))?;
        files.insert("state.json".to_owned(), state);
        let events = serde_json::to_vec_pretty(&self.pending).map_err(damaged("events.json"))?;
        files.insert("events.json".to_owned(), events);
        for (hex, bytes) in &self.plans {
            files.insert(format!("plan-{hex}.json"), bytes.clone());
        }
        let time = self.pending.last().map_or_else(clock::now, |event| event.time);
        let by = Stamp { who: self.who.clone(), time };
        Ok(Entry { files, message: message(&self.pending), by })
    }

    /// What an earlier run here had written and nobody else has seen, where it still follows.
    fn take_up_journal(&mut self) {
        let Some(journal) = &self.journal else { return };
        let left = journal.left(self.version.as_ref().map(|version| version.0.as_str()));
        let mut state = self.state.clone();
        for event in &left.events {
            match state.with(event) {
                Ok(next) => state = next,
                Err(_) => return,
            }
        }
        if !left.events.is_empty() {
            self.state = state;
            self.pending = left.events;
            self.plans.extend(left.plans);
        }
    }

    fn restart_journal(&mut self) -> Result<(), BookError> {
        let Some(journal) = &mut self.journal else { return Ok(()) };
        journal.begin(self.version.as_ref().map(|version| version.0.as_str()), &self.pending)?;
        let plans = &self.plans;
        journal.forget_plans(&|hex| plans.contains_key(hex));
        Ok(())
    }
}

/// The waits between two tries to append, each with a random part.
fn waits() -> impl Iterator<Item = Duration> {
    let least = Duration::from_millis(5);
    ExponentialBuilder::new()
        .with_min_delay(least)
        .with_max_delay(LONGEST_WAIT)
        .with_max_times(TRIES)
        .with_jitter()
        .build()
}

/// All events of a ledger, oldest first.
///
/// # Errors
/// Where the ledger can not be read, an event is damaged, or they stand in an illegal order.
pub async fn events(store: &dyn Store) -> Result<Vec<Event>, BookError> {
    let mut events = Vec::new();
    for link in store.history().await? {
        events.extend(events_of(store, &link)?);
    }
    State::replay(&events)?;
    Ok(events)
}

/// The events of one link; the first format had one in each.
fn events_of(store: &dyn Store, link: &Link) -> Result<Vec<Event>, BookError> {
    let damaged = |file: &str| {
        let file = file.to_owned();
        move |source| BookError::Damaged { file, source }
    };
    if let Some(bytes) = link.files.get("events.json") {
        return serde_json::from_slice(bytes).map_err(damaged("events.json"));
    }
    match link.files.get("event.json") {
        Some(bytes) => Ok(vec![serde_json::from_slice(bytes).map_err(damaged("event.json"))?]),
        None => Err(BookError::Foreign { store: store.name(), link: link.version.0.clone() }),
    }
}

fn plans_of(link: &Link) -> BTreeMap<String, Vec<u8>> {
    let plan = |name: &str| Some(name.strip_prefix("plan-")?.strip_suffix(".json")?.to_owned());
    link.files.iter().filter_map(|(name, bytes)| Some((plan(name)?, bytes.clone()))).collect()
}

/// A lost race about one of the claim's own refs is another thing than one about the ledger.
fn outrun(error: StoreError, moves: &[RefMove]) -> BookError {
    match error {
        StoreError::Lost { name, found, .. } if moves.iter().any(|each| each.name == name) => {
            BookError::Outrun { name, found }
        }
        other => BookError::from(other),
    }
}
