//! Tries a published package: a clean environment, an install by hash, imports, entry points.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use pep440_rs::VersionSpecifiers;
use pep508_rs::MarkerEnvironment;

use crate::apply::environment::{Environment, EnvironmentError, Installer};
use crate::apply::index::IndexError;
use crate::apply::install_set::{InstallSet, Pin, SetError, install_set, published_wheel};
use crate::apply::rooms::{Room, Rooms};
use crate::check::entry_points::EntryPoint;
use crate::check::modules;
use crate::check::wheel::Wheel;
use crate::version::number::Version;
use crate::workspace::name::PackageName;
use crate::world::command::Output;

/// How many lines of a failed program's output are shown.
const TAIL: usize = 25;

/// A package to try.
#[derive(Debug, Clone)]
pub struct SmokeRequest {
    /// A folder that holds what the index has of the package and those it needs.
    pub index: PathBuf,
    /// The index as installers are given it.
    pub address: String,
    pub package: PackageName,
    pub version: Version,
    /// The packages of the repository with the versions they have once all is published.
    pub internal: BTreeMap<PackageName, Version>,
    pub installer: Installer,
    /// How long each installer run and the imports may take.
    pub timeout: Duration,
    /// How long each script may take to print its help.
    pub script_timeout: Duration,
}

/// What the trial showed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SmokeReport {
    pub outcome: Outcome,
    /// What was seen, fit for the ledger: `python`, `installed/NAME`, `imported`, `script/NAME`.
    pub evidence: BTreeMap<String, String>,
    /// Remarks that change nothing.
    pub notes: Vec<String>,
}

/// The result of a trial. Not being able to tell is neither a pass nor a failure.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    Pass,
    Fail { reason: String },
    Inconclusive { reason: String },
}

/// Why there was no trial.
#[derive(Debug, thiserror::Error)]
pub enum SmokeError {
    #[error("`{package}` {version} can not be tried")]
    Set { package: PackageName, version: Version, source: SetError },
    #[error(transparent)]
    Index(#[from] IndexError),
    #[error(transparent)]
    Environment(#[from] EnvironmentError),
}

/// Imports each module named before a `--`, then loads each entry point named after it: `NAME=MODULE:ATTRIBUTE`.
const IMPORT: &str = "
import importlib, sys
split = sys.argv.index('--')
for name in sys.argv[1:split]:
    print('importing', name, flush=True)
    importlib.import_module(name)
for point in sys.argv[split + 1:]:
    name, place = point.split('=', 1)
    print('loading', name, flush=True)
    module, attribute = place.split(':', 1)
    found = importlib.import_module(module)
    for part in filter(None, attribute.split('.')):
        found = getattr(found, part)
";

/// Tries one package of the index.
///
/// # Errors
/// Where no trial could be made; a failed one is in the report.
pub async fn smoke(request: SmokeRequest) -> Result<SmokeReport, SmokeError> {
    smoke_in(&request, &Rooms::default()).await
}

/// The same in one of these rooms.
///
/// # Errors
/// As `smoke`.
pub async fn smoke_in(request: &SmokeRequest, rooms: &Rooms) -> Result<SmokeReport, SmokeError> {
    let wheel = published_wheel(&request.index, &request.package, &request.version);
    let wheel = wheel.map_err(|source| request.untried(source))?;
    let room = rooms.take(&request.installer, wheel.metadata.requires_python(), request.timeout).await?;
    let report = attempt(request, &wheel, &room).await;
    rooms.give_back(room);
    report
}

async fn attempt(request: &SmokeRequest, wheel: &Wheel, room: &Room) -> Result<SmokeReport, SmokeError> {
    let (environment, markers) = (&room.environment, &room.markers);
    let mut trial = Trial { request, environment, evidence: BTreeMap::new(), notes: Vec::new() };
    trial.note_python(markers);
    if let Some(reason) = wrong_python(wheel.metadata.requires_python(), markers) {
        return Ok(trial.report(Outcome::Inconclusive { reason }));
    }
    let set = install_set(&request.index, &request.package, &request.version, &request.internal, markers);
    let outcome = match set {
        Ok(set) => trial.run(wheel, &set).await?,
        Err(error @ SetError::Absent { .. }) => Outcome::Inconclusive { reason: error.to_string() },
        Err(error @ SetError::Unsatisfied { .. }) => Outcome::Fail { reason: error.to_string() },
        Err(error) => return Err(request.untried(error)),
    };
    Ok(trial.report(outcome))
}

/// A requirements file that pins each package to its version and the hashes of its wheels.
pub fn requirements(pins: &[Pin]) -> String {
    let line = |pin: &Pin| {
        let hashes: String = pin.wheels.iter().map(|(_, digest)| format!(" --hash={digest}")).collect();
        format!("{}=={}{hashes}\n", pin.name, pin.version)
    };
    pins.iter().map(line).collect()
}

impl SmokeRequest {
    fn untried(&self, source: SetError) -> SmokeError {
        SmokeError::Set { package: self.package.clone(), version: self.version.clone(), source }
    }
}

struct Trial<'a> {
    request: &'a SmokeRequest,
    environment: &'a Environment,
    evidence: BTreeMap<String, String>,
    notes: Vec<String>,
}

impl Trial<'_> {
    async fn run(&mut self, wheel: &Wheel, set: &InstallSet) -> Result<Outcome, SmokeError> {
        if let Some(outcome) = self.install(set).await? {
            return Ok(outcome);
        }
        self.note_installed(set)?;
        // Both only read what was installed.
        let environment = self.environment;
        let (fits, works) = tokio::join!(environment.check(), self.works(wheel));
        let (fits, works) = (fits?, works?);
        if !fits.success() {
            return Ok(failed("checking that all fits together", &fits));
        }
        Ok(works.unwrap_or(Outcome::Pass))
    }

