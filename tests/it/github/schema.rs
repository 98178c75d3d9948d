//! Requests and answers held against GitHub's description of them.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};

use jsonschema::Validator;
use serde_json::{Map, Value, json};

use crate::github::answer::Answer;
use crate::github::text::{decoded, pairs};
use crate::web::Request;

/// GitHub accepts slashes in these parameters of a path, though its description does not say so of all.
const MANY: [&str; 3] = ["tag", "path", "basehead"];

/// An operation of the API, found for a request.
#[derive(Clone)]
pub struct Operation {
    /// As GitHub names it: `repos/create-release`.
    pub id: String,
    /// The path's parameters.
    pub parameters: BTreeMap<String, String>,
    description: &'static Value,
}

/// The description as the double asks it.
#[derive(Clone, Copy)]
pub struct Api {
    whole: &'static Value,
}

impl Api {
    pub fn new(whole: &'static Value) -> Api {
        Api { whole }
    }

    /// The operation of a method and a path, the most literal one where several fit.
    pub fn find(self, method: &str, path: &str) -> Option<Operation> {
        let given: Vec<&str> = path.split('/').collect();
        let mut best: Option<(usize, Operation)> = None;
        for (template, methods) in self.whole["paths"].as_object().unwrap() {
            let Some(description) = methods.get(method.to_lowercase()) else { continue };
            let wanted: Vec<&str> = template.split('/').collect();
            let many = self.many(description);
            let Some(parameters) = fit(&wanted, &given, &many) else { continue };
            let literal = wanted.iter().filter(|segment| !segment.starts_with('{')).count();
            if best.as_ref().is_none_or(|(most, _)| literal > *most) {
                let id = description["operationId"].as_str().unwrap().to_owned();
                best = Some((literal, Operation { id, parameters, description }));
            }
        }
        best.map(|(_, operation)| operation)
    }

    /// What is wrong with a request.
    pub fn request(self, operation: &Operation, request: &Request) -> Vec<String> {
        let mut wrong = self.parameters(operation, &request.query);
        let content = &self.resolved(&operation.description["requestBody"])["content"];
        if content["application/json"].is_null() {
            if content.is_null() && !matches!(request.body.as_slice(), b"" | b"{}" | b"null") {
                wrong.push("a body that nobody reads".to_owned());
            }
            return wrong;
        }
        if request.body.is_empty() {
            if operation.description["requestBody"]["required"] == true {
                wrong.push("no body".to_owned());
            }
            return wrong;
        }
        let Ok(body) = serde_json::from_slice::<Value>(&request.body) else {
            wrong.push("the body is not JSON".to_owned());
            return wrong;
        };
        let schema = &content["application/json"]["schema"];
        wrong.extend(self.fits(&format!("{} body", operation.id), schema, &body));
        let known = self.fields(schema);
        if let (Some(known), Some(body)) = (known, body.as_object()) {
            let strange = body.keys().filter(|field| !known.contains(field.as_str()));
            wrong.extend(strange.map(|field| format!("an unknown field of the body: {field}")));
        }
        wrong
    }

    /// What is wrong with an answer of the double's own.
    pub fn answer(self, operation: &Operation, answer: &Answer) -> Vec<String> {
        let status = answer.status.to_string();
        let documented = self.resolved(&operation.description["responses"][&status]);
        let body = answer.json.clone().unwrap_or(Value::Null);
        let name = format!("{} {status}", operation.id);
        if documented.is_null() {
            if answer.status < 400 {
                return vec![format!("{name} is not a documented answer")];
            }
            let basic = json!({ "$ref": "#/components/schemas/basic-error" });
            return self.fits("an error", &basic, &body);
        }
        let contents = documented["content"].as_object();
        match contents.and_then(|contents| contents.get("application/json").or(contents.values().next())) {
            Some(content) if answer.json.is_some() => self.fits(&name, &content["schema"], &body),
            Some(_) if answer.raw.is_none() => vec![format!("{name} has no body")],
            None if answer.json.is_some() && answer.status < 400 => vec![format!("{name} has a body")],
            _ => Vec::new(),
        }
    }

    /// The fields that a schema demands, filled with something that fits, under fields that are given.
    pub fn make(self, schema: &str, given: Value) -> Value {
        let mut made = self.example(&self.whole["components"]["schemas"][schema]);
        let table = made.as_object_mut().unwrap_or_else(|| panic!("{schema} is no table"));
        let Value::Object(given) = given else { panic!("fields are given as a table") };
        table.extend(given);
        made
    }

