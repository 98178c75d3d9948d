//! The configuration: `release.toml`, read with every problem at once.

pub mod addresses;
pub mod condition;
pub mod environment;
pub mod fit;
mod foreign;
pub mod github;
pub mod hook;
mod image_text;
pub mod ledger;
mod meaning;
pub mod merge_method;
pub mod nearest;
pub mod package;
pub mod placeholder;
pub mod problem;
mod proofs;
pub mod pull_request;
pub mod schedule;
pub mod settings;
pub mod spanned;
pub mod tables;
pub mod text;
pub mod versioning;
mod walk;
pub mod week;
pub mod workflows;
mod written;
pub mod zone;

use std::collections::BTreeMap;
use std::time::Duration;

use schemars::generate::SchemaSettings;
use schemars::transform::RecursiveTransform;
use serde::Deserialize;

use crate::workspace::config::problem::{Problem, Problems};
use crate::workspace::config::settings::{GroupMode, LOCAL_INDEX};
use crate::workspace::config::spanned::{Kind, Node, Place};
use crate::workspace::config::tables::{Auth, Frontend, IndexTable, Tables};
use crate::workspace::config::written::written_schema;

/// How long a file may take until an index lists it: its caches may be slow.
const VISIBLE_WITHIN: Duration = Duration::from_secs(1800);

/// The configuration of a repository; the default one where there is no file.
#[derive(Debug, Clone, PartialEq)]
pub struct Config {
    /// The tables as written.
    pub tables: Tables,
    /// The document, for the places of what is found wrong later.
    document: Node,
}

/// Where a configuration stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ConfigPlace {
    /// `release.toml` at the root, or a file that was named.
    File,
    /// `.config/release.toml`.
    DotConfig,
    /// `[tool.release]` in `pyproject.toml`.
    Pyproject,
}

impl Index {
    /// Where it takes uploads; none for a folder.
    pub fn upload_address(&self) -> Option<&str> {
        match self {
            Index::Directory(_) => None,
            Index::Remote { upload, .. } => Some(upload),
        }
    }
}

/// An index, complete.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Index {
    /// A folder that pip and uv can install from.
    Directory(String),
    /// An address that takes uploads; `simple` lists what it holds.
    Remote {
        upload: String,
        simple: Option<String>,
        auth: Auth,
        /// Whether files are signed with the CI's identity (PEP 740).
        attestations: bool,
        /// Whether plain http may go to another machine.
        insecure: bool,
        /// How long a file may take until it is listed.
        visible_within: Duration,
    },
}

impl Default for Config {
    fn default() -> Config {
        Config { tables: Tables::default(), document: Node { place: None, kind: Kind::Table(Vec::new()) } }
    }
}

impl Config {
    /// Reads a configuration; `file` is what messages call it.
    ///
    /// # Errors
    /// All problems of the file at once.
    pub fn read(text: &str, file: &str, place: ConfigPlace) -> Result<Config, Problems> {
        let failed = |list: Vec<Problem>| Problems::new(file, list);
        let whole = Node::read(text).map_err(|error| {
            failed(vec![Problem::new(error.place, format!("no TOML: {}", error.message))])
        })?;
        let mut document = match place {
            ConfigPlace::File | ConfigPlace::DotConfig => whole,
            ConfigPlace::Pyproject => {
                whole.at(&["tool", "release"]).cloned().unwrap_or(Config::default().document)
            }
        };
        let mut problems = Vec::new();
        if let Some((ours, problem)) = foreign::recognise(&document) {
            document = ours;
            problems.push(problem);
        }
        let (fitting, misfits) = walk::walk(written_schema(), &document);
        problems.extend(misfits);
        match Tables::deserialize(&fitting) {
            Ok(tables) => {
                problems.extend(meaning::check(&tables, &document));
                if problems.is_empty() {
                    return Ok(Config { tables, document });
                }
            }
            Err(error) => problems.push(Problem::new(None, error.to_string())),
        }
        Err(failed(problems))
    }

    /// Whether a `pyproject.toml` holds a configuration. One that is no TOML may, and reading it tells what is wrong.
    pub fn stands_in_pyproject(text: &str) -> bool {
        Node::read(text).map_or(true, |document| document.at(&["tool", "release"]).is_some())
    }

