//! `poetry.lock`: the versions of packages from folders, and the hash over a manifest's dependencies.

use std::collections::BTreeMap;

use serde_json::{Map, Number, Value as Json};
use sha2::{Digest as _, Sha256};
use toml_edit::{Item, TableLike, Value};

use crate::workspace::edit::{Change, apply};
use crate::workspace::lock::{LockError, LockStale, Locked, changed, name_of, packages};
use crate::workspace::manifest_toml::{Text, TomlReader};
use crate::workspace::name::PackageName;

/// What a release makes of a `poetry.lock`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PoetryLock {
    /// The lock stays true with these changes; with none it needs none.
    Changes(Vec<Change>),
    /// Only Poetry can renew it.
    Stale(LockStale),
}

/// A manifest before and after the release.
#[derive(Debug, Clone, Copy)]
pub struct Manifests<'t> {
    /// The manifest's file, for messages.
    pub path: &'t str,
    pub before: &'t str,
    pub after: &'t str,
}

/// The changes that keep a `poetry.lock` true when its manifest and packages of the workspace change.
///
/// The new hash is written only where the lock holds the hash of the manifest as it was: a lock that was stale
/// before, or that hashes otherwise, is not made to look fresh.
///
/// # Errors
/// Where one of the texts is no TOML, or a version in the lock can not be edited.
pub fn refresh(
    path: &str,
    text: &str,
    manifests: Manifests<'_>,
    versions: &BTreeMap<PackageName, String>,
) -> Result<PoetryLock, LockError> {
    let toml = TomlReader { path, text };
    let document = toml.parse()?;
    let stale = |reason: &str| {
        let (path, reason) = (path.to_owned(), reason.to_owned());
        Ok(PoetryLock::Stale(LockStale { path, reason, command: "poetry lock".to_owned() }))
    };
    let root = document.as_item();
    let metadata = root.get("metadata").and_then(Item::as_table_like);
    let hash = metadata.map(|table| toml.string(table, "content-hash")).transpose()?.flatten();
    let Some(Text { value: old, span, escaped: false }) = hash else {
        return stale("it holds no hash of its manifest");
    };
    let hashes = (content_hashes(manifests, manifests.before)?, content_hashes(manifests, manifests.after)?);
    let (Some(before), Some(after)) = hashes else {
        return stale("its manifest holds values that can not be hashed");
    };
    if let Some((name, dependency)) = constrained(root, versions) {
        return stale(&format!("it holds the constraint of `{name}` on `{dependency}`"));
    }
    let mut changes = changed(versions, &directory_versions(toml, root)?)?;
    if before != after {
        let Some(kind) = before.iter().position(|hash| *hash == old) else {
            return stale("it does not hold the hash of its manifest as it is now");
        };
        changes.push(Change::replace(span, &after[kind]));
    }
    let edited = apply(text.as_bytes(), &changes).ok().and_then(|bytes| String::from_utf8(bytes).ok());
    match edited {
        Some(edited) => TomlReader { path, text: &edited }.parse().map(|_| PoetryLock::Changes(changes)),
        None => return Err(LockError::Broken { path: path.to_owned() }),
    }
    .map_err(LockError::from)
}

/// Versions of packages whose source is a folder.
fn directory_versions(toml: TomlReader<'_>, root: &Item) -> Result<Vec<Locked>, LockError> {
    let mut found = Vec::new();
    for package in packages(root).filter(|package| is_from_folder(package)) {
        let text = toml.string(package, "version")?;
        let locked = name_of(package).zip(text);
        found.extend(locked.map(|(name, text)| Locked { name, text, path: toml.path.to_owned() }));
    }
    Ok(found)
}

fn is_from_folder(package: &toml_edit::Table) -> bool {
    let source = package.get("source").and_then(Item::as_table_like);
    source.and_then(|source| source.get("type")).and_then(Item::as_str) == Some("directory")
}

/// A package from a folder whose constraint on a released package the lock repeats: (package, dependency).
fn constrained(root: &Item, versions: &BTreeMap<PackageName, String>) -> Option<(PackageName, PackageName)> {
    packages(root).filter(|package| is_from_folder(package)).find_map(|package| {
        let dependencies = package.get("dependencies").and_then(Item::as_table_like)?;
        let is_constrained = |item: &Item| {
            item.is_str() || item.as_table_like().is_some_and(|table| table.contains_key("version"))
        };
        let mut listed = dependencies.iter().filter(|(_, item)| is_constrained(item));
        let name = listed.find_map(|(key, _)| versions.get_key_value(&PackageName::new(key)))?.0;
        Some((name_of(package)?, name.clone()))
    })
}

