//! Where a repository of GitHub's is: its address, and the interfaces that belong to its host.

use std::ffi::OsString;
use std::fmt;

use reqwest::Url;

use crate::world::loopback::leads_to_loopback;

/// The public service (docs.github.com, "Getting started with the REST API"): the one place that names it.
pub const PUBLIC_HOST: &str = "github.com";
/// Its interface.
pub const PUBLIC_API: &str = "https://api.github.com";
/// What GitHub's SSH over the HTTPS port answers to.
const PUBLIC_SSH: &str = "ssh.github.com";
/// The hosts of GitHub Enterprise Cloud with data residency: `SUBDOMAIN.ghe.com`.
const RESIDENT: &str = ".ghe.com";
/// Where GitHub Enterprise Server has its interface.
const SERVER_PATH: &str = "/api/v3";

/// A repository's full name, `owner/name`. GitHub does not mind its case.
#[derive(Debug, Clone)]
pub struct Slug {
    pub owner: String,
    pub name: String,
}

/// What is known of where the repository is.
#[derive(Debug, Clone, Copy, Default)]
pub struct Known<'k> {
    /// `github.repository` of the configuration.
    pub repository: Option<&'k str>,
    /// `github.api` of the configuration.
    pub api: Option<&'k str>,
    /// The remote's address.
    pub remote: Option<&'k str>,
}

/// A repository and the interface it is reached through.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    pub slug: Slug,
    /// Without a slash at its end.
    pub api: Url,
}

/// Why it is not known where the repository is.
#[derive(Debug, thiserror::Error)]
pub enum PlaceError {
    #[error("it is not known which repository of GitHub's this is")]
    NoRepository,
    #[error("`{text}` is no address of an interface")]
    Api { text: String },
}

/// Finds the repository: the configuration says it, else the remote's address, else a job of GitHub Actions.
///
/// The interface is the one of the configuration; else that of the job, where the job is this repository's; else the
/// one of the remote's host.
///
/// # Errors
/// Where nothing tells which repository it is, or the interface has no address.
pub fn locate(known: &Known<'_>, variable: &dyn Fn(&str) -> Option<OsString>) -> Result<Place, PlaceError> {
    let text = |name: &str| variable(name)?.into_string().ok().filter(|text| !text.is_empty());
    let of_remote = known.remote.and_then(Remote::read);
    let of_job = text("GITHUB_REPOSITORY").and_then(|text| Slug::read(&text));
    let slug = known
        .repository
        .and_then(Slug::read)
        .or_else(|| of_remote.as_ref().map(|remote| remote.slug.clone()))
        .or_else(|| of_job.clone())
        .ok_or(PlaceError::NoRepository)?;
    let of_this_job = of_job.filter(|job| *job == slug).and_then(|_| text("GITHUB_API_URL"));
    let api = known
        .api
        .map(str::to_owned)
        .or(of_this_job)
        .or_else(|| of_remote.map(|remote| remote.api()))
        .unwrap_or_else(|| PUBLIC_API.to_owned());
    let url = Url::parse(api.trim_end_matches('/')).ok().filter(Url::has_host);
    url.map(|api| Place { slug, api }).ok_or(PlaceError::Api { text: api })
}

/// The host whose people the interface is for: `api.github.com` is `github.com`'s.
pub fn host_of(api: &Url) -> String {
    let host = api.host_str().unwrap_or_default();
    let own = host.strip_prefix("api.").filter(|host| is_cloud(host)).unwrap_or(host);
    match api.port() {
        Some(port) => format!("{own}:{port}"),
        None => own.to_owned(),
    }
}

/// Whether a host is GitHub's own service, and no server of somebody's.
pub fn is_cloud(host: &str) -> bool {
    host == PUBLIC_HOST || host.ends_with(RESIDENT)
}

/// Whether a token for the interface may be shown at an address that the interface named: its own origin, or the host
/// for uploads that stands beside it.
pub fn belongs_to(api: &Url, url: &Url) -> bool {
    let beside = || {
        let own = api.host_str()?.strip_prefix("api.").filter(|host| is_cloud(host))?;
        let other = url.host_str()?.strip_prefix("uploads.")?;
        Some(own == other && url.scheme() == "https" && url.port() == api.port())
    };
    url.origin() == api.origin() || beside().unwrap_or(false)
}

