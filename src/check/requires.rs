//! What a package requires, judged against the set that is published with it.

use std::collections::BTreeMap;
use std::str::FromStr;

use pep440_rs::VersionSpecifiers;
use pep508_rs::VersionOrUrl;

use crate::check::finding::Finding;
use crate::check::metadata::Metadata;
use crate::version::number::Version;
use crate::workspace::name::PackageName;
use crate::workspace::requirement::{self, Evaluable};

/// Why a `Requires-Dist` value is not taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RequiresError {
    #[error("it names a URL, which package indexes refuse")]
    Url,
    #[error("it is no requirement: {0}")]
    Syntax(String),
}

/// Reads one `Requires-Dist` value.
///
/// # Errors
/// Where it names a URL, or PEP 508 gives it no meaning.
pub fn parse(text: &str) -> Result<Evaluable, RequiresError> {
    match requirement::evaluable(text) {
        Ok(requirement) if is_url(&requirement) => Err(RequiresError::Url),
        Ok(requirement) => Ok(requirement),
        Err(error) => Err(RequiresError::Syntax(error.reason)),
    }
}

fn is_url(requirement: &Evaluable) -> bool {
    matches!(requirement.version_or_url, Some(VersionOrUrl::Url(_)))
}

/// The version part of a requirement.
pub fn specifiers(requirement: &Evaluable) -> VersionSpecifiers {
    match &requirement.version_or_url {
        Some(VersionOrUrl::VersionSpecifier(specifiers)) => specifiers.clone(),
        Some(VersionOrUrl::Url(_)) | None => VersionSpecifiers::empty(),
    }
}

/// Judges all `Requires-Dist` and `Requires-Python` fields. `internal` holds the packages of the repository and the
/// versions they have in the published set.
pub fn check(file: &str, metadata: &Metadata, internal: &BTreeMap<PackageName, Version>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for text in metadata.requires_dist() {
        findings.extend(requires_dist(file, metadata, internal, text));
    }
    if let Some(text) = metadata.requires_python()
        && VersionSpecifiers::from_str(text).is_err()
    {
        let message = format!("`Requires-Python: {text}` is no version specifier");
        findings.push(Finding::error(file, message, "correct `requires-python` in pyproject.toml"));
    }
    findings
}

fn requires_dist(
    file: &str,
    metadata: &Metadata,
    internal: &BTreeMap<PackageName, Version>,
    text: &str,
) -> Option<Finding> {
    let requirement = match parse(text) {
        Ok(requirement) => requirement,
        Err(error) => {
            let way_out = match error {
                RequiresError::Url => "publish that dependency and require it by version",
                RequiresError::Syntax(_) => "correct the dependency in pyproject.toml (PEP 508)",
            };
            return Some(Finding::error(file, format!("`Requires-Dist: {text}`: {error}"), way_out));
        }
    };
    let name = PackageName::new(requirement.name.as_ref());
    let version = internal.get(&name)?;
    if name == PackageName::new(metadata.name()) {
        return None;
    }
    internal_requirement(file, &name, version, &specifiers(&requirement))
}

/// Judges a requirement of another package of the repository.
fn internal_requirement(
    file: &str,
    name: &PackageName,
    version: &Version,
    specifiers: &VersionSpecifiers,
) -> Option<Finding> {
    if !specifiers.contains(version.as_pep440()) {
        let message = format!("requires `{name}` {specifiers}, but {version} is what is published with it");
        return Some(Finding::error(file, message, "widen the specifier, or release a version that fits"));
    }
    if !specifiers.iter().any(|specifier| specifier.has_lower_bound()) {
        let message = format!("`{name}` has no lower bound in the wheel");
        let way_out =
            format!("write `{name}>={version}` in pyproject.toml; without it an old one may be installed");
        return Some(Finding::warning(file, message, &way_out));
    }
    if version.is_prerelease() && !specifiers.iter().any(|specifier| specifier.version().any_prerelease()) {
        let message = format!("requires `{name}` {specifiers}, which makes installers pass {version} by");
        let way_out =
            format!("write `{name}>={version}`: only a specifier that names a pre-release selects one");
        return Some(Finding::warning(file, message, &way_out));
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn findings(requires: &str) -> Vec<(bool, String)> {
        let text = format!("Metadata-Version: 2.4\nName: acme-tools\nVersion: 1.0\n{requires}\n");
        let metadata = Metadata::parse(text.as_bytes()).unwrap();
        let set = [("acme-core", "2.0.0"), ("acme-tools", "1.0"), ("acme-next", "3.0rc1")];
        let internal: BTreeMap<PackageName, Version> = set
            .iter()
            .map(|(name, version)| (PackageName::new(name), Version::parse(version).unwrap()))
            .collect();
        let found = check("w.whl", &metadata, &internal);
        found.into_iter().map(|finding| (finding.is_error(), finding.message)).collect()
    }

    #[track_caller]
    fn check_one(requires: &str, is_error: bool, part: &str) {
        let found = findings(requires);
        assert!(
            matches!(found.as_slice(), [(error, message)] if *error == is_error && message.contains(part)),
            "{found:?}"
        );
    }

    #[test]
    fn an_internal_requirement_must_hold_in_the_published_set() {
        check_one("Requires-Dist: Acme_Core<2", true, "requires `acme-core` <2, but 2.0.0");
        check_one("Requires-Dist: acme-core==1.9; extra == 'x'", true, "2.0.0 is what is published");
        assert_eq!(findings("Requires-Dist: acme-core>=1.5,<3\nRequires-Dist: acme-core~=2.0"), []);
    }

    #[test]
    fn an_internal_requirement_without_a_floor_is_named() {
        check_one("Requires-Dist: acme-core", false, "`acme-core` has no lower bound in the wheel");
        check_one("Requires-Dist: acme-core<3", false, "`acme-core` has no lower bound in the wheel");
        assert_eq!(findings("Requires-Dist: acme-tools[all]; extra == 'dev'\nRequires-Dist: requests"), []);
    }

    #[test]
    fn a_prerelease_needs_a_specifier_that_names_one() {
        check_one("Requires-Dist: acme-next>=2.0", false, "pass 3.0rc1 by");
        assert_eq!(findings("Requires-Dist: acme-next>=3.0rc1"), []);
    }

    #[test]
    fn urls_and_nonsense_are_refused() {
        check_one("Requires-Dist: x @ https://example.org/x.whl", true, "it names a URL");
        check_one("Requires-Dist: x >> 1", true, "it is no requirement");
        check_one("Requires-Dist: é⟨", true, "it is no requirement");
        check_one("Requires-Dist: a; python_version <''é", true, "it is no requirement");
        check_one(&format!("Requires-Dist: a; {}", "(".repeat(200_000)), true, "it is no requirement");
        check_one("Requires-Dist: a- >1", true, "it is no requirement: `a-` is no name");
        check_one("Requires-Dist: a[b-]>1", true, "`b-` is no name of an extra");
        check_one("Requires-Python: three", true, "is no version specifier");
    }
}
