//! A clean virtual environment to try packages in.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use pep508_rs::MarkerEnvironment;
use tempfile::TempDir;

use crate::check::metadata::Metadata;
use crate::world::command::{Command, CommandError, Output, run};
use crate::world::tools::{PYTHON_VARIABLES, Tool};

/// The program that makes the environment and installs into it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Installer {
    Uv(Tool),
    /// A Python with `venv` and `ensurepip`.
    Pip(Tool),
}

/// A virtual environment, and a temporary folder for what runs in it, gone when dropped.
#[derive(Debug)]
pub struct Environment {
    folder: TempDir,
    /// Inside the temporary folder, or at a place that lasts.
    venv: PathBuf,
    /// Whether it stays: its files are copies then, that no other environment shares.
    lasting: bool,
    installer: Installer,
    timeout: Duration,
}

/// Why there is no environment.
#[derive(Debug, thiserror::Error)]
pub enum EnvironmentError {
    #[error("a virtual environment could not be made:\n{tail}")]
    Make { tail: String },
    #[error("the environment's Python does not say what it is:\n{tail}")]
    Python { tail: String },
    #[error("`{}` can not be written", path.display())]
    Files { path: PathBuf, source: std::io::Error },
    #[error(transparent)]
    Run(#[from] CommandError),
}

/// The folder, beside an environment, that holds it as it was at first.
const EMPTY: &str = "empty";

/// Variables that would send an installer to other indexes or make it choose other files.
const INSTALLER_VARIABLES: [&str; 22] = [
    "UV_INDEX",
    "UV_DEFAULT_INDEX",
    "UV_INDEX_URL",
    "UV_EXTRA_INDEX_URL",
    "UV_FIND_LINKS",
    "UV_NO_INDEX",
    "UV_INDEX_STRATEGY",
    "UV_CONSTRAINT",
    "UV_OVERRIDE",
    "UV_EXCLUDE",
    "UV_EXCLUDE_NEWER",
    "UV_PRERELEASE",
    "UV_RESOLUTION",
    "UV_REQUIRE_HASHES",
    "UV_NO_VERIFY_HASHES",
    "UV_NO_BINARY",
    "UV_ONLY_BINARY",
    "UV_PYTHON",
    "UV_SYSTEM_PYTHON",
    "UV_PROJECT",
    "UV_WORKING_DIRECTORY",
    "UV_BREAK_SYSTEM_PACKAGES",
];

/// Says what environment markers ask (PEP 508).
const MARKERS: &str = "
import json, os, platform, sys
implementation = sys.implementation.version
version = '{0.major}.{0.minor}.{0.micro}'.format(implementation)
if implementation.releaselevel != 'final':
    version += implementation.releaselevel[0] + str(implementation.serial)
print(json.dumps({
    'implementation_name': sys.implementation.name,
    'implementation_version': version,
    'os_name': os.name,
    'platform_machine': platform.machine(),
    'platform_python_implementation': platform.python_implementation(),
    'platform_release': platform.release(),
    'platform_system': platform.system(),
    'platform_version': platform.version(),
    'python_full_version': platform.python_version(),
    'python_version': '.'.join(platform.python_version_tuple()[:2]),
    'sys_platform': sys.platform,
}))
";

impl Environment {
    /// Makes an empty environment; with uv, of a Python that `requires_python` allows. It goes with the value.
    ///
    /// # Errors
    /// Where none can be made.
    pub async fn make(
        installer: Installer,
        requires_python: Option<&str>,
        timeout: Duration,
    ) -> Result<Environment, EnvironmentError> {
        let mut environment = Environment::open(PathBuf::new(), installer, timeout)?;
        environment.venv = environment.path().join("venv");
        environment.lasting = false;
        environment.create(requires_python).await?;
        Ok(environment)
    }

