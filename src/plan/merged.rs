//! What is left to do of a plan whose edits a merged pull request brought onto the branch.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use memchr::memmem;
use similar::{ChangeTag, TextDiff};

use crate::plan::digest::Digest;
use crate::plan::edits::splice;
use crate::plan::step::{Action, FileEdit};
use crate::plan::steps::tag_message;
use crate::plan::{Base, Plan, Release};
use crate::render::edited::{notes_with, section_of};
use crate::render::format::Format;

/// The line of a commit's message that names a plan.
pub const TRAILER: &str = "Release-Plan:";

/// The plans that a message names, in whatever place: a squash puts what it joins into lists and paragraphs.
pub fn plans_named(message: &str) -> Vec<Digest> {
    // Nearly every message ends here.
    static FINDER: LazyLock<memmem::Finder<'static>> = LazyLock::new(|| memmem::Finder::new(TRAILER));
    if FINDER.find(message.as_bytes()).is_none() {
        return Vec::new();
    }
    let named = |line: &str| Digest::parse(line.trim().strip_prefix(TRAILER)?.trim());
    message.lines().filter_map(named).collect()
}

/// What the release commit of a plan says, without the plan's name.
pub fn message_of(plan: &Plan) -> &str {
    let said = plan.steps.iter().find_map(|step| match &step.action {
        Action::Commit { message } => Some(message.as_str()),
        _ => None,
    });
    said.unwrap_or_default()
}

/// The plan that ships a merged commit: nothing is edited any more, and the tags go to that commit. The merge was the
/// consent to what the plan asks for. `notes` holds what people wrote into a changelog, by package.
pub fn rest_of(plan: &Plan, commit: &str, notes: &BTreeMap<String, String>, now: Base) -> Plan {
    let mut rest = plan.clone();
    let branch = now.branch.clone().unwrap_or_default();
    rest.base = now;
    rest.edits.clear();
    for release in &mut rest.releases {
        release.needs.clear();
        if let Some(edited) = notes.get(&release.package) {
            release.notes.clone_from(edited);
        }
    }
    for step in &mut rest.steps {
        let of_step = |release: &&Release| Some(&release.package) == step.package.as_ref();
        match &mut step.action {
            Action::Commit { .. } => {
                step.action = Action::Merged { commit: commit.to_owned(), plan: plan.digest.clone() };
                step.check = "the commit is in the branch, and its files are as planned".to_owned();
            }
            Action::Tag { message, .. } => {
                if let Some(release) = rest.releases.iter().find(of_step) {
                    *message = tag_message(release);
                }
            }
            Action::Claim { branch: named, .. } => named.clone_from(&branch),
            _ => {}
        }
    }
    rest.digest = rest.compute_digest();
    rest
}

/// A file on the way of a release pull request onto its branch.
#[derive(Debug, Clone, Copy)]
pub struct Passage<'p> {
    /// On the commit that was planned on.
    pub planned: Option<&'p [u8]>,
    /// On the branch, just before the merge.
    pub before: Option<&'p [u8]>,
    /// On the merged commit.
    pub after: Option<&'p [u8]>,
}

/// Whether a merged commit did to a file what the plan wants: its bytes are as planned, or others changed the file
/// meanwhile and the same lines went and came.
pub fn holds(edit: &FileEdit, passage: Passage<'_>) -> bool {
    if passage.planned == passage.before {
        return passage.after.map(Digest::of) == edit.after;
    }
    let (Some(planned), Some(before), Some(after)) = (passage.planned, passage.before, passage.after) else {
        return false;
    };
    if edit.after.is_none() {
        return false;
    }
    changed_lines(planned, &splice(planned, &edit.splices)) == changed_lines(before, after)
}

/// The notes of a release with what people wrote into its changelog. `None` where the changelog says what was planned,
/// or nothing of that version.
pub fn notes_of_changelog(release: &Release, path: &str, planned: &str, found: &str) -> Option<String> {
    let format = Format::of(path);
    let planned = section_of(planned, &release.to, format).unwrap_or_default();
    let found = section_of(found, &release.to, format)?;
    (planned != found).then(|| notes_with(&release.notes, planned, found))
}

/// Whether two changelogs differ in what they say of one version alone.
pub fn differ_in_section_alone(version: &str, path: &str, planned: &str, found: &str) -> bool {
    let rest = |text: &str| {
        let section = section_of(text, version, Format::of(path))?;
        Some(text.replacen(section, "", 1).replace("\r\n", "\n"))
    };
    rest(planned).is_some_and(|planned| Some(planned) == rest(found))
}

/// The lines that go (`false`) and come (`true`), in their order.
fn changed_lines(old: &[u8], new: &[u8]) -> Vec<(bool, Vec<u8>)> {
    let (old, new) = (String::from_utf8_lossy(old), String::from_utf8_lossy(new));
    let diff = TextDiff::from_lines(old.as_ref(), new.as_ref());
    diff.iter_all_changes()
        .filter(|change| change.tag() != ChangeTag::Equal)
        .map(|change| (change.tag() == ChangeTag::Insert, change.value().as_bytes().to_vec()))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::step::Splice;

    const PLANNED: &[u8] = b"a = 1\nversion = \"1\"\nb = 2\n";

    fn edit() -> FileEdit {
        let splices = vec![Splice { at: 17, delete: 1, insert: "2".to_owned() }];
        let after = splice(PLANNED, &splices);
        assert_eq!(after, b"a = 1\nversion = \"2\"\nb = 2\n");
        FileEdit {
            path: "pyproject.toml".to_owned(),
            before: Some(Digest::of(PLANNED)),
            after: Some(Digest::of(&after)),
            splices,
        }
    }

    #[track_caller]
    fn check(before: &[u8], after: &[u8], expected: bool) {
        let passage = Passage { planned: Some(PLANNED), before: Some(before), after: Some(after) };
        assert_eq!(holds(&edit(), passage), expected);
    }

    #[test]
    fn the_planned_lines_must_go_and_come() {
        check(PLANNED, b"a = 1\nversion = \"2\"\nb = 2\n", true);
        check(PLANNED, b"a = 1\nversion = \"3\"\nb = 2\n", false);
        check(PLANNED, b"a = 9\nversion = \"2\"\nb = 2\n", false);
    }

    #[test]
    fn what_others_changed_meanwhile_stays_theirs() {
        let theirs = b"a = 1\nversion = \"1\"\nb = 3\nc = 4\n";
        check(theirs, b"a = 1\nversion = \"2\"\nb = 3\nc = 4\n", true);
        check(theirs, theirs, false);
        check(theirs, b"a = 1\nversion = \"2\"\nb = 2\n", false);
    }

    #[test]
    fn a_plan_is_named_anywhere_in_a_message() {
        let digest = Digest::of(b"plan");
        let named = |message: &str| plans_named(message) == vec![digest.clone()];
        assert!(named(&format!("chore(release): core 1.0.0\n\nRelease-Plan: {digest}\n")));
        assert!(named(&format!(
            "chore: x (#1)\n\n* chore: x\n\n  Release-Plan: {digest}\n\n* docs: notes\n"
        )));
        assert!(named(&format!("x\r\n\r\nRelease-Plan: {digest}\r\n\r\nCo-authored-by: A <a@b>\r\n")));
        assert!(!named("chore: x\n\nRelease-Plan: sha256:12\n"));
        assert!(!named(&format!("says Release-Plan: {digest}")));
    }
}
