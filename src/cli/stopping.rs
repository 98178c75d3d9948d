//! What becomes of a verb that is asked to stop: five seconds, then it ends as it stands.

use std::time::Duration;

use tokio::sync::watch;
use tokio::time::sleep;

use crate::cli::failure::{Failure, Kind};

/// How long a ship may take to put itself down, of the five seconds that it has.
const PUT_DOWN: Duration = Duration::from_millis(3_900);

/// Waits for a signal, and then as long as a ship may take to put itself down. What it has not ended by then is left as
/// a kill would leave it: a push without an answer, say.
pub async fn overdue(mut interrupt: watch::Receiver<Option<&'static str>>) -> &'static str {
    loop {
        let heard = *interrupt.borrow_and_update();
        if let Some(signal) = heard {
            sleep(PUT_DOWN).await;
            return signal;
        }
        if interrupt.changed().await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}

/// The failure of a verb that was stopped.
pub fn stopped_by(signal: &str) -> Failure {
    Failure::new(Kind::Outside, format!("stopped by {signal}"))
        .hint("`release ship` again goes on from here, on any machine once the claim is made")
}
