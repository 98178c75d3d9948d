//! What is wrong with a configuration, each problem with its place and a way out.

use std::fmt;
use std::ops::Range;

use annotate_snippets::{AnnotationKind, Group, Level, Renderer, Snippet};

/// One thing that is wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// Bytes of the text; `None` where no place is to blame.
    pub span: Option<Range<usize>>,
    pub message: String,
    /// The way out.
    pub help: Option<String>,
}

impl Problem {
    pub fn new(span: Option<Range<usize>>, message: impl Into<String>) -> Problem {
        Problem { span, message: message.into(), help: None }
    }

    pub fn with_help(mut self, help: impl Into<String>) -> Problem {
        self.help = Some(help.into());
        self
    }
}

/// All that is wrong with one file, in the order of the text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problems {
    /// The file, as it is called in messages.
    pub file: String,
    pub list: Vec<Problem>,
}

impl Problems {
    pub fn new(file: &str, mut list: Vec<Problem>) -> Problems {
        list.sort_by_key(|problem| problem.span.as_ref().map_or(usize::MAX, |span| span.start));
        Problems { file: file.to_owned(), list }
    }

    /// Each problem with its line of `text` underlined, `width` columns wide, for a terminal that knows colors or not.
    pub fn render(&self, file: &str, text: &str, width: usize, color: bool) -> String {
        let renderer = if color { Renderer::styled() } else { Renderer::plain() }.term_width(width);
        let rendered: Vec<String> = self
            .list
            .iter()
            .map(|problem| {
                let mut report = vec![primary(problem, file, text)];
                if let Some(help) = &problem.help {
                    report.push(Group::with_title(Level::HELP.secondary_title(help.as_str())));
                }
                let rendered = renderer.render(&report);
                rendered.lines().map(str::trim_end).collect::<Vec<_>>().join("\n")
            })
            .collect();
        rendered.join("\n\n")
    }
}

impl fmt::Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let first = self.list.first().map_or("nothing", |problem| problem.message.as_str());
        match self.list.len() {
            0 | 1 => write!(f, "{}: {first}", self.file),
            count => write!(f, "{}: {first} (and {} more)", self.file, count - 1),
        }
    }
}

impl std::error::Error for Problems {}

fn primary<'a>(problem: &'a Problem, file: &'a str, text: &'a str) -> Group<'a> {
    let title = Level::ERROR.primary_title(problem.message.as_str());
    match problem.span.clone().and_then(|span| inside(span, text)) {
        Some(span) => {
            title.element(Snippet::source(text).path(file).annotation(AnnotationKind::Primary.span(span)))
        }
        None if file.is_empty() => Group::with_title(title),
        None => title.element(annotate_snippets::Origin::path(file)),
    }
}

/// The span, kept inside the text and off the middle of characters.
fn inside(span: Range<usize>, text: &str) -> Option<Range<usize>> {
    let boundary = |at: usize| (0..=at.min(text.len())).rev().find(|at| text.is_char_boundary(*at));
    let end = boundary(span.end)?;
    let start = boundary(span.start.min(end))?;
    (!text.is_empty()).then_some(start..end)
}
