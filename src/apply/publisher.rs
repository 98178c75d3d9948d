//! Publishes to an index over HTTP: "ensure this file is there", whatever happens on the way.
//!
//! The index is looked at before anything is sent, and after every answer that leaves a doubt; then the same bytes are
//! sent again. Other bytes under our name are an error, never skipped and never overwritten.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use reqwest::Url;
use serde_json::Value;

use crate::apply::gate::Gate;
use crate::apply::index::Published;
use crate::apply::mint::{Mint, Ticket};
use crate::apply::pace::{Pace, Patience};
use crate::apply::publish_error::PublishError;
use crate::apply::sending::Sending;
use crate::apply::shelf::{ApiKey, Listed, Place, Shelf, Wanted};
use crate::check::metadata::Metadata;
use crate::check::{sdist, wheel};
use crate::plan::digest::Digest;
use crate::version::number::Version;
use crate::workspace::config::tables::Auth;
use crate::workspace::file_name::FileName;
use crate::workspace::name::PackageName;
use crate::world::attest;
use crate::world::credential::variables;
use crate::world::form::{FileFacts, fields};
use crate::world::http::{Credential, Http, HttpError};
use crate::world::upload::{Measure, UploadError, measure};
use crate::world::variable::Env;

/// An index over HTTP, as the configuration has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RemoteIndex {
    pub name: String,
    /// Where files are sent.
    pub upload: String,
    /// Where packages are listed.
    pub simple: Option<String>,
    pub auth: Auth,
    /// Whether files are signed (PEP 740). Ready-made attestations beside a file are sent in any case.
    pub attestations: bool,
    /// Whether plain http may go to another machine.
    pub insecure: bool,
    /// How long `await_visible` waits.
    pub visible_within: Duration,
}

/// One file to be published.
#[derive(Debug, Clone)]
pub struct OneFile {
    pub package: PackageName,
    pub version: Version,
    /// Its name in the index.
    pub name: String,
    pub path: PathBuf,
    /// What was sealed.
    pub digest: Digest,
    pub metadata: Metadata,
    /// What the form says: `sdist` and `source`, or `bdist_wheel` and the python tags.
    filetype: &'static str,
    pyversion: String,
}

/// One index; shared by all steps that publish to it.
pub struct Publisher {
    index: RemoteIndex,
    pub(in crate::apply) upload: Url,
    pub(in crate::apply) http: Http,
    access: Access,
    pub(in crate::apply) shelf: Shelf,
    pub(in crate::apply) pace: Pace,
}

/// How uploads are allowed; one never falls back to another.
enum Access {
    Trusted(Box<Mint>),
    Key(Arc<ApiKey>),
    Open,
}

/// What an attempt shows to be let in.
pub(in crate::apply) enum Pass {
    Minted(Ticket),
    Key(Credential),
    None,
}

impl OneFile {
    /// Reads the file: what its metadata say is what the index is told.
    ///
    /// # Errors
    /// `File`, or `Unfit` where it is neither a wheel nor a source distribution.
    pub fn read(path: &Path, digest: Digest) -> Result<OneFile, PublishError> {
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let unfit = |reason: String| PublishError::Unfit { file: name.clone(), reason };
        let failed = |source| PublishError::File { path: path.to_owned(), source };
        let bytes = std::fs::read(path).map_err(failed)?;
        let (metadata, filetype, pyversion) = match FileName::parse(&name) {
            Ok(FileName::Wheel(_)) => {
                let wheel = wheel::read(&bytes).map_err(|error| unfit(error.to_string()))?;
                (wheel.metadata, "bdist_wheel", python_tags(&name))
            }
            Ok(FileName::Sdist(sdist)) => {
                let read = sdist::read(&sdist, &bytes).map_err(|error| unfit(error.to_string()))?;
                (read.metadata, "sdist", "source".to_owned())
            }
            Err(error) => return Err(unfit(error.reason)),
        };
        let version = Version::parse(metadata.version()).map_err(|error| unfit(error.to_string()))?;
        let package = PackageName::new(metadata.name());
        Ok(OneFile { package, version, name, path: path.to_owned(), digest, metadata, filetype, pyversion })
    }

    pub(in crate::apply) fn wanted(&self) -> Wanted<'_> {
        Wanted { package: &self.package, version: &self.version, name: &self.name, digest: &self.digest }
    }

    fn form(&self, measure: &Measure, attestations: &[Value]) -> Vec<(String, String)> {
        let facts = FileFacts {
            filetype: self.filetype,
            pyversion: self.pyversion.clone(),
            sha256: measure.sha256.clone(),
            blake2_256: measure.blake2_256.clone(),
        };
        let mut form = fields(self.metadata.fields(), &self.metadata.body, &facts);
        if !attestations.is_empty() {
            form.push(("attestations".to_owned(), Value::from(attestations.to_vec()).to_string()));
        }
        form
    }
}

impl std::fmt::Debug for Publisher {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Publisher").field("index", &self.index).finish_non_exhaustive()
    }
}

