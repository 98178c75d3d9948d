//! A first `release.toml` for a repository, from its manifests and tags.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use crate::workspace::config::Config;
use crate::workspace::config::addresses::PYPI_UPLOAD;
use crate::workspace::discover::neighbours::{self, Neighbour};
use crate::workspace::discover::patterns::describe;
use crate::workspace::discover::tag_forms::{self, PackageForms, TagForms};
use crate::workspace::discover::{Candidate, Discovery, RepoFile, discover};
use crate::workspace::path::RepoPath;

/// What a repository's configuration could be, and what was seen.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Proposal {
    /// Patterns of the packages' folders, as few as describe them.
    pub packages: Vec<String>,
    /// The full names of the packages that were found.
    pub names: Vec<String>,
    /// The tag format in use; `None` where tags say nothing.
    pub tag: Option<String>,
    /// How many tags are written so.
    pub tag_count: usize,
    pub aliases: Vec<String>,
    pub strip: Option<String>,
    /// The branch to release from; the caller knows it.
    pub branch: Option<String>,
    /// What differs for a package, by its full name.
    pub of_packages: BTreeMap<String, OfPackage>,
    /// What was found, in words.
    pub notes: Vec<String>,
    /// Whether the only package stands at the root.
    is_single_root: bool,
}

/// What differs for one package.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct OfPackage {
    pub name: Option<String>,
    pub tag: Option<String>,
    pub tag_aliases: Vec<String>,
}

/// Looks at the files and tags of a repository without a configuration.
pub fn propose(files: &[RepoFile], tags: &[String]) -> Proposal {
    let (found, faults) = match discover(&Config::default(), files) {
        Ok(found) => (found, Vec::new()),
        Err(problems) => {
            (Discovery::default(), problems.into_iter().map(|problem| problem.message).collect())
        }
    };
    let neighbours = neighbours::find(files);
    let declared: Vec<String> = neighbours
        .iter()
        .filter(|neighbour| declares_for_a_package(neighbour, &found))
        .filter_map(|neighbour| neighbour.format.clone())
        .collect();
    let forms = tag_forms::find(&found.packages, tags, &declared);
    let folders: Vec<RepoPath> = found.packages.iter().map(|package| package.folder.clone()).collect();
    let others: Vec<RepoPath> = found.left_out.iter().map(|left| left.folder.clone()).collect();
    let mut notes = faults;
    notes.extend(about_packages(&found));
    notes.extend(about_tags(&forms, &found));
    notes.extend(about_neighbours(&neighbours));
    let of_packages = forms
        .packages
        .iter()
        .map(|(package, own)| (found.packages[*package].name.to_string(), of_package(own)));
    Proposal {
        packages: describe(&folders, &others),
        names: found.packages.iter().map(|package| package.name.to_string()).collect(),
        of_packages: of_packages.collect(),
        tag: forms.tag,
        tag_count: forms.count,
        aliases: forms.aliases,
        strip: forms.strip,
        branch: None,
        notes,
        is_single_root: found.is_single_root(),
    }
}

impl Proposal {
    /// The text of a `release.toml`: what differs from the defaults, the rest as comments.
    pub fn to_toml(&self) -> String {
        let mut text = String::from(
            "# How this repository is released. Every key may be left out; `release plan` shows what comes of it.\n\n\
             [workspace]\n",
        );
        self.write_packages(&mut text);
        self.write_tags(&mut text);
        if let Some(branch) = &self.branch {
            let _ = writeln!(text, "branch = {}", quoted(branch));
        }
        text.push_str(
            "\n# [versioning]\n\
             # types = { docs = \"patch\" }        # sizes of further types; feat, fix, perf and revert have theirs\n\
             # dependents = \"out-of-range\"       # who is released with a dependency: never, out-of-range, always\n",
        );
        for (name, own) in &self.of_packages {
            write_package(&mut text, name, own);
        }
        self.write_index(&mut text);
        text
    }

    fn write_packages(&self, text: &mut String) {
        if self.packages.is_empty() {
            text.push_str(
                "# packages = [\"packages/*\"]         # no package was found: name their folders here\n",
            );
            return;
        }
        let names = list_in_words(&self.names, 3);
        let _ = writeln!(text, "packages = {} # {names}", quoted_list(&self.packages));
    }

    fn write_tags(&self, text: &mut String) {
        let default = if self.is_single_root { "v{version}" } else { "{name}-v{version}" };
        match &self.tag {
            Some(tag) if tag != default => {
                let _ = writeln!(text, "tag = {} # as {} written", quoted(tag), tags_are(self.tag_count));
            }
            Some(_) => {
                let _ = writeln!(
                    text,
                    "# tag = {} # the default, as {} written",
                    quoted(default),
                    tags_are(self.tag_count)
                );
            }
            None => {
                let _ = writeln!(text, "# tag = {} # the default", quoted(default));
            }
        }
        if !self.aliases.is_empty() {
            let _ = writeln!(
                text,
                "aliases = {} # formats of older tags, still read",
                quoted_list(&self.aliases)
            );
        }
        match (&self.strip, self.shared_prefix()) {
            (Some(strip), _) => {
                let _ = writeln!(text, "strip = {} # {}", quoted(strip), self.strip_in_words(strip));
            }
            (None, Some(prefix)) if self.tag.is_none() => {
                let _ = writeln!(text, "# strip = {} # {}", quoted(&prefix), self.strip_in_words(&prefix));
            }
            _ => {}
        }
    }

    fn strip_in_words(&self, prefix: &str) -> String {
        let example = self.names.iter().find_map(|name| Some((name, name.strip_prefix(prefix)?)));
        match example {
            Some((name, short)) => one_line(&format!("{name} is `{short}` in tags, commands and reports")),
            None => "short names leave it out".to_owned(),
        }
    }

