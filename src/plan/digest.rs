//! SHA-256 digests as values.

use std::fmt;
use std::io::{self, BufWriter, Write};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

/// `sha256:` and 64 hexadecimal digits.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct Digest(String);

impl Digest {
    pub fn of(bytes: &[u8]) -> Digest {
        Digest::from_sha256(&Sha256::digest(bytes))
    }

    /// Over a value's JSON, on one line.
    pub fn of_json<T: Serialize>(value: &T) -> Digest {
        let mut sum = BufWriter::with_capacity(PIECE, Summing(Sha256::new()));
        let written = serde_json::to_writer(&mut sum, value).map_err(io::Error::from);
        written.and_then(|()| sum.flush()).expect("our own types hold only what JSON can say");
        Digest::from_sha256(&sum.get_ref().0.clone().finalize())
    }

    /// Reads what `Display` writes.
    pub fn parse(text: &str) -> Option<Digest> {
        let hex = text.strip_prefix("sha256:")?;
        let is_hex = hex.len() == 64 && hex.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
        is_hex.then(|| Digest(text.to_owned()))
    }

    /// The empty text, where a digest is not known yet.
    pub fn none() -> Digest {
        Digest(String::new())
    }

    fn from_sha256(sum: &[u8]) -> Digest {
        let mut text = String::with_capacity(71);
        text.push_str("sha256:");
        for byte in sum {
            let digit = |value: u8| char::from(b"0123456789abcdef"[usize::from(value)]);
            text.extend([digit(byte >> 4), digit(byte & 0x0f)]);
        }
        Digest(text)
    }

    /// The hexadecimal digits alone.
    pub fn hex(&self) -> &str {
        self.0.strip_prefix("sha256:").unwrap_or(&self.0)
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The first twelve digits, for people.
    pub fn short(&self) -> &str {
        self.hex().get(..12).unwrap_or(self.hex())
    }
}

/// How many bytes are summed at once.
const PIECE: usize = 64 << 10;

/// A sum that takes what is written.
struct Summing(Sha256);

impl Write for Summing {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.update(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