/// The hashes Poetry takes as fresh for a manifest: with dependency groups (PEP 735) and without, as before
/// Poetry 2.2. None where the manifest holds a value that has no JSON form.
///
/// The rule is `Locker._get_content_hash` of Poetry 2: SHA-256 of the JSON, keys sorted, of `[project]`'s
/// requires-python, dependencies and optional-dependencies, `[dependency-groups]` and `[tool.poetry]`'s
/// dependencies, source, extras, dev-dependencies and group.
fn content_hashes(manifests: Manifests<'_>, text: &str) -> Result<Option<[String; 2]>, LockError> {
    let document = TomlReader { path: manifests.path, text }.parse()?;
    let root = document.as_item();
    let hash = |with_groups| relevant(root, with_groups).map(|content| digest(&content));
    Ok(hash(true).zip(hash(false)).map(|(with, without)| [with, without]))
}

fn digest(content: &Json) -> String {
    let mut text = String::new();
    write_json(content, &mut text);
    Sha256::digest(text.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect()
}

fn relevant(root: &Item, with_groups: bool) -> Option<Json> {
    let project = chosen(root.get("project"), &["requires-python", "dependencies", "optional-dependencies"])?;
    let groups = match root.get("dependency-groups").filter(|_| with_groups) {
        Some(groups) => json(groups)?.as_object().cloned()?,
        None => Map::new(),
    };
    let table = root.get("tool").and_then(|tool| tool.get("poetry"));
    let legacy = ["dependencies", "source", "extras", "dev-dependencies"];
    let mut poetry = chosen(table, &[&legacy[..], &["group"]].concat())?;
    if project.is_empty() && groups.is_empty() {
        for key in legacy {
            poetry.entry(key).or_insert(Json::Null);
        }
        return Some(Json::Object(poetry));
    }
    let mut content = Map::new();
    for (key, part) in [("project", project), ("dependency-groups", groups)] {
        if !part.is_empty() {
            content.insert(key.to_owned(), Json::Object(part));
        }
    }
    content.insert(
        "tool".to_owned(),
        Json::Object(Map::from_iter([("poetry".to_owned(), Json::Object(poetry))])),
    );
    Some(Json::Object(content))
}

/// Those of the keys that the table has.
fn chosen(table: Option<&Item>, keys: &[&str]) -> Option<Map<String, Json>> {
    let present = keys.iter().filter_map(|key| Some((*key, table?.get(key)?)));
    present.map(|(key, item)| Some((key.to_owned(), json(item)?))).collect()
}

/// The value as Python's `json` sees it; none for dates (Python refuses them) and floats (it spells them its own way).
fn json(item: &Item) -> Option<Json> {
    if let Some(table) = item.as_table_like() {
        return table_json(table);
    }
    if let Some(tables) = item.as_array_of_tables() {
        return tables.iter().map(|table| table_json(table)).collect::<Option<_>>().map(Json::Array);
    }
    item.as_value().and_then(value_json)
}

fn table_json(table: &dyn TableLike) -> Option<Json> {
    let entries = table.iter().map(|(key, item)| Some((key.to_owned(), json(item)?)));
    entries.collect::<Option<_>>().map(Json::Object)
}

fn value_json(value: &Value) -> Option<Json> {
    match value {
        Value::String(text) => Some(Json::String(text.value().clone())),
        Value::Integer(number) => Some(Json::Number(Number::from(*number.value()))),
        Value::Boolean(truth) => Some(Json::Bool(*truth.value())),
        Value::Array(list) => list.iter().map(value_json).collect::<Option<_>>().map(Json::Array),
        Value::InlineTable(table) => table_json(table),
        Value::Float(_) | Value::Datetime(_) => None,
    }
}

/// Writes JSON as Python's `json.dumps(…, sort_keys=True)`: `, ` and `: `, ASCII only.
fn write_json(value: &Json, text: &mut String) {
    match value {
        Json::Object(map) => {
            let sorted: BTreeMap<&String, &Json> = map.iter().collect();
            text.push('{');
            for (index, (key, value)) in sorted.into_iter().enumerate() {
                text.push_str(if index > 0 { ", " } else { "" });
                write_string(key, text);
                text.push_str(": ");
                write_json(value, text);
            }
            text.push('}');
        }
        Json::Array(list) => {
            text.push('[');
            for (index, value) in list.iter().enumerate() {
                text.push_str(if index > 0 { ", " } else { "" });
                write_json(value, text);
            }
            text.push(']');
        }
        Json::String(string) => write_string(string, text),
        Json::Null | Json::Bool(_) | Json::Number(_) => text.push_str(&value.to_string()),
    }
}

fn write_string(string: &str, text: &mut String) {
    text.push('"');
    for c in string.chars() {
        match c {
            '"' => text.push_str("\\\""),
            '\\' => text.push_str("\\\\"),
            '\n' => text.push_str("\\n"),
            '\r' => text.push_str("\\r"),
            '\t' => text.push_str("\\t"),
            '\u{8}' => text.push_str("\\b"),
            '\u{c}' => text.push_str("\\f"),
            ' '..='~' => text.push(c),
            _ => c.encode_utf16(&mut [0; 2]).iter().for_each(|unit| text.push_str(&format!("\\u{unit:04x}"))),
        }
    }
    text.push('"');
}

#[cfg(test)]
mod tests;
