//! Builds packages that ask for the same requirements in one environment, with one warm interpreter that forks for each
//! hook; what can not be built so is left to the front end. The files are the same, byte for byte.
//!
//! The environment is made by `uv build` itself, of a project whose back end is ours: resolved, installed and started
//! as uv does it, with all settings that hold for the packages. uv clears it away when the interpreter ends.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::pin::pin;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use futures_util::future::join_all;
use tempfile::TempDir;
use tokio::sync::{OnceCell, Semaphore, SemaphorePermit};
use tokio::task::JoinHandle;
use tokio::time::timeout;
use toml_edit::{Array, Value};

use crate::apply::build::{
    BuildError, BuildRequest, Built, Frontend, TAIL, by_front_end, project_folder, settled,
};
use crate::apply::hooked::{Left, build_by_hooks};
use crate::apply::recipe::{Recipe, Unfit};
use crate::apply::traces::Traces;
use crate::apply::uv_scope::{PythonWish, Scope, version_files};
use crate::world::command::Command;
use crate::world::interpreter::{Interpreter, InterpreterError, MODULE};
use crate::world::tools::{Tool, ToolCache};

/// The environments of one ship. They go with it: nothing is kept for the next.
pub struct Workbench {
    is_warm: bool,
    /// Where what back ends compile to is kept.
    compiled: PathBuf,
    folder: OnceCell<TempDir>,
    stations: Mutex<BTreeMap<Need, Station>>,
    shared: AtomicUsize,
    /// How many hooks and front ends run side by side.
    turns: Semaphore,
    /// Those that nobody works with, which are to end too.
    spare: Mutex<Vec<Interpreter>>,
    /// Those that are ending.
    retired: Mutex<Vec<JoinHandle<()>>>,
}

/// How long uv is left alone: as a rule it needs no more where it asks nobody, and a second one would only hold it up.
const ALONE: Duration = Duration::from_millis(100);
/// How long one that is of no use any more may take to come before it can be ended.
const LATE: Duration = Duration::from_secs(3);

/// An interpreter, made once; none where it could not be made.
type Station = Arc<OnceCell<Option<Arc<Interpreter>>>>;

/// One that starts on its own; it is stopped where nobody waits for it any more.
struct Starting(JoinHandle<Result<Interpreter, InterpreterError>>);

impl Drop for Starting {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// What an environment is made from.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Need {
    recipe: Recipe,
    scope: Scope,
    program: PathBuf,
    /// Set in the interpreter from its start.
    epoch: i64,
    temporary: Option<String>,
}

/// What the packages of one environment share, and who asks.
pub(in crate::apply) struct Asking<'a> {
    pub request: &'a BuildRequest,
    pub project: &'a Path,
    tool: &'a Tool,
    scope: Scope,
    /// What was used of the time limit, in microseconds.
    used: AtomicU64,
}

impl Workbench {
    /// One that keeps interpreters warm, or one that leaves all to the front end; `jobs` processors are kept busy. Of what
    /// it makes, only the code of back ends, compiled, is kept in the cache for the next.
    pub fn new(is_warm: bool, jobs: usize, cache: &ToolCache) -> Workbench {
        Workbench {
            is_warm,
            compiled: cache.folder().join("compiled"),
            folder: OnceCell::new(),
            stations: Mutex::default(),
            shared: AtomicUsize::new(0),
            // One more: each of them waits for files now and then.
            turns: Semaphore::new(jobs + 1),
            spare: Mutex::default(),
            retired: Mutex::default(),
        }
    }

    /// Builds one package, as `build` does, in a shared environment where that gives the same files.
    ///
    /// A back end that fails here is asked once more through the front end, in the tree as it was: then the words are the
    /// front end's, and nothing fails that would not fail without this. One that takes too long is not asked again.
    ///
    /// # Errors
    /// As `build`.
    pub async fn build(&self, request: BuildRequest) -> Result<Built, BuildError> {
        let project = project_folder(&request)?;
        let Ok((recipe, asking)) = self.fit(&request, &project) else {
            let _turn = self.turn().await;
            return by_front_end(&request, request.timeout).await;
        };
        let traces = Traces::of(&project);
        let left = match build_by_hooks(self, &recipe, &asking).await {
            Ok(built) => {
                self.shared.fetch_add(1, Ordering::Relaxed);
                return Ok(built);
            }
            Err(left) => left,
        };
        let (package, limit) = (request.package.clone(), request.timeout);
        match left {
            Left::Stopped(error) => Err(error),
            Left::TimedOut { tail } => Err(BuildError::TimedOut { package, limit, tail }),
            _ if traces.undo() => {
                let _turn = self.turn().await;
                by_front_end(&request, asking.left()).await
            }
            Left::Failed { output } => {
                let (status, tail) = (output.status.to_string(), output.tail(TAIL));
                Err(BuildError::Failed { package, status, tail })
            }
            Left::Broken => Err(BuildError::Failed {
                package,
                status: "its interpreter ended".to_owned(),
                tail: String::new(),
            }),
        }
    }

