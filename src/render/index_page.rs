//! The pages of a package index as text: HTML (PEP 503) and JSON (PEP 691), the same facts in both.

use serde_json::{Map, Value, json};

use crate::version::number::Version;
use crate::workspace::file_name::FileName;
use crate::workspace::name::PackageName;

/// The version of the simple repository API that the pages follow (PEP 700).
const API_VERSION: &str = "1.1";

/// One package's page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page {
    pub name: PackageName,
    /// Ordered by version, then by name.
    pub files: Vec<PageFile>,
}

/// One file on a page.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PageFile {
    pub filename: String,
    /// Hexadecimal digits.
    pub sha256: String,
    pub size: u64,
    pub requires_python: Option<String>,
    /// The SHA-256 of the `.metadata` file beside it (PEP 658), for wheels.
    pub metadata: Option<String>,
    pub yanked: Yanked,
}

/// Whether installers pass a file by (PEP 592).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Yanked {
    #[default]
    No,
    /// Yanked, with a reason or an empty one.
    Yes(String),
}

impl Page {
    pub fn new(name: PackageName, mut files: Vec<PageFile>) -> Page {
        files.sort_by_cached_key(|file| (version(&file.filename), file.filename.clone()));
        Page { name, files }
    }

    /// Reads a JSON page of this form.
    ///
    /// # Errors
    /// Where it is no JSON or a file lacks its name, hash or size.
    pub fn parse(bytes: &[u8]) -> Result<Page, serde_json::Error> {
        let page: JsonPage = serde_json::from_slice(bytes)?;
        let files = page.files.into_iter().map(|file| PageFile {
            filename: file.filename,
            sha256: file.hashes.sha256,
            size: file.size,
            requires_python: file.requires_python,
            metadata: file.core_metadata.map(|hashes| hashes.sha256),
            yanked: match file.yanked {
                Value::String(reason) => Yanked::Yes(reason),
                Value::Bool(true) => Yanked::Yes(String::new()),
                _ => Yanked::No,
            },
        });
        Ok(Page::new(PackageName::new(&page.name), files.collect()))
    }

    pub fn json(&self) -> String {
        let mut versions: Vec<Version> =
            self.files.iter().filter_map(|file| version(&file.filename)).collect();
        versions.dedup();
        let page = json!({
            "meta": { "api-version": API_VERSION },
            "name": self.name,
            "versions": versions,
            "files": self.files.iter().map(|file| self.json_file(file)).collect::<Vec<_>>(),
        });
        format!("{page:#}\n")
    }

    fn json_file(&self, file: &PageFile) -> Value {
        let mut entry = Map::new();
        entry.insert("filename".to_owned(), json!(file.filename));
        entry.insert("url".to_owned(), json!(self.url(file)));
        entry.insert("hashes".to_owned(), json!({ "sha256": file.sha256 }));
        entry.insert("size".to_owned(), json!(file.size));
        if let Some(requires_python) = &file.requires_python {
            entry.insert("requires-python".to_owned(), json!(requires_python));
        }
        if let Some(metadata) = &file.metadata {
            entry.insert("core-metadata".to_owned(), json!({ "sha256": metadata }));
        }
        match &file.yanked {
            Yanked::No => {}
            Yanked::Yes(reason) if reason.is_empty() => drop(entry.insert("yanked".to_owned(), json!(true))),
            Yanked::Yes(reason) => drop(entry.insert("yanked".to_owned(), json!(reason))),
        }
        Value::Object(entry)
    }

    pub fn html(&self) -> String {
        let anchors: String = self.files.iter().map(|file| self.anchor(file)).collect();
        document(&format!("Links for {}", self.name), &anchors)
    }

    fn anchor(&self, file: &PageFile) -> String {
        let mut attributes = format!("href=\"{}#sha256={}\"", escape(&self.url(file)), file.sha256);
        if let Some(requires_python) = &file.requires_python {
            attributes.push_str(&format!(" data-requires-python=\"{}\"", escape(requires_python)));
        }
        if let Some(metadata) = &file.metadata {
            // The second is the name in PEP 658's first text, which older installers read (PEP 714).
            for name in ["data-core-metadata", "data-dist-info-metadata"] {
                attributes.push_str(&format!(" {name}=\"sha256={metadata}\""));
            }
        }
        if let Yanked::Yes(reason) = &file.yanked {
            attributes.push_str(&format!(" data-yanked=\"{}\"", escape(reason)));
        }
        format!("    <a {attributes}>{}</a><br>\n", escape(&file.filename))
    }

    /// Relative, so that the folder can stand anywhere. Local and pre-release versions need no escape but `+`.
    fn url(&self, file: &PageFile) -> String {
        format!("../../files/{}/{}", self.name, file.filename.replace('+', "%2B"))
    }
}

/// The page of all packages as HTML.
pub fn projects_html(names: &[String]) -> String {
    let anchors: String =
        names.iter().map(|name| format!("    <a href=\"{0}/\">{0}</a><br>\n", escape(name))).collect();
    document("Simple index", &anchors)
}

/// The page of all packages as JSON.
pub fn projects_json(names: &[String]) -> String {
    let projects: Vec<Value> = names.iter().map(|name| json!({ "name": name })).collect();
    format!("{:#}\n", json!({ "meta": { "api-version": API_VERSION }, "projects": projects }))
}

fn document(title: &str, anchors: &str) -> String {
    format!(
        "<!DOCTYPE html>\n<html>\n  <head>\n    <meta charset=\"utf-8\">\n    <meta name=\"pypi:repository-version\" \
         content=\"{API_VERSION}\">\n    <title>{title}</title>\n  </head>\n  <body>\n{anchors}  </body>\n</html>\n",
        title = escape(title)
    )
}

fn version(file: &str) -> Option<Version> {
    FileName::parse(file).ok().map(|name| name.version().clone())
}

fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            _ => escaped.push(character),
        }
    }
    escaped
}

#[derive(serde::Deserialize)]
struct JsonPage {
    name: String,
    files: Vec<JsonFile>,
}

#[derive(serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
struct JsonFile {
    filename: String,
    hashes: JsonHashes,
    size: u64,
    requires_python: Option<String>,
    core_metadata: Option<JsonHashes>,
    #[serde(default)]
    yanked: Value,
}

#[derive(serde::Deserialize)]
struct JsonHashes {
    sha256: String,
}
