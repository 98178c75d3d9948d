//! The keys of `[github]`: that the repository is at GitHub, and what is done there.

use std::borrow::Cow;
use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{Error, Unexpected, Visitor};
use serde::{Deserialize, Deserializer};

use crate::workspace::config::Config;
use crate::workspace::config::merge_method::MergeMethod;
use crate::workspace::config::problem::Problem;
use crate::workspace::config::spanned::Node;
use crate::workspace::config::tables::Tables;
use crate::workspace::config::text;

/// What is done at GitHub, where the repository is; an empty table is enough.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct GitHubTable {
    /// The repository, "owner/name" (default: as the git remote's address says).
    pub repository: Option<String>,
    /// The address of the REST interface (default: as the remote's host says; of a server <https://HOST/api/v3>).
    #[schemars(with = "Option<text::Url>")]
    pub api: Option<String>,
    /// Whether each release is one at GitHub too: a draft keeps the sealed files, and is published last (default: true).
    pub releases: Option<bool>,
    /// The package whose highest stable release GitHub calls "latest"; false for none (default: the only package).
    pub latest: Option<Latest>,
    /// How pull requests are merged: merge (default), squash or rebase. With squash their titles count.
    pub merge: MergeMethod,
    /// Whether pull requests and issues are told which release they came with (default: false).
    pub comment: bool,
    /// The labels that they get then.
    pub labels: Vec<String>,
    /// Whether deployments are shown at GitHub, in environments of the same names (default: false); `github` of an
    /// environment names another.
    pub deployments: bool,
    /// The file of the workflow that finishes a claimed release, in `.github/workflows` (default: "release.yml"). It takes
    /// a dispatch with an input `tag`.
    pub workflow: Option<String>,
}

/// Whose releases are GitHub's "latest": it has one for the whole repository.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Latest {
    Package(String),
    None,
}

impl<'de> Deserialize<'de> for Latest {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Latest, D::Error> {
        deserializer.deserialize_any(LatestVisitor)
    }
}

struct LatestVisitor;

impl Visitor<'_> for LatestVisitor {
    type Value = Latest;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a package or false")
    }

    fn visit_bool<E: Error>(self, wanted: bool) -> Result<Latest, E> {
        if wanted { Err(E::invalid_value(Unexpected::Bool(true), &self)) } else { Ok(Latest::None) }
    }

    fn visit_str<E: Error>(self, name: &str) -> Result<Latest, E> {
        Ok(Latest::Package(name.to_owned()))
    }
}

impl JsonSchema for Latest {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Latest".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "anyOf": [{ "type": "string" }, { "const": false }] })
    }
}

impl GitHubTable {
    /// Whether releases are made there.
    pub fn releases(&self) -> bool {
        self.releases.unwrap_or(true)
    }

    /// The file of the workflow that finishes a claimed release.
    pub fn workflow(&self) -> &str {
        self.workflow.as_deref().unwrap_or("release.yml")
    }
}

impl Config {
    /// What is done at GitHub; `None` where nothing is.
    pub fn github(&self) -> Option<&GitHubTable> {
        self.tables.github.as_ref()
    }
}

/// What is wrong between the keys of `[github]` and the rest.
pub(in crate::workspace::config) fn check(tables: &Tables, document: &Node) -> Vec<Problem> {
    let Some(table) = &tables.github else { return mirrors_of_nothing(tables, document) };
    let place = |key: &str| document.place_of(&["github", key]);
    let mut problems = Vec::new();
    if let Some(repository) = table.repository.as_deref().filter(|repository| !is_repository(repository)) {
        let problem =
            Problem::new(place("repository"), format!("`{repository}` is no repository of GitHub's"));
        problems.push(problem.with_help("write its owner and its name: \"owner/name\""));
    }
    if let Some(label) = table.labels.iter().find(|label| !is_label(label)) {
        let problem = Problem::new(place("labels"), format!("`{label}` is no label"));
        problems.push(problem.with_help("a label has 1 to 50 characters and no comma"));
    }
    if let Some(file) = table.workflow.as_deref().filter(|file| !is_workflow(file)) {
        let problem = Problem::new(place("workflow"), format!("`{file}` is no file of a workflow"));
        problems.push(problem.with_help("write the name alone: \"release.yml\""));
    }
    if tables.workspace.remote.as_deref() == Some("") {
        let problem = Problem::new(document.place_of(&["github"]), "`remote = \"\"` keeps everything here");
        problems.push(
            problem.with_help("name the `remote` of `[workspace]` that is at GitHub, or take `[github]` out"),
        );
    }
    if table.latest.is_some() && !table.releases() {
        let problem = Problem::new(place("latest"), "`latest` means nothing without releases at GitHub");
        problems.push(problem.with_help("take it out, or `releases = false`"));
    }
    problems
}

