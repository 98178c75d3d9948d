//! Keeps a chain in a bucket that speaks S3: one object a link, each made only where there is none.
//!
//! Objects are named `links/0000000001.json` below the prefix. Needs conditional writes (`If-None-Match`), which S3,
//! R2, MinIO and others have. Credentials come from the `AWS_*` variables alone.

use std::ffi::OsString;
use std::sync::Arc;
use std::time::Duration;

use object_store::aws::{AmazonS3, AmazonS3Builder, AmazonS3ConfigKey, S3ConditionalPut};
use object_store::list::{PaginatedListOptions, PaginatedListStore};
use object_store::path::Path;
use object_store::{Error, ObjectStore, ObjectStoreExt, PutMode, PutOptions, RetryConfig};
use tokio::task::JoinSet;

use crate::world::loopback::leads_to_loopback;
use crate::world::store::Answer;
use crate::world::store::error::{StoreError, words};
use crate::world::store::numbered::{Filled, New, Put, Shelf};

/// A part of a bucket.
#[derive(Debug)]
pub(in crate::world) struct Bucket {
    client: Arc<AmazonS3>,
    /// `s3://bucket/prefix`.
    name: String,
    /// With a slash at its end, or empty.
    prefix: String,
}

impl Bucket {
    /// A place such as `s3://bucket/prefix`, at AWS or at another endpoint. Variables win nothing over what is given.
    ///
    /// # Errors
    /// `Unusable` for another kind of address, one with a credential, or plain HTTP beyond this machine.
    pub fn open(
        url: &str,
        endpoint: Option<&str>,
        region: Option<&str>,
        environment: &dyn Fn(&str) -> Option<OsString>,
    ) -> Result<Bucket, StoreError> {
        let (bucket, prefix) = parts(url)?;
        let mut builder = AmazonS3Builder::new().with_conditional_put(S3ConditionalPut::ETagMatch);
        for variable in VARIABLES {
            let value = environment(variable).and_then(|value| value.into_string().ok());
            let key: Option<AmazonS3ConfigKey> = variable.to_ascii_lowercase().parse().ok();
            if let (Some(key), Some(value)) = (key, value.filter(|value| !value.is_empty())) {
                builder = builder.with_config(key, value);
            }
        }
        let from_environment = || ENDPOINTS.iter().find_map(|name| environment(name)?.into_string().ok());
        if let Some(endpoint) = endpoint.map(str::to_owned).or_else(from_environment) {
            let plain = check_endpoint(url, &endpoint)?;
            builder = builder.with_endpoint(endpoint.trim_end_matches('/')).with_allow_http(plain);
        }
        if let Some(region) = region {
            builder = builder.with_region(region);
        }
        let retry =
            RetryConfig { max_retries: 2, retry_timeout: Duration::from_secs(60), ..Default::default() };
        let client = builder.with_bucket_name(bucket).with_retry(retry).build();
        let client = client.map_err(|error| unusable(url, &error.to_string()))?;
        Ok(Bucket { client: Arc::new(client), name: words(url), prefix })
    }

    fn key(&self, number: u64) -> Path {
        Path::from(self.text_key(number))
    }

    fn text_key(&self, number: u64) -> String {
        format!("{}links/{number:010}.json", self.prefix)
    }

    async fn highest(&self, from: u64) -> Result<Option<u64>, StoreError> {
        let prefix = format!("{}links/", self.prefix);
        let mut newest = None;
        let mut page_token = None;
        loop {
            let offset = (from > 1).then(|| self.text_key(from - 1));
            let options = PaginatedListOptions { offset, page_token, ..Default::default() };
            let page = self.client.list_paginated(Some(&prefix), options).await;
            let page = page.map_err(|error| self.failed(&error))?;
            let numbers = page.result.objects.iter().filter_map(|object| number_of(&object.location));
            newest = numbers.chain(newest).max();
            match page.page_token {
                Some(token) => page_token = Some(token),
                None => return Ok(newest),
            }
        }
    }

    async fn filled(&self, from: u64, to: u64) -> Result<Vec<Filled>, StoreError> {
        let mut found = Vec::new();
        let mut running = JoinSet::new();
        let mut waiting = from..=to;
        loop {
            while running.len() < AT_ONCE
                && let Some(number) = waiting.next()
            {
                let (client, key) = (Arc::clone(&self.client), self.key(number));
                running.spawn(async move { (number, get(&client, &key).await) });
            }
            let Some(ended) = running.join_next().await else { break };
            let (number, bytes) = ended.map_err(|error| self.unreachable(&error.to_string()))?;
            match bytes {
                Ok(bytes) => found.push(Filled { number, bytes }),
                Err(Error::NotFound { .. }) => {}
                Err(error) => return Err(self.failed(&error)),
            }
        }
        found.sort_by_key(|filled| filled.number);
        Ok(found)
    }

    fn failed(&self, error: &Error) -> StoreError {
        let said = said(&error.to_string());
        match error {
            Error::PermissionDenied { .. } | Error::Unauthenticated { .. } => {
                StoreError::Refused { store: self.name.clone(), words: said }
            }
            Error::NotFound { .. } => unusable(&self.name, "there is no such bucket"),
            _ => self.unreachable(&said),
        }
    }

    fn unreachable(&self, said: &str) -> StoreError {
        StoreError::Unreachable { store: self.name.clone(), words: words(said) }
    }
}

impl Shelf for Bucket {
    fn name(&self) -> String {
        self.name.clone()
    }

