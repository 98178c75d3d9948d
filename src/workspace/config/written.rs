//! The schema of the configuration as the documentation holds it: reading it takes a tenth of making it.

use std::fmt;
use std::sync::LazyLock;

use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};

/// The schema without its descriptions, which are most of it and which no check asks for.
pub fn written_schema() -> &'static Value {
    static WRITTEN: LazyLock<Value> = LazyLock::new(|| {
        let text = include_str!("../../../docs/config.schema.json");
        undescribed(text).expect("a test reads the written schema")
    });
    &WRITTEN
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
}