impl Publisher {
    /// A publisher for an index. Opens no connection.
    ///
    /// # Errors
    /// `Setup` where an address or the options can not be used.
    pub fn new(index: RemoteIndex, environment: Env, pace: Pace) -> Result<Publisher, PublishError> {
        Publisher::trusting(index, environment, pace, &[])
    }

    /// The same, where more certificate authorities are trusted: a PEM text.
    ///
    /// # Errors
    /// As `new`, and where the text is no PEM.
    pub fn trusting(
        index: RemoteIndex,
        environment: Env,
        pace: Pace,
        roots: &[u8],
    ) -> Result<Publisher, PublishError> {
        let failed = |error: HttpError| setup(&index.name, error);
        let http = Http::with_roots(index.insecure, pace.limits, roots).map_err(failed)?;
        let outside = Http::with_roots(false, pace.limits, roots).map_err(failed)?;
        let upload = http.address(&index.upload).map_err(failed)?;
        let simple = index.simple.as_ref().map(|simple| http.address(simple)).transpose().map_err(failed)?;
        if index.attestations && index.auth != Auth::Trusted {
            let hints = vec!["set `auth = \"trusted\"`, or `attestations = false`".to_owned()];
            let reason =
                "attestations name the CI that publishes, and go with trusted publishing only".to_owned();
            return Err(PublishError::Setup { index: index.name, reason, hints });
        }
        let name = index.name.clone();
        let access = match index.auth {
            Auth::Trusted => {
                let ways = [http.clone(), outside];
                Access::Trusted(Box::new(Mint::new(name, upload.clone(), ways, environment, pace)))
            }
            Auth::Token => Access::Key(Arc::new(ApiKey::new(name, upload.clone(), environment))),
            Auth::None => Access::Open,
        };
        let key = match &access {
            Access::Key(key) if simple.as_ref().is_some_and(|simple| simple.origin() == upload.origin()) => {
                Some(Arc::clone(key))
            }
            _ => None,
        };
        let shelf = Shelf {
            index: index.name.clone(),
            http: http.clone(),
            simple,
            pace,
            key,
            locked: AtomicBool::new(false),
        };
        Ok(Publisher { index, upload, http, access, shelf, pace })
    }

    /// Whether the list could be read with a credential only, as far as it was read.
    pub fn is_locked(&self) -> bool {
        self.shelf.locked.load(Ordering::Relaxed)
    }

    pub fn index(&self) -> &RemoteIndex {
        &self.index
    }

    /// Whether uploads would be allowed as far as can be told: the CI vouches for us and the index names its audience,
    /// or there is a token. Nothing is minted.
    ///
    /// # Errors
    /// `NotAllowed`, or where it can not be found out.
    pub async fn probe(&self) -> Result<(), PublishError> {
        match &self.access {
            Access::Trusted(mint) => mint.probe().await,
            Access::Key(key) => self.key(key).await.map(|_| ()),
            Access::Open => Ok(()),
        }
    }

    /// The files of a package, of one release or of all.
    ///
    /// # Errors
    /// Where the index can not be read.
    pub async fn listed(
        &self,
        package: &PackageName,
        version: Option<&Version>,
    ) -> Result<Vec<Listed>, PublishError> {
        self.shelf.listed(package, version).await
    }

    /// Where the files of a release stand, all looked for at once.
    ///
    /// # Errors
    /// `Conflict` in any of them, or where the index can not be read.
    pub async fn places(
        &self,
        package: &PackageName,
        version: &Version,
        files: &[(&str, &Digest)],
    ) -> Result<Vec<Place>, PublishError> {
        self.shelf.places(package, version, files).await
    }

    /// Sees to it that the index has the file with exactly these bytes; `progress` is told the bytes sent and their
    /// number. Callers send one file of a project at a time.
    ///
    /// # Errors
    /// `Conflict`, `NotAllowed`, `Refused`, `Transient` and others; see `PublishError`.
    pub async fn ensure(
        &self,
        file: &OneFile,
        gate: &Gate,
        progress: &(dyn Fn(u64, u64) + Send + Sync),
    ) -> Result<Published, PublishError> {
        self.ensure_from(None, file, gate, progress).await
    }

    /// The same, where it was looked for a moment ago.
    ///
    /// # Errors
    /// As `ensure`.
    pub async fn ensure_from(
        &self,
        seen: Option<Place>,
        file: &OneFile,
        gate: &Gate,
        progress: &(dyn Fn(u64, u64) + Send + Sync),
    ) -> Result<Published, PublishError> {
        let measure = measure(&file.path).await.map_err(|error| self.not_sent(file, error))?;
        if measure.sha256 != file.digest.hex() {
            let now = self.measured(&measure);
            return Err(PublishError::Changed { file: file.name.clone(), sealed: file.digest.clone(), now });
        }
        let place = match seen {
            Some(place) => place,
            None => self.shelf.place(file.wanted(), &mut Patience::new(&self.pace)).await?,
        };
        if place == Place::Ours {
            return Ok(Published::AlreadyThere);
        }
        let attestations = self.attestations(file, gate).await?;
        let form = file.form(&measure, &attestations);
        Sending { publisher: self, file, measure, form, gate, progress }.until_there().await
    }

