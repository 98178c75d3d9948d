//! The target `python`: real environments from a real index, moved, taken back, changed by hand, killed half-way.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use release::apply::index;
use release::apply::supply::Supply;
use release::apply::target::error::TargetError;
use release::apply::target::python::PythonTarget;
use release::apply::target::{Answer, Mark, Observed, is_running};
use release::apply::workshop::Outlet;
use release::plan::deployment::{Artifact, Placed};
use release::plan::digest::Digest;
use release::version::number::Version;
use release::workspace::config::environment::ServiceTable;
use release::workspace::name::PackageName;
use release::world::tools::ToolCache;

use crate::distributions::Distribution;

/// A folder with an index that has `kite` 1.0 and 2.0, which need `acme-core`, and a target beside it.
struct Bench {
    folder: PathBuf,
    _temporary: Option<tempfile::TempDir>,
    outlets: BTreeMap<String, Outlet>,
    internal: BTreeMap<PackageName, Version>,
    tools: ToolCache,
    services: BTreeMap<String, ServiceTable>,
    remarks: Mutex<Vec<String>>,
}

impl Bench {
    /// `None` where there is no uv, having said so.
    async fn new() -> Option<Bench> {
        let temporary = tempfile::tempdir().unwrap();
        let mut bench = Bench::at(temporary.path());
        bench._temporary = Some(temporary);
        for version in ["1.0", "2.0"] {
            bench.publish(&kite(version));
        }
        bench.publish(&Distribution::new("acme-core", "1.5").module("WORD = 'core'\n"));
        match bench.tools.uv().await {
            Ok(_) => Some(bench),
            Err(error) => {
                assert!(std::env::var_os("CI").is_none(), "{error}");
                eprintln!("skipped: no uv ({error})");
                None
            }
        }
    }

    /// The bench of a folder that was filled before.
    fn at(folder: &Path) -> Bench {
        let cache = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/tool-cache");
        let internal = [("kite", "2.0"), ("acme-core", "1.5")];
        Bench {
            folder: folder.to_owned(),
            _temporary: None,
            outlets: BTreeMap::from([("local".to_owned(), Outlet::Folder(folder.join("index")))]),
            internal: internal
                .into_iter()
                .map(|(name, version)| (PackageName::new(name), Version::parse(version).unwrap()))
                .collect(),
            tools: ToolCache::open(|name| (name == "RELEASE_CACHE").then(|| cache.clone().into())).unwrap(),
            services: BTreeMap::new(),
            remarks: Mutex::default(),
        }
    }

    fn publish(&self, distribution: &Distribution) {
        let (name, bytes) = distribution.wheel();
        let package = PackageName::new(&distribution.name);
        index::publish(&self.folder.join("index"), &package, &name, &bytes, &Digest::of(&bytes)).unwrap();
    }

    fn home(&self) -> PathBuf {
        self.folder.join("here/kite")
    }

    fn current(&self) -> PathBuf {
        self.home().join("current")
    }

    fn restarts_by(&mut self, script: &str) {
        let argv = ["sh", "-c", script].map(str::to_owned).to_vec();
        let service = ServiceTable { restart: Some(argv), ..ServiceTable::default() };
        self.services.insert("kite".to_owned(), service);
    }