    /// The first word of all names, where there are several packages.
    fn shared_prefix(&self) -> Option<String> {
        let (first, others) = self.names.split_first()?;
        let (word, _) = first.split_once('-')?;
        let prefix = format!("{word}-");
        (!others.is_empty() && others.iter().all(|name| name.starts_with(&prefix))).then_some(prefix)
    }

    fn write_index(&self, text: &mut String) {
        let example = self.names.first().map_or("NAME", String::as_str);
        let _ = write!(
            text,
            "\n# Releases go to the folder dist/index until an index is named:\n\
             # [index.pypi]\n\
             # upload = \"{PYPI_UPLOAD}\"\n\
             # auth = \"trusted\"                  # or \"token\"\n\
             # [package.{example}]\n\
             # index = \"pypi\"\n"
        );
    }
}

/// A format without a name, declared beside many packages, is one for the whole repository.
fn declares_for_a_package(neighbour: &Neighbour, found: &Discovery) -> bool {
    found.packages.len() == 1 || found.packages.iter().any(|package| package.folder == neighbour.folder)
}

fn of_package(own: &PackageForms) -> OfPackage {
    OfPackage { name: own.name.clone(), tag: own.tag.clone(), tag_aliases: own.aliases.clone() }
}

fn write_package(text: &mut String, name: &str, own: &OfPackage) {
    let _ = writeln!(text, "\n[package.{}]", key(name));
    if let Some(short) = &own.name {
        let _ = writeln!(text, "name = {}", quoted(short));
    }
    if let Some(tag) = &own.tag {
        let _ = writeln!(text, "tag = {}", quoted(tag));
    }
    if !own.tag_aliases.is_empty() {
        let _ = writeln!(text, "tag-aliases = {}", quoted_list(&own.tag_aliases));
    }
}

fn about_packages(found: &Discovery) -> Vec<String> {
    let mut notes = Vec::new();
    let named = |package: &Candidate| format!("`{}` ({})", package.name, package.folder);
    let names: Vec<String> = found.packages.iter().map(named).collect();
    notes.push(match names.len() {
        0 => "no package was found: no `pyproject.toml` with a name".to_owned(),
        1 => format!("1 package: {}", names[0]),
        count => format!("{count} packages: {}", list_in_words(&names, 12)),
    });
    notes.extend(found.left_out.iter().map(|left| format!("`{}` is left out: {}", left.folder, left.reason)));
    notes
}

fn about_tags(forms: &TagForms, found: &Discovery) -> Vec<String> {
    let mut notes = Vec::new();
    match &forms.tag {
        Some(tag) if forms.count > 0 => notes.push(format!("{} written `{tag}`", tags_are(forms.count))),
        Some(tag) => notes.push(format!("no tag is there yet; `{tag}` is declared by another tool")),
        None if !found.packages.is_empty() => notes.push("no tag of a package was found".to_owned()),
        None => {}
    }
    if let Some(strip) = &forms.strip {
        notes.push(format!("names in tags leave out `{strip}`"));
    }
    for alias in &forms.aliases {
        notes.push(format!("older tags are written `{alias}`"));
    }
    for (package, own) in &forms.packages {
        let name = &found.packages[*package].name;
        notes.extend(own.name.iter().map(|short| format!("`{name}` is called `{short}` in its tags")));
        notes.extend(own.tag.iter().map(|tag| format!("tags of `{name}` are written `{tag}`")));
    }
    for (stranger, count) in &forms.strangers {
        notes.push(format!(
            "{} of `{stranger}`, which is no package here: retired or renamed",
            tags_are(*count)
        ));
    }
    if !forms.nameless.is_empty() {
        notes
            .push(format!("for the whole repository, not for a package: {}", tags_in_words(&forms.nameless)));
    }
    if !forms.unread.is_empty() {
        notes.push(format!("no version is read from {}", tags_in_words(&forms.unread)));
    }
    notes.into_iter().map(|note| one_line(&note)).collect()
}

fn about_neighbours(neighbours: &[Neighbour]) -> Vec<String> {
    neighbours
        .iter()
        .map(|neighbour| {
            let format = match (&neighbour.format, &neighbour.unreadable) {
                (Some(format), _) => format!(" with the tag format `{format}`"),
                (None, Some(format)) => format!(" with a tag format that is not taken over: `{format}`"),
                (None, None) => String::new(),
            };
            one_line(&format!("`{}` configures {}{format}", neighbour.path, neighbour.tool))
        })
        .collect()
}

fn tags_are(count: usize) -> String {
    if count == 1 { "1 tag is".to_owned() } else { format!("{count} tags are") }
}

fn tags_in_words(tags: &[String]) -> String {
    let ticked: Vec<String> = tags.iter().map(|tag| format!("`{tag}`")).collect();
    list_in_words(&ticked, 5)
}

fn list_in_words(items: &[String], most: usize) -> String {
    let shown = items.iter().take(most).cloned().collect::<Vec<_>>().join(", ");
    match items.len().saturating_sub(most) {
        0 => one_line(&shown),
        more => one_line(&format!("{shown} and {more} more")),
    }
}

/// Names and paths of a repository may hold anything; a comment and a message hold one line.
fn one_line(text: &str) -> String {
    text.chars().map(|character| if character.is_control() { '\u{fffd}' } else { character }).collect()
}

fn quoted(text: &str) -> String {
    toml_edit::Value::from(text).to_string()
}

fn quoted_list(items: &[String]) -> String {
    format!("[{}]", items.iter().map(|item| quoted(item)).collect::<Vec<_>>().join(", "))
}

fn key(name: &str) -> String {
    toml_edit::Key::new(name).to_string()
}
