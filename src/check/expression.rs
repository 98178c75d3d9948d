//! Whether an answer is what a check wants: `expect`, `success`, and what holds where neither is said.

use std::collections::BTreeMap;

use minijinja::value::{Serde, Value, ValueKind};
use minijinja::{ErrorKind, context};
use regex::Regex;

use crate::check::plain::short;
use crate::workspace::config::condition::evaluator;
use crate::workspace::config::environment::ExpectTable;
use crate::workspace::config::placeholder::{Filling, fill, fill_escaped};

/// What must hold of an answer.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Criterion {
    pub expect: Option<ExpectTable>,
    pub success: Option<String>,
}

/// An answer, as far as its kind has these parts.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Answered {
    /// An HTTP status, or the exit code of a program.
    pub status: Option<i64>,
    /// By names in lower case.
    pub headers: BTreeMap<String, String>,
    pub body: Option<String>,
    pub json: Option<serde_json::Value>,
    /// A number that was measured.
    pub value: Option<f64>,
    /// On how many samples it rests.
    pub samples: Option<f64>,
    /// How long the answer took, in seconds.
    pub seconds: f64,
}

/// What a criterion says of an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Judgement {
    Pass,
    /// It is not met, and why.
    Fail(String),
    /// The criterion itself gives no answer, and why.
    Unjudged(String),
}

impl Criterion {
    /// Whether nothing is said of what an answer must be.
    pub fn is_silent(&self) -> bool {
        self.expect.is_none() && self.success.is_none()
    }

    /// Judges an answer over HTTP. Without an expression and without a status that is expected, it must be 200 to 299.
    pub fn of_http(&self, answer: &Answered, release: &Filling<'_>) -> Judgement {
        let status = answer.status.unwrap_or_default();
        let says_status = self.expect.as_ref().is_some_and(|expect| expect.status.is_some());
        if self.success.is_none() && !says_status && !(200..300).contains(&status) {
            return Judgement::Fail(format!("status {status}"));
        }
        self.judge(answer, release)
    }

    /// Judges a program's end. Without an expression its exit code must be 0.
    pub fn of_program(&self, answer: &Answered, release: &Filling<'_>) -> Judgement {
        match answer.status {
            Some(status) if self.success.is_none() && status != 0 => {
                Judgement::Fail(format!("exit code {status}"))
            }
            _ => self.judge(answer, release),
        }
    }

    /// Judges by what is written alone: `expect` first, then `success`.
    pub fn judge(&self, answer: &Answered, release: &Filling<'_>) -> Judgement {
        if let Some(reason) = self.expect.as_ref().and_then(|expect| unmet(expect, answer, release)) {
            return Judgement::Fail(reason);
        }
        self.success.as_ref().map_or(Judgement::Pass, |text| evaluate(text, answer, release))
    }
}

/// The first expectation that is not met, in words.
fn unmet(expect: &ExpectTable, answer: &Answered, release: &Filling<'_>) -> Option<String> {
    if let Some(wanted) = expect.status
        && answer.status != Some(i64::from(wanted))
    {
        return Some(format!("status {}, not {wanted}", answer.status.unwrap_or_default()));
    }
    let headers =
        expect.headers.iter().find_map(|(name, wanted)| header_unmet(name, &fill(wanted, release), answer));
    headers
        .or_else(|| expect.json.iter().find_map(|(key, wanted)| key_unmet(key, wanted, answer, release)))
        .or_else(|| body_unmet(expect, answer, release))
        .or_else(|| number_unmet(expect, answer))
}

fn header_unmet(name: &str, wanted: &str, answer: &Answered) -> Option<String> {
    match answer.headers.get(&name.to_lowercase()) {
        Some(value) if value == wanted => None,
        Some(value) => Some(format!("header {name} is `{}`, not `{wanted}`", short(value))),
        None => Some(format!("there is no header {name}")),
    }
}

fn key_unmet(
    key: &str,
    wanted: &serde_json::Value,
    answer: &Answered,
    release: &Filling<'_>,
) -> Option<String> {
    let Some(json) = &answer.json else { return Some("the answer is no JSON".to_owned()) };
    match at_path(json, key) {
        Some(value) if fits(value, wanted, release) => None,
        Some(value) => {
            let wanted = fill(&text_of(wanted), release);
            Some(format!("`{key}` is `{}`, not `{}`", short(&text_of(value)), short(&wanted)))
        }
        None => Some(format!("the answer has no `{key}`")),
    }
}

