//! Talks HTTP to package indexes: TLS, limits on time and size, and no credential to another origin.

use std::error::Error;
use std::time::Duration;

use reqwest::header::{ACCEPT, CACHE_CONTROL, LOCATION};
use reqwest::{Certificate, Client, Method, RequestBuilder, Response, Url};
use secrecy::{ExposeSecret, SecretString};
use tokio::time::timeout;

use crate::world::answer::Answer;
use crate::world::command::plain_line;
use crate::world::loopback::leads_to_loopback;

/// The most bytes of an answer that is read as JSON: 1 MiB.
pub const JSON_LIMIT: u64 = 1 << 20;
/// The most bytes of a project's page: 64 MiB.
pub const PAGE_LIMIT: u64 = 64 << 20;
/// The most bytes of a downloaded file: 1 GiB.
pub const FILE_LIMIT: u64 = 1 << 30;
/// How many redirects are followed.
const REDIRECTS: usize = 5;
/// How many characters of a server's text an error keeps.
const SAID: usize = 400;

/// How long parts of an exchange may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// To connect, TLS included.
    pub connect: Duration,
    /// Without a byte going either way.
    pub idle: Duration,
    /// From the last byte of the request to the head of the answer.
    pub answer: Duration,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits {
            connect: Duration::from_secs(30),
            idle: Duration::from_secs(60),
            answer: Duration::from_secs(300),
        }
    }
}

/// A client for one index.
#[derive(Debug, Clone)]
pub struct Http {
    /// Through the proxy that the environment names (`HTTPS_PROXY`, `HTTP_PROXY`, `NO_PROXY`).
    outward: Client,
    /// To loopback, never through a proxy.
    inward: Client,
    insecure: bool,
    pub limits: Limits,
}

/// What a request shows to be let in. Prints without its secret.
#[derive(Debug, Clone)]
pub enum Credential {
    /// RFC 7617.
    Basic { user: String, password: SecretString },
    /// RFC 6750.
    Bearer(SecretString),
}

/// A request that changes nothing.
#[derive(Debug)]
pub struct Get<'g> {
    pub url: &'g Url,
    /// The `Accept` header.
    pub accept: &'static str,
    pub credential: Option<&'g Credential>,
    /// The most bytes of the answer.
    pub limit: u64,
    /// Whether a redirect to another origin is followed; where not, it is the answer.
    pub away: bool,
}

/// Why there is no answer. Which it is tells whether the other side may have acted.
#[derive(Debug, thiserror::Error)]
pub enum HttpError {
    #[error("the HTTP client can not be set up: {reason}")]
    Setup { reason: String },
    #[error("`{url}` is no http or https address")]
    Address { url: String },
    #[error("{url} is plain http to another machine: anybody on the way could read and change what is sent")]
    Plain { url: String },
    #[error("{url} leads on to {to}, which is not followed")]
    Redirect { url: String, to: String },
    #[error("{url} can not be reached: {reason}")]
    Unreachable { url: String, reason: String },
    #[error("{url} did not answer in time")]
    Slow { url: String },
    #[error("the connection to {url} was lost: {reason}")]
    Lost { url: String, reason: String },
    #[error("the answer of {url} is larger than {limit} bytes")]
    TooLarge { url: String, limit: u64 },
}

impl HttpError {
    /// Whether the same request may succeed later.
    pub fn is_transient(&self) -> bool {
        matches!(self, HttpError::Unreachable { .. } | HttpError::Slow { .. } | HttpError::Lost { .. })
    }

    /// Whether the other side may have received the request.
    pub fn may_have_acted(&self) -> bool {
        matches!(self, HttpError::Slow { .. } | HttpError::Lost { .. } | HttpError::TooLarge { .. })
    }
}

impl Http {
    /// A client; `insecure` lets plain http go to other machines.
    ///
    /// # Errors
    /// Where TLS can not be set up.
    pub fn new(insecure: bool, limits: Limits) -> Result<Http, HttpError> {
        Http::with_roots(insecure, limits, &[])
    }

    /// A client that also trusts the authorities of a PEM text, beside those of the machine and `SSL_CERT_FILE`.
    ///
    /// # Errors
    /// Where the text is no PEM or TLS can not be set up.
    pub fn with_roots(insecure: bool, limits: Limits, pem: &[u8]) -> Result<Http, HttpError> {
        let roots = Certificate::from_pem_bundle(pem).map_err(|error| setup(&error))?;
        let builder = || {
            Client::builder()
                .user_agent(concat!("release/", env!("CARGO_PKG_VERSION")))
                .redirect(reqwest::redirect::Policy::none())
                .retry(reqwest::retry::never())
                .referer(false)
                .connect_timeout(limits.connect)
                .tls_certs_merge(roots.iter().cloned())
        };
        let outward = builder().build().map_err(|error| setup(&error))?;
        let inward = builder().no_proxy().build().map_err(|error| setup(&error))?;
        Ok(Http { outward, inward, insecure, limits })
    }

