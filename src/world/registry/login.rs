//! Credentials of image registries, from where the `docker` program keeps them.

use std::path::PathBuf;

use docker_credential::{CredentialRetrievalError, DockerCredential, get_credential_from_reader};
use secrecy::SecretString;
use tokio::sync::OnceCell;

use crate::world::engine::connect::home;
use crate::world::http::{Credential, said};
use crate::world::variable::Env;

/// The key of Docker Hub in Docker's configuration.
const HUB: &str = "https://index.docker.io/v1/";

/// What is known of one registry, looked up once.
pub struct Login {
    server: String,
    variable: Env,
    found: OnceCell<Found>,
}

/// What Docker's configuration holds. Prints without its secret.
#[derive(Debug, Clone)]
pub enum Known {
    Basic {
        user: String,
        password: SecretString,
    },
    /// A token that others are made from.
    Identity(SecretString),
}

struct Found {
    known: Option<Known>,
    /// Where was looked, and why nothing was found.
    looked: String,
}

impl Known {
    /// User and password, where it is that.
    pub fn credential(&self) -> Option<Credential> {
        match self {
            Known::Basic { user, password } => {
                Some(Credential::Basic { user: user.clone(), password: password.clone() })
            }
            Known::Identity(_) => None,
        }
    }
}

impl Login {
    pub fn new(host: &str, variable: Env) -> Login {
        let server = if host == "docker.io" { HUB } else { host };
        Login { server: server.to_owned(), variable, found: OnceCell::new() }
    }

    /// The credential, where there is one.
    pub async fn known(&self) -> Option<&Known> {
        self.found().await.known.as_ref()
    }

    /// Where was looked and what was found there, for people.
    pub async fn looked(&self) -> String {
        self.found().await.looked.clone()
    }

    async fn found(&self) -> &Found {
        let look = || async {
            let (server, folder) = (self.server.clone(), home(&*self.variable));
            let looked = tokio::task::spawn_blocking(move || look(&server, folder)).await;
            looked.unwrap_or_else(|panic| std::panic::resume_unwind(panic.into_panic()))
        };
        self.found.get_or_init(look).await
    }
}

fn look(server: &str, folder: Option<PathBuf>) -> Found {
    let nothing = |looked: String| Found { known: None, looked };
    let Some(file) = folder.map(|folder| folder.join("config.json")) else {
        return nothing("neither DOCKER_CONFIG nor HOME is set".to_owned());
    };
    let shown = file.display();
    let Ok(text) = std::fs::read(&file) else {
        return nothing(format!("{shown} can not be read"));
    };
    match get_credential_from_reader(text.as_slice(), server) {
        Ok(DockerCredential::UsernamePassword(user, password)) if user == "<token>" => {
            let looked = format!("the identity token of {server} in {shown} was shown");
            Found { known: Some(Known::Identity(password.into())), looked }
        }
        Ok(DockerCredential::UsernamePassword(user, password)) => {
            let looked = format!("user `{}` of {server} in {shown} was shown", said(&user));
            Found { known: Some(Known::Basic { user, password: password.into() }), looked }
        }
        Ok(DockerCredential::IdentityToken(token)) => {
            let looked = format!("the identity token of {server} in {shown} was shown");
            Found { known: Some(Known::Identity(token.into())), looked }
        }
        Err(error) => nothing(format!("{shown}: {}", reason(server, &error))),
    }
}

/// Why there is no credential, without what a helper said: that may be a secret.
fn reason(server: &str, error: &CredentialRetrievalError) -> String {
    match error {
        CredentialRetrievalError::NoCredentialConfigured => format!("it has no entry for {server}"),
        CredentialRetrievalError::HelperFailure { helper, .. } => {
            format!("the credential helper `{}` has nothing for {server}", said(helper))
        }
        CredentialRetrievalError::HelperCommunicationError
        | CredentialRetrievalError::MalformedHelperResponse => {
            format!("its credential helper for {server} does not work")
        }
        _ => format!("its entry for {server} can not be read"),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    async fn login(config: &str, host: &str) -> (Option<Known>, String) {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("config.json"), config).unwrap();
        let path = folder.path().as_os_str().to_owned();
        let variable: Env = Arc::new(move |name: &str| (name == "DOCKER_CONFIG").then(|| path.clone()));
        let login = Login::new(host, variable);
        (login.known().await.cloned(), login.looked().await)
    }

    #[tokio::test]
    async fn credentials_come_from_dockers_own_file_and_print_nothing() {
        // "user:hunter2"
        let config = r#"{"auths": {"r.example": {"auth": "dXNlcjpodW50ZXIy"}}}"#;
        let (known, looked) = login(config, "r.example").await;
        assert!(matches!(&known, Some(Known::Basic { user, .. }) if user == "user"));
        assert!(!format!("{known:?} {looked}").contains("hunter2"));
        let (known, looked) = login(config, "other.example").await;
        assert!(known.is_none() && looked.contains("no entry for other.example"), "{looked}");
    }

    #[tokio::test]
    async fn docker_hub_stands_under_its_old_name() {
        let config = r#"{"auths": {"https://index.docker.io/v1/": {"auth": "dXNlcjpodW50ZXIy"}}}"#;
        assert!(login(config, "docker.io").await.0.is_some());
    }

    #[tokio::test]
    async fn what_is_not_there_is_told_with_its_place() {
        let (known, looked) = login("{", "r.example").await;
        assert!(known.is_none() && looked.contains("config.json"), "{looked}");
        let (_, looked) = login(r#"{"credHelpers": {"r.example": "no-such-helper"}}"#, "r.example").await;
        assert!(looked.contains("credential helper"), "{looked}");
    }
}
