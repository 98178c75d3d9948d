//! What each build backend says about the place of a dynamic version.

use toml_edit::{Item, TableLike};

use crate::workspace::manifest::{Manifest, Place};
use crate::workspace::manifest_toml::{TomlProblem, TomlReader};
use crate::workspace::module::module_files;
use crate::workspace::source::{FileKind, SourceError, VersionSource};

/// One search for the place of a dynamic version.
pub struct Search<'a> {
    pub toml: TomlReader<'a>,
    pub root: &'a dyn TableLike,
    pub manifest: &'a Manifest,
    pub exists: &'a dyn Fn(&str) -> bool,
}

impl<'a> Search<'a> {
    /// The backend or plugin that derives the version from tags, where one is set up.
    ///
    /// # Errors
    /// Where a setting has another type than its tool allows.
    pub fn vcs_backend(&self) -> Result<Option<String>, TomlProblem> {
        if let Some(table) = self.tool(&["poetry-dynamic-versioning"])?
            && self.toml.boolean(table, "enable")? == Some(true)
        {
            return Ok(Some("poetry-dynamic-versioning".to_owned()));
        }
        if !self.manifest.dynamic_version {
            return Ok(None);
        }
        for (tool, backend) in VCS_TABLES {
            if self.tool(&[tool])?.is_some() {
                return Ok(Some((*backend).to_owned()));
            }
        }
        let sources: [(&[&str], &str, &[&str]); 3] = [
            (&["hatch", "version"], "source", &["vcs", "uv-dynamic-versioning", "versioningit"]),
            (&["pdm", "version"], "source", &["scm"]),
            (
                &["scikit-build", "metadata", "version"],
                "provider",
                &["scikit_build_core.metadata.setuptools_scm"],
            ),
        ];
        for (table, key, values) in sources {
            let source = self.setting(table, key)?.filter(|source| values.contains(&source.as_str()));
            if let Some(source) = source {
                return Ok(Some(format!("{} {source}", table[0])));
            }
        }
        if self.backend() == "flit_scm:buildapi" {
            return Ok(Some("flit_scm".to_owned()));
        }
        let says_nothing = self.tool(&["setuptools", "dynamic", "version"])?.is_none();
        let is_needed = self
            .manifest
            .dependencies
            .iter()
            .any(|one| one.place == Place::BuildRequires && one.name.as_str() == "setuptools-scm");
        let is_setuptools = self.backend().starts_with("setuptools");
        Ok((is_setuptools && says_nothing && is_needed).then(|| "setuptools_scm".to_owned()))
    }

    /// The file that the build backend reads the version from.
    ///
    /// # Errors
    /// Where the backend is not known, its settings name no file, or the file can not be edited.
    pub fn file(&self) -> Result<VersionSource, SourceError> {
        let backend = self.backend();
        if backend.starts_with("hatchling") || self.tool(&["hatch", "version"])?.is_some() {
            self.hatch()
        } else if backend.starts_with("flit") {
            self.flit()
        } else if backend.starts_with("pdm") {
            self.pdm()
        } else if backend.starts_with("maturin") {
            let path = self.setting(&["maturin"], "manifest-path")?;
            self.existing("Cargo", vec![path.unwrap_or_else(|| "Cargo.toml".to_owned())], FileKind::CargoToml)
        } else if backend.starts_with("scikit_build_core") {
            self.scikit_build()
        } else if backend.is_empty() || backend.starts_with("setuptools") {
            self.setuptools()
        } else {
            Err(self.not_editable(&format!("`{backend}`"), "this backend is not known for dynamic versions"))
        }
    }

