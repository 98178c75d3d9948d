//! What merging a pull request would release, as a comment on it.

use std::fmt::Write as _;

use crate::plan::preview::{Preview, Row};
use crate::plan::{LeftOut, Refusal, Release, ReleaseBump};
use crate::report::markdown::{block, cell, folded, head, row};
use crate::report::plan_text::{consents, main_reason, size};
use crate::report::words::{count, short, short_id, some};

/// As long as GitHub lets a comment be, in characters; bytes are never fewer.
const LONGEST: usize = 65_536;
/// How many names a line of names holds.
const NAMES: usize = 20;
/// The bytes that each part may take, so that all of them fit.
const TABLE: usize = 20_000;
const LIST: usize = 8_000;

/// What the preview was made from.
#[derive(Debug, Clone, Copy)]
pub struct Made<'m> {
    /// The pull request's last commit.
    pub head: &'m str,
    /// The tip of the branch that it is merged into.
    pub base: &'m str,
    /// How it is merged: `merged`, `squashed`, `rebased`.
    pub how: &'m str,
}

/// The comment's text after its marker; `used` is how long that is.
pub fn preview_markdown(preview: &Preview<'_>, made: Made<'_>, used: usize) -> String {
    let foot = format!("\nplanned at {}, {} onto {}\n", short(made.head), made.how, short(made.base));
    let mut text = String::new();
    text.push_str(&headline(preview));
    for part in [table(preview), gone(preview), requirements(preview), refused(preview), warnings(preview)] {
        if !part.is_empty() {
            text.push('\n');
            text.push_str(&part);
        }
    }
    let room = LONGEST.saturating_sub(used + foot.len());
    add_notes(&mut text, preview, room);
    let left_out = left_out(preview);
    if text.len() + left_out.len() < room {
        text.push_str(&left_out);
    }
    text + &foot
}

fn headline(preview: &Preview<'_>) -> String {
    let title = match (preview.rows.len(), preview.gone.is_empty()) {
        (0, true) => "Merging this releases nothing new.".to_owned(),
        (0, false) => "Merging this releases less.".to_owned(),
        (number, _) => format!("### Merging this releases {}", count(number, "package")),
    };
    title + "\n"
}

fn table(preview: &Preview<'_>) -> String {
    if preview.rows.is_empty() {
        return String::new();
    }
    let more = |more: usize| {
        let mut cells = vec![format!("{more} more")];
        cells.resize(6, String::new());
        row(&cells)
    };
    let rows: Vec<String> = preview.rows.iter().map(table_row).collect();
    head(&["package", "now", "with this", "without it", "size", "why"]) + &limited(&rows, TABLE, more)
}

/// As many lines as there is room for, then how many more there are.
fn limited(lines: &[String], room: usize, more: impl Fn(usize) -> String) -> String {
    let mut text = String::new();
    for (at, line) in lines.iter().enumerate() {
        if text.len() + line.len() > room {
            return text + &more(lines.len() - at);
        }
        text.push_str(line);
    }
    text
}

fn list(lines: &[String]) -> String {
    limited(lines, LIST, |more| format!("- {more} more\n"))
}

fn table_row(one: &Row<'_>) -> String {
    let release = one.release;
    let major = release.bump == ReleaseBump::Major;
    let without = match one.without {
        None => "nothing".to_owned(),
        Some(before) if before.to == release.to => "the same number".to_owned(),
        Some(before) => cell(&before.to),
    };
    row(&[
        cell(&release.package),
        release.from.as_deref().map_or("new".to_owned(), cell),
        format!("**{}**", cell(&release.to)),
        without,
        if major { "**major**".to_owned() } else { size(release.bump).to_owned() },
        why(one),
    ])
}

fn why(one: &Row<'_>) -> String {
    let mine =
        Release { because: one.because.iter().map(|one| (*one).clone()).collect(), ..one.release.clone() };
    let (reason, more) = main_reason(&mine);
    let mut why: Vec<String> =
        consents(one.release).map(|needs| format!("**{}**", cell(&needs))).into_iter().collect();
    if !reason.is_empty() {
        why.push(cell(&reason));
    }
    if more > 0 {
        why.push(format!("+{more} more"));
    }
    why.join("; ")
}

fn gone(preview: &Preview<'_>) -> String {
    let names: Vec<String> =
        preview.gone.iter().map(|release| format!("{} {}", release.package, release.to)).collect();
    if names.is_empty() {
        String::new()
    } else {
        format!("Not released any more: {}\n", cell(&some(&names, NAMES)))
    }
}

fn requirements(preview: &Preview<'_>) -> String {
    let mut lines = Vec::new();
    for one in &preview.rows {
        let known = |change| one.without.is_some_and(|before| before.requirements.contains(change));
        for change in one.release.requirements.iter().filter(|change| !known(change)) {
            let (package, from, to) = (cell(&one.release.package), cell(&change.from), cell(&change.to));
            lines.push(format!("- {package}: {from} → {to}\n"));
        }
    }
    if lines.is_empty() { String::new() } else { format!("Requirements rewritten:\n\n{}", list(&lines)) }
}

fn refused(preview: &Preview<'_>) -> String {
    let one = |refusal: &&Refusal| {
        let (package, reason) = (cell(&refusal.package), cell(&refusal.reason));
        format!("- **{package} can not be planned**: {reason}; {}\n", cell(&refusal.way_out))
    };
    list(&preview.refused.iter().map(one).collect::<Vec<String>>())
}

fn warnings(preview: &Preview<'_>) -> String {
    let one = |text: &&str| format!("- warning: {}\n", cell(text));
    list(&preview.warnings.iter().map(one).collect::<Vec<String>>())
}

/// Each package's notes, folded, as long as there is room; then the names of those that are not shown.
fn add_notes(text: &mut String, preview: &Preview<'_>, room: usize) {
    let reserve = 2_000;
    let mut unshown = Vec::new();
    for one in &preview.rows {
        let release = one.release;
        let notes = block(&release.notes);
        if notes.trim().is_empty() {
            continue;
        }
        let part = folded(&format!("{} {}", cell(&release.package), cell(&release.to)), &notes);
        if text.len() + part.len() + reserve > room {
            unshown.push(release.package.clone());
        } else {
            text.push('\n');
            text.push_str(&part);
        }
    }
    if !unshown.is_empty() {
        let names = cell(&some(&unshown, NAMES));
        let _infallible = writeln!(text, "\nToo long to show here, see `release plan`: the notes of {names}");
    }
}

fn left_out(preview: &Preview<'_>) -> String {
    if preview.left_out.is_empty() {
        return String::new();
    }
    let one = |left: &&LeftOut| {
        let commit = short_id(left.commit.as_ref());
        row(&[cell(&commit), cell(left.subject.as_deref().unwrap_or("")), cell(&left.reason)])
    };
    let rows: Vec<String> = preview.left_out.iter().map(one).collect();
    let more = |more: usize| row(&[format!("{more} more"), String::new(), String::new()]);
    let text = head(&["commit", "subject", "why left out"]) + &limited(&rows, LIST, more);
    let title = format!("counts for nothing: {}", count(preview.left_out.len(), "commit"));
    format!("\n{}", folded(&title, &text))
}

#[cfg(test)]
#[path = "preview_tests.rs"]
mod tests;