    fn example(self, schema: &Value) -> Value {
        let schema = self.resolved(schema);
        if let Some(parts) = schema["allOf"].as_array() {
            let tables = parts.iter().filter_map(|part| self.example(part).as_object().cloned());
            return Value::Object(tables.flatten().collect());
        }
        if let Some(choices) = schema["anyOf"].as_array().or(schema["oneOf"].as_array()) {
            let null = choices.iter().any(|choice| choice["type"] == "null");
            return if null { Value::Null } else { self.example(&choices[0]) };
        }
        if let Some(choices) = schema["enum"].as_array() {
            return choices[0].clone();
        }
        match schema["type"].as_str() {
            Some("object") => {
                let required = schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str);
                let made = required.map(|name| (name.to_owned(), self.example(&schema["properties"][name])));
                Value::Object(made.collect())
            }
            Some("array") => json!([]),
            Some("boolean") => json!(false),
            Some("integer" | "number") => json!(1),
            Some("string") => json!(match schema["format"].as_str() {
                Some("date-time") => "2025-01-06T08:00:00Z",
                Some("date") => "2025-01-06",
                Some("uri" | "uri-template") => "http://127.0.0.1/",
                Some("email") => "octocat@example.org",
                _ => "",
            }),
            _ => Value::Null,
        }
    }

    fn parameters(self, operation: &Operation, query: &str) -> Vec<String> {
        let documented = operation.description["parameters"].as_array().into_iter().flatten();
        let documented: Vec<&Value> = documented.map(|parameter| self.resolved(parameter)).collect();
        let mut wrong = Vec::new();
        for (place, given) in [("query", pairs(query)), ("path", operation.parameters.clone())] {
            for (name, value) in given {
                let found = documented.iter().find(|known| known["name"] == *name && known["in"] == *place);
                let Some(known) = found else {
                    wrong.push(format!("an unknown parameter of the {place}: {name}"));
                    continue;
                };
                let value = coerced(&known["schema"], &value);
                let key = format!("{} parameter {name}", operation.id);
                wrong.extend(self.fits(&key, &known["schema"], &value));
            }
        }
        wrong
    }

    /// The parameters of a path that may hold slashes.
    fn many(self, description: &Value) -> BTreeSet<&'static str> {
        let mut many = BTreeSet::from(MANY);
        for parameter in description["parameters"].as_array().into_iter().flatten() {
            let path = parameter["$ref"].as_str().unwrap_or_default();
            let Some(name) = path.strip_prefix("#/components/parameters/") else { continue };
            let known = &self.whole["components"]["parameters"][name];
            if known["x-multi-segment"] == true {
                many.insert(known["name"].as_str().unwrap());
            }
        }
        many
    }

    /// The fields of a body; `None` where any may stand.
    fn fields(self, schema: &Value) -> Option<BTreeSet<String>> {
        let schema = self.resolved(schema);
        let mut known = BTreeSet::new();
        if schema["additionalProperties"] == true {
            return None;
        }
        if let Some(properties) = schema["properties"].as_object() {
            known.extend(properties.keys().cloned());
        }
        for word in ["allOf", "anyOf", "oneOf"] {
            for part in schema[word].as_array().into_iter().flatten() {
                known.extend(self.fields(part)?);
            }
        }
        Some(known)
    }

    fn resolved<'v>(self, value: &'v Value) -> &'v Value
    where
        'static: 'v,
    {
        let Some(path) = value["$ref"].as_str() else { return value };
        let found = self.whole.pointer(path.trim_start_matches('#'));
        self.resolved(found.unwrap_or_else(|| panic!("{path} is not in the description")))
    }

    fn fits(self, name: &str, schema: &Value, value: &Value) -> Vec<String> {
        let validator = self.validator(name, schema);
        let say = |error: jsonschema::ValidationError<'_>| {
            let text: String = error.to_string().chars().take(300).collect();
            format!("{name}: {}: {text}", error.instance_path())
        };
        validator.iter_errors(value).map(say).collect()
    }

    /// Validators are built once for all tests, with the part of the description that they reach.
    fn validator(self, name: &str, schema: &Value) -> Arc<Validator> {
        static BUILT: Mutex<BTreeMap<String, Arc<Validator>>> = Mutex::new(BTreeMap::new());
        if let Some(built) = BUILT.lock().unwrap().get(name) {
            return Arc::clone(built);
        }
        let mut reached = Map::new();
        self.reach(schema, &mut reached);
        let root = json!({ "allOf": [schema], "components": { "schemas": reached } });
        let options =
            jsonschema::options().with_draft(jsonschema::Draft::Draft7).should_validate_formats(true);
        let built = options.build(&root).unwrap_or_else(|error| panic!("{name}: {error}"));
        let built = Arc::new(built);
        BUILT.lock().unwrap().insert(name.to_owned(), Arc::clone(&built));
        built
    }

    fn reach(self, value: &Value, reached: &mut Map<String, Value>) {
        match value {
            Value::Object(table) => {
                let path = value["$ref"].as_str().and_then(|path| path.strip_prefix("#/components/schemas/"));
                if let Some(name) = path
                    && !reached.contains_key(name)
                {
                    let schema = &self.whole["components"]["schemas"][name];
                    reached.insert(name.to_owned(), schema.clone());
                    self.reach(schema, reached);
                }
                table.values().for_each(|inner| self.reach(inner, reached));
            }
            Value::Array(list) => list.iter().for_each(|inner| self.reach(inner, reached)),
            _ => {}
        }
    }
}

fn fit(wanted: &[&str], given: &[&str], many: &BTreeSet<&str>) -> Option<BTreeMap<String, String>> {
    let Some((first, rest)) = wanted.split_first() else {
        return given.is_empty().then(BTreeMap::new);
    };
    let Some(name) = first.strip_prefix('{').and_then(|name| name.strip_suffix('}')) else {
        return (given.first() == Some(first)).then(|| fit(rest, &given[1..], many)).flatten();
    };
    let most = if many.contains(name) { given.len() } else { given.len().min(1) };
    (1..=most).find_map(|count| {
        let mut parameters = fit(rest, &given[count..], many)?;
        let value = given[..count].join("/");
        parameters.insert(name.to_owned(), decoded(&value));
        (!value.is_empty()).then_some(parameters)
    })
}

/// A parameter's text as the value that its schema speaks of.
fn coerced(schema: &Value, text: &str) -> Value {
    let numbers = |schema: &Value| schema["type"] == "integer" || schema["type"] == "number";
    let number = text.parse::<i64>().ok().filter(|_| {
        numbers(schema) || schema["oneOf"].as_array().is_some_and(|choices| choices.iter().any(numbers))
    });
    match (number, schema["type"].as_str(), text) {
        (Some(number), ..) => json!(number),
        (None, Some("boolean"), "true" | "false") => json!(text == "true"),
        _ => json!(text),
    }
}
