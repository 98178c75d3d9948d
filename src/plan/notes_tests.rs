//! What stands in notes and changelogs, and where.

use crate::plan::facts::Request;
use crate::plan::make::make;
use crate::plan::testing::{Repo, after, releases};
use crate::version::label::PreLabel;
use crate::workspace::config::settings::Size;

fn core() -> Repo {
    Repo::default().package("core", "1.0.0").released()
}

/// The notes of the first release, without the line that thanks its one author.
fn notes(repo: Repo) -> String {
    without_thanks(&repo.plan().releases[0].notes)
}

fn without_thanks(notes: &str) -> String {
    notes.strip_suffix("\nContributors: Ada.\n").unwrap_or(notes).to_owned()
}

#[test]
fn a_breaking_entry_stands_once_and_first() {
    let repo = core()
        .commit("feat!: drop the old reader\n\nBREAKING CHANGE: call read() instead", &["core"])
        .commit("feat: a new reader", &["core"]);
    assert_eq!(
        notes(repo),
        "### Breaking changes\n\n- drop the old reader (abcd0001)\n\n  call read() instead\n\n\
         ### Features\n\n- a new reader (abcd0002)\n"
    );
}

#[test]
fn what_breaks_is_told_even_where_no_section_is_configured_for_it() {
    let repo = core()
        .set("core", |settings| settings.notes.sections.retain(|section| !section.breaking))
        .commit("feat!: drop it", &["core"]);
    assert_eq!(notes(repo), "### Breaking changes\n\n- drop it (abcd0001)\n");
}

#[test]
fn what_counts_and_fits_no_section_stands_under_other_changes() {
    let repo = core()
        .versioning(|versioning| {
            versioning.types.insert("docs".to_owned(), Size::Patch);
            versioning.other = Size::Patch;
        })
        .commit("docs: explain it", &["core"])
        .commit("An old habit", &["core"])
        .commit("fix: mend it", &["core"]);
    assert_eq!(
        notes(repo),
        "### Bug fixes\n\n- mend it (abcd0003)\n\n\
         ### Other changes\n\n- An old habit (abcd0002)\n- explain it (abcd0001)\n"
    );
}

#[test]
fn what_releases_nothing_stays_out_of_other_changes() {
    let repo = core().commit("docs: explain it", &["core"]).commit("fix: mend it", &["core"]);
    assert_eq!(notes(repo), "### Bug fixes\n\n- mend it (abcd0002)\n");
}

#[test]
fn final_notes_fold_those_of_the_pre_releases() {
    let repo = || {
        Repo::default()
            .package("core", "1.1.0rc1")
            .tag("core", "1.0.0")
            .commit("feat: a", &["core"])
            .tag("core", "1.1.0rc1")
            .commit("fix: b", &["core"])
    };
    assert_eq!(notes(repo()), "### Features\n\n- a (abcd0001)\n\n### Bug fixes\n\n- b (abcd0002)\n");
    let rc = repo().plan_as(&Request { pre: Some(PreLabel::Rc), ..Request::default() });
    assert_eq!(releases(&rc), "core 1.1.0rc2");
    assert_eq!(without_thanks(&rc.releases[0].notes), "### Bug fixes\n\n- b (abcd0002)\n");
}

#[test]
fn links_lead_to_the_remote_at_hand() {
    let mut repo = core().commit("feat: a (#7)", &["core"]);
    repo.remote = Some("https://github.com/acme/mono.git".to_owned());
    let text = notes(repo);
    assert!(text.contains("https://github.com/acme/mono/compare/core-v1.0.0...core-v1.1.0"), "{text}");
    assert!(text.contains("https://github.com/acme/mono/pull/7"), "{text}");
}

#[test]
fn text_of_commits_does_nothing_in_notes() {
    let text = notes(core().commit("feat: <b>x</b> @all \u{1b}[2J", &["core"]));
    assert!(!text.contains("<b>") && !text.contains("@all ") && !text.contains('\u{1b}'), "{text}");
}

#[test]
fn a_changelog_keeps_what_it_holds() {
    let facts = core()
        .file("packages/core/CHANGELOG.md", "# Changelog\n\n## 1.0.0\n\n- by hand\n")
        .commit("fix: a", &["core"])
        .facts();
    let plan = make(&facts, &Request::default()).unwrap();
    assert_eq!(
        after(&facts, &plan, "packages/core/CHANGELOG.md"),
        "# Changelog\n\n## 1.0.1 (2026-11-24)\n\n### Bug fixes\n\n- a (abcd0001)\n\n## 1.0.0\n\n- by hand\n"
    );
}

#[test]
fn dependencies_that_moved_are_named() {
    let plan = Repo::default()
        .package("core", "1.0.0")
        .depending("cli", "1.0.0", &["core>=1,<2"])
        .released()
        .commit("feat!: x", &["core"])
        .plan();
    assert_eq!(plan.releases[1].notes, "Updated dependencies: core 2.0.0.\n");
}