    /// Waits until the index's page lists all files with our digests, as long as `visible_within` says; `on_lag` is told
    /// how long it takes. That the deadline passes does not mean that they are not published.
    ///
    /// # Errors
    /// `NotVisible`, or `Conflict` where another digest is listed.
    pub async fn await_visible(
        &self,
        package: &PackageName,
        files: &[(String, Digest)],
        on_lag: &(dyn Fn(Duration) + Send + Sync),
    ) -> Result<(), PublishError> {
        self.shelf.await_visible(package, files, self.index.visible_within, on_lag).await
    }

    /// The bytes of a listed file.
    ///
    /// # Errors
    /// `NotListed`, or where it does not come whole.
    pub async fn fetch(&self, package: &PackageName, file: &str) -> Result<Vec<u8>, PublishError> {
        self.shelf.fetch(package, file).await
    }

    /// The wheels of a release by name, as installers are given them.
    ///
    /// # Errors
    /// `NotListed`, or where one does not come whole.
    pub async fn wheels(
        &self,
        package: &PackageName,
        version: &Version,
    ) -> Result<Vec<(String, Vec<u8>)>, PublishError> {
        self.shelf.wheels(package, version).await
    }

    /// Revokes the tokens that were minted. Never fails, and takes a few seconds at most.
    pub async fn close(&self) {
        if let Access::Trusted(mint) = &self.access {
            mint.burn().await;
        }
    }

    pub(in crate::apply) async fn pass(
        &self,
        package: &PackageName,
        gate: &Gate,
        worn: Option<u64>,
    ) -> Result<Pass, PublishError> {
        match &self.access {
            Access::Trusted(mint) => mint.ticket(package, gate, worn).await.map(Pass::Minted),
            Access::Key(key) => self.key(key).await.map(Pass::Key),
            Access::Open => Ok(Pass::None),
        }
    }

    pub(in crate::apply) fn is_trusted(&self) -> bool {
        matches!(self.access, Access::Trusted(_))
    }

    async fn key(&self, key: &ApiKey) -> Result<Credential, PublishError> {
        let found = key.credential().await.cloned();
        found.ok_or_else(|| {
            let (token, user) = variables(&self.index.name);
            PublishError::NotAllowed {
                index: self.index.name.clone(),
                what: "anything".to_owned(),
                reason: format!("`{token}` is not set and the keyring has no entry"),
                hints: vec![
                    format!("set `{token}`, and `{user}` where the user is not `__token__`"),
                    format!("or keep it in the keyring: `keyring set {} __token__`", self.index.upload),
                ],
            }
        })
    }

    /// What stands beside the file, or else is signed now. Only a publisher by identity may send any.
    async fn attestations(&self, file: &OneFile, gate: &Gate) -> Result<Vec<Value>, PublishError> {
        let Access::Trusted(mint) = &self.access else { return Ok(Vec::new()) };
        if let Some(ready) = attest::ready_made(&file.path, &file.name, file.digest.hex())? {
            return Ok(vec![ready]);
        }
        if !self.index.attestations {
            return Ok(Vec::new());
        }
        // What is signed stands in a public log.
        gate().await?;
        let identity = mint.identity_for(attest::AUDIENCE).await?;
        Ok(vec![attest::sign(&identity, &file.name, file.digest.hex()).await?])
    }

    fn measured(&self, measure: &Measure) -> Digest {
        crate::apply::shelf::digest(&measure.sha256)
    }

    pub(in crate::apply) fn not_sent(&self, file: &OneFile, error: UploadError) -> PublishError {
        match error {
            UploadError::File { path, source } => PublishError::File { path, source },
            UploadError::Http(error) => setup(&self.index.name, error),
            UploadError::Changed { name } => PublishError::Changed {
                file: name,
                sealed: file.digest.clone(),
                now: std::fs::read(&file.path).map_or_else(|_| Digest::none(), |bytes| Digest::of(&bytes)),
            },
        }
    }
}

/// The python tags of a wheel's name, as it has them: `py2.py3`.
fn python_tags(wheel: &str) -> String {
    wheel.trim_end_matches(".whl").rsplit('-').nth(2).unwrap_or_default().to_owned()
}

fn setup(index: &str, error: HttpError) -> PublishError {
    let hints = match &error {
        HttpError::Plain { .. } => vec![format!(
            "use https, or set `insecure = true` in `[index.{index}]` on a network that you trust"
        )],
        HttpError::Redirect { .. } | HttpError::Address { .. } => {
            vec![format!("check the addresses in `[index.{index}]`")]
        }
        _ => Vec::new(),
    };
    PublishError::Setup { index: index.to_owned(), reason: error.to_string(), hints }
}
