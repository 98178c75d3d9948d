//! What stands in the commits and files of a generated repository.

use crate::random::Random;
use crate::shape::Body;

const WORDS: [&str; 48] = [
    "amber", "answer", "basket", "branch", "bridge", "bucket", "candle", "carbon", "copper", "cotton",
    "dancer", "desert", "engine", "fabric", "falcon", "garden", "ginger", "hammer", "harbor", "island",
    "jacket", "kettle", "ladder", "lantern", "magnet", "marble", "meadow", "mirror", "needle", "orchard",
    "packet", "pepper", "pillow", "planet", "quarry", "ribbon", "river", "saddle", "shadow", "signal",
    "silver", "spring", "temple", "timber", "tunnel", "valley", "velvet", "window",
];
const TYPES: [(&str, usize); 10] = [
    ("fix", 36),
    ("feat", 22),
    ("chore", 12),
    ("docs", 9),
    ("refactor", 7),
    ("test", 5),
    ("perf", 3),
    ("ci", 3),
    ("build", 2),
    ("style", 1),
];
/// Types that release nothing.
const QUIET: [(&str, usize); 4] = [("chore", 4), ("docs", 3), ("test", 2), ("refactor", 2)];

/// How much of a step a commit asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Size {
    Nothing,
    Patch,
    Minor,
    Major,
}

pub struct Message {
    pub text: String,
    pub size: Size,
}

/// A commit message for these packages; one in a hundred is not conventional, one in seventy breaks something.
pub fn message(random: &mut Random, scopes: &[&str], number: usize, body: Body, quiet: bool) -> Message {
    let count = random.between(3, 8);
    let subject = words(random, count);
    if !quiet && random.chance(10) {
        return Message { text: format!("Update {subject} (#{number})\n"), size: Size::Nothing };
    }
    let kind = random.weighted(if quiet { &QUIET } else { &TYPES });
    let scope = if scopes.is_empty() || random.chance(200) {
        String::new()
    } else {
        format!("({})", scopes.join(","))
    };
    let bang = !quiet && random.chance(10);
    let mark = if bang { "!" } else { "" };
    let mut text = format!("{kind}{scope}{mark}: {subject} (#{number})\n");
    if body == Body::Long {
        paragraphs(random, &mut text);
    }
    let breaking = !quiet && random.chance(5);
    footers(random, &mut text, number, breaking);
    Message { text, size: if bang || breaking { Size::Major } else { size(kind) } }
}

/// A Python file with some functions in it.
pub fn module(random: &mut Random, number: usize) -> String {
    let mut text = format!("# {number}\n");
    for index in 0..random.between(3, 12) {
        let word = random.pick(&WORDS);
        text += &format!("def {word}_{index}():\n    return {}\n", random.below(1_000_000));
    }
    text
}

pub fn words(random: &mut Random, count: usize) -> String {
    let mut text = String::new();
    for index in 0..count {
        text += if index == 0 { "" } else { " " };
        let word = random.pick(&WORDS);
        text += word;
    }
    text
}

/// The name of a file in a package.
pub fn file_name(random: &mut Random) -> &'static str {
    WORDS[random.below(WORDS.len())]
}

fn size(kind: &str) -> Size {
    match kind {
        "feat" => Size::Minor,
        "fix" | "perf" => Size::Patch,
        _ => Size::Nothing,
    }
}

fn paragraphs(random: &mut Random, text: &mut String) {
    let count = match random.below(10) {
        0..4 => 0,
        4..8 => 1,
        _ => random.between(3, 12),
    };
    for _ in 0..count {
        text.push('\n');
        let mut column = 0;
        for _ in 0..random.between(15, 60) {
            let word = random.pick(&WORDS);
            let end = if column > 64 { '\n' } else { ' ' };
            column = if end == '\n' { 0 } else { column + word.len() + 1 };
            text.push_str(word);
            text.push(end);
        }
        text.push_str("done.\n");
    }
}

fn footers(random: &mut Random, text: &mut String, number: usize, breaking: bool) {
    let mut lines = Vec::new();
    if breaking {
        lines.push(format!("BREAKING CHANGE: {}", words(random, 12)));
    }
    if random.chance(250) {
        lines.push(format!("Refs: #{}", random.between(1, number + 1)));
    }
    if random.chance(300) {
        lines.push("Co-authored-by: Eve Example <eve@example.org>".to_owned());
    }
    if random.chance(150) {
        lines.push("Signed-off-by: Ada Example <ada@example.org>".to_owned());
    }
    if !lines.is_empty() {
        *text += &format!("\n{}\n", lines.join("\n"));
    }
}