    /// The JSON Schema (2020-12) of the configuration, made from the same types.
    pub fn schema() -> serde_json::Value {
        let generator = SchemaSettings::draft2020_12()
            .with_transform(RecursiveTransform(|schema: &mut schemars::Schema| tidy(schema)))
            .into_generator();
        let mut schema = generator.into_root_schema_for::<Tables>();
        schema.insert("title".to_owned(), "release.toml".into());
        schema.to_value()
    }

    /// Where an item of a list stands in the file; for problems that are found later.
    pub fn place_of_item(&self, keys: &[&str], item: usize) -> Place {
        self.document.at(keys)?.items().get(item)?.place.clone()
    }

    pub fn branch(&self) -> Option<&str> {
        self.tables.workspace.branch.as_deref()
    }

    pub fn frontend(&self) -> Frontend {
        self.tables.build.frontend.unwrap_or_default()
    }

    /// Whether packages may share what they are built in.
    pub fn has_shared_builds(&self) -> bool {
        self.tables.build.shared.unwrap_or(true)
    }

    /// How long the build of one package may take.
    pub fn build_timeout(&self) -> Option<Duration> {
        self.tables.build.timeout.map(|span| Duration::from_secs(span.seconds))
    }

    /// The groups and how each moves.
    pub fn groups(&self) -> BTreeMap<String, GroupMode> {
        self.tables.group.iter().map(|(name, group)| (name.clone(), group.mode)).collect()
    }

    /// An index by name. The local folder is always there.
    pub fn index(&self, name: &str) -> Option<Index> {
        match self.tables.index.get(name) {
            Some(table) => Some(index(table)),
            None => (name == LOCAL_INDEX).then(|| index(&IndexTable::default())),
        }
    }

    /// The names of all indexes, the local folder included.
    pub fn index_names(&self) -> Vec<&str> {
        let mut names: Vec<&str> = self.tables.index.keys().map(String::as_str).collect();
        if !names.contains(&LOCAL_INDEX) {
            names.push(LOCAL_INDEX);
        }
        names.sort_unstable();
        names
    }
}

fn index(table: &IndexTable) -> Index {
    let directory = || Index::Directory(table.directory.clone().unwrap_or_else(|| "dist/index".to_owned()));
    table.upload.as_ref().map_or_else(directory, |upload| Index::Remote {
        upload: upload.clone(),
        simple: table.simple.clone().or_else(|| addresses::simple_of(upload).map(str::to_owned)),
        auth: table.auth.unwrap_or_default(),
        attestations: table.attestations.unwrap_or_default(),
        insecure: table.insecure.unwrap_or_default(),
        visible_within: table.visible_within.map_or(VISIBLE_WITHIN, |span| Duration::from_secs(span.seconds)),
    })
}

/// TOML has no null: an optional key is left out, so nothing in the schema needs to allow it. Descriptions are one line.
fn tidy(schema: &mut schemars::Schema) {
    let Some(object) = schema.as_object_mut() else { return };
    object.remove("default");
    if let Some(serde_json::Value::String(text)) = object.get_mut("description") {
        *text = text.replace('\n', " ");
    }
    if let Some(serde_json::Value::Array(types)) = object.get_mut("type") {
        types.retain(|kind| kind != "null");
        if let [only] = types.as_slice() {
            let only = only.clone();
            object.insert("type".to_owned(), only);
        }
    }
    if let Some(serde_json::Value::Array(words)) = object.get_mut("enum") {
        words.retain(|word| !word.is_null());
    }
    let is_null = |branch: &serde_json::Value| branch.get("type").is_some_and(|kind| kind == "null");
    let Some(serde_json::Value::Array(branches)) = object.get_mut("anyOf") else { return };
    branches.retain(|branch| !is_null(branch));
    if let [serde_json::Value::Object(only)] = branches.as_slice() {
        let only = only.clone();
        object.remove("anyOf");
        for (key, value) in only {
            object.entry(key).or_insert(value);
        }
    }
}

#[cfg(test)]
mod tests;
