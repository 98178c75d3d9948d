//! The target `python`: a virtual environment for each release, and a link to the one that runs.
//!
//! Below DIRECTORY/PACKAGE stand `releases/VERSION-DIGEST`, each an environment with its record, and `current`, a link
//! to one of them. A folder counts once its record is there, which is written last; the link moves in one step.

pub mod folder;
pub mod install;
pub mod record;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use tokio::time::sleep;

use crate::apply::release_variables::{Context, set};
use crate::apply::supply::{Supply, SupplyError, Wanted};
use crate::apply::target::error::TargetError;
use crate::apply::target::python::folder::{Home, Linked};
use crate::apply::target::python::record::Record;
use crate::apply::target::{Answer, Mark, Observed, Remark, is_running};
use crate::plan::deployment::Placed;
use crate::plan::digest::Digest;
use crate::workspace::config::environment::ServiceTable;
use crate::world::command::{Command, run};
use crate::world::files::Lock;

/// How long another run's work on the same package is waited for.
const PATIENCE: Duration = Duration::from_secs(120);
const POLL: Duration = Duration::from_millis(100);
/// How long the restart program may take where nothing else is said.
const RESTART: Duration = Duration::from_secs(120);

/// An environment whose releases run on this machine, in virtual environments.
pub struct PythonTarget<'t> {
    pub environment: &'t str,
    /// An absolute path.
    pub directory: PathBuf,
    /// How each package runs, by its name.
    pub services: &'t BTreeMap<String, ServiceTable>,
    pub supply: &'t Supply<'t>,
    /// How long each installer run may take.
    pub install_limit: Duration,
}

