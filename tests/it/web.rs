//! HTTP by hand, as the tests' own servers need it: read a request, ask `git http-backend`.

use std::collections::BTreeMap;
use std::io::{BufRead, Read, Write};
use std::path::Path;
use std::process::{Command, Stdio};

/// A request: method, path and query as they came, headers by lowercase name, body.
#[derive(Debug, Clone, Default)]
pub struct Request {
    pub method: String,
    pub path: String,
    pub query: String,
    pub headers: BTreeMap<String, String>,
    pub body: Vec<u8>,
}

impl Request {
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", String::as_str)
    }
}

/// The next request of a connection; `None` where it ends before.
pub fn read(client: &mut impl BufRead) -> Option<Request> {
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

/// A whole answer on the wire: what `git http-backend` says about a request for a repository below `root`.
pub fn git_backend(root: &Path, user: &str, request: &Request) -> Option<Vec<u8>> {
    let output = run(root, user, request);
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
    Some([head.as_bytes(), body].concat())
}

/// What it says as a CGI program does (RFC 3875).
fn run(root: &Path, user: &str, request: &Request) -> Vec<u8> {
    let mut command = Command::new("git");
    command.arg("http-backend").env("GIT_CONFIG_GLOBAL", "/dev/null").env("GIT_CONFIG_NOSYSTEM", "1");
    command.env("GIT_PROJECT_ROOT", root).env("GIT_HTTP_EXPORT_ALL", "1").env("REMOTE_USER", user);
    command.env("REQUEST_METHOD", &request.method).env("PATH_INFO", &request.path);
    command.env("QUERY_STRING", &request.query).env("CONTENT_TYPE", request.header("content-type"));
    command.env("CONTENT_LENGTH", request.body.len().to_string());
    command.env("GIT_PROTOCOL", request.header("git-protocol"));
    command.env("HTTP_CONTENT_ENCODING", request.header("content-encoding"));
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
    let mut child = command.spawn().unwrap();
    let (mut stdin, body) = (child.stdin.take().unwrap(), request.body.clone());
    let writer = std::thread::spawn(move || stdin.write_all(&body).is_ok());
    let output = child.wait_with_output().unwrap();
    let _ = writer.join();
    output.stdout
}

fn line(client: &mut impl BufRead) -> Option<String> {
    let mut line = String::new();
    let count = client.read_line(&mut line).ok()?;
    (count > 0).then(|| line.trim_end().to_owned())
}
