//! Why an image is not built or not pushed, and what to do about it.

use std::path::PathBuf;

use crate::ledger::event::FailureKind;
use crate::world::engine::EngineError;
use crate::world::oci::LayoutError;
use crate::world::registry::RegistryError;

/// Why an image is not built or not pushed.
#[derive(Debug, thiserror::Error)]
pub enum ImageError {
    #[error(transparent)]
    Engine(#[from] EngineError),
    #[error(transparent)]
    Registry(#[from] RegistryError),
    #[error(transparent)]
    Layout(#[from] LayoutError),
    #[error("`{package}` has no wheel to put into its image")]
    NoWheel { package: String },
    #[error("`{tag}` of `{repository}` is another image: there {there}, ours {ours}")]
    Conflict { repository: String, tag: String, there: String, ours: String },
    /// It was ours a moment ago.
    #[error("somebody else moved `{tag}` of `{repository}` at the same time: to {there}")]
    Moved { repository: String, tag: String, there: String },
    /// It said it took the manifest, and does not have it.
    #[error("`{repository}` does not show {digest}, which it has just taken")]
    Unseen { repository: String, digest: String },
    /// The outside failed, again and again.
    #[error("tried {} times: {last}", retries + 1)]
    Tried { retries: usize, last: RegistryError },
    #[error("failed to use `{}`: {source}", path.display())]
    Folder {
        path: PathBuf,
        #[source]
        source: std::io::Error,
    },
}

/// What follows from an error.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Meaning {
    /// The package itself does not build.
    Broken,
    /// Other bytes stand under our name.
    Conflict,
    NotAllowed,
    /// The configuration does not fit.
    Settings,
    Outside,
}

impl ImageError {
    /// Whether running again can help.
    pub fn kind(&self) -> FailureKind {
        match self {
            ImageError::Tried { .. } | ImageError::Moved { .. } | ImageError::Unseen { .. } => {
                FailureKind::Transient
            }
            ImageError::Engine(error) if error.is_transient() => FailureKind::Transient,
            ImageError::Registry(error) if error.is_transient() => FailureKind::Transient,
            ImageError::Folder { .. } | ImageError::Layout(_) => FailureKind::Unknown,
            _ => FailureKind::Permanent,
        }
    }

    /// What follows from it.
    pub fn meaning(&self) -> Meaning {
        match self {
            ImageError::Engine(EngineError::Build { .. }) | ImageError::NoWheel { .. } => Meaning::Broken,
            ImageError::Engine(EngineError::Settings { .. })
            | ImageError::Registry(RegistryError::Name { .. }) => Meaning::Settings,
            ImageError::Conflict { .. } | ImageError::Registry(RegistryError::Lie { .. }) => {
                Meaning::Conflict
            }
            ImageError::Registry(RegistryError::Unauthorized { .. }) => Meaning::NotAllowed,
            _ => Meaning::Outside,
        }
    }

    /// The ways out, most likely first.
    pub fn hints(&self) -> Vec<String> {
        match self {
            ImageError::Engine(error) => error.hints(),
            ImageError::Registry(RegistryError::Unauthorized { registry, looked, .. }) => vec![
                format!("`docker login {registry}` keeps a credential where it is looked for"),
                looked.clone(),
            ],
            ImageError::Registry(RegistryError::Lie { .. }) => {
                vec![
                    "the registry, or something on the way to it, is broken: `docker pull` by digest tells"
                        .to_owned(),
                ]
            }
            ImageError::Conflict { repository, .. } => vec![
                format!("find out who pushed to `{repository}` and from what"),
                "before the claim, `Release-As: VERSION` in a commit takes another number; after it, \
                 `release abandon --reason TEXT` gives this one up and the next plan takes the next"
                    .to_owned(),
            ],
            ImageError::Tried { .. } | ImageError::Moved { .. } | ImageError::Unseen { .. } => {
                vec!["run it again: what is pushed stays".to_owned()]
            }
            _ => Vec::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_follows_is_told_by_kind() {
        let build = ImageError::Engine(EngineError::Build { said: "no".to_owned(), tail: String::new() });
        assert_eq!((build.meaning(), build.kind()), (Meaning::Broken, FailureKind::Permanent));
        let down = EngineError::Unreachable { place: "p".to_owned(), reason: "r".to_owned() };
        let down = ImageError::Engine(down);
        assert_eq!((down.meaning(), down.kind()), (Meaning::Outside, FailureKind::Transient));
        let words = |text: &str| text.to_owned();
        let locked = ImageError::Registry(RegistryError::Unauthorized {
            registry: words("r.example"),
            what: words("push"),
            reason: words("no"),
            looked: words("/home/a/.docker/config.json has no entry"),
        });
        assert_eq!(locked.meaning(), Meaning::NotAllowed);
        assert!(locked.hints()[0].contains("docker login r.example"));
        assert!(locked.hints()[1].contains("config.json"));
    }
}
