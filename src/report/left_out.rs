//! What a plan leaves out, by reason.

use crate::plan::{LeftOut, Plan};
use crate::report::paint::Paint;
use crate::report::plain::line;
use crate::report::table::{Cell, first_lines, indented, paragraph, table, wrap};
use crate::report::words::{count, short_id};

/// How many commits of each reason are named where not all are asked for.
const NAMED: usize = 2;

/// The kinds of rows about commits, those first that ask for a look, and what they mean.
const KINDS: [(&str, &str); 11] = [
    ("unparseable", "can not be read"),
    ("override", "skipped by an override"),
    ("revert-pair", "changes taken back, and what took them back"),
    ("type", "types that release nothing"),
    ("known", "messages of known tools"),
    ("merge", "merges"),
    ("empty", "commits without files"),
    ("version-only", "changes of version fields alone"),
    ("lock-only", "changes of lock files alone"),
    ("ignored", "changes of ignored files alone"),
    ("outside", "changes outside of all packages"),
];

/// What a kind of row means, in words.
pub fn kind_in_words(kind: &str) -> String {
    KINDS
        .iter()
        .find(|(known, _)| *known == kind)
        .map_or_else(|| line(kind), |(_, words)| (*words).to_owned())
}

/// The rows about commits, grouped by kind: the known kinds in their order, then all others.
pub fn groups(plan: &Plan) -> Vec<(&str, Vec<&LeftOut>)> {
    let rows: Vec<&LeftOut> = plan.left_out.iter().filter(|row| row.commit.is_some()).collect();
    let mut kinds: Vec<&str> = KINDS.iter().map(|(kind, _)| *kind).collect();
    let mut others: Vec<&str> = rows.iter().map(|row| &*row.kind).collect();
    others.sort_unstable();
    others.dedup();
    others.retain(|other| !kinds.contains(other));
    kinds.extend(others);
    let of_kind = |kind: &str| rows.iter().copied().filter(|row| row.kind == kind).collect();
    let groups = kinds.into_iter().map(|kind| (kind, of_kind(kind)));
    groups.filter(|(_, rows): &(&str, Vec<&LeftOut>)| !rows.is_empty()).collect()
}

/// The commits left out, counted by reason: the first two of each, or all with their own reasons.
pub fn left_out(plan: &Plan, width: usize, color: bool, verbose: bool) -> String {
    let groups = groups(plan);
    let total: usize = groups.iter().map(|(_, rows)| rows.len()).sum();
    if total == 0 {
        return String::new();
    }
    let hidden = groups.iter().any(|(_, rows)| rows.len() > NAMED);
    let hint = if hidden && !verbose { " (-v lists all)" } else { "" };
    let mut text = paragraph(&format!("left out: {}{hint}", count(total, "commit")), width, 2);
    for (kind, rows) in groups {
        text.push_str(&group(kind, &rows, width, color, verbose));
    }
    text
}

fn group(kind: &str, rows: &[&LeftOut], width: usize, color: bool, verbose: bool) -> String {
    let paint = if kind == "unparseable" { Paint::Yellow } else { Paint::Plain };
    let title = vec![vec![
        Cell::default(),
        Cell::new(&rows.len().to_string()).paint(paint),
        Cell::new(&kind_in_words(kind)).paint(paint),
    ]];
    let most = if verbose { rows.len() } else { NAMED };
    let commits: Vec<Vec<Cell>> = rows.iter().take(most).map(|row| commit_row(row, verbose)).collect();
    indented(&table(&title, width.saturating_sub(2), color), 2)
        + &indented(&table(&commits, width.saturating_sub(6), color), 6)
}

fn commit_row(row: &LeftOut, verbose: bool) -> Vec<Cell> {
    let sha = Cell::new(&short_id(row.commit.as_ref())).paint(Paint::Dim);
    let mut cells = vec![sha, Cell::new(row.subject.as_deref().unwrap_or(""))];
    if verbose {
        cells.push(Cell::new(&row.reason).paint(Paint::Dim));
    }
    cells
}

/// The packages that stay as they are: one line, or as many as it takes.
pub fn unchanged(plan: &Plan, width: usize, verbose: bool) -> String {
    let asked = |package: &str| {
        !plan.left_out.iter().any(|row| row.kind == "not-selected" && row.package.as_deref() == Some(package))
    };
    let refused = |package: &str| plan.refused.iter().any(|refusal| refusal.package == package);
    let (asked, unasked): (Vec<_>, Vec<_>) = plan
        .unchanged
        .iter()
        .filter(|unchanged| !refused(&unchanged.package))
        .partition(|unchanged| asked(&unchanged.package));
    let named = |rows: Vec<&crate::plan::Unchanged>| -> Vec<String> {
        rows.into_iter()
            .map(|row| line(&format!("{} {}", row.package, row.version.as_deref().unwrap_or(""))))
            .collect()
    };
    one_line("unchanged", &named(asked), width, verbose)
        + &one_line("not asked for", &named(unasked), width, verbose)
}

fn one_line(label: &str, names: &[String], width: usize, verbose: bool) -> String {
    if names.is_empty() {
        return String::new();
    }
    if verbose {
        return paragraph(&format!("{label}: {}", names.join(", ")), width, 2);
    }
    let text = |most: usize| match names.len() - most {
        0 => format!("{label}: {}", names.join(", ")),
        more => format!("{label}: {}, +{more} more", names[..most].join(", ")),
    };
    let most = (1..=names.len()).rev().find(|most| wrap(&text(*most), width, 2).len() == 1).unwrap_or(1);
    first_lines(&text(most), width, 2, 1)
}
