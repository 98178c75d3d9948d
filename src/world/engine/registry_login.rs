//! Who we are to a registry, as Docker's own settings say: `auths`, credential stores and helpers.

use bollard::auth::DockerCredentials;
use docker_credential::{CredentialRetrievalError, DockerCredential};

use crate::world::engine::EngineError;
use crate::world::engine::connect::home;

/// The name that Docker's settings have for its own hub.
const HUB: &str = "https://index.docker.io/v1/";

/// What is shown to the registry of a repository; `None` where nothing is set down for it. It may run a helper program.
///
/// # Errors
/// `Settings` where something is set down and can not be read; what a helper printed is not repeated.
pub async fn login(repository: &str) -> Result<Option<DockerCredentials>, EngineError> {
    let server = server(repository);
    let folder = home(&|name| std::env::var_os(name));
    if !folder.is_some_and(|folder| folder.join("config.json").exists()) {
        return Ok(None);
    }
    let asked = server.clone();
    let found = tokio::task::spawn_blocking(move || docker_credential::get_credential(&asked)).await;
    let found = found.unwrap_or(Err(CredentialRetrievalError::HelperCommunicationError));
    let blank = DockerCredentials { serveraddress: Some(server.clone()), ..DockerCredentials::default() };
    match found {
        Ok(DockerCredential::UsernamePassword(user, password)) => {
            Ok(Some(DockerCredentials { username: Some(user), password: Some(password), ..blank }))
        }
        Ok(DockerCredential::IdentityToken(token)) => {
            Ok(Some(DockerCredentials { identitytoken: Some(token), ..blank }))
        }
        Err(CredentialRetrievalError::NoCredentialConfigured) => Ok(None),
        Err(error) => Err(EngineError::Settings {
            what: format!("Docker's settings hold no usable login for {server}"),
            reason: format!("{}; `docker login` writes a new one", why(&error)),
        }),
    }
}

fn why(error: &CredentialRetrievalError) -> String {
    match error {
        CredentialRetrievalError::HelperFailure { helper, .. } => {
            format!("the credential helper `{}` failed", crate::world::http::said(helper))
        }
        error => error.to_string().to_lowercase(),
    }
}

/// The registry's name, as Docker finds it in a repository's: the part before the first slash, where it is a host.
fn server(repository: &str) -> String {
    match repository.split_once('/') {
        Some((host, _)) if host.contains(['.', ':']) || host == "localhost" => match host {
            "docker.io" | "index.docker.io" => HUB.to_owned(),
            host => host.to_owned(),
        },
        _ => HUB.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_repository_names_its_registry() {
        for (repository, registry) in [
            ("ghcr.io/acme/app", "ghcr.io"),
            ("127.0.0.1:5000/app", "127.0.0.1:5000"),
            ("localhost/app", "localhost"),
            ("acme/app", HUB),
            ("app", HUB),
            ("docker.io/acme/app", HUB),
        ] {
            assert_eq!(server(repository), registry);
        }
    }
}
