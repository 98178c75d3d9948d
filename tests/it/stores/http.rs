//! A small HTTP server on loopback before `git http-backend`.

use std::io::{BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::web;

pub struct Http {
    pub port: u16,
    state: Arc<State>,
}

struct State {
    root: PathBuf,
    /// `user:password`, as Basic credentials name it.
    who: String,
    ended: AtomicBool,
    losing: AtomicBool,
}

impl Http {
    /// Serves the bare repositories of a folder to one user.
    pub fn serve(root: &Path, who: &str) -> Http {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let state = Arc::new(State {
            root: root.to_owned(),
            who: who.to_owned(),
            ended: AtomicBool::new(false),
            losing: AtomicBool::new(false),
        });
        let shared = Arc::clone(&state);
        std::thread::spawn(move || {
            for client in listener.incoming().flatten() {
                if shared.ended.load(Ordering::SeqCst) {
                    break;
                }
                let state = Arc::clone(&shared);
                std::thread::spawn(move || answer(&state, client));
            }
        });
        Http { port, state }
    }

    /// The next push happens, and nobody hears of it.
    pub fn lose_the_next_push(&self) {
        self.state.losing.store(true, Ordering::SeqCst);
    }
}

impl Drop for Http {
    fn drop(&mut self) {
        self.state.ended.store(true, Ordering::SeqCst);
        let _ = TcpStream::connect(("127.0.0.1", self.port));
    }
}

/// Answers one request and closes.
fn answer(state: &State, mut client: TcpStream) -> Option<()> {
    let request = web::read(&mut BufReader::new(client.try_clone().ok()?))?;
    if request.header("authorization") != format!("Basic {}", base64(state.who.as_bytes())) {
        let refusal = "HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Basic realm=\"hub\"\r\n\
                       Content-Length: 0\r\nConnection: close\r\n\r\n";
        return client.write_all(refusal.as_bytes()).ok();
    }
    let answer = web::git_backend(&state.root, "me", &request)?;
    let push = request.method == "POST" && request.path.ends_with("/git-receive-pack");
    if push && state.losing.swap(false, Ordering::SeqCst) {
        return None;
    }
    client.write_all(&answer).ok()
}

/// Base64 (RFC 4648, section 4).
fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for three in bytes.chunks(3) {
        let number = three.iter().fold(0_u32, |number, byte| number << 8 | u32::from(*byte))
            << (8 * (3 - three.len()));
        for at in 0..4 {
            let digit = DIGITS[(number >> (18 - 6 * at)) as usize & 63];
            text.push(if at > three.len() { '=' } else { char::from(digit) });
        }
    }
    text
}
