//! The ground of tests that bring releases to environments by the built binary: an origin, clones, an engine, the ports.

use std::cell::{Cell, RefCell};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Arc, OnceLock};

use serde_json::Value;

use crate::clones::copy;
use crate::engine::Registry;
use crate::matrix::ground::CLOCK;
use crate::matrix::light::light;
use crate::shared_sample::rows;
use crate::targets::load::get;
use crate::world::{Answer, World, shared};

/// As the sample's images, with a check each second, an end at once, and a program that ends where a file says so.
const DOCKERFILE: &str = r#"FROM scratch
ARG VERSION
ENV SERVICE_VERSION="${VERSION}" FAIL_HEALTH="" PATH="/bin"
COPY busybox /bin/busybox
COPY busybox /bin/sh
COPY www /www
STOPSIGNAL SIGKILL
HEALTHCHECK --interval=1s --timeout=10s --retries=10 CMD ["/bin/busybox", "wget", "-q", "-O", "/dev/null", "http://127.0.0.1:8080/index.html"]
ENTRYPOINT ["/bin/sh", "-c", "[ ! -e /state/ends-$SERVICE_VERSION ] || exit 3; exec /bin/busybox httpd -f -p 8080 -h /www"]
"#;

/// What was released, for tests to begin from: `left` 1.1.0 and 1.2.0, whose pages say `one` and `two`.
pub struct Start {
    world: Arc<World>,
    config: String,
}

/// The releases on the shared registry; `None` where there is no engine, no registry or no sample.
pub fn start() -> Option<&'static Start> {
    static START: OnceLock<Option<Start>> = OnceLock::new();
    START
        .get_or_init(|| {
            let (host, registry) = crate::targets::ground()?;
            Start::new(&host.address, registry, "deploys/left")
        })
        .as_ref()
}

impl Start {
    /// Ships two releases with an image into this repository of a registry.
    pub fn new(address: &str, registry: &Registry, name: &str) -> Option<Start> {
        let pages = shared("sample-monorepo/tree/src/packages/ai/mlops/docker/www")?;
        let world = light();
        let folder = world.repository().join("packages/left/docker");
        fs::create_dir_all(&folder).unwrap();
        fs::write(folder.join("Dockerfile"), DOCKERFILE).unwrap();
        fs::copy("/bin/busybox", folder.join("busybox")).unwrap();
        writable_copy(&pages, &folder.join("www"));
        let config = format!(
            "[workspace]\npackages = [\"packages/*\"]\nstrip = \"light-\"\nbranch = \"main\"\n\n[package.left.image]\n\
             repository = \"{}\"\ncontext = \"docker\"\n",
            registry.repository(name)
        );
        let yard = Yard::with(world, address, "", &config);
        yard.configure("");
        yard.world.git(["clone", "--quiet", "--bare", ".", "../origin.git"]);
        let origin = yard.world.folder().join("origin.git");
        yard.world.git(["remote", "add", "origin", &format!("file://{}", origin.display())]);
        for page in ["one", "two"] {
            fs::write(folder.join("www/index.html"), page).unwrap();
            yard.commit("packages/left/docker", &format!("feat(left): say {page}"));
            yard.ends(&["ship", "--yes"], 0);
        }
        Some(Start { world: yard.world.clone(), config })
    }
}

impl Start {
    /// The digest of the last release's image, as the ledger has it.
    pub fn last(&self) -> String {
        let state = self.world.git(["--git-dir", "../origin.git", "show", "refs/release/ledger:state.json"]);
        let state: Value = serde_json::from_str(&state).unwrap();
        state["released"]["left"]["image"]["digest"].as_str().unwrap().to_owned()
    }
}

/// A place of its own for one test.
pub struct Yard {
    pub world: Arc<World>,
    /// The clone that commands run in.
    repository: RefCell<PathBuf>,
    /// The engine.
    pub address: String,
    /// What containers are told apart by: the origin's name.
    pub scope: String,
    pub port: u16,
    /// What time it is for the program.
    pub clock: Cell<i64>,
    clones: Cell<usize>,
    /// The configuration without environments.
    base: String,
}

