//! The tables of a `pyproject.toml`, read one by one.

use std::collections::BTreeMap;

use toml_edit::{Array, Item, Table, TableLike, Value};

use crate::workspace::manifest::{
    Declared, Dependency, ManifestError, Place, Style, UvSource, VersionPlace, leading_name,
};
use crate::workspace::manifest_toml::{Text, TomlProblem, TomlReader};
use crate::workspace::name::{PackageName, is_valid};
use crate::workspace::poetry;

/// The tables of one manifest that hold what is read.
pub struct Tables<'a> {
    toml: TomlReader<'a>,
    root: &'a dyn TableLike,
    project: Option<&'a dyn TableLike>,
    tool: &'a dyn TableLike,
    poetry: Option<&'a dyn TableLike>,
}

impl<'a> Tables<'a> {
    /// # Errors
    /// Where the text describes no package.
    pub fn find(
        toml: TomlReader<'a>,
        root: &'a dyn TableLike,
        empty: &'a Table,
    ) -> Result<Tables<'a>, ManifestError> {
        let project = toml.table(root, "project")?;
        let tool = toml.table(root, "tool")?.unwrap_or(empty);
        let poetry = toml.table(tool, "poetry")?;
        if project.is_none() && poetry.is_none() {
            return Err(ManifestError::NotAPackage { path: toml.path.to_owned() });
        }
        Ok(Tables { toml, root, project, tool, poetry })
    }

    pub fn name(&self) -> Result<String, ManifestError> {
        let path = self.toml.path.to_owned();
        for table in [self.project, self.poetry].into_iter().flatten() {
            let Some(name) = self.toml.string(table, "name")? else { continue };
            let name = name.value;
            return if is_valid(&name) { Ok(name) } else { Err(ManifestError::InvalidName { path, name }) };
        }
        Err(ManifestError::NoName { path })
    }

    pub fn declared(&self) -> Result<Vec<Declared>, TomlProblem> {
        let places = [(self.project, VersionPlace::Project), (self.poetry, VersionPlace::Poetry)];
        let mut declared = Vec::new();
        for (table, place) in places {
            let Some(table) = table else { continue };
            if let Some(Text { value, span, escaped }) = self.toml.string(table, "version")? {
                declared.push(Declared { value, span, place, escaped });
            }
        }
        Ok(declared)
    }

    pub fn has_dynamic_version(&self) -> Result<bool, TomlProblem> {
        let Some(project) = self.project else { return Ok(false) };
        Ok(self.toml.strings(project, "dynamic")?.iter().any(|field| field.value == "version"))
    }

    pub fn build_backend(&self) -> Result<Option<String>, TomlProblem> {
        let Some(build) = self.toml.table(self.root, "build-system")? else { return Ok(None) };
        Ok(self.toml.string(build, "build-backend")?.map(|text| text.value))
    }

    pub fn scripts(&self) -> Result<Vec<(String, String)>, TomlProblem> {
        let mut scripts = Vec::new();
        let places = [(self.project, "scripts"), (self.project, "gui-scripts"), (self.poetry, "scripts")];
        for (table, key) in places {
            let Some(table) = table else { continue };
            let Some(entries) = self.toml.table(table, key)? else { continue };
            let named = entries.iter().filter_map(|(name, item)| Some((name, item.as_str()?)));
            scripts.extend(named.map(|(name, target)| (name.to_owned(), target.to_owned())));
        }
        Ok(scripts)
    }

    pub fn requires_python(&self) -> Result<Option<String>, TomlProblem> {
        if let Some(project) = self.project
            && let Some(text) = self.toml.string(project, "requires-python")?
        {
            return Ok(Some(text.value));
        }
        let Some(poetry) = self.poetry else { return Ok(None) };
        let Some(dependencies) = self.toml.table(poetry, "dependencies")? else { return Ok(None) };
        Ok(dependencies.get("python").and_then(Item::as_str).map(str::to_owned))
    }

    pub fn is_virtual(&self) -> Result<bool, TomlProblem> {
        let uv = self.toml.table(self.tool, "uv")?;
        let by_uv = uv.map(|uv| self.toml.boolean(uv, "package")).transpose()?.flatten();
        let by_poetry = self.poetry.map(|poetry| self.toml.boolean(poetry, "package-mode"));
        Ok(by_uv == Some(false) || by_poetry.transpose()?.flatten() == Some(false))
    }

    pub fn uv_sources(&self) -> Result<BTreeMap<PackageName, UvSource>, TomlProblem> {
        let mut sources = BTreeMap::new();
        let Some(table) = self.toml.table_at(self.tool, &["uv", "sources"])? else { return Ok(sources) };
        for (name, item) in table.iter() {
            let source = uv_source(item);
            if source != UvSource::default() {
                sources.insert(PackageName::new(name), source);
            }
        }
        Ok(sources)
    }

    pub fn dependencies(&self) -> Result<Vec<Dependency>, ManifestError> {
        let mut found = Vec::new();
        if let Some(project) = self.project {
            found.extend(self.list(project, "dependencies", &Place::Project)?);
            found.extend(self.lists(project, "optional-dependencies", Place::Optional)?);
        }
        found.extend(self.lists(self.root, "dependency-groups", Place::Group)?);
        if let Some(uv) = self.toml.table(self.tool, "uv")? {
            found.extend(self.list(uv, "dev-dependencies", &Place::Group("dev".to_owned()))?);
        }
        if let Some(pdm) = self.toml.table(self.tool, "pdm")? {
            found.extend(self.lists(pdm, "dev-dependencies", Place::Group)?);
        }
        if let Some(poetry) = self.poetry {
            found.extend(poetry::dependencies(self.toml, poetry)?);
        }
        if let Some(build) = self.toml.table(self.root, "build-system")? {
            found.extend(self.list(build, "requires", &Place::BuildRequires)?);
        }
        Ok(found)
    }

    pub fn include_groups(&self) -> Result<Vec<(String, String)>, TomlProblem> {
        let mut included = Vec::new();
        let Some(groups) = self.toml.table(self.root, "dependency-groups")? else { return Ok(included) };
        for (group, _) in groups.iter() {
            let array = self.toml.array(groups, group)?;
            let tables = array.into_iter().flat_map(Array::iter).filter_map(Value::as_inline_table);
            let names = tables.filter_map(|table| table.get("include-group")?.as_str());
            included.extend(names.map(|name| (group.to_owned(), name.to_owned())));
        }
        Ok(included)
    }

    /// The requirements of a table of lists, each list one place.
    fn lists(
        &self,
        table: &dyn TableLike,
        key: &str,
        place: fn(String) -> Place,
    ) -> Result<Vec<Dependency>, ManifestError> {
        let mut found = Vec::new();
        let Some(lists) = self.toml.table(table, key)? else { return Ok(found) };
        for (name, _) in lists.iter() {
            found.extend(self.list(lists, name, &place(name.to_owned()))?);
        }
        Ok(found)
    }

    /// The requirements of one list; what is no string (an included group) is passed over.
    fn list(
        &self,
        table: &dyn TableLike,
        key: &str,
        place: &Place,
    ) -> Result<Vec<Dependency>, ManifestError> {
        let array = self.toml.array(table, key)?;
        let texts = array.into_iter().flat_map(Array::iter).filter_map(|value| self.toml.text_of(value));
        texts.map(|text| self.requirement(text, place)).collect()
    }

    fn requirement(&self, text: Text, place: &Place) -> Result<Dependency, ManifestError> {
        let Text { value: text, span, escaped } = text;
        let Some(name) = leading_name(&text) else {
            let (path, place) = (self.toml.path.to_owned(), place.to_string());
            return Err(ManifestError::UnnamedRequirement { path, text, place });
        };
        Ok(Dependency { place: place.clone(), name, text, span, style: Style::Pep508, path: None, escaped })
    }
}

/// A source is a table, or an array of them with markers.
fn uv_source(item: &Item) -> UvSource {
    let mut source = UvSource::default();
    let one = item.as_table_like();
    let array = item.as_array().into_iter().flat_map(Array::iter);
    let inline = array.filter_map(|value| value.as_inline_table().map(|table| table as &dyn TableLike));
    let headed = item.as_array_of_tables().into_iter().flatten().map(|table| table as &dyn TableLike);
    for table in one.into_iter().chain(inline).chain(headed) {
        source.workspace |= table.get("workspace").and_then(Item::as_bool) == Some(true);
        if let Some(path) = table.get("path").and_then(Item::as_str) {
            source.path = Some(path.to_owned());
        }
    }
    source
}
