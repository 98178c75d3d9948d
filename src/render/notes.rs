//! The words of a release: its notes, and its section of the changelog.

use std::cell::OnceCell;
use std::sync::LazyLock;

use serde::Serialize;

use crate::render::format::Format;
use crate::render::template::{Parsed, RenderError, Seen, Template};
use crate::render::view;

/// One of our own templates, parsed where it is first needed.
type Own = LazyLock<Result<Parsed<'static>, RenderError>>;

macro_rules! own {
    ($name:literal) => {
        LazyLock::new(|| {
            Parsed::parse(Template { name: $name, text: include_str!(concat!("../../templates/", $name)) })
        })
    };
}

/// What stands above the entries of a changelog's section.
static HEADING: Own = own!("heading.md.j2");
/// What notes and changelogs say alike.
static ENTRIES: Own = own!("entries.md.j2");
/// What stands below the entries of notes.
static END: Own = own!("end.md.j2");
static CHANGELOG_RST: Own = own!("changelog.rst.j2");

/// A release's data, and what templates see of it.
pub struct Shown<'d> {
    raw: &'d NotesData,
    markdown: Seen,
    /// What our own templates say of the entries.
    entries: OnceCell<Result<String, RenderError>>,
}

impl Shown<'_> {
    pub fn of(data: &NotesData) -> Shown<'_> {
        Shown { raw: data, markdown: Seen::of(&view::markdown(data)), entries: OnceCell::new() }
    }

    fn entries(&self) -> Result<&str, RenderError> {
        let entries = self.entries.get_or_init(|| render(&ENTRIES, &self.markdown));
        entries.as_ref().map(String::as_str).map_err(RenderError::clone)
    }
}

/// The body of a release's notes, Markdown, ending with one line break. A user's template replaces ours.
///
/// # Errors
/// Where the template names a field that does not exist.
pub fn notes(data: &Shown<'_>, template: Option<&Parsed<'_>>) -> Result<String, RenderError> {
    let text = match template {
        Some(template) => template.render(&data.markdown)?,
        None => [data.entries()?, &render(&END, &data.markdown)?].concat(),
    };
    Ok(ended(&text))
}

/// A release's section of a changelog with its heading, ending with one line break.
///
/// # Errors
/// As `notes`.
pub fn changelog_section(
    data: &Shown<'_>,
    format: Format,
    template: Option<&Parsed<'_>>,
) -> Result<String, RenderError> {
    let rst = || Seen::of(&view::restructured_text(data.raw));
    let text = match (format, template) {
        (Format::Markdown, Some(template)) => template.render(&data.markdown)?,
        (Format::Markdown, None) => [&render(&HEADING, &data.markdown)?, data.entries()?].concat(),
        (Format::ReStructuredText, Some(template)) => template.render(&rst())?,
        (Format::ReStructuredText, None) => render(&CHANGELOG_RST, &rst())?,
    };
    Ok(ended(&text))
}

fn render(own: &'static Own, data: &Seen) -> Result<String, RenderError> {
    own.as_ref().map_err(RenderError::clone)?.render(data)
}

fn ended(text: &str) -> String {
    format!("{}\n", text.trim_matches('\n').trim_end())
}

/// What a template is given. Texts are raw here, as their authors wrote them; rendering makes them neutral.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct NotesData {
    /// The package's short name.
    pub package: String,
    /// The distribution's name.
    pub distribution: String,
    pub version: String,
    /// The version before; none for a first release.
    pub previous: Option<String>,
    /// The day of the release: `2026-11-24`.
    pub date: String,
    pub tag: String,
    pub previous_tag: Option<String>,
    /// The page that shows what lies between the two tags.
    pub compare_url: Option<String>,
    /// Whether nothing was released before: then our templates do not list the history.
    pub first_release: bool,
    /// What breaks; stands before the sections. An entry here need not stand in a section too.
    pub breaking: NotesSection,
    /// In the order of the configuration.
    pub sections: Vec<NotesSection>,
    /// Internal dependencies that this release moves to.
    pub dependencies: Vec<NotesDependency>,
    /// People's names, each once.
    pub contributors: Vec<String>,
    /// Reviewed Markdown of fragments that stands before all sections.
    pub text_from_fragments: Vec<String>,
}

/// Entries under one title.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct NotesSection {
    /// As configured; Markdown is allowed.
    pub title: String,
    pub entries: Vec<NotesEntry>,
}

/// One change.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct NotesEntry {
    /// What changed, in one line.
    pub text: String,
    /// Further paragraphs (a fragment's); reviewed Markdown.
    pub details: Option<String>,
    pub scope: Option<String>,
    /// The commit in full; none for a fragment.
    pub commit: Option<String>,
    /// The commit's first digits.
    pub short: Option<String>,
    pub commit_url: Option<String>,
    pub pull_request: Option<u64>,
    pub pull_request_url: Option<String>,
    /// The author's name.
    pub author: Option<String>,
    pub breaking: bool,
    /// What breaks and what to do, each of one or more lines.
    pub breaking_notes: Vec<String>,
    /// Issues and pull requests that it names.
    pub references: Vec<u64>,
}

/// An internal dependency that moved.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct NotesDependency {
    /// Its short name.
    pub package: String,
    pub from: Option<String>,
    pub to: String,
    /// The requirement as now written: `acme-core>=2.1`.
    pub requirement: Option<String>,
}

#[cfg(test)]
#[path = "notes_tests.rs"]
mod tests;
