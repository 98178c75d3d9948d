//! Servers that tests start on loopback: they end with the test, also where it is killed.

use std::io::Read;
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// A server that ends when it is dropped, and when the test's process is gone.
pub struct Server {
    keeper: Child,
}

/// Starts the server, waits for the end of its own input and ends the server.
const KEEP: &str =
    r#"signal=$1; shift; "$@" & server=$!; cat >/dev/null; kill "-$signal" $server; wait $server"#;

impl Server {
    /// Starts a program; `signal` ends it, and all that it says goes to a file.
    pub fn start(program: &[&str], signal: &str, log: &Path) -> Server {
        let said = std::fs::File::create(log).unwrap();
        let mut command = Command::new("sh");
        command.args(["-c", KEEP, "sh", signal]).args(program).stdin(Stdio::piped());
        command.stdout(said.try_clone().unwrap()).stderr(said);
        Server { keeper: command.spawn().unwrap() }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.keeper.stdin.take());
        let _ = self.keeper.wait();
    }
}

/// A port of this machine that nobody listens on.
pub fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// Waits until a server is ready; panics with what it said where it never is.
pub fn wait_for(what: &str, log: &Path, ready: impl Fn() -> bool) {
    let begun = Instant::now();
    while !ready() {
        let said = std::fs::read_to_string(log).unwrap_or_default();
        assert!(begun.elapsed() < Duration::from_secs(90), "{what} did not start:\n{said}");
        std::thread::sleep(Duration::from_millis(50));
    }
}

pub fn listens(port: u16) -> bool {
    TcpStream::connect(("127.0.0.1", port)).is_ok()
}

/// One request of its own connection, with a signature nobody looks at; the status of the answer.
pub fn request(port: u16, method: &str, path: &str, body: &str) -> u16 {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
    let head = format!(
        "{method} {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nContent-Length: {}\r\n\
         Content-Type: application/octet-stream\r\nAuthorization: AWS a:b\r\nConnection: close\r\n\r\n",
        body.len()
    );
    std::io::Write::write_all(&mut stream, format!("{head}{body}").as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or_else(|| panic!("{answer}"))
}

/// Says that a test was skipped; a run of CI must have what it needs.
pub fn skip(why: &str) {
    assert!(std::env::var_os("CI").is_none(), "{why}");
    eprintln!("skipped: {why}");
}