    /// How many packages were built without the front end so far.
    pub fn shared_builds(&self) -> usize {
        self.shared.load(Ordering::Relaxed)
    }

    /// Lets all interpreters end meanwhile, as no build is to come. One that comes after all makes its own.
    pub fn retire(&self) {
        keep(&self.retired, tokio::spawn(end(take(&self.stations), take(&self.spare))));
    }

    /// Ends all interpreters and waits until their environments are cleared away.
    pub async fn close(&self) {
        for ending in take(&self.retired) {
            // One that panicked has ended too.
            let _ = ending.await;
        }
        end(take(&self.stations), take(&self.spare)).await;
    }

    /// The right to occupy a processor, as long as it is held. Nothing else is waited for meanwhile.
    pub(in crate::apply) async fn turn(&self) -> SemaphorePermit<'_> {
        self.turns.acquire().await.expect("the turns are never closed")
    }

    fn fit<'a>(&self, request: &'a BuildRequest, project: &'a Path) -> Result<(Recipe, Asking<'a>), Unfit> {
        let Frontend::Uv(tool) = &request.frontend else { return Err(Unfit::FrontEnd) };
        if !self.is_warm || request.find_links.is_some() {
            return Err(Unfit::FrontEnd);
        }
        let recipe = Recipe::of(project)?;
        let scope = Scope::of(project, &recipe)?;
        Ok((recipe, Asking { request, project, tool, scope, used: AtomicU64::new(0) }))
    }

    /// The interpreter for a recipe, which is started where there is none yet.
    pub(in crate::apply) async fn station(
        &self,
        recipe: &Recipe,
        asking: &Asking<'_>,
    ) -> Option<Arc<Interpreter>> {
        let need = asking.need(recipe);
        let station = Arc::clone(self.stations.lock().ok()?.entry(need).or_default());
        let start = || async { self.start(recipe, asking).await.ok().map(Arc::new) };
        station.get_or_init(start).await.clone()
    }

    /// Starts an interpreter in the environment that uv resolves now. Where uv asks the index for long whether its cache
    /// still holds, another one that is made from this cache alone imports the back end meanwhile. It works in the first
    /// one's place where both have the same installed, and sees no package before that is known.
    async fn start(&self, recipe: &Recipe, asking: &Asking<'_>) -> Result<Interpreter, InterpreterError> {
        let modules = recipe.modules();
        let compiled = self.compiled.join(modules.first().unwrap_or(&"none"));
        let (command, place) = self.stand_in(recipe, asking, &[]).await?;
        let mut resolving = pin!(Interpreter::start(command, &place));
        let mut ahead = None;
        let resolved = match timeout(ALONE, &mut resolving).await {
            Ok(resolved) => resolved,
            Err(_) => {
                if !modules.is_empty() {
                    ahead = self.start_ahead(recipe, asking, modules, compiled.clone()).await.ok();
                }
                resolving.await
            }
        };
        let ahead = match ahead {
            Some(ahead) => self.come_so_far(ahead).await,
            None => None,
        };
        match (ahead, resolved) {
            (Some(ahead), Ok(resolved)) if ahead.is_same_as(&resolved) => {
                keep(&self.spare, resolved);
                Ok(ahead)
            }
            (stale, resolved) => {
                stale.into_iter().for_each(|stale| keep(&self.spare, stale));
                let resolved = resolved?;
                resolved.import(modules, &compiled).await?;
                Ok(resolved)
            }
        }
    }

    async fn start_ahead(
        &self,
        recipe: &Recipe,
        asking: &Asking<'_>,
        modules: &'static [&'static str],
        compiled: PathBuf,
    ) -> Result<Starting, InterpreterError> {
        let (command, place) = self.stand_in(recipe, asking, &["--offline"]).await?;
        Ok(Starting(tokio::spawn(async move {
            let interpreter = Interpreter::start(command, &place).await?;
            interpreter.import(modules, &compiled).await?;
            Ok(interpreter)
        })))
    }

    /// The interpreter if it has started; one that has not is ended when it has.
    async fn come_so_far(&self, mut starting: Starting) -> Option<Interpreter> {
        if starting.0.is_finished() {
            return (&mut starting.0).await.ok()?.ok();
        }
        keep(&self.retired, tokio::spawn(end_late(starting)));
        None
    }

    /// A project whose back end is ours, and uv's command that builds it.
    async fn stand_in(
        &self,
        recipe: &Recipe,
        asking: &Asking<'_>,
        options: &[&str],
    ) -> Result<(Command, PathBuf), InterpreterError> {
        let folder = self.folder().await?.path();
        let failed = |source| InterpreterError::Socket { folder: folder.to_owned(), source };
        let place = tempfile::tempdir_in(folder).map_err(failed)?.keep();
        write_project(&place, recipe, &asking.scope).map_err(failed)?;
        let command = asking.tool.command().args(["build", "--sdist", "--project"]).arg(asking.project);
        let command = command.args(options).arg("--out-dir").arg(place.join("out"));
        let mut command = settled(command, asking.request).arg(&place).cwd(asking.project);
        if let Some(temporary) = asking.temporary() {
            command = command.set("TMPDIR", temporary);
        }
        Ok((command, place))
    }

    /// A new folder to unpack into.
    ///
    /// # Errors
    /// Where none can be made.
    pub(in crate::apply) async fn unpacking(&self) -> Result<TempDir, InterpreterError> {
        let folder = self.folder().await?.path();
        tempfile::tempdir_in(folder)
            .map_err(|source| InterpreterError::Socket { folder: folder.to_owned(), source })
    }

    /// The folder of all trees that are unpacked. As in uv's cache, no back end that looks upwards for a repository, or
    /// for what one ignores, finds any.
    async fn folder(&self) -> Result<&TempDir, InterpreterError> {
        let make = || async {
            let folder = tempfile::Builder::new().prefix("release-builds-").tempdir()?;
            for name in [".git", ".gitignore"] {
                std::fs::write(folder.path().join(name), "")?;
            }
            Ok(folder)
        };
        let made = self.folder.get_or_try_init(make).await;
        made.map_err(|source| InterpreterError::Socket { folder: std::env::temp_dir(), source })
    }
}

