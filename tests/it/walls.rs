//! Keeps the floors of the house: reads `src/` and checks who imports whom, and what pure rooms leave alone.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// Each room and the rooms below it; a room imports from no other.
const ROOMS: [(&str, &[&str]); 12] = [
    ("version", &[]),
    ("world", &[]),
    ("history", &["version"]),
    ("workspace", &["version"]),
    ("render", &["workspace", "history", "version"]),
    ("check", &["workspace", "history", "version"]),
    ("plan", &["render", "check", "workspace", "history", "version"]),
    ("ledger", &["plan", "render", "check", "workspace", "history", "version"]),
    ("survey", &["ledger", "plan", "render", "check", "workspace", "history", "version", "world"]),
    ("apply", &["ledger", "plan", "render", "check", "workspace", "history", "version", "world"]),
    ("report", &["ledger", "plan", "render", "check", "workspace", "history", "version"]),
    (
        "cli",
        &[
            "survey",
            "apply",
            "report",
            "ledger",
            "plan",
            "render",
            "check",
            "workspace",
            "history",
            "version",
            "world",
        ],
    ),
];

/// Rooms that do no I/O, read no environment and no clock, print nothing and never wait.
const PURE: [&str; 7] = ["version", "history", "workspace", "render", "check", "plan", "ledger"];

const IMPURE_WORDS: [&str; 14] = [
    "std::fs",
    "std::env",
    "std::process",
    "std::net",
    "std::io::stdin",
    "std::thread",
    "env!",
    "SystemTime",
    "Instant",
    "async",
    "await",
    "tokio",
    "gix",
    "tempfile",
];

const PRINTING: [&str; 6] = ["print!", "println!", "eprint!", "eprintln!", "io::stdout", "io::stderr"];

/// Lines of a file before its tests; more is a file with two things in it.
const LONGEST: usize = 500;

struct Source {
    /// From `src/`, as `plan/mod.rs`.
    path: String,
    room: String,
    text: String,
    /// Its lines before the tests, with their numbers, comments left out.
    code: Vec<(usize, String)>,
}

#[test]
fn a_room_imports_only_from_rooms_below_it() {
    let below: BTreeMap<&str, &[&str]> = ROOMS.into_iter().collect();
    complain(each_line(|source, line| {
        let allowed = below[source.room.as_str()];
        let named = rooms_named(line);
        named.into_iter().find(|room| *room != source.room && !allowed.contains(room)).map(str::to_owned)
    }));
}

#[test]
fn pure_rooms_leave_the_outside_alone() {
    complain(each_line(|source, line| {
        let pure = PURE.contains(&source.room.as_str());
        IMPURE_WORDS.iter().find(|word| pure && holds(line, word)).map(|word| (*word).to_owned())
    }));
}

#[test]
fn only_report_prints() {
    complain(each_line(|source, line| {
        let printing = source.room != "report" && PRINTING.iter().any(|word| holds(line, word));
        printing.then(|| line.trim().to_owned())
    }));
}

#[test]
fn every_name_has_one_path() {
    complain(each_line(|_, line| {
        let line = line.trim_start();
        let reexport = line.starts_with("pub use ") || line.starts_with("pub(crate) use ");
        let glob = line.starts_with("use ") && line.contains("::*");
        let bundle = line.starts_with("use crate::{");
        (reexport || glob || bundle).then(|| line.to_owned())
    }));
}

#[test]
fn every_file_says_what_it_is_for() {
    let silent = sources().into_iter().filter(|source| !source.text.starts_with("//! "));
    complain(silent.map(|source| source.path).collect());
}

#[test]
fn files_stay_short() {
    let long = sources().into_iter().filter(|source| lines_before_tests(&source.text) > LONGEST);
    complain(
        long.map(|source| format!("{}: {} lines", source.path, lines_before_tests(&source.text))).collect(),
    );
}

#[test]
fn every_room_is_on_the_plan() {
    let known: Vec<&str> = ROOMS.into_iter().map(|(room, _)| room).collect();
    let strangers = sources().into_iter().filter(|source| !known.contains(&source.room.as_str()));
    complain(strangers.map(|source| source.path).collect());
}

#[track_caller]
fn complain(found: Vec<String>) {
    assert!(found.is_empty(), "\n{}", found.join("\n"));
}

/// What a rule finds in the code of all files, each with its place.
fn each_line(rule: impl Fn(&Source, &str) -> Option<String>) -> Vec<String> {
    let sources = sources();
    let mut found = Vec::new();
    for source in &sources {
        for (number, line) in &source.code {
            found.extend(rule(source, line).map(|what| format!("src/{}:{number}: {what}", source.path)));
        }
    }
    found
}

/// The rooms that a line names with a path from the crate's root.
fn rooms_named(line: &str) -> Vec<&str> {
    line.split("crate::")
        .skip(1)
        .map(word_at_start)
        .filter(|word| ROOMS.iter().any(|(room, _)| room == word))
        .collect()
}

fn word_at_start(text: &str) -> &str {
    let end = text.find(|character: char| !is_of_word(character)).unwrap_or(text.len());
    &text[..end]
}

/// Whether the words stand in the line, not as a part of longer ones.
fn holds(line: &str, words: &str) -> bool {
    line.match_indices(words).any(|(at, _)| {
        let before = line[..at].chars().next_back();
        let after = line[at + words.len()..].chars().next();
        !before.is_some_and(is_of_word) && (words.ends_with('!') || !after.is_some_and(is_of_word))
    })
}

fn is_of_word(character: char) -> bool {
    character.is_alphanumeric() || character == '_'
}

/// All files of the rooms but those that hold only tests.
fn sources() -> Vec<Source> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut paths = Vec::new();
    collect(&root, &mut paths);
    paths.sort();
    paths.into_iter().filter_map(|path| source(&root, &path)).collect()
}

fn collect(folder: &Path, into: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect(&path, into);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            into.push(path);
        }
    }
}

/// A file of a room; `None` for the crate's two roots and for files of tests.
fn source(root: &Path, path: &Path) -> Option<Source> {
    let relative = path.strip_prefix(root).unwrap().to_str().unwrap().to_owned();
    let (room, rest) = relative.split_once('/')?;
    let stem = path.file_stem()?.to_str()?;
    if stem == "tests" || stem == "testing" || stem.ends_with("_tests") || rest.contains("tests/") {
        return None;
    }
    let text = fs::read_to_string(path).unwrap();
    let code = text
        .lines()
        .enumerate()
        .take(lines_before_tests(&text))
        .filter(|(_, line)| !line.trim_start().starts_with("//"))
        .map(|(index, line)| (index + 1, line.to_owned()))
        .collect();
    Some(Source { room: room.to_owned(), path: relative, text, code })
}

fn lines_before_tests(text: &str) -> usize {
    let lines: Vec<&str> = text.lines().collect();
    lines
        .windows(2)
        .position(|pair| pair[0] == "#[cfg(test)]" && pair[1].starts_with("mod "))
        .unwrap_or(lines.len())
}
