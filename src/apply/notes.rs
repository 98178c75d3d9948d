//! What a step at work tells the engine: events of its own, kept before it goes on, and how many bytes are over.

use tokio::sync::{mpsc, oneshot};

use crate::apply::effect::StepError;
use crate::ledger::event::What;

/// A step's line to the engine.
#[derive(Debug, Clone)]
pub struct Notes(mpsc::Sender<Note>);

/// One thing told.
#[derive(Debug)]
pub enum Note {
    /// To be written into the ledger; the answer comes when it is.
    Keep { what: What, kept: oneshot::Sender<()> },
    /// A file on its way, in bytes.
    Bytes { step: String, sent: u64, total: u64 },
    /// For people.
    Remark { text: String },
}

impl Notes {
    /// A line and its other end.
    pub fn line() -> (Notes, mpsc::Receiver<Note>) {
        let (sender, receiver) = mpsc::channel(64);
        (Notes(sender), receiver)
    }

    /// Has an event kept; what comes after this is done after the event stands.
    ///
    /// # Errors
    /// `Unheard` where the ship is being stopped.
    pub async fn keep(&self, what: What) -> Result<(), StepError> {
        let (kept, is_kept) = oneshot::channel();
        self.0.send(Note::Keep { what, kept }).await.map_err(|_| StepError::Unheard)?;
        is_kept.await.map_err(|_| StepError::Unheard)
    }

    /// Tells people something; nobody waits for it, and it may go unheard.
    pub fn remark(&self, text: String) {
        let _ = self.0.try_send(Note::Remark { text });
    }

    /// Tells how far a file is; nobody waits for it, and it may go unheard.
    pub fn bytes(&self, step: &str, sent: u64, total: u64) {
        let _ = self.0.try_send(Note::Bytes { step: step.to_owned(), sent, total });
    }
}
