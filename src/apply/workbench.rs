//! Builds packages that ask for the same requirements in one environment, with one warm interpreter that forks for each
//! hook; what can not be built so is left to the front end. The files are the same, byte for byte.
//!
//! The environment is made by `uv build` itself, of a project whose back end is ours: resolved, installed and started
//! as uv does it, with all settings that hold for the packages. uv clears it away when the interpreter ends.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Instant;

use tempfile::TempDir;
use tokio::sync::OnceCell;
use tokio::task::JoinHandle;
use toml_edit::{Array, Value};

use crate::apply::build::{
    BuildError, BuildRequest, Built, Frontend, TAIL, by_front_end, project_folder, settled,
};
use crate::apply::hooked::{Left, build_by_hooks};
use crate::apply::recipe::{Recipe, Unfit};
use crate::apply::traces::Traces;
use crate::apply::uv_scope::{PythonWish, Scope, version_files};
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
    /// Those that are ending.
    retired: Mutex<Vec<JoinHandle<()>>>,
}

/// An interpreter, made once; none where it could not be made.
type Station = Arc<OnceCell<Option<Arc<Interpreter>>>>;

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
    pub began: Instant,
}

impl Workbench {
    /// One that keeps interpreters warm, or one that leaves all to the front end. Of what it makes, only the code of back
    /// ends, compiled, is kept in the cache for the next.
    pub fn new(is_warm: bool, cache: &ToolCache) -> Workbench {
        Workbench {
            is_warm,
            compiled: cache.folder().join("compiled"),
            folder: OnceCell::new(),
            stations: Mutex::default(),
            shared: AtomicUsize::new(0),
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
        let began = Instant::now();
        let project = project_folder(&request)?;
        let Ok((recipe, asking)) = self.fit(&request, &project, began) else {
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
            _ if traces.undo() => by_front_end(&request, limit.saturating_sub(began.elapsed())).await,
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
        let ending = tokio::spawn(end(self.take_stations()));
        if let Ok(mut retired) = self.retired.lock() {
            retired.push(ending);
        }
    }

    /// Ends all interpreters and waits until their environments are cleared away.
    pub async fn close(&self) {
        let retired = self.retired.lock().map(|mut retired| std::mem::take(&mut *retired));
        for ending in retired.unwrap_or_default() {
            // One that panicked has ended too.
            let _ = ending.await;
        }
        end(self.take_stations()).await;
    }

    fn take_stations(&self) -> BTreeMap<Need, Station> {
        self.stations.lock().map(|mut stations| std::mem::take(&mut *stations)).unwrap_or_default()
    }

    fn fit<'a>(
        &self,
        request: &'a BuildRequest,
        project: &'a Path,
        began: Instant,
    ) -> Result<(Recipe, Asking<'a>), Unfit> {
        let Frontend::Uv(tool) = &request.frontend else { return Err(Unfit::FrontEnd) };
        if !self.is_warm || request.find_links.is_some() {
            return Err(Unfit::FrontEnd);
        }
        let recipe = Recipe::of(project)?;
        let scope = Scope::of(project, &recipe)?;
        Ok((recipe, Asking { request, project, tool, scope, began }))
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

    async fn start(&self, recipe: &Recipe, asking: &Asking<'_>) -> Result<Interpreter, InterpreterError> {
        let folder = self.folder().await?.path();
        let failed = |source| InterpreterError::Socket { folder: folder.to_owned(), source };
        let place = tempfile::tempdir_in(folder).map_err(failed)?.keep();
        write_project(&place, recipe, &asking.scope).map_err(failed)?;
        let command = asking.tool.command().args(["build", "--sdist", "--project"]).arg(asking.project);
        let command = command.arg("--out-dir").arg(place.join("out"));
        let mut command = settled(command, asking.request).arg(&place).cwd(asking.project);
        if let Some(temporary) = asking.temporary() {
            command = command.set("TMPDIR", temporary);
        }
        let modules = recipe.modules();
        let compiled = self.compiled.join(modules.first().unwrap_or(&"none"));
        Interpreter::start(command, &place, modules, &compiled).await
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
async fn end(stations: BTreeMap<Need, Station>) {
    for station in stations.into_values() {
        let interpreter = Arc::into_inner(station).and_then(OnceCell::into_inner).flatten();
        if let Some(interpreter) = interpreter.and_then(Arc::into_inner) {
            interpreter.close().await;
        }
    }
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
