//! What a template sees of a release: the same fields, every text from outside made neutral.

use crate::render::neutral;
use crate::render::notes::{NotesData, NotesDependency, NotesEntry, NotesSection};
use crate::render::rst;

/// The data with its texts as Markdown.
pub fn markdown(data: &NotesData) -> NotesData {
    view(data, &Words { line: neutral::one_line, block: neutral::block, reviewed: neutral::markdown })
}

/// The data with its texts as reStructuredText; texts of several lines become one.
pub fn restructured_text(data: &NotesData) -> NotesData {
    view(data, &Words { line: rst::one_line, block: rst::one_line, reviewed: rst::one_line })
}

struct Words {
    line: fn(&str) -> String,
    block: fn(&str) -> String,
    reviewed: fn(&str) -> String,
}

fn view(data: &NotesData, words: &Words) -> NotesData {
    let all = |texts: &[String], with: fn(&str) -> String| texts.iter().map(|text| with(text)).collect();
    NotesData {
        package: (words.line)(&data.package),
        distribution: (words.line)(&data.distribution),
        version: (words.line)(&data.version),
        previous: data.previous.as_deref().map(words.line),
        date: (words.line)(&data.date),
        tag: (words.line)(&data.tag),
        previous_tag: data.previous_tag.as_deref().map(words.line),
        compare_url: data.compare_url.as_deref().and_then(address),
        first_release: data.first_release,
        breaking: section(&data.breaking, words),
        sections: data.sections.iter().map(|one| section(one, words)).collect(),
        dependencies: data.dependencies.iter().map(|one| dependency(one, words)).collect(),
        contributors: all(&data.contributors, words.line),
        text_from_fragments: all(&data.text_from_fragments, words.reviewed),
    }
}

fn section(data: &NotesSection, words: &Words) -> NotesSection {
    NotesSection {
        title: neutral::terminal_line(&data.title),
        entries: data.entries.iter().map(|one| entry(one, words)).collect(),
    }
}

fn entry(data: &NotesEntry, words: &Words) -> NotesEntry {
    NotesEntry {
        text: (words.line)(without_pull_request(&data.text, data.pull_request)),
        details: data.details.as_deref().map(words.reviewed).filter(|text| !text.is_empty()),
        scope: data.scope.as_deref().map(words.line).filter(|text| !text.is_empty()),
        commit: data.commit.as_deref().and_then(digits),
        short: data.short.as_deref().and_then(digits),
        commit_url: data.commit_url.as_deref().and_then(address),
        pull_request: data.pull_request,
        pull_request_url: data.pull_request_url.as_deref().and_then(address),
        author: data.author.as_deref().map(words.line).filter(|text| !text.is_empty()),
        breaking: data.breaking,
        breaking_notes: breaking_notes(data, words),
        references: data.references.clone(),
    }
}

/// The notes that say more than the entry's own line.
fn breaking_notes(data: &NotesEntry, words: &Words) -> Vec<String> {
    let more = |note: &&String| !note.trim().is_empty() && note.trim() != data.text.trim();
    data.breaking_notes.iter().filter(more).map(|note| (words.block)(note)).collect()
}

fn dependency(data: &NotesDependency, words: &Words) -> NotesDependency {
    NotesDependency {
        package: (words.line)(&data.package),
        from: data.from.as_deref().map(words.line),
        to: (words.line)(&data.to),
        requirement: data.requirement.as_deref().map(words.line),
    }
}

/// The text without the `(#12)` at its end, which templates print as a link.
fn without_pull_request(text: &str, number: Option<u64>) -> &str {
    let Some(number) = number else { return text };
    let text = text.trim_end();
    [format!("(#{number})"), format!("(!{number})")]
        .iter()
        .find_map(|mark| text.strip_suffix(mark.as_str()))
        .map_or(text, str::trim_end)
}

/// An address fit for a link's target; other addresses give no link.
fn address(url: &str) -> Option<String> {
    let web = url.starts_with("https://") || url.starts_with("http://");
    let plain = |c: char| c.is_ascii_alphanumeric() || "-._~:/?#@!$&+,;=%".contains(c);
    (web && url.chars().all(plain)).then(|| url.to_owned())
}

/// A commit's id: hexadecimal digits and nothing else.
fn digits(id: &str) -> Option<String> {
    id.bytes().all(|byte| byte.is_ascii_hexdigit()).then(|| id.to_owned())
}
