//! A package index on loopback that takes its time over each upload, and remembers what it got.
//!
//! It speaks as much as uploading needs: the legacy upload API, a project's page (PEP 691), its files.

use std::collections::BTreeMap;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use release::world::sha256;
use serde_json::json;

/// The uploaded files by their names.
type Files = Arc<Mutex<BTreeMap<String, Vec<u8>>>>;

pub struct Index {
    address: SocketAddr,
    files: Files,
}

struct Request {
    method: String,
    path: String,
    headers: BTreeMap<String, String>,
}

impl Index {
    /// It answers an upload after this time, several at once.
    pub fn start(delay: Duration) -> io::Result<Index> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        let index = Index { address: listener.local_addr()?, files: Files::default() };
        let files = Arc::clone(&index.files);
        thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let files = Arc::clone(&files);
                // A client that goes away in between is none of the others' business.
                thread::spawn(move || serve(&stream, &files, delay).ok());
            }
        });
        Ok(index)
    }

    pub fn upload(&self) -> String {
        format!("http://{}/legacy/", self.address)
    }

    pub fn simple(&self) -> String {
        format!("http://{}/simple/", self.address)
    }

    /// Forgets what it has; answers the files' digests by their names.
    pub fn take(&self) -> BTreeMap<String, String> {
        let files = std::mem::take(&mut *self.files.lock().unwrap_or_else(PoisonError::into_inner));
        files.into_iter().map(|(name, bytes)| (name, sha256::of(&bytes))).collect()
    }
}

fn serve(stream: &TcpStream, files: &Files, delay: Duration) -> io::Result<()> {
    let mut reader = BufReader::new(stream);
    while let Some(request) = request(&mut reader)? {
        if request.headers.get("expect").is_some_and(|value| value.eq_ignore_ascii_case("100-continue")) {
            let mut stream = stream;
            stream.write_all(b"HTTP/1.1 100 Continue\r\n\r\n")?;
        }
        let body = body(&mut reader, &request)?;
        let lock = || files.lock().unwrap_or_else(PoisonError::into_inner);
        match (request.method.as_str(), request.path.trim_matches('/').split_once('/')) {
            ("POST", _) => match file(&request, &body) {
                Some((name, bytes)) => {
                    thread::sleep(delay);
                    lock().insert(name, bytes);
                    answer(stream, "200 OK", "text/plain", b"")?;
                }
                None => answer(stream, "400 Bad Request", "text/plain", b"no content")?,
            },
            ("GET", Some(("simple", project))) => {
                let page = page(project, &lock());
                match page {
                    Some(page) => {
                        answer(stream, "200 OK", "application/vnd.pypi.simple.v1+json", page.as_bytes())?;
                    }
                    None => answer(stream, "404 Not Found", "text/plain", b"")?,
                }
            }
            ("GET", Some(("files", name))) => {
                let bytes = lock().get(name).cloned();
                match bytes {
                    Some(bytes) => answer(stream, "200 OK", "application/octet-stream", &bytes)?,
                    None => answer(stream, "404 Not Found", "text/plain", b"")?,
                }
            }
            _ => answer(stream, "404 Not Found", "text/plain", b"")?,
        }
    }
    Ok(())
}

/// The next request of a connection, without its body; `None` at its end.
fn request(reader: &mut impl BufRead) -> io::Result<Option<Request>> {
    let mut first = String::new();
    if reader.read_line(&mut first)? == 0 {
        return Ok(None);
    }
    let mut words = first.split_whitespace().map(str::to_owned);
    let (method, path) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
    let mut headers = BTreeMap::new();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line)?;
        match line.trim().split_once(':') {
            Some((name, value)) => headers.insert(name.to_lowercase(), value.trim().to_owned()),
            None => break,
        };
    }
    Ok(Some(Request { method, path, headers }))
}

fn body(reader: &mut impl BufRead, request: &Request) -> io::Result<Vec<u8>> {
    let mut body = Vec::new();
    if let Some(length) = request.headers.get("content-length").and_then(|length| length.parse().ok()) {
        reader.take(length).read_to_end(&mut body)?;
    } else if request.headers.get("transfer-encoding").is_some_and(|coding| coding == "chunked") {
        loop {
            let mut line = String::new();
            reader.read_line(&mut line)?;
            let length = u64::from_str_radix(line.trim(), 16).map_err(io::Error::other)?;
            reader.take(length).read_to_end(&mut body)?;
            reader.read_line(&mut line)?;
            if length == 0 {
                break;
            }
        }
    }
    Ok(body)
}

/// The name and the bytes of the file in a form.
fn file(request: &Request, body: &[u8]) -> Option<(String, Vec<u8>)> {
    let (_, boundary) = request.headers.get("content-type")?.split_once("boundary=")?;
    let boundary = format!("\r\n--{}", boundary.trim_matches('"'));
    let name_at = find(body, b"filename=\"")? + b"filename=\"".len();
    let name_end = name_at + find(&body[name_at..], b"\"")?;
    let start = name_end + find(&body[name_end..], b"\r\n\r\n")? + 4;
    let end = start + find(&body[start..], boundary.as_bytes())?;
    Some((String::from_utf8_lossy(&body[name_at..name_end]).into_owned(), body[start..end].to_vec()))
}

fn find(within: &[u8], what: &[u8]) -> Option<usize> {
    within.windows(what.len()).position(|part| part == what)
}

fn page(project: &str, files: &BTreeMap<String, Vec<u8>>) -> Option<String> {
    let start = format!("{}-", project.replace('-', "_"));
    let row = |(name, bytes): (&String, &Vec<u8>)| {
        json!({
            "filename": name,
            "url": format!("/files/{name}"),
            "hashes": { "sha256": sha256::of(bytes) },
            "size": bytes.len(),
        })
    };
    let rows: Vec<_> = files.iter().filter(|(name, _)| name.starts_with(&start)).map(row).collect();
    let page = json!({ "meta": { "api-version": "1.1" }, "name": project, "files": rows });
    if rows.is_empty() { None } else { Some(page.to_string()) }
}

fn answer(mut stream: &TcpStream, status: &str, kind: &str, body: &[u8]) -> io::Result<()> {
    let length = body.len();
    let head = format!("HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {length}\r\n\r\n");
    stream.write_all(&[head.as_bytes(), body].concat())
}
