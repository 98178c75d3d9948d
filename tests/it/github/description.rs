//! GitHub's own OpenAPI description: fetched from npm once, and kept as far as the double needs it.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use flate2::read::GzDecoder;
use release::world::files::Lock;
use serde_json::{Map, Value, json};

const PACKAGE: &str = "@octokit/openapi@23.0.2";
const ENTRY: &str = "package/generated/api.github.com.json";
/// A new name where what is kept of it changes.
const KEPT: &str = "api.github.com-2.json";

/// The paths that the double may come to serve.
const PATHS: [&str; 3] = ["/repos/", "/user", "/rate_limit"];

/// The description, read once for all tests; `None` where it can not be had, having said so. CI must have it.
pub fn description() -> Option<&'static Value> {
    static READ: OnceLock<Option<Value>> = OnceLock::new();
    READ.get_or_init(|| {
        let text = std::fs::read(fetched()?).unwrap();
        Some(serde_json::from_slice(&text).unwrap())
    })
    .as_ref()
}

fn fetched() -> Option<PathBuf> {
    let target = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let folder = target.join("github-openapi");
    let _held = Lock::take(&target.join("github-openapi.lock")).unwrap();
    let kept = folder.join(KEPT);
    if kept.is_file() {
        return Some(kept);
    }
    std::fs::create_dir_all(&folder).unwrap();
    let making = tempfile::tempdir_in(&folder).unwrap();
    match pack(making.path()) {
        Ok(archive) => {
            let whole: Value = serde_json::from_slice(&entry(&archive)).unwrap();
            let half = making.path().join(KEPT);
            std::fs::write(&half, slim(&whole).to_string()).unwrap();
            std::fs::rename(half, &kept).unwrap();
            Some(kept)
        }
        Err(said) => {
            assert!(std::env::var_os("CI").is_none(), "no description of GitHub's API: {said}");
            let last = said.lines().last().unwrap_or_default();
            eprintln!("skipped: no double of GitHub; it needs npm and its registry ({last})");
            None
        }
    }
}

fn pack(folder: &Path) -> Result<PathBuf, String> {
    let mut npm = Command::new("npm");
    npm.args(["pack", "--silent", PACKAGE]).current_dir(folder);
    let output = npm.output().map_err(|error| format!("npm: {error}"))?;
    if !output.status.success() {
        return Err(String::from_utf8_lossy(&output.stderr).into_owned());
    }
    Ok(folder.join(String::from_utf8_lossy(&output.stdout).trim()))
}

/// One file of an archive whose others are many times as large.
fn entry(archive: &Path) -> Vec<u8> {
    let file = std::io::BufReader::new(std::fs::File::open(archive).unwrap());
    let mut archive = tar::Archive::new(GzDecoder::new(file));
    for entry in archive.entries().unwrap() {
        let mut entry = entry.unwrap();
        if entry.path().unwrap() == Path::new(ENTRY) {
            let mut text = Vec::new();
            std::io::Read::read_to_end(&mut entry, &mut text).unwrap();
            return text;
        }
    }
    panic!("{PACKAGE} has no {ENTRY}")
}

/// Without prose and examples, and with `nullable` as JSON Schema says it.
fn slim(whole: &Value) -> Value {
    let served = |path: &&String| PATHS.iter().any(|start| path.starts_with(start));
    let mut paths = Map::new();
    for path in whole["paths"].as_object().unwrap().keys().filter(served) {
        paths.insert(path.clone(), object(&whole["paths"][path]));
    }
    let mut components = Map::new();
    for kind in ["schemas", "parameters", "responses", "headers"] {
        components.insert(kind.to_owned(), named(&whole["components"][kind]));
    }
    let mut slim = json!({ "paths": paths, "components": components });
    // GitHub's prose tells of this state, its schema forgets it.
    let states = slim.pointer_mut("/components/schemas/release-asset/properties/state/enum");
    states.and_then(Value::as_array_mut).expect("the states of assets").push(json!("starter"));
    // A range of times as its search takes them, and no single one.
    let created = slim.pointer_mut("/components/parameters/created/schema").and_then(Value::as_object_mut);
    created.expect("the parameter `created`").remove("format");
    slim
}

/// A table whose keys are names of the API's own.
fn named(table: &Value) -> Value {
    let Value::Object(table) = table else { return table.clone() };
    table.iter().map(|(name, value)| (name.clone(), object(value))).collect()
}

/// A table whose keys are OpenAPI's words.
fn object(value: &Value) -> Value {
    let table = match value {
        Value::Object(table) => table,
        Value::Array(list) => return list.iter().map(object).collect(),
        other => return other.clone(),
    };
    let mut kept = Map::new();
    for (word, value) in table {
        let prose = matches!(word.as_str(), "example" | "examples" | "externalDocs" | "discriminator")
            || (matches!(word.as_str(), "description" | "summary" | "title") && value.is_string())
            || (word.starts_with("x-") && word != "x-multi-segment");
        let value = match word.as_str() {
            _ if prose => continue,
            "properties" | "patternProperties" | "responses" => named(value),
            "enum" | "default" | "required" => value.clone(),
            _ => object(value),
        };
        kept.insert(word.clone(), value);
    }
    match kept.remove("nullable") {
        Some(Value::Bool(true)) => nullable(kept),
        _ => Value::Object(kept),
    }
}

fn nullable(mut schema: Map<String, Value>) -> Value {
    if let Some(Value::String(kind)) = schema.get("type").cloned() {
        schema.insert("type".to_owned(), json!([kind, "null"]));
        if let Some(Value::Array(choices)) = schema.get_mut("enum")
            && !choices.contains(&Value::Null)
        {
            choices.push(Value::Null);
        }
        return Value::Object(schema);
    }
    if schema.is_empty() {
        return json!({});
    }
    json!({ "anyOf": [schema, { "type": "null" }] })
}
