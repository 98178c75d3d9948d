//! Finds the Python tools on the machine, or provides private ones, pinned, in a cache folder.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::time::Duration;

use tokio::sync::OnceCell;

use crate::world::command::{Command, CommandError, Output, run};
use crate::world::files::{FileError, Lock};
use crate::world::pins;

/// Variables of a calling Python that would lead ours astray.
pub const PYTHON_VARIABLES: [&str; 11] = [
    "PYTHONPATH",
    "PYTHONHOME",
    "PYTHONSTARTUP",
    "PYTHONUSERBASE",
    "VIRTUAL_ENV",
    "CONDA_PREFIX",
    "PIP_USER",
    "PIP_TARGET",
    "PIP_PREFIX",
    "PIP_REQUIRE_VIRTUALENV",
    "__PYVENV_LAUNCHER__",
];

/// A program ready to run: `program arguments…` and what follows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tool {
    pub program: PathBuf,
    pub arguments: Vec<OsString>,
    pub version: String,
    /// The folder for the tool's own cache; without it, where the tool likes.
    pub cache: Option<PathBuf>,
}

/// The folder that holds private tools.
#[derive(Debug)]
pub struct ToolCache {
    folder: PathBuf,
    /// Where no lasting folder can be written, one that goes with this value.
    temporary: Option<tempfile::TempDir>,
    /// The `uv` that was found.
    uv: OnceCell<Tool>,
}

