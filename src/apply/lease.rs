//! Who has a ship in hand, and whether a holder lives: a lease is taken over on proof of death, never by a clock.

use std::ffi::OsString;

use crate::apply::book::{Book, BookError};
use crate::ledger::event::{Event, Holder, Process, Run, What};
use crate::plan::digest::Digest;
use crate::world::ci_run::{RunState, Variable, run_state};
use crate::world::holder::{
    Liveness, ProcessIdentity, RunIdentity, host, is_earlier_attempt, process_liveness, this_process,
    this_run,
};

/// This process and the CI run around it.
pub fn ourselves(variable: &dyn Fn(&str) -> Option<OsString>) -> Holder {
    Holder {
        host: host(),
        process: this_process().map(|process| Process {
            boot: process.boot,
            namespace: process.namespace,
            pid: process.pid,
            started: process.started,
        }),
        run: this_run(variable).map(|run| Run {
            api: run.api,
            repository: run.repository,
            id: run.id,
            attempt: run.attempt,
        }),
    }
}

/// The CI run around this process, whose jobs hold a ship together; `None` outside of one.
pub fn our_run(variable: &dyn Fn(&str) -> Option<OsString>) -> Option<Holder> {
    let ours = ourselves(variable);
    ours.run.is_some().then_some(Holder { process: None, ..ours })
}

/// Whether it is the same attempt of the same run that holds a ship: no process of it alone, but all of its jobs together.
pub fn is_same_run(holder: &Holder, ours: &Holder) -> bool {
    holder.process.is_none() && ours.process.is_none() && holder.run.is_some() && holder.run == ours.run
}

/// Whether a holder lives. Its process tells where it ran on this boot; its CI tells by the run's state.
/// `variable` reads the environment.
pub async fn liveness(holder: &Holder, variable: Variable<'_>) -> Liveness {
    let process = holder.process.as_ref().map_or(Liveness::Unknown, |process| {
        process_liveness(&ProcessIdentity {
            boot: process.boot.clone(),
            namespace: process.namespace.clone(),
            pid: process.pid,
            started: process.started,
        })
    });
    if process != Liveness::Unknown {
        return process;
    }
    let Some(run) = &holder.run else { return Liveness::Unknown };
    let run = RunIdentity {
        api: run.api.clone(),
        repository: run.repository.clone(),
        id: run.id.clone(),
        attempt: run.attempt,
    };
    if this_run(variable).is_some_and(|ours| is_earlier_attempt(&run, &ours)) {
        return Liveness::Dead;
    }
    match run_state(&run, variable).await {
        RunState::Over => Liveness::Dead,
        RunState::GoingOn => Liveness::Alive,
        RunState::Unknown => Liveness::Unknown,
    }
}

/// Takes a ship or a deployment in hand, under the next epoch.
///
/// # Errors
/// Where the ledger can not be written.
pub async fn take(book: &mut Book, plan: &Digest, holder: &Holder) -> Result<Event, BookError> {
    let epoch = book.state().next_epoch(plan);
    book.write(plan, What::Leased { epoch, holder: holder.clone() }).await
}

/// Takes a ship in hand together with the other jobs of our run: under the lease that one of them has taken, else under the
/// next epoch. Of many that begin at once one writes it.
///
/// # Errors
/// `Overtaken` where somebody else was faster; where the ledger can not be written.
pub async fn join(book: &mut Book, plan: &Digest, holder: &Holder) -> Result<Option<Event>, BookError> {
    let before = book.state().lease(plan).map(|(epoch, _)| epoch);
    loop {
        book.follow().await?;
        match book.state().lease(plan) {
            Some((epoch, Some(now))) if is_same_run(now, holder) => {
                book.hold(plan, epoch);
                return Ok(None);
            }
            Some((epoch, _)) if Some(epoch) == before => {}
            other => {
                let reason = match other {
                    Some((epoch, _)) => format!("epoch {epoch} of plan {} has begun", plan.short()),
                    None => format!("plan {} is over", plan.short()),
                };
                return Err(BookError::Overtaken { reason });
            }
        }
        let mark = book.mark();
        let event = take(book, plan, holder).await?;
        match book.flush().await {
            Ok(()) => return Ok(Some(event)),
            // Another job was first, or somebody else: the next look tells.
            Err(BookError::Overtaken { .. }) => book.back_to(mark)?,
            Err(error) => return Err(error),
        }
    }
}

/// Puts a ship or a deployment down that this epoch holds; nothing to do where it is over.
///
/// # Errors
/// Where the ledger can not be written.
pub async fn put_down(book: &mut Book, plan: &Digest) -> Result<Option<Event>, BookError> {
    let Some((epoch, Some(_))) = book.state().lease(plan) else { return Ok(None) };
    book.write(plan, What::Unleased { epoch }).await.map(Some)
}
