//! Makes the claim on a remote and tells the ledger: in one push where both are git, before and after it elsewhere.

use crate::apply::book::{Book, BookError};
use crate::apply::claim::{self, Claim};
use crate::apply::crash;
use crate::apply::effect::{Evidence, StepError, write_release_again};
use crate::apply::workshop::Workshop;
use crate::ledger::event::{Event, What};
use crate::ledger::state::{Ship, StepState};
use crate::plan::Plan;
use crate::plan::digest::Digest;
use crate::world::push::push_refs;
use crate::world::remote_refs::remote_refs;
use crate::world::store::error::StoreError;

/// Where the branch of the claim stands on the remote.
///
/// # Errors
/// Where the remote can not be reached.
pub async fn branch_on_remote(plan: &Plan, workshop: &Workshop) -> Result<Option<String>, StoreError> {
    let remote = workshop.remote.as_deref().unwrap_or_default();
    let branch = format!("refs/heads/{}", claim::branch_of(plan));
    Ok(remote_refs(&workshop.repository, remote, &[&branch]).await?.remove(&branch))
}

/// Claims for a step that is written as started, where the branch stands as it was just looked at. The event that it
/// succeeded is in the ledger then.
///
/// # Errors
/// Where others were faster, the remote says no, or nobody knows; then the event is not written.
pub async fn claim(
    book: &mut Book,
    plan: &Plan,
    workshop: &Workshop,
    step: &str,
    branch: Result<Option<String>, StoreError>,
) -> Result<Event, Unclaimed> {
    let branch = branch.map_err(StepError::from)?;
    let remote = workshop.remote.as_deref().unwrap_or_default();
    let claim = Claim::of(plan, ship(book, plan))?;
    if !workshop.repository.has_object(&claim.commit) {
        write_release_again(plan, ship(book, plan), &workshop.repository)?;
    }
    claim.write_tags(&workshop.repository)?;
    let moves = claim.moves(&workshop.repository, remote, branch).await?;
    let evidence = claim::evidence(&claim.commit, &claim.branch);
    let succeeded = What::Succeeded { step: step.to_owned(), evidence };
    if book.store().git().is_some() {
        let mark = book.mark();
        let event = book.write(&plan.digest, succeeded).await?;
        if let Err(error) = book.flush_with(&moves).await {
            book.back_to(mark)?;
            return Err(unclaimed(error));
        }
        return Ok(event);
    }
    // The ledger hears of it first: of ships of the same packages only one gets so far.
    book.flush().await.map_err(unclaimed)?;
    crash::point();
    push_refs(&workshop.repository, remote, &moves).await.map_err(outrun)?;
    crash::point();
    let event = book.write(&plan.digest, succeeded).await?;
    book.flush().await?;
    Ok(event)
}

/// Looks whether a claim was made that the ledger only knows as begun: a kill came between the push and the word of it.
/// Where all tags on the remote are this ship's own, the ledger is told.
///
/// # Errors
/// Where the remote can not be reached or the ledger not be written.
pub async fn adopt(book: &mut Book, plan: &Plan, workshop: &Workshop) -> Result<(), Unclaimed> {
    let Some(remote) = &workshop.remote else { return Ok(()) };
    let Some(ship) = book.ship(&plan.digest) else { return Ok(()) };
    if !matches!(ship.steps.get("claim"), Some(StepState::Started | StepState::Failed { .. })) {
        return Ok(());
    }
    let claim = Claim::of(plan, ship)?;
    if claim.tags_on(&workshop.repository, remote).await? != *claim.tags() {
        return Ok(());
    }
    let evidence = claim::evidence(&claim.commit, &claim.branch);
    write_claimed(book, &plan.digest, evidence).await?;
    Ok(book.flush().await?)
}

/// Writes that a ship's claim is made, as it was found to be, also where the ledger never heard of its beginning.
///
/// # Errors
/// Where the ledger can not be written.
pub async fn write_claimed(book: &mut Book, plan: &Digest, evidence: Evidence) -> Result<(), BookError> {
    let step = "claim".to_owned();
    let begun = book.ship(plan).and_then(|ship| ship.steps.get(&step));
    if !matches!(begun, Some(StepState::Started)) {
        book.write(plan, What::Started { step: step.clone() }).await?;
    }
    book.write(plan, What::Succeeded { step, evidence }).await.map(|_| ())
}

fn ship<'b>(book: &'b Book, plan: &Plan) -> &'b Ship {
    book.ship(&plan.digest).expect("the ship was begun")
}

/// Why there is no claim: a step's own failure, or the ledger can not be written.
pub enum Unclaimed {
    Step(StepError),
    Book(BookError),
}

impl From<StepError> for Unclaimed {
    fn from(error: StepError) -> Unclaimed {
        Unclaimed::Step(error)
    }
}

impl From<BookError> for Unclaimed {
    fn from(error: BookError) -> Unclaimed {
        Unclaimed::Book(error)
    }
}

/// A ref that somebody moved is a lost race.
fn outrun(error: StoreError) -> StepError {
    match error {
        StoreError::Lost { name, found, .. } => StepError::Outrun { name, found },
        other => StepError::Remote(other),
    }
}

/// What the remote says to a claim is the step's failure; what this machine's disk says is the ledger's.
fn unclaimed(error: BookError) -> Unclaimed {
    match error {
        BookError::Store(error) => Unclaimed::Step(StepError::Remote(error)),
        BookError::Outrun { name, found } => Unclaimed::Step(StepError::Outrun { name, found }),
        BookError::Overtaken { reason } => Unclaimed::Step(StepError::Overtaken { reason }),
        BookError::Lost => {
            Unclaimed::Step(StepError::Overtaken { reason: "the ledger moves too fast".to_owned() })
        }
        other => Unclaimed::Book(other),
    }
}
