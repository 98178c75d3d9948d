//! Compares a document with the JSON Schema of the configuration and says everything that does not fit.

use serde_json::{Map, Value};

use crate::workspace::config::nearest::nearest;
use crate::workspace::config::problem::Problem;
use crate::workspace::config::spanned::{Entry, Kind, Node, Place};
use crate::workspace::config::text;
use crate::workspace::config::written::WrittenSchema;

/// What of the document fits the schema, and a problem for each thing that does not.
pub fn walk(schema: &WrittenSchema, document: &Node) -> (Value, Vec<Problem>) {
    let mut walk = Walk { schema, problems: Vec::new() };
    let fitting = walk.visit(schema.root(), document, &Trail(Vec::new()));
    let fitting = fitting.unwrap_or_else(|| Value::Object(Map::new()));
    (fitting, walk.problems)
}

struct Walk<'s> {
    schema: &'s WrittenSchema,
    problems: Vec<Problem>,
}

/// The keys that lead to a value.
struct Trail(Vec<String>);

impl Trail {
    fn below(&self, key: &str) -> Trail {
        let mut keys = self.0.clone();
        keys.push(key_as_written(key));
        Trail(keys)
    }

    /// The last key, as a message calls it.
    fn name(&self) -> String {
        self.0.last().map_or_else(|| "the file".to_owned(), |key| format!("`{key}`"))
    }

    /// The table, as its header would stand in the file.
    fn table(&self) -> String {
        if self.0.is_empty() { "the top level".to_owned() } else { format!("`[{}]`", self.0.join(".")) }
    }
}

impl<'s> Walk<'s> {
    fn visit(&mut self, schema: &'s Value, node: &Node, trail: &Trail) -> Option<Value> {
        let branches = self.branches(schema);
        let fitting: Vec<&Value> =
            branches.iter().copied().filter(|branch| takes(branch, &node.kind)).collect();
        if fitting.is_empty() {
            let wanted = wanted(&branches);
            let found = kind_in_words(&node.kind);
            self.say(&node.place, format!("{} must be {wanted}, not {found}", trail.name()), None);
            return None;
        }
        match &node.kind {
            Kind::Text(text) => self.text(&fitting, text, node, trail),
            Kind::Whole(number) => self.whole(fitting[0], *number, node, trail),
            Kind::Real(number) => Some(Value::from(*number)),
            Kind::Truth(truth) => self.truth(&branches, *truth, node, trail),
            Kind::Date(date) => Some(Value::from(date.as_str())),
            Kind::List(items) => Some(self.list(fitting[0], items, trail)),
            Kind::Table(entries) => self.table(fitting[0], entries, node, trail),
        }
    }