    /// The table below `[tool]`.
    ///
    /// # Errors
    /// Where something else than a table stands on the way.
    pub fn tool(&self, keys: &[&str]) -> Result<Option<&'a dyn TableLike>, TomlProblem> {
        let path: Vec<&str> = ["tool"].into_iter().chain(keys.iter().copied()).collect();
        self.toml.table_at(self.root, &path)
    }

    /// flit: `__version__` of the module.
    fn flit(&self) -> Result<VersionSource, SourceError> {
        let named = match self.setting(&["flit", "module"], "name")? {
            Some(name) => Some(name),
            None => self.setting(&["flit", "metadata"], "module")?,
        };
        let module = named.unwrap_or_else(|| self.manifest.name.replace('-', "_"));
        let files = ["src", ""].iter().flat_map(|root| module_files(root, &module)).collect();
        self.existing(&format!("the module `{module}`"), files, attribute(&["__version__"]))
    }

    /// Hatch: `path` and `pattern` (source `regex`), or `path` and `expression` (source `code`).
    fn hatch(&self) -> Result<VersionSource, SourceError> {
        let table = &["hatch", "version"];
        let source = self.setting(table, "source")?.unwrap_or_else(|| "regex".to_owned());
        let Some(path) = self.setting(table, "path")? else {
            return Err(self.not_editable("Hatch", "`[tool.hatch.version]` names no `path`"));
        };
        let kind = match source.as_str() {
            "regex" => self.hatch_pattern()?,
            "code" => {
                let expression = self.setting(table, "expression")?;
                let name = expression.unwrap_or_else(|| "__version__".to_owned());
                if !is_identifier(&name) {
                    return Err(self.not_editable(&format!("`{path}`"), "its `expression` is computed"));
                }
                attribute(&[&name])
            }
            other => return Err(self.not_editable(&format!("the Hatch source `{other}`"), "it is not known")),
        };
        self.existing("Hatch's `path`", vec![path], kind)
    }

    /// Hatch's own pattern takes `__version__` and `VERSION` in any case.
    fn hatch_pattern(&self) -> Result<FileKind, SourceError> {
        let table = self.tool(&["hatch", "version"])?;
        match table.and_then(|table| table.get("pattern")).and_then(Item::as_str) {
            Some(pattern) => Ok(FileKind::Pattern { pattern: pattern.to_owned() }),
            None => Ok(attribute(&["__version__", "VERSION", "version", "__VERSION__"])),
        }
    }

    fn pdm(&self) -> Result<VersionSource, SourceError> {
        let table = &["pdm", "version"];
        match (self.setting(table, "source")?.as_deref(), self.setting(table, "path")?) {
            (Some("file") | None, Some(path)) => {
                self.existing("PDM's `path`", vec![path], attribute(&["__version__"]))
            }
            (source, _) => {
                let whence = format!("the PDM source `{}`", source.unwrap_or("none"));
                Err(self.not_editable(&whence, "only `file` and `scm` are known"))
            }
        }
    }

    fn scikit_build(&self) -> Result<VersionSource, SourceError> {
        let table = &["scikit-build", "metadata", "version"];
        let input = self.setting(table, "input")?;
        let pattern = self.setting(table, "regex")?;
        if self.setting(table, "result")?.is_some() {
            return Err(self.not_editable("scikit-build", "its `result` is computed"));
        }
        match input {
            Some(path) => {
                let kind = pattern.map_or_else(
                    || attribute(&["__version__", "VERSION"]),
                    |pattern| FileKind::Pattern { pattern },
                );
                self.existing("scikit-build's `input`", vec![path], kind)
            }
            None => Err(self.not_editable("scikit-build", "its provider names no `input` file")),
        }
    }

    /// setuptools: `attr` or `file` in `[tool.setuptools.dynamic] version`.
    fn setuptools(&self) -> Result<VersionSource, SourceError> {
        let Some(version) = self.tool(&["setuptools", "dynamic", "version"])? else {
            let reason = "it is said in `setup.py` or `setup.cfg`; name it in `[tool.setuptools.dynamic]`";
            return Err(self.not_editable("setuptools", reason));
        };
        if let Some(attr) = self.toml.string(version, "attr")? {
            return self.setuptools_attribute(&attr.value);
        }
        let files = match version.get("file") {
            Some(item) if item.as_str().is_some() => vec![item.as_str().unwrap_or("").to_owned()],
            _ => self.toml.strings(version, "file")?.into_iter().map(|text| text.value).collect(),
        };
        if files.len() == 1 {
            return self.existing("setuptools' `file`", files, FileKind::PlainText);
        }
        Err(self.not_editable("setuptools", "`version` needs an `attr`, or a `file` that is one file"))
    }

    fn setuptools_attribute(&self, attr: &str) -> Result<VersionSource, SourceError> {
        let whence = format!("the attribute `{attr}`");
        let Some((module, name)) = attr.rsplit_once('.') else {
            return Err(self.not_editable(&whence, "it names no module"));
        };
        let mut files = Vec::new();
        for (root, below) in self.setuptools_roots(module)? {
            let [package, single] = module_files(&root, &below);
            files.extend([single, package]);
        }
        self.existing(&whence, files, attribute(&[name]))
    }

    /// The folders a module may stand in, each with the module's name below it: those of `package-dir` and
    /// `packages.find`, or `src` and the package's own folder, which setuptools finds by itself.
    fn setuptools_roots(&self, module: &str) -> Result<Vec<(String, String)>, TomlProblem> {
        let mut roots = Vec::new();
        if let Some(mapped) = self.tool(&["setuptools", "package-dir"])? {
            for (package, folder) in mapped.iter().filter_map(|(key, item)| Some((key, item.as_str()?))) {
                let below = if package.is_empty() { Some(module) } else { below_package(module, package) };
                roots.extend(below.map(|below| (folder.to_owned(), below.to_owned())));
            }
        }
        if let Some(find) = self.tool(&["setuptools", "packages", "find"])? {
            let folders = self.toml.strings(find, "where")?;
            roots.extend(folders.into_iter().map(|folder| (folder.value, module.to_owned())));
        }
        if roots.is_empty() {
            roots = vec![("src".to_owned(), module.to_owned()), (String::new(), module.to_owned())];
        }
        Ok(roots)
    }

    /// The one file that exists.
    fn existing(
        &self,
        whence: &str,
        files: Vec<String>,
        kind: FileKind,
    ) -> Result<VersionSource, SourceError> {
        let listed =
            |files: &[String]| files.iter().map(|file| format!("`{file}`")).collect::<Vec<_>>().join(", ");
        let (manifest, whence) = (self.manifest.path.clone(), whence.to_owned());
        let mut found: Vec<String> =
            files.iter().map(|file| plain_path(file)).filter(|file| (self.exists)(file)).collect();
        found.dedup();
        match found.pop() {
            None => Err(SourceError::NoFile { manifest, whence, files: listed(&files) }),
            Some(path) if found.is_empty() => Ok(VersionSource::File { path, kind }),
            Some(path) => {
                found.push(path);
                Err(SourceError::SeveralFiles { manifest, whence, files: listed(&found) })
            }
        }
    }

    fn not_editable(&self, whence: &str, reason: &str) -> SourceError {
        let (manifest, whence, reason) = (self.manifest.path.clone(), whence.to_owned(), reason.to_owned());
        SourceError::NotEditable { manifest, whence, reason }
    }

    fn backend(&self) -> &str {
        self.manifest.build_backend.as_deref().unwrap_or("")
    }

    /// The string of a key in a table below `[tool]`.
    fn setting(&self, table: &[&str], key: &str) -> Result<Option<String>, TomlProblem> {
        let Some(table) = self.tool(table)? else { return Ok(None) };
        Ok(self.toml.string(table, key)?.map(|text| text.value))
    }
}

/// Tables below `[tool]` whose presence means that tags are the version.
const VCS_TABLES: &[(&str, &str)] = &[
    ("setuptools_scm", "setuptools_scm"),
    ("setuptools-scm", "setuptools_scm"),
    ("vcs-versioning", "vcs-versioning"),
    ("versioningit", "versioningit"),
    ("versioneer", "versioneer"),
];

fn attribute(names: &[&str]) -> FileKind {
    FileKind::PythonAttribute { names: names.iter().map(|&name| name.to_owned()).collect() }
}

/// The rest of a dotted module name below a package; empty for the package itself.
fn below_package<'m>(module: &'m str, package: &str) -> Option<&'m str> {
    let rest = module.strip_prefix(package)?;
    if rest.is_empty() { Some(rest) } else { rest.strip_prefix('.') }
}

fn is_identifier(text: &str) -> bool {
    !text.starts_with(|c: char| c.is_ascii_digit())
        && !text.is_empty()
        && text.chars().all(|c| c.is_alphanumeric() || c == '_')
}

/// A path as git writes it: no `./`, no doubled slashes.
fn plain_path(path: &str) -> String {
    path.split('/').filter(|part| !part.is_empty() && *part != ".").collect::<Vec<_>>().join("/")
}