    async fn with<T>(&self, work: impl AsyncFnOnce(&PythonTarget<'_>) -> T) -> T {
        let supply = Supply { outlets: &self.outlets, tools: &self.tools, internal: &self.internal };
        let target = PythonTarget {
            environment: "production",
            directory: self.folder.join("here"),
            services: &self.services,
            supply: &supply,
            install_limit: Duration::from_secs(300),
        };
        work(&target).await
    }

    async fn apply(&self, version: &str, epoch: u64) -> Answer<Observed> {
        let remark = |text: &str| self.remarks.lock().unwrap().push(text.to_owned());
        self.with(async |target| target.apply(&placed(version), &mark(epoch), &remark).await).await
    }

    async fn observe(&self) -> Option<Observed> {
        self.with(async |target| target.observe("kite").await.unwrap()).await
    }

    async fn possible(&self, placed: &Placed) -> Answer<()> {
        self.with(async |target| target.possible(placed).await).await
    }

    /// What the program that runs says: its own word and the one of its dependency.
    fn says(&self) -> String {
        let program = "import acme_core, kite; print(kite.WORD, acme_core.WORD)";
        let output =
            Command::new(self.current().join("bin/python")).args(["-I", "-c", program]).output().unwrap();
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    }

    fn releases(&self) -> Vec<String> {
        let entries = fs::read_dir(self.home().join("releases")).unwrap();
        let mut names: Vec<String> =
            entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }
}

fn kite(version: &str) -> Distribution {
    let kite = Distribution::new("kite", version).fields("Requires-Dist: acme-core>=1.5\n");
    kite.module(&format!("WORD = 'kite {version}'\n"))
}

fn placed(version: &str) -> Placed {
    let (name, bytes) = kite(version).wheel();
    Placed {
        package: "kite".to_owned(),
        version: version.to_owned(),
        tag: format!("v{version}"),
        commit: "0".repeat(40),
        artifact: Artifact::Files {
            distribution: "kite".to_owned(),
            index: "local".to_owned(),
            files: BTreeMap::from([(name, Digest::of(&bytes).to_string())]),
        },
    }
}

fn mark(epoch: u64) -> Mark {
    Mark {
        environment: "production".to_owned(),
        deployment: Digest::of(format!("deployment {epoch}").as_bytes()),
        epoch,
    }
}

#[tokio::test]
async fn a_release_runs_and_going_back_moves_a_link() {
    let Some(bench) = Bench::new().await else { return };
    assert_eq!(bench.observe().await, None);
    let began = Instant::now();
    let first = bench.apply("1.0", 1).await.unwrap();
    let made = began.elapsed();
    assert!(is_running(Some(&first), &placed("1.0")));
    assert_eq!(first.version.as_deref(), Some("1.0"));
    assert_eq!(first.deployment, Some(mark(1).deployment.to_string()));
    assert_eq!(bench.says(), "kite 1.0 core");

    bench.apply("2.0", 2).await.unwrap();
    assert_eq!(bench.says(), "kite 2.0 core");
    let inode = fs::metadata(bench.home().join("releases").join(&bench.releases()[0])).unwrap();
    let began = Instant::now();
    let back = bench.apply("1.0", 3).await.unwrap();
    eprintln!("made in {made:.2?}, back in {:.2?}", began.elapsed());
    assert_eq!(bench.says(), "kite 1.0 core");
    assert_eq!(back.deployment, Some(mark(3).deployment.to_string()), "this deployment brought it");
    let kept = fs::metadata(bench.home().join("releases").join(&bench.releases()[0])).unwrap();
    assert_eq!(kept.created().unwrap(), inode.created().unwrap(), "the folder was kept");
    assert_eq!(*bench.remarks.lock().unwrap(), [""; 0]);

    bench.apply("2.0", 4).await.unwrap();
    assert_eq!(bench.releases().len(), 2);
    bench.with(async |target| target.prune("kite", &[placed("1.0")]).await.unwrap()).await;
    assert_eq!(bench.releases().len(), 2, "what runs and what is kept stay");
    bench.with(async |target| target.prune("kite", &[]).await.unwrap()).await;
    assert_eq!(bench.releases().len(), 1);
    assert_eq!(bench.says(), "kite 2.0 core");
}

#[tokio::test]
async fn what_a_person_changed_is_seen_and_put_right() {
    let Some(bench) = Bench::new().await else { return };
    bench.apply("1.0", 1).await.unwrap();
    bench.apply("2.0", 2).await.unwrap();
    let module = glob(&bench.current().join("lib"), "kite/__init__.py");
    fs::write(&module, "WORD = 'by hand'\n").unwrap();
    let seen = bench.observe().await.unwrap();
    assert_eq!((seen.deployment.as_deref(), seen.version.as_deref()), (None, Some("2.0")));
    assert!(!is_running(Some(&seen), &placed("2.0")));
    bench.apply("2.0", 3).await.unwrap();
    assert_eq!(bench.says(), "kite 2.0 core");
    assert!(bench.remarks.lock().unwrap()[0].contains("changed by hand"));

    // A link to somewhere else, and no link at all.
    fs::remove_file(bench.current()).unwrap();
    std::os::unix::fs::symlink("/usr", bench.current()).unwrap();
    let seen = bench.observe().await.unwrap();
    assert_eq!((seen.deployment, seen.place.as_str()), (None, "/usr"));
    bench.apply("2.0", 4).await.unwrap();
    fs::remove_file(bench.current()).unwrap();
    fs::create_dir(bench.current()).unwrap();
    assert_eq!(bench.observe().await.unwrap().deployment, None);
    let refused = bench.apply("2.0", 5).await.unwrap_err();
    assert!(matches!(refused, TargetError::Conflict { .. }), "{refused}");
    fs::remove_dir(bench.current()).unwrap();
    bench.apply("2.0", 6).await.unwrap();
    assert_eq!(bench.says(), "kite 2.0 core");
}

/// The one file whose path ends so.
fn glob(folder: &Path, end: &str) -> PathBuf {
    let mut open = vec![folder.to_owned()];
    while let Some(folder) = open.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.ends_with(end) {
                return path;
            }
            if path.is_dir() {
                open.push(path);
            }
        }
    }
    panic!("there is no {end}")
}

