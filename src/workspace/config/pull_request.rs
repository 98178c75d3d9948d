//! The keys of `[pull-request]`: releases are made by merging a pull request.

use schemars::JsonSchema;
use serde::Deserialize;

use crate::workspace::config::Config;
use crate::workspace::config::github::is_workflow;
use crate::workspace::config::ledger::branch_fault;
use crate::workspace::config::problem::Problem;
use crate::workspace::config::spanned::Node;
use crate::workspace::config::tables::Tables;

/// How releases become pull requests. With this table `release ship` releases what was merged, and nothing else.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct PullRequestTable {
    /// How many there are: one for all releases (default), one for each group, or one for each package.
    pub per: Option<Per>,
    /// The branch of the release commit (default: "release/next"); for a group or a package with its name behind it.
    pub branch: Option<String>,
    /// The title, with {releases} and {branch} (default: the release commit's first line).
    pub title: Option<String>,
    /// Labels that it gets.
    pub labels: Vec<String>,
    /// Who makes the release commit: git (default), or the API of the forge, which signs it.
    pub commits: Option<Commits>,
    /// Workflow files that are dispatched on the branch, where a push of the job's own token starts none: ["ci.yml"].
    pub checks: Vec<String>,
}

/// What one pull request releases.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Per {
    /// All there is to release.
    #[default]
    All,
    /// The packages of one group; a package without a group has one of its own.
    Group,
    /// One package.
    Package,
}

/// Who makes the release commit.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Commits {
    /// git, and a push.
    #[default]
    Git,
    /// The API, so that the forge signs it.
    Api,
}

const BRANCH: &str = "release/next";

impl PullRequestTable {
    /// The branch of the pull request that stands for a name; of the only one without.
    pub fn branch_for(&self, name: Option<&str>) -> String {
        let branch = self.branch.as_deref().unwrap_or(BRANCH);
        name.map_or_else(|| branch.to_owned(), |name| format!("{branch}/{name}"))
    }
}

impl Config {
    /// How releases become pull requests, where they do.
    pub fn pull_request(&self) -> Option<&PullRequestTable> {
        self.tables.pull_request.as_ref()
    }
}

/// What is wrong between the keys of `[pull-request]`.
pub(in crate::workspace::config) fn check(tables: &Tables, document: &Node) -> Vec<Problem> {
    let Some(table) = &tables.pull_request else { return Vec::new() };
    let mut problems = Vec::new();
    let place = |key: &str| document.place_of(&["pull-request", key]);
    if let Some(branch) = &table.branch {
        problems.extend(branch_fault(branch, place("branch")));
        if tables.workspace.branch.as_ref() == Some(branch) {
            let problem = Problem::new(place("branch"), format!("releases are made from branch `{branch}`"));
            problems
                .push(problem.with_help("the release commit needs a branch of its own until it is merged"));
        }
    }
    if table.title.as_deref().is_some_and(|title| title.trim().is_empty() || title.contains(char::is_control))
    {
        let problem = Problem::new(place("title"), "a title is one line of text");
        problems.push(problem.with_help("for example \"release {releases}\""));
    }
    for check in &table.checks {
        if !is_workflow(check) {
            let problem = Problem::new(place("checks"), format!("`{check}` is no name of a workflow file"));
            problems.push(problem.with_help("name it as it stands in `.github/workflows`: \"ci.yml\""));
        }
    }
    if table.labels.iter().any(|label| label.trim().is_empty() || label.contains(char::is_control)) {
        let problem = Problem::new(place("labels"), "a label is one line of text");
        problems.push(problem.with_help("take the empty one out"));
    }
    problems
}

#[cfg(test)]
mod tests {
    use crate::workspace::config::{Config, ConfigPlace};

    fn read(text: &str) -> Result<Config, String> {
        let config = Config::read(text, "release.toml", ConfigPlace::File);
        config.map_err(|problems| problems.render("release.toml", text, 120, false))
    }

    #[test]
    fn an_empty_table_turns_it_on() {
        assert!(read("").unwrap().pull_request().is_none());
        let config = read("[pull-request]\n").unwrap();
        let table = config.pull_request().unwrap();
        assert_eq!(table.branch_for(None), "release/next");
        assert_eq!(table.branch_for(Some("core")), "release/next/core");
    }

    #[test]
    fn what_git_or_the_forge_would_refuse_is_refused_here() {
        let check = |text: &str, expected: &str| {
            let found = read(&format!("[pull-request]\n{text}")).unwrap_err();
            assert!(found.contains(expected), "{found}");
        };
        check("branch = \"a..b\"", "git does not allow");
        check("branch = \"-x\"", "git does not allow");
        check("title = \"\"", "one line");
        check("checks = [\"../ci.yml\"]", "no name of a workflow file");
        check("labels = [\"\"]", "a label");
        check("per = \"release\"", "per");
    }
}
