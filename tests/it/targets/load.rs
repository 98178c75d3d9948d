//! Steady load on a web server: how many requests are lost, how long the slowest took.

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// Clients that ask without a pause, each over one connection or over a new one for each request.
pub struct Load {
    stop: Arc<AtomicBool>,
    clients: Vec<JoinHandle<Vec<Request>>>,
}

struct Request {
    at: Instant,
    took: Duration,
    /// The body; `None` where the request was lost.
    answer: Option<String>,
}

/// What became of the requests.
#[derive(Debug, Default)]
pub struct Told {
    pub lost: usize,
    pub slowest: Duration,
    /// How many each version answered.
    pub answered: BTreeMap<String, usize>,
    /// The longest time in which nothing was answered.
    pub gap: Duration,
    /// When each version answered first.
    pub first: BTreeMap<String, Instant>,
}

impl Load {
    pub fn start(port: u16, clients: usize, keep_alive: bool) -> Load {
        let stop = Arc::new(AtomicBool::new(false));
        let client = |_| {
            let stop = stop.clone();
            std::thread::spawn(move || ask(port, keep_alive, &stop))
        };
        let clients = (0..clients).map(client).collect();
        Load { stop, clients }
    }

    pub fn end(self) -> Told {
        self.stop.store(true, Ordering::Relaxed);
        let mut all: Vec<Request> =
            self.clients.into_iter().flat_map(|client| client.join().unwrap()).collect();
        all.sort_by_key(|request| request.at + request.took);
        let (mut told, mut last) = (Told::default(), None::<Instant>);
        for request in all {
            told.slowest = told.slowest.max(request.took);
            let Some(version) = request.answer else {
                told.lost += 1;
                continue;
            };
            let now = request.at + request.took;
            told.gap = told.gap.max(last.map_or(Duration::ZERO, |last| now.saturating_duration_since(last)));
            last = Some(now);
            told.first.entry(version.clone()).or_insert(now);
            *told.answered.entry(version).or_default() += 1;
        }
        told
    }
}

/// One request over a connection of its own; `None` where it is lost.
pub fn get(port: u16) -> Option<String> {
    exchange(&mut connect(port)?, false)
}

fn ask(port: u16, keep_alive: bool, stop: &AtomicBool) -> Vec<Request> {
    let (mut all, mut kept) = (Vec::new(), None);
    while !stop.load(Ordering::Relaxed) {
        let at = Instant::now();
        let mut stream = kept.take().or_else(|| connect(port));
        let answer = stream.as_mut().and_then(|stream| exchange(stream, keep_alive));
        kept = stream.filter(|_| keep_alive && answer.is_some());
        if answer.is_none() {
            // Not a busy loop where nobody listens.
            std::thread::sleep(Duration::from_millis(5));
        }
        all.push(Request { at, took: at.elapsed(), answer });
        std::thread::sleep(Duration::from_millis(2));
    }
    all
}

fn connect(port: u16) -> Option<TcpStream> {
    let stream = TcpStream::connect(("127.0.0.1", port)).ok()?;
    stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    stream.set_nodelay(true).unwrap();
    Some(stream)
}

fn exchange(stream: &mut TcpStream, keep_alive: bool) -> Option<String> {
    let connection = if keep_alive { "keep-alive" } else { "close" };
    let request = format!("GET / HTTP/1.1\r\nHost: a\r\nConnection: {connection}\r\n\r\n");
    stream.write_all(request.as_bytes()).ok()?;
    let (mut text, mut part) = (Vec::new(), [0; 4096]);
    loop {
        let read = stream.read(&mut part).ok()?;
        text.extend_from_slice(&part[..read]);
        let whole = String::from_utf8_lossy(&text).into_owned();
        if let Some((head, body)) = whole.split_once("\r\n\r\n") {
            let length = head
                .lines()
                .find_map(|line| line.to_lowercase().strip_prefix("content-length:")?.trim().parse().ok());
            if length.is_some_and(|length: usize| body.len() >= length) {
                return head.contains(" 200 ").then(|| body.to_owned());
            }
        }
        if read == 0 {
            return None;
        }
    }
}
