//! The double of a package index with trusted publishing (`../shared/pypi-double`): started on loopback, told what to do.
//!
//! Each test has one of its own. It ends with the value: its standard input is closed and it is waited for.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Mutex;

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::world::shared;

pub struct Double {
    process: Child,
    ready: Value,
    _folder: TempDir,
}

#[allow(dead_code, reason = "each test needs its own part of it")]
impl Double {
    /// A double with this configuration (`pypi-double/README.md`), or `None` where it is not at hand, having said so.
    pub fn start(config: &Value) -> Option<Double> {
        let program = shared("pypi-double")?;
        let folder = tempfile::Builder::new().prefix("release-double-").tempdir().unwrap();
        let (state, file) = (folder.path().join("state"), folder.path().join("config.json"));
        copy(&keys(&program), &state);
        std::fs::write(&file, config.to_string()).unwrap();
        let (process, ready) = spawn(&program, &["--state", text(&state), "--config", text(&file)]);
        Some(Double { process, ready, _folder: folder })
    }

    /// The example's configuration: publishers, identities and tokens for `tiny-uv`, `tiny-hatch` and `tiny-setup`.
    pub fn example() -> Option<Double> {
        let program = shared("pypi-double")?;
        let config = std::fs::read(program.join("config.example.json")).unwrap();
        Double::start(&serde_json::from_slice(&config).unwrap())
    }

    /// Where files are uploaded, over plain http on loopback.
    pub fn upload(&self) -> String {
        format!("{}/legacy/", self.ready("http"))
    }

    /// Where packages are listed, over plain http on loopback.
    pub fn simple(&self) -> String {
        format!("{}/simple/", self.ready("http"))
    }

    /// A field of the ready line: `http`, `https`, `proxy`, `upload` and `simple` (both https), `issuer`, `ca`.
    pub fn ready(&self, field: &str) -> &str {
        self.ready[field].as_str().unwrap()
    }

    /// The variables of a GitHub runner with this identity.
    pub fn runner(&self, identity: &str) -> Vec<(String, String)> {
        let mut variables = Vec::new();
        for (name, value) in self.ready["env"].as_object().unwrap() {
            let value = value.as_str().unwrap();
            variables.push((name.clone(), value.replace("runner-default", &format!("runner-{identity}"))));
        }
        variables
    }

    pub fn configure(&self, config: &Value) {
        self.control("POST", "config", config);
    }

    /// Orders a fault, or a list of them.
    pub fn fault(&self, fault: &Value) {
        self.control("POST", "faults", fault);
    }

    pub fn clear_faults(&self) {
        self.control("DELETE", "faults", &Value::Null);
    }

    /// The requests so far, in their order.
    pub fn log(&self) -> Vec<Value> {
        self.control("GET", "log", &Value::Null).as_array().unwrap().clone()
    }

    pub fn clear_log(&self) {
        self.control("DELETE", "log", &Value::Null);
    }

    /// The logged requests with this method and a path that starts so.
    pub fn requests(&self, method: &str, path: &str) -> Vec<Value> {
        let fits = |entry: &Value| {
            entry["method"] == method && entry["path"].as_str().is_some_and(|at| at.starts_with(path))
        };
        self.log().into_iter().filter(fits).collect()
    }

    /// Projects, releases and files.
    pub fn state(&self) -> Value {
        self.control("GET", "state", &Value::Null)
    }

    /// How many files are stored, shown or not.
    pub fn files(&self) -> usize {
        let state = self.state();
        let releases = state
            .as_object()
            .unwrap()
            .values()
            .flat_map(|project| project["releases"].as_object().unwrap().values());
        releases.map(|release| release["files"].as_array().unwrap().len()).sum()
    }

    /// The SHA-256 of a stored file.
    pub fn stored(&self, project: &str, filename: &str) -> Option<String> {
        let state = self.state();
        let releases = state[project]["releases"].as_object()?;
        let mut files = releases.values().flat_map(|release| release["files"].as_array().unwrap());
        let file = files.find(|file| file["filename"] == filename)?;
        Some(file["sha256"].as_str().unwrap().to_owned())
    }

