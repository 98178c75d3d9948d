//! Lock files: what a release changes in them, offline, so that they stay true.

use std::collections::BTreeMap;
use std::ops::Range;

use toml_edit::{Array, Item, TableLike, Value};

use crate::workspace::edit::{Change, apply};
use crate::workspace::manifest_toml::{Text, TomlProblem, TomlReader};
use crate::workspace::name::PackageName;

/// Why a lock file can not be edited.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LockError {
    #[error("{0}")]
    Toml(#[from] TomlProblem),
    #[error("`{path}` holds the version of `{name}` in a form that can not be edited")]
    Escaped { path: String, name: PackageName },
    #[error("the edit would break `{path}`")]
    Broken { path: String },
}

/// A lock file that a release makes stale and that only its own tool can renew.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{path}` becomes stale: {reason}; run `{command}`")]
pub struct LockStale {
    pub path: String,
    pub reason: String,
    /// The command that renews it, in its folder.
    pub command: String,
}

/// The changes that give packages of the workspace other versions in a `uv.lock`.
///
/// uv writes a member's version in its `[[package]]` and, where several packages have its name, in the
/// dependencies on it; it writes no specifier of a member. Packages of the same name from an index are left, so
/// are members whose version is dynamic: uv writes none of theirs. Names that the lock does not know are ignored.
///
/// # Errors
/// Where the text is no TOML, or the result would not read back with the new versions.
pub fn set_versions(
    path: &str,
    text: &str,
    versions: &BTreeMap<PackageName, String>,
) -> Result<Vec<Change>, LockError> {
    let changes = changed(versions, &uv_versions(path, text)?)?;
    let edited = apply(text.as_bytes(), &changes).ok().and_then(|bytes| String::from_utf8(bytes).ok());
    let edited = edited.ok_or_else(|| LockError::Broken { path: path.to_owned() })?;
    let found = uv_versions(path, &edited)?;
    if found.iter().any(|one| versions.get(&one.name).is_some_and(|new| *new != one.text.value)) {
        return Err(LockError::Broken { path: path.to_owned() });
    }
    Ok(changes)
}

/// The changes that give a crate of the repository its new version in a `Cargo.lock`. A crate from a registry has a
/// source there and is left.
///
/// # Errors
/// Where the text is no TOML, or the version holds escapes.
pub fn set_cargo_version(path: &str, text: &str, name: &str, new: &str) -> Result<Vec<Change>, LockError> {
    let toml = TomlReader { path, text };
    let document = toml.parse()?;
    let mut locked = Vec::new();
    for package in packages(document.as_item()) {
        let is_own =
            package.get("name").and_then(Item::as_str) == Some(name) && !package.contains_key("source");
        if let Some(version) = toml.string(package, "version")?.filter(|_| is_own) {
            locked.push(Locked { name: PackageName::new(name), text: version, path: path.to_owned() });
        }
    }
    changed(&BTreeMap::from([(PackageName::new(name), new.to_owned())]), &locked)
}

/// The name of the crate that a `Cargo.toml` describes.
pub fn crate_name(path: &str, text: &str) -> Option<String> {
    let document = TomlReader { path, text }.parse().ok()?;
    let package = document.get("package").and_then(Item::as_table_like)?;
    package.get("name").and_then(Item::as_str).map(str::to_owned)
}

