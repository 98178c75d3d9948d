//! Who we are to an image's registry, as the engine is told it; it asks the registry in our name.

use bollard::auth::DockerCredentials;
use secrecy::ExposeSecret;

use crate::world::http::Credential;
use crate::world::registry::login::{Env, Known, Login};

/// What is shown to the registry of a repository or reference; `None` where Docker's settings hold nothing for it. It
/// may run a helper program.
pub async fn login(repository: &str, variable: &Env) -> Option<DockerCredentials> {
    let server = server(repository);
    let login = Login::new(&server, variable.clone());
    let known = login.known().await?;
    let blank = DockerCredentials { serveraddress: Some(server), ..DockerCredentials::default() };
    match (known, known.credential()) {
        (_, Some(Credential::Basic { user, password })) => Some(DockerCredentials {
            username: Some(user),
            password: Some(password.expose_secret().to_owned()),
            ..blank
        }),
        (Known::Identity(token), _) => {
            Some(DockerCredentials { identitytoken: Some(token.expose_secret().to_owned()), ..blank })
        }
        _ => None,
    }
}

/// The registry's name, as Docker finds it in a repository's: the part before the first slash, where it is a host.
fn server(repository: &str) -> String {
    match repository.split_once('/') {
        Some(("index.docker.io", _)) => "docker.io".to_owned(),
        Some((host, _)) if host.contains(['.', ':']) || host == "localhost" => host.to_owned(),
        _ => "docker.io".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_repository_names_its_registry() {
        for (repository, registry) in [
            ("ghcr.io/acme/app", "ghcr.io"),
            ("127.0.0.1:5000/app@sha256:1", "127.0.0.1:5000"),
            ("localhost/app", "localhost"),
            ("acme/app", "docker.io"),
            ("app", "docker.io"),
            ("index.docker.io/acme/app", "docker.io"),
        ] {
            assert_eq!(server(repository), registry);
        }
    }
}