    /// Installs the set. An outcome means that it ends here.
    async fn install(&self, set: &InstallSet) -> Result<Option<Outcome>, SmokeError> {
        let output = self.environment.install_pinned(&requirements(&set.pins), &self.request.address).await?;
        if !output.success() {
            return Ok(Some(failed("installing it by hash", &output)));
        }
        if !set.external.is_empty() {
            let output = self.environment.install(&set.external).await?;
            if !output.success() {
                // No network and an impossible requirement look alike from here.
                let wanted = set.external.join("`, `");
                let reason = format!("`{wanted}` could not be installed:\n{}", output.tail(TAIL));
                return Ok(Some(Outcome::Inconclusive { reason }));
            }
        }
        Ok(None)
    }

    /// Imports its modules and loads its console entry points, then asks each script for its help.
    async fn works(&mut self, wheel: &Wheel) -> Result<Option<Outcome>, SmokeError> {
        let modules = self.modules(wheel);
        let points: Vec<&EntryPoint> =
            wheel.entry_points.iter().filter(|point| point.group == "console_scripts").collect();
        if let Some(outcome) = self.import(&modules, &points).await? {
            return Ok(Some(outcome));
        }
        for point in points {
            if let Some(outcome) = self.script(&point.name).await? {
                return Ok(Some(outcome));
            }
        }
        Ok(None)
    }

    /// One Python for both: that an entry point loads alone is what its script shows.
    async fn import(
        &mut self,
        modules: &[String],
        points: &[&EntryPoint],
    ) -> Result<Option<Outcome>, SmokeError> {
        if modules.is_empty() {
            self.notes.push("the wheel holds no importable module".to_owned());
        }
        if modules.is_empty() && points.is_empty() {
            return Ok(None);
        }
        let loaded =
            points.iter().map(|point| format!("{}={}:{}", point.name, point.module, point.attribute));
        let arguments: Vec<String> = modules.iter().cloned().chain(["--".to_owned()]).chain(loaded).collect();
        let output = self.environment.python(IMPORT, &arguments).await?;
        if !output.success() {
            return Ok(Some(failed(&last_line(&output, "importing it"), &output)));
        }
        if !modules.is_empty() {
            self.evidence.insert("imported".to_owned(), modules.join(", "));
        }
        Ok(None)
    }