impl Slug {
    /// Reads `owner/name`; `None` for names that GitHub does not give.
    pub fn read(text: &str) -> Option<Slug> {
        let (owner, name) = text.trim().split_once('/')?;
        let is_plain = |part: &str| {
            let known = |one: char| one.is_ascii_alphanumeric() || "-_.".contains(one);
            !part.is_empty() && part != "." && part != ".." && part.chars().all(known)
        };
        (is_plain(owner) && is_plain(name)).then(|| Slug { owner: owner.to_owned(), name: name.to_owned() })
    }
}

impl fmt::Display for Slug {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.owner, self.name)
    }
}

impl PartialEq for Slug {
    fn eq(&self, other: &Slug) -> bool {
        self.owner.eq_ignore_ascii_case(&other.owner) && self.name.eq_ignore_ascii_case(&other.name)
    }
}

impl Eq for Slug {}

/// The address of a git remote, as far as it names a repository on a host.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Remote {
    scheme: &'static str,
    /// With a port where the address has one and it is the web's.
    host: String,
    slug: Slug,
}

impl Remote {
    /// Reads `https://HOST/OWNER/NAME.git`, `ssh://git@HOST:PORT/OWNER/NAME` or `git@HOST:OWNER/NAME`.
    fn read(address: &str) -> Option<Remote> {
        let (scheme, authority, path) = match address.split_once("://") {
            Some((scheme, rest)) => {
                let (authority, path) = rest.split_once('/')?;
                (scheme.to_ascii_lowercase(), authority, path)
            }
            None => {
                let (authority, path) = address.split_once(':')?;
                let is_host = !authority.contains('/') && authority.chars().count() > 1;
                is_host.then_some(("ssh".to_owned(), authority, path))?
            }
        };
        let host = authority.rsplit('@').next().unwrap_or_default().to_ascii_lowercase();
        let web = matches!(scheme.as_str(), "http" | "https");
        if !web && !matches!(scheme.as_str(), "ssh" | "git" | "git+ssh" | "ssh+git") {
            return None;
        }
        let host = if web { host } else { without_port(&host).to_owned() };
        let host = match host.as_str() {
            PUBLIC_SSH => PUBLIC_HOST.to_owned(),
            _ => host.strip_prefix("www.").filter(|host| *host == PUBLIC_HOST).unwrap_or(&host).to_owned(),
        };
        let path = path.split(['?', '#']).next().unwrap_or_default().trim_matches('/');
        let slug = Slug::read(path.strip_suffix(".git").unwrap_or(path))?;
        let plain = scheme == "http" && leads_to_loopback(&host);
        Some(Remote { scheme: if plain { "http" } else { "https" }, host, slug })
    }

    /// The interface that belongs to the host.
    fn api(&self) -> String {
        let Remote { scheme, host, .. } = self;
        match host.as_str() {
            PUBLIC_HOST => PUBLIC_API.to_owned(),
            host if is_cloud(host) => format!("https://api.{host}"),
            host => format!("{scheme}://{host}{SERVER_PATH}"),
        }
    }
}

