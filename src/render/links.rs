//! Addresses of commits, pull requests and comparisons, made from a remote's address.

/// A repository on a forge that we know how to link into.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Forge {
    kind: ForgeKind,
    /// The repository's page, without a slash at its end.
    page: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum ForgeKind {
    GitHub,
    GitLab,
    /// Gitea, Forgejo and Codeberg.
    Gitea,
    Bitbucket,
    Azure,
}

impl Forge {
    /// Reads a remote's address: `https://…`, `ssh://…` or `git@host:path`. Credentials in it are dropped.
    /// `None` where the host tells no forge that we know.
    pub fn of_remote(remote: &str) -> Option<Forge> {
        let Remote { scheme, host, path } = Remote::read(remote.trim())?;
        let kind = kind(&host)?;
        let (host, path) = match kind {
            ForgeKind::Azure => azure(&host, &path)?,
            _ => (host, path),
        };
        if !path.contains('/') {
            return None;
        }
        Some(Forge { kind, page: format!("{scheme}://{host}/{}", encoded(&path)) })
    }

    /// The repository's page.
    pub fn page(&self) -> &str {
        &self.page
    }

    /// The page of a commit, named in full.
    pub fn commit(&self, id: &str) -> String {
        let folder = match self.kind {
            ForgeKind::GitHub | ForgeKind::Gitea | ForgeKind::Azure => "commit",
            ForgeKind::GitLab => "-/commit",
            ForgeKind::Bitbucket => "commits",
        };
        format!("{}/{folder}/{}", self.page, encoded(id))
    }

    /// The page of a pull request (GitLab: merge request).
    pub fn pull_request(&self, number: u64) -> String {
        let folder = match self.kind {
            ForgeKind::GitHub => "pull",
            ForgeKind::GitLab => "-/merge_requests",
            ForgeKind::Gitea => "pulls",
            ForgeKind::Bitbucket => "pull-requests",
            ForgeKind::Azure => "pullrequest",
        };
        format!("{}/{folder}/{number}", self.page)
    }

    /// The page that shows what lies between two tags.
    pub fn compare(&self, from: &str, to: &str) -> String {
        let (page, from, to) = (&self.page, encoded(from), encoded(to));
        match self.kind {
            ForgeKind::GitHub | ForgeKind::Gitea => format!("{page}/compare/{from}...{to}"),
            ForgeKind::GitLab => format!("{page}/-/compare/{from}...{to}"),
            ForgeKind::Bitbucket => format!("{page}/branches/compare/{to}%0D{from}"),
            ForgeKind::Azure => format!("{page}/branchCompare?baseVersion=GT{from}&targetVersion=GT{to}"),
        }
    }
}

struct Remote {
    scheme: &'static str,
    /// With the port of a web address; in lower case.
    host: String,
    /// Without slashes at its ends and without `.git`.
    path: String,
}

impl Remote {
    fn read(text: &str) -> Option<Remote> {
        let (scheme, authority, path) = match text.split_once("://") {
            Some(("https", rest)) => ("https", rest.split_once('/')?.0, rest.split_once('/')?.1),
            Some(("http", rest)) => ("http", rest.split_once('/')?.0, rest.split_once('/')?.1),
            Some(("ssh" | "git" | "git+ssh" | "ssh+git", rest)) => {
                let (authority, path) = rest.split_once('/')?;
                ("https", without_port(authority), path)
            }
            Some(_) => return None,
            None => {
                let (authority, path) = text.split_once(':')?;
                ("https", authority, path)
            }
        };
        let host = authority.rsplit('@').next()?.to_ascii_lowercase();
        let path = path.split(['?', '#']).next()?.trim_matches('/');
        let path = path.strip_suffix(".git").unwrap_or(path);
        let fits = !host.is_empty()
            && host.chars().all(|c| c.is_ascii_alphanumeric() || "-.:".contains(c))
            && host.contains('.')
            && path.split('/').all(|part| !part.is_empty() && part != "..");
        fits.then(|| Remote { scheme, host, path: path.to_owned() })
    }
}

