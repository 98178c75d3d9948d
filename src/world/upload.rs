//! Uploads one file to a package index (docs.pypi.org, "Upload API"): streamed, and stopped if its bytes change.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use blake2::Blake2b;
use blake2::digest::consts::U32;
use futures_util::stream::{self, Stream};
use reqwest::header::ACCEPT;
use reqwest::multipart::{Form, Part};
use reqwest::{Body, Response, Url};
use sha2::{Digest as _, Sha256};
use tokio::fs::File;
use tokio::io::AsyncReadExt;
use tokio::time::{Instant, interval};

use crate::world::answer::Answer;
use crate::world::http::{Credential, Http, HttpError, JSON_LIMIT, classified, next, shown, slow};
use crate::world::sha256::hex;

/// How much of a file is read at once, in bytes.
const CHUNK: usize = 64 * 1024;
/// How often progress is told and a standstill looked for.
const TICK: Duration = Duration::from_millis(100);

/// A file's size and digests (hexadecimal digits).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Measure {
    pub size: u64,
    pub sha256: String,
    /// BLAKE2b with 32 bytes of output.
    pub blake2_256: String,
}

/// One file to send.
#[derive(Debug)]
pub struct Upload<'u> {
    pub url: &'u Url,
    pub credential: Option<&'u Credential>,
    /// The form beside the file, in this order.
    pub fields: &'u [(String, String)],
    pub path: &'u Path,
    /// The file's name in the index.
    pub name: &'u str,
    pub measure: &'u Measure,
}

/// Why there is no answer to an upload.
#[derive(Debug, thiserror::Error)]
pub enum UploadError {
    #[error(transparent)]
    Http(#[from] HttpError),
    #[error("`{}` can not be read", path.display())]
    File { path: PathBuf, source: io::Error },
    #[error("`{name}` changed while it was sent")]
    Changed { name: String },
}

/// How far an upload is; shared with the body that is sent.
#[derive(Debug, Default)]
pub(in crate::world) struct Sent {
    pub bytes: AtomicU64,
    pub changed: AtomicBool,
}

/// Reads a file once.
///
/// # Errors
/// Where it can not be read.
pub async fn measure(path: &Path) -> Result<Measure, UploadError> {
    let failed = |source| UploadError::File { path: path.to_owned(), source };
    let mut file = File::open(path).await.map_err(failed)?;
    let (mut sha256, mut blake2, mut size) = (Sha256::new(), Blake2b::<U32>::new(), 0);
    let mut buffer = vec![0; CHUNK];
    loop {
        let read = file.read(&mut buffer).await.map_err(failed)?;
        if read == 0 {
            break;
        }
        sha256.update(&buffer[..read]);
        blake2.update(&buffer[..read]);
        size += read as u64;
    }
    Ok(Measure { size, sha256: hex(&sha256.finalize()), blake2_256: hex(&blake2.finalize()) })
}

/// Sends one file, once; `progress` is told the bytes sent and their whole number.
///
/// A redirect within the origin (307, 308, 301) is followed once. The last bytes leave only when the sha256 of all is
/// that of `measure`.
///
/// # Errors
/// Where there is no whole answer. A status that says no is an answer.
pub async fn upload(
    http: &Http,
    upload: &Upload<'_>,
    progress: &(dyn Fn(u64, u64) + Send + Sync),
) -> Result<Answer, UploadError> {
    let response = attempt(http, upload, upload.url, progress).await?;
    let Some(to) = next(&response, upload.url)? else { return Ok(http.read(response, JSON_LIMIT).await?) };
    let refused = || HttpError::Redirect { url: shown(upload.url), to: shown(&to) };
    if to.origin() != upload.url.origin() || !matches!(response.status().as_u16(), 301 | 307 | 308) {
        return Err(refused().into());
    }
    drop(response);
    let response = attempt(http, upload, &to, progress).await?;
    if next(&response, &to)?.is_some() {
        return Err(refused().into());
    }
    Ok(http.read(response, JSON_LIMIT).await?)
}

async fn attempt(
    http: &Http,
    upload: &Upload<'_>,
    url: &Url,
    progress: &(dyn Fn(u64, u64) + Send + Sync),
) -> Result<Response, UploadError> {
    let failed = |source| UploadError::File { path: upload.path.to_owned(), source };
    let file = File::open(upload.path).await.map_err(failed)?;
    let sent = Arc::new(Sent::default());
    let content = Body::wrap_stream(content(file, upload.measure.clone(), Arc::clone(&sent)));
    let part = Part::stream_with_length(content, upload.measure.size)
        .file_name(upload.name.to_owned())
        .mime_str("application/octet-stream")
        .map_err(|error| classified(&error, url))?;
    let mut form = Form::new();
    for (name, value) in upload.fields {
        form = form.text(name.clone(), value.clone());
    }
    let mut request =
        http.post(url)?.header(ACCEPT, "application/json").multipart(form.part("content", part));
    if let Some(credential) = upload.credential {
        request = credential.on(request);
    }
    watched(http, request, url, &sent, (upload.measure.size, progress)).await.map_err(|error| {
        let changed = sent.changed.load(Ordering::SeqCst);
        if changed { UploadError::Changed { name: upload.name.to_owned() } } else { error.into() }
    })
}

/// Waits for the answer; gives up where nothing moves for too long.
pub(in crate::world) async fn watched(
    http: &Http,
    request: reqwest::RequestBuilder,
    url: &Url,
    sent: &Sent,
    (size, progress): (u64, &(dyn Fn(u64, u64) + Send + Sync)),
) -> Result<Response, HttpError> {
    let answer = request.send();
    tokio::pin!(answer);
    let mut tick = interval(TICK);
    let (mut told, mut moved) = (0, Instant::now());
    loop {
        tokio::select! {
            answer = &mut answer => {
                let bytes = sent.bytes.load(Ordering::SeqCst);
                if bytes != told {
                    progress(bytes, size);
                }
                return answer.map_err(|error| classified(&error, url));
            }
            _ = tick.tick() => {
                let bytes = sent.bytes.load(Ordering::SeqCst);
                if bytes != told {
                    (told, moved) = (bytes, Instant::now());
                    progress(bytes, size);
                }
                // With the whole file in its hands, the index works on it before it answers.
                let limit = if bytes < size { http.limits.idle } else { http.limits.answer };
                if moved.elapsed() > limit {
                    return Err(slow(url));
                }
            }
        }
    }
}

/// A file being read for its second time, one chunk behind: the last is held back until the sum is right.
struct Reading {
    file: File,
    held: Option<Vec<u8>>,
    read: u64,
    sum: Sha256,
    expected: Measure,
    sent: Arc<Sent>,
}

pub(in crate::world) fn content(
    file: File,
    expected: Measure,
    sent: Arc<Sent>,
) -> impl Stream<Item = io::Result<Vec<u8>>> + Send {
    let reading = Reading { file, held: None, read: 0, sum: Sha256::new(), expected, sent };
    stream::try_unfold(reading, |mut reading| async move {
        let chunk = reading.next().await?;
        Ok(chunk.map(|chunk| (chunk, reading)))
    })
}

impl Reading {
    async fn next(&mut self) -> io::Result<Option<Vec<u8>>> {
        loop {
            let mut chunk = vec![0; CHUNK];
            let read = self.file.read(&mut chunk).await?;
            chunk.truncate(read);
            self.read += read as u64;
            self.sum.update(&chunk);
            let end = read == 0;
            if self.read > self.expected.size || (end && !self.is_as_measured()) {
                self.sent.changed.store(true, Ordering::SeqCst);
                return Err(io::Error::other("the file changed while it was sent"));
            }
            let before = if end { self.held.take() } else { self.held.replace(chunk) };
            if before.is_some() || end {
                let bytes = before.as_ref().map_or(0, Vec::len) as u64;
                self.sent.bytes.fetch_add(bytes, Ordering::SeqCst);
                return Ok(before);
            }
        }
    }