    /// Reads an address: https, or http where that is allowed.
    ///
    /// # Errors
    /// `Address` or `Plain`.
    pub fn address(&self, text: &str) -> Result<Url, HttpError> {
        let url = Url::parse(text).map_err(|_| HttpError::Address { url: said(text) })?;
        self.check(&url)?;
        Ok(url)
    }

    /// Asks for something, following redirects; the credential goes to the first address' origin only.
    ///
    /// # Errors
    /// Where there is no whole answer. A status that says no is an answer.
    pub async fn get(&self, get: &Get<'_>) -> Result<Answer, HttpError> {
        let mut url = get.url.clone();
        for _ in 0..=REDIRECTS {
            self.check(&url)?;
            let mut request = self.client(&url).get(url.clone()).header(ACCEPT, get.accept);
            request = request.header(CACHE_CONTROL, "no-cache");
            if let Some(credential) = get.credential.filter(|_| url.origin() == get.url.origin()) {
                request = credential.on(request);
            }
            let response = self.send(request, &url).await?;
            match next(&response, &url)?.filter(|to| get.away || to.origin() == url.origin()) {
                None => return self.read(response, get.limit).await,
                Some(to) if url.scheme() == "https" && to.scheme() != "https" => {
                    return Err(HttpError::Redirect { url: shown(&url), to: shown(&to) });
                }
                Some(to) => url = to,
            }
        }
        Err(HttpError::Redirect { url: shown(get.url), to: "ever further addresses".to_owned() })
    }

    /// Sends a JSON body; redirects are not followed.
    ///
    /// # Errors
    /// Where there is no whole answer. A status that says no is an answer.
    pub async fn post_json(&self, url: &Url, body: &serde_json::Value) -> Result<Answer, HttpError> {
        self.check(url)?;
        let request = self.client(url).post(url.clone()).header(ACCEPT, "application/json").json(body);
        let response = self.send(request, url).await?;
        self.read(response, JSON_LIMIT).await
    }

    /// A request to post, for a body of the caller's making.
    ///
    /// # Errors
    /// `Address` or `Plain`.
    pub(in crate::world) fn post(&self, url: &Url) -> Result<RequestBuilder, HttpError> {
        self.check(url)?;
        Ok(self.client(url).post(url.clone()))
    }

    /// A request of any kind, for a caller that adds the rest.
    ///
    /// # Errors
    /// `Address` or `Plain`.
    pub(in crate::world) fn request(&self, method: Method, url: &Url) -> Result<RequestBuilder, HttpError> {
        self.check(url)?;
        Ok(self.client(url).request(method, url.clone()))
    }

    /// The whole answer, unless it is larger than the limit.
    ///
    /// # Errors
    /// `TooLarge`, or where it breaks off or stops.
    pub(in crate::world) async fn read(
        &self,
        mut response: Response,
        limit: u64,
    ) -> Result<Answer, HttpError> {
        let url = response.url().clone();
        let too_large = || HttpError::TooLarge { url: shown(&url), limit };
        if response.content_length().is_some_and(|length| length > limit) {
            return Err(too_large());
        }
        let (status, headers) = (response.status().as_u16(), std::mem::take(response.headers_mut()));
        let mut body = Vec::new();
        loop {
            let read = timeout(self.limits.idle, response.chunk()).await;
            let chunk = read.map_err(|_| slow(&url))?.map_err(|error| classified(&error, &url))?;
            let Some(chunk) = chunk else { break };
            if (body.len() + chunk.len()) as u64 > limit {
                return Err(too_large());
            }
            body.extend_from_slice(&chunk);
        }
        Ok(Answer { status, url, headers, body })
    }

    pub(in crate::world) async fn send(
        &self,
        request: RequestBuilder,
        url: &Url,
    ) -> Result<Response, HttpError> {
        let sent = timeout(self.limits.connect + self.limits.idle, request.send()).await;
        sent.map_err(|_| slow(url))?.map_err(|error| classified(&error, url))
    }

    fn client(&self, url: &Url) -> &Client {
        if is_loopback(url) { &self.inward } else { &self.outward }
    }

