//! Takes back what a ship did before its claim, as far as it is this run's to take back.

use crate::apply::book::{Book, BookError};
use crate::apply::ship::Told;
use crate::apply::workshop::Workshop;
use crate::ledger::event::What;
use crate::plan::Plan;

/// Takes back all that a ship did before its claim, and says so in the ledger where it was said that it began.
///
/// # Errors
/// Where the ledger can not be written.
pub async fn take_back(
    book: &mut Book,
    plan: &Plan,
    workshop: &Workshop,
    reason: String,
    tell: &mut dyn FnMut(Told<'_>),
) -> Result<(), BookError> {
    let began = book.ship(&plan.digest).map(|ship| ship.began);
    if book.is_shared() && !book.is_seen(&plan.digest) {
        return forget(book, plan, workshop).await;
    }
    if let Some(began) = began {
        workshop.clear(&plan.digest, began);
    }
    let event = book.write(&plan.digest, What::Abandoned { reason }).await?;
    tell(Told::Event(&event));
    book.flush().await
}

/// Forgets a ship that no link tells of, or that is somebody else's by now. Where they carry out the same plan, the stash
/// and what is in it may be theirs too.
///
/// # Errors
/// Where the ledger can not be read.
pub async fn forget(book: &mut Book, plan: &Plan, workshop: &Workshop) -> Result<(), BookError> {
    let began = book.ship(&plan.digest).map(|ship| ship.began);
    book.forget_pending().await?;
    let theirs = book.ship(&plan.digest).map(|ship| ship.began);
    if let Some(began) = began.filter(|began| Some(*began) != theirs) {
        workshop.clear(&plan.digest, began);
    }
    Ok(())
}
