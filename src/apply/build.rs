//! Builds a package from a clean checkout: source distribution, then the wheel from it (PEP 517).

use std::path::{Path, PathBuf};
use std::time::Duration;

use tempfile::TempDir;

use crate::apply::clamp::clamp;
use crate::plan::digest::Digest;
use crate::workspace::path::RepoPath;
use crate::world::command::{Command, CommandError, run};
use crate::world::tools::Tool;

/// How long a build may take unless the request says otherwise.
pub const TIMEOUT: Duration = Duration::from_secs(15 * 60);

/// How many lines of a failed build's output are shown.
pub(in crate::apply) const TAIL: usize = 40;

/// One package to build.
#[derive(Debug, Clone)]
pub struct BuildRequest {
    /// A clean checkout of the release commit.
    pub checkout: PathBuf,
    /// The package's folder in it.
    pub package: RepoPath,
    /// Where the files go; made where it is missing. Files of the same names are replaced, others left alone.
    pub out: PathBuf,
    pub frontend: Frontend,
    /// `SOURCE_DATE_EPOCH`: the release commit's time, seconds since 1970.
    pub epoch: i64,
    /// A folder of wheels for build requirements that stand in the same repository.
    pub find_links: Option<PathBuf>,
    /// Further variables for the build backend, such as those of `scm_version`.
    pub environment: Vec<(String, String)>,
    pub timeout: Duration,
}

/// The program that drives the build backend.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Frontend {
    Uv(Tool),
    Build(Tool),
}

/// What a build made: the source distribution first, then the wheels by name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Built {
    pub files: Vec<BuiltFile>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BuiltFile {
    pub name: String,
    pub path: PathBuf,
    pub size: u64,
    pub digest: Digest,
}