impl Yard {
    /// A clone of a copy of what was released.
    pub fn of(start: &Start, address: &str, scope: &str) -> Yard {
        let world = World::without_repository();
        copy(&start.world.folder().join("origin.git"), &world.folder().join(format!("{scope}.git")));
        let yard = Yard::with(world, address, scope, &start.config);
        yard.fresh();
        yard
    }

    /// In a world whose repository is there.
    pub fn with(world: World, address: &str, scope: &str, base: &str) -> Yard {
        Yard {
            repository: RefCell::new(world.repository()),
            world: Arc::new(world),
            address: address.to_owned(),
            scope: scope.to_owned(),
            port: crate::stores::server::free_port(),
            clock: Cell::new(CLOCK),
            clones: Cell::new(0),
            base: base.to_owned(),
        }
    }

    /// The same test's, on the shared engine.
    pub fn shared(scope: &str) -> Option<Yard> {
        let (host, _) = crate::targets::ground()?;
        Some(Yard::of(start()?, &host.address, scope))
    }

    /// Sets the environments.
    pub fn configure(&self, environments: &str) {
        fs::write(self.config(), format!("{}\n{environments}", self.base)).unwrap();
    }

    fn config(&self) -> PathBuf {
        self.world.folder().join("deploys.toml")
    }

    /// From here on commands run in a fresh clone, with a home of its own.
    pub fn fresh(&self) {
        let number = self.clones.get();
        self.clones.set(number + 1);
        let folder = self.world.folder().join(format!("clone-{number}"));
        let origin = format!("file://{}", self.world.folder().join(format!("{}.git", self.scope)).display());
        let mut git = self.world.command("git");
        git.args(["clone", "--quiet", "--branch", "main", &origin]).arg(&folder);
        Answer::of(git.output().unwrap()).well();
        *self.repository.borrow_mut() = folder;
    }

    /// Commits these files of the first repository, also where git ignores them.
    pub fn commit(&self, path: &str, message: &str) {
        self.world.git(["add", "--force", path]);
        self.world.git(["commit", "--quiet", "-m", message]);
    }

    pub fn command(&self, words: &[&str]) -> Command {
        let mut command = self.world.command(env!("CARGO_BIN_EXE_release"));
        command.current_dir(&*self.repository.borrow()).arg("--config").arg(self.config()).args(words);
        command.env("DOCKER_HOST", &self.address).env("DOCKER_CONFIG", "/nowhere");
        command.env("RELEASE_PACE", "quick").env("RELEASE_CLOCK", self.clock.get().to_string());
        command.stdin(Stdio::null());
        command
    }

    pub fn run(&self, words: &[&str]) -> Answer {
        Answer::of(self.command(words).output().unwrap())
    }

    /// Runs it; it must leave with this code.
    #[track_caller]
    pub fn ends(&self, words: &[&str], code: i32) -> Answer {
        let answer = self.run(words);
        assert_eq!(answer.code, Some(code), "{words:?}\n{}\n{}", answer.out, answer.err);
        answer
    }

    pub fn docker(&self, words: &[&str]) -> String {
        let mut command = Command::new("docker");
        command.args(["--host", &self.address]).args(words).env_remove("DOCKER_HOST");
        Answer::of(command.output().unwrap()).well().out.trim().to_owned()
    }

    /// The containers of an environment's package that run, by id.
    pub fn running(&self, environment: &str, package: &str) -> Vec<String> {
        self.containers(environment, package, &["ps", "-q", "--no-trunc"])
    }

    /// All of them, also those that are kept.
    pub fn all(&self, environment: &str, package: &str) -> Vec<String> {
        self.containers(environment, package, &["ps", "-aq", "--no-trunc"])
    }

