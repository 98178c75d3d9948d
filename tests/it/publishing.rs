//! A bench for publishing: an index, files to send, publishers that may or may not.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use release::apply::gate;
use release::apply::index::Published;
use release::apply::pace::Pace;
use release::apply::publish_error::PublishError;
use release::apply::publisher::{OneFile, Publisher, RemoteIndex};
use release::plan::digest::Digest;
use release::workspace::config::tables::Auth;
use release::world::variable::Env;
use serde_json::Value;
use tempfile::TempDir;

use crate::distributions::Distribution;
use crate::double::Double;

/// A token of the example's user `alice`.
pub const ALICE: &str = "pypi-user-alice";

pub struct Bench {
    pub double: Double,
    pub files: TempDir,
}

impl Bench {
    /// The double with the example's configuration, and a folder for files.
    pub fn new() -> Option<Bench> {
        Some(Bench { double: Double::example()?, files: tempfile::tempdir().unwrap() })
    }

    pub fn index(&self, auth: Auth) -> RemoteIndex {
        index(&self.double.upload(), Some(&self.double.simple()), auth)
    }

    /// A publisher with an API token.
    pub fn by_token(&self, token: &str) -> Publisher {
        publisher(self.index(Auth::Token), &[("RELEASE_TOKEN_TEST", token)])
    }

    /// A publisher with the identity of a GitHub runner.
    pub fn by_identity(&self, identity: &str) -> Publisher {
        let variables = self.double.runner(identity);
        let variables: Vec<(&str, &str)> =
            variables.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        publisher(self.index(Auth::Trusted), &variables)
    }

    pub fn wheel(&self, name: &str, version: &str) -> OneFile {
        self.keep(Distribution::new(name, version).wheel())
    }

    pub fn sdist(&self, name: &str, version: &str) -> OneFile {
        self.keep(Distribution::new(name, version).sdist())
    }

    /// A wheel of the same name with other bytes, in a folder of its own.
    pub fn other_wheel(&self, name: &str, version: &str) -> OneFile {
        let folder = self.files.path().join("other");
        std::fs::create_dir_all(&folder).unwrap();
        keep(&folder, Distribution::new(name, version).module("other = True\n").wheel())
    }

    pub fn keep(&self, file: (String, Vec<u8>)) -> OneFile {
        keep(self.files.path(), file)
    }

    /// The uploads that reached the double, each with its status or its fault.
    pub fn uploads(&self) -> Vec<Value> {
        self.double.requests("POST", "/legacy/")
    }

    pub fn mints(&self) -> usize {
        self.double.requests("POST", "/_/oidc/mint-token").len()
    }
}

pub fn index(upload: &str, simple: Option<&str>, auth: Auth) -> RemoteIndex {
    RemoteIndex {
        name: "test".to_owned(),
        upload: upload.to_owned(),
        simple: simple.map(str::to_owned),
        auth,
        attestations: false,
        insecure: false,
        visible_within: Duration::from_secs(20),
    }
}

pub fn publisher(index: RemoteIndex, variables: &[(&str, &str)]) -> Publisher {
    Publisher::new(index, environment(variables), Pace::quick()).unwrap()
}

pub fn environment(variables: &[(&str, &str)]) -> Env {
    let variables: BTreeMap<String, OsString> =
        variables.iter().map(|(name, value)| ((*name).to_owned(), OsString::from(value))).collect();
    Arc::new(move |name| variables.get(name).cloned())
}

pub fn keep(folder: &Path, (name, bytes): (String, Vec<u8>)) -> OneFile {
    let path = folder.join(name);
    std::fs::write(&path, &bytes).unwrap();
    OneFile::read(&path, Digest::of(&bytes)).unwrap()
}

pub async fn ensure(publisher: &Publisher, file: &OneFile) -> Result<Published, PublishError> {
    publisher.ensure(file, &gate::open(), &|_, _| {}).await
}

/// A server that gives these answers, one for each connection: a status with further headers, and a body.
pub fn answers(answers: Vec<(String, String)>) -> (std::net::SocketAddr, std::thread::JoinHandle<()>) {
    use std::io::{BufRead, BufReader, Read, Write};
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let thread = std::thread::spawn(move || {
        for (status, body) in answers {
            let (mut stream, _) = listener.accept().unwrap();
            let mut reader = BufReader::new(stream.try_clone().unwrap());
            let mut length = 0;
            loop {
                let mut line = String::new();
                reader.read_line(&mut line).unwrap();
                if line.trim().is_empty() {
                    break;
                }
                if let Some(value) = line.to_lowercase().strip_prefix("content-length:") {
                    length = value.trim().parse().unwrap();
                }
            }
            reader.read_exact(&mut vec![0; length]).unwrap();
            let head = format!(
                "HTTP/1.1 {status}\r\nContent-Type: application/json\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
                body.len()
            );
            stream.write_all(format!("{head}{body}").as_bytes()).unwrap();
        }
    });
    (address, thread)
}
