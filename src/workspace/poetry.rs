//! Poetry's own tables of dependencies.

use toml_edit::{Array, Item, TableLike, Value};

use crate::workspace::manifest::{Dependency, Place, Style};
use crate::workspace::manifest_toml::{Text, TomlProblem, TomlReader};
use crate::workspace::name::PackageName;

/// The dependencies of `[tool.poetry]`, its groups and its older `dev-dependencies`.
///
/// An entry is a constraint, a table (`version`, `path`, …), or an array of tables, which gives one
/// dependency each. `python` is not among them.
///
/// # Errors
/// Where a value has another type than Poetry allows.
pub fn dependencies(toml: TomlReader<'_>, poetry: &dyn TableLike) -> Result<Vec<Dependency>, TomlProblem> {
    let mut found = Vec::new();
    if let Some(main) = toml.table(poetry, "dependencies")? {
        let extras = extras(toml, poetry)?;
        found.extend(entries(toml, main, |name, entry| main_place(name, entry, &extras))?);
    }
    if let Some(development) = toml.table(poetry, "dev-dependencies")? {
        found.extend(entries(toml, development, |_, _| Place::PoetryGroup("dev".to_owned()))?);
    }
    let groups = toml.table(poetry, "group")?;
    for (name, _) in groups.into_iter().flat_map(|groups| groups.iter()) {
        let Some(list) = toml.table_at(poetry, &["group", name, "dependencies"])? else { continue };
        found.extend(entries(toml, list, |_, _| Place::PoetryGroup(name.to_owned()))?);
    }
    Ok(found)
}

/// The names in `[tool.poetry.extras]`: (extra, package).
fn extras(toml: TomlReader<'_>, poetry: &dyn TableLike) -> Result<Vec<(String, PackageName)>, TomlProblem> {
    let mut found = Vec::new();
    let Some(table) = toml.table(poetry, "extras")? else { return Ok(found) };
    for (extra, _) in table.iter() {
        let names = toml.strings(table, extra)?;
        found.extend(names.iter().map(|name| (extra.to_owned(), PackageName::new(&name.value))));
    }
    Ok(found)
}

fn main_place(name: &PackageName, entry: &dyn TableLike, extras: &[(String, PackageName)]) -> Place {
    if entry.get("optional").and_then(Item::as_bool) != Some(true) {
        return Place::PoetryMain;
    }
    let extra = extras.iter().find(|(_, package)| package == name);
    Place::Optional(extra.map_or_else(String::new, |(extra, _)| extra.clone()))
}

fn entries(
    toml: TomlReader<'_>,
    list: &dyn TableLike,
    place: impl Fn(&PackageName, &dyn TableLike) -> Place,
) -> Result<Vec<Dependency>, TomlProblem> {
    let mut found = Vec::new();
    for (key, item) in list.iter().filter(|(key, _)| *key != "python") {
        let name = PackageName::new(key);
        if let Some(text) = item.as_value().and_then(|value| toml.text_of(value)) {
            let empty = toml_edit::InlineTable::new();
            found.push(dependency(place(&name, &empty), &name, text, None));
            continue;
        }
        let tables = tables_of(item).ok_or_else(|| toml.wrong_type(item, key, "a constraint or a table"))?;
        for table in tables {
            let path = toml.string(table, "path")?.map(|text| text.value);
            let text = toml.string(table, "version")?.unwrap_or_else(|| no_constraint(item));
            found.push(dependency(place(&name, table), &name, text, path));
        }
    }
    Ok(found)
}

/// One table, or an array of tables; none for anything else.
fn tables_of(item: &Item) -> Option<Vec<&dyn TableLike>> {
    if let Some(table) = item.as_table_like() {
        return Some(vec![table]);
    }
    if let Some(tables) = item.as_array_of_tables() {
        return Some(tables.iter().map(|table| table as &dyn TableLike).collect());
    }
    let inline = |value| Value::as_inline_table(value).map(|table| table as &dyn TableLike);
    item.as_array().and_then(|array| Array::iter(array).map(inline).collect())
}

fn no_constraint(item: &Item) -> Text {
    let end = item.span().map_or(0, |span| span.end);
    Text { value: String::new(), span: end..end, escaped: false }
}

fn dependency(place: Place, name: &PackageName, text: Text, path: Option<String>) -> Dependency {
    let Text { value: text, span, escaped } = text;
    Dependency { place, name: name.clone(), text, span, style: Style::Poetry, path, escaped }
}
