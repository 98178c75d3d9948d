//! Reads a project's page of a package index: JSON (PEP 691), or HTML (PEP 503) where there is nothing else.

use reqwest::Url;
use serde_json::Value;

use crate::world::answer::Answer;
use crate::world::http::{Credential, FILE_LIMIT, Get, Http, HttpError, PAGE_LIMIT, shown};
use crate::world::sha256;

/// JSON first, then PEP 691's HTML, then any other.
const ACCEPT: &str =
    "application/vnd.pypi.simple.v1+json, application/vnd.pypi.simple.v1+html;q=0.2, text/html;q=0.01";

/// A project's page.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ProjectPage {
    pub files: Vec<PageFile>,
    /// `active`, `archived`, `quarantined`, `deprecated` (PEP 792), where the index says one.
    pub status: Option<String>,
}

/// A file as the page lists it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PageFile {
    pub name: String,
    pub url: Url,
    /// Hexadecimal digits, lower case; some indexes give none, or another digest.
    pub sha256: Option<String>,
    /// In bytes, where the index says so (PEP 700).
    pub size: Option<u64>,
    /// The reason, perhaps empty, where installers pass it by (PEP 592).
    pub yanked: Option<String>,
}

/// Why a page or a file of it could not be read.
#[derive(Debug, thiserror::Error)]
pub enum PageError {
    #[error(transparent)]
    Http(#[from] HttpError),
    #[error("{url} answered {status}: {said}")]
    Status { url: String, status: u16, said: String, retry_after: Option<std::time::Duration> },
    #[error("{url} is no project's page that PEP 691 or PEP 503 describe")]
    Garbled { url: String },
    #[error(
        "`{file}` came from {url} with other bytes than its page says: there {found}, expected {expected}"
    )]
    Bytes { file: String, url: String, found: String, expected: String },
    #[error("the page of `{file}` gives no sha256, so its bytes can not be checked")]
    Unchecked { file: String },
}

impl PageError {
    /// Whether the same request may succeed later.
    pub fn is_transient(&self) -> bool {
        match self {
            PageError::Http(error) => error.is_transient(),
            PageError::Status { status, .. } => matches!(status, 408 | 425 | 429 | 500..),
            // A body that ended early, or was damaged on the way.
            PageError::Garbled { .. } | PageError::Bytes { .. } => true,
            PageError::Unchecked { .. } => false,
        }
    }

    /// How long the index asks to wait.
    pub fn retry_after(&self) -> Option<std::time::Duration> {
        match self {
            PageError::Status { retry_after, .. } => *retry_after,
            _ => None,
        }
    }

    /// Whether the index asks for a credential.
    pub fn is_locked(&self) -> bool {
        matches!(self, PageError::Status { status: 401 | 403, .. })
    }
}

/// Reads the page of a project, past all caches; `None` where the index has no such project.
///
/// `index` is the address that installers take, such as `…/simple/`; `project` is normalised (PEP 503).
///
/// # Errors
/// Where there is no whole answer, or one that is no page.
pub async fn project(
    http: &Http,
    index: &Url,
    project: &str,
    credential: Option<&Credential>,
) -> Result<Option<ProjectPage>, PageError> {
    let mut url = index.clone();
    url.set_path(&format!("{}/{project}/", index.path().trim_end_matches('/')));
    let answer =
        http.get(&Get { url: &url, accept: ACCEPT, credential, limit: PAGE_LIMIT, away: false }).await?;
    match answer.status {
        // Some indexes send a client on to another index for projects that they do not have.
        301..=308 | 404 => Ok(None),
        200 => page(&answer).map(Some).ok_or_else(|| PageError::Garbled { url: shown(&answer.url) }),
        _ => Err(refused(&answer)),
    }
}

/// The bytes of a listed file, compared with the page's sha256.
///
/// # Errors
/// Where they do not come whole, or are others.
pub async fn download(
    http: &Http,
    index: &Url,
    file: &PageFile,
    credential: Option<&Credential>,
) -> Result<Vec<u8>, PageError> {
    let Some(expected) = file.sha256.clone() else {
        return Err(PageError::Unchecked { file: file.name.clone() });
    };
    let credential = credential.filter(|_| file.url.origin() == index.origin());
    let limit = file.size.unwrap_or(FILE_LIMIT).min(FILE_LIMIT);
    let answer = http.get(&Get { url: &file.url, accept: "*/*", credential, limit, away: true }).await?;
    if answer.status != 200 {
        return Err(refused(&answer));
    }
    let found = sha256::of(&answer.body);
    if found != expected {
        let (file, url) = (file.name.clone(), shown(&answer.url));
        return Err(PageError::Bytes { file, url, found, expected });
    }
    Ok(answer.body)
}

pub(in crate::world) fn refused(answer: &Answer) -> PageError {
    let (url, said) = (shown(&answer.url), answer.words());
    PageError::Status { url, status: answer.status, said, retry_after: answer.retry_after() }
}

fn page(answer: &Answer) -> Option<ProjectPage> {
    if answer.media_type().ends_with("json") {
        return json_page(&answer.json()?, &answer.url);
    }
    Some(html_page(&answer.body, &answer.url))
}

/// PEP 691; PEP 700 adds sizes, PEP 792 the status.
fn json_page(page: &Value, base: &Url) -> Option<ProjectPage> {
    let files = page.get("files")?.as_array()?;
    let files = files.iter().map(|file| json_file(file, base)).collect::<Option<Vec<_>>>()?;
    let status = page["project-status"]["status"].as_str().or_else(|| page["project-status"].as_str());
    Some(ProjectPage { files, status: status.map(str::to_owned) })
}