impl PythonTarget<'_> {
    /// Whether the release could be brought here: it is kept, or its index still gives its files.
    ///
    /// # Errors
    /// `Impossible` where they are gone or withdrawn, `Conflict` where the index gives other bytes.
    pub async fn possible(&self, wanted: &Placed) -> Answer<()> {
        let home = self.home(&wanted.package)?;
        let files = self.files(wanted)?;
        if home.record(&home.name_of(wanted)).is_some_and(|record| record.is_of(wanted)) {
            return Ok(());
        }
        self.supply.mirror(&files).await.map(|_| ()).map_err(|error| supply_error(wanted, error))
    }

    /// Sees to it that the release runs: its environment is there and whole, `current` leads to it, the restart program
    /// has run since. What is so already stays. Killed anywhere, the next call goes on.
    ///
    /// # Errors
    /// `Raced` where a later deployment was here, `Broken` where the restart program fails, and as `possible`.
    pub async fn apply(&self, wanted: &Placed, mark: &Mark, remark: Remark<'_>) -> Answer<Observed> {
        let home = self.home(&wanted.package)?;
        let files = self.files(wanted)?;
        home.prepare()?;
        let _held = self.hold(&home).await?;
        home.fence(mark)?;
        home.sweep()?;
        let name = home.name_of(wanted);
        self.ensure_folder(&home, &name, wanted, &files, mark, remark).await?;
        self.switch(&home, &name, wanted, mark, remark).await?;
        match self.look(&home).await? {
            Some(observed) if is_running(Some(&observed), wanted) => Ok(observed),
            found => Err(TargetError::Conflict {
                what: format!("`{}`", home.current().display()),
                found: found.map_or("nothing".to_owned(), |found| found.place),
                wanted: name,
            }),
        }
    }

    /// What `current` leads to, proven: the record's digest where what is installed is what was installed, else no
    /// digest and no deployment, as somebody changed it by hand.
    ///
    /// # Errors
    /// Where the folder can not be read.
    pub async fn observe(&self, package: &str) -> Answer<Option<Observed>> {
        self.look(&self.home(package)?).await
    }

    /// Deletes the environments of a package that neither run nor are to be kept.
    ///
    /// # Errors
    /// Where another run holds the package, or a folder can not be deleted.
    pub async fn prune(&self, package: &str, keep: &[Placed]) -> Answer<()> {
        let home = self.home(package)?;
        if !home.exists() {
            return Ok(());
        }
        let _held = self.hold(&home).await?;
        home.sweep()?;
        let mut kept: Vec<String> = keep.iter().map(|placed| home.name_of(placed)).collect();
        if let Linked::To(name) = home.linked()? {
            kept.push(name);
        }
        home.delete_others(&kept)
    }

    fn home(&self, package: &str) -> Answer<Home> {
        Home::new(&self.directory, package)
    }

    fn files(&self, wanted: &Placed) -> Answer<Wanted> {
        Wanted::of(wanted).map_err(|error| supply_error(wanted, error))
    }

    /// Waits for the package's lock; who holds it may be making an environment.
    async fn hold(&self, home: &Home) -> Answer<Lock> {
        let tries = PATIENCE.as_millis() / POLL.as_millis();
        for _ in 0..tries {
            if let Some(lock) = home.try_lock()? {
                return Ok(lock);
            }
            sleep(POLL).await;
        }
        Err(TargetError::Raced { what: format!("`{}`", home.path().display()) })
    }

    /// A whole environment of the release under its name, with our mark in its record.
    async fn ensure_folder(
        &self,
        home: &Home,
        name: &str,
        wanted: &Placed,
        files: &Wanted,
        mark: &Mark,
        remark: Remark<'_>,
    ) -> Answer<()> {
        let path = home.release(name)?;
        if let Some(record) = home.record(name).filter(|record| record.is_of(wanted)) {
            let found = install::installed(&path, record.names()).await?;
            if found.as_ref() == Some(&record.installed) {
                return home.write_record(name, &record.marked(mark));
            }
            remark(&format!("`{name}` was changed by hand, or is not whole any more: it is made again"));
        }
        home.set_aside(name)?;
        let made = install::Order { supply: self.supply, wanted, files, limit: self.install_limit };
        let installed = made.install(&path, &home.lock_file(name)).await?;
        home.write_record(name, &Record::new(wanted, files, mark, installed))
    }

    /// Moves the link where it leads elsewhere, and runs the restart program unless it has run since.
    async fn switch(
        &self,
        home: &Home,
        name: &str,
        wanted: &Placed,
        mark: &Mark,
        remark: Remark<'_>,
    ) -> Answer<()> {
        if home.linked()? != Linked::To(name.to_owned()) {
            home.forget_restart()?;
            home.link(name)?;
        }
        let service = self.services.get(&wanted.package);
        let Some(argv) = service.and_then(|service| service.restart.as_deref()) else { return Ok(()) };
        if home.restarted().as_deref() == Some(name) {
            return Ok(());
        }
        self.restart(argv, service, home, wanted, mark).await?;
        remark(&format!("`{}` was run", argv.first().map_or("", String::as_str)));
        home.note_restart(name)
    }

    async fn restart(
        &self,
        argv: &[String],
        service: Option<&ServiceTable>,
        home: &Home,
        wanted: &Placed,
        mark: &Mark,
    ) -> Answer<()> {
        let limit = service.and_then(|service| service.ready_within);
        let limit = limit.map_or(RESTART, |span| Duration::from_secs(span.seconds));
        let context = Context {
            environment: self.environment,
            deployment: Some(mark.deployment.as_str()),
            epoch: Some(mark.epoch),
        };
        let command = Command::of_words(argv, home.path()).timeout(limit);
        let mut command = set(command, &context, Some(wanted)).set("RELEASE_CURRENT", home.current());
        if let Some(service) = service {
            command.env.keep.extend(service.env_from.iter().map(Into::into));
            command.env.set.extend(service.env.iter().map(|(name, value)| (name.into(), value.into())));
        }
        let output = run(command).await.map_err(|error| TargetError::Settings {
            what: "`restart`".to_owned(),
            reason: error.to_string(),
        })?;
        if output.success() {
            return Ok(());
        }
        let (package, version) = (wanted.package.clone(), wanted.version.clone());
        Err(TargetError::Broken {
            package,
            version,
            reason: format!("`restart` {}:\n{}", output.ending(), output.tail(10)),
        })
    }

    async fn look(&self, home: &Home) -> Answer<Option<Observed>> {
        let name = match home.linked()? {
            Linked::Nowhere => return Ok(None),
            Linked::Astray(place) => return Ok(Some(stranger(place, None))),
            Linked::To(name) => name,
        };
        let path = home.release(&name)?;
        let place = path.display().to_string();
        let Some(record) = home.record(&name) else { return Ok(Some(stranger(place, None))) };
        let found = install::installed(&path, record.names()).await?;
        let version = found
            .as_ref()
            .and_then(|found| found.get(&record.distribution))
            .map(|found| found.version.clone());
        if found.as_ref() != Some(&record.installed) {
            return Ok(Some(stranger(place, version)));
        }
        let Some(digest) = Digest::parse(&record.digest) else { return Ok(Some(stranger(place, version))) };
        Ok(Some(Observed {
            digest,
            version,
            deployment: Some(record.deployment),
            healthy: None,
            restarts: None,
            place,
        }))
    }
}

/// What nobody of ours brought there.
fn stranger(place: String, version: Option<String>) -> Observed {
    Observed { digest: Digest::none(), version, deployment: None, healthy: None, restarts: None, place }
}

fn supply_error(wanted: &Placed, error: SupplyError) -> TargetError {
    let impossible = |reason: String| TargetError::Impossible {
        package: wanted.package.clone(),
        version: wanted.version.clone(),
        reason,
    };
    match error {
        SupplyError::Gone { .. } | SupplyError::NoWheel { .. } | SupplyError::Version { .. } => {
            impossible(error.to_string())
        }
        SupplyError::Other { index, file, found, wanted } => {
            TargetError::Conflict { what: format!("`{file}` of index `{index}`"), found, wanted }
        }
        SupplyError::NoIndex { ref index } => {
            TargetError::Settings { what: format!("index `{index}`"), reason: error.to_string() }
        }
        SupplyError::Step(error) => {
            TargetError::Outside { what: "the index".to_owned(), reason: error.to_string() }
        }
        SupplyError::Index(error) => {
            TargetError::Outside { what: "the index".to_owned(), reason: error.to_string() }
        }
    }
}

/// A file or folder that can not be used.
fn unusable(path: &Path, error: &dyn std::error::Error) -> TargetError {
    let mut reason = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        reason = format!("{reason}: {inner}");
        cause = inner.source();
    }
    TargetError::Outside { what: format!("`{}`", path.display()), reason }
}
