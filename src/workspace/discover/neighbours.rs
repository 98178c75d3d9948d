//! Other release tools that the repository is set up for, and the tag formats that they declare.

use crate::workspace::config::spanned::{Kind, Node};
use crate::workspace::discover::{RepoFile, folder_of};
use crate::workspace::path::RepoPath;

/// Another tool's configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Neighbour {
    pub tool: &'static str,
    pub path: String,
    /// The tag format that it declares, written as this tool writes it.
    pub format: Option<String>,
    /// A declared format that can not be written so.
    pub unreadable: Option<String>,
    /// The folder it stands in.
    pub folder: RepoPath,
}

/// Files that belong to one tool alone.
const FILES: [(&str, &str); 12] = [
    ("release-please-config.json", "release-please"),
    (".release-please-manifest.json", "release-please"),
    (".changeset/config.json", "changesets"),
    (".bumpversion.toml", "bump-my-version"),
    (".bumpversion.cfg", "bumpversion"),
    ("towncrier.toml", "towncrier"),
    (".cz.toml", "commitizen"),
    ("cz.toml", "commitizen"),
    (".cz.json", "commitizen"),
    ("cz.json", "commitizen"),
    (".releaserc", "semantic-release"),
    (".releaserc.json", "semantic-release"),
];

/// Tables of `pyproject.toml` (or a tool's own TOML file) that configure a tool.
const TABLES: [(&str, &str); 5] = [
    ("semantic_release", "python-semantic-release"),
    ("commitizen", "commitizen"),
    ("towncrier", "towncrier"),
    ("bumpversion", "bump-my-version"),
    ("release-please", "release-please"),
];

pub fn is_read(path: &str) -> bool {
    own_tool(path).is_some()
}

/// Every other tool's configuration, in the order of the files.
pub fn find(files: &[RepoFile]) -> Vec<Neighbour> {
    let mut found = Vec::new();
    for file in files {
        let name = own_tool(&file.path).map(|(name, _)| name).or_else(|| {
            ["pyproject.toml", "setup.cfg"].into_iter().find(|name| folder_of(&file.path, name).is_some())
        });
        let Some(folder) = name.and_then(|name| folder_of(&file.path, name)) else { continue };
        let in_tables = in_tables(file, &folder);
        if let (true, Some((_, tool))) = (in_tables.is_empty(), own_tool(&file.path)) {
            found.push(Neighbour { tool, path: file.path.clone(), format: None, unreadable: None, folder });
        } else if name == Some("setup.cfg") && file.text.lines().any(|line| line.trim() == "[bumpversion]") {
            let tool = "bumpversion";
            found.push(Neighbour { tool, path: file.path.clone(), format: None, unreadable: None, folder });
        }
        found.extend(in_tables);
    }
    found
}

fn own_tool(path: &str) -> Option<(&'static str, &'static str)> {
    FILES.into_iter().find(|(name, _)| folder_of(path, name).is_some())
}

fn in_tables(file: &RepoFile, folder: &RepoPath) -> Vec<Neighbour> {
    if !file.path.ends_with(".toml") {
        return Vec::new();
    }
    let Ok(document) = Node::read(&file.text) else { return Vec::new() };
    TABLES
        .into_iter()
        .filter_map(|(key, tool)| Some((tool, document.at(&["tool", key])?)))
        .filter(|(_, table)| matches!(table.kind, Kind::Table(_)))
        .map(|(tool, table)| {
            let declared = table.at(&["tag_format"]).and_then(Node::as_text);
            let format = declared.and_then(translate);
            let unreadable = declared.filter(|_| format.is_none()).map(str::to_owned);
            Neighbour { tool, path: file.path.clone(), format, unreadable, folder: folder.clone() }
        })
        .collect()
}

/// A declared format in our own writing: commitizen writes `$version` or `${version}`, the others `{version}`.
fn translate(declared: &str) -> Option<String> {
    let ours = declared.replace("${version}", "{version}").replace("$version", "{version}");
    let is_ours =
        !ours.contains('$') && ours.matches('{').count() == 1 && ours.matches("{version}").count() == 1;
    is_ours.then_some(ours)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn declared_formats_are_translated() {
        assert_eq!(translate("v{version}").as_deref(), Some("v{version}"));
        assert_eq!(translate("core-v$version").as_deref(), Some("core-v{version}"));
        assert_eq!(translate("${version}").as_deref(), Some("{version}"));
        assert_eq!(translate("v$major.$minor.$patch$prerelease"), None);
        assert_eq!(translate("$version-{x}"), None);
    }

    #[test]
    fn other_tools_are_found_by_their_files_and_tables() {
        let file = |path: &str, text: &str| RepoFile { path: path.to_owned(), text: text.to_owned() };
        let found = find(&[
            file(
                "pyproject.toml",
                "[tool.semantic_release]\ntag_format = \"v{version}\"\n[tool.towncrier]\n",
            ),
            file(".release-please-manifest.json", "{}"),
            file("pkg/.cz.toml", "[tool.commitizen]\ntag_format = \"$major\"\n"),
            file(".changeset/config.json", "{}"),
            file("setup.cfg", "[bumpversion]\n"),
            file("core/pyproject.toml", "[project]\nname = \"core\"\n"),
        ]);
        let told: Vec<(&str, &str, Option<&str>)> = found
            .iter()
            .map(|neighbour| (neighbour.tool, neighbour.path.as_str(), neighbour.format.as_deref()))
            .collect();
        assert_eq!(
            told,
            [
                ("python-semantic-release", "pyproject.toml", Some("v{version}")),
                ("towncrier", "pyproject.toml", None),
                ("release-please", ".release-please-manifest.json", None),
                ("commitizen", "pkg/.cz.toml", None),
                ("changesets", ".changeset/config.json", None),
                ("bumpversion", "setup.cfg", None),
            ]
        );
        assert_eq!(found[3].unreadable.as_deref(), Some("$major"));
    }
}
