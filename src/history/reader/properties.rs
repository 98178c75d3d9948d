//! What holds for any message.

use proptest::prelude::{Just, Strategy, any, proptest};
use proptest::{collection, option, prop_assert, prop_assert_eq, prop_oneof};

use super::{Entries, Reading, may_hold_scopes, message_footers, read};
use crate::history::condensed::push_condensed;
use crate::history::entry::{Entry, Footer, Separator};
use crate::history::lines::QUOTING;
use crate::history::revert::revert_of;

const WAYS: [Entries; 5] =
    [Entries::Auto, Entries::Subject, Entries::Paragraphs, Entries::Bullets, Entries::Lines];

/// Lines that mean something somewhere.
const LINES: [&str; 44] = [
    "feat: one thing",
    "fix(core)!: another thing",
    "* feat(a): bullet here",
    "- fix!!: bullet two",
    "feat(a(b)): x",
    "feat(",
    "BREAKING CHANGE: gone",
    "BREAKING-CHANGE:",
    "BREAKING CHANGE",
    "INITIAL STABLE RELEASE: now",
    "Release-As: 2.0.0",
    "Packages: a, b",
    "Refs: #1",
    "Closes #12",
    "Signed-off-by: A <a@b>",
    "Note: look",
    "https://a.example/b",
    "prose here",
    "  indented",
    "    code",
    "```",
    "````text",
    "~~~",
    "> quoted",
    "<details>",
    "</details>",
    "<blockquote>",
    "",
    "",
    "",
    "\t",
    "commit 63ec09b9e844",
    "Author: A",
    "Squashed commit of the following:",
    "Merged in x (pull request #10)",
    "---------",
    "BEGIN_NESTED_COMMIT",
    "END_NESTED_COMMIT",
    "BEGIN_COMMIT_OVERRIDE",
    "END_COMMIT_OVERRIDE",
    "Revert \"feat: one thing\"",
    "This reverts commit 63ec09b9e844.",
    "(cherry picked from commit 63ec09b)",
    ":sparkles: ✨ feat: ünïcode ",
];

fn message() -> impl Strategy<Value = String> {
    let line =
        prop_oneof![8 => (0..LINES.len()).prop_map(|place| LINES[place].to_owned()), 1 => any::<String>()];
    let end = prop_oneof![Just("\n"), Just("\n\n"), Just("\r\n")];
    collection::vec((line, end), 0..24)
        .prop_map(|lines| lines.into_iter().map(|(line, end)| line + end).collect::<String>())
}

/// A message without what lets all of it stay when it is condensed.
fn mild_message() -> impl Strategy<Value = String> {
    let mild: Vec<&str> = LINES
        .into_iter()
        .filter(|line| !line.contains("BREAKING") && !line.contains("_COMMIT") && !line.starts_with(QUOTING))
        .chain(["more prose", "", "fixed #3", "(said", "reverts commit 63ec09b"])
        .collect();
    let line =
        prop_oneof![12 => (0..mild.len()).prop_map(move |place| mild[place].to_owned()), 1 => ".{0,9}"];
    let end = prop_oneof![2 => Just("\n"), 2 => Just("\n\n"), 1 => Just("\r\n")];
    collection::vec((line, end), 0..12)
        .prop_map(|lines| lines.into_iter().map(|(line, end)| line + end).collect::<String>())
}

/// What is read of a message, without the prose.
fn told(message: &str) -> impl PartialEq + std::fmt::Debug {
    let read = WAYS.map(|how| match read(message, how) {
        Reading::Conventional(entries) => {
            Ok(entries.into_iter().map(|entry| Entry { body: None, ..entry }).collect::<Vec<_>>())
        }
        other => Err(other),
    });
    let title = message.lines().map(str::trim).find(|line| !line.is_empty()).map(str::to_owned);
    (read, message_footers(message), revert_of(message), may_hold_scopes(message), title)
}

fn words() -> impl Strategy<Value = String> {
    "[a-z]{1,8}( [a-z]{1,8}){0,4}"
}

/// An entry as a person would write it.
fn written() -> impl Strategy<Value = Entry> {
    let footers = collection::vec(
        (prop_oneof![Just("Refs"), Just("Reviewed-by"), Just("Note")], any::<bool>(), words()),
        0..4,
    );
    let notes = collection::vec(words(), 0..3);
    let head =
        ("[a-z][a-z0-9_-]{0,8}", option::of("[A-Za-z0-9/,@-]{1,9}(\\([a-z]{1,3}\\))?"), 0..3_u8, words());
    (head, option::of(words()), footers, notes).prop_map(
        |((kind, scope, marks, description), body, footers, notes)| {
            let breaking = notes.iter().map(|note| ("BREAKING CHANGE", true, note.clone()));
            let footers = footers.into_iter().chain(breaking).map(|(token, colon, value)| Footer {
                token: token.to_owned(),
                separator: if colon { Separator::Colon } else { Separator::Hash },
                value,
            });
            let footers: Vec<Footer> = footers.collect();
            let breaking = marks > 0 || !notes.is_empty();
            let breaking_notes = if breaking && notes.is_empty() { vec![description.clone()] } else { notes };
            Entry {
                kind,
                scope,
                description,
                body,
                breaking,
                breaking_notes,
                stable: marks == 2,
                footers,
                ..Entry::default()
            }
        },
    )
}