    fn is_as_measured(&self) -> bool {
        self.read == self.expected.size && hex(&self.sum.clone().finalize()) == self.expected.sha256
    }
}

#[cfg(test)]
mod tests {
    use futures_util::TryStreamExt;

    use super::*;

    async fn sent(bytes: &[u8], expected: Measure) -> (io::Result<Vec<u8>>, u64, bool) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.whl");
        std::fs::write(&path, bytes).unwrap();
        let sent = Arc::new(Sent::default());
        let file = File::open(&path).await.unwrap();
        let collected = content(file, expected, Arc::clone(&sent)).try_concat().await;
        (collected, sent.bytes.load(Ordering::SeqCst), sent.changed.load(Ordering::SeqCst))
    }

    async fn measured(bytes: &[u8]) -> Measure {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.whl");
        std::fs::write(&path, bytes).unwrap();
        measure(&path).await.unwrap()
    }

    #[tokio::test]
    async fn a_file_is_sent_whole_with_the_digests_of_its_bytes() {
        for size in [0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 5 * CHUNK + 3] {
            let bytes = vec![7; size];
            let measure = measured(&bytes).await;
            assert_eq!((measure.size, measure.sha256.len()), (size as u64, 64));
            let (collected, count, changed) = sent(&bytes, measure).await;
            assert_eq!((collected.unwrap(), count, changed), (bytes, size as u64, false));
        }
        assert_eq!(
            measured(b"").await.blake2_256,
            "0e5751c026e543b2e8ab2eb06099daa1d1e5df47778f7787faab45cdf12fe3a8"
        );
    }

    #[tokio::test]
    async fn a_changed_file_is_never_sent_whole() {
        let before = vec![7; 3 * CHUNK];
        let measure = measured(&before).await;
        let mut other = before.clone();
        other[0] = 8;
        let longer = [before.as_slice(), b"x"].concat();
        for now in [&other[..], &before[..before.len() - 1], &longer] {
            let (collected, count, changed) = sent(now, measure.clone()).await;
            assert!(collected.is_err() && changed, "{}", now.len());
            assert!(count < measure.size, "{}", now.len());
        }
    }
}