#[tokio::test]
async fn an_older_lease_does_not_overwrite_a_newer_one() {
    let Some(bench) = Bench::new().await else { return };
    bench.apply("2.0", 7).await.unwrap();
    let late = bench.apply("1.0", 6).await.unwrap_err();
    assert!(matches!(late, TargetError::Raced { .. }), "{late}");
    assert_eq!(bench.says(), "kite 2.0 core");
    assert_eq!(bench.observe().await.unwrap().deployment, Some(mark(7).deployment.to_string()));
    // The same lease may go on with its own work.
    bench.apply("2.0", 7).await.unwrap();
}

#[tokio::test]
async fn what_the_index_does_not_give_is_impossible_unless_it_is_kept() {
    let Some(bench) = Bench::new().await else { return };
    bench.possible(&placed("1.0")).await.unwrap();
    let absent = bench.possible(&placed("3.0")).await.unwrap_err();
    assert!(matches!(absent, TargetError::Impossible { .. }), "{absent}");
    let mut other = placed("1.0");
    let Artifact::Files { files, .. } = &mut other.artifact else { panic!("it has files") };
    files.values_mut().for_each(|digest| *digest = Digest::of(b"other").to_string());
    let conflict = bench.possible(&other).await.unwrap_err();
    assert!(matches!(conflict, TargetError::Conflict { .. }), "{conflict}");

    bench.apply("1.0", 1).await.unwrap();
    fs::rename(bench.folder.join("index"), bench.folder.join("gone")).unwrap();
    bench.possible(&placed("1.0")).await.unwrap();
    let gone = bench.apply("2.0", 2).await.unwrap_err();
    assert!(matches!(gone, TargetError::Impossible { .. }), "{gone}");
    assert_eq!(bench.says(), "kite 1.0 core", "what runs is not touched");
    bench.apply("1.0", 3).await.unwrap();
    let image = Placed {
        artifact: Artifact::Image { repository: "r.example/kite".to_owned(), digest: Digest::of(b"") },
        ..placed("1.0")
    };
    assert!(matches!(bench.possible(&image).await, Err(TargetError::Impossible { .. })));
}

