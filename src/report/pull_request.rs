//! The text of a release pull request: the plan, and each package's notes between marks, where people may edit them.

use std::collections::BTreeMap;

use crate::plan::digest::Digest;
use crate::plan::merged::TRAILER;
use crate::plan::{Plan, Release};
use crate::report::markdown::cell;
use crate::report::plain::{line, terminal};
use crate::report::plan_markdown::{left_out, refused, releases, requirements};
use crate::report::words::planned;

/// More than this GitHub does not take (65,536 characters), some room left.
const LONGEST: usize = 60_000;
/// The longest title that GitHub takes.
const LONGEST_TITLE: usize = 256;

const OURS: &str = "<!-- release: plan ";
const BEGIN: &str = "<!-- notes: ";
const END: &str = "<!-- end of notes: ";
const CLOSE: &str = " -->";

/// The title: as configured, with `{releases}` and `{branch}`, else the release commit's first line.
pub fn title(plan: &Plan, wanted: Option<&str>, commit: &str) -> String {
    let title = match wanted {
        None => commit.lines().next().unwrap_or_default().to_owned(),
        Some(wanted) => {
            let branch = plan.base.branch.as_deref().unwrap_or_default();
            // What is filled in is not read again: a version holds no braces.
            wanted.replace("{branch}", branch).replace("{releases}", &planned(plan))
        }
    };
    line(&title).chars().take(LONGEST_TITLE).collect()
}

/// The whole text. Its first line and the marks are what finds it, and the notes in it, again.
pub fn body(plan: &Plan) -> String {
    let branch = cell(plan.base.branch.as_deref().unwrap_or_default());
    let head = format!(
        "{OURS}{}{CLOSE}\nMerging this releases what it names, from {branch}. `release pr` keeps it up to date.\n",
        plan.digest
    );
    let warnings: String = plan.warnings.iter().map(|text| format!("- warning: {}\n", cell(text))).collect();
    let about = [releases(plan), requirements(plan), refused(plan)];
    let foot = format!(
        "---\nEdit the notes between their marks: they are kept, and new changes are added. Or edit the changelogs \
         on the branch.\n\n{TRAILER} {}\n",
        plan.digest
    );
    let mut room = LONGEST.saturating_sub(head.len() + foot.len());
    let mut parts = vec![head];
    for part in about.into_iter().chain(plan.releases.iter().map(notes)).chain([left_out(plan), warnings]) {
        if !part.is_empty() && part.len() < room {
            room -= part.len() + 1;
            parts.push(part);
        }
    }
    parts.push(foot);
    parts.join("\n")
}

/// A release's notes between their marks, as they go to changelog, tag and release.
fn notes(release: &Release) -> String {
    let package = line(&release.package);
    let title = format!("## {} {}", cell(&release.package), cell(&release.to));
    format!("{title}\n\n{BEGIN}{package}{CLOSE}\n{}\n{END}{package}{CLOSE}\n", shown(&release.notes))
}

/// Notes as they stand in the text: without what would end them early.
pub fn shown(notes: &str) -> String {
    let is_mark = |line: &&str| ![BEGIN, END, OURS].iter().any(|mark| line.trim_start().starts_with(mark));
    let text = terminal(notes);
    text.lines().filter(is_mark).collect::<Vec<&str>>().join("\n").trim().to_owned()
}

/// The plan that a text of ours was written for; none where it is not ours.
pub fn plan_of_body(body: &str) -> Option<Digest> {
    let named = |line: &str| Digest::parse(line.trim().strip_prefix(OURS)?.strip_suffix(CLOSE)?);
    body.lines().find_map(named)
}

/// The notes between their marks, by package, as they stand there now.
pub fn notes_of_body(body: &str) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    let mut open: Option<(&str, Vec<&str>)> = None;
    for line in body.lines() {
        let mark = |start: &str| line.trim().strip_prefix(start)?.strip_suffix(CLOSE);
        if let Some(package) = mark(BEGIN) {
            open = Some((package, Vec::new()));
        } else if let Some(package) = mark(END) {
            if let Some((begun, lines)) = open.take()
                && begun == package
            {
                found.insert(package.to_owned(), lines.join("\n").trim().to_owned());
            }
        } else if let Some((_, lines)) = &mut open {
            lines.push(line);
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::samples::plan;

    #[test]
    fn what_is_written_is_read_again() {
        let plan = plan();
        let text = body(&plan);
        assert_eq!(plan_of_body(&text), Digest::parse(plan.digest.as_str()));
        let notes = notes_of_body(&text);
        for release in &plan.releases {
            assert_eq!(notes[&release.package], shown(&release.notes));
        }
        let windows = text.replace('\n', "\r\n");
        assert_eq!(notes_of_body(&windows), notes);
        assert_eq!(plan_of_body(&windows), plan_of_body(&text));
    }

    #[test]
    fn notes_can_not_end_themselves() {
        let mut plan = plan();
        plan.releases[0].notes =
            "- one\n<!-- end of notes: core -->\n<!-- notes: mlops -->\n- evil\n".to_owned();
        let notes = notes_of_body(&body(&plan));
        assert_eq!(notes[&plan.releases[0].package], "- one\n- evil");
        assert_eq!(notes.len(), plan.releases.len());
    }

    #[test]
    fn an_unfinished_or_foreign_text_holds_no_notes() {
        assert!(notes_of_body("<!-- notes: core -->\n- one\n").is_empty());
        assert_eq!(plan_of_body("<!-- release: plan sha256:1 -->"), None);
        assert_eq!(plan_of_body("hello"), None);
    }

    #[test]
    fn it_stays_within_what_github_takes() {
        let mut plan = plan();
        plan.releases[0].notes = "- a long line\n".repeat(10_000);
        let text = body(&plan);
        assert!(text.len() < 65_000, "{}", text.len());
        assert!(!notes_of_body(&text).contains_key(&plan.releases[0].package));
        assert!(notes_of_body(&text).contains_key(&plan.releases[1].package));
        assert!(title(&plan, Some(&"x".repeat(1000)), "").chars().count() == 256);
        assert_eq!(title(&plan, None, "chore(release): a\n\nb"), "chore(release): a");
        assert!(title(&plan, Some("on {branch}: {releases}"), "").starts_with("on main: core 2.1.0, "));
    }
}
