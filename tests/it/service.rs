//! A small HTTP service of the tests' own on loopback: healthy, flapping, silent or lying, as a closure says.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

/// One request as it came.
#[derive(Debug, Clone, Default)]
pub struct Request {
    /// With its query.
    pub path: String,
    /// Names in lower case.
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Request {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }
}

/// What the service does about a request.
pub enum Reply {
    Answer(u16, String),
    /// With further header lines.
    With(u16, String, String),
    /// Nothing, while the connection stays open.
    Silence,
    /// The connection ends in the middle of the answer.
    Cut,
}

/// Runs until it is dropped.
pub struct Service {
    pub address: SocketAddr,
    pub requests: Arc<Mutex<Vec<Request>>>,
    stopped: Arc<AtomicBool>,
}

impl Service {
    /// A service that asks `answer` about each request; the number counts them from 0.
    pub fn start(answer: impl Fn(usize, &Request) -> Reply + Send + Sync + 'static) -> Service {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let requests: Arc<Mutex<Vec<Request>>> = Arc::default();
        let stopped = Arc::new(AtomicBool::new(false));
        let (answer, count) = (Arc::new(answer), Arc::new(AtomicUsize::new(0)));
        let (kept, end) = (Arc::clone(&requests), Arc::clone(&stopped));
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                if end.load(Ordering::SeqCst) {
                    break;
                }
                let (answer, count, kept) = (Arc::clone(&answer), Arc::clone(&count), Arc::clone(&kept));
                std::thread::spawn(move || {
                    let Ok(stream) = stream else { return };
                    let Some(request) = read(&stream) else { return };
                    let reply = answer(count.fetch_add(1, Ordering::SeqCst), &request);
                    kept.lock().unwrap().push(request);
                    write(stream, reply);
                });
            }
        });
        Service { address, requests, stopped }
    }

    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    pub fn count(&self) -> usize {
        self.requests.lock().unwrap().len()
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        self.stopped.store(true, Ordering::SeqCst);
        // The listener is woken to see that it should stop.
        let _ = TcpStream::connect(self.address);
    }
}

/// A port on which nobody listens.
pub fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

fn read(stream: &TcpStream) -> Option<Request> {
    let mut reader = BufReader::new(stream.try_clone().ok()?);
    let mut line = String::new();
    reader.read_line(&mut line).ok()?;
    let mut request = Request { path: line.split(' ').nth(1)?.to_owned(), ..Request::default() };
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).ok()?;
        let Some((name, value)) = line.trim().split_once(':') else { break };
        request.headers.push((name.to_lowercase(), value.trim().to_owned()));
    }
    let length = request.header("content-length").and_then(|length| length.parse().ok()).unwrap_or(0);
    request.body = vec![0; length];
    reader.read_exact(&mut request.body).ok()?;
    Some(request)
}

fn write(mut stream: TcpStream, reply: Reply) {
    let (status, more, body, length) = match reply {
        Reply::Answer(status, body) => (status, String::new(), body.clone(), body.len()),
        Reply::With(status, more, body) => (status, more, body.clone(), body.len()),
        Reply::Cut => (200, String::new(), "half".to_owned(), 1000),
        Reply::Silence => {
            // Until the other side gives up.
            let _ = stream.read(&mut [0; 1]);
            return;
        }
    };
    let head = format!("HTTP/1.1 {status} X\r\nContent-Length: {length}\r\nConnection: close\r\n{more}\r\n");
    let _ = stream.write_all(format!("{head}{body}").as_bytes());
}