fn json_file(file: &Value, base: &Url) -> Option<PageFile> {
    let yanked = match &file["yanked"] {
        Value::String(reason) => Some(reason.clone()),
        Value::Bool(true) => Some(String::new()),
        _ => None,
    };
    Some(PageFile {
        name: file["filename"].as_str()?.to_owned(),
        url: base.join(file["url"].as_str()?).ok()?,
        sha256: file["hashes"]["sha256"].as_str().and_then(digest),
        size: file["size"].as_u64(),
        yanked,
    })
}

/// PEP 503 and 592: links whose text is the file's name and whose fragment is its digest.
fn html_page(body: &[u8], page: &Url) -> ProjectPage {
    let mut base = page.clone();
    let mut found = ProjectPage::default();
    let mut open: Option<(String, Option<String>)> = None;
    let mut text = String::new();
    for Ok(token) in html5gum::Tokenizer::new(body) {
        match token {
            html5gum::Token::StartTag(tag) => {
                let attribute = |name: &[u8]| {
                    tag.attributes.get(name).map(|value| String::from_utf8_lossy(value).into_owned())
                };
                match tag.name.as_slice() {
                    b"base" => {
                        base = attribute(b"href").and_then(|to| page.join(&to).ok()).unwrap_or(base);
                    }
                    b"meta" if attribute(b"name").as_deref() == Some("pypi:project-status") => {
                        found.status = attribute(b"content");
                    }
                    b"a" => {
                        text.clear();
                        open = attribute(b"href").map(|to| (to, attribute(b"data-yanked")));
                    }
                    _ => {}
                }
            }
            html5gum::Token::String(words) if open.is_some() => {
                text.push_str(&String::from_utf8_lossy(&words));
            }
            html5gum::Token::EndTag(tag) if tag.name.as_slice() == b"a" => {
                let link = open.take().and_then(|(to, yanked)| html_file(&text, &to, yanked, &base));
                found.files.extend(link);
            }
            _ => {}
        }
    }
    found
}

fn html_file(text: &str, to: &str, yanked: Option<String>, base: &Url) -> Option<PageFile> {
    let mut url = base.join(to).ok()?;
    let sha256 = url
        .fragment()
        .and_then(|digests| digests.split('&').find_map(|one| digest(one.strip_prefix("sha256=")?)));
    url.set_fragment(None);
    let name = text.trim();
    (!name.is_empty()).then(|| PageFile { name: name.to_owned(), url, sha256, size: None, yanked })
}

/// A SHA-256 in hexadecimal digits.
pub(in crate::world) fn digest(text: &str) -> Option<String> {
    let fits = text.len() == 64 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    fits.then(|| text.to_ascii_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    const SUM: &str = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

    fn base() -> Url {
        Url::parse("https://index.example/root/dev/+simple/a/").unwrap()
    }

    #[test]
    fn a_json_page_lists_files_with_relative_addresses() {
        let page = serde_json::json!({
            "meta": { "api-version": "1.4" },
            "name": "a",
            "project-status": { "status": "archived" },
            "files": [
                { "filename": "a-1.whl", "url": "../../+f/a-1.whl", "hashes": { "sha256": SUM }, "size": 3,
                  "yanked": "bad" },
                { "filename": "a-2.whl", "url": "https://files.example/a-2.whl", "hashes": { "md5": "00" },
                  "yanked": false },
            ],
        });
        let page = json_page(&page, &base()).unwrap();
        assert_eq!(page.status.as_deref(), Some("archived"));
        assert_eq!(page.files[0].url.as_str(), "https://index.example/root/dev/+f/a-1.whl");
        assert_eq!(page.files[0].sha256.as_deref(), Some(SUM));
        assert_eq!((page.files[0].size, page.files[0].yanked.as_deref()), (Some(3), Some("bad")));
        assert_eq!((&page.files[1].sha256, &page.files[1].yanked), (&None, &None));
        assert_eq!(json_page(&serde_json::json!({ "files": [{ "filename": "a" }] }), &base()), None);
        assert_eq!(json_page(&serde_json::json!([]), &base()), None);
    }

    #[test]
    fn an_html_page_lists_links_with_digests_and_yanks() {
        let upper = SUM.to_uppercase();
        let body = format!(
            "<!DOCTYPE html><html><head><base href='/pkgs/'><meta name='pypi:project-status' content='active'>\
             </head><body><a href=\"a&amp;b-1.whl#sha256={upper}\" data-yanked=\"no &lt;good&gt;\">a-1.whl</a>\n\
             <A HREF=a-2.whl#md5=0> a-2.<b>whl</b> </a><a>no link</a><!-- <a href=x>x</a> --></body>"
        );
        let page = html_page(body.as_bytes(), &base());
        let names: Vec<&str> = page.files.iter().map(|file| file.name.as_str()).collect();
        assert_eq!(names, ["a-1.whl", "a-2.whl"]);
        assert_eq!(page.files[0].url.as_str(), "https://index.example/pkgs/a&b-1.whl");
        assert_eq!(page.files[0].sha256.as_deref(), Some(SUM));
        assert_eq!(page.files[0].yanked.as_deref(), Some("no <good>"));
        assert_eq!((&page.files[1].sha256, &page.files[1].yanked), (&None, &None));
        assert_eq!(page.status.as_deref(), Some("active"));
    }
}
