//! What is made on a host is called so that everybody can tell whose it is, and bears on it who made it and what for.

use std::collections::BTreeMap;

use crate::apply::target::Mark;
use crate::plan::deployment::{Artifact, Placed};
use crate::plan::digest::Digest;
use crate::world::engine::pull::Image;

pub const SCOPE: &str = "io.release.scope";
pub const ENVIRONMENT: &str = "io.release.environment";
pub const PACKAGE: &str = "io.release.package";
/// `service` or `switch`.
pub const ROLE: &str = "io.release.role";
pub const VERSION: &str = "io.release.version";
pub const DIGEST: &str = "io.release.digest";
pub const IMAGE: &str = "io.release.image";
pub const TAG: &str = "io.release.tag";
pub const COMMIT: &str = "io.release.commit";
pub const DEPLOYMENT: &str = "io.release.deployment";
pub const EPOCH: &str = "io.release.epoch";
/// A sum over the settings that it was made with; values handed on from a run are not in it.
pub const SETTINGS: &str = "io.release.settings";

/// One environment of one project on a host that others may share.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// What tells this project from others.
    pub scope: String,
    pub environment: String,
}

impl Place {
    /// The network of the environment's containers.
    pub fn network(&self) -> String {
        plain(&format!("{}-{}", self.scope, self.environment))
    }

    /// What is made for a package begins with this.
    pub fn base(&self, package: &str) -> String {
        plain(&format!("{}-{}-{package}", self.scope, self.environment))
    }

    /// A release's container: package, version, digest, and the deployment that made it.
    pub fn container(&self, wanted: &Placed, mark: &Mark) -> String {
        let (digest, deployment) = (wanted.digest(), mark.deployment.hex());
        let deployment = deployment.get(..6).unwrap_or(deployment);
        plain(&format!("{}-{}-{}-{deployment}", self.base(&wanted.package), wanted.version, digest.short()))
    }

    /// The labels that all of a package's containers bear.
    pub fn labels<'p>(&'p self, package: &'p str) -> [(&'static str, &'p str); 3] {
        [(SCOPE, &self.scope), (ENVIRONMENT, &self.environment), (PACKAGE, package)]
    }

    /// The labels of a package's container with a role.
    pub fn role(&self, package: &str, role: &str) -> BTreeMap<String, String> {
        let mut labels = owned(&self.labels(package));
        labels.insert(ROLE.to_owned(), role.to_owned());
        labels
    }

    /// The labels of a release that a deployment brings.
    pub fn release(&self, wanted: &Placed, mark: &Mark, settings: &str) -> BTreeMap<String, String> {
        let mut labels = self.role(&wanted.package, "service");
        labels.extend(owned(&[
            (VERSION, &wanted.version),
            (DIGEST, wanted.digest().as_str()),
            (IMAGE, &reference(wanted).unwrap_or_default()),
            (TAG, &wanted.tag),
            (COMMIT, &wanted.commit),
            (DEPLOYMENT, mark.deployment.as_str()),
            (EPOCH, &mark.epoch.to_string()),
            (SETTINGS, settings),
        ]));
        labels
    }
}

/// `repository@sha256:…`; `None` where the release is no image.
pub fn reference(wanted: &Placed) -> Option<String> {
    match &wanted.artifact {
        Artifact::Image { repository, digest } => Some(format!("{repository}@{digest}")),
        Artifact::Files { .. } => None,
    }
}

/// The epoch in labels; 0 where there is none.
pub fn epoch(labels: &BTreeMap<String, String>) -> u64 {
    labels.get(EPOCH).and_then(|epoch| epoch.parse().ok()).unwrap_or_default()
}

/// The digest by which the world knows an image: of its first registry, else the engine's own id.
pub fn known_as(image: &Image) -> Digest {
    let digests = image.digests.iter().filter_map(|digest| Digest::parse(digest.split('@').nth(1)?));
    digests.into_iter().next().or_else(|| Digest::parse(&image.id)).unwrap_or_else(Digest::none)
}

fn owned(labels: &[(&str, &str)]) -> BTreeMap<String, String> {
    labels.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

/// A name as Docker takes it: letters, digits, `_`, `.` and `-`, beginning with a letter or digit.
fn plain(name: &str) -> String {
    let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '-');
    let name: String = name.chars().map(|c| if fits(c) { c } else { '-' }).collect();
    name.trim_start_matches(|c: char| !c.is_ascii_alphanumeric()).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_hold_only_what_docker_takes() {
        let place = Place { scope: "ácme/shop".to_owned(), environment: "staging".to_owned() };
        assert_eq!(place.network(), "cme-shop-staging");
        assert_eq!(place.base("data/api"), "cme-shop-staging-data-api");
        assert_eq!(plain("a-1!2.0+local"), "a-1-2.0-local");
    }
}