/// The value under a key; where there is none of this name, under keys with dots between them, numbers for lists.
fn at_path<'j>(json: &'j serde_json::Value, path: &str) -> Option<&'j serde_json::Value> {
    let step = |value: &'j serde_json::Value, key: &str| match value {
        serde_json::Value::Array(items) => items.get(key.parse::<usize>().ok()?),
        other => other.get(key),
    };
    step(json, path).or_else(|| path.split('.').try_fold(json, step))
}

/// Whether a value is the wanted one: numbers by their size, tables by the keys that are wanted, texts filled first.
fn fits(value: &serde_json::Value, wanted: &serde_json::Value, release: &Filling<'_>) -> bool {
    use serde_json::Value::{Array, Number, Object, String};
    match (value, wanted) {
        (String(value), String(wanted)) => *value == fill(wanted, release),
        (Number(value), Number(wanted)) => value == wanted || value.as_f64() == wanted.as_f64(),
        (Array(values), Array(wanted)) => {
            values.len() == wanted.len()
                && values.iter().zip(wanted).all(|(value, wanted)| fits(value, wanted, release))
        }
        (Object(values), Object(wanted)) => wanted
            .iter()
            .all(|(key, wanted)| values.get(key).is_some_and(|value| fits(value, wanted, release))),
        _ => value == wanted,
    }
}

fn body_unmet(expect: &ExpectTable, answer: &Answered, release: &Filling<'_>) -> Option<String> {
    let body = answer.body.as_deref().unwrap_or_default();
    if let Some(wanted) = expect.text.as_ref().map(|text| fill(text, release))
        && !body.contains(&wanted)
    {
        return Some(format!("the answer does not hold `{}`", short(&wanted)));
    }
    let pattern = fill_escaped(expect.matches.as_ref()?, release);
    match Regex::new(&pattern) {
        Ok(regex) if regex.is_match(body) => None,
        Ok(_) => Some(format!("the answer does not match `{}`", short(&pattern))),
        Err(_) => Some(format!("`{}` is no regular expression", short(&pattern))),
    }
}

fn number_unmet(expect: &ExpectTable, answer: &Answered) -> Option<String> {
    if expect.min.is_none() && expect.max.is_none() {
        return None;
    }
    let Some(value) = answer.value.filter(|value| !value.is_nan()) else {
        return Some("no number".to_owned());
    };
    if let Some(min) = expect.min.filter(|min| value < *min) {
        return Some(format!("{value} is less than {min}"));
    }
    expect.max.filter(|max| value > *max).map(|max| format!("{value} is more than {max}"))
}

/// The expression's value. What is not there is the answer's fault; what is neither true nor false is the expression's.
fn evaluate(text: &str, answer: &Answered, release: &Filling<'_>) -> Judgement {
    let environment = evaluator();
    let value = environment
        .compile_expression(text)
        .and_then(|expression| expression.eval(variables(answer, release)));
    match value {
        Ok(value) if value.is_true() && value.kind() == ValueKind::Bool => Judgement::Pass,
        Ok(value) if value.kind() == ValueKind::Bool => {
            Judgement::Fail(format!("`{}` does not hold", short(text)))
        }
        Ok(value) if value.is_undefined() => {
            Judgement::Fail(format!("`{}` is not in the answer", short(text)))
        }
        Ok(value) => Judgement::Unjudged(format!(
            "`{}` is `{}`, neither true nor false",
            short(text),
            short(&value.to_string())
        )),
        Err(error) if error.kind() == ErrorKind::UndefinedError => {
            Judgement::Fail(format!("`{}` names what the answer does not have", short(text)))
        }
        Err(error) => Judgement::Unjudged(format!("`{}`: {}", short(text), error.kind())),
    }
}

fn variables(answer: &Answered, release: &Filling<'_>) -> Value {
    let value = |json: &Option<serde_json::Value>| match json {
        Some(json) => Value::from(Serde(json)),
        None => Value::UNDEFINED,
    };
    let number = |number: Option<f64>| number.map_or(Value::UNDEFINED, Value::from);
    context! {
        status => answer.status.map_or(Value::UNDEFINED, Value::from),
        headers => Value::from(Serde(&answer.headers)),
        body => answer.body.as_deref().map_or(Value::UNDEFINED, Value::from),
        json => value(&answer.json),
        value => number(answer.value),
        samples => number(answer.samples),
        seconds => answer.seconds,
        version => release.version,
        digest => release.digest,
        package => release.package,
    }
}

fn text_of(value: &serde_json::Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

#[cfg(test)]
#[path = "expression_tests.rs"]
mod tests;
