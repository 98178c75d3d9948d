//! What an index over HTTP holds: listed, compared, waited for, fetched.
//!
//! PyPI's JSON API shows a file at once, the simple index when its caches have turned; both are asked.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use reqwest::Url;
use tokio::sync::OnceCell;
use tokio::time::{Instant, sleep};

use crate::apply::pace::{Pace, Patience};
use crate::apply::publish_error::PublishError;
use crate::plan::digest::Digest;
use crate::version::number::Version;
use crate::workspace::file_name::FileName;
use crate::workspace::name::PackageName;
use crate::world::http::{Credential, Http};
use crate::world::simple_index::{PageError, PageFile, download, project};
use crate::world::variable::Env;
use crate::world::{credential, json_api};

/// The reading side of an index.
pub struct Shelf {
    pub index: String,
    pub http: Http,
    /// The list of packages; without it nothing can be compared.
    pub simple: Option<Url>,
    pub pace: Pace,
    /// Shown where the list is locked and stands at the origin that takes uploads.
    pub key: Option<Arc<ApiKey>>,
    /// Whether the list asked for it.
    pub locked: AtomicBool,
}

/// An API token, looked up once.
pub struct ApiKey {
    pub index: String,
    pub upload: Url,
    pub environment: Env,
    found: OnceCell<Option<Credential>>,
}

/// One file as the index lists it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    pub filename: String,
    /// Some indexes give another digest, or none.
    pub sha256: Option<Digest>,
    /// In bytes, where the index says so.
    pub size: Option<u64>,
    /// The reason, perhaps empty, where it is yanked (PEP 592).
    pub yanked: Option<String>,
}

/// Where one file of ours stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// There, with our bytes.
    Ours,
    Absent,
    /// The index can not be read.
    Unknown,
}

/// One look at an index, to be had again.
type Reading<'r, T> = Pin<Box<dyn Future<Output = Result<T, PageError>> + Send + 'r>>;

/// What is looked for: a file of a release and its digest.
#[derive(Debug, Clone, Copy)]
pub struct Wanted<'w> {
    pub package: &'w PackageName,
    pub version: &'w Version,
    pub name: &'w str,
    pub digest: &'w Digest,
}

impl ApiKey {
    pub fn new(index: String, upload: Url, environment: Env) -> ApiKey {
        ApiKey { index, upload, environment, found: OnceCell::new() }
    }

    /// The token of the environment or the keyring.
    pub async fn credential(&self) -> Option<&Credential> {
        let find = || credential::find(&self.index, &self.upload, &*self.environment);
        self.found.get_or_init(find).await.as_ref()
    }
}

impl Shelf {
    /// The files of a package, of one release or all: what the JSON API and the simple index list, each file once.
    ///
    /// # Errors
    /// Where the index can not be read.
    pub async fn listed(
        &self,
        package: &PackageName,
        version: Option<&Version>,
    ) -> Result<Vec<Listed>, PublishError> {
        if self.simple.is_none() {
            return Err(self.no_list());
        }
        let (of_release, page) = self.both(package, version).await?;
        let mut all: Vec<PageFile> = of_release.unwrap_or_default();
        for file in page.unwrap_or_default() {
            if !all.iter().any(|known| known.name == file.name) && version.is_none_or(|one| is_of(&file, one))
            {
                all.push(file);
            }
        }
        all.sort_by(|one, other| one.name.cmp(&other.name));
        Ok(all.into_iter().map(listed).collect())
    }

    /// The wheels of a release by name, as installers are given them.
    ///
    /// # Errors
    /// `NotListed` where the page does not show yet what is stored, or where one does not come whole.
    pub async fn wheels(
        &self,
        package: &PackageName,
        version: &Version,
    ) -> Result<Vec<(String, Vec<u8>)>, PublishError> {
        let Some(simple) = &self.simple else { return Err(self.no_list()) };
        let (of_release, page) = self.both(package, Some(version)).await?;
        let is_wheel = |file: &PageFile| file.name.ends_with(".whl") && is_of(file, version);
        let page: Vec<PageFile> = page.unwrap_or_default().into_iter().filter(is_wheel).collect();
        let stored = of_release.unwrap_or_default().into_iter().filter(is_wheel);
        for file in stored {
            if !page.iter().any(|listed| listed.name == file.name) {
                return Err(PublishError::NotListed { index: self.index.clone(), file: file.name });
            }
        }
        let mut patience = Patience::new(&self.pace);
        let mut wheels = Vec::new();
        for file in page {
            let bytes = self.patiently(&mut patience, || Box::pin(self.get(simple, &file))).await?;
            wheels.push((file.name, bytes));
        }
        Ok(wheels)
    }

