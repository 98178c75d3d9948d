//! Where each package stands: what tags, manifest and index say of its last release.

use std::collections::BTreeSet;

use crate::plan::Refusal;
use crate::plan::facts::{Facts, Request, Trust};
use crate::version::number::Version;
use crate::version::semver::read_tag_version;

/// A package's last release, or that it has none.
#[derive(Debug, Clone, Default)]
pub struct Standing {
    /// The last release, pre-releases included.
    pub last: Option<Version>,
    /// The last final release.
    pub last_final: Option<Version>,
    /// The tag of the last release.
    pub last_tag: Option<String>,
    /// The tag of the last final release.
    pub last_final_tag: Option<String>,
    /// The version that the manifest or its source declares.
    pub declared: Option<Version>,
}

/// Where every package stands; a package about which the sources disagree is refused.
pub fn standings(facts: &Facts, request: &Request) -> Vec<Result<Standing, Refusal>> {
    (0..facts.packages.len()).map(|package| standing(facts, request, package)).collect()
}

fn standing(facts: &Facts, request: &Request, package: usize) -> Result<Standing, Refusal> {
    let mut standing = by_tags(facts, package);
    if let Some(last) = standing.last.clone()
        && let Some(declared) = standing.declared.clone()
        && declared != last
        && !is_given_up(facts, package, &declared)
    {
        match request.trust {
            None => return Err(disagreement(facts, package, &standing, &last, &declared)),
            Some(Trust::Tag) => {}
            Some(Trust::Manifest) => {
                if !declared.is_prerelease() {
                    standing.last_final = Some(declared.clone());
                }
                standing.last = Some(declared);
            }
        }
    }
    let untagged = published_without_tag(facts, package, &standing);
    match untagged {
        Some(version) if request.trust.is_none() => Err(index_disagreement(facts, package, &version)),
        _ => Ok(standing),
    }
}

fn by_tags(facts: &Facts, package: usize) -> Standing {
    let tags = &facts.history.tags[package];
    let last = tags.first();
    let last_final = tags.iter().find(|tag| !tag.version.is_prerelease());
    Standing {
        last: last.map(|tag| tag.version.clone()),
        last_final: last_final.map(|tag| tag.version.clone()),
        last_tag: last.map(|tag| tag.tag.clone()),
        last_final_tag: last_final.map(|tag| tag.tag.clone()),
        declared: facts.packages[package].version.clone(),
    }
}

/// The highest version above the last release that the index holds and no tag names.
fn published_without_tag(facts: &Facts, package: usize, standing: &Standing) -> Option<Version> {
    let tagged = versions_tagged_elsewhere(facts, package);
    facts.published[package]
        .iter()
        .rev()
        .find(|version| {
            standing.last.as_ref().is_none_or(|last| *version > last)
                && !tagged.contains(*version)
                && !is_given_up(facts, package, version)
        })
        .cloned()
}

/// Whether a version was claimed and given up: its manifest, and perhaps files of it, stand where they were left.
pub fn is_given_up(facts: &Facts, package: usize, version: &Version) -> bool {
    facts.spent.contains(&(facts.packages[package].short.clone(), version.to_string()))
}

/// Versions that tags on commits not reachable from the planned one name.
pub fn versions_tagged_elsewhere(facts: &Facts, package: usize) -> BTreeSet<Version> {
    let known = &facts.packages[package];
    facts
        .history
        .unreachable_tags
        .iter()
        .filter(|(_, owner)| *owner == package)
        .filter_map(|(tag, _)| read_tag_version(known.version_in(tag)?).ok())
        .collect()
}

fn disagreement(
    facts: &Facts,
    package: usize,
    standing: &Standing,
    last: &Version,
    declared: &Version,
) -> Refusal {
    let known = &facts.packages[package];
    let tag = standing.last_tag.as_deref().unwrap_or("none");
    Refusal {
        package: known.short.clone(),
        reason: format!(
            "its manifest ({}) says {declared}, its last tag reachable from here (`{tag}`) says {last}",
            known.path.join("pyproject.toml")
        ),
        way_out:
            "say whom to believe with `--trust tag` or `--trust manifest`, or mend the one that is wrong"
                .to_owned(),
    }
}

fn index_disagreement(facts: &Facts, package: usize, version: &Version) -> Refusal {
    let index = &facts.settings[package].index;
    Refusal {
        package: facts.packages[package].short.clone(),
        reason: format!("index `{index}` holds {version}, which no tag names"),
        way_out: format!(
            "tag the commit it was made from as `{}`, or say `--trust tag` to go on from the last tag",
            facts.packages[package].tag.render(&facts.packages[package].short, version)
        ),
    }
}
