//! Runs a template over data. Templates see their data and nothing else: no files, no other templates.

use std::collections::BTreeSet;

use minijinja::syntax::SyntaxConfig;
use minijinja::value::{Serde, Value};
use minijinja::{AutoEscape, Environment, Error, ErrorKind, UndefinedBehavior};
use serde::Serialize;

use crate::render::notes::{NotesData, NotesDependency, NotesEntry, NotesSection};
use crate::render::rst;

/// A template and the file it came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Template<'a> {
    /// For messages: the file's path.
    pub name: &'a str,
    pub text: &'a str,
}

/// Why a template gave no text.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("template `{template}`, line {line}: {message}{}", hint(.fields))]
pub struct RenderError {
    pub template: String,
    pub line: usize,
    pub message: String,
    /// The fields that exist, where one was named that does not.
    pub fields: Vec<String>,
}

/// A template that was parsed: it renders any number of releases.
#[derive(Debug)]
pub struct Parsed<'a> {
    template: Template<'a>,
    environment: Environment<'a>,
}

impl<'a> Parsed<'a> {
    /// # Errors
    /// Where the template does not parse.
    pub fn parse(template: Template<'a>) -> Result<Parsed<'a>, RenderError> {
        let mut environment = environment();
        environment.add_template(template.name, template.text).map_err(|error| failure(&template, &error))?;
        Ok(Parsed { template, environment })
    }

    /// Renders with Jinja's rules: block tags take no line of their own, a field that does not exist is an error.
    ///
    /// # Errors
    /// Where the template fails on the data.
    pub fn render(&self, data: &Seen) -> Result<String, RenderError> {
        let template = self.environment.get_template(self.template.name);
        template
            .and_then(|template| template.render(data.0.clone()))
            .map_err(|error| failure(&self.template, &error))
    }
}

/// A release's data as templates see it, made once for all of them.
pub struct Seen(Value);

impl Seen {
    pub fn of(data: &NotesData) -> Seen {
        Seen(Value::from(Serde(data)))
    }
}

/// How many instructions a template may take: far more than notes need, so that a loop without end ends.
const FUEL: u64 = 20_000_000;

fn environment<'a>() -> Environment<'a> {
    let mut environment = Environment::new();
    environment.set_auto_escape_callback(|_| AutoEscape::None);
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    environment.set_fuel(Some(FUEL));
    environment.set_debug(true);
    if let Ok(syntax) =
        SyntaxConfig::builder().trim_blocks(true).lstrip_blocks(true).keep_trailing_newline(true).build()
    {
        environment.set_syntax(syntax);
    }
    environment.add_filter("underline", underline);
    environment
}

/// `{{ title | underline("-") }}`: as many signs as the title is wide.
fn underline(title: &str, sign: &str) -> String {
    rst::underline(title, sign.chars().next().unwrap_or('-'))
}

fn failure(template: &Template<'_>, error: &Error) -> RenderError {
    let unknown = error.kind() == ErrorKind::UndefinedError;
    let message = match error.detail() {
        Some(detail) => format!("{}: {detail}", error.kind()),
        None => error.kind().to_string(),
    };
    RenderError {
        template: template.name.to_owned(),
        line: error.line().unwrap_or(1),
        message: message.trim_end_matches('.').to_owned(),
        fields: if unknown { fields() } else { Vec::new() },
    }
}

fn hint(fields: &[String]) -> String {
    if fields.is_empty() { String::new() } else { format!("; there are {}", fields.join("; ")) }
}

/// The names of all fields, level by level, read off the types themselves.
fn fields() -> Vec<String> {
    let names = |level: &str, names: BTreeSet<String>| {
        format!("{level}{}", names.into_iter().collect::<Vec<_>>().join(", "))
    };
    vec![
        names("", keys(&NotesData::default())),
        names("in a section: ", keys(&NotesSection::default())),
        names("in an entry: ", keys(&NotesEntry::default())),
        names("in a dependency: ", keys(&NotesDependency::default())),
    ]
}

fn keys<T: Serialize>(value: &T) -> BTreeSet<String> {
    match serde_json::to_value(value) {
        Ok(serde_json::Value::Object(object)) => object.keys().cloned().collect(),
        _ => BTreeSet::new(),
    }
}
