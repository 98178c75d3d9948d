//! A link as bytes, for stores that number their links: JSON with the version of the link before it.
//!
//! A link's version is its number and the SHA-256 of its bytes, so each version stands for the whole chain up to it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::world::ledger_ref::Files;
use crate::world::sha256;
use crate::world::store::{Entry, Version};

/// What an old reader must refuse.
const FORMAT: u32 = 1;

#[derive(Serialize, Deserialize)]
struct Record {
    format: u32,
    parent: Option<String>,
    message: String,
    name: String,
    email: String,
    /// Seconds since 1970 (UTC).
    time: i64,
    files: BTreeMap<String, String>,
    /// Files that are no UTF-8, as hexadecimal digits.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    binary: BTreeMap<String, String>,
}

/// What a link's bytes say.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::world) struct Opened {
    pub parent: Option<Version>,
    pub files: Files,
}

/// The bytes of an entry on top of a link. The same input gives the same bytes.
pub(in crate::world) fn encode(parent: Option<&Version>, entry: &Entry) -> Vec<u8> {
    let mut record = Record {
        format: FORMAT,
        parent: parent.map(|version| version.0.clone()),
        message: entry.message.clone(),
        name: entry.by.who.name.clone(),
        email: entry.by.who.email.clone(),
        time: entry.by.time,
        files: BTreeMap::new(),
        binary: BTreeMap::new(),
    };
    for (name, bytes) in &entry.files {
        match str::from_utf8(bytes) {
            Ok(text) => record.files.insert(name.clone(), text.to_owned()),
            Err(_) => record.binary.insert(name.clone(), hex(bytes)),
        };
    }
    serde_json::to_vec(&record).expect("strings and numbers are always JSON")
}

/// Reads a link's bytes.
///
/// # Errors
/// What is wrong with them, in words.
pub(in crate::world) fn decode(bytes: &[u8]) -> Result<Opened, String> {
    let record: Record = serde_json::from_slice(bytes).map_err(|error| format!("no link: {error}"))?;
    if record.format != FORMAT {
        return Err(format!("format {}, which a newer version reads", record.format));
    }
    let mut files: Files = record.files.into_iter().map(|(name, text)| (name, text.into_bytes())).collect();
    for (name, digits) in record.binary {
        let bytes = unhex(&digits).ok_or_else(|| format!("`{name}` is not written as hexadecimal digits"))?;
        files.insert(name, bytes);
    }
    Ok(Opened { parent: record.parent.map(Version), files })
}

/// The version of a link.
pub(in crate::world) fn version(number: u64, bytes: &[u8]) -> Version {
    Version(format!("{number}-{}", sha256::of(bytes)))
}

/// The number of a version; `None` where it is none of a numbered chain.
pub(in crate::world) fn number(version: &Version) -> Option<u64> {
    let (number, digest) = version.0.split_once('-')?;
    let digest_fits = digest.len() == 64 && digest.bytes().all(|byte| byte.is_ascii_hexdigit());
    number.parse().ok().filter(|number| digest_fits && *number > 0)
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn unhex(digits: &str) -> Option<Vec<u8>> {
    let pairs = digits.as_bytes().chunks(2);
    pairs
        .map(|pair| u8::from_str_radix(str::from_utf8(pair).ok()?, 16).ok().filter(|_| pair.len() == 2))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::world::testing::stamp;

    #[test]
    fn a_link_is_read_as_it_was_written() {
        let files = Files::from([("a".to_owned(), "é".into()), ("b".to_owned(), vec![0, 0xff, b'\n'])]);
        let entry = Entry { files: files.clone(), message: "m".to_owned(), by: stamp(1) };
        let first = encode(None, &entry);
        assert_eq!(decode(&first), Ok(Opened { parent: None, files: files.clone() }));
        let one = version(1, &first);
        let second = encode(Some(&one), &entry);
        assert_eq!(decode(&second), Ok(Opened { parent: Some(one.clone()), files }));
        assert_eq!((number(&one), number(&version(17, &second))), (Some(1), Some(17)));
        assert_ne!(version(1, &first), version(1, &second));
    }

    #[test]
    fn what_is_no_link_is_refused_in_words() {
        let check = |bytes: &str, expected: &str| {
            let said = decode(bytes.as_bytes()).unwrap_err();
            assert!(said.contains(expected), "{said}");
        };
        check("<html>", "no link");
        let link = r#"{"format":1,"parent":null,"message":"","name":"","email":"","time":0,"files":{}}"#;
        assert!(decode(link.as_bytes()).is_ok());
        check(&link.replace(":1,", ":2,"), "format 2");
        check(&link.replace("\"files\"", "\"binary\":{\"a\":\"0x1\"},\"files\""), "`a`");
        for text in ["", "1", "0-aa", "abc", "-", &format!("x-{}", "a".repeat(64))] {
            assert_eq!(number(&Version(text.to_owned())), None, "{text}");
        }
    }
}