    fn check(&self, url: &Url) -> Result<(), HttpError> {
        match url.scheme() {
            "https" => Ok(()),
            "http" if self.insecure || is_loopback(url) => Ok(()),
            "http" => Err(HttpError::Plain { url: shown(url) }),
            _ => Err(HttpError::Address { url: shown(url) }),
        }
    }
}

impl Credential {
    pub(in crate::world) fn on(&self, request: RequestBuilder) -> RequestBuilder {
        match self {
            Credential::Basic { user, password } => request.basic_auth(user, Some(password.expose_secret())),
            Credential::Bearer(token) => request.bearer_auth(token.expose_secret()),
        }
    }
}

/// An address for people: without user, password, query and fragment.
pub fn shown(url: &Url) -> String {
    let mut url = url.clone();
    let _ = url.set_username("");
    let _ = url.set_password(None);
    url.set_query(None);
    url.set_fragment(None);
    said(url.as_str())
}

/// A server's text in one line, without control characters, at most 400 characters of it.
pub fn said(text: &str) -> String {
    let words: Vec<String> = text.split_whitespace().take(SAID).map(plain_line).collect();
    let line = words.join(" ");
    match line.char_indices().nth(SAID) {
        Some((end, _)) => format!("{}…", &line[..end]),
        None => line,
    }
}

/// Whether an address is this machine's own: `localhost`, 127.0.0.0/8, `::1`.
pub fn is_loopback(url: &Url) -> bool {
    url.host_str().is_some_and(leads_to_loopback)
}

/// Where a redirect leads.
pub(in crate::world) fn next(response: &Response, from: &Url) -> Result<Option<Url>, HttpError> {
    if !matches!(response.status().as_u16(), 301 | 302 | 303 | 307 | 308) {
        return Ok(None);
    }
    let to = response.headers().get(LOCATION).and_then(|to| to.to_str().ok()).unwrap_or_default();
    let joined = from.join(to).ok().filter(|_| !to.is_empty());
    joined.map(Some).ok_or_else(|| HttpError::Redirect { url: shown(from), to: format!("`{}`", said(to)) })
}

pub(in crate::world) fn slow(url: &Url) -> HttpError {
    HttpError::Slow { url: shown(url) }
}

/// What kind of failure this is, by its type and never by its text.
pub(in crate::world) fn classified(error: &reqwest::Error, url: &Url) -> HttpError {
    let (url, reason) = (shown(url), root(error));
    match () {
        () if error.is_builder() => HttpError::Address { url },
        () if error.is_connect() => HttpError::Unreachable { url, reason },
        () if error.is_timeout() => HttpError::Slow { url },
        () => HttpError::Lost { url, reason },
    }
}

fn setup(error: &reqwest::Error) -> HttpError {
    HttpError::Setup { reason: root(error) }
}

/// The innermost cause in words.
fn root(error: &dyn Error) -> String {
    let mut cause = error;
    while let Some(inner) = cause.source() {
        cause = inner;
    }
    said(&cause.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn http(insecure: bool) -> Http {
        Http::new(insecure, Limits::default()).unwrap()
    }

    #[test]
    fn plain_http_goes_to_loopback_alone_unless_told_otherwise() {
        for allowed in
            ["https://index.example/", "http://127.0.0.1:80/", "http://localhost/", "http://[::1]/"]
        {
            assert!(http(false).address(allowed).is_ok(), "{allowed}");
        }
        for refused in ["http://index.example/", "http://localhost.example/", "http://127.0.0.1.example/"] {
            assert!(matches!(http(false).address(refused), Err(HttpError::Plain { .. })), "{refused}");
            assert!(http(true).address(refused).is_ok(), "{refused}");
        }
        for no_address in ["file:///etc/passwd", "ftp://127.0.0.1/", "index", ""] {
            assert!(matches!(http(true).address(no_address), Err(HttpError::Address { .. })), "{no_address}");
        }
    }

    #[test]
    fn what_people_see_of_an_address_holds_no_secret() {
        let url = Url::parse("https://user:hunter2@index.example/simple/?token=hunter2#hunter2").unwrap();
        assert_eq!(shown(&url), "https://index.example/simple/");
        let credential = Credential::Basic { user: "u".to_owned(), password: "hunter2".to_owned().into() };
        assert!(!format!("{credential:?}").contains("hunter2"));
    }

    #[test]
    fn text_of_servers_is_one_bounded_line() {
        assert_eq!(said("a\u{1b}[31mb\r\n\u{7}c  d"), "ab c d");
        assert_eq!(said(&"x".repeat(1000)).chars().count(), SAID + 1);
    }
}
