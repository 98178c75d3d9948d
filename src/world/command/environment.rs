//! Which variables a program sees: ours without credentials, and what is set for it.

use std::ffi::{OsStr, OsString};

/// How the environment of a run differs from ours.
///
/// Variables that look like credentials are always left out, unless `keep` names them.
#[derive(Debug, Clone, Default)]
pub struct Environment {
    /// Wins over everything else.
    pub set: Vec<(OsString, OsString)>,
    pub remove: Vec<OsString>,
    /// Credentials that the program needs.
    pub keep: Vec<OsString>,
}

impl Environment {
    /// What a program sees of the inherited variables, and what is set for it.
    pub(in crate::world) fn applied_to(
        &self,
        inherited: impl Iterator<Item = (OsString, OsString)>,
    ) -> Vec<(OsString, OsString)> {
        let passes = |name: &OsString| {
            (!is_credential(name) || self.keep.contains(name)) && !self.remove.contains(name)
        };
        inherited.filter(|(name, _)| passes(name)).chain(self.set.iter().cloned()).collect()
    }
}

/// Whether a variable's name says that it holds a credential.
pub fn is_credential(name: &OsStr) -> bool {
    const STARTS: [&str; 12] = [
        "ACTIONS_ID_TOKEN_REQUEST_",
        "ACTIONS_RUNTIME_",
        "AWS_",
        "AZURE_",
        "GH_",
        "GOOGLE_APPLICATION_",
        "PYPI_",
        "RELEASE_TOKEN_",
        "SIGSTORE_",
        "TWINE_",
        "UV_PUBLISH_",
        "VAULT_",
    ];
    const ENDS: [&str; 10] = [
        "TOKEN",
        "PASSWORD",
        "PASSWD",
        "PASSPHRASE",
        "CREDENTIALS",
        "_API_KEY",
        "_APIKEY",
        "_ACCESS_KEY",
        "_PRIVATE_KEY",
        "_JWT",
    ];
    let name = name.to_string_lossy().to_uppercase();
    STARTS.iter().any(|start| name.starts_with(start))
        || ENDS.iter().any(|end| name.ends_with(end))
        || name.contains("SECRET")
        || name == "SSH_AUTH_SOCK"
        || name == "DOCKER_AUTH_CONFIG"
}
