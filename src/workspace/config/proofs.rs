//! What is wrong inside checks, windows and hooks: expressions, patterns, placeholders, zones, times that can not be.

use std::collections::BTreeMap;

use regex::Regex;

use crate::workspace::config::condition;
use crate::workspace::config::environment::{CheckKind, CheckTable, ExpectTable};
use crate::workspace::config::nearest::nearest;
use crate::workspace::config::placeholder;
use crate::workspace::config::problem::Problem;
use crate::workspace::config::spanned::{Node, Place};
use crate::workspace::config::tables::Tables;
use crate::workspace::config::zone;

/// All problems of this sort.
pub(in crate::workspace::config) fn check(tables: &Tables, document: &Node) -> Vec<Problem> {
    let mut problems = Vec::new();
    for (name, environment) in &tables.environment {
        let items = |key| document.at(&["environment", name, key]).map(Node::items).unwrap_or_default();
        // A check that did not fit is told of already and not in the tables: the others are looked at without it.
        if environment.validate.len() == items("validate").len() {
            for (table, node) in environment.validate.iter().zip(items("validate")) {
                of_check(table, node, &mut problems);
            }
        }
        for node in items("windows") {
            problems.extend(of_zone(node));
        }
        for key in ["apply", "status", "rollback", "possible"] {
            let program = document.at(&["environment", name, "command", key]);
            problems.extend(program.and_then(|list| no_program(list, key)));
        }
    }
    for node in document.at(&["hook"]).map(Node::items).unwrap_or_default() {
        of_hook(node, tables, &mut problems);
    }
    problems
}

fn of_check(table: &CheckTable, node: &Node, problems: &mut Vec<Problem>) {
    if let Some(fault) = table.success.as_deref().and_then(|text| condition::fault(text, table.kind)) {
        problems.push(Problem::new(node.place_of(&["success"]), fault.message).with_help(fault.help));
    }
    if let Some(expect) = &table.expect {
        of_expect(expect, table.kind, node, problems);
    }
    for key in ["url", "query"] {
        problems.extend(node.at(&[key]).and_then(unknown_placeholder));
    }
    problems.extend(node.at(&["command"]).and_then(|list| no_program(list, "command")));
    problems.extend(of_source(table, node));
    of_schedule(table, node, problems);
}

/// Where a version is read: in one place.
fn of_source(table: &CheckTable, node: &Node) -> Option<Problem> {
    let twice = table.kind == CheckKind::Version && table.url.is_some() && table.command.is_some();
    let help = "keep `url` or `command`";
    twice.then(|| {
        Problem::new(node.place_of(&["command"]), "the version is asked of an address and of a program")
            .with_help(help)
    })
}

fn of_expect(expect: &ExpectTable, kind: CheckKind, node: &Node, problems: &mut Vec<Problem>) {
    let taken: &[&str] = match kind {
        CheckKind::Http => &["status", "json", "text", "matches", "headers"],
        CheckKind::Command => &["json", "text", "matches"],
        CheckKind::Metrics => &["min", "max"],
        CheckKind::Container | CheckKind::Install | CheckKind::Version => return,
    };
    let Some(table) = node.at(&["expect"]) else { return };
    for entry in table.entries().iter().filter(|entry| !taken.contains(&entry.key.as_str())) {
        let message = format!("`{}` is not what this kind of check can expect", entry.key);
        problems.push(
            Problem::new(entry.place.clone(), message)
                .with_help(format!("it can expect {}", taken.join(", "))),
        );
    }
    if table.entries().is_empty() {
        let problem = Problem::new(node.place_of(&["expect"]), "`expect` expects nothing");
        problems.push(problem.with_help(format!("it can expect {}", taken.join(", "))));
    }
    if let (Some(min), Some(max)) = (expect.min, expect.max)
        && min > max
    {
        let problem = Problem::new(node.place_of(&["expect", "min"]), "no number is between `min` and `max`");
        problems.push(problem.with_help("write the smaller number as `min`"));
    }
    if let Some(error) = expect.matches.as_deref().and_then(pattern_error) {
        let problem =
            Problem::new(node.place_of(&["expect", "matches"]), format!("no regular expression: {error}"));
        problems.push(problem.with_help("in TOML, 'single quotes' keep backslashes"));
    }
    placeholders(table, problems);
}

/// Why a pattern does not read, its placeholders filled.
fn pattern_error(pattern: &str) -> Option<String> {
    let sample = placeholder::Filling { version: "1.2.3", digest: "sha256:0", package: "package" };
    let error = Regex::new(&placeholder::fill_escaped(pattern, &sample)).err()?;
    Some(error.to_string().lines().last().unwrap_or_default().trim_start_matches("error: ").to_owned())
}

