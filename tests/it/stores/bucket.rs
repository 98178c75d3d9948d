//! A chain kept in a bucket of a server that speaks S3: moto, from PyPI.

use std::ffi::OsString;
use std::fs::File;
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
use super::server::{Server, free_port, listens, request, skip, wait_for};
use super::{Place, SECRET, conform, entry};

const MOTO: &str = "moto[server]==5.2.5";

pub struct Moto {
    folder: TempDir,
    machines: AtomicUsize,
    port: u16,
    proxy: Proxy,
    _server: Server,
}

impl Moto {
    /// `None` where it can not be installed, having said so.
    pub fn start() -> Option<Moto> {
        let Some(python) = installed() else {
            skip(&format!("no {MOTO}; `python3 -m venv` and `pip install` with a package index bring it"));
            return None;
        };
        let folder = tempfile::Builder::new().prefix("release-moto-").tempdir().unwrap();
        let (port, log) = (free_port(), folder.path().join("log"));
        let number = port.to_string();
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/stores/serve_s3.py");
        let program = [python.to_str().unwrap(), script, &number];
        let server = Server::start(&program, "KILL", &log);
        wait_for("moto", &log, || listens(port));
        assert_eq!(request(port, "PUT", "/ledgers", ""), 200);
        Some(Moto { folder, machines: AtomicUsize::new(0), port, proxy: Proxy::to(port), _server: server })
    }

    /// How a repository names it, and the variables that it asks for.
    pub fn ledger(&self) -> (String, Vec<(String, String)>) {
        let place = format!(
            "[ledger]\nstore = \"s3://ledgers/some/where\"\nendpoint = \"http://127.0.0.1:{}\"\nregion = \"us-east-1\"\n",
            self.port
        );
        let names = ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"];
        let value = |name: &str| variables(name).unwrap().into_string().unwrap();
        (place, names.iter().map(|name| ((*name).to_owned(), value(name))).collect())
    }

    fn open(&self, url: &str, port: u16) -> Result<Arc<dyn Store>, StoreError> {
        let number = self.machines.fetch_add(1, Ordering::SeqCst);
        let folder = self.folder.path().join(format!("machine-{number}"));
        assert!(Command::new("git").args(["init", "-q"]).arg(&folder).status().unwrap().success());
        let place = Kept::Bucket {
            url: url.to_owned(),
            endpoint: Some(format!("http://127.0.0.1:{port}")),
            region: Some("us-east-1".to_owned()),
        };
        open(&place, &Repository::open(&folder).unwrap(), &variables)
    }
}

impl Place for Moto {
    fn machine(&self) -> Arc<dyn Store> {
        self.open("s3://ledgers/some/where", self.proxy.port).unwrap()
    }

    fn rewind(&self, link: &Link) {
        let last: u64 = link.version.0.split('-').next().unwrap().parse().unwrap();
        for number in last + 1..=last + 100 {
            assert_eq!(request(self.port, "DELETE", &key(number), ""), 204);
        }
    }

    fn replace(&self) {
        assert_eq!(request(self.port, "PUT", &key(1), "{}"), 200);
    }

    fn lose_an_answer(&self) {
        self.proxy.lose_the_answer_to(b"PUT /");
    }

    fn nowhere(&self) -> Arc<dyn Store> {
        self.open("s3://ledgers/some/where", free_port()).unwrap()
    }
}

fn key(number: u64) -> String {
    format!("/ledgers/some/where/links/{number:010}.json")
}

fn variables(name: &str) -> Option<OsString> {
    match name {
        "AWS_ACCESS_KEY_ID" => Some("AKIAEXAMPLE".into()),
        "AWS_SECRET_ACCESS_KEY" => Some(SECRET.into()),
        _ => None,
    }
}

/// The interpreter of a private environment with moto, made once.
fn installed() -> Option<PathBuf> {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("moto-5.2.5");
    let lock = File::create(folder.with_extension("lock")).unwrap();
    lock.lock().unwrap();
    let (python, whole) = (folder.join("bin/python"), folder.join("whole"));
    if whole.exists() {
        return Some(python);
    }
    let run = |command: &mut Command| command.output().is_ok_and(|output| output.status.success());
    let made = run(Command::new("python3").args(["-m", "venv", "--clear"]).arg(&folder))
        && run(Command::new(&python).args(["-m", "pip", "install", "-q", MOTO]));
    made.then(|| File::create(whole).unwrap())?;
    Some(python)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_bucket_keeps_the_chain() {
    let Some(moto) = Moto::start() else { return };
    conform(&moto).await;
    assert!(!moto.proxy.is_armed(), "an answer was lost");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_bucket_that_is_not_ours_is_refused() {
    let Some(moto) = Moto::start() else { return };
    let error =
        moto.open("s3://nobody/here", moto.port).unwrap().append(None, &entry("one")).await.unwrap_err();
    assert!(matches!(&error, StoreError::Unusable { .. }), "{error}");
    assert!(error.to_string().contains("s3://nobody/here"), "{error}");
    assert_eq!(request(moto.port, "PUT", &key(1), "<html>"), 200);
    let error = moto.machine().read().await.unwrap_err();
    assert!(matches!(&error, StoreError::Damaged { .. }), "{error}");
    let error = moto.machine().append(None, &entry("one")).await.unwrap_err();
    assert!(matches!(&error, StoreError::Lost { .. } | StoreError::Damaged { .. }), "{error}");
}
