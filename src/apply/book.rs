//! The ledger, open for writing: each event is checked against the state, stored, then told.

use std::collections::BTreeMap;

use crate::apply::crash;
use crate::ledger::event::{Event, What};
use crate::ledger::state::{LedgerError, Ship, State};
use crate::plan::Plan;
use crate::plan::digest::Digest;
use crate::world::clock;
use crate::world::git::{Person, Repository};
use crate::world::git_error::GitError;
use crate::world::write::Stamp;

/// The ref that holds the ledger.
pub const LEDGER: &str = "refs/release/ledger";

/// Why the ledger can not be read or written.
#[derive(Debug, thiserror::Error)]
pub enum BookError {
    #[error("somebody else wrote to the ledger at the same time")]
    Lost,
    #[error(transparent)]
    Order(#[from] LedgerError),
    #[error("ledger file {file} is damaged: {source}")]
    Damaged {
        file: String,
        #[source]
        source: serde_json::Error,
    },
    #[error("`{LEDGER}` names commit {commit}, which is no ledger")]
    Foreign { commit: String },
    #[error("the ledger is out of reach")]
    Git(#[from] GitError),
}

/// The ledger of one repository.
pub struct Book<'r> {
    repository: &'r Repository,
    head: Option<String>,
    state: State,
    plans: BTreeMap<String, Vec<u8>>,
    who: Person,
}

impl<'r> Book<'r> {
    /// Opens the ledger as it stands; an absent one is empty.
    ///
    /// # Errors
    /// Where it can not be read.
    pub fn open(repository: &'r Repository, who: Person) -> Result<Book<'r>, BookError> {
        let (mut state, mut plans, mut at) = (State::default(), BTreeMap::new(), None);
        if let Some(head) = repository.ledger_head(LEDGER)? {
            if !head.files.contains_key("state.json") {
                return Err(BookError::Foreign { commit: head.commit });
            }
            at = Some(head.commit);
            for (name, bytes) in head.files {
                if name == "state.json" {
                    state = State::read(&bytes)?;
                } else if let Some(digest) =
                    name.strip_prefix("plan-").and_then(|rest| rest.strip_suffix(".json"))
                {
                    plans.insert(digest.to_owned(), bytes);
                }
            }
        }
        Ok(Book { repository, head: at, state, plans, who })
    }

    pub fn state(&self) -> &State {
        &self.state
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
    /// Where the plan does not serialise.
    pub fn keep_plan(&mut self, plan: &Plan) -> Result<(), BookError> {
        let hex = plan.digest.hex().to_owned();
        let bytes = serde_json::to_vec_pretty(plan)
            .map_err(|source| BookError::Damaged { file: format!("plan-{hex}.json"), source })?;
        self.plans.insert(hex, bytes);
        Ok(())
    }

    /// Writes one event.
    ///
    /// # Errors
    /// Where the event can not follow, somebody else was faster, or the ref can not be moved.
    pub fn write(&mut self, plan: &Digest, what: What) -> Result<Event, BookError> {
        let event = Event {
            number: self.state.events + 1,
            time: clock::now(),
            who: format!("{} <{}>", self.who.name, self.who.email),
            plan: plan.clone(),
            what,
        };
        let state = self.state.clone().with(&event)?;
        self.plans.retain(|hex, _| state.in_flight.contains_key(&format!("sha256:{hex}")));
        let files = self.files(&state, &event)?;
        let title = format!("{}: {}", event.number, title(&event.what));
        crash::point();
        let by = Stamp { who: self.who.clone(), time: event.time };
        let head = self.repository.append_ledger(LEDGER, self.head.as_deref(), &files, &title, &by).map_err(
            |error| match error {
                GitError::LostRace { .. } => BookError::Lost,
                other => BookError::Git(other),
            },
        )?;
        self.head = Some(head);
        self.state = state;
        crash::point();
        Ok(event)
    }

    fn files(&self, state: &State, event: &Event) -> Result<BTreeMap<String, Vec<u8>>, BookError> {
        let damaged = |file: &str| {
            let file = file.to_owned();
            move |source| BookError::Damaged { file, source }
        };
        let mut files = BTreeMap::new();
        files.insert(
            "state.json".to_owned(),
            serde_json::to_vec_pretty(state).map_err(damaged("state.json"))?,
        );
        files.insert(
            "event.json".to_owned(),
            serde_json::to_vec_pretty(event).map_err(damaged("event.json"))?,
        );
        for (hex, bytes) in &self.plans {
            files.insert(format!("plan-{hex}.json"), bytes.clone());
        }
        Ok(files)
    }
}

/// All events of a repository's ledger, oldest first.
///
/// # Errors
/// Where the ledger can not be read, an event is damaged, or they stand in an illegal order.
pub fn events(repository: &Repository) -> Result<Vec<Event>, BookError> {
    let mut events = Vec::new();
    for link in repository.ledger_history(LEDGER)? {
        let link = link?;
        let Some(bytes) = link.files.get("event.json") else {
            return Err(BookError::Foreign { commit: link.commit });
        };
        let event: Event = serde_json::from_slice(bytes)
            .map_err(|source| BookError::Damaged { file: "event.json".to_owned(), source })?;
        events.push(event);
    }
    events.sort_by_key(|event| event.number);
    State::replay(&events)?;
    Ok(events)
}

fn title(what: &What) -> String {
    match what {
        What::Begun { releases } => format!("begun, {} releases", releases.len()),
        What::Started { step } => format!("started {step}"),
        What::Succeeded { step, .. } => format!("succeeded {step}"),
        What::Failed { step, .. } => format!("failed {step}"),
        What::Finished => "finished".to_owned(),
        What::Abandoned { .. } => "abandoned".to_owned(),
        What::Closed { .. } => "closed".to_owned(),
        What::Leased { epoch, .. } => format!("leased, epoch {epoch}"),
        What::Unleased { epoch } => format!("unleased, epoch {epoch}"),
    }
}