    /// The alternatives of a schema, references followed; itself where it has none.
    fn branches(&self, schema: &'s Value) -> Vec<&'s Value> {
        if let Some(target) = schema.get("$ref").and_then(Value::as_str) {
            let found = self.schema.at(target);
            return found.map(|schema| self.branches(schema)).unwrap_or_default();
        }
        let alternatives = schema.get("anyOf").or_else(|| schema.get("oneOf")).and_then(Value::as_array);
        match alternatives {
            Some(alternatives) => alternatives.iter().flat_map(|branch| self.branches(branch)).collect(),
            None => vec![schema],
        }
    }

    fn text(&mut self, branches: &[&Value], text: &str, node: &Node, trail: &Trail) -> Option<Value> {
        let words = words(branches);
        if words.contains(&text) {
            return Some(Value::from(text));
        }
        if let Some(free) = branches.iter().find(|branch| !is_word(branch)) {
            let form = free.get("format").and_then(Value::as_str).unwrap_or_default();
            if let Some(fault) = text::fault(form, text) {
                self.say(&node.place, fault.message, Some(fault.help));
                return None;
            }
            return Some(Value::from(text));
        }
        let help = match nearest(text, words.iter().copied()) {
            Some(near) => format!("did you mean \"{near}\"?"),
            None => format!("it can be {}", quoted(&words)),
        };
        self.say(&node.place, format!("{} can not be \"{text}\"", trail.name()), Some(help));
        None
    }

    fn whole(&mut self, branch: &Value, number: i64, node: &Node, trail: &Trail) -> Option<Value> {
        let bound = |key: &str| branch.get(key).and_then(Value::as_f64);
        #[expect(clippy::cast_precision_loss, reason = "bounds are small")]
        let value = number as f64;
        let least = bound("minimum").filter(|least| value < *least);
        let most = bound("maximum").filter(|most| value > *most);
        let beyond =
            u32::try_from(number).is_err() && branch.get("format").is_some_and(|form| form == "uint32");
        let wanted = match (least, most) {
            (Some(least), _) => format!("at least {least}"),
            (_, Some(most)) => format!("at most {most}"),
            _ if beyond => format!("at most {}", u32::MAX),
            _ => return Some(Value::from(number)),
        };
        self.say(&node.place, format!("{} must be {wanted}", trail.name()), None);
        None
    }

    fn truth(&mut self, branches: &[&Value], truth: bool, node: &Node, trail: &Trail) -> Option<Value> {
        let fits = branches.iter().any(|branch| match branch.get("const") {
            Some(constant) => *constant == Value::Bool(truth),
            None => takes(branch, &Kind::Truth(truth)),
        });
        if fits {
            return Some(Value::Bool(truth));
        }
        self.say(&node.place, format!("{} must be {}, not {truth}", trail.name(), wanted(branches)), None);
        None
    }

    fn list(&mut self, branch: &'s Value, items: &[Node], trail: &Trail) -> Value {
        let Some(inner) = branch.get("items") else { return Value::Array(items.iter().map(plain).collect()) };
        Value::Array(items.iter().filter_map(|item| self.visit(inner, item, trail)).collect())
    }

    fn table(&mut self, branch: &'s Value, entries: &[Entry], node: &Node, trail: &Trail) -> Option<Value> {
        let properties = branch.get("properties").and_then(Value::as_object);
        let others = branch.get("additionalProperties");
        let mut fitting = Map::new();
        for entry in entries {
            let inner = properties
                .and_then(|known| known.get(&entry.key))
                .or(others.filter(|inner| inner.is_object()));
            let value = match (inner, others) {
                (Some(inner), _) => self.visit(inner, &entry.node, &trail.below(&entry.key)),
                (None, Some(Value::Bool(false))) => {
                    self.unknown(entry, properties, trail);
                    None
                }
                (None, _) => Some(plain(&entry.node)),
            };
            fitting.extend(value.map(|value| (entry.key.clone(), value)));
        }
        let required = branch.get("required").and_then(Value::as_array).into_iter().flatten();
        for key in required.filter_map(Value::as_str) {
            if !entries.iter().any(|entry| entry.key == key) {
                let place = node.place.clone().or_else(|| entries.first()?.place.clone());
                self.say(&place, format!("`{key}` is missing in {}", trail.table()), None);
            }
            if !fitting.contains_key(key) {
                return None;
            }
        }
        Some(Value::Object(fitting))
    }

    fn unknown(&mut self, entry: &Entry, known: Option<&'s Map<String, Value>>, trail: &Trail) {
        let known = known.map(|known| known.iter().collect::<Vec<_>>()).unwrap_or_default();
        let names = known.iter().map(|(name, _)| name.as_str());
        let help = match (nearest(&entry.key, names.clone()), self.holder(&entry.key, &known)) {
            (_, Some(table)) => format!("`{}` belongs in {}", entry.key, trail.below(table).table()),
            (Some(near), None) => format!("did you mean `{near}`?"),
            (None, None) => {
                let names: Vec<String> = names.map(|name| format!("`{name}`")).collect();
                format!("the keys here are {}", names.join(", "))
            }
        };
        let place =
            if trail.0.is_empty() { "at the top level".to_owned() } else { format!("in {}", trail.table()) };
        let message = format!("unknown key `{}` {place}", key_as_written(&entry.key));
        self.say(&entry.place, message, Some(help));
    }

    /// The one table below that has a key of this name.
    fn holder(&self, key: &str, known: &[(&'s String, &'s Value)]) -> Option<&'s str> {
        let holds = |schema: &'s Value| {
            self.branches(schema)
                .iter()
                .any(|branch| branch.pointer("/properties").is_some_and(|p| p.get(key).is_some()))
        };
        let mut holders = known.iter().filter(|(_, schema)| holds(schema)).map(|(name, _)| name.as_str());
        holders.next().filter(|_| holders.next().is_none())
    }

    fn say(&mut self, place: &Place, message: String, help: Option<String>) {
        self.problems.push(Problem { span: place.clone(), message, help });
    }
}

