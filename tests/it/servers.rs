//! Real package indexes from PyPI, and the tools that read what was published: a private environment, made once.

use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use release::world::files::Lock;

use crate::world::Answer;

/// What the environment holds.
const PINNED: [&str; 6] = [
    "pypiserver[passlib]==2.4.2",
    "devpi-server==6.20.3",
    "twine==7.0.0",
    "keyring==25.7.0",
    "keyrings.alt==5.0.2",
    "setuptools<81",
];
/// How long a server may take to answer for the first time.
const STARTING: Duration = Duration::from_secs(120);

/// A server on loopback; it ends with the value.
pub struct Server {
    process: Child,
    pub address: SocketAddr,
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// The programs of the environment; `None` where it can not be made, having said so. CI must have it.
pub fn programs() -> Option<PathBuf> {
    let kept = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let folder = kept.join("index-servers");
    let _held = Lock::take(&kept.join("index-servers.lock")).unwrap();
    let ready = folder.join("ready");
    let wanted = PINNED.join("\n");
    if std::fs::read_to_string(&ready).is_ok_and(|made| made == wanted) {
        return Some(folder.join("bin"));
    }
    let _ = std::fs::remove_dir_all(&folder);
    let made = run(Command::new("python3").args(["-m", "venv"]).arg(&folder)).and_then(|()| {
        let pip = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check"];
        run(Command::new(folder.join("bin/python")).args(pip).args(PINNED))
    });
    match made {
        Ok(()) => {
            std::fs::write(ready, wanted).unwrap();
            Some(folder.join("bin"))
        }
        Err(said) => {
            assert!(std::env::var_os("CI").is_none(), "no package indexes to test with: {said}");
            let last = said.lines().last().unwrap_or_default();
            eprintln!(
                "skipped: no pypiserver and devpi-server; they need python3-venv and pip's index ({last})"
            );
            None
        }
    }
}

/// How a pypiserver is set up.
#[derive(Debug, Default, Clone, Copy)]
pub struct Setup<'s> {
    /// With it, uploads and reading need it (user `ada`).
    pub password: Option<&'s str>,
    /// Where it sends clients on to for projects that it does not have.
    pub fallback: Option<&'s str>,
}

/// pypiserver with an empty folder.
pub fn pypiserver(programs: &Path, folder: &Path, setup: Setup<'_>) -> Server {
    let packages = folder.join("packages");
    std::fs::create_dir_all(&packages).unwrap();
    serve(|port| {
        let mut command = Command::new(programs.join("pypi-server"));
        command.args(["run", "--interface", "127.0.0.1", "--port", port]);
        match setup.fallback {
            Some(fallback) => command.args(["--fallback-url", fallback]),
            None => command.arg("--disable-fallback"),
        };
        match setup.password {
            Some(password) => {
                let file = folder.join("htpasswd");
                std::fs::write(&file, htpasswd(programs, password)).unwrap();
                command.args(["--authenticate", "update,list,download", "--passwords"]).arg(file);
            }
            None => {
                command.args(["--authenticate", ".", "--passwords", "."]);
            }
        }
        command.arg(&packages);
        command
    })
}

/// devpi-server with the user `ada` and the indexes `ada/kept` and `ada/volatile`.
pub fn devpi(programs: &Path, folder: &Path, password: &str) -> Server {
    let state = folder.join("devpi");
    let mut init = Command::new(programs.join("devpi-init"));
    run(init.args(["--no-root-pypi", "--serverdir"]).arg(&state)).unwrap();
    let server = serve(|port| {
        let mut command = Command::new(programs.join("devpi-server"));
        command.args(["--host", "127.0.0.1", "--port", port, "--serverdir"]).arg(&state);
        command
    });
    let script = format!(
        "import base64, json, sys, urllib.request\n\
         base = 'http://{}/'\n\
         def ask(method, path, body, auth=None):\n\
         \x20   request = urllib.request.Request(base + path, json.dumps(body).encode(), method=method)\n\
         \x20   request.add_header('Content-Type', 'application/json')\n\
         \x20   request.add_header('Accept', 'application/json')\n\
         \x20   if auth: request.add_header('X-Devpi-Auth', base64.b64encode(auth.encode()).decode())\n\
         \x20   return json.load(urllib.request.urlopen(request))\n\
         password = sys.stdin.read()\n\
         ask('PUT', 'ada', {{'password': password, 'email': 'ada@example.org'}})\n\
         token = ask('POST', '+login', {{'user': 'ada', 'password': password}})['result']['password']\n\
         for name, volatile in (('kept', False), ('volatile', True)):\n\
         \x20   ask('PUT', 'ada/' + name, {{'type': 'stage', 'volatile': volatile, 'bases': []}}, 'ada:' + token)\n",
        server.address
    );
    feed(Command::new(programs.join("python")).args(["-c", &script]), password);
    server
}

/// Starts a server at a free port and waits until it answers.
fn serve(command: impl Fn(&str) -> Command) -> Server {
    let port = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap().port();
    let mut command = command(&port.to_string());
    command.env_remove("HTTP_PROXY").stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    let process = command.spawn().unwrap();
    let mut server = Server { process, address: SocketAddr::from((Ipv4Addr::LOCALHOST, port)) };
    let began = Instant::now();
    while TcpStream::connect(server.address).is_err() {
        assert!(server.process.try_wait().unwrap().is_none(), "the server ended: {command:?}");
        assert!(began.elapsed() < STARTING, "the server does not answer: {command:?}");
        std::thread::sleep(Duration::from_millis(50));
    }
    server
}

fn htpasswd(programs: &Path, password: &str) -> String {
    let script = "import sys; from passlib.hash import sha256_crypt; print('ada:' + sha256_crypt.hash(sys.stdin.read()))";
    feed(Command::new(programs.join("python")).args(["-W", "ignore", "-c", script]), password)
}

/// Runs a program that reads a secret; answers what it prints.
pub fn feed(command: &mut Command, input: &str) -> String {
    use std::io::Write;
    let mut child =
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    Answer::of(child.wait_with_output().unwrap()).well().out
}

fn run(command: &mut Command) -> Result<(), String> {
    let output = command.output().map_err(|error| error.to_string())?;
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    if output.status.success() { Ok(()) } else { Err(said) }
}
