//! A TOML document as a plain tree in which every key and value knows its place in the text.

use std::ops::Range;

use toml_edit::{Document, Item, TableLike, Value};

/// Where something stands in the text; `None` for what TOML only implies.
pub type Place = Option<Range<usize>>;

/// A value and its place.
#[derive(Debug, Clone, PartialEq)]
pub struct Node {
    pub place: Place,
    pub kind: Kind,
}

/// What a value is.
#[derive(Debug, Clone, PartialEq)]
pub enum Kind {
    Text(String),
    Whole(i64),
    Real(f64),
    Truth(bool),
    Date(String),
    List(Vec<Node>),
    Table(Vec<Entry>),
}

/// A key of a table and its value.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    pub key: String,
    pub place: Place,
    pub node: Node,
}

/// Why a text is no TOML.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct SyntaxError {
    pub message: String,
    pub place: Place,
}

/// Parses a whole TOML text.
///
/// # Errors
/// Where it is no TOML.
pub fn parse(text: &str) -> Result<Document<&str>, SyntaxError> {
    Document::parse(text).map_err(|error| SyntaxError {
        message: error.message().lines().collect::<Vec<_>>().join(", "),
        place: error.span(),
    })
}

impl Node {
    /// Reads a whole TOML text.
    ///
    /// # Errors
    /// Where it is no TOML.
    pub fn read(text: &str) -> Result<Node, SyntaxError> {
        Ok(Node { place: None, kind: Kind::Table(entries(parse(text)?.as_table())) })
    }

    /// The entries of a table; none for anything else.
    pub fn entries(&self) -> &[Entry] {
        match &self.kind {
            Kind::Table(entries) => entries,
            _ => &[],
        }
    }

    pub fn entry(&self, key: &str) -> Option<&Entry> {
        self.entries().iter().find(|entry| entry.key == key)
    }

    /// The value under keys, one below the other.
    pub fn at(&self, keys: &[&str]) -> Option<&Node> {
        keys.iter().try_fold(self, |node, key| node.entry(key).map(|entry| &entry.node))
    }

    /// The places of the value under keys; of the key itself where the value is a table.
    pub fn place_of(&self, keys: &[&str]) -> Place {
        let (last, above) = keys.split_last()?;
        let entry = self.at(above)?.entry(last)?;
        match entry.node.kind {
            Kind::Table(_) => entry.place.clone(),
            _ => entry.node.place.clone(),
        }
    }

    pub fn as_text(&self) -> Option<&str> {
        match &self.kind {
            Kind::Text(text) => Some(text),
            _ => None,
        }
    }

    pub fn as_truth(&self) -> Option<bool> {
        match self.kind {
            Kind::Truth(truth) => Some(truth),
            _ => None,
        }
    }

    pub fn items(&self) -> &[Node] {
        match &self.kind {
            Kind::List(items) => items,
            _ => &[],
        }
    }
}

fn entries(table: &dyn TableLike) -> Vec<Entry> {
    table
        .iter()
        .filter_map(|(name, _)| table.get_key_value(name))
        .filter_map(|(key, item)| {
            Some(Entry { key: key.get().to_owned(), place: key.span(), node: node(item)? })
        })
        .collect()
}

fn node(item: &Item) -> Option<Node> {
    let kind = match item {
        Item::None => return None,
        Item::Value(value) => return Some(value_node(value)),
        Item::Table(table) => Kind::Table(entries(table)),
        Item::ArrayOfTables(tables) => Kind::List(
            tables
                .iter()
                .map(|table| Node { place: table.span(), kind: Kind::Table(entries(table)) })
                .collect(),
        ),
    };
    Some(Node { place: item.span(), kind })
}

fn value_node(value: &Value) -> Node {
    let kind = match value {
        Value::String(text) => Kind::Text(text.value().clone()),
        Value::Integer(number) => Kind::Whole(*number.value()),
        Value::Float(number) => Kind::Real(*number.value()),
        Value::Boolean(truth) => Kind::Truth(*truth.value()),
        Value::Datetime(date) => Kind::Date(date.value().to_string()),
        Value::Array(items) => Kind::List(items.iter().map(value_node).collect()),
        Value::InlineTable(table) => Kind::Table(entries(table)),
    };
    Node { place: value.span(), kind }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_key_and_value_knows_its_place() {
        let text = "[a.b]\nc = \"d\" # e\n[[f]]\ng.h = 1\n";
        let node = Node::read(text).unwrap();
        let at = |place: Place| &text[place.unwrap()];
        assert_eq!(at(node.place_of(&["a", "b", "c"])), "\"d\"");
        assert_eq!(at(node.place_of(&["a", "b"])), "b");
        assert_eq!(at(node.entry("a").unwrap().place.clone()), "a");
        let first = &node.at(&["f"]).unwrap().items()[0];
        assert_eq!(at(first.place_of(&["g", "h"])), "1");
        assert_eq!(at(first.place.clone()), "[[f]]");
    }

    #[test]
    fn a_text_that_is_no_toml_says_where() {
        let error = Node::read("a = \nb = 1").unwrap_err();
        assert!(error.place.is_some());
    }
}