fn without_port(host: &str) -> &str {
    if host.starts_with('[') {
        return host.split_inclusive(']').next().unwrap_or(host);
    }
    host.split(':').next().unwrap_or(host)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn located(known: &Known<'_>, job: Option<(&str, &str)>) -> String {
        let variable = |name: &str| match (name, job) {
            ("GITHUB_REPOSITORY", Some((repository, _))) => Some(repository.into()),
            ("GITHUB_API_URL", Some((_, api))) => Some(api.into()),
            _ => None,
        };
        match locate(known, &variable) {
            Ok(place) => format!("{} at {}", place.slug, place.api.as_str().trim_end_matches('/')),
            Err(error) => error.to_string(),
        }
    }

    #[test]
    fn a_remotes_address_names_the_repository_and_its_interface() {
        let check = |remote, expected: &str| {
            assert_eq!(
                located(&Known { remote: Some(remote), ..Known::default() }, None),
                expected,
                "{remote}"
            );
        };
        let public = format!("ada/tools at {PUBLIC_API}");
        for remote in [
            "https://github.com/ada/tools.git",
            "https://www.github.com/ada/tools/",
            "https://me@github.com/ada/tools",
            "git@github.com:ada/tools.git",
            "github.com:ada/tools",
            "ssh://git@github.com/ada/tools.git",
            "ssh://git@ssh.github.com:443/ada/tools.git",
            "git://github.com/ada/tools.git",
        ] {
            check(remote, &public);
        }
        check("https://ghe.example:8443/ada/tools.git", "ada/tools at https://ghe.example:8443/api/v3");
        check("git@ghe.example:ada/tools.git", "ada/tools at https://ghe.example/api/v3");
        check("ssh://git@ghe.example:2222/ada/tools.git", "ada/tools at https://ghe.example/api/v3");
        check("https://acme.ghe.com/ada/tools", "ada/tools at https://api.acme.ghe.com");
        check("http://127.0.0.1:8080/ada/tools.git", "ada/tools at http://127.0.0.1:8080/api/v3");
        check("http://ghe.example/ada/tools.git", "ada/tools at https://ghe.example/api/v3");
        let unknown = "it is not known which repository of GitHub's this is";
        for remote in [
            "/srv/git/tools.git",
            "file:///srv/ada/tools.git",
            "../ada/tools",
            "https://github.com/tools",
            "https://github.com/a/b/c",
            "https://github.com/../tools",
            "https://github.com/ada/to ols",
            "c:/ada/tools",
        ] {
            check(remote, unknown);
        }
    }

    #[test]
    fn the_configuration_comes_first_and_a_job_of_this_repository_knows_its_interface() {
        let remote = Some("git@github.com:ada/tools.git");
        let job = Some(("Ada/Tools", "https://ghe.example/api/v3"));
        let known = Known { remote, ..Known::default() };
        assert_eq!(located(&known, job), "ada/tools at https://ghe.example/api/v3");
        let other = Some(("eve/other", "https://eve.example/api/v3"));
        assert_eq!(located(&known, other), format!("ada/tools at {PUBLIC_API}"));
        let known = Known { api: Some("https://own.example/api/v3/"), ..known };
        assert_eq!(located(&known, job), "ada/tools at https://own.example/api/v3");
        let named = Known { repository: Some("bob/core"), remote, api: None };
        assert_eq!(located(&named, None), format!("bob/core at {PUBLIC_API}"));
        assert_eq!(located(&Known::default(), job), "Ada/Tools at https://ghe.example/api/v3");
    }

    #[test]
    fn a_token_is_for_its_interface_and_the_uploads_beside_it() {
        let check = |api: &str, url: &str, expected| {
            assert_eq!(belongs_to(&Url::parse(api).unwrap(), &Url::parse(url).unwrap()), expected, "{url}");
        };
        check(PUBLIC_API, "https://api.github.com/repos/a/b", true);
        check(PUBLIC_API, "https://uploads.github.com/repos/a/b", true);
        check(PUBLIC_API, "http://uploads.github.com/repos/a/b", false);
        check(PUBLIC_API, "https://objects.githubusercontent.com/a", false);
        check(PUBLIC_API, "https://uploads.github.com.eve.example/a", false);
        check("https://api.acme.ghe.com", "https://uploads.acme.ghe.com/a", true);
        check("https://api.acme.ghe.com", "https://uploads.eve.ghe.com/a", false);
        check("https://ghe.example/api/v3", "https://ghe.example/api/uploads/a", true);
        check("https://api.ghe.example", "https://uploads.ghe.example/a", false);
        check("http://127.0.0.1:1/api/v3", "http://127.0.0.1:2/api/uploads/a", false);
    }

    #[test]
    fn an_interface_belongs_to_a_host() {
        let host = |api: &str| host_of(&Url::parse(api).unwrap());
        assert_eq!(host(PUBLIC_API), PUBLIC_HOST);
        assert_eq!(host("https://api.acme.ghe.com"), "acme.ghe.com");
        assert_eq!(host("https://ghe.example:8443/api/v3"), "ghe.example:8443");
        assert_eq!(host("https://api.ghe.example/"), "api.ghe.example");
    }
}
