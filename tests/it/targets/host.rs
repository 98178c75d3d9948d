//! A Docker engine that can be killed, and whose containers reach each other; it ends with the test's process.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::stores::server::{Server, skip, wait_for};

/// Where the addresses of its networks come from.
const POOL: &str = "10.79.0.0/16";

/// Docker's engine with a folder of its own.
pub struct Host {
    /// `unix://…`.
    pub address: String,
    folder: PathBuf,
    arguments: Vec<String>,
    server: Option<Server>,
}

impl Host {
    /// Starts an engine; `None` where there is none to start, having said so.
    pub fn start(name: &str) -> Option<Host> {
        let is_root = Command::new("id").arg("-u").output().is_ok_and(|told| told.stdout == b"0\n");
        if !is_root || !is_there("dockerd") || !is_there("docker") {
            skip("no Docker engine of our own; it needs root and Debian's docker.io");
            return None;
        }
        let folder =
            Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("engine-{name}-{}", std::process::id()));
        sweep();
        std::fs::create_dir_all(&folder).unwrap();
        let socket = folder.join("docker.sock");
        let path = |name: &str| folder.join(name).to_str().unwrap().to_owned();
        // Other engines of this machine keep their own rules and bridges.
        let bridge = bridge();
        let_through();
        let arguments = [
            "dockerd",
            "--iptables=false",
            "--ip6tables=false",
            "--bridge",
            &bridge,
            "--default-address-pool",
            &format!("base={POOL},size=24"),
            "--data-root",
            &path("data"),
            "--exec-root",
            &path("exec"),
            "--pidfile",
            &path("pid"),
            "--shutdown-timeout",
            "1",
            "--host",
            &format!("unix://{}", socket.display()),
        ];
        let arguments = arguments.map(str::to_owned).to_vec();
        let address = format!("unix://{}", socket.display());
        let mut host = Host { address, folder, arguments, server: None };
        host.begin();
        Some(host)
    }

    /// Starts the engine, also after it was killed.
    pub fn begin(&mut self) {
        let log = self.folder.join("log");
        let words: Vec<&str> = self.arguments.iter().map(String::as_str).collect();
        self.server = Some(Server::start(&words, "TERM", &log));
        wait_for("dockerd", &log, || self.docker(&["version"]).is_ok());
    }

    /// Kills the engine itself with no chance to clear up; its containers run on.
    pub fn kill(&mut self) {
        for file in ["pid", "exec/containerd/containerd.pid"] {
            let file = self.folder.join(file);
            let pid = std::fs::read_to_string(&file).unwrap();
            let _ = Command::new("kill").args(["-9", pid.trim()]).stderr(Stdio::null()).status();
            std::fs::remove_file(file).unwrap();
        }
        self.server = None;
    }

    /// Runs the `docker` program; what it prints, or its complaint.
    pub fn docker(&self, arguments: &[&str]) -> Result<String, String> {
        self.docker_reading(arguments, &[])
    }

    pub fn docker_reading(&self, arguments: &[&str], input: &[u8]) -> Result<String, String> {
        let mut command = Command::new("docker");
        command.args(["--host", &self.address]).args(arguments).env_remove("DOCKER_HOST");
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let _ = std::io::Write::write_all(&mut child.stdin.take().unwrap(), input);
        let told = child.wait_with_output().unwrap();
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).trim().to_owned();
        if told.status.success() { Ok(text(&told.stdout)) } else { Err(text(&told.stderr)) }
    }

    /// The ids of running containers of a scope with a role.
    pub fn running(&self, scope: &str, role: &str) -> Vec<String> {
        let scope = format!("label=io.release.scope={scope}");
        let role = format!("label=io.release.role={role}");
        let told = self.docker(&["ps", "--no-trunc", "-q", "--filter", &scope, "--filter", &role]).unwrap();
        told.lines().map(str::to_owned).collect()
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        self.server = None;
        remove(&self.folder);
    }
}

/// Removes the folders of engines whose tests have ended.
fn sweep() {
    let kept = Path::new(env!("CARGO_TARGET_TMPDIR"));
    for entry in std::fs::read_dir(kept).unwrap().flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        let process = name.strip_prefix("engine-").and_then(|rest| rest.rsplit('-').next());
        if process.is_some_and(|process| !Path::new("/proc").join(process).exists()) {
            remove(&entry.path());
        }
    }
}

/// Removes an engine's folder, with what it left mounted when it was killed.
fn remove(folder: &Path) {
    let mounts = std::fs::read_to_string("/proc/mounts").unwrap_or_default();
    let points = mounts.lines().filter_map(|line| line.split(' ').nth(1));
    let below = points.filter(|point| Path::new(point).starts_with(folder));
    for point in below.collect::<Vec<&str>>().into_iter().rev() {
        let _ = Command::new("umount").args(["-l", point]).stderr(Stdio::null()).status();
    }
    let _ = std::fs::remove_dir_all(folder);
}

/// The bridge that containers without a network of their own are on.
fn bridge() -> String {
    let name = "release-test0";
    if !Path::new("/sys/class/net").join(name).exists() {
        for arguments in [
            vec!["link", "add", name, "type", "bridge"],
            vec!["address", "add", "10.78.0.1/24", "dev", name],
            vec!["link", "set", name, "up"],
        ] {
            let _ = Command::new("ip").args(arguments).stderr(Stdio::null()).status();
        }
    }
    name.to_owned()
}

/// Another engine's rules may drop what goes from one container to another; those of ours are let through.
fn let_through() {
    let rule = ["FORWARD", "-s", POOL, "-d", POOL, "-j", "ACCEPT"];
    let iptables = |how: &str| {
        let status = Command::new("iptables").arg(how).args(rule).stderr(Stdio::null()).status();
        status.is_ok_and(|status| status.success())
    };
    if !iptables("-C") {
        iptables("-I");
    }
}

fn is_there(program: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let mut folders: Vec<PathBuf> = std::env::split_paths(&path).collect();
    folders.push("/usr/sbin".into());
    folders.iter().any(|folder| folder.join(program).exists())
}

/// A registry that gives a manifest of its own, whichever is asked for; its port. It ends with the test's process.
pub fn liar() -> u16 {
    use std::io::{Read, Write};
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let _ = stream.read(&mut [0; 8192]);
            let kind = "application/vnd.docker.distribution.manifest.v2+json";
            let digest = format!("sha256:{}", "0".repeat(64));
            let body = format!(
                r#"{{"schemaVersion":2,"mediaType":"{kind}","config":{{"mediaType":"application/vnd.docker.container.image.v1+json","size":2,"digest":"{digest}"}},"layers":[]}}"#
            );
            let head = format!(
                "HTTP/1.1 200 OK\r\nContent-Type: {kind}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
                body.len()
            );
            let _ = stream.write_all(format!("{head}{body}").as_bytes());
        }
    });
    port
}
