//! A chain kept in a table of PostgreSQL, from Debian.

use std::ffi::OsString;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use release::world::git::Repository;
use release::world::store::error::StoreError;
use release::world::store::open::{Place as Kept, open};
use release::world::store::{Link, Store};
use tempfile::TempDir;

use super::proxy::Proxy;
use super::server::{Server, free_port, skip, wait_for};
use super::{Place, SECRET, conform, entry};

pub struct Postgres {
    folder: TempDir,
    machines: AtomicUsize,
    programs: PathBuf,
    port: u16,
    proxy: Proxy,
    _server: Server,
}

impl Postgres {
    /// `None` where it is not installed, having said so.
    pub fn start() -> Option<Postgres> {
        let Some(programs) = programs() else {
            skip("no PostgreSQL; `apt-get install postgresql` brings it");
            return None;
        };
        // The user `postgres` may not get to a temporary folder of root's own.
        let parent = if is_root() { PathBuf::from("/tmp") } else { std::env::temp_dir() };
        let folder = tempfile::Builder::new().prefix("release-postgres-").tempdir_in(parent).unwrap();
        let own = folder.path().join("own");
        std::fs::create_dir(&own).unwrap();
        std::fs::write(own.join("password"), SECRET).unwrap();
        certify(&own);
        std::fs::set_permissions(folder.path(), std::fs::Permissions::from_mode(0o755)).unwrap();
        if is_root() {
            assert!(Command::new("chown").args(["-R", "postgres"]).arg(&own).status().unwrap().success());
        }
        let path = |name: &str| own.join(name).to_str().unwrap().to_owned();
        let (data, log, port) = (path("data"), folder.path().join("log"), free_port());
        let program = |name: &str| programs.join(name).to_str().unwrap().to_owned();
        let mut words = as_postgres();
        words.extend([program("initdb"), "--no-sync".into(), "-A".into(), "scram-sha-256".into()]);
        words.extend(["-U".into(), "ada".into(), format!("--pwfile={}", path("password")), "-D".into()]);
        let made = Command::new(&words[0]).args(&words[1..]).arg(&data).current_dir("/").output().unwrap();
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        let mut words = as_postgres();
        words.extend([program("postgres"), "-D".into(), data, "-p".into(), port.to_string(), "-k".into()]);
        words.push(own.to_str().unwrap().to_owned());
        let settings = ["listen_addresses=127.0.0.1", "fsync=off", "ssl=on"].map(str::to_owned);
        let files = ["cert", "key"].map(|name| format!("ssl_{name}_file={}", path(name)));
        words.extend(settings.into_iter().chain(files).flat_map(|setting| ["-c".to_owned(), setting]));
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        let server = Server::start(&words, "QUIT", &log);
        let (ready, number) = (programs.join("pg_isready"), port.to_string());
        wait_for("PostgreSQL", &log, || {
            let words = ["-q", "-h", "127.0.0.1", "-p", &number];
            Command::new(&ready).args(words).status().is_ok_and(|status| status.success())
        });
        let (machines, proxy) = (AtomicUsize::new(0), Proxy::to(port));
        Some(Postgres { folder, machines, programs, port, proxy, _server: server })
    }

    /// How a repository names it, and the variables that it asks for.
    pub fn ledger(&self) -> (String, Vec<(String, String)>) {
        let place = format!("[ledger]\nstore = \"postgres://ada@127.0.0.1:{}/postgres\"\n", self.port);
        (place, vec![("RELEASE_LEDGER_PASSWORD".to_owned(), SECRET.to_owned())])
    }

    fn open(&self, url: &str, password: &'static str) -> Result<Arc<dyn Store>, StoreError> {
        let number = self.machines.fetch_add(1, Ordering::SeqCst);
        let folder = self.folder.path().join(format!("machine-{number}"));
        assert!(Command::new("git").args(["init", "-q"]).arg(&folder).status().unwrap().success());
        let place = Kept::Postgres { url: url.to_owned() };
        let variables =
            move |name: &str| (name == "RELEASE_LEDGER_PASSWORD").then(|| OsString::from(password));
        open(&place, &Repository::open(&folder).unwrap(), &variables)
    }

    fn sql(&self, statement: &str) {
        let mut command = Command::new(self.programs.join("psql"));
        command.args(["-q", "-h", "127.0.0.1", "-U", "ada", "-d", "postgres", "-v", "ON_ERROR_STOP=1"]);
        command.args(["-p", &self.port.to_string(), "-c", statement]).env("PGPASSWORD", SECRET);
        let output = command.output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }
}

