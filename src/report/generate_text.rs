//! What `release generate` did, found stale, or heard from linters.

use crate::plan::workflow_files::FileChange;
use crate::report::plain::{line, terminal};

/// What a linter said of the workflows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Linted {
    pub tool: &'static str,
    pub said: Said,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Said {
    Nothing,
    /// Its findings, in its own words.
    Findings(String),
    /// It could not do its work.
    Failed(String),
    /// It is not here; how to get it.
    Absent(&'static str),
}

/// An action whose pin has moved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MovedPin {
    pub action: String,
    pub from: String,
    pub to: String,
}

/// What was written and deleted, a line each.
pub fn done_text(changes: &[FileChange], files: usize) -> String {
    if changes.is_empty() {
        return format!("{} up to date\n", counted(files));
    }
    let word = |change: &FileChange| if change.new.is_some() { "wrote" } else { "deleted" };
    changes.iter().map(|change| format!("{} {}\n", word(change), line(&change.path))).collect()
}

/// All differences, as `diff -u` writes them.
pub fn stale_text(changes: &[FileChange]) -> String {
    changes.iter().map(|change| terminal(&change.diff())).collect()
}

/// What is stale, in one line.
pub fn stale_words(changes: &[FileChange]) -> String {
    let words: Vec<String> =
        changes.iter().map(|change| format!("{} is {}", line(&change.path), change.word())).collect();
    words.join(", ")
}

/// What linters said, one after the other.
pub fn lint_text(linted: &[Linted]) -> String {
    linted.iter().map(linted_text).collect()
}

pub fn pins_text(moved: &[MovedPin]) -> String {
    if moved.is_empty() {
        return "the pins are up to date\n".to_owned();
    }
    let told = |pin: &MovedPin| format!("{} {} → {}\n", line(&pin.action), line(&pin.from), line(&pin.to));
    moved.iter().map(told).collect()
}

fn linted_text(linted: &Linted) -> String {
    let Linted { tool, said } = linted;
    match said {
        Said::Nothing => format!("{tool}: nothing found\n"),
        Said::Findings(words) => format!("{tool}:\n{}\n", terminal(words).trim_end()),
        Said::Failed(words) => format!("{tool} could not do its work: {}\n", terminal(words).trim_end()),
        Said::Absent(way) => format!("{tool} is not here: {way}\n"),
    }
}

fn counted(files: usize) -> String {
    if files == 1 { "1 workflow is".to_owned() } else { format!("{files} workflows are") }
}
