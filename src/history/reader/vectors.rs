//! Messages that other parsers were asked about: where all of them agree, so do we, in each of them.

use serde_json::Value;

use super::{Entries, Reading, read};
use crate::history::entry::{Entry, Separator};

const SUITES: &str = include_str!("../../../tests/data/vectors/commits-suites.json");
const REAL: &str = include_str!("../../../tests/data/vectors/commits-real.jsonl");

/// Where the parsers disagree: the message, our choice as `type|scope|breaking|description`, and why.
const CHOICES: [(&str, &str, &str); 11] = [
    ("feat(tree):no whitespaces here", "feat|tree|false|no whitespaces here", NO_SPACE),
    ("fix: address major bug\nAuthor: @byCedric", "fix||false|address major bug", NO_BLANK),
    (
        "chore: contains multiple commits\nfix(parser): address bug with parser",
        "chore||false|contains multiple commits",
        NO_BLANK,
    ),
    (
        "chore: contains multiple commits\nfeat(parser)!: address bug with parser",
        "chore||false|contains multiple commits",
        NO_BLANK,
    ),
    (
        "fix: address major bug\nBREAKING CHANGE: this change is breaking",
        "fix||true|address major bug",
        NO_BLANK,
    ),
    (
        "fix: address major bug\nBREAKING-CHANGE: this change is breaking",
        "fix||true|address major bug",
        NO_BLANK,
    ),
    (
        "fix: address major bug\nBREAKING CHANGE: first line of breaking change\n second line of breaking \
         change\n third line of breaking change",
        "fix||true|address major bug",
        NO_BLANK,
    ),
    ("fix: address major bug\nthis is a free form body of text", "fix||false|address major bug", NO_BLANK),
    (
        "chore: Automate fastlane when a file in the fastlane directory is\nchanged (hopefully)",
        "chore||false|Automate fastlane when a file in the fastlane directory is",
        NO_BLANK,
    ),
    (
        "chore(deps): update chore(deps): update mcp toolbox server for integration tests to 0.19.1 to v0.19.1 (#414)",
        "chore|deps|false|update chore(deps): update mcp toolbox server for integration tests to 0.19.1 to v0.19.1 (#414)",
        "the first parenthesis that closes ends the scope",
    ),
    (
        "feature/flagsmith-implementation: Add pipelines\n\nSigned-off-by: Andrew Helsby <someone@example.org>",
        "-",
        "a type is one word; this is the name of a branch",
    ),
];
const NO_SPACE: &str = "the space after the colon is forgotten often, and nothing else is meant";
const NO_BLANK: &str = "a forgotten blank line under the first line must not lose the change";

/// Where two parsers agree on the footers and we read others: the message's beginning, and why.
const FOOTERS: [(&str, &str); 1] =
    [("ci: pin pypi release action version\n\nhttps://", "an address is no footer with the token `https`")];

fn cases() -> Vec<Value> {
    let suites: Value = serde_json::from_str(SUITES).unwrap();
    let real = REAL.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    let all = suites["cases"].as_array().unwrap().iter().cloned().chain(real);
    all.filter(|case| case["message"].is_string()).collect()
}

fn message(case: &Value) -> &str {
    case["message"].as_str().unwrap()
}

fn only_entry(message: &str) -> Option<Entry> {
    match read(message, Entries::Subject) {
        Reading::Conventional(mut entries) => {
            assert_eq!(entries.len(), 1, "{message}");
            entries.pop()
        }
        _ => None,
    }
}

fn told(entry: &Entry) -> String {
    let Entry { kind, scope, breaking, description, .. } = entry;
    format!("{kind}|{}|{breaking}|{description}", scope.as_deref().unwrap_or_default())
}

fn expected(value: &Value) -> Option<String> {
    let text = |key: &str| value[key].as_str().unwrap_or_default().to_owned();
    let kind = text("type").to_lowercase();
    (!value.is_null())
        .then(|| format!("{kind}|{}|{}|{}", text("scope"), value["breaking"], text("description")))
}

#[test]
fn where_all_parsers_agree_so_do_we() {
    let cases = cases();
    let agreed: Vec<&Value> = cases.iter().filter(|case| case.get("expected").is_some()).collect();
    assert!(agreed.len() > 500);
    let mut wrong = Vec::new();
    for case in agreed {
        let ours = only_entry(message(case)).map(|entry| told(&entry));
        if ours != expected(&case["expected"]) {
            wrong.push(format!(
                "{:?}\n  ours {ours:?}\n  them {:?}",
                message(case),
                expected(&case["expected"])
            ));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn where_parsers_disagree_we_choose() {
    let cases = cases();
    let disputed: Vec<&Value> = cases.iter().filter(|case| case.get("peers").is_some()).collect();
    let ours: Vec<(String, String)> = disputed
        .iter()
        .map(|case| {
            let told = only_entry(message(case)).map_or_else(|| "-".to_owned(), |entry| told(&entry));
            (message(case).to_owned(), told)
        })
        .collect();
    let chosen: Vec<(String, String)> =
        CHOICES.iter().map(|(message, told, _)| ((*message).to_owned(), (*told).to_owned())).collect();
    assert_eq!(ours, chosen);
}

#[test]
fn footers_are_those_that_parsers_agree_on() {
    let mut wrong = Vec::new();
    let mut compared = 0;
    for case in cases() {
        let (Some(theirs), Some(entry)) = (case["footers"].as_array(), only_entry(message(&case))) else {
            continue;
        };
        let theirs: Vec<String> = theirs.iter().map(footer).collect();
        let ours: Vec<String> = entry
            .footers
            .iter()
            .map(|footer| {
                let separator = if footer.separator == Separator::Hash { "#" } else { ":" };
                format!("{}|{separator}|{}", footer.token, footer.value)
            })
            .collect();
        compared += 1;
        if ours != theirs && !FOOTERS.iter().any(|(start, _)| message(&case).starts_with(start)) {
            wrong.push(format!("{:?}\n  ours {ours:?}\n  them {theirs:?}", message(&case)));
        }
    }
    assert!(compared > 400, "{compared}");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

fn footer(value: &Value) -> String {
    let part = |index: usize| value[index].as_str().unwrap().trim();
    format!("{}|{}|{}", part(0), part(1), part(2))
}
