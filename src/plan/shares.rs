//! What one release pull request is about: everything, a group, or a package.

use std::collections::BTreeSet;

use crate::plan::facts::Facts;
use crate::workspace::config::pull_request::Per;

/// The packages of one pull request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Share {
    /// What its branch is called after; none for the only one.
    pub name: Option<String>,
    /// None for all packages.
    pub only: Option<BTreeSet<usize>>,
}

/// The shares of a repository, as far as they are about the packages that were asked for.
pub fn shares(facts: &Facts, per: Per, asked: Option<&BTreeSet<usize>>) -> Vec<Share> {
    if per == Per::All {
        return vec![Share { name: None, only: asked.cloned() }];
    }
    let mut shares: Vec<Share> = Vec::new();
    for package in facts.graph.order() {
        let group = facts.settings[package].group.as_ref().filter(|_| per == Per::Group);
        let name = part(group.unwrap_or(&facts.packages[package].short));
        let known = shares.iter_mut().find(|share| group.is_some() && share.name.as_ref() == Some(&name));
        match known.and_then(|share| share.only.as_mut()) {
            Some(only) => {
                only.insert(package);
            }
            None => shares.push(Share { name: Some(name), only: Some([package].into()) }),
        }
    }
    let is_asked = |share: &Share| {
        let only = share.only.as_ref();
        asked.is_none_or(|asked| only.is_none_or(|only| only.iter().any(|one| asked.contains(one))))
    };
    shares.retain(is_asked);
    shares
}

/// A name as a part of a branch's: git takes no dot in some of its places.
fn part(name: &str) -> String {
    name.chars()
        .map(|one| if one.is_ascii_alphanumeric() || "-_".contains(one) { one } else { '-' })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::part;

    #[test]
    fn a_name_becomes_a_part_of_a_branch() {
        assert_eq!(part("anomaly-detection"), "anomaly-detection");
        assert_eq!(part("a.lock"), "a-lock");
        assert_eq!(part("a..b/c"), "a--b-c");
    }
}
