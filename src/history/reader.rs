//! Reads a commit message into entries; says what it is where it holds none.

use memchr::memchr;

use crate::history::entry::{Entry, Footer, Separator};
use crate::history::footer::{is_closing, read_body, read_token};
use crate::history::header::{Header, HeaderError, Mark, read_header};
use crate::history::known::{is_bitbucket, recognise, split_azure};
use crate::history::lines::{Line, first_and_rest, lines_of};
use crate::history::reference::{distinct, numbers, split_trailing};
use crate::history::revert::Revert;
use crate::history::squash::{Splitting, messages_in, overridden, split};

/// How many commits a message holds: the setting `entries`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Entries {
    /// One where its first line is conventional; else those that its body holds.
    #[default]
    Auto,
    /// One, where its first line is conventional.
    Subject,
    /// As release-please reads: the first line, the paragraphs and footers in the shape of a commit, nested blocks.
    Paragraphs,
    /// As python-semantic-release reads: the first line and the commits that a squashed pull request lists.
    Bullets,
    /// As commitizen reads: each line that is conventional.
    Lines,
}

/// What a message is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reading {
    /// Its entries; one or more.
    Conventional(Vec<Entry>),
    /// Recognised, and nothing that counts.
    Known(Known),
    /// Not understood, and why: a sentence's end after "not counted:".
    Unparseable { reason: String },
}

/// A message that is recognised and not conventional.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Known {
    /// A merge; the commits it brings count themselves.
    Merge,
    Revert(Revert),
    /// `fixup!`, `squash!` and `amend!`.
    Fixup,
    /// A squash whose body holds no conventional commit.
    SquashHeader,
    /// What a dependency bot writes where nobody told it about conventional commits.
    Bot,
    /// A release: `1.2.3`, `v1.2.3`, `Release 1.2.3`.
    VersionOnlySubject,
    /// `Initial commit`, `Initial import`.
    Initial,
}

/// Reads a message. Any text is read; time grows with its length only.
///
/// Between `BEGIN_COMMIT_OVERRIDE` and `END_COMMIT_OVERRIDE` stands what counts instead of the message,
/// read in paragraphs as release-please does, unless another way than `Auto` is asked for.
pub fn read(message: &str, how: Entries) -> Reading {
    match overridden(message) {
        Some(instead) if how == Entries::Auto => read_message(instead, Entries::Paragraphs),
        Some(instead) => read_message(instead, how),
        None => read_message(message, how),
    }
}

/// Whether an entry out of a message's body may have a scope: without a bracket below its first line none has.
pub fn may_hold_scopes(message: &str) -> bool {
    let message = message.trim_start().as_bytes();
    let first = memchr(b'\n', message).unwrap_or(message.len());
    memchr(b'(', &message[first..]).is_some()
}

/// What the footers of a message say, whether or not it is conventional.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct MessageFooters {
    /// The value of its last `Release-As` footer, as written.
    pub release_as: Option<String>,
    /// The names in its `Packages` footers.
    pub packages: Vec<String>,
    pub footers: Vec<Footer>,
}

/// Reads the footers of a message, those of squashed commits in it too. Where the first line is itself a
/// footer (`Release-As: 1.0.0` and nothing else), it counts.
pub fn message_footers(message: &str) -> MessageFooters {
    let lines = lines_of(overridden(message).unwrap_or(message));
    let Some((first, rest)) = first_and_rest(&lines) else { return MessageFooters::default() };
    let mut footers = Vec::new();
    if let Some(token) = read_token(&first).filter(|token| token.name.eq_ignore_ascii_case("release-as")) {
        let value = token.value.to_owned();
        footers.push(Footer { token: token.name.to_owned(), separator: token.separator, value });
    }
    for message in messages_in(rest) {
        footers.extend(read_body(&message).footers);
    }
    MessageFooters { release_as: release_as(&footers), packages: packages(&footers), footers }
}

fn read_message(message: &str, how: Entries) -> Reading {
    let lines = lines_of(message);
    let Some((first, rest)) = first_and_rest(&lines) else {
        return Reading::Unparseable { reason: "the message is empty".to_owned() };
    };
    let (title, azure) = split_azure(first.text.trim());
    let (_, trailing) = split_trailing(title);
    let context = Context { pull_request: azure.or(trailing), references: numbers(title) };
    match read_header(title) {
        Ok(header) => Reading::Conventional(with_body(header, rest, how, &context)),
        Err(error) => read_unconventional(first.text.trim(), &error, message, rest, how, &context),
    }
}