    /// What the JSON API has of a release, and what the page lists.
    async fn both(
        &self,
        package: &PackageName,
        version: Option<&Version>,
    ) -> Result<(Option<Vec<PageFile>>, Option<Vec<PageFile>>), PublishError> {
        let (mut patience, mut page_patience) = (Patience::new(&self.pace), Patience::new(&self.pace));
        let of_release = async {
            let Some(version) = version else { return Ok(None) };
            self.patiently(&mut patience, || Box::pin(self.release(package, version))).await
        };
        let page = self.patiently(&mut page_patience, || Box::pin(self.page(package)));
        tokio::try_join!(of_release, page)
    }

    /// Whether a file stands in the index with our bytes.
    ///
    /// # Errors
    /// `Conflict` where it stands there with others, or where the index could be read but does not answer.
    pub async fn place(&self, wanted: Wanted<'_>, patience: &mut Patience) -> Result<Place, PublishError> {
        if self.simple.is_none() {
            return Ok(Place::Unknown);
        }
        let Wanted { package, version, name, digest } = wanted;
        let names = [name];
        let found = self.patiently(patience, || Box::pin(self.find(package, version, &names))).await?;
        self.place_in(&found, name, digest)
    }

    /// Where the files of a release stand, all looked for at once.
    ///
    /// # Errors
    /// As `place`, and where the index lists nothing.
    pub async fn places(
        &self,
        package: &PackageName,
        version: &Version,
        files: &[(&str, &Digest)],
    ) -> Result<Vec<Place>, PublishError> {
        if self.simple.is_none() {
            return Err(self.no_list());
        }
        let mut patience = Patience::new(&self.pace);
        let names: Vec<&str> = files.iter().map(|(name, _)| *name).collect();
        let found = self.patiently(&mut patience, || Box::pin(self.find(package, version, &names))).await?;
        files.iter().map(|(name, digest)| self.place_in(&found, name, digest)).collect()
    }

    fn place_in(&self, found: &[PageFile], name: &str, digest: &Digest) -> Result<Place, PublishError> {
        match found.iter().find(|file| file.name == name) {
            Some(file) => self.compare(name, digest, file.sha256.as_deref()),
            None => Ok(Place::Absent),
        }
    }

    /// Waits until the page lists all files with our digests: first the JSON API, then the simple index that
    /// installers read. `lags` is told how long it takes, once that is longer than usual.
    ///
    /// # Errors
    /// `NotVisible` at the deadline: the files are published all the same. `Conflict` where another digest is listed.
    pub async fn await_visible(
        &self,
        package: &PackageName,
        files: &[(String, Digest)],
        within: Duration,
        lags: &(dyn Fn(Duration) + Send + Sync),
    ) -> Result<(), PublishError> {
        if self.simple.is_none() {
            return Err(self.no_list());
        }
        let began = Instant::now();
        let mut pauses = self.pace.polls();
        let (refused, mut page) = tokio::join!(self.refuse_others(package, files), self.page(package));
        refused?;
        loop {
            // A page that can not be read now is not there now.
            let missing = match page {
                Ok(page) => self.missing(files, &page.unwrap_or_default())?,
                Err(error) if error.is_transient() => files.iter().map(|(name, _)| name.clone()).collect(),
                Err(source) => return Err(self.unread(source)),
            };
            if missing.is_empty() {
                return Ok(());
            }
            let (waited, pause) = (began.elapsed(), pauses.next().unwrap_or(self.pace.poll));
            if waited + pause > within {
                return Err(PublishError::NotVisible { index: self.index.clone(), files: missing, waited });
            }
            if waited >= self.pace.lag {
                lags(waited);
            }
            sleep(pause).await;
            page = self.page(package).await;
        }
    }

    /// The bytes of a listed file, as its digest says.
    ///
    /// # Errors
    /// `NotListed`, or where it does not come whole.
    pub async fn fetch(&self, package: &PackageName, file: &str) -> Result<Vec<u8>, PublishError> {
        let Some(simple) = &self.simple else { return Err(self.no_list()) };
        let mut patience = Patience::new(&self.pace);
        let page = self.patiently(&mut patience, || Box::pin(self.page(package))).await?;
        let found = page.unwrap_or_default().into_iter().find(|listed| listed.name == file);
        let found = found
            .ok_or_else(|| PublishError::NotListed { index: self.index.clone(), file: file.to_owned() })?;
        self.patiently(&mut patience, || Box::pin(self.get(simple, &found))).await
    }

    async fn get(&self, simple: &Url, found: &PageFile) -> Result<Vec<u8>, PageError> {
        let open = download(&self.http, simple, found, None).await;
        match self.key_for(&open).await {
            Some(key) => download(&self.http, simple, found, Some(key)).await,
            None => open,
        }
    }

    /// What the JSON API has of the release, before its page shows anything: other bytes need no waiting for.
    async fn refuse_others(
        &self,
        package: &PackageName,
        files: &[(String, Digest)],
    ) -> Result<(), PublishError> {
        let name = files.first().and_then(|(name, _)| FileName::parse(name).ok());
        let Some(name) = name else { return Ok(()) };
        if let Ok(Some(stored)) = self.release(package, name.version()).await {
            self.missing(files, &stored)?;
        }
        Ok(())
    }

