//! Releases that were taken back: a commit since reverts the one that a package's last tag names.

use rayon::iter::{IndexedParallelIterator, IntoParallelRefIterator, ParallelIterator};

use crate::history::History;
use crate::history::commit::VersionTag;
use crate::history::revert::{Revert, revert_of};
use crate::world::git_error::GitError;
use crate::world::objects::Objects;

/// A release that a later commit on the same line reverts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Withdrawn {
    pub package: usize,
    pub tag: String,
    /// The first digits of the commit that reverts it.
    pub by: String,
}

/// The last releases whose release commit is reverted by a commit that the package has not released yet.
///
/// # Errors
/// Unreadable objects.
pub fn withdrawn(objects: &Objects, history: &History) -> Result<Vec<Withdrawn>, GitError> {
    if history.tags.iter().all(Vec::is_empty) {
        return Ok(Vec::new());
    }
    let commits = history.commits.par_iter().with_min_len(TOGETHER).enumerate();
    let reverts: Vec<(usize, Revert)> =
        commits.filter_map(|(place, commit)| Some((place, revert_of(&commit.message)?))).collect();
    let mut found = Vec::new();
    if reverts.is_empty() {
        return Ok(found);
    }
    for (package, tags) in history.tags.iter().enumerate() {
        let Some(last) = tags.first() else { continue };
        let message = objects.commit(&last.commit.to_string())?.words.message;
        let is_it = |(place, revert): &&(usize, Revert)| {
            history.commits[*place].unreleased.contains(package) && names(revert, last, &message)
        };
        if let Some((place, _)) = reverts.iter().find(is_it) {
            let by = history.commits[*place].id.short();
            found.push(Withdrawn { package, tag: last.tag.clone(), by });
        }
    }
    Ok(found)
}

/// How many messages one thread reads at least: fewer are read before another begins.
const TOGETHER: usize = 128;

/// Whether a revert names the commit of a release: by its id, else by its title with or without the pull request.
/// A tag may stand on a feature; taking that back takes no release back.
fn names(revert: &Revert, release: &VersionTag, message: &str) -> bool {
    let title = message.lines().next().unwrap_or("").trim();
    let by_id = revert.commits.iter().any(|id| release.commit.begins_with(id));
    is_release(title, release) && (by_id || without_request(&revert.subject) == without_request(title))
}

/// Whether a title names the version that is released, as release commits do.
fn is_release(title: &str, release: &VersionTag) -> bool {
    title.split([' ', ',']).any(|word| word.trim_start_matches('v') == release.version.to_string())
}

fn without_request(title: &str) -> &str {
    let title = title.trim();
    match title.rsplit_once(" (#") {
        Some((before, number)) if number.trim_end_matches(')').bytes().all(|byte| byte.is_ascii_digit()) => {
            before
        }
        _ => title,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::history::commit::CommitId;
    use crate::version::number::Version;

    #[test]
    fn a_revert_names_a_release_by_its_title_or_its_commit() {
        let release = VersionTag {
            tag: "core-v1.0.0".to_owned(),
            version: Version::parse("1.0.0").unwrap(),
            commit: CommitId::of("abcdef0123"),
        };
        let check = |message: &str, title: &str, expected: bool| {
            assert_eq!(names(&revert_of(message).unwrap(), &release, title), expected, "{message}");
        };
        let title = "chore(main): release core 1.0.0 (#12)";
        check("revert: chore(main): release core 1.0.0 (#13)", title, true);
        check("Revert \"chore(main): release core 1.0.0 (#12)\" (#14)", title, true);
        check("Revert \"x\"\n\nThis reverts commit abcdef0.", "Release v1.0.0", true);
        check("Revert \"x\"\n\nThis reverts commit abcdef0.", "feat: x", false);
        check("revert: feat: a thing", "feat: a thing", false);
    }
}