fn without_port(authority: &str) -> &str {
    match authority.rsplit_once(':') {
        Some((host, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => host,
        _ => authority,
    }
}

fn kind(host: &str) -> Option<ForgeKind> {
    let host = host.split(':').next()?;
    let labels: Vec<&str> = host.split('.').collect();
    let named =
        |name: &str| labels.iter().any(|label| *label == name || label.starts_with(&format!("{name}-")));
    match host {
        "dev.azure.com" | "ssh.dev.azure.com" => Some(ForgeKind::Azure),
        _ if host.ends_with(".visualstudio.com") => Some(ForgeKind::Azure),
        "bitbucket.org" => Some(ForgeKind::Bitbucket),
        "codeberg.org" => Some(ForgeKind::Gitea),
        _ if named("github") => Some(ForgeKind::GitHub),
        _ if named("gitlab") => Some(ForgeKind::GitLab),
        _ if named("gitea") || named("forgejo") => Some(ForgeKind::Gitea),
        _ => None,
    }
}

/// Azure's three spellings of a repository, each as `dev.azure.com` or the organisation's own host.
fn azure(host: &str, path: &str) -> Option<(String, String)> {
    let parts: Vec<&str> = path.split('/').collect();
    match parts.as_slice() {
        ["v3", organisation, project, repository] => {
            Some(("dev.azure.com".to_owned(), format!("{organisation}/{project}/_git/{repository}")))
        }
        [.., "_git", _] => Some((host.to_owned(), path.to_owned())),
        _ => None,
    }
}

/// Percent-encodes all but unreserved characters and `/` (RFC 3986, section 2.3); what is encoded already stays.
fn encoded(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for (at, byte) in text.bytes().enumerate() {
        let pair = text.as_bytes().get(at + 1..at + 3);
        let escape = byte == b'%' && pair.is_some_and(|pair| pair.iter().all(u8::is_ascii_hexdigit));
        if escape || byte.is_ascii_alphanumeric() || b"-._~/".contains(&byte) {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(remote: &str, page: &str) {
        assert_eq!(Forge::of_remote(remote).map(|forge| forge.page), Some(page.to_owned()), "{remote}");
    }

    #[test]
    fn every_spelling_of_a_remote_gives_its_page() {
        let page = "https://github.com/acme/tools";
        for remote in [
            "https://github.com/acme/tools.git",
            "https://github.com/acme/tools/",
            "https://ada:secret@github.com/acme/tools",
            "git@github.com:acme/tools.git",
            "ssh://git@github.com:22/acme/tools.git",
            "github.com:acme/tools",
        ] {
            check(remote, page);
        }
        check("git@gitlab.acme.io:a/b/c.git", "https://gitlab.acme.io/a/b/c");
        check("http://gitea.local.test:3000/a/b", "http://gitea.local.test:3000/a/b");
        check(
            "git@ssh.dev.azure.com:v3/acme/My Project/tools",
            "https://dev.azure.com/acme/My%20Project/_git/tools",
        );
        check("https://acme@dev.azure.com/acme/p%20q/_git/r", "https://dev.azure.com/acme/p%20q/_git/r");
    }

    #[test]
    fn hosts_that_tell_no_forge_give_no_links() {
        for remote in [
            "https://git.example.org/a/b",
            "https://notgithub.com/a/b",
            "/srv/git/tools.git",
            "../tools",
            "file:///srv/github.com/a/b",
            "https://github.com/only-owner",
            "https://github.com/../b",
            "https://github.com)](javascript:x/a/b",
            "",
        ] {
            assert_eq!(Forge::of_remote(remote), None, "{remote}");
        }
    }

    #[test]
    fn each_forge_has_its_own_pages() {
        let pages = |remote: &str| {
            let forge = Forge::of_remote(remote).unwrap();
            let cut = |url: String| url[forge.page.len()..].to_owned();
            [cut(forge.commit("1a2b")), cut(forge.pull_request(12)), cut(forge.compare("a@1", "a@2"))]
        };
        assert_eq!(pages("https://github.com/a/b"), ["/commit/1a2b", "/pull/12", "/compare/a%401...a%402"]);
        assert_eq!(
            pages("https://gitlab.com/a/b"),
            ["/-/commit/1a2b", "/-/merge_requests/12", "/-/compare/a%401...a%402"]
        );
        assert_eq!(
            pages("https://codeberg.org/a/b"),
            ["/commit/1a2b", "/pulls/12", "/compare/a%401...a%402"]
        );
        assert_eq!(
            pages("https://bitbucket.org/a/b"),
            ["/commits/1a2b", "/pull-requests/12", "/branches/compare/a%402%0Da%401"]
        );
        assert_eq!(
            pages("https://dev.azure.com/a/b/_git/c"),
            ["/commit/1a2b", "/pullrequest/12", "/branchCompare?baseVersion=GTa%401&targetVersion=GTa%402"]
        );
    }
}