    /// Those of some files that either interface lists. What the JSON API can not say now, the page may.
    async fn find(
        &self,
        package: &PackageName,
        version: &Version,
        names: &[&str],
    ) -> Result<Vec<PageFile>, PageError> {
        let (of_release, page) = tokio::join!(self.release(package, version), self.page(package));
        let is_wanted = |file: &PageFile| names.contains(&file.name.as_str());
        let named = |files: Option<Vec<PageFile>>| -> Vec<PageFile> {
            files.unwrap_or_default().into_iter().filter(is_wanted).collect()
        };
        let (mut found, doubt) = match of_release {
            Ok(files) => (named(files), None),
            Err(error) => (Vec::new(), Some(error)),
        };
        let is_found = |found: &[PageFile], name: &str| found.iter().any(|file| file.name == name);
        if names.iter().all(|name| is_found(&found, name)) {
            return Ok(found);
        }
        for file in named(page?) {
            if !is_found(&found, &file.name) {
                found.push(file);
            }
        }
        match doubt {
            Some(error) if !names.iter().all(|name| is_found(&found, name)) => Err(error),
            _ => Ok(found),
        }
    }

    async fn release(
        &self,
        package: &PackageName,
        version: &Version,
    ) -> Result<Option<Vec<PageFile>>, PageError> {
        let Some(api) = self.simple.as_ref().and_then(json_api::beside) else { return Ok(None) };
        json_api::release(&self.http, &api, package.as_str(), &version.to_string(), None).await
    }

    async fn page(&self, package: &PackageName) -> Result<Option<Vec<PageFile>>, PageError> {
        let Some(simple) = &self.simple else { return Ok(None) };
        let open = project(&self.http, simple, package.as_str(), None).await;
        let page = match self.key_for(&open).await {
            Some(key) => project(&self.http, simple, package.as_str(), Some(key)).await,
            None => open,
        };
        Ok(page?.map(|page| page.files))
    }

    /// The token, where an answer asks for one.
    async fn key_for<T>(&self, answer: &Result<T, PageError>) -> Option<&Credential> {
        match (answer, &self.key) {
            (Err(error), Some(key)) if error.is_locked() => {
                self.locked.store(true, Ordering::Relaxed);
                key.credential().await
            }
            _ => None,
        }
    }

    async fn patiently<'r, T>(
        &self,
        patience: &mut Patience,
        read: impl Fn() -> Reading<'r, T>,
    ) -> Result<T, PublishError> {
        loop {
            match read().await {
                Ok(found) => return Ok(found),
                Err(error) if error.is_transient() => {
                    if !patience.wait(error.retry_after()).await {
                        let (index, what) = (self.index.clone(), "be read".to_owned());
                        let (retries, last) = (patience.retries, error.to_string());
                        return Err(PublishError::Transient { index, what, retries, last });
                    }
                }
                Err(error) => return Err(self.unread(error)),
            }
        }
    }

    fn missing(&self, files: &[(String, Digest)], page: &[PageFile]) -> Result<Vec<String>, PublishError> {
        let mut missing = Vec::new();
        for (name, digest) in files {
            match page.iter().find(|listed| listed.name == *name) {
                Some(listed) => {
                    self.compare(name, digest, listed.sha256.as_deref())?;
                }
                None => missing.push(name.clone()),
            }
        }
        Ok(missing)
    }

    fn compare(&self, name: &str, ours: &Digest, there: Option<&str>) -> Result<Place, PublishError> {
        match there {
            None => Ok(Place::Unknown),
            Some(hex) if hex == ours.hex() => Ok(Place::Ours),
            Some(hex) => Err(PublishError::Conflict {
                index: self.index.clone(),
                file: name.to_owned(),
                there: digest(hex),
                ours: ours.clone(),
            }),
        }
    }

    fn unread(&self, source: PageError) -> PublishError {
        if source.is_locked() && self.key.is_some() {
            let (token, _) = credential::variables(&self.index);
            return PublishError::NotAllowed {
                index: self.index.clone(),
                what: "anything".to_owned(),
                reason: source.to_string(),
                hints: vec![format!("check the token in `{token}` or the keyring")],
            };
        }
        PublishError::Page { index: self.index.clone(), source }
    }

    fn no_list(&self) -> PublishError {
        let index = self.index.clone();
        let hints = vec![format!("set `simple` in `[index.{index}]`")];
        PublishError::Setup { index, reason: "it has no address that lists packages".to_owned(), hints }
    }
}

fn listed(file: PageFile) -> Listed {
    Listed {
        filename: file.name,
        sha256: file.sha256.as_deref().map(digest),
        size: file.size,
        yanked: file.yanked,
    }
}

fn is_of(file: &PageFile, version: &Version) -> bool {
    FileName::parse(&file.name).is_ok_and(|name| name.version() == version)
}

/// A digest from its hexadecimal digits.
pub(in crate::apply) fn digest(hex: &str) -> Digest {
    serde_json::from_value(format!("sha256:{hex}").into()).expect("a digest is read from any text")
}