/// The message an entry stands for.
fn render(entry: &Entry) -> String {
    let scope = entry.scope.as_ref().map(|scope| format!("({scope})")).unwrap_or_default();
    let by_footer = entry.footers.iter().any(Footer::is_breaking);
    let mark =
        match (entry.stable && !entry.footers.iter().any(Footer::is_stable), entry.breaking && !by_footer) {
            (true, _) => "!!",
            (false, true) => "!",
            (false, false) => "",
        };
    let body = entry.body.as_ref().map(|body| format!("\n\n{body}")).unwrap_or_default();
    let footers = entry.footers.iter().map(|footer| {
        let separator = if footer.separator == Separator::Hash { " #" } else { ": " };
        format!("\n{}{separator}{}", footer.token, footer.value)
    });
    let footers: String = footers.collect();
    let gap = if footers.is_empty() { "" } else { "\n" };
    format!("{}{scope}{mark}: {}{body}{gap}{footers}", entry.kind, entry.description)
}

fn first_entry(message: &str) -> Option<Entry> {
    match read(message, Entries::Subject) {
        Reading::Conventional(entries) => entries.into_iter().next(),
        _ => None,
    }
}

proptest! {
    #[test]
    fn any_text_is_read(text in any::<String>()) {
        for how in WAYS {
            read(&text, how);
        }
        message_footers(&text);
        revert_of(&text);
    }

    #[test]
    fn any_lines_are_read_and_entries_are_sound(text in message()) {
        message_footers(&text);
        revert_of(&text);
        for how in WAYS {
            let Reading::Conventional(entries) = read(&text, how) else { continue };
            prop_assert!(!entries.is_empty());
            let names = entries.iter().any(|entry| entry.from_squash && entry.scope.is_some());
            prop_assert!(!names || may_hold_scopes(&text));
            for (place, entry) in entries.iter().enumerate() {
                prop_assert!(!entry.kind.is_empty() && !entry.description.is_empty());
                prop_assert_eq!(entry.breaking, !entry.breaking_notes.is_empty());
                prop_assert!(place == 0 || entry.from_squash);
            }
        }
    }

    #[test]
    fn a_condensed_message_tells_the_same(text in prop_oneof![message(), mild_message()]) {
        let mut condensed = String::new();
        push_condensed(&text, &mut condensed);
        prop_assert_eq!(told(&condensed), told(&text));
    }

    #[test]
    fn a_first_line_read_is_a_first_line_rendered(text in message()) {
        if let Some(entry) = first_entry(&text) {
            let stable = entry.stable && !entry.footers.iter().any(Footer::is_stable);
            let bare = Entry { body: None, footers: Vec::new(), stable, ..entry.clone() };
            let again = first_entry(&render(&bare));
            let told = |entry: &Entry| (entry.kind.clone(), entry.scope.clone(), entry.description.clone(), entry.breaking);
            prop_assert_eq!(again.as_ref().map(told), Some(told(&entry)));
        }
    }

    #[test]
    fn what_is_rendered_is_read_back(entry in written()) {
        prop_assert_eq!(first_entry(&render(&entry)), Some(entry));
    }
}

#[test]
fn long_messages_are_read_in_one_pass() {
    let repeated = |text: &str| text.repeat(100_000 / text.len());
    let fences: String = (3..400).rev().map(|length| format!("{}x\n\n\n", "`".repeat(length))).collect();
    let messages = [
        repeated("("),
        repeated("feat("),
        repeated("!"),
        repeated(":+1:"),
        repeated("✨"),
        repeated("\n"),
        repeated("#1 "),
        repeated("\nfeat: a\n"),
        repeated("* fix: a b\n"),
        repeated("Refs: #1\n"),
        repeated("BREAKING CHANGE: x\n\n"),
        repeated("Note: x\n\ny\n\n"),
        repeated("```\n"),
        repeated("<details>"),
        repeated("<details>\n"),
        repeated("(#1"),
        repeated("commit 63ec09b9e844\nAuthor: a\n\n"),
        repeated("BEGIN_NESTED_COMMIT\nfeat: a\n"),
        repeated("BEGIN_COMMIT_OVERRIDE\n"),
        repeated("Revert \""),
        repeated("This reverts commit 63ec09b\n"),
        repeated("Signed-off-by: x\n\n"),
        fences,
    ];
    for message in &messages {
        for start in ["feat: x\n\n", "words\n\n"] {
            let message = format!("{start}{message}");
            for how in WAYS {
                read(&message, how);
            }
            message_footers(&message);
            revert_of(&message);
        }
    }
}