    /// Moves the double's clock this many seconds from the real one.
    pub fn clock(&self, skew: i64) {
        self.control("POST", "clock", &json!({ "skew": skew }));
    }

    /// An ID token of an identity, by name or as a table.
    pub fn issue(&self, identity: &Value, audience: &str) -> String {
        let answer = self.control("POST", "issue", &json!({ "identity": identity, "audience": audience }));
        answer["token"].as_str().unwrap().to_owned()
    }

    pub fn yank(&self, project: &str, version: &str, reason: &str) {
        self.control("POST", "yank", &json!({ "project": project, "version": version, "yanked": reason }));
    }

    /// Deletes a release as its owner would; the names of its files stay used.
    pub fn delete(&self, project: &str, version: &str) {
        self.control("POST", "delete", &json!({ "project": project, "version": version }));
    }

    /// Makes a release older.
    pub fn age(&self, project: &str, version: &str, days: u32) {
        self.control("POST", "age", &json!({ "project": project, "version": version, "days": days }));
    }

    pub fn reset(&self) {
        self.control("POST", "reset", &Value::Null);
    }

    fn control(&self, method: &str, verb: &str, body: &Value) -> Value {
        let address = self.ready("http").strip_prefix("http://").unwrap();
        let body = if body.is_null() { String::new() } else { body.to_string() };
        let mut stream = TcpStream::connect(address).unwrap();
        write!(
            stream,
            "{method} /_double/{verb} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        )
        .unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        assert!(head.starts_with("HTTP/1.1 200"), "{method} {verb}: {answer}");
        serde_json::from_str(body).unwrap()
    }
}

impl Drop for Double {
    fn drop(&mut self) {
        end(&mut self.process);
    }
}

/// A folder with the double's keys, made once: making them takes longer than most tests.
fn keys(program: &Path) -> PathBuf {
    static MAKING: Mutex<()> = Mutex::new(());
    let _alone = MAKING.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("pypi-double-keys");
    if !folder.is_dir() {
        let making = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
        let (mut process, _) = spawn(program, &["--state", text(making.path())]);
        end(&mut process);
        // Another test process may have been faster; its keys are as good.
        if std::fs::rename(making.path(), &folder).is_ok() {
            let _ = making.keep();
        }
    }
    folder
}

fn spawn(program: &Path, options: &[&str]) -> (Child, Value) {
    let mut process = Command::new("python3")
        .arg("-B")
        .arg(program)
        .arg("--exit-with-stdin")
        .args(options)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut line = String::new();
    BufReader::new(process.stdout.take().unwrap()).read_line(&mut line).unwrap();
    let ready = serde_json::from_str(&line).unwrap_or_else(|error| panic!("the double: {error}: {line}"));
    (process, ready)
}

fn end(process: &mut Child) {
    drop(process.stdin.take());
    process.wait().unwrap();
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        std::fs::copy(entry.path(), to.join(entry.file_name())).unwrap();
    }
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

#[test]
fn the_double_starts_does_as_it_is_told_and_ends() {
    let Some(double) = Double::example() else { return };
    assert_eq!(double.state()["tiny-uv"]["owners"], json!(["alice"]));
    assert_eq!(double.stored("tiny-uv", "tiny_uv-1.0.tar.gz"), None);
    double.fault(&json!({ "kind": "status", "path": "/simple/*" }));
    double.clear_faults();
    double.clock(60);
    let token = double.issue(&json!("gitlab"), "pypi");
    assert_eq!(token.split('.').count(), 3);
    assert_eq!(double.log(), Vec::<Value>::new());
    double.clear_log();
    double.reset();
    assert!(double.runner("default").contains(&("GITHUB_ACTIONS".to_owned(), "true".to_owned())));
}
