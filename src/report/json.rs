//! What programs read of us.

use std::fmt::Write as _;

use serde::Serialize;

use crate::plan::Plan;
use crate::report::plain::is_hostile;

/// Any answer as JSON, indented, with a newline at its end.
///
/// Controls and marks that turn the reading direction are written as `\u` escapes: the value is the same, and a
/// terminal shows them instead of obeying.
pub fn pretty<T: Serialize>(value: &T) -> String {
    let text =
        serde_json::to_string_pretty(value).expect("our own types have string keys and finite numbers");
    let mut safe = escaped(&text);
    safe.push('\n');
    safe
}

/// The same on one line, without a newline at its end.
pub fn compact<T: Serialize>(value: &T) -> String {
    escaped(&serde_json::to_string(value).expect("our own types have string keys and finite numbers"))
}

/// The plan, as `plan -o` saves it.
pub fn plan_json(plan: &Plan) -> String {
    pretty(plan)
}

/// The JSON schema of a plan.
pub fn plan_schema() -> serde_json::Value {
    let mut schema = schemars::schema_for!(Plan).to_value();
    if let Some(fields) = schema.as_object_mut() {
        fields.insert("title".to_owned(), "plan of `release`".into());
    }
    schema
}

fn escaped(text: &str) -> String {
    let mut safe = String::with_capacity(text.len() + 1);
    for character in text.chars() {
        if character != '\n' && is_hostile(character) {
            escape(character, &mut safe);
        } else {
            safe.push(character);
        }
    }
    safe
}

/// As JSON escapes a character outside ASCII (RFC 8259, section 7).
fn escape(character: char, into: &mut String) {
    for unit in character.encode_utf16(&mut [0; 2]) {
        write!(into, "\\u{unit:04x}").expect("a string takes any text");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hostile_characters_are_escaped_and_read_back() {
        let text = "a\u{1b}[31m\u{202e}\u{9b}\u{e0001}\n\tü";
        let shown = pretty(&text);
        assert!(!shown.trim_end().chars().any(is_hostile), "{shown:?}");
        assert!(shown.ends_with('\n'));
        assert_eq!(serde_json::from_str::<String>(&shown).unwrap(), text);
        assert_eq!(compact(&text), shown.trim_end());
    }

    #[test]
    fn the_schema_has_a_title_and_names_the_fields() {
        let schema = plan_schema();
        assert_eq!(schema["title"], "plan of `release`");
        for field in ["format", "digest", "base", "releases", "left_out"] {
            assert!(schema["properties"].get(field).is_some(), "{field}");
        }
    }
}
