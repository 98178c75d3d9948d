//! What one change adds to a plan: the plan with it beside the plan without it.

use crate::plan::{Because, LeftOut, Plan, Refusal, Release};

/// What the change makes different.
#[derive(Debug, PartialEq)]
pub struct Preview<'p> {
    /// Releases that are new, have another number, or say more.
    pub rows: Vec<Row<'p>>,
    /// Releases that are not made any more.
    pub gone: Vec<&'p Release>,
    /// Commits that it brings and that do not count, merges aside.
    pub left_out: Vec<&'p LeftOut>,
    pub refused: Vec<&'p Refusal>,
    pub warnings: Vec<&'p str>,
}

/// One release that the change touches.
#[derive(Debug, PartialEq)]
pub struct Row<'p> {
    pub release: &'p Release,
    /// The same package's release without the change, where it has one.
    pub without: Option<&'p Release>,
    /// The reasons that the change adds, or all where one of them is not new.
    pub because: Vec<&'p Because>,
}

/// Compares; where nothing can be planned without the change, all of the plan is its doing.
pub fn preview<'p>(with: &'p Plan, without: Option<&'p Plan>) -> Preview<'p> {
    let before = |package: &str| without?.releases.iter().find(|release| release.package == package);
    let rows = with.releases.iter().filter_map(|release| row(release, before(&release.package)));
    let is_gone = |release: &&Release| !with.releases.iter().any(|other| other.package == release.package);
    let known = |row: &LeftOut| {
        without.is_some_and(|plan| {
            plan.left_out.iter().any(|other| other.commit == row.commit && other.kind == row.kind)
        })
    };
    Preview {
        rows: rows.collect(),
        gone: without.iter().flat_map(|plan| &plan.releases).filter(is_gone).collect(),
        left_out: with
            .left_out
            .iter()
            .filter(|row| row.commit.is_some() && row.kind != "merge" && !known(row))
            .collect(),
        refused: with
            .refused
            .iter()
            .filter(|refusal| !without.is_some_and(|plan| plan.refused.contains(refusal)))
            .collect(),
        warnings: with
            .warnings
            .iter()
            .filter(|warning| !without.is_some_and(|plan| plan.warnings.contains(warning)))
            .map(String::as_str)
            .collect(),
    }
}

fn row<'p>(release: &'p Release, without: Option<&'p Release>) -> Option<Row<'p>> {
    let Some(before) = without else {
        return Some(Row { release, without, because: release.because.iter().collect() });
    };
    let because: Vec<&Because> =
        release.because.iter().filter(|because| !before.because.contains(because)).collect();
    let loses = before.because.iter().any(|because| !release.because.contains(because));
    let differs = release.to != before.to || loses || !because.is_empty();
    let because = if because.is_empty() { release.because.iter().collect() } else { because };
    differs.then_some(Row { release, without, because })
}

impl Preview<'_> {
    /// Whether the change releases nothing that would not be released without it.
    pub fn is_nothing(&self) -> bool {
        self.rows.is_empty() && self.gone.is_empty() && self.refused.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::testing::Repo;

    fn repo() -> Repo {
        Repo::default()
            .package("core", "1.0.0")
            .depending("web", "1.0.0", &["core>=1.0,<1.1"])
            .package("docs", "1.0.0")
            .commit("feat: begin", &["core", "web", "docs"])
            .released()
            .commit("fix: known", &["docs"])
    }

    #[track_caller]
    fn check(with: Repo, without: Repo, expected: &str) {
        let (with, without) = (with.plan(), without.plan());
        let found = preview(&with, Some(&without));
        let mut told: Vec<String> = found
            .rows
            .iter()
            .map(|row| {
                let without = row.without.map_or("-", |release| release.to.as_str());
                format!("{} {} ({without}) by {}", row.release.package, row.release.to, row.because.len())
            })
            .collect();
        told.extend(found.gone.iter().map(|release| format!("{} gone", release.package)));
        told.extend(found.left_out.iter().map(|row| format!("left {}", row.kind)));
        assert_eq!(told.join(", "), expected);
    }

    #[test]
    fn only_what_the_change_does_is_shown() {
        check(repo(), repo(), "");
        check(repo().commit("fix: a", &["core"]), repo(), "core 1.0.1 (-) by 1");
        check(repo().commit("feat: a", &["core"]), repo(), "core 1.1.0 (-) by 1, web 1.0.1 (-) by 1");
        check(repo().commit("feat: a", &["docs"]), repo(), "docs 1.1.0 (1.0.1) by 1");
        check(repo().commit("fix: a", &["docs"]), repo(), "docs 1.0.1 (1.0.1) by 1");
        check(repo().commit("chore: a", &["docs"]), repo(), "left type");
    }

    #[test]
    fn what_is_taken_back_is_gone() {
        let with = repo().commit("revert: fix: known", &["docs"]);
        check(with, repo(), "docs gone, left revert-pair, left revert-pair");
    }

    #[test]
    fn without_a_plan_before_all_is_the_changes_doing() {
        let plan = repo().plan();
        let found = preview(&plan, None);
        assert_eq!(found.rows.len(), 1);
        assert!(!found.is_nothing());
    }
}
