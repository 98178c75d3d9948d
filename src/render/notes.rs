//! The words of a release: its notes, and its section of the changelog.

use std::sync::LazyLock;

use serde::Serialize;

use crate::render::format::Format;
use crate::render::template::{Parsed, RenderError, Template};
use crate::render::view;

/// One of our own templates, parsed where it is first needed.
type Own = LazyLock<Result<Parsed<'static>, RenderError>>;

static NOTES: Own = LazyLock::new(|| {
    Parsed::parse(Template { name: "notes.md.j2", text: include_str!("../../templates/notes.md.j2") })
});
static CHANGELOG: Own = LazyLock::new(|| {
    Parsed::parse(Template { name: "changelog.md.j2", text: include_str!("../../templates/changelog.md.j2") })
});
static CHANGELOG_RST: Own = LazyLock::new(|| {
    Parsed::parse(Template {
        name: "changelog.rst.j2",
        text: include_str!("../../templates/changelog.rst.j2"),
    })
});

/// A release's data, and what templates see of it.
pub struct Shown<'d> {
    raw: &'d NotesData,
    markdown: NotesData,
}

impl Shown<'_> {
    pub fn of(data: &NotesData) -> Shown<'_> {
        Shown { raw: data, markdown: view::markdown(data) }
    }
}

/// The body of a release's notes, Markdown, ending with one line break. A user's template replaces ours.
///
/// # Errors
/// Where the template names a field that does not exist.
pub fn notes(data: &Shown<'_>, template: Option<&Parsed<'_>>) -> Result<String, RenderError> {
    render(template, &NOTES, &data.markdown)
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
    match format {
        Format::Markdown => render(template, &CHANGELOG, &data.markdown),
        Format::ReStructuredText => render(template, &CHANGELOG_RST, &view::restructured_text(data.raw)),
    }
}

fn render(template: Option<&Parsed<'_>>, own: &'static Own, data: &NotesData) -> Result<String, RenderError> {
    match template {
        Some(template) => template.render(data),
        None => own.as_ref().map_err(RenderError::clone)?.render(data),
    }
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