    async fn script(&mut self, name: &str) -> Result<Option<Outcome>, SmokeError> {
        let what = format!("`{name} --help`");
        if name.contains(['/', '\\']) {
            return Ok(Some(Outcome::Fail { reason: format!("the script name `{name}` is a path") }));
        }
        let output = self.environment.script(name, "--help", self.request.script_timeout).await?;
        let has_traceback =
            String::from_utf8_lossy(&output.stderr).contains("Traceback (most recent call last)");
        match output.status.code() {
            Some(_) if output.timed_out || has_traceback => return Ok(Some(failed(&what, &output))),
            None => return Ok(Some(failed(&what, &output))),
            Some(0) => {}
            Some(code) => self.notes.push(format!("{what} ends with exit code {code}")),
        }
        let code = output.status.code().unwrap_or_default();
        self.evidence.insert(format!("script/{name}"), format!("exit {code}"));
        Ok(None)
    }

    fn modules(&mut self, wheel: &Wheel) -> Vec<String> {
        let (modules, accidental) = modules::split_accidental(wheel.modules.clone());
        if !accidental.is_empty() {
            self.notes.push(format!("`{}` is not imported", accidental.join("`, `")));
        }
        modules
    }

    fn note_python(&mut self, markers: &MarkerEnvironment) {
        let python = format!("{} {}", markers.implementation_name(), markers.python_full_version());
        self.evidence.insert("python".to_owned(), python);
        let platform = format!("{} {}", markers.sys_platform(), markers.platform_machine());
        self.evidence.insert("platform".to_owned(), platform);
        let installer = match &self.request.installer {
            Installer::Uv(tool) => format!("uv {}", tool.version),
            Installer::Pip(tool) => format!("pip of Python {}", tool.version),
        };
        self.evidence.insert("installer".to_owned(), installer);
    }

    /// Records every installed package: those of the index with the digests that were allowed.
    fn note_installed(&mut self, set: &InstallSet) -> Result<(), SmokeError> {
        for (name, version) in self.environment.installed()? {
            let name = PackageName::new(&name);
            let pin = set.pins.iter().find(|pin| pin.name == name);
            let digests =
                pin.map(|pin| pin.wheels.iter().map(|(_, digest)| format!(" {digest}")).collect::<String>());
            self.evidence.insert(format!("installed/{name}"), version + &digests.unwrap_or_default());
        }
        Ok(())
    }

    fn report(self, outcome: Outcome) -> SmokeReport {
        SmokeReport { outcome, evidence: self.evidence, notes: self.notes }
    }
}

fn failed(what: &str, output: &Output) -> Outcome {
    let how = if output.timed_out { "took too long" } else { "failed" };
    Outcome::Fail { reason: format!("{what} {how} ({}):\n{}", output.status, output.tail(TAIL)) }
}

/// The last thing a program of ours said it was about to do.
fn last_line(output: &Output, otherwise: &str) -> String {
    let text = String::from_utf8_lossy(&output.stdout);
    let said = text.lines().rfind(|line| line.starts_with("importing ") || line.starts_with("loading "));
    match said.and_then(|line| line.split_once(' ')) {
        Some((verb, name)) => format!("{verb} `{name}`"),
        None => otherwise.to_owned(),
    }
}

/// Why this Python is not one that the package is made for.
fn wrong_python(requires_python: Option<&str>, markers: &MarkerEnvironment) -> Option<String> {
    let wanted = requires_python?;
    let specifiers = VersionSpecifiers::from_str(wanted).ok()?;
    let python = markers.python_full_version();
    (!specifiers.contains(&python.version))
        .then(|| format!("the package requires Python {wanted}, and the one found here is {python}"))
}

#[cfg(test)]
#[path = "smoke_tests.rs"]
mod tests;
