//! What the paths of an assumed commit mean for the packages: by their names alone, for there is no file to look at.

use std::collections::BTreeMap;

use crate::history::commit::{Touch, Touched};
use crate::plan::assume::{Assumption, places, stand_on_top};
use crate::plan::facts::Facts;
use crate::survey::error::SurveyError;
use crate::survey::walk::{Shared, WalkPackage};
use crate::survey::walk_files::{judge_name, system_path};
use crate::workspace::path::RepoPath;

/// Puts these commits on top of the history, the first one lowest.
///
/// # Errors
/// Where nothing says what one of them changes.
pub fn assume(
    facts: &mut Facts,
    assumptions: &[Assumption],
    packages: &[WalkPackage],
    shared: &[Shared],
) -> Result<(), SurveyError> {
    for assumption in assumptions {
        let paths = places(facts, assumption)?;
        let (touches, outside) = meaning(&paths, packages, shared);
        // Of several commits that change the same paths, each would say the same.
        let outside = if facts.assumed.is_empty() { outside } else { Vec::new() };
        stand_on_top(facts, &assumption.message, &paths, touches, &outside);
    }
    Ok(())
}

/// What paths touch of each package, and those of no package.
fn meaning(paths: &[RepoPath], packages: &[WalkPackage], shared: &[Shared]) -> (Vec<Touch>, Vec<RepoPath>) {
    let mut touched: BTreeMap<usize, Touched> = BTreeMap::new();
    let mut outside = Vec::new();
    for path in paths {
        let sharing =
            shared.iter().filter(|one| one.patterns.is_match(system_path(path.as_git().as_bytes())));
        let mut found: Vec<(usize, Touched)> =
            sharing.flat_map(|one| &one.packages).map(|package| (*package, Touched::Shared)).collect();
        if let Some((package, below)) = owner(path, packages) {
            found.push((package, judge_name(&packages[package], below).unwrap_or(Touched::Files)));
        }
        if found.is_empty() {
            outside.push(path.clone());
        }
        for (package, what) in found {
            let known = touched.entry(package).or_insert(what);
            *known = what.min(*known);
        }
    }
    (touched.into_iter().map(|(package, what)| Touch { package, what }).collect(), outside)
}

/// The package with the longest folder that holds the path, and the path from there.
fn owner<'p>(path: &'p RepoPath, packages: &[WalkPackage]) -> Option<(usize, &'p [u8])> {
    let below = |package: &WalkPackage| -> Option<&'p str> {
        if path.as_git() == package.path {
            return Some("");
        }
        RepoPath::new(&package.path)?.strip(path.as_git())
    };
    let holding = packages.iter().enumerate().filter_map(|(index, one)| Some((index, below(one)?)));
    let longest = holding.max_by_key(|(index, _)| packages[*index].path.len())?;
    Some((longest.0, longest.1.as_bytes()))
}

#[cfg(test)]
mod tests {
    use globset::{Glob, GlobSetBuilder};

    use super::*;

    fn globs(pattern: &str) -> globset::GlobSet {
        GlobSetBuilder::new().add(Glob::new(pattern).unwrap()).build().unwrap()
    }

    fn check(path: &str, expected: &str) {
        let package = |path: &str| WalkPackage {
            path: path.to_owned(),
            ignore: globs("tests/**"),
            changelog: Some("CHANGELOG.md".to_owned()),
            ..WalkPackage::default()
        };
        let packages = [package("libs"), package("libs/core")];
        let shared = [Shared { patterns: globs("schema/**"), packages: vec![0, 1] }];
        let (touches, outside) = meaning(&[RepoPath::new(path).unwrap()], &packages, &shared);
        let mut told: Vec<String> =
            touches.iter().map(|touch| format!("{} {:?}", touch.package, touch.what)).collect();
        told.extend(outside.iter().map(|path| format!("outside {path}")));
        assert_eq!(told.join(", "), expected, "{path}");
    }

    #[test]
    fn a_path_belongs_to_the_longest_folder_that_holds_it() {
        check("libs/core/a.py", "1 Files");
        check("libs/core", "1 Files");
        check("libs/core-utils/a.py", "0 Files");
        check("docs/a.md", "outside docs/a.md");
        check("schema/a.json", "0 Shared, 1 Shared");
    }

    #[test]
    fn names_alone_tell_what_does_not_count() {
        check("libs/core/tests/a.py", "1 Ignored");
        check("libs/core/uv.lock", "1 Lock");
        check("libs/core/CHANGELOG.md", "1 Version");
        check("libs/core/pyproject.toml", "1 Files");
    }
}