/// What the first line of the message tells about each of its entries.
struct Context {
    pull_request: Option<u64>,
    references: Vec<u64>,
}

/// The entry of the first line, then those of the body.
fn with_body(header: Header, rest: &[Line<'_>], how: Entries, context: &Context) -> Vec<Entry> {
    let split = split(rest, splitting(how, true), true);
    let first = entry(header, &split.above, context, false);
    let others = split.parts.into_iter().map(|part| entry(part.header, &part.lines, context, true));
    std::iter::once(first).chain(others).collect()
}

/// A message whose first line is no commit: what it is known for, or the commits in its body.
fn read_unconventional(
    title: &str,
    error: &HeaderError,
    message: &str,
    rest: &[Line<'_>],
    how: Entries,
    context: &Context,
) -> Reading {
    let known = recognise(title, message);
    let may_hold_commits = match known {
        None | Some(Known::SquashHeader) => true,
        Some(_) => is_bitbucket(title),
    };
    let parts = if may_hold_commits { split(rest, splitting(how, false), false).parts } else { Vec::new() };
    if !parts.is_empty() {
        let entries = parts.into_iter().map(|part| entry(part.header, &part.lines, context, true));
        return Reading::Conventional(entries.collect());
    }
    known.map_or_else(|| Reading::Unparseable { reason: error.to_string() }, Reading::Known)
}

/// Where in the body commits may begin.
fn splitting(how: Entries, first_is_commit: bool) -> Splitting {
    let none = Splitting::default();
    match how {
        Entries::Auto if first_is_commit => none,
        Entries::Subject => none,
        Entries::Auto => {
            Splitting { paragraphs: true, neighbours: true, bullets: true, nested: true, git: true, ..none }
        }
        Entries::Paragraphs => Splitting { paragraphs: true, neighbours: true, nested: true, ..none },
        Entries::Bullets => {
            Splitting { paragraphs: true, bullets: true, git: true, many_words: true, ..none }
        }
        Entries::Lines => Splitting { lines: true, ..none },
    }
}

fn entry(header: Header, lines: &[Line<'_>], context: &Context, from_squash: bool) -> Entry {
    let body = read_body(lines);
    let footers = body.footers;
    let breaking = header.mark != Mark::None || footers.iter().any(Footer::is_breaking);
    Entry {
        kind: header.kind.to_ascii_lowercase(),
        breaking,
        breaking_notes: if breaking { breaking_notes(&header.description, &footers) } else { Vec::new() },
        stable: header.mark == Mark::Stable || footers.iter().any(Footer::is_stable),
        release_as: release_as(&footers),
        packages: packages(&footers),
        references: references(&header.description, &footers, context),
        pull_request: context.pull_request,
        scope: header.scope,
        description: header.description,
        body: body.prose,
        footers,
        from_squash,
    }
}

/// The text of each breaking footer; the description where none has one (item 13).
fn breaking_notes(description: &str, footers: &[Footer]) -> Vec<String> {
    let notes = footers.iter().filter(|footer| footer.is_breaking() && !footer.value.is_empty());
    let notes: Vec<String> = notes.map(|footer| footer.value.clone()).collect();
    if notes.is_empty() { vec![description.to_owned()] } else { notes }
}

fn release_as(footers: &[Footer]) -> Option<String> {
    let last = footers.iter().rfind(|footer| footer.is("release-as"))?;
    last.value.lines().next().map(|value| value.trim().to_owned())
}

fn packages(footers: &[Footer]) -> Vec<String> {
    let values = footers.iter().filter(|footer| footer.is("packages"));
    let names = values.flat_map(|footer| footer.value.split(|c: char| c == ',' || c.is_whitespace()));
    names.filter(|name| !name.is_empty()).map(str::to_owned).collect()
}

fn references(description: &str, footers: &[Footer], context: &Context) -> Vec<u64> {
    let mut found = context.references.clone();
    found.extend(numbers(description));
    for footer in footers.iter().filter(|footer| is_closing(&footer.token)) {
        let hash = if footer.separator == Separator::Hash { "#" } else { "" };
        found.extend(numbers(&format!("{hash}{}", footer.value)));
    }
    distinct(found)
}

#[cfg(test)]
mod properties;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod vectors;
