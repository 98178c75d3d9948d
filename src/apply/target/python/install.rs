//! Fills a release's virtual environment, by hash, and says what is installed in one.

use std::path::Path;
use std::time::Duration;

use pep440_rs::VersionSpecifiers;
use std::str::FromStr;

use crate::apply::crash;
use crate::apply::environment::{Environment, EnvironmentError, Installer};
use crate::apply::install_set::{InstallSet, SetError, install_set, published_wheel};
use crate::apply::smoke::requirements;
use crate::apply::supply::{Supply, Wanted};
use crate::apply::target::Answer;
use crate::apply::target::error::TargetError;
use crate::apply::target::python::record::Installed;
use crate::apply::target::python::{supply_error, unusable};
use crate::plan::deployment::Placed;
use crate::world::command::{Command, Output, run};
use crate::world::files::write_atomically;
use crate::world::tools::PYTHON_VARIABLES;

/// How long a look at what is installed may take.
const LOOK: Duration = Duration::from_secs(60);
const TAIL: usize = 20;

/// Says of each distribution named in the arguments which version is installed, the sum of its RECORD, and which files
/// are not as RECORD says.
const INSTALLED: &str = "
import base64, hashlib, importlib.metadata, json, sys
found = {}
for name in sys.argv[1:]:
    try:
        distribution = importlib.metadata.distribution(name)
    except importlib.metadata.PackageNotFoundError:
        continue
    record = distribution.read_text('RECORD') or ''
    altered = []
    for file in distribution.files or []:
        if file.hash is None:
            continue
        try:
            with open(file.locate(), 'rb') as stream:
                sum = hashlib.new(file.hash.mode, stream.read()).digest()
        except OSError:
            sum = b''
        if base64.urlsafe_b64encode(sum).rstrip(b'=').decode() != file.hash.value:
            altered.append(str(file))
    found[name] = {'version': distribution.version, 'record': hashlib.sha256(record.encode()).hexdigest()}
    if altered:
        found[name]['altered'] = altered[:3]
print(json.dumps(found))
";

/// An environment to be made.
pub struct Order<'o> {
    pub supply: &'o Supply<'o>,
    pub wanted: &'o Placed,
    pub files: &'o Wanted,
    /// How long each installer run may take.
    pub limit: Duration,
}

impl Order<'_> {
    /// Makes the environment at a place where nothing is: the release and the repository's packages that it needs, by
    /// the digests of the index; packages of others by hash too, as `lock` says, which is written where it is not there.
    ///
    /// # Errors
    /// `Impossible` where it can not be installed, `Outside` where an index or a program does not answer.
    pub async fn install(&self, path: &Path, lock: &Path) -> Answer<Installed> {
        let mirror =
            self.supply.mirror(self.files).await.map_err(|error| supply_error(self.wanted, error))?;
        let (name, version) = (&self.files.package, &self.files.version);
        let wheel =
            published_wheel(mirror.folder(), name, version).map_err(|error| self.set_error(&error))?;
        let uv = self.supply.tools.uv().await.map_err(|error| outside("uv", &error.to_string()))?;
        let requires_python = wheel.metadata.requires_python();
        crash::point();
        let environment = Environment::make_at(path, Installer::Uv(uv), requires_python, self.limit).await;
        let environment = environment.map_err(|error| environment_error(&error))?;
        let markers = environment.markers().await.map_err(|error| environment_error(&error))?;
        if let Some(wanted) = requires_python.and_then(|text| VersionSpecifiers::from_str(text).ok())
            && !wanted.contains(&markers.python_full_version().version)
        {
            let python = markers.python_full_version();
            return Err(self.impossible(format!("it requires Python {wanted}, and the one here is {python}")));
        }
        let mut set = install_set(mirror.folder(), name, version, self.supply.internal, &markers)
            .map_err(|error| self.set_error(&error))?;
        for pin in set.pins.iter_mut().filter(|pin| pin.name == *name) {
            // The index may have got more files since; only those of the release are installed.
            pin.wheels.retain(|(file, _)| self.files.wheels.contains_key(file));
        }
        self.fill(&environment, &set, mirror.address(), lock).await?;
        let names = set.pins.iter().map(|pin| pin.name.to_string()).collect();
        let found = installed(path, names).await?;
        let is_whole = |found: &Installed| {
            found.len() == set.pins.len() && found.values().all(|found| found.altered.is_empty())
        };
        found
            .filter(is_whole)
            .ok_or_else(|| outside("the new environment", "what was installed is not there"))
    }

    async fn fill(
        &self,
        environment: &Environment,
        set: &InstallSet,
        index: &str,
        lock: &Path,
    ) -> Answer<()> {
        let output = environment.install_pinned(&requirements(&set.pins), index).await;
        done("installing by hash", output)?;
        crash::point();
        if !set.external.is_empty() {
            let locked = self.locked(environment, &set.external, lock).await?;
            done("installing packages of others", environment.install_locked(&locked).await)?;
        }
        let output = environment.check().await.map_err(|error| environment_error(&error))?;
        if output.success() {
            return Ok(());
        }
        Err(self.impossible(format!("what is installed does not fit together:\n{}", output.tail(TAIL))))
    }

    /// The files of other packages, each with its hashes: decided once, so that the release is the same when it is made
    /// again.
    async fn locked(&self, environment: &Environment, external: &[String], lock: &Path) -> Answer<String> {
        if let Ok(locked) = std::fs::read_to_string(lock) {
            return Ok(locked);
        }
        let output = done("finding packages of others", environment.resolve(external).await)?;
        let locked = String::from_utf8_lossy(&output.stdout).into_owned();
        write_atomically(lock, locked.as_bytes()).map_err(|error| unusable(lock, &error))?;
        Ok(locked)
    }

    fn impossible(&self, reason: String) -> TargetError {
        let (package, version) = (self.wanted.package.clone(), self.wanted.version.clone());
        TargetError::Impossible { package, version, reason }
    }

    fn set_error(&self, error: &SetError) -> TargetError {
        match error {
            SetError::Index(_) | SetError::Unreadable { .. } => outside("the index", &error.to_string()),
            _ => self.impossible(error.to_string()),
        }
    }
}

/// What is installed of these distributions; none where the environment's Python does not run.
///
/// # Errors
/// Where the look takes too long.
pub async fn installed(path: &Path, names: Vec<String>) -> Answer<Option<Installed>> {
    let python = path.join("bin").join("python");
    let command = Command::new(&python).args(["-I", "-B", "-c", INSTALLED]).args(names).timeout(LOOK);
    let Ok(output) = run(command.remove(PYTHON_VARIABLES)).await else { return Ok(None) };
    if output.timed_out {
        return Err(outside(
            &format!("`{}`", python.display()),
            "it takes too long to say what is installed",
        ));
    }
    Ok(if output.success() { serde_json::from_slice(&output.stdout).ok() } else { None })
}

/// A run of the installer that must have gone well. That it did not may be the network's fault: it is tried again.
fn done(what: &str, output: Result<Output, EnvironmentError>) -> Answer<Output> {
    let output = output.map_err(|error| environment_error(&error))?;
    if output.success() {
        return Ok(output);
    }
    let end = if output.timed_out { "took too long" } else { "failed" };
    Err(outside("the index", &format!("{what} {end}:\n{}", output.tail(TAIL))))
}

fn environment_error(error: &EnvironmentError) -> TargetError {
    outside("the new environment", &error.to_string())
}

fn outside(what: &str, reason: &str) -> TargetError {
    TargetError::Outside { what: what.to_owned(), reason: reason.to_owned() }
}