/// A key as TOML writes it: bare where it may be.
pub fn key_as_written(key: &str) -> String {
    let is_bare = |character: char| character.is_ascii_alphanumeric() || matches!(character, '-' | '_');
    if !key.is_empty() && key.chars().all(is_bare) { key.to_owned() } else { format!("{key:?}") }
}

/// Whether a branch is for this kind of value at all.
fn takes(branch: &Value, kind: &Kind) -> bool {
    let wanted = match (branch.get("type"), branch.get("const")) {
        (Some(Value::String(wanted)), _) => wanted.as_str(),
        (None, Some(Value::Bool(_))) => "boolean",
        (None, Some(Value::String(_))) => "string",
        _ => return true,
    };
    match kind {
        Kind::Text(_) => wanted == "string",
        Kind::Whole(_) => matches!(wanted, "integer" | "number"),
        Kind::Real(_) => wanted == "number",
        Kind::Truth(_) => wanted == "boolean",
        Kind::Date(_) => false,
        Kind::List(_) => wanted == "array",
        Kind::Table(_) => wanted == "object",
    }
}

fn is_word(branch: &Value) -> bool {
    branch.get("const").is_some() || branch.get("enum").is_some()
}

/// All words that branches allow.
fn words<'b>(branches: &[&'b Value]) -> Vec<&'b str> {
    let listed = |branch: &&'b Value| branch.get("enum").and_then(Value::as_array).into_iter().flatten();
    let alone = |branch: &&'b Value| branch.get("const").into_iter();
    branches.iter().flat_map(|branch| listed(branch).chain(alone(branch))).filter_map(Value::as_str).collect()
}

fn quoted(words: &[&str]) -> String {
    let words: Vec<String> = words.iter().map(|word| format!("\"{word}\"")).collect();
    match words.split_last() {
        Some((last, [])) => last.clone(),
        Some((last, others)) => format!("{} or {last}", others.join(", ")),
        None => String::new(),
    }
}

/// What branches want, in words.
fn wanted(branches: &[&Value]) -> String {
    let mut wishes: Vec<String> = Vec::new();
    let words = words(branches);
    if !words.is_empty() {
        wishes.push(quoted(&words));
    }
    for branch in branches.iter().filter(|branch| branch.get("const").and_then(Value::as_str).is_none()) {
        let wish = match (branch.get("const"), branch.get("type").and_then(Value::as_str)) {
            (Some(constant), _) => constant.to_string(),
            (_, Some("string")) if is_word(branch) => continue,
            (_, Some("string")) => "a text".to_owned(),
            (_, Some("integer")) => "a whole number".to_owned(),
            (_, Some("number")) => "a number".to_owned(),
            (_, Some("boolean")) => "true or false".to_owned(),
            (_, Some("array")) => "a list".to_owned(),
            (_, Some("object")) => "a table".to_owned(),
            _ => continue,
        };
        wishes.push(wish);
    }
    wishes.join(" or ")
}

fn kind_in_words(kind: &Kind) -> &'static str {
    match kind {
        Kind::Text(_) => "a text",
        Kind::Whole(_) => "a whole number",
        Kind::Real(_) => "a number",
        Kind::Truth(true) => "true",
        Kind::Truth(false) => "false",
        Kind::Date(_) => "a date",
        Kind::List(_) => "a list",
        Kind::Table(_) => "a table",
    }
}

/// A value of a place where the schema takes anything.
fn plain(node: &Node) -> Value {
    match &node.kind {
        Kind::Text(text) | Kind::Date(text) => Value::from(text.as_str()),
        Kind::Whole(number) => Value::from(*number),
        Kind::Real(number) => Value::from(*number),
        Kind::Truth(truth) => Value::from(*truth),
        Kind::List(items) => Value::Array(items.iter().map(plain).collect()),
        Kind::Table(entries) => {
            Value::Object(entries.iter().map(|entry| (entry.key.clone(), plain(&entry.node))).collect())
        }
    }
}