/// Why there is nothing to publish.
#[derive(Debug, thiserror::Error)]
pub enum BuildError {
    #[error("`{package}` has neither a pyproject.toml nor a setup.py in the checkout")]
    NoProject { package: RepoPath },
    #[error("the folder `{package}` leads out of the checkout")]
    Outside { package: RepoPath },
    #[error("building `{package}` failed ({status}):\n{tail}")]
    Failed { package: RepoPath, status: String, tail: String },
    #[error("building `{package}` took longer than {} seconds and was stopped:\n{tail}", limit.as_secs())]
    TimedOut { package: RepoPath, limit: Duration, tail: String },
    #[error("building `{package}` made no {missing}:\n{tail}")]
    Incomplete { package: RepoPath, missing: &'static str, tail: String },
    #[error("building `{package}` made {} source distributions: {}", files.len(), files.join(", "))]
    ManySdists { package: RepoPath, files: Vec<String> },
    #[error("building `{package}` made `{file}`, which is neither a wheel nor a `.tar.gz`")]
    Unexpected { package: RepoPath, file: String },
    #[error("`{}` can not be read or written", path.display())]
    Files { path: PathBuf, source: std::io::Error },
    #[error(transparent)]
    Run(#[from] CommandError),
}

/// Where one build reads and writes.
pub(in crate::apply) struct Site {
    out: PathBuf,
    /// Beside the result, so that moving it there is one rename.
    pub fresh: TempDir,
}

/// Builds one package with the front end. The backend sees no credentials, a fixed locale, time zone, hash seed and file
/// mask.
///
/// # Errors
/// Where the backend fails, hangs, or does not make one source distribution and at least one wheel; then `out` is
/// left as it was.
pub async fn build(request: BuildRequest) -> Result<Built, BuildError> {
    let limit = request.timeout;
    by_front_end(&request, limit).await
}

/// The same, in what is left of its time.
pub(in crate::apply) async fn by_front_end(
    request: &BuildRequest,
    limit: Duration,
) -> Result<Built, BuildError> {
    let project = project_folder(request)?;
    let site = Site::open(request)?;
    let output = run(command(request, &project, site.fresh.path()).timeout(limit)).await?;
    let (package, tail) = (request.package.clone(), output.tail(TAIL));
    if output.timed_out {
        return Err(BuildError::TimedOut { package, limit: request.timeout, tail });
    }
    if !output.success() {
        return Err(BuildError::Failed { package, status: output.status.to_string(), tail });
    }
    site.take(request, tail)
}

impl Site {
    pub fn open(request: &BuildRequest) -> Result<Site, BuildError> {
        std::fs::create_dir_all(&request.out).map_err(files(&request.out))?;
        let out = std::path::absolute(&request.out).map_err(files(&request.out))?;
        let fresh = tempfile::Builder::new().prefix(".build-").tempdir_in(&out).map_err(files(&out))?;
        Ok(Site { out, fresh })
    }

    /// Moves what was built to its place.
    pub fn take(self, request: &BuildRequest, tail: String) -> Result<Built, BuildError> {
        let names = made(&request.package, self.fresh.path(), tail)?;
        let mut built = Vec::new();
        for name in names {
            clamp_times(&self.fresh.path().join(&name), request.epoch)?;
            built.push(take(&self.fresh.path().join(&name), &self.out, name)?);
        }
        Ok(Built { files: built })
    }
}

/// Variables that give a package's version to backends that read it from tags: `setuptools-scm`, `hatch-vcs`,
/// `pdm-backend`, `poetry-dynamic-versioning`, `uv-dynamic-versioning`.
pub fn scm_version(distribution: &str, version: &str) -> Vec<(String, String)> {
    let name: String = distribution
        .chars()
        .map(|character| if character.is_ascii_alphanumeric() { character.to_ascii_uppercase() } else { '_' })
        .collect();
    [
        format!("SETUPTOOLS_SCM_PRETEND_VERSION_FOR_{name}"),
        "PDM_BUILD_SCM_VERSION".to_owned(),
        "POETRY_DYNAMIC_VERSIONING_BYPASS".to_owned(),
        "UV_DYNAMIC_VERSIONING_BYPASS".to_owned(),
    ]
    .into_iter()
    .map(|variable| (variable, version.to_owned()))
    .collect()
}

/// The package's folder in the checkout, links followed.
pub(in crate::apply) fn project_folder(request: &BuildRequest) -> Result<PathBuf, BuildError> {
    let package = || request.package.clone();
    let checkout = request.checkout.canonicalize().map_err(files(&request.checkout))?;
    let joined = checkout.join(request.package.as_git());
    let project = joined.canonicalize().map_err(files(&joined))?;
    if !project.starts_with(&checkout) {
        return Err(BuildError::Outside { package: package() });
    }
    if !["pyproject.toml", "setup.py"].iter().any(|name| project.join(name).is_file()) {
        return Err(BuildError::NoProject { package: package() });
    }
    Ok(project)
}

fn command(request: &BuildRequest, project: &Path, out: &Path) -> Command {
    let (tool, arguments) = match &request.frontend {
        Frontend::Uv(tool) => (tool, vec!["build".as_ref(), "--out-dir".as_ref(), out.as_os_str()]),
        Frontend::Build(tool) => (tool, vec!["--outdir".as_ref(), out.as_os_str()]),
    };
    let mut command = settled(tool.command().args(arguments), request).cwd(project);
    if let Some(links) = &request.find_links {
        command = match &request.frontend {
            Frontend::Uv(_) => command.arg("--find-links").arg(links),
            Frontend::Build(_) => command.set("PIP_FIND_LINKS", pip_find_links(links)),
        };
    }
    for (name, value) in &request.environment {
        command = command.set(name, value);
    }
    command.arg(project)
}

/// A run of the front end as all builds see it, whatever the caller's machine is set to.
pub(in crate::apply) fn settled(command: Command, request: &BuildRequest) -> Command {
    let mut command = masked(command).remove(["UV_PROJECT", "UV_WORKING_DIRECTORY", "UV_WORKING_DIR"]);
    let fixed = [("PYTHONHASHSEED", "0"), ("LC_ALL", "C.UTF-8"), ("TZ", "UTC"), ("NO_COLOR", "1")];
    for (name, value) in fixed {
        command = command.set(name, value);
    }
    command.set("SOURCE_DATE_EPOCH", request.epoch.to_string())
}

/// The same run with the file mask 022, which some backends' archives show. The shell's text is fixed; program and
/// arguments pass through it as they are.
fn masked(command: Command) -> Command {
    if !cfg!(unix) {
        return command;
    }
    let mut args = vec!["-c".into(), "umask 022 && exec \"$@\"".into(), "release".into(), command.program];
    args.extend(command.args);
    Command { program: "sh".into(), args, ..command }
}

/// The names of what was made, the source distribution first.
fn made(package: &RepoPath, folder: &Path, tail: String) -> Result<Vec<String>, BuildError> {
    let (mut sdists, mut wheels) = (Vec::new(), Vec::new());
    for entry in std::fs::read_dir(folder).map_err(files(folder))? {
        let name = entry.map_err(files(folder))?.file_name().to_string_lossy().into_owned();
        match &name {
            name if name.ends_with(".tar.gz") => sdists.push(name.clone()),
            name if name.ends_with(".whl") => wheels.push(name.clone()),
            name if name.starts_with('.') => {}
            _ => return Err(BuildError::Unexpected { package: package.clone(), file: name }),
        }
    }
    sdists.sort();
    wheels.sort();
    let incomplete = |missing| Err(BuildError::Incomplete { package: package.clone(), missing, tail });
    match (sdists.len(), wheels.len()) {
        (0, 0) => incomplete("files"),
        (0, _) => incomplete("source distribution"),
        (_, 0) => incomplete("wheel"),
        (1, _) => Ok(sdists.into_iter().chain(wheels).collect()),
        _ => Err(BuildError::ManySdists { package: package.clone(), files: sdists }),
    }
}

/// A source distribution that shows when it was built is written anew, so that it can be built again.
fn clamp_times(path: &Path, epoch: i64) -> Result<(), BuildError> {
    if path.extension().is_none_or(|extension| extension != "gz") {
        return Ok(());
    }
    let bytes = std::fs::read(path).map_err(files(path))?;
    match clamp(&bytes, epoch).map_err(files(path))? {
        Some(clamped) => std::fs::write(path, clamped).map_err(files(path)),
        None => Ok(()),
    }
}

/// Moves one file to its place and takes its measure there.
fn take(from: &Path, out: &Path, name: String) -> Result<BuiltFile, BuildError> {
    let path = out.join(&name);
    std::fs::rename(from, &path).map_err(files(&path))?;
    let bytes = std::fs::read(&path).map_err(files(&path))?;
    Ok(BuiltFile { name, size: bytes.len() as u64, digest: Digest::of(&bytes), path })
}

/// A folder as pip's environment takes it: an address, before those that stand there already.
fn pip_find_links(folder: &Path) -> String {
    let absolute = std::path::absolute(folder).unwrap_or_else(|_| folder.to_owned());
    let ours = format!("file://{}", absolute.to_string_lossy().replace('%', "%25").replace(' ', "%20"));
    match std::env::var("PIP_FIND_LINKS") {
        Ok(theirs) if !theirs.trim().is_empty() => format!("{ours} {theirs}"),
        _ => ours,
    }
}

fn files(path: &Path) -> impl FnOnce(std::io::Error) -> BuildError + '_ {
    |source| BuildError::Files { path: path.to_owned(), source }
}

#[cfg(test)]
#[path = "build_tests.rs"]
mod tests;
