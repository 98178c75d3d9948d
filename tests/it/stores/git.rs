//! Chains kept in git: in one repository alone, and in a bare one that clones share.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use release::world::git::Repository;
use release::world::push::{RefMove, push_refs};
use release::world::remote_refs::{fetch, remote_refs};
use release::world::store::error::StoreError;
use release::world::store::git_ref::GitStore;
use release::world::store::{Link, Store};
use tempfile::TempDir;

use super::http::Http;
use super::server::free_port;
use super::{Place, SECRET, conform, entry};

const LEDGER: &str = "refs/release/ledger";

/// A bare repository, and the folder that its clones are made in.
pub struct Bare {
    folder: TempDir,
    machines: AtomicUsize,
    /// What clones call it.
    address: String,
    branch: Option<&'static str>,
    http: Option<Http>,
}

impl Bare {
    pub fn new() -> Bare {
        let folder = tempfile::Builder::new().prefix("release-stores-").tempdir().unwrap();
        git(folder.path(), &["init", "-q", "--bare", "-b", "main", "hub.git"]);
        let address = format!("file://{}", folder.path().join("hub.git").display());
        let bare = Bare { folder, machines: AtomicUsize::new(0), address, branch: None, http: None };
        let seed = bare.clone_with(&[]);
        git(&seed, &["commit", "-q", "--allow-empty", "-m", "begin"]);
        git(&seed, &["commit", "-q", "--allow-empty", "-m", "go on"]);
        git(&seed, &["push", "-q", "origin", "HEAD:refs/heads/main"]);
        bare
    }

    fn on_branch(mut self, branch: &'static str) -> Bare {
        self.branch = Some(branch);
        self
    }

    /// The same behind an HTTP server that wants a password.
    fn over_http(mut self) -> Bare {
        let http = Http::serve(self.folder.path(), &format!("me:{SECRET}"));
        self.address = format!("http://me:{SECRET}@127.0.0.1:{}/hub.git", http.port);
        self.http = Some(http);
        self
    }

    fn hub(&self) -> PathBuf {
        self.folder.path().join("hub.git")
    }

    fn clone_with(&self, options: &[&str]) -> PathBuf {
        let name = format!("machine-{}", self.machines.fetch_add(1, Ordering::SeqCst));
        let arguments: Vec<&str> = ["clone", "-q", "-c", "http.proxy="]
            .iter()
            .chain(options)
            .copied()
            .chain([self.address.as_str(), &name])
            .collect();
        git(self.folder.path(), &arguments);
        self.folder.path().join(name)
    }

    fn repository(&self) -> Repository {
        Repository::open(&self.clone_with(&[])).unwrap()
    }

    fn store(&self, repository: Repository) -> GitStore {
        match self.branch {
            Some(branch) => GitStore::on_branch(repository, "origin", branch),
            None => GitStore::on_ref(repository, "origin"),
        }
    }

    fn reference(&self) -> String {
        self.branch.map_or(LEDGER.to_owned(), |branch| format!("refs/heads/{branch}"))
    }

    /// A hook of the bare repository, which is a shell script.
    fn hook(&self, name: &str, script: &str) {
        use std::os::unix::fs::PermissionsExt;
        let path = self.hub().join("hooks").join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, format!("#!/bin/sh\n{script}\n")).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
    }
}

impl Place for Bare {
    fn machine(&self) -> Arc<dyn Store> {
        Arc::new(self.store(self.repository()))
    }

    fn rewind(&self, link: &Link) {
        git(&self.hub(), &["update-ref", &self.reference(), &link.version.0]);
    }

    fn replace(&self) {
        let main = git(&self.hub(), &["rev-parse", "main"]);
        git(&self.hub(), &["update-ref", &self.reference(), &main]);
    }

    fn lose_an_answer(&self) {
        if let Some(http) = &self.http {
            return http.lose_the_next_push();
        }
        self.hook("post-receive", "rm -f \"$0\"; kill -9 $PPID");
    }

    /// The races of a branch and of HTTP are those of the ref, once more.
    fn rounds(&self) -> usize {
        if self.branch.is_some() || self.http.is_some() { 4 } else { 20 }
    }

    fn nowhere(&self) -> Arc<dyn Store> {
        let port = free_port();
        let repository = self.repository();
        let address = format!("http://me:{SECRET}@127.0.0.1:{port}/hub.git");
        git(repository.root(), &["remote", "set-url", "origin", &address]);
        Arc::new(self.store(repository))
    }
}

