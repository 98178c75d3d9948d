//! API tokens: from the environment, or from the operating system's keyring through Python's `keyring` program.

use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

use reqwest::Url;

use crate::world::command::{Command, run};
use crate::world::http::Credential;
use crate::world::identity::{Variable, shouted};

/// The user that indexes expect beside an API token (docs.pypi.org, "API tokens").
const TOKEN_USER: &str = "__token__";
/// How long the keyring may take: a person may have to unlock it.
const PATIENCE: Duration = Duration::from_secs(60);

/// The names of the variables that hold an index's token and its user.
pub fn variables(index: &str) -> (String, String) {
    let index = shouted(index);
    (format!("RELEASE_TOKEN_{index}"), format!("RELEASE_USER_{index}"))
}

/// The credential of an index: `RELEASE_TOKEN_<INDEX>` with `RELEASE_USER_<INDEX>` (`__token__` where it is not set),
/// else what the keyring has for the upload address or its host. `None` where there is neither.
pub async fn find(index: &str, upload: &Url, variable: Variable<'_>) -> Option<Credential> {
    let (token, user) = variables(index);
    let text = |name: &str| variable(name)?.into_string().ok().filter(|value| !value.is_empty());
    let user = text(&user).unwrap_or_else(|| TOKEN_USER.to_owned());
    if let Some(token) = text(&token) {
        return Some(Credential::Basic { user, password: token.trim().to_owned().into() });
    }
    let program = keyring(variable)?;
    for service in [Some(upload.as_str()), upload.host_str()].into_iter().flatten() {
        if let Some(password) = ask(&program, service, &user).await {
            return Some(Credential::Basic { user, password: password.into() });
        }
    }
    None
}

/// The `keyring` program on PATH.
fn keyring(variable: Variable<'_>) -> Option<PathBuf> {
    let name = if cfg!(windows) { "keyring.exe" } else { "keyring" };
    let path: OsString = variable("PATH")?;
    std::env::split_paths(&path)
        .map(|folder| folder.join(name))
        .find(|file| file.is_absolute() && file.is_file())
}

/// `keyring get SERVICE USER`; `None` where it has no such entry.
async fn ask(program: &PathBuf, service: &str, user: &str) -> Option<String> {
    let command = Command::new(program).args(["get", service, user]).timeout(PATIENCE);
    let output = run(command).await.ok().filter(|output| output.success() && !output.truncated)?;
    let text = String::from_utf8(output.stdout).ok()?;
    let password = text.trim_end_matches(['\r', '\n']);
    (!password.is_empty()).then(|| password.to_owned())
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret;

    use super::*;

    async fn found(known: &[(&str, OsString)]) -> Option<(String, String)> {
        let known: Vec<(String, OsString)> =
            known.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect();
        let upload = Url::parse("https://index.example/legacy/").unwrap();
        let variable =
            move |name: &str| known.iter().find(|(one, _)| one == name).map(|(_, value)| value.clone());
        match find("my-index", &upload, &variable).await? {
            Credential::Basic { user, password } => Some((user, password.expose_secret().to_owned())),
            Credential::Bearer(_) => panic!("never asked for"),
        }
    }

    fn pair(user: &str, password: &str) -> Option<(String, String)> {
        Some((user.to_owned(), password.to_owned()))
    }

    #[tokio::test]
    async fn a_token_of_the_environment_comes_first() {
        let token = ("RELEASE_TOKEN_MY_INDEX", OsString::from("pypi-secret\n"));
        assert_eq!(found(std::slice::from_ref(&token)).await, pair("__token__", "pypi-secret"));
        let user = ("RELEASE_USER_MY_INDEX", OsString::from("ada"));
        assert_eq!(found(&[token, user.clone()]).await, pair("ada", "pypi-secret"));
        assert_eq!(found(&[user]).await, None);
        assert_eq!(found(&[("RELEASE_TOKEN_MY_INDEX", OsString::new())]).await, None);
    }

    #[cfg(unix)]
    #[tokio::test]
    async fn the_keyring_is_asked_for_the_address_and_then_for_the_host() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let program = folder.path().join("keyring");
        let script =
            "#!/bin/sh\n[ \"$1 $2 $3\" = 'get index.example __token__' ] && echo from-host || exit 1\n";
        std::fs::write(&program, script).unwrap();
        std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755)).unwrap();
        let path = ("PATH", folder.path().as_os_str().to_owned());
        assert_eq!(found(std::slice::from_ref(&path)).await, pair("__token__", "from-host"));
        assert_eq!(found(&[path, ("RELEASE_USER_MY_INDEX", "ada".into())]).await, None);
        assert_eq!(found(&[("PATH", "/nowhere".into())]).await, None);
    }
}
