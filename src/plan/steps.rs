//! The steps of a ship, a line a step.

use std::collections::{BTreeMap, BTreeSet};

use crate::plan::Release;
use crate::plan::facts::Telling;
use crate::plan::step::{Action, Reversal, Step, StepId};
use crate::version::number::Version;

/// What a release's steps need to know beside the release itself.
#[derive(Debug, Clone, Default)]
pub struct Order {
    /// For each released package the released packages it depends on when installed.
    pub needs: BTreeMap<String, Vec<String>>,
    /// For each released package the released packages its build needs.
    pub build_needs: BTreeMap<String, Vec<String>>,
    /// Whether each release is one at GitHub too.
    pub github: bool,
    /// The package whose release GitHub shall call the latest.
    pub latest: Option<String>,
    /// How pull requests and issues are told; none where they are not.
    pub telling: Option<Telling>,
}

/// All steps, in an order in which each stands behind what it needs.
pub fn steps(releases: &[Release], order: &Order, branch: &str, frontend: &str, message: &str) -> Vec<Step> {
    if releases.is_empty() {
        return Vec::new();
    }
    let mut steps = vec![commit(message)];
    steps.extend(releases.iter().map(tag));
    steps.extend(releases.iter().map(|release| build(release, order, frontend)));
    steps.extend(releases.iter().filter_map(|release| image(release, order)));
    steps.push(seal(releases));
    steps.push(claim(releases, branch));
    steps.extend(releases.iter().filter(|_| order.github).map(stash));
    steps.extend(releases.iter().map(|release| publish(release, order)));
    steps.extend(releases.iter().filter_map(push));
    steps.extend(releases.iter().map(smoke));
    steps.extend(releases.iter().filter(|_| order.github).map(|release| announce(release, order)));
    steps.extend(order.telling.as_ref().map(|telling| tell(telling, &steps)));
    steps
}

fn commit(message: &str) -> Step {
    Step {
        id: id("commit", None),
        package: None,
        action: Action::Commit { message: message.to_owned() },
        needs: Vec::new(),
        reversal: Reversal::Nothing,
        check: "the ref refs/release/pending names a commit with these edits on this base".to_owned(),
    }
}

fn tag(release: &Release) -> Step {
    Step {
        id: id("tag", Some(release)),
        package: Some(release.package.clone()),
        action: Action::Tag { tag: release.tag.clone(), message: tag_message(release) },
        needs: vec![id("commit", None)],
        reversal: Reversal::Nothing,
        check: "the tag object exists and names the release commit".to_owned(),
    }
}

/// What the annotated tag of a release says: its notes.
pub fn tag_message(release: &Release) -> String {
    format!("{} {}\n\n{}", release.package, release.to, release.notes.trim_end())
}

fn build(release: &Release, order: &Order, frontend: &str) -> Step {
    let mut needs = vec![id("commit", None)];
    needs.extend(named("build", order.build_needs.get(&release.package)));
    Step {
        id: id("build", Some(release)),
        package: Some(release.package.clone()),
        action: Action::Build {
            path: release.path.clone(),
            distribution: release.distribution.clone(),
            version: release.to.clone(),
            frontend: frontend.to_owned(),
        },
        needs,
        reversal: Reversal::DeleteFiles,
        check: "sdist and wheel of this version are in the stash and their metadata is right".to_owned(),
    }
}

fn image(release: &Release, order: &Order) -> Option<Step> {
    let with = all_needs(&release.package, order);
    let mut needs = vec![id("build", Some(release))];
    needs.extend(named("build", Some(&with)));
    Some(Step {
        id: id("image", Some(release)),
        package: Some(release.package.clone()),
        action: Action::Image {
            path: release.path.clone(),
            distribution: release.distribution.clone(),
            version: release.to.clone(),
            image: release.image.clone()?,
            with,
        },
        needs,
        reversal: Reversal::DeleteFiles,
        check: "the image is in the stash, and its layers are what its configuration says".to_owned(),
    })
}

/// The released packages that a package needs when installed, and those that they need; by name.
fn all_needs(package: &str, order: &Order) -> Vec<String> {
    let mut found = BTreeSet::new();
    let mut open = vec![package];
    while let Some(one) = open.pop() {
        for needed in order.needs.get(one).into_iter().flatten() {
            if needed != package && found.insert(needed.clone()) {
                open.push(needed);
            }
        }
    }
    found.into_iter().collect()
}

