//! RECORD: the list of a wheel's files with their hashes and sizes.

use std::collections::BTreeMap;

use sha2::{Digest, Sha256, Sha384, Sha512};

/// The lines of a RECORD by path.
pub type Record = BTreeMap<String, Line>;

/// What a RECORD says of one file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// `sha256=…` in URL-safe base64 without padding; empty for RECORD itself.
    pub hash: String,
    pub size: Option<u64>,
}

/// Reads a RECORD (binary distribution format: CSV of path, hash, size).
///
/// # Errors
/// The first fault, in words.
pub fn parse(bytes: &[u8]) -> Result<Record, String> {
    let text = std::str::from_utf8(bytes).map_err(|_| "RECORD is not UTF-8".to_owned())?;
    let mut record = Record::new();
    for (index, line) in text.lines().enumerate().filter(|(_, line)| !line.is_empty()) {
        let fault = |what: &str| format!("line {} of RECORD {what}", index + 1);
        let [path, hash, size] = split(line).ok_or_else(|| fault("does not hold three fields"))?;
        let size = match size.as_str() {
            "" => None,
            text => Some(text.parse().map_err(|_| fault("gives a size that is no number"))?),
        };
        if record.insert(path, Line { hash, size }).is_some() {
            return Err(fault("names a file a second time"));
        }
    }
    Ok(record)
}

/// The three fields of a CSV line; a field in quotes may hold commas and doubled quotes.
fn split(line: &str) -> Option<[String; 3]> {
    let mut fields = vec![String::new()];
    let mut quoted = false;
    let mut characters = line.chars().peekable();
    while let Some(character) = characters.next() {
        let field = fields.last_mut()?;
        match character {
            '"' if quoted && characters.peek() == Some(&'"') => {
                characters.next();
                field.push('"');
            }
            '"' if quoted || field.is_empty() => quoted = !quoted,
            ',' if !quoted => fields.push(String::new()),
            _ => field.push(character),
        }
    }
    if quoted { None } else { fields.try_into().ok() }
}

/// The running hash of one file, of the kind that its RECORD line names.
pub enum Hasher {
    Sha256(Sha256),
    Sha384(Sha384),
    Sha512(Sha512),
}

impl Hasher {
    /// A hasher for a line's `hash`. `None` for kinds that PEP 427 forbids (md5, sha1) and unknown ones.
    pub fn of(hash: &str) -> Option<Hasher> {
        match hash.split_once('=')?.0 {
            "sha256" => Some(Hasher::Sha256(Sha256::new())),
            "sha384" => Some(Hasher::Sha384(Sha384::new())),
            "sha512" => Some(Hasher::Sha512(Sha512::new())),
            _ => None,
        }
    }

    pub fn update(&mut self, bytes: &[u8]) {
        match self {
            Hasher::Sha256(hasher) => hasher.update(bytes),
            Hasher::Sha384(hasher) => hasher.update(bytes),
            Hasher::Sha512(hasher) => hasher.update(bytes),
        }
    }

    /// The hash as RECORD writes it.
    pub fn finish(self) -> String {
        match self {
            Hasher::Sha256(hasher) => format!("sha256={}", base64(&hasher.finalize())),
            Hasher::Sha384(hasher) => format!("sha384={}", base64(&hasher.finalize())),
            Hasher::Sha512(hasher) => format!("sha512={}", base64(&hasher.finalize())),
        }
    }
}

/// URL-safe base64 without padding (RFC 4648, section 5).
fn base64(bytes: &[u8]) -> String {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let mut text = String::with_capacity(bytes.len() * 4 / 3 + 3);
    for chunk in bytes.chunks(3) {
        let group =
            chunk.iter().fold(0_u32, |group, byte| group << 8 | u32::from(*byte)) << (8 * (3 - chunk.len()));
        for place in 0..=chunk.len() {
            text.push(char::from(LETTERS[(group >> (18 - 6 * place) & 63) as usize]));
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_is_that_of_rfc_4648() {
        let cases =
            [("", ""), ("f", "Zg"), ("fo", "Zm8"), ("foo", "Zm9v"), ("foob", "Zm9vYg"), ("fooba", "Zm9vYmE")];
        for (bytes, text) in cases {
            assert_eq!(base64(bytes.as_bytes()), text);
        }
        assert_eq!(base64(&[0xfb, 0xff]), "-_8");
    }

    #[test]
    fn a_path_in_quotes_may_hold_a_comma() {
        let record = parse(b"\"a,\"\"b\"\".py\",sha256=x,3\nx/RECORD,,\n").unwrap();
        assert_eq!(record["a,\"b\".py"], Line { hash: "sha256=x".to_owned(), size: Some(3) });
        assert_eq!(record["x/RECORD"], Line { hash: String::new(), size: None });
    }

    #[test]
    fn faults_name_their_line() {
        assert_eq!(parse(b"a,b\n").unwrap_err(), "line 1 of RECORD does not hold three fields");
        assert_eq!(parse(b"a,,\na,,\n").unwrap_err(), "line 2 of RECORD names a file a second time");
        assert_eq!(parse(b"a,,many\n").unwrap_err(), "line 1 of RECORD gives a size that is no number");
        assert!(parse(b"\"a,,\n").is_err());
    }

    #[test]
    fn weak_hashes_are_not_taken() {
        assert!(Hasher::of("md5=x").is_none());
        assert!(Hasher::of("").is_none());
        let mut hasher = Hasher::of("sha256=").unwrap();
        hasher.update(b"");
        assert_eq!(hasher.finish(), "sha256=47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU");
    }
}
