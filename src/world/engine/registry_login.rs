//! Who we are to an image's registry, as the engine is told it; it asks the registry in our name.

use bollard::auth::DockerCredentials;
use secrecy::ExposeSecret;

use crate::world::registry::login::{Known, Login};
use crate::world::variable::Env;

/// What is shown to the registry of a repository or reference; `None` where Docker's settings hold nothing for it. It
/// may run a helper program.
pub async fn login(repository: &str, variable: &Env) -> Option<DockerCredentials> {
    of_host(&server(repository), variable).await
}

/// The same for a registry by its host; `docker.io` is Docker's own.
pub async fn of_host(host: &str, variable: &Env) -> Option<DockerCredentials> {
    let login = Login::new(host, variable.clone());
    let mut shown =
        DockerCredentials { serveraddress: Some(host.to_owned()), ..DockerCredentials::default() };
    match login.known().await? {
        Known::Basic { user, password } => {
            shown.username = Some(user.clone());
            shown.password = Some(password.expose_secret().to_owned());
        }
        Known::Identity(token) => shown.identitytoken = Some(token.expose_secret().to_owned()),
    }
    Some(shown)
}

/// The registry's name, as Docker finds it in a repository's: the part before the first slash, where it is a host.
pub fn server(repository: &str) -> String {
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
