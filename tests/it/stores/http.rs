//! A small HTTP server on loopback before `git http-backend`.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

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

/// A request: method, path, query, headers by lowercase name, body.
struct Request {
    method: String,
    path: String,
    query: String,
    headers: BTreeMap<String, String>,
    body: Vec<u8>,
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
    let request = read(&mut BufReader::new(client.try_clone().ok()?))?;
    if request.headers.get("authorization") != Some(&format!("Basic {}", base64(state.who.as_bytes()))) {
        let refusal = "HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Basic realm=\"hub\"\r\n\
                       Content-Length: 0\r\nConnection: close\r\n\r\n";
        return client.write_all(refusal.as_bytes()).ok();
    }
    let output = run(state, &request);
    let push = request.method == "POST" && request.path.ends_with("/git-receive-pack");
    if push && state.losing.swap(false, Ordering::SeqCst) {
        return None;
    }
    let end = output.windows(4).position(|window| window == b"\r\n\r\n")?;
    let head = String::from_utf8_lossy(&output[..end]).into_owned();
    let (status, rest): (Vec<&str>, Vec<&str>) = head.lines().partition(|line| line.starts_with("Status: "));
    let status = status.first().map_or("200 OK", |line| &line["Status: ".len()..]);
    let body = &output[end + 4..];
    let head = format!(
        "HTTP/1.1 {status}\r\n{}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
        rest.join("\r\n"),
        body.len()
    );
    client.write_all(head.as_bytes()).ok()?;
    client.write_all(body).ok()
}

/// What `git http-backend` says, as a CGI program does (RFC 3875).
fn run(state: &State, request: &Request) -> Vec<u8> {
    let header = |name: &str| request.headers.get(name).cloned().unwrap_or_default();
    let mut command = Command::new("git");
    command.arg("http-backend").env("GIT_CONFIG_GLOBAL", "/dev/null").env("GIT_CONFIG_NOSYSTEM", "1");
    command.env("GIT_PROJECT_ROOT", &state.root).env("GIT_HTTP_EXPORT_ALL", "1").env("REMOTE_USER", "me");
    command.env("REQUEST_METHOD", &request.method).env("PATH_INFO", &request.path);
    command.env("QUERY_STRING", &request.query).env("CONTENT_TYPE", header("content-type"));
    command.env("CONTENT_LENGTH", request.body.len().to_string()).env("GIT_PROTOCOL", header("git-protocol"));
    command.env("HTTP_CONTENT_ENCODING", header("content-encoding"));
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
    let mut child = command.spawn().unwrap();
    let (mut stdin, body) = (child.stdin.take().unwrap(), request.body.clone());
    let writer = std::thread::spawn(move || stdin.write_all(&body).is_ok());
    let output = child.wait_with_output().unwrap();
    let _ = writer.join();
    output.stdout
}

fn read(client: &mut impl BufRead) -> Option<Request> {
    let first = line(client)?;
    let mut words = first.split(' ');
    let (method, target) = (words.next()?.to_owned(), words.next()?.to_owned());
    let mut headers = BTreeMap::new();
    loop {
        let line = line(client)?;
        let Some((name, value)) = line.split_once(':') else { break };
        headers.insert(name.to_lowercase(), value.trim().to_owned());
    }
    let mut body = Vec::new();
    if headers.get("transfer-encoding").is_some_and(|encoding| encoding == "chunked") {
        loop {
            let size = usize::from_str_radix(line(client)?.trim(), 16).ok()?;
            client.take(size as u64).read_to_end(&mut body).ok()?;
            line(client)?;
            if size == 0 {
                break;
            }
        }
    } else if let Some(length) = headers.get("content-length") {
        client.take(length.parse().ok()?).read_to_end(&mut body).ok()?;
    }
    let (path, query) = target.split_once('?').unwrap_or((&target, ""));
    Some(Request { method, path: path.to_owned(), query: query.to_owned(), headers, body })
}

fn line(client: &mut impl BufRead) -> Option<String> {
    let mut line = String::new();
    let count = client.read_line(&mut line).ok()?;
    (count > 0).then(|| line.trim_end().to_owned())
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
