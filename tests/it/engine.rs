//! A container engine and image registries of the tests' own: started once, gone with the tests, also where they are
//! killed. Nothing of the machine's own engine is touched.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use tempfile::TempDir;

use crate::servers::feed;
use crate::stores::server::{Server, free_port, listens, skip, wait_for};
use crate::world::program;

/// An engine with a network bridge of its own; every test of a run shares it.
pub struct Engine {
    /// As `DOCKER_HOST` has it.
    pub host: String,
    _server: Server,
}

/// Starts an engine on a bridge of its own; when its keeper is told to end it takes all of it away again.
const RUN: &str = r#"
folder=$1 bridge=$2 address=$3 dockerd=$4
ip link add "$bridge" type bridge && ip address add "$address" dev "$bridge" && ip link set "$bridge" up || exit 1
trap : TERM INT
"$dockerd" --data-root "$folder/data" --exec-root "$folder/run" --pidfile "$folder/pid" --host "unix://$folder/socket" \
  --bridge "$bridge" --iptables=false --ip6tables=false --ip-masq=false --storage-driver overlay2 &
engine=$!
wait $engine
kill -TERM $engine 2>/dev/null
wait $engine
ip link delete "$bridge"
grep -o " $folder/[^ ]*" /proc/mounts | sort -r | xargs -r umount -l
rm -rf "$folder"
"#;

/// The engine; `None` where there is none to start, having said so. A run of CI must have one.
pub fn engine() -> Option<&'static Engine> {
    static ENGINE: OnceLock<Option<Engine>> = OnceLock::new();
    ENGINE.get_or_init(Engine::start).as_ref()
}

impl Engine {
    fn start() -> Option<Engine> {
        let dockerd = program("dockerd").or_else(|| found("/usr/sbin/dockerd"));
        let root = Command::new("id").arg("-u").output().is_ok_and(|output| output.stdout == b"0\n");
        let (Some(dockerd), true, Some(_)) = (dockerd, root, program("ip").or_else(|| found("/usr/sbin/ip")))
        else {
            skip("no container engine; `apt-get install docker.io iproute2`, as root, brings it");
            return None;
        };
        let folder = tempfile::Builder::new().prefix("rel-engine-").tempdir_in("/tmp").unwrap().keep();
        let id = std::process::id();
        let (bridge, address) =
            (format!("rel{id}"), format!("10.{}.{}.1/24", 130 + (id >> 8) % 100, id % 256));
        let log = folder.with_extension("log");
        let words = ["sh", "-c", RUN, "sh", text(&folder), &bridge, &address, text(&dockerd)];
        let server = Server::start(&words, "TERM", &log);
        let host = format!("unix://{}/socket", folder.display());
        let socket = folder.join("socket");
        wait_for("the container engine", &log, || std::os::unix::net::UnixStream::connect(&socket).is_ok());
        let _ = std::fs::remove_file(&log);
        Some(Engine { host, _server: server })
    }

    /// A client of it.
    pub async fn connect(&self) -> release::world::engine::Engine {
        release::world::engine::Engine::connect(Some(&self.host), None, &|_| None).await.unwrap()
    }
}

/// Debian's image registry on loopback.
pub struct Registry {
    folder: TempDir,
    pub port: u16,
    locked: bool,
    server: Option<Server>,
}

/// The user that a locked registry knows, and the password.
pub const USER: &str = "ada";
pub const PASSWORD: &str = "hunter2-hunter2";

impl Registry {
    /// A registry that everybody may use.
    pub fn open() -> Option<Registry> {
        Registry::start(false)
    }

    /// A registry that asks for user and password.
    pub fn locked() -> Option<Registry> {
        Registry::start(true)
    }

    fn start(locked: bool) -> Option<Registry> {
        let mut registry = Registry::stopped(locked)?;
        registry.up();
        Some(registry)
    }

    /// A registry that does not run yet; `None` where there is none, having said so.
    pub fn stopped(locked: bool) -> Option<Registry> {
        if program("docker-registry").is_none() || (locked && program("htpasswd").is_none()) {
            skip("no image registry; `apt-get install docker-registry apache2-utils` brings it");
            return None;
        }
        let folder = tempfile::Builder::new().prefix("release-registry-").tempdir().unwrap();
        let port = free_port();
        let mut config = format!(
            "version: 0.1\nlog: {{level: warn}}\nhttp: {{addr: \"127.0.0.1:{port}\"}}\nstorage:\n  filesystem: \
             {{rootdirectory: {}}}\n",
            folder.path().join("data").display()
        );
        if locked {
            let file = folder.path().join("htpasswd");
            std::fs::write(&file, feed(Command::new("htpasswd").args(["-niB", USER]), PASSWORD)).unwrap();
            config.push_str(&format!("auth:\n  htpasswd: {{realm: tests, path: {}}}\n", file.display()));
        }
        std::fs::write(folder.path().join("config.yml"), config).unwrap();
        Some(Registry { folder, port, locked, server: None })
    }

    /// Starts it, with what it had when it was ended.
    pub fn up(&mut self) {
        let (config, log) = (self.folder.path().join("config.yml"), self.folder.path().join("log"));
        self.server = Some(Server::start(&["docker-registry", "serve", text(&config)], "TERM", &log));
        wait_for("the image registry", &log, || listens(self.port));
    }

    /// Ends it.
    pub fn down(&mut self) {
        self.server = None;
    }

    /// A repository in it, as a configuration names it.
    pub fn repository(&self, name: &str) -> String {
        format!("127.0.0.1:{}/{name}", self.port)
    }

    /// Docker's configuration with a password for this registry, in a folder.
    pub fn login(&self, password: &str) -> TempDir {
        use base64::Engine as _;
        let folder = tempfile::tempdir().unwrap();
        let auth = base64::engine::general_purpose::STANDARD.encode(format!("{USER}:{password}"));
        let config = serde_json::json!({"auths": {format!("127.0.0.1:{}", self.port): {"auth": auth}}});
        std::fs::write(folder.path().join("config.json"), config.to_string()).unwrap();
        folder
    }

    /// A client of one of its repositories, that may do all.
    pub fn client(&self, name: &str) -> release::world::registry::Registry {
        let login = self.locked.then(|| self.login(PASSWORD).keep());
        let variable = move |name: &str| {
            let folder = login.as_ref().filter(|_| name == "DOCKER_CONFIG");
            folder.map(|folder| folder.clone().into_os_string())
        };
        let limits = release::apply::pace::Pace::quick().limits;
        let variable = std::sync::Arc::new(variable);
        release::world::registry::Registry::open(&self.repository(name), limits, variable).unwrap()
    }

    /// A blob of one of its repositories, from its own disk.
    pub fn blob(&self, digest: &str) -> Vec<u8> {
        std::fs::read(self.blob_file(digest)).unwrap()
    }

    /// Where its disk has a blob.
    pub fn blob_file(&self, digest: &str) -> PathBuf {
        let hex = digest.strip_prefix("sha256:").unwrap();
        let below = format!("data/docker/registry/v2/blobs/sha256/{}/{hex}/data", &hex[..2]);
        self.folder.path().join(below)
    }

    /// Where its disk says that a repository has a manifest: without this file it is deleted.
    pub fn link_file(&self, name: &str, digest: &str) -> PathBuf {
        let hex = digest.strip_prefix("sha256:").unwrap();
        let below =
            format!("data/docker/registry/v2/repositories/{name}/_manifests/revisions/sha256/{hex}/link");
        self.folder.path().join(below)
    }
}

fn found(path: &str) -> Option<PathBuf> {
    Some(PathBuf::from(path)).filter(|path| path.is_file())
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}
