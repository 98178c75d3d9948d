//! Reads one release over PyPI's JSON API (docs.pypi.org, "JSON API"), which shows a file as soon as it is stored.

use reqwest::Url;
use serde_json::Value;

use crate::world::http::{Credential, Get, Http, PAGE_LIMIT, shown};
use crate::world::simple_index::{PageError, PageFile, digest, refused};

/// The address of the JSON API that stands beside a simple index: `X/simple/` → `X/pypi/`.
pub fn beside(simple: &Url) -> Option<Url> {
    let stem = simple.path().trim_end_matches('/').strip_suffix("/simple")?;
    let mut url = simple.clone();
    url.set_path(&format!("{stem}/pypi/"));
    Some(url)
}

/// The files of a release; `None` where the index has no such release, or no such interface.
///
/// # Errors
/// Where there is no whole answer.
pub async fn release(
    http: &Http,
    api: &Url,
    project: &str,
    version: &str,
    credential: Option<&Credential>,
) -> Result<Option<Vec<PageFile>>, PageError> {
    let mut url = api.clone();
    url.set_path(&format!("{}{project}/{version}/json", api.path()));
    let answer = http
        .get(&Get { url: &url, accept: "application/json", credential, limit: PAGE_LIMIT, away: false })
        .await?;
    match answer.status {
        200 if answer.media_type().ends_with("json") => {
            let release = answer.json().ok_or_else(|| PageError::Garbled { url: shown(&answer.url) })?;
            Ok(files(&release, &answer.url))
        }
        408 | 425 | 429 | 500.. => Err(refused(&answer)),
        _ => Ok(None),
    }
}

/// `None` where the answer is of another interface.
fn files(release: &Value, base: &Url) -> Option<Vec<PageFile>> {
    release.get("info")?;
    release.get("urls")?.as_array()?.iter().map(|file| one(file, base)).collect()
}

fn one(file: &Value, base: &Url) -> Option<PageFile> {
    let yanked = file["yanked"].as_bool().unwrap_or_default();
    Some(PageFile {
        name: file["filename"].as_str()?.to_owned(),
        url: base.join(file["url"].as_str()?).ok()?,
        sha256: file["digests"]["sha256"].as_str().and_then(digest),
        size: file["size"].as_u64(),
        yanked: yanked.then(|| file["yanked_reason"].as_str().unwrap_or_default().to_owned()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_interface_stands_beside_the_simple_index() {
        let beside = |text| super::beside(&Url::parse(text).unwrap()).map(String::from);
        assert_eq!(beside("https://index.example/simple/").as_deref(), Some("https://index.example/pypi/"));
        assert_eq!(
            beside("https://index.example/a/simple").as_deref(),
            Some("https://index.example/a/pypi/")
        );
        assert_eq!(beside("https://index.example/root/dev/+simple/"), None);
        assert_eq!(beside("https://index.example/"), None);
    }

    #[test]
    fn a_release_lists_its_files() {
        let base = Url::parse("https://index.example/pypi/a/1/json").unwrap();
        let release = serde_json::json!({ "info": {}, "urls": [{
            "filename": "a-1.whl", "url": "https://files.example/a-1.whl", "size": 3,
            "digests": { "sha256": "no digest" }, "yanked": true, "yanked_reason": null,
        }] });
        let files = files(&release, &base).unwrap();
        assert_eq!((files[0].sha256.as_deref(), files[0].yanked.as_deref()), (None, Some("")));
        assert_eq!(super::files(&serde_json::json!({ "result": {} }), &base), None);
    }
}