    /// Makes an empty environment at a place where nothing is, and leaves it there.
    ///
    /// # Errors
    /// Where none can be made.
    pub async fn make_at(
        venv: &Path,
        installer: Installer,
        requires_python: Option<&str>,
        timeout: Duration,
    ) -> Result<Environment, EnvironmentError> {
        let environment = Environment::open(venv.to_owned(), installer, timeout)?;
        environment.create(requires_python).await?;
        Ok(environment)
    }

    /// One at a place, not made yet.
    fn open(venv: PathBuf, installer: Installer, timeout: Duration) -> Result<Environment, EnvironmentError> {
        let folder = tempfile::Builder::new().prefix("release-smoke-").tempdir();
        let folder =
            folder.map_err(|source| EnvironmentError::Files { path: std::env::temp_dir(), source })?;
        for path in ["home", "work"].map(|name| folder.path().join(name)) {
            std::fs::create_dir(&path).map_err(|source| EnvironmentError::Files { path, source })?;
        }
        Ok(Environment { folder, venv, lasting: true, installer, timeout })
    }

    async fn create(&self, requires_python: Option<&str>) -> Result<(), EnvironmentError> {
        let command = match &self.installer {
            Installer::Uv(tool) => {
                let command = tool.command().args(["venv", "--quiet", "--no-project", "--no-config"]);
                requires_python
                    .into_iter()
                    .fold(command, |command, wanted| command.arg("--python").arg(wanted))
            }
            Installer::Pip(python) => python.command().args(["-I", "-m", "venv"]),
        };
        let output = self.run(command.arg(self.venv()).remove(INSTALLER_VARIABLES)).await?;
        if output.success() { Ok(()) } else { Err(EnvironmentError::Make { tail: output.tail(20) }) }
    }

    /// What decides requirements' markers here.
    ///
    /// # Errors
    /// Where its Python does not run.
    pub async fn markers(&self) -> Result<MarkerEnvironment, EnvironmentError> {
        self.ask(MARKERS).await
    }

    /// The names and versions of all that is installed, as its metadata say.
    ///
    /// # Errors
    /// Where its folders can not be read.
    pub fn installed(&self) -> Result<BTreeMap<String, String>, EnvironmentError> {
        let mut installed = BTreeMap::new();
        for library in self.libraries()? {
            for folder in folders(&library)? {
                if folder.extension().is_none_or(|extension| extension != "dist-info") {
                    continue;
                }
                let path = folder.join("METADATA");
                let bytes =
                    std::fs::read(&path).map_err(|source| EnvironmentError::Files { path, source })?;
                if let Ok(metadata) = Metadata::parse(&bytes) {
                    installed.insert(metadata.name().to_owned(), metadata.version().to_owned());
                }
            }
        }
        Ok(installed)
    }

    /// Keeps a copy of the environment as it is now, to which `empty` returns.
    ///
    /// # Errors
    /// Where it can not be copied.
    pub fn keep_empty(&self) -> Result<(), EnvironmentError> {
        copy(self.venv(), &self.path().join(EMPTY))
    }

    /// Makes the environment what it was when it was kept: at the same path, with a new home and work folder.
    ///
    /// # Errors
    /// Where it was not kept, or can not be made anew.
    pub fn empty(&self) -> Result<(), EnvironmentError> {
        for path in [self.venv().to_owned(), self.path().join("home"), self.path().join("work")] {
            let failed = |source| EnvironmentError::Files { path: path.clone(), source };
            std::fs::remove_dir_all(&path).map_err(failed)?;
            if path != self.venv() {
                std::fs::create_dir(&path).map_err(failed)?;
            }
        }
        copy(&self.path().join(EMPTY), self.venv())
    }

    /// Installs exactly the files that a requirements file pins by hash, from one index and nowhere else.
    ///
    /// # Errors
    /// Where the installer can not be run; that it failed is in the output.
    pub async fn install_pinned(&self, requirements: &str, index: &str) -> Result<Output, EnvironmentError> {
        let path = self.path().join("requirements.txt");
        std::fs::write(&path, requirements)
            .map_err(|source| EnvironmentError::Files { path: path.clone(), source })?;
        let pinned = ["--require-hashes", "--no-deps", "--only-binary", ":all:", "-r"];
        self.run(self.only_from(index).args(pinned).arg(path).remove(INSTALLER_VARIABLES)).await
    }