/// Whether a `uv.lock` holds the specifier of a package's requirement.
///
/// It does for what comes from an index, also where the workspace has a package of that name; a rewritten
/// specifier then makes the lock stale. It does not for members of the workspace.
///
/// # Errors
/// Where the text is no TOML.
pub fn holds_specifier(
    path: &str,
    text: &str,
    package: &PackageName,
    dependency: &PackageName,
) -> Result<bool, LockError> {
    let toml = TomlReader { path, text };
    let document = toml.parse()?;
    let is_package = |table: &&toml_edit::Table| name_of(*table).as_ref() == Some(package);
    let mut lists: Vec<&Array> = Vec::new();
    for table in packages(document.as_item()).filter(is_package) {
        let Some(metadata) = toml.table(table, "metadata")? else { continue };
        lists.extend(metadata.get("requires-dist").and_then(Item::as_array));
        let groups = toml.table(metadata, "requires-dev")?;
        lists.extend(
            groups.into_iter().flat_map(|groups| groups.iter()).filter_map(|(_, item)| item.as_array()),
        );
    }
    let mut entries = lists.into_iter().flat_map(Array::iter).filter_map(Value::as_inline_table);
    Ok(entries.any(|entry| name_of(entry).as_ref() == Some(dependency) && entry.contains_key("specifier")))
}

/// What to say of a `pdm.lock` beside a manifest whose requirements are rewritten: it holds a hash of them.
pub fn pdm_lock_is_stale(path: &str) -> LockStale {
    let reason = "it holds a hash of requirements that this release rewrites".to_owned();
    LockStale { path: path.to_owned(), reason, command: "pdm lock --update-reuse".to_owned() }
}

/// A version in a lock and whose it is.
pub struct Locked {
    pub name: PackageName,
    pub text: Text,
    pub path: String,
}

/// The changes that give the new versions to what the lock holds of these packages.
///
/// # Errors
/// Where a version to change holds escapes.
pub fn changed(
    versions: &BTreeMap<PackageName, String>,
    locked: &[Locked],
) -> Result<Vec<Change>, LockError> {
    let mut changes = Vec::new();
    for Locked { name, text: Text { value, span, escaped }, path } in locked {
        let Some(new) = versions.get(name).filter(|new| *new != value) else { continue };
        if *escaped {
            return Err(LockError::Escaped { path: path.clone(), name: name.clone() });
        }
        changes.push(Change::replace(Range::clone(span), new));
    }
    Ok(changes)
}

/// The `[[package]]` tables of a lock.
pub fn packages(root: &Item) -> impl Iterator<Item = &toml_edit::Table> {
    root.get("package").and_then(Item::as_array_of_tables).into_iter().flatten()
}

pub fn name_of(table: &dyn TableLike) -> Option<PackageName> {
    table.get("name").and_then(Item::as_str).map(PackageName::new)
}

/// Every version of a package from a folder, in its own table and in dependencies on it.
fn uv_versions(path: &str, text: &str) -> Result<Vec<Locked>, LockError> {
    let toml = TomlReader { path, text };
    let document = toml.parse()?;
    let mut found = Vec::new();
    for package in packages(document.as_item()) {
        found.extend(from_folder(toml, package)?);
        for list in dependency_lists(package) {
            for entry in Array::iter(list).filter_map(Value::as_inline_table) {
                found.extend(from_folder(toml, entry)?);
            }
        }
    }
    Ok(found)
}

fn dependency_lists(package: &toml_edit::Table) -> Vec<&Array> {
    let groups = ["optional-dependencies", "dev-dependencies"].into_iter();
    let tables = groups.filter_map(|key| package.get(key).and_then(Item::as_table_like));
    let listed = tables.flat_map(|table| table.iter().filter_map(|(_, item)| item.as_array()));
    package.get("dependencies").and_then(Item::as_array).into_iter().chain(listed).collect()
}

/// The version of an entry whose source is a folder; none where it has another source or no version.
fn from_folder(toml: TomlReader<'_>, entry: &dyn TableLike) -> Result<Option<Locked>, TomlProblem> {
    let source = entry.get("source").and_then(Item::as_table_like);
    let kinds = ["editable", "virtual", "directory"];
    if !source.is_some_and(|source| kinds.iter().any(|kind| source.contains_key(kind))) {
        return Ok(None);
    }
    let text = toml.string(entry, "version")?;
    Ok(name_of(entry).zip(text).map(|(name, text)| Locked { name, text, path: toml.path.to_owned() }))
}

#[cfg(test)]
mod tests;