fn seal(releases: &[Release]) -> Step {
    Step {
        id: id("seal", None),
        package: None,
        action: Action::Seal,
        needs: releases
            .iter()
            .flat_map(|release| {
                let image = release.image.as_ref().map(|_| id("image", Some(release)));
                [id("tag", Some(release)), id("build", Some(release))].into_iter().chain(image)
            })
            .collect(),
        reversal: Reversal::Nothing,
        check: "the ledger names every file with size and digest".to_owned(),
    }
}

fn claim(releases: &[Release], branch: &str) -> Step {
    Step {
        id: id("claim", None),
        package: None,
        action: Action::Claim {
            branch: branch.to_owned(),
            tags: releases.iter().map(|release| release.tag.clone()).collect(),
        },
        needs: vec![id("seal", None)],
        reversal: Reversal::RestoreRefs,
        check: "branch and tags name the release commit".to_owned(),
    }
}

fn stash(release: &Release) -> Step {
    Step {
        id: id("stash", Some(release)),
        package: Some(release.package.clone()),
        action: Action::Stash {
            tag: release.tag.clone(),
            title: format!("{} {}", release.package, release.to),
        },
        needs: vec![id("claim", None)],
        reversal: Reversal::DeleteDraft,
        check: "a draft release of the tag has every file with the sealed digest".to_owned(),
    }
}

fn announce(release: &Release, order: &Order) -> Step {
    let last = [Some("smoke"), release.image.as_ref().map(|_| "push")];
    Step {
        id: id("announce", Some(release)),
        package: Some(release.package.clone()),
        action: Action::Announce {
            tag: release.tag.clone(),
            version: release.to.clone(),
            prerelease: Version::parse(&release.to).is_ok_and(|version| version.is_prerelease()),
            latest: order.latest.as_ref() == Some(&release.package),
        },
        needs: last.into_iter().flatten().map(|kind| id(kind, Some(release))).collect(),
        reversal: Reversal::Irreversible,
        check: "the release of the tag is published and has every file with the sealed digest".to_owned(),
    }
}

fn publish(release: &Release, order: &Order) -> Step {
    let mut needs = vec![id("claim", None)];
    needs.extend(order.github.then(|| id("stash", Some(release))));
    needs.extend(named("publish", order.needs.get(&release.package)));
    Step {
        id: id("publish", Some(release)),
        package: Some(release.package.clone()),
        action: Action::Publish {
            index: release.index.clone(),
            distribution: release.distribution.clone(),
            version: release.to.clone(),
        },
        needs,
        reversal: Reversal::Irreversible,
        check: "the index lists every file with the sealed digest".to_owned(),
    }
}

fn push(release: &Release) -> Option<Step> {
    let image = release.image.as_ref()?;
    Some(Step {
        id: id("push", Some(release)),
        package: Some(release.package.clone()),
        action: Action::Push {
            repository: image.repository.clone(),
            version: release.to.clone(),
            tags: image.tags.clone(),
        },
        needs: vec![id("publish", Some(release))],
        reversal: Reversal::Irreversible,
        check: "the registry has the sealed digest, and the tag of the version leads to it".to_owned(),
    })
}

fn smoke(release: &Release) -> Step {
    Step {
        id: id("smoke", Some(release)),
        package: Some(release.package.clone()),
        action: Action::Smoke {
            index: release.index.clone(),
            distribution: release.distribution.clone(),
            version: release.to.clone(),
        },
        needs: vec![id("publish", Some(release))],
        reversal: Reversal::Nothing,
        check: "installed by hash, imported, entry points run".to_owned(),
    }
}

/// Once everything is out: what comes last of each package.
fn tell(telling: &Telling, steps: &[Step]) -> Step {
    let of = |kind: &str| -> Vec<StepId> {
        steps.iter().map(|step| step.id.clone()).filter(|id| id.0.starts_with(kind)).collect()
    };
    let announced = of("announce:");
    Step {
        id: id("tell", None),
        package: None,
        action: Action::Tell { comment: telling.comment, labels: telling.labels.clone() },
        needs: if announced.is_empty() { of("smoke:") } else { announced },
        reversal: Reversal::Irreversible,
        check: "each pull request and issue has one comment for this plan, and the labels".to_owned(),
    }
}

fn named(kind: &str, packages: Option<&Vec<String>>) -> Vec<StepId> {
    packages.into_iter().flatten().map(|package| StepId(format!("{kind}:{package}"))).collect()
}

fn id(kind: &str, release: Option<&Release>) -> StepId {
    match release {
        Some(release) => StepId(format!("{kind}:{}", release.package)),
        None => StepId(kind.to_owned()),
    }
}

#[cfg(test)]
#[path = "steps_tests.rs"]
mod tests;
