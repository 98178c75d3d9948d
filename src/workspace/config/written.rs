//! The schema of the configuration as the documentation holds it: reading it takes a tenth of making it.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{LazyLock, OnceLock};

use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};

/// The schema without its descriptions, which are most of it and which no check asks for. A definition is read when it is
/// first referred to: most configurations use few.
#[derive(Debug)]
pub struct WrittenSchema {
    root: Value,
    definitions: BTreeMap<&'static str, Definition>,
}

#[derive(Debug)]
struct Definition {
    text: &'static str,
    read: OnceLock<Value>,
}

/// The schema that the documentation holds.
pub fn written_schema() -> &'static WrittenSchema {
    static WRITTEN: LazyLock<WrittenSchema> = LazyLock::new(|| {
        let text = include_str!("../../../docs/config.schema.json");
        WrittenSchema::of(text).expect("a test reads the written schema")
    });
    &WRITTEN
}

impl WrittenSchema {
    /// Of a text that is indented by two spaces and ends with the definitions; none where it is another.
    fn of(text: &'static str) -> Option<WrittenSchema> {
        let (root, definitions) = text.split_once(",\n  \"$defs\": {\n    \"")?;
        let definitions = definitions.strip_suffix("\n  }\n}\n")?;
        // Whatever stands deeper in the text has more spaces before it.
        let each = definitions.split(",\n    \"").map(|definition| {
            let (name, text) = definition.split_once("\": ")?;
            Some((name, Definition { text, read: OnceLock::new() }))
        });
        let root = undescribed(&format!("{root}}}")).ok()?;
        Some(WrittenSchema { root, definitions: each.collect::<Option<_>>()? })
    }

    pub fn root(&self) -> &Value {
        &self.root
    }

    /// What a reference leads to; none where it leads to no definition.
    pub fn at(&self, reference: &str) -> Option<&Value> {
        let definition = self.definitions.get(reference.strip_prefix("#/$defs/")?)?;
        let read = || undescribed(definition.text).expect("a test reads every definition");
        Some(definition.read.get_or_init(read))
    }
}

/// The key of texts for people.
const DESCRIPTION: &str = "description";

/// Any JSON, without the texts under `description`.
fn undescribed(text: &str) -> serde_json::Result<Value> {
    let mut reader = serde_json::Deserializer::from_str(text);
    let value = Taking { texts: true }.deserialize(&mut reader)?;
    reader.end()?;
    Ok(value.unwrap_or_default())
}

/// Takes a value; a text only where texts are taken.
struct Taking {
    texts: bool,
}

impl<'de> DeserializeSeed<'de> for Taking {
    type Value = Option<Value>;

    fn deserialize<D: Deserializer<'de>>(self, reader: D) -> Result<Option<Value>, D::Error> {
        reader.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Taking {
    type Value = Option<Value>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any JSON")
    }

    fn visit_unit<E: Error>(self) -> Result<Option<Value>, E> {
        Ok(Some(Value::Null))
    }

    fn visit_bool<E: Error>(self, truth: bool) -> Result<Option<Value>, E> {
        Ok(Some(truth.into()))
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<Option<Value>, E> {
        Ok(Some(number.into()))
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<Option<Value>, E> {
        Ok(Some(number.into()))
    }

    fn visit_f64<E: Error>(self, number: f64) -> Result<Option<Value>, E> {
        Ok(Some(number.into()))
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Option<Value>, E> {
        Ok(self.texts.then(|| text.into()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Option<Value>, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = items.next_element_seed(Taking { texts: true })? {
            list.extend(item);
        }
        Ok(Some(Value::Array(list)))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Option<Value>, A::Error> {
        let mut map = Map::new();
        while let Some(key) = entries.next_key::<String>()? {
            let taking = Taking { texts: key != DESCRIPTION };
            if let Some(value) = entries.next_value_seed(taking)? {
                map.insert(key, value);
            }
        }
        Ok(Some(Value::Object(map)))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn all_but_descriptions_is_kept() {
        let value = json!({
            "description": "gone",
            "properties": {"description": {"type": "string", "description": "gone"}, "é\"": {"const": null}},
            "anyOf": ["description", true, -1, 2, 1.5, {"description": ["kept"]}],
        });
        let expected = json!({
            "properties": {"description": {"type": "string"}, "é\"": {"const": null}},
            "anyOf": ["description", true, -1, 2, 1.5, {"description": ["kept"]}],
        });
        assert_eq!(undescribed(&value.to_string()).unwrap(), expected);
        assert!(undescribed("{} {}").is_err());
        assert!(undescribed("{").is_err());
    }

    #[test]
    fn a_definition_is_read_when_it_is_first_referred_to() {
        const TEXT: &str = r##"{
  "description": "gone, and \"$defs\": {",
  "type": "object",
  "$defs": {
    "A": {
      "description": "gone",
      "type": "string"
    },
    "B": {
      "$ref": "#/$defs/A"
    }
  }
}
"##;
        let schema = WrittenSchema::of(TEXT).unwrap();
        assert_eq!(*schema.root(), json!({"type": "object"}));
        assert_eq!(schema.at("#/$defs/A"), Some(&json!({"type": "string"})));
        let read: Vec<bool> = schema.definitions.values().map(|one| one.read.get().is_some()).collect();
        assert_eq!(read, [true, false]);
        for nowhere in ["#/$defs/C", "#/properties/A", "#", "A", ""] {
            assert_eq!(schema.at(nowhere), None, "{nowhere}");
        }
        assert!(WrittenSchema::of("{\n  \"type\": \"object\"\n}\n").is_none());
        assert!(WrittenSchema::of(TEXT.trim_end()).is_none());
    }

    fn references<'v>(value: &'v Value, found: &mut Vec<&'v str>) {
        match value {
            Value::Object(map) => {
                found.extend(map.get("$ref").and_then(Value::as_str));
                map.values().for_each(|value| references(value, found));
            }
            Value::Array(list) => list.iter().for_each(|value| references(value, found)),
            _ => {}
        }
    }

    #[test]
    fn the_written_schema_read_in_parts_is_the_whole() {
        let whole = undescribed(include_str!("../../../docs/config.schema.json")).unwrap();
        let schema = written_schema();
        let mut parts = schema.root().clone();
        for name in schema.definitions.keys() {
            parts["$defs"][name] = schema.at(&format!("#/$defs/{name}")).unwrap().clone();
        }
        assert_eq!(parts, whole);
        let mut found = Vec::new();
        references(&whole, &mut found);
        assert!(found.len() > 40);
        for reference in found {
            assert!(schema.at(reference).is_some(), "`{reference}` leads nowhere");
        }
    }
}
