//! Core metadata: the fields of METADATA and PKG-INFO.

/// The fields of a METADATA or PKG-INFO file in their order, and the text after them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Metadata {
    fields: Vec<(String, String)>,
    /// What follows the empty line: the description, since metadata version 2.1.
    pub body: String,
}

/// Why a text is no core metadata.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MetadataError {
    #[error("the metadata is not UTF-8")]
    Encoding,
    #[error("line {line} of the metadata is no `Name: value`: `{text}`")]
    Line { line: usize, text: String },
    #[error("the metadata has no `{field}`")]
    Missing { field: &'static str },
    #[error("the metadata has `{field}` more than once")]
    Repeated { field: &'static str },
}

impl Metadata {
    /// Reads the headers as the core metadata specification writes them: RFC 822 with UTF-8 values.
    ///
    /// # Errors
    /// Where it is not UTF-8, a line is no header, or one of the three required fields is missing or repeated.
    pub fn parse(bytes: &[u8]) -> Result<Metadata, MetadataError> {
        let metadata = Metadata::parse_headers(bytes)?;
        for field in ["Metadata-Version", "Name", "Version"] {
            match metadata.all(field).count() {
                1 => {}
                0 => return Err(MetadataError::Missing { field }),
                _ => return Err(MetadataError::Repeated { field }),
            }
        }
        Ok(metadata)
    }

    /// Reads a file of the same form that holds other fields, such as WHEEL.
    ///
    /// # Errors
    /// Where it is not UTF-8 or a line is no header.
    pub fn parse_headers(bytes: &[u8]) -> Result<Metadata, MetadataError> {
        let text = std::str::from_utf8(bytes).map_err(|_| MetadataError::Encoding)?;
        let mut metadata = Metadata::default();
        let mut rest = text.strip_prefix('\u{feff}').unwrap_or(text);
        let mut number = 0;
        while !rest.is_empty() {
            let (line, after) = rest.split_once('\n').unwrap_or((rest, ""));
            let line = line.strip_suffix('\r').unwrap_or(line);
            rest = after;
            number += 1;
            if line.is_empty() {
                metadata.body = rest.to_owned();
                break;
            }
            metadata.take(line, number)?;
        }
        Ok(metadata)
    }

    fn take(&mut self, line: &str, number: usize) -> Result<(), MetadataError> {
        if line.starts_with([' ', '\t'])
            && let Some((_, value)) = self.fields.last_mut()
        {
            value.push('\n');
            value.push_str(continued(line));
            return Ok(());
        }
        let (name, value) =
            line.split_once(':').filter(|(name, _)| is_field_name(name)).ok_or_else(|| {
                MetadataError::Line {
                    line: number,
                    text: line.chars().filter(|c| !c.is_control()).take(80).collect(),
                }
            })?;
        self.fields.push((name.to_owned(), value.trim().to_owned()));
        Ok(())
    }

    /// All fields in their order, names as written.
    pub fn fields(&self) -> &[(String, String)] {
        &self.fields
    }

    /// The values of a field, names compared without case.
    pub fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.fields
            .iter()
            .filter(move |(field, _)| field.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_str())
    }

    pub fn first(&self, name: &str) -> Option<&str> {
        self.fields
            .iter()
            .find(|(field, _)| field.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_str())
    }

    pub fn metadata_version(&self) -> &str {
        self.first("Metadata-Version").unwrap_or("")
    }

    pub fn name(&self) -> &str {
        self.first("Name").unwrap_or("")
    }

    pub fn version(&self) -> &str {
        self.first("Version").unwrap_or("")
    }

    pub fn requires_python(&self) -> Option<&str> {
        self.first("Requires-Python").filter(|value| !value.is_empty())
    }

    pub fn requires_dist(&self) -> impl Iterator<Item = &str> {
        self.all("Requires-Dist")
    }

    pub fn provides_extra(&self) -> impl Iterator<Item = &str> {
        self.all("Provides-Extra")
    }
}

/// A continuation without its indentation; old descriptions mark it with eight spaces or seven and a bar.
fn continued(line: &str) -> &str {
    let marked = line.strip_prefix("       |").or_else(|| line.strip_prefix("        "));
    marked.unwrap_or_else(|| line.trim_start_matches([' ', '\t']))
}

fn is_field_name(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
}

#[cfg(test)]
mod tests {
    use super::*;

    const SMALL: &str = "Metadata-Version: 2.4\nName: acme-core\nVersion: 1.2.0\n";

    fn parse(text: &str) -> Result<Metadata, MetadataError> {
        Metadata::parse(text.as_bytes())
    }

    #[test]
    fn fields_repeat_and_the_body_follows_an_empty_line() {
        let text = format!(
            "{SMALL}Requires-Dist: a>=1\r\nrequires-dist: b; extra == 'x'\n\n# Title\n\nName: not a field\n"
        );
        let metadata = parse(&text).unwrap();
        assert_eq!(metadata.requires_dist().collect::<Vec<_>>(), ["a>=1", "b; extra == 'x'"]);
        assert_eq!(metadata.body, "# Title\n\nName: not a field\n");
        assert_eq!((metadata.name(), metadata.version()), ("acme-core", "1.2.0"));
    }

    #[test]
    fn a_value_may_go_on_in_the_next_line() {
        let text = format!("{SMALL}License: one\n        two\n         three\n       |four\nSummary:\n");
        let metadata = parse(&text).unwrap();
        assert_eq!(metadata.first("license"), Some("one\ntwo\n three\nfour"));
        assert_eq!(metadata.first("Summary"), Some(""));
    }

    #[test]
    fn what_is_no_metadata_is_refused() {
        assert_eq!(Metadata::parse(b"Name: \xff"), Err(MetadataError::Encoding));
        assert_eq!(parse("Name: a\n"), Err(MetadataError::Missing { field: "Metadata-Version" }));
        assert_eq!(parse(&format!("{SMALL}Name: b\n")), Err(MetadataError::Repeated { field: "Name" }));
        assert_eq!(parse(""), Err(MetadataError::Missing { field: "Metadata-Version" }));
        assert!(matches!(parse(" leading: space\n"), Err(MetadataError::Line { line: 1, .. })));
        assert!(matches!(parse("no colon here\n"), Err(MetadataError::Line { line: 1, .. })));
    }
}