    fn newest(&self, from: u64) -> Answer<'_, Option<u64>> {
        Box::pin(self.highest(from))
    }

    fn range(&self, from: u64, to: u64) -> Answer<'_, Vec<Filled>> {
        Box::pin(self.filled(from, to))
    }

    fn put<'a>(&'a self, new: &'a New<'a>) -> Answer<'a, Put> {
        Box::pin(async move {
            let options = PutOptions { mode: PutMode::Create, ..Default::default() };
            match self.client.put_opts(&self.key(new.number), new.bytes.to_vec().into(), options).await {
                Ok(_) => Ok(Put::Made),
                Err(Error::AlreadyExists { .. } | Error::Precondition { .. }) => Ok(Put::Taken),
                Err(error) => Err(self.failed(&error)),
            }
        })
    }
}

/// How many objects are read side by side.
const AT_ONCE: usize = 16;

/// The variables that say who we are and where, as the AWS tools name them.
const VARIABLES: [&str; 10] = [
    "AWS_ACCESS_KEY_ID",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_SESSION_TOKEN",
    "AWS_DEFAULT_REGION",
    "AWS_REGION",
    "AWS_WEB_IDENTITY_TOKEN_FILE",
    "AWS_ROLE_ARN",
    "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
    "AWS_CONTAINER_CREDENTIALS_FULL_URI",
    "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE",
];
const ENDPOINTS: [&str; 2] = ["AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL"];

async fn get(client: &AmazonS3, key: &Path) -> Result<Vec<u8>, Error> {
    Ok(client.get(key).await?.bytes().await?.to_vec())
}

fn number_of(location: &Path) -> Option<u64> {
    location.filename()?.strip_suffix(".json")?.parse().ok()
}

/// The bucket and the prefix of an address.
fn parts(url: &str) -> Result<(&str, String), StoreError> {
    let rest = url.strip_prefix("s3://").unwrap_or_default();
    let (bucket, prefix) = rest.split_once('/').unwrap_or((rest, ""));
    let fits = |character: char| character.is_ascii_alphanumeric() || matches!(character, '-' | '.' | '_');
    if bucket.is_empty() || !bucket.chars().all(fits) {
        return Err(unusable(
            url,
            "an address such as `s3://bucket/prefix` is expected; keys come from `AWS_*`",
        ));
    }
    let prefix = prefix.trim_matches('/');
    Ok((bucket, if prefix.is_empty() { String::new() } else { format!("{prefix}/") }))
}

/// Whether an endpoint is one of plain HTTP, which it may be on this machine only.
fn check_endpoint(url: &str, endpoint: &str) -> Result<bool, StoreError> {
    let (scheme, rest) = endpoint.split_once("://").unwrap_or_default();
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    if authority.contains('@') {
        return Err(unusable(url, "its endpoint holds a credential; keys come from `AWS_*`"));
    }
    match scheme {
        "https" if !authority.is_empty() => Ok(false),
        "http" if leads_to_loopback(authority) => Ok(true),
        "http" => {
            Err(unusable(url, "its endpoint is plain HTTP, which is for this machine alone; use `https://`"))
        }
        _ => Err(unusable(url, "its endpoint is no address that begins with `https://`")),
    }
}

fn unusable(url: &str, said: &str) -> StoreError {
    StoreError::Unusable { store: words(url), words: words(said) }
}

/// Of an S3 error its code and message alone: the rest may repeat a request's signature.
fn said(text: &str) -> String {
    let part = |name: &str| {
        let after = text.split_once(&format!("<{name}>"))?.1;
        Some(after.split_once(&format!("</{name}>"))?.0)
    };
    match (part("Code"), part("Message")) {
        (Some(code), Some(message)) => words(&format!("{code}: {message}")),
        _ => words(text),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bucket_is_named_by_its_address() {
        let check = |url: &str, bucket: &str, prefix: &str| {
            assert_eq!(parts(url).unwrap(), (bucket, prefix.to_owned()), "{url}");
        };
        check("s3://b", "b", "");
        check("s3://b.c/", "b.c", "");
        check("s3://b/p/q/", "b", "p/q/");
        for url in ["s3://", "s3:///p", "s3://key:secret@b/p", "https://b/p", "b"] {
            let error = parts(url).unwrap_err();
            assert!(matches!(error, StoreError::Unusable { .. }), "{url}");
            assert!(!error.to_string().contains("secret"), "{error}");
        }
    }

    #[test]
    fn plain_http_is_for_this_machine() {
        let check = |endpoint: &str| check_endpoint("s3://b", endpoint).ok();
        assert_eq!(check("https://s3.example"), Some(false));
        assert_eq!(check("http://127.0.0.1:9000"), Some(true));
        assert_eq!(check("http://[::1]:9000/"), Some(true));
        assert_eq!(check("http://localhost"), Some(true));
        for endpoint in
            ["http://s3.example", "http://127.0.0.1.example", "https://key@s3.example", "ftp://a", "a"]
        {
            assert_eq!(check(endpoint), None, "{endpoint}");
        }
    }

    #[test]
    fn of_an_error_only_code_and_message_are_said() {
        let text = "Server returned 403: <Error><Code>SignatureDoesNotMatch</Code><Message>no</Message>\
                    <AWSAccessKeyId>AKIA</AWSAccessKeyId></Error>";
        assert_eq!(said(text), "SignatureDoesNotMatch: no");
        assert_eq!(said("no\nway"), "no; way");
    }
}