    /// Installs exactly the files that a requirements file pins by hash, from the index that this machine is set up for.
    ///
    /// # Errors
    /// Where the installer can not be run; that it failed is in the output.
    pub async fn install_locked(&self, requirements: &str) -> Result<Output, EnvironmentError> {
        let path = self.path().join("locked.txt");
        std::fs::write(&path, requirements)
            .map_err(|source| EnvironmentError::Files { path: path.clone(), source })?;
        self.run(self.pip("install").args(["--require-hashes", "--no-deps", "-r"]).arg(path)).await
    }

    /// Finds what requirements come to here, from the index that this machine is set up for: the output's `stdout` is a
    /// requirements file with a hash for each file. It takes uv.
    ///
    /// # Errors
    /// Where uv can not be run or is not the installer; that it failed is in the output.
    pub async fn resolve(&self, requirements: &[String]) -> Result<Output, EnvironmentError> {
        let Installer::Uv(tool) = &self.installer else {
            return Err(EnvironmentError::Python { tail: "pip finds no hashes".to_owned() });
        };
        let options = ["pip", "compile", "--quiet", "--generate-hashes", "--no-header", "--no-annotate"];
        let command = tool.command().args(options).arg("--python").arg(self.program("python")).arg("-");
        let text: String = requirements.iter().map(|line| format!("{line}\n")).collect();
        self.run(command.reading(text)).await
    }

    /// Installs requirements from the index that this machine is set up for.
    ///
    /// # Errors
    /// Where the installer can not be run; that it failed is in the output.
    pub async fn install(&self, requirements: &[String]) -> Result<Output, EnvironmentError> {
        self.run(self.pip("install").args(requirements)).await
    }

    /// Installs one requirement and what it needs from an index and nowhere else, as a user of it would.
    #[cfg(test)]
    pub async fn install_from(&self, index: &str, requirement: &str) -> Result<Output, EnvironmentError> {
        self.run(self.only_from(index).arg(requirement).remove(INSTALLER_VARIABLES)).await
    }

    /// Asks the installer whether all that is installed fits together.
    ///
    /// # Errors
    /// Where the installer can not be run; that it found something is in the output.
    pub async fn check(&self) -> Result<Output, EnvironmentError> {
        self.run(self.pip("check")).await
    }

    /// Runs a fixed Python text with arguments, alone: no user packages, no current folder, a home of its own.
    ///
    /// # Errors
    /// Where Python can not be run; that it failed is in the output.
    pub async fn python(&self, text: &str, arguments: &[String]) -> Result<Output, EnvironmentError> {
        self.run(self.at_home(Command::new(self.program("python")).args(["-I", "-c", text]).args(arguments)))
            .await
    }

    /// Runs an installed script.
    ///
    /// # Errors
    /// Where it is not there; that it failed is in the output.
    pub async fn script(
        &self,
        name: &str,
        argument: &str,
        limit: Duration,
    ) -> Result<Output, EnvironmentError> {
        let command =
            self.at_home(Command::new(self.program(name)).arg(argument)).cwd(self.path().join("work"));
        Ok(run(command.timeout(limit)).await?)
    }

    /// An install that sees one index and no configuration.
    fn only_from(&self, index: &str) -> Command {
        let command = self.pip("install");
        match &self.installer {
            Installer::Uv(_) => command.args(["--no-config", "--default-index", index]),
            Installer::Pip(_) => command.args(["--isolated", "--no-cache-dir", "--index-url", index]),
        }
    }

