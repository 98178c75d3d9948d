//! Being asked to stop: SIGINT and SIGTERM. The first is told to whoever listens, the second ends the process at once.

use std::io;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio::sync::watch;

/// Whether a person is asked something: nothing is in hand then that could be put down.
static ASKING: AtomicBool = AtomicBool::new(false);

/// Asks a person; a signal meanwhile ends the process at once.
pub fn while_asking<T>(ask: impl FnOnce() -> T) -> T {
    ASKING.store(true, Ordering::SeqCst);
    let answer = ask();
    ASKING.store(false, Ordering::SeqCst);
    answer
}

/// Listens for signals from now on; must be called within a runtime. The value is the name of the first signal.
///
/// # Errors
/// Where the system lets nobody listen.
#[cfg(unix)]
pub fn listen() -> io::Result<watch::Receiver<Option<&'static str>>> {
    use tokio::signal::unix::{SignalKind, signal};

    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    let (sender, receiver) = watch::channel(None);
    tokio::spawn(async move {
        let mut asked = 0;
        loop {
            let name = tokio::select! {
                heard = interrupt.recv() => heard.map(|()| "SIGINT"),
                heard = terminate.recv() => heard.map(|()| "SIGTERM"),
            };
            asked += 1;
            if asked > 1 || ASKING.load(Ordering::SeqCst) {
                end_at_once();
            }
            // Nobody listening any more is no reason to stop listening for the second.
            let _ = sender.send(name);
        }
    });
    Ok(receiver)
}

/// The name of the signal, once one comes.
pub async fn heard(interrupt: &mut watch::Receiver<Option<&'static str>>) -> &'static str {
    loop {
        if let Some(signal) = *interrupt.borrow_and_update() {
            return signal;
        }
        if interrupt.changed().await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}

/// As a kill from outside would: nothing is tidied up, and nothing needs to be.
#[cfg(unix)]
pub fn end_at_once() {
    let _ = rustix::process::kill_process(rustix::process::getpid(), rustix::process::Signal::KILL);
}

/// Elsewhere the system's own way of ending a program holds.
#[cfg(not(unix))]
pub fn listen() -> io::Result<watch::Receiver<Option<&'static str>>> {
    let (sender, receiver) = watch::channel(None);
    // The channel must outlive its listeners.
    std::mem::forget(sender);
    Ok(receiver)
}
