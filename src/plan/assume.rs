//! Commits that do not exist, planned as if they stood on top of those that do.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::history::commit::{Commit, CommitId, PackageSet, Touch};
use crate::history::reader::{Entries, Reading, message_footers, read};
use crate::plan::Assumed;
use crate::plan::facts::Facts;
use crate::plan::scope::ScopeNames;
use crate::plan::told::subject;
use crate::workspace::path::RepoPath;

/// A commit that somebody has in mind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Assumption {
    pub message: String,
    /// The files it changes, or folders of packages; none where its message names packages.
    pub paths: Vec<RepoPath>,
}

/// Nothing says what an assumed commit changes.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{subject}` names no package, and no path says what it changes")]
pub struct Placeless {
    pub subject: String,
    /// The folder and the name of a package, to show how both are written.
    pub example: (String, String),
}

/// The paths that an assumed commit changes: those given; else the folders of the packages that its `Packages:`
/// footers or scopes name; else the only package's.
///
/// # Errors
/// Where there is none.
pub fn places(facts: &Facts, assumption: &Assumption) -> Result<Vec<RepoPath>, Placeless> {
    if !assumption.paths.is_empty() {
        return Ok(assumption.paths.clone());
    }
    let named = named(facts, &assumption.message);
    let folder = |package: usize| facts.packages[package].path.clone();
    match facts.packages.as_slice() {
        _ if !named.is_empty() => Ok(named.into_iter().map(folder).collect()),
        [only] => Ok(vec![only.path.clone()]),
        several => Err(Placeless {
            subject: subject(&assumption.message).to_owned(),
            example: several
                .first()
                .map(|first| (first.path.to_string(), first.short.clone()))
                .unwrap_or_default(),
        }),
    }
}

fn named(facts: &Facts, message: &str) -> BTreeSet<usize> {
    let names = ScopeNames::of(facts);
    let footers = message_footers(message).packages;
    if !footers.is_empty() {
        return footers.iter().flat_map(|name| names.packages_named(name)).collect();
    }
    let Reading::Conventional(entries) = read(message, Entries::Auto) else { return BTreeSet::new() };
    let scopes = entries.iter().filter_map(|entry| entry.scope.as_deref());
    scopes.flat_map(|scope| names.packages_of_scope(scope)).collect()
}

/// Puts a commit on top of the history. `touches` is what its paths mean for the packages, `outside` those that
/// belong to none.
pub fn stand_on_top(
    facts: &mut Facts,
    message: &str,
    paths: &[RepoPath],
    touches: Vec<Touch>,
    outside: &[RepoPath],
) {
    let id = match facts.assumed.len() {
        0 => "assumed".to_owned(),
        others => format!("assumed{}", others + 1),
    };
    let all: Arc<PackageSet> = Arc::new((0..facts.packages.len()).collect());
    let below = facts.history.commits.first();
    let parent =
        facts.assumed.last().map_or_else(|| facts.history.head.clone(), |last| CommitId::of(&last.commit));
    let commit = Commit {
        id: CommitId::of(&id),
        parents: [parent].into(),
        author: Arc::default(),
        time: below.map_or(0, |below| below.time),
        message: message.into(),
        lossy: false,
        mainline: true,
        empty: paths.is_empty(),
        outside: !outside.is_empty(),
        touches,
        unreleased: Arc::clone(&all),
        since_final: all,
    };
    facts.history.commits.insert(0, commit);
    facts.warnings.extend(outside.iter().map(|path| format!("`{path}` belongs to no package")));
    let paths = paths.iter().map(ToString::to_string).collect();
    facts.assumed.push(Assumed { commit: id, subject: subject(message).to_owned(), paths });
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::history::commit::Touched;
    use crate::plan::facts::Request;
    use crate::plan::make::make;
    use crate::plan::testing::{Repo, left_out, releases};

    fn repo() -> Repo {
        Repo::default()
            .package("core", "1.0.0")
            .package("web", "1.0.0")
            .commit("feat: begin", &["core", "web"])
            .released()
    }

    fn assumption(message: &str, paths: &[&str]) -> Assumption {
        let paths = paths.iter().map(|path| RepoPath::new(path).unwrap()).collect();
        Assumption { message: message.to_owned(), paths }
    }

    fn check_places(message: &str, paths: &[&str], expected: Result<&str, &str>) {
        let found = places(&repo().facts(), &assumption(message, paths));
        let shown = found.map(|paths| paths.iter().map(ToString::to_string).collect::<Vec<_>>().join(" "));
        let shown = shown.map_err(|error| error.to_string());
        assert_eq!(shown.as_deref().map_err(String::as_str), expected, "{message}");
    }

    #[test]
    fn paths_go_before_footers_and_footers_before_scopes() {
        check_places("feat(core): x", &["packages/web/a.py"], Ok("packages/web/a.py"));
        check_places("feat(core): x", &[], Ok("packages/core"));
        check_places("feat(core): x\n\nPackages: web", &[], Ok("packages/web"));
        check_places("feat(core,web): x", &[], Ok("packages/core packages/web"));
    }

    #[test]
    fn a_commit_of_no_place_is_refused_where_there_are_several_packages() {
        check_places("feat: x", &[], Err("`feat: x` names no package, and no path says what it changes"));
        let alone = Repo::default().package("core", "1.0.0").commit("feat: begin", &["core"]).facts();
        assert_eq!(places(&alone, &assumption("feat: x", &[])), Ok(vec![alone.packages[0].path.clone()]));
    }

    fn assumed(repo: Repo, message: &str, package: usize, what: Touched) -> crate::plan::Plan {
        let mut facts = repo.facts();
        let paths = [facts.packages[package].path.join("a.py")];
        stand_on_top(&mut facts, message, &paths, vec![Touch { package, what }], &[]);
        make(&facts, &Request { allow_major: true, ..Request::default() }).unwrap()
    }

    #[test]
    fn an_assumed_commit_counts_like_any_other_and_the_plan_says_so() {
        let plan = assumed(repo(), "feat!: x\n\nmore", 0, Touched::Files);
        assert_eq!(releases(&plan), "core 2.0.0");
        assert_eq!(plan.releases[0].because[0].commit, Some(CommitId::of("assumed")));
        let told = &plan.assumed[0];
        assert_eq!((told.commit.as_str(), told.subject.as_str()), ("assumed", "feat!: x"));
        assert_eq!(told.paths, ["packages/core/a.py"]);
        assert_eq!(plan.base.commit, repo().facts().history.head.to_string(), "the base is what is there");
        assert!(!plan.releases[0].notes.contains("assumed"), "{}", plan.releases[0].notes);
    }

    #[test]
    fn an_assumed_revert_takes_a_real_commit_back() {
        let repo = repo().commit("feat: new", &["core"]);
        let plan = assumed(repo, "revert: feat: new", 0, Touched::Files);
        assert_eq!(releases(&plan), "");
        assert_eq!(left_out(&plan), "assumed revert-pair, abcd0002 revert-pair, core nothing, web nothing");
    }

    #[test]
    fn several_stand_on_each_other() {
        let mut facts = repo().facts();
        for message in ["feat: one", "revert: feat: one"] {
            let touches = vec![Touch { package: 1, what: Touched::Files }];
            stand_on_top(&mut facts, message, &[RepoPath::new("packages/web/a").unwrap()], touches, &[]);
        }
        assert_eq!(*facts.history.commits[0].parents, [CommitId::of("assumed")]);
        assert_eq!(releases(&make(&facts, &Request::default()).unwrap()), "");
    }
}