impl Place for Postgres {
    fn machine(&self) -> Arc<dyn Store> {
        self.open(&format!("postgres://ada@127.0.0.1:{}/postgres", self.proxy.port), SECRET).unwrap()
    }

    fn rewind(&self, link: &Link) {
        let last: u64 = link.version.0.split('-').next().unwrap().parse().unwrap();
        self.sql(&format!("DELETE FROM release_ledger.links WHERE number > {last}"));
    }

    fn replace(&self) {
        self.sql("UPDATE release_ledger.links SET body = 'x'");
    }

    fn lose_an_answer(&self) {
        self.proxy.lose_the_answer_to(b"\"state.json\":\"unheard\"");
    }

    fn nowhere(&self) -> Arc<dyn Store> {
        self.open(&format!("postgres://ada@127.0.0.1:{}/postgres", free_port()), SECRET).unwrap()
    }
}

/// The folder of the newest PostgreSQL's programs.
fn programs() -> Option<PathBuf> {
    let versions = std::fs::read_dir("/usr/lib/postgresql").ok()?.flatten();
    let folders = versions.map(|version| version.path().join("bin"));
    folders.filter(|folder| folder.join("initdb").is_file()).max()
}

fn is_root() -> bool {
    let output = Command::new("id").arg("-u").output().unwrap();
    output.stdout.trim_ascii() == b"0"
}

/// PostgreSQL refuses to run as root: the words before its programs.
fn as_postgres() -> Vec<String> {
    let words = ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups"];
    if is_root() { words.map(str::to_owned).to_vec() } else { Vec::new() }
}

/// A certificate for this machine, which is its own authority.
fn certify(folder: &Path) {
    let mut command = Command::new("openssl");
    command.current_dir(folder).args([
        "req",
        "-x509",
        "-newkey",
        "ec",
        "-pkeyopt",
        "ec_paramgen_curve:P-256",
    ]);
    command.args(["-nodes", "-days", "3650", "-keyout", "key", "-out", "cert", "-subj", "/CN=release-test"]);
    command.args(["-addext", "subjectAltName=IP:127.0.0.1", "-addext", "basicConstraints=critical,CA:FALSE"]);
    let output = command.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    std::fs::set_permissions(folder.join("key"), std::fs::Permissions::from_mode(0o600)).unwrap();
    std::fs::copy(folder.join("cert"), folder.parent().unwrap().join("authority")).unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_table_keeps_the_chain() {
    let Some(postgres) = Postgres::start() else { return };
    conform(&postgres).await;
    assert!(!postgres.proxy.is_armed(), "an answer was lost");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn chains_of_a_table_are_reached_safely_and_apart() {
    let Some(postgres) = Postgres::start() else { return };
    let plain = format!("postgres://ada@127.0.0.1:{}/postgres", postgres.port);
    let authority = postgres.folder.path().join("authority").display().to_string();
    let safe = format!("{plain}?sslmode=require&ledger=other&sslrootcert={authority}");
    let first = postgres.open(&safe, SECRET).unwrap().append(None, &entry("one")).await.unwrap();
    assert_eq!(postgres.open(&safe, SECRET).unwrap().head().await.unwrap(), Some(first));
    assert_eq!(postgres.open(&plain, SECRET).unwrap().head().await.unwrap(), None);
    let strange = postgres.open(&format!("{plain}?sslmode=require"), SECRET).unwrap();
    let error = strange.head().await.unwrap_err();
    assert!(matches!(error, StoreError::Unreachable { .. }), "{error}");

    let error = postgres.open(&plain, "wrong-secret").unwrap().read().await.unwrap_err();
    assert!(matches!(error, StoreError::Refused { .. }), "{error}");
    assert!(!format!("{error} {error:?}").contains("wrong-secret"), "{error}");
    postgres.sql("CREATE ROLE bob LOGIN PASSWORD 'hunter2-hunter2'");
    let bob = postgres.open(&plain.replace("ada", "bob"), SECRET).unwrap();
    let error = bob.append(None, &entry("one")).await.unwrap_err();
    assert!(matches!(error, StoreError::Refused { .. }), "{error}");
    let error = postgres.open(&format!("postgres://ada:{SECRET}@127.0.0.1/postgres"), SECRET).err().unwrap();
    assert!(matches!(error, StoreError::Unusable { .. }) && !error.to_string().contains(SECRET), "{error}");
}
