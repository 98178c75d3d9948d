//! Clean environments for trials: made before they are needed, and again as they were for the next trial.
//!
//! An empty environment is kept as a copy beside itself. The next one stands at the same path, so that uv, which
//! remembers interpreters by their paths, need not ask its Python again what it is.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use pep508_rs::MarkerEnvironment;
use tokio::task::JoinHandle;

use crate::apply::environment::{Environment, EnvironmentError, Installer};

/// An empty environment, and what decides requirements' markers in it.
#[derive(Debug)]
pub struct Room {
    pub environment: Environment,
    pub markers: MarkerEnvironment,
    /// What it was asked to allow of Pythons.
    requires_python: Option<String>,
}

/// A room that is being made, and what it was asked to allow of Pythons.
type Coming = (Option<String>, JoinHandle<Result<Room, EnvironmentError>>);

/// The rooms that nobody is in.
#[derive(Debug, Default)]
pub struct Rooms {
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    used: Vec<Room>,
    coming: Vec<Coming>,
    /// How many were prepared.
    prepared: usize,
}

impl Rooms {
    /// Begins to make a room for a trial to come, where fewer than `most` were prepared so far.
    pub fn prepare(
        &self,
        installer: Installer,
        requires_python: Option<&str>,
        timeout: Duration,
        most: usize,
    ) {
        let mut state = self.state();
        if state.prepared >= most {
            return;
        }
        state.prepared += 1;
        let wanted = requires_python.map(str::to_owned);
        let making = tokio::spawn(make_ahead(installer, wanted.clone(), timeout));
        state.coming.push((wanted, making));
    }

    /// An empty room with a Python that `requires_python` allows.
    ///
    /// # Errors
    /// Where none can be made.
    pub async fn take(
        &self,
        installer: &Installer,
        requires_python: Option<&str>,
        timeout: Duration,
    ) -> Result<Room, EnvironmentError> {
        if let Some(room) = self.used(requires_python)
            && let Some(room) = emptied(room).await
        {
            return Ok(room);
        }
        // What could not be made beforehand is tried again now, and tells why not.
        if let Some(coming) = self.coming(requires_python)
            && let Ok(Ok(room)) = coming.await
        {
            return Ok(room);
        }
        make(installer.clone(), requires_python.map(str::to_owned), timeout).await
    }

    /// Leaves a room to the next trial, whatever was done in it.
    pub fn give_back(&self, room: Room) {
        self.state().used.push(room);
    }

    fn used(&self, requires_python: Option<&str>) -> Option<Room> {
        let used = &mut self.state().used;
        let at = used.iter().position(|room| room.requires_python.as_deref() == requires_python)?;
        Some(used.swap_remove(at))
    }

    fn coming(&self, requires_python: Option<&str>) -> Option<JoinHandle<Result<Room, EnvironmentError>>> {
        let coming = &mut self.state().coming;
        let at = coming.iter().position(|(wanted, _)| wanted.as_deref() == requires_python)?;
        Some(coming.remove(at).1)
    }

    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn make(
    installer: Installer,
    requires_python: Option<String>,
    timeout: Duration,
) -> Result<Room, EnvironmentError> {
    let environment = Environment::make(installer, requires_python.as_deref(), timeout).await?;
    environment.keep_empty()?;
    let markers = environment.markers().await?;
    Ok(Room { environment, markers, requires_python })
}

/// The same, where there is time: the installer knows its Python afterwards.
async fn make_ahead(
    installer: Installer,
    requires_python: Option<String>,
    timeout: Duration,
) -> Result<Room, EnvironmentError> {
    let room = make(installer, requires_python, timeout).await?;
    // Nothing is installed, so that all fits together.
    room.environment.check().await?;
    Ok(room)
}

/// The same room as it was at first; none where that can not be had any more.
async fn emptied(room: Room) -> Option<Room> {
    let emptying = tokio::task::spawn_blocking(move || room.environment.empty().is_ok().then_some(room));
    emptying.await.ok().flatten()
}

#[cfg(test)]
#[path = "rooms_tests.rs"]
mod tests;
