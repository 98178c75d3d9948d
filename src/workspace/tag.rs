//! Tag formats: how a package's versions are written as tags, and which tags are its own.

use crate::version::number::Version;
use crate::workspace::name::{is_valid, normalize};

/// A format such as `{name}-v{version}`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TagFormat {
    text: String,
    pieces: Vec<Piece>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Piece {
    Literal(String),
    Name,
    Version,
}

/// Why a tag format can not be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TagFormatError {
    #[error("tag format `{format}` must hold `{{version}}` exactly once")]
    Version { format: String },
    #[error("tag format `{format}` holds `{{name}}` more than once")]
    Names { format: String },
    #[error("tag format `{format}` holds `{{{placeholder}}}`; only `{{name}}` and `{{version}}` are known")]
    Unknown { format: String, placeholder: String },
    #[error("tag format `{format}` has a brace without its partner")]
    Brace { format: String },
    #[error("tag format `{format}` needs a text between `{{name}}` and `{{version}}`")]
    Adjacent { format: String },
    #[error("tag format `{format}` gives `{tag}`, which git refuses as a tag: {reason}")]
    Ref { format: String, tag: String, reason: &'static str },
}

impl TagFormat {
    /// # Errors
    /// Where the format is ambiguous, or its tags are no names that git allows.
    pub fn parse(text: &str) -> Result<TagFormat, TagFormatError> {
        let format = || text.to_owned();
        let pieces = pieces(text)?;
        let count = |piece: &Piece| pieces.iter().filter(|one| *one == piece).count();
        if count(&Piece::Version) != 1 {
            return Err(TagFormatError::Version { format: format() });
        }
        if count(&Piece::Name) > 1 {
            return Err(TagFormatError::Names { format: format() });
        }
        let is_literal = |piece: &Piece| matches!(piece, Piece::Literal(_));
        if pieces.windows(2).any(|pair| !pair.iter().any(is_literal)) {
            return Err(TagFormatError::Adjacent { format: format() });
        }
        let made = TagFormat { text: format(), pieces };
        let tag = made.write("name", "1.0.0");
        match refused_by_git(&tag) {
            Some(reason) => Err(TagFormatError::Ref { format: format(), tag, reason }),
            None => Ok(made),
        }
    }

    /// The tag of a version; `name` is the short name.
    pub fn render(&self, name: &str, version: &Version) -> String {
        self.write(name, &version.to_string())
    }

    /// The names and versions that the tag can be read as: (name, version text).
    ///
    /// The name is none where the format holds none. A version begins with a digit. Where some readings
    /// give a PEP 440 version, those that give none are left out.
    pub fn read<'t>(&self, tag: &'t str) -> Vec<(Option<&'t str>, &'t str)> {
        let mut readings = Vec::new();
        read_pieces(&self.pieces, tag, (None, None), &mut readings);
        readings.retain(|(name, version)| {
            name.is_none_or(is_valid) && version.starts_with(|c: char| c.is_ascii_digit())
        });
        let is_version = |(_, version): &(Option<&str>, &str)| Version::parse(version).is_ok();
        if readings.len() > 1 && readings.iter().any(is_version) {
            readings.retain(is_version);
        }
        readings
    }

    /// The version text of a tag that belongs to a package of one of these names.
    ///
    /// Names are compared in PEP 503's normal form and as a whole: `core` does not own `core-utils-v1`.
    pub fn matches<'t>(&self, tag: &'t str, names: &[&str]) -> Option<&'t str> {
        let is_own = |name: &str| names.iter().any(|one| normalize(one) == normalize(name));
        self.read(tag).into_iter().find(|(name, _)| name.is_none_or(is_own)).map(|(_, version)| version)
    }

    /// Whether its tags tell packages apart.
    pub fn has_name(&self) -> bool {
        self.pieces.contains(&Piece::Name)
    }

    pub fn as_str(&self) -> &str {
        &self.text
    }

    fn write(&self, name: &str, version: &str) -> String {
        let part = |piece: &Piece| match piece {
            Piece::Literal(text) => text.clone(),
            Piece::Name => name.to_owned(),
            Piece::Version => version.to_owned(),
        };
        self.pieces.iter().map(part).collect()
    }
}

impl std::fmt::Display for TagFormat {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.text)
    }
}

/// Why git refuses a text as a tag (git-check-ref-format(1)); none where it does not.
pub fn refused_by_git(tag: &str) -> Option<&'static str> {
    let parts = || tag.split('/');
    if tag.is_empty() || parts().any(str::is_empty) {
        Some("a part between slashes is empty")
    } else if tag
        .chars()
        .any(|c| c.is_ascii_control() || matches!(c, ' ' | '~' | '^' | ':' | '?' | '*' | '[' | '\\'))
    {
        Some("it holds a space, a control character or one of ~ ^ : ? * [ \\")
    } else if tag.contains("..") || tag.ends_with('.') || parts().any(|part| part.starts_with('.')) {
        Some("a dot begins a part, ends the tag or follows another dot")
    } else if parts().any(|part| part.ends_with(".lock")) {
        Some("a part ends in `.lock`")
    } else if tag.contains("@{") || tag == "@" {
        Some("`@{` and a single `@` have another meaning")
    } else if tag.starts_with('-') {
        Some("it begins with a dash")
    } else {
        None
    }
}

fn pieces(text: &str) -> Result<Vec<Piece>, TagFormatError> {
    let brace = || TagFormatError::Brace { format: text.to_owned() };
    let mut pieces = Vec::new();
    let mut rest = text;
    while !rest.is_empty() {
        let literal = rest.find(['{', '}']).unwrap_or(rest.len());
        if literal > 0 {
            pieces.push(Piece::Literal(rest[..literal].to_owned()));
            rest = &rest[literal..];
            continue;
        }
        let (placeholder, after) =
            rest.strip_prefix('{').and_then(|inside| inside.split_once('}')).ok_or_else(brace)?;
        pieces.push(match placeholder {
            "name" => Piece::Name,
            "version" => Piece::Version,
            other => {
                let (format, placeholder) = (text.to_owned(), other.to_owned());
                return Err(TagFormatError::Unknown { format, placeholder });
            }
        });
        rest = after;
    }
    Ok(pieces)
}

type Reading<'t> = (Option<&'t str>, Option<&'t str>);

/// Tries every split of the tag: a placeholder ends where the literal after it stands, or at the end.
fn read_pieces<'t>(
    pieces: &[Piece],
    tag: &'t str,
    reading: Reading<'t>,
    readings: &mut Vec<(Option<&'t str>, &'t str)>,
) {
    let with = |piece: &Piece, text: &'t str| match piece {
        Piece::Name => (Some(text), reading.1),
        _ => (reading.0, Some(text)),
    };
    match pieces {
        [] => {
            if let ("", (name, Some(version))) = (tag, reading) {
                readings.push((name, version));
            }
        }
        [Piece::Literal(literal), rest @ ..] => {
            if let Some(after) = tag.strip_prefix(literal.as_str()) {
                read_pieces(rest, after, reading, readings);
            }
        }
        [last] => read_pieces(&[], "", with(last, tag), readings),
        [placeholder, rest @ ..] => {
            let Some(Piece::Literal(literal)) = rest.first() else { return };
            for (at, _) in tag.match_indices(literal.as_str()) {
                read_pieces(rest, &tag[at..], with(placeholder, &tag[..at]), readings);
            }
        }
    }
}

#[cfg(test)]
mod tests;
