//! A plain client of the double for its own tests.

use std::io::{Read, Write};
use std::net::TcpStream;

use serde_json::Value;

use crate::github::GitHub;

/// An answer as it came; `status` 0 where none came whole.
#[derive(Debug)]
pub struct Reply {
    pub status: u16,
    pub head: String,
    pub json: Value,
    pub bytes: Vec<u8>,
}

impl Reply {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().find_map(|line| {
            let (known, value) = line.split_once(": ")?;
            known.eq_ignore_ascii_case(name).then_some(value)
        })
    }

    #[track_caller]
    pub fn is(self, status: u16) -> Value {
        assert_eq!(self.status, status, "{}\n{}", self.head, self.json);
        self.json
    }
}

/// Asks the API for something below the repository.
pub fn ask(github: &GitHub, token: &str, method: &str, path: &str, body: &Value) -> Reply {
    let body = if body.is_null() { String::new() } else { body.to_string() };
    let at = format!("{}/repos/{}{path}", github.api(), github.slug());
    send(&at, token, method, "Accept: application/vnd.github+json", body.as_bytes())
}

pub fn get(github: &GitHub, token: &str, path: &str) -> Reply {
    ask(github, token, "GET", path, &Value::Null)
}

/// One request to a whole address, with one more header.
pub fn send(at: &str, token: &str, method: &str, header: &str, body: &[u8]) -> Reply {
    let (address, path) = at.strip_prefix("http://").unwrap().split_once('/').unwrap();
    let mut stream = TcpStream::connect(address).unwrap();
    let credentials =
        if token.is_empty() { String::new() } else { format!("Authorization: Bearer {token}\r\n") };
    let head = format!(
        "{method} /{path} HTTP/1.1\r\nHost: {address}\r\nUser-Agent: it\r\n{credentials}{header}\r\nContent-Length: {}\r\n\r\n",
        body.len()
    );
    stream.write_all(head.as_bytes()).unwrap();
    let _ = stream.write_all(body);
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer);
    read(&answer)
}

fn read(answer: &[u8]) -> Reply {
    let end = answer.windows(4).position(|four| four == b"\r\n\r\n");
    let Some(end) = end else {
        return Reply { status: 0, head: String::new(), json: Value::Null, bytes: Vec::new() };
    };
    let head = String::from_utf8_lossy(&answer[..end]).into_owned();
    let bytes = answer[end + 4..].to_vec();
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    let json = serde_json::from_slice(&bytes).unwrap_or(Value::Null);
    let mut reply = Reply { status, head, json, bytes };
    let whole = reply.header("content-length").is_none_or(|length| length == reply.bytes.len().to_string());
    reply.status = if whole { status } else { 0 };
    reply
}
