//! What becomes of a verb that is asked to stop: five seconds, then it ends as it stands.

use std::time::Duration;

use tokio::sync::watch;
use tokio::time::sleep;

use crate::cli::failure::{Failure, Kind};
use crate::cli::ledger;
use crate::world::interrupt;

/// How long a ship may take to put itself down, of the five seconds that it has.
const PUT_DOWN: Duration = Duration::from_millis(3_900);

/// How long the end waits for what could not be stopped: a thread that writes a file.
const LEAVE: Duration = Duration::from_millis(300);

/// Runs a verb that hears of signals. One that has not put itself down in time is left as a kill would leave it: in a push
/// without an answer, say.
///
/// # Errors
/// As the verb's; where nobody can listen for signals.
pub fn stoppable(
    verb: impl AsyncFnOnce(watch::Receiver<Option<&'static str>>) -> Result<u8, Failure>,
) -> Result<u8, Failure> {
    let runtime = ledger::runtime()?;
    let done = runtime.block_on(async {
        let mut interrupt = interrupt::listen().map_err(|error| Failure::new(Kind::Outside, error))?;
        let work = verb(interrupt.clone());
        let overdue = async {
            let signal = interrupt::heard(&mut interrupt).await;
            sleep(PUT_DOWN).await;
            signal
        };
        tokio::select! {
            done = work => done,
            signal = overdue => Err(stopped_by(signal)),
        }
    });
    runtime.shutdown_timeout(LEAVE);
    done
}

/// The failure of a verb that was stopped.
pub fn stopped_by(signal: &str) -> Failure {
    Failure::new(Kind::Outside, format!("stopped by {signal}"))
        .hint("the same command again goes on from here, on any machine once others know of it")
}
