//! The two grammars of constraints: PEP 440's and Poetry's.

use std::ops::Range;

use crate::version::number::Version;
use crate::workspace::specifier::SpecifierError;
use crate::workspace::specifier::clause::{Clause, Operator};

/// Clauses that must all hold, in alternatives of which one must. PEP 440 knows one alternative only.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Constraint {
    pub alternatives: Vec<Vec<Clause>>,
}

/// Whose constraints are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Grammar {
    Pep440,
    Poetry,
}

impl Constraint {
    /// Reads a constraint.
    ///
    /// # Errors
    /// Where the grammar gives a clause no meaning.
    pub fn parse(grammar: Grammar, text: &str) -> Result<Constraint, SpecifierError> {
        let alternatives = match grammar {
            Grammar::Pep440 => vec![clauses(grammar, text, 0..text.len())?],
            Grammar::Poetry => alternatives(text)?,
        };
        Ok(Constraint { alternatives })
    }

    /// Whether a version is taken. A pre-release is, where a clause of the same alternative names one.
    pub fn admits(&self, version: &Version) -> bool {
        self.alternatives.iter().any(|clauses| {
            clauses.iter().all(|clause| clause.takes(version))
                && (!version.is_prerelease() || clauses.iter().any(Clause::names_prerelease))
        })
    }
}

/// Splits at `|` and `||`. Poetry takes an empty constraint for `*`, but no empty alternative beside others.
fn alternatives(text: &str) -> Result<Vec<Vec<Clause>>, SpecifierError> {
    if text.trim().is_empty() {
        return Ok(vec![Vec::new()]);
    }
    let mut alternatives = Vec::new();
    let mut start = 0;
    for part in text.replace("||", " |").split('|') {
        let end = start + part.len();
        let written = text[start..end].trim_end_matches('|').len();
        let clauses = clauses(Grammar::Poetry, text, start..start + written)?;
        if clauses.is_empty() {
            return Err(unreadable(text, "|"));
        }
        alternatives.push(clauses);
        start = end + 1;
    }
    Ok(alternatives)
}

/// The clauses between two places of a text. Between clauses stands a comma, in Poetry a space does too.
fn clauses(grammar: Grammar, text: &str, span: Range<usize>) -> Result<Vec<Clause>, SpecifierError> {
    let mut clauses = Vec::new();
    let mut part_start = span.start;
    for part in text[span].split(',') {
        let part_end = part_start + part.len();
        let mut at = skip_space(text, part_start..part_end);
        while at < part_end {
            let (clause, end) = clause(grammar, text, at..part_end)?;
            clauses.push(clause);
            at = skip_space(text, end..part_end);
            if grammar == Grammar::Pep440 && at < part_end {
                return Err(unreadable(text, part.trim()));
            }
        }
        part_start = part_end + 1;
    }
    Ok(clauses)
}

/// The clause that begins at a place, and where it ends.
fn clause(grammar: Grammar, text: &str, span: Range<usize>) -> Result<(Clause, usize), SpecifierError> {
    let operator_end = end_of(text, span.clone(), |character| "<>=!~^".contains(character));
    let version_start = skip_space(text, operator_end..span.end);
    let version_end =
        end_of(text, version_start..span.end, |character| !character.is_whitespace() && character != '|');
    let written = &text[span.start..version_end];
    let (operator, version) =
        comparison(grammar, &text[span.start..operator_end], &text[version_start..version_end])
            .ok_or_else(|| unreadable(text, written))?;
    let clause = Clause {
        operator,
        version,
        operator_span: span.start..operator_end,
        version_span: version_start..version_end,
    };
    Ok((clause, version_end))
}

/// What an operator and a version mean together; none where they mean nothing.
fn comparison(grammar: Grammar, operator: &str, version: &str) -> Option<(Operator, Version)> {
    if grammar == Grammar::Poetry && operator.is_empty() && version == "*" {
        return Some((Operator::Any, Version::parse("0").ok()?));
    }
    let (numbers, starred) = split_star(grammar, version);
    let named = Version::parse(numbers).ok()?;
    let operator = match (grammar, operator, starred) {
        (_, "==", true) | (Grammar::Poetry, "" | "=", true) => Operator::Prefix,
        (_, "!=", true) => Operator::NotPrefix,
        (_, _, true) => return None,
        (_, "==", false) | (Grammar::Poetry, "" | "=", false) => Operator::Equal,
        (Grammar::Pep440, "===", false) => Operator::Arbitrary,
        (_, "!=", false) | (Grammar::Poetry, "<>", false) => Operator::NotEqual,
        (_, "~=", false) => Operator::Compatible,
        (_, ">", false) => Operator::Greater,
        (_, ">=", false) => Operator::GreaterEqual,
        (_, "<", false) => Operator::Less,
        (_, "<=", false) => Operator::LessEqual,
        (Grammar::Poetry, "^", false) => Operator::Caret,
        (Grammar::Poetry, "~", false) => Operator::Tilde,
        _ => return None,
    };
    fits(operator, &named).then_some((operator, named))
}

/// The version without its stars, and whether it had any: `1.4` of `1.4.*`, in Poetry also of `1.4.x`.
pub fn split_star(grammar: Grammar, version: &str) -> (&str, bool) {
    let mut numbers = version;
    loop {
        let shorter = match grammar {
            Grammar::Pep440 if numbers.len() < version.len() => None,
            Grammar::Pep440 => numbers.strip_suffix(".*"),
            Grammar::Poetry => [".*", ".x", ".X"].iter().find_map(|star| numbers.strip_suffix(star)),
        };
        match shorter {
            Some(shorter) => numbers = shorter,
            None => return (numbers, numbers.len() < version.len()),
        }
    }
}

/// PEP 440's limits: `~=` needs two components, a local part needs an equality, a star follows a release.
fn fits(operator: Operator, named: &Version) -> bool {
    match operator {
        Operator::Equal | Operator::NotEqual | Operator::Arbitrary => true,
        Operator::Prefix | Operator::NotPrefix => named.to_string() == named.base().to_string(),
        Operator::Compatible => named.release().len() > 1 && !named.has_local(),
        _ => !named.has_local(),
    }
}

fn skip_space(text: &str, span: Range<usize>) -> usize {
    end_of(text, span, char::is_whitespace)
}

/// Where the characters end that are accepted.
fn end_of(text: &str, span: Range<usize>, accepted: impl Fn(char) -> bool) -> usize {
    text[span.clone()].find(|character| !accepted(character)).map_or(span.end, |length| span.start + length)
}

fn unreadable(specifier: &str, clause: &str) -> SpecifierError {
    SpecifierError::Unreadable { specifier: specifier.to_owned(), clause: clause.to_owned() }
}