impl Asking<'_> {
    /// Does what the package's time limit is for.
    pub(in crate::apply) async fn spending<T>(&self, work: impl Future<Output = T>) -> T {
        let began = Instant::now();
        let done = work.await;
        let micros = u64::try_from(began.elapsed().as_micros()).unwrap_or(u64::MAX);
        self.used.fetch_add(micros, Ordering::Relaxed);
        done
    }

    /// What is left of the time limit.
    pub(in crate::apply) fn left(&self) -> Duration {
        let used = Duration::from_micros(self.used.load(Ordering::Relaxed));
        self.request.timeout.saturating_sub(used)
    }

    fn need(&self, recipe: &Recipe) -> Need {
        Need {
            recipe: recipe.clone(),
            scope: self.scope.clone(),
            program: self.tool.program.clone(),
            epoch: self.request.epoch,
            temporary: self.temporary().map(str::to_owned),
        }
    }

    fn temporary(&self) -> Option<&str> {
        let mut environment = self.request.environment.iter();
        environment.find(|(name, _)| name == "TMPDIR").map(|(_, value)| value.as_str())
    }
}

/// Ends interpreters that nobody works with any more.
async fn end(stations: BTreeMap<Need, Station>, spare: Vec<Interpreter>) {
    let worked = stations
        .into_values()
        .filter_map(|station| Arc::into_inner(station).and_then(OnceCell::into_inner).flatten())
        .filter_map(Arc::into_inner);
    join_all(worked.chain(spare).map(Interpreter::close)).await;
}

/// Ends one that comes too late to be of use, or not at all.
async fn end_late(mut late: Starting) {
    if let Ok(Ok(Ok(interpreter))) = timeout(LATE, &mut late.0).await {
        interpreter.close().await;
    }
}

fn keep<T>(kept: &Mutex<Vec<T>>, value: T) {
    if let Ok(mut kept) = kept.lock() {
        kept.push(value);
    }
}

fn take<T: Default>(kept: &Mutex<T>) -> T {
    kept.lock().map(|mut kept| std::mem::take(&mut *kept)).unwrap_or_default()
}

/// Writes the project whose back end is ours.
fn write_project(place: &Path, recipe: &Recipe, scope: &Scope) -> std::io::Result<()> {
    let mut text = format!(
        "[build-system]\nrequires = {}\nbuild-backend = \"release_stand_in\"\nbackend-path = [\".\"]\n\n[project]\nname = \
         \"release-stand-in\"\nversion = \"0\"\n",
        recipe.requires.iter().collect::<Array>()
    );
    match &scope.python {
        PythonWish::Files(files) => {
            for (name, file) in files {
                std::fs::write(place.join(name), file)?;
            }
        }
        PythonWish::Range(_) if !version_files(place).is_empty() => {
            return Err(std::io::Error::other("there is a version file above the temporary folder"));
        }
        PythonWish::Range(range) => {
            if let Some(range) = range {
                text.push_str(&format!("requires-python = {}\n", Value::from(range)));
            }
        }
    }
    std::fs::write(place.join("pyproject.toml"), text)?;
    std::fs::write(place.join("release_stand_in.py"), MODULE)
}

#[cfg(test)]
#[path = "workbench_tests.rs"]
mod tests;