/// Environments that name one at GitHub, where nothing is done there.
fn mirrors_of_nothing(tables: &Tables, document: &Node) -> Vec<Problem> {
    let named = tables.environment.iter().filter(|(_, environment)| environment.github.is_some());
    named
        .map(|(name, _)| {
            let place = document.place_of(&["environment", name, "github"]);
            Problem::new(place, "nothing is done at GitHub").with_help("add `[github]`, or take `github` out")
        })
        .collect()
}

/// A label as GitHub takes it.
fn is_label(text: &str) -> bool {
    !text.trim().is_empty() && text.chars().count() <= 50 && !text.contains([',', '\n'])
}

/// The name of a file in `.github/workflows`.
pub(in crate::workspace::config) fn is_workflow(text: &str) -> bool {
    let known = |one: char| one.is_ascii_alphanumeric() || "-_.".contains(one);
    let stem = text.strip_suffix(".yml").or_else(|| text.strip_suffix(".yaml"));
    stem.is_some_and(|stem| !stem.is_empty() && stem.chars().all(known))
}

fn is_repository(text: &str) -> bool {
    let is_part = |part: &str| {
        let known = |one: char| one.is_ascii_alphanumeric() || "-_.".contains(one);
        !part.is_empty() && part != "." && part != ".." && part.chars().all(known)
    };
    text.split_once('/').is_some_and(|(owner, name)| is_part(owner) && is_part(name))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::workspace::config::ConfigPlace;

    fn read(text: &str) -> Result<Config, String> {
        let config = Config::read(text, "release.toml", ConfigPlace::File);
        config.map_err(|problems| problems.render("release.toml", text, 120, false))
    }

    #[test]
    fn an_empty_table_is_enough() {
        assert_eq!(read("").unwrap().github(), None);
        assert_eq!(read("[github]").unwrap().github(), Some(&GitHubTable::default()));
        assert_eq!(GitHubTable::default().workflow(), "release.yml");
    }

    #[test]
    fn what_names_no_repository_is_refused() {
        let check = |text: &str, expected: &str| {
            let said = read(text).unwrap_err();
            assert!(said.contains(expected) && said.contains("help:"), "{text}\n{said}");
        };
        for repository in ["tools", "a/b/c", "https://github.com/a/b", "a/", "a/..", "a b/c"] {
            let text = format!("[github]\nrepository = \"{repository}\"");
            check(&text, "is no repository of GitHub's");
        }
        for file in ["release", ".yml", ".github/workflows/release.yml", "a b.yml"] {
            check(&format!("[github]\nworkflow = \"{file}\""), "is no file of a workflow");
        }
        check("[github]\napi = \"ghe.example\"", "ghe.example");
        check("[github]\nreleases = false\nlatest = \"core\"", "means nothing without releases");
        check("[github]\n[workspace]\nremote = \"\"", "keeps everything here");
        assert!(read("[github]\nlatest = true").unwrap_err().contains("must be a text or false"));
        check("[github]\nlabels = [\"\"]", "is no label");
        check("[environment.staging]\ngithub = \"stage\"", "nothing is done at GitHub");
        check("[github]\nmerge = \"octopus\"", "octopus");
        check("[github]\nrepo = \"a/b\"", "unknown key `repo` in `[github]`");
    }
}