    fn containers(&self, environment: &str, package: &str, words: &[&str]) -> Vec<String> {
        let labels = [("scope", self.scope.as_str()), ("environment", environment), ("package", package)];
        let labels = labels.into_iter().chain([("role", "service")]);
        let filters: Vec<String> =
            labels.map(|(name, value)| format!("--filter=label=io.release.{name}={value}")).collect();
        let words: Vec<&str> = words.iter().copied().chain(filters.iter().map(String::as_str)).collect();
        self.docker(&words).lines().map(str::to_owned).collect()
    }

    /// What the ledger says of a package in an environment.
    pub fn current(&self, environment: &str, package: &str) -> Value {
        let status = self.ends(&["status", "--output", "json"], 0).json();
        let found = rows(&status["packages"]).find(|row| row["package"] == package).cloned().unwrap();
        found["environments"][environment].clone()
    }

    /// The digest that a running container was made from, as its registry knows it.
    pub fn digest_of(&self, container: &str) -> String {
        let image = self.docker(&["inspect", "--format", "{{.Image}}", container]);
        let digests = self.docker(&["image", "inspect", "--format", "{{join .RepoDigests \" \"}}", &image]);
        digests.split_whitespace().next().unwrap().split_once('@').unwrap().1.to_owned()
    }

    /// That exactly one container of the package runs, and is the ledger's current one, verified; its version.
    #[track_caller]
    pub fn settled(&self, environment: &str, package: &str) -> String {
        let (running, current) = (self.running(environment, package), self.current(environment, package));
        assert_eq!(running.len(), 1, "exactly one runs: {running:?}, {current}");
        assert_eq!(current["digest"], self.digest_of(&running[0]).as_str(), "{current}");
        assert_eq!(current["verified"], true, "{current}");
        current["version"].as_str().unwrap().to_owned()
    }

    /// The same, and it answers with this page.
    #[track_caller]
    pub fn holds(&self, environment: &str, version: &str, page: &str) {
        assert_eq!(self.settled(environment, "left"), version);
        assert_eq!(get(self.port).as_deref(), Some(page));
    }

    /// The events of the ledger, played again on the way.
    pub fn log(&self) -> Vec<Value> {
        let log = self.ends(&["log", "--output", "json"], 0).json();
        rows(&log).cloned().collect()
    }
}

impl Drop for Yard {
    fn drop(&mut self) {
        let docker = |words: &[&str]| {
            let mut command = Command::new("docker");
            command.args(["--host", &self.address]).args(words).env_remove("DOCKER_HOST");
            command
                .output()
                .map(|output| String::from_utf8_lossy(&output.stdout).into_owned())
                .unwrap_or_default()
        };
        if self.scope.is_empty() {
            return;
        }
        let label = format!("label=io.release.scope={}", self.scope);
        for (list, remove) in [
            (["service", "ls", "-q"], ["service", "rm"].as_slice()),
            (["ps", "-aq", "--no-trunc"], &["rm", "-f", "-v"]),
            (["network", "ls", "-q"], &["network", "rm"]),
        ] {
            let found = docker(&[list.as_slice(), &["--filter", &label]].concat());
            for id in found.lines() {
                docker(&[remove, &[id]].concat());
            }
        }
    }
}

/// One environment of containers for `left` that publishes a port and asks for its health.
pub fn environment(name: &str, port: u16, more: &str) -> String {
    format!(
        "[environment.{name}]\ntarget = \"container\"\npackages = [\"left\"]\n{more}\n[environment.{name}.service.left]\n\
         publish = [\"127.0.0.1:{port}:8080\"]\nhandover = \"direct\"\ndrain = \"1s\"\n\n\
         [[environment.{name}.validate]]\nkind = \"http\"\nurl = \"http://127.0.0.1:{port}/cgi-bin/health\"\n\
         interval = \"1s\"\n\n[[environment.{name}.validate]]\nkind = \"container\"\ninterval = \"1s\"\n\n"
    )
}

/// A folder's copy that may be written.
pub fn writable_copy(from: &Path, to: &Path) {
    copy(from, to);
    let status = Command::new("chmod").args(["-R", "u+w"]).arg(to).status().unwrap();
    assert!(status.success());
}
