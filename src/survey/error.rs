//! Why the repository can not be surveyed, and what to do about it.

use crate::history::problem::Problem;
use crate::plan::assume::Placeless;
use crate::workspace::graph::Cycle;
use crate::workspace::manifest::ManifestError;
use crate::workspace::module::VersionTextError;
use crate::workspace::source::SourceError;
use crate::world::git_error::GitError;

#[derive(Debug, thiserror::Error)]
pub enum SurveyError {
    #[error(transparent)]
    Git(#[from] GitError),
    #[error("failed to read {path}: {source}")]
    Read {
        path: String,
        #[source]
        source: std::io::Error,
    },
    /// The problems of a configuration file, underlined.
    #[error("{rendered}")]
    Config { rendered: String },
    #[error("no package here: no `pyproject.toml` with a name at commit {commit}")]
    NoPackages { commit: String },
    #[error("{first} and {second} are both called `{name}`")]
    SameName { name: String, first: String, second: String },
    #[error(transparent)]
    Manifest(#[from] ManifestError),
    #[error(transparent)]
    Source(#[from] SourceError),
    #[error(transparent)]
    VersionText(#[from] VersionTextError),
    #[error("the version in {path} can not be used: {reason}")]
    DeclaredVersion { path: String, reason: String },
    #[error("the tag format of {package} can not be used: {reason}")]
    Tag { package: String, reason: String },
    #[error(transparent)]
    Cycle(#[from] Cycle),
    #[error("{path} is not in the commit")]
    NoFile { path: String },
    #[error("{path}:{line}: this line is not UTF-8")]
    NotUtf8 {
        path: String,
        /// From 1.
        line: usize,
    },
    /// The mistakes of an override or a fragment, one a line.
    #[error("{}", problems.iter().map(ToString::to_string).collect::<Vec<String>>().join("\n"))]
    Correction { problems: Vec<Problem> },
    #[error("the index of {package} can not be read: {reason}")]
    Index { package: String, reason: String },
    #[error("`{path}` is a link that leads out of the repository: to {to}")]
    LeadsOut { path: String, to: String },
    #[error(
        "the configuration keeps the ledger where many share it, and there is no git remote `{wanted}` to claim on"
    )]
    LedgerAlone { wanted: String },
    #[error("the configuration names the remote `{wanted}`, which git does not know here")]
    NoRemote { wanted: String },
    #[error("no index is called `{name}`")]
    NoIndex { name: String, known: Vec<String> },
    #[error("environment `{environment}` names package `{word}`, which there is not")]
    UnknownPackage { environment: String, word: String, nearest: Option<String> },
    #[error(transparent)]
    Placeless(#[from] Placeless),
    #[error("releases are made on branch `{wanted}`, this is `{found}`")]
    Branch { wanted: String, found: String },
    #[error("a merged release pull request can not be shipped: {reason}")]
    Merged { reason: String, way_out: String },
}

impl SurveyError {
    /// A file that is not UTF-8, with its first line that is not.
    pub fn not_utf8(path: &str, bytes: &[u8], error: std::str::Utf8Error) -> SurveyError {
        let before = bytes.get(..error.valid_up_to()).unwrap_or_default();
        let line = 1 + before.iter().filter(|byte| **byte == b'\n').count();
        SurveyError::NotUtf8 { path: path.to_owned(), line }
    }

    /// What to do next, where the message does not say it.
    pub fn hints(&self) -> Vec<String> {
        let hint = match self {
            SurveyError::NoPackages { .. } => {
                "commit a `pyproject.toml` with a `[project]` table, or name the folders in `workspace.packages`"
            }
            SurveyError::SameName { .. } => "give one of them a `name` of its own in `[package.NAME]`",
            SurveyError::DeclaredVersion { .. } => "write it as PEP 440 does: `1.2.3`, `1.3.0rc1`",
            SurveyError::Tag { .. } => {
                "a format holds `{version}`, and `{name}` where it serves several packages"
            }
            SurveyError::Cycle(_) => "drop one of these dependencies, or move it to an extra or a group",
            SurveyError::NoFile { .. } => "commit the file, or correct the configuration that names it",
            SurveyError::NotUtf8 { .. } => "save it as UTF-8 and commit it",
            SurveyError::Git(GitError::NotAFile { .. }) => {
                "commit a file in its place, or name another one in `release.toml` (`notes.changelog = false` for none)"
            }
            SurveyError::Index { .. } => {
                "delete that page: the next ship makes it anew from the files; or name another folder in `directory`"
            }
            SurveyError::LeadsOut { .. } => {
                "put the thing itself there; or name the place outright, in `--config` or in the index's `directory`"
            }
            SurveyError::NoRemote { wanted } => {
                return vec![
                    format!(
                        "`git remote add {wanted} URL`, or set `remote` in `[workspace]` to one that `git remote` lists"
                    ),
                    "`remote = \"\"` keeps everything in this repository".to_owned(),
                ];
            }
            SurveyError::LedgerAlone { .. } => {
                "`git remote add origin URL`, name the `remote` in `[workspace]`, or take `[ledger]` out"
            }
            SurveyError::NoIndex { known, .. } => {
                return vec![format!("the indexes are: {}", known.join(", "))];
            }
            SurveyError::UnknownPackage { nearest: Some(near), .. } => {
                return vec![format!("did you mean `{near}`?")];
            }
            SurveyError::UnknownPackage { .. } => "`release status` lists the packages",
            SurveyError::Placeless(Placeless { example: (folder, name), .. }) => {
                return vec![format!("add `--paths {folder}/…`, or a scope: `feat({name}): …`")];
            }
            SurveyError::Branch { wanted, .. } => {
                return vec![format!("`git switch {wanted}`, or set `workspace.branch`")];
            }
            SurveyError::Merged { way_out, .. } => return vec![way_out.clone()],
            _ => return Vec::new(),
        };
        vec![hint.to_owned()]
    }
}
