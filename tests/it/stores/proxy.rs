//! A wire between a client and a server on loopback that can lose one answer.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

pub struct Proxy {
    pub port: u16,
    state: Arc<State>,
}

struct State {
    ended: AtomicBool,
    /// What the request holds whose answer is lost.
    marker: Mutex<Option<Vec<u8>>>,
}

impl Proxy {
    pub fn to(server: u16) -> Proxy {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let state = Arc::new(State { ended: AtomicBool::new(false), marker: Mutex::new(None) });
        let shared = Arc::clone(&state);
        std::thread::spawn(move || {
            for client in listener.incoming().flatten() {
                if shared.ended.load(Ordering::SeqCst) {
                    break;
                }
                if let Ok(server) = TcpStream::connect(("127.0.0.1", server)) {
                    join(&shared, client, server);
                }
            }
        });
        Proxy { port, state }
    }

    /// The next request that holds these bytes reaches the server, and its answer nobody.
    pub fn lose_the_answer_to(&self, marker: &[u8]) {
        *self.state.marker.lock().unwrap() = Some(marker.to_vec());
    }

    /// Whether that answer is still to be lost.
    pub fn is_armed(&self) -> bool {
        self.state.marker.lock().unwrap().is_some()
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.state.ended.store(true, Ordering::SeqCst);
        let _ = TcpStream::connect(("127.0.0.1", self.port));
    }
}

fn join(state: &Arc<State>, client: TcpStream, server: TcpStream) {
    let cut = Arc::new(AtomicBool::new(false));
    let (asks, answers) = (client.try_clone().unwrap(), server.try_clone().unwrap());
    let (state, cutting) = (Arc::clone(state), Arc::clone(&cut));
    std::thread::spawn(move || {
        carry(asks, server, |bytes| {
            let mut marker = state.marker.lock().unwrap();
            if marker.as_ref().is_some_and(|marker| holds(bytes, marker)) {
                *marker = None;
                cutting.store(true, Ordering::SeqCst);
            }
            true
        });
    });
    std::thread::spawn(move || carry(answers, client, |_| !cut.load(Ordering::SeqCst)));
}

/// Carries bytes until one side ends or `may_pass` says no; both sides end then.
fn carry(mut from: TcpStream, mut to: TcpStream, may_pass: impl Fn(&[u8]) -> bool) {
    let mut buffer = vec![0; 1 << 16];
    while let Ok(count) = from.read(&mut buffer) {
        if count == 0 || !may_pass(&buffer[..count]) || to.write_all(&buffer[..count]).is_err() {
            break;
        }
    }
    let _ = (from.shutdown(Shutdown::Both), to.shutdown(Shutdown::Both));
}

fn holds(bytes: &[u8], marker: &[u8]) -> bool {
    bytes.windows(marker.len()).any(|window| window == marker)
}
