//! Addresses of remote repositories, fit to be shown.

/// The address without what may be secret: over HTTP the whole user part and query, elsewhere the password.
pub fn without_credentials(url: &str) -> String {
    let Some((scheme, rest)) = url.split_once("://") else { return url.to_owned() };
    let web = scheme.eq_ignore_ascii_case("http") || scheme.eq_ignore_ascii_case("https");
    let (authority, path) = match rest.find('/') {
        Some(slash) => rest.split_at(slash),
        None => (rest, ""),
    };
    let shown = match authority.rsplit_once('@') {
        Some((_, host)) if web => host.to_owned(),
        Some((user, host)) => format!("{}@{host}", user.split(':').next().unwrap_or("")),
        None => authority.to_owned(),
    };
    let path = if web { path.split(['?', '#']).next().unwrap_or("") } else { path };
    format!("{scheme}://{shown}{path}")
}

#[cfg(test)]
mod tests {
    use super::without_credentials;

    #[test]
    fn no_secret_stays_in_an_address() {
        let check = |url, expected| assert_eq!(without_credentials(url), expected);
        check("https://x-access-token:ghs_1@github.com/a/b.git", "https://github.com/a/b.git");
        check("https://tok@en@host/a?private_token=1", "https://host/a");
        check("ssh://git:secret@host:22/a/b@c", "ssh://git@host:22/a/b@c");
        check("git@github.com:a/b.git", "git@github.com:a/b.git");
        check("../neighbour", "../neighbour");
        check("https://host", "https://host");
    }
}