    fn pip(&self, verb: &str) -> Command {
        match &self.installer {
            Installer::Uv(tool) => tool.command().args(["pip", verb, "--python"]).arg(self.program("python")),
            Installer::Pip(_) => {
                let pip = ["-m", "pip", verb, "--disable-pip-version-check", "--no-input"];
                Command::new(self.program("python")).args(pip).remove(PYTHON_VARIABLES)
            }
        }
    }

    async fn ask<T: serde::de::DeserializeOwned>(&self, text: &str) -> Result<T, EnvironmentError> {
        let output = self.python(text, &[]).await?;
        let answer = if output.success() { serde_json::from_slice(&output.stdout).ok() } else { None };
        answer.ok_or_else(|| EnvironmentError::Python { tail: output.tail(10) })
    }

    async fn run(&self, command: Command) -> Result<Output, EnvironmentError> {
        let command = if self.lasting { command.set("UV_LINK_MODE", "copy") } else { command };
        Ok(run(command.cwd(self.path().join("work")).timeout(self.timeout)).await?)
    }

    /// What foreign code sees: nothing of the user's folders.
    fn at_home(&self, command: Command) -> Command {
        let home = self.path().join("home");
        let mut path = vec![self.venv().join("bin")];
        path.extend(std::env::var_os("PATH").iter().flat_map(std::env::split_paths));
        let path = std::env::join_paths(path).unwrap_or_default();
        let command = command.set("HOME", &home).set("PATH", path).set("PYTHONDONTWRITEBYTECODE", "1");
        command.set("NO_COLOR", "1").remove(PYTHON_VARIABLES).remove([
            "XDG_CONFIG_HOME",
            "XDG_CACHE_HOME",
            "XDG_DATA_HOME",
            "XDG_STATE_HOME",
        ])
    }

    fn program(&self, name: &str) -> PathBuf {
        self.venv().join(if cfg!(unix) { "bin" } else { "Scripts" }).join(name)
    }

    /// The folders that packages are installed into.
    fn libraries(&self) -> Result<Vec<PathBuf>, EnvironmentError> {
        let libraries = match cfg!(unix) {
            true => folders(&self.venv().join("lib"))?,
            false => vec![self.venv().join("Lib")],
        };
        let packages = libraries.into_iter().map(|library| library.join("site-packages"));
        Ok(packages.filter(|packages| packages.is_dir()).collect())
    }

    fn venv(&self) -> &Path {
        &self.venv
    }

    fn path(&self) -> &Path {
        self.folder.path()
    }
}

/// The folders in a folder; a link to one is none.
fn folders(folder: &Path) -> Result<Vec<PathBuf>, EnvironmentError> {
    let failed = |source| EnvironmentError::Files { path: folder.to_owned(), source };
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        if entry.file_type().map_err(failed)?.is_dir() {
            found.push(entry.path());
        }
    }
    Ok(found)
}

/// Copies a folder and all in it; a link stays the link it is.
fn copy(from: &Path, to: &Path) -> Result<(), EnvironmentError> {
    let failed = |path: &Path| {
        let path = path.to_owned();
        move |source| EnvironmentError::Files { path, source }
    };
    std::fs::create_dir(to).map_err(failed(to))?;
    for entry in std::fs::read_dir(from).map_err(failed(from))? {
        let entry = entry.map_err(failed(from))?;
        let (source, target) = (entry.path(), to.join(entry.file_name()));
        let kind = entry.file_type().map_err(failed(&source))?;
        if kind.is_dir() {
            copy(&source, &target)?;
        } else if kind.is_symlink() {
            std::fs::read_link(&source).and_then(|at| link(&at, &target)).map_err(failed(&source))?;
        } else {
            std::fs::copy(&source, &target).map_err(failed(&source))?;
        }
    }
    Ok(())
}

#[cfg(unix)]
fn link(at: &Path, place: &Path) -> std::io::Result<()> {
    std::os::unix::fs::symlink(at, place)
}

#[cfg(not(unix))]
fn link(at: &Path, place: &Path) -> std::io::Result<()> {
    std::fs::copy(at, place).map(drop)
}