/// Placeholders in all texts below a value.
fn placeholders(node: &Node, problems: &mut Vec<Problem>) {
    problems.extend(unknown_placeholder(node));
    node.items().iter().for_each(|item| placeholders(item, problems));
    node.entries().iter().for_each(|entry| placeholders(&entry.node, problems));
}

/// A word in braces that is nearly a placeholder; others may be meant as they stand.
fn unknown_placeholder(node: &Node) -> Option<Problem> {
    let text = node.as_text()?;
    let words = text.split('{').skip(1).filter_map(|rest| rest.split_once('}')).map(|(word, _)| word);
    let known = placeholder::WORDS;
    let wrong = words
        .filter(|word| !known.contains(word))
        .find_map(|word| Some((word, nearest(word, known.into_iter())?)));
    let (word, near) = wrong?;
    let problem = Problem::new(node.place.clone(), format!("there is no placeholder `{{{word}}}`"));
    Some(problem.with_help(format!("did you mean `{{{near}}}`?")))
}

/// Times and numbers with which a check could never pass, or would never rest.
fn of_schedule(table: &CheckTable, node: &Node, problems: &mut Vec<Problem>) {
    let schedule = table.schedule();
    let mut say = |key: &str, message: String, help: &str| {
        problems.push(Problem::new(node.place_of(&[key]), message).with_help(help));
    };
    for (key, span) in
        [("interval", schedule.interval), ("timeout", schedule.timeout), ("deadline", schedule.deadline)]
    {
        if span.is_zero() {
            say(key, format!("`{key}` is no time at all"), "write at least `1s`");
        }
    }
    if schedule.consecutive_success == 0 {
        say(
            "consecutive-success",
            "a check that needs no success proves nothing".to_owned(),
            "write 1 or more",
        );
    }
    if schedule.shortest() >= schedule.deadline && !schedule.deadline.is_zero() {
        let key = ["deadline", "initial-delay", "consecutive-success", "interval"]
            .into_iter()
            .find(|key| node.entry(key).is_some())
            .unwrap_or("kind");
        let message = format!(
            "the check can not pass: its tries take {} s, and its deadline is {} s",
            schedule.shortest().as_secs(),
            schedule.deadline.as_secs()
        );
        say(key, message, "give it a longer `deadline`, or fewer or closer tries");
    }
}

fn of_zone(node: &Node) -> Option<Problem> {
    let fault = zone::fault(node.at(&["zone"])?.as_text()?)?;
    Some(Problem::new(node.place_of(&["zone"]), fault.message).with_help(fault.help))
}

fn of_hook(node: &Node, tables: &Tables, problems: &mut Vec<Problem>) {
    problems.extend(node.at(&["command"]).and_then(|list| no_program(list, "command")));
    if node.entry("secret-from").is_some() && node.entry("url").is_none() {
        let problem = Problem::new(node.place_of(&["secret-from"]), "`secret-from` signs nothing here");
        problems.push(problem.with_help("it goes with `url`"));
    }
    if let Some(on) = node.at(&["on"]).filter(|on| on.items().is_empty()) {
        problems.push(
            Problem::new(on.place.clone(), "a hook on nothing hears nothing")
                .with_help("for example `on = [\"rolled-back\"]`"),
        );
    }
    let names: BTreeMap<&str, ()> = tables.environment.keys().map(|name| (name.as_str(), ())).collect();
    for item in node.at(&["environments"]).map(Node::items).unwrap_or_default() {
        let Some(word) = item.as_text().filter(|word| !names.contains_key(word)) else { continue };
        let help = match nearest(word, names.keys().copied()) {
            Some(near) => format!("did you mean \"{near}\"?"),
            None => format!("define it as `[environment.{word}]`"),
        };
        let problem = Problem::new(item.place.clone(), format!("no environment is called \"{word}\""));
        problems.push(problem.with_help(help));
    }
}

/// A list of arguments without a program in front.
fn no_program(list: &Node, key: &str) -> Option<Problem> {
    let first = list.items().first().and_then(Node::as_text);
    let place: Place = list.place.clone();
    first.is_none_or(|program| program.trim().is_empty()).then(|| {
        Problem::new(place, format!("`{key}` names no program"))
            .with_help("write the program and its arguments: `[\"curl\", \"-fsS\", \"http://…\"]`")
    })
}