/// Why a tool is not to be had.
#[derive(Debug, thiserror::Error)]
pub enum ToolError {
    #[error(
        "`{tool}` is not on PATH and there is no `python3` to provide it with; install Python 3 or `{tool}`"
    )]
    NoPython { tool: &'static str },
    #[error(
        "`{tool}` is not on PATH and python3 can not make virtual environments to provide it in; install the `venv` \
         module (Debian, Ubuntu: `apt install python3-venv`) or `{tool}`"
    )]
    NoVenv { tool: &'static str },
    #[error(
        "`{tool}` {version} could not be installed into `{}`; without a network, install it yourself or set \
         PIP_INDEX_URL:\n{tail}", folder.display()
    )]
    Install { tool: &'static str, version: &'static str, folder: PathBuf, tail: String },
    #[error("the private `{tool}` in `{}` does not run:\n{tail}", folder.display())]
    Broken { tool: &'static str, folder: PathBuf, tail: String },
    #[error("the tool cache `{}` can not be written", folder.display())]
    Cache { folder: PathBuf, source: std::io::Error },
    #[error(transparent)]
    File(#[from] FileError),
    #[error(transparent)]
    Run(#[from] CommandError),
}

impl ToolCache {
    /// Opens the first folder that can be written of `$RELEASE_CACHE`, `$XDG_CACHE_HOME/release`, `~/.cache/release`
    /// and a new temporary one.
    ///
    /// # Errors
    /// Where not even a temporary folder can be made.
    pub fn open(variable: impl Fn(&str) -> Option<OsString>) -> Result<ToolCache, ToolError> {
        for folder in cache_folders(variable) {
            if is_writable(&folder) {
                return Ok(ToolCache { folder, temporary: None, uv: OnceCell::new() });
            }
        }
        let made = tempfile::Builder::new().prefix("release-tools-").tempdir();
        let temporary = made.map_err(|source| ToolError::Cache { folder: std::env::temp_dir(), source })?;
        let folder = temporary.path().to_owned();
        Ok(ToolCache { folder, temporary: Some(temporary), uv: OnceCell::new() })
    }

    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Whether what is provided here is gone when the program ends.
    pub fn is_temporary(&self) -> bool {
        self.temporary.is_some()
    }

    /// `uv`: the one on PATH unless it is too old, else a private one; looked for once.
    ///
    /// # Errors
    /// Where there is none and none can be installed.
    pub async fn uv(&self) -> Result<Tool, ToolError> {
        self.uv.get_or_try_init(|| self.find_uv()).await.cloned()
    }

    async fn find_uv(&self) -> Result<Tool, ToolError> {
        let found = probe(Tool::named("uv", &[])).await?;
        let tool = match found {
            Ok(tool) if !is_older(&tool.version, pins::UV_OLDEST) => tool,
            _ => self.provide(&UV).await?,
        };
        Ok(self.at_home(tool))
    }

    /// `build`: the one on PATH, else a private one.
    ///
    /// # Errors
    /// Where there is none and none can be installed.
    pub async fn build(&self) -> Result<Tool, ToolError> {
        match probe(Tool::named("pyproject-build", &[])).await? {
            Ok(tool) => Ok(tool),
            Err(_) => self.provide(&BUILD).await,
        }
    }

    /// The private, pinned `uv`, whatever PATH has.
    ///
    /// # Errors
    /// Where it can not be installed.
    pub async fn private_uv(&self) -> Result<Tool, ToolError> {
        self.provide(&UV).await.map(|tool| self.at_home(tool))
    }

    /// The private, pinned `build`, whatever PATH has.
    ///
    /// # Errors
    /// Where it can not be installed.
    pub async fn private_build(&self) -> Result<Tool, ToolError> {
        self.provide(&BUILD).await
    }

    /// Where the user's folders can not be written, the tool's own cache stands here too.
    fn at_home(&self, tool: Tool) -> Tool {
        Tool { cache: self.is_temporary().then(|| self.folder.join("uv")), ..tool }
    }

    /// Returns the private tool, made at the first call. Two processes at once make one.
    async fn provide(&self, pinned: &Pinned) -> Result<Tool, ToolError> {
        let folder = self.folder.join("tools").join(format!("{}-{}", pinned.name, pinned.version));
        if let Ok(tool) = probe(pinned.tool(&folder)).await? {
            return Ok(tool);
        }
        let lock = folder.with_file_name(format!("{}-{}.lock", pinned.name, pinned.version));
        let held = tokio::task::spawn_blocking(move || Lock::take(&lock)).await;
        let _held = held.map_err(|error| self.cache_error(std::io::Error::other(error)))??;
        if let Ok(tool) = probe(pinned.tool(&folder)).await? {
            return Ok(tool);
        }
        self.install(pinned, &folder).await?;
        let tail = match probe(pinned.tool(&folder)).await? {
            Ok(tool) => return Ok(tool),
            Err(tail) => tail,
        };
        Err(ToolError::Broken { tool: pinned.name, folder, tail })
    }

    /// Makes the environment beside its place and moves it there. The caller holds the lock.
    async fn install(&self, pinned: &Pinned, folder: &Path) -> Result<(), ToolError> {
        let tools = self.folder.join("tools");
        let made = tempfile::Builder::new().prefix(".making-").tempdir_in(&tools);
        let made = made.map_err(|source| self.cache_error(source))?;
        let environment = made.path().join("environment");
        make_environment(pinned, &environment).await?;
        let requirement = format!("{}=={}", pinned.name, pinned.version);
        let pip = [
            "-m",
            "pip",
            "install",
            "--quiet",
            "--no-input",
            "--no-cache-dir",
            "--disable-pip-version-check",
        ];
        let command =
            quiet(environment.join(PYTHON)).args(pip).args(["--only-binary", ":all:", &requirement]);
        let output = run(command).await?;
        if !output.success() {
            let (tool, version, folder) = (pinned.name, pinned.version, folder.to_owned());
            return Err(ToolError::Install { tool, version, folder, tail: output.tail(15) });
        }
        if folder.exists() {
            // A private tool that no longer runs: its Python is gone, or it was damaged.
            std::fs::rename(folder, made.path().join("broken")).map_err(|source| self.cache_error(source))?;
        }
        std::fs::rename(&environment, folder).map_err(|source| self.cache_error(source))
    }

    fn cache_error(&self, source: std::io::Error) -> ToolError {
        ToolError::Cache { folder: self.folder.clone(), source }
    }
}

impl Tool {
    /// A run of the tool, free of the caller's Python variables.
    pub fn command(&self) -> Command {
        let command = Command::new(&self.program).args(&self.arguments).remove(PYTHON_VARIABLES);
        self.cache.iter().fold(command, |command, folder| command.set("UV_CACHE_DIR", folder))
    }

    /// The `python3` on PATH.
    ///
    /// # Errors
    /// `Err(tail)` inside where it is missing or does not run.
    pub async fn python() -> Result<Result<Tool, String>, ToolError> {
        probe(Tool::named("python3", &[])).await
    }

    fn named(program: impl Into<PathBuf>, arguments: &[&str]) -> Tool {
        let arguments = arguments.iter().map(OsString::from).collect();
        Tool { program: program.into(), arguments, version: String::new(), cache: None }
    }
}

#[cfg(unix)]
const PYTHON: &str = "bin/python";
#[cfg(not(unix))]
const PYTHON: &str = "Scripts/python.exe";

/// A tool that can be provided.
struct Pinned {
    name: &'static str,
    version: &'static str,
    program: &'static str,
    arguments: &'static [&'static str],
}

const UV: Pinned = Pinned {
    name: "uv",
    version: pins::UV,
    program: if cfg!(unix) { "bin/uv" } else { "Scripts/uv.exe" },
    arguments: &[],
};
// Through the interpreter: the script `pyproject-build` names the folder that the environment was made in.
const BUILD: Pinned =
    Pinned { name: "build", version: pins::BUILD, program: PYTHON, arguments: &["-m", "build"] };

impl Pinned {
    fn tool(&self, folder: &Path) -> Tool {
        Tool::named(folder.join(self.program), self.arguments)
    }
}

/// Asks a tool for its version: the tool with it, or why not (a shim without a program behind it also says no).
async fn probe(tool: Tool) -> Result<Result<Tool, String>, ToolError> {
    let command = tool.command().arg("--version").timeout(Duration::from_secs(60));
    let output = match run(command).await {
        Ok(output) => output,
        Err(error @ (CommandError::Missing { .. } | CommandError::Start { .. })) => {
            return Ok(Err(error.to_string()));
        }
        Err(error) => return Err(error.into()),
    };
    if !output.success() {
        return Ok(Err(output.tail(5)));
    }
    let version = version_in(&output);
    Ok(Ok(Tool { version, ..tool }))
}

/// The first word that begins with a digit: `uv 0.13.9 (…)`, `build 1.6.1 (…)`, `Python 3.11.7`.
fn version_in(output: &Output) -> String {
    let text = String::from_utf8_lossy(&output.stdout);
    let number = text.split_whitespace().find(|word| word.starts_with(|first: char| first.is_ascii_digit()));
    number.unwrap_or("unknown").to_owned()
}

fn is_older(version: &str, oldest: &str) -> bool {
    let numbers = |text: &str| -> Vec<u64> { text.split('.').map_while(|part| part.parse().ok()).collect() };
    numbers(version) < numbers(oldest)
}

async fn make_environment(pinned: &Pinned, environment: &Path) -> Result<(), ToolError> {
    let able = quiet("python3").args(["-I", "-c", "import ensurepip, venv"]).timeout(Duration::from_secs(60));
    let output = match run(able).await {
        Err(CommandError::Missing { .. }) => return Err(ToolError::NoPython { tool: pinned.name }),
        other => other?,
    };
    match output.status.code() {
        Some(0) => {}
        // What a shell or a shim says of a program that is not there.
        Some(126 | 127) => return Err(ToolError::NoPython { tool: pinned.name }),
        _ => return Err(ToolError::NoVenv { tool: pinned.name }),
    }
    let output = run(quiet("python3").args(["-I", "-m", "venv"]).arg(environment)).await?;
    if output.success() {
        return Ok(());
    }
    let folder = environment.to_owned();
    Err(ToolError::Broken { tool: pinned.name, folder, tail: output.tail(15) })
}

fn quiet(program: impl AsRef<std::ffi::OsStr>) -> Command {
    Command::new(program).remove(PYTHON_VARIABLES)
}

/// The lasting cache folders, best first. The XDG base directory specification takes only absolute paths.
fn cache_folders(variable: impl Fn(&str) -> Option<OsString>) -> Vec<PathBuf> {
    let folder = |name: &str| variable(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    let own = folder("RELEASE_CACHE").and_then(|path| std::path::absolute(path).ok());
    let shared = folder("XDG_CACHE_HOME").filter(|path| path.is_absolute()).map(|path| path.join("release"));
    let home = folder("HOME").filter(|path| path.is_absolute()).map(|path| path.join(".cache/release"));
    own.into_iter().chain(shared).chain(home).collect()
}

fn is_writable(folder: &Path) -> bool {
    let tools = folder.join("tools");
    std::fs::create_dir_all(&tools).is_ok() && tempfile::tempfile_in(&tools).is_ok()
}

#[cfg(test)]
#[path = "tools_tests.rs"]
pub(crate) mod tests;