/// Runs git with nothing of this machine's settings; its trimmed answer.
fn git(directory: &Path, arguments: &[&str]) -> String {
    let mut command = Command::new("git");
    command.current_dir(directory).args(arguments);
    for name in ["GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE"] {
        command.env_remove(name);
    }
    command.env("GIT_CONFIG_GLOBAL", "/dev/null").env("GIT_CONFIG_NOSYSTEM", "1");
    for who in ["AUTHOR", "COMMITTER"] {
        command
            .env(format!("GIT_{who}_NAME"), "Ada Example")
            .env(format!("GIT_{who}_EMAIL"), "ada@example.org");
    }
    let output = command.output().unwrap();
    assert!(output.status.success(), "git {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}

fn step(name: &str, new: &str, expected_old: Option<&str>) -> RefMove {
    RefMove { name: name.to_owned(), new: new.to_owned(), expected_old: expected_old.map(str::to_owned) }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_ref_of_a_shared_repository_keeps_the_chain() {
    let bare = Bare::new();
    conform(&bare).await;
    assert!(!bare.hub().join("hooks/post-receive").exists(), "an answer was lost");
    git(&bare.hub(), &["fsck", "--strict"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_repository_alone_keeps_its_chain() {
    let bare = Bare::new();
    let repository = bare.repository();
    let store: Arc<dyn Store> = Arc::new(GitStore::local(repository.clone()));
    assert_eq!(store.read().await.unwrap(), None);
    let first = store.append(None, &entry("one")).await.unwrap();
    let second = store.append(Some(&first), &entry("two")).await.unwrap();
    for expected in [None, Some(&first)] {
        let error = store.append(expected, &entry("late")).await.unwrap_err();
        assert!(matches!(error, StoreError::Lost { .. }), "{error}");
    }
    assert_eq!(store.append(Some(&first), &entry("two")).await.unwrap(), second);
    let third = store.append(Some(&second), &entry("three")).await.unwrap();
    assert_eq!(store.append(Some(&first), &entry("two")).await.unwrap(), second);
    assert_eq!(store.head().await.unwrap(), Some(third.clone()));
    let mut head = third;
    for round in 0..20 {
        let tasks = (0..8).map(|writer| {
            let (store, head) = (Arc::clone(&store), head.clone());
            tokio::spawn(async move { store.append(Some(&head), &entry(&format!("{round}-{writer}"))).await })
        });
        let mut won = Vec::new();
        for task in tasks.collect::<Vec<_>>() {
            match task.await.unwrap() {
                Ok(version) => won.push(version),
                Err(StoreError::Lost { .. }) => {}
                Err(error) => panic!("{error:?}"),
            }
        }
        assert_eq!(won.len(), 1);
        head = won.remove(0);
    }
    assert_eq!(store.history().await.unwrap().len(), 23);
    git(repository.root(), &["fsck", "--strict"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_chain_that_was_never_shared_goes_with_the_first_push() {
    let bare = Bare::new();
    let repository = bare.repository();
    let alone = GitStore::local(repository.clone());
    let first = alone.append(None, &entry("one")).await.unwrap();
    let store = bare.store(repository.clone());
    assert_eq!(store.read().await.unwrap().unwrap().version, first);
    let second = store.append(Some(&first), &entry("two")).await.unwrap();
    let third = alone.append(Some(&second), &entry("three")).await.unwrap();
    assert_eq!(store.head().await.unwrap(), Some(third.clone()));
    let fourth = store.append(Some(&third), &entry("four")).await.unwrap();
    let history = bare.machine().history().await.unwrap();
    let versions: Vec<_> = history.into_iter().map(|link| link.version).collect();
    assert_eq!(versions, [first, second, third, fourth]);

    let stranger = bare.repository();
    GitStore::local(stranger.clone()).append(None, &entry("elsewhere")).await.unwrap();
    let error = bare.store(stranger).read().await.unwrap_err();
    assert!(matches!(error, StoreError::Foreign { .. }), "{error}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_claim_moves_branch_tags_and_chain_or_nothing() {
    let bare = Bare::new();
    let repository = bare.repository();
    let old = git(repository.root(), &["rev-parse", "HEAD"]);
    let tree = git(repository.root(), &["rev-parse", "HEAD^{tree}"]);
    let new = git(repository.root(), &["commit-tree", &tree, "-p", &old, "-m", "release"]);
    git(repository.root(), &["tag", "-a", "-m", "one", "core-v1.0.0", &new]);
    let tag = git(repository.root(), &["rev-parse", "core-v1.0.0"]);
    let store = bare.store(repository.clone());
    let also = [step("refs/heads/main", &new, Some(&old)), step("refs/tags/core-v1.0.0", &tag, None)];
    let before = git(&bare.hub(), &["for-each-ref"]);

    bare.hook("pre-receive", "echo 'frozen until Monday'; exit 1");
    let error = store.push_with(None, &entry("claim"), &also).await.unwrap_err();
    assert!(
        matches!(&error, StoreError::Refused { words, .. } if words.contains("frozen until Monday")),
        "{error}"
    );
    bare.hook("pre-receive", "exit 0");
    bare.hook("update", "case \"$1\" in refs/heads/*) exit 1; esac");
    let error = store.push_with(None, &entry("claim"), &also).await.unwrap_err();
    assert!(matches!(error, StoreError::Refused { .. }), "{error}");
    bare.hook("update", "exit 0");
    assert_eq!(git(&bare.hub(), &["for-each-ref"]), before, "nothing moved");

    git(&bare.hub(), &["update-ref", "refs/tags/core-v1.0.0", &old]);
    let error = store.push_with(None, &entry("claim"), &also).await.unwrap_err();
    assert!(matches!(&error, StoreError::Lost { name, .. } if name == "refs/tags/core-v1.0.0"), "{error}");
    git(&bare.hub(), &["update-ref", "-d", "refs/tags/core-v1.0.0"]);
    assert_eq!(git(&bare.hub(), &["for-each-ref"]), before, "nothing moved");

    bare.lose_an_answer();
    let version = store.push_with(None, &entry("claim"), &also).await.unwrap();
    assert_eq!(store.push_with(None, &entry("claim"), &also).await.unwrap(), version);
    let found = remote_refs(&repository, "origin", &["refs/*"]).await.unwrap();
    let expected =
        [("refs/heads/main", &new), ("refs/release/ledger", &version.0), ("refs/tags/core-v1.0.0", &tag)];
    assert!(found.iter().map(|(name, id)| (name.as_str(), id)).eq(expected), "{found:?}");
    git(repository.root(), &["fsck", "--strict"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_claim_without_a_remote_moves_the_refs_here_or_none() {
    let bare = Bare::new();
    let repository = bare.repository();
    let head = git(repository.root(), &["rev-parse", "HEAD"]);
    let store = GitStore::local(repository.clone());
    git(repository.root(), &["update-ref", "refs/tags/v2", &head]);
    let taken = [step("refs/tags/v1", &head, None), step("refs/tags/v2", &head, Some(&"1".repeat(40)))];
    let error = store.push_with(None, &entry("claim"), &taken).await.unwrap_err();
    assert!(matches!(&error, StoreError::Lost { name, .. } if name == "refs/tags/v2"), "{error}");
    assert_eq!(repository.ref_target("refs/tags/v1").unwrap(), None);
    assert_eq!(store.read().await.unwrap(), None);
    let version = store.push_with(None, &entry("claim"), &taken[..1]).await.unwrap();
    assert_eq!(store.push_with(None, &entry("claim"), &taken[..1]).await.unwrap(), version);
    assert_eq!(repository.ref_target("refs/tags/v1").unwrap(), Some(head));
    assert_eq!(store.history().await.unwrap().len(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_chain_that_is_gone_and_a_lock_that_stayed_are_said() {
    let bare = Bare::new();
    let store = bare.machine();
    let first = store.append(None, &entry("one")).await.unwrap();
    let lock = bare.hub().join("refs/release/ledger.lock");
    std::fs::write(&lock, "").unwrap();
    let error = store.append(Some(&first), &entry("two")).await.unwrap_err();
    assert!(matches!(&error, StoreError::Refused { words, .. } if words.contains("lock")), "{error}");
    std::fs::remove_file(&lock).unwrap();
    let second = store.append(Some(&first), &entry("two")).await.unwrap();
    git(&bare.hub(), &["update-ref", "-d", LEDGER]);
    for error in [store.read().await.map(drop).unwrap_err(), store.head().await.map(drop).unwrap_err()] {
        assert!(matches!(&error, StoreError::Rewound { seen, .. } if *seen == second.0), "{error}");
        assert!(error.to_string().contains("git update-ref -d refs/release/seen/"), "{error}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn refs_are_pushed_listed_and_fetched() {
    let bare = Bare::new();
    let repository = bare.repository();
    let head = git(repository.root(), &["rev-parse", "HEAD"]);
    push_refs(
        &repository,
        "origin",
        &[step("refs/tags/v1", &head, None), step("refs/heads/next", &head, None)],
    )
    .await
    .unwrap();
    let error =
        push_refs(&repository, "origin", &[step("refs/tags/v1", &head, Some(&head.replace('a', "b")))]).await;
    assert!(error.is_ok(), "it is where it should be: {error:?}");
    let found = remote_refs(&repository, "origin", &["refs/tags/*", "refs/heads/next"]).await.unwrap();
    assert_eq!(found.into_keys().collect::<Vec<_>>(), ["refs/heads/next", "refs/tags/v1"]);
    let other = bare.repository();
    fetch(&other, "origin", &["refs/heads/next:refs/release/next".to_owned()]).await.unwrap();
    assert_eq!(other.ref_target("refs/release/next").unwrap(), Some(head.clone()));
    assert!(!other.git_dir().join("FETCH_HEAD").exists());
    let older = git(other.root(), &["rev-parse", "HEAD~1"]);
    assert!(other.is_ancestor(&older, &head).unwrap() && !other.is_ancestor(&head, &older).unwrap());
    let error = remote_refs(&repository, "--upload-pack=touch", &[]).await.unwrap_err();
    assert!(matches!(error, StoreError::Unusable { .. }), "{error}");
    let error = fetch(&repository, "origin", &["refs/heads/none".to_owned()]).await.unwrap_err();
    assert!(matches!(error, StoreError::Unreachable { .. }), "{error}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn shallow_and_partial_clones_read_and_append() {
    let bare = Bare::new();
    let store = bare.machine();
    let first = store.append(None, &entry("one")).await.unwrap();
    let mut head = store.append(Some(&first), &entry("two")).await.unwrap();
    git(&bare.hub(), &["config", "uploadpack.allowFilter", "true"]);
    for (number, options) in
        [["--depth=1", "--no-tags"], ["--filter=blob:none", "--no-checkout"]].iter().enumerate()
    {
        let clone = Repository::open(&bare.clone_with(options)).unwrap();
        let store = bare.store(clone.clone());
        assert_eq!(store.history().await.unwrap().len(), 2 + number);
        head = store.append(Some(&head), &entry(&format!("from {options:?}"))).await.unwrap();
        git(clone.root(), &["fsck", "--strict"]);
    }
    assert_eq!(bare.machine().history().await.unwrap().len(), 4);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_branch_keeps_the_chain_and_starts_no_run() {
    let bare = Bare::new().on_branch("release-ledger");
    conform(&bare).await;
    let store = Bare::new().on_branch("release-ledger");
    store.machine().append(None, &entry("one")).await.unwrap();
    assert_eq!(git(&store.hub(), &["log", "--format=%s", "release-ledger"]), "state 3 [skip ci]");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_repository_behind_http_keeps_the_chain() {
    let bare = Bare::new().over_http();
    conform(&bare).await;
    git(&bare.hub(), &["fsck", "--strict"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_http_refuses_is_said_without_the_password() {
    let bare = Bare::new().over_http();
    let repository = bare.repository();
    git(&bare.hub(), &["config", "http.receivepack", "false"]);
    let error = bare.store(repository.clone()).append(None, &entry("one")).await.unwrap_err();
    assert!(matches!(&error, StoreError::Refused { words, .. } if words.contains("403")), "{error}");
    assert!(!format!("{error} {error:?}").contains(SECRET), "{error}");
    let address = bare.address.replace("me:", "somebody:");
    git(repository.root(), &["remote", "set-url", "origin", &address]);
    let error = bare.store(repository.clone()).append(None, &entry("one")).await.unwrap_err();
    assert!(matches!(error, StoreError::Unreachable { .. }), "{error}");
    assert!(!format!("{error} {error:?}").contains(SECRET), "{error}");
    let named = GitStore::on_ref(repository, &address);
    let error = named.read().await.unwrap_err();
    assert!(!format!("{error} {error:?} {}", named.name()).contains(SECRET), "{error}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_append_that_is_dropped_anywhere_is_finished_by_the_next() {
    let bare = Bare::new().over_http();
    let store = bare.machine();
    let mut head = None;
    for round in 0..16_u64 {
        let entry = entry(&format!("round {round}"));
        let patience = std::time::Duration::from_millis(12 * round);
        // Whatever it came to until then, the same append ends well.
        let _ = tokio::time::timeout(patience, store.append(head.as_ref(), &entry)).await;
        head = Some(store.append(head.as_ref(), &entry).await.unwrap());
    }
    assert_eq!(bare.machine().history().await.unwrap().len(), 16);
    git(&bare.hub(), &["fsck", "--strict"]);
}