#[tokio::test]
async fn the_restart_program_runs_once_for_each_move_and_until_it_succeeds() {
    let Some(mut bench) = Bench::new().await else { return };
    let log = bench.folder.join("log");
    let script = |end: &str| format!("echo $RELEASE_VERSION $RELEASE_EPOCH >> {}; {end}", log.display());
    bench.restarts_by(&script("test -x $RELEASE_CURRENT/bin/python"));
    let lines =
        || fs::read_to_string(&log).unwrap_or_default().lines().map(str::to_owned).collect::<Vec<_>>();
    bench.apply("1.0", 1).await.unwrap();
    bench.apply("1.0", 1).await.unwrap();
    assert_eq!(lines(), ["1.0 1"]);

    bench.restarts_by(&script("echo no config >&2; exit 3"));
    let broken = bench.apply("2.0", 2).await.unwrap_err();
    assert!(
        matches!(&broken, TargetError::Broken { reason, .. } if reason.contains("no config")),
        "{broken}"
    );
    // What did not start is not taken for running: the next call tries again, and going back starts the old one.
    bench.apply("2.0", 3).await.unwrap_err();
    bench.restarts_by(&script("true"));
    bench.apply("1.0", 4).await.unwrap();
    assert_eq!(lines(), ["1.0 1", "2.0 2", "2.0 3", "1.0 4"]);
    bench.restarts_by("exec no-such-program-anywhere");
    assert!(bench.apply("1.0", 5).await.is_ok(), "it has run since the link moved");
}

/// Runs in a process of its own, which kills itself at a place: see the test below.
#[tokio::test]
#[ignore = "the half of another test that is killed"]
async fn a_deployment_to_be_killed() {
    let Some(folder) = std::env::var_os("PYTHON_TARGET_BENCH") else { panic!("run by another test") };
    let mut bench = Bench::at(Path::new(&folder));
    bench.restarts_by(&format!("echo $RELEASE_VERSION >> {}", bench.folder.join("log").display()));
    bench.apply("2.0", 2).await.unwrap();
}

#[tokio::test]
async fn killed_anywhere_the_next_call_ends_the_same() {
    let Some(mut bench) = Bench::new().await else { return };
    bench.restarts_by(&format!("echo $RELEASE_VERSION >> {}", bench.folder.join("log").display()));
    let child = |at: u32| {
        let name = "targets_python::a_deployment_to_be_killed";
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.args(["--ignored", "--exact", name]).env("PYTHON_TARGET_BENCH", &bench.folder);
        command.env("RELEASE_CRASH_AT", at.to_string()).output().unwrap().status
    };
    bench.apply("1.0", 1).await.unwrap();
    bench.apply("2.0", 1).await.unwrap();
    bench.apply("1.0", 1).await.unwrap();
    // A half-made folder of the new one stands there too.
    let half = bench.releases().into_iter().find(|name| name.starts_with("2.0")).unwrap();
    fs::remove_file(bench.home().join("releases").join(half).join("release.json")).unwrap();
    let (here, before) = (bench.folder.join("here"), bench.folder.join("before"));
    let copy = |from: &Path, to: &Path| {
        let copied = Command::new("cp").arg("-a").args([from, to]).status().unwrap();
        assert!(copied.success());
    };
    copy(&here, &before);
    let mut places = 0;
    loop {
        fs::remove_dir_all(&here).unwrap();
        copy(&before, &here);
        let killed = child(places + 1);
        let seen = bench.observe().await.unwrap();
        assert!(
            is_running(Some(&seen), &placed("1.0")) || is_running(Some(&seen), &placed("2.0")),
            "one of both runs whole, at {places}: {seen:?}"
        );
        bench.apply("2.0", 3).await.unwrap();
        assert_eq!(bench.says(), "kite 2.0 core", "after {places}");
        let restarted = bench.home().join("restarted");
        assert!(fs::read_to_string(restarted).unwrap().starts_with("2.0-"), "after {places}");
        assert_eq!(bench.releases().len(), 2, "nothing is left over after {places}: {:?}", bench.releases());
        if killed.success() {
            break;
        }
        places += 1;
    }
    eprintln!("killed at {places} places");
    assert!(places >= 8, "{places}");
}
