//! What programs read of us.

use std::io::{self, Write};

use serde::Serialize;
use serde_json::ser::{CompactFormatter, Formatter, Serializer};

use crate::plan::Plan;
use crate::report::plain::is_hostile;

/// Any answer as JSON, indented, with a newline at its end.
///
/// Controls and marks that turn the reading direction are written as `\u` escapes: the value is the same, and a
/// terminal shows them instead of obeying.
pub fn pretty<T: Serialize>(value: &T) -> String {
    let mut bytes = Vec::new();
    write(value, &mut bytes).expect(OURS);
    String::from_utf8(bytes).expect(OURS)
}

/// The same on one line, without a newline at its end.
pub fn compact<T: Serialize>(value: &T) -> String {
    let mut bytes = Vec::new();
    value.serialize(&mut Serializer::with_formatter(&mut bytes, Safe(CompactFormatter))).expect(OURS);
    String::from_utf8(bytes).expect(OURS)
}

const OURS: &str = "our own types have string keys and finite numbers";

/// Writes what `pretty` gives, without holding it all.
///
/// # Errors
/// Where it can not be written.
pub fn write<T: Serialize>(value: &T, into: &mut impl Write) -> io::Result<()> {
    let mut serializer = Serializer::with_formatter(&mut *into, Safe(Indented::default()));
    value.serialize(&mut serializer)?;
    into.write_all(b"\n")
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

/// Where the first byte stands that is not plain ASCII. Most texts have none: many bytes are looked at together.
fn first_odd(bytes: &[u8]) -> Option<usize> {
    let is_plain = |byte: &u8| (b' '..=b'~').contains(byte);
    let is_even = |part: &&[u8; TOGETHER]| part.iter().fold(true, |even, byte| even & is_plain(byte));
    let even = bytes.as_chunks().0.iter().take_while(is_even).count() * TOGETHER;
    bytes[even..].iter().position(|byte| !is_plain(byte)).map(|at| even + at)
}

/// How many bytes of a text are looked at together.
const TOGETHER: usize = 32;

/// Another formatter, by which no text holds what a terminal obeys.
struct Safe<F>(F);

impl<F: Formatter> Formatter for Safe<F> {
    fn write_string_fragment<W: ?Sized + Write>(&mut self, into: &mut W, text: &str) -> io::Result<()> {
        let mut rest = text;
        // Plain ASCII, which is most of it, is written in stretches.
        while let Some(at) = first_odd(rest.as_bytes()) {
            let (plain, odd) = rest.split_at(at);
            into.write_all(plain.as_bytes())?;
            let Some(character) = odd.chars().next() else { break };
            let (character_text, after) = odd.split_at(character.len_utf8());
            if is_hostile(character) {
                escape(character, into)?;
            } else {
                into.write_all(character_text.as_bytes())?;
            }
            rest = after;
        }
        into.write_all(rest.as_bytes())
    }

    fn begin_array<W: ?Sized + Write>(&mut self, into: &mut W) -> io::Result<()> {
        self.0.begin_array(into)
    }

    fn end_array<W: ?Sized + Write>(&mut self, into: &mut W) -> io::Result<()> {
        self.0.end_array(into)
    }

    fn begin_array_value<W: ?Sized + Write>(&mut self, into: &mut W, first: bool) -> io::Result<()> {
        self.0.begin_array_value(into, first)
    }

    fn end_array_value<W: ?Sized + Write>(&mut self, into: &mut W) -> io::Result<()> {
        self.0.end_array_value(into)
    }

    fn begin_object<W: ?Sized + Write>(&mut self, into: &mut W) -> io::Result<()> {
        self.0.begin_object(into)
    }

    fn end_object<W: ?Sized + Write>(&mut self, into: &mut W) -> io::Result<()> {
        self.0.end_object(into)
    }

    fn begin_object_key<W: ?Sized + Write>(&mut self, into: &mut W, first: bool) -> io::Result<()> {
        self.0.begin_object_key(into, first)
    }

    fn begin_object_value<W: ?Sized + Write>(&mut self, into: &mut W) -> io::Result<()> {
        self.0.begin_object_value(into)
    }

    fn end_object_value<W: ?Sized + Write>(&mut self, into: &mut W) -> io::Result<()> {
        self.0.end_object_value(into)
    }
}

/// Indents as serde_json does, two spaces a level, and writes what begins a line at once.
#[derive(Default)]
struct Indented {
    depth: usize,
    /// Whether what is open holds a value already.
    has_value: bool,
}

/// What begins a line, as far as lines are indented most often.
const BEGINNING: &[u8; 34] = b",\n                                ";

impl Indented {
    fn begin_line<W: ?Sized + Write>(&self, into: &mut W, comma: bool) -> io::Result<()> {
        let beginning = &BEGINNING[usize::from(!comma)..];
        let length = 2 * self.depth + 1 + usize::from(comma);
        match beginning.get(..length) {
            Some(beginning) => into.write_all(beginning),
            None => {
                into.write_all(beginning)?;
                into.write_all(" ".repeat(length - beginning.len()).as_bytes())
            }
        }
    }

    fn open<W: ?Sized + Write>(&mut self, into: &mut W, bracket: &[u8]) -> io::Result<()> {
        self.depth += 1;
        self.has_value = false;
        into.write_all(bracket)
    }

    fn close<W: ?Sized + Write>(&mut self, into: &mut W, bracket: &[u8]) -> io::Result<()> {
        self.depth -= 1;
        if self.has_value {
            self.begin_line(into, false)?;
        }
        into.write_all(bracket)
    }
}

impl Formatter for Indented {
    fn begin_array<W: ?Sized + Write>(&mut self, into: &mut W) -> io::Result<()> {
        self.open(into, b"[")
    }

    fn end_array<W: ?Sized + Write>(&mut self, into: &mut W) -> io::Result<()> {
        self.close(into, b"]")
    }

    fn begin_array_value<W: ?Sized + Write>(&mut self, into: &mut W, first: bool) -> io::Result<()> {
        self.begin_line(into, !first)
    }

    fn end_array_value<W: ?Sized + Write>(&mut self, _: &mut W) -> io::Result<()> {
        self.has_value = true;
        Ok(())
    }

    fn begin_object<W: ?Sized + Write>(&mut self, into: &mut W) -> io::Result<()> {
        self.open(into, b"{")
    }

    fn end_object<W: ?Sized + Write>(&mut self, into: &mut W) -> io::Result<()> {
        self.close(into, b"}")
    }

    fn begin_object_key<W: ?Sized + Write>(&mut self, into: &mut W, first: bool) -> io::Result<()> {
        self.begin_line(into, !first)
    }

    fn begin_object_value<W: ?Sized + Write>(&mut self, into: &mut W) -> io::Result<()> {
        into.write_all(b": ")
    }

    fn end_object_value<W: ?Sized + Write>(&mut self, _: &mut W) -> io::Result<()> {
        self.has_value = true;
        Ok(())
    }
}

/// As JSON escapes a character outside ASCII (RFC 8259, section 7).
fn escape<W: ?Sized + Write>(character: char, into: &mut W) -> io::Result<()> {
    character.encode_utf16(&mut [0; 2]).iter().try_for_each(|unit| write!(into, "\\u{unit:04x}"))
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
    fn a_hostile_character_is_found_wherever_it_stands() {
        for at in 0..3 * TOGETHER {
            let text = format!("{}\u{9b}{}", "a".repeat(at), "b".repeat(70));
            let shown = compact(&text);
            assert_eq!(shown, format!("\"{}\\u009b{}\"", "a".repeat(at), "b".repeat(70)));
            assert_eq!(serde_json::from_str::<String>(&shown).unwrap(), text);
        }
    }

    #[test]
    fn lines_are_indented_as_serde_json_does() {
        let mut value = serde_json::json!({ "a": [], "b": {}, "c": [1, "x", null, [true], {}], "d": 1.5 });
        for _ in 0..20 {
            value = serde_json::json!({ "deeper": [value, [], 0], "z": "" });
            assert_eq!(pretty(&value).trim_end(), serde_json::to_string_pretty(&value).unwrap());
        }
        let schema = plan_schema();
        assert_eq!(pretty(&schema).trim_end(), serde_json::to_string_pretty(&schema).unwrap());
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
