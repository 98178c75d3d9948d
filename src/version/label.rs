//! The label of a pre-release: development release, alpha, beta or release candidate.

use std::fmt;
use std::str::FromStr;

use pep440_rs::PrereleaseKind;

/// A pre-release's label, lowest first, as PEP 440 orders them ("Summary of permitted suffixes and
/// relative ordering").
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum PreLabel {
    Dev,
    Alpha,
    Beta,
    Rc,
}

/// Why a word is no label.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not a pre-release label; write a, b, rc or dev")]
pub struct LabelError {
    pub text: String,
}

impl PreLabel {
    /// The label in PEP 440's normal form.
    pub fn as_str(self) -> &'static str {
        match self {
            PreLabel::Dev => "dev",
            PreLabel::Alpha => "a",
            PreLabel::Beta => "b",
            PreLabel::Rc => "rc",
        }
    }

    /// What PEP 440 calls a pre-release; none for a development release.
    pub fn kind(self) -> Option<PrereleaseKind> {
        match self {
            PreLabel::Dev => None,
            PreLabel::Alpha => Some(PrereleaseKind::Alpha),
            PreLabel::Beta => Some(PrereleaseKind::Beta),
            PreLabel::Rc => Some(PrereleaseKind::Rc),
        }
    }
}

impl From<PrereleaseKind> for PreLabel {
    fn from(kind: PrereleaseKind) -> PreLabel {
        match kind {
            PrereleaseKind::Alpha => PreLabel::Alpha,
            PrereleaseKind::Beta => PreLabel::Beta,
            PrereleaseKind::Rc => PreLabel::Rc,
        }
    }
}

impl FromStr for PreLabel {
    type Err = LabelError;

    /// Takes every spelling of PEP 440 ("Pre-release spelling"), in any case.
    fn from_str(text: &str) -> Result<PreLabel, LabelError> {
        match text.to_ascii_lowercase().as_str() {
            "dev" => Ok(PreLabel::Dev),
            "a" | "alpha" => Ok(PreLabel::Alpha),
            "b" | "beta" => Ok(PreLabel::Beta),
            "rc" | "c" | "pre" | "preview" => Ok(PreLabel::Rc),
            _ => Err(LabelError { text: text.to_owned() }),
        }
    }
}

impl fmt::Display for PreLabel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_spelling_of_a_label_is_read() {
        let check = |words: &[&str], label: PreLabel| {
            for word in words {
                assert_eq!(word.parse(), Ok(label), "{word}");
            }
        };
        check(&["a", "alpha", "ALPHA"], PreLabel::Alpha);
        check(&["b", "beta"], PreLabel::Beta);
        check(&["rc", "c", "pre", "preview"], PreLabel::Rc);
        check(&["dev"], PreLabel::Dev);
    }

    #[test]
    fn other_words_are_refused_with_what_to_write() {
        for word in ["", "next", "snapshot", "post", "rc1", " rc"] {
            let error = word.parse::<PreLabel>().unwrap_err();
            assert!(error.to_string().ends_with("write a, b, rc or dev"), "{error}");
        }
    }

    #[test]
    fn labels_print_and_order_as_pep_440_says() {
        let words: Vec<String> = [PreLabel::Dev, PreLabel::Alpha, PreLabel::Beta, PreLabel::Rc]
            .iter()
            .map(PreLabel::to_string)
            .collect();
        assert_eq!(words, ["dev", "a", "b", "rc"]);
        assert!(
            PreLabel::Dev < PreLabel::Alpha
                && PreLabel::Alpha < PreLabel::Beta
                && PreLabel::Beta < PreLabel::Rc
        );
    }
}
